/* SPDX-License-Identifier: MIT
 * Texts as their tokens without a display: pixels, words, figures. */
#include "config.h"

#include "draw/hl-colormap.h"
#include "draw/hl-figure-private.h"
#include "test-token-scenes.h"

#include <glib/gstdio.h>
#include <locale.h>
#include <math.h>
#include <string.h>

/* ---- pixels --------------------------------------------------------------------------
 */

typedef struct
{
  HlTheme theme;
  HlTokenLayout layout;
  cairo_surface_t *surface;
} Painted;

static void
paint (Painted *painted, HlTokenScene *scene, gboolean is_dark, HlTokenMode mode)
{
  *painted = (Painted){ .theme = is_dark ? hl_theme_dark () : hl_theme_light () };
  hl_token_layout_compute (&painted->layout, scene, &painted->theme, 500, mode,
                           HL_TOKENS_INDEX | HL_TOKENS_ARCS | HL_TOKENS_VALUES);
  painted->surface = cairo_image_surface_create (
      CAIRO_FORMAT_RGB24, 500, (int) ceil (painted->layout.used_height));
  cairo_t *cr = cairo_create (painted->surface);
  hl_paint_set_color (cr, &painted->theme.background);
  cairo_paint (cr);
  HlPainter painter;
  hl_painter_init (&painter, cr, &painted->theme, 1);
  hl_paint_tokens (&painter, scene, &painted->layout, NULL);
  cairo_destroy (cr);
  cairo_surface_flush (painted->surface);
}

static void
painted_clear (Painted *painted)
{
  cairo_surface_destroy (painted->surface);
  hl_token_layout_clear (&painted->layout);
}

static void
pixel (const Painted *painted, double x, double y, guint8 rgb[3])
{
  const guint8 *data = cairo_image_surface_get_data (painted->surface);
  int stride = cairo_image_surface_get_stride (painted->surface);
  guint32 value =
      *(const guint32 *) (const void *) (data + (int) y * stride + 4 * (int) x);
  for (int c = 0; c < 3; c++)
    rgb[c] = (guint8) (value >> (16 - 8 * c));
}

static int
apart (const guint8 a[3], const guint8 b[3])
{
  int most = 0;
  for (int c = 0; c < 3; c++)
    most = MAX (most, ABS (a[c] - b[c]));
  return most;
}

static void
color_rgb (const HlColor *color, guint8 rgb[3])
{
  rgb[0] = (guint8) (color->red * 255 + 0.5);
  rgb[1] = (guint8) (color->green * 255 + 0.5);
  rgb[2] = (guint8) (color->blue * 255 + 0.5);
}

/* Beside the text, inside the box's left edge. */
static void
ground_pixel (const Painted *painted, gint64 token, guint8 rgb[3])
{
  HlRect rect = hl_token_layout_rect (&painted->layout, token);
  pixel (painted, rect.x + 1.5, rect.y + rect.height / 2, rgb);
}

static gboolean
has_color (const Painted *painted,
           const HlRect *rect,
           const HlColor *color,
           int tolerance)
{
  guint8 wanted[3], seen[3];
  color_rgb (color, wanted);
  for (int y = (int) rect->y; y < rect->y + rect->height; y++)
    for (int x = (int) rect->x; x < rect->x + rect->width; x++)
      {
        pixel (painted, x, y, seen);
        if (apart (wanted, seen) <= tolerance)
          return TRUE;
      }
  return FALSE;
}

static void
test_weights (void)
{
  for (int trial = 0; trial < 8; trial++)
    {
      gboolean is_dark = trial % 2, fades = trial / 2 % 2;
      HlTokenMode mode = trial / 4;
      g_autoptr (HlTokenScene) scene = test_tokens_new (40);
      test_tokens_weigh (scene, 30);
      scene->fades_low = fades;
      Painted painted;
      paint (&painted, scene, is_dark, mode);
      for (gint64 i = 1; i < 40; i++)
        {
          guint8 seen[3], wanted[3];
          float weight = scene->weights[i];
          ground_pixel (&painted, i, seen);
          color_rgb (&painted.theme.background, wanted);
          double position = hl_scale_position (&scene->scale, weight);
          if (!isnan (weight))
            hl_colormap_lookup (HL_COLORMAP_VIRIDIS, position, wanted);
          if (isnan (weight) || !fades || position >= HL_TOKEN_FADE)
            g_assert_cmpint (apart (seen, wanted), <=, 1);
          else
            g_assert_cmpint (apart (seen, wanted), >, 2);
        }
      painted_clear (&painted);
    }
}

static double
luminance (const guint8 rgb[3])
{
  static const double shares[] = { 0.2126, 0.7152, 0.0722 };
  double sum = 0;
  for (int c = 0; c < 3; c++)
    {
      double v = rgb[c] / 255.0;
      sum += shares[c] * (v <= 0.04045 ? v / 12.92 : pow ((v + 0.055) / 1.055, 2.4));
    }
  return sum;
}

/* 4.5 to 1, as the guidelines for accessible pages want it. */
static void
test_ink (void)
{
  for (int map = 0; map < HL_N_COLORMAPS; map++)
    for (int i = 0; i <= 255; i++)
      {
        guint8 ground[3], ink[3];
        hl_colormap_lookup (map, i / 255.0, ground);
        HlColor color = hl_token_ink (ground);
        color_rgb (&color, ink);
        double a = luminance (ground) + 0.05, b = luminance (ink) + 0.05;
        g_assert_cmpfloat (MAX (a, b) / MIN (a, b), >=, 4.5);
      }
}

static void
test_marks (void)
{
  for (int trial = 0; trial < 4; trial++)
    {
      g_autoptr (HlTokenScene) scene = test_tokens_new (40);
      test_tokens_weigh (scene, 12);
      scene->hovered = 20;
      Painted painted;
      paint (&painted, scene, trial % 2, trial / 2);
      for (gint64 i = 0; i < 40; i++)
        {
          HlRect rect = hl_token_layout_rect (&painted.layout, i);
          HlRect edge = { rect.x - 1, rect.y + 6, 1, 2 };
          g_assert_cmpint (has_color (&painted, &edge, &painted.theme.accent_query, 8),
                           ==, i == 12);
          g_assert_cmpint (has_color (&painted, &edge, &painted.theme.foreground, 8), ==,
                           i == 20);
        }
      painted_clear (&painted);
    }
}

static void
test_kinds (void)
{
  for (int is_dark = 0; is_dark < 2; is_dark++)
    {
      g_autoptr (HlTokenScene) scene = test_tokens_new (40);
      static const HlColor greens[] = { { 0x26 / 255.0, 0xa2 / 255.0, 0x69 / 255.0, 1 },
                                        { 0x57 / 255.0, 0xe3 / 255.0, 0x89 / 255.0, 1 } };
      for (gint64 i = 0; i < 40; i++)
        scene->tokens->items[i].shade = i == 7 ? 1 : 0;
      scene->tokens->items[9].kind = HL_TOKEN_KIND_SPECIAL;
      scene->tokens->items[11].is_excluded = TRUE;
      scene->matches = g_new (gint64, 1);
      scene->matches[0] = 13;
      scene->n_matches = 1;
      Painted painted;
      paint (&painted, scene, is_dark, HL_TOKEN_FLOW);
      guint8 plain[3], seen[3];
      ground_pixel (&painted, 3, plain);
      ground_pixel (&painted, 7, seen);
      g_assert_cmpint (apart (plain, seen), >, 20);
      ground_pixel (&painted, 10, seen);
      g_assert_cmpint (apart (plain, seen), ==, 0);
      for (gint64 i = 1; i < 40; i++)
        {
          HlRect rect = hl_token_layout_rect (&painted.layout, i);
          HlRect below = { rect.x + 4, rect.y + rect.height, 3, 4 };
          gboolean is_generated = scene->tokens->items[i].kind == HL_TOKEN_KIND_GENERATED;
          g_assert_cmpint (has_color (&painted, &below, &greens[is_dark], 3), ==,
                           is_generated);
          if (strlen (scene->tokens->items[i].text) < 2)
            continue; /* a comma is a few grey pixels */
          HlRect text = { rect.x, rect.y, rect.width, 0.6 * rect.height };
          g_assert_cmpint (has_color (&painted, &text, &painted.theme.foreground, 40), ==,
                           i != 9 && i != 11);
          HlRect line = { rect.x + rect.width / 2, rect.y + 15, 1, 2 };
          if (i == 13)
            g_assert_true (has_color (&painted, &line, &painted.theme.foreground, 40));
        }
      painted_clear (&painted);
    }
}

/* Marks piled on a letter stay inside its box. */
static void
test_piled_marks (void)
{
  g_autoptr (HlTokenList) list = hl_token_list_new (3);
  g_autoptr (GString) pile = g_string_new ("e");
  for (int i = 0; i < 60; i++)
    g_string_append (pile, i % 2 == 0 ? "\u0302" : "\u0323");
  for (gint64 i = 0; i < 3; i++)
    {
      hl_token_list_set_text (list, i, i == 1 ? pile->str : "");
      list->items[i].breaks_line = TRUE;
    }
  g_autoptr (HlTokenScene) scene = hl_token_scene_new (list);
  Painted painted;
  paint (&painted, scene, FALSE, HL_TOKEN_FLOW);
  HlRect box = hl_token_layout_rect (&painted.layout, 1);
  guint8 ground[3], seen[3];
  color_rgb (&painted.theme.background, ground);
  for (int x = 0; x < 490; x++)
    {
      pixel (&painted, x, box.y - 2, seen);
      g_assert_cmpint (apart (seen, ground), ==, 0);
      pixel (&painted, x, box.y + box.height + 1, seen);
      g_assert_cmpint (apart (seen, ground), ==, 0);
    }
  painted_clear (&painted);
}

/* Ink that would leave its box is cut off, whatever font there is. */
static void
test_cut_ink (void)
{
  HlTheme theme = hl_theme_light ();
  Painted painted = { .theme = theme };
  painted.surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, 200, 60);
  cairo_t *cr = cairo_create (painted.surface);
  cairo_set_source_rgb (cr, 1, 1, 1);
  cairo_paint (cr);
  HlPainter painter;
  hl_painter_init (&painter, cr, &theme, 1);
  g_autoptr (HlTypesetter) setter = hl_typesetter_new (theme.font_family);
  HlTextStyle style = { .size = 40, .color = &theme.foreground };
  HlRect clip = { 20, 20, 50, 15 };
  hl_typesetter_paint (setter, &painter, "WWWW", 20, 50, &style, &clip);
  cairo_destroy (cr);
  cairo_surface_flush (painted.surface);
  int n_inside = 0;
  for (int y = 0; y < 60; y++)
    for (int x = 0; x < 200; x++)
      {
        guint8 seen[3];
        pixel (&painted, x, y, seen);
        if (seen[0] < 250)
          g_assert_true (hl_rect_contains (&clip, x, y));
        n_inside += seen[0] < 250;
      }
  g_assert_cmpint (n_inside, >, 50);
  cairo_surface_destroy (painted.surface);
}

/* Of a hundred thousand tokens only those in sight are painted. */
static void
test_only_in_sight (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (100000);
  HlTheme theme = hl_theme_light ();
  for (int mode = 0; mode < 2; mode++)
    {
      HlTokenLayout layout = { 0 };
      hl_token_layout_compute (&layout, scene, &theme, 600, mode, HL_TOKENS_INDEX);
      HlRect visible = { 0, layout.body.height / 2, 600, 300 };
      cairo_surface_t *surface =
          cairo_recording_surface_create (CAIRO_CONTENT_COLOR_ALPHA, NULL);
      cairo_t *cr = cairo_create (surface);
      HlPainter painter;
      hl_painter_init (&painter, cr, &theme, 1);
      g_autoptr (GPtrArray) texts = hl_text_layer_new ();
      painter.text_layer = texts;
      hl_paint_tokens (&painter, scene, &layout, &visible);
      g_assert_cmpuint (texts->len, >, 20);
      g_assert_cmpuint (texts->len, <, 2 * 16 * 40);
      for (guint i = 0; i < texts->len; i++)
        {
          const HlTextItem *item = g_ptr_array_index (texts, i);
          g_assert_cmpfloat (item->y, >, visible.y - layout.line_height);
          g_assert_cmpfloat (item->y, <, visible.y + 300 + layout.line_height);
        }
      cairo_destroy (cr);
      cairo_surface_destroy (surface);
      hl_token_layout_clear (&layout);
    }
}

/* ---- words ---------------------------------------------------------------------------
 */

static void
test_words (void)
{
  /* Words are for people, with the comma of their language. */
  g_autofree char *locale = g_strdup (setlocale (LC_NUMERIC, NULL));
  setlocale (LC_NUMERIC, "C");
  g_autoptr (HlTokenScene) scene = test_tokens_new (40);
  test_tokens_weigh (scene, 30);
  scene->weights[2] = 0.5f;
  g_autofree char *plain = hl_token_scene_describe (scene, 2);
  g_assert_cmpstr (plain, ==, "token 2 “␣the”, attended to with 0.5");
  g_autofree char *later = hl_token_scene_describe (scene, 35);
  g_assert_cmpstr (later, ==, "token 35 “When”, generated, not applicable");
  g_autofree char *itself = hl_token_scene_describe (scene, 30);
  g_assert_true (strstr (itself, "generated, selected, attended to with 0.1") != NULL);
  g_autofree char *all = hl_token_scene_describe_selected (scene, 2);
  g_assert_cmpstr (all, ==, "attends to token 2 “␣the” 0.5, token 0 “<bos>” 0.35");
  scene->direction = HL_TOKENS_ATTENDED_FROM;
  g_autofree char *from = hl_token_scene_describe_selected (scene, 1);
  g_assert_cmpstr (from, ==, "attended from token 2 “␣the” 0.5");
  setlocale (LC_NUMERIC, locale);
}

static void
test_visible_signs (void)
{
  static const char *const cases[][2] = {
    { " the", "␣the" },
    { "the ", "the␣" },
    { "a b", "a b" },
    { "\n", "⏎" },
    { "\t\n", "⇥⏎" },
    { "  ", "␣␣" },
    { "", "" },
    { "\x1b[0m", "‹1B›[0m" },
    { "abcdefgh", "abcd…" },
    { "\u2028", "‹2028›" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = hl_typesetter_make_visible (cases[i][0], i == 8 ? 4 : 100);
      g_assert_cmpstr (text, ==, cases[i][1]);
    }
  g_autofree char *broken = hl_typesetter_make_visible ("a\xff", 9);
  g_assert_true (g_utf8_validate (broken, -1, NULL));
}

/* ---- figures -------------------------------------------------------------------------
 */

static char *
write_and_read (HlFigure *figure, const char *name, gsize *length)
{
  g_autofree char *folder = g_dir_make_tmp ("headlight-tokens-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;
  char *content = NULL;
  hl_figure_write (figure, path, NULL, &error);
  g_assert_no_error (error);
  if (g_str_has_suffix (name, ".pdf"))
    {
      g_autofree char *program = g_find_program_in_path ("pdftotext");
      const char *const argv[] = { program, path, "-", NULL };
      if (program != NULL)
        g_spawn_sync (NULL, (char **) argv, NULL, 0, NULL, NULL, &content, NULL, NULL,
                      NULL);
    }
  else
    g_file_get_contents (path, &content, length, NULL);
  g_unlink (path);
  g_rmdir (folder);
  return content;
}

static void
test_figure (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_odd_new ();
  test_tokens_weigh (scene, 20);
  test_tokens_bow (scene, 2, 20, 21);
  g_autoptr (HlFigure) figure = hl_figure_new ();
  hl_figure_add_tokens (figure, scene, HL_TOKEN_LIST,
                        HL_TOKENS_INDEX | HL_TOKENS_ARCS | HL_TOKENS_VALUES);
  g_autofree char *svg = write_and_read (figure, "a.svg", NULL);
  static const char *const wanted[] = {
    ">你好</text>",       ">שלום</text>", ">مرحبا</text>", ">&lt;|im_start|&gt;</text>",
    ">Odd tokens</text>", ">20</text>",   ">5.1</text>",   ">0.351</text>",
    ">0.4</text>",        "<path",
  };
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
    if (strstr (svg, wanted[i]) == NULL)
      g_error ("%s is missing", wanted[i]);
  g_assert_null (strstr (svg, "<glyph"));
  g_autofree char *text = write_and_read (figure, "a.pdf", NULL);
  if (text != NULL)
    {
      g_assert_nonnull (strstr (text, "im_start"));
      g_assert_nonnull (strstr (text, "generated"));
    }
  else
    g_test_message ("pdftotext is not installed");
}

/* A figure of a slice has its tokens and no others, and is no higher than they need. */
static void
test_figure_slice (void)
{
  g_autoptr (HlTokenScene) scene = test_tokens_new (4000);
  for (gint64 i = 0; i < 4000; i++)
    {
      scene->tokens->items[i].is_excluded = i < 1000 || i >= 1030;
      if (i == 999 || i == 1005)
        hl_token_list_set_text (scene->tokens, i, i == 999 ? "before" : "inside");
    }
  HlFigureOptions options;
  hl_figure_options_init (&options);
  double width, whole, slice;
  g_autoptr (HlFigure) all = hl_figure_new ();
  hl_figure_add_tokens (all, scene, HL_TOKEN_FLOW, HL_TOKENS_NONE);
  hl_figure_measure (all, &options, &width, &whole);
  g_autoptr (HlFigure) figure = hl_figure_new ();
  hl_figure_add_tokens (figure, scene, HL_TOKEN_FLOW, HL_TOKENS_SHOWN_ONLY);
  hl_figure_measure (figure, &options, &width, &slice);
  g_assert_cmpfloat (slice, <, 120);
  g_assert_cmpfloat (whole, >, 1000);
  g_autofree char *svg = write_and_read (figure, "a.svg", NULL);
  g_assert_nonnull (strstr (svg, ">inside</text>"));
  g_assert_null (strstr (svg, ">before</text>"));
}

/* Beside a map, with one bar for both when they have one scale and neither fades. */
static void
test_figure_bars (void)
{
  for (int fades = 0; fades < 2; fades++)
    {
      g_autoptr (HlTokenScene) scene = test_tokens_new (30);
      g_autoptr (HlMatrixScene) map = hl_matrix_scene_new ();
      test_tokens_weigh (scene, 20);
      scene->fades_low = fades;
      map->rows.n = map->columns.n = map->n_values_rows = map->n_values_columns = 2;
      map->values = g_new0 (float, 4);
      map->scale = scene->scale;
      g_autoptr (HlFigure) figure = hl_figure_new ();
      hl_figure_add_tokens (figure, scene, HL_TOKEN_FLOW, HL_TOKENS_INDEX);
      hl_figure_add_matrix (figure, map);
      g_autofree char *svg = write_and_read (figure, "a.svg", NULL);
      const char *first = strstr (svg, ">0.4</text>");
      g_assert_nonnull (first);
      g_assert_cmpint (strstr (first + 1, ">0.4</text>") != NULL, ==, fades);
    }
}

int
main (int argc, char *argv[])
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/draw/tokens/weights", test_weights);
  g_test_add_func ("/draw/tokens/ink", test_ink);
  g_test_add_func ("/draw/tokens/marks", test_marks);
  g_test_add_func ("/draw/tokens/kinds", test_kinds);
  g_test_add_func ("/draw/tokens/piled-marks", test_piled_marks);
  g_test_add_func ("/draw/tokens/cut-ink", test_cut_ink);
  g_test_add_func ("/draw/tokens/only-in-sight", test_only_in_sight);
  g_test_add_func ("/draw/tokens/words", test_words);
  g_test_add_func ("/draw/tokens/visible-signs", test_visible_signs);
  g_test_add_func ("/draw/tokens/figure", test_figure);
  g_test_add_func ("/draw/tokens/figure-slice", test_figure_slice);
  g_test_add_func ("/draw/tokens/figure-bars", test_figure_bars);
  return g_test_run ();
}
