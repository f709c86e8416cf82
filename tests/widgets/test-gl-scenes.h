/* SPDX-License-Identifier: MIT
 * Made-up scenes and the reading back of pixels, for tests and the bench of widgets. */
#pragma once

#include "gl/hl-head-grid.h"
#include "gl/hl-heatmap-view.h"
#include "gl/hl-patch-view.h"

G_BEGIN_DECLS

/** Patterns: 0 diagonal bands, 1 uniform, 2 vertical stripes, 3 one thin line. */
float scenes_value (int pattern, gint64 row, gint64 column, gint64 n);

/** (transfer full): every 97th value NaN when @has_nan. */
HlMatrixScene *
scenes_matrix (int pattern, gint64 n_rows, gint64 n_columns, gboolean has_nan);
/** (transfer full): @share of the thumbs filled. */
HlGridScene *scenes_grid (int n_layers, int n_heads, double share);
/** So many heads of each layer share a key-value head. */
void scenes_group (HlGridScene *scene, int n_per_group);
/** (transfer full) */
HlOverlayScene *scenes_overlay (int n_rows, int n_columns);

/** Runs the main loop until @n_frames frames of the widget's clock were painted, or
 * @timeout_ms went by: FALSE. */
gboolean scenes_wait_frames (GtkWidget *widget, int n_frames, int timeout_ms);

/** (transfer full): what the widget shows now, on its theme's background; NULL when it
 * shows nothing. */
GdkTexture *scenes_shoot (GtkWidget *widget, gboolean is_dark);

#define SCENES_FRAME_TIMEOUT_MS 15000

/** A bare window with @child, after its third frame. */
GtkWidget *scenes_open_window (GtkWidget *child, int width, int height);

/** (transfer full): scenes_shoot() after two frames, as ARGB32. */
cairo_surface_t *scenes_picture (GtkWidget *widget, gboolean is_dark);
guint32 scenes_pixel (cairo_surface_t *surface, int x, int y);
/** The largest difference of two pixels in a colour, 0..255. */
int scenes_apart (guint32 a, guint32 b);

G_END_DECLS
