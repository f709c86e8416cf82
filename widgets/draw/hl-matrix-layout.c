/* SPDX-License-Identifier: MIT
 * Where the parts of a painted map lie, and which entry is under a point. */
#include "config.h"

#include "draw/hl-paint-matrix.h"

#include "draw/hl-ruler.h"

#include <math.h>

/* Distances in multiples of the text size. */
#define TITLE_EM 1.9
#define TOP_TITLE_EM 1.5
#define LEFT_TITLE_EM 1.7
#define BAR_GAP_EM 1.0
#define EDGE_EM 0.6 /* half of a label that is centred on an edge */

static void
make_square (HlMatrixLayout *layout)
{
  double columns = layout->view.x1 - layout->view.x0;
  double rows = layout->view.y1 - layout->view.y0;
  double side = MIN (layout->cells.width / columns, layout->cells.height / rows);
  layout->cells.width = side * columns;
  layout->cells.height = side * rows;
}

/* A smaller step shows more labels, among them perhaps a wider one, which would need more
 * room again: it is taken only where the ruler does not grow by it. */
static void
tighten_one (const HlTheme *theme, HlRuler *ruler, double *extent, gint64 *step)
{
  if (*extent <= 0)
    return;
  gint64 closer = hl_ruler_choose_step (theme, ruler);
  ruler->step = closer;
  double needed = hl_ruler_extent_shown (theme, ruler);
  if (needed > *extent + 1e-6)
    return;
  *extent = needed;
  *step = closer;
}

/* Shrinks the rulers to the labels that are shown, and keeps to those labels. */
static void
tighten (const HlMatrixScene *scene,
         const HlTheme *theme,
         HlMatrixLayout *layout,
         double *top,
         double *left)
{
  HlRuler above = {
    .axis = &scene->columns,
    .is_top = TRUE,
    .rect = layout->cells,
    .low = layout->view.x0,
    .high = layout->view.x1,
    .selected = scene->selected_column,
  };
  HlRuler beside = {
    .axis = &scene->rows,
    .rect = layout->cells,
    .low = layout->view.y0,
    .high = layout->view.y1,
    .selected = scene->selected_row,
  };
  tighten_one (theme, &above, top, &layout->top_step);
  tighten_one (theme, &beside, left, &layout->left_step);
}

void
hl_matrix_layout_compute (const HlMatrixScene *scene,
                          const HlTheme *theme,
                          double width,
                          double height,
                          const HlView *view,
                          HlMatrixFlags flags,
                          HlMatrixLayout *layout)
{
  double em = theme->font_size;
  gboolean has_left = !(flags & HL_MATRIX_NO_LEFT);
  double left = 0, top = 0, right = 0, bottom = 0;
  *layout = (HlMatrixLayout){ .flags = flags };
  layout->view =
      view != NULL ? *view
                   : (HlView){ 0, 0, MAX (scene->columns.n, 1), MAX (scene->rows.n, 1) };
  if (!(layout->view.x1 > layout->view.x0))
    layout->view.x1 = layout->view.x0 + 1;
  if (!(layout->view.y1 > layout->view.y0))
    layout->view.y1 = layout->view.y0 + 1;

  if ((flags & HL_MATRIX_TITLE) && scene->title != NULL)
    top += TITLE_EM * em;
  double title_bottom = top;
  if (flags & HL_MATRIX_AXIS_TITLES)
    {
      top += scene->columns.title != NULL ? TOP_TITLE_EM * em : 0;
      left += has_left && scene->rows.title != NULL ? LEFT_TITLE_EM * em : 0;
    }
  double ruler_top = top, ruler_left = left;
  double ruler_height = 0, ruler_width = 0;
  if (flags & HL_MATRIX_RULERS)
    {
      ruler_height = hl_ruler_extent (theme, &scene->columns, TRUE);
      ruler_width = has_left ? hl_ruler_extent (theme, &scene->rows, FALSE) : 0;
      bottom = right = EDGE_EM * em;
    }
  if (flags & HL_MATRIX_BAR)
    {
      bottom = MAX (bottom, EDGE_EM * em);
      right = BAR_GAP_EM * em + hl_color_bar_extent (theme, &scene->scale, TRUE);
    }

  gboolean is_tight = (flags & HL_MATRIX_TIGHT) && (flags & HL_MATRIX_RULERS);
  for (int pass = is_tight ? 0 : 2; pass < 3; pass++)
    {
      double x = left + ruler_width, y = top + ruler_height;
      layout->cells =
          (HlRect){ x, y, MAX (width - x - right, 0), MAX (height - y - bottom, 0) };
      if (flags & HL_MATRIX_SQUARE)
        make_square (layout);
      if (pass < 2 && is_tight)
        tighten (scene, theme, layout, &ruler_height, &ruler_width);
    }
  HlRect *cells = &layout->cells;
  if ((flags & HL_MATRIX_TITLE) && scene->title != NULL)
    layout->title = (HlRect){ cells->x, 0, cells->width + right, title_bottom };
  if (flags & HL_MATRIX_RULERS)
    {
      layout->top = (HlRect){ cells->x, ruler_top, cells->width, cells->y - ruler_top };
      layout->left =
          (HlRect){ ruler_left, cells->y, cells->x - ruler_left, cells->height };
    }
  if (flags & HL_MATRIX_BAR)
    layout->bar =
        (HlRect){ cells->x + cells->width + BAR_GAP_EM * em, cells->y,
                  HL_COLOR_BAR_EM * em, hl_color_bar_length (theme, cells->height) };
  layout->used_width = cells->x + cells->width + right;
  layout->used_height = cells->y + cells->height + bottom;
}

HlRect
hl_matrix_layout_entry_rect (const HlMatrixLayout *layout, gint64 row, gint64 column)
{
  const HlRect *cells = &layout->cells;
  double sx = cells->width / (layout->view.x1 - layout->view.x0);
  double sy = cells->height / (layout->view.y1 - layout->view.y0);
  return (HlRect){ cells->x + (column - layout->view.x0) * sx,
                   cells->y + (row - layout->view.y0) * sy, sx, sy };
}

gboolean
hl_matrix_layout_hit (const HlMatrixLayout *layout,
                      const HlMatrixScene *scene,
                      double x,
                      double y,
                      gint64 *row,
                      gint64 *column)
{
  const HlRect *cells = &layout->cells;
  if (!hl_rect_contains (cells, x, y))
    return FALSE;
  double u = (x - cells->x) / cells->width, v = (y - cells->y) / cells->height;
  double c = floor (layout->view.x0 + u * (layout->view.x1 - layout->view.x0));
  double r = floor (layout->view.y0 + v * (layout->view.y1 - layout->view.y0));
  if (c < 0 || r < 0 || c >= scene->columns.n || r >= scene->rows.n)
    return FALSE;
  *row = (gint64) r;
  *column = (gint64) c;
  return TRUE;
}

HlCellPool
hl_matrix_layout_pool (const HlMatrixLayout *layout,
                       const HlMatrixScene *scene,
                       double pixels_per_unit)
{
  double columns = (layout->view.x1 - layout->view.x0) / MAX (scene->pool, 1);
  double rows = (layout->view.y1 - layout->view.y0) / MAX (scene->pool, 1);
  double across = columns / MAX (layout->cells.width * pixels_per_unit, 1);
  double down = rows / MAX (layout->cells.height * pixels_per_unit, 1);
  /* A hair under one pixel a value is not worth losing half of the resolution. */
  return (HlCellPool){ MAX ((gint64) ceil (down - 1e-3), 1),
                       MAX ((gint64) ceil (across - 1e-3), 1) };
}
