/* SPDX-License-Identifier: MIT
 * Classes of characters, and UTF-8 that may hold NUL. */
#include "text/hl-unicode.h"

gboolean
hl_unicode_is_space (gunichar c)
{
  if (c < 0x80)
    return c == ' ' || (c >= 0x09 && c <= 0x0d);
  return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
         c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Letters in circles and squares are symbols by category, and alphabetic all the same. */
static gboolean
is_enclosed_letter (gunichar c)
{
  return (c >= 0x24b6 && c <= 0x24e9) || (c >= 0x1f130 && c <= 0x1f149) ||
         (c >= 0x1f150 && c <= 0x1f169) || (c >= 0x1f170 && c <= 0x1f189);
}

gboolean
hl_unicode_is_word (gunichar c)
{
  if (c < 0x80)
    return g_ascii_isalnum ((char) c) || c == '_';
  if (c == 0x200c || c == 0x200d || is_enclosed_letter (c))
    return TRUE;
  const guint words = 1u << G_UNICODE_LOWERCASE_LETTER | 1u << G_UNICODE_MODIFIER_LETTER |
                      1u << G_UNICODE_OTHER_LETTER | 1u << G_UNICODE_TITLECASE_LETTER |
                      1u << G_UNICODE_UPPERCASE_LETTER | 1u << G_UNICODE_SPACING_MARK |
                      1u << G_UNICODE_ENCLOSING_MARK | 1u << G_UNICODE_NON_SPACING_MARK |
                      1u << G_UNICODE_DECIMAL_NUMBER | 1u << G_UNICODE_LETTER_NUMBER |
                      1u << G_UNICODE_CONNECT_PUNCTUATION;
  return (words >> g_unichar_type (c) & 1) != 0;
}

gboolean
hl_unicode_is_numeric (gunichar c)
{
  GUnicodeType type = g_unichar_type (c);
  return type == G_UNICODE_DECIMAL_NUMBER || type == G_UNICODE_LETTER_NUMBER ||
         type == G_UNICODE_OTHER_NUMBER;
}

gboolean
hl_utf8_check (const char *text, gsize length, gsize *bad)
{
  gsize at = 0;
  while (at < length)
    {
      const char *end = NULL;
      if (g_utf8_validate_len (text + at, length - at, &end))
        return TRUE;
      at = (gsize) (end - text);
      if (text[at] != '\0')
        {
          *bad = at;
          return FALSE;
        }
      at++;
    }
  return TRUE;
}

gsize
hl_utf8_count (const char *text, gsize length)
{
  gsize n = 0;
  for (gsize i = 0; i < length; i++)
    n += hl_utf8_is_lead (text[i]);
  return n;
}

static gboolean
is_shown_as_itself (guint c)
{
  return (c >= 0x21 && c <= 0x7e) || (c >= 0xa1 && c <= 0xac) || (c >= 0xae && c <= 0xff);
}

gunichar
hl_byte_level_char (guint8 byte)
{
  if (is_shown_as_itself (byte))
    return byte;
  if (byte <= 0x20)
    return 0x100u + byte;
  if (byte <= 0xa0)
    return 0x121u + (byte - 0x7fu);
  return 0x143u; /* 0xad, the soft hyphen */
}

int
hl_byte_level_byte (gunichar c)
{
  if (is_shown_as_itself (c))
    return (int) c;
  if (c < 0x100 || c > 0x143)
    return -1;
  if (c <= 0x120)
    return (int) (c - 0x100);
  return c < 0x143 ? (int) (c - 0x121 + 0x7f) : 0xad;
}

gboolean
hl_byte_level_decode (const char *text, gsize length, GString *bytes)
{
  gsize before = bytes->len;
  for (gsize i = 0; i < length; i += hl_utf8_size (text[i]))
    {
      int byte = hl_byte_level_byte (g_utf8_get_char (text + i));
      if (byte < 0)
        {
          g_string_truncate (bytes, before);
          return FALSE;
        }
      g_string_append_c (bytes, (char) byte);
    }
  return TRUE;
}
