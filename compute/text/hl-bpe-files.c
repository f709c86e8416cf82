/* SPDX-License-Identifier: MIT
 * Tokenizers that come as vocab.json and merges.txt: GPT-2's form, which RoBERTa, BART,
 * CLIP, OPT and Qwen2 took with steps of their own. */
#include "text/hl-tokenizer-files.h"

#include "base/hl-error.h"

#include <string.h>

#define END_OF_TEXT "<|endoftext|>"
#define CLIP_PATTERN "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"
#define QWEN2_PATTERN                                                                    \
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"                    \
  "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

/* The file on its way: the steps of GPT-2, until a family changes them. */
typedef struct
{
  json_t *root;
  json_t *vocabulary;
  const json_t *config;
} Files;

/* A merge a line; a first line "#version: 0.2" is none. */
static json_t *
load_merges (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "merges.txt", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) cause = NULL;
  gsize length = 0;
  if (!g_file_get_contents (path, &text, &length, &cause))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_IO, "merges.txt: cannot be read: %s",
                   cause->message);
      return NULL;
    }
  if (!g_utf8_validate_len (text, length, NULL))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "merges.txt: UTF-8 expected, other bytes found");
      return NULL;
    }
  g_autoptr (json_t) list = json_array ();
  char *rest = text, *line;
  while ((line = strsep (&rest, "\n")) != NULL)
    {
      gsize n = strlen (line);
      if (n > 0 && line[n - 1] == '\r')
        line[n - 1] = '\0';
      if (*line != '\0' && !(line == text && g_str_has_prefix (line, "#version")))
        json_array_append_new (list, json_string (line));
    }
  return g_steal_pointer (&list);
}

/* ---- parts ---------------------------------------------------------------------------
 */

/* A special token that the vocabulary has. */
static void
add_special (Files *files, const char *name, gboolean strips_left)
{
  json_t *id = json_object_get (files->vocabulary, name);
  json_t *added = json_object_get (files->root, "added_tokens"), *token;
  gsize i;
  json_array_foreach (added, i, token)
  {
    if (g_strcmp0 (json_string_value (json_object_get (token, "content")), name) == 0)
      return;
  }
  if (id != NULL)
    json_array_append_new (added, json_pack ("{s:O, s:s, s:b, s:b, s:b}", "id", id,
                                             "content", name, "special", 1, "normalized",
                                             0, "lstrip", strips_left));
}

/* The id of a token that the family needs; NULL with @error. */
static json_t *
need_id (const Files *files, const char *name, GError **error)
{
  json_t *id = json_object_get (files->vocabulary, name);
  if (id == NULL)
    g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                 "vocab.json: a token \"%.60s\" expected, none found", name);
  return id;
}

static json_t *
byte_level (gboolean adds_space, gboolean has_pattern, gboolean trims)
{
  return json_pack ("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space",
                    adds_space, "use_regex", has_pattern, "trim_offsets", trims);
}

static json_t *
split (const char *pattern, const char *behavior, gboolean is_inverted)
{
  return json_pack ("{s:s, s:{s:s}, s:s, s:b}", "type", "Split", "pattern", "Regex",
                    pattern, "behavior", behavior, "invert", is_inverted);
}

static gboolean
set_around (Files *files,
            const char *cls,
            const char *sep,
            gboolean trims,
            gboolean keeps,
            GError **error)
{
  json_t *cls_id = need_id (files, cls, error);
  json_t *sep_id = cls_id != NULL ? need_id (files, sep, error) : NULL;
  if (sep_id == NULL)
    return FALSE;
  json_object_set_new (files->root, "post_processor",
                       json_pack ("{s:s, s:[s, O], s:[s, O], s:b, s:b}", "type",
                                  "RobertaProcessing", "cls", cls, cls_id, "sep", sep,
                                  sep_id, "trim_offsets", trims, "add_prefix_space",
                                  keeps));
  return TRUE;
}

/* ---- families ------------------------------------------------------------------------
 */

/* OPT is a GPT-2 with a BOS. */
static gboolean
finish_gpt2 (Files *files, GError **error)
{
  const char *bos = hl_tokenizer_config_name (files->config, "bos_token", END_OF_TEXT);
  gboolean has_space =
      hl_tokenizer_config_flag (files->config, "add_prefix_space", FALSE);
  json_object_set_new (files->root, "pre_tokenizer", byte_level (has_space, TRUE, TRUE));
  json_object_set_new (files->root, "post_processor", byte_level (TRUE, TRUE, FALSE));
  add_special (files, bos, FALSE);
  if (!hl_tokenizer_config_flag (files->config, "add_bos_token", FALSE))
    return TRUE;
  json_t *id = need_id (files, bos, error);
  if (id == NULL)
    return FALSE;
  json_t *single = json_pack ("[{s:{s:s, s:i}}, {s:{s:s, s:i}}]", "SpecialToken", "id",
                              bos, "type_id", 0, "Sequence", "id", "A", "type_id", 0);
  json_t *pair = json_copy (single);
  json_array_append_new (
      pair, json_pack ("{s:{s:s, s:i}}", "Sequence", "id", "B", "type_id", 1));
  json_object_set_new (files->root, "post_processor",
                       json_pack ("{s:s, s:o, s:o, s:{s:{s:[O]}}}", "type",
                                  "TemplateProcessing", "single", single, "pair", pair,
                                  "special_tokens", bos, "ids", id));
  return TRUE;
}

static gboolean
finish_roberta (Files *files, GError **error)
{
  const json_t *config = files->config;
  const char *cls = hl_tokenizer_config_name (config, "cls_token", "<s>");
  const char *sep = hl_tokenizer_config_name (config, "sep_token", "</s>");
  gboolean has_space = hl_tokenizer_config_flag (config, "add_prefix_space", FALSE);
  add_special (files, cls, FALSE);
  add_special (files, sep, FALSE);
  add_special (files, hl_tokenizer_config_name (config, "unk_token", "<unk>"), FALSE);
  add_special (files, hl_tokenizer_config_name (config, "pad_token", "<pad>"), FALSE);
  add_special (files, hl_tokenizer_config_name (config, "mask_token", "<mask>"), TRUE);
  json_object_set_new (files->root, "pre_tokenizer", byte_level (has_space, TRUE, TRUE));
  return set_around (files, cls, sep, TRUE, has_space, error);
}

static gboolean
finish_clip (Files *files, GError **error)
{
  const json_t *config = files->config;
  const char *bos = hl_tokenizer_config_name (config, "bos_token", "<|startoftext|>");
  const char *eos = hl_tokenizer_config_name (config, "eos_token", END_OF_TEXT);
  const char *unk = hl_tokenizer_config_name (config, "unk_token", END_OF_TEXT);
  json_t *model = json_object_get (files->root, "model");
  if (need_id (files, unk, error) == NULL)
    return FALSE;
  add_special (files, bos, FALSE);
  add_special (files, eos, FALSE);
  json_object_set_new (model, "end_of_word_suffix", json_string ("</w>"));
  json_object_set_new (model, "unk_token", json_string (unk));
  json_object_set_new (files->root, "normalizer",
                       json_pack ("{s:s, s:[{s:s}, {s:s, s:{s:s}, s:s}, {s:s}]}", "type",
                                  "Sequence", "normalizers", "type", "NFC", "type",
                                  "Replace", "pattern", "Regex", "\\s+", "content", " ",
                                  "type", "Lowercase"));
  json_object_set_new (files->root, "pre_tokenizer",
                       json_pack ("{s:s, s:[o, o]}", "type", "Sequence", "pretokenizers",
                                  split (CLIP_PATTERN, "Removed", TRUE),
                                  byte_level (FALSE, TRUE, TRUE)));
  return set_around (files, bos, eos, FALSE, FALSE, error);
}

static gboolean
finish_qwen2 (Files *files, GError **error G_GNUC_UNUSED)
{
  gboolean has_space =
      hl_tokenizer_config_flag (files->config, "add_prefix_space", FALSE);
  json_object_set_new (files->root, "normalizer", json_pack ("{s:s}", "type", "NFC"));
  json_object_set_new (files->root, "pre_tokenizer",
                       json_pack ("{s:s, s:[o, o]}", "type", "Sequence", "pretokenizers",
                                  split (QWEN2_PATTERN, "Isolated", FALSE),
                                  byte_level (has_space, FALSE, TRUE)));
  json_object_set_new (files->root, "post_processor", byte_level (TRUE, TRUE, FALSE));
  return TRUE;
}

/* Without a function: families that have these files and steps that are not known here.
 * What is not in the list has GPT-2's. */
static const struct
{
  const char *family;
  gboolean (*finish) (Files *files, GError **error);
} families[] = {
  { "bart", finish_roberta },
  { "bertweet", NULL },
  { "biogpt", NULL },
  { "clip", finish_clip },
  { "clip_text_model", finish_clip },
  { "ctrl", NULL },
  { "deberta", NULL },
  { "flaubert", NULL },
  { "fsmt", NULL },
  { "herbert", NULL },
  { "led", finish_roberta },
  { "longformer", finish_roberta },
  { "openai-gpt", NULL },
  { "openaigpt", NULL },
  { "phobert", NULL },
  { "qwen2", finish_qwen2 },
  { "qwen3", finish_qwen2 },
  { "roberta", finish_roberta },
  { "whisper", NULL },
  { "xlm", NULL },
};

json_t *
hl_tokenizer_load_merges_txt (const char *folder,
                              const json_t *config,
                              const char *family,
                              GError **error)
{
  gboolean (*finish) (Files *, GError **) = finish_gpt2;
  g_autofree char *path = g_build_filename (folder, "vocab.json", NULL);
  g_autoptr (json_t) vocabulary = hl_json_load_file (path, error);
  if (vocabulary == NULL)
    return NULL;
  g_autoptr (json_t) merges = load_merges (folder, error);
  if (merges == NULL)
    return NULL;
  g_autoptr (json_t) root = json_pack (
      "{s:[], s:{s:s}, s:{s:s, s:O, s:O}}", "added_tokens", "decoder", "type",
      "ByteLevel", "model", "type", "BPE", "vocab", vocabulary, "merges", merges);
  Files files = { root, vocabulary, config };
  add_special (&files, END_OF_TEXT, FALSE);
  for (gsize i = 0; i < G_N_ELEMENTS (families); i++)
    if (g_strcmp0 (family, families[i].family) == 0)
      finish = families[i].finish;
  if (finish != NULL)
    return finish (&files, error) ? g_steal_pointer (&root) : NULL;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "vocab.json and merges.txt: a family whose steps are known expected, "
               "\"%s\" found; it needs a tokenizer.json",
               family);
  return NULL;
}
