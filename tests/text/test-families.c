/* SPDX-License-Identifier: MIT
 * Tokenizers with the steps of each family's published file: ids, places, segments of one
 * text and of two, and decoded texts as the reference library has them. */
#include "text-fixture.h"

#include <string.h>

static const json_t *fixture;

/* Puts the large parts, which stand in the fixture once, back in their places. */
static json_t *
restore (json_t *value, const char *key)
{
  const json_t *shared = json_object_get (fixture, "shared");
  const char *name;
  json_t *part;
  gsize i;
  if (json_is_integer (value) &&
      (strcmp (key, "model") == 0 || strcmp (key, "precompiled_charsmap") == 0))
    return json_incref (json_array_get (shared, (gsize) json_integer_value (value)));
  json_t *copy = json_copy (value);
  if (json_is_object (value))
    json_object_foreach (value, name, part)
    {
      json_object_set_new (copy, name, restore (part, name));
    }
  else if (json_is_array (value))
    json_array_foreach (value, i, part)
    {
      json_array_set_new (copy, i, restore (part, ""));
    }
  return copy;
}

static void
test_tokenizer (gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const json_t *entry = data, *texts = json_object_get (fixture, "texts");
  const json_t *sweep = json_object_get (entry, "sweep");
  const char *name = json_string_value (json_object_get (entry, "name"));
  json_t *file = restore (json_object_get (entry, "file"), "");
  char *text = json_dumps (file, JSON_COMPACT);
  g_autoptr (HlTokenizer) tokenizer =
      hl_tokenizer_new_from_json (text, strlen (text), NULL, 0, name, &error);
  free (text);
  json_decref (file);
  g_assert_no_error (error);
  guint n =
      text_fixture_compare (tokenizer, name, texts, json_object_get (entry, "expected"));
  n += text_fixture_compare_pairs (tokenizer, name, texts,
                                   json_object_get (entry, "pairs"));
  if (sweep != NULL)
    n +=
        text_fixture_compare (tokenizer, name, json_object_get (fixture, "sweep"), sweep);
  text_fixture_compare_decoded (tokenizer, name, json_object_get (entry, "decoded"));
  g_test_message ("%s: %u encodings compared", name, n);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  json_t *root = text_fixture_load ("families.json.gz");
  const json_t *list = json_object_get (root, "tokenizers");
  fixture = root;
  for (gsize i = 0; i < json_array_size (list); i++)
    {
      const json_t *entry = json_array_get (list, i);
      g_autofree char *path = g_strdup_printf (
          "/text/families/%s", json_string_value (json_object_get (entry, "name")));
      g_test_add_data_func (path, entry, test_tokenizer);
    }
  int status = g_test_run ();
  json_decref (root);
  return status;
}
