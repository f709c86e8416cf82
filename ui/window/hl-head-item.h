/* SPDX-License-Identifier: MIT
 * A row of the head finder. */
#pragma once

#include "document/hl-head-notes.h"
#include "presenters/hl-summary.h"

G_BEGIN_DECLS

#define HL_TYPE_HEAD_ITEM (hl_head_item_get_type ())
G_DECLARE_FINAL_TYPE (HlHeadItem, hl_head_item, HL, HEAD_ITEM, GObject)

/** HlHeadColumn: a number of a head; NaN sorts last. */
typedef enum
{
  HL_HEAD_COLUMN_NAME,
  HL_HEAD_COLUMN_TAGS, /* a text: no value */
  HL_HEAD_COLUMN_ENTROPY,
  HL_HEAD_COLUMN_DISTANCE,
  HL_HEAD_COLUMN_SINK,
  HL_HEAD_COLUMN_MAX,
  HL_N_HEAD_COLUMNS,
} HlHeadColumn;

HlHeadItem *hl_head_item_new (int layer, int head, const HlHeadStats *stats);

/** hl_head_item_mark: what filters and the column of tags know of it; @note (nullable) is
 * copied. */
void hl_head_item_mark (HlHeadItem *self, gboolean is_pinned, const HlHeadNote *note);
gboolean hl_head_item_is_pinned (HlHeadItem *self);
/** hl_head_item_get_tags, _get_note: (transfer none): "" for none. */
const char *hl_head_item_get_tags (HlHeadItem *self);
const char *hl_head_item_get_note (HlHeadItem *self);

/** hl_head_item_set_score, _get_score: the number that filters compare; NaN for none. */
void hl_head_item_set_score (HlHeadItem *self, double score);
double hl_head_item_get_score (HlHeadItem *self);
int hl_head_item_get_layer (HlHeadItem *self);
int hl_head_item_get_head (HlHeadItem *self);
double hl_head_item_get_value (HlHeadItem *self, HlHeadColumn column);
/** hl_head_item_get_text: (transfer full): the number as the table shows it. */
char *hl_head_item_get_text (HlHeadItem *self, HlHeadColumn column);

G_END_DECLS
