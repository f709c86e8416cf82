/* SPDX-License-Identifier: MIT
 * A chart: where things lie. */
#include "config.h"

#include "draw/hl-paint-chart.h"

#include <math.h>

#define TITLE_EM 1.9
#define EDGE_EM 0.6
#define TICK_EM 0.4
#define LABEL_EM 1.3
#define AXIS_TITLE_EM 1.5
#define LEGEND_EM HL_CHART_LEGEND_EM
#define LEGEND_ROWS 3
#define NUMBER_EM 3.4 /* room for the numbers of the y axis */
#define DOT_EM 0.28

double
hl_chart_nice_step (double range, int most)
{
  if (!(range > 0) || most < 1)
    return 1;
  double raw = range / most, power = pow (10, floor (log10 (raw)));
  double scaled = raw / power;
  return power * (scaled <= 1 ? 1 : scaled <= 2 ? 2 : scaled <= 5 ? 5 : 10);
}

static double
x_of (const HlChartScene *scene, double x)
{
  return scene->log_x ? log10 (MAX (x, G_MINDOUBLE)) : x;
}

static void
include (double x, double *low, double *high)
{
  if (!isfinite (x))
    return;
  *low = isnan (*low) ? x : fmin (*low, x);
  *high = isnan (*high) ? x : fmax (*high, x);
}

/* What the marks need; bars stand on 0 and are one wide. */
static void
find_range (const HlChartScene *scene, HlChartLayout *layout)
{
  layout->x_low = layout->x_high = layout->y_low = layout->y_high = NAN;
  for (guint k = 0; k < scene->series->len; k++)
    {
      const HlChartSeries *s = hl_chart_scene_get (scene, k);
      double half = s->kind == HL_CHART_BARS ? 0.5 : 0;
      for (int i = 0; i < s->n; i++)
        {
          if (isnan (s->y[i]) && s->kind != HL_CHART_BARS)
            continue;
          include (x_of (scene, s->x[i]) - half, &layout->x_low, &layout->x_high);
          include (x_of (scene, s->x[i]) + half, &layout->x_low, &layout->x_high);
          include (s->y[i], &layout->y_low, &layout->y_high);
          if (s->low != NULL)
            include (s->low[i], &layout->y_low, &layout->y_high);
          if (s->high != NULL)
            include (s->high[i], &layout->y_low, &layout->y_high);
        }
      if (s->kind == HL_CHART_BARS || s->kind == HL_CHART_STEPS)
        include (0, &layout->y_low, &layout->y_high);
    }
  include (scene->rule, &layout->y_low, &layout->y_high);
  include (x_of (scene, scene->marker), &layout->x_low, &layout->x_high);
}

/* A little air, but none below bars that stand on 0. */
static void
widen (const HlChartScene *scene, HlChartLayout *layout)
{
  const HlChartSeries *first = hl_chart_scene_get (scene, 0);
  gboolean has_bars = first != NULL && first->kind == HL_CHART_BARS;
  double dx = layout->x_high - layout->x_low, dy = layout->y_high - layout->y_low;
  if (isnan (dx))
    layout->x_low = 0, layout->x_high = dx = 1;
  if (isnan (dy))
    layout->y_low = 0, layout->y_high = dy = 1;
  dx = dx > 0 ? dx : 1;
  dy = dy > 0 ? dy : MAX (fabs (layout->y_high), 1e-9);
  if (!has_bars)
    {
      layout->x_low -= 0.03 * dx;
      layout->x_high += 0.03 * dx;
    }
  layout->y_high += layout->y_high == 0 && layout->y_low < 0 ? 0 : 0.06 * dy;
  if (layout->y_low != 0)
    layout->y_low -= 0.06 * dy;
}

static void
force_range (const HlChartScene *scene, HlChartLayout *layout)
{
  layout->x_low = isnan (scene->x_low) ? layout->x_low : x_of (scene, scene->x_low);
  layout->x_high = isnan (scene->x_high) ? layout->x_high : x_of (scene, scene->x_high);
  layout->y_low = isnan (scene->y_low) ? layout->y_low : scene->y_low;
  layout->y_high = isnan (scene->y_high) ? layout->y_high : scene->y_high;
  if (!(layout->x_high > layout->x_low))
    layout->x_high = layout->x_low + 1;
  if (!(layout->y_high > layout->y_low))
    layout->y_high = layout->y_low + 1;
}

static gboolean
has_legend (const HlChartScene *scene)
{
  if (scene->shades_low != NULL)
    return TRUE;
  for (guint k = 0; k < scene->series->len; k++)
    if (hl_chart_scene_get (scene, k)->label != NULL)
      return TRUE;
  return FALSE;
}

/* Rows that the legend takes, at most three. */
static int
count_legend_rows (const HlChartScene *scene, const HlTheme *theme, double width)
{
  double x = hl_chart_legend_start (scene, theme);
  int row = 0;
  for (guint k = 0; k < scene->series->len; k++)
    hl_chart_legend_place (theme, hl_chart_scene_get (scene, k), width, &x, &row);
  return MIN (row + 1, LEGEND_ROWS);
}

double
hl_chart_legend_start (const HlChartScene *scene, const HlTheme *theme)
{
  double em = theme->font_size;
  if (scene->shades_low == NULL)
    return 0;
  return hl_text_width (theme, scene->shades_low, 0, FALSE) +
         hl_text_width (theme, scene->shades_high, 0, FALSE) + 7 * em;
}

double
hl_chart_legend_place (
    const HlTheme *theme, const HlChartSeries *s, double width, double *x, int *row)
{
  double em = theme->font_size, at = *x;
  if (s->label == NULL)
    return NAN;
  double own = 1.8 * em + hl_text_width (theme, s->label, 0, FALSE);
  if (at > 0 && at + own > width + 1)
    {
      (*row)++;
      at = 0;
    }
  *x = at + own + 1.2 * em;
  return at;
}

void
hl_chart_layout_compute (const HlChartScene *scene,
                         const HlTheme *theme,
                         double width,
                         double height,
                         gboolean with_title,
                         HlChartLayout *layout)
{
  double em = theme->font_size;
  *layout = (HlChartLayout){ .used_width = width, .used_height = height };
  find_range (scene, layout);
  widen (scene, layout);
  force_range (scene, layout);
  double top = EDGE_EM * em, left = NUMBER_EM * em;
  double bottom = (TICK_EM + LABEL_EM) * em;
  if (scene->is_map)
    left = bottom = EDGE_EM * em;
  if (scene->y_title != NULL)
    left += AXIS_TITLE_EM * em;
  if (scene->x_title != NULL)
    bottom += (AXIS_TITLE_EM + 0.4) * em;
  if (with_title && scene->title != NULL)
    {
      layout->title = (HlRect){ 0, 0, width, TITLE_EM * em };
      top += TITLE_EM * em;
    }
  if (has_legend (scene))
    {
      double room = MAX (width - left, 0);
      int rows = count_legend_rows (scene, theme, room);
      layout->legend = (HlRect){ left, top, room, rows * LEGEND_EM * em };
      top += rows * LEGEND_EM * em;
    }
  layout->plot = (HlRect){ left, top, MAX (width - left - EDGE_EM * em, 1),
                           MAX (height - top - bottom, 1) };
}

double
hl_chart_cloud_radius (const HlChartScene *scene, const HlTheme *theme)
{
  gsize n = 0;
  for (guint k = 0; k < scene->series->len; k++)
    {
      const HlChartSeries *s = hl_chart_scene_get (scene, k);
      n += s->is_cloud ? (gsize) s->n : 0;
    }
  return (n > 500 ? 0.13 : 0.2) * theme->font_size;
}

/* ---- marks ---------------------------------------------------------------------------
 */

static double
to_x (const HlChartLayout *layout, const HlChartScene *scene, double x)
{
  return layout->plot.x + (x_of (scene, x) - layout->x_low) /
                              (layout->x_high - layout->x_low) * layout->plot.width;
}

static double
to_y (const HlChartLayout *layout, double y)
{
  return layout->plot.y + layout->plot.height -
         (y - layout->y_low) / (layout->y_high - layout->y_low) * layout->plot.height;
}

double
hl_chart_layout_x (const HlChartLayout *layout, const HlChartScene *scene, double x)
{
  return to_x (layout, scene, x);
}

double
hl_chart_layout_y (const HlChartLayout *layout, double y)
{
  return to_y (layout, y);
}

HlRect
hl_chart_layout_mark (const HlChartLayout *layout,
                      const HlChartScene *scene,
                      const HlTheme *theme,
                      int mark)
{
  const HlChartSeries *s = hl_chart_scene_get (scene, 0);
  HlRect none = { 0, 0, 0, 0 };
  if (s == NULL || mark < 0 || mark >= s->n || isnan (s->y[mark]))
    return none;
  double x = to_x (layout, scene, s->x[mark]), y = to_y (layout, s->y[mark]);
  if (s->kind != HL_CHART_BARS)
    {
      double r = DOT_EM * theme->font_size;
      return (HlRect){ x - r, y - r, 2 * r, 2 * r };
    }
  double unit = layout->plot.width / (layout->x_high - layout->x_low);
  double gap = unit > 5 ? 0.15 * unit : 0, zero = to_y (layout, 0);
  return (HlRect){ x - unit / 2 + gap / 2, MIN (y, zero), unit - gap, fabs (y - zero) };
}

/* Of bars whoever stands above or below the point; of dots the nearest within reach. */
int
hl_chart_layout_hit (const HlChartLayout *layout,
                     const HlChartScene *scene,
                     const HlTheme *theme,
                     double x,
                     double y)
{
  const HlChartSeries *s = hl_chart_scene_get (scene, 0);
  if (s == NULL || !hl_rect_contains (&layout->plot, x, y))
    return -1;
  double nearest = s->kind == HL_CHART_BARS
                       ? layout->plot.width / (layout->x_high - layout->x_low)
                       : 1.2 * theme->font_size;
  int found = -1;
  for (int i = 0; i < s->n; i++)
    {
      if (isnan (s->y[i]))
        continue;
      double dx = to_x (layout, scene, s->x[i]) - x;
      double away =
          s->kind == HL_CHART_DOTS ? hypot (dx, to_y (layout, s->y[i]) - y) : fabs (dx);
      if (away < nearest)
        {
          nearest = away;
          found = i;
        }
    }
  return found;
}
