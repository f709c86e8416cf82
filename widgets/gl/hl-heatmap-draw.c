/* SPDX-License-Identifier: MIT
 * One attention map: layout and drawing. Cells come from OpenGL, everything round them
 * from the painters; without OpenGL the cells are painted too. */
#include "config.h"

#include "gl/hl-gl.h"
#include "gl/hl-heatmap-view-private.h"

#include "draw/hl-colormap.h"

#include <glib/gi18n-lib.h>
#include <math.h>

/** From this many pixels a cell on its value is printed in it. */
#define VALUE_CELL_MIN_PX 40.0
#define VALUE_GAP_PX 4.0
#define FLAGS (HL_MATRIX_RULERS | HL_MATRIX_BAR)

/* ---- layout --------------------------------------------------------------------------
 */

/* Cells on whole pixels, so that the GL area covers them and nothing else. */
static void
snap_layout (HlMatrixLayout *layout)
{
  HlRect *cells = &layout->cells;
  double right = floor (cells->x + cells->width + 0.01);
  double bottom = floor (cells->y + cells->height + 0.01);
  cells->x = ceil (cells->x);
  cells->y = ceil (cells->y);
  cells->width = MAX (right - cells->x, 1);
  cells->height = MAX (bottom - cells->y, 1);
  layout->top.x = cells->x;
  layout->top.width = cells->width;
  layout->top.height = cells->y - layout->top.y;
  layout->left.y = cells->y;
  layout->left.height = cells->height;
  layout->left.width = cells->x - layout->left.x;
  layout->bar.x = round (layout->bar.x);
  layout->bar.y = cells->y;
}

/* Cells are not square: the space is cut to what they take. */
static void
fit_stretched (
    HlHeatmapView *self, const HlTheme *theme, int width, int height, const HlView *view)
{
  const HlRect *cells = &self->layout.cells;
  double across = (view->x1 - view->x0) * hl_viewport_scale_x (&self->viewport);
  double down = (view->y1 - view->y0) * hl_viewport_scale_y (&self->viewport);
  double unused_width = MAX (cells->width - across, 0);
  double unused_height = MAX (cells->height - down, 0);
  hl_matrix_layout_compute (self->scene, theme, width - unused_width,
                            height - unused_height, view, FLAGS, &self->layout);
}

static void
compute_layout (HlHeatmapView *self, int width, int height)
{
  HlTheme theme = hl_heatmap_view_theme (self);
  hl_matrix_layout_compute (self->scene, &theme, width, height, NULL, FLAGS,
                            &self->layout);
  hl_viewport_set_space (&self->viewport, floor (self->layout.cells.width),
                         floor (self->layout.cells.height));
  HlView view = hl_viewport_get_view (&self->viewport);
  if (hl_viewport_is_stretched (&self->viewport))
    fit_stretched (self, &theme, width, height, &view);
  else
    hl_matrix_layout_compute (self->scene, &theme, width, height, &view,
                              FLAGS | HL_MATRIX_SQUARE, &self->layout);
  /* A zoomed map is wider than it is high here and there; the bar keeps its length. */
  snap_layout (&self->layout);
}

static gboolean
has_map (HlHeatmapView *self)
{
  return self->scene != NULL && self->scene->rows.n > 0 && self->scene->columns.n > 0;
}

/* Tiles are square; what is joined of a map that is drawn out is not. */
static gboolean
joins_by_side (HlHeatmapView *self)
{
  return self->scene->values != NULL && hl_viewport_is_stretched (&self->viewport);
}

/* By Cairo, not OpenGL. */
static gboolean
is_painted (HlHeatmapView *self)
{
  return self->gl_message != NULL || joins_by_side (self);
}

void
hl_heatmap_view_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  HlHeatmapView *self = HL_HEATMAP_VIEW (widget);
  g_clear_pointer (&self->around, gsk_render_node_unref);
  if (!has_map (self))
    {
      gtk_widget_set_child_visible (self->area, FALSE);
      return;
    }
  compute_layout (self, width, height);
  const HlRect *cells = &self->layout.cells;
  gtk_widget_set_child_visible (self->area, !is_painted (self));
  GskTransform *at = gsk_transform_translate (
      NULL, &GRAPHENE_POINT_INIT ((float) cells->x, (float) cells->y));
  gtk_widget_allocate (self->area, (int) cells->width, (int) cells->height, -1, at);
}

void
hl_heatmap_view_queue_around (HlHeatmapView *self)
{
  g_clear_pointer (&self->around, gsk_render_node_unref);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
hl_heatmap_view_queue_cells (HlHeatmapView *self)
{
  if (self->area == NULL)
    return;
  gtk_gl_area_queue_render (GTK_GL_AREA (self->area));
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
hl_heatmap_view_relayout (HlHeatmapView *self)
{
  int width = gtk_widget_get_width (GTK_WIDGET (self));
  int height = gtk_widget_get_height (GTK_WIDGET (self));
  /* At once, so that a hit test right after a zoom already knows the new view. */
  if (has_map (self) && width > 0 && height > 0)
    compute_layout (self, width, height);
  gtk_widget_queue_resize (GTK_WIDGET (self));
  hl_heatmap_view_queue_around (self);
  hl_heatmap_view_queue_cells (self);
}

/* ---- cells ---------------------------------------------------------------------------
 */

static guint
plan (HlHeatmapView *self)
{
  int scale_factor = gtk_widget_get_scale_factor (GTK_WIDGET (self));
  double px = self->viewport.scale * scale_factor;
  int level = hl_tile_cache_choose_level (self->cache, px);
  return hl_tile_cache_plan (self->cache, &self->layout.view, level, self->pieces);
}

static gboolean
render_cb (GtkGLArea *area, GdkGLContext *context, gpointer user_data)
{
  HlHeatmapView *self = user_data;
  if (self->renderer == NULL || !has_map (self))
    return TRUE;
  int scale_factor = gtk_widget_get_scale_factor (GTK_WIDGET (area));
  guint n_wanting = plan (self);
  hl_cell_renderer_draw (self->renderer, self->cache, self->pieces, &self->layout.view,
                         gtk_widget_get_width (GTK_WIDGET (area)) * scale_factor,
                         gtk_widget_get_height (GTK_WIDGET (area)) * scale_factor,
                         &self->scene->scale, self->pool_is_max);
  hl_heatmap_view_set_complete (self, n_wanting == 0);
  return TRUE;
}

static void
set_gl_message (HlHeatmapView *self, const char *why)
{
  g_free (self->gl_message);
  self->gl_message =
      why != NULL ? g_strdup_printf (_ ("Drawing without OpenGL: %s"), why) : NULL;
  gtk_widget_queue_resize (GTK_WIDGET (self));
  g_object_notify (G_OBJECT (self), "gl-message");
}

static void
realize_cb (GtkWidget *area, gpointer user_data)
{
  HlHeatmapView *self = user_data;
  gtk_gl_area_make_current (GTK_GL_AREA (area));
  const GError *failure = gtk_gl_area_get_error (GTK_GL_AREA (area));
  g_autoptr (GError) error = NULL;
  if (failure == NULL)
    {
      GdkGLContext *context = gtk_gl_area_get_context (GTK_GL_AREA (area));
      self->renderer = hl_cell_renderer_new (gdk_gl_context_get_use_es (context), &error);
      failure = error;
    }
  if (failure != NULL || self->gl_message != NULL)
    set_gl_message (self, failure != NULL ? failure->message : NULL);
}

static void
unrealize_cb (GtkWidget *area, gpointer user_data)
{
  HlHeatmapView *self = user_data;
  gtk_gl_area_make_current (GTK_GL_AREA (area));
  if (gtk_gl_area_get_error (GTK_GL_AREA (area)) == NULL)
    {
      hl_tile_cache_drop_textures (self->cache);
      if (self->renderer != NULL)
        hl_cell_renderer_delete_dead (self->cache);
      g_clear_pointer (&self->renderer, hl_cell_renderer_free);
    }
  hl_tile_cache_forget_textures (self->cache);
}

guint
hl_heatmap_view_count_renders (HlHeatmapView *self)
{
  return self->renderer != NULL ? hl_cell_renderer_count_draws (self->renderer) : 0;
}

static HlPainter
painter_for (HlHeatmapView *self, cairo_t *cr)
{
  HlPainter painter;
  HlTheme theme = hl_heatmap_view_theme (self);
  hl_painter_init (&painter, cr, &theme, gtk_widget_get_scale_factor (GTK_WIDGET (self)));
  return painter;
}

/* A tile as pixels: the same colours without OpenGL. */
static cairo_surface_t *
tile_surface (HlHeatmapView *self, const HlTile *tile)
{
  cairo_surface_t *surface =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, tile->n_columns, tile->n_rows);
  guint8 *pixels = cairo_image_surface_get_data (surface);
  int stride = cairo_image_surface_get_stride (surface);
  const float *values = self->pool_is_max ? tile->max : tile->mean;
  const HlScale *scale = &self->scene->scale;
  cairo_surface_flush (surface);
  for (int r = 0; r < tile->n_rows && pixels != NULL; r++)
    for (int c = 0; c < tile->n_columns; c++)
      {
        double value = values[(gsize) r * tile->n_columns + c];
        guint8 rgb[3];
        hl_colormap_lookup (scale->colormap, hl_scale_position (scale, value), rgb);
        ((guint32 *) (void *) (pixels + (gsize) r * stride))[c] =
            (guint32) rgb[0] << 16 | (guint32) rgb[1] << 8 | rgb[2];
      }
  cairo_surface_mark_dirty (surface);
  return surface;
}

static void
paint_piece (HlHeatmapView *self, cairo_t *cr, const HlTilePiece *piece)
{
  const HlTile *tile = piece->cached->tile;
  double side = ldexp (hl_tile_cache_get_unit (self->cache), tile->level);
  HlRect entry = hl_matrix_layout_entry_rect (&self->layout, 0, 0);
  cairo_surface_t *surface = tile_surface (self, tile);
  cairo_save (cr);
  /* Tiles meet inside a pixel here and there: a smoothed edge would show as a seam. */
  cairo_set_antialias (cr, CAIRO_ANTIALIAS_NONE);
  cairo_translate (cr, entry.x, entry.y);
  cairo_scale (cr, entry.width, entry.height);
  cairo_rectangle (cr, piece->part.x0, piece->part.y0, piece->part.x1 - piece->part.x0,
                   piece->part.y1 - piece->part.y0);
  cairo_translate (cr, (double) tile->column * HL_TILE_SIDE * side,
                   (double) tile->row * HL_TILE_SIDE * side);
  cairo_scale (cr, side, side);
  cairo_set_source_surface (cr, surface, 0, 0);
  cairo_pattern_set_filter (cairo_get_source (cr), CAIRO_FILTER_NEAREST);
  cairo_fill (cr);
  cairo_restore (cr);
  cairo_surface_destroy (surface);
}

static void
snapshot_cells_without_gl (HlHeatmapView *self, GtkSnapshot *snapshot)
{
  const HlRect *cells = &self->layout.cells;
  graphene_rect_t bounds = GRAPHENE_RECT_INIT (
      (float) cells->x, (float) cells->y, (float) cells->width, (float) cells->height);
  cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &bounds);
  if (joins_by_side (self))
    {
      HlPainter painter = painter_for (self, cr);
      hl_paint_matrix_cells (&painter, self->scene, &self->layout);
      cairo_destroy (cr);
      hl_heatmap_view_set_complete (self, TRUE);
      return;
    }
  guint n_wanting = plan (self);
  for (guint i = 0; i < self->pieces->len; i++)
    paint_piece (self, cr, &g_array_index (self->pieces, HlTilePiece, i));
  cairo_destroy (cr);
  hl_heatmap_view_set_complete (self, n_wanting == 0);
}

/* ---- values in cells -----------------------------------------------------------------
 */

/* With as many digits as there is room for; FALSE where there is none. */
static gboolean
set_value (PangoLayout *text, double value, double room)
{
  for (int digits = 3; digits >= 0; digits--)
    {
      g_autofree char *words = hl_format_digits (value, digits);
      int width = 0;
      pango_layout_set_text (text, words, -1);
      pango_layout_get_pixel_size (text, &width, NULL);
      if (width <= room)
        return TRUE;
    }
  return FALSE;
}

static void
snapshot_value (HlHeatmapView *self,
                GtkSnapshot *snapshot,
                PangoLayout *text,
                gint64 row,
                gint64 column)
{
  double value = NAN;
  if (hl_heatmap_view_lookup (self, row, column, &value) != 0 || isnan (value))
    return;
  HlRect at = hl_matrix_layout_entry_rect (&self->layout, row, column);
  if (!set_value (text, value, at.width - VALUE_GAP_PX))
    return;
  guint8 rgb[3];
  const HlScale *scale = &self->scene->scale;
  hl_colormap_lookup (scale->colormap, hl_scale_position (scale, value), rgb);
  gboolean is_bright = 0.30 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2] > 140;
  GdkRGBA ink = is_bright ? (GdkRGBA){ 0, 0, 0, 0.85f } : (GdkRGBA){ 1, 1, 1, 0.9f };
  int width = 0, height = 0;
  pango_layout_get_pixel_size (text, &width, &height);
  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (
      snapshot, &GRAPHENE_POINT_INIT ((float) round (at.x + (at.width - width) / 2),
                                      (float) round (at.y + (at.height - height) / 2)));
  gtk_snapshot_append_layout (snapshot, text, &ink);
  gtk_snapshot_restore (snapshot);
}

static void
snapshot_values (HlHeatmapView *self, GtkSnapshot *snapshot)
{
  HlRect entry = hl_matrix_layout_entry_rect (&self->layout, 0, 0);
  if (MIN (entry.width, entry.height) < VALUE_CELL_MIN_PX)
    return;
  const HlRect *cells = &self->layout.cells;
  const HlView *view = &self->layout.view;
  graphene_rect_t bounds = GRAPHENE_RECT_INIT (
      (float) cells->x, (float) cells->y, (float) cells->width, (float) cells->height);
  g_autoptr (PangoLayout) text = gtk_widget_create_pango_layout (GTK_WIDGET (self), NULL);
  g_autoptr (PangoFontDescription) font = pango_font_description_from_string ("Sans");
  pango_font_description_set_absolute_size (font, 10.5 * PANGO_SCALE);
  pango_layout_set_font_description (text, font);
  gtk_snapshot_push_clip (snapshot, &bounds);
  for (gint64 row = (gint64) floor (view->y0); row < view->y1; row++)
    for (gint64 column = (gint64) floor (view->x0); column < view->x1; column++)
      snapshot_value (self, snapshot, text, row, column);
  gtk_snapshot_pop (snapshot);
}

/* ---- everything else -----------------------------------------------------------------
 */

/* The painters take the selection from the scene, which is shared and stays as it is. */
static HlMatrixScene
scene_with_cursor (HlHeatmapView *self)
{
  HlMatrixScene scene = *self->scene;
  scene.selected_row = self->cursor_row;
  scene.selected_column = self->cursor_column;
  return scene;
}

/* Four strips instead of the whole widget: what Cairo paints has to be uploaded. */
static GskRenderNode *
build_around (HlHeatmapView *self)
{
  HlMatrixScene scene = scene_with_cursor (self);
  const HlRect *cells = &self->layout.cells;
  float width = (float) gtk_widget_get_width (GTK_WIDGET (self));
  float height = (float) gtk_widget_get_height (GTK_WIDGET (self));
  float left = (float) cells->x, top = (float) cells->y;
  float right = left + (float) cells->width, bottom = top + (float) cells->height;
  const graphene_rect_t strips[] = {
    GRAPHENE_RECT_INIT (0, 0, width, top),
    GRAPHENE_RECT_INIT (0, top, left, bottom - top),
    GRAPHENE_RECT_INIT (right, top, MAX (width - right, 1), bottom - top),
    GRAPHENE_RECT_INIT (0, bottom, width, MAX (height - bottom, 1)),
  };
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  for (guint i = 0; i < G_N_ELEMENTS (strips); i++)
    {
      cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &strips[i]);
      HlPainter painter = painter_for (self, cr);
      hl_paint_matrix_rulers (&painter, &scene, &self->layout);
      if (i != 1)
        hl_paint_color_bar (&painter, &scene.scale, &self->layout.bar);
      cairo_destroy (cr);
    }
  return gtk_snapshot_free_to_node (g_steal_pointer (&snapshot));
}

/* A strip round the query's line and a box round the key, for the same reason. */
static void
snapshot_marks (HlHeatmapView *self, GtkSnapshot *snapshot)
{
  HlMatrixScene scene = scene_with_cursor (self);
  const HlRect *cells = &self->layout.cells;
  HlRect entry =
      hl_matrix_layout_entry_rect (&self->layout, self->cursor_row, self->cursor_column);
  graphene_rect_t inside = GRAPHENE_RECT_INIT (
      (float) cells->x, (float) cells->y, (float) cells->width, (float) cells->height);
  graphene_rect_t row =
      GRAPHENE_RECT_INIT ((float) cells->x, (float) floor (entry.y - 10),
                          (float) cells->width, (float) ceil (entry.height + 20));
  graphene_rect_t notch =
      GRAPHENE_RECT_INIT ((float) floor (entry.x - 10), (float) cells->y,
                          (float) ceil (entry.width + 20), 12);
  const graphene_rect_t *parts[] = { &row, &notch };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      graphene_rect_t bounds;
      if ((i == 0 ? self->cursor_row : self->cursor_column) < 0 ||
          !graphene_rect_intersection (parts[i], &inside, &bounds))
        continue;
      cairo_t *cr = gtk_snapshot_append_cairo (snapshot, &bounds);
      HlPainter painter = painter_for (self, cr);
      hl_paint_matrix_marks (&painter, &scene, &self->layout);
      cairo_destroy (cr);
    }
}

static void
snapshot_focus (HlHeatmapView *self, GtkSnapshot *snapshot)
{
  HlTheme theme = hl_heatmap_view_theme (self);
  const HlRect *cells = &self->layout.cells;
  GdkRGBA color = { (float) theme.accent_head.red, (float) theme.accent_head.green,
                    (float) theme.accent_head.blue, 0.8f };
  GskRoundedRect ring;
  gsk_rounded_rect_init_from_rect (
      &ring,
      &GRAPHENE_RECT_INIT ((float) cells->x - 3, (float) cells->y - 3,
                           (float) cells->width + 6, (float) cells->height + 6),
      3);
  gtk_snapshot_append_border (snapshot, &ring, (float[4]){ 2, 2, 2, 2 },
                              (GdkRGBA[4]){ color, color, color, color });
}

void
hl_heatmap_view_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  HlHeatmapView *self = HL_HEATMAP_VIEW (widget);
  if (!has_map (self) || self->layout.cells.width < 1)
    return;
  if (self->around == NULL)
    self->around = build_around (self);
  if (self->around != NULL)
    gtk_snapshot_append_node (snapshot, self->around);
  if (!is_painted (self))
    gtk_widget_snapshot_child (widget, self->area, snapshot);
  else
    snapshot_cells_without_gl (self, snapshot);
  snapshot_values (self, snapshot);
  snapshot_marks (self, snapshot);
  if (gtk_widget_has_visible_focus (widget))
    snapshot_focus (self, snapshot);
}

void
hl_heatmap_view_init_drawing (HlHeatmapView *self)
{
  self->area = hl_gl_area_new ();
  gtk_widget_set_parent (self->area, GTK_WIDGET (self));
  g_signal_connect (self->area, "render", G_CALLBACK (render_cb), self);
  g_signal_connect (self->area, "realize", G_CALLBACK (realize_cb), self);
  g_signal_connect (self->area, "unrealize", G_CALLBACK (unrealize_cb), self);
}
