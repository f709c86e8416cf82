/* SPDX-License-Identifier: MIT
 * The strings of a vocabulary and their ids. */
#include "text/hl-vocabulary.h"

#include "base/hl-error.h"

#include <string.h>

/* Ids may leave gaps (for added tokens), but not mostly gaps. */
#define GAP_FACTOR 4
#define GAP_ALLOWANCE 65536

typedef struct
{
  guint32 start; /* in the arena */
  guint32 length;
  gboolean is_used;
} Entry;

struct _HlVocabulary
{
  char *arena;    /* every string, with a zero behind it */
  Entry *entries; /* by id */
  gsize n;
  gsize n_ids;
  gint32 *table; /* ids by hash, -1 free; a power of two, at most half full */
  gsize table_mask;
};

static gboolean
refuse (const char *where,
        const char *token,
        const json_t *value,
        int code,
        const char *expected,
        GError **error)
{
  g_autofree char *found = hl_json_describe (value);
  g_set_error (error, HL_ERROR, code, "%s: token \"%.60s\": %s expected, %s found", where,
               token, expected, found);
  return FALSE;
}

/* The largest id there may be, and the room that the strings take. */
static gboolean
check_ids (
    const json_t *json, const char *where, gsize *n_ids, gsize *size, GError **error)
{
  const gsize n = json_object_size (json);
  const json_int_t limit =
      (json_int_t) MIN (GAP_FACTOR * n + GAP_ALLOWANCE, (gsize) HL_VOCABULARY_MAX);
  const char *token;
  json_t *value;
  *n_ids = *size = 0;
  json_object_foreach ((json_t *) json, token, value)
  {
    json_int_t id = json_integer_value (value);
    if (!json_is_integer (value))
      return refuse (where, token, value, HL_ERROR_FORMAT, "an id", error);
    if (id < 0 || id >= limit)
      {
        g_autofree char *expected = g_strdup_printf (
            "an id between 0 and %" G_GINT64_FORMAT " (for %" G_GSIZE_FORMAT " tokens)",
            (gint64) limit - 1, n);
        return refuse (where, token, value, HL_ERROR_RANGE, expected, error);
      }
    *n_ids = MAX (*n_ids, (gsize) id + 1);
    *size += strlen (token) + 1;
  }
  return TRUE;
}

/* Where the string stands in the table, or would. */
static gsize
find_slot (const HlVocabulary *v, const char *text, gsize length)
{
  gsize slot = (gsize) hl_vocabulary_hash (text, length) & v->table_mask;
  for (; v->table[slot] >= 0; slot = (slot + 1) & v->table_mask)
    {
      const Entry *entry = &v->entries[v->table[slot]];
      if (entry->length == length && memcmp (v->arena + entry->start, text, length) == 0)
        break;
    }
  return slot;
}

/* Room for @n tokens of @size bytes, ends counted, with ids below @n_ids. */
static HlVocabulary *
vocabulary_alloc (gsize n, gsize n_ids, gsize size)
{
  HlVocabulary *v = g_new0 (HlVocabulary, 1);
  gsize n_slots = 16;
  v->n = n;
  v->n_ids = n_ids;
  while (n_slots < 2 * n)
    n_slots *= 2;
  v->arena = g_malloc (MAX (size, 1));
  v->entries = g_new0 (Entry, MAX (n_ids, 1));
  v->table = g_new (gint32, n_slots);
  v->table_mask = n_slots - 1;
  memset (v->table, 0xff, n_slots * sizeof *v->table);
  return v;
}

/* Writes one string at @at of the arena; returns where the next begins. */
static guint32
put_token (HlVocabulary *v, gint32 id, const char *text, guint32 at)
{
  Entry *entry = &v->entries[id];
  *entry = (Entry){ at, (guint32) strlen (text), TRUE };
  memcpy (v->arena + at, text, entry->length + 1);
  v->table[find_slot (v, text, entry->length)] = id;
  return at + entry->length + 1;
}

HlVocabulary *
hl_vocabulary_new (const char *const *tokens, gsize n)
{
  gsize size = 0;
  guint32 at = 0;
  for (gsize i = 0; i < n; i++)
    size += strlen (tokens[i]) + 1;
  HlVocabulary *v = vocabulary_alloc (n, n, size);
  for (gsize i = 0; i < n; i++)
    at = put_token (v, (gint32) i, tokens[i], at);
  return v;
}

HlVocabulary *
hl_vocabulary_read (const json_t *json, const char *where, GError **error)
{
  gsize n_ids = 0, size = 0;
  if (!json_is_object (json))
    {
      g_autofree char *found = hl_json_describe (json);
      g_set_error (error, HL_ERROR, json == NULL ? HL_ERROR_MISSING : HL_ERROR_FORMAT,
                   "%s: an object of tokens and ids expected, %s found", where, found);
      return NULL;
    }
  if (!check_ids (json, where, &n_ids, &size, error))
    return NULL;
  g_autoptr (HlVocabulary) v = vocabulary_alloc (json_object_size (json), n_ids, size);
  guint32 at = 0;
  const char *token;
  json_t *value;
  json_object_foreach ((json_t *) json, token, value)
  {
    gint32 id = (gint32) json_integer_value (value);
    const Entry *entry = &v->entries[id];
    if (entry->is_used)
      {
        g_autofree char *expected = g_strdup_printf (
            "an id of its own (\"%.60s\" has it)", v->arena + entry->start);
        refuse (where, token, value, HL_ERROR_FORMAT, expected, error);
        return NULL;
      }
    at = put_token (v, id, token, at);
  }
  return g_steal_pointer (&v);
}

void
hl_vocabulary_free (HlVocabulary *vocabulary)
{
  if (vocabulary == NULL)
    return;
  g_free (vocabulary->arena);
  g_free (vocabulary->entries);
  g_free (vocabulary->table);
  g_free (vocabulary);
}

gint32
hl_vocabulary_find (const HlVocabulary *v, const char *text, gsize length)
{
  return v->table[find_slot (v, text, length)];
}

const char *
hl_vocabulary_get (const HlVocabulary *v, gint32 id, gsize *length)
{
  if (id < 0 || (gsize) id >= v->n_ids || !v->entries[id].is_used)
    return NULL;
  if (length != NULL)
    *length = v->entries[id].length;
  return v->arena + v->entries[id].start;
}

gsize
hl_vocabulary_get_n (const HlVocabulary *vocabulary)
{
  return vocabulary->n;
}

gsize
hl_vocabulary_get_n_ids (const HlVocabulary *vocabulary)
{
  return vocabulary->n_ids;
}
