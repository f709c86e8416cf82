/* SPDX-License-Identifier: MIT
 * A row of the head finder. */
#pragma once

#include "analysis/hl-statistics.h"
#include "presenters/hl-summary.h"

G_BEGIN_DECLS

#define HL_TYPE_HEAD_ITEM (hl_head_item_get_type ())
G_DECLARE_FINAL_TYPE (HlHeadItem, hl_head_item, HL, HEAD_ITEM, GObject)

/** HlHeadColumn: a number of a head; NaN sorts last. */
typedef enum
{
  HL_HEAD_COLUMN_NAME,
  HL_HEAD_COLUMN_SCORE, /* the one that is chosen, with its interval */
  HL_HEAD_COLUMN_ENTROPY,
  HL_HEAD_COLUMN_DISTANCE,
  HL_HEAD_COLUMN_SINK,
  HL_HEAD_COLUMN_MAX,
  HL_N_HEAD_COLUMNS,
} HlHeadColumn;

/** hl_head_item_new: @score: of the chosen score; its mean is NaN for none. */
HlHeadItem *
hl_head_item_new (int layer, int head, const HlHeadStats *stats, const HlInterval *score);
int hl_head_item_get_layer (HlHeadItem *self);
int hl_head_item_get_head (HlHeadItem *self);
double hl_head_item_get_value (HlHeadItem *self, HlHeadColumn column);
/** hl_head_item_get_text: (transfer full): the number as the table shows it. */
char *hl_head_item_get_text (HlHeadItem *self, HlHeadColumn column);

G_END_DECLS
