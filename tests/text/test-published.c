/* SPDX-License-Identifier: MIT
 * Published tokenizers: ids, places and decoded texts as the reference library has them.
 * The files are looked for in $HEADLIGHT_TEST_DATA/tokenizers. */
#include "text-fixture.h"

static const json_t *fixture;

static void
test_tokenizer (gconstpointer data)
{
  const char *name = data, *folder = g_getenv ("HEADLIGHT_TEST_DATA");
  g_autoptr (GError) error = NULL;
  if (folder == NULL)
    {
      g_test_skip ("HEADLIGHT_TEST_DATA is not set: no published tokenizers");
      return;
    }
  g_autofree char *path = g_build_filename (folder, "tokenizers", name, NULL);
  g_autofree char *file = g_build_filename (path, "tokenizer.json", NULL);
  if (!g_file_test (file, G_FILE_TEST_EXISTS))
    {
      g_autofree char *why = g_strdup_printf ("no tokenizers/%s/tokenizer.json", name);
      g_test_skip (why);
      return;
    }
  g_autoptr (HlTokenizer) tokenizer = hl_tokenizer_open (path, &error);
  g_assert_no_error (error);
  guint n = text_fixture_compare (
      tokenizer, name, json_object_get (fixture, "texts"),
      json_object_get (json_object_get (fixture, "expected"), name));
  g_assert_cmpuint (n, >=, 2000);
  text_fixture_compare_decoded (
      tokenizer, name, json_object_get (json_object_get (fixture, "decoded"), name));
  g_test_message ("%s: %u encodings compared", name, n);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  json_t *root = text_fixture_load ("published.json.gz");
  fixture = root;
  const char *name;
  json_t *value;
  json_object_foreach (json_object_get (root, "expected"), name, value)
  {
    g_autofree char *path = g_strdup_printf ("/text/published/%s", name);
    g_test_add_data_func (path, name, test_tokenizer);
  }
  int status = g_test_run ();
  json_decref (root);
  return status;
}
