/* SPDX-License-Identifier: MIT
 * Middle, page Strength: how far heads look, and which kind they are. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_STRENGTH_PANEL (hl_strength_panel_get_type ())
G_DECLARE_FINAL_TYPE (HlStrengthPanel, hl_strength_panel, HL, STRENGTH_PANEL, GtkWidget)

void hl_strength_panel_set_document (HlStrengthPanel *self, HlDocument *document);
void hl_strength_panel_set_is_dark (HlStrengthPanel *self, gboolean is_dark);

/** hl_strength_panel_get_charts: (transfer full) (element-type HlChartScene): what is
 * shown, for a figure. */
GPtrArray *hl_strength_panel_get_charts (HlStrengthPanel *self);

/** hl_strength_panel_get_scope: what is looked at. */
HlScoreScope hl_strength_panel_get_scope (HlStrengthPanel *self);

G_END_DECLS
