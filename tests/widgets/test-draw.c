/* SPDX-License-Identifier: MIT
 * Colour maps, layouts and hit tests, and the painted cells against the colour map. */
#include "config.h"

#include "draw/hl-colormap.h"
#include "draw/hl-paint-grid.h"
#include "draw/hl-paint-matrix.h"
#include "draw/hl-paint-overlay.h"
#include "test-draw-scenes.h"

#include <locale.h>
#include <math.h>

/* ---- colour maps ---------------------------------------------------------------------
 */

static double
luminance (const guint8 *rgb)
{
  static const double weights[] = { 0.2126, 0.7152, 0.0722 };
  double sum = 0;
  for (int c = 0; c < 3; c++)
    {
      double v = rgb[c] / 255.0;
      sum += weights[c] * (v <= 0.04045 ? v / 12.92 : pow ((v + 0.055) / 1.055, 2.4));
    }
  return sum;
}

static void
test_colormap_ends (void)
{
  static const guint8 ends[HL_N_COLORMAPS][6] = {
    [HL_COLORMAP_VIRIDIS] = { 68, 1, 84, 253, 231, 37 },
    [HL_COLORMAP_MAGMA] = { 0, 0, 4, 252, 253, 191 },
    [HL_COLORMAP_CIVIDIS] = { 0, 34, 78, 254, 232, 56 },
    [HL_COLORMAP_GREY] = { 0, 0, 0, 255, 255, 255 },
  };
  for (int m = 0; m < HL_N_COLORMAPS; m++)
    {
      guint8 low[3], high[3], below[3];
      HlColormap found = HL_N_COLORMAPS;
      hl_colormap_lookup (m, 0, low);
      hl_colormap_lookup (m, 1, high);
      hl_colormap_lookup (m, -5, below);
      g_assert_cmpmem (below, 3, low, 3);
      if (m != HL_COLORMAP_DIVERGING)
        {
          g_assert_cmpmem (low, 3, ends[m], 3);
          g_assert_cmpmem (high, 3, ends[m] + 3, 3);
        }
      g_assert_true (hl_colormap_from_name (hl_colormap_name (m), &found));
      g_assert_cmpint (found, ==, m);
    }
  HlColormap kept = HL_COLORMAP_MAGMA;
  g_assert_false (hl_colormap_from_name ("jet", &kept));
  g_assert_cmpint (kept, ==, HL_COLORMAP_MAGMA);
}

/* Sequential maps get lighter all the way; the diverging one up to its middle and then
 * darker, alike on both sides. */
static void
test_colormap_luminance (void)
{
  for (int m = 0; m < HL_N_COLORMAPS; m++)
    {
      const guint8 *table = hl_colormap_table (m);
      for (int i = 1; i < HL_COLORMAP_SIZE; i++)
        {
          double step = luminance (table + 3 * i) - luminance (table + 3 * i - 3);
          if (m == HL_COLORMAP_DIVERGING && i > 127)
            step = i == 128 ? 0 : -step;
          /* Rounding to eight bits may take a hair back. */
          g_assert_cmpfloat (step, >, -0.002);
        }
    }
  const guint8 *table = hl_colormap_table (HL_COLORMAP_DIVERGING);
  for (int i = 0; i < 128; i++)
    g_assert_cmpfloat (
        fabs (luminance (table + 3 * i) - luminance (table + 3 * (255 - i))), <, 0.03);
  g_assert_cmpint (table[0], <, table[2]);                 /* blue below */
  g_assert_cmpint (table[255 * 3], >, table[255 * 3 + 2]); /* orange above */
}

static void
test_colormap_na (void)
{
  guint8 na[3], looked_up[3];
  for (int m = 0; m < HL_N_COLORMAPS; m++)
    for (int i = 0; i < HL_COLORMAP_SIZE; i++)
      {
        hl_colormap_na (m, na);
        hl_colormap_lookup (m, NAN, looked_up);
        g_assert_cmpmem (na, 3, looked_up, 3);
        const guint8 *entry = hl_colormap_table (m) + 3 * i;
        int apart = 0;
        for (int c = 0; c < 3; c++)
          apart += ABS (entry[c] - na[c]);
        g_assert_cmpint (apart, >=, 30);
      }
}

/* ---- layouts -------------------------------------------------------------------------
 */

static void
test_matrix_hit (void)
{
  g_autoptr (HlMatrixScene) scene = test_matrix_new (7, 5, "A map");
  HlTheme theme = hl_theme_light ();
  for (int trial = 0; trial < 300; trial++)
    {
      HlView view = { g_test_rand_double_range (-2, 20),
                      g_test_rand_double_range (-2, 20), 0, 0 };
      view.x1 = view.x0 + g_test_rand_double_range (0.5, 40);
      view.y1 = view.y0 + g_test_rand_double_range (0.5, 40);
      HlMatrixLayout layout;
      hl_matrix_layout_compute (scene, &theme, g_test_rand_double_range (200, 1500),
                                g_test_rand_double_range (150, 1100), &view,
                                g_test_rand_int_range (0, 128), &layout);
      gint64 row = g_test_rand_int_range (0, 36), column = g_test_rand_int_range (0, 36);
      HlRect entry = hl_matrix_layout_entry_rect (&layout, row, column);
      double x = entry.x + entry.width * g_test_rand_double_range (0.01, 0.99);
      double y = entry.y + entry.height * g_test_rand_double_range (0.01, 0.99);
      gint64 hit_row = -1, hit_column = -1;
      gboolean is_inside = hl_rect_contains (&layout.cells, x, y);
      g_assert_cmpint (
          is_inside, ==,
          hl_matrix_layout_hit (&layout, scene, x, y, &hit_row, &hit_column));
      if (!is_inside)
        continue;
      g_assert_cmpint (hit_row, ==, row);
      g_assert_cmpint (hit_column, ==, column);
    }
}

/* Parts stay inside the space given and apart from one another. */
static void
test_matrix_parts (void)
{
  g_autoptr (HlMatrixScene) scene = test_matrix_new (14, 14, "A map");
  HlTheme theme = hl_theme_light ();
  HlMatrixLayout layout;
  hl_matrix_layout_compute (scene, &theme, 700, 520, NULL, HL_MATRIX_ALL, &layout);
  g_assert_cmpfloat_with_epsilon (layout.cells.width, layout.cells.height, 1e-6);
  g_assert_cmpfloat (layout.used_width, <=, 700.001);
  g_assert_cmpfloat (layout.used_height, <=, 520.001);
  g_assert_cmpfloat (layout.left.x + layout.left.width, <=, layout.cells.x + 1e-6);
  g_assert_cmpfloat (layout.top.y + layout.top.height, <=, layout.cells.y + 1e-6);
  g_assert_cmpfloat (layout.bar.x, >=, layout.cells.x + layout.cells.width);
  g_assert_cmpfloat (layout.title.y + layout.title.height, <=, layout.top.y);
  /* A zoom moves nothing. */
  HlMatrixLayout zoomed;
  HlView view = { 40, 50, 60, 70 };
  hl_matrix_layout_compute (scene, &theme, 700, 520, &view, HL_MATRIX_ALL, &zoomed);
  g_assert_cmpfloat (zoomed.cells.x, ==, layout.cells.x);
  g_assert_cmpfloat (zoomed.cells.y, ==, layout.cells.y);
}

static void
test_grid_hit (gconstpointer data)
{
  g_autoptr (HlGridScene) scene = test_grid_new (9, 7);
  for (guint l = 0; l < scene->layers->len; l++)
    ((HlGridLayer *) g_ptr_array_index (scene->layers, l))->n_per_group =
        GPOINTER_TO_INT (data);
  HlTheme theme = hl_theme_dark ();
  for (int trial = 0; trial < 200; trial++)
    {
      HlGridLayout layout;
      double cell = trial % 2 == 0 ? 0 : g_test_rand_double_range (4, 90);
      hl_grid_layout_compute (scene, &theme, g_test_rand_double_range (200, 1500), cell,
                              g_test_rand_int_range (0, 16), &layout);
      int layer = g_test_rand_int_range (0, 9), head = g_test_rand_int_range (0, 7);
      HlRect rect = hl_grid_layout_cell (&layout, layer, head);
      int hit_layer = -1, hit_head = -1;
      gboolean exists = layer < 8 || head < 6;
      g_assert_cmpint (exists, ==,
                       hl_grid_layout_hit (&layout, scene, rect.x + rect.width * 0.7,
                                           rect.y + rect.height * 0.2, &hit_layer,
                                           &hit_head));
      if (exists)
        {
          g_assert_cmpint (hit_layer, ==, layer);
          g_assert_cmpint (hit_head, ==, head);
        }
      g_assert_false (hl_grid_layout_hit (&layout, scene, rect.x + rect.width + 0.1,
                                          rect.y + 1, &hit_layer, &hit_head));
      int l0, l1, h0, h1;
      hl_grid_layout_visible (&layout, &rect, &l0, &l1, &h0, &h1);
      g_assert_true (l0 <= layer && layer < l1 && h0 <= head && head < h1);
    }
}

/* Groups are a little farther apart than heads, fill the same width, and are drawn only
 * where all layers have the same. */
static void
test_grid_groups (void)
{
  g_autoptr (HlGridScene) scene = test_grid_new (4, 8);
  HlTheme theme = hl_theme_light ();
  HlGridLayout plain, grouped;
  hl_grid_layout_compute (scene, &theme, 700, 0, HL_GRID_LABELS, &plain);
  for (guint l = 4; l > 0; l--)
    {
      g_assert_cmpint (hl_grid_scene_per_group (scene), ==, 0);
      ((HlGridLayer *) g_ptr_array_index (scene->layers, l - 1))->n_per_group = 4;
    }
  ((HlGridLayer *) g_ptr_array_index (scene->layers, 0))->n_per_group = 2;
  g_assert_cmpint (hl_grid_scene_per_group (scene), ==, 0);
  ((HlGridLayer *) g_ptr_array_index (scene->layers, 0))->n_per_group = 4;
  g_assert_cmpint (hl_grid_scene_per_group (scene), ==, 4);
  hl_grid_layout_compute (scene, &theme, 700, 0, HL_GRID_LABELS, &grouped);
  g_assert_cmpfloat (grouped.y0, >, plain.y0);
  g_assert_cmpfloat_with_epsilon (hl_grid_layout_heads_width (&grouped),
                                  hl_grid_layout_heads_width (&plain), 0.01);
  for (int h = 1; h < 8; h++)
    {
      HlRect a = hl_grid_layout_cell (&grouped, 0, h - 1);
      HlRect b = hl_grid_layout_cell (&grouped, 0, h);
      double between = b.x - a.x - a.width;
      double wanted = grouped.gap + (h == 4 ? grouped.group_gap : 0);
      g_assert_cmpfloat_with_epsilon (between, wanted, 1e-6);
      g_assert_cmpfloat_with_epsilon (
          hl_grid_layout_column_at (&grouped, b.x + b.width / 4), h, 0.25 + 1e-6);
      double column = h + 0.4;
      g_assert_cmpfloat_with_epsilon (
          hl_grid_layout_column_at (&grouped, hl_grid_layout_column_x (&grouped, column)),
          column, 1e-6);
    }
  g_assert_cmpfloat (grouped.group_gap, >, grouped.gap);
  g_assert_cmpfloat (grouped.group_gap, <, 0.3 * grouped.cell);
  cairo_surface_t *surface =
      cairo_recording_surface_create (CAIRO_CONTENT_COLOR_ALPHA, NULL);
  cairo_t *cr = cairo_create (surface);
  HlPainter painter;
  hl_painter_init (&painter, cr, &theme, 1);
  g_autoptr (GPtrArray) texts = hl_text_layer_new ();
  painter.text_layer = texts;
  hl_paint_grid_labels (&painter, scene, &grouped, NULL);
  int n_seen = 0;
  for (guint i = 0; i < texts->len; i++)
    {
      const HlTextItem *item = g_ptr_array_index (texts, i);
      if (!g_str_has_prefix (item->text, "kv "))
        continue;
      int head = 4 * (item->text[3] - '0');
      HlRect first = hl_grid_layout_cell (&grouped, 0, head);
      HlRect last = hl_grid_layout_cell (&grouped, 0, head + 3);
      g_assert_cmpfloat_with_epsilon (item->x, (first.x + last.x + last.width) / 2, 0.01);
      g_assert_cmpfloat (item->y, <, grouped.y0 - theme.font_size);
      n_seen++;
    }
  g_assert_cmpint (n_seen, ==, 2);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
}

/* The distances between many groups add up to more than a group. */
static void
test_grid_many_groups (void)
{
  g_autoptr (HlGridScene) scene = test_grid_new (2, 64);
  HlTheme theme = hl_theme_light ();
  HlGridLayout layout;
  for (guint l = 0; l < 2; l++)
    ((HlGridLayer *) g_ptr_array_index (scene->layers, l))->n_per_group = 2;
  hl_grid_layout_compute (scene, &theme, 900, 0, HL_GRID_LABELS, &layout);
  for (double column = 0.1; column < 64; column += 0.2)
    {
      double x = hl_grid_layout_column_x (&layout, column);
      g_assert_cmpfloat_with_epsilon (hl_grid_layout_column_at (&layout, x), column,
                                      1e-6);
    }
}

static void
test_overlay_hit (void)
{
  g_autoptr (HlOverlayScene) scene = test_overlay_new ();
  HlTheme theme = hl_theme_light ();
  for (int trial = 0; trial < 200; trial++)
    {
      HlOverlayLayout layout;
      hl_overlay_layout_compute (scene, &theme, g_test_rand_double_range (150, 900),
                                 g_test_rand_double_range (150, 900),
                                 g_test_rand_int_range (0, 4), &layout);
      int row = g_test_rand_int_range (0, 7), column = g_test_rand_int_range (0, 5);
      HlRect patch = hl_overlay_layout_patch (&layout, scene, row, column);
      int hit_row = -1, hit_column = -1;
      g_assert_true (hl_overlay_layout_hit (&layout, scene, patch.x + patch.width * 0.9,
                                            patch.y + patch.height * 0.1, &hit_row,
                                            &hit_column));
      g_assert_cmpint (hit_row, ==, row);
      g_assert_cmpint (hit_column, ==, column);
      g_assert_cmpfloat_with_epsilon (layout.picture.width / layout.picture.height,
                                      20.0 / 28, 1e-9);
    }
}

/* ---- painting ------------------------------------------------------------------------
 */

static cairo_surface_t *
paint_cells_of (const HlMatrixScene *scene,
                const HlTheme *theme,
                const HlView *view,
                HlMatrixLayout *layout)
{
  hl_matrix_layout_compute (scene, theme, 640, 480, view, HL_MATRIX_ALL, layout);
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, 640, 480);
  cairo_t *cr = cairo_create (surface);
  hl_paint_set_color (cr, &theme->background);
  cairo_paint (cr);
  HlPainter painter;
  hl_painter_init (&painter, cr, theme, 1);
  hl_paint_matrix_cells (&painter, scene, layout);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  return surface;
}

static guint32
pixel_at (cairo_surface_t *surface, double x, double y)
{
  const guint8 *data = cairo_image_surface_get_data (surface);
  int stride = cairo_image_surface_get_stride (surface);
  return *(const guint32 *) (data + (int) y * stride + 4 * (int) x) & 0xffffff;
}

static void
assert_close (guint32 pixel, const guint8 *rgb, int tolerance)
{
  for (int c = 0; c < 3; c++)
    g_assert_cmpint (ABS ((int) (pixel >> (16 - 8 * c) & 0xff) - rgb[c]), <=, tolerance);
}

static void
test_cells (void)
{
  static const HlView views[] = {
    { 0, 0, 36, 36 }, { 3.4, 7.7, 19.1, 20.2 }, { 20, 20, 23, 22 }, { -4, -4, 50, 50 }
  };
  g_autoptr (HlMatrixScene) scene = test_matrix_new (7, 5, "A map");
  scene->values[5 * 36 + 8] = NAN;
  scene->values[21 * 36 + 21] = NAN;
  for (guint v = 0; v < G_N_ELEMENTS (views); v++)
    for (int dark = 0; dark < 2; dark++)
      {
        HlTheme theme = dark ? hl_theme_dark () : hl_theme_light ();
        HlMatrixLayout layout;
        cairo_surface_t *surface = paint_cells_of (scene, &theme, &views[v], &layout);
        int n_seen = 0;
        for (int r = 0; r < 36; r++)
          for (int c = 0; c < 36; c++)
            {
              HlRect entry = hl_matrix_layout_entry_rect (&layout, r, c);
              double x = entry.x + entry.width / 2, y = entry.y + entry.height / 2;
              if (!hl_rect_contains (&layout.cells, x, y))
                continue;
              guint8 rgb[3];
              hl_colormap_lookup (
                  scene->scale.colormap,
                  hl_scale_position (&scene->scale, scene->values[r * 36 + c]), rgb);
              assert_close (pixel_at (surface, x, y), rgb, 1);
              n_seen++;
            }
        g_assert_cmpint (n_seen, >=, 4);
        cairo_surface_destroy (surface);
      }
}

/* A line one entry thin must not vanish when there are more entries than pixels. */
static void
test_thin_line (void)
{
  g_autoptr (HlMatrixScene) scene = hl_matrix_scene_new ();
  int n = 3001;
  scene->rows.n = scene->columns.n = n;
  scene->n_values_rows = scene->n_values_columns = n;
  scene->values = g_new0 (float, (gsize) n *n);
  for (int r = 0; r < n; r++)
    scene->values[(gsize) r * n + 1777] = 1;
  scene->scale = (HlScale){ HL_COLORMAP_GREY, HL_RANGE_SHARED, 0, 1, FALSE, FALSE };
  HlTheme theme = hl_theme_light ();
  HlMatrixLayout layout;
  cairo_surface_t *surface = paint_cells_of (scene, &theme, NULL, &layout);
  g_assert_cmpint (hl_matrix_layout_pool (&layout, scene, 1).rows, >, 1);
  for (int y = (int) layout.cells.y + 2; y < layout.cells.y + layout.cells.height - 2;
       y++)
    {
      gboolean is_seen = FALSE;
      for (int x = (int) layout.cells.x + 1; x < layout.cells.x + layout.cells.width - 1;
           x++)
        is_seen |= pixel_at (surface, x, y) == 0xffffff;
      g_assert_true (is_seen);
    }
  cairo_surface_destroy (surface);
}

static void
test_numbers (void)
{
  static const struct
  {
    double value;
    const char *text;
  } cases[] = {
    { 0, "0" },          { 0.2134, "0.213" },  { -0.5, "−0.5" },
    { 0.00001, "1e−5" }, { 123456, "1.23e5" }, { NAN, "n/a" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = hl_format_number (cases[i].value);
      g_assert_cmpstr (text, ==, cases[i].text);
    }
  g_autofree char *one = hl_format_digits (0.000294, 1);
  g_autofree char *two = hl_format_digits (-6.78e-5, 2);
  g_autofree char *none = hl_format_digits (0.000294, 0);
  g_assert_cmpstr (one, ==, "0.0003");
  g_assert_cmpstr (none, ==, "3e−4");
  g_assert_cmpstr (two, ==, "−6.8e−5");
}

static void
test_text_fit (void)
{
  HlTheme theme = hl_theme_light ();
  double whole = hl_text_width (&theme, "uncommonly long", 0, FALSE);
  g_autofree char *kept = hl_text_fit (&theme, "uncommonly long", 0, whole + 0.1);
  g_autofree char *cut = hl_text_fit (&theme, "uncommonly long", 0, whole / 2);
  g_assert_cmpstr (kept, ==, "uncommonly long");
  g_assert_true (g_str_has_suffix (cut, "…"));
  g_assert_cmpfloat (hl_text_width (&theme, cut, 0, FALSE), <=, whole / 2);
  g_autofree char *line = hl_text_fit (&theme, "a\nb\xff", 0, 1000);
  g_assert_null (strchr (line, '\n'));
  g_assert_true (g_utf8_validate (line, -1, NULL));
}

int
main (int argc, char *argv[])
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/draw/colormap/ends", test_colormap_ends);
  g_test_add_func ("/draw/colormap/luminance", test_colormap_luminance);
  g_test_add_func ("/draw/colormap/na", test_colormap_na);
  g_test_add_func ("/draw/matrix/hit", test_matrix_hit);
  g_test_add_func ("/draw/matrix/parts", test_matrix_parts);
  g_test_add_data_func ("/draw/grid/hit", GINT_TO_POINTER (0), test_grid_hit);
  g_test_add_data_func ("/draw/grid/hit-groups", GINT_TO_POINTER (3), test_grid_hit);
  g_test_add_func ("/draw/grid/groups", test_grid_groups);
  g_test_add_func ("/draw/grid/many-groups", test_grid_many_groups);
  g_test_add_func ("/draw/overlay/hit", test_overlay_hit);
  g_test_add_func ("/draw/matrix/cells", test_cells);
  g_test_add_func ("/draw/matrix/thin-line", test_thin_line);
  g_test_add_func ("/draw/numbers", test_numbers);
  g_test_add_func ("/draw/text-fit", test_text_fit);
  return g_test_run ();
}
