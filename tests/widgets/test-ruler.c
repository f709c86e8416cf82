/* SPDX-License-Identifier: MIT
 * Rulers with the texts of tokens: legible at every zoom, however long the text is. */
#include "config.h"

#include "draw/hl-ruler.h"
#include "test-token-scenes.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Work that grows with the number of cells would never end: see test_endless(). */
#define WATCHDOG_S 100

typedef struct
{
  HlTheme theme;
  GPtrArray *texts; /* of HlTextItem * */
} Painted;

static void
paint (Painted *painted, const HlRuler *ruler)
{
  cairo_surface_t *surface =
      cairo_recording_surface_create (CAIRO_CONTENT_COLOR_ALPHA, NULL);
  cairo_t *cr = cairo_create (surface);
  HlPainter painter;
  painted->theme = hl_theme_light ();
  painted->texts = hl_text_layer_new ();
  hl_painter_init (&painter, cr, &painted->theme, 1);
  painter.text_layer = painted->texts;
  hl_paint_ruler (&painter, ruler);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
}

static HlRuler
ruler_at (const HlAxis *axis, gboolean is_top, double length, double low, double high)
{
  HlTheme theme = hl_theme_light ();
  double extent = hl_ruler_extent (&theme, axis, is_top);
  HlRuler ruler = { .axis = axis, .is_top = is_top, .low = low, .high = high };
  ruler.rect =
      is_top ? (HlRect){ 100, 0, length, extent } : (HlRect){ 0, 100, extent, length };
  ruler.selected = -1;
  return ruler;
}

/* Every label inside of the ruler, none over another, and as many as there is room for.
 */
static void
check (const HlRuler *ruler)
{
  Painted painted;
  paint (&painted, ruler);
  double em = painted.theme.font_size, before = -1e9;
  double length = ruler->is_top ? ruler->rect.width : ruler->rect.height;
  double start = ruler->is_top ? ruler->rect.x : ruler->rect.y;
  double extent = ruler->is_top ? ruler->rect.height : ruler->rect.width;
  double n_in_sight = MIN (ruler->high, ruler->axis->n) - MAX (ruler->low, 0);
  g_assert_cmpfloat (painted.texts->len, <=, length / em);
  g_assert_cmpfloat (painted.texts->len, >=, MIN (n_in_sight - 1, length / (9 * em)));
  for (guint i = 0; i < painted.texts->len; i++)
    {
      const HlTextItem *item = g_ptr_array_index (painted.texts, i);
      double width = hl_text_width (&painted.theme, item->text, 0, item->is_bold);
      double along = item->is_upright ? item->x : item->y;
      g_assert_true (item->is_upright == ruler->is_top);
      g_assert_cmpfloat (width, <=, extent);
      g_assert_cmpfloat (along, >=, start - em);
      g_assert_cmpfloat (along, <=, start + length + em);
      g_assert_cmpstr (item->text, !=, "");
      g_assert_cmpint (g_unichar_isspace (g_utf8_get_char (item->text)), ==, FALSE);
      if (ruler->selected < 0 || i > 1)
        g_assert_cmpfloat (along - before, >=, em);
      before = along;
    }
  g_ptr_array_unref (painted.texts);
}

static void
test_tokens (void)
{
  static const gint64 sizes[] = { 5, 300, 16384, 100000 };
  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    {
      g_autoptr (HlTokenScene) scene = test_tokens_new (sizes[s]);
      g_autofree char *giant = g_strnfill (9000, 'W');
      HlAxis axis = { .n = sizes[s], .tokens = scene->tokens };
      hl_token_list_set_text (scene->tokens, 3, giant);
      hl_token_list_set_text (scene->tokens, 2, " ");
      hl_token_list_set_text (scene->tokens, 1, "\n");
      for (double span = (double) axis.n; span > 2; span /= 2.7)
        for (int is_top = 0; is_top < 2; is_top++)
          {
            double low = g_test_rand_double_range (0, MAX (axis.n - span, 1e-3));
            HlRuler ruler = ruler_at (&axis, is_top, 600, low, low + span);
            check (&ruler);
            ruler.low = 0;
            ruler.high = span;
            check (&ruler);
            ruler.selected = (gint64) (span / 2);
            check (&ruler);
          }
    }
}

/* Strings of an axis's own, with whitespace that is to be seen. */
static void
test_visible (void)
{
  static const char *const raw[] = { " the", "\n",      "\t", "   ",
                                     "cat",  "e\u0301", "猫", "\x07" };
  static const char *const shown[] = { "␣the", "⏎",       "⇥",  "␣␣␣",
                                       "cat",  "e\u0301", "猫", "‹07›" };
  HlAxis axis = { .n = 8, .labels = (char **) raw };
  HlRuler ruler = ruler_at (&axis, FALSE, 300, 0, 8);
  Painted painted;
  paint (&painted, &ruler);
  g_assert_cmpuint (painted.texts->len, ==, 8);
  for (guint i = 0; i < 8; i++)
    g_assert_cmpstr (((HlTextItem *) g_ptr_array_index (painted.texts, i))->text, ==,
                     shown[i]);
  g_ptr_array_unref (painted.texts);
}

/* A wide script has few characters: the ruler is as wide as they need. */
static void
test_wide (void)
{
  static const char *const labels[] = { "iiii", "llll", "iill", "猫猫猫", "illi" };
  HlAxis axis = { .n = 5, .labels = (char **) labels };
  HlRuler ruler = ruler_at (&axis, FALSE, 300, 0, 5);
  HlTheme theme = hl_theme_light ();
  g_assert_cmpfloat (ruler.rect.width, >=, hl_text_width (&theme, "猫猫猫", 0, FALSE));
  Painted painted;
  paint (&painted, &ruler);
  g_assert_cmpstr (((HlTextItem *) g_ptr_array_index (painted.texts, 3))->text, ==,
                   "猫猫猫");
  g_ptr_array_unref (painted.texts);
}

/* Billions of cells: who looks at each of them does not come back. With @labels they
 * have words, which are pages of nothing. */
static void
check_endless (gint64 n, char **labels)
{
  HlAxis axis = { .n = n, .labels = labels };
  for (double span = (double) n; span > 2; span /= 9)
    for (int is_top = 0; is_top < 2; is_top++)
      {
        HlRuler ruler = ruler_at (&axis, is_top, 600, 0.3 * ((double) n - span), 0);
        ruler.high = ruler.low + span;
        Painted painted;
        paint (&painted, &ruler);
        g_assert_cmpuint (painted.texts->len, >=, 1);
        g_assert_cmpuint (painted.texts->len, <=, 50);
        g_ptr_array_unref (painted.texts);
      }
}

static void
test_endless (void)
{
  gint64 n = G_GINT64_CONSTANT (20000000000);
  check_endless (n, NULL);
  gpointer nothing = mmap (NULL, (gsize) n * sizeof (char *), PROT_READ,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (nothing == MAP_FAILED)
    {
      g_test_message ("no room for the addresses of %" G_GINT64_FORMAT " words", n);
      return;
    }
  check_endless (n, nothing);
  munmap (nothing, (gsize) n * sizeof (char *));
}

/* Of labels of one letter the widest counts, not the first: "t" is narrow. */
static void
test_letters (void)
{
  static const char *const labels[] = { "t", "m", "i", "w" };
  HlAxis axis = { .n = 4, .labels = (char **) labels };
  HlTheme theme = hl_theme_light ();
  HlRuler ruler = ruler_at (&axis, TRUE, 120, 0, 4);
  ruler.rect.height = hl_ruler_extent_shown (&theme, &ruler);
  Painted painted;
  paint (&painted, &ruler);
  g_assert_cmpuint (painted.texts->len, ==, 4);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpstr (((HlTextItem *) painted.texts->pdata[i])->text, ==, labels[i]);
  g_ptr_array_unref (painted.texts);
}

int
main (int argc, char *argv[])
{
  alarm (WATCHDOG_S);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/draw/ruler/tokens", test_tokens);
  g_test_add_func ("/draw/ruler/letters", test_letters);
  g_test_add_func ("/draw/ruler/visible", test_visible);
  g_test_add_func ("/draw/ruler/wide", test_wide);
  g_test_add_func ("/draw/ruler/endless", test_endless);
  return g_test_run ();
}
