/* SPDX-License-Identifier: MIT
 * Middle, page Data Set: every input where the model puts it, coloured by class; which
 * classes are taken for which; a click makes an input the one that is looked at. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_OVERVIEW_PANEL (hl_overview_panel_get_type ())
G_DECLARE_FINAL_TYPE (HlOverviewPanel, hl_overview_panel, HL, OVERVIEW_PANEL, GtkWidget)

void hl_overview_panel_set_document (HlOverviewPanel *self, HlDocument *document);
void hl_overview_panel_set_is_dark (HlOverviewPanel *self, gboolean is_dark);

/** hl_overview_panel_get_charts: (transfer full) (element-type HlChartScene) */
GPtrArray *hl_overview_panel_get_charts (HlOverviewPanel *self);

/** hl_overview_panel_get_confusion: (transfer none) (nullable): where labels are known.
 */
HlMatrixScene *hl_overview_panel_get_confusion (HlOverviewPanel *self);

G_END_DECLS
