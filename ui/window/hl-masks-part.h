/* SPDX-License-Identifier: MIT
 * How good a map by SPES is, after how many masks; and a button for more of them. */
#pragma once

#include "document/hl-document.h"
#include "scene/hl-chart-scene.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_MASKS_PART (hl_masks_part_get_type ())
G_DECLARE_FINAL_TYPE (HlMasksPart, hl_masks_part, HL, MASKS_PART, GtkWidget)

/** hl_masks_part_new: @is_live: of the run in hand, and only seen while there is one;
 * else of what is known. */
GtkWidget *hl_masks_part_new (HlDocument *document, gboolean is_live);

void hl_masks_part_show (HlMasksPart *self);
void hl_masks_part_set_is_dark (HlMasksPart *self, gboolean is_dark);

/** hl_masks_part_get_chart: (transfer none) (nullable): while it is seen. */
HlChartScene *hl_masks_part_get_chart (HlMasksPart *self);

G_END_DECLS
