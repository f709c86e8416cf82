/* SPDX-License-Identifier: MIT
 * A chart: painting. */
#include "config.h"

#include "draw/hl-paint-chart.h"

#include "draw/hl-colormap.h"

#include <math.h>

#define TITLE_SCALE 1.15
#define TICK_EM 0.4
#define BAND_ALPHA 0.18
#define FILL_ALPHA 0.35

typedef struct
{
  HlPainter *painter;
  const HlChartScene *scene;
  const HlChartLayout *layout;
  const HlTheme *theme;
  double em;
} Paint;

/* ---- colours -------------------------------------------------------------------------
 */

/* Okabe and Ito, Color Universal Design (2008); black is the theme's own. Beyond the
 * eight more hues, which are told apart by most people. */
static const guint32 palette[] = { 0x0072b2, 0xe69f00, 0x009e73, 0xcc79a7, 0x56b4e9,
                                   0xd55e00, 0xb8a800, 0x8a8a8a, 0x7a5cc8, 0xa83254,
                                   0x4f8a3c, 0xd9c07a, 0xa2559f, 0x3fb5a3, 0x8a5a32,
                                   0xef8f9c, 0x5f7fb0, 0xa6cc5a, 0xc45bd6, 0x5e6a71 };

HlColor
hl_chart_series_color (const HlChartScene *scene,
                       const HlChartSeries *s,
                       const HlTheme *theme,
                       int mark)
{
  guint8 rgb[3];
  if (mark >= 0 && s->shades != NULL && !isnan (s->shades[mark]))
    {
      hl_colormap_lookup (scene->colormap, s->shades[mark], rgb);
      return (HlColor){ rgb[0] / 255.0, rgb[1] / 255.0, rgb[2] / 255.0, 1 };
    }
  int color = mark >= 0 && s->colors != NULL ? s->colors[mark] : s->color;
  if (color < 0)
    return color == HL_CHART_FAINT ? theme->faint : theme->dim;
  guint32 hex = palette[color % (int) G_N_ELEMENTS (palette)];
  return (HlColor){ (hex >> 16 & 0xff) / 255.0, (hex >> 8 & 0xff) / 255.0,
                    (hex & 0xff) / 255.0, 1 };
}

static HlColor
color_of (const Paint *p, const HlChartSeries *s, int mark)
{
  return hl_chart_series_color (p->scene, s, p->theme, mark);
}

static void
set_color (const Paint *p, HlColor color, double alpha)
{
  color.alpha *= alpha;
  hl_paint_set_color (p->painter->cr, &color);
}

static double
to_x (const Paint *p, double x)
{
  const HlChartLayout *l = p->layout;
  double at = p->scene->log_x ? log10 (MAX (x, G_MINDOUBLE)) : x;
  return l->plot.x + (at - l->x_low) / (l->x_high - l->x_low) * l->plot.width;
}

static double
to_y (const Paint *p, double y)
{
  const HlChartLayout *l = p->layout;
  return l->plot.y + l->plot.height -
         (y - l->y_low) / (l->y_high - l->y_low) * l->plot.height;
}

static void
line_between (const Paint *p, double x1, double y1, double x2, double y2)
{
  cairo_move_to (p->painter->cr, x1, y1);
  cairo_line_to (p->painter->cr, x2, y2);
  cairo_stroke (p->painter->cr);
}

/* ---- axes ----------------------------------------------------------------------------
 */

static void
paint_y_axis (const Paint *p)
{
  const HlChartLayout *l = p->layout;
  const HlRect *plot = &l->plot;
  double range = l->y_high - l->y_low;
  double step =
      hl_chart_nice_step (range, (int) CLAMP (plot->height / p->em / 2.2, 1, 8));
  HlTextStyle style = { .anchor = HL_ANCHOR_END };
  for (double y = ceil (l->y_low / step) * step; y <= l->y_high + 1e-9 * step; y += step)
    {
      double at = to_y (p, y), clean = fabs (y) < 1e-9 * step ? 0 : y;
      hl_paint_set_color (p->painter->cr, &p->theme->faint);
      line_between (p, plot->x, at, plot->x + plot->width, at);
      g_autofree char *text = hl_format_number (clean);
      hl_paint_text (p->painter, text, plot->x - TICK_EM * p->em,
                     at + hl_text_drop (p->em), &style);
    }
  if (p->scene->y_title == NULL)
    return;
  double room = plot->height + 2 * p->em;
  g_autofree char *title = hl_text_fit (p->theme, p->scene->y_title, 0, room);
  const HlTextStyle turned = { .anchor = HL_ANCHOR_MIDDLE, .is_upright = TRUE };
  hl_paint_text (p->painter, title, p->em, plot->y + plot->height / 2, &turned);
}

static void
paint_x_label (const Paint *p, const char *text, double at, double *taken)
{
  double half = hl_text_width (p->theme, text, 0, FALSE) / 2;
  const HlRect *plot = &p->layout->plot;
  if (at - half < *taken || at < plot->x - 1 || at > plot->x + plot->width + 1)
    return;
  const HlTextStyle style = { .anchor = HL_ANCHOR_MIDDLE };
  hl_paint_text (p->painter, text, at, plot->y + plot->height + 1.5 * p->em, &style);
  *taken = at + half + 0.6 * p->em;
}

static void
paint_x_numbers (const Paint *p)
{
  const HlChartLayout *l = p->layout;
  double range = l->x_high - l->x_low, taken = -INFINITY;
  double step =
      hl_chart_nice_step (range, (int) CLAMP (l->plot.width / p->em / 4, 1, 12));
  step = p->scene->log_x ? MAX (step, 1) : step;
  for (double x = ceil (l->x_low / step) * step; x <= l->x_high + 1e-9 * step; x += step)
    {
      double value = fabs (x) < 1e-9 * step ? 0 : x;
      g_autofree char *text =
          hl_format_number (p->scene->log_x ? pow (10, value) : value);
      double at = l->plot.x + (x - l->x_low) / range * l->plot.width;
      paint_x_label (p, text, at, &taken);
    }
}

static void
paint_x_axis (const Paint *p)
{
  const HlRect *plot = &p->layout->plot;
  double taken = -INFINITY;
  hl_paint_set_color (p->painter->cr, &p->theme->dim);
  line_between (p, plot->x, plot->y + plot->height, plot->x + plot->width,
                plot->y + plot->height);
  if (p->scene->ticks->len == 0)
    paint_x_numbers (p);
  for (guint i = 0; i < p->scene->ticks->len; i++)
    {
      const HlChartTick *tick = &g_array_index (p->scene->ticks, HlChartTick, i);
      paint_x_label (p, tick->label, to_x (p, tick->at), &taken);
    }
  if (p->scene->x_title == NULL)
    return;
  const HlTextStyle style = { .anchor = HL_ANCHOR_MIDDLE };
  g_autofree char *title = hl_text_fit (p->theme, p->scene->x_title, 0, plot->width);
  hl_paint_text (p->painter, title, plot->x + plot->width / 2,
                 plot->y + plot->height + 3.1 * p->em, &style);
}

/* ---- marks ---------------------------------------------------------------------------
 */

static void
paint_whisker (const Paint *p, const HlChartSeries *s, int i)
{
  if (s->low == NULL || isnan (s->low[i]) || isnan (s->high[i]) ||
      s->low[i] == s->high[i])
    return;
  double x = to_x (p, s->x[i]), low = to_y (p, s->low[i]), high = to_y (p, s->high[i]);
  hl_paint_set_color (p->painter->cr, &p->theme->dim);
  line_between (p, x, low, x, high);
}

static void
paint_bars (const Paint *p, const HlChartSeries *s, gboolean is_first)
{
  double unit = p->layout->plot.width / (p->layout->x_high - p->layout->x_low);
  double gap = unit > 5 ? 0.15 * unit : 0, zero = to_y (p, 0);
  for (int i = 0; i < s->n; i++)
    {
      if (isnan (s->y[i]))
        continue;
      double y = to_y (p, s->y[i]);
      set_color (p, color_of (p, s, i), 1);
      cairo_rectangle (p->painter->cr, to_x (p, s->x[i]) - unit / 2 + gap / 2,
                       MIN (y, zero), MAX (unit - gap, 0.5), fabs (y - zero));
      cairo_fill_preserve (p->painter->cr);
      if (is_first && i == p->scene->selected)
        {
          hl_paint_set_color (p->painter->cr, &p->theme->accent_head);
          cairo_set_line_width (p->painter->cr, 2 * p->theme->line_width);
          cairo_stroke_preserve (p->painter->cr);
          cairo_set_line_width (p->painter->cr, p->theme->line_width);
        }
      cairo_new_path (p->painter->cr);
      if (unit > 5)
        paint_whisker (p, s, i);
    }
}

/* A chosen bar may be too low to be seen: it is underlined too. */
static void
underline_bar (const Paint *p, const HlChartSeries *s)
{
  int i = p->scene->selected;
  double unit = p->layout->plot.width / (p->layout->x_high - p->layout->x_low);
  if (s == NULL || s->kind != HL_CHART_BARS || i < 0 || i >= s->n)
    return;
  hl_paint_set_color (p->painter->cr, &p->theme->accent_head);
  cairo_rectangle (p->painter->cr, to_x (p, s->x[i]) - MAX (unit, 0.5 * p->em) / 2,
                   p->layout->plot.y + p->layout->plot.height, MAX (unit, 0.5 * p->em),
                   0.25 * p->em);
  cairo_fill (p->painter->cr);
}

static void
paint_dots (const Paint *p, const HlChartSeries *s, gboolean is_first)
{
  double r = (s->n > 1500 ? 0.16 : 0.28) * p->em;
  for (int i = 0; i < s->n; i++)
    {
      if (isnan (s->y[i]))
        continue;
      paint_whisker (p, s, i);
      set_color (p, color_of (p, s, i), 0.9);
      cairo_arc (p->painter->cr, to_x (p, s->x[i]), to_y (p, s->y[i]), r, 0, 2 * G_PI);
      cairo_fill (p->painter->cr);
    }
  int i = p->scene->selected;
  if (!is_first || i < 0 || i >= s->n || isnan (s->y[i]))
    return;
  hl_paint_set_color (p->painter->cr, &p->theme->accent_head);
  cairo_set_line_width (p->painter->cr, 2 * p->theme->line_width);
  cairo_arc (p->painter->cr, to_x (p, s->x[i]), to_y (p, s->y[i]), 0.5 * p->em, 0,
             2 * G_PI);
  cairo_stroke (p->painter->cr);
  cairo_set_line_width (p->painter->cr, p->theme->line_width);
}

static void
paint_cloud (const Paint *p, const HlChartSeries *s)
{
  double r = hl_chart_cloud_radius (p->scene, p->theme);
  for (int i = 0; i < s->n; i++)
    {
      if (isnan (s->y[i]))
        continue;
      set_color (p, color_of (p, s, i), HL_CHART_CLOUD_ALPHA);
      cairo_arc (p->painter->cr, to_x (p, s->x[i]), to_y (p, s->y[i]), r, 0, 2 * G_PI);
      cairo_fill (p->painter->cr);
    }
}

/* No numbers: what is enclosed is all. */
static void
paint_frame (const Paint *p)
{
  const HlRect *plot = &p->layout->plot;
  hl_paint_set_color (p->painter->cr, &p->theme->faint);
  cairo_rectangle (p->painter->cr, plot->x, plot->y, plot->width, plot->height);
  cairo_stroke (p->painter->cr);
}

static void
paint_band (const Paint *p, const HlChartSeries *s)
{
  if (s->low == NULL)
    return;
  for (int i = 0; i < s->n; i++)
    cairo_line_to (p->painter->cr, to_x (p, s->x[i]), to_y (p, s->high[i]));
  for (int i = s->n - 1; i >= 0; i--)
    cairo_line_to (p->painter->cr, to_x (p, s->x[i]), to_y (p, s->low[i]));
  cairo_close_path (p->painter->cr);
  set_color (p, color_of (p, s, -1), BAND_ALPHA);
  cairo_fill (p->painter->cr);
}

static void
paint_line (const Paint *p, const HlChartSeries *s)
{
  const double dashes[] = { 0.5 * p->em, 0.35 * p->em };
  paint_band (p, s);
  cairo_new_path (p->painter->cr);
  for (int i = 0; i < s->n; i++)
    if (!isnan (s->y[i]))
      cairo_line_to (p->painter->cr, to_x (p, s->x[i]), to_y (p, s->y[i]));
    else
      cairo_new_sub_path (p->painter->cr);
  set_color (p, color_of (p, s, -1), 1);
  cairo_set_line_width (p->painter->cr, 1.8 * p->theme->line_width);
  cairo_set_dash (p->painter->cr, dashes, s->is_dashed ? 2 : 0, 0);
  cairo_stroke (p->painter->cr);
  cairo_set_dash (p->painter->cr, NULL, 0, 0);
  cairo_set_line_width (p->painter->cr, p->theme->line_width);
}

/* A filled outline down to 0. */
static void
paint_steps (const Paint *p, const HlChartSeries *s)
{
  cairo_t *cr = p->painter->cr;
  if (s->n < 1)
    return;
  for (int round = 0; round < 2; round++)
    {
      if (round == 0)
        cairo_move_to (cr, to_x (p, s->x[0]), to_y (p, 0));
      for (int i = 0; i < s->n; i++)
        cairo_line_to (cr, to_x (p, s->x[i]), to_y (p, s->y[i]));
      if (round == 0)
        cairo_line_to (cr, to_x (p, s->x[s->n - 1]), to_y (p, 0));
      set_color (p, color_of (p, s, -1), round == 0 ? FILL_ALPHA : 1);
      if (round == 0)
        cairo_fill (cr);
      else
        cairo_stroke (cr);
    }
}

static void
paint_series (const Paint *p, guint index)
{
  const HlChartSeries *s = hl_chart_scene_get (p->scene, index);
  switch (s->kind)
    {
    case HL_CHART_BARS:
      paint_bars (p, s, index == 0);
      break;
    case HL_CHART_DOTS:
      if (!s->is_cloud)
        paint_dots (p, s, index == 0);
      else if (!p->layout->skips_clouds)
        paint_cloud (p, s);
      break;
    case HL_CHART_LINE:
      paint_line (p, s);
      break;
    case HL_CHART_STEPS:
      paint_steps (p, s);
      break;
    }
}

/* ---- beside the marks ----------------------------------------------------------------
 */

static void
paint_rule (const Paint *p)
{
  const HlRect *plot = &p->layout->plot;
  const double dashes[] = { 0.4 * p->em, 0.3 * p->em };
  if (isnan (p->scene->rule))
    return;
  double y = to_y (p, p->scene->rule);
  hl_paint_set_color (p->painter->cr, &p->theme->dim);
  cairo_set_dash (p->painter->cr, dashes, 2, 0);
  line_between (p, plot->x, y, plot->x + plot->width, y);
  cairo_set_dash (p->painter->cr, NULL, 0, 0);
  const HlTextStyle style = { .anchor = HL_ANCHOR_END, .size = 0.9 * p->em };
  if (p->scene->rule_label != NULL)
    hl_paint_text (p->painter, p->scene->rule_label, plot->x + plot->width - 0.3 * p->em,
                   y - 0.3 * p->em, &style);
}

static void
paint_marker (const Paint *p)
{
  const HlRect *plot = &p->layout->plot;
  if (isnan (p->scene->marker))
    return;
  double x = to_x (p, p->scene->marker);
  hl_paint_set_color (p->painter->cr, &p->theme->accent_query);
  cairo_set_line_width (p->painter->cr, 1.6 * p->theme->line_width);
  line_between (p, x, plot->y, x, plot->y + plot->height);
  cairo_set_line_width (p->painter->cr, p->theme->line_width);
  if (p->scene->marker_label == NULL)
    return;
  gboolean is_right = x > plot->x + plot->width / 2;
  const HlTextStyle style = { .anchor = is_right ? HL_ANCHOR_END : HL_ANCHOR_START,
                              .color = &p->theme->accent_query,
                              .size = 0.9 * p->em };
  hl_paint_text (p->painter, p->scene->marker_label, x + (is_right ? -0.4 : 0.4) * p->em,
                 plot->y + p->em, &style);
}

/* What the colours along the map mean: a strip with a word at each end. */
static void
paint_shades_key (const Paint *p, double x, double y)
{
  enum
  {
    N = 24
  };
  double width = 5 * p->em, height = 0.7 * p->em;
  const HlTextStyle style = { .anchor = HL_ANCHOR_START };
  hl_paint_text (p->painter, p->scene->shades_low, x, y + hl_text_drop (p->em), &style);
  x += hl_text_width (p->theme, p->scene->shades_low, 0, FALSE) + 0.4 * p->em;
  for (int i = 0; i < N; i++)
    {
      guint8 rgb[3];
      hl_colormap_lookup (p->scene->colormap, i / (double) (N - 1), rgb);
      const HlColor color = { rgb[0] / 255.0, rgb[1] / 255.0, rgb[2] / 255.0, 1 };
      hl_paint_set_color (p->painter->cr, &color);
      cairo_rectangle (p->painter->cr, x + i * width / N, y - height / 2,
                       width / N + 0.25, height);
      cairo_fill (p->painter->cr);
    }
  x += width + 0.4 * p->em;
  hl_paint_text (p->painter, p->scene->shades_high, x, y + hl_text_drop (p->em), &style);
}

/* A line, or a dot of dots. */
static void
paint_sample (const Paint *p, const HlChartSeries *s, double x, double y)
{
  const double dashes[] = { 0.4 * p->em, 0.3 * p->em };
  set_color (p, color_of (p, s, -1), 1);
  if (s->kind == HL_CHART_DOTS)
    {
      cairo_arc (p->painter->cr, x + 0.9 * p->em, y, 0.32 * p->em, 0, 2 * G_PI);
      cairo_fill (p->painter->cr);
      return;
    }
  cairo_set_line_width (p->painter->cr, 2 * p->theme->line_width);
  cairo_set_dash (p->painter->cr, dashes, s->is_dashed ? 2 : 0, 0);
  line_between (p, x, y, x + 1.4 * p->em, y);
  cairo_set_dash (p->painter->cr, NULL, 0, 0);
  cairo_set_line_width (p->painter->cr, p->theme->line_width);
}

static void
paint_legend (const Paint *p)
{
  const HlRect *legend = &p->layout->legend;
  const HlTextStyle style = { .anchor = HL_ANCHOR_START };
  double row_height = HL_CHART_LEGEND_EM * p->em, y = legend->y + 0.5 * p->em;
  double end = hl_chart_legend_start (p->scene, p->theme);
  int row = 0;
  if (legend->width <= 0)
    return;
  if (p->scene->shades_low != NULL)
    paint_shades_key (p, legend->x, y);
  for (guint k = 0; k < p->scene->series->len; k++)
    {
      const HlChartSeries *s = hl_chart_scene_get (p->scene, k);
      double x = hl_chart_legend_place (p->theme, s, legend->width, &end, &row);
      if (isnan (x))
        continue;
      if ((row + 1) * row_height > legend->height + 1)
        return;
      double at = y + row * row_height;
      paint_sample (p, s, legend->x + x, at);
      hl_paint_text (p->painter, s->label, legend->x + x + 1.8 * p->em,
                     at + hl_text_drop (p->em), &style);
    }
}

static void
paint_hovered (const Paint *p, int hovered)
{
  HlRect at = hl_chart_layout_mark (p->layout, p->scene, p->theme, hovered);
  if (at.width <= 0)
    return;
  double out = hl_chart_scene_get (p->scene, 0)->kind == HL_CHART_BARS ? 1 : 2;
  hl_paint_set_color (p->painter->cr, &p->theme->foreground);
  cairo_rectangle (p->painter->cr, at.x - out, at.y - out, at.width + 2 * out,
                   at.height + 2 * out);
  cairo_stroke (p->painter->cr);
}

void
hl_paint_chart (HlPainter *painter,
                const HlChartScene *scene,
                const HlChartLayout *layout,
                int hovered)
{
  const Paint p = { painter, scene, layout, &painter->theme, painter->theme.font_size };
  cairo_t *cr = painter->cr;
  cairo_save (cr);
  cairo_set_line_width (cr, p.theme->line_width);
  if (layout->title.height > 0)
    {
      const HlTextStyle style = { .size = TITLE_SCALE * p.em,
                                  .color = &p.theme->foreground };
      g_autofree char *title =
          hl_text_fit (p.theme, scene->title, TITLE_SCALE * p.em, layout->title.width);
      hl_paint_text (painter, title, layout->title.x, layout->title.y + 1.2 * p.em,
                     &style);
    }
  if (scene->is_map)
    paint_frame (&p);
  else
    paint_y_axis (&p);
  cairo_save (cr);
  cairo_rectangle (cr, layout->plot.x, layout->plot.y - p.em, layout->plot.width,
                   layout->plot.height + 2 * p.em);
  cairo_clip (cr);
  for (guint k = scene->series->len; k > 0; k--)
    paint_series (&p, k - 1);
  paint_hovered (&p, hovered);
  cairo_restore (cr);
  if (!scene->is_map)
    paint_x_axis (&p);
  underline_bar (&p, hl_chart_scene_get (scene, 0));
  paint_rule (&p);
  paint_marker (&p);
  paint_legend (&p);
  cairo_restore (cr);
}
