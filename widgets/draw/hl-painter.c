/* SPDX-License-Identifier: MIT
 * Text, measured and drawn or written down; numbers; small helpers. */
#include "config.h"

#include "draw/hl-typesetter.h"

#include <math.h>
#include <pango/pangocairo.h>
#include <string.h>

/* ---- fonts ---------------------------------------------------------------------------
 */

/* Text is measured without hinting, so that a layout is the same at every resolution. */
static PangoLayout *
layout_new (PangoContext *context,
            const HlTheme *theme,
            const char *text,
            double size,
            gboolean is_bold)
{
  PangoFontDescription *font = pango_font_description_new ();
  pango_font_description_set_family (font, theme->font_family);
  pango_font_description_set_absolute_size (font, size * PANGO_SCALE);
  if (is_bold)
    pango_font_description_set_weight (font, PANGO_WEIGHT_BOLD);
  PangoLayout *layout = pango_layout_new (context);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);
  pango_layout_set_text (layout, text, -1);
  return layout;
}

PangoContext *
hl_measuring_context_new (void)
{
  PangoContext *context =
      pango_font_map_create_context (pango_cairo_font_map_get_default ());
  cairo_font_options_t *options = cairo_font_options_create ();
  cairo_font_options_set_hint_style (options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics (options, CAIRO_HINT_METRICS_OFF);
  pango_cairo_context_set_font_options (context, options);
  cairo_font_options_destroy (options);
  pango_cairo_context_set_resolution (context, 72);
  pango_context_set_round_glyph_positions (context, FALSE);
  return context;
}

static PangoLayout *
measuring_layout_new (const HlTheme *theme,
                      const char *text,
                      double size,
                      gboolean is_bold)
{
  PangoContext *context = hl_measuring_context_new ();
  PangoLayout *layout =
      layout_new (context, theme, text, size > 0 ? size : theme->font_size, is_bold);
  g_object_unref (context);
  return layout;
}

static double
layout_width (PangoLayout *layout)
{
  PangoRectangle logical;
  pango_layout_get_extents (layout, NULL, &logical);
  return (double) logical.width / PANGO_SCALE;
}

/* A tab or a line break would make a second line; a tick label has one. */
static char *
one_line (const char *text)
{
  char *line = g_utf8_make_valid (text, -1);
  for (char *c = line; *c != '\0'; c++)
    if ((guchar) *c < 0x20 || *c == 0x7f)
      *c = ' ';
  return line;
}

double
hl_text_width (const HlTheme *theme, const char *text, double size, gboolean is_bold)
{
  g_autofree char *line = one_line (text);
  g_autoptr (PangoLayout) layout = measuring_layout_new (theme, line, size, is_bold);
  return layout_width (layout);
}

char *
hl_text_fit (const HlTheme *theme, const char *text, double size, double width)
{
  g_autofree char *line = one_line (text);
  g_autoptr (PangoLayout) layout = measuring_layout_new (theme, line, size, FALSE);
  if (layout_width (layout) <= width)
    return g_steal_pointer (&line);

  /* The longest beginning that fits with an ellipsis, by halving. */
  glong fits = 0, too_long = g_utf8_strlen (line, -1);
  while (too_long - fits > 1)
    {
      glong middle = (fits + too_long) / 2;
      g_autofree char *head = g_utf8_substring (line, 0, middle);
      g_autofree char *cut = g_strconcat (g_strchomp (head), "…", NULL);
      pango_layout_set_text (layout, cut, -1);
      if (layout_width (layout) <= width)
        fits = middle;
      else
        too_long = middle;
    }
  g_autofree char *head = g_utf8_substring (line, 0, fits);
  return g_strconcat (g_strchomp (head), "…", NULL);
}

char **
hl_text_wrap (const HlTheme *theme, const char *text, double size, double width)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autoptr (PangoLayout) layout = measuring_layout_new (theme, valid, size, FALSE);
  pango_layout_set_width (layout, (int) (MAX (width, 1) * PANGO_SCALE));
  pango_layout_set_wrap (layout, PANGO_WRAP_WORD_CHAR);
  GPtrArray *lines = g_ptr_array_new ();
  for (GSList *l = pango_layout_get_lines_readonly (layout); l != NULL; l = l->next)
    {
      const PangoLayoutLine *line = l->data;
      char *part = g_strndup (valid + line->start_index, line->length);
      g_ptr_array_add (lines, g_strchomp (part));
    }
  g_ptr_array_add (lines, NULL);
  return (char **) g_ptr_array_free (lines, FALSE);
}

double
hl_text_drop (double size)
{
  /* Half of the height of a capital, which is close to 0.72 em in sans-serif faces. */
  return 0.36 * size;
}

/* ---- painting ------------------------------------------------------------------------
 */

void
hl_painter_init (HlPainter *painter,
                 cairo_t *cr,
                 const HlTheme *theme,
                 double pixels_per_unit)
{
  *painter = (HlPainter){
    .cr = cr,
    .theme = *theme,
    .pixels_per_unit = pixels_per_unit,
    .min_replicate = 1,
  };
}

static void
text_item_free (gpointer data)
{
  HlTextItem *item = data;
  g_free (item->text);
  g_free (item);
}

GPtrArray *
hl_text_layer_new (void)
{
  return g_ptr_array_new_with_free_func (text_item_free);
}

static void
write_down (HlPainter *painter, char *text, double x, double y, const HlTextStyle *style)
{
  HlTextItem *item = g_new0 (HlTextItem, 1);
  item->text = text;
  item->x = x;
  item->y = y;
  cairo_user_to_device (painter->cr, &item->x, &item->y);
  item->size = style->size > 0 ? style->size : painter->theme.font_size;
  item->anchor = style->anchor;
  item->color = style->color != NULL ? *style->color : painter->theme.dim;
  item->is_bold = style->is_bold;
  item->is_upright = style->is_upright;
  g_ptr_array_add (painter->text_layer, item);
}

void
hl_paint_text (
    HlPainter *painter, const char *text, double x, double y, const HlTextStyle *style)
{
  cairo_t *cr = painter->cr;
  g_autofree char *line = one_line (text);
  if (*line == '\0')
    return;
  if (painter->text_layer != NULL)
    {
      write_down (painter, g_steal_pointer (&line), x, y, style);
      return;
    }
  double size = style->size > 0 ? style->size : painter->theme.font_size;
  g_autoptr (PangoLayout) layout =
      measuring_layout_new (&painter->theme, line, size, style->is_bold);
  double before = 0;
  if (style->anchor != HL_ANCHOR_START)
    before = layout_width (layout) * (style->anchor == HL_ANCHOR_END ? 1 : 0.5);

  cairo_save (cr);
  hl_paint_set_color (cr, style->color != NULL ? style->color : &painter->theme.dim);
  cairo_move_to (cr, x, y);
  if (style->is_upright)
    cairo_rotate (cr, -G_PI / 2);
  cairo_rel_move_to (cr, -before, 0);
  pango_cairo_show_layout_line (cr, pango_layout_get_line_readonly (layout, 0));
  cairo_restore (cr);
}

void
hl_paint_set_color (cairo_t *cr, const HlColor *color)
{
  cairo_set_source_rgba (cr, color->red, color->green, color->blue, color->alpha);
}

gboolean
hl_rect_contains (const HlRect *rect, double x, double y)
{
  return x >= rect->x && x < rect->x + rect->width && y >= rect->y &&
         y < rect->y + rect->height;
}

/* ---- numbers -------------------------------------------------------------------------
 */

char *
hl_format_number (double value)
{
  return hl_format_digits (value, 3);
}

char *
hl_format_digits (double value, int n_digits)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE], format[] = "%.3g";
  gboolean is_power = n_digits < 1 && value != 0;
  if (isnan (value))
    return g_strdup ("n/a");
  if (isinf (value))
    return g_strdup (value > 0 ? "∞" : "−∞");
  format[2] = (char) ('0' + CLAMP (n_digits, 1, 9));
  g_ascii_formatd (buffer, sizeof buffer, is_power ? "%.0e" : format, value);
  GString *text = g_string_new (NULL);
  const char *c = buffer;
  if (*c == '-')
    {
      if (value < 0)
        g_string_append (text, "−");
      c++;
    }
  const char *exponent = strchr (c, 'e');
  if (exponent == NULL)
    {
      g_string_append (text, c);
      return g_string_free (text, FALSE);
    }
  g_string_append_len (text, c, exponent - c);
  long power = strtol (exponent + 1, NULL, 10);
  g_string_append_printf (text, "e%s%ld", power < 0 ? "−" : "", ABS (power));
  return g_string_free (text, FALSE);
}
