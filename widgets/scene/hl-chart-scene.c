/* SPDX-License-Identifier: MIT
 * A chart, as plain data. */
#include "config.h"

#include "scene/hl-chart-scene.h"

#include <math.h>

static void
series_free (gpointer data)
{
  HlChartSeries *s = data;
  for (int i = 0; i < s->n && s->names != NULL; i++)
    g_free (s->names[i]);
  g_free (s->names);
  g_free (s->x);
  g_free (s->y);
  g_free (s->low);
  g_free (s->high);
  g_free (s->shades);
  g_free (s->colors);
  g_free (s->label);
  g_free (s);
}

static void
tick_clear (gpointer data)
{
  g_free (((HlChartTick *) data)->label);
}

HlChartScene *
hl_chart_scene_new (void)
{
  HlChartScene *scene = g_new0 (HlChartScene, 1);
  g_atomic_ref_count_init (&scene->refs);
  scene->ticks = g_array_new (FALSE, FALSE, sizeof (HlChartTick));
  g_array_set_clear_func (scene->ticks, tick_clear);
  scene->series = g_ptr_array_new_with_free_func (series_free);
  scene->selected = -1;
  scene->x_low = scene->x_high = scene->y_low = scene->y_high = NAN;
  scene->rule = scene->marker = NAN;
  return scene;
}

HlChartScene *
hl_chart_scene_ref (HlChartScene *scene)
{
  g_atomic_ref_count_inc (&scene->refs);
  return scene;
}

void
hl_chart_scene_unref (HlChartScene *scene)
{
  if (scene == NULL || !g_atomic_ref_count_dec (&scene->refs))
    return;
  g_free (scene->title);
  g_free (scene->caption);
  g_free (scene->x_title);
  g_free (scene->y_title);
  g_free (scene->rule_label);
  g_free (scene->marker_label);
  g_free (scene->shades_low);
  g_free (scene->shades_high);
  g_array_unref (scene->ticks);
  g_ptr_array_unref (scene->series);
  g_free (scene);
}

HlChartSeries *
hl_chart_scene_add (HlChartScene *scene, HlChartKind kind, int n)
{
  HlChartSeries *s = g_new0 (HlChartSeries, 1);
  s->kind = kind;
  s->n = n;
  s->x = g_new0 (double, (gsize) n + 1);
  s->y = g_new0 (double, (gsize) n + 1);
  g_ptr_array_add (scene->series, s);
  return s;
}

void
hl_chart_scene_add_tick (HlChartScene *scene, double at, const char *label)
{
  const HlChartTick tick = { at, g_strdup (label) };
  g_array_append_val (scene->ticks, tick);
}

const HlChartSeries *
hl_chart_scene_get (const HlChartScene *scene, guint index)
{
  return index < scene->series->len ? g_ptr_array_index (scene->series, index) : NULL;
}

static double *
nans (int n)
{
  double *x = g_new (double, (gsize) n + 1);
  for (int i = 0; i < n; i++)
    x[i] = NAN;
  return x;
}

void
hl_chart_series_add_interval (HlChartSeries *series)
{
  series->low = nans (series->n);
  series->high = nans (series->n);
}

void
hl_chart_series_add_shades (HlChartSeries *series)
{
  series->shades = nans (series->n);
}

void
hl_chart_series_add_colors (HlChartSeries *series)
{
  series->colors = g_new0 (int, (gsize) series->n + 1);
}

void
hl_chart_series_add_names (HlChartSeries *series)
{
  series->names = g_new0 (char *, (gsize) series->n + 1);
}
