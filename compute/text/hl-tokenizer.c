/* SPDX-License-Identifier: MIT
 * A tokenizer: its files read, its parts put together, its tokens shown. */
#include "text/hl-tokenizer.h"

#include "base/hl-error.h"
#include "text/hl-tokenizer-files.h"
#include "text/hl-tokenizer-private.h"

#include <string.h>

HlTokenizer *
hl_tokenizer_ref (HlTokenizer *tokenizer)
{
  g_atomic_ref_count_inc (&tokenizer->refs);
  return tokenizer;
}

void
hl_tokenizer_unref (HlTokenizer *tokenizer)
{
  if (tokenizer == NULL || !g_atomic_ref_count_dec (&tokenizer->refs))
    return;
  hl_normalizer_free (tokenizer->normalizer);
  hl_pre_tokenizer_free (tokenizer->pre);
  hl_added_tokens_free (tokenizer->added);
  hl_token_model_free (tokenizer->model);
  hl_post_processor_free (tokenizer->post);
  hl_decoder_free (tokenizer->decoder);
  g_array_unref (tokenizer->specials);
  g_free (tokenizer->chat_template);
  g_free (tokenizer);
}

/* ---- reading -------------------------------------------------------------------------
 */

/* Every id that the post-processor adds must have a token. */
static gboolean
check_around (HlTokenizer *tokenizer,
              const GArray *items,
              const char *where,
              GError **error)
{
  for (guint i = 0; i < items->len; i++)
    {
      gint32 id = g_array_index (items, HlTemplateItem, i).id;
      if (id >= 0 && hl_tokenizer_get_token_raw (tokenizer, id) == NULL)
        {
          g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                       "%s: post_processor: the id of a token expected, %d found, which "
                       "none has",
                       where, id);
          return FALSE;
        }
    }
  return TRUE;
}

static void
count_tokens (HlTokenizer *tokenizer)
{
  const HlVocabulary *vocabulary = hl_token_model_get_vocabulary (tokenizer->model);
  tokenizer->n_ids = (gint32) hl_vocabulary_get_n_ids (vocabulary);
  tokenizer->n_tokens = hl_vocabulary_get_n (vocabulary);
  for (guint i = 0; i < hl_added_tokens_get_n (tokenizer->added); i++)
    {
      const HlAddedToken *token = hl_added_tokens_get_nth (tokenizer->added, i);
      tokenizer->n_ids = MAX (tokenizer->n_ids, token->id + 1);
      tokenizer->n_tokens += hl_vocabulary_get (vocabulary, token->id, NULL) == NULL;
      if (token->is_special)
        g_array_append_val (tokenizer->specials, token->id);
    }
}

/* The file's parts, in the order in which one needs another. */
static gboolean
read_parts (HlTokenizer *tokenizer, const json_t *root, const char *where, GError **error)
{
  tokenizer->normalizer =
      hl_normalizer_read (json_object_get (root, "normalizer"), where, error);
  if (tokenizer->normalizer == NULL)
    return FALSE;
  tokenizer->pre =
      hl_pre_tokenizer_read (json_object_get (root, "pre_tokenizer"), where, error);
  if (tokenizer->pre == NULL)
    return FALSE;
  tokenizer->model =
      hl_token_model_read (json_object_get (root, "model"),
                           hl_pre_tokenizer_is_byte_level (tokenizer->pre), where, error);
  if (tokenizer->model == NULL)
    return FALSE;
  tokenizer->added =
      hl_added_tokens_read (json_object_get (root, "added_tokens"),
                            hl_token_model_get_vocabulary (tokenizer->model),
                            tokenizer->normalizer, where, error);
  if (tokenizer->added == NULL)
    return FALSE;
  tokenizer->post =
      hl_post_processor_read (json_object_get (root, "post_processor"), where, error);
  if (tokenizer->post == NULL)
    return FALSE;
  tokenizer->decoder = hl_decoder_read (json_object_get (root, "decoder"), where, error);
  return tokenizer->decoder != NULL &&
         check_around (tokenizer, tokenizer->post->single, where, error) &&
         check_around (tokenizer, tokenizer->post->pair, where, error);
}

/* A special token's name: "<s>", or {"content": "<s>", ...}. */
static gint32
find_named (HlTokenizer *tokenizer, const json_t *config, const char *field)
{
  const json_t *value = json_object_get (config, field);
  if (json_is_object (value))
    value = json_object_get (value, "content");
  return json_is_string (value) ? hl_tokenizer_find (tokenizer, json_string_value (value))
                                : -1;
}

/* Configurations are often bare: then a special token of a usual name. */
static gint32
find_usual (HlTokenizer *tokenizer,
            const json_t *config,
            const char *field,
            const char *first,
            const char *second)
{
  gint32 id = find_named (tokenizer, config, field);
  if (id < 0)
    id = hl_tokenizer_find (tokenizer, first);
  if (id < 0)
    id = hl_tokenizer_find (tokenizer, second);
  return id >= 0 && hl_tokenizer_is_special (tokenizer, id) ? id : -1;
}

/* A template alone, or the one named "default" of several, else the first. */
static const char *
find_template (const json_t *config)
{
  const json_t *value = json_object_get (config, "chat_template");
  const char *found = json_string_value (value);
  for (gsize i = 0; i < json_array_size (value); i++)
    {
      const json_t *entry = json_array_get (value, i);
      const char *name = json_string_value (json_object_get (entry, "name"));
      const char *text = json_string_value (json_object_get (entry, "template"));
      if (text != NULL && (found == NULL || g_strcmp0 (name, "default") == 0))
        found = text;
    }
  return found;
}

HlTokenizer *
hl_tokenizer_new_from_parts (const json_t *root,
                             const json_t *config,
                             const char *where,
                             GError **error)
{
  g_autoptr (HlTokenizer) tokenizer = g_new0 (HlTokenizer, 1);
  g_atomic_ref_count_init (&tokenizer->refs);
  tokenizer->specials = g_array_new (FALSE, FALSE, sizeof (gint32));
  if (!read_parts (tokenizer, root, where, error))
    return NULL;
  count_tokens (tokenizer);
  tokenizer->bos = find_named (tokenizer, config, "bos_token");
  tokenizer->eos = find_named (tokenizer, config, "eos_token");
  tokenizer->unk = find_named (tokenizer, config, "unk_token");
  tokenizer->mask = find_usual (tokenizer, config, "mask_token", "[MASK]", "<mask>");
  tokenizer->pad = find_usual (tokenizer, config, "pad_token", "[PAD]", "<pad>");
  if (tokenizer->unk < 0)
    tokenizer->unk = tokenizer->model->kind->get_unknown (tokenizer->model->data);
  tokenizer->chat_template = g_strdup (find_template (config));
  return g_steal_pointer (&tokenizer);
}

HlTokenizer *
hl_tokenizer_new_from_json (const char *data,
                            gsize size_bytes,
                            const char *config,
                            gsize config_size_bytes,
                            const char *where,
                            GError **error)
{
  g_autoptr (json_t) extra = NULL;
  g_autoptr (json_t) root = hl_json_load_bytes (data, size_bytes, where, NULL, error);
  if (root == NULL)
    return NULL;
  if (config != NULL)
    {
      extra = hl_json_load_bytes_real (config, config_size_bytes, where, "configuration",
                                       error);
      if (extra == NULL)
        return NULL;
    }
  return hl_tokenizer_new_from_parts (root, extra, where, error);
}

static json_t *
load_config (const char *folder, gboolean *is_good, GError **error)
{
  static const char *const names[] = { "tokenizer_config.json",
                                       "special_tokens_map.json" };
  *is_good = TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);
      if (!g_file_test (path, G_FILE_TEST_EXISTS))
        continue;
      json_t *config = hl_json_load_file_real (path, error);
      *is_good = config != NULL;
      return config;
    }
  return NULL;
}

/* A file beside the configuration counts more than the field in it. */
static gboolean
read_template_file (HlTokenizer *tokenizer, const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "chat_template.jinja", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) cause = NULL;
  gsize length = 0;
  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return TRUE;
  if (!g_file_get_contents (path, &text, &length, &cause))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_IO,
                   "chat_template.jinja: cannot be read: %s", cause->message);
      return FALSE;
    }
  if (!g_utf8_validate (text, (gssize) length, NULL))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "chat_template.jinja: UTF-8 expected, other bytes found");
      return FALSE;
    }
  g_free (tokenizer->chat_template);
  tokenizer->chat_template = g_steal_pointer (&text);
  return TRUE;
}

HlTokenizer *
hl_tokenizer_open (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "tokenizer.json", NULL);
  const char *where = "tokenizer.json";
  gboolean is_good = TRUE;
  g_autoptr (json_t) config = load_config (folder, &is_good, error);
  g_autoptr (json_t) root = NULL;
  if (!is_good)
    return NULL;
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      where = hl_tokenizer_find_files (folder);
      if (where == NULL)
        {
          g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                       "%s: tokenizer.json expected, nothing found there, nor a "
                       "vocabulary of another kind",
                       folder);
          return NULL;
        }
      root = hl_tokenizer_load_files (folder, config, error);
    }
  else
    root = hl_json_load_file (path, error);
  if (root == NULL)
    return NULL;
  g_autoptr (HlTokenizer) tokenizer =
      hl_tokenizer_new_from_parts (root, config, where, error);
  if (tokenizer == NULL || !read_template_file (tokenizer, folder, error))
    return NULL;
  return g_steal_pointer (&tokenizer);
}

/* ---- tokens --------------------------------------------------------------------------
 */

gint32
hl_tokenizer_get_n_ids (HlTokenizer *tokenizer)
{
  return tokenizer->n_ids;
}

gsize
hl_tokenizer_get_n_tokens (HlTokenizer *tokenizer)
{
  return tokenizer->n_tokens;
}

const char *
hl_tokenizer_get_token_raw (HlTokenizer *tokenizer, gint32 id)
{
  const HlAddedToken *added = hl_added_tokens_get (tokenizer->added, id);
  if (added != NULL)
    return added->shown;
  return hl_vocabulary_get (hl_token_model_get_vocabulary (tokenizer->model), id, NULL);
}

GBytes *
hl_tokenizer_get_token_bytes (HlTokenizer *tokenizer, gint32 id)
{
  const char *raw = hl_tokenizer_get_token_raw (tokenizer, id);
  if (raw == NULL)
    return NULL;
  const HlAddedToken *added = hl_added_tokens_get (tokenizer->added, id);
  GString *text = g_string_new (raw);
  /* A pattern that gives up leaves the token as it is written. */
  if (added == NULL || added->is_normalized)
    hl_decoder_run_one (tokenizer->decoder, text, NULL);
  return g_string_free_to_bytes (text);
}

char *
hl_tokenizer_get_token_text (HlTokenizer *tokenizer, gint32 id)
{
  gsize length = 0;
  g_autoptr (GBytes) bytes = hl_tokenizer_get_token_bytes (tokenizer, id);
  if (bytes == NULL)
    return NULL;
  const char *data = g_bytes_get_data (bytes, &length);
  return hl_text_make_visible (data, length);
}

gint32
hl_tokenizer_find (HlTokenizer *tokenizer, const char *raw)
{
  gsize length = strlen (raw);
  const HlAddedToken *added = hl_added_tokens_find (tokenizer->added, raw, length);
  if (added != NULL)
    return added->id;
  return hl_vocabulary_find (hl_token_model_get_vocabulary (tokenizer->model), raw,
                             length);
}

gboolean
hl_tokenizer_is_special (HlTokenizer *tokenizer, gint32 id)
{
  const HlAddedToken *added = hl_added_tokens_get (tokenizer->added, id);
  return added != NULL && added->is_special;
}

const gint32 *
hl_tokenizer_get_specials (HlTokenizer *tokenizer, gsize *n)
{
  *n = tokenizer->specials->len;
  return (const gint32 *) (const void *) tokenizer->specials->data;
}

gint32
hl_tokenizer_get_bos (HlTokenizer *tokenizer)
{
  return tokenizer->bos;
}

gint32
hl_tokenizer_get_eos (HlTokenizer *tokenizer)
{
  return tokenizer->eos;
}

gint32
hl_tokenizer_get_unk (HlTokenizer *tokenizer)
{
  return tokenizer->unk;
}

gint32
hl_tokenizer_get_mask (HlTokenizer *tokenizer)
{
  return tokenizer->mask;
}

gint32
hl_tokenizer_get_pad (HlTokenizer *tokenizer)
{
  return tokenizer->pad;
}

const char *
hl_tokenizer_get_chat_template (HlTokenizer *tokenizer)
{
  return tokenizer->chat_template;
}

/* ---- decoding ------------------------------------------------------------------------
 */

static void
string_free (gpointer data)
{
  g_string_free (data, TRUE);
}

/* The reference library asks by the string: a special token that normalising changes is
 * not left out. */
static gboolean
is_written_special (HlTokenizer *tokenizer, const char *raw)
{
  const HlAddedToken *added = hl_added_tokens_find (tokenizer->added, raw, strlen (raw));
  return added != NULL && added->is_special;
}

char *
hl_tokenizer_decode (HlTokenizer *tokenizer,
                     const gint32 *ids,
                     gsize n_ids,
                     gboolean skip_special,
                     gsize *length,
                     GError **error)
{
  g_autoptr (GPtrArray) tokens = g_ptr_array_new_with_free_func (string_free);
  for (gsize i = 0; i < n_ids; i++)
    {
      const char *raw = hl_tokenizer_get_token_raw (tokenizer, ids[i]);
      if (raw != NULL && !(skip_special && is_written_special (tokenizer, raw)))
        g_ptr_array_add (tokens, g_string_new (raw));
    }
  GString *text = hl_decoder_run (tokenizer->decoder, tokens, error);
  if (text == NULL)
    return NULL;
  if (length != NULL)
    *length = text->len;
  return g_string_free (text, FALSE);
}
