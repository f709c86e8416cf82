/* SPDX-License-Identifier: MIT
 * The tiles of one source that a view has at hand. */
#include "config.h"

#include "gl/hl-tile-cache.h"

#include <math.h>

struct _HlTileCache
{
  HlTileSource *source;
  int unit;
  GHashTable *tiles; /* &HlCachedTile.key -> HlCachedTile, owned */
  GQueue ages;       /* of HlCachedTile.link, the one used last in front */
  GArray *dead;      /* of guint: textures nobody owns any more */
  gsize size_bytes;
  gsize budget_bytes;
  guint64 frame;
};

/* 8 bits of level and 28 bits a side: enough for 2^36 tokens. */
static gint64
make_key (int level, int row, int column)
{
  return ((gint64) level << 56) | ((gint64) row << 28) | column;
}

static void
cached_tile_free (gpointer data)
{
  HlCachedTile *cached = data;
  hl_tile_unref (cached->tile);
  g_free (cached);
}

HlTileCache *
hl_tile_cache_new (gsize budget_bytes)
{
  HlTileCache *cache = g_new0 (HlTileCache, 1);
  cache->unit = 1;
  cache->tiles =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, cached_tile_free);
  g_queue_init (&cache->ages);
  cache->dead = g_array_new (FALSE, FALSE, sizeof (guint));
  cache->budget_bytes = budget_bytes;
  return cache;
}

void
hl_tile_cache_free (HlTileCache *cache)
{
  g_clear_object (&cache->source);
  g_hash_table_unref (cache->tiles);
  g_array_unref (cache->dead);
  g_free (cache);
}

static void
drop (HlTileCache *cache, HlCachedTile *cached)
{
  if (cached->texture != 0)
    g_array_append_val (cache->dead, cached->texture);
  cache->size_bytes -= cached->size_bytes;
  g_queue_unlink (&cache->ages, &cached->link);
  g_hash_table_remove (cache->tiles, &cached->key);
}

/* What this frame wants stays, even above the budget: it could not be drawn without. */
static void
trim (HlTileCache *cache)
{
  while (cache->size_bytes > cache->budget_bytes && cache->ages.tail != NULL)
    {
      HlCachedTile *oldest = cache->ages.tail->data;
      if (oldest->frame == cache->frame)
        return;
      drop (cache, oldest);
    }
}

void
hl_tile_cache_set_budget (HlTileCache *cache, gsize budget_bytes)
{
  cache->budget_bytes = budget_bytes;
  cache->frame++;
  trim (cache);
}

gsize
hl_tile_cache_get_size (const HlTileCache *cache)
{
  return cache->size_bytes;
}

void
hl_tile_cache_clear (HlTileCache *cache)
{
  while (cache->ages.tail != NULL)
    drop (cache, cache->ages.tail->data);
}

void
hl_tile_cache_set_source (HlTileCache *cache, HlTileSource *source, int unit)
{
  hl_tile_cache_clear (cache);
  g_set_object (&cache->source, source);
  cache->unit = MAX (unit, 1);
}

HlTileSource *
hl_tile_cache_get_source (HlTileCache *cache)
{
  return cache->source;
}

int
hl_tile_cache_get_unit (const HlTileCache *cache)
{
  return cache->unit;
}

static HlCachedTile *
find (HlTileCache *cache, int level, int row, int column)
{
  gint64 key = make_key (level, row, column);
  return g_hash_table_lookup (cache->tiles, &key);
}

static void
touch (HlTileCache *cache, HlCachedTile *cached)
{
  cached->frame = cache->frame;
  g_queue_unlink (&cache->ages, &cached->link);
  g_queue_push_head_link (&cache->ages, &cached->link);
}

/* Takes over @tile. A tile of another size than its place says would be read past its
 * end, so a source that is wrong about it gets nothing drawn. */
static HlCachedTile *
insert (HlTileCache *cache, HlTile *tile)
{
  if (tile->n_rows < 1 || tile->n_columns < 1 || tile->n_rows > HL_TILE_SIDE ||
      tile->n_columns > HL_TILE_SIDE)
    {
      hl_tile_unref (tile);
      return NULL;
    }
  HlCachedTile *cached = g_new0 (HlCachedTile, 1);
  cached->key = make_key (tile->level, tile->row, tile->column);
  cached->tile = tile;
  cached->size_bytes = (gsize) 3 * sizeof (float) * tile->n_rows * tile->n_columns;
  cached->link.data = cached;
  cached->frame = cache->frame;
  g_hash_table_insert (cache->tiles, &cached->key, cached);
  g_queue_push_head_link (&cache->ages, &cached->link);
  cache->size_bytes += cached->size_bytes;
  trim (cache);
  return cached;
}

static HlCachedTile *
find_or_ask (HlTileCache *cache, int level, int row, int column)
{
  HlCachedTile *cached = find (cache, level, row, column);
  if (cached != NULL)
    return cached;
  HlTile *tile = hl_tile_source_get_tile (cache->source, level, row, column);
  if (tile == NULL)
    return NULL;
  if (tile->level != level || tile->row != row || tile->column != column)
    {
      hl_tile_unref (tile);
      return NULL;
    }
  return insert (cache, tile);
}

void
hl_tile_cache_refresh (HlTileCache *cache, int level, int row, int column)
{
  HlCachedTile *old = find (cache, level, row, column);
  if (old != NULL)
    drop (cache, old);
  if (cache->source != NULL)
    find_or_ask (cache, level, row, column);
}

int
hl_tile_cache_choose_level (HlTileCache *cache, double pixels_per_entry)
{
  if (cache->source == NULL)
    return 0;
  int max_level = hl_tile_source_get_max_level (cache->source);
  int level = 0;
  /* A hair of tolerance, so that a map drawn 1:1 is not pooled for a rounding error. */
  while (level < max_level && ldexp (pixels_per_entry * cache->unit, level) < 0.999)
    level++;
  return level;
}

static double
tile_span (HlTileCache *cache, int level)
{
  return ldexp ((double) HL_TILE_SIDE * cache->unit, level);
}

static void
add_piece (HlTileCache *cache, GArray *pieces, HlCachedTile *cached, const HlView *part)
{
  touch (cache, cached);
  HlTilePiece piece = { cached, *part };
  g_array_append_val (pieces, piece);
}

/* The part of the map that a tile's place covers, cut to what is in sight. */
static gboolean
place (
    HlTileCache *cache, int level, int row, int column, const HlView *view, HlView *part)
{
  double span = tile_span (cache, level);
  part->x0 = MAX (column * span, view->x0);
  part->y0 = MAX (row * span, view->y0);
  part->x1 = MIN ((column + 1) * span, view->x1);
  part->y1 = MIN ((row + 1) * span, view->y1);
  return part->x1 > part->x0 && part->y1 > part->y0;
}

static void
add_finer (HlTileCache *cache,
           const HlView *view,
           int level,
           int row,
           int column,
           GArray *pieces)
{
  for (int i = 0; level > 0 && i < 4; i++)
    {
      int r = row * 2 + i / 2, c = column * 2 + i % 2;
      HlView part;
      if (!place (cache, level - 1, r, c, view, &part))
        continue;
      HlCachedTile *cached = find (cache, level - 1, r, c);
      if (cached != NULL)
        add_piece (cache, pieces, cached, &part);
    }
}

static void
add_stand_in (HlTileCache *cache,
              const HlView *view,
              int level,
              int row,
              int column,
              GArray *pieces)
{
  int max_level = hl_tile_source_get_max_level (cache->source);
  HlView part;
  if (!place (cache, level, row, column, view, &part))
    return;
  for (int up = 1; level + up <= max_level; up++)
    {
      HlCachedTile *cached = find (cache, level + up, row >> up, column >> up);
      if (cached == NULL)
        continue;
      add_piece (cache, pieces, cached, &part);
      break;
    }
  add_finer (cache, view, level, row, column, pieces);
}

guint
hl_tile_cache_plan (HlTileCache *cache, const HlView *view, int level, GArray *pieces)
{
  g_array_set_size (pieces, 0);
  if (cache->source == NULL || view->x1 <= view->x0 || view->y1 <= view->y0)
    return 0;
  cache->frame++;
  guint n_wanting = 0;
  double span = tile_span (cache, level);
  int first_row = (int) floor (view->y0 / span), end_row = (int) ceil (view->y1 / span);
  int first_column = (int) floor (view->x0 / span);
  int end_column = (int) ceil (view->x1 / span);
  /* Stand-ins are found first: a tile asked for could push one of them out. */
  for (int row = first_row; row < end_row; row++)
    for (int column = first_column; column < end_column; column++)
      if (find (cache, level, row, column) == NULL)
        add_stand_in (cache, view, level, row, column, pieces);
  for (int row = first_row; row < end_row; row++)
    for (int column = first_column; column < end_column; column++)
      {
        HlCachedTile *cached = find_or_ask (cache, level, row, column);
        HlView part;
        if (cached == NULL || !cached->tile->is_exact)
          n_wanting++;
        if (cached != NULL && place (cache, level, row, column, view, &part))
          add_piece (cache, pieces, cached, &part);
      }
  return n_wanting;
}

int
hl_tile_cache_lookup (
    HlTileCache *cache, gint64 row, gint64 column, gboolean is_max, float *value)
{
  if (cache->source == NULL || row < 0 || column < 0)
    return -1;
  gint64 cell_row = row / cache->unit, cell_column = column / cache->unit;
  if (cache->unit == 1 &&
      hl_tile_source_get_value (cache->source, cell_row, cell_column, value))
    return 0;
  int max_level = hl_tile_source_get_max_level (cache->source);
  for (int level = 0; level <= max_level; level++)
    {
      gint64 r = cell_row >> level, c = cell_column >> level;
      HlCachedTile *cached =
          find (cache, level, (int) (r / HL_TILE_SIDE), (int) (c / HL_TILE_SIDE));
      if (cached == NULL)
        continue;
      r %= HL_TILE_SIDE;
      c %= HL_TILE_SIDE;
      if (r >= cached->tile->n_rows || c >= cached->tile->n_columns)
        return -1;
      const float *values = is_max ? cached->tile->max : cached->tile->mean;
      *value = values[r * cached->tile->n_columns + c];
      return cache->unit == 1 && cached->tile->is_exact ? level : MAX (level, 1);
    }
  return -1;
}

void
hl_tile_cache_request (HlTileCache *cache, gint64 row, gint64 column)
{
  if (cache->source == NULL || row < 0 || column < 0)
    return;
  gint64 span = (gint64) HL_TILE_SIDE * cache->unit;
  find_or_ask (cache, 0, (int) (row / span), (int) (column / span));
}

void
hl_tile_cache_drop_textures (HlTileCache *cache)
{
  for (GList *link = cache->ages.head; link != NULL; link = link->next)
    {
      HlCachedTile *cached = link->data;
      if (cached->texture != 0)
        g_array_append_val (cache->dead, cached->texture);
      cached->texture = 0;
    }
}

void
hl_tile_cache_forget_textures (HlTileCache *cache)
{
  for (GList *link = cache->ages.head; link != NULL; link = link->next)
    ((HlCachedTile *) link->data)->texture = 0;
  g_array_set_size (cache->dead, 0);
}

GArray *
hl_tile_cache_take_dead_textures (HlTileCache *cache)
{
  GArray *dead = cache->dead;
  cache->dead = g_array_new (FALSE, FALSE, sizeof (guint));
  return dead;
}
