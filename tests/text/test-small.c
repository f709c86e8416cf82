/* SPDX-License-Identifier: MIT
 * Tokenizers of our own, one for each step that a tokenizer file may name: ids, places
 * and decoded texts as the reference library has them. */
#include "text-fixture.h"

#include <string.h>

static const json_t *fixture;

static void
test_tokenizer (gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const json_t *entry = data;
  const char *name = json_string_value (json_object_get (entry, "name"));
  json_t *file = json_object_get (entry, "file");
  const json_t *model = json_object_get (file, "model");
  /* The larger models stand in the fixture once. */
  if (json_is_integer (model))
    json_object_set (file, "model",
                     json_array_get (json_object_get (fixture, "models"),
                                     (gsize) json_integer_value (model)));
  char *text = json_dumps (file, JSON_COMPACT);
  g_autoptr (HlTokenizer) tokenizer =
      hl_tokenizer_new_from_json (text, strlen (text), NULL, 0, name, &error);
  free (text);
  g_assert_no_error (error);
  guint n = text_fixture_compare (tokenizer, name, json_object_get (fixture, "texts"),
                                  json_object_get (entry, "expected"));
  text_fixture_compare_decoded (tokenizer, name, json_object_get (entry, "decoded"));
  g_test_message ("%s: %u encodings compared", name, n);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  json_t *root = text_fixture_load ("small.json.gz");
  const json_t *list = json_object_get (root, "tokenizers");
  fixture = root;
  for (gsize i = 0; i < json_array_size (list); i++)
    {
      const json_t *entry = json_array_get (list, i);
      g_autofree char *path = g_strdup_printf (
          "/text/small/%s", json_string_value (json_object_get (entry, "name")));
      g_test_add_data_func (path, entry, test_tokenizer);
    }
  int status = g_test_run ();
  json_decref (root);
  return status;
}
