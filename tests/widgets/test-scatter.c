/* SPDX-License-Identifier: MIT
 * The scatter view under a display: what OpenGL draws, the lasso, the pointer, a hundred
 * thousand dots. */
#include "config.h"

#include "gl/hl-scatter-view.h"

#include "test-gl-scenes.h"

#include <math.h>
#include <unistd.h>

#define WATCHDOG_S 120

typedef struct
{
  GtkWidget *window;
  HlScatterView *view;
  int n_marked;
} Fixture;

static void
marked_cb (HlScatterView *view, Fixture *f)
{
  f->n_marked++;
}

static void
open_view (Fixture *f, HlChartScene *scene)
{
  f->n_marked = 0;
  f->view = HL_SCATTER_VIEW (hl_scatter_view_new ());
  hl_scatter_view_set_scene (f->view, scene);
  g_signal_connect (f->view, "marked-changed", G_CALLBACK (marked_cb), f);
  f->window = scenes_open_window (GTK_WIDGET (f->view), 400, 300);
}

/* One large dot in the middle, a cloud with a dot in each corner in colours 0 to 3; axes
 * from 0 to 1. */
static HlChartScene *
make_scene (void)
{
  HlChartScene *scene = hl_chart_scene_new ();
  HlChartSeries *own = hl_chart_scene_add (scene, HL_CHART_DOTS, 1);
  HlChartSeries *cloud = hl_chart_scene_add (scene, HL_CHART_DOTS, 4);
  scene->is_map = TRUE;
  scene->x_low = scene->y_low = 0;
  scene->x_high = scene->y_high = 1;
  own->x[0] = own->y[0] = 0.5;
  cloud->is_cloud = TRUE;
  hl_chart_series_add_colors (cloud);
  for (int i = 0; i < 4; i++)
    {
      cloud->x[i] = i % 2 ? 0.9 : 0.1;
      cloud->y[i] = i / 2 ? 0.9 : 0.1;
      cloud->colors[i] = i;
    }
  return scene;
}

/* Where dot @i of the cloud is hit: the middle of all pixels that do. */
static gboolean
find_dot (HlScatterView *view, int i, int *x, int *y)
{
  int n = 0, sum_x = 0, sum_y = 0, dot;
  for (int v = 0; v < gtk_widget_get_height (GTK_WIDGET (view)); v++)
    for (int u = 0; u < gtk_widget_get_width (GTK_WIDGET (view)); u++)
      if (hl_scatter_view_hit (view, u, v, &dot) < 0 && dot == i)
        {
          sum_x += u;
          sum_y += v;
          n++;
        }
  *x = n > 0 ? sum_x / n : -1;
  *y = n > 0 ? sum_y / n : -1;
  return n > 0;
}

static gboolean
is_near (guint32 pixel, int red, int green, int blue)
{
  return ABS ((int) (pixel >> 16 & 0xff) - red) < 70 &&
         ABS ((int) (pixel >> 8 & 0xff) - green) < 70 &&
         ABS ((int) (pixel & 0xff) - blue) < 70;
}

/* Each corner has its own colour, and y goes upwards. */
static void
test_pixels (void)
{
  static const int colors[4][3] = {
    { 0x00, 0x72, 0xb2 }, { 0xe6, 0x9f, 0x00 }, { 0x00, 0x9e, 0x73 }, { 0xcc, 0x79, 0xa7 }
  };
  Fixture f;
  int x, y;
  g_autoptr (HlChartScene) scene = make_scene ();
  open_view (&f, scene);
  cairo_surface_t *picture = scenes_picture (GTK_WIDGET (f.view), FALSE);
  for (int i = 0; i < 4; i++)
    {
      g_assert_true (find_dot (f.view, i, &x, &y));
      g_assert_true ((y < gtk_widget_get_height (GTK_WIDGET (f.view)) / 2) ==
                     (i / 2 == 1));
      guint32 pixel = scenes_pixel (picture, x, y);
      /* Translucent on white. */
      if (!is_near (pixel, colors[i][0] + (255 - colors[i][0]) * 45 / 100,
                    colors[i][1] + (255 - colors[i][1]) * 45 / 100,
                    colors[i][2] + (255 - colors[i][2]) * 45 / 100))
        g_error ("dot %d at %d, %d: %06x found", i, x, y, pixel & 0xffffff);
    }
  guint32 ground = scenes_pixel (picture, 200, 60);
  g_assert_true (is_near (ground, 250, 250, 250));
  cairo_surface_destroy (picture);
  gtk_window_destroy (GTK_WINDOW (f.window));
}

static void
test_lasso (void)
{
  Fixture f;
  gsize n;
  int x0, y0, x1, y1;
  g_autoptr (HlChartScene) scene = make_scene ();
  open_view (&f, scene);
  g_assert_null (hl_scatter_view_get_marked (f.view, &n));
  g_assert_cmpuint (n, ==, 4);
  find_dot (f.view, 0, &x0, &y0);
  find_dot (f.view, 2, &x1, &y1);
  /* Round the two dots on the left, with a dent that leaves neither out. */
  const double polygon[] = { x0 - 9,          y0 + 9, x0 + 9, y0 + 9, x0 + 1,
                             (y0 + y1) / 2.0, x1 + 9, y1 - 9, x1 - 9, y1 - 9 };
  hl_scatter_view_lasso (f.view, polygon, 5);
  const guint8 *marked = hl_scatter_view_get_marked (f.view, &n);
  g_assert_nonnull (marked);
  g_assert_true (marked[0] && !marked[1] && marked[2] && !marked[3]);
  g_assert_cmpint (f.n_marked, ==, 1);
  /* Dots on the left of a lasso are crossed by two of its sides, and are outside. */
  int u0, v0, u1, v1;
  find_dot (f.view, 1, &u0, &v0);
  find_dot (f.view, 3, &u1, &v1);
  const double right[] = {
    u0 - 9, v0 + 9, u0 + 9, v0 + 9, u1 + 9, v1 - 9, u1 - 9, v1 - 9
  };
  hl_scatter_view_lasso (f.view, right, 4);
  marked = hl_scatter_view_get_marked (f.view, &n);
  g_assert_true (!marked[0] && marked[1] && !marked[2] && marked[3]);
  hl_scatter_view_lasso (f.view, polygon, 5);
  /* Those outside are dimmed. */
  int x, y;
  find_dot (f.view, 1, &x, &y);
  cairo_surface_t *picture = scenes_picture (GTK_WIDGET (f.view), FALSE);
  guint32 inside = scenes_pixel (picture, x0, y0), outside = scenes_pixel (picture, x, y);
  g_assert_true (is_near (inside, 0x00, 0x72, 0xb2));
  g_assert_cmpint (outside & 0xff, >, 180);
  cairo_surface_destroy (picture);
  /* The same dots keep it, others do not. */
  g_autoptr (HlChartScene) again = make_scene ();
  hl_scatter_view_set_scene (f.view, again);
  g_assert_nonnull (hl_scatter_view_get_marked (f.view, &n));
  const double nowhere[] = { 0, 0, 1, 0, 0, 1 };
  hl_scatter_view_lasso (f.view, nowhere, 3);
  g_assert_null (hl_scatter_view_get_marked (f.view, &n));
  hl_scatter_view_set_scene (f.view, NULL);
  hl_scatter_view_get_marked (f.view, &n);
  g_assert_cmpuint (n, ==, 0);
  gtk_window_destroy (GTK_WINDOW (f.window));
}

static void
test_hit (void)
{
  Fixture f;
  int dot;
  g_autoptr (HlChartScene) scene = make_scene ();
  open_view (&f, scene);
  int width = gtk_widget_get_width (GTK_WIDGET (f.view));
  int height = gtk_widget_get_height (GTK_WIDGET (f.view));
  g_assert_cmpint (hl_scatter_view_hit (f.view, width / 2, height / 2, &dot), ==, 0);
  g_assert_cmpint (hl_scatter_view_hit (f.view, width / 4, height / 2, &dot), ==, -1);
  g_assert_cmpint (dot, ==, -1);
  gtk_window_destroy (GTK_WINDOW (f.window));
}

/* Many dots are one call; a pointer that moves does not upload them again. */
static void
test_many (void)
{
  Fixture f;
  const int n = 100000;
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  g_autoptr (HlChartScene) scene = hl_chart_scene_new ();
  scene->is_map = TRUE;
  hl_chart_scene_add (scene, HL_CHART_DOTS, 0);
  HlChartSeries *cloud = hl_chart_scene_add (scene, HL_CHART_DOTS, n);
  cloud->is_cloud = TRUE;
  for (int i = 0; i < n; i++)
    {
      cloud->x[i] = g_rand_double (rand);
      cloud->y[i] = g_rand_double (rand);
    }
  open_view (&f, scene);
  guint renders = hl_scatter_view_count_renders (f.view);
  g_assert_cmpuint (renders, >, 0);
  int dot, mark = hl_scatter_view_hit (f.view, 200, 150, &dot);
  g_assert_cmpint (mark, ==, -1);
  g_assert_cmpint (dot, >=, 0);
  gtk_widget_queue_draw (GTK_WIDGET (f.view));
  scenes_wait_frames (GTK_WIDGET (f.view), 3, SCENES_FRAME_TIMEOUT_MS);
  g_assert_cmpuint (hl_scatter_view_count_renders (f.view), ==, renders);
  gtk_window_destroy (GTK_WINDOW (f.window));
}

static void
gone_cb (gpointer data, GObject *was)
{
  *(gboolean *) data = TRUE;
}

static void
test_finalize (void)
{
  Fixture f;
  gboolean is_gone = FALSE;
  g_autoptr (HlChartScene) scene = make_scene ();
  open_view (&f, scene);
  g_object_weak_ref (G_OBJECT (f.view), gone_cb, &is_gone);
  gtk_window_destroy (GTK_WINDOW (f.window));
  for (int i = 0; i < 200; i++)
    g_main_context_iteration (NULL, FALSE);
  g_assert_true (is_gone);
  g_assert_cmpint (scene->refs, ==, 1);
}

int
main (int argc, char **argv)
{
  alarm (WATCHDOG_S);
  if (g_getenv ("DISPLAY") == NULL && g_getenv ("WAYLAND_DISPLAY") == NULL)
    {
      g_print ("1..0 # SKIP no display: run under xvfb-run\n");
      return 0;
    }
  gtk_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scatter-view/pixels", test_pixels);
  g_test_add_func ("/scatter-view/lasso", test_lasso);
  g_test_add_func ("/scatter-view/hit", test_hit);
  g_test_add_func ("/scatter-view/many", test_many);
  g_test_add_func ("/scatter-view/finalize", test_finalize);
  return g_test_run ();
}
