/* SPDX-License-Identifier: MIT
 * The "model" of a tokenizer file, by its kind. */
#include "text/hl-token-model.h"

#include "base/hl-error.h"

#include <string.h>

static const HlTokenModelKind *const kinds[] = { &hl_bpe_kind, &hl_wordpiece_kind,
                                                 &hl_unigram_kind, &hl_word_level_kind };

/* Old files leave the type out: only byte pair encoding has merges, a unigram model lists
 * its tokens with scores, WordPiece has a prefix. */
static const char *
guess_type (const json_t *json)
{
  if (json_object_get (json, "merges") != NULL)
    return "BPE";
  if (json_is_array (json_object_get (json, "vocab")))
    return "Unigram";
  if (json_object_get (json, "continuing_subword_prefix") != NULL)
    return "WordPiece";
  return NULL;
}

static const HlTokenModelKind *
find_kind (const json_t *json, const char *where, GError **error)
{
  const char *type = NULL, *guess = NULL;
  if (!json_is_object (json))
    {
      g_autofree char *found = hl_json_describe (json);
      g_set_error (error, HL_ERROR, json == NULL ? HL_ERROR_MISSING : HL_ERROR_FORMAT,
                   "%s: an object expected, %s found", where, found);
      return NULL;
    }
  guess = guess_type (json);
  if (!hl_json_get_string (json, "type", guess == NULL, guess, where, &type, error))
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (strcmp (type, kinds[i]->type) == 0)
      return kinds[i];
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s: field \"type\": BPE, WordPiece, Unigram or WordLevel expected, "
               "\"%.60s\" found, which is not supported",
               where, type);
  return NULL;
}

HlTokenModel *
hl_token_model_read (const json_t *json,
                     gboolean is_byte_level,
                     const char *where,
                     GError **error)
{
  g_autofree char *place = g_strdup_printf ("%s: model", where);
  const HlTokenModelKind *kind = find_kind (json, place, error);
  if (kind == NULL)
    return NULL;
  if (is_byte_level && !kind->reads_bytes)
    {
      g_set_error (
          error, HL_ERROR, HL_ERROR_UNSUPPORTED,
          "%s: BPE behind a ByteLevel pre-tokenizer expected, %s found, which is "
          "not supported there",
          place, kind->type);
      return NULL;
    }
  gpointer data = kind->read (json, is_byte_level, place, error);
  if (data == NULL)
    return NULL;
  HlTokenModel *model = g_new (HlTokenModel, 1);
  *model = (HlTokenModel){ kind, data };
  return model;
}

void
hl_token_model_free (HlTokenModel *model)
{
  if (model == NULL)
    return;
  model->kind->free (model->data);
  g_free (model);
}

const HlVocabulary *
hl_token_model_get_vocabulary (const HlTokenModel *model)
{
  return model->kind->get_vocabulary (model->data);
}

gboolean
hl_token_model_no_unknown (const char *word, gsize length, GError **error)
{
  const char *end = word + MIN (length, 60);
  while (end > word && ((guint8) *end & 0xc0) == 0x80 && end < word + length)
    end--;
  g_autofree char *shown = g_utf8_make_valid (word, end - word);
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "text: \"%s\" has no tokens in the vocabulary, and the tokenizer none for "
               "what is unknown",
               shown);
  return FALSE;
}
