/* SPDX-License-Identifier: MIT
 * What the files of the grid of heads share, and the handles by which tests drive it. */
#pragma once

#include "gl/hl-atlas-renderer.h"
#include "gl/hl-head-grid.h"

G_BEGIN_DECLS

/**
 * @area: child; takes no events, draws thumbnails only
 * @layout: in units of the whole scrolled content
 * @body: the rectangle of the widget in which thumbnails scroll
 * @bar_height: of the strip with the colour bar at the lower edge
 */
struct _HlHeadGrid
{
  GtkWidget parent;

  GtkWidget *area;
  HlAtlasRenderer *renderer;
  char *gl_message;

  HlGridScene *scene;
  HlGridLayout layout;
  HlRect body;
  double bar_height;
  double cell_size;

  GtkAdjustment *adjustments[2]; /* by GtkOrientation */
  GtkScrollablePolicy policies[2];

  int selected_layer;
  int selected_head;
  int hover_layer;
  int hover_head;
  double pointer_x;
  double pointer_y;
  double pinch_scale;
  gboolean is_dark;
  gboolean wants_reveal;
};

void hl_head_grid_init_drawing (HlHeadGrid *self);
void hl_head_grid_init_input (HlHeadGrid *self);
void hl_head_grid_size_allocate (GtkWidget *widget, int width, int height, int baseline);
void hl_head_grid_snapshot (GtkWidget *widget, GtkSnapshot *snapshot);

/** Thumbnails have to be rendered anew. */
void hl_head_grid_queue_cells (HlHeadGrid *self);
double hl_head_grid_get_scroll (HlHeadGrid *self, GtkOrientation orientation);
void hl_head_grid_reveal (HlHeadGrid *self, int layer, int head);
HlTheme hl_head_grid_theme (HlHeadGrid *self);

gboolean hl_head_grid_handle_key (HlHeadGrid *self, guint keyval, GdkModifierType state);
void hl_head_grid_handle_click (HlHeadGrid *self, double x, double y);
void hl_head_grid_handle_motion (HlHeadGrid *self, double x, double y);
void hl_head_grid_zoom_at (HlHeadGrid *self, double factor, double x, double y);
guint hl_head_grid_count_renders (HlHeadGrid *self);
guint hl_head_grid_count_uploads (HlHeadGrid *self);

G_END_DECLS
