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
  double score;
  gboolean is_pinned;
  char *tags;
  char *note;
};

G_DEFINE_FINAL_TYPE (HlHeadItem, hl_head_item, G_TYPE_OBJECT)

static void
hl_head_item_finalize (GObject *object)
{
  HlHeadItem *self = HL_HEAD_ITEM (object);
  g_free (self->tags);
  g_free (self->note);
  G_OBJECT_CLASS (hl_head_item_parent_class)->finalize (object);
}

static void
hl_head_item_class_init (HlHeadItemClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = hl_head_item_finalize;
}

static void
hl_head_item_init (HlHeadItem *self)
{
  self->score = NAN;
  self->tags = g_strdup ("");
  self->note = g_strdup ("");
}

HlHeadItem *
hl_head_item_new (int layer, int head, const HlHeadStats *stats)
{
  HlHeadItem *self = g_object_new (HL_TYPE_HEAD_ITEM, NULL);
  self->layer = layer;
  self->head = head;
  self->stats = *stats;
  return self;
}

void
hl_head_item_mark (HlHeadItem *self, gboolean is_pinned, const HlHeadNote *note)
{
  self->is_pinned = is_pinned;
  g_free (self->tags);
  g_free (self->note);
  self->tags = hl_head_note_join (note);
  self->note = g_strdup (note != NULL ? note->text : "");
}

gboolean
hl_head_item_is_pinned (HlHeadItem *self)
{
  return self->is_pinned;
}

const char *
hl_head_item_get_tags (HlHeadItem *self)
{
  return self->tags;
}

const char *
hl_head_item_get_note (HlHeadItem *self)
{
  return self->note;
}

void
hl_head_item_set_score (HlHeadItem *self, double score)
{
  self->score = score;
}

double
hl_head_item_get_score (HlHeadItem *self)
{
  return self->score;
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
    case HL_HEAD_COLUMN_TAGS:
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
  if (column == HL_HEAD_COLUMN_TAGS)
    return g_strdup (self->tags);
  double value = hl_head_item_get_value (self, column);
  if (isnan (value))
    return g_strdup ("–");
  return g_strdup_printf (column == HL_HEAD_COLUMN_DISTANCE ? "%.2f" : "%.3f", value);
}
