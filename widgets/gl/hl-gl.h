/* SPDX-License-Identifier: MIT
 * What every OpenGL part here needs: an area that takes the GL it can get, programs, the
 * colour maps as a texture, and the shader text that turns a value into a colour. */
#pragma once

#include "scene/hl-scene.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * hl_gl_area_new: (transfer floating): renders only when asked to. Tries OpenGL 3.3, then
 * OpenGL ES 3.0; gtk_gl_area_get_error() says when neither can be had.
 */
GtkWidget *hl_gl_area_new (void);

/** hl_gl_prepare: makes the context and the programs of a canvas before it is shown, in a
 * window that is: the frame that shows it need not. */
void hl_gl_prepare (GtkWidget *canvas);

/** hl_gl_is_software: OpenGL is drawn by the processor (llvmpipe and the like). FALSE
 * where there is no OpenGL at all. Makes a context, which takes a tenth of a second. */
gboolean hl_gl_is_software (GdkDisplay *display);

/**
 * hl_gl_program_new:
 * @is_es: the current context is OpenGL ES
 * @vertex, @fragment: without the #version line; @fragment may call
 *   "float joined (vec2 at, vec2 footprint, ivec2 size)", the value at a place in cells,
 *   and "vec3 color_of (float value, vec2 range)"
 * @fetch: the text of "float fetch (ivec2 at)", the value of one cell, and its sampler
 * Returns: a program, or 0 with @error set (G_IO_ERROR_FAILED: the driver's words)
 */
guint hl_gl_program_new (gboolean is_es,
                         const char *vertex,
                         const char *fragment,
                         const char *fetch,
                         GError **error);

/** hl_gl_colormaps_new: a 256 x HL_N_COLORMAPS RGBA8 texture, nearest. */
guint hl_gl_colormaps_new (void);

/**
 * hl_gl_set_scale: uniforms of the program in use that say how values are coloured
 * @is_max: cells smaller than a pixel are joined by maximum, else by mean
 */
void hl_gl_set_scale (guint program, const HlScale *scale, gboolean is_max);

/** hl_gl_range: ends of a scale as the shader wants them, logarithms if it is one. */
void hl_gl_range (const HlScale *scale, float range[2]);

G_END_DECLS
