/* SPDX-License-Identifier: MIT
 * Tokenizers that come as vocab.json and merges.txt. */
#include "text/hl-tokenizer-files.h"

#include "base/hl-error.h"

#include <string.h>

#define END_OF_TEXT "<|endoftext|>"

gboolean
hl_tokenizer_has_vocabulary_files (const char *folder)
{
  g_autofree char *vocabulary = g_build_filename (folder, "vocab.json", NULL);
  g_autofree char *merges = g_build_filename (folder, "merges.txt", NULL);
  return g_file_test (vocabulary, G_FILE_TEST_EXISTS) &&
         g_file_test (merges, G_FILE_TEST_EXISTS);
}

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

json_t *
hl_tokenizer_load_vocabulary_files (const char *folder, GError **error)
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
