/* SPDX-License-Identifier: MIT
 * Steps of a normalizer that need little: replacing, stripping, mapping characters. */
#include "text/hl-normalizer-private.h"

#include "base/hl-error.h"
#include "text/hl-unicode.h"

#include <string.h>

/* ---- Replace -------------------------------------------------------------------------
 */

HlRegex *
hl_json_get_pattern (const json_t *object, const char *where, GError **error)
{
  const json_t *pattern = json_object_get (object, "pattern");
  const json_t *text = json_object_get (pattern, "String");
  const json_t *regex = json_object_get (pattern, "Regex");
  if (json_is_string (regex) && text == NULL)
    return hl_regex_new (json_string_value (regex), where, error);
  if (json_is_string (text) && regex == NULL && json_string_length (text) > 0)
    return hl_regex_new_literal (json_string_value (text));
  g_autofree char *found = hl_json_describe (pattern);
  g_set_error (error, HL_ERROR, pattern == NULL ? HL_ERROR_MISSING : HL_ERROR_FORMAT,
               "%s: field \"pattern\": {\"String\": text} or {\"Regex\": pattern} "
               "expected, %s found",
               where, found);
  return NULL;
}

static gboolean
replace (const HlNormalizerStep *step,
         HlRewrite *rewrite,
         HlRegexScan *scan,
         gsize start,
         gsize end,
         GError **error)
{
  gsize from = 0, to = 0, done = start, n = strlen (step->text);
  GError *failure = NULL;
  hl_regex_scan_start (scan, rewrite->pieces->bytes + start, end - start);
  while (hl_regex_scan_next (scan, &from, &to, &failure))
    {
      hl_rewrite_copy (rewrite, done, start + from);
      done = start + to;
      /* The new text comes from the last character of the old. */
      hl_rewrite_put (rewrite, step->text, n, hl_pieces_span (rewrite->pieces, done - 1));
      if (rewrite->bytes->len > rewrite->pieces->max_length)
        {
          g_set_error (
              error, HL_ERROR, HL_ERROR_RANGE,
              "the tokenizer's normalizer makes the text longer than %" G_GSIZE_FORMAT
              " bytes",
              rewrite->pieces->max_length);
          return FALSE;
        }
    }
  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  hl_rewrite_copy (rewrite, done, end);
  return TRUE;
}

gboolean
hl_normalizer_read_replace (GPtrArray *steps,
                            const json_t *json,
                            const char *type G_GNUC_UNUSED,
                            const char *where,
                            GError **error)
{
  const char *content = NULL;
  HlNormalizerStep *step = hl_normalizer_add (steps, replace);
  step->pattern = hl_json_get_pattern (json, where, error);
  if (step->pattern == NULL ||
      !hl_json_get_string (json, "content", TRUE, NULL, where, &content, error))
    return FALSE;
  if (hl_regex_can_match_empty (step->pattern))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "%s: Replace: a pattern that always matches characters expected, one "
                   "that may match nothing found",
                   where);
      return FALSE;
    }
  step->text = g_strdup (content);
  return TRUE;
}

/* ---- Prepend, Strip ------------------------------------------------------------------
 */

static gboolean
prepend (const HlNormalizerStep *step,
         HlRewrite *rewrite,
         HlRegexScan *scan G_GNUC_UNUSED,
         gsize start,
         gsize end,
         GError **error G_GNUC_UNUSED)
{
  HlSpan first = hl_pieces_span (rewrite->pieces, start);
  hl_rewrite_put (rewrite, step->text, strlen (step->text), first);
  hl_rewrite_copy (rewrite, start, end);
  return TRUE;
}

gboolean
hl_normalizer_read_prepend (GPtrArray *steps,
                            const json_t *json,
                            const char *type G_GNUC_UNUSED,
                            const char *where,
                            GError **error)
{
  const char *text = NULL;
  if (!hl_json_get_string (json, "prepend", TRUE, NULL, where, &text, error))
    return FALSE;
  hl_normalizer_add (steps, prepend)->text = g_strdup (text);
  return TRUE;
}

static gboolean
strip (const HlNormalizerStep *step,
       HlRewrite *rewrite,
       HlRegexScan *scan G_GNUC_UNUSED,
       gsize start,
       gsize end,
       GError **error G_GNUC_UNUSED)
{
  const char *text = rewrite->pieces->bytes;
  while (step->strips_left && start < end &&
         hl_unicode_is_space (g_utf8_get_char (text + start)))
    start += hl_utf8_size (text[start]);
  while (step->strips_right && start < end &&
         hl_unicode_is_space (g_utf8_get_char (text + hl_utf8_previous (text, end))))
    end = hl_utf8_previous (text, end);
  hl_rewrite_copy (rewrite, start, end);
  return TRUE;
}

gboolean
hl_normalizer_read_strip (GPtrArray *steps,
                          const json_t *json,
                          const char *type G_GNUC_UNUSED,
                          const char *where,
                          GError **error)
{
  HlNormalizerStep *step = hl_normalizer_add (steps, strip);
  return hl_json_get_bool (json, "strip_left", TRUE, FALSE, where, &step->strips_left,
                           error) &&
         hl_json_get_bool (json, "strip_right", TRUE, FALSE, where, &step->strips_right,
                           error);
}

/* ---- Unicode's forms -----------------------------------------------------------------
 */

static gboolean
normalize (const HlNormalizerStep *step,
           HlRewrite *rewrite,
           HlRegexScan *scan G_GNUC_UNUSED,
           gsize start,
           gsize end,
           GError **error G_GNUC_UNUSED)
{
  hl_normalize_unicode (rewrite, step->form, start, end);
  return TRUE;
}

void
hl_normalizer_add_form (GPtrArray *steps, HlUnicodeForm form)
{
  hl_normalizer_add (steps, normalize)->form = form;
}

gboolean
hl_normalizer_read_form (GPtrArray *steps,
                         const json_t *json G_GNUC_UNUSED,
                         const char *type,
                         const char *where G_GNUC_UNUSED,
                         GError **error G_GNUC_UNUSED)
{
  static const char *const forms[] = { "NFC", "NFD", "NFKC", "NFKD" };
  int form = 0;
  while (strcmp (type, forms[form]) != 0)
    form++;
  hl_normalizer_add_form (steps, (HlUnicodeForm) form);
  return TRUE;
}

/* ---- maps of characters --------------------------------------------------------------
 */

static gboolean
map_characters (const HlNormalizerStep *step,
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
      char utf8[6];
      gunichar c = g_utf8_get_char (text + at), mapped = step->map (c);
      size = hl_utf8_size (text[at]);
      if (mapped == c)
        continue;
      hl_rewrite_copy (rewrite, done, at);
      done = at + size;
      if (mapped != HL_CHAR_GONE)
        hl_rewrite_put (rewrite, utf8, (gsize) g_unichar_to_utf8 (mapped, utf8),
                        hl_pieces_span (rewrite->pieces, at));
    }
  hl_rewrite_copy (rewrite, done, end);
  return TRUE;
}

void
hl_normalizer_add_map (GPtrArray *steps, gunichar (*map) (gunichar c))
{
  hl_normalizer_add (steps, map_characters)->map = map;
}

static gunichar
without_mark (gunichar c)
{
  return hl_unicode_is_mark (c) ? HL_CHAR_GONE : c;
}

gboolean
hl_normalizer_read_strip_accents (GPtrArray *steps,
                                  const json_t *json G_GNUC_UNUSED,
                                  const char *type G_GNUC_UNUSED,
                                  const char *where G_GNUC_UNUSED,
                                  GError **error G_GNUC_UNUSED)
{
  hl_normalizer_add_map (steps, without_mark);
  return TRUE;
}

/* What the pre-processing of machine translation does away with. */
static gunichar
map_nmt (gunichar c)
{
  if (c >= ' ' && c < 0x7f)
    return c;
  if (c == 0x9 || c == 0xa || c == 0xc || c == 0xd || c == 0x1680 ||
      (c >= 0x200b && c <= 0x200f) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
      c == 0xfeff || c == 0xfffd)
    return ' ';
  if ((c > 0 && c < ' ') || c == 0x7f || c == 0x8f || c == 0x9f)
    return HL_CHAR_GONE;
  return c;
}

gboolean
hl_normalizer_read_nmt (GPtrArray *steps,
                        const json_t *json G_GNUC_UNUSED,
                        const char *type G_GNUC_UNUSED,
                        const char *where G_GNUC_UNUSED,
                        GError **error G_GNUC_UNUSED)
{
  hl_normalizer_add_map (steps, map_nmt);
  return TRUE;
}

/* ---- Lowercase -----------------------------------------------------------------------
 */

/* GLib leaves Roman numerals and letters in circles as they are. */
static gunichar
to_lower (gunichar c)
{
  if (c < 0x80)
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
  if (c >= 0x2160 && c <= 0x216f)
    return c + 16;
  if (c >= 0x24b6 && c <= 0x24cf)
    return c + 26;
  return g_unichar_tolower (c);
}

static gboolean
lowercase (const HlNormalizerStep *step G_GNUC_UNUSED,
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
      char utf8[8];
      gunichar c = g_utf8_get_char (text + at), small = to_lower (c);
      size = hl_utf8_size (text[at]);
      if (small == c && c != 0x130)
        continue;
      /* The one letter whose small form is two characters. */
      gsize n = (gsize) g_unichar_to_utf8 (c == 0x130 ? 'i' : small, utf8);
      if (c == 0x130)
        n += (gsize) g_unichar_to_utf8 (0x307, utf8 + n);
      hl_rewrite_copy (rewrite, done, at);
      hl_rewrite_put (rewrite, utf8, n, hl_pieces_span (rewrite->pieces, at));
      done = at + size;
    }
  hl_rewrite_copy (rewrite, done, end);
  return TRUE;
}

void
hl_normalizer_add_lowercase (GPtrArray *steps)
{
  hl_normalizer_add (steps, lowercase);
}

gboolean
hl_normalizer_read_lowercase (GPtrArray *steps,
                              const json_t *json G_GNUC_UNUSED,
                              const char *type G_GNUC_UNUSED,
                              const char *where G_GNUC_UNUSED,
                              GError **error G_GNUC_UNUSED)
{
  hl_normalizer_add_lowercase (steps);
  return TRUE;
}
