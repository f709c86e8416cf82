/* SPDX-License-Identifier: MIT
 * Tokenizers: what is not compared with the reference library. Places in bytes, NUL, bad
 * UTF-8, groups, visible text, long words, files of the old kind, threads. */
#include "../io/io-test.h"

#include "text/hl-chat.h"
#include "text/hl-regex.h"
#include "text/hl-tokenizer.h"

static HlTokenizer *
tokenizer_new (const char *json, const char *config)
{
  GError *error = NULL;
  HlTokenizer *tokenizer = hl_tokenizer_new_from_json (
      json, strlen (json), config, config != NULL ? strlen (config) : 0, "test.json",
      &error);
  g_assert_no_error (error);
  return tokenizer;
}

/* Letters a to z, two merges, <s> before; a byte-level model or one of characters. */
static HlTokenizer *
letters_new (gboolean is_bytes, gboolean ignores_merges)
{
  g_autoptr (GString) json = g_string_new ("{\"added_tokens\": [{\"id\": 0, \"content\": "
                                           "\"<s>\", \"special\": true}], ");
  g_string_append (json, "\"post_processor\": {\"type\": \"TemplateProcessing\", "
                         "\"single\": [{\"SpecialToken\": {\"id\": \"<s>\"}}, "
                         "{\"Sequence\": {\"id\": \"A\"}}], \"special_tokens\": "
                         "{\"<s>\": {\"ids\": [0]}}}, ");
  if (is_bytes)
    g_string_append (json, "\"pre_tokenizer\": {\"type\": \"ByteLevel\", "
                           "\"add_prefix_space\": false}, \"decoder\": {\"type\": "
                           "\"ByteLevel\"}, ");
  g_string_append_printf (
      json,
      "\"model\": {\"type\": \"BPE\", \"ignore_merges\": %s, "
      "\"vocab\": {\"<s>\": 0, \"ab\": 1, \"abc\": 2, \"bc\": 3, "
      "\"\xc3\xa4\": 4, \"\xc2\xbd\": 5, \"\xc5\x82\": 6, \"\xc4\xa0\": 7",
      ignores_merges ? "true" : "false");
  for (int i = 0; i < 26; i++)
    g_string_append_printf (json, ", \"%c\": %d", 'a' + i, 8 + i);
  g_string_append (json, "}, \"merges\": [\"a b\", \"ab c\"]}}");
  return tokenizer_new (json->str, "{\"bos_token\": \"<s>\", \"eos_token\": null}");
}

static void
assert_ids (HlTokenizer *tokenizer, const char *text, gssize length, const char *expected)
{
  GError *error = NULL;
  const HlEncodeOptions plain = { FALSE, TRUE };
  g_autoptr (HlEncoding) encoding =
      hl_tokenizer_encode (tokenizer, text, length, &plain, &error);
  g_assert_no_error (error);
  g_autoptr (GString) found = g_string_new (NULL);
  for (gsize i = 0; i < encoding->n_tokens; i++)
    g_string_append_printf (found, "%s%d", i > 0 ? " " : "", encoding->tokens[i].id);
  g_assert_cmpstr (found->str, ==, expected);
}

static void
test_getters (void)
{
  gsize n = 0, size = 0;
  g_autoptr (HlTokenizer) t = letters_new (TRUE, FALSE);
  g_assert_cmpint (hl_tokenizer_get_n_ids (t), ==, 34);
  g_assert_cmpuint (hl_tokenizer_get_n_tokens (t), ==, 34);
  g_assert_cmpint (hl_tokenizer_get_bos (t), ==, 0);
  g_assert_cmpint (hl_tokenizer_get_eos (t), ==, -1);
  g_assert_cmpint (hl_tokenizer_get_unk (t), ==, -1);
  g_assert_cmpint (hl_tokenizer_find (t, "abc"), ==, 2);
  g_assert_cmpint (hl_tokenizer_find (t, "abcd"), ==, -1);
  g_assert_true (hl_tokenizer_is_special (t, 0));
  g_assert_false (hl_tokenizer_is_special (t, 1));
  g_assert_false (hl_tokenizer_is_special (t, -1));
  g_assert_cmpint (hl_tokenizer_get_specials (t, &n)[0], ==, 0);
  g_assert_cmpuint (n, ==, 1);
  g_assert_null (hl_tokenizer_get_token_raw (t, 34));
  g_assert_null (hl_tokenizer_get_token_bytes (t, -1));
  g_assert_null (hl_tokenizer_get_token_text (t, G_MAXINT32));
  g_assert_null (hl_tokenizer_get_chat_template (t));
  g_autoptr (GBytes) half = hl_tokenizer_get_token_bytes (t, 4);
  const guint8 *data = g_bytes_get_data (half, &size);
  g_assert_cmpmem (data, size, "\xe4", 1);
  g_autofree char *shown = hl_tokenizer_get_token_text (t, 4);
  g_assert_cmpstr (shown, ==, "\\xE4");
  g_autofree char *space = hl_tokenizer_get_token_text (t, 7);
  g_assert_cmpstr (space, ==, "\xe2\x90\xa3");
}

static void
test_bad_text (void)
{
  GError *error = NULL;
  g_autoptr (HlTokenizer) t = letters_new (FALSE, FALSE);
  static const struct
  {
    const char *text;
    gssize length;
    const char *words;
  } bad[] = {
    { "ab\xff", -1, "byte FF|at byte 2" },        { "\0\0\xc3", 3, "byte C3|at byte 2" },
    { "a\xed\xa0\x80", -1, "byte ED|at byte 1" }, { "\xc0\x80", -1, "byte C0|at byte 0" },
    { "ab\xe4\xbd", -1, "byte E4|at byte 2" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_assert_null (hl_tokenizer_encode (t, bad[i].text, bad[i].length, NULL, &error));
      io_test_assert_error (&error, HL_ERROR_FORMAT, bad[i].words);
    }
  /* A NUL is a character like others; here one without a token, which is left out. */
  assert_ids (t, "a\0c", 3, "8 10");
  assert_ids (t, "a\0b", 3, "1");
  assert_ids (t, "a\0b", -1, "8");
  assert_ids (t, "", 0, "");
}

static void
test_two_bos (void)
{
  GError *error = NULL;
  g_autoptr (HlTokenizer) t = letters_new (FALSE, FALSE);
  g_autoptr (HlEncoding) two = hl_tokenizer_encode (t, "<s>a", -1, NULL, &error);
  g_autoptr (HlEncoding) one = hl_tokenizer_encode (t, "a<s>", -1, NULL, &error);
  g_autoptr (HlEncoding) none =
      hl_tokenizer_encode (t, "<s>a", -1, &(HlEncodeOptions){ FALSE, TRUE }, &error);
  g_assert_no_error (error);
  g_assert_true (two->has_doubled_bos);
  g_assert_cmpuint (two->n_tokens, ==, 3);
  g_assert_true (two->tokens[0].is_around && two->tokens[0].is_special);
  g_assert_true (!two->tokens[1].is_around && two->tokens[1].is_special);
  g_assert_false (one->has_doubled_bos || none->has_doubled_bos);
}

/* A word as long as a book: the same tokens as in pieces, by the list and the heap. */
static void
test_long_word (void)
{
  const gsize n = 3 << 20;
  GError *error = NULL;
  g_autofree char *text = g_malloc (n);
  for (gsize i = 0; i < n; i++)
    text[i] = "abc"[i % 3];
  for (int is_bytes = 0; is_bytes < 2; is_bytes++)
    {
      g_autoptr (HlTokenizer) t = letters_new (is_bytes, FALSE);
      g_autoptr (HlEncoding) all =
          hl_tokenizer_encode (t, text, (gssize) n, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (all->n_tokens, ==, n / 3 + 1);
      for (gsize i = 1; i < all->n_tokens; i++)
        {
          g_assert_cmpint (all->tokens[i].id, ==, 2);
          g_assert_cmpuint (all->tokens[i].start_byte, ==, 3 * (i - 1));
          g_assert_cmpuint (all->tokens[i].end_char, ==, 3 * i);
        }
    }
}

/* "bc" is a token that no merge makes: only as a whole word, and not within a long word,
 * which falls apart where no merge joins, into the same letters. */
static void
test_whole_words (void)
{
  g_autoptr (HlTokenizer) bytes = letters_new (TRUE, TRUE);
  g_autoptr (GString) text = g_string_new ("bc\n");
  g_autoptr (GString) expected = g_string_new ("3");
  for (int i = 0; i < 40; i++)
    {
      g_string_append (text, "bcd");
      g_string_append (expected, " 9 10 11");
    }
  g_string_append (text, "\nbc");
  g_string_append (expected, " 3");
  assert_ids (bytes, text->str, -1, expected->str);
  assert_ids (bytes, "abcd", -1, "2 11");
}

static void
test_groups (void)
{
  GError *error = NULL;
  gsize n = 0;
  /* U+4F60 is e4 bd a0, here ä ½ Ġ in tokens of one byte; U+0142 ł is byte a0. */
  g_autoptr (HlTokenizer) t = letters_new (TRUE, FALSE);
  g_autoptr (HlEncoding) encoding =
      hl_tokenizer_encode (t, "ab\xe4\xbd\xa0z", -1, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (encoding->n_tokens, ==, 6);
  for (int i = 2; i < 5; i++)
    {
      g_assert_cmpuint (encoding->tokens[i].start_char, ==, 2);
      g_assert_cmpuint (encoding->tokens[i].end_char, ==, 3);
      g_assert_cmpuint (encoding->tokens[i].end_byte, ==, 5);
    }
  g_autofree HlTokenGroup *groups = hl_encoding_get_groups (encoding, t, &n);
  g_assert_cmpuint (n, ==, 4);
  g_assert_cmpuint (groups[2].first, ==, 2);
  g_assert_cmpuint (groups[2].n_tokens, ==, 3);
  g_assert_cmpuint (groups[3].first, ==, 5);
}

static void
test_visible (void)
{
  static const struct
  {
    const char *bytes;
    gsize length;
    const char *shown;
  } all[] = {
    { " a\tb\n", 5,
      "\xe2\x90\xa3"
      "a\xe2\x87\xa5"
      "b\xe2\x86\xb5" },
    { "\r\x1b[31m\x00", 7, "\\r\\x1B[31m\\x00" },
    { "\xe4\xbd", 2, "\\xE4\\xBD" },
    { "a\xff\xc3\xa9", 4, "a\\xFF\xc3\xa9" },
    { "\xcc\x81", 2, "\xe2\x97\x8c\xcc\x81" },
    { "e\xcc\x81", 3, "e\xcc\x81" },
    { "\xc2\xa0\xe2\x80\xae", 5, "\\u00A0\\u202E" },
    { "\xf3\xa0\x81\xa7", 4, "\\U000E0067" },
    { "", 0, "" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    {
      g_autofree char *shown = hl_text_make_visible (all[i].bytes, all[i].length);
      g_assert_cmpstr (shown, ==, all[i].shown);
    }
}

static void
test_translation (void)
{
  static const char *const pairs[][2] = {
    { "(?i:'s)|a{,3}\\h\\v", "(?i:'s)|a{0,3}[0-9a-fA-F]\\x0b" },
    { "\\p{Han}\\P{L}\\p{^Lu}", "\\p{sc:Han}\\P{L}\\P{Lu}" },
    { "\\p{Decimal_Number}{x}", "\\p{Nd}\\{x}" },
    { "[^\\S\\n]\\u00e4", "[^\\S\\x{180e}\\n]\\x{00e4}" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autofree char *found = hl_regex_translate (pairs[i][0], "test", NULL);
      g_assert_cmpstr (found, ==, pairs[i][1]);
    }
}

static void
test_files (void)
{
  GError *error = NULL;
  char *folder = io_test_folder ();
  g_autofree char *vocabulary =
      io_test_write_text (folder, "vocab.json",
                          "{\"a\": 0, \"b\": 1, \"\xc4\xa0"
                          "a\": 2, \"\xc4\xa0\": 3, \"<|endoftext|>\": 4}");
  g_assert_null (hl_tokenizer_open (folder, &error));
  io_test_assert_error (&error, HL_ERROR_MISSING, "tokenizer.json");
  g_autofree char *merges =
      io_test_write_text (folder, "merges.txt", "#version: 0.2\r\n\xc4\xa0 a\r\n");
  g_autofree char *config = io_test_write_text (
      folder, "tokenizer_config.json",
      "{\"eos_token\": {\"content\": \"<|endoftext|>\"}, \"model_max_length\": "
      "1000000000000000019884624838656, \"chat_template\": [{\"name\": \"tool_use\", "
      "\"template\": \"x\"}, {\"name\": \"default\", \"template\": \"<|im_start|>\"}]}");
  g_autoptr (HlTokenizer) t = hl_tokenizer_open (folder, &error);
  g_assert_no_error (error);
  assert_ids (t, "b a<|endoftext|>a", -1, "1 2 4 0");
  g_assert_cmpint (hl_tokenizer_get_eos (t), ==, 4);
  g_assert_cmpstr (hl_tokenizer_get_chat_template (t), ==, "<|im_start|>");
  g_autofree char *jinja = io_test_write_text (folder, "chat_template.jinja", "[INST]");
  g_autoptr (HlTokenizer) again = hl_tokenizer_open (folder, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (hl_tokenizer_get_chat_template (again), ==, "[INST]");
  g_autofree char *broken = io_test_write_text (folder, "merges.txt", "a c\n");
  g_assert_null (hl_tokenizer_open (folder, &error));
  io_test_assert_error (&error, HL_ERROR_FORMAT, "merges.txt|merge 0|\"c\"");
  io_test_remove (folder);
}

static gpointer
encode_worker (gpointer data)
{
  HlTokenizer *t = data;
  for (int i = 0; i < 200; i++)
    assert_ids (t, "abcd abc ab a abcabc", -1, "2 11 7 2 7 1 7 8 7 2 2");
  hl_tokenizer_unref (t);
  return NULL;
}

static void
test_threads (void)
{
  g_autoptr (HlTokenizer) t = letters_new (TRUE, FALSE);
  GThread *threads[4];
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("encode", encode_worker, hl_tokenizer_ref (t));
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/text/tokenizer/getters", test_getters);
  g_test_add_func ("/text/tokenizer/bad-text", test_bad_text);
  g_test_add_func ("/text/tokenizer/two-bos", test_two_bos);
  g_test_add_func ("/text/tokenizer/long-word", test_long_word);
  g_test_add_func ("/text/tokenizer/whole-words", test_whole_words);
  g_test_add_func ("/text/tokenizer/groups", test_groups);
  g_test_add_func ("/text/tokenizer/visible", test_visible);
  g_test_add_func ("/text/tokenizer/translation", test_translation);
  g_test_add_func ("/text/tokenizer/files", test_files);
  g_test_add_func ("/text/tokenizer/threads", test_threads);
  return g_test_run ();
}
