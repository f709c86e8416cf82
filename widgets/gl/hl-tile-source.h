/* SPDX-License-Identifier: MIT
 * Where a view of a big map gets its tiles from. The view asks for what is in sight; the
 * source answers at once or starts the work and tells when it is done. */
#pragma once

#include "scene/hl-scene.h"

G_BEGIN_DECLS

#define HL_TYPE_TILE_SOURCE (hl_tile_source_get_type ())
G_DECLARE_INTERFACE (HlTileSource, hl_tile_source, HL, TILE_SOURCE, GObject)

/**
 * HlTileSourceInterface: every function is called on the main thread and returns at once.
 * @get_size: entries of the whole map at level 0
 * @get_max_level: the coarsest level there is, 0 or more
 * @get_tile: (transfer full) (nullable): NULL starts the work, unless it is under way
 * @get_value: (optional): one entry without its tile; FALSE when it is not at hand
 */
struct _HlTileSourceInterface
{
  GTypeInterface parent;

  void (*get_size) (HlTileSource *source, gint64 *n_rows, gint64 *n_columns);
  int (*get_max_level) (HlTileSource *source);
  HlTile *(*get_tile) (HlTileSource *source, int level, int row, int column);
  gboolean (*get_value) (HlTileSource *source, gint64 row, gint64 column, float *value);
};

/* Signals
 * "tile-ready" (int level, int row, int column): get_tile() has it now, or has a better
 *   one than before (an estimate became exact)
 * "changed" (): every tile handed out is out of date; the size may differ
 */

void hl_tile_source_get_size (HlTileSource *source, gint64 *n_rows, gint64 *n_columns);
int hl_tile_source_get_max_level (HlTileSource *source);
HlTile *hl_tile_source_get_tile (HlTileSource *source, int level, int row, int column);

/** hl_tile_source_get_value: FALSE too where the source has no such function. */
gboolean
hl_tile_source_get_value (HlTileSource *source, gint64 row, gint64 column, float *value);

/** hl_tile_source_emit_ready: for implementations; main thread. */
void hl_tile_source_emit_ready (HlTileSource *source, int level, int row, int column);
/** hl_tile_source_emit_changed: for implementations; main thread. */
void hl_tile_source_emit_changed (HlTileSource *source);

G_END_DECLS
