/* SPDX-License-Identifier: MIT
 * Figures: written, read back by other programs, and compared. */
#include "config.h"

#include "draw/hl-colormap.h"
#include "draw/hl-figure-private.h"
#include "test-draw-scenes.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct
{
  char *folder;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("headlight-figure-XXXXXX", NULL);
  g_assert_nonnull (fixture->folder);
}

static int
count_files (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  int n = 0;
  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GDir) dir = g_dir_open (fixture->folder, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (fixture->folder, name, NULL);
      g_unlink (path);
    }
  g_rmdir (fixture->folder);
  g_free (fixture->folder);
}

static HlFigure *
one_map (void)
{
  HlFigure *figure = hl_figure_new ();
  g_autoptr (HlMatrixScene) scene = test_matrix_new (4, 4, "Layer 5 · head 2");
  scene->selected_row = 6;
  hl_figure_add_matrix (figure, scene);
  hl_figure_set_title (figure, "Heads <of> & in");
  hl_figure_add_provenance (figure, "model", "old");
  hl_figure_add_provenance (figure, "model", "vit \"fashion\" <é>\x01");
  hl_figure_add_provenance (figure, "dtype", "float16");
  return figure;
}

static HlFigure *
four_maps (void)
{
  HlFigure *figure = hl_figure_new ();
  for (int i = 0; i < 4; i++)
    {
      g_autofree char *title = g_strdup_printf ("Head %d", i);
      g_autoptr (HlMatrixScene) scene = test_matrix_new (4, 4, title);
      hl_figure_add_matrix (figure, scene);
    }
  return figure;
}

static char *
write_to (Fixture *fixture, HlFigure *figure, const char *name, gboolean is_dark)
{
  HlFigureOptions options;
  hl_figure_options_init (&options);
  options.is_dark = is_dark;
  char *path = g_build_filename (fixture->folder, name, NULL);
  g_autoptr (GError) error = NULL;
  hl_figure_write (figure, path, &options, &error);
  g_assert_no_error (error);
  return path;
}

static char *
read_text (const char *path)
{
  char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static gboolean
run (const char *const *argv)
{
  int status = 0;
  g_autofree char *complaint = NULL;
  gboolean is_started = g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH,
                                      NULL, NULL, NULL, &complaint, &status, NULL);
  if (!is_started || status != 0)
    g_test_message ("%s: %s", argv[0], complaint != NULL ? complaint : "not started");
  return is_started && status == 0;
}

static int
count (const char *text, const char *part)
{
  int n = 0;
  for (const char *at = strstr (text, part); at != NULL; at = strstr (at + 1, part))
    n++;
  return n;
}

/* ---- comparing pictures --------------------------------------------------------------
 */

static const guint8 *
pixel_of (GdkPixbuf *picture, int x, int y)
{
  return gdk_pixbuf_read_pixels (picture) + y * gdk_pixbuf_get_rowstride (picture) +
         x * gdk_pixbuf_get_n_channels (picture);
}

static double
mean_difference (GdkPixbuf *a, GdkPixbuf *b)
{
  double sum = 0;
  int width = MIN (gdk_pixbuf_get_width (a), gdk_pixbuf_get_width (b));
  int height = MIN (gdk_pixbuf_get_height (a), gdk_pixbuf_get_height (b));
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      for (int c = 0; c < 3; c++)
        sum += ABS (pixel_of (a, x, y)[c] - pixel_of (b, x, y)[c]);
  return sum / (3.0 * width * height);
}

/* The middles of the cells of the first panel, against the colour map itself. */
static void
check_cells (const HlFigure *figure, GdkPixbuf *picture, double dpi, int tolerance)
{
  HlFigureOptions options;
  hl_figure_options_init (&options);
  HlPage page;
  hl_page_init (&page, figure, &options, 300 / 72.0);
  const HlPlace *place = &g_array_index (page.places, HlPlace, 0);
  const HlMatrixScene *scene =
      ((HlPanel *) g_ptr_array_index (figure->panels, 0))->matrix;
  int worst = 0;
  for (int r = 0; r < scene->rows.n; r++)
    for (int c = 0; c < scene->columns.n; c++)
      {
        HlRect entry = hl_matrix_layout_entry_rect (&place->matrix, r, c);
        int x = (int) ((place->x + entry.x + entry.width / 2) * dpi / 72);
        int y = (int) ((place->y + entry.y + entry.height / 2) * dpi / 72);
        guint8 rgb[3];
        float value = scene->values[r * scene->n_values_columns + c];
        hl_colormap_lookup (scene->scale.colormap,
                            hl_scale_position (&scene->scale, value), rgb);
        for (int i = 0; i < 3; i++)
          worst = MAX (worst, ABS (rgb[i] - pixel_of (picture, x, y)[i]));
      }
  g_assert_cmpint (worst, <=, tolerance);
  hl_page_clear (&page);
}

static void
compare (HlFigure *figure, const char *png, const char *rendered)
{
  g_autoptr (GdkPixbuf) own = gdk_pixbuf_new_from_file (png, NULL);
  g_autoptr (GdkPixbuf) other = gdk_pixbuf_new_from_file (rendered, NULL);
  g_assert_nonnull (own);
  g_assert_nonnull (other);
  g_assert_cmpint (ABS (gdk_pixbuf_get_width (own) - gdk_pixbuf_get_width (other)), <=,
                   1);
  g_assert_cmpint (ABS (gdk_pixbuf_get_height (own) - gdk_pixbuf_get_height (other)), <=,
                   1);
  /* What is left is how letters and edges are smoothed. */
  g_assert_cmpfloat (mean_difference (own, other), <, 4);
  check_cells (figure, own, 300, 1);
  check_cells (figure, other, 300, 2);
}

static void
test_svg_rendered (Fixture *fixture, gconstpointer data)
{
  g_autofree char *program = g_find_program_in_path ("rsvg-convert");
  if (program == NULL)
    {
      g_test_skip ("rsvg-convert is not installed");
      return;
    }
  g_autoptr (HlFigure) figure = one_map ();
  g_autofree char *png = write_to (fixture, figure, "a.png", FALSE);
  g_autofree char *svg = write_to (fixture, figure, "a.svg", FALSE);
  g_autofree char *out = g_build_filename (fixture->folder, "svg.png", NULL);
  g_assert_true (
      run ((const char *[]){ program, "-d", "300", "-p", "300", "-o", out, svg, NULL }));
  compare (figure, png, out);
}

static void
test_pdf_rendered (Fixture *fixture, gconstpointer data)
{
  g_autofree char *program = g_find_program_in_path ("pdftoppm");
  if (program == NULL)
    {
      g_test_skip ("pdftoppm is not installed");
      return;
    }
  g_autoptr (HlFigure) figure = one_map ();
  g_autofree char *png = write_to (fixture, figure, "a.png", FALSE);
  g_autofree char *pdf = write_to (fixture, figure, "a.PDF", FALSE);
  g_autofree char *stem = g_build_filename (fixture->folder, "pdf", NULL);
  g_autofree char *out = g_strconcat (stem, ".png", NULL);
  g_assert_true (run (
      (const char *[]){ program, "-r", "300", "-png", "-singlefile", pdf, stem, NULL }));
  compare (figure, png, out);
}

/* ---- what is in the files ------------------------------------------------------------
 */

static void
test_svg_text (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HlFigure) figure = one_map ();
  g_autofree char *path = write_to (fixture, figure, "a.svg", FALSE);
  g_autofree char *svg = read_text (path);
  static const char *const wanted[] = {
    ">(1, 1)</text>",           ">CLS</text>",       ">(2, 0)</text>",
    ">query patch</text>",      ">key patch</text>", ">0.213</text>",
    ">Layer 5 · head 2</text>", "rotate(-90",        ">0</text>",
  };
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
    g_assert_nonnull (strstr (svg, wanted[i]));
  g_assert_null (strstr (svg, "<glyph"));
  g_assert_null (strstr (svg, "id=\"glyph"));
  g_assert_nonnull (strstr (svg, "<entry key=\"dtype\">float16</entry>"));
  g_assert_nonnull (strstr (
      svg, "<entry key=\"model\">vit &quot;fashion&quot; &lt;é&gt;\xef\xbf\xbd<"));
  g_assert_null (strstr (svg, ">old<"));

  g_autoptr (GMarkupParseContext) parser = NULL;
  GMarkupParser nothing = { 0 };
  g_autoptr (GError) error = NULL;
  parser = g_markup_parse_context_new (&nothing, 0, NULL, NULL);
  g_markup_parse_context_parse (parser, svg, -1, &error);
  g_assert_no_error (error);
  g_markup_parse_context_end_parse (parser, &error);
  g_assert_no_error (error);
  g_autofree char *lint = g_find_program_in_path ("xmllint");
  if (lint != NULL)
    g_assert_true (run ((const char *[]){ lint, "--noout", path, NULL }));
}

static void
test_png_chunks (Fixture *fixture, gconstpointer data)
{
  g_assert_cmphex (hl_png_crc ((const guint8 *) "IEND", 4), ==, 0xae426082);
  g_autoptr (HlFigure) figure = one_map ();
  g_autofree char *path = write_to (fixture, figure, "a.png", FALSE);
  g_autoptr (GError) error = NULL;
  g_autoptr (GdkPixbuf) picture = gdk_pixbuf_new_from_file (path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (gdk_pixbuf_get_width (picture), ==, (int) ceil (85 / 25.4 * 300));
  g_assert_cmpstr (gdk_pixbuf_get_option (picture, "x-dpi"), ==, "300");
  g_assert_cmpstr (gdk_pixbuf_get_option (picture, "tEXt::dtype"), ==, "float16");
  g_assert_nonnull (gdk_pixbuf_get_option (picture, "tEXt::model"));
}

static void
test_pdf_metadata (Fixture *fixture, gconstpointer data)
{
  g_autofree char *program = g_find_program_in_path ("pdftotext");
  if (program == NULL)
    {
      g_test_skip ("pdftotext is not installed");
      return;
    }
  g_autoptr (HlFigure) figure = one_map ();
  g_autofree char *path = write_to (fixture, figure, "a.pdf", FALSE);
  g_autofree char *out = g_build_filename (fixture->folder, "a.txt", NULL);
  g_assert_true (run ((const char *[]){ program, "-htmlmeta", path, out, NULL }));
  g_autofree char *text = read_text (out);
  g_assert_nonnull (strstr (text, "dtype: float16"));
  g_assert_nonnull (strstr (text, "query patch"));
}

static void
test_panels (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HlFigure) figure = four_maps ();
  g_autofree char *path = write_to (fixture, figure, "four.svg", FALSE);
  g_autofree char *svg = read_text (path);
  g_assert_cmpint (count (svg, ">a</text>"), ==, 1);
  g_assert_cmpint (count (svg, ">d</text>"), ==, 1);
  g_assert_cmpint (count (svg, ">0.213</text>"), ==, 1);
  g_assert_cmpint (count (svg, "Attention weights"), ==, 1);
  g_assert_cmpint (count (svg, "<linearGradient"), ==, 1);

  /* With a scale of its own a panel needs its own bar. */
  g_autoptr (HlMatrixScene) other = test_matrix_new (4, 4, "Another");
  other->scale.high = 0.5;
  hl_figure_add_matrix (figure, other);
  g_autofree char *again = write_to (fixture, figure, "five.svg", FALSE);
  g_autofree char *five = read_text (again);
  g_assert_cmpint (count (five, "<linearGradient"), ==, 5);
  g_assert_cmpint (count (five, ">e</text>"), ==, 1);
}

static void
test_dark (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HlFigure) figure = one_map ();
  g_autofree char *light_path = write_to (fixture, figure, "light.png", FALSE);
  g_autofree char *dark_path = write_to (fixture, figure, "dark.png", TRUE);
  g_autoptr (GdkPixbuf) light = gdk_pixbuf_new_from_file (light_path, NULL);
  g_autoptr (GdkPixbuf) dark = gdk_pixbuf_new_from_file (dark_path, NULL);
  g_assert_cmpint (pixel_of (light, 1, 1)[0], >, 250);
  g_assert_cmpint (pixel_of (dark, 1, 1)[0], <, 60);
  check_cells (figure, dark, 300, 1);
  /* The texts turn light as well as the ground dark. */
  g_autofree char *svg_path = write_to (fixture, figure, "dark.svg", TRUE);
  g_autofree char *svg = read_text (svg_path);
  g_assert_nonnull (strstr (svg, "fill=\"#f2f2f2\">key patch</text>"));
}

/* Every kind of panel, at widths from a thumb to a poster. */
static void
test_sizes (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HlFigure) figure = hl_figure_new ();
  g_autoptr (HlMatrixScene) words = test_words_new ();
  g_autoptr (HlGridScene) grid = test_grid_new (3, 4);
  g_autoptr (HlOverlayScene) overlay = test_overlay_new ();
  g_autoptr (HlMatrixScene) empty = hl_matrix_scene_new ();
  hl_figure_add_matrix (figure, words);
  hl_figure_add_grid (figure, grid);
  hl_figure_add_overlay (figure, overlay);
  hl_figure_add_matrix (figure, empty);
  static const double widths[] = { 20, 60, 178, 600 };
  for (guint i = 0; i < G_N_ELEMENTS (widths); i++)
    {
      HlFigureOptions options;
      hl_figure_options_init (&options);
      options.width_mm = widths[i];
      options.dpi = 50;
      g_autofree char *path = g_build_filename (fixture->folder, "all.png", NULL);
      g_autoptr (GError) error = NULL;
      hl_figure_write (figure, path, &options, &error);
      g_assert_no_error (error);
    }
}

/* ---- texts that touch ----------------------------------------------------------------
 */

static HlRect
box_of (const HlTheme *theme, const HlTextItem *item)
{
  double width = hl_text_width (theme, item->text, item->size, item->is_bold);
  double before = item->anchor == HL_ANCHOR_START    ? 0
                  : item->anchor == HL_ANCHOR_MIDDLE ? width / 2
                                                     : width;
  /* Ink of capitals and digits; descenders reach into the distance between lines. */
  double height = 0.73 * item->size;
  if (item->is_upright)
    return (HlRect){ item->x - height, item->y + before - width, height, width };
  return (HlRect){ item->x - before, item->y - height, width, height };
}

static gboolean
boxes_touch (const HlRect *a, const HlRect *b)
{
  return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
         b->y < a->y + a->height;
}

static void
check_texts (const HlFigure *figure, double width_mm)
{
  HlFigureOptions options;
  hl_figure_options_init (&options);
  options.width_mm = width_mm;
  HlPage page;
  hl_page_init (&page, figure, &options, 600 / 72.0);
  cairo_surface_t *surface = cairo_recording_surface_create (CAIRO_CONTENT_COLOR, NULL);
  cairo_t *cr = cairo_create (surface);
  HlPainter painter;
  hl_painter_init (&painter, cr, &page.theme, 600 / 72.0);
  painter.text_layer = hl_text_layer_new ();
  hl_page_paint (&page, figure, &painter);
  GPtrArray *items = painter.text_layer;
  g_assert_cmpint (items->len, >, 3);
  for (guint i = 0; i < items->len; i++)
    {
      const HlTextItem *item = g_ptr_array_index (items, i);
      HlRect box = box_of (&page.theme, item);
      if (box.x < 0 || box.y < 0 || box.x + box.width > page.width ||
          box.y + box.height > page.height)
        g_error ("“%s” leaves the page at %g mm", item->text, width_mm);
      for (guint j = 0; j < i; j++)
        {
          const HlTextItem *other = g_ptr_array_index (items, j);
          HlRect its = box_of (&page.theme, other);
          if (boxes_touch (&box, &its))
            g_error ("“%s” and “%s” touch at %g mm", item->text, other->text, width_mm);
        }
    }
  g_ptr_array_unref (items);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
  hl_page_clear (&page);
}

static void
test_texts_apart (Fixture *fixture, gconstpointer data)
{
  static const double widths[] = { 60, 85, 120, 178, 300 };
  for (guint w = 0; w < G_N_ELEMENTS (widths); w++)
    {
      g_autoptr (HlFigure) one = one_map ();
      g_autoptr (HlFigure) four = four_maps ();
      g_autoptr (HlFigure) mixed = hl_figure_new ();
      g_autoptr (HlMatrixScene) words = test_words_new ();
      g_autoptr (HlMatrixScene) map = test_matrix_new (14, 14, "Layer 5 · head 2");
      g_autoptr (HlGridScene) grid = test_grid_new (12, 12);
      g_autoptr (HlOverlayScene) overlay = test_overlay_new ();
      g_autoptr (HlGridScene) grouped = test_grid_new (6, 32);
      g_autoptr (HlFigure) groups = hl_figure_new ();
      for (guint l = 0; l < 6; l++)
        ((HlGridLayer *) g_ptr_array_index (grouped->layers, l))->n_per_group = 2;
      hl_figure_add_grid (groups, grouped);
      check_texts (groups, widths[w]);
      map->selected_row = 100;
      map->selected_column = 101;
      hl_figure_add_matrix (mixed, words);
      hl_figure_add_matrix (mixed, map);
      hl_figure_add_grid (mixed, grid);
      hl_figure_add_overlay (mixed, overlay);
      check_texts (one, widths[w]);
      check_texts (four, widths[w]);
      check_texts (mixed, widths[w]);
    }
}

/* ---- trouble -------------------------------------------------------------------------
 */

static void
expect_error (HlFigure *figure, const char *path, GQuark domain, int code)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (hl_figure_write (figure, path, NULL, &error));
  g_assert_error (error, domain, code);
}

static void
test_errors (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HlFigure) figure = one_map ();
  g_autoptr (HlFigure) nothing = hl_figure_new ();
  g_autofree char *gif = g_build_filename (fixture->folder, "a.gif", NULL);
  g_autofree char *svg = g_build_filename (fixture->folder, "a.svg", NULL);
  g_autofree char *lost = g_build_filename (fixture->folder, "no", "a.svg", NULL);
  g_autofree char *folder = g_build_filename (fixture->folder, "b.svg", NULL);
  expect_error (figure, gif, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  expect_error (nothing, svg, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  expect_error (figure, lost, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  g_assert_cmpint (count_files (fixture->folder), ==, 0);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  expect_error (figure, folder, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_cmpint (g_rmdir (folder), ==, 0);

  HlFigureOptions options;
  hl_figure_options_init (&options);
  options.width_mm = NAN;
  g_autoptr (GError) error = NULL;
  g_assert_false (hl_figure_write (figure, svg, &options, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  options.width_mm = 2000;
  options.dpi = 2400;
  g_autofree char *png = g_build_filename (fixture->folder, "a.png", NULL);
  g_assert_false (hl_figure_write (figure, png, &options, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_cmpint (count_files (fixture->folder), ==, 0);
}

static void
test_read_only (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HlFigure) figure = one_map ();
  g_autofree char *svg = g_build_filename (fixture->folder, "a.svg", NULL);
  g_assert_cmpint (g_chmod (fixture->folder, 0555), ==, 0);
  /* Root may write anywhere: be nobody for a moment. */
  gboolean is_root = geteuid () == 0;
  if (is_root && seteuid (65534) != 0)
    {
      g_test_skip ("root may write into a read-only folder and cannot be left");
      return;
    }
  expect_error (figure, svg, G_FILE_ERROR, G_FILE_ERROR_ACCES);
  if (is_root)
    g_assert_cmpint (seteuid (0), ==, 0);
  g_assert_cmpint (g_chmod (fixture->folder, 0700), ==, 0);
  g_assert_cmpint (count_files (fixture->folder), ==, 0);
}

/* A limit on the size of files stands in for a full disk: the write stops half-way. */
static void
test_full_disk (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HlFigure) figure = one_map ();
  g_autofree char *path = write_to (fixture, figure, "a.svg", FALSE);
  g_autofree char *before = read_text (path);
  struct rlimit limit, small;
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  small = limit;
  small.rlim_cur = 1000;
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  hl_figure_set_title (figure, "never written");
  g_autoptr (GError) error = NULL;
  gboolean is_written = hl_figure_write (figure, path, NULL, &error);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  signal (SIGXFSZ, SIG_DFL);
  g_assert_false (is_written);
  g_assert_nonnull (error);
  g_assert_cmpint (error->domain, ==, G_FILE_ERROR);
  g_autofree char *after = read_text (path);
  g_assert_cmpstr (before, ==, after);
  g_assert_cmpint (count_files (fixture->folder), ==, 1);
}

/* Cairo counts what it has made since the program began, and names things so. */
static char *
without_ids (const char *svg)
{
  g_autoptr (GRegex) names =
      g_regex_new ("(image|clip|linear|surface|mask|source|pattern)-?[0-9]+", 0, 0, NULL);
  return g_regex_replace (names, svg, -1, 0, "\\1", 0, NULL);
}

static void
test_decimal_comma (Fixture *fixture, gconstpointer data)
{
  static const char *const names[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8" };
  g_autofree char *old = g_strdup (setlocale (LC_NUMERIC, NULL));
  const char *found = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (names) && found == NULL; i++)
    found = setlocale (LC_NUMERIC, names[i]);
  if (found == NULL)
    {
      g_test_skip ("no locale with a decimal comma is installed");
      return;
    }
  g_assert_cmpstr (localeconv ()->decimal_point, ==, ",");
  g_autoptr (HlFigure) figure = one_map ();
  g_autofree char *path = write_to (fixture, figure, "comma.svg", FALSE);
  setlocale (LC_NUMERIC, old);
  g_autofree char *plain = write_to (fixture, figure, "point.svg", FALSE);
  g_autofree char *comma_text = read_text (path);
  g_autofree char *point_text = read_text (plain);
  g_assert_nonnull (strstr (comma_text, ">0.213</text>"));
  g_autofree char *comma = without_ids (comma_text);
  g_autofree char *point = without_ids (point_text);
  g_assert_true (g_str_equal (comma, point));
}

int
main (int argc, char *argv[])
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function)                                                              \
  g_test_add ("/draw/figure/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("svg-rendered", test_svg_rendered);
  ADD ("pdf-rendered", test_pdf_rendered);
  ADD ("svg-text", test_svg_text);
  ADD ("png-chunks", test_png_chunks);
  ADD ("pdf-metadata", test_pdf_metadata);
  ADD ("panels", test_panels);
  ADD ("dark", test_dark);
  ADD ("sizes", test_sizes);
  ADD ("texts-apart", test_texts_apart);
  ADD ("errors", test_errors);
  ADD ("read-only", test_read_only);
  ADD ("full-disk", test_full_disk);
  ADD ("decimal-comma", test_decimal_comma);
#undef ADD
  return g_test_run ();
}
