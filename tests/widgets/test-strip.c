/* SPDX-License-Identifier: MIT
 * The strip of tokens under a display: pointer, keyboard, words, what is painted and what
 * is not painted again, nothing left behind. */
#include "config.h"

#include "test-gl-scenes.h"
#include "test-token-scenes.h"

#include "gl/hl-token-strip-private.h"

#include <math.h>
#include <unistd.h>

/* A test that hangs must end, and say so. */
#define WATCHDOG_S 100

/* ---- a strip in a window -------------------------------------------------------------
 */

typedef struct
{
  GtkWidget *window;
  GtkWidget *widget;
  HlTokenStrip *strip;
  GtkAdjustment *down;
  int n_hovers;
  gint64 hovered;
  int n_changes;
  gint64 chosen[4];
  guint n_chosen;
} Fixture;

static void
hovered_cb (HlTokenStrip *strip, gint64 token, gpointer user_data)
{
  Fixture *fixture = user_data;
  fixture->n_hovers++;
  fixture->hovered = token;
}

static void
changed_cb (HlTokenStrip *strip, gpointer tokens, guint n, gpointer user_data)
{
  Fixture *fixture = user_data;
  fixture->n_changes++;
  fixture->n_chosen = n;
  for (guint i = 0; i < MIN (n, G_N_ELEMENTS (fixture->chosen)); i++)
    fixture->chosen[i] = ((const gint64 *) tokens)[i];
}

static void
open_strip (Fixture *fixture, HlTokenScene *scene, HlTokenMode mode, gboolean is_dark)
{
  GtkWidget *scroller = gtk_scrolled_window_new ();
  *fixture = (Fixture){ .hovered = -1 };
  fixture->widget = hl_token_strip_new ();
  fixture->strip = HL_TOKEN_STRIP (fixture->widget);
  hl_token_strip_set_mode (fixture->strip, mode);
  hl_token_strip_set_is_dark (fixture->strip, is_dark);
  hl_token_strip_set_scene (fixture->strip, scene);
  g_signal_connect (fixture->strip, "token-hovered", G_CALLBACK (hovered_cb), fixture);
  g_signal_connect (fixture->strip, "selection-changed", G_CALLBACK (changed_cb),
                    fixture);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), fixture->widget);
  fixture->down = gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (scroller));
  fixture->window = scenes_open_window (scroller, 520, 420);
}

static void
close_strip (Fixture *fixture)
{
  gtk_window_destroy (GTK_WINDOW (fixture->window));
}

static void
wait_frames (Fixture *fixture)
{
  g_assert_true (scenes_wait_frames (fixture->widget, 3, SCENES_FRAME_TIMEOUT_MS));
}

static void
press (Fixture *fixture, gint64 token, gboolean is_adding)
{
  HlRect at = hl_token_strip_get_token_rect (fixture->strip, token);
  hl_token_strip_handle_press (fixture->strip, at.x + at.width / 2, at.y + 4, is_adding);
}

static void
drag_to (Fixture *fixture, gint64 token)
{
  HlRect at = hl_token_strip_get_token_rect (fixture->strip, token);
  hl_token_strip_handle_drag (fixture->strip, at.x + at.width / 2, at.y + 4);
}

static void
key (Fixture *fixture, guint keyval, GdkModifierType state)
{
  g_assert_true (hl_token_strip_handle_key (fixture->strip, keyval, state));
}

/* ---- pointer -------------------------------------------------------------------------
 */

static void
test_pointer (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (60);
  Fixture f;
  open_strip (&f, scene, HL_TOKEN_FLOW, FALSE);
  HlRect at = hl_token_strip_get_token_rect (f.strip, 9);
  hl_token_strip_handle_motion (f.strip, at.x + 2, at.y + 2);
  g_assert_cmpint (f.hovered, ==, 9);
  hl_token_strip_handle_motion (f.strip, at.x + 3, at.y + 2);
  g_assert_cmpint (f.n_hovers, ==, 1);
  hl_token_strip_handle_motion (f.strip, at.x + at.width + 1, at.y + 2);
  g_assert_cmpint (f.hovered, ==, -1);

  press (&f, 5, FALSE);
  g_assert_cmpuint (f.n_chosen, ==, 1);
  g_assert_cmpint (f.chosen[0], ==, 5);
  press (&f, 9, TRUE);
  press (&f, 2, TRUE);
  g_assert_cmpuint (f.n_chosen, ==, 3);
  g_assert_cmpint (f.chosen[0], ==, 2);
  g_assert_cmpint (f.chosen[1], ==, 5);
  g_assert_cmpint (f.chosen[2], ==, 9);
  press (&f, 5, TRUE);
  g_assert_cmpuint (f.n_chosen, ==, 2);
  g_assert_cmpint (f.chosen[1], ==, 9);

  /* A drag is a range, there and back; with Shift it joins what was there. */
  press (&f, 20, FALSE);
  drag_to (&f, 25);
  g_assert_cmpuint (f.n_chosen, ==, 6);
  drag_to (&f, 18);
  g_assert_cmpuint (f.n_chosen, ==, 3);
  g_assert_cmpint (f.chosen[0], ==, 18);
  press (&f, 40, TRUE);
  drag_to (&f, 43);
  g_assert_cmpuint (f.n_chosen, ==, 7);
  drag_to (&f, 41);
  g_assert_cmpuint (f.n_chosen, ==, 5);
  int n_changes = f.n_changes;
  drag_to (&f, 41);
  g_assert_cmpint (f.n_changes, ==, n_changes);

  /* Beside the tokens nothing happens. */
  hl_token_strip_handle_press (f.strip, 500, 400, FALSE);
  hl_token_strip_handle_drag (f.strip, 300, 100);
  g_assert_cmpint (f.n_changes, ==, n_changes);
  key (&f, GDK_KEY_Escape, 0);
  g_assert_cmpuint (f.n_chosen, ==, 0);
  g_assert_false (hl_token_strip_handle_key (f.strip, GDK_KEY_Escape, 0));
  close_strip (&f);
}

/* In a list the row belongs to the token, and an arc answers too. */
static void
test_pointer_list (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (60);
  HlArc arc = { 14, 4, 0.3f, 0 };
  scene->arcs = g_memdup2 (&arc, sizeof arc);
  scene->n_arcs = 1;
  Fixture f;
  open_strip (&f, scene, HL_TOKEN_LIST, FALSE);
  HlRect at = hl_token_strip_get_token_rect (f.strip, 9);
  gint64 token = -1;
  g_assert_true (hl_token_strip_hit (f.strip, at.x + at.width + 60, at.y + 3, &token));
  g_assert_cmpint (token, ==, 9);
  g_assert_false (hl_token_strip_hit (f.strip, 12, at.y + 3, &token));
  int n_near = 0;
  for (double x = 0; x < at.x; x++)
    n_near += hl_token_strip_hit_arc (f.strip, x, at.y + 3) == 0;
  g_assert_cmpint (n_near, >=, 6);
  g_assert_cmpint (n_near, <=, 12);
  g_autofree char *words = hl_token_strip_describe_arc (f.strip, 0);
  g_autofree char *from = hl_token_strip_describe (f.strip, 14);
  g_assert_nonnull (strstr (words, "token 14 "));
  g_assert_true (g_str_has_suffix (words, ": 0.3"));
  g_assert_true (strstr (words, "token 4 ") > strstr (words, " → "));
  g_assert_true (g_str_has_prefix (from, "token 14 "));
  close_strip (&f);
}

/* Of a slice the rest takes no room; without it the rest is there, greyed. */
static void
test_slice (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (60);
  for (int i = 0; i < 60; i++)
    scene->tokens->items[i].is_excluded = i < 20 || i >= 30;
  Fixture f;
  open_strip (&f, scene, HL_TOKEN_LIST, FALSE);
  HlRect first = hl_token_strip_get_token_rect (f.strip, 0);
  g_assert_cmpfloat (first.width, >, 0);
  hl_token_strip_set_shown_only (f.strip, TRUE);
  wait_frames (&f);
  HlRect begin = hl_token_strip_get_token_rect (f.strip, 20);
  g_assert_cmpfloat (begin.y, ==, first.y);
  g_assert_cmpfloat (hl_token_strip_get_token_rect (f.strip, 19).width, ==, 0);
  g_assert_cmpfloat (hl_token_strip_get_token_rect (f.strip, 30).width, ==, 0);
  close_strip (&f);
}

/* A drag past the lower edge scrolls on. */
static void
test_drag_scrolls (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (3000);
  Fixture f;
  open_strip (&f, scene, HL_TOKEN_FLOW, FALSE);
  press (&f, 5, FALSE);
  for (int i = 0; i < 10; i++)
    hl_token_strip_handle_drag (f.strip, 200, 600);
  g_assert_cmpfloat (gtk_adjustment_get_value (f.down), >, 200);
  g_assert_cmpuint (f.n_chosen, >, 150);
  close_strip (&f);
}

/* ---- keyboard ------------------------------------------------------------------------
 */

static void
test_keyboard (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (2000);
  Fixture f;
  open_strip (&f, scene, HL_TOKEN_FLOW, FALSE);
  g_assert_false (hl_token_strip_handle_key (f.strip, GDK_KEY_space, 0));
  key (&f, GDK_KEY_Right, 0); /* shows the cursor */
  g_assert_cmpint (f.hovered, ==, 0);
  key (&f, GDK_KEY_Right, 0);
  key (&f, GDK_KEY_Right, 0);
  g_assert_cmpint (hl_token_strip_get_cursor (f.strip), ==, 2);
  key (&f, GDK_KEY_Left, 0);
  g_assert_cmpint (f.hovered, ==, 1);
  key (&f, GDK_KEY_End, 0);
  gint64 end = hl_token_strip_get_cursor (f.strip);
  g_assert_cmpint (hl_token_layout_line (&f.strip->layout, end), ==, 0);
  g_assert_cmpint (hl_token_layout_line (&f.strip->layout, end + 1), ==, 1);

  /* Down over a short line and on keeps the place along the lines. */
  HlRect from = hl_token_strip_get_token_rect (f.strip, end);
  double x = from.x + from.width / 2;
  gint64 line = 0;
  for (int i = 0; i < 12; i++)
    {
      key (&f, GDK_KEY_Down, 0);
      HlRect at = hl_token_strip_get_token_rect (f.strip, f.hovered);
      gint64 last = hl_token_layout_line_end (&f.strip->layout, f.hovered, TRUE);
      g_assert_cmpint (hl_token_layout_line (&f.strip->layout, f.hovered), ==, ++line);
      if (f.hovered != last)
        g_assert_true (at.x - 4 <= x && x <= at.x + at.width + 4);
      g_assert_cmpfloat (at.y, >=, 0);
      g_assert_cmpfloat (at.y + at.height, <=, f.strip->view.height);
    }
  for (int i = 0; i < 12; i++)
    key (&f, GDK_KEY_Up, 0);
  g_assert_cmpint (f.hovered, ==, end);
  key (&f, GDK_KEY_Page_Down, 0);
  g_assert_cmpint (hl_token_layout_line (&f.strip->layout, f.hovered), >, 6);
  key (&f, GDK_KEY_End, GDK_CONTROL_MASK);
  g_assert_cmpint (f.hovered, ==, 1999);
  g_assert_cmpfloat (gtk_adjustment_get_value (f.down), >, 1000);
  key (&f, GDK_KEY_Home, GDK_CONTROL_MASK);
  g_assert_cmpint (f.hovered, ==, 0);
  g_assert_cmpfloat (gtk_adjustment_get_value (f.down), <, 20);
  g_assert_cmpint (f.n_changes, ==, 0);

  key (&f, GDK_KEY_Return, 0);
  g_assert_cmpuint (f.n_chosen, ==, 1);
  key (&f, GDK_KEY_Right, GDK_SHIFT_MASK);
  key (&f, GDK_KEY_Right, GDK_SHIFT_MASK);
  g_assert_cmpuint (f.n_chosen, ==, 3);
  key (&f, GDK_KEY_Left, GDK_SHIFT_MASK);
  g_assert_cmpuint (f.n_chosen, ==, 2);
  key (&f, GDK_KEY_Down, 0);
  key (&f, GDK_KEY_space, GDK_CONTROL_MASK);
  g_assert_cmpuint (f.n_chosen, ==, 3);
  key (&f, GDK_KEY_space, 0);
  g_assert_cmpuint (f.n_chosen, ==, 1);
  key (&f, GDK_KEY_space, 0);
  g_assert_cmpuint (f.n_chosen, ==, 0);
  g_assert_false (hl_token_strip_handle_key (f.strip, GDK_KEY_Tab, 0));
  g_assert_false (hl_token_strip_handle_key (f.strip, GDK_KEY_Left, GDK_ALT_MASK));
  close_strip (&f);
}

/* ---- words ---------------------------------------------------------------------------
 */

static void
test_words (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (60);
  test_tokens_weigh (scene, 30);
  scene->weights[2] = 0.5f;
  hl_token_list_set_bytes (scene->tokens, 2, "20 74 68 65");
  scene->tokens->items[2].log_prob = -2.5f;
  Fixture f;
  open_strip (&f, scene, HL_TOKEN_FLOW, FALSE);
  gtk_test_accessible_assert_property (f.widget, GTK_ACCESSIBLE_PROPERTY_LABEL,
                                       "Layer 5 · head 1");
  gtk_test_accessible_assert_property (
      f.widget, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
      "1 token selected, attends to token 2 “␣the” 0.5, token 0 “<bos>” 0.35, "
      "token 29 “,” 0.236");
  HlRect at = hl_token_strip_get_token_rect (f.strip, 2);
  hl_token_strip_handle_motion (f.strip, at.x + 2, at.y + 2);
  gtk_test_accessible_assert_property (
      f.widget, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
      "token 2 “␣the”, attended to with 0.5; 1 token selected, attends to token 2 “␣the” "
      "0.5, token 0 “<bos>” 0.35, token 29 “,” 0.236");
  g_autofree char *tip = hl_token_strip_describe (f.strip, 2);
  g_assert_cmpstr (tip, ==,
                   "token 2 “␣the”, attended to with 0.5\nid 15838\nbytes 20 74 68 65\n"
                   "log-probability -2.5 (8.21 %)");
  /* The weights are those of the selection before: not said of another one. */
  press (&f, 5, FALSE);
  press (&f, 6, TRUE);
  gtk_test_accessible_assert_property (
      f.widget, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
      "token 6 “␣sentence”, selected; 2 tokens selected");
  close_strip (&f);
}

/* ---- what is painted -----------------------------------------------------------------
 */

static void
test_painted_once (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (100000);
  g_autoptr (HlTokenScene) other = hl_token_scene_new (scene->tokens);
  other->scale = scene->scale;
  test_tokens_weigh (other, 50000);
  Fixture f;
  open_strip (&f, scene, HL_TOKEN_FLOW, FALSE);
  guint n_first = hl_token_strip_count_painted (f.strip);
  g_assert_cmpuint (n_first, >, 0);
  g_assert_cmpuint (n_first, <=, 3); /* blocks of 8 lines in 420 pixels */

  HlRect at = hl_token_strip_get_token_rect (f.strip, 30);
  hl_token_strip_handle_motion (f.strip, at.x + 3, at.y + 3);
  press (&f, 31, FALSE);
  wait_frames (&f);
  g_assert_cmpuint (hl_token_strip_count_painted (f.strip), ==, n_first);
  gtk_adjustment_set_value (f.down, 300);
  wait_frames (&f);
  guint n_scrolled = hl_token_strip_count_painted (f.strip);
  g_assert_cmpuint (n_scrolled, <=, n_first + 2);
  gtk_adjustment_set_value (f.down, 0);
  wait_frames (&f);
  g_assert_cmpuint (hl_token_strip_count_painted (f.strip), ==, n_scrolled);

  /* Other weights: painted anew, where it was; nothing is measured. */
  hl_token_strip_reveal (f.strip, 50000);
  wait_frames (&f);
  double value = gtk_adjustment_get_value (f.down);
  f.strip->layout.text_widths[7] = 99;
  n_scrolled = hl_token_strip_count_painted (f.strip);
  hl_token_strip_set_scene (f.strip, other);
  wait_frames (&f);
  g_assert_cmpuint (hl_token_strip_count_painted (f.strip), >, n_scrolled);
  g_assert_cmpfloat (gtk_adjustment_get_value (f.down), ==, value);
  g_assert_cmpfloat (f.strip->layout.text_widths[7], ==, 99);
  gint64 n = 0;
  g_assert_cmpint (hl_token_strip_get_selected (f.strip, &n)[0], ==, 50000);
  g_assert_cmpint (n, ==, 1);

  /* Broken anew, the text stays where it was read. */
  HlRect before = hl_token_strip_get_token_rect (f.strip, 50000);
  hl_token_strip_set_show_index (f.strip, FALSE);
  wait_frames (&f);
  hl_token_strip_set_mode (f.strip, HL_TOKEN_LIST);
  wait_frames (&f);
  hl_token_strip_set_mode (f.strip, HL_TOKEN_FLOW);
  wait_frames (&f);
  HlRect after = hl_token_strip_get_token_rect (f.strip, 50000);
  g_assert_cmpfloat (fabs (before.y - after.y), <, 420);
  g_autoptr (HlTokenScene) few = test_tokens_new (20);
  hl_token_strip_set_scene (f.strip, few);
  wait_frames (&f);
  g_assert_cmpfloat (gtk_adjustment_get_value (f.down), ==, 0);
  close_strip (&f);
}

/* A token that is to be seen before there is a window. */
static void
test_reveal_early (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (5000);
  GtkWidget *widget = hl_token_strip_new (), *scroller = gtk_scrolled_window_new ();
  HlTokenStrip *strip = HL_TOKEN_STRIP (widget);
  hl_token_strip_set_scene (strip, scene);
  hl_token_strip_reveal (strip, 4000);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), widget);
  GtkWidget *window = scenes_open_window (scroller, 500, 400);
  HlRect at = hl_token_strip_get_token_rect (strip, 4000);
  g_assert_cmpfloat (at.y, >=, 0);
  g_assert_cmpfloat (at.y + at.height, <=, 400);
  gtk_window_destroy (GTK_WINDOW (window));
}

typedef struct
{
  const char *name;
  HlTokenMode mode;
  gboolean is_dark;
  gboolean is_odd;
  double scroll;
} PixelCase;

static const PixelCase pixel_cases[] = {
  { "flow-light", HL_TOKEN_FLOW, FALSE, FALSE, 0 },
  { "flow-dark-scrolled", HL_TOKEN_FLOW, TRUE, FALSE, 333 },
  { "list-light-scrolled", HL_TOKEN_LIST, FALSE, FALSE, 777 },
  { "list-dark", HL_TOKEN_LIST, TRUE, FALSE, 0 },
  { "odd-light", HL_TOKEN_FLOW, FALSE, TRUE, 0 },
  { "odd-dark", HL_TOKEN_LIST, TRUE, TRUE, 100 },
};

/* What the strip shows is what the painter paints, outlines apart. */
static void
test_pixels (gconstpointer data)
{
  const PixelCase *c = data;
  g_autoptr (HlTokenScene) scene =
      c->is_odd ? test_tokens_odd_new () : test_tokens_new (600);
  test_tokens_weigh (scene, c->is_odd ? 20 : 90);
  scene->n_selected = 0;
  test_tokens_bow (scene, 2, 20, 22);
  Fixture f;
  open_strip (&f, scene, c->mode, c->is_dark);
  gtk_adjustment_set_value (f.down, c->scroll);
  cairo_surface_t *seen = scenes_picture (f.widget, c->is_dark);
  int width = cairo_image_surface_get_width (seen);
  int height = cairo_image_surface_get_height (seen), n_off = 0, n_inked = 0;
  cairo_surface_t *wanted =
      cairo_image_surface_create (CAIRO_FORMAT_ARGB32, width, height);
  cairo_t *cr = cairo_create (wanted);
  HlTheme theme = c->is_dark ? hl_theme_dark () : hl_theme_light ();
  HlPainter painter;
  hl_painter_init (&painter, cr, &theme, 1);
  hl_paint_set_color (cr, &theme.background);
  cairo_paint (cr);
  cairo_translate (cr, 0, f.strip->view.y - hl_token_strip_get_scroll (f.strip));
  HlTokenLayout layout = f.strip->layout;
  layout.legend.height = 0;
  HlRect visible = { 0, hl_token_strip_get_scroll (f.strip), width,
                     f.strip->view.height };
  hl_paint_tokens (&painter, scene, &layout, &visible);
  cairo_destroy (cr);
  cairo_surface_flush (wanted);
  guint32 ground = scenes_pixel (wanted, 0, 0);
  int bottom = (int) (f.strip->view.y + f.strip->view.height);
  for (int y = (int) f.strip->view.y; y < bottom; y++)
    for (int x = 0; x < width; x++)
      {
        guint32 pixel = scenes_pixel (wanted, x, y);
        n_inked += scenes_apart (pixel, ground) > 2;
        n_off += scenes_apart (pixel, scenes_pixel (seen, x, y)) > 2;
      }
  g_test_message ("%s: %d of %d pixels differ by more than 2", c->name, n_off, n_inked);
  g_assert_cmpint (n_inked, >, 5000);
  g_assert_cmpfloat ((double) n_off / n_inked, <, 0.01);
  cairo_surface_destroy (seen);
  cairo_surface_destroy (wanted);
  close_strip (&f);
}

/* Orange round the chosen token, thin round the hovered one, blue for the keyboard. */
static void
test_outlines (gconstpointer data)
{
  gboolean is_dark = GPOINTER_TO_INT (data);
  g_autoptr (HlTokenScene) scene = test_tokens_new (60);
  Fixture f;
  open_strip (&f, scene, HL_TOKEN_FLOW, is_dark);
  guint32 orange = is_dark ? 0xffa348 : 0xff7800, ink = is_dark ? 0xf2f2f2 : 0x2e2e2e;
  press (&f, 20, FALSE);
  HlRect hovered = hl_token_strip_get_token_rect (f.strip, 9);
  hl_token_strip_handle_motion (f.strip, hovered.x + 3, hovered.y + 3);
  cairo_surface_t *seen = scenes_picture (f.widget, is_dark);
  for (gint64 i = 0; i < 60; i++)
    {
      HlRect at = hl_token_strip_get_token_rect (f.strip, i);
      guint32 edge = scenes_pixel (seen, (int) at.x - 1, (int) (at.y + at.height / 2));
      g_assert_cmpint (scenes_apart (edge, orange) <= 8, ==, i == 20);
      g_assert_cmpint (scenes_apart (edge, ink) <= 8, ==, i == 9);
    }
  cairo_surface_destroy (seen);
  close_strip (&f);
}

/* ---- nothing left behind -------------------------------------------------------------
 */

static void
gone_cb (gpointer data, GObject *was)
{
  *(gboolean *) data = TRUE;
}

static void
test_finalize (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (500);
  test_tokens_weigh (scene, 30);
  test_tokens_bow (scene, 2, 0, 40);
  Fixture f;
  gboolean is_gone = FALSE;
  open_strip (&f, scene, HL_TOKEN_LIST, FALSE);
  g_object_weak_ref (G_OBJECT (f.widget), gone_cb, &is_gone);
  close_strip (&f);
  for (int i = 0; i < 200; i++)
    g_main_context_iteration (NULL, FALSE);
  g_assert_true (is_gone);
  g_assert_cmpint (scene->refs, ==, 1);
  g_assert_cmpint (scene->tokens->refs, ==, 1);
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
  g_test_add_func ("/strip/pointer", test_pointer);
  g_test_add_func ("/strip/pointer-list", test_pointer_list);
  g_test_add_func ("/strip/slice", test_slice);
  g_test_add_func ("/strip/drag-scrolls", test_drag_scrolls);
  g_test_add_func ("/strip/keyboard", test_keyboard);
  g_test_add_func ("/strip/words", test_words);
  g_test_add_func ("/strip/painted-once", test_painted_once);
  g_test_add_func ("/strip/reveal-early", test_reveal_early);
  for (guint i = 0; i < G_N_ELEMENTS (pixel_cases); i++)
    {
      g_autofree char *path = g_strconcat ("/strip/pixels/", pixel_cases[i].name, NULL);
      g_test_add_data_func (path, &pixel_cases[i], test_pixels);
    }
  g_test_add_data_func ("/strip/outlines-light", GINT_TO_POINTER (0), test_outlines);
  g_test_add_data_func ("/strip/outlines-dark", GINT_TO_POINTER (1), test_outlines);
  g_test_add_func ("/strip/finalize", test_finalize);
  return g_test_run ();
}
