/* SPDX-License-Identifier: MIT
 * PNG: the resolution (pHYs) and the provenance (tEXt, iTXt) put behind the header. */
#include "config.h"

#include "draw/hl-figure-private.h"

#include <string.h>

/* Signature, and the header chunk with its length, name and check sum. */
#define PNG_HEAD (8 + 25)
#define KEYWORD_MAX 79

guint32
hl_png_crc (const guint8 *bytes, gsize n)
{
  guint32 crc = 0xffffffffu;
  for (gsize i = 0; i < n; i++)
    {
      crc ^= bytes[i];
      for (int bit = 0; bit < 8; bit++)
        crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
  return ~crc;
}

static void
append_u32 (GByteArray *bytes, guint32 value)
{
  guint32 big = GUINT32_TO_BE (value);
  g_byte_array_append (bytes, (const guint8 *) &big, sizeof big);
}

static void
append_chunk (GByteArray *out, const char *name, const GByteArray *content)
{
  append_u32 (out, content->len);
  guint start = out->len;
  g_byte_array_append (out, (const guint8 *) name, 4);
  g_byte_array_append (out, content->data, content->len);
  append_u32 (out, hl_png_crc (out->data + start, out->len - start));
}

/* A keyword is 1 to 79 printable Latin-1 bytes; ASCII is the safe part of that. */
static char *
keyword_of (const char *key)
{
  g_autofree char *ascii = g_str_to_ascii (key, "C");
  for (char *c = ascii; *c != '\0'; c++)
    if (!g_ascii_isprint (*c))
      *c = '-';
  g_strstrip (ascii);
  return g_strndup (*ascii != '\0' ? ascii : "Comment", KEYWORD_MAX);
}

static void
append_text (GByteArray *out, const char *key, const char *value)
{
  /* iTXt: no compression, no language, no translated keyword: five zero bytes in all
   * with the keyword's end. tEXt: the keyword's end alone. */
  static const guint8 zeros[5] = { 0 };
  g_autofree char *keyword = keyword_of (key);
  g_autofree char *valid = g_utf8_make_valid (value, -1);
  gboolean is_ascii = g_str_is_ascii (valid);
  g_autoptr (GByteArray) content = g_byte_array_new ();
  g_byte_array_append (content, (const guint8 *) keyword, strlen (keyword));
  g_byte_array_append (content, zeros, is_ascii ? 1 : 5);
  g_byte_array_append (content, (const guint8 *) valid, strlen (valid));
  append_chunk (out, is_ascii ? "tEXt" : "iTXt", content);
}

GByteArray *
hl_png_finish (const HlFigure *figure, const GByteArray *drawn, double dpi)
{
  GByteArray *out = g_byte_array_sized_new (drawn->len + 1024);
  g_return_val_if_fail (drawn->len > PNG_HEAD, out);
  g_byte_array_append (out, drawn->data, PNG_HEAD);

  guint32 per_metre = (guint32) (dpi / 0.0254 + 0.5);
  const guint8 is_metre = 1;
  g_autoptr (GByteArray) density = g_byte_array_new ();
  append_u32 (density, per_metre);
  append_u32 (density, per_metre);
  g_byte_array_append (density, &is_metre, 1);
  append_chunk (out, "pHYs", density);

  append_text (out, "Software", "Headlight " HL_VERSION);
  if (figure->title != NULL)
    append_text (out, "Title", figure->title);
  const char *key, *value;
  for (guint i = 0; (key = hl_figure_provenance_get (figure, i, &value)) != NULL; i++)
    append_text (out, key, value);
  g_byte_array_append (out, drawn->data + PNG_HEAD, drawn->len - PNG_HEAD);
  return out;
}
