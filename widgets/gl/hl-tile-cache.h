/* SPDX-License-Identifier: MIT
 * The tiles of one source that a view has at hand, by size and age, each with the
 * texture made from it; and the choice of tiles for what is in sight. Main thread. */
#pragma once

#include "draw/hl-paint-matrix.h"
#include "gl/hl-tile-source.h"

G_BEGIN_DECLS

#define HL_TILE_CACHE_BYTES_DEFAULT ((gsize) 192 * 1024 * 1024)

/**
 * HlCachedTile:
 * @texture: name in the view's GL context; 0 while there is none
 * @frame: the last frame that wanted it
 * @size_bytes: of values and texture together
 */
typedef struct
{
  gint64 key;
  HlTile *tile;
  guint texture;
  guint64 frame;
  gsize size_bytes;
  GList link;
} HlCachedTile;

/** HlTilePiece: a tile and the rectangle of the map, in entries, to draw from it. */
typedef struct
{
  HlCachedTile *cached;
  HlView part;
} HlTilePiece;

typedef struct _HlTileCache HlTileCache;

HlTileCache *hl_tile_cache_new (gsize budget_bytes);
/** hl_tile_cache_free: textures must be gone: hl_tile_cache_forget_textures(). */
void hl_tile_cache_free (HlTileCache *cache);

void hl_tile_cache_set_budget (HlTileCache *cache, gsize budget_bytes);
gsize hl_tile_cache_get_size (const HlTileCache *cache);

/**
 * hl_tile_cache_set_source:
 * @source: (nullable): a reference is kept; every tile of the former is dropped
 * @unit: entries of the map a side of a level-0 cell (a scene pooled beforehand); >= 1
 */
void hl_tile_cache_set_source (HlTileCache *cache, HlTileSource *source, int unit);
HlTileSource *hl_tile_cache_get_source (HlTileCache *cache);
int hl_tile_cache_get_unit (const HlTileCache *cache);

/** hl_tile_cache_clear: drops all tiles; the source stays. */
void hl_tile_cache_clear (HlTileCache *cache);

/** hl_tile_cache_refresh: takes a tile anew from the source after "tile-ready". */
void hl_tile_cache_refresh (HlTileCache *cache, int level, int row, int column);

/** hl_tile_cache_choose_level: the finest at which a cell is at least a pixel wide. */
int hl_tile_cache_choose_level (HlTileCache *cache, double pixels_per_entry);

/**
 * hl_tile_cache_plan:
 * @pieces: of HlTilePiece, emptied first; to be drawn in order; valid until the next
 *   call of any function here
 * Asks the source for what is missing, and stands in with coarser or finer tiles.
 * Returns: tiles in sight that are missing or only estimates
 */
guint
hl_tile_cache_plan (HlTileCache *cache, const HlView *view, int level, GArray *pieces);

/**
 * hl_tile_cache_lookup:
 * @row, @column: of an entry
 * @value: (out): exact, or pooled from the finest tile at hand
 * Returns: the level @value comes from, 0 for exact; -1 when nothing is known
 */
int hl_tile_cache_lookup (
    HlTileCache *cache, gint64 row, gint64 column, gboolean is_max, float *value);

/** hl_tile_cache_request: makes the source start on the tile that holds an entry. */
void hl_tile_cache_request (HlTileCache *cache, gint64 row, gint64 column);

/** hl_tile_cache_drop_textures: all become candidates of take_dead_textures(). */
void hl_tile_cache_drop_textures (HlTileCache *cache);
/** hl_tile_cache_forget_textures: the context is gone and took them along. */
void hl_tile_cache_forget_textures (HlTileCache *cache);
/** hl_tile_cache_take_dead_textures: (transfer full): of guint, to be deleted in GL. */
GArray *hl_tile_cache_take_dead_textures (HlTileCache *cache);

G_END_DECLS
