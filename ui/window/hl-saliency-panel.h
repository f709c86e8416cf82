/* SPDX-License-Identifier: MIT
 * Middle, page Saliency: attention and saliency on the same input, side by side; how far
 * they agree, head by head and output by output. */
#pragma once

#include "document/hl-document.h"
#include "presenters/hl-present-compare.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_SALIENCY_PANEL (hl_saliency_panel_get_type ())
G_DECLARE_FINAL_TYPE (HlSaliencyPanel, hl_saliency_panel, HL, SALIENCY_PANEL, GtkWidget)

void hl_saliency_panel_set_document (HlSaliencyPanel *self, HlDocument *document);
void hl_saliency_panel_set_is_dark (HlSaliencyPanel *self, gboolean is_dark);

/** hl_saliency_panel_blink: shows one of the two maps alone, then the other. */
void hl_saliency_panel_blink (HlSaliencyPanel *self);

/** hl_saliency_panel_clear: one thing less is chosen: the blinking ends, the sound, the
 * region, the output; FALSE where nothing was. */
gboolean hl_saliency_panel_clear (HlSaliencyPanel *self);

/** hl_saliency_panel_get_charts: (transfer full) (element-type HlChartScene): for
 * figures. */
GPtrArray *hl_saliency_panel_get_charts (HlSaliencyPanel *self);

/** hl_saliency_panel_dup_compare: (transfer full) (nullable): what is shown above. */
HlCompare *hl_saliency_panel_dup_compare (HlSaliencyPanel *self);

/** hl_saliency_panel_get_heads: (transfer none) (nullable): the map of heads. */
HlMatrixScene *hl_saliency_panel_get_heads (HlSaliencyPanel *self);

G_END_DECLS
