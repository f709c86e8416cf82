/* SPDX-License-Identifier: MIT
 * Coarse tiles that are kept. */
#include "trace/hl-coarse-tiles.h"

/* One kept tile, in the table by its place and in the queue by its age. */
typedef struct
{
  HlHeadKey head;
  HlAttentionTile *tile;
  GList link;
} Kept;

struct _HlCoarseTiles
{
  GMutex lock;       /* guards all below */
  GHashTable *table; /* Kept -> itself */
  GQueue by_age;     /* oldest first */
  gsize budget_bytes;
  gsize size_bytes;
};

static guint
kept_hash (gconstpointer data)
{
  const Kept *k = data;
  guint hash = (guint) k->head.stack;
  const int parts[] = { k->head.layer, k->head.head, k->tile->level, k->tile->row,
                        k->tile->column };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    hash = hash * 31 + (guint) parts[i];
  return hash;
}

static gboolean
kept_equal (gconstpointer a, gconstpointer b)
{
  const Kept *x = a, *y = b;
  return x->head.stack == y->head.stack && x->head.layer == y->head.layer &&
         x->head.head == y->head.head && x->tile->level == y->tile->level &&
         x->tile->row == y->tile->row && x->tile->column == y->tile->column;
}

static void
kept_free (gpointer data)
{
  Kept *kept = data;
  hl_attention_tile_free (kept->tile);
  g_free (kept);
}

static gsize
cells_of (const HlAttentionTile *tile)
{
  return (gsize) tile->n_rows * (gsize) tile->n_columns;
}

static gsize
bytes_of (const HlAttentionTile *tile)
{
  return cells_of (tile) * sizeof (float) * (tile->max == tile->mean ? 1 : 2);
}

static HlAttentionTile *
copy_of (const HlAttentionTile *tile)
{
  HlAttentionTile *copy = g_memdup2 (tile, sizeof *tile);
  gsize size = cells_of (tile) * sizeof (float);
  copy->mean = g_memdup2 (tile->mean, size);
  copy->max = tile->max == tile->mean ? copy->mean : g_memdup2 (tile->max, size);
  return copy;
}

HlCoarseTiles *
hl_coarse_tiles_new (gsize budget_bytes)
{
  HlCoarseTiles *tiles = g_new0 (HlCoarseTiles, 1);
  g_mutex_init (&tiles->lock);
  tiles->table = g_hash_table_new_full (kept_hash, kept_equal, kept_free, NULL);
  g_queue_init (&tiles->by_age);
  tiles->budget_bytes = budget_bytes;
  return tiles;
}

void
hl_coarse_tiles_free (HlCoarseTiles *tiles)
{
  if (tiles == NULL)
    return;
  g_hash_table_unref (tiles->table); /* frees the queue's links too: they lie inside */
  g_mutex_clear (&tiles->lock);
  g_free (tiles);
}

static void
forget (HlCoarseTiles *tiles, Kept *kept)
{
  tiles->size_bytes -= bytes_of (kept->tile);
  g_queue_unlink (&tiles->by_age, &kept->link);
  g_hash_table_remove (tiles->table, kept);
}

void
hl_coarse_tiles_keep (HlCoarseTiles *tiles, HlHeadKey head, const HlAttentionTile *tile)
{
  Kept *kept = g_new0 (Kept, 1);
  kept->head = head;
  kept->tile = copy_of (tile);
  kept->link.data = kept;
  g_mutex_lock (&tiles->lock);
  Kept *before = g_hash_table_lookup (tiles->table, kept);
  if (before != NULL)
    forget (tiles, before);
  tiles->size_bytes += bytes_of (kept->tile);
  g_queue_push_tail_link (&tiles->by_age, &kept->link);
  g_hash_table_add (tiles->table, kept);
  while (tiles->size_bytes > tiles->budget_bytes && tiles->by_age.length > 1)
    forget (tiles, tiles->by_age.head->data);
  g_mutex_unlock (&tiles->lock);
}

HlAttentionTile *
hl_coarse_tiles_find (
    HlCoarseTiles *tiles, HlHeadKey head, int level, int row, int column)
{
  HlAttentionTile place = { .level = level, .row = row, .column = column };
  Kept wanted = { .head = head, .tile = &place };
  HlAttentionTile *found = NULL;
  g_mutex_lock (&tiles->lock);
  Kept *kept = g_hash_table_lookup (tiles->table, &wanted);
  if (kept != NULL)
    {
      found = copy_of (kept->tile);
      g_queue_unlink (&tiles->by_age, &kept->link);
      g_queue_push_tail_link (&tiles->by_age, &kept->link);
    }
  g_mutex_unlock (&tiles->lock);
  return found;
}
