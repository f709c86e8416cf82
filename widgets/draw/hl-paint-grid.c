/* SPDX-License-Identifier: MIT
 * Painting of the grid of heads. */
#include "config.h"

#include "draw/hl-paint-grid.h"

#include "draw/hl-pixels.h"
#include "draw/hl-ruler.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#define TITLE_SCALE 1.15
#define LABEL_GAP_EM 0.5
#define GROUP_TOP_EM 1.7 /* from the thumbnails to the brackets of groups */
#define FADE 0.6         /* of a marked head */

static const HlGridLayer *
layer_at (const HlGridScene *scene, int layer)
{
  return g_ptr_array_index (scene->layers, (guint) layer);
}

HlScale
hl_grid_thumb_scale (const HlGridScene *scene, const HlThumb *thumb)
{
  HlScale scale = scene->scale;
  if (scale.mode != HL_RANGE_PER_HEAD)
    return scale;
  scale.high = thumb->max;
  if (!scale.is_log)
    scale.low = scale.low < 0 ? -thumb->max : 0;
  return scale;
}

/* ---- thumbnails ----------------------------------------------------------------------
 */

/* Hatching says "not known yet" in a way that no value and no "n/a" can. */
static void
paint_unknown (HlPainter *painter, const HlRect *cell)
{
  cairo_t *cr = painter->cr;
  HlColor faint = painter->theme.faint;
  cairo_save (cr);
  cairo_rectangle (cr, cell->x, cell->y, cell->width, cell->height);
  cairo_clip (cr);
  faint.alpha = 0.3;
  hl_paint_set_color (cr, &faint);
  cairo_paint (cr);
  faint.alpha = 0.8;
  hl_paint_set_color (cr, &faint);
  cairo_set_line_width (cr, painter->theme.line_width);
  double apart = MAX (cell->width / 6, 4 * painter->theme.line_width);
  for (double at = apart / 2; at < 2 * cell->width; at += apart)
    {
      cairo_move_to (cr, cell->x + at, cell->y);
      cairo_rel_line_to (cr, -cell->height, cell->height);
    }
  cairo_stroke (cr);
  cairo_restore (cr);
}

static void
paint_thumb (HlPainter *painter,
             const HlGridScene *scene,
             const HlThumb *thumb,
             const HlRect *cell)
{
  if (thumb->values == NULL || thumb->n_rows <= 0 || thumb->n_columns <= 0)
    {
      paint_unknown (painter, cell);
      return;
    }
  HlScale scale = hl_grid_thumb_scale (scene, thumb);
  double pixels = MAX (cell->width * painter->pixels_per_unit, 1);
  int most = MAX (thumb->n_rows, thumb->n_columns);
  int pool = MAX ((int) ceil (most / pixels - 1e-3), 1);
  if (pool == 1)
    {
      hl_paint_pixels (painter, &scale, thumb->values, thumb->n_rows, thumb->n_columns,
                       cell);
      return;
    }
  HlPooling pooling = {
    thumb->values, thumb->n_rows, thumb->n_columns, { pool, pool }, FALSE
  };
  int n_rows = (thumb->n_rows + pool - 1) / pool;
  int n_columns = (thumb->n_columns + pool - 1) / pool;
  g_autofree float *values = g_new (float, (gsize) n_rows *n_columns);
  for (int r = 0; r < n_rows; r++)
    for (int c = 0; c < n_columns; c++)
      values[r * n_columns + c] = hl_pooled_value (&pooling, r, c);
  hl_paint_pixels (painter, &scale, values, n_rows, n_columns, cell);
}

void
hl_paint_grid_thumbs (HlPainter *painter,
                      const HlGridScene *scene,
                      const HlGridLayout *layout,
                      const HlRect *visible)
{
  int l0, l1, h0, h1;
  hl_grid_layout_visible (layout, visible, &l0, &l1, &h0, &h1);
  for (int l = l0; l < l1; l++)
    {
      const HlGridLayer *layer = layer_at (scene, l);
      for (int h = h0; h < MIN (h1, layer->n_heads); h++)
        {
          HlRect cell = hl_grid_layout_cell (layout, l, h);
          paint_thumb (painter, scene, &layer->thumbs[h], &cell);
        }
    }
}

/* ---- labels --------------------------------------------------------------------------
 */

/* Covers what scrolls past under labels that stick to an edge. */
static void
paint_strip (HlPainter *painter, double x, double y, double width, double height)
{
  cairo_rectangle (painter->cr, x, y, width, height);
  hl_paint_set_color (painter->cr, &painter->theme.background);
  cairo_fill (painter->cr);
}

/* Whether the label at @index is shown among every @step-th, next to the selected one. */
static gboolean
is_shown (int index, int selected, gint64 step, double need)
{
  if (index == selected)
    return TRUE;
  if (index % step != 0)
    return FALSE;
  return selected < 0 || ABS (index - selected) >= need;
}

static void
paint_head_labels (HlPainter *painter,
                   const HlGridScene *scene,
                   const HlGridLayout *layout,
                   double y)
{
  const HlTheme *theme = &painter->theme;
  double em = theme->font_size, pitch = layout->cell + layout->gap;
  g_autofree char *last = g_strdup_printf ("%d", MAX (layout->max_heads - 1, 0));
  double need = (hl_text_width (theme, last, 0, TRUE) + 0.7 * em) / pitch;
  gint64 step = hl_ruler_step (need);
  for (int h = 0; h < layout->max_heads; h++)
    {
      if (!is_shown (h, scene->selected_head, step, need))
        continue;
      gboolean is_selected = h == scene->selected_head;
      HlTextStyle style = { .anchor = HL_ANCHOR_MIDDLE, .is_bold = is_selected };
      style.color = is_selected ? &theme->accent_head : NULL;
      g_autofree char *label = g_strdup_printf ("%d", h);
      HlRect cell = hl_grid_layout_cell (layout, 0, h);
      hl_paint_text (painter, label, cell.x + cell.width / 2, y, &style);
    }
}

/* A bracket over the heads that share keys and values, and which key-value head it is. */
static void
paint_groups (HlPainter *painter,
              const HlGridScene *scene,
              const HlGridLayout *layout,
              double y)
{
  const HlTheme *theme = &painter->theme;
  cairo_t *cr = painter->cr;
  double em = theme->font_size, size = 0.85 * em, line = theme->line_width;
  int n = layout->n_per_group, n_groups = (layout->max_heads + n - 1) / n;
  double pitch = n * (layout->cell + layout->gap) + layout->group_gap;
  g_autofree char *widest = g_strdup_printf (_ ("kv %d"), n_groups - 1);
  gint64 step =
      hl_ruler_step ((hl_text_width (theme, widest, size, FALSE) + 0.6 * em) / pitch);
  for (int g = 0; g < n_groups; g++)
    {
      int last = MIN ((g + 1) * n, layout->max_heads) - 1;
      HlRect from = hl_grid_layout_cell (layout, 0, g * n);
      HlRect to = hl_grid_layout_cell (layout, 0, last);
      double right = to.x + to.width;
      gboolean is_selected =
          scene->selected_head >= g * n && scene->selected_head <= last;
      HlColor color = is_selected ? theme->accent_head : theme->dim;
      HlTextStyle style = { size, HL_ANCHOR_MIDDLE, is_selected ? &color : NULL };
      color.alpha = is_selected ? 1 : 0.45;
      cairo_move_to (cr, from.x + line / 2, y + 0.22 * em);
      cairo_line_to (cr, from.x + line / 2, y);
      cairo_line_to (cr, right - line / 2, y);
      cairo_line_to (cr, right - line / 2, y + 0.22 * em);
      hl_paint_set_color (cr, &color);
      cairo_set_line_width (cr, line);
      cairo_stroke (cr);
      if (g % step != 0)
        continue;
      g_autofree char *label = g_strdup_printf (_ ("kv %d"), g);
      hl_paint_text (painter, label, (from.x + right) / 2, y - 0.3 * em, &style);
    }
}

static void
paint_layer_labels (HlPainter *painter,
                    const HlGridScene *scene,
                    const HlGridLayout *layout,
                    double right,
                    double room)
{
  const HlTheme *theme = &painter->theme;
  double em = theme->font_size, pitch = layout->cell + layout->gap;
  double need = 1.15 * em / pitch;
  gint64 step = hl_ruler_step (need);
  for (int l = 0; l < layout->n_layers; l++)
    {
      const char *label = layer_at (scene, l)->label;
      if (label == NULL || !is_shown (l, scene->selected_layer, step, need))
        continue;
      gboolean is_selected = l == scene->selected_layer;
      HlTextStyle style = { .anchor = HL_ANCHOR_END, .is_bold = is_selected };
      style.color = is_selected ? &theme->accent_head : NULL;
      HlRect cell = hl_grid_layout_cell (layout, l, 0);
      g_autofree char *fitted = hl_text_fit (theme, label, 0, room);
      hl_paint_text (painter, fitted, right, cell.y + cell.height / 2 + hl_text_drop (em),
                     &style);
    }
}

static void
paint_axis_titles (HlPainter *painter,
                   const HlGridLayout *layout,
                   double x,
                   double y,
                   const HlRect *visible)
{
  double em = painter->theme.font_size;
  double width = hl_grid_layout_heads_width (layout);
  double height = hl_grid_layout_layers_height (layout);
  HlTextStyle style = { .anchor = HL_ANCHOR_MIDDLE, .color = &painter->theme.foreground };
  double middle_x = layout->x0 + width / 2, middle_y = layout->y0 + height / 2;
  if (visible != NULL)
    {
      middle_x = (MAX (layout->x0, visible->x) +
                  MIN (layout->x0 + width, visible->x + visible->width)) /
                 2;
      middle_y = (MAX (layout->y0, visible->y) +
                  MIN (layout->y0 + height, visible->y + visible->height)) /
                 2;
    }
  hl_paint_text (painter, _ ("head"), middle_x, y + 0.9 * em, &style);
  style.is_upright = TRUE;
  hl_paint_text (painter, _ ("layer"), x + 0.9 * em, middle_y, &style);
}

void
hl_paint_grid_labels (HlPainter *painter,
                      const HlGridScene *scene,
                      const HlGridLayout *layout,
                      const HlRect *visible)
{
  if (!(layout->flags & (HL_GRID_LABELS | HL_GRID_AXIS_TITLES)))
    return;
  double em = painter->theme.font_size;
  double title = layout->title.height;
  double x = visible != NULL ? MAX (visible->x, 0) : 0;
  double y = visible != NULL ? MAX (visible->y, title) : title;
  double shift_y = y - title;
  cairo_t *cr = painter->cr;
  cairo_save (cr);
  /* Each strip is filled before its labels; the upper one covers the corner last. */
  if (visible != NULL && x > 0)
    paint_strip (painter, x, visible->y, layout->x0 - em * 0.2, visible->height);
  if (layout->flags & HL_GRID_LABELS)
    {
      double after = layout->flags & HL_GRID_AXIS_TITLES ? 1.4 * em : 0;
      double right = x + layout->x0 - LABEL_GAP_EM * em;
      paint_layer_labels (painter, scene, layout, right,
                          layout->x0 - after - LABEL_GAP_EM * em);
    }
  if (visible != NULL && shift_y > 0)
    paint_strip (painter, visible->x, y, visible->width, layout->y0 - title - em * 0.2);
  if (layout->flags & HL_GRID_LABELS)
    paint_head_labels (painter, scene, layout, layout->y0 + shift_y - LABEL_GAP_EM * em);
  if ((layout->flags & HL_GRID_LABELS) && layout->n_per_group > 0)
    paint_groups (painter, scene, layout,
                  floor (layout->y0 + shift_y - GROUP_TOP_EM * em) +
                      painter->theme.line_width / 2);
  if (layout->flags & HL_GRID_AXIS_TITLES)
    paint_axis_titles (painter, layout, x, y, visible);
  cairo_restore (cr);
}

/* ---- marks ---------------------------------------------------------------------------
 */

static void
paint_frame (HlPainter *painter, const HlRect *cell, const HlColor *color, double line)
{
  cairo_t *cr = painter->cr;
  cairo_rectangle (cr, cell->x - line / 2, cell->y - line / 2, cell->width + line,
                   cell->height + line);
  hl_paint_set_color (cr, color);
  cairo_set_line_width (cr, line);
  cairo_stroke (cr);
}

/* An ablated head is faded and crossed out. */
static void
paint_cross (HlPainter *painter, const HlRect *cell)
{
  cairo_t *cr = painter->cr;
  HlColor veil = painter->theme.background;
  veil.alpha = FADE;
  cairo_rectangle (cr, cell->x, cell->y, cell->width, cell->height);
  hl_paint_set_color (cr, &veil);
  cairo_fill (cr);
  double inset = cell->width * 0.2;
  cairo_move_to (cr, cell->x + inset, cell->y + inset);
  cairo_line_to (cr, cell->x + cell->width - inset, cell->y + cell->height - inset);
  cairo_move_to (cr, cell->x + cell->width - inset, cell->y + inset);
  cairo_line_to (cr, cell->x + inset, cell->y + cell->height - inset);
  hl_paint_set_color (cr, &painter->theme.foreground);
  cairo_set_line_width (cr, MAX (1.2 * painter->theme.line_width, 0.05 * cell->width));
  cairo_stroke (cr);
}

static gboolean
has_head (const HlGridScene *scene, int layer, int head)
{
  return layer >= 0 && layer < (int) scene->layers->len && head >= 0 &&
         head < layer_at (scene, layer)->n_heads;
}

void
hl_paint_grid_marks (HlPainter *painter,
                     const HlGridScene *scene,
                     const HlGridLayout *layout,
                     const HlRect *visible,
                     int hover_layer,
                     int hover_head)
{
  int l0, l1, h0, h1;
  hl_grid_layout_visible (layout, visible, &l0, &l1, &h0, &h1);
  cairo_save (painter->cr);
  for (int l = l0; l < l1; l++)
    for (int h = h0; h < MIN (h1, layer_at (scene, l)->n_heads); h++)
      if (layer_at (scene, l)->thumbs[h].is_marked)
        {
          HlRect cell = hl_grid_layout_cell (layout, l, h);
          paint_cross (painter, &cell);
        }
  double line = painter->theme.line_width;
  if (has_head (scene, hover_layer, hover_head))
    {
      HlRect cell = hl_grid_layout_cell (layout, hover_layer, hover_head);
      paint_frame (painter, &cell, &painter->theme.accent_head, line);
    }
  if (has_head (scene, scene->selected_layer, scene->selected_head))
    {
      HlRect cell =
          hl_grid_layout_cell (layout, scene->selected_layer, scene->selected_head);
      paint_frame (painter, &cell, &painter->theme.accent_head, 2 * line);
    }
  cairo_restore (painter->cr);
}

/* ---- everything ----------------------------------------------------------------------
 */

static gboolean
has_not_applicable (const HlGridScene *scene)
{
  for (guint l = 0; l < scene->layers->len; l++)
    {
      const HlGridLayer *layer = g_ptr_array_index (scene->layers, l);
      for (int h = 0; h < layer->n_heads; h++)
        {
          const HlThumb *thumb = &layer->thumbs[h];
          for (int i = 0; thumb->values != NULL && i < thumb->n_rows * thumb->n_columns;
               i++)
            if (isnan (thumb->values[i]))
              return TRUE;
        }
    }
  return FALSE;
}

static void
paint_bar (HlPainter *painter, const HlGridScene *scene, const HlGridLayout *layout)
{
  HlRect bar = layout->bar;
  double em = painter->theme.font_size;
  if (has_not_applicable (scene))
    {
      double room = hl_grid_layout_layers_height (layout);
      bar.height = MAX (MIN (bar.height, room - 2.2 * em), 0);
      hl_paint_na_key (painter, scene->scale.colormap, bar.x,
                       bar.y + bar.height + 1.75 * em);
    }
  if (scene->scale.mode == HL_RANGE_PER_HEAD)
    hl_paint_color_bar_relative (painter, &scene->scale, &bar);
  else
    hl_paint_color_bar (painter, &scene->scale, &bar);
}

void
hl_paint_grid (HlPainter *painter, const HlGridScene *scene, const HlGridLayout *layout)
{
  if (layout->title.height > 0)
    {
      double size = TITLE_SCALE * painter->theme.font_size;
      HlTextStyle style = { size, HL_ANCHOR_START, &painter->theme.foreground, TRUE };
      g_autofree char *title =
          hl_text_fit (&painter->theme, scene->title, size, 0.9 * layout->title.width);
      hl_paint_text (painter, title, layout->title.x, layout->title.y + 0.9 * size,
                     &style);
    }
  hl_paint_grid_thumbs (painter, scene, layout, NULL);
  hl_paint_grid_marks (painter, scene, layout, NULL, -1, -1);
  hl_paint_grid_labels (painter, scene, layout, NULL);
  if (layout->bar.height > 0)
    paint_bar (painter, scene, layout);
}
