/* SPDX-License-Identifier: MIT
 * Byte pair encoding: the model out of a tokenizer file. */
#include "text/hl-bpe-private.h"

#include "base/hl-error.h"
#include "text/hl-unicode.h"

#include <string.h>

static gboolean
refuse (const char *where,
        const json_t *found,
        int code,
        const char *expected,
        GError **error)
{
  g_autofree char *text = hl_json_describe (found);
  g_set_error (error, HL_ERROR, code, "%s: %s expected, %s found", where, expected, text);
  return FALSE;
}

/* ---- merges --------------------------------------------------------------------------
 */

/* Both sides of a merge: "a b", or ["a", "b"]. */
static gboolean
split_merge (const json_t *value, const char *side[2], gsize length[2])
{
  if (json_is_array (value) && json_array_size (value) == 2 &&
      json_is_string (json_array_get (value, 0)) &&
      json_is_string (json_array_get (value, 1)))
    {
      for (gsize i = 0; i < 2; i++)
        {
          side[i] = json_string_value (json_array_get (value, i));
          length[i] = strlen (side[i]);
        }
      return TRUE;
    }
  const char *text = json_string_value (value);
  const char *space = text != NULL ? strchr (text, ' ') : NULL;
  if (space == NULL || strchr (space + 1, ' ') != NULL)
    return FALSE;
  side[0] = text;
  length[0] = (gsize) (space - text);
  side[1] = space + 1;
  length[1] = strlen (side[1]);
  return TRUE;
}

/* The last and the first unit of two tokens: bytes or characters. */
static void
add_junction (HlBpe *bpe, const char *side[2], const gsize length[2])
{
  if (length[0] == 0 || length[1] == 0)
    return;
  gunichar left = g_utf8_get_char (side[0] + hl_utf8_previous (side[0], length[0]));
  gunichar right = g_utf8_get_char (side[1]);
  if (bpe->is_byte_level)
    {
      int left_byte = hl_byte_level_byte (left), right_byte = hl_byte_level_byte (right);
      if (left_byte < 0 || right_byte < 0)
        return; /* No text becomes such a token. */
      left = (gunichar) left_byte;
      right = (gunichar) right_byte;
    }
  guint bit = hl_bpe_junction (left, right);
  bpe->joined[bit / 8] |= (guint8) (1u << bit % 8);
}

static void
add_pair (HlBpe *bpe, gint32 left, gint32 right, guint32 rank, gint32 id)
{
  guint64 pair = (guint64) (guint32) left << 32 | (guint32) right;
  gsize slot = hl_bpe_pair_hash (pair) & bpe->merges_mask;
  while (bpe->merges[slot].pair != G_MAXUINT64 && bpe->merges[slot].pair != pair)
    slot = (slot + 1) & bpe->merges_mask;
  /* The last of equal merges counts, as in the reference library. */
  bpe->merges[slot] = (HlMerge){ pair, rank, id };
}

static gboolean
add_merge (HlBpe *bpe,
           const json_t *value,
           guint32 rank,
           const char *where,
           GString *joined,
           GError **error)
{
  const char *side[2];
  gsize length[2];
  gint32 id[3];
  if (!split_merge (value, side, length))
    return refuse (where, value, HL_ERROR_FORMAT,
                   "two tokens with one space between, or [token, token],", error);
  gsize n_prefix = bpe->prefix != NULL ? strlen (bpe->prefix) : 0;
  g_string_truncate (joined, 0);
  g_string_append_len (joined, side[0], (gssize) length[0]);
  if (length[1] >= n_prefix)
    g_string_append_len (joined, side[1] + n_prefix, (gssize) (length[1] - n_prefix));
  id[0] = hl_vocabulary_find (bpe->vocabulary, side[0], length[0]);
  id[1] = hl_vocabulary_find (bpe->vocabulary, side[1], length[1]);
  id[2] = hl_vocabulary_find (bpe->vocabulary, joined->str, joined->len);
  for (int i = 0; i < 3; i++)
    if (id[i] < 0)
      {
        const char *name = i < 2 ? side[i] : joined->str;
        g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                     "%s: merge %u: tokens of the vocabulary expected, \"%.*s\" found, "
                     "which is none",
                     where, rank, (int) MIN (i < 2 ? length[i] : joined->len, 60), name);
        return FALSE;
      }
  add_pair (bpe, id[0], id[1], rank, id[2]);
  add_junction (bpe, side, length);
  return TRUE;
}

static gboolean
read_merges (HlBpe *bpe, const json_t *list, const char *where, GError **error)
{
  g_autoptr (GString) joined = g_string_new (NULL);
  g_autofree char *place = g_strdup_printf ("%s: merges", where);
  gsize n = json_array_size (list), n_slots = 16;
  if (!json_is_array (list))
    return refuse (place, list, list == NULL ? HL_ERROR_MISSING : HL_ERROR_FORMAT,
                   "an array", error);
  while (n_slots < 2 * n)
    n_slots *= 2;
  bpe->merges = g_new (HlMerge, n_slots);
  memset (bpe->merges, 0xff, n_slots * sizeof *bpe->merges);
  bpe->merges_mask = n_slots - 1;
  bpe->joined = g_malloc0 (HL_BPE_JUNCTION_BITS / 8);
  for (gsize i = 0; i < n; i++)
    if (!add_merge (bpe, json_array_get (list, i), (guint32) i, place, joined, error))
      return FALSE;
  return TRUE;
}

/* ---- units ---------------------------------------------------------------------------
 */

static void
find_units (HlBpe *bpe)
{
  const gsize n = bpe->is_byte_level ? 256 : HL_BPE_DIRECT_UNITS;
  const gint32 n_ids = (gint32) hl_vocabulary_get_n_ids (bpe->vocabulary);
  bpe->units = g_new (gint32, n);
  memset (bpe->units, 0xff, n * sizeof *bpe->units);
  for (gint32 id = 0; id < n_ids; id++)
    {
      gsize length = 0;
      const char *text = hl_vocabulary_get (bpe->vocabulary, id, &length);
      if (text == NULL || length == 0 || length != hl_utf8_size (*text))
        continue;
      gunichar c = g_utf8_get_char (text);
      int byte = bpe->is_byte_level ? hl_byte_level_byte (c) : (int) c;
      if (byte >= 0 && (gsize) byte < n)
        bpe->units[byte] = id;
    }
  for (guint i = 0; i < 256; i++)
    {
      char name[8];
      g_snprintf (name, sizeof name, "<0x%02X>", i);
      bpe->byte_tokens[i] = hl_vocabulary_find (bpe->vocabulary, name, 6);
    }
}

/* ---- fields --------------------------------------------------------------------------
 */

/* Gives NULL for an absent or an empty string too. */
static gboolean
read_text (
    const json_t *json, const char *field, const char *where, char **out, GError **error)
{
  const char *text = NULL;
  if (!hl_json_get_string (json, field, FALSE, NULL, where, &text, error))
    return FALSE;
  *out = text != NULL && *text != '\0' ? g_strdup (text) : NULL;
  return TRUE;
}

static gboolean
read_unknown (HlBpe *bpe, const json_t *model, const char *where, GError **error)
{
  const char *token = NULL;
  bpe->unknown = -1;
  if (!hl_json_get_string (model, "unk_token", FALSE, NULL, where, &token, error))
    return FALSE;
  if (token == NULL)
    return TRUE;
  bpe->unknown = hl_vocabulary_find (bpe->vocabulary, token, strlen (token));
  if (bpe->unknown >= 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
               "%s: field \"unk_token\": a token of the vocabulary expected, \"%.60s\" "
               "found, which is none",
               where, token);
  return FALSE;
}

static gboolean
check_supported (const HlBpe *bpe, const json_t *model, const char *where, GError **error)
{
  double dropout = 0;
  if (!hl_json_get_double (model, "dropout", FALSE, 0, 0, 1, where, &dropout, error))
    return FALSE;
  const char *what = NULL;
  if (dropout > 0)
    what = "dropout (tokens by chance)";
  else if (bpe->has_byte_fallback && (bpe->prefix != NULL || bpe->suffix != NULL))
    what = "byte_fallback with a subword's prefix or a word's suffix";
  else if (bpe->is_byte_level && bpe->prefix != NULL)
    what = "continuing_subword_prefix with bytes";
  if (what == NULL)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED, "%s: %s is not supported", where,
               what);
  return FALSE;
}

/* The fields that are not lists. */
static gboolean
read_fields (HlBpe *bpe, const json_t *model, const char *place, GError **error)
{
  return hl_json_get_bool (model, "fuse_unk", FALSE, FALSE, place, &bpe->fuses_unknown,
                           error) &&
         hl_json_get_bool (model, "byte_fallback", FALSE, FALSE, place,
                           &bpe->has_byte_fallback, error) &&
         hl_json_get_bool (model, "ignore_merges", FALSE, FALSE, place,
                           &bpe->ignores_merges, error) &&
         read_text (model, "continuing_subword_prefix", place, &bpe->prefix, error) &&
         read_text (model, "end_of_word_suffix", place, &bpe->suffix, error) &&
         check_supported (bpe, model, place, error);
}

gpointer
hl_bpe_read (const json_t *model,
             gboolean is_byte_level,
             const char *where,
             GError **error)
{
  g_autofree char *vocabulary_place = g_strdup_printf ("%s: vocab", where);
  HlBpe *bpe = g_new0 (HlBpe, 1);
  bpe->is_byte_level = is_byte_level;
  if (read_fields (bpe, model, where, error))
    bpe->vocabulary =
        hl_vocabulary_read (json_object_get (model, "vocab"), vocabulary_place, error);
  if (bpe->vocabulary == NULL || !read_unknown (bpe, model, where, error) ||
      !read_merges (bpe, json_object_get (model, "merges"), where, error))
    {
      hl_bpe_free (bpe);
      return NULL;
    }
  find_units (bpe);
  return bpe;
}

void
hl_bpe_free (gpointer data)
{
  HlBpe *bpe = data;
  hl_vocabulary_free (bpe->vocabulary);
  g_free (bpe->prefix);
  g_free (bpe->suffix);
  g_free (bpe->merges);
  g_free (bpe->units);
  g_free (bpe->joined);
  g_free (bpe);
}
