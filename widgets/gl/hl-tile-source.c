/* SPDX-License-Identifier: MIT
 * Where a view of a big map gets its tiles from. */
#include "config.h"

#include "gl/hl-tile-source.h"

G_DEFINE_INTERFACE (HlTileSource, hl_tile_source, G_TYPE_OBJECT)

static void
hl_tile_source_default_init (HlTileSourceInterface *iface)
{
  g_signal_new ("tile-ready", HL_TYPE_TILE_SOURCE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                G_TYPE_NONE, 3, G_TYPE_INT, G_TYPE_INT, G_TYPE_INT);
  g_signal_new ("changed", HL_TYPE_TILE_SOURCE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                G_TYPE_NONE, 0);
}

void
hl_tile_source_get_size (HlTileSource *source, gint64 *n_rows, gint64 *n_columns)
{
  g_return_if_fail (HL_IS_TILE_SOURCE (source));
  HL_TILE_SOURCE_GET_IFACE (source)->get_size (source, n_rows, n_columns);
}

int
hl_tile_source_get_max_level (HlTileSource *source)
{
  g_return_val_if_fail (HL_IS_TILE_SOURCE (source), 0);
  return HL_TILE_SOURCE_GET_IFACE (source)->get_max_level (source);
}

HlTile *
hl_tile_source_get_tile (HlTileSource *source, int level, int row, int column)
{
  g_return_val_if_fail (HL_IS_TILE_SOURCE (source), NULL);
  return HL_TILE_SOURCE_GET_IFACE (source)->get_tile (source, level, row, column);
}

gboolean
hl_tile_source_get_value (HlTileSource *source, gint64 row, gint64 column, float *value)
{
  g_return_val_if_fail (HL_IS_TILE_SOURCE (source), FALSE);
  HlTileSourceInterface *iface = HL_TILE_SOURCE_GET_IFACE (source);
  return iface->get_value != NULL && iface->get_value (source, row, column, value);
}

void
hl_tile_source_emit_ready (HlTileSource *source, int level, int row, int column)
{
  g_signal_emit_by_name (source, "tile-ready", level, row, column);
}

void
hl_tile_source_emit_changed (HlTileSource *source)
{
  g_signal_emit_by_name (source, "changed");
}
