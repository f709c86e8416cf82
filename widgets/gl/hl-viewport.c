/* SPDX-License-Identifier: MIT
 * Which part of a map is in sight. */
#include "config.h"

#include "gl/hl-viewport.h"

#include <math.h>

double
hl_viewport_fit_scale (const HlViewport *viewport)
{
  if (viewport->n_rows < 1 || viewport->n_columns < 1)
    return 1;
  return MAX (
      MIN (viewport->width / viewport->n_columns, viewport->height / viewport->n_rows),
      1e-6);
}

/* What the short side of a long map is drawn out to: its share of the space. */
static double
stretch (double scale, double space, double n)
{
  return MAX (scale, MIN (space / MAX (n, 1), HL_VIEWPORT_STRETCH_MAX));
}

double
hl_viewport_scale_x (const HlViewport *viewport)
{
  gboolean is_tall = viewport->n_rows > HL_VIEWPORT_STRETCH_RATIO * viewport->n_columns;
  return is_tall ? stretch (viewport->scale, viewport->width, viewport->n_columns)
                 : viewport->scale;
}

double
hl_viewport_scale_y (const HlViewport *viewport)
{
  gboolean is_wide = viewport->n_columns > HL_VIEWPORT_STRETCH_RATIO * viewport->n_rows;
  return is_wide ? stretch (viewport->scale, viewport->height, viewport->n_rows)
                 : viewport->scale;
}

gboolean
hl_viewport_is_stretched (const HlViewport *viewport)
{
  return hl_viewport_scale_x (viewport) != hl_viewport_scale_y (viewport);
}

static void
clamp (HlViewport *viewport)
{
  double fit = hl_viewport_fit_scale (viewport);
  if (viewport->is_fit)
    viewport->scale = fit;
  viewport->scale = CLAMP (viewport->scale, fit, MAX (HL_VIEWPORT_SCALE_MAX, fit));
  double n_seen_columns = viewport->width / hl_viewport_scale_x (viewport);
  double n_seen_rows = viewport->height / hl_viewport_scale_y (viewport);
  viewport->x0 = MAX (MIN (viewport->x0, viewport->n_columns - n_seen_columns), 0);
  viewport->y0 = MAX (MIN (viewport->y0, viewport->n_rows - n_seen_rows), 0);
}

void
hl_viewport_set_map (HlViewport *viewport, gint64 n_rows, gint64 n_columns)
{
  if (viewport->n_rows != n_rows || viewport->n_columns != n_columns)
    viewport->is_fit = TRUE;
  viewport->n_rows = n_rows;
  viewport->n_columns = n_columns;
  clamp (viewport);
}

void
hl_viewport_set_space (HlViewport *viewport, double width, double height)
{
  viewport->width = MAX (width, 1);
  viewport->height = MAX (height, 1);
  clamp (viewport);
}

void
hl_viewport_fit (HlViewport *viewport)
{
  viewport->is_fit = TRUE;
  clamp (viewport);
}

void
hl_viewport_show (
    HlViewport *viewport, double row, double end_row, double column, double end_column)
{
  double n_rows = MAX (end_row - row, 1), n_columns = MAX (end_column - column, 1);
  double scale = MIN (viewport->width / n_columns, viewport->height / n_rows);
  viewport->is_fit = FALSE;
  viewport->scale =
      MIN (scale, MAX (HL_VIEWPORT_SCALE_MAX, hl_viewport_fit_scale (viewport)));
  viewport->x0 =
      column - (viewport->width / hl_viewport_scale_x (viewport) - n_columns) / 2;
  viewport->y0 = row - (viewport->height / hl_viewport_scale_y (viewport) - n_rows) / 2;
  clamp (viewport);
}

gboolean
hl_viewport_zoom (HlViewport *viewport, double factor, double x, double y)
{
  HlViewport old = *viewport;
  double fit = hl_viewport_fit_scale (viewport);
  double at_x = viewport->x0 + x / hl_viewport_scale_x (viewport);
  double at_y = viewport->y0 + y / hl_viewport_scale_y (viewport);
  double scale = viewport->scale * factor;
  scale = CLAMP (scale, fit, MAX (HL_VIEWPORT_SCALE_MAX, fit));
  viewport->is_fit = scale <= fit * 1.0001;
  viewport->scale = scale;
  viewport->x0 = at_x - x / hl_viewport_scale_x (viewport);
  viewport->y0 = at_y - y / hl_viewport_scale_y (viewport);
  clamp (viewport);
  return viewport->scale != old.scale || viewport->x0 != old.x0 || viewport->y0 != old.y0;
}

gboolean
hl_viewport_pan (HlViewport *viewport, double dx, double dy)
{
  HlViewport old = *viewport;
  viewport->x0 += dx / hl_viewport_scale_x (viewport);
  viewport->y0 += dy / hl_viewport_scale_y (viewport);
  clamp (viewport);
  return viewport->x0 != old.x0 || viewport->y0 != old.y0;
}

/* The new start of a range that shows @length from @start, so that [i, i + 1) is in it.
 */
static double
reveal (double start, double length, double i)
{
  if (i < start)
    return i;
  if (i + 1 > start + length)
    return i + 1 - length;
  return start;
}

gboolean
hl_viewport_reveal (HlViewport *viewport, gint64 row, gint64 column)
{
  HlViewport old = *viewport;
  if (row >= 0)
    viewport->y0 =
        reveal (viewport->y0, viewport->height / hl_viewport_scale_y (viewport), row);
  if (column >= 0)
    viewport->x0 =
        reveal (viewport->x0, viewport->width / hl_viewport_scale_x (viewport), column);
  clamp (viewport);
  return viewport->x0 != old.x0 || viewport->y0 != old.y0;
}

HlView
hl_viewport_get_view (const HlViewport *viewport)
{
  HlView view = { viewport->x0, viewport->y0 };
  view.x1 = MIN (viewport->n_columns,
                 viewport->x0 + viewport->width / hl_viewport_scale_x (viewport));
  view.y1 = MIN (viewport->n_rows,
                 viewport->y0 + viewport->height / hl_viewport_scale_y (viewport));
  return view;
}
