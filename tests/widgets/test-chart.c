/* SPDX-License-Identifier: MIT
 * The chart under a display: pointer, keyboard, nothing left behind. */
#include "config.h"

#include "gl/hl-chart-view.h"

#include <math.h>
#include <unistd.h>

/* A test that hangs must end, and say so. */
#define WATCHDOG_S 60

typedef struct
{
  GtkWidget *window;
  HlChartView *view;
  int activated;
  int hovered;
} Fixture;

static void
activated_cb (HlChartView *view, int mark, Fixture *f)
{
  f->activated = mark;
}

static void
hovered_cb (HlChartView *view, int mark, Fixture *f)
{
  f->hovered = mark;
}

static void
open_chart (Fixture *f, HlChartScene *scene)
{
  *f = (Fixture){ .activated = -1, .hovered = -1 };
  f->window = gtk_window_new ();
  f->view = HL_CHART_VIEW (hl_chart_view_new ());
  gtk_window_set_default_size (GTK_WINDOW (f->window), 420, 260);
  gtk_window_set_child (GTK_WINDOW (f->window), GTK_WIDGET (f->view));
  hl_chart_view_set_scene (f->view, scene);
  g_signal_connect (f->view, "mark-activated", G_CALLBACK (activated_cb), f);
  g_signal_connect (f->view, "mark-hovered", G_CALLBACK (hovered_cb), f);
  gtk_window_present (GTK_WINDOW (f->window));
  while (gtk_widget_get_width (GTK_WIDGET (f->view)) < 1)
    g_main_context_iteration (NULL, TRUE);
}

static HlChartScene *
make_scene (void)
{
  HlChartScene *scene = hl_chart_scene_new ();
  HlChartSeries *bars = hl_chart_scene_add (scene, HL_CHART_BARS, 5);
  for (int i = 0; i < 5; i++)
    {
      bars->x[i] = i;
      bars->y[i] = i == 3 ? NAN : 1 + i;
    }
  return scene;
}

static void
test_pointer (void)
{
  Fixture f;
  g_autoptr (HlChartScene) scene = make_scene ();
  open_chart (&f, scene);
  int width = gtk_widget_get_width (GTK_WIDGET (f.view));
  int height = gtk_widget_get_height (GTK_WIDGET (f.view));
  int first = -1, last = -1;
  for (int x = 0; x < width; x++)
    {
      int mark = hl_chart_view_hit (f.view, x, height / 2);
      first = first < 0 ? mark : first;
      last = mark >= 0 ? mark : last;
    }
  g_assert_cmpint (first, ==, 0);
  g_assert_cmpint (last, ==, 4);
  hl_chart_view_handle_press (f.view, width - 12, height / 2);
  g_assert_cmpint (f.activated, ==, 4);
  hl_chart_view_handle_press (f.view, 0, 0);
  g_assert_cmpint (f.activated, ==, 4);
  gtk_window_destroy (GTK_WINDOW (f.window));
}

static void
test_keyboard (void)
{
  Fixture f;
  g_autoptr (HlChartScene) scene = make_scene ();
  open_chart (&f, scene);
  g_assert_true (hl_chart_view_handle_key (f.view, GDK_KEY_Right, 0));
  g_assert_cmpint (f.hovered, ==, 0);
  hl_chart_view_handle_key (f.view, GDK_KEY_Right, 0);
  hl_chart_view_handle_key (f.view, GDK_KEY_Right, 0);
  g_assert_cmpint (f.hovered, ==, 2);
  hl_chart_view_handle_key (f.view, GDK_KEY_Right,
                            0); /* over the one that is not there */
  g_assert_cmpint (f.hovered, ==, 4);
  hl_chart_view_handle_key (f.view, GDK_KEY_Right, 0);
  g_assert_cmpint (f.hovered, ==, 4);
  hl_chart_view_handle_key (f.view, GDK_KEY_Left, 0);
  g_assert_cmpint (f.hovered, ==, 2);
  hl_chart_view_handle_key (f.view, GDK_KEY_Home, 0);
  g_assert_cmpint (f.hovered, ==, 0);
  hl_chart_view_handle_key (f.view, GDK_KEY_End, 0);
  hl_chart_view_handle_key (f.view, GDK_KEY_Return, 0);
  g_assert_cmpint (f.activated, ==, 4);
  g_assert_false (hl_chart_view_handle_key (f.view, GDK_KEY_Left, GDK_CONTROL_MASK));
  hl_chart_view_set_scene (f.view, NULL);
  g_assert_false (hl_chart_view_handle_key (f.view, GDK_KEY_Left, 0));
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
  open_chart (&f, scene);
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
  g_test_add_func ("/chart-view/pointer", test_pointer);
  g_test_add_func ("/chart-view/keyboard", test_keyboard);
  g_test_add_func ("/chart-view/finalize", test_finalize);
  return g_test_run ();
}
