/* SPDX-License-Identifier: MIT
 * Painting of one attention map. */
#include "config.h"

#include "draw/hl-paint-matrix.h"

#include "draw/hl-colormap.h"
#include "draw/hl-pixels.h"
#include "draw/hl-ruler.h"

#include <math.h>

#define TITLE_SCALE 1.15

/* ---- cells ---------------------------------------------------------------------------
 */

/* Whole values in sight, on a raster of @pool values that does not move with the view. */
typedef struct
{
  gint64 row;
  gint64 column;
  gint64 n_rows;
  gint64 n_columns;
  HlCellPool pool;
} Range;

static Range
range_in_sight (const HlMatrixScene *scene, const HlMatrixLayout *layout, HlCellPool pool)
{
  double down = (double) pool.rows * MAX (scene->pool, 1);
  double across = (double) pool.columns * MAX (scene->pool, 1);
  gint64 all_rows = (scene->n_values_rows + pool.rows - 1) / pool.rows;
  gint64 all_columns = (scene->n_values_columns + pool.columns - 1) / pool.columns;
  gint64 row = CLAMP ((gint64) floor (layout->view.y0 / down), 0, all_rows);
  gint64 column = CLAMP ((gint64) floor (layout->view.x0 / across), 0, all_columns);
  gint64 row_end = CLAMP ((gint64) ceil (layout->view.y1 / down), row, all_rows);
  gint64 end = CLAMP ((gint64) ceil (layout->view.x1 / across), column, all_columns);
  return (Range){ row, column, row_end - row, end - column, pool };
}

void
hl_paint_matrix_cells (HlPainter *painter,
                       const HlMatrixScene *scene,
                       const HlMatrixLayout *layout)
{
  const HlRect *cells = &layout->cells;
  if (scene->values == NULL || cells->width <= 0 || cells->height <= 0)
    return;
  HlCellPool pool = hl_matrix_layout_pool (layout, scene, painter->pixels_per_unit);
  Range range = range_in_sight (scene, layout, pool);
  if (range.n_rows <= 0 || range.n_columns <= 0)
    return;

  g_autofree float *values =
      g_try_new (float, (gsize) range.n_rows *(gsize) range.n_columns);
  if (values == NULL)
    return;
  HlPooling pooling = {
    .values = scene->values,
    .n_rows = scene->n_values_rows,
    .n_columns = scene->n_values_columns,
    .pool = pool,
    .is_mean = scene->pool > 1 && !scene->pool_is_max,
  };
  for (gint64 r = 0; r < range.n_rows; r++)
    for (gint64 c = 0; c < range.n_columns; c++)
      values[r * range.n_columns + c] =
          hl_pooled_value (&pooling, range.row + r, range.column + c);

  HlRect whole = hl_matrix_layout_entry_rect (layout, 0, 0);
  double down = (double) pool.rows * MAX (scene->pool, 1);
  double across = (double) pool.columns * MAX (scene->pool, 1);
  HlRect place = {
    whole.x + range.column * across * whole.width,
    whole.y + range.row * down * whole.height,
    range.n_columns * across * whole.width,
    range.n_rows * down * whole.height,
  };
  cairo_t *cr = painter->cr;
  cairo_save (cr);
  cairo_rectangle (cr, cells->x, cells->y, cells->width, cells->height);
  cairo_clip (cr);
  /* The last pooled value may reach past the map's edge. */
  cairo_rectangle (cr, whole.x, whole.y, whole.width * scene->columns.n,
                   whole.height * scene->rows.n);
  cairo_clip (cr);
  hl_paint_pixels (painter, &scene->scale, values, (int) range.n_rows,
                   (int) range.n_columns, &place);
  cairo_restore (cr);
}

/* ---- rulers and marks ----------------------------------------------------------------
 */

static void
paint_axis_titles (HlPainter *painter,
                   const HlMatrixScene *scene,
                   const HlMatrixLayout *layout)
{
  const HlRect *cells = &layout->cells;
  double em = painter->theme.font_size;
  HlTextStyle style = { .anchor = HL_ANCHOR_MIDDLE, .color = &painter->theme.foreground };
  double top = layout->top.height > 0 ? layout->top.y : cells->y;
  double left = layout->left.width > 0 ? layout->left.x : cells->x;
  if (scene->columns.title != NULL)
    {
      g_autofree char *title =
          hl_text_fit (&painter->theme, scene->columns.title, 0, cells->width);
      hl_paint_text (painter, title, cells->x + cells->width / 2, top - 0.5 * em, &style);
    }
  style.is_upright = TRUE;
  if (scene->rows.title != NULL && !(layout->flags & HL_MATRIX_NO_LEFT))
    {
      g_autofree char *title =
          hl_text_fit (&painter->theme, scene->rows.title, 0, cells->height);
      hl_paint_text (painter, title, left - 0.65 * em, cells->y + cells->height / 2,
                     &style);
    }
}

void
hl_paint_matrix_rulers (HlPainter *painter,
                        const HlMatrixScene *scene,
                        const HlMatrixLayout *layout)
{
  const HlRect *cells = &layout->cells;
  if (cells->width <= 0 || cells->height <= 0)
    return;
  const HlView *view = &layout->view;
  if (layout->flags & HL_MATRIX_RULERS)
    {
      HlRuler top = {
        .axis = &scene->columns,
        .is_top = TRUE,
        .rect = layout->top,
        .low = view->x0,
        .high = view->x1,
        .selected = scene->selected_column,
        .step = layout->top_step,
      };
      HlRuler left = {
        .axis = &scene->rows,
        .rect = layout->left,
        .low = view->y0,
        .high = view->y1,
        .selected = scene->selected_row,
        .step = layout->left_step,
      };
      hl_paint_ruler (painter, &top);
      if (left.rect.width > 0)
        hl_paint_ruler (painter, &left);
    }
  if (layout->flags & HL_MATRIX_AXIS_TITLES)
    paint_axis_titles (painter, scene, layout);

  /* The frame lies outside the cells and hides none of them. */
  cairo_t *cr = painter->cr;
  double half = painter->theme.line_width / 2;
  cairo_save (cr);
  cairo_rectangle (cr, cells->x - half, cells->y - half, cells->width + 2 * half,
                   cells->height + 2 * half);
  hl_paint_set_color (cr, &painter->theme.dim);
  cairo_set_line_width (cr, painter->theme.line_width);
  cairo_stroke (cr);
  cairo_restore (cr);
}

/* Two lines along the query, beside it and never over it. */
static void
paint_query_lines (HlPainter *painter, const HlMatrixLayout *layout, const HlRect *entry)
{
  cairo_t *cr = painter->cr;
  double line = MAX (painter->theme.line_width, 0.08 * painter->theme.font_size);
  double middle = entry->y + entry->height / 2;
  double away = MAX (entry->height / 2, 1.2 * line) + line / 2;
  for (int i = -1; i <= 1; i += 2)
    {
      cairo_move_to (cr, layout->cells.x, middle + i * away);
      cairo_rel_line_to (cr, layout->cells.width, 0);
    }
  cairo_set_line_width (cr, line);
  cairo_stroke (cr);
}

/* A box round the entry when there is a query, and a notch at the upper edge. */
static void
paint_key_mark (HlPainter *painter,
                const HlMatrixLayout *layout,
                const HlRect *entry,
                gboolean has_query)
{
  cairo_t *cr = painter->cr;
  const HlTheme *theme = &painter->theme;
  double line = 1.5 * MAX (theme->line_width, 0.08 * theme->font_size);
  double middle = entry->x + entry->width / 2, notch = 0.3 * theme->font_size;
  cairo_move_to (cr, middle - notch, layout->cells.y);
  cairo_line_to (cr, middle + notch, layout->cells.y);
  cairo_line_to (cr, middle, layout->cells.y + 1.4 * notch);
  cairo_close_path (cr);
  cairo_fill (cr);
  if (!has_query)
    return;
  double half_width = MAX (entry->width / 2, 0.25 * theme->font_size) + line / 2;
  double half_height = MAX (entry->height / 2, 0.25 * theme->font_size) + line / 2;
  double y = entry->y + entry->height / 2;
  cairo_rectangle (cr, middle - half_width, y - half_height, 2 * half_width,
                   2 * half_height);
  cairo_set_line_width (cr, line);
  cairo_stroke (cr);
}

void
hl_paint_matrix_marks (HlPainter *painter,
                       const HlMatrixScene *scene,
                       const HlMatrixLayout *layout)
{
  const HlRect *cells = &layout->cells;
  gboolean has_query = scene->selected_row >= 0 && scene->selected_row < scene->rows.n;
  gboolean has_key =
      scene->selected_column >= 0 && scene->selected_column < scene->columns.n;
  if (cells->width <= 0 || cells->height <= 0 || !(has_query || has_key))
    return;
  HlRect entry =
      hl_matrix_layout_entry_rect (layout, scene->selected_row, scene->selected_column);
  cairo_t *cr = painter->cr;
  cairo_save (cr);
  cairo_rectangle (cr, cells->x, cells->y, cells->width, cells->height);
  cairo_clip (cr);
  hl_paint_set_color (cr, &painter->theme.accent_query);
  if (has_query)
    paint_query_lines (painter, layout, &entry);
  if (has_key)
    paint_key_mark (painter, layout, &entry, has_query);
  cairo_restore (cr);
}

/* ---- everything ----------------------------------------------------------------------
 */

static gboolean
has_not_applicable (const HlMatrixScene *scene)
{
  if (scene->values == NULL)
    return FALSE;
  for (gint64 i = 0; i < scene->n_values_rows * scene->n_values_columns; i++)
    if (isnan (scene->values[i]))
      return TRUE;
  return FALSE;
}

static void
paint_title (HlPainter *painter, const HlMatrixScene *scene, const HlMatrixLayout *layout)
{
  double size = TITLE_SCALE * painter->theme.font_size;
  /* Bold is wider than what hl_text_fit() measures. */
  g_autofree char *title =
      hl_text_fit (&painter->theme, scene->title, size, 0.9 * layout->title.width);
  HlTextStyle style = {
    .size = size,
    .color = &painter->theme.foreground,
    .is_bold = TRUE,
  };
  hl_paint_text (painter, title, layout->title.x, layout->title.y + 0.9 * size, &style);
}

void
hl_paint_matrix (HlPainter *painter,
                 const HlMatrixScene *scene,
                 const HlMatrixLayout *layout)
{
  if (layout->title.height > 0)
    paint_title (painter, scene, layout);
  hl_paint_matrix_cells (painter, scene, layout);
  hl_paint_matrix_marks (painter, scene, layout);
  hl_paint_matrix_rulers (painter, scene, layout);
  if (layout->bar.height <= 0)
    return;
  HlRect bar = layout->bar;
  if (has_not_applicable (scene))
    {
      double em = painter->theme.font_size;
      double room = layout->cells.y + layout->cells.height - bar.y;
      bar.height = MAX (MIN (bar.height, room - 2.2 * em), 0);
      hl_paint_na_key (painter, scene->scale.colormap, bar.x,
                       bar.y + bar.height + 1.75 * em);
    }
  hl_paint_color_bar (painter, &scene->scale, &bar);
}
