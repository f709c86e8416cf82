/* SPDX-License-Identifier: MIT
 * A chart: bars, dots, lines and bands over two axes, as plain data. Marks of the first
 * series can be pointed at and chosen; the others stand beside them.
 * Immutable once shared; atomic reference count. */
#pragma once

#include "scene/hl-scene.h"

G_BEGIN_DECLS

typedef enum
{
  HL_CHART_BARS,  /* from 0 to y, with a whisker from low to high where these are there */
  HL_CHART_DOTS,  /* likewise */
  HL_CHART_LINE,  /* with a band from low to high */
  HL_CHART_STEPS, /* a filled outline: a histogram or density */
} HlChartKind;

/** HL_CHART_FOREGROUND: a series that is drawn in the theme's dim colour. */
#define HL_CHART_FOREGROUND (-1)
/** HL_CHART_FAINT: likewise in the colour of hairlines, for what is left out. */
#define HL_CHART_FAINT (-2)
/** HL_CHART_N_COLORS: more repeat. */
#define HL_CHART_N_COLORS 20

/**
 * HlChartSeries: @n marks; NaN in @y is no mark.
 * @x, @y: (n)
 * @low, @high: (nullable) (n): interval of y
 * @shades: (nullable) (n): each mark's colour, 0..1 along the scene's colour map
 * @colors: (nullable) (n): each mark's @color, where there are no shades
 * @names: (nullable) (n): each mark in words, "5.2: 0.31 nats (0.27 to 0.35)"
 * @color: among the colours that are told apart by colour-blind people (Okabe and Ito),
 *   the first eight, or one of the two above; for series without shades
 * @is_dashed: of a line; a line is broken where y is NaN
 * @is_cloud: of dots: many small ones that stand behind the others
 * @label: (nullable): for the legend
 */
typedef struct
{
  HlChartKind kind;
  int n;
  double *x;
  double *y;
  double *low;
  double *high;
  double *shades;
  int *colors;
  char **names;
  int color;
  gboolean is_dashed;
  gboolean is_cloud;
  char *label;
} HlChartSeries;

/** HlChartTick: a label below the x axis in place of numbers. */
typedef struct
{
  double at;
  char *label;
} HlChartTick;

/**
 * HlChartScene:
 * @title, @caption: as of any scene
 * @x_title, @y_title: with units
 * @ticks: (element-type HlChartTick): in place of numbers; empty for numbers
 * @series: of HlChartSeries *
 * @selected: mark of the first series; -1 for none
 * @x_low, @x_high, @y_low, @y_high: what the axes show; NaN lets the marks decide
 * @rule: a horizontal dashed line, @rule_label beside it; NaN for none
 * @marker: a vertical line in the accent colour, @marker_label beside it; NaN for none
 * @colormap: of shades; @shades_low and @shades_high say what its ends are, "layer 0"
 * @is_map: only what lies near what means something: no numbers on the axes
 * @log_x: positions on the x axis are logarithmic (x > 0)
 */
typedef struct
{
  gatomicrefcount refs;
  char *title;
  char *caption;
  char *x_title;
  char *y_title;
  GArray *ticks;
  GPtrArray *series;
  int selected;
  double x_low;
  double x_high;
  double y_low;
  double y_high;
  double rule;
  char *rule_label;
  double marker;
  char *marker_label;
  HlColormap colormap;
  char *shades_low;
  char *shades_high;
  gboolean is_map;
  gboolean log_x;
} HlChartScene;

/** hl_chart_scene_new: (transfer full): empty, nothing selected. */
HlChartScene *hl_chart_scene_new (void);
HlChartScene *hl_chart_scene_ref (HlChartScene *scene);
void hl_chart_scene_unref (HlChartScene *scene);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlChartScene, hl_chart_scene_unref)

/** hl_chart_scene_add: (transfer none): a series of @n marks at 0, without interval,
 * shades and names, to be filled. */
HlChartSeries *hl_chart_scene_add (HlChartScene *scene, HlChartKind kind, int n);

/** hl_chart_scene_add_tick: copies @label. */
void hl_chart_scene_add_tick (HlChartScene *scene, double at, const char *label);

/** hl_chart_series_get: (transfer none) (nullable): the @index-th series. */
const HlChartSeries *hl_chart_scene_get (const HlChartScene *scene, guint index);

/** hl_chart_series_add_interval, _shades, _colors, _names: room for them, NaN, 0 and
 * NULL at first. */
void hl_chart_series_add_interval (HlChartSeries *series);
void hl_chart_series_add_shades (HlChartSeries *series);
void hl_chart_series_add_colors (HlChartSeries *series);
void hl_chart_series_add_names (HlChartSeries *series);

G_END_DECLS
