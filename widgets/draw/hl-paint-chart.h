/* SPDX-License-Identifier: MIT
 * A chart: layout, hit testing, painting. */
#pragma once

#include "draw/hl-painter.h"
#include "scene/hl-chart-scene.h"

G_BEGIN_DECLS

/** HlChartLayout: plain data; user units. @plot is what the axes enclose, @x_low to
 * @x_high and @y_low to @y_high what they show (of a logarithmic axis the logarithm).
 * @skips_clouds: set where somebody else draws the series that are clouds. */
typedef struct
{
  HlRect title;
  HlRect plot;
  HlRect legend; /* empty where there is nothing to tell apart */
  double x_low, x_high, y_low, y_high;
  double used_width;
  double used_height;
  gboolean skips_clouds;
} HlChartLayout;

/** hl_chart_layout_compute: into @width by @height; @with_title where the scene has one.
 */
void hl_chart_layout_compute (const HlChartScene *scene,
                              const HlTheme *theme,
                              double width,
                              double height,
                              gboolean with_title,
                              HlChartLayout *layout);

/** hl_chart_layout_hit: mark of the first series under or next to a point; -1 for none.
 */
int hl_chart_layout_hit (const HlChartLayout *layout,
                         const HlChartScene *scene,
                         const HlTheme *theme,
                         double x,
                         double y);

/** hl_chart_layout_mark: where a mark of the first series lies: a bar's whole rectangle,
 * a dot's surroundings. */
HlRect hl_chart_layout_mark (const HlChartLayout *layout,
                             const HlChartScene *scene,
                             const HlTheme *theme,
                             int mark);

/** hl_paint_chart: @hovered: mark of the first series, outlined thinly; -1 for none. */
void hl_paint_chart (HlPainter *painter,
                     const HlChartScene *scene,
                     const HlChartLayout *layout,
                     int hovered);

/** hl_chart_series_color: of a mark of a series, or with -1 of the series. */
HlColor hl_chart_series_color (const HlChartScene *scene,
                               const HlChartSeries *series,
                               const HlTheme *theme,
                               int mark);

/** hl_chart_layout_x, _y: where a number lies. */
double
hl_chart_layout_x (const HlChartLayout *layout, const HlChartScene *scene, double x);
double hl_chart_layout_y (const HlChartLayout *layout, double y);

/** hl_chart_cloud_radius: of a cloud's dots, user units; HL_CHART_CLOUD_ALPHA. */
double hl_chart_cloud_radius (const HlChartScene *scene, const HlTheme *theme);
#define HL_CHART_CLOUD_ALPHA 0.55

/** HL_CHART_LEGEND_EM: height of a row of the legend, in font sizes. */
#define HL_CHART_LEGEND_EM 1.5

/** hl_chart_legend_start: x of the first label, behind the key of shades.
 * hl_chart_legend_place: x of a series' label in @width, where the one before ended at
 * *@x in *@row; both go on. NaN for a series without a label. */
double hl_chart_legend_start (const HlChartScene *scene, const HlTheme *theme);
double hl_chart_legend_place (
    const HlTheme *theme, const HlChartSeries *series, double width, double *x, int *row);

/** hl_chart_nice_step: 1, 2 or 5 times a power of ten, about @most times in @range. */
double hl_chart_nice_step (double range, int most);

G_END_DECLS
