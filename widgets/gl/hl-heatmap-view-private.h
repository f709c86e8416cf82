/* SPDX-License-Identifier: MIT
 * What the files of the map view share, and the handles by which tests drive it. */
#pragma once

#include "gl/hl-cell-renderer.h"
#include "gl/hl-heatmap-view.h"
#include "gl/hl-viewport.h"

G_BEGIN_DECLS

/**
 * @area: child; takes no events, draws cells only
 * @own_tiles: the scene's values as tiles; NULL while the source's are shown
 * @layout: of the last allocation and view; cells on whole pixels
 * @around: everything but cells and marks, kept until layout, scene or theme change
 * @hover_row, @hover_column: -1 for none
 */
struct _HlHeatmapView
{
  GtkWidget parent;

  GtkWidget *area;
  HlCellRenderer *renderer;
  char *gl_message;

  HlMatrixScene *scene;
  HlTileSource *source;
  HlTileSource *own_tiles;
  HlTileCache *cache;
  GArray *pieces;

  HlViewport viewport;
  HlMatrixLayout layout;
  GskRenderNode *around;

  gint64 cursor_row;
  gint64 cursor_column;
  gint64 hover_row;
  gint64 hover_column;
  double pointer_x;
  double pointer_y;
  double drag_x;
  double drag_y;
  double pinch_scale;
  gboolean is_dragging;

  gboolean is_dark;
  gboolean pool_is_max;
  gboolean is_complete;
  gboolean leaves_wheel;
};

void hl_heatmap_view_init_drawing (HlHeatmapView *self);
void hl_heatmap_view_init_input (HlHeatmapView *self);
void
hl_heatmap_view_size_allocate (GtkWidget *widget, int width, int height, int baseline);
void hl_heatmap_view_snapshot (GtkWidget *widget, GtkSnapshot *snapshot);

/** Lays out anew and draws: pan, zoom, another scene, another size. */
void hl_heatmap_view_relayout (HlHeatmapView *self);
/** Cells have to be rendered anew: other tiles, scale or pooling. */
void hl_heatmap_view_queue_cells (HlHeatmapView *self);
/** Rulers, bar and marks only. */
void hl_heatmap_view_queue_around (HlHeatmapView *self);
void hl_heatmap_view_emit_hover (HlHeatmapView *self);
void hl_heatmap_view_set_complete (HlHeatmapView *self, gboolean is_complete);
HlTheme hl_heatmap_view_theme (HlHeatmapView *self);

/** The keyboard: TRUE when the key was one of its own. */
gboolean
hl_heatmap_view_handle_key (HlHeatmapView *self, guint keyval, GdkModifierType state);
/** The pointer: a click at, a move to, a zoom about a point of the widget. */
void hl_heatmap_view_handle_click (HlHeatmapView *self, double x, double y, int n_press);
void hl_heatmap_view_handle_motion (HlHeatmapView *self, double x, double y);
gboolean hl_heatmap_view_zoom_at (HlHeatmapView *self, double factor, double x, double y);
/** Cells drawn since the view was made: a test that nothing is rendered twice. */
guint hl_heatmap_view_count_renders (HlHeatmapView *self);

G_END_DECLS
