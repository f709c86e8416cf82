/* SPDX-License-Identifier: MIT
 * Tiles of one head for the heatmap. The view keeps what it shows; here only what came
 * last is kept, until the view has fetched it. */
#include "window/hl-attention-tiles.h"

#include "trace/hl-word-trace.h"

#include <math.h>
#include <string.h>

#define KEEP_TILES 48

struct _HlAttentionTiles
{
  GObject parent_instance;
  HlEngine *engine;
  HlAttentionSource *source;
  HlHeadKey head;
  HlViewOptions view;
  gint64 Tq;
  gint64 Tk;
  GCancellable *cancellable;
  GHashTable *pending; /* of names of tiles under way */
  GQueue ready;        /* of HlTile *, newest first */
};

static void tile_source_init (HlTileSourceInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (HlAttentionTiles,
                               hl_attention_tiles,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (HL_TYPE_TILE_SOURCE,
                                                      tile_source_init))

static char *
tile_name (int level, int row, int column)
{
  return g_strdup_printf ("%d/%d/%d", level, row, column);
}

/* Entries that causal attention forbids have no value; a pooled cell has none only when
 * all of its entries are forbidden. Left-out tokens show at single entries only. */
static void
mask_tile (HlAttentionTiles *self, HlTile *tile)
{
  HlTrace *trace = hl_attention_source_get_trace (self->source);
  const HlHeadKey head = self->head;
  gint64 side = (gint64) 1 << tile->level;
  gint64 q0 = tile->row * HL_TILE_SIDE * side, k0 = tile->column * HL_TILE_SIDE * side;
  if (tile->level == 0)
    {
      hl_present_mask (trace, self->head, &self->view, self->Tq, self->Tk, q0,
                       tile->n_rows, k0, tile->n_columns, tile->mean);
      memcpy (tile->max, tile->mean,
              sizeof (float) * (gsize) tile->n_rows * (gsize) tile->n_columns);
      return;
    }
  /* A cell is grey where no query of it sees any of its keys. */
  for (int r = 0; r < tile->n_rows; r++)
    {
      gint64 query = q0 + r * side, last = MIN (query + side, self->Tq) - 1;
      gint64 first =
          hl_trace_keys_seen (trace, head.stack, head.layer, query, self->Tq, self->Tk)
              .first;
      gint64 end =
          hl_trace_keys_seen (trace, head.stack, head.layer, last, self->Tq, self->Tk)
              .end;
      for (int c = 0; c < tile->n_columns; c++)
        if (k0 + c * side >= end || k0 + (c + 1) * side <= first)
          tile->mean[r * tile->n_columns + c] = tile->max[r * tile->n_columns + c] = NAN;
    }
}

typedef struct
{
  GWeakRef tiles;
  HlEngine *engine;
  int level, row, column;
  gboolean is_guess;
} Request;

static void
request_tile (HlAttentionTiles *self, int level, int row, int column, gboolean is_guess);

/* A better tile takes the place of the estimate before it. */
static void
put_ready (HlAttentionTiles *self, HlTile *tile)
{
  for (GList *l = self->ready.head; l != NULL; l = l->next)
    {
      HlTile *old = l->data;
      if (old->level == tile->level && old->row == tile->row &&
          old->column == tile->column)
        {
          hl_tile_unref (old);
          g_queue_delete_link (&self->ready, l);
          break;
        }
    }
  g_queue_push_head (&self->ready, tile);
  if (self->ready.length > KEEP_TILES)
    hl_tile_unref (g_queue_pop_tail (&self->ready));
}

static void
tile_read_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  Request *request = data;
  g_autoptr (HlAttentionTiles) self = g_weak_ref_get (&request->tiles);
  g_autoptr (HlAttentionTile) read = hl_engine_finish (request->engine, result, NULL);
  if (self != NULL)
    {
      g_autofree char *name = tile_name (request->level, request->row, request->column);
      g_hash_table_remove (self->pending, name);
    }
  if (self != NULL && read != NULL)
    {
      HlTile *tile = hl_tile_new (read->level, read->row, read->column, read->n_rows,
                                  read->n_columns);
      gsize size = sizeof (float) * (gsize) read->n_rows * (gsize) read->n_columns;
      memcpy (tile->mean, read->mean, size);
      memcpy (tile->max, read->max, size);
      tile->is_exact = read->is_exact;
      mask_tile (self, tile);
      put_ready (self, tile);
      if (!tile->is_exact)
        request_tile (self, tile->level, tile->row, tile->column, FALSE);
      hl_tile_source_emit_ready (HL_TILE_SOURCE (self), tile->level, tile->row,
                                 tile->column);
    }
  g_weak_ref_clear (&request->tiles);
  g_object_unref (request->engine);
  g_free (request);
}

static void
request_tile (HlAttentionTiles *self, int level, int row, int column, gboolean is_guess)
{
  g_autofree char *name = tile_name (level, row, column);
  if (!g_hash_table_add (self->pending, g_steal_pointer (&name)))
    return;
  Request *request = g_new0 (Request, 1);
  g_weak_ref_init (&request->tiles, self);
  request->engine = g_object_ref (self->engine);
  request->level = level;
  request->row = row;
  request->column = column;
  request->is_guess = is_guess;
  hl_engine_read_tile_async (self->engine, self->source, self->head, level, row, column,
                             is_guess, self->cancellable, tile_read_cb, request);
}

static HlTile *
get_tile (HlTileSource *source, int level, int row, int column)
{
  HlAttentionTiles *self = HL_ATTENTION_TILES (source);
  for (GList *l = self->ready.head; l != NULL; l = l->next)
    {
      HlTile *tile = l->data;
      if (tile->level == level && tile->row == row && tile->column == column)
        return hl_tile_ref (tile);
    }
  request_tile (self, level, row, column, TRUE);
  return NULL;
}

static void
get_size (HlTileSource *source, gint64 *n_rows, gint64 *n_columns)
{
  HlAttentionTiles *self = HL_ATTENTION_TILES (source);
  *n_rows = self->Tq;
  *n_columns = self->Tk;
}

/* Levels until the whole map is one tile. */
static int
get_max_level (HlTileSource *source)
{
  HlAttentionTiles *self = HL_ATTENTION_TILES (source);
  int level = 0;
  while ((MAX (self->Tq, self->Tk) >> level) > HL_TILE_SIDE)
    level++;
  return level;
}

static void
tile_source_init (HlTileSourceInterface *iface)
{
  iface->get_size = get_size;
  iface->get_max_level = get_max_level;
  iface->get_tile = get_tile;
}

static void
hl_attention_tiles_dispose (GObject *object)
{
  HlAttentionTiles *self = HL_ATTENTION_TILES (object);
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->engine);
  G_OBJECT_CLASS (hl_attention_tiles_parent_class)->dispose (object);
}

static void
hl_attention_tiles_finalize (GObject *object)
{
  HlAttentionTiles *self = HL_ATTENTION_TILES (object);
  hl_attention_source_unref (self->source);
  g_object_unref (self->cancellable);
  g_hash_table_unref (self->pending);
  g_queue_clear_full (&self->ready, (GDestroyNotify) hl_tile_unref);
  G_OBJECT_CLASS (hl_attention_tiles_parent_class)->finalize (object);
}

static void
hl_attention_tiles_class_init (HlAttentionTilesClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hl_attention_tiles_dispose;
  G_OBJECT_CLASS (klass)->finalize = hl_attention_tiles_finalize;
}

static void
hl_attention_tiles_init (HlAttentionTiles *self)
{
  self->cancellable = g_cancellable_new ();
  self->pending = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_queue_init (&self->ready);
}

HlAttentionTiles *
hl_attention_tiles_new (HlEngine *engine,
                        HlAttentionSource *source,
                        HlHeadKey head,
                        const HlViewOptions *view)
{
  HlAttentionTiles *self = g_object_new (HL_TYPE_ATTENTION_TILES, NULL);
  self->engine = g_object_ref (engine);
  self->source = hl_attention_source_ref (source);
  self->head = head;
  self->view = *view;
  hl_attention_source_get_size (source, head, &self->Tq, &self->Tk);
  return self;
}
