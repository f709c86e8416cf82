/* SPDX-License-Identifier: MIT
 * Figures: what is in them, and writing them whole or not at all. */
#include "config.h"

#include "draw/hl-figure.h"

#include "draw/hl-figure-private.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <math.h>

#define POINTS_PER_MM (72.0 / 25.4)
#define VECTOR_DPI 600.0 /* a big map is pooled to no less than this in SVG and PDF */
#define VECTOR_REPLICATE 8
#define PNG_SIDE_MAX 32767 /* Cairo's image surfaces end there */
#define PNG_PIXELS_MAX (256.0 * 1024 * 1024)

typedef enum
{
  FORMAT_NONE,
  FORMAT_SVG,
  FORMAT_PDF,
  FORMAT_PNG,
} Format;

void
hl_figure_options_init (HlFigureOptions *options)
{
  *options = (HlFigureOptions){ .width_mm = HL_FIGURE_WIDTH_SINGLE_MM, .dpi = 300 };
}

/* ---- contents ------------------------------------------------------------------------
 */

static void
panel_free (gpointer data)
{
  HlPanel *panel = data;
  hl_matrix_scene_unref (panel->matrix);
  hl_grid_scene_unref (panel->grid);
  hl_overlay_scene_unref (panel->overlay);
  hl_chart_scene_unref (panel->chart);
  hl_token_scene_unref (panel->tokens);
  g_free (panel);
}

HlFigure *
hl_figure_new (void)
{
  HlFigure *figure = g_new0 (HlFigure, 1);
  figure->panels = g_ptr_array_new_with_free_func (panel_free);
  figure->provenance = g_ptr_array_new_with_free_func (g_free);
  return figure;
}

void
hl_figure_free (HlFigure *figure)
{
  if (figure == NULL)
    return;
  g_ptr_array_unref (figure->panels);
  g_ptr_array_unref (figure->provenance);
  g_free (figure->caption);
  g_free (figure->note);
  g_free (figure->title);
  g_free (figure);
}

void
hl_figure_add_matrix (HlFigure *figure, HlMatrixScene *scene)
{
  HlPanel *panel = g_new0 (HlPanel, 1);
  panel->matrix = hl_matrix_scene_ref (scene);
  g_ptr_array_add (figure->panels, panel);
}

void
hl_figure_add_grid (HlFigure *figure, HlGridScene *scene)
{
  HlPanel *panel = g_new0 (HlPanel, 1);
  panel->grid = hl_grid_scene_ref (scene);
  g_ptr_array_add (figure->panels, panel);
}

void
hl_figure_add_overlay (HlFigure *figure, HlOverlayScene *scene)
{
  HlPanel *panel = g_new0 (HlPanel, 1);
  panel->overlay = hl_overlay_scene_ref (scene);
  g_ptr_array_add (figure->panels, panel);
}

void
hl_figure_add_chart (HlFigure *figure, HlChartScene *scene)
{
  HlPanel *panel = g_new0 (HlPanel, 1);
  panel->chart = hl_chart_scene_ref (scene);
  g_ptr_array_add (figure->panels, panel);
}

void
hl_figure_add_tokens (HlFigure *figure,
                      HlTokenScene *scene,
                      HlTokenMode mode,
                      HlTokenFlags flags)
{
  HlPanel *panel = g_new0 (HlPanel, 1);
  panel->tokens = hl_token_scene_ref (scene);
  panel->token_mode = mode;
  panel->token_flags = flags & ~(HL_TOKENS_TITLE | HL_TOKENS_BAR);
  g_ptr_array_add (figure->panels, panel);
}

guint
hl_figure_count_panels (const HlFigure *figure)
{
  return figure->panels->len;
}

void
hl_figure_set_columns (HlFigure *figure, int n_columns)
{
  figure->n_columns = n_columns;
}

void
hl_figure_set_caption (HlFigure *figure, const char *caption)
{
  g_free (figure->caption);
  figure->caption = g_strdup (caption);
}

void
hl_figure_set_note (HlFigure *figure, const char *note)
{
  g_free (figure->note);
  figure->note = g_strdup (note);
}

void
hl_figure_set_title (HlFigure *figure, const char *title)
{
  g_free (figure->title);
  figure->title = g_strdup (title);
}

void
hl_figure_add_provenance (HlFigure *figure, const char *key, const char *value)
{
  GPtrArray *list = figure->provenance;
  for (guint i = 0; i < list->len; i += 2)
    if (g_str_equal (list->pdata[i], key))
      {
        g_free (list->pdata[i + 1]);
        list->pdata[i + 1] = g_strdup (value != NULL ? value : "");
        return;
      }
  g_ptr_array_add (list, g_strdup (key));
  g_ptr_array_add (list, g_strdup (value != NULL ? value : ""));
}

const char *
hl_figure_provenance_get (const HlFigure *figure, guint index, const char **value)
{
  if (2 * index + 1 >= figure->provenance->len)
    return NULL;
  *value = g_ptr_array_index (figure->provenance, 2 * index + 1);
  return g_ptr_array_index (figure->provenance, 2 * index);
}

void
hl_figure_measure (const HlFigure *figure,
                   const HlFigureOptions *options,
                   double *width_pt,
                   double *height_pt)
{
  HlPage page;
  hl_page_init (&page, figure, options, VECTOR_DPI / 72);
  *width_pt = page.width;
  *height_pt = page.height;
  hl_page_clear (&page);
}

/* ---- checks --------------------------------------------------------------------------
 */

static gboolean refuse (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
refuse (GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, message);
  return FALSE;
}

static Format
format_of (const char *path)
{
  g_autofree char *lower = g_ascii_strdown (path, -1);
  if (g_str_has_suffix (lower, ".svg"))
    return FORMAT_SVG;
  if (g_str_has_suffix (lower, ".pdf"))
    return FORMAT_PDF;
  return g_str_has_suffix (lower, ".png") ? FORMAT_PNG : FORMAT_NONE;
}

static gboolean
check (const HlFigure *figure,
       const char *path,
       const HlFigureOptions *options,
       GError **error)
{
  g_autofree char *width = hl_format_number (options->width_mm);
  g_autofree char *dpi = hl_format_number (options->dpi);
  if (figure->panels->len == 0)
    return refuse (error, "figure %s: at least one panel expected, none found", path);
  if (format_of (path) == FORMAT_NONE)
    return refuse (error, "figure %s: a name ending in .svg, .pdf or .png expected",
                   path);
  if (!(options->width_mm >= 20 && options->width_mm <= 2000))
    return refuse (error, "figure %s: a width of 20 to 2000 mm expected, %s found", path,
                   width);
  if (!(options->dpi >= 30 && options->dpi <= 2400))
    return refuse (error, "figure %s: 30 to 2400 dots per inch expected, %s found", path,
                   dpi);
  /* The rename at the end would replace a device or a folder's name by a file. */
  if (g_file_test (path, G_FILE_TEST_EXISTS) &&
      !g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return refuse (error, "figure %s: a file expected, something else is there", path);
  return TRUE;
}

/* ---- formats -------------------------------------------------------------------------
 */

static cairo_status_t
take_bytes (void *closure, const unsigned char *data, unsigned int length)
{
  g_byte_array_append (closure, data, length);
  return CAIRO_STATUS_SUCCESS;
}

/* Paints the page and closes the surface, which it takes over. */
static gboolean
paint_and_finish (const HlPage *page,
                  const HlFigure *figure,
                  cairo_surface_t *surface,
                  GPtrArray *text_layer,
                  GByteArray *png,
                  GError **error)
{
  cairo_t *cr = cairo_create (surface);
  HlPainter painter;
  hl_painter_init (&painter, cr, &page->theme, page->pixels_per_unit);
  painter.min_replicate = png != NULL ? 1 : VECTOR_REPLICATE;
  painter.text_layer = text_layer;
  if (png != NULL)
    cairo_scale (cr, page->pixels_per_unit, page->pixels_per_unit);
  hl_page_paint (page, figure, &painter);
  cairo_status_t status = cairo_status (cr);
  cairo_destroy (cr);
  if (status == CAIRO_STATUS_SUCCESS && png != NULL)
    status = cairo_surface_write_to_png_stream (surface, take_bytes, png);
  cairo_surface_finish (surface);
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_status (surface);
  cairo_surface_destroy (surface);
  if (status == CAIRO_STATUS_SUCCESS)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "drawing the figure: %s",
               cairo_status_to_string (status));
  return FALSE;
}

static GByteArray *
make_svg (const HlFigure *figure, const HlPage *page, GError **error)
{
  g_autoptr (GByteArray) drawn = g_byte_array_new ();
  g_autoptr (GPtrArray) text_layer = hl_text_layer_new ();
  cairo_surface_t *surface =
      cairo_svg_surface_create_for_stream (take_bytes, drawn, page->width, page->height);
  cairo_surface_set_fallback_resolution (surface, VECTOR_DPI, VECTOR_DPI);
  if (!paint_and_finish (page, figure, surface, text_layer, NULL, error))
    return NULL;
  return hl_svg_finish (figure, drawn, text_layer);
}

static GByteArray *
make_pdf (const HlFigure *figure, const HlPage *page, GError **error)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  cairo_surface_t *surface =
      cairo_pdf_surface_create_for_stream (take_bytes, out, page->width, page->height);
  cairo_surface_set_fallback_resolution (surface, VECTOR_DPI, VECTOR_DPI);

  g_autoptr (GString) keywords = g_string_new (NULL);
  const char *key, *value;
  for (guint i = 0; (key = hl_figure_provenance_get (figure, i, &value)) != NULL; i++)
    g_string_append_printf (keywords, "%s%s: %s", i > 0 ? "; " : "", key, value);
  g_autofree char *valid = g_utf8_make_valid (keywords->str, keywords->len);
  cairo_pdf_surface_set_metadata (surface, CAIRO_PDF_METADATA_CREATOR,
                                  "Headlight " HL_VERSION);
  cairo_pdf_surface_set_metadata (surface, CAIRO_PDF_METADATA_KEYWORDS, valid);
  if (figure->title != NULL)
    cairo_pdf_surface_set_metadata (surface, CAIRO_PDF_METADATA_TITLE, figure->title);
  if (!paint_and_finish (page, figure, surface, NULL, NULL, error))
    return NULL;
  return g_steal_pointer (&out);
}

static GByteArray *
make_png (const HlFigure *figure, const HlPage *page, double dpi, GError **error)
{
  double width = ceil (page->width * page->pixels_per_unit - 1e-6);
  double height = ceil (page->height * page->pixels_per_unit - 1e-6);
  if (width > PNG_SIDE_MAX || height > PNG_SIDE_MAX || width * height > PNG_PIXELS_MAX)
    {
      refuse (error,
              "figure: at most %d pixels a side and %.0f in all expected, %.0f × %.0f "
              "found; choose fewer dots per inch, or less to draw",
              PNG_SIDE_MAX, PNG_PIXELS_MAX, width, height);
      return NULL;
    }
  g_autoptr (GByteArray) drawn = g_byte_array_new ();
  cairo_surface_t *surface =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int) width, (int) height);
  if (!paint_and_finish (page, figure, surface, NULL, drawn, error))
    return NULL;
  return hl_png_finish (figure, drawn, dpi);
}

gboolean
hl_figure_write (const HlFigure *figure,
                 const char *path,
                 const HlFigureOptions *options,
                 GError **error)
{
  HlFigureOptions defaults;
  hl_figure_options_init (&defaults);
  if (options == NULL)
    options = &defaults;
  if (!check (figure, path, options, error))
    return FALSE;

  Format format = format_of (path);
  HlPage page;
  hl_page_init (&page, figure, options,
                (format == FORMAT_PNG ? options->dpi : VECTOR_DPI) / 72);
  g_autoptr (GByteArray) bytes = NULL;
  if (format == FORMAT_SVG)
    bytes = make_svg (figure, &page, error);
  else if (format == FORMAT_PDF)
    bytes = make_pdf (figure, &page, error);
  else
    bytes = make_png (figure, &page, options->dpi, error);
  hl_page_clear (&page);
  if (bytes == NULL)
    return FALSE;

  if (g_file_set_contents_full (
          path, (const char *) bytes->data, bytes->len,
          G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0666, error))
    return TRUE;
  g_prefix_error (error, "figure %s: ", path);
  return FALSE;
}
