/* SPDX-License-Identifier: MIT
 * The strip of tokens: layout and drawing. Lines are painted in blocks, which are kept:
 * scrolling paints only what was not in sight before, hovering and choosing paint no text
 * at all. */
#include "config.h"

#include "gl/hl-token-strip-private.h"

#include "draw/hl-paint-bar.h"

#include <math.h>

#define BLOCK_LINES 8
#define BLOCKS_MOST 40
#define BAR_HEIGHT 8.0
#define BAR_LENGTH_MAX 220.0
#define BAR_GAP 8.0
#define MARGIN 3.0 /* what outlines need below the last line */

/* ---- layout --------------------------------------------------------------------------
 */

void
hl_token_strip_drop_blocks (HlTokenStrip *self)
{
  g_hash_table_remove_all (self->blocks);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
hl_token_strip_relayout (HlTokenStrip *self)
{
  gtk_widget_queue_resize (GTK_WIDGET (self));
  hl_token_strip_drop_blocks (self);
}

static HlTokenFlags
flags_of (HlTokenStrip *self)
{
  HlTokenFlags flags = HL_TOKENS_ARCS | HL_TOKENS_VALUES;
  flags |= self->show_index ? HL_TOKENS_INDEX : 0;
  flags |= self->show_id ? HL_TOKENS_ID : 0;
  flags |= self->shown_only ? HL_TOKENS_SHOWN_ONLY : 0;
  return flags;
}

static gboolean
has_bar (HlTokenStrip *self)
{
  return self->show_bar &&
         (self->scene->weights != NULL || self->scene->shade_words != NULL);
}

static void
configure (GtkAdjustment *adjustment, double value, double content, double page)
{
  double step = adjustment != NULL ? 48 : 0;
  gtk_adjustment_configure (adjustment, CLAMP (value, 0, MAX (content - page, 0)), 0,
                            MAX (content, page), step, page * 0.9, page);
}

/* The token at the top of what is in sight, and how far it has gone out of it. */
static gint64
top_token (HlTokenStrip *self, double *past)
{
  double scroll = hl_token_strip_get_scroll (self);
  gint64 start, end;
  *past = 0;
  if (self->layout.n_lines == 0 || scroll <= 0)
    return -1;
  hl_token_layout_lines_in (&self->layout, scroll, scroll + 1, &start, &end);
  hl_token_layout_slots_in (&self->layout, start, start + 1, &start, &end);
  if (start == end)
    return -1;
  gint64 token = self->layout.shown[start];
  *past = scroll - hl_token_layout_rect (&self->layout, token).y;
  return token;
}

void
hl_token_strip_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  HlTokenStrip *self = HL_TOKEN_STRIP (widget);
  HlTheme theme = hl_token_strip_theme (self);
  if (self->scene == NULL)
    {
      configure (self->adjustments[GTK_ORIENTATION_VERTICAL], 0, 0, height);
      configure (self->adjustments[GTK_ORIENTATION_HORIZONTAL], 0, 0, width);
      return;
    }
  /* A text that is broken anew stays where it was read. */
  double past;
  double value = gtk_adjustment_get_value (self->adjustments[GTK_ORIENTATION_VERTICAL]);
  gboolean is_moved = self->layout.tokens == self->scene->tokens &&
                      (self->layout.width != width || self->layout.mode != self->mode ||
                       self->layout.flags != flags_of (self));
  gint64 top = is_moved ? top_token (self, &past) : -1;
  if (is_moved || self->layout.tokens != self->scene->tokens)
    g_hash_table_remove_all (self->blocks);
  hl_token_layout_compute (&self->layout, self->scene, &theme, width, self->mode,
                           flags_of (self));
  if (top >= 0)
    value = hl_token_layout_rect (&self->layout, top).y + past;
  double below =
      has_bar (self)
          ? 2 * BAR_GAP + hl_color_bar_extent (&theme, &self->scene->scale, FALSE)
          : 0;
  /* The legend stays where it is; the lines begin where they scroll. Whole pixels, or
   * what is painted into a picture gets blurred. */
  double legend = ceil (self->layout.legend.height);
  self->view = (HlRect){ 0, legend, width, MAX (floor (height - below - legend), 1) };
  self->layout.body.y = ceil (self->layout.body.y - legend);
  double content = self->layout.body.y + self->layout.body.height + MARGIN;
  configure (self->adjustments[GTK_ORIENTATION_VERTICAL], value, content,
             self->view.height);
  configure (self->adjustments[GTK_ORIENTATION_HORIZONTAL], 0, width, width);
  if (self->to_reveal >= 0)
    hl_token_strip_reveal_now (self, self->to_reveal);
  self->to_reveal = -1;
}

/* ---- painting ------------------------------------------------------------------------
 */

/* Into textures and not Cairo nodes: GSK knows the picture of a node by its address, and
 * shows an old one when a new node gets the address of one that is gone. */
static cairo_t *
begin_picture (HlTokenStrip *self, const HlRect *clip, HlPainter *painter)
{
  HlTheme theme = hl_token_strip_theme (self);
  int scale_factor = gtk_widget_get_scale_factor (GTK_WIDGET (self));
  cairo_surface_t *surface = cairo_image_surface_create (
      CAIRO_FORMAT_ARGB32, (int) ceil (MAX (clip->width, 1)) * scale_factor,
      (int) ceil (MAX (clip->height, 1)) * scale_factor);
  cairo_surface_set_device_scale (surface, scale_factor, scale_factor);
  cairo_t *cr = cairo_create (surface);
  cairo_surface_destroy (surface);
  cairo_translate (cr, -clip->x, -clip->y);
  hl_painter_init (painter, cr, &theme, scale_factor);
  return cr;
}

/* (transfer full) (nullable): @cr is gone afterwards. */
static GdkTexture *
end_picture (cairo_t *cr)
{
  cairo_surface_t *surface = cairo_surface_reference (cairo_get_target (cr));
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  const guint8 *data = cairo_image_surface_get_data (surface);
  if (data == NULL)
    {
      cairo_surface_destroy (surface);
      return NULL;
    }
  gsize stride = (gsize) cairo_image_surface_get_stride (surface);
  int width = cairo_image_surface_get_width (surface);
  int height = cairo_image_surface_get_height (surface);
  g_autoptr (GBytes) bytes = g_bytes_new_with_free_func (
      data, stride * (gsize) height, (GDestroyNotify) cairo_surface_destroy, surface);
  return gdk_memory_texture_new (width, height, GDK_MEMORY_DEFAULT, bytes, stride);
}

static void
append_texture (
    HlTokenStrip *self, GtkSnapshot *snapshot, GdkTexture *texture, double x, double y)
{
  double scale_factor = gtk_widget_get_scale_factor (GTK_WIDGET (self));
  if (texture != NULL)
    gtk_snapshot_append_texture (
        snapshot, texture,
        &GRAPHENE_RECT_INIT ((float) x, (float) y,
                             (float) (gdk_texture_get_width (texture) / scale_factor),
                             (float) (gdk_texture_get_height (texture) / scale_factor)));
}

static void
append_picture (HlTokenStrip *self,
                GtkSnapshot *snapshot,
                const HlRect *clip,
                cairo_t *cr)
{
  g_autoptr (GdkTexture) texture = end_picture (cr);
  append_texture (self, snapshot, texture, clip->x, clip->y);
}

static GdkTexture *
paint_block (HlTokenStrip *self, gint64 block)
{
  double line = self->layout.line_height;
  HlPainter painter;
  HlRect clip = { 0, self->layout.body.y + (double) block * BLOCK_LINES * line,
                  self->layout.width, BLOCK_LINES * line };
  cairo_t *cr = begin_picture (self, &clip, &painter);
  hl_paint_token_lines (&painter, self->scene, &self->layout, self->setter,
                        block * BLOCK_LINES, (block + 1) * BLOCK_LINES);
  self->n_painted++;
  return end_picture (cr);
}

static void
snapshot_blocks (HlTokenStrip *self, GtkSnapshot *snapshot, gint64 start, gint64 end)
{
  double shift = self->view.y - hl_token_strip_get_scroll (self);
  double line = self->layout.line_height;
  if (g_hash_table_size (self->blocks) > BLOCKS_MOST)
    g_hash_table_remove_all (self->blocks);
  for (gint64 b = start / BLOCK_LINES; b * BLOCK_LINES < end; b++)
    {
      gpointer key = GINT_TO_POINTER ((int) b);
      GdkTexture *texture = g_hash_table_lookup (self->blocks, key);
      double top = self->layout.body.y + (double) b * BLOCK_LINES * line;
      if (texture == NULL)
        texture = paint_block (self, b);
      if (texture != NULL)
        g_hash_table_replace (self->blocks, key, g_object_ref (texture));
      append_texture (self, snapshot, texture, 0, top + shift);
    }
}

static void
snapshot_arcs (HlTokenStrip *self, GtkSnapshot *snapshot, gint64 start, gint64 end)
{
  if (self->mode != HL_TOKEN_LIST || self->scene->n_arcs == 0)
    return;
  /* Sorted when they are first in sight: a flowing text has no use for it. */
  if (self->arcs == NULL)
    self->arcs = hl_token_arcs_new (self->scene);
  HlPainter painter;
  HlRect clip = { 0, self->view.y, self->layout.arcs_x + 6, self->view.height };
  cairo_t *cr = begin_picture (self, &clip, &painter);
  cairo_translate (cr, 0, self->view.y - hl_token_strip_get_scroll (self));
  hl_paint_token_arcs (&painter, self->arcs, &self->layout, start, end);
  append_picture (self, snapshot, &clip, cr);
}

/* As hl_paint_token_marks() does, without pictures. */
static void
append_outline (HlTokenStrip *self,
                GtkSnapshot *snapshot,
                gint64 token,
                const HlColor *color,
                double line)
{
  HlRect at = hl_token_strip_get_token_rect (self, token);
  if (at.width <= 0)
    return;
  GdkRGBA rgba = { (float) color->red, (float) color->green, (float) color->blue,
                   (float) color->alpha };
  double radius = hl_token_radius (&self->layout.theme) + line;
  GskRoundedRect outline;
  gsk_rounded_rect_init_from_rect (
      &outline,
      &GRAPHENE_RECT_INIT ((float) (at.x - line), (float) (at.y - line),
                           (float) (at.width + 2 * line), (float) (at.height + 2 * line)),
      (float) radius);
  float width = (float) line;
  gtk_snapshot_append_border (snapshot, &outline,
                              (float[4]){ width, width, width, width },
                              (GdkRGBA[4]){ rgba, rgba, rgba, rgba });
}

static void
snapshot_marks (HlTokenStrip *self, GtkSnapshot *snapshot, gint64 start, gint64 end)
{
  HlTheme theme = hl_token_strip_theme (self);
  const gint64 *selected = (const gint64 *) (void *) self->selected->data;
  gint64 n = self->selected->len, hover_line, slot, slot_end;
  hl_token_layout_slots_in (&self->layout, start, end, &slot, &slot_end);
  if (slot == slot_end)
    return;
  hover_line = hl_token_layout_line (&self->layout, self->hovered);
  if (hover_line >= start && hover_line < end)
    append_outline (self, snapshot, self->hovered, &theme.foreground, theme.line_width);
  gint64 last = self->layout.shown[slot_end - 1];
  for (gint64 i = hl_token_scene_find (selected, n, self->layout.shown[slot]);
       i < n && selected[i] <= last; i++)
    append_outline (self, snapshot, selected[i], &theme.accent_query,
                    hl_token_mark_line (&theme));
}

static void
snapshot_bar (HlTokenStrip *self, GtkSnapshot *snapshot)
{
  HlPainter painter;
  double y = self->view.y + self->view.height;
  HlRect clip = { 0, y, self->view.width,
                  MAX (gtk_widget_get_height (GTK_WIDGET (self)) - y, 1) };
  HlRect bar = { self->layout.body.x + 4, floor (y + BAR_GAP),
                 CLAMP (self->view.width - 60, 40, BAR_LENGTH_MAX), BAR_HEIGHT };
  cairo_t *cr = begin_picture (self, &clip, &painter);
  if (self->scene->weights != NULL)
    hl_paint_token_bar (&painter, self->scene, &bar);
  else
    hl_paint_token_shade_bar (&painter, self->scene, &bar);
  append_picture (self, snapshot, &clip, cr);
}

static void
snapshot_legend (HlTokenStrip *self, GtkSnapshot *snapshot)
{
  HlPainter painter;
  HlRect clip = { 0, 0, self->view.width, self->view.y };
  cairo_t *cr = begin_picture (self, &clip, &painter);
  hl_paint_token_legend (&painter, self->scene, &self->layout);
  append_picture (self, snapshot, &clip, cr);
}

/* Round the token with the keyboard's cursor, or round everything without one. */
static void
snapshot_focus (HlTokenStrip *self, GtkSnapshot *snapshot)
{
  HlTheme theme = hl_token_strip_theme (self);
  GdkRGBA color = { (float) theme.accent_head.red, (float) theme.accent_head.green,
                    (float) theme.accent_head.blue, 0.8f };
  HlRect at = { 4, 4, gtk_widget_get_width (GTK_WIDGET (self)) - 8,
                gtk_widget_get_height (GTK_WIDGET (self)) - 8 };
  if (self->cursor >= 0)
    at = hl_token_strip_get_token_rect (self, self->cursor);
  GskRoundedRect ring;
  gsk_rounded_rect_init_from_rect (
      &ring,
      &GRAPHENE_RECT_INIT ((float) at.x - 4, (float) at.y - 4, (float) at.width + 8,
                           (float) at.height + 8),
      6);
  gtk_snapshot_append_border (snapshot, &ring, (float[4]){ 2, 2, 2, 2 },
                              (GdkRGBA[4]){ color, color, color, color });
}

void
hl_token_strip_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  HlTokenStrip *self = HL_TOKEN_STRIP (widget);
  if (self->scene == NULL || self->layout.tokens != self->scene->tokens)
    return;
  double scroll = hl_token_strip_get_scroll (self);
  gint64 start, end;
  hl_token_layout_lines_in (&self->layout, scroll, scroll + self->view.height, &start,
                            &end);
  gtk_snapshot_push_clip (snapshot, &GRAPHENE_RECT_INIT (0, (float) self->view.y,
                                                         (float) self->view.width,
                                                         (float) self->view.height));
  snapshot_blocks (self, snapshot, start, end);
  snapshot_arcs (self, snapshot, start, end);
  snapshot_marks (self, snapshot, start, end);
  if (gtk_widget_has_visible_focus (widget))
    snapshot_focus (self, snapshot);
  gtk_snapshot_pop (snapshot);
  if (self->layout.legend.height > 0)
    snapshot_legend (self, snapshot);
  if (has_bar (self))
    snapshot_bar (self, snapshot);
}

guint
hl_token_strip_count_painted (HlTokenStrip *self)
{
  return self->n_painted;
}
