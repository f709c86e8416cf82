/* SPDX-License-Identifier: MIT
 * Charts: where marks lie, what is hit, what is painted, and figures of them. */
#include "config.h"

#include "draw/hl-figure.h"
#include "draw/hl-paint-chart.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* Bars 1, -2, none, 4. */
static HlChartScene *
make_bars (void)
{
  static const double y[] = { 1, -2, NAN, 4 };
  HlChartScene *scene = hl_chart_scene_new ();
  HlChartSeries *bars = hl_chart_scene_add (scene, HL_CHART_BARS, 4);
  hl_chart_series_add_shades (bars);
  hl_chart_series_add_interval (bars);
  hl_chart_series_add_names (bars);
  scene->title = g_strdup ("Change of loss");
  scene->x_title = g_strdup ("heads");
  scene->y_title = g_strdup ("nats");
  scene->caption = g_strdup ("What removing does");
  scene->colormap = HL_COLORMAP_DIVERGING;
  for (int i = 0; i < 4; i++)
    {
      bars->x[i] = i;
      bars->y[i] = y[i];
      bars->shades[i] = y[i] > 0 ? 1 : 0;
      bars->low[i] = y[i] - 0.5;
      bars->high[i] = y[i] + 0.5;
      bars->names[i] = g_strdup_printf ("bar %d", i);
    }
  return scene;
}

static void
test_step (void)
{
  g_assert_cmpfloat (hl_chart_nice_step (10, 5), ==, 2);
  g_assert_cmpfloat (hl_chart_nice_step (0.9, 4), ==, 0.5);
  g_assert_cmpfloat (fabs (hl_chart_nice_step (0.004, 8) - 0.0005), <, 1e-12);
  g_assert_cmpfloat (hl_chart_nice_step (0, 5), ==, 1);
}

static void
test_bars (void)
{
  HlChartLayout layout;
  HlTheme theme = hl_theme_light ();
  g_autoptr (HlChartScene) scene = make_bars ();
  hl_chart_layout_compute (scene, &theme, 400, 300, FALSE, &layout);
  g_assert_cmpfloat (layout.x_low, ==, -0.5);
  g_assert_cmpfloat (layout.x_high, ==, 3.5);
  g_assert_cmpfloat (layout.y_high, >=, 4.5); /* the interval is in sight */
  g_assert_cmpfloat (layout.y_low, <=, -2.5);
  HlRect up = hl_chart_layout_mark (&layout, scene, &theme, 3);
  HlRect down = hl_chart_layout_mark (&layout, scene, &theme, 1);
  HlRect none = hl_chart_layout_mark (&layout, scene, &theme, 2);
  /* Both stand on the same line, and are as long as their numbers. */
  g_assert_cmpfloat (fabs (up.y + up.height - down.y), <, 1e-9);
  g_assert_cmpfloat (fabs (up.height - 2 * down.height), <, 1e-9);
  g_assert_cmpfloat (none.width, ==, 0);
  double middle = layout.plot.y + 3;
  for (int i = 0; i < 4; i++)
    {
      double x = layout.plot.x + layout.plot.width * (i + 0.5) / 4;
      int hit = hl_chart_layout_hit (&layout, scene, &theme, x, middle);
      g_assert_cmpint (hit, ==,
                       i == 2 ? hit : i); /* where no bar is, a neighbour or none */
      g_assert_cmpint (hit, !=, 2);
    }
  g_assert_cmpint (hl_chart_layout_hit (&layout, scene, &theme, 1, 1), ==, -1);
}

static void
test_dots (void)
{
  HlChartLayout layout;
  HlTheme theme = hl_theme_dark ();
  g_autoptr (HlChartScene) scene = hl_chart_scene_new ();
  HlChartSeries *dots = hl_chart_scene_add (scene, HL_CHART_DOTS, 2);
  dots->x[0] = 1;
  dots->x[1] = 100;
  dots->y[0] = dots->y[1] = 3;
  scene->log_x = TRUE;
  hl_chart_layout_compute (scene, &theme, 300, 200, FALSE, &layout);
  HlRect a = hl_chart_layout_mark (&layout, scene, &theme, 0);
  HlRect b = hl_chart_layout_mark (&layout, scene, &theme, 1);
  g_assert_cmpint (
      hl_chart_layout_hit (&layout, scene, &theme, a.x + a.width / 2, a.y + a.height / 2),
      ==, 0);
  g_assert_cmpint (
      hl_chart_layout_hit (&layout, scene, &theme, b.x + b.width / 2, b.y + b.height / 2),
      ==, 1);
  /* Halfway on a logarithmic axis lies 10. */
  dots->x[0] = 10;
  HlRect middle = hl_chart_layout_mark (&layout, scene, &theme, 0);
  g_assert_cmpfloat (fabs (middle.x - (a.x + b.x) / 2), <, 1e-9);
  g_assert_cmpint (
      hl_chart_layout_hit (&layout, scene, &theme, a.x + a.width / 2, layout.plot.y + 1),
      ==, -1);
}

static cairo_surface_t *
paint (const HlChartScene *scene, int width, int height, HlChartLayout *layout)
{
  HlPainter painter;
  HlTheme theme = hl_theme_light ();
  cairo_surface_t *surface =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  cairo_t *cr = cairo_create (surface);
  hl_paint_set_color (cr, &theme.background);
  cairo_paint (cr);
  hl_painter_init (&painter, cr, &theme, 1);
  hl_chart_layout_compute (scene, &theme, width, height, TRUE, layout);
  hl_paint_chart (&painter, scene, layout, -1);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  return surface;
}

static guint32
pixel_at (cairo_surface_t *surface, double x, double y)
{
  const guint8 *data = cairo_image_surface_get_data (surface);
  int stride = cairo_image_surface_get_stride (surface);
  return *(const guint32 *) (gconstpointer) (data + (int) y * stride + 4 * (int) x) &
         0xffffff;
}

/* Bars have the ends of the diverging map; red of the one is above that of the other. */
static void
test_pixels (void)
{
  HlChartLayout layout;
  HlTheme theme = hl_theme_light ();
  g_autoptr (HlChartScene) scene = make_bars ();
  cairo_surface_t *surface = paint (scene, 400, 300, &layout);
  HlRect up = hl_chart_layout_mark (&layout, scene, &theme, 3);
  HlRect down = hl_chart_layout_mark (&layout, scene, &theme, 1);
  guint32 a = pixel_at (surface, up.x + 3, up.y + up.height / 2);
  guint32 b = pixel_at (surface, down.x + 3, down.y + down.height / 2);
  g_assert_cmpuint (a >> 16, >, (a & 0xff) + 40); /* orange */
  g_assert_cmpuint (b & 0xff, >, (b >> 16) + 40); /* blue */
  cairo_surface_destroy (surface);
}

/* Nothing, one mark, marks that are all alike, none that is a number: all are painted. */
static void
test_odd (void)
{
  for (int n = 0; n < 3; n++)
    for (int kind = HL_CHART_BARS; kind <= HL_CHART_STEPS; kind++)
      {
        HlChartLayout layout;
        g_autoptr (HlChartScene) scene = hl_chart_scene_new ();
        HlChartSeries *s = hl_chart_scene_add (scene, (HlChartKind) kind, n);
        for (int i = 0; i < n; i++)
          s->y[i] = n == 2 ? NAN : 0;
        scene->rule = n;
        scene->marker = n;
        scene->selected = 5;
        cairo_surface_t *surface = paint (scene, 60, 40, &layout);
        g_assert_cmpfloat (layout.x_high, >, layout.x_low);
        g_assert_cmpfloat (layout.y_high, >, layout.y_low);
        cairo_surface_destroy (surface);
      }
}

static void
test_figure (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlFigure) figure = hl_figure_new ();
  g_autofree char *folder = g_dir_make_tmp ("headlight-chart-XXXXXX", &error);
  g_autofree char *path = g_build_filename (folder, "chart.svg", NULL);
  g_autofree char *text = NULL;
  g_autoptr (HlChartScene) scene = make_bars ();
  hl_figure_add_chart (figure, scene);
  hl_figure_add_chart (figure, scene);
  g_assert_true (hl_figure_write (figure, path, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (path, &text, NULL, &error));
  g_assert_nonnull (strstr (text, ">nats<"));
  g_assert_nonnull (strstr (text, ">heads<"));
  g_assert_nonnull (strstr (text, ">What removing does."));
  g_assert_nonnull (strstr (text, ">b<")); /* two panels are lettered */
  g_unlink (path);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chart/step", test_step);
  g_test_add_func ("/chart/bars", test_bars);
  g_test_add_func ("/chart/dots", test_dots);
  g_test_add_func ("/chart/pixels", test_pixels);
  g_test_add_func ("/chart/odd", test_odd);
  g_test_add_func ("/chart/figure", test_figure);
  return g_test_run ();
}
