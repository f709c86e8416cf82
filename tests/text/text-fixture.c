/* SPDX-License-Identifier: MIT
 * Fixtures of the tests of tokenizers: reading, and comparing. */
#include "text-fixture.h"

#include <gio/gio.h>
#include <string.h>

json_t *
text_fixture_load (const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "text", name, NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GFileInputStream) raw = g_file_read (file, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GZlibDecompressor) unpacker =
      g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP);
  g_autoptr (GInputStream) in =
      g_converter_input_stream_new (G_INPUT_STREAM (raw), G_CONVERTER (unpacker));
  g_autoptr (GByteArray) all = g_byte_array_new ();
  guint8 block[65536];
  gssize n;
  while ((n = g_input_stream_read (in, block, sizeof block, NULL, &error)) > 0)
    g_byte_array_append (all, block, (guint) n);
  g_assert_no_error (error);
  json_error_t problem;
  json_t *root =
      json_loadb ((const char *) all->data, all->len, JSON_ALLOW_NUL, &problem);
  if (root == NULL)
    g_error ("%s: %s", name, problem.text);
  return root;
}

/* What is shown of a text in a message. */
static char *
show (const json_t *text)
{
  return hl_text_make_visible (json_string_value (text), json_string_length (text));
}

static char *
show_encoding (const HlEncoding *encoding)
{
  GString *out = g_string_new (NULL);
  for (gsize i = 0; i < encoding->n_tokens; i++)
    g_string_append_printf (out, " %d[%u,%u)", encoding->tokens[i].id,
                            encoding->tokens[i].start_char, encoding->tokens[i].end_char);
  return g_string_free (out, FALSE);
}

/* Bytes and characters of a place must be the same place. */
static void
check_bytes (const HlTextToken *token, const json_t *text)
{
  const char *s = json_string_value (text);
  gsize length = json_string_length (text);
  g_assert_cmpuint (token->start_byte, <=, token->end_byte);
  g_assert_cmpuint (token->end_byte, <=, length);
  guint32 n[2] = { 0, 0 };
  for (gsize i = 0; i < token->end_byte; i++)
    if (((guint8) s[i] & 0xc0) != 0x80)
      {
        n[0] += i < token->start_byte;
        n[1]++;
      }
  g_assert_cmpuint (n[0], ==, token->start_char);
  g_assert_cmpuint (n[1], ==, token->end_char);
}

static void
compare_tokens (HlTokenizer *tokenizer,
                const char *name,
                const json_t *text,
                const json_t *expected,
                const HlEncoding *found)
{
  const json_t *ids = json_array_get (expected, 1),
               *places = json_array_get (expected, 2);
  gsize n = json_array_size (ids);
  gboolean is_same = n == found->n_tokens;
  json_int_t last = 0;
  g_autoptr (GString) wanted = g_string_new (NULL);
  for (gsize i = 0; i < n; i++)
    {
      json_int_t id = json_integer_value (json_array_get (ids, i));
      json_int_t start = last + json_integer_value (json_array_get (places, 2 * i));
      json_int_t end = start + json_integer_value (json_array_get (places, 2 * i + 1));
      last = end;
      g_string_append_printf (wanted, " %d[%d,%d)", (int) id, (int) start, (int) end);
      is_same = is_same && found->tokens[i].id == id &&
                found->tokens[i].start_char == start && found->tokens[i].end_char == end;
    }
  if (!is_same)
    {
      g_autofree char *shown = show (text), *tokens = show_encoding (found);
      g_error ("%s: \"%s\", options %d:\n expected %s\n found    %s", name, shown,
               (int) json_integer_value (json_array_get (expected, 0)), wanted->str,
               tokens);
    }
  for (gsize i = 0; i < n; i++)
    check_bytes (&found->tokens[i], text);
}

static void
compare_decoded (HlTokenizer *tokenizer,
                 const char *name,
                 const gint32 *ids,
                 gsize n_ids,
                 gboolean skip_special,
                 const json_t *expected)
{
  g_autoptr (GError) error = NULL;
  gsize length = 0;
  g_autofree char *text =
      hl_tokenizer_decode (tokenizer, ids, n_ids, skip_special, &length, &error);
  g_assert_no_error (error);
  if (length != json_string_length (expected) ||
      memcmp (text, json_string_value (expected), length) != 0)
    {
      g_autofree char *wanted = show (expected);
      g_autofree char *found = hl_text_make_visible (text, length);
      g_error ("%s: decoded%s:\n expected \"%s\"\n found    \"%s\"", name,
               skip_special ? " without special tokens" : "", wanted, found);
    }
}

void
text_fixture_compare_decoded (HlTokenizer *tokenizer,
                              const char *name,
                              const json_t *expected)
{
  g_assert_cmpuint (json_array_size (expected), >, 0);
  for (gsize i = 0; i < json_array_size (expected); i++)
    {
      const json_t *entry = json_array_get (expected, i);
      const json_t *list = json_array_get (entry, 0);
      gsize n = json_array_size (list);
      g_autofree gint32 *ids = g_new (gint32, n + 1);
      for (gsize t = 0; t < n; t++)
        ids[t] = (gint32) json_integer_value (json_array_get (list, t));
      compare_decoded (tokenizer, name, ids, n, FALSE, json_array_get (entry, 1));
      compare_decoded (tokenizer, name, ids, n, TRUE, json_array_get (entry, 2));
    }
}

static void
compare_case (HlTokenizer *tokenizer,
              const char *name,
              const json_t *text,
              const json_t *expected)
{
  g_autoptr (GError) error = NULL;
  json_int_t bits = json_integer_value (json_array_get (expected, 0));
  HlEncodeOptions options = { .add_special = (bits & 1) != 0,
                              .parse_special = (bits & 2) != 0 };
  g_autoptr (HlEncoding) found =
      hl_tokenizer_encode (tokenizer, json_string_value (text),
                           (gssize) json_string_length (text), &options, &error);
  g_assert_no_error (error);
  compare_tokens (tokenizer, name, text, expected, found);
  const json_t *whole = json_array_get (expected, 3);
  const json_t *plain = json_array_get (expected, 4);
  if (!json_is_string (whole))
    whole = text;
  if (!json_is_string (plain))
    plain = whole;
  g_autofree gint32 *ids = g_new (gint32, found->n_tokens + 1);
  for (gsize i = 0; i < found->n_tokens; i++)
    ids[i] = found->tokens[i].id;
  compare_decoded (tokenizer, name, ids, found->n_tokens, FALSE, whole);
  compare_decoded (tokenizer, name, ids, found->n_tokens, TRUE, plain);
}

guint
text_fixture_compare (HlTokenizer *tokenizer,
                      const char *name,
                      const json_t *texts,
                      const json_t *expected)
{
  guint n = 0;
  g_assert_cmpuint (json_array_size (texts), ==, json_array_size (expected));
  for (gsize i = 0; i < json_array_size (texts); i++)
    {
      const json_t *cases = json_array_get (expected, i);
      if (json_is_integer (cases))
        continue; /* Not asked of this tokenizer. */
      g_assert_cmpuint (json_array_size (cases), >, 0);
      for (gsize c = 0; c < json_array_size (cases); c++, n++)
        compare_case (tokenizer, name, json_array_get (texts, i),
                      json_array_get (cases, c));
    }
  return n;
}

/* ---- pairs ---------------------------------------------------------------------------
 */

static json_int_t
number_at (const json_t *list, gsize i)
{
  return json_integer_value (json_array_get (list, i));
}

/* Stops at the first token that differs, with both. */
static void
compare_pair (const char *name,
              const json_t *entry,
              const json_t *expected,
              const HlEncoding *found)
{
  const json_t *ids = json_array_get (expected, 1),
               *places = json_array_get (expected, 4);
  json_int_t last = 0;
  g_assert_cmpuint (found->n_tokens, ==, json_array_size (ids));
  for (gsize i = 0; i < found->n_tokens; i++)
    {
      const HlTextToken *token = &found->tokens[i];
      json_int_t start = last + number_at (places, 2 * i);
      json_int_t end = start + number_at (places, 2 * i + 1);
      json_int_t segment = number_at (json_array_get (expected, 2), i);
      json_int_t sequence = number_at (json_array_get (expected, 3), i);
      last = end;
      if (token->id != number_at (ids, i) || token->segment != segment ||
          token->sequence != sequence || !token->is_around != (sequence >= 0) ||
          token->start_char != start || token->end_char != end)
        g_error ("%s: texts %d and %d, token %d:\n"
                 " expected %d[%d,%d) of segment %d, text %d\n"
                 " found    %d[%u,%u) of segment %d, text %d",
                 name, (int) number_at (entry, 0), (int) number_at (entry, 1), (int) i,
                 (int) number_at (ids, i), (int) start, (int) end, (int) segment,
                 (int) sequence, token->id, token->start_char, token->end_char,
                 token->segment, token->sequence);
    }
}

guint
text_fixture_compare_pairs (HlTokenizer *tokenizer,
                            const char *name,
                            const json_t *texts,
                            const json_t *expected)
{
  guint n = 0;
  for (gsize i = 0; i < json_array_size (expected); i++)
    {
      const json_t *entry = json_array_get (expected, i),
                   *cases = json_array_get (entry, 2);
      const json_t *a = json_array_get (texts, (gsize) number_at (entry, 0));
      const json_t *b = number_at (entry, 1) >= 0
                            ? json_array_get (texts, (gsize) number_at (entry, 1))
                            : NULL;
      for (gsize c = 0; c < json_array_size (cases); c++, n++)
        {
          g_autoptr (GError) error = NULL;
          const json_t *wanted = json_array_get (cases, c);
          const HlEncodeOptions options = { number_at (wanted, 0) != 0, TRUE };
          gssize length = (gssize) json_string_length (a);
          g_autoptr (HlEncoding) found =
              b == NULL ? hl_tokenizer_encode (tokenizer, json_string_value (a), length,
                                               &options, &error)
                        : hl_tokenizer_encode_pair (tokenizer, json_string_value (a),
                                                    length, json_string_value (b),
                                                    (gssize) json_string_length (b),
                                                    &options, &error);
          g_assert_no_error (error);
          compare_pair (name, entry, wanted, found);
        }
    }
  return n;
}
