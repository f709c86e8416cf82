/* SPDX-License-Identifier: MIT
 * Tiles of an attention map: pooled squares of any level, exact or estimated. */
#include "trace/hl-attention-source-private.h"

#include "base/hl-error.h"

#include <string.h>

/* Queries that an estimate reads of each row of cells. */
#define SAMPLED_QUERIES 4

void
hl_attention_tile_free (HlAttentionTile *tile)
{
  if (tile == NULL)
    return;
  if (tile->max != tile->mean)
    g_free (tile->max);
  g_free (tile->mean);
  g_free (tile);
}

/* Joins @n_queries rows of entries into one row of cells. */
static void
pool_band (const float *band,
           gint64 n_queries,
           gint64 n_keys,
           HlAttentionTile *tile,
           int cell_row)
{
  gint64 side = (gint64) 1 << tile->level;
  float *mean = tile->mean + (gsize) cell_row * (gsize) tile->n_columns;
  float *max = tile->max + (gsize) cell_row * (gsize) tile->n_columns;
  for (int c = 0; c < tile->n_columns; c++)
    {
      gint64 first = c * side, width = MIN (side, n_keys - first);
      double sum = 0;
      float most = -G_MAXFLOAT;
      for (gint64 i = 0; i < n_queries; i++)
        {
          const float *row = band + i * n_keys + first;
          for (gint64 j = 0; j < width; j++)
            {
              sum += (double) row[j];
              most = MAX (most, row[j]);
            }
        }
      mean[c] = (float) (sum / (double) (width * n_queries));
      max[c] = most;
    }
}

/* Where a tile lies in its map, in entries. */
typedef struct
{
  gint64 side, q0, k0, n_keys, Tq;
} Place;

static Place
place_of (const HlAttentionTile *tile, gint64 Tq, gint64 Tk)
{
  Place p = { .side = (gint64) 1 << tile->level, .Tq = Tq };
  p.q0 = (gint64) tile->row * HL_ATTENTION_TILE_SIDE * p.side;
  p.k0 = (gint64) tile->column * HL_ATTENTION_TILE_SIDE * p.side;
  p.n_keys = MIN (Tk - p.k0, tile->n_columns * p.side);
  return p;
}

static float *
band_new (gint64 n_rows, gint64 n_keys, GError **error)
{
  float *band = g_try_malloc (sizeof (float) * (gsize) (n_rows * n_keys));
  if (band == NULL)
    g_set_error (error, HL_ERROR, HL_ERROR_MEMORY, "out of memory for a tile");
  return band;
}

/* Rows of cells at a time where they are so large that somebody wants to know how far it
 * is: enough for every thread. */
#define SLOW_ROWS 32

static gboolean
fill_pooled (const HlAttentionSource *source,
             HlBackend *backend,
             HlHeadKey head,
             HlAttentionTile *tile,
             const Place *p,
             const HlProgress *progress,
             GError **error)
{
  int some = tile->level < HL_SLOW_LEVEL ? tile->n_rows : SLOW_ROWS;
  for (int r = 0; r < tile->n_rows; r += some)
    {
      gint64 first = p->q0 + r * p->side, at = (gint64) r * tile->n_columns;
      gint64 n = MIN (some, tile->n_rows - r) * p->side;
      const HlPooledRect rect = { .first_query = first,
                                  .n_queries = MIN (p->Tq - first, n),
                                  .first_key = p->k0,
                                  .n_keys = p->n_keys,
                                  .level = tile->level,
                                  .mean = tile->mean + at,
                                  .max = tile->max + at };
      if (!hl_progress_step (progress, (double) r / tile->n_rows, NULL, error) ||
          !hl_attention_source_read_pooled (source, backend, head, &rect, progress,
                                            error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
fill_tile (const HlAttentionSource *source,
           HlBackend *backend,
           HlHeadKey head,
           HlAttentionTile *tile,
           const Place *p,
           const HlProgress *progress,
           GError **error)
{
  GCancellable *cancellable = progress != NULL ? progress->cancellable : NULL;
  if (tile->level == 0)
    return hl_attention_source_read_rect (source, backend, head, p->q0, tile->n_rows,
                                          p->k0, p->n_keys, tile->mean, cancellable,
                                          error);
  if (hl_attention_source_can_pool (source, head))
    return fill_pooled (source, backend, head, tile, p, progress, error);
  /* Several rows of cells at a time, so that the product is worth its while. */
  int cell_rows = (int) MAX (1, 256 / p->side);
  g_autofree float *band = band_new (cell_rows * p->side, p->n_keys, error);
  if (band == NULL)
    return FALSE;
  for (int r = 0; r < tile->n_rows; r += cell_rows)
    {
      gint64 first = p->q0 + r * p->side;
      gint64 n = MIN (p->Tq - first, MIN (cell_rows, tile->n_rows - r) * p->side);
      if (!hl_progress_step (progress, (double) r / tile->n_rows, NULL, error) ||
          !hl_attention_source_read_rect (source, backend, head, first, n, p->k0,
                                          p->n_keys, band, cancellable, error))
        return FALSE;
      for (gint64 i = 0; i < n; i += p->side)
        pool_band (band + i * p->n_keys, MIN (p->side, n - i), p->n_keys, tile,
                   r + (int) (i / p->side));
    }
  return TRUE;
}

/* Neighbouring queries in the middle of each row of cells stand for all of it. */
static gboolean
guess_tile (const HlAttentionSource *source,
            HlBackend *backend,
            HlHeadKey head,
            HlAttentionTile *tile,
            const Place *p,
            const HlProgress *progress,
            GError **error)
{
  GCancellable *cancellable = progress != NULL ? progress->cancellable : NULL;
  gint64 n_most = MIN (SAMPLED_QUERIES, p->side);
  g_autofree float *band = band_new (n_most, p->n_keys, error);
  if (band == NULL)
    return FALSE;
  for (int r = 0; r < tile->n_rows; r++)
    {
      gint64 first = p->q0 + r * p->side, rows = MIN (p->side, p->Tq - first);
      gint64 n = MIN (n_most, rows);
      if (!hl_progress_step (progress, (double) r / tile->n_rows, NULL, error) ||
          !hl_attention_source_read_rect (source, backend, head, first + (rows - n) / 2,
                                          n, p->k0, p->n_keys, band, cancellable, error))
        return FALSE;
      pool_band (band, n, p->n_keys, tile, r);
    }
  return TRUE;
}

static HlAttentionTile *
tile_new (const HlAttentionSource *source,
          HlHeadKey head,
          int level,
          int row,
          int column,
          Place *place,
          GError **error)
{
  gint64 Tq = 0, Tk = 0;
  if (!hl_attention_source_get_size (source, head, &Tq, &Tk))
    {
      hl_attention_source_complain (source, head, error);
      return NULL;
    }
  gint64 side = level >= 0 && level < 24 ? (gint64) 1 << level : 0;
  gint64 span = HL_ATTENTION_TILE_SIDE * side;
  if (side == 0 || row < 0 || column < 0 || row * span >= Tq || column * span >= Tk)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "tile (%d, %d) of level %d lies outside a %d x %d map", row, column,
                   level, (int) Tq, (int) Tk);
      return NULL;
    }
  HlAttentionTile *tile = g_new0 (HlAttentionTile, 1);
  tile->level = level;
  tile->row = row;
  tile->column = column;
  tile->n_rows = (int) MIN (HL_ATTENTION_TILE_SIDE, (Tq - row * span + side - 1) / side);
  tile->n_columns =
      (int) MIN (HL_ATTENTION_TILE_SIDE, (Tk - column * span + side - 1) / side);
  gsize n = (gsize) tile->n_rows * (gsize) tile->n_columns;
  tile->mean = g_new0 (float, n);
  tile->max = level == 0 ? tile->mean : g_new0 (float, n);
  tile->is_exact = TRUE;
  *place = place_of (tile, Tq, Tk);
  return tile;
}

gboolean
hl_attention_source_is_slow (const HlAttentionSource *source, HlHeadKey head, int level)
{
  return level >= HL_SLOW_LEVEL && !hl_attention_source_is_stored (source, head);
}

HlAttentionTile *
hl_attention_source_read_tile (const HlAttentionSource *source,
                               HlBackend *backend,
                               HlHeadKey head,
                               int level,
                               int row,
                               int column,
                               const HlProgress *progress,
                               GError **error)
{
  Place place;
  gboolean is_slow = hl_attention_source_is_slow (source, head, level);
  HlAttentionTile *kept =
      is_slow ? hl_coarse_tiles_find (source->coarse, head, level, row, column) : NULL;
  if (kept != NULL)
    return kept;
  g_autoptr (HlAttentionTile) tile =
      tile_new (source, head, level, row, column, &place, error);
  if (tile == NULL || !fill_tile (source, backend, head, tile, &place, progress, error))
    return NULL;
  if (is_slow)
    hl_coarse_tiles_keep (source->coarse, head, tile);
  return g_steal_pointer (&tile);
}

HlAttentionTile *
hl_attention_source_guess_tile (const HlAttentionSource *source,
                                HlBackend *backend,
                                HlHeadKey head,
                                int level,
                                int row,
                                int column,
                                const HlProgress *progress,
                                GError **error)
{
  Place place;
  if (!hl_attention_source_is_slow (source, head, level))
    return hl_attention_source_read_tile (source, backend, head, level, row, column,
                                          progress, error);
  HlAttentionTile *kept = hl_coarse_tiles_find (source->coarse, head, level, row, column);
  if (kept != NULL)
    return kept;
  g_autoptr (HlAttentionTile) tile =
      tile_new (source, head, level, row, column, &place, error);
  if (tile == NULL || !guess_tile (source, backend, head, tile, &place, progress, error))
    return NULL;
  tile->is_exact = FALSE;
  return g_steal_pointer (&tile);
}

int
hl_attention_source_top_level (const HlAttentionSource *source, HlHeadKey head)
{
  gint64 Tq = 0, Tk = 0;
  int level = 0;
  hl_attention_source_get_size (source, head, &Tq, &Tk);
  while (((MAX (Tq, Tk) - 1) >> level) >= HL_ATTENTION_TILE_SIDE)
    level++;
  return level;
}

HlAttentionTile *
hl_attention_source_begin_top (const HlAttentionSource *source, HlHeadKey head)
{
  Place place;
  int level = hl_attention_source_top_level (source, head);
  return level > 0 ? tile_new (source, head, level, 0, 0, &place, NULL) : NULL;
}

void
hl_attention_source_add_top (HlAttentionTile *tile,
                             const float *row,
                             gint64 query,
                             gint64 n)
{
  gint64 side = (gint64) 1 << tile->level;
  gsize at = (gsize) (query / side) * (gsize) tile->n_columns;
  for (int c = 0; c < tile->n_columns && c * side < n; c++)
    {
      gint64 first = c * side, end = MIN (first + side, n);
      float sum = 0, most = tile->max[at + (gsize) c];
      for (gint64 j = first; j < end; j++)
        {
          sum += row[j];
          most = MAX (most, row[j]);
        }
      tile->mean[at + (gsize) c] += sum;
      tile->max[at + (gsize) c] = most;
    }
}

void
hl_attention_source_keep_top (const HlAttentionSource *source,
                              HlHeadKey head,
                              HlAttentionTile *tile)
{
  gint64 Tq = 0, Tk = 0, side = (gint64) 1 << tile->level;
  hl_attention_source_get_size (source, head, &Tq, &Tk);
  for (int r = 0; r < tile->n_rows; r++)
    for (int c = 0; c < tile->n_columns; c++)
      tile->mean[r * tile->n_columns + c] /=
          (float) (MIN (side, Tq - r * side) * MIN (side, Tk - c * side));
  if (hl_attention_source_is_slow (source, head, tile->level))
    hl_coarse_tiles_keep (source->coarse, head, tile);
}
