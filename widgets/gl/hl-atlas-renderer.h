/* SPDX-License-Identifier: MIT
 * Draws thumbnails by the thousand with OpenGL: texture arrays of 64 x 64 pictures, one
 * instanced draw an array. Main thread, with the area's context current. */
#pragma once

#include "draw/hl-paint-grid.h"

G_BEGIN_DECLS

typedef struct _HlAtlasRenderer HlAtlasRenderer;

/**
 * hl_atlas_renderer_new:
 * @is_es: the current context is OpenGL ES
 * Returns: (transfer full): or NULL with @error set (G_IO_ERROR_FAILED)
 */
HlAtlasRenderer *hl_atlas_renderer_new (gboolean is_es, GError **error);
/** hl_atlas_renderer_free: deletes its GL objects too. */
void hl_atlas_renderer_free (HlAtlasRenderer *self);

/** hl_atlas_renderer_reset: another scene: every thumbnail is uploaded anew when it is
 * first in sight. No GL is called. */
void hl_atlas_renderer_reset (HlAtlasRenderer *self, const HlGridScene *scene);
/** hl_atlas_renderer_invalidate: one thumbnail changed. No GL is called. */
void hl_atlas_renderer_invalidate (HlAtlasRenderer *self, int layer, int head);

/**
 * hl_atlas_renderer_draw:
 * @visible: what the area shows, in the layout's units
 * @width_px, @height_px: of the area, in device pixels
 * Uploads what is in sight and not there yet, and draws only what is in sight. A
 * thumbnail that is not known is hatched; gaps stay transparent.
 */
void hl_atlas_renderer_draw (HlAtlasRenderer *self,
                             const HlGridScene *scene,
                             const HlGridLayout *layout,
                             const HlRect *visible,
                             int width_px,
                             int height_px,
                             const HlTheme *theme);

/** hl_atlas_renderer_count_uploads, _draws: thumbnails and frames since it was made. */
guint hl_atlas_renderer_count_uploads (const HlAtlasRenderer *self);
guint hl_atlas_renderer_count_draws (const HlAtlasRenderer *self);

G_END_DECLS
