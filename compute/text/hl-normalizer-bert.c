/* SPDX-License-Identifier: MIT
 * BERT's normalizer: controls away, every white space a space, spaces around Chinese
 * characters, accents away, small letters. */
#include "text/hl-normalizer-private.h"
#include "text/hl-unicode.h"

static gunichar
clean (gunichar c)
{
  if (c > ' ' && c < 0x7f)
    return c;
  if (hl_unicode_is_space (c))
    return c == 0xb || c == 0xc || c == 0x85 ? HL_CHAR_GONE : ' ';
  return c < 0x80 || hl_unicode_is_format (c) ? HL_CHAR_GONE : c;
}

static gunichar
without_accent (gunichar c)
{
  return hl_unicode_is_nonspacing (c) ? HL_CHAR_GONE : c;
}

static gboolean
is_chinese (gunichar c)
{
  return (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x4e00 && c <= 0x9fff) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x2a6df) ||
         (c >= 0x2a700 && c <= 0x2b81f) || (c >= 0x2b920 && c <= 0x2ceaf) ||
         (c >= 0x2f800 && c <= 0x2fa1f);
}

static gboolean
space_chinese (const HlNormalizerStep *step G_GNUC_UNUSED,
               HlRewrite *rewrite,
               HlRegexScan *scan G_GNUC_UNUSED,
               gsize start,
               gsize end,
               GError **error G_GNUC_UNUSED)
{
  const char *text = rewrite->pieces->bytes;
  gsize done = start, size = 0;
  for (gsize at = start; at < end; at += size)
    {
      size = hl_utf8_size (text[at]);
      if (size < 3 || !is_chinese (g_utf8_get_char (text + at)))
        continue;
      HlSpan span = hl_pieces_span (rewrite->pieces, at);
      hl_rewrite_copy (rewrite, done, at);
      hl_rewrite_put (rewrite, " ", 1, span);
      hl_rewrite_put (rewrite, text + at, size, span);
      hl_rewrite_put (rewrite, " ", 1, span);
      done = at + size;
    }
  hl_rewrite_copy (rewrite, done, end);
  return TRUE;
}

gboolean
hl_normalizer_read_bert (GPtrArray *steps,
                         const json_t *json,
                         const char *type G_GNUC_UNUSED,
                         const char *where,
                         GError **error)
{
  gboolean cleans = TRUE, spaces = TRUE, strips = TRUE, lowers = TRUE;
  if (!hl_json_get_bool (json, "clean_text", FALSE, TRUE, where, &cleans, error) ||
      !hl_json_get_bool (json, "handle_chinese_chars", FALSE, TRUE, where, &spaces,
                         error) ||
      !hl_json_get_bool (json, "lowercase", FALSE, TRUE, where, &lowers, error) ||
      /* null: where the letters become small. */
      !hl_json_get_bool (json, "strip_accents", FALSE, lowers, where, &strips, error))
    return FALSE;
  if (cleans)
    hl_normalizer_add_map (steps, clean);
  if (spaces)
    hl_normalizer_add (steps, space_chinese);
  if (strips)
    {
      hl_normalizer_add_form (steps, HL_UNICODE_NFD);
      hl_normalizer_add_map (steps, without_accent);
    }
  if (lowers)
    hl_normalizer_add_lowercase (steps);
  return TRUE;
}
