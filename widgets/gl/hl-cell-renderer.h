/* SPDX-License-Identifier: MIT
 * Draws the cells of a map with OpenGL: one texture a tile, one quad a piece. Main
 * thread, with the area's context current. */
#pragma once

#include "gl/hl-tile-cache.h"

G_BEGIN_DECLS

typedef struct _HlCellRenderer HlCellRenderer;

/**
 * hl_cell_renderer_new:
 * @is_es: the current context is OpenGL ES
 * Returns: (transfer full): or NULL with @error set (G_IO_ERROR_FAILED)
 */
HlCellRenderer *hl_cell_renderer_new (gboolean is_es, GError **error);
/** hl_cell_renderer_free: deletes its GL objects; the tiles' textures are the cache's. */
void hl_cell_renderer_free (HlCellRenderer *self);

/**
 * hl_cell_renderer_draw:
 * @cache: its tiles' textures are made where they are missing; its dead ones deleted
 * @pieces: of HlTilePiece
 * @view: the entries that fill the area
 * @width_px, @height_px: of the area, in device pixels
 * @is_max: which pooling of the tiles is shown
 * Where nothing is known the area stays transparent.
 */
void hl_cell_renderer_draw (HlCellRenderer *self,
                            HlTileCache *cache,
                            GArray *pieces,
                            const HlView *view,
                            int width_px,
                            int height_px,
                            const HlScale *scale,
                            gboolean is_max);

/** hl_cell_renderer_delete_dead: the textures that the cache gave up, before the context
 * goes away; drawing does it too. */
void hl_cell_renderer_delete_dead (HlTileCache *cache);

/** hl_cell_renderer_count_draws: frames drawn since it was made. */
guint hl_cell_renderer_count_draws (const HlCellRenderer *self);
/** hl_cell_renderer_count_uploads: textures filled since it was made. */
guint hl_cell_renderer_count_uploads (const HlCellRenderer *self);

G_END_DECLS
