/* SPDX-License-Identifier: MIT
 * Every layer and head as a thumbnail, thousands of them. Goes into a GtkScrolledWindow.
 * Everything on the main thread.
 *
 * The grid fills its width until it is zoomed: Ctrl+wheel or pinch about the pointer, +
 * -, and F or Ctrl+0 to fill the width again. A click or the arrow keys choose a head
 * (Page Up and Down: a screen; Home, End: the layer's first and last; with Ctrl: the
 * grid's). */
#pragma once

#include "draw/hl-paint-grid.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_HEAD_GRID (hl_head_grid_get_type ())
G_DECLARE_FINAL_TYPE (HlHeadGrid, hl_head_grid, HL, HEAD_GRID, GtkWidget)

/** Smallest and largest side of a thumbnail, in pixels. */
#define HL_HEAD_GRID_CELL_MIN 8.0
#define HL_HEAD_GRID_CELL_MAX 256.0

/* Signals
 * "head-activated" (int layer, int head): a click, or the frame was moved by key
 * "head-hovered" (int layer, int head): -1, -1 when the pointer left
 * Properties
 * "cell-size" (double; 0 fills the width), "is-dark", "gl-message" (read only, nullable),
 * and those of GtkScrollable */

GtkWidget *hl_head_grid_new (void) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hl_head_grid_set_scene:
 * @scene: (nullable): a reference is kept. Thumbnails may be filled in later, on the main
 *   thread, each followed by hl_head_grid_update_thumb()
 */
void hl_head_grid_set_scene (HlHeadGrid *self, HlGridScene *scene);
/** hl_head_grid_get_scene: (transfer none) (nullable) */
HlGridScene *hl_head_grid_get_scene (HlHeadGrid *self);

/** hl_head_grid_update_thumb: its values, marks or maximum changed; only it is uploaded
 * again. */
void hl_head_grid_update_thumb (HlHeadGrid *self, int layer, int head);

/** hl_head_grid_update_scale: the scene's scale changed; nothing is uploaded again. */
void hl_head_grid_update_scale (HlHeadGrid *self);

/** hl_head_grid_set_selected: -1 for none; no signal; scrolls into view. */
void hl_head_grid_set_selected (HlHeadGrid *self, int layer, int head);
void hl_head_grid_get_selected (HlHeadGrid *self, int *layer, int *head);

/** hl_head_grid_set_cell_size: pixels; 0 fills the width. */
void hl_head_grid_set_cell_size (HlHeadGrid *self, double size);
/** hl_head_grid_get_cell_size: as set; 0 while the grid fills its width. */
double hl_head_grid_get_cell_size (HlHeadGrid *self);
void hl_head_grid_set_is_dark (HlHeadGrid *self, gboolean is_dark);
/** hl_head_grid_get_gl_message: (nullable): NULL while OpenGL works. */
const char *hl_head_grid_get_gl_message (HlHeadGrid *self);

/** hl_head_grid_hit: head under a point of the widget; gaps belong to none. */
gboolean hl_head_grid_hit (HlHeadGrid *self, double x, double y, int *layer, int *head);
/** hl_head_grid_get_cell_rect: where a head's thumbnail is now, in the widget. */
HlRect hl_head_grid_get_cell_rect (HlHeadGrid *self, int layer, int head);

G_END_DECLS
