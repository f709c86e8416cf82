/* SPDX-License-Identifier: MIT
 * Middle, page Importance: which heads matter on this input, or over a data set. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_IMPORTANCE_PANEL (hl_importance_panel_get_type ())
G_DECLARE_FINAL_TYPE (
    HlImportancePanel, hl_importance_panel, HL, IMPORTANCE_PANEL, GtkWidget)

void hl_importance_panel_set_document (HlImportancePanel *self, HlDocument *document);
void hl_importance_panel_set_is_dark (HlImportancePanel *self, gboolean is_dark);

/** hl_importance_panel_get_charts: (transfer full) (element-type HlChartScene): what is
 * shown, for a figure. */
GPtrArray *hl_importance_panel_get_charts (HlImportancePanel *self);

/** hl_importance_panel_get_scope: what is looked at. */
HlScoreScope hl_importance_panel_get_scope (HlImportancePanel *self);

G_END_DECLS
