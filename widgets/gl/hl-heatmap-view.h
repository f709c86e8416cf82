/* SPDX-License-Identifier: MIT
 * One attention map: from the whole of it to single cells. Rows are queries, columns are
 * keys. Everything on the main thread.
 *
 * Wheel zooms about the pointer (a touchpad's two fingers pan, with Ctrl they zoom),
 * Shift+wheel moves sideways, drag pans, pinch zooms, + and - too; F, Ctrl+0 and a
 * double click show all of it. A click or the arrow keys move the cursor (Shift: 10
 * cells; Page Up and Down: a screen; Home, End: the row's ends; with Ctrl: the map's
 * corners), Escape takes it away. */
#pragma once

#include "gl/hl-tile-source.h"

#include "draw/hl-paint-matrix.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_HEATMAP_VIEW (hl_heatmap_view_get_type ())
G_DECLARE_FINAL_TYPE (HlHeatmapView, hl_heatmap_view, HL, HEATMAP_VIEW, GtkWidget)

/* Signals
 * "cell-hovered" (gint64 row, gint64 column, double value): entry under the pointer; -1,
 *   -1 when it left. NaN for "not applicable" and for "not known yet"; emitted again when
 *   it becomes known
 * "cell-activated" (gint64 row, gint64 column): a click, or the cursor was moved by key;
 *   -1, -1 for Escape
 * "view-changed" (): pan or zoom; for a readout or for linking two views
 * Properties
 * "is-dark", "pool-is-max" (TRUE), "gl-message" (read only, nullable): why cells are
 *   painted without OpenGL, "is-complete" (read only): every tile in sight is exact */

GtkWidget *hl_heatmap_view_new (void) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hl_heatmap_view_set_scene:
 * @scene: (nullable): a reference is kept. Its values, if any, are what is shown, else
 *   the tile source's. Axis sizes say how many entries there are
 * A map of the same size keeps pan and zoom. The cursor goes to the scene's selection.
 */
void hl_heatmap_view_set_scene (HlHeatmapView *self, HlMatrixScene *scene);
/** hl_heatmap_view_get_scene: (transfer none) (nullable) */
HlMatrixScene *hl_heatmap_view_get_scene (HlHeatmapView *self);

/** hl_heatmap_view_set_tile_source: (nullable): a reference is kept; used while the
 * scene has no values of its own. */
void hl_heatmap_view_set_tile_source (HlHeatmapView *self, HlTileSource *source);

/** hl_heatmap_view_set_cache_budget: bytes for tiles and textures; 192 MiB at first. */
void hl_heatmap_view_set_cache_budget (HlHeatmapView *self, gsize budget_bytes);

/** hl_heatmap_view_set_cursor: -1 for none; no signal; scrolls into view. */
void hl_heatmap_view_set_cursor (HlHeatmapView *self, gint64 row, gint64 column);
void hl_heatmap_view_get_cursor (HlHeatmapView *self, gint64 *row, gint64 *column);

void hl_heatmap_view_set_is_dark (HlHeatmapView *self, gboolean is_dark);
void hl_heatmap_view_set_pool_is_max (HlHeatmapView *self, gboolean is_max);
/** hl_heatmap_view_leave_wheel: the wheel without Ctrl belongs to the page around it. */
void hl_heatmap_view_leave_wheel (HlHeatmapView *self);
/** hl_heatmap_view_get_gl_message: (nullable): NULL while OpenGL works. */
const char *hl_heatmap_view_get_gl_message (HlHeatmapView *self);
gboolean hl_heatmap_view_get_is_complete (HlHeatmapView *self);

/** hl_heatmap_view_fit: shows the whole map. */
void hl_heatmap_view_fit (HlHeatmapView *self);
/** hl_heatmap_view_show: these rows and columns, as large as they fit; the ends are one
 * past the last. */
void hl_heatmap_view_show (
    HlHeatmapView *self, gint64 row, gint64 end_row, gint64 column, gint64 end_column);
/** hl_heatmap_view_zoom: about the middle of what is in sight. */
void hl_heatmap_view_zoom (HlHeatmapView *self, double factor);
/** hl_heatmap_view_reveal: scrolls an entry into view. */
void hl_heatmap_view_reveal (HlHeatmapView *self, gint64 row, gint64 column);

/** hl_heatmap_view_get_layout: (transfer none): where things lie now, in pixels of the
 * widget; @view inside it is what is in sight. */
const HlMatrixLayout *hl_heatmap_view_get_layout (HlHeatmapView *self);

/** hl_heatmap_view_hit: entry under a point of the widget; FALSE outside the map. */
gboolean hl_heatmap_view_hit (
    HlHeatmapView *self, double x, double y, gint64 *row, gint64 *column);

/**
 * hl_heatmap_view_lookup:
 * @value: (out): of an entry, exact or pooled
 * Returns: 0 when exact, a level above 0 when pooled, -1 when not known yet (NaN)
 */
int
hl_heatmap_view_lookup (HlHeatmapView *self, gint64 row, gint64 column, double *value);

/** hl_heatmap_view_describe_cell: (transfer full): "query (8, 4), key (8, 5): 0.1432". */
char *hl_heatmap_view_describe_cell (HlHeatmapView *self, gint64 row, gint64 column);

G_END_DECLS
