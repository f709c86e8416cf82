/* SPDX-License-Identifier: MIT
 * Two views on one place: what is seen left and right of the line, keys, blinking. */
#include "config.h"

#include "gl/hl-patch-view.h"
#include "gl/hl-split-view.h"

#include "test-gl-scenes.h"

#include <unistd.h>

#define WATCHDOG_S 120
#define WIDTH 400
#define HEIGHT 200

typedef struct
{
  GtkWidget *window;
  HlSplitView *split;
  GtkWidget *first, *second;
  int n_changed;
} Fixture;

/* A picture of one colour. */
static GtkWidget *
make_side (guint8 red, guint8 blue)
{
  g_autoptr (HlOverlayScene) scene = hl_overlay_scene_new ();
  scene->width = 40;
  scene->height = 10;
  scene->picture = g_new0 (guint8, 40 * 10 * 3);
  for (int i = 0; i < 40 * 10; i++)
    {
      scene->picture[3 * i] = red;
      scene->picture[3 * i + 2] = blue;
    }
  scene->n_rows = 1;
  scene->n_columns = 4;
  GtkWidget *view = hl_patch_view_new ();
  hl_patch_view_set_show_bar (HL_PATCH_VIEW (view), FALSE);
  hl_patch_view_set_scene (HL_PATCH_VIEW (view), scene);
  return view;
}

static void
changed_cb (HlSplitView *split, Fixture *f)
{
  f->n_changed++;
}

static void
open_split (Fixture *f)
{
  f->n_changed = 0;
  f->first = g_object_ref_sink (make_side (255, 0));
  f->second = g_object_ref_sink (make_side (0, 255));
  f->split = HL_SPLIT_VIEW (hl_split_view_new (f->first, f->second));
  hl_split_view_set_names (f->split, "A", "B");
  g_signal_connect (f->split, "split-changed", G_CALLBACK (changed_cb), f);
  f->window = scenes_open_window (GTK_WIDGET (f->split), WIDTH, HEIGHT);
}

static void
close_split (Fixture *f)
{
  gtk_window_destroy (GTK_WINDOW (f->window));
  g_object_unref (f->first);
  g_object_unref (f->second);
}

/* 'r' or 'b' at a share of the width, a little above the middle, beside the knob. */
static char
color_at (Fixture *f, double share)
{
  int width = gtk_widget_get_width (GTK_WIDGET (f->split));
  graphene_rect_t at;
  g_assert_true (gtk_widget_compute_bounds (f->first, GTK_WIDGET (f->split), &at));
  cairo_surface_t *picture = scenes_picture (GTK_WIDGET (f->split), FALSE);
  guint32 pixel = scenes_pixel (picture, (int) (share * width), (int) at.origin.y + 20);
  cairo_surface_destroy (picture);
  return (pixel >> 16 & 0xff) > 200 && (pixel & 0xff) < 50   ? 'r'
         : (pixel & 0xff) > 200 && (pixel >> 16 & 0xff) < 50 ? 'b'
                                                             : '?';
}

static void
test_sides (void)
{
  Fixture f;
  open_split (&f);
  g_assert_cmpint (color_at (&f, 0.3), ==, 'r');
  g_assert_cmpint (color_at (&f, 0.7), ==, 'b');
  hl_split_view_set_split (f.split, 0.2);
  g_assert_cmpint (color_at (&f, 0.1), ==, 'r');
  g_assert_cmpint (color_at (&f, 0.3), ==, 'b');
  hl_split_view_set_split (f.split, 3);
  g_assert_cmpfloat (hl_split_view_get_split (f.split), ==, 1);
  g_assert_cmpint (f.n_changed, ==, 2);
  close_split (&f);
}

static void
test_keys (void)
{
  Fixture f;
  open_split (&f);
  g_assert_true (hl_split_view_handle_key (f.split, GDK_KEY_b, 0));
  g_assert_true (hl_split_view_get_shown (f.split) == HL_SPLIT_FIRST);
  g_assert_cmpint (color_at (&f, 0.9), ==, 'r');
  g_assert_true (hl_split_view_handle_key (f.split, GDK_KEY_b, 0));
  g_assert_cmpint (color_at (&f, 0.1), ==, 'b');
  g_assert_true (hl_split_view_handle_key (f.split, GDK_KEY_Escape, 0));
  g_assert_true (hl_split_view_get_shown (f.split) == HL_SPLIT_BOTH);
  g_assert_false (hl_split_view_handle_key (f.split, GDK_KEY_Escape, 0));
  g_assert_true (hl_split_view_handle_key (f.split, GDK_KEY_Left, GDK_CONTROL_MASK));
  g_assert_cmpfloat_with_epsilon (hl_split_view_get_split (f.split), 0.45, 1e-9);
  g_assert_true (hl_split_view_handle_key (f.split, GDK_KEY_Home, GDK_CONTROL_MASK));
  g_assert_cmpint (color_at (&f, 0.1), ==, 'b');
  g_assert_true (hl_split_view_handle_key (f.split, GDK_KEY_End, GDK_CONTROL_MASK));
  g_assert_cmpint (color_at (&f, 0.9), ==, 'r');
  /* Arrows alone are the views' own. */
  g_assert_false (hl_split_view_handle_key (f.split, GDK_KEY_Left, 0));
  close_split (&f);
}

/* A time axis and bars take room below; the sides keep their place in it. */
static void
test_room (void)
{
  Fixture f;
  int before, after;
  const HlScale scale = { .high = 1 };
  open_split (&f);
  gtk_widget_measure (GTK_WIDGET (f.split), GTK_ORIENTATION_VERTICAL, WIDTH, &before,
                      NULL, NULL, NULL);
  hl_split_view_set_time (f.split, 30, 41);
  hl_split_view_set_scales (f.split, &scale, &scale);
  hl_split_view_set_playhead (f.split, 35.5);
  gtk_widget_measure (GTK_WIDGET (f.split), GTK_ORIENTATION_VERTICAL, WIDTH, &after, NULL,
                      NULL, NULL);
  g_assert_cmpint (after, >, before + 30);
  g_assert_cmpint (color_at (&f, 0.3), ==, 'r');
  hl_split_view_set_is_dark (f.split, TRUE);
  g_assert_cmpint (color_at (&f, 0.7), ==, 'b');
  close_split (&f);
}

/* Its owner keeps the sides; the view goes. */
static void
test_finalize (void)
{
  Fixture f;
  open_split (&f);
  GtkWidget *split = GTK_WIDGET (f.split);
  g_object_add_weak_pointer (G_OBJECT (split), (gpointer *) &split);
  close_split (&f);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_null (split);
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
  g_test_add_func ("/split/sides", test_sides);
  g_test_add_func ("/split/keys", test_keys);
  g_test_add_func ("/split/room", test_room);
  g_test_add_func ("/split/finalize", test_finalize);
  return g_test_run ();
}
