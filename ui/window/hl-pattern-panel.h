/* SPDX-License-Identifier: MIT
 * Middle, page Patterns: what patterns heads have learned. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_PATTERN_PANEL (hl_pattern_panel_get_type ())
G_DECLARE_FINAL_TYPE (HlPatternPanel, hl_pattern_panel, HL, PATTERN_PANEL, GtkWidget)

void hl_pattern_panel_set_document (HlPatternPanel *self, HlDocument *document);
void hl_pattern_panel_set_is_dark (HlPatternPanel *self, gboolean is_dark);

/** hl_pattern_panel_get_charts: (transfer full) (element-type HlChartScene): what is
 * shown, for a figure. */
GPtrArray *hl_pattern_panel_get_charts (HlPatternPanel *self);

G_END_DECLS
