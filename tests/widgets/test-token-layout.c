/* SPDX-License-Identifier: MIT
 * Where tokens and their arcs lie: layout, hit tests, what is in sight. */
#include "config.h"

#include "draw/hl-token-arcs.h"
#include "test-token-scenes.h"

#include <math.h>

/* ---- layout --------------------------------------------------------------------------
 */

static double
middle_x (const HlRect *rect)
{
  return rect->x + rect->width / 2;
}

static double
middle_y (const HlRect *rect)
{
  return rect->y + rect->height / 2;
}

/* In order, apart, inside, and each found again under its middle. */
static void
check_places (const HlTokenLayout *layout, const HlTokenScene *scene)
{
  HlRect before = { 0 };
  gint64 n = hl_token_scene_count (scene), line_before = -1, n_seen = 0;
  for (gint64 i = 0; i < n; i++)
    {
      gint64 line = hl_token_layout_line (layout, i), hit = -1;
      HlRect rect = hl_token_layout_rect (layout, i);
      if (line < 0)
        {
          g_assert_true (scene->tokens->items[i].is_excluded);
          g_assert_cmpfloat (rect.width, ==, 0);
          continue;
        }
      g_assert_cmpfloat (rect.x, >=, layout->body.x - 0.01);
      g_assert_cmpfloat (rect.x + rect.width, <=, layout->width + 0.01);
      g_assert_cmpfloat (rect.y + rect.height, <=,
                         layout->body.y + layout->body.height + 0.01);
      g_assert_cmpint (line, >=, line_before);
      if (line == line_before)
        g_assert_cmpfloat (rect.x, >=, before.x + before.width - 0.01);
      else
        g_assert_cmpfloat (rect.y, >=, before.y + before.height - 0.01);
      g_assert_true (
          hl_token_layout_hit (layout, middle_x (&rect), middle_y (&rect), &hit));
      g_assert_cmpint (hit, ==, i);
      g_assert_cmpint (
          hl_token_layout_nearest (layout, middle_x (&rect), middle_y (&rect)), ==, i);
      before = rect;
      line_before = line;
      n_seen++;
    }
  g_assert_cmpint (n_seen, ==, layout->n_shown);
}

static void
test_places (void)
{
  g_autoptr (HlTokenScene) text = test_tokens_new (700);
  g_autoptr (HlTokenScene) odd = test_tokens_odd_new ();
  for (gint64 i = 100; i < 300; i++)
    text->tokens->items[i].is_excluded = TRUE;
  test_tokens_weigh (odd, 20);
  HlTokenLayout layouts[2] = { 0 };
  for (int trial = 0; trial < 60; trial++)
    {
      HlTheme theme = trial % 3 == 0 ? hl_theme_figure (FALSE) : hl_theme_dark ();
      HlTokenScene *scene = trial % 2 == 0 ? text : odd;
      HlTokenLayout *layout = &layouts[trial % 2];
      hl_token_layout_compute (
          layout, scene, &theme, g_test_rand_double_range (150, 1400),
          trial % 5 == 0 ? HL_TOKEN_LIST : HL_TOKEN_FLOW, g_test_rand_int_range (0, 128));
      check_places (layout, scene);
    }
  hl_token_layout_clear (&layouts[0]);
  hl_token_layout_clear (&layouts[1]);
}

/* Pieces of one character are neighbours of the same size in one line, whatever the
 * width; a line break is one; a giant fills a line and no more. */
static void
test_boxes (void)
{
  g_autoptr (HlTokenScene) odd = test_tokens_odd_new ();
  HlTheme theme = hl_theme_light ();
  HlTokenLayout layout = { 0 };
  for (double width = 40; width < 900; width += 37)
    {
      hl_token_layout_compute (&layout, odd, &theme, width, HL_TOKEN_FLOW,
                               HL_TOKENS_INDEX);
      for (gint64 i = 8; i < 11; i++)
        {
          HlRect a = hl_token_layout_rect (&layout, i - 1);
          HlRect b = hl_token_layout_rect (&layout, i);
          g_assert_cmpfloat_with_epsilon (a.x + a.width, b.x, 0.01);
          g_assert_cmpfloat_with_epsilon (a.width, b.width, 0.01);
          g_assert_cmpfloat (a.y, ==, b.y);
        }
      g_assert_cmpint (hl_token_layout_line (&layout, 3), >,
                       hl_token_layout_line (&layout, 2));
      HlRect giant = hl_token_layout_rect (&layout, 24);
      g_assert_cmpfloat (giant.width, <=, layout.body.width + 0.01);
    }
  int n = 0;
  g_assert_cmpint (hl_token_list_piece (odd->tokens, 9, &n), ==, 7);
  g_assert_cmpint (n, ==, 4);
  /* Far too many pieces become several boxes. */
  g_autoptr (HlTokenList) many = hl_token_list_new (40);
  for (gint64 i = 0; i < 40; i++)
    many->items[i].group = 3;
  g_assert_cmpint (hl_token_list_piece (many, 39, &n), ==, 32);
  g_assert_cmpint (n, ==, 8);
  hl_token_layout_clear (&layout);
}

/* In the gap between two boxes, and past the end of a line. */
static void
test_nearest (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (200);
  HlTheme theme = hl_theme_light ();
  HlTokenLayout layout = { 0 };
  hl_token_layout_compute (&layout, scene, &theme, 600, HL_TOKEN_FLOW, HL_TOKENS_NONE);
  for (gint64 i = 0; i < 199; i++)
    {
      HlRect a = hl_token_layout_rect (&layout, i);
      HlRect b = hl_token_layout_rect (&layout, i + 1);
      double end = a.x + a.width, y = middle_y (&a), gap = b.x - end;
      gint64 hit = -1;
      g_assert_false (hl_token_layout_hit (&layout, end + 0.5, y, &hit));
      g_assert_cmpint (hl_token_layout_nearest (&layout, end + 0.2, y), ==, i);
      if (a.y == b.y)
        g_assert_cmpint (hl_token_layout_nearest (&layout, end + 0.8 * gap, y), ==,
                         i + 1);
      else
        g_assert_cmpint (hl_token_layout_nearest (&layout, 5000, y), ==, i);
    }
  g_assert_cmpint (hl_token_layout_nearest (&layout, -50, -50), ==, 0);
  g_assert_cmpint (hl_token_layout_nearest (&layout, 9e9, 9e9), ==, 199);
  hl_token_layout_clear (&layout);
}

/* What is in sight is what meets the rectangle, and found without the rest. */
static void
test_in_sight (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (3000);
  HlTheme theme = hl_theme_light ();
  HlTokenLayout layout = { 0 };
  for (int mode = 0; mode < 2; mode++)
    for (int trial = 0; trial < 30; trial++)
      {
        hl_token_layout_compute (&layout, scene, &theme, 600, mode, HL_TOKENS_INDEX);
        double top = g_test_rand_double_range (-50, layout.body.height);
        double bottom = top + g_test_rand_double_range (1, 500);
        gint64 line, line_end, slot, end;
        hl_token_layout_lines_in (&layout, top, bottom, &line, &line_end);
        hl_token_layout_slots_in (&layout, line, line_end, &slot, &end);
        for (gint64 i = 0; i < 3000; i++)
          {
            HlRect rect = hl_token_layout_rect (&layout, i);
            gboolean is_seen = rect.y < bottom && rect.y + rect.height > top;
            if (is_seen)
              g_assert_true (i >= slot && i < end);
            else if (i >= slot && i < end) /* in a line that begins or ends in sight */
              g_assert_cmpfloat (fabs (rect.y - CLAMP (rect.y, top, bottom)), <=,
                                 layout.line_height);
          }
      }
  hl_token_layout_clear (&layout);
}

/* A list of tokens is measured once; an equal one is another one. */
static void
test_measured_once (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (500);
  g_autoptr (HlTokenScene) weighed = hl_token_scene_new (scene->tokens);
  test_tokens_weigh (weighed, 9);
  HlTheme light = hl_theme_light (), dark = hl_theme_dark ();
  HlTokenLayout layout = { 0 };
  hl_token_layout_compute (&layout, scene, &light, 600, HL_TOKEN_FLOW, 0);
  layout.text_widths[3] = 77; /* stays, when nothing is measured */
  hl_token_layout_compute (&layout, weighed, &dark, 500, HL_TOKEN_LIST, 0);
  g_assert_cmpfloat (layout.text_widths[3], ==, 77);
  g_autoptr (HlTokenScene) other = test_tokens_new (500);
  hl_token_layout_compute (&layout, other, &dark, 500, HL_TOKEN_LIST, 0);
  g_assert_cmpfloat (layout.text_widths[3], !=, 77);
  g_assert_true (scene->tokens->items[2].text == scene->tokens->items[36].text);
  g_assert_cmpint (scene->tokens->refs, ==, 2);
  hl_token_layout_clear (&layout);
}

static void
test_empty (void)
{
  HlTheme theme = hl_theme_light ();
  HlTokenLayout layout = { 0 };
  g_autoptr (HlTokenScene) none = hl_token_scene_new (NULL);
  g_autoptr (HlTokenScene) one = test_tokens_new (1);
  gint64 token = 5;
  for (int mode = 0; mode < 2; mode++)
    for (double width = 0; width < 100; width += 33)
      {
        hl_token_layout_compute (&layout, none, &theme, width, mode, 0x7f);
        g_assert_cmpint (layout.n_lines, ==, 0);
        g_assert_false (hl_token_layout_hit (&layout, 1, 1, &token));
        g_assert_cmpint (hl_token_layout_nearest (&layout, 1, 1), ==, -1);
        g_assert_cmpint (hl_token_layout_step (&layout, 0, 1), ==, -1);
        g_assert_cmpint (hl_token_layout_line_end (&layout, 0, TRUE), ==, -1);
        hl_token_layout_compute (&layout, one, &theme, width, mode, 0x7f);
        g_assert_cmpint (hl_token_layout_step (&layout, 0, 9), ==, 0);
        g_assert_cmpint (hl_token_layout_nearest (&layout, 900, 900), ==, 0);
      }
  hl_token_layout_clear (&layout);
}

static void
test_steps (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (300);
  HlTheme theme = hl_theme_light ();
  HlTokenLayout layout = { 0 };
  for (gint64 i = 50; i < 60; i++)
    scene->tokens->items[i].is_excluded = TRUE;
  hl_token_layout_compute (&layout, scene, &theme, 500, HL_TOKEN_FLOW,
                           HL_TOKENS_SHOWN_ONLY);
  g_assert_cmpint (hl_token_layout_step (&layout, 49, 1), ==, 60);
  g_assert_cmpint (hl_token_layout_step (&layout, 60, -1), ==, 49);
  g_assert_cmpint (hl_token_layout_step (&layout, 299, 1), ==, 299);
  for (gint64 i = 100; i < 200; i++)
    {
      HlRect from = hl_token_layout_rect (&layout, i);
      gint64 down = hl_token_layout_step_lines (&layout, i, 1, middle_x (&from));
      g_assert_cmpint (hl_token_layout_line (&layout, down), ==,
                       hl_token_layout_line (&layout, i) + 1);
      gint64 first = hl_token_layout_line_end (&layout, i, FALSE);
      gint64 last = hl_token_layout_line_end (&layout, i, TRUE);
      g_assert_true (first <= i && i <= last);
      g_assert_cmpint (hl_token_layout_line (&layout, last), ==,
                       hl_token_layout_line (&layout, first));
      if (first > 0)
        g_assert_cmpint (hl_token_layout_line (&layout, first - 1), <,
                         hl_token_layout_line (&layout, first));
    }
  hl_token_layout_clear (&layout);
}

/* ---- arcs ----------------------------------------------------------------------------
 */

static void
test_arcs_found (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (900);
  test_tokens_bow (scene, 2, 0, 900);
  scene->arcs[0].key = 900;
  scene->arcs[1].query = -1;
  scene->arcs[2500].weight = NAN; /* from token 312 */
  HlTheme theme = hl_theme_light ();
  HlTokenLayout layout = { 0 };
  hl_token_layout_compute (&layout, scene, &theme, 400, HL_TOKEN_LIST, HL_TOKENS_ARCS);
  g_autoptr (HlTokenArcs) arcs = hl_token_arcs_new (scene);
  static const gint64 ranges[][2] = { { 300, 330 }, { 880, 900 }, { 5, 6 }, { 40, 40 } };
  for (guint r = 0; r < G_N_ELEMENTS (ranges); r++)
    {
      gint64 start = ranges[r][0], end = ranges[r][1];
      g_autoptr (GArray) found = hl_token_arcs_find (arcs, &layout, start, end);
      g_autofree gboolean *is_found = g_new0 (gboolean, scene->n_arcs);
      float before = -1;
      for (guint i = 0; i < found->len; i++)
        {
          gint64 index = g_array_index (found, gint64, i);
          g_assert_false (is_found[index]);
          is_found[index] = TRUE;
          g_assert_cmpfloat (scene->arcs[index].weight, >=, before);
          before = scene->arcs[index].weight;
        }
      for (gint64 i = 2; i < scene->n_arcs; i++)
        {
          const HlArc *arc = &scene->arcs[i];
          gboolean is_in = (arc->query >= start && arc->query < end) ||
                           (arc->key >= start && arc->key < end);
          g_assert_cmpint (is_found[i], ==, is_in && i != 2500);
        }
      g_assert_false (is_found[0] || is_found[1] || is_found[2500]);
    }
  hl_token_layout_clear (&layout);
}

/* Everything attends to the first token: the strongest are drawn, and no more. */
static void
test_arcs_sink (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (20000);
  scene->n_arcs = 20000;
  scene->arcs = g_new0 (HlArc, 20000);
  for (gint64 i = 0; i < 20000; i++)
    scene->arcs[i] = (HlArc){ i, 0, (float) ((i * 7919) % 20000) / 20000, 0 };
  HlTheme theme = hl_theme_light ();
  HlTokenLayout layout = { 0 };
  hl_token_layout_compute (&layout, scene, &theme, 400, HL_TOKEN_LIST, HL_TOKENS_ARCS);
  g_autoptr (HlTokenArcs) arcs = hl_token_arcs_new (scene);
  g_autoptr (GArray) found = hl_token_arcs_find (arcs, &layout, 0, 1);
  g_assert_cmpint (found->len, ==, HL_TOKEN_ARCS_MOST);
  gint64 weakest = g_array_index (found, gint64, 0);
  g_assert_cmpfloat (scene->arcs[weakest].weight, >=,
                     1 - (HL_TOKEN_ARCS_MOST + 1) / 20000.0);
  hl_token_layout_clear (&layout);
}

/* An arc is under the pointer where it was painted, and nowhere else. */
static void
test_arcs_hit (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (60);
  HlArc one = { 40, 12, 0.3f, 0 };
  scene->arcs = g_memdup2 (&one, sizeof one);
  scene->n_arcs = 1;
  HlTheme theme = hl_theme_light ();
  HlTokenLayout layout = { 0 };
  hl_token_layout_compute (&layout, scene, &theme, 400, HL_TOKEN_LIST, HL_TOKENS_ARCS);
  g_autoptr (HlTokenArcs) arcs = hl_token_arcs_new (scene);
  int width = (int) layout.arcs_x, height = (int) layout.used_height;
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_A8, width, height);
  cairo_t *cr = cairo_create (surface);
  HlPainter painter;
  hl_painter_init (&painter, cr, &theme, 1);
  hl_paint_token_arcs (&painter, arcs, &layout, 0, 60);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  const guint8 *data = cairo_image_surface_get_data (surface);
  int stride = cairo_image_surface_get_stride (surface), n_inked = 0;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width - 8; x++) /* without the head of the arrow */
      {
        gboolean is_inked = data[y * stride + x] > 200;
        gint64 near = hl_token_arcs_hit (arcs, &layout, 0, 60, x + 0.5, y + 0.5, 4);
        n_inked += is_inked;
        if (is_inked)
          g_assert_cmpint (near, ==, 0);
        gboolean is_far = TRUE;
        for (int dy = -8; dy <= 8; dy++)
          for (int dx = -8; dx <= 8; dx++)
            if (y + dy >= 0 && y + dy < height && x + dx >= 0 && x + dx < width)
              is_far = is_far && data[(y + dy) * stride + x + dx] == 0;
        if (is_far)
          g_assert_cmpint (near, ==, -1);
      }
  g_assert_cmpint (n_inked, >, (40 - 12 - 6) * layout.line_height);
  cairo_surface_destroy (surface);
  hl_token_layout_clear (&layout);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/draw/tokens/places", test_places);
  g_test_add_func ("/draw/tokens/boxes", test_boxes);
  g_test_add_func ("/draw/tokens/nearest", test_nearest);
  g_test_add_func ("/draw/tokens/in-sight", test_in_sight);
  g_test_add_func ("/draw/tokens/measured-once", test_measured_once);
  g_test_add_func ("/draw/tokens/empty", test_empty);
  g_test_add_func ("/draw/tokens/steps", test_steps);
  g_test_add_func ("/draw/tokens/arcs-found", test_arcs_found);
  g_test_add_func ("/draw/tokens/arcs-sink", test_arcs_sink);
  g_test_add_func ("/draw/tokens/arcs-hit", test_arcs_hit);
  return g_test_run ();
}
