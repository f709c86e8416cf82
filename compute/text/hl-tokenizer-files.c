/* SPDX-License-Identifier: MIT
 * Tokenizers that come without tokenizer.json. */
#include "text/hl-tokenizer-files.h"

#include "base/hl-error.h"
#include "text/hl-sentencepiece.h"

#include <string.h>

#define END_OF_TEXT "<|endoftext|>"

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

static json_t *
load_bpe (const char *folder,
          const char *name G_GNUC_UNUSED,
          const json_t *config G_GNUC_UNUSED,
          const char *family G_GNUC_UNUSED,
          GError **error)
{
  g_autofree char *path = g_build_filename (folder, "vocab.json", NULL);
  g_autoptr (json_t) vocabulary = hl_json_load_file (path, error);
  if (vocabulary == NULL)
    return NULL;
  g_autoptr (json_t) merges = load_merges (folder, error);
  if (merges == NULL)
    return NULL;
  json_t *added = json_array ();
  const json_t *end = json_object_get (vocabulary, END_OF_TEXT);
  if (json_is_integer (end))
    json_array_append_new (added, json_pack ("{s:I, s:s, s:b, s:b}", "id",
                                             json_integer_value (end), "content",
                                             END_OF_TEXT, "special", 1, "normalized", 0));
  return json_pack ("{s:o, s:{s:s, s:b, s:b}, s:{s:s, s:b, s:b}, s:{s:s},"
                    " s:{s:s, s:O, s:O}}",
                    "added_tokens", added, "pre_tokenizer", "type", "ByteLevel",
                    "add_prefix_space", 0, "trim_offsets", 1, "post_processor", "type",
                    "ByteLevel", "trim_offsets", 0, "add_prefix_space", 1, "decoder",
                    "type", "ByteLevel", "model", "type", "BPE", "vocab", vocabulary,
                    "merges", merges);
}

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
  return rows[row].load (folder, rows[row].files[0], config, family, error);
}
