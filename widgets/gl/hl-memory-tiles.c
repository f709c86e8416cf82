/* SPDX-License-Identifier: MIT
 * Tiles of a map that lies in memory as a whole. */
#include "config.h"

#include "gl/hl-memory-tiles.h"

#include <math.h>

struct _HlMemoryTiles
{
  GObject parent;

  HlMatrixScene *scene;
};

static void hl_memory_tiles_iface_init (HlTileSourceInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (HlMemoryTiles,
                               hl_memory_tiles,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (HL_TYPE_TILE_SOURCE,
                                                      hl_memory_tiles_iface_init))

static void
hl_memory_tiles_get_size (HlTileSource *source, gint64 *n_rows, gint64 *n_columns)
{
  HlMemoryTiles *self = HL_MEMORY_TILES (source);
  *n_rows = self->scene->n_values_rows;
  *n_columns = self->scene->n_values_columns;
}

static int
hl_memory_tiles_get_max_level (HlTileSource *source)
{
  HlMemoryTiles *self = HL_MEMORY_TILES (source);
  gint64 longest = MAX (self->scene->n_values_rows, self->scene->n_values_columns);
  int level = 0;
  while ((longest >> level) > HL_TILE_SIDE / 2 && level < 24)
    level++;
  return level;
}

typedef struct
{
  double sum;
  float extreme;
  gint64 count;
} Pool;

/* One run of a row that falls into one cell. */
static void
pool_run (Pool *pool, const float *values, gint64 n, gboolean is_signed)
{
  for (gint64 i = 0; i < n; i++)
    {
      float value = values[i];
      if (isnan (value))
        continue;
      gboolean is_farther =
          is_signed ? fabsf (value) > fabsf (pool->extreme) : value > pool->extreme;
      if (pool->count == 0 || is_farther)
        pool->extreme = value;
      pool->sum += value;
      pool->count++;
    }
}

static void
tile_fill_row (HlMemoryTiles *self, HlTile *tile, int r, gint64 side, Pool *pools)
{
  const HlMatrixScene *scene = self->scene;
  gint64 first_row = ((gint64) tile->row * HL_TILE_SIDE + r) * side;
  gint64 end_row = MIN (first_row + side, scene->n_values_rows);
  gint64 first_column = (gint64) tile->column * HL_TILE_SIDE * side;
  for (int c = 0; c < tile->n_columns; c++)
    pools[c] = (Pool){ 0, 0, 0 };
  for (gint64 row = first_row; row < end_row; row++)
    for (int c = 0; c < tile->n_columns; c++)
      {
        gint64 start = first_column + c * side;
        gint64 n = MIN (side, scene->n_values_columns - start);
        pool_run (&pools[c], scene->values + row * scene->n_values_columns + start, n,
                  scene->scale.low < 0);
      }
  for (int c = 0; c < tile->n_columns; c++)
    {
      gsize i = (gsize) r * tile->n_columns + c;
      gboolean is_known = pools[c].count > 0;
      tile->mean[i] = is_known ? (float) (pools[c].sum / pools[c].count) : NAN;
      tile->max[i] = is_known ? pools[c].extreme : NAN;
    }
}

static HlTile *
hl_memory_tiles_get_tile (HlTileSource *source, int level, int row, int column)
{
  HlMemoryTiles *self = HL_MEMORY_TILES (source);
  gint64 side = (gint64) 1 << level;
  gint64 n_rows = (self->scene->n_values_rows + side - 1) / side;
  gint64 n_columns = (self->scene->n_values_columns + side - 1) / side;
  n_rows -= (gint64) row * HL_TILE_SIDE;
  n_columns -= (gint64) column * HL_TILE_SIDE;
  if (row < 0 || column < 0 || n_rows <= 0 || n_columns <= 0)
    return NULL;
  HlTile *tile = hl_tile_new (level, row, column, (int) MIN (n_rows, HL_TILE_SIDE),
                              (int) MIN (n_columns, HL_TILE_SIDE));
  Pool pools[HL_TILE_SIDE];
  for (int r = 0; r < tile->n_rows; r++)
    tile_fill_row (self, tile, r, side, pools);
  return tile;
}

static gboolean
hl_memory_tiles_get_value (HlTileSource *source, gint64 row, gint64 column, float *value)
{
  const HlMatrixScene *scene = HL_MEMORY_TILES (source)->scene;
  if (row < 0 || column < 0 || row >= scene->n_values_rows ||
      column >= scene->n_values_columns)
    return FALSE;
  *value = scene->values[row * scene->n_values_columns + column];
  return TRUE;
}

static void
hl_memory_tiles_iface_init (HlTileSourceInterface *iface)
{
  iface->get_size = hl_memory_tiles_get_size;
  iface->get_max_level = hl_memory_tiles_get_max_level;
  iface->get_tile = hl_memory_tiles_get_tile;
  iface->get_value = hl_memory_tiles_get_value;
}

static void
hl_memory_tiles_finalize (GObject *object)
{
  hl_matrix_scene_unref (HL_MEMORY_TILES (object)->scene);
  G_OBJECT_CLASS (hl_memory_tiles_parent_class)->finalize (object);
}

static void
hl_memory_tiles_class_init (HlMemoryTilesClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = hl_memory_tiles_finalize;
}

static void
hl_memory_tiles_init (HlMemoryTiles *self)
{
}

HlTileSource *
hl_memory_tiles_new (HlMatrixScene *scene)
{
  g_return_val_if_fail (scene != NULL && scene->values != NULL, NULL);
  HlMemoryTiles *self = g_object_new (HL_TYPE_MEMORY_TILES, NULL);
  self->scene = hl_matrix_scene_ref (scene);
  return HL_TILE_SOURCE (self);
}
