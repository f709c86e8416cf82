/* SPDX-License-Identifier: MIT
 * SVG: the texts that the painters wrote down become text elements, and the provenance
 * becomes metadata. Cairo alone would draw every letter as an outline. */
#include "config.h"

#include "draw/hl-figure-private.h"

#include <string.h>

/* XML 1.0 has no place for most control characters, not even escaped. */
static char *
xml_escape (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *clean = g_string_new (NULL);
  for (const char *c = valid; *c != '\0'; c = g_utf8_next_char (c))
    {
      gunichar u = g_utf8_get_char (c);
      gboolean is_allowed = u == '\t' || u == '\n' || (u >= 0x20 && u < 0x7f) ||
                            (u >= 0xa0 && u != 0xfffe && u != 0xffff);
      g_string_append_unichar (clean, is_allowed ? u : 0xfffd);
    }
  char *escaped = g_markup_escape_text (clean->str, clean->len);
  g_string_free (clean, TRUE);
  return escaped;
}

static void
append_number (GString *xml, const char *name, double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd (buffer, sizeof buffer, "%.3f", value);
  g_string_append_printf (xml, " %s=\"%s\"", name, buffer);
}

static void
append_fill (GString *xml, const HlColor *color)
{
  g_string_append_printf (
      xml, " fill=\"#%02x%02x%02x\"", (guint) (color->red * 255 + 0.5),
      (guint) (color->green * 255 + 0.5), (guint) (color->blue * 255 + 0.5));
  if (color->alpha < 1)
    append_number (xml, "fill-opacity", color->alpha);
}

static void
append_text (GString *xml, const HlTextItem *item)
{
  static const char *const anchors[] = { "start", "middle", "end" };
  g_autofree char *text = xml_escape (item->text);
  g_string_append (xml, "<text");
  append_number (xml, "x", item->x);
  append_number (xml, "y", item->y);
  append_number (xml, "font-size", item->size);
  g_string_append_printf (xml, " text-anchor=\"%s\"", anchors[item->anchor]);
  if (item->is_bold)
    g_string_append (xml, " font-weight=\"bold\"");
  append_fill (xml, &item->color);
  if (item->is_upright)
    {
      char x[G_ASCII_DTOSTR_BUF_SIZE], y[G_ASCII_DTOSTR_BUF_SIZE];
      g_ascii_formatd (x, sizeof x, "%.3f", item->x);
      g_ascii_formatd (y, sizeof y, "%.3f", item->y);
      g_string_append_printf (xml, " transform=\"rotate(-90 %s %s)\"", x, y);
    }
  g_string_append_printf (xml, ">%s</text>\n", text);
}

static void
append_metadata (GString *xml, const HlFigure *figure)
{
  const char *key, *value;
  if (figure->title != NULL)
    {
      g_autofree char *title = xml_escape (figure->title);
      g_string_append_printf (xml, "<title>%s</title>\n", title);
    }
  g_string_append (xml, "<metadata>\n<provenance xmlns=\"urn:headlight:figure\">\n");
  g_string_append (xml, "<entry key=\"software\">Headlight " HL_VERSION "</entry>\n");
  for (guint i = 0; (key = hl_figure_provenance_get (figure, i, &value)) != NULL; i++)
    {
      g_autofree char *key_xml = xml_escape (key);
      g_autofree char *value_xml = xml_escape (value);
      g_string_append_printf (xml, "<entry key=\"%s\">%s</entry>\n", key_xml, value_xml);
    }
  g_string_append (xml, "</provenance>\n</metadata>\n");
}

GByteArray *
hl_svg_finish (const HlFigure *figure, const GByteArray *drawn, GPtrArray *text_layer)
{
  const char *source = (const char *) drawn->data;
  /* Cairo writes one root element; its start tag ends at the first ">" after "<svg". */
  const char *root = g_strstr_len (source, drawn->len, "<svg");
  const char *inside =
      root != NULL ? memchr (root, '>', drawn->len - (root - source)) : NULL;
  const char *end = g_strrstr_len (source, drawn->len, "</svg>");
  g_return_val_if_fail (inside != NULL && end != NULL, g_byte_array_new ());
  inside++;

  GString *xml = g_string_new_len (source, inside - source);
  g_string_append_c (xml, '\n');
  append_metadata (xml, figure);
  g_string_append_len (xml, inside, end - inside);
  g_string_append (xml, "<g font-family=\"sans-serif\">\n");
  for (guint i = 0; i < text_layer->len; i++)
    append_text (xml, g_ptr_array_index (text_layer, i));
  g_string_append (xml, "</g>\n");
  g_string_append_len (xml, end, drawn->len - (end - source));

  gsize length = xml->len;
  return g_byte_array_new_take ((guint8 *) g_string_free (xml, FALSE), length);
}
