/* SPDX-License-Identifier: MIT
 * The grid of heads: layout and drawing. Thumbnails come from OpenGL, labels, frames and
 * the bar from the painters; without OpenGL the thumbnails are painted too. */
#include "config.h"

#include "gl/hl-gl.h"
#include "gl/hl-head-grid-private.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#define BAR_THICKNESS 10.0
#define BAR_LENGTH_MAX 260.0
/** Filling the width does not make thumbnails smaller than this: it scrolls instead. */
#define FILL_CELL_MIN 12.0
#define BAR_INDENT 14
/* The smallest to which they shrink so that all layers are in sight. */
#define FIT_CELL_MIN 26
/** What a frame round a thumbnail needs beside it. */
#define FRAME_MARGIN 3.0

/* ---- layout --------------------------------------------------------------------------
 */

static gboolean
has_heads (HlHeadGrid *self)
{
  return self->scene != NULL && hl_grid_scene_max_heads (self->scene) > 0;
}

static void
configure (GtkAdjustment *adjustment, double content, double page)
{
  double value = gtk_adjustment_get_value (adjustment);
  gtk_adjustment_configure (adjustment, CLAMP (value, 0, MAX (content - page, 0)), 0,
                            MAX (content, page), page * 0.1, page * 0.9, page);
}

/* Thumbnails and gaps on whole pixels, so that all gaps look the same. A grid that fills
 * its width must not become wider by it. */
static void
snap_layout (HlGridLayout *layout, gboolean is_filling)
{
  double gap = MAX (round (layout->gap), 1);
  double pitch =
      is_filling ? floor (layout->cell + layout->gap) : round (layout->cell) + gap;
  pitch = MAX (pitch, gap + 1);
  layout->gap = gap;
  layout->cell = pitch - gap;
  layout->group_gap = layout->n_per_group > 0 ? MAX (floor (layout->group_gap), 2) : 0;
  layout->x0 = ceil (layout->x0);
  layout->y0 = ceil (layout->y0);
  layout->width = layout->x0 + hl_grid_layout_heads_width (layout) + gap;
  layout->height = layout->y0 + layout->n_layers * pitch;
}

/* A small model is seen whole: its thumbnails shrink until the last layer is in sight,
 * as long as they stay large enough to tell patterns apart. */
static void
fit_height (HlHeadGrid *self, int width, int height, const HlTheme *theme)
{
  HlGridLayout *layout = &self->layout;
  double room = height - self->bar_height - layout->y0 - FRAME_MARGIN;
  double pitch = floor (room / MAX (layout->n_layers, 1));
  double cell = pitch - layout->gap;
  if (cell < FIT_CELL_MIN || cell >= layout->cell)
    return;
  hl_grid_layout_compute (self->scene, theme, width, cell, HL_GRID_LABELS, layout);
}

static void
compute_layout (HlHeadGrid *self, int width, int height)
{
  HlTheme theme = hl_head_grid_theme (self);
  HlGridLayout *layout = &self->layout;
  hl_grid_layout_compute (self->scene, &theme, width, self->cell_size, HL_GRID_LABELS,
                          layout);
  if (self->cell_size <= 0 && layout->cell < FILL_CELL_MIN)
    hl_grid_layout_compute (self->scene, &theme, width, FILL_CELL_MIN, HL_GRID_LABELS,
                            layout);
  self->bar_height =
      12 + BAR_THICKNESS + hl_color_bar_extent (&theme, &self->scene->scale, FALSE);
  if (self->cell_size <= 0)
    fit_height (self, width, height, &theme);
  snap_layout (layout, self->cell_size <= 0);
  self->body.x = floor (layout->x0 - FRAME_MARGIN);
  self->body.y = floor (layout->y0 - FRAME_MARGIN);
  self->body.width = MAX (width - self->body.x, 1);
  double content = layout->height - self->body.y + FRAME_MARGIN;
  double room = MAX (height - self->body.y - self->bar_height, 1);
  self->body.height = floor (MIN (room, content));
  configure (self->adjustments[GTK_ORIENTATION_HORIZONTAL], layout->width - self->body.x,
             self->body.width);
  configure (self->adjustments[GTK_ORIENTATION_VERTICAL], content, self->body.height);
}

void
hl_head_grid_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  HlHeadGrid *self = HL_HEAD_GRID (widget);
  if (!has_heads (self))
    {
      gtk_widget_set_child_visible (self->area, FALSE);
      return;
    }
  compute_layout (self, width, height);
  gtk_widget_set_child_visible (self->area, self->gl_message == NULL);
  GskTransform *at = gsk_transform_translate (
      NULL, &GRAPHENE_POINT_INIT ((float) self->body.x, (float) self->body.y));
  gtk_widget_allocate (self->area, (int) self->body.width, (int) self->body.height, -1,
                       at);
  if (self->wants_reveal && self->selected_layer >= 0)
    hl_head_grid_reveal (self, self->selected_layer, self->selected_head);
  self->wants_reveal = FALSE;
}

void
hl_head_grid_queue_cells (HlHeadGrid *self)
{
  if (self->area == NULL)
    return;
  gtk_gl_area_queue_render (GTK_GL_AREA (self->area));
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

/* What the body shows, in the layout's units. */
static HlRect
visible_rect (HlHeadGrid *self)
{
  HlRect visible = self->body;
  visible.x += hl_head_grid_get_scroll (self, GTK_ORIENTATION_HORIZONTAL);
  visible.y += hl_head_grid_get_scroll (self, GTK_ORIENTATION_VERTICAL);
  return visible;
}

/* ---- OpenGL --------------------------------------------------------------------------
 */

static gboolean
render_cb (GtkGLArea *area, GdkGLContext *context, gpointer user_data)
{
  HlHeadGrid *self = user_data;
  if (self->renderer == NULL || !has_heads (self))
    return TRUE;
  HlTheme theme = hl_head_grid_theme (self);
  HlRect visible = visible_rect (self);
  int scale_factor = gtk_widget_get_scale_factor (GTK_WIDGET (area));
  hl_atlas_renderer_draw (self->renderer, self->scene, &self->layout, &visible,
                          gtk_widget_get_width (GTK_WIDGET (area)) * scale_factor,
                          gtk_widget_get_height (GTK_WIDGET (area)) * scale_factor,
                          &theme);
  return TRUE;
}

static void
set_gl_message (HlHeadGrid *self, const char *why)
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
  HlHeadGrid *self = user_data;
  gtk_gl_area_make_current (GTK_GL_AREA (area));
  const GError *failure = gtk_gl_area_get_error (GTK_GL_AREA (area));
  g_autoptr (GError) error = NULL;
  if (failure == NULL)
    {
      GdkGLContext *context = gtk_gl_area_get_context (GTK_GL_AREA (area));
      self->renderer =
          hl_atlas_renderer_new (gdk_gl_context_get_use_es (context), &error);
      failure = error;
      if (self->renderer != NULL && self->scene != NULL)
        hl_atlas_renderer_reset (self->renderer, self->scene);
    }
  if (failure != NULL || self->gl_message != NULL)
    set_gl_message (self, failure != NULL ? failure->message : NULL);
}

static void
unrealize_cb (GtkWidget *area, gpointer user_data)
{
  HlHeadGrid *self = user_data;
  gtk_gl_area_make_current (GTK_GL_AREA (area));
  if (gtk_gl_area_get_error (GTK_GL_AREA (area)) == NULL)
    g_clear_pointer (&self->renderer, hl_atlas_renderer_free);
}

guint
hl_head_grid_count_renders (HlHeadGrid *self)
{
  return self->renderer != NULL ? hl_atlas_renderer_count_draws (self->renderer) : 0;
}

guint
hl_head_grid_count_uploads (HlHeadGrid *self)
{
  return self->renderer != NULL ? hl_atlas_renderer_count_uploads (self->renderer) : 0;
}

/* ---- painting ------------------------------------------------------------------------
 */

/* The painters take the selection from the scene, which is shared and stays as it is. */
static HlGridScene
scene_with_selection (HlHeadGrid *self)
{
  HlGridScene scene = *self->scene;
  scene.selected_layer = self->selected_layer;
  scene.selected_head = self->selected_head;
  return scene;
}

/* A Cairo node in which the layout's units can be used as they are. */
static cairo_t *
begin_node (HlHeadGrid *self,
            GtkSnapshot *snapshot,
            const HlRect *clip,
            gboolean is_scrolled_x,
            gboolean is_scrolled_y,
            HlPainter *painter)
{
  HlTheme theme = hl_head_grid_theme (self);
  cairo_t *cr = gtk_snapshot_append_cairo (
      snapshot, &GRAPHENE_RECT_INIT ((float) clip->x, (float) clip->y,
                                     (float) clip->width, (float) clip->height));
  cairo_translate (
      cr, is_scrolled_x ? -hl_head_grid_get_scroll (self, GTK_ORIENTATION_HORIZONTAL) : 0,
      is_scrolled_y ? -hl_head_grid_get_scroll (self, GTK_ORIENTATION_VERTICAL) : 0);
  hl_painter_init (painter, cr, &theme, gtk_widget_get_scale_factor (GTK_WIDGET (self)));
  return cr;
}

static void
snapshot_thumbs (HlHeadGrid *self, GtkSnapshot *snapshot)
{
  if (self->gl_message == NULL)
    {
      gtk_widget_snapshot_child (GTK_WIDGET (self), self->area, snapshot);
      return;
    }
  HlPainter painter;
  HlRect visible = visible_rect (self);
  cairo_t *cr = begin_node (self, snapshot, &self->body, TRUE, TRUE, &painter);
  hl_paint_grid_thumbs (&painter, self->scene, &self->layout, &visible);
  cairo_destroy (cr);
}

/* One small node round a head with a frame or a cross: what Cairo paints has to be
 * uploaded. @has_cross: paint the crosses here too. */
static void
snapshot_mark (
    HlHeadGrid *self, GtkSnapshot *snapshot, int layer, int head, gboolean has_cross)
{
  if (layer < 0 || head < 0)
    return;
  HlRect cell = hl_head_grid_get_cell_rect (self, layer, head);
  graphene_rect_t body =
      GRAPHENE_RECT_INIT ((float) self->body.x, (float) self->body.y,
                          (float) self->body.width, (float) self->body.height);
  double margin = has_cross ? 0 : FRAME_MARGIN;
  graphene_rect_t around = GRAPHENE_RECT_INIT (
      (float) floor (cell.x - margin), (float) floor (cell.y - margin),
      (float) ceil (cell.width + 2 * margin), (float) ceil (cell.height + 2 * margin));
  graphene_rect_t bounds;
  if (!graphene_rect_intersection (&around, &body, &bounds))
    return;
  HlPainter painter;
  HlGridScene scene = scene_with_selection (self);
  HlRect clip = { bounds.origin.x, bounds.origin.y, bounds.size.width,
                  bounds.size.height };
  HlRect nothing = { -1e6, -1e6, 0, 0 };
  HlRect itself = hl_grid_layout_cell (&self->layout, layer, head);
  cairo_t *cr = begin_node (self, snapshot, &clip, TRUE, TRUE, &painter);
  hl_paint_grid_marks (&painter, &scene, &self->layout, has_cross ? &itself : &nothing,
                       self->hover_layer, self->hover_head);
  cairo_destroy (cr);
}

static void
snapshot_marks (HlHeadGrid *self, GtkSnapshot *snapshot)
{
  HlRect visible = visible_rect (self);
  int l0, l1, h0, h1;
  hl_grid_layout_visible (&self->layout, &visible, &l0, &l1, &h0, &h1);
  for (int l = l0; l < l1; l++)
    {
      const HlGridLayer *layer = g_ptr_array_index (self->scene->layers, (guint) l);
      for (int h = h0; h < MIN (h1, layer->n_heads); h++)
        if (layer->thumbs[h].is_marked)
          snapshot_mark (self, snapshot, l, h, TRUE);
    }
  snapshot_mark (self, snapshot, self->selected_layer, self->selected_head, FALSE);
  if (self->hover_layer != self->selected_layer ||
      self->hover_head != self->selected_head)
    snapshot_mark (self, snapshot, self->hover_layer, self->hover_head, FALSE);
}

/* Head labels scroll sideways only, layer labels up and down only. */
static void
snapshot_labels (HlHeadGrid *self, GtkSnapshot *snapshot)
{
  HlPainter painter;
  HlGridScene scene = scene_with_selection (self);
  double width = gtk_widget_get_width (GTK_WIDGET (self));
  HlRect top = { self->body.x, 0, width - self->body.x, self->body.y };
  HlRect left = { 0, self->body.y, self->body.x, self->body.height };
  cairo_t *cr = begin_node (self, snapshot, &top, TRUE, FALSE, &painter);
  hl_paint_grid_labels (&painter, &scene, &self->layout, NULL);
  cairo_destroy (cr);
  cr = begin_node (self, snapshot, &left, FALSE, TRUE, &painter);
  hl_paint_grid_labels (&painter, &scene, &self->layout, NULL);
  cairo_destroy (cr);
}

static void
snapshot_bar (HlHeadGrid *self, GtkSnapshot *snapshot)
{
  HlPainter painter;
  double width = gtk_widget_get_width (GTK_WIDGET (self));
  double y = self->body.y + self->body.height;
  HlRect clip = { 0, y, width, self->bar_height };
  /* Half a number hangs over at each end. */
  HlRect bar = { self->layout.x0 + BAR_INDENT, floor (y + 8),
                 CLAMP (width - self->layout.x0 - 60, 40, BAR_LENGTH_MAX),
                 BAR_THICKNESS };
  cairo_t *cr = begin_node (self, snapshot, &clip, FALSE, FALSE, &painter);
  if (self->scene->scale.mode == HL_RANGE_PER_HEAD)
    hl_paint_color_bar_relative (&painter, &self->scene->scale, &bar);
  else
    hl_paint_color_bar (&painter, &self->scene->scale, &bar);
  cairo_destroy (cr);
}

static void
snapshot_focus (HlHeadGrid *self, GtkSnapshot *snapshot)
{
  HlTheme theme = hl_head_grid_theme (self);
  GdkRGBA color = { (float) theme.accent_head.red, (float) theme.accent_head.green,
                    (float) theme.accent_head.blue, 0.5f };
  GskRoundedRect ring;
  gsk_rounded_rect_init_from_rect (
      &ring,
      &GRAPHENE_RECT_INIT (1, 1, (float) gtk_widget_get_width (GTK_WIDGET (self)) - 2,
                           (float) gtk_widget_get_height (GTK_WIDGET (self)) - 2),
      6);
  gtk_snapshot_append_border (snapshot, &ring, (float[4]){ 2, 2, 2, 2 },
                              (GdkRGBA[4]){ color, color, color, color });
}

void
hl_head_grid_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  HlHeadGrid *self = HL_HEAD_GRID (widget);
  if (!has_heads (self))
    return;
  snapshot_thumbs (self, snapshot);
  snapshot_marks (self, snapshot);
  snapshot_labels (self, snapshot);
  snapshot_bar (self, snapshot);
  if (gtk_widget_has_visible_focus (widget))
    snapshot_focus (self, snapshot);
}

void
hl_head_grid_init_drawing (HlHeadGrid *self)
{
  self->area = hl_gl_area_new ();
  gtk_widget_set_parent (self->area, GTK_WIDGET (self));
  g_signal_connect (self->area, "render", G_CALLBACK (render_cb), self);
  g_signal_connect (self->area, "realize", G_CALLBACK (realize_cb), self);
  g_signal_connect (self->area, "unrealize", G_CALLBACK (unrealize_cb), self);
}
