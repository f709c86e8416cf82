/* SPDX-License-Identifier: MIT
 * Tokenizers that come without tokenizer.json. */
#include "text/hl-tokenizer-files.h"

#include "base/hl-error.h"
#include "text/hl-sentencepiece.h"

#include <string.h>

/* ---- sentencepiece -------------------------------------------------------------------
 */

static HlSentencepiece *
load_model (const char *folder, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) cause = NULL;
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, &cause);
  if (file == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_IO, "%s: cannot be read: %s", name,
                   cause->message);
      return NULL;
    }
  gsize size = g_mapped_file_get_length (file);
  if (size > HL_SENTENCEPIECE_MAX_BYTES)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "%s: at most %" G_GSIZE_FORMAT " bytes expected, %" G_GSIZE_FORMAT
                   " found",
                   name, HL_SENTENCEPIECE_MAX_BYTES, size);
      return NULL;
    }
  return hl_sentencepiece_parse ((const guint8 *) g_mapped_file_get_contents (file), size,
                                 name, error);
}

static json_t *
load_sentencepiece (const char *folder,
                    const char *name,
                    const json_t *config,
                    const char *family,
                    GError **error)
{
  g_autoptr (HlSentencepiece) model = load_model (folder, name, error);
  return model != NULL ? hl_sentencepiece_convert (model, family, config, name, error)
                       : NULL;
}

static json_t *
load_marian (const char *folder,
             const char *name,
             const json_t *config,
             const char *family G_GNUC_UNUSED,
             GError **error)
{
  g_autofree char *path = g_build_filename (folder, "vocab.json", NULL);
  g_autoptr (HlSentencepiece) model = load_model (folder, name, error);
  if (model == NULL)
    return NULL;
  g_autoptr (json_t) vocabulary = hl_json_load_file (path, error);
  if (vocabulary == NULL)
    return NULL;
  return hl_sentencepiece_convert_marian (model, vocabulary, config, name, error);
}

static json_t *
load_bpe (const char *folder,
          const char *name G_GNUC_UNUSED,
          const json_t *config,
          const char *family,
          GError **error)
{
  return hl_tokenizer_load_merges_txt (folder, config, family, error);
}

static json_t *
load_wordpiece (const char *folder,
                const char *name G_GNUC_UNUSED,
                const json_t *config,
                const char *family,
                GError **error)
{
  return hl_tokenizer_load_vocab_txt (folder, config, family, error);
}

/* ---- which files ---------------------------------------------------------------------
 */

/* The first row whose files are all there counts. */
static const struct
{
  const char *where;
  const char *files[2]; /* the second may be NULL */
  json_t *(*load) (const char *folder,
                   const char *name,
                   const json_t *config,
                   const char *family,
                   GError **error);
} rows[] = {
  { "vocab.json and merges.txt", { "vocab.json", "merges.txt" }, load_bpe },
  { "source.spm and vocab.json", { "source.spm", "vocab.json" }, load_marian },
  { "vocab.txt", { "vocab.txt", NULL }, load_wordpiece },
  { "spiece.model", { "spiece.model", NULL }, load_sentencepiece },
  { "sentencepiece.bpe.model", { "sentencepiece.bpe.model", NULL }, load_sentencepiece },
  { "tokenizer.model", { "tokenizer.model", NULL }, load_sentencepiece },
};

static gboolean
has_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static int
find_row (const char *folder)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if (has_file (folder, rows[i].files[0]) &&
        (rows[i].files[1] == NULL || has_file (folder, rows[i].files[1])))
      return (int) i;
  return -1;
}

const char *
hl_tokenizer_find_files (const char *folder)
{
  int row = find_row (folder);
  return row >= 0 ? rows[row].where : NULL;
}

/* "T5TokenizerFast" is "t5"; NULL where nothing says. */
static char *
find_family (const char *folder, const json_t *config)
{
  const char *class = json_string_value (json_object_get (config, "tokenizer_class"));
  const char *end = class != NULL ? strstr (class, "Tokenizer") : NULL;
  /* A class that says nothing about the family. */
  if (end != NULL && end > class && !g_str_has_prefix (class, "PreTrained"))
    {
      g_autofree char *name = g_strndup (class, (gsize) (end - class));
      return g_ascii_strdown (name, -1);
    }
  if (!has_file (folder, "config.json"))
    return NULL;
  g_autofree char *path = g_build_filename (folder, "config.json", NULL);
  g_autoptr (json_t) model = hl_json_load_file_real (path, NULL);
  const char *type = json_string_value (json_object_get (model, "model_type"));
  return type != NULL ? g_ascii_strdown (type, -1) : NULL;
}

gboolean
hl_tokenizer_config_flag (const json_t *config, const char *field, gboolean fallback)
{
  const json_t *value = json_object_get (config, field);
  return json_is_boolean (value) ? json_is_true (value) : fallback;
}

const char *
hl_tokenizer_config_name (const json_t *config, const char *field, const char *fallback)
{
  const json_t *value = json_object_get (config, field);
  if (json_is_object (value))
    value = json_object_get (value, "content");
  return json_is_string (value) ? json_string_value (value) : fallback;
}

/* ---- added tokens --------------------------------------------------------------------
 */

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  json_int_t x = json_integer_value (json_object_get (*(json_t *const *) a, "id"));
  json_int_t y = json_integer_value (json_object_get (*(json_t *const *) b, "id"));
  return (x > y) - (x < y);
}

/* Newer configurations list the added tokens, by id: those count, and are more than the
 * files alone tell. */
static void
add_listed (json_t *root, const json_t *config)
{
  const json_t *listed = json_object_get (config, "added_tokens_decoder");
  json_t *old = json_object_get (root, "added_tokens"), *token;
  g_autoptr (GPtrArray) all =
      g_ptr_array_new_with_free_func ((GDestroyNotify) json_decref);
  const char *key;
  gsize i;
  if (!json_is_object (listed))
    return;
  json_array_foreach (old, i, token)
  {
    g_autofree char *id = g_strdup_printf (
        "%" JSON_INTEGER_FORMAT, json_integer_value (json_object_get (token, "id")));
    if (!json_is_object (json_object_get (listed, id)))
      g_ptr_array_add (all, json_incref (token));
  }
  json_object_foreach ((json_t *) listed, key, token)
  {
    gint64 id = -1;
    if (!json_is_object (token) ||
        !g_ascii_string_to_signed (key, 10, 0, G_MAXINT32, &id, NULL))
      continue;
    json_t *copy = json_copy (token);
    json_object_set_new (copy, "id", json_integer (id));
    g_ptr_array_add (all, copy);
  }
  g_ptr_array_sort (all, compare_ids);
  json_array_clear (old);
  for (guint t = 0; t < all->len; t++)
    json_array_append (old, g_ptr_array_index (all, t));
}

json_t *
hl_tokenizer_load_files (const char *folder, const json_t *config, GError **error)
{
  int row = find_row (folder);
  if (row < 0)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                   "%s: the files of a tokenizer expected, none found", folder);
      return NULL;
    }
  g_autofree char *family = find_family (folder, config);
  json_t *root = rows[row].load (folder, rows[row].files[0], config, family, error);
  if (root != NULL)
    add_listed (root, config);
  return root;
}
