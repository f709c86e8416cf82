/* SPDX-License-Identifier: MIT
 * Painting of a text as its tokens: what is chosen, the bar, and all of it. */
#include "config.h"

#include "draw/hl-paint-tokens.h"

#include "draw/hl-paint-bar.h"

#define TITLE_SCALE 1.15

/* ---- marks ---------------------------------------------------------------------------
 */

static void
paint_outline (HlPainter *painter, const HlRect *rect, const HlColor *color, double line)
{
  HlRect around = { rect->x - line / 2, rect->y - line / 2, rect->width + line,
                    rect->height + line };
  hl_token_add_rounded (painter->cr, &around,
                        hl_token_radius (&painter->theme) + line / 2);
  hl_paint_set_color (painter->cr, color);
  cairo_set_line_width (painter->cr, line);
  cairo_stroke (painter->cr);
}

void
hl_paint_token_marks (HlPainter *painter,
                      const HlTokenScene *scene,
                      const HlTokenLayout *layout,
                      gint64 line_start,
                      gint64 line_end)
{
  const HlTheme *theme = &painter->theme;
  gint64 start, end;
  hl_token_layout_slots_in (layout, line_start, line_end, &start, &end);
  if (start == end)
    return;
  gint64 first = layout->shown[start], last = layout->shown[end - 1];
  cairo_save (painter->cr);
  gint64 hover_line = hl_token_layout_line (layout, scene->hovered);
  if (hover_line >= line_start && hover_line < line_end)
    {
      HlRect rect = hl_token_layout_rect (layout, scene->hovered);
      paint_outline (painter, &rect, &theme->foreground, theme->line_width);
    }
  for (gint64 i = hl_token_scene_find (scene->selected, scene->n_selected, first);
       i < scene->n_selected && scene->selected[i] <= last; i++)
    {
      HlRect rect = hl_token_layout_rect (layout, scene->selected[i]);
      if (rect.width > 0)
        paint_outline (painter, &rect, &theme->accent_query, hl_token_mark_line (theme));
    }
  cairo_restore (painter->cr);
}

/* ---- everything ----------------------------------------------------------------------
 */

void
hl_paint_token_bar (HlPainter *painter, const HlTokenScene *scene, const HlRect *bar)
{
  cairo_t *cr = painter->cr;
  const HlColor *ground = &painter->theme.background;
  hl_paint_color_bar (painter, &scene->scale, bar);
  if (!scene->fades_low)
    return;
  gboolean is_lying = bar->width > bar->height;
  double inset = painter->theme.line_width / 2, bottom = bar->y + bar->height;
  double length = HL_TOKEN_FADE * MAX (bar->width, bar->height);
  cairo_pattern_t *veil =
      is_lying ? cairo_pattern_create_linear (bar->x, 0, bar->x + length, 0)
               : cairo_pattern_create_linear (0, bottom, 0, bottom - length);
  cairo_pattern_add_color_stop_rgba (veil, 0, ground->red, ground->green, ground->blue,
                                     1);
  cairo_pattern_add_color_stop_rgba (veil, 1, ground->red, ground->green, ground->blue,
                                     0);
  if (is_lying)
    cairo_rectangle (cr, bar->x + inset, bar->y + inset, length, bar->height - 2 * inset);
  else
    cairo_rectangle (cr, bar->x + inset, bottom - inset - length, bar->width - 2 * inset,
                     length);
  cairo_set_source (cr, veil);
  cairo_fill (cr);
  cairo_pattern_destroy (veil);
}

void
hl_paint_token_shade_bar (HlPainter *painter,
                          const HlTokenScene *scene,
                          const HlRect *bar)
{
  cairo_t *cr = painter->cr;
  const HlTheme *theme = &painter->theme;
  HlColor none = hl_token_shade_color (theme, 0), most = hl_token_shade_color (theme, 1);
  double half = bar->width / 2;
  cairo_pattern_t *tint = cairo_pattern_create_linear (bar->x, 0, bar->x + half, 0);
  cairo_pattern_add_color_stop_rgba (tint, 0, none.red, none.green, none.blue,
                                     none.alpha);
  cairo_pattern_add_color_stop_rgba (tint, 1, most.red, most.green, most.blue,
                                     most.alpha);
  cairo_rectangle (cr, bar->x, bar->y, half, bar->height);
  cairo_set_source (cr, tint);
  cairo_fill_preserve (cr);
  cairo_pattern_destroy (tint);
  hl_paint_set_color (cr, &theme->dim);
  cairo_set_line_width (cr, theme->line_width);
  cairo_stroke (cr);
  HlTextStyle style = { .color = &theme->dim };
  hl_paint_text (painter, scene->shade_words, bar->x + half + 0.6 * theme->font_size,
                 bar->y + bar->height / 2 + hl_text_drop (theme->font_size), &style);
}

static void
paint_title (HlPainter *painter, const HlTokenScene *scene, const HlTokenLayout *layout)
{
  double size = TITLE_SCALE * painter->theme.font_size;
  HlTextStyle style = { size, HL_ANCHOR_START, &painter->theme.foreground, TRUE };
  /* Bold is wider than what hl_text_fit() measures. */
  g_autofree char *title =
      hl_text_fit (&painter->theme, scene->title, size, 0.9 * layout->title.width);
  hl_paint_text (painter, title, layout->title.x, layout->title.y + 0.9 * size, &style);
}

void
hl_paint_tokens (HlPainter *painter,
                 HlTokenScene *scene,
                 const HlTokenLayout *layout,
                 const HlRect *visible)
{
  gint64 start = 0, end = layout->n_lines;
  if (visible != NULL)
    hl_token_layout_lines_in (layout, visible->y, visible->y + visible->height, &start,
                              &end);
  if (layout->title.height > 0)
    paint_title (painter, scene, layout);
  if (layout->legend.height > 0)
    hl_paint_token_legend (painter, scene, layout);
  g_autoptr (HlTypesetter) setter = hl_typesetter_new (painter->theme.font_family);
  hl_paint_token_lines (painter, scene, layout, setter, start, end);
  if (scene->n_arcs > 0)
    {
      g_autoptr (HlTokenArcs) arcs = hl_token_arcs_new (scene);
      hl_paint_token_arcs (painter, arcs, layout, start, end);
    }
  hl_paint_token_marks (painter, scene, layout, start, end);
  if (layout->bar.height > 0)
    hl_paint_token_bar (painter, scene, &layout->bar);
}
