/* SPDX-License-Identifier: MIT
 * WordLevel: a word is a token, or unknown. */
#include "text/hl-token-model.h"

#include <string.h>

typedef struct
{
  HlVocabulary *vocabulary;
  gint32 unknown;
} WordLevel;

static gpointer
read_model (const json_t *json,
            gboolean is_byte_level G_GNUC_UNUSED,
            const char *where,
            GError **error)
{
  const char *unknown = NULL;
  g_autofree char *vocabulary_place = g_strdup_printf ("%s: vocab", where);
  if (!hl_json_get_string (json, "unk_token", FALSE, "<unk>", where, &unknown, error))
    return NULL;
  HlVocabulary *vocabulary =
      hl_vocabulary_read (json_object_get (json, "vocab"), vocabulary_place, error);
  if (vocabulary == NULL)
    return NULL;
  WordLevel *model = g_new (WordLevel, 1);
  *model = (WordLevel){ vocabulary,
                        hl_vocabulary_find (vocabulary, unknown, strlen (unknown)) };
  return model;
}

static void
free_model (gpointer data)
{
  hl_vocabulary_free (((WordLevel *) data)->vocabulary);
  g_free (data);
}

static const HlVocabulary *
get_vocabulary (gconstpointer data)
{
  return ((const WordLevel *) data)->vocabulary;
}

static gint32
get_unknown (gconstpointer data)
{
  return ((const WordLevel *) data)->unknown;
}

static gboolean
encode (gconstpointer data,
        gpointer scratch G_GNUC_UNUSED,
        const char *word,
        gsize length,
        GArray *tokens,
        GError **error)
{
  const WordLevel *model = data;
  gint32 id = hl_vocabulary_find (model->vocabulary, word, length);
  if (id < 0)
    id = model->unknown;
  if (id < 0)
    return hl_token_model_no_unknown (word, length, error);
  HlModelToken token = { .id = id, .length = (guint32) length & G_MAXINT32 };
  g_array_append_val (tokens, token);
  return TRUE;
}

const HlTokenModelKind hl_word_level_kind = {
  .type = "WordLevel",
  .read = read_model,
  .free = free_model,
  .get_vocabulary = get_vocabulary,
  .get_unknown = get_unknown,
  .encode = encode,
};
