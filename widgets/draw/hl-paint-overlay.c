/* SPDX-License-Identifier: MIT
 * A picture with the patches' weights over it: layout, hit testing, painting. */
#include "config.h"

#include "draw/hl-paint-overlay.h"

#include "draw/hl-colormap.h"
#include "draw/hl-paint-time.h"
#include "draw/hl-pixels.h"

#include <math.h>

#define TITLE_EM 1.9
#define TITLE_SCALE 1.15
#define BAR_GAP_EM 1.0
#define BELOW_GAP_EM 0.7
#define EDGE_EM 0.6

/* ---- layout --------------------------------------------------------------------------
 */

void
hl_overlay_layout_compute (const HlOverlayScene *scene,
                           const HlTheme *theme,
                           double width,
                           double height,
                           HlOverlayFlags flags,
                           HlOverlayLayout *layout)
{
  double em = theme->font_size;
  /* Outlines lie half outside the picture and are not to be cut off. */
  double edge = MAX (1.5 * theme->line_width, 0.12 * em);
  double top = edge, right = edge, bottom = edge;
  *layout = (HlOverlayLayout){ .flags = flags };
  if ((flags & HL_OVERLAY_TITLE) && scene->title != NULL)
    top += TITLE_EM * em;
  gboolean has_bar = (flags & HL_OVERLAY_BAR) && scene->weights != NULL;
  gboolean is_below = has_bar && (flags & HL_OVERLAY_BAR_BELOW) != 0;
  if (is_below)
    bottom = BELOW_GAP_EM * em + hl_color_bar_extent (theme, &scene->scale, FALSE);
  else if (has_bar)
    {
      right = BAR_GAP_EM * em + hl_color_bar_extent (theme, &scene->scale, TRUE);
      bottom = EDGE_EM * em;
      top = MAX (top, EDGE_EM * em);
    }
  double below = (flags & HL_OVERLAY_TIME) && scene->end_s > scene->begin_s
                     ? hl_time_axis_height (theme)
                     : 0;
  bottom = MAX (bottom, edge) + below;
  double room_x = MAX (width - edge - right, 0), room_y = MAX (height - top - bottom, 0);
  double by_width = room_x / MAX (scene->width, 1);
  double by_height = room_y / MAX (scene->height, 1);
  double zoom = MIN (by_width, by_height);
  HlRect *picture = &layout->picture;
  *picture = (HlRect){ edge, top, scene->width * zoom, scene->height * zoom };
  if ((flags & HL_OVERLAY_TITLE) && scene->title != NULL)
    layout->title = (HlRect){ edge, 0, picture->width + right, TITLE_EM * em };
  if (is_below)
    {
      /* Shorter than the picture by half a number at each end; a minus is longer. */
      double left = (scene->scale.low < 0 ? 1.6 : 0.4) * em;
      layout->bar =
          (HlRect){ edge + left, top + picture->height + below + BELOW_GAP_EM * em,
                    MAX (picture->width - left - 1.8 * em, em), 0.7 * em };
    }
  else if (has_bar)
    layout->bar =
        (HlRect){ edge + picture->width + BAR_GAP_EM * em, top, HL_COLOR_BAR_EM * em,
                  hl_color_bar_length (theme, picture->height) };
  layout->used_width = edge + picture->width + right;
  layout->used_height = top + picture->height + bottom;
}

gboolean
hl_overlay_layout_hit (const HlOverlayLayout *layout,
                       const HlOverlayScene *scene,
                       double x,
                       double y,
                       int *row,
                       int *column)
{
  const HlRect *picture = &layout->picture;
  if (scene->n_rows <= 0 || scene->n_columns <= 0 || !hl_rect_contains (picture, x, y))
    return FALSE;
  int r = (int) ((y - picture->y) / picture->height * scene->n_rows);
  int c = (int) ((x - picture->x) / picture->width * scene->n_columns);
  *row = MIN (r, scene->n_rows - 1);
  *column = MIN (c, scene->n_columns - 1);
  return TRUE;
}

HlRect
hl_overlay_layout_patch (const HlOverlayLayout *layout,
                         const HlOverlayScene *scene,
                         int row,
                         int column)
{
  const HlRect *picture = &layout->picture;
  double width = picture->width / MAX (scene->n_columns, 1);
  double height = picture->height / MAX (scene->n_rows, 1);
  return (HlRect){ picture->x + column * width, picture->y + row * height, width,
                   height };
}

/* ---- picture and colours -------------------------------------------------------------
 */

static void
paint_picture (HlPainter *painter, const HlOverlayScene *scene, const HlRect *place)
{
  gsize n = (gsize) scene->width * scene->height;
  g_autofree guint32 *pixels = g_try_new (guint32, n);
  if (pixels == NULL || n == 0)
    return;
  for (gsize i = 0; i < n; i++)
    {
      const guint8 *rgb = scene->picture + 3 * i;
      pixels[i] = (guint32) rgb[0] << 16 | (guint32) rgb[1] << 8 | rgb[2];
    }
  gboolean is_enlarged = place->width * painter->pixels_per_unit >= scene->width;
  hl_paint_cells (painter, pixels, scene->height, scene->width, CAIRO_FORMAT_RGB24,
                  is_enlarged ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD, place);
}

/* Premultiplied, as Cairo wants it. */
static guint32
veil_pixel (const HlScale *scale, float value, double opacity)
{
  guint8 rgb[3];
  if (isnan (value))
    return 0;
  hl_colormap_lookup (scale->colormap, hl_scale_position (scale, value), rgb);
  guint32 alpha = (guint32) (opacity * 255 + 0.5), pixel = alpha << 24;
  for (int c = 0; c < 3; c++)
    pixel |= (rgb[c] * alpha + 127) / 255 << (16 - 8 * c);
  return pixel;
}

static void
paint_weights (HlPainter *painter, const HlOverlayScene *scene, const HlRect *place)
{
  int n = scene->n_rows * scene->n_columns;
  double opacity = CLAMP (scene->opacity, 0, 1);
  g_autofree guint32 *pixels = g_new (guint32, n);
  for (int i = 0; i < n; i++)
    pixels[i] = veil_pixel (&scene->scale, scene->weights[i], opacity);
  hl_paint_cells (painter, pixels, scene->n_rows, scene->n_columns, CAIRO_FORMAT_ARGB32,
                  CAIRO_FILTER_NEAREST, place);
}

/* ---- lines ---------------------------------------------------------------------------
 */

static void
paint_hairlines (HlPainter *painter, const HlOverlayScene *scene, const HlRect *place)
{
  cairo_t *cr = painter->cr;
  for (int c = 1; c < scene->n_columns; c++)
    {
      cairo_move_to (cr, place->x + place->width * c / scene->n_columns, place->y);
      cairo_rel_line_to (cr, 0, place->height);
    }
  for (int r = 1; r < scene->n_rows; r++)
    {
      cairo_move_to (cr, place->x, place->y + place->height * r / scene->n_rows);
      cairo_rel_line_to (cr, place->width, 0);
    }
  /* A middle grey shows on black and on white pictures alike. */
  cairo_set_source_rgba (cr, 0.5, 0.5, 0.5, 0.5);
  cairo_set_line_width (cr, 0.5 * painter->theme.line_width);
  cairo_stroke (cr);
}

static gboolean
is_selected (const HlOverlayScene *scene, int row, int column)
{
  return row >= 0 && row < scene->n_rows && column >= 0 && column < scene->n_columns &&
         scene->selected[row * scene->n_columns + column];
}

/* Lines only where a chosen patch meets one that is not: neighbours are joined. Runs in
 * one direction become one line, so that no joint shows. */
static void
add_outline (cairo_t *cr,
             const HlOverlayScene *scene,
             const HlRect *place,
             gboolean is_horizontal)
{
  int n_lines = is_horizontal ? scene->n_rows : scene->n_columns;
  int n_along = is_horizontal ? scene->n_columns : scene->n_rows;
  double width = place->width / scene->n_columns, height = place->height / scene->n_rows;
  for (int line = 0; line <= n_lines; line++)
    for (int start = 0, i = 0; i <= n_along; i++)
      {
        gboolean before = is_horizontal ? is_selected (scene, line - 1, i)
                                        : is_selected (scene, i, line - 1);
        gboolean after =
            is_horizontal ? is_selected (scene, line, i) : is_selected (scene, i, line);
        if (i < n_along && before != after)
          continue;
        if (i > start && is_horizontal)
          {
            cairo_move_to (cr, place->x + start * width, place->y + line * height);
            cairo_line_to (cr, place->x + i * width, place->y + line * height);
          }
        else if (i > start)
          {
            cairo_move_to (cr, place->x + line * width, place->y + start * height);
            cairo_line_to (cr, place->x + line * width, place->y + i * height);
          }
        start = i + 1;
      }
}

/* A dark line under the coloured one keeps it visible on bright colours. */
static void
stroke_with_halo (HlPainter *painter, const HlColor *color, double line)
{
  cairo_t *cr = painter->cr;
  cairo_set_line_cap (cr, CAIRO_LINE_CAP_SQUARE);
  cairo_set_source_rgba (cr, 0, 0, 0, 0.45);
  cairo_set_line_width (cr, 1.6 * line);
  cairo_stroke_preserve (cr);
  hl_paint_set_color (cr, color);
  cairo_set_line_width (cr, line);
  cairo_stroke (cr);
}

static void
paint_lines (HlPainter *painter,
             const HlOverlayScene *scene,
             const HlOverlayLayout *layout)
{
  const HlRect *place = &layout->picture;
  const HlTheme *theme = &painter->theme;
  double line = MAX (1.5 * theme->line_width, 0.16 * theme->font_size);
  cairo_save (painter->cr);
  cairo_new_path (painter->cr);
  if (scene->show_grid)
    paint_hairlines (painter, scene, place);
  if (scene->selected != NULL)
    {
      add_outline (painter->cr, scene, place, TRUE);
      add_outline (painter->cr, scene, place, FALSE);
      stroke_with_halo (painter, &theme->accent_query, line);
    }
  if (scene->cursor_row >= 0 && scene->cursor_row < scene->n_rows &&
      scene->cursor_column >= 0 && scene->cursor_column < scene->n_columns)
    {
      HlRect patch = hl_overlay_layout_patch (layout, scene, scene->cursor_row,
                                              scene->cursor_column);
      HlColor white = { 1, 1, 1, 1 };
      cairo_rectangle (painter->cr, patch.x, patch.y, patch.width, patch.height);
      stroke_with_halo (painter, &white, theme->line_width);
    }
  cairo_restore (painter->cr);
}

/* ---- everything ----------------------------------------------------------------------
 */

void
hl_paint_overlay (HlPainter *painter,
                  const HlOverlayScene *scene,
                  const HlOverlayLayout *layout)
{
  const HlRect *place = &layout->picture;
  if (layout->title.height > 0)
    {
      double size = TITLE_SCALE * painter->theme.font_size;
      HlTextStyle style = { size, HL_ANCHOR_START, &painter->theme.foreground, TRUE };
      g_autofree char *title =
          hl_text_fit (&painter->theme, scene->title, size, 0.9 * layout->title.width);
      hl_paint_text (painter, title, layout->title.x, layout->title.y + 0.9 * size,
                     &style);
    }
  if (place->width <= 0 || place->height <= 0)
    return;
  if (scene->picture != NULL)
    paint_picture (painter, scene, place);
  if (scene->n_rows > 0 && scene->n_columns > 0)
    {
      if (scene->weights != NULL)
        paint_weights (painter, scene, place);
      paint_lines (painter, scene, layout);
    }
  if (layout->flags & HL_OVERLAY_TIME)
    hl_paint_time_axis (painter, scene->begin_s, scene->end_s, place->x,
                        place->y + place->height, place->width);
  if (layout->bar.height > 0)
    hl_paint_color_bar (painter, &scene->scale, &layout->bar);
}
