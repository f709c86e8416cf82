/* SPDX-License-Identifier: MIT
 * BERT's first form of a tokenizer: vocab.txt with a token a line. */
#include "text/hl-tokenizer-files.h"

#include "base/hl-error.h"

#include <string.h>

/* The special tokens' fields in tokenizer_config.json, and their names in BERT and in
 * MPNet. */
static const struct
{
  const char *field;
  const char *bert;
  const char *mpnet;
} specials[] = {
  { "cls_token", "[CLS]", "<s>" },      { "sep_token", "[SEP]", "</s>" },
  { "unk_token", "[UNK]", "[UNK]" },    { "pad_token", "[PAD]", "<pad>" },
  { "mask_token", "[MASK]", "<mask>" },
};

/* Line ends are those of any system; of equal lines the last counts. */
static json_t *
load_lines (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "vocab.txt", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) cause = NULL;
  gsize length = 0;
  if (!g_file_get_contents (path, &text, &length, &cause))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_IO, "vocab.txt: cannot be read: %s",
                   cause->message);
      return NULL;
    }
  if (!g_utf8_validate_len (text, length, NULL))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "vocab.txt: UTF-8 without zeros expected, other bytes found");
      return NULL;
    }
  json_t *vocabulary = json_object ();
  json_int_t id = 0;
  for (char *at = text; *at != '\0'; id++)
    {
      gsize n = strcspn (at, "\r\n");
      gboolean is_pair = at[n] == '\r' && at[n + 1] == '\n';
      char *next = at + n + (at[n] == '\0' ? 0 : is_pair ? 2 : 1);
      at[n] = '\0';
      json_object_set_new (vocabulary, at, json_integer (id));
      at = next;
    }
  return vocabulary;
}

static const char *
get_name (const json_t *config, gsize special, gboolean is_mpnet)
{
  return hl_tokenizer_config_name (config, specials[special].field,
                                   is_mpnet ? specials[special].mpnet
                                            : specials[special].bert);
}

/* Special tokens that the vocabulary has; MPNet's mask takes the space before it. */
static json_t *
list_added (const json_t *vocabulary, const json_t *config, gboolean is_mpnet)
{
  json_t *list = json_array ();
  for (gsize i = 0; i < G_N_ELEMENTS (specials); i++)
    {
      const char *name = get_name (config, i, is_mpnet);
      json_t *id = json_object_get (vocabulary, name);
      gboolean strips = is_mpnet && strcmp (specials[i].field, "mask_token") == 0;
      if (id != NULL)
        json_array_append_new (list, json_pack ("{s:O, s:s, s:b, s:b, s:b}", "id", id,
                                                "content", name, "special", 1,
                                                "normalized", 0, "lstrip", strips));
    }
  return list;
}

static json_t *
special_item (const char *name, int segment)
{
  return json_pack ("{s:{s:s, s:i}}", "SpecialToken", "id", name, "type_id", segment);
}

static json_t *
text_item (const char *name, int segment)
{
  return json_pack ("{s:{s:s, s:i}}", "Sequence", "id", name, "type_id", segment);
}

/* [CLS] A [SEP] B [SEP]; MPNet has two between the texts. */
static json_t *
make_template (const json_t *vocabulary,
               const json_t *config,
               gboolean is_mpnet,
               GError **error)
{
  const char *names[2] = { get_name (config, 0, is_mpnet),
                           get_name (config, 1, is_mpnet) };
  json_t *ids[2];
  for (int i = 0; i < 2; i++)
    {
      ids[i] = json_object_get (vocabulary, names[i]);
      if (ids[i] == NULL)
        {
          g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                       "vocab.txt: a token \"%.60s\" expected, none found", names[i]);
          return NULL;
        }
    }
  json_t *single = json_pack ("[o, o, o]", special_item (names[0], 0), text_item ("A", 0),
                              special_item (names[1], 0));
  json_t *pair = json_copy (single);
  if (is_mpnet)
    json_array_append_new (pair, special_item (names[1], 0));
  json_array_append_new (pair, text_item ("B", 1));
  json_array_append_new (pair, special_item (names[1], 1));
  return json_pack ("{s:s, s:o, s:o, s:{s:{s:[O]}, s:{s:[O]}}}", "type",
                    "TemplateProcessing", "single", single, "pair", pair,
                    "special_tokens", names[0], "ids", ids[0], names[1], "ids", ids[1]);
}

json_t *
hl_tokenizer_load_vocab_txt (const char *folder,
                             const json_t *config,
                             const char *family,
                             GError **error)
{
  const gboolean is_mpnet = g_strcmp0 (family, "mpnet") == 0;
  gboolean lowers = hl_tokenizer_config_flag (config, "do_lower_case", TRUE);
  g_autoptr (json_t) vocabulary = load_lines (folder, error);
  if (vocabulary == NULL)
    return NULL;
  json_t *post = make_template (vocabulary, config, is_mpnet, error);
  if (post == NULL)
    return NULL;
  json_t *normalizer = json_pack (
      "{s:s, s:b, s:b, s:b, s:b}", "type", "BertNormalizer", "clean_text", 1,
      "handle_chinese_chars",
      hl_tokenizer_config_flag (config, "tokenize_chinese_chars", TRUE), "strip_accents",
      hl_tokenizer_config_flag (config, "strip_accents", lowers), "lowercase", lowers);
  return json_pack ("{s:o, s:o, s:{s:s}, s:o, s:{s:s, s:s}, s:{s:s, s:O, s:s}}",
                    "added_tokens", list_added (vocabulary, config, is_mpnet),
                    "normalizer", normalizer, "pre_tokenizer", "type", "BertPreTokenizer",
                    "post_processor", post, "decoder", "type", "WordPiece", "prefix",
                    "##", "model", "type", "WordPiece", "vocab", vocabulary, "unk_token",
                    get_name (config, 2, is_mpnet));
}
