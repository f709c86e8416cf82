/* SPDX-License-Identifier: MIT
 * The table of characters of a sentencepiece model, and the normalizer "Precompiled". */
#include "text/hl-charsmap.h"

#include "base/hl-error.h"
#include "text/hl-normalizer-private.h"
#include "text/hl-unicode.h"

#include <string.h>

/* Longer characters with their marks are not looked up as one. */
#define MAX_GRAPHEME_BYTES 5
/* No real table has longer strings, looked up or put instead. */
#define MAX_KEY_BYTES 256
#define MAX_TEXT_BYTES 256

struct _HlCharsmap
{
  guint32 *units;
  gsize n_units;
  char *texts;
  gsize texts_size;
  gboolean is_plain[128]; /* ASCII that stays as it is */
};

/* ---- the double array ----------------------------------------------------------------
 */

static gsize
unit_offset (guint32 unit)
{
  return (gsize) (unit >> 10) << ((unit & 1u << 9) >> 6);
}

/* The text that a unit of strings' ends leads to; NULL for none. */
static const char *
text_at (const HlCharsmap *map, gsize at, gsize *text_length)
{
  gsize start = at < map->n_units ? map->units[at] & ((1u << 31) - 1) : G_MAXSIZE;
  if (start >= map->texts_size || !hl_utf8_is_lead (map->texts[start]))
    return NULL;
  *text_length = strnlen (map->texts + start, map->texts_size - start);
  return *text_length <= MAX_TEXT_BYTES ? map->texts + start : NULL;
}

/* The text for the shortest or the longest string of the table that @key begins with, and
 * the length of that; NULL for none. A table may lead anywhere: whatever leaves it is no
 * match. */
static const char *
find (const HlCharsmap *map,
      const char *key,
      gsize length,
      gboolean is_longest,
      gsize *n_used,
      gsize *text_length)
{
  const char *found = NULL;
  gsize at = unit_offset (map->units[0]);
  for (gsize i = 0; i < MIN (length, MAX_KEY_BYTES) && key[i] != '\0'; i++)
    {
      at ^= (guint8) key[i];
      if (at >= map->n_units)
        break;
      guint32 unit = map->units[at];
      if ((unit & (1u << 31 | 0xff)) != (guint8) key[i])
        break;
      at ^= unit_offset (unit);
      if ((unit >> 8 & 1) == 0)
        continue;
      gsize n = 0;
      const char *text = text_at (map, at, &n);
      if (!is_longest)
        {
          *text_length = n;
          return text;
        }
      /* A string that ends within a character is none of a text. */
      if (text == NULL || (i + 1 < length && !hl_utf8_is_lead (key[i + 1])))
        continue;
      found = text;
      *n_used = i + 1;
      *text_length = n;
    }
  return found;
}

/* ---- reading -------------------------------------------------------------------------
 */

static gboolean
refuse (const char *where, const char *expected, gsize found, GError **error)
{
  g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
               "%s: precompiled_charsmap: %s expected, %" G_GSIZE_FORMAT " found", where,
               expected, found);
  return FALSE;
}

static gboolean
check_sizes (
    const guint8 *data, gsize size, const char *where, gsize *array, GError **error)
{
  guint32 array_size = 0;
  if (size < 8)
    return refuse (where, "8 bytes or more", size, error);
  memcpy (&array_size, data, 4);
  *array = GUINT32_FROM_LE (array_size);
  if (*array < 4 || *array % 4 != 0)
    return refuse (where, "an array of 4 n bytes", *array, error);
  if (*array > size - 4)
    {
      g_autofree char *expected = g_strdup_printf (
          "an array of at most %" G_GSIZE_FORMAT " bytes (what is left)", size - 4);
      return refuse (where, expected, *array, error);
    }
  return TRUE;
}

HlCharsmap *
hl_charsmap_new (const guint8 *data, gsize size_bytes, const char *where, GError **error)
{
  gsize array_size = 0, bad = 0, length = 0, n_used = 0;
  if (!check_sizes (data, size_bytes, where, &array_size, error))
    return NULL;
  const char *texts = (const char *) data + 4 + array_size;
  const gsize texts_size = size_bytes - 4 - array_size;
  if (!hl_utf8_check (texts, texts_size, &bad))
    {
      refuse (where, "strings of UTF-8, other bytes from byte", 4 + array_size + bad,
              error);
      return NULL;
    }
  HlCharsmap *map = g_new0 (HlCharsmap, 1);
  map->n_units = array_size / 4;
  map->units = g_new (guint32, map->n_units);
  memcpy (map->units, data + 4, array_size);
  for (gsize i = 0; i < map->n_units; i++)
    map->units[i] = GUINT32_FROM_LE (map->units[i]);
  map->texts = g_memdup2 (texts, MAX (texts_size, 1));
  map->texts_size = texts_size;
  for (int c = 0; c < 128; c++)
    {
      char key = (char) c;
      map->is_plain[c] = find (map, &key, 1, FALSE, &n_used, &length) == NULL;
    }
  return map;
}

void
hl_charsmap_free (HlCharsmap *charsmap)
{
  if (charsmap == NULL)
    return;
  g_free (charsmap->units);
  g_free (charsmap->texts);
  g_free (charsmap);
}

/* ---- running -------------------------------------------------------------------------
 */

static void
add_character (GArray *out, const char *text)
{
  HlCharChange same = { g_utf8_get_char (text), 0, 0 };
  g_array_append_val (out, same);
}

/* @text instead of @n_old characters: what it has more is inserted, and what it has less
 * goes with the last character so far, which may be one from before. */
static void
add_replaced (GArray *out, const char *text, gsize length, gsize n_old)
{
  gsize n_new = 0;
  for (gsize i = 0; i < length; i += hl_utf8_size (text[i]), n_new++)
    {
      add_character (out, text + i);
      if (n_new >= n_old)
        g_array_index (out, HlCharChange, out->len - 1).change = 1;
    }
  /* The last ones are those inserted, also where nothing is left of the old. */
  if (n_new < n_old && out->len > 0)
    g_array_index (out, HlCharChange, out->len - 1).change -= (int) (n_old - n_new);
}

/* Bytes of the character at @text with its marks. */
static gsize
grapheme_size (HlRegexScan *graphemes, const char *text, gsize length)
{
  gsize first = hl_utf8_size (*text), start = 0, end = 0;
  guint8 next = first < length ? (guint8) text[first] : 0;
  if (first == length || (first == 1 && next < 0x80 && *text != '\r'))
    return first;
  hl_regex_scan_start (graphemes, text, length);
  if (!hl_regex_scan_next (graphemes, &start, &end, NULL) || start != 0 || end < first)
    return first;
  return end;
}

/* As the reference library does it. */
static void
replace_graphemes (const HlCharsmap *map,
                   HlRegexScan *graphemes,
                   const char *text,
                   gsize end,
                   GArray *out)
{
  gsize length = 0, size = 0, n_used = 0;
  for (gsize at = 0; at < end; at += size)
    {
      size = grapheme_size (graphemes, text + at, end - at);
      const char *found = size <= MAX_GRAPHEME_BYTES
                              ? find (map, text + at, size, FALSE, &n_used, &length)
                              : NULL;
      if (found != NULL)
        {
          add_replaced (out, found, length, hl_utf8_count (text + at, size));
          continue;
        }
      for (gsize c = at, n = 0; c < at + size; c += n)
        {
          n = hl_utf8_size (text[c]);
          found = find (map, text + c, n, FALSE, &n_used, &length);
          if (found != NULL)
            add_replaced (out, found, length, 1);
          else
            add_character (out, text + c);
        }
    }
}

/* As sentencepiece does it. */
static void
replace_longest (const HlCharsmap *map, const char *text, gsize end, GArray *out)
{
  gsize length = 0, n_used = 0;
  for (gsize at = 0; at < end; at += n_used)
    {
      const char *found = find (map, text + at, end - at, TRUE, &n_used, &length);
      if (found != NULL)
        {
          add_replaced (out, found, length, hl_utf8_count (text + at, n_used));
          continue;
        }
      n_used = hl_utf8_size (text[at]);
      add_character (out, text + at);
    }
}

static gboolean
may_change (const HlCharsmap *map, const char *text, gsize length, gboolean is_longest)
{
  for (gsize i = 0; i < length; i++)
    if ((guint8) text[i] >= 0x80 || !map->is_plain[(guint8) text[i]])
      return TRUE;
  /* Two plain characters may be a string of the table, though no real one has it. */
  return is_longest;
}

void
hl_charsmap_run (const HlCharsmap *charsmap,
                 HlRewrite *rewrite,
                 HlRegexScan *graphemes,
                 gsize start,
                 gsize end)
{
  const char *text = rewrite->pieces->bytes + start;
  if (!may_change (charsmap, text, end - start, graphemes == NULL))
    {
      hl_rewrite_copy (rewrite, start, end);
      return;
    }
  g_autoptr (GArray) out =
      g_array_sized_new (FALSE, FALSE, sizeof (HlCharChange), (guint) (end - start));
  if (graphemes != NULL)
    replace_graphemes (charsmap, graphemes, text, end - start, out);
  else
    replace_longest (charsmap, text, end - start, out);
  hl_rewrite_put_changes (rewrite, (const HlCharChange *) (const void *) out->data,
                          out->len, start, end);
}

/* ---- the step ------------------------------------------------------------------------
 */

static gboolean
run_charsmap (const HlNormalizerStep *step,
              HlRewrite *rewrite,
              HlRegexScan *scan,
              gsize start,
              gsize end,
              GError **error)
{
  hl_charsmap_run (step->charsmap, rewrite, scan, start, end);
  if (rewrite->bytes->len <= rewrite->pieces->max_length)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "the tokenizer's normalizer makes the text longer than %" G_GSIZE_FORMAT
               " bytes",
               rewrite->pieces->max_length);
  return FALSE;
}

/* GLib skips what is no base64; here it is a mistake. */
static guint8 *
decode_base64 (const char *text, gsize *size, const char *where, GError **error)
{
  gsize length = strlen (text), n = 0;
  while (g_ascii_isalnum (text[n]) || text[n] == '+' || text[n] == '/')
    n++;
  gsize n_pad = length - n;
  if (length % 4 == 0 && n_pad <= 2 && strspn (text + n, "=") == n_pad)
    return g_base64_decode (text, size);
  refuse (where, "base64, another character at place", n, error);
  return NULL;
}

gboolean
hl_normalizer_read_charsmap (GPtrArray *steps,
                             const json_t *json,
                             const char *type G_GNUC_UNUSED,
                             const char *where,
                             GError **error)
{
  const char *text = NULL;
  gsize size = 0;
  gboolean is_longest = FALSE;
  if (!hl_json_get_string (json, "precompiled_charsmap", TRUE, NULL, where, &text,
                           error) ||
      /* Ours, for models that sentencepiece itself runs elsewhere. */
      !hl_json_get_bool (json, "longest_match", FALSE, FALSE, where, &is_longest, error))
    return FALSE;
  g_autofree guint8 *data = decode_base64 (text, &size, where, error);
  if (data == NULL)
    return FALSE;
  HlCharsmap *map = hl_charsmap_new (data, size, where, error);
  if (map == NULL)
    return FALSE;
  HlNormalizerStep *step = hl_normalizer_add (steps, run_charsmap);
  step->charsmap = map;
  if (!is_longest)
    step->pattern = hl_regex_new_grapheme ();
  return TRUE;
}
