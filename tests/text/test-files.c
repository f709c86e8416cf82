/* SPDX-License-Identifier: MIT
 * Tokenizers without tokenizer.json: the files are written into a folder and read from
 * there; what comes out is what the reference libraries make of them. */
#include "text-fixture.h"

#include "../io/io-test.h"

#include <string.h>

static const json_t *fixture;

/* {"text": ...} or {"shared": number of one in base64} */
static void
write_file (const char *folder, const char *name, const json_t *value)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  const json_t *text = json_object_get (value, "text");
  gsize size = json_string_length (text);
  g_autofree guchar *data = NULL;
  if (text == NULL)
    data = g_base64_decode (
        json_string_value (json_array_get (
            json_object_get (fixture, "shared"),
            (gsize) json_integer_value (json_object_get (value, "shared")))),
        &size);
  g_file_set_contents (path,
                       text != NULL ? json_string_value (text) : (const char *) data,
                       (gssize) size, &error);
  g_assert_no_error (error);
}

/* Ids alone: of a library that knows no places. */
static guint
compare_ids (HlTokenizer *tokenizer,
             const char *name,
             const json_t *list,
             const HlEncodeOptions *options)
{
  for (gsize i = 0; i < json_array_size (list); i++)
    {
      g_autoptr (GError) error = NULL;
      const json_t *text = json_array_get (json_array_get (list, i), 0);
      const json_t *ids = json_array_get (json_array_get (list, i), 1);
      g_autoptr (HlEncoding) found =
          hl_tokenizer_encode (tokenizer, json_string_value (text),
                               (gssize) json_string_length (text), options, &error);
      g_assert_no_error (error);
      gboolean is_same = found->n_tokens == json_array_size (ids);
      for (gsize t = 0; is_same && t < found->n_tokens; t++)
        is_same = found->tokens[t].id == json_integer_value (json_array_get (ids, t));
      if (is_same)
        continue;
      g_autofree char *shown =
          hl_text_make_visible (json_string_value (text), json_string_length (text));
      g_autofree char *wanted = json_dumps (ids, JSON_COMPACT);
      g_autoptr (GString) own = g_string_new (NULL);
      for (gsize t = 0; t < found->n_tokens; t++)
        g_string_append_printf (own, ",%d", found->tokens[t].id);
      g_error ("%s: \"%s\":\n expected %s\n found     %s", name, shown, wanted, own->str);
    }
  return (guint) json_array_size (list);
}

/* Strings of the vocabulary and their ids, both ways; -1: there is no such string. */
static void
check_named (HlTokenizer *tokenizer, const json_t *named)
{
  const char *text;
  json_t *value;
  json_object_foreach ((json_t *) named, text, value)
  {
    gint32 id = (gint32) json_integer_value (value);
    g_assert_cmpint (hl_tokenizer_find (tokenizer, text), ==, id);
    if (id >= 0)
      g_assert_cmpstr (hl_tokenizer_get_token_raw (tokenizer, id), ==, text);
  }
}

static void
test_folder (gconstpointer data)
{
  GError *error = NULL;
  const json_t *entry = data, *texts = json_object_get (fixture, "texts");
  const json_t *ids = json_object_get (entry, "ids");
  const char *name = json_string_value (json_object_get (entry, "name")), *file;
  json_t *value;
  char *folder = io_test_folder ();
  guint n = 0;
  json_object_foreach (json_object_get (entry, "files"), file, value)
  {
    write_file (folder, file, value);
  }
  g_autoptr (HlTokenizer) tokenizer = hl_tokenizer_open (folder, &error);
  g_assert_no_error (error);
  io_test_remove (folder);
  if (ids != NULL)
    {
      const HlEncodeOptions raw = { FALSE, FALSE };
      n = compare_ids (tokenizer, name, ids, NULL);
      n += compare_ids (tokenizer, name, json_object_get (entry, "raw"), &raw);
    }
  else
    {
      n = text_fixture_compare (tokenizer, name, texts,
                                json_object_get (entry, "expected"));
      n += text_fixture_compare_pairs (tokenizer, name, texts,
                                       json_object_get (entry, "pairs"));
      text_fixture_compare_decoded (tokenizer, name, json_object_get (entry, "decoded"));
    }
  check_named (tokenizer, json_object_get (entry, "named"));
  g_assert_cmpuint (n, >=, 300);
  g_test_message ("%s: %u encodings compared", name, n);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  json_t *root = text_fixture_load ("files.json.gz");
  const json_t *list = json_object_get (root, "folders");
  fixture = root;
  for (gsize i = 0; i < json_array_size (list); i++)
    {
      const json_t *entry = json_array_get (list, i);
      g_autofree char *path = g_strdup_printf (
          "/text/files/%s", json_string_value (json_object_get (entry, "name")));
      g_test_add_data_func (path, entry, test_folder);
    }
  int status = g_test_run ();
  json_decref (root);
  return status;
}
