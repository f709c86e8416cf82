/* SPDX-License-Identifier: MIT
 * JSON files and fields: what is read, and what is said of a bad one. */
#include "io/hl-json.h"
#include "io-test.h"

#define WHERE "config.json"

static json_t *
parse (const char *text)
{
  GError *error = NULL;
  json_t *root = hl_json_load_bytes (text, strlen (text), WHERE, NULL, &error);
  g_assert_no_error (error);
  return root;
}

static void
test_fields (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) root =
      parse ("{\"a\": 7, \"b\": 2.5, \"c\": true, \"d\": \"gelu\", \"e\": null,"
             " \"f\": 8.0, \"g\": [0.5, 1, 2]}");
  gint64 i = 0;
  double d = 0, many[4] = { 0 };
  gboolean b = FALSE;
  const char *s = NULL;
  int n = 0;
  g_assert_true (hl_json_get_int (root, "a", TRUE, 0, 0, 9, WHERE, &i, &error));
  g_assert_cmpint (i, ==, 7);
  g_assert_true (hl_json_get_int (root, "f", TRUE, 0, 0, 9, WHERE, &i, &error));
  g_assert_cmpint (i, ==, 8);
  g_assert_true (hl_json_get_int (root, "e", FALSE, -3, 0, 9, WHERE, &i, &error));
  g_assert_cmpint (i, ==, -3);
  g_assert_true (hl_json_get_double (root, "b", TRUE, 0, 0, 9, WHERE, &d, &error));
  g_assert_cmpfloat (d, ==, 2.5);
  g_assert_true (hl_json_get_double (root, "a", TRUE, 0, 0, 9, WHERE, &d, &error));
  g_assert_cmpfloat (d, ==, 7);
  g_assert_true (hl_json_get_bool (root, "c", TRUE, FALSE, WHERE, &b, &error));
  g_assert_true (b);
  g_assert_true (hl_json_get_string (root, "d", TRUE, NULL, WHERE, &s, &error));
  g_assert_cmpstr (s, ==, "gelu");
  g_assert_true (hl_json_get_string (root, "x", FALSE, "relu", WHERE, &s, &error));
  g_assert_cmpstr (s, ==, "relu");
  g_assert_true (hl_json_get_doubles (root, "g", TRUE, 4, WHERE, many, &n, &error));
  g_assert_cmpint (n, ==, 3);
  g_assert_cmpfloat (many[2], ==, 2);
  g_assert_true (hl_json_get_doubles (root, "b", TRUE, 4, WHERE, many, &n, &error));
  g_assert_cmpint (n, ==, 1);
}

static void
test_pairs (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) root = parse ("{\"a\": 224, \"b\": [224, 160],"
                                   " \"c\": {\"width\": 3, \"height\": 5},"
                                   " \"d\": [1, 2, 3], \"e\": [5, 900], \"f\": {}}");
  gint64 pair[2] = { 0, 0 };
  g_assert_true (hl_json_get_pair (root, "a", TRUE, 0, 1, 500, WHERE, pair, &error));
  g_assert_true (pair[0] == 224 && pair[1] == 224);
  g_assert_true (hl_json_get_pair (root, "b", TRUE, 0, 1, 500, WHERE, pair, &error));
  g_assert_true (pair[0] == 224 && pair[1] == 160);
  g_assert_true (hl_json_get_pair (root, "c", TRUE, 0, 1, 500, WHERE, pair, &error));
  g_assert_true (pair[0] == 5 && pair[1] == 3);
  g_assert_true (hl_json_get_pair (root, "x", FALSE, 16, 1, 500, WHERE, pair, &error));
  g_assert_true (pair[0] == 16 && pair[1] == 16);
  g_assert_false (hl_json_get_pair (root, "d", TRUE, 0, 1, 500, WHERE, pair, &error));
  io_test_assert_error (&error, HL_ERROR_FORMAT,
                        "field \"d\"|[height, width]|found|[1, 2, 3]");
  g_assert_false (hl_json_get_pair (root, "e", TRUE, 0, 1, 500, WHERE, pair, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "between 1 and 500|[5, 900] found");
  g_assert_false (hl_json_get_pair (root, "f", TRUE, 0, 1, 500, WHERE, pair, &error));
  io_test_assert_error (&error, HL_ERROR_FORMAT, "an object found");
  g_assert_true (pair[0] == 16 && pair[1] == 16);
}

static void
test_bad_fields (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) root = parse (
      "{\"hidden_size\": \"abc\", \"zero\": 0, \"half\": 0.5, \"list\": [1, \"x\"],"
      " \"long\": \"0123456789012345678901234567890123456789012345678901234567\"}");
  gint64 i = 42;
  double d = 42, many[2];
  gboolean b = 42;
  const char *s = NULL;
  int n = 42;
  g_assert_false (
      hl_json_get_int (root, "hidden_size", TRUE, 0, 1, 1048576, WHERE, &i, &error));
  g_assert_cmpstr (error->message, ==,
                   "config.json: field \"hidden_size\": integer between 1 and 1048576 "
                   "expected, \"abc\" found");
  io_test_assert_error (&error, HL_ERROR_FORMAT, "");
  g_assert_false (hl_json_get_int (root, "gone", TRUE, 0, 1, 9, WHERE, &i, &error));
  io_test_assert_error (&error, HL_ERROR_MISSING, "config.json|\"gone\"|nothing found");
  g_assert_false (hl_json_get_int (root, "zero", TRUE, 0, 1, 9, WHERE, &i, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "between 1 and 9 expected, 0 found");
  g_assert_false (hl_json_get_int (root, "half", FALSE, 0, 0, 9, WHERE, &i, &error));
  io_test_assert_error (&error, HL_ERROR_FORMAT, "expected, 0.5 found");
  g_assert_false (hl_json_get_double (root, "half", TRUE, 0, 1, 2.5, WHERE, &d, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "between 1 and 2.5 expected, 0.5 found");
  g_assert_false (hl_json_get_bool (root, "zero", TRUE, FALSE, WHERE, &b, &error));
  io_test_assert_error (&error, HL_ERROR_FORMAT, "true or false expected, 0 found");
  g_assert_false (hl_json_get_string (root, "zero", TRUE, NULL, WHERE, &s, &error));
  io_test_assert_error (&error, HL_ERROR_FORMAT, "text in quotes expected, 0 found");
  g_assert_false (hl_json_get_doubles (root, "list", TRUE, 2, WHERE, many, &n, &error));
  io_test_assert_error (&error, HL_ERROR_FORMAT, "1 to 2 numbers|[1, \"x\"] found");
  g_assert_false (hl_json_get_int (root, "long", TRUE, 0, 1, 9, WHERE, &i, &error));
  io_test_assert_error (&error, HL_ERROR_FORMAT, "\"01234567|678... found");
  g_assert_true (i == 42 && d == 42 && b == 42 && s == NULL && n == 42);
}

static void
check_bad_text (const char *text, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (hl_json_load_bytes (text, strlen (text), WHERE, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_FORMAT, words);
}

static void
test_bad_text (void)
{
  check_bad_text ("", "config.json: JSON expected, line 1 column");
  check_bad_text ("{\n\"a\": 1,\n\"b\": }", "config.json|line 3 column 6|found");
  check_bad_text ("[1, 2]", "a JSON object expected, [1, 2] found");
  check_bad_text ("{\"a\": 1, \"a\": 2}", "duplicate|\"a\"");
  check_bad_text ("{\"a\": 1e999}", "config.json|real number overflow");
  check_bad_text ("{\"a\": 99999999999999999999}", "too big");
  check_bad_text ("{\"a\": \"\xff\"}", "config.json|unable to decode byte 0xff");
  check_bad_text ("{} x", "config.json|line 1");
}

static void
test_deep (void)
{
  GString *text = g_string_new ("{\"a\": ");
  for (int i = 0; i < 100000; i++)
    g_string_append_c (text, '[');
  check_bad_text (text->str, "config.json|at most 64 levels of brackets|found");
  g_string_free (text, TRUE);
  /* Brackets inside strings are no nesting, quotes behind a backslash no end. */
  text = g_string_new ("{\"a\": \"\\\"");
  for (int i = 0; i < 1000; i++)
    g_string_append (text, "[{");
  g_string_append (text, "\"}");
  g_autoptr (json_t) root = parse (text->str);
  g_assert_nonnull (root);
  g_string_free (text, TRUE);
}

static void
test_files (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = io_test_folder ();
  g_autofree char *good = io_test_write_text (folder, "good.json", "{\"a\": 1}");
  g_autofree char *gone = g_build_filename (folder, "gone.json", NULL);
  g_autoptr (json_t) root = hl_json_load_file (good, &error);
  g_assert_no_error (error);
  g_assert_nonnull (root);
  g_assert_null (hl_json_load_file (gone, &error));
  io_test_assert_error (&error, HL_ERROR_MISSING, "gone.json|expected");
  g_assert_null (hl_json_load_file (folder, &error));
  io_test_assert_error (&error, HL_ERROR_IO, "a file expected, a folder found");
  g_autofree char *large = io_test_write_text (folder, "large.json", "{}");
  g_assert_cmpint (truncate (large, (off_t) HL_JSON_MAX_BYTES + 1), ==, 0);
  g_assert_null (hl_json_load_file (large, &error));
  io_test_assert_error (&error, HL_ERROR_FORMAT, "large.json: at most|67108865 found");
  io_test_remove (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/fields", test_fields);
  g_test_add_func ("/json/pairs", test_pairs);
  g_test_add_func ("/json/bad-fields", test_bad_fields);
  g_test_add_func ("/json/bad-text", test_bad_text);
  g_test_add_func ("/json/deep", test_deep);
  g_test_add_func ("/json/files", test_files);
  return g_test_run ();
}
