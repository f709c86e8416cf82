/* SPDX-License-Identifier: MIT
 * A row of the head finder. */
#include "window/hl-head-item.h"

#include <math.h>

struct _HlHeadItem
{
  GObject parent_instance;
  int layer;
  int head;
  HlHeadStats stats;
  HlInterval score;
};

G_DEFINE_FINAL_TYPE (HlHeadItem, hl_head_item, G_TYPE_OBJECT)

static void
hl_head_item_class_init (HlHeadItemClass *klass)
{
}

static void
hl_head_item_init (HlHeadItem *self)
{
}

HlHeadItem *
hl_head_item_new (int layer, int head, const HlHeadStats *stats, const HlInterval *score)
{
  HlHeadItem *self = g_object_new (HL_TYPE_HEAD_ITEM, NULL);
  self->layer = layer;
  self->head = head;
  self->stats = *stats;
  self->score = *score;
  return self;
}

int
hl_head_item_get_layer (HlHeadItem *self)
{
  return self->layer;
}

int
hl_head_item_get_head (HlHeadItem *self)
{
  return self->head;
}

double
hl_head_item_get_value (HlHeadItem *self, HlHeadColumn column)
{
  switch (column)
    {
    case HL_HEAD_COLUMN_NAME:
      return self->layer + self->head / 65536.0;
    case HL_HEAD_COLUMN_ENTROPY:
      return self->stats.row_entropy;
    case HL_HEAD_COLUMN_DISTANCE:
      return self->stats.mean_distance;
    case HL_HEAD_COLUMN_SINK:
      return self->stats.sink_share;
    case HL_HEAD_COLUMN_MAX:
      return self->stats.max;
    case HL_HEAD_COLUMN_SCORE:
      return self->score.mean;
    case HL_N_HEAD_COLUMNS:
      break;
    }
  return NAN;
}

char *
hl_head_item_get_text (HlHeadItem *self, HlHeadColumn column)
{
  if (column == HL_HEAD_COLUMN_NAME)
    return g_strdup_printf ("%d.%d", self->layer, self->head);
  double value = hl_head_item_get_value (self, column);
  if (isnan (value))
    return g_strdup ("–");
  if (column == HL_HEAD_COLUMN_SCORE && self->score.n > 1)
    return g_strdup_printf ("%.3g (%.3g – %.3g)", value, self->score.low,
                            self->score.high);
  if (column == HL_HEAD_COLUMN_SCORE)
    return g_strdup_printf ("%.4g", value);
  return g_strdup_printf (column == HL_HEAD_COLUMN_DISTANCE ? "%.2f" : "%.3f", value);
}
