/* SPDX-License-Identifier: MIT
 * A text as tokens, and tokens for eyes. */
#include "text/hl-encoding.h"

#include "text/hl-tokenizer.h"
#include "text/hl-unicode.h"

HlEncoding *
hl_encoding_ref (HlEncoding *encoding)
{
  g_atomic_ref_count_inc (&encoding->refs);
  return encoding;
}

void
hl_encoding_unref (HlEncoding *encoding)
{
  if (encoding == NULL || !g_atomic_ref_count_dec (&encoding->refs))
    return;
  g_free (encoding->tokens);
  g_free (encoding);
}

/* ---- groups --------------------------------------------------------------------------
 */

/* Bytes that are missing behind @n_missing and these; -1 when they do not go on with the
 * character that was begun. */
static int
follow (int n_missing, const guint8 *bytes, gsize length)
{
  for (gsize i = 0; i < length; i++)
    {
      gboolean is_tail = (bytes[i] & 0xc0) == 0x80;
      if (n_missing > 0 && is_tail)
        n_missing--;
      else if (n_missing > 0 && i == 0)
        return -1;
      else if (bytes[i] >= 0xc2 && bytes[i] <= 0xf4)
        n_missing = (int) hl_utf8_size ((char) bytes[i]) - 1;
      else
        n_missing = 0;
    }
  return n_missing;
}

HlTokenGroup *
hl_encoding_get_groups (const HlEncoding *encoding,
                        HlTokenizer *tokenizer,
                        gsize *n_groups)
{
  HlTokenGroup *groups = g_new (HlTokenGroup, MAX (encoding->n_tokens, 1));
  int n_missing = 0;
  *n_groups = 0;
  for (gsize i = 0; i < encoding->n_tokens; i++)
    {
      gsize length = 0;
      g_autoptr (GBytes) bytes =
          hl_tokenizer_get_token_bytes (tokenizer, encoding->tokens[i].id);
      const guint8 *data = bytes != NULL ? g_bytes_get_data (bytes, &length) : NULL;
      int missing = n_missing > 0 && length > 0 ? follow (n_missing, data, length) : -1;
      if (missing >= 0)
        groups[*n_groups - 1].n_tokens++;
      else
        {
          groups[(*n_groups)++] = (HlTokenGroup){ i, 1 };
          missing = follow (0, data, length);
        }
      n_missing = missing;
    }
  return groups;
}

/* ---- visible text --------------------------------------------------------------------
 */

static gboolean
is_mark (gunichar c)
{
  GUnicodeType type = g_unichar_type (c);
  return type == G_UNICODE_NON_SPACING_MARK || type == G_UNICODE_ENCLOSING_MARK ||
         type == G_UNICODE_SPACING_MARK;
}

static gboolean
is_invisible (gunichar c)
{
  GUnicodeType type = g_unichar_type (c);
  return type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT ||
         type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR ||
         type == G_UNICODE_SPACE_SEPARATOR || type == G_UNICODE_PRIVATE_USE;
}

static void
append_visible (GString *out, gunichar c, gboolean is_first)
{
  if (c == ' ')
    g_string_append (out, "\xe2\x90\xa3");
  else if (c == '\n')
    g_string_append (out, "\xe2\x86\xb5");
  else if (c == '\t')
    g_string_append (out, "\xe2\x87\xa5");
  else if (c == '\r')
    g_string_append (out, "\\r");
  else if (c < 0x20 || c == 0x7f)
    g_string_append_printf (out, "\\x%02X", c);
  else if (is_invisible (c))
    g_string_append_printf (out, c > 0xffff ? "\\U%08X" : "\\u%04X", c);
  else
    {
      if (is_first && is_mark (c))
        g_string_append (out, "\xe2\x97\x8c");
      g_string_append_unichar (out, c);
    }
}

char *
hl_text_make_visible (const char *bytes, gsize length)
{
  GString *out = g_string_sized_new (length + 8);
  gsize at = 0;
  while (at < length)
    {
      gsize good = length - at;
      gboolean is_bad = !hl_utf8_check (bytes + at, length - at, &good);
      for (gsize end = at + good; at < end; at += hl_utf8_size (bytes[at]))
        append_visible (out, bytes[at] == '\0' ? 0 : g_utf8_get_char (bytes + at),
                        out->len == 0);
      if (is_bad)
        g_string_append_printf (out, "\\x%02X", (guint8) bytes[at++]);
    }
  return g_string_free (out, FALSE);
}
