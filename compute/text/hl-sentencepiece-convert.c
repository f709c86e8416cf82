/* SPDX-License-Identifier: MIT
 * A sentencepiece model as the steps of a tokenizer file. Which steps a family has beside
 * the model is written in its program, not in the file; they are those that the reference
 * library's converters give it. */
#include "text/hl-sentencepiece-private.h"

#include "base/hl-error.h"

#include <string.h>

#define N_SENTINELS 100
#define MAX_SENTINELS 10000
/* ALBERT's pieces that end in a comma behind a digit: the comma is to stand alone. */
#define COMMA_PENALTY 100.0f

static json_t *
make_bpe (const HlSpmConversion *c, GError **error)
{
  json_t *merges = hl_sentencepiece_get_merges (c->pieces, c->where, error);
  if (merges == NULL)
    return NULL;
  json_t *vocab = json_object ();
  for (gsize i = 0; i < json_array_size (c->pieces); i++)
    json_object_set_new (
        vocab, json_string_value (json_array_get (json_array_get (c->pieces, i), 0)),
        json_integer ((json_int_t) i));
  json_t *model = json_pack ("{s:s, s:o, s:o, s:b, s:b}", "type", "BPE", "vocab", vocab,
                             "merges", merges, "fuse_unk", 1, "byte_fallback", 1);
  const json_t *unknown =
      c->model->unk_id >= 0 ? json_array_get (c->pieces, (gsize) c->model->unk_id) : NULL;
  if (unknown != NULL)
    json_object_set (model, "unk_token", json_array_get (unknown, 0));
  return model;
}

/* What the converters of most Unigram models do to the text. */
static json_t *
spm_normalizer (const HlSpmConversion *c, const char *spaces)
{
  json_t *list = json_array ();
  hl_spm_append_charsmap (list, c->model, FALSE);
  json_array_append_new (list, hl_spm_strip (FALSE));
  json_array_append_new (list, hl_spm_replace ("Regex", " {2,}", spaces));
  return hl_spm_sequence ("normalizers", list);
}

static json_t *
convert_t5 (HlSpmConversion *c, GError **error)
{
  const json_t *extra = json_object_get (c->config, "extra_ids");
  double n_extra = json_is_number (extra) ? json_number_value (extra) : N_SENTINELS;
  const char *eos = hl_spm_get_name (c, "eos_token", "</s>");
  hl_spm_append_pieces (c, 0);
  hl_spm_add_model_tokens (c);
  for (int i = (int) CLAMP (n_extra, 0, MAX_SENTINELS) - 1; i >= 0; i--)
    {
      g_autofree char *name = g_strdup_printf ("<extra_id_%d>", i);
      hl_spm_append_piece (c, name, 0);
      hl_spm_add_token (c, name, TRUE, FALSE);
    }
  hl_spm_add_token (c, eos, TRUE, FALSE);
  hl_spm_add_token (c, hl_spm_get_name (c, "unk_token", "<unk>"), TRUE, FALSE);
  hl_spm_add_token (c, hl_spm_get_name (c, "pad_token", "<pad>"), TRUE, FALSE);
  json_t *post = hl_spm_template (c, "A0>0", "A0>0B0>0", NULL, eos, error);
  if (post == NULL)
    return NULL;
  return hl_spm_file (c, hl_spm_unigram (c, c->model->unk_id, FALSE),
                      spm_normalizer (c, HL_SPM_SPACE), hl_spm_metaspace ("always", TRUE),
                      post, hl_spm_metaspace ("always", TRUE));
}

static json_t *
convert_siglip (HlSpmConversion *c, GError **error)
{
  static const char punctuation[] = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]";
  const char *eos = hl_spm_get_name (c, "eos_token", "</s>");
  json_t *list = json_array ();
  hl_spm_append_pieces (c, 0);
  hl_spm_add_model_tokens (c);
  hl_spm_add_token (c, eos, TRUE, FALSE);
  hl_spm_add_token (c, hl_spm_get_name (c, "unk_token", "<unk>"), TRUE, FALSE);
  if (hl_spm_get_flag (c, "do_lower_case", TRUE))
    json_array_append_new (list, hl_spm_step ("Lowercase"));
  json_array_append_new (list, hl_spm_replace ("Regex", punctuation, ""));
  json_array_append_new (list, hl_spm_replace ("Regex", "\\s+", " "));
  json_array_append_new (list, hl_spm_strip (TRUE));
  hl_spm_append_charsmap (list, c->model, FALSE);
  json_array_append_new (list, hl_spm_replace ("Regex", " {2,}", " "));
  json_t *normalizer = hl_spm_sequence ("normalizers", list);
  json_t *post = hl_spm_template (c, "A0>0", "A0>0B0>0", NULL, eos, error);
  if (post == NULL)
    {
      json_decref (normalizer);
      return NULL;
    }
  return hl_spm_file (c, hl_spm_unigram (c, c->model->unk_id, FALSE), normalizer,
                      hl_spm_metaspace ("always", TRUE), post,
                      hl_spm_metaspace ("always", TRUE));
}

static json_t *
albert_normalizer (const HlSpmConversion *c)
{
  json_t *list = json_array ();
  json_array_append_new (list, hl_spm_replace ("String", "``", "\""));
  json_array_append_new (list, hl_spm_replace ("String", "''", "\""));
  if (!hl_spm_get_flag (c, "keep_accents", FALSE))
    {
      json_array_append_new (list, hl_spm_step ("NFKD"));
      json_array_append_new (list, hl_spm_step ("StripAccents"));
    }
  if (hl_spm_get_flag (c, "do_lower_case", TRUE))
    json_array_append_new (list, hl_spm_step ("Lowercase"));
  hl_spm_append_charsmap (list, c->model, FALSE);
  json_array_append_new (list, hl_spm_replace ("Regex", " {2,}", " "));
  return hl_spm_sequence ("normalizers", list);
}

static gboolean
ends_in_digit_and_comma (const char *text)
{
  gsize n = strlen (text);
  if (n < 2 || text[n - 1] != ',')
    return FALSE;
  return g_unichar_isdigit (g_utf8_get_char (g_utf8_prev_char (text + n - 1)));
}

static json_t *
convert_albert (HlSpmConversion *c, GError **error)
{
  const char *cls = hl_spm_get_name (c, "cls_token", "[CLS]");
  const char *sep = hl_spm_get_name (c, "sep_token", "[SEP]");
  for (guint i = 0; i < c->model->pieces->len; i++)
    {
      const HlSentencepiecePiece *piece =
          &g_array_index (c->model->pieces, HlSentencepiecePiece, i);
      float penalty = ends_in_digit_and_comma (piece->text) ? COMMA_PENALTY : 0;
      hl_spm_append_piece (c, piece->text, (double) piece->score - (double) penalty);
    }
  hl_spm_add_model_tokens (c);
  hl_spm_add_token (c, cls, TRUE, FALSE);
  hl_spm_add_token (c, sep, TRUE, FALSE);
  hl_spm_add_token (c, hl_spm_get_name (c, "unk_token", "<unk>"), TRUE, FALSE);
  hl_spm_add_token (c, hl_spm_get_name (c, "pad_token", "<pad>"), TRUE, FALSE);
  hl_spm_add_token (c, hl_spm_get_name (c, "mask_token", "[MASK]"), TRUE, TRUE);
  json_t *post = hl_spm_template (c, "<0A0>0", "<0A0>0B1>1", cls, sep, error);
  if (post == NULL)
    return NULL;
  return hl_spm_file (c, hl_spm_unigram (c, c->model->unk_id, FALSE),
                      albert_normalizer (c), hl_spm_metaspace ("always", TRUE), post,
                      hl_spm_metaspace ("always", TRUE));
}

static json_t *
convert_xlm_roberta (HlSpmConversion *c, GError **error)
{
  static const char *const firsts[] = { "<s>", "<pad>", "</s>", "<unk>" };
  for (gsize i = 0; i < G_N_ELEMENTS (firsts); i++)
    hl_spm_append_piece (c, firsts[i], 0);
  hl_spm_append_pieces (c, 3);
  hl_spm_append_piece (c, "<mask>", 0);
  hl_spm_add_model_tokens (c);
  for (gsize i = 0; i < G_N_ELEMENTS (firsts); i++)
    hl_spm_add_token (c, firsts[i], TRUE, FALSE);
  hl_spm_add_token (c, "<mask>", TRUE, TRUE);
  json_t *post =
      hl_spm_template (c, "<0A0>0", "<0A0>0>0B0>0", firsts[0], firsts[2], error);
  if (post == NULL)
    return NULL;
  return hl_spm_file (c, hl_spm_unigram (c, 3, FALSE), spm_normalizer (c, HL_SPM_SPACE),
                      hl_spm_metaspace ("always", TRUE), post,
                      hl_spm_metaspace ("always", TRUE));
}

static json_t *
convert_llama (HlSpmConversion *c, GError **error)
{
  const char *bos = hl_spm_get_name (c, "bos_token", "<s>");
  const char *eos = hl_spm_get_name (c, "eos_token", "</s>");
  gboolean has_space = hl_spm_get_flag (c, "add_prefix_space", TRUE);
  gboolean is_legacy = hl_spm_get_flag (c, "legacy", TRUE);
  json_t *normalizer = NULL, *pre = NULL;
  hl_spm_append_pieces (c, 0);
  hl_spm_add_model_tokens (c);
  hl_spm_add_token (c, hl_spm_get_name (c, "unk_token", "<unk>"), TRUE, FALSE);
  hl_spm_add_token (c, bos, TRUE, FALSE);
  hl_spm_add_token (c, eos, TRUE, FALSE);
  json_t *model = make_bpe (c, error);
  json_t *post = model != NULL ? hl_spm_bos_template (c, bos, eos, error) : NULL;
  if (post == NULL)
    {
      json_decref (model);
      return NULL;
    }
  if (is_legacy)
    {
      json_t *list = json_array ();
      if (has_space)
        json_array_append_new (
            list, json_pack ("{s:s, s:s}", "type", "Prepend", "prepend", HL_SPM_SPACE));
      json_array_append_new (list, hl_spm_replace ("String", " ", HL_SPM_SPACE));
      normalizer = hl_spm_sequence ("normalizers", list);
    }
  else
    pre = hl_spm_metaspace (has_space ? "first" : "never", FALSE);
  return hl_spm_file (c, model, normalizer, pre, post, hl_spm_byte_decoder (has_space));
}

static json_t *
convert_gemma (HlSpmConversion *c, GError **error)
{
  const char *bos = hl_spm_get_name (c, "bos_token", "<bos>");
  const char *eos = hl_spm_get_name (c, "eos_token", "<eos>");
  hl_spm_append_pieces (c, 0);
  /* The first models have no tab, and the byte's token takes its place. */
  gint tab = hl_spm_find_id (c, "<0x09>");
  if (hl_spm_find_id (c, "\t") < 0 && tab >= 0)
    {
      json_t *entry = json_pack ("[s, f]", "\t", 0.0);
      g_hash_table_remove (c->ids, "<0x09>");
      json_array_set_new (c->pieces, (gsize) tab, entry);
      g_hash_table_insert (c->ids,
                           (gpointer) json_string_value (json_array_get (entry, 0)),
                           GINT_TO_POINTER (tab));
    }
  hl_spm_add_model_tokens (c);
  hl_spm_add_token (c, "<start_of_turn>", TRUE, FALSE);
  hl_spm_add_token (c, "<end_of_turn>", TRUE, FALSE);
  hl_spm_add_token (c, hl_spm_get_name (c, "unk_token", "<unk>"), TRUE, FALSE);
  hl_spm_add_token (c, hl_spm_get_name (c, "pad_token", "<pad>"), TRUE, FALSE);
  hl_spm_add_token (c, bos, TRUE, FALSE);
  hl_spm_add_token (c, eos, TRUE, FALSE);
  json_t *model = make_bpe (c, error);
  json_t *post = model != NULL ? hl_spm_bos_template (c, bos, eos, error) : NULL;
  if (post == NULL)
    {
      json_decref (model);
      return NULL;
    }
  json_t *pre = json_pack ("{s:s, s:{s:s}, s:s, s:b}", "type", "Split", "pattern",
                           "String", " ", "behavior", "MergedWithPrevious", "invert", 0);
  return hl_spm_file (c, model, hl_spm_replace ("String", " ", HL_SPM_SPACE), pre, post,
                      hl_spm_byte_decoder (FALSE));
}

/* The model alone. */
static json_t *
convert_plain (HlSpmConversion *c, GError **error)
{
  const HlSentencepiece *model = c->model;
  const char *scheme = model->adds_dummy_prefix ? "always" : "never";
  hl_spm_append_pieces (c, 0);
  hl_spm_add_model_tokens (c);
  json_t *body =
      model->is_bpe ? make_bpe (c, error) : hl_spm_unigram (c, model->unk_id, TRUE);
  if (body == NULL)
    return NULL;
  return hl_spm_file (c, body, hl_spm_own_normalizer (model),
                      hl_spm_metaspace (scheme, FALSE), NULL,
                      hl_spm_byte_decoder (model->adds_dummy_prefix));
}

/* ---- families ------------------------------------------------------------------------
 */

static const struct
{
  const char *family;
  json_t *(*convert) (HlSpmConversion *c, GError **error);
} families[] = {
  { "albert", convert_albert },
  { "gemma", convert_gemma },
  { "gemma2", convert_gemma },
  { "gemma3", convert_gemma },
  { "gemma3_text", convert_gemma },
  { "llama", convert_llama },
  { "mistral", convert_llama },
  { "mt5", convert_t5 },
  { "phi3", convert_llama },
  { "siglip", convert_siglip },
  { "t5", convert_t5 },
  { "xlm-roberta", convert_xlm_roberta },
  { "xlmroberta", convert_xlm_roberta },
};

json_t *
hl_sentencepiece_convert (const HlSentencepiece *model,
                          const char *family,
                          const json_t *config,
                          const char *where,
                          GError **error)
{
  json_t *(*convert) (HlSpmConversion *, GError **) =
      family == NULL ? convert_plain : NULL;
  HlSpmConversion c;
  for (gsize i = 0; family != NULL && i < G_N_ELEMENTS (families); i++)
    if (strcmp (family, families[i].family) == 0)
      convert = families[i].convert;
  if (convert == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "%s: a family whose steps are known expected (ALBERT, Gemma, Llama, "
                   "Mistral, Phi-3, SigLIP, T5, XLM-RoBERTa), \"%.60s\" found",
                   where, family);
      return NULL;
    }
  hl_spm_conversion_init (&c, model, config, where);
  json_t *root = convert (&c, error);
  hl_spm_conversion_clear (&c);
  return root;
}
