/* SPDX-License-Identifier: MIT
 * Tiles of a map that lies in memory as a whole: a small map is shown by the same way as
 * a big one. */
#pragma once

#include "gl/hl-tile-source.h"

G_BEGIN_DECLS

#define HL_TYPE_MEMORY_TILES (hl_memory_tiles_get_type ())
G_DECLARE_FINAL_TYPE (HlMemoryTiles, hl_memory_tiles, HL, MEMORY_TILES, GObject)

/**
 * hl_memory_tiles_new:
 * @scene: its values are read, not copied; a reference is kept. They must not be NULL
 * A level-n cell is the mean and the maximum (of signed maps: the value farthest from 0)
 * of what it covers, NaN left out; NaN where nothing else is there. Every tile is
 * answered at once, in time proportional to the entries it covers.
 */
HlTileSource *hl_memory_tiles_new (HlMatrixScene *scene) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
