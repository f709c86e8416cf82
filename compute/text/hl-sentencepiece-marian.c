/* SPDX-License-Identifier: MIT
 * Marian's tokenizer: pieces of a sentencepiece model, with ids of a vocabulary of its
 * own. What the model finds and the vocabulary has not is unknown. */
#include "text/hl-sentencepiece-private.h"

#include "base/hl-error.h"
#include "text/hl-vocabulary.h"

#include <string.h>

/* Ids of vocab.json may leave gaps, but not mostly gaps. */
#define GAP_ALLOWANCE 65536

/* Writes vocab.json by id: strings that are no pieces have no score, and are not looked
 * for. */
static gboolean
list_vocabulary (HlSpmConversion *c, const json_t *vocabulary, GError **error)
{
  const json_int_t limit =
      MIN ((json_int_t) json_object_size (vocabulary) + GAP_ALLOWANCE, HL_VOCABULARY_MAX);
  const char *name;
  json_t *value;
  gsize n = 0;
  json_object_foreach ((json_t *) vocabulary, name, value)
  {
    json_int_t id = json_integer_value (value);
    if (!json_is_integer (value) || id < 0 || id >= limit)
      {
        g_autofree char *found = hl_json_describe (value);
        g_set_error (error, HL_ERROR,
                     json_is_integer (value) ? HL_ERROR_RANGE : HL_ERROR_FORMAT,
                     "vocab.json: token \"%.60s\": an id between 0 and %" G_GINT64_FORMAT
                     " expected, %s found",
                     name, (gint64) limit - 1, found);
        return FALSE;
      }
    n = MAX (n, (gsize) id + 1);
  }
  for (gsize i = 0; i < n; i++)
    json_array_append_new (c->pieces, json_pack ("[s, n]", ""));
  json_object_foreach ((json_t *) vocabulary, name, value)
  {
    gsize id = (gsize) json_integer_value (value);
    json_array_set_new (c->pieces, id, json_pack ("[s, n]", name));
    g_hash_table_insert (c->ids, (gpointer) name, GINT_TO_POINTER ((gint) id));
  }
  return TRUE;
}

/* Gives the model's pieces their scores; controls are never looked for. */
static void
score_pieces (HlSpmConversion *c, gint unknown)
{
  for (guint i = 0; i < c->model->pieces->len; i++)
    {
      const HlSentencepiecePiece *piece =
          &g_array_index (c->model->pieces, HlSentencepiecePiece, i);
      gint id = hl_spm_find_id (c, piece->text);
      if (piece->type == HL_PIECE_CONTROL || piece->type == HL_PIECE_UNKNOWN)
        continue;
      if (id >= 0)
        json_array_set_new (json_array_get (c->pieces, (gsize) id), 1,
                            json_real ((double) piece->score));
      else
        json_array_append_new (c->pieces, json_pack ("[s, f, i]", piece->text,
                                                     (double) piece->score, unknown));
    }
}

/* The end, the unknown, padding, and the languages: >>de<<. */
static void
add_tokens (HlSpmConversion *c, const json_t *vocabulary, const char *eos)
{
  const char *name;
  json_t *value;
  hl_spm_add_token (c, eos, TRUE, FALSE);
  hl_spm_add_token (c, hl_spm_get_name (c, "unk_token", "<unk>"), TRUE, FALSE);
  hl_spm_add_token (c, hl_spm_get_name (c, "pad_token", "<pad>"), TRUE, FALSE);
  json_object_foreach ((json_t *) vocabulary, name, value)
  {
    if (g_str_has_prefix (name, ">>") && g_str_has_suffix (name, "<<"))
      hl_spm_add_token (c, name, TRUE, FALSE);
  }
}

static json_t *
convert (HlSpmConversion *c, const json_t *vocabulary, GError **error)
{
  const char *eos = hl_spm_get_name (c, "eos_token", "</s>");
  const char *unk = hl_spm_get_name (c, "unk_token", "<unk>");
  if (c->model->is_bpe)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "%s: a Unigram model expected, BPE found, which is not supported",
                   c->where);
      return NULL;
    }
  if (!list_vocabulary (c, vocabulary, error))
    return NULL;
  gint unknown = hl_spm_find_id (c, unk);
  if (unknown < 0)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                   "vocab.json: a token \"%.60s\" expected, none found", unk);
      return NULL;
    }
  score_pieces (c, unknown);
  add_tokens (c, vocabulary, eos);
  json_t *post = hl_spm_template (c, "A0>0", "A0B0>0", NULL, eos, error);
  if (post == NULL)
    return NULL;
  return hl_spm_file (
      c, hl_spm_unigram (c, unknown, TRUE), hl_spm_own_normalizer (c->model),
      hl_spm_metaspace ("always", FALSE), post, hl_spm_metaspace ("always", TRUE));
}

json_t *
hl_sentencepiece_convert_marian (const HlSentencepiece *model,
                                 const json_t *vocabulary,
                                 const json_t *config,
                                 const char *where,
                                 GError **error)
{
  HlSpmConversion c;
  hl_spm_conversion_init (&c, model, config, where);
  json_t *root = convert (&c, vocabulary, error);
  hl_spm_conversion_clear (&c);
  return root;
}
