/* SPDX-License-Identifier: MIT
 * The strings of a vocabulary and their ids, both ways. Private to compute/text. */
#pragma once

#include "io/hl-json.h"

G_BEGIN_DECLS

/** HL_VOCABULARY_MAX: the most tokens that a vocabulary may have. */
#define HL_VOCABULARY_MAX (1 << 24)

typedef struct _HlVocabulary HlVocabulary;

/**
 * hl_vocabulary_read:
 * @json: an object of strings and ids
 * @where: what errors call the object
 * Returns: (transfer full): NULL with @error: FORMAT, RANGE an id below 0, or so large
 *   that most ids below it would have no string; or the same id twice
 */
HlVocabulary *hl_vocabulary_read (const json_t *json, const char *where, GError **error);

/** hl_vocabulary_new: (transfer full): the id of a string is its place in the list; of
 * equal strings the last is found. @n: at most HL_VOCABULARY_MAX. */
HlVocabulary *hl_vocabulary_new (const char *const *tokens, gsize n);
void hl_vocabulary_free (HlVocabulary *vocabulary);

/** hl_vocabulary_find: the id of @length bytes, -1 for none. */
gint32
hl_vocabulary_find (const HlVocabulary *vocabulary, const char *text, gsize length);

/** hl_vocabulary_get: (transfer none) (nullable): the string of @id, NULL for none. */
const char *hl_vocabulary_get (const HlVocabulary *vocabulary, gint32 id, gsize *length);

/** hl_vocabulary_get_n: strings in it. */
gsize hl_vocabulary_get_n (const HlVocabulary *vocabulary);

/** hl_vocabulary_get_n_ids: the largest id and 1; not every one below has a string. */
gsize hl_vocabulary_get_n_ids (const HlVocabulary *vocabulary);

/** hl_vocabulary_hash: of any bytes. */
static inline guint64
hl_vocabulary_hash (const char *text, gsize length)
{
  guint64 hash = 0xcbf29ce484222325u ^ length;
  while (length >= 8)
    {
      guint64 word;
      __builtin_memcpy (&word, text, 8);
      hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
      hash ^= hash >> 29;
      text += 8;
      length -= 8;
    }
  guint64 rest = 0;
  for (gsize i = 0; i < length; i++)
    rest = rest << 8 | (guint8) text[i];
  hash = (hash ^ rest) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 32;
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlVocabulary, hl_vocabulary_free)

G_END_DECLS
