/* SPDX-License-Identifier: MIT
 * Tokenizer files that are broken or meant to do harm: each is refused with a message
 * that says where and what. */
#include "../io/io-test.h"

#include "text/hl-tokenizer.h"

/* The default parts of a file, and one that a test puts instead or beside. */
#define VOCAB "\"vocab\": {\"a\": 0, \"b\": 1, \"ab\": 2}"
#define MERGES "\"merges\": [\"a b\"]"
#define MODEL "\"model\": {\"type\": \"BPE\", " VOCAB ", " MERGES "}"
#define WITH_MODEL(fields) "{\"model\": {\"type\": \"BPE\", " fields "}}"
#define UNIGRAM(list) "{\"model\": {\"type\": \"Unigram\", \"vocab\": " list "}}"
#define WITH(fields) "{" fields ", " MODEL "}"
#define ADDED(list) WITH ("\"added_tokens\": [" list "]")
#define SPLIT(pattern)                                                                   \
  WITH ("\"pre_tokenizer\": {\"type\": \"Split\", \"behavior\": \"Isolated\", "          \
        "\"pattern\": {\"Regex\": \"" pattern "\"}}")
#define CHARSMAP(text)                                                                   \
  WITH ("\"normalizer\": {\"type\": \"Precompiled\", \"precompiled_charsmap\": \"" text  \
        "\"}")
#define REPLACE(pattern)                                                                 \
  WITH ("\"normalizer\": {\"type\": \"Replace\", \"content\": \"x\", \"pattern\": "      \
        "{\"Regex\": \"" pattern "\"}}")
#define SINGLE(list)                                                                     \
  WITH ("\"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": [" list      \
        "], "                                                                            \
        "\"special_tokens\": {\"x\": {\"ids\": [0]}, \"far\": {\"ids\": [77]}, "         \
        "\"odd\": {\"ids\": [\"a\"]}}}")

typedef struct
{
  const char *name;
  const char *json;
  int code;
  const char *words; /* that the message must have, separated by '|' */
} Case;

static const Case cases[] = {
  { "json", "{\"model\": ", HL_ERROR_FORMAT, "test.json|JSON expected" },
  { "no-object", "[]", HL_ERROR_FORMAT, "test.json|object expected" },
  { "no-model", "{}", HL_ERROR_MISSING, "model|object expected|nothing found" },
  { "model-number", "{\"model\": 3}", HL_ERROR_FORMAT, "model|object expected|3 found" },
  { "kind", "{\"model\": {\"type\": \"Odd\"}}", HL_ERROR_UNSUPPORTED,
    "BPE, WordPiece, Unigram or WordLevel expected|Odd" },
  { "no-kind", "{\"model\": {}}", HL_ERROR_MISSING, "type" },
  { "unigram-none", UNIGRAM ("{}"), HL_ERROR_FORMAT, "vocab|an array" },
  { "unigram-missing", "{\"model\": {\"type\": \"Unigram\"}}", HL_ERROR_MISSING,
    "vocab|an array" },
  { "unigram-entry", UNIGRAM ("[[\"a\", 0], [\"b\"]]"), HL_ERROR_FORMAT,
    "vocab 1|[token, score]" },
  { "unigram-text", UNIGRAM ("[[0, 0]]"), HL_ERROR_FORMAT, "vocab 0|[token, score]" },
  { "unigram-score", UNIGRAM ("[[\"a\", \"0\"]]"), HL_ERROR_FORMAT, "vocab 0" },
  { "unigram-huge", UNIGRAM ("[[\"a\", 1e999]]"), HL_ERROR_FORMAT, "test.json" },
  { "unigram-alias", UNIGRAM ("[[\"a\", 0], [\"b\", 0, 7]]"), HL_ERROR_FORMAT,
    "vocab 1" },
  { "unigram-alias-first", UNIGRAM ("[[\"a\", 0, 0], [\"b\", 0]]"), HL_ERROR_FORMAT,
    "vocab 0" },
  { "unigram-behind-alias", UNIGRAM ("[[\"a\", 0], [\"b\", 0, 0], [\"c\", 0]]"),
    HL_ERROR_FORMAT, "vocab 2" },
  { "unigram-unk",
    "{\"model\": {\"type\": \"Unigram\", \"unk_id\": 1, \"vocab\": [[\"a\", 0]]}}",
    HL_ERROR_RANGE, "unk_id|1 found" },
  { "unigram-bytes",
    "{\"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false}, "
    "\"model\": {\"type\": \"Unigram\", \"vocab\": [[\"a\", 0]]}}",
    HL_ERROR_UNSUPPORTED, "BPE behind a ByteLevel|Unigram found" },
  { "wordpiece", "{\"model\": {\"type\": \"WordPiece\"}}", HL_ERROR_MISSING,
    "vocab|object of tokens" },
  { "wordpiece-chars",
    "{\"model\": {\"type\": \"WordPiece\", \"max_input_chars_per_word\": -1, " VOCAB "}}",
    HL_ERROR_RANGE, "max_input_chars_per_word|-1 found" },
  { "wordpiece-prefix",
    "{\"model\": {\"type\": \"WordPiece\", \"continuing_subword_prefix\": 3, " VOCAB "}}",
    HL_ERROR_FORMAT, "continuing_subword_prefix|3 found" },
  { "word-level", "{\"model\": {\"type\": \"WordLevel\"}}", HL_ERROR_MISSING, "vocab" },
  { "dropout", WITH_MODEL ("\"dropout\": 0.1, " VOCAB ", " MERGES), HL_ERROR_UNSUPPORTED,
    "dropout" },
  { "no-vocab", WITH_MODEL (MERGES), HL_ERROR_MISSING, "vocab" },
  { "vocab-array", WITH_MODEL ("\"vocab\": [\"a\"], " MERGES), HL_ERROR_FORMAT,
    "vocab|object of tokens" },
  { "id-text", WITH_MODEL ("\"vocab\": {\"a\": \"0\"}, \"merges\": []"), HL_ERROR_FORMAT,
    "\"a\"|an id expected|\"0\" found" },
  { "id-real", WITH_MODEL ("\"vocab\": {\"a\": 0.5}, \"merges\": []"), HL_ERROR_FORMAT,
    "\"a\"|an id expected|0.5" },
  { "id-negative", WITH_MODEL ("\"vocab\": {\"a\": -1}, \"merges\": []"), HL_ERROR_RANGE,
    "\"a\"|between 0 and|-1 found" },
  { "id-huge", WITH_MODEL ("\"vocab\": {\"a\": 9007199254740992}, \"merges\": []"),
    HL_ERROR_RANGE, "\"a\"|between 0 and|9007199254740992 found" },
  { "id-gap", WITH_MODEL ("\"vocab\": {\"a\": 0, \"b\": 4000000}, \"merges\": []"),
    HL_ERROR_RANGE, "\"b\"|for 2 tokens|4000000 found" },
  { "id-twice", WITH_MODEL ("\"vocab\": {\"a\": 0, \"b\": 0}, \"merges\": []"),
    HL_ERROR_FORMAT, "\"b\"|of its own|\"a\" has it" },
  { "token-twice", WITH_MODEL ("\"vocab\": {\"a\": 0, \"a\": 1}, \"merges\": []"),
    HL_ERROR_FORMAT, "duplicate" },
  { "no-merges", WITH_MODEL (VOCAB), HL_ERROR_MISSING, "merges" },
  { "merge-number", WITH_MODEL (VOCAB ", \"merges\": [1]"), HL_ERROR_FORMAT,
    "merges|one space|1 found" },
  { "merge-three", WITH_MODEL (VOCAB ", \"merges\": [\"a b c\"]"), HL_ERROR_FORMAT,
    "merges|one space|a b c" },
  { "merge-pair", WITH_MODEL (VOCAB ", \"merges\": [[\"a\"]]"), HL_ERROR_FORMAT,
    "merges" },
  { "merge-unknown", WITH_MODEL (VOCAB ", \"merges\": [\"a c\"]"), HL_ERROR_FORMAT,
    "merge 0|\"c\"" },
  { "merge-result", WITH_MODEL (VOCAB ", \"merges\": [\"a b\", \"b a\"]"),
    HL_ERROR_FORMAT, "merge 1|\"ba\"" },
  { "unk", WITH_MODEL (VOCAB ", " MERGES ", \"unk_token\": \"<unk>\""), HL_ERROR_FORMAT,
    "unk_token|<unk>" },
  { "unk-number", WITH_MODEL (VOCAB ", " MERGES ", \"unk_token\": 3"), HL_ERROR_FORMAT,
    "unk_token|3 found" },
  { "fallback-suffix",
    WITH_MODEL (VOCAB ", " MERGES
                      ", \"byte_fallback\": true, \"end_of_word_suffix\": \"</w>\""),
    HL_ERROR_UNSUPPORTED, "byte_fallback" },
  { "normalizer", WITH ("\"normalizer\": {\"type\": \"Odd\"}"), HL_ERROR_UNSUPPORTED,
    "normalizer|BertNormalizer|Odd" },
  { "bert-flag",
    WITH ("\"normalizer\": {\"type\": \"BertNormalizer\", \"clean_text\": 1}"),
    HL_ERROR_FORMAT, "clean_text|1 found" },
  { "charsmap-none", WITH ("\"normalizer\": {\"type\": \"Precompiled\"}"),
    HL_ERROR_MISSING, "precompiled_charsmap" },
  { "charsmap-base64", CHARSMAP ("AA!A"), HL_ERROR_FORMAT,
    "base64|at place expected, 2 found" },
  { "charsmap-padding", CHARSMAP ("AAA==="), HL_ERROR_FORMAT, "base64" },
  { "charsmap-empty", CHARSMAP (""), HL_ERROR_FORMAT, "8 bytes or more|0 found" },
  { "charsmap-short", CHARSMAP ("AAAA"), HL_ERROR_FORMAT, "8 bytes or more|3 found" },
  /* Sizes of the array: 2^31 - 1, 2^32 - 4, 0, 5, 8 with 4 bytes left. */
  { "charsmap-odd", CHARSMAP ("////fwAAAAA="), HL_ERROR_FORMAT, "4 n bytes" },
  { "charsmap-huge", CHARSMAP ("/P///wAAAAA="), HL_ERROR_FORMAT,
    "at most 4 bytes|4294967292 found" },
  { "charsmap-zero", CHARSMAP ("AAAAAAAAAAA="), HL_ERROR_FORMAT, "4 n bytes|0 found" },
  { "charsmap-five", CHARSMAP ("BQAAAAAAAAAAAAAA"), HL_ERROR_FORMAT,
    "4 n bytes|5 found" },
  { "charsmap-cut", CHARSMAP ("CAAAAAAAAAA="), HL_ERROR_FORMAT,
    "at most 4 bytes|8 found" },
  { "charsmap-text", CHARSMAP ("BAAAAAAAAABh/wA="), HL_ERROR_FORMAT,
    "strings of UTF-8|from byte expected, 9 found" },
  { "normalizer-text", WITH ("\"normalizer\": \"NFC\""), HL_ERROR_FORMAT,
    "normalizer|object expected" },
  { "normalizer-no-type", WITH ("\"normalizer\": {}"), HL_ERROR_MISSING,
    "normalizer|type" },
  { "normalizers", WITH ("\"normalizer\": {\"type\": \"Sequence\"}"), HL_ERROR_MISSING,
    "normalizers|array" },
  { "replace-empty", REPLACE ("a*"), HL_ERROR_UNSUPPORTED, "Replace|match nothing" },
  { "pre", WITH ("\"pre_tokenizer\": {\"type\": \"UnicodeScripts\"}"),
    HL_ERROR_UNSUPPORTED, "pre_tokenizer|UnicodeScripts" },
  { "bytes-first",
    WITH ("\"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": "
          "\"ByteLevel\", \"add_prefix_space\": false}, {\"type\": \"Whitespace\"}]}"),
    HL_ERROR_UNSUPPORTED, "ByteLevel as the last" },
  { "metaspace",
    WITH ("\"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": \"ab\"}"),
    HL_ERROR_FORMAT, "replacement|one character" },
  { "behavior",
    WITH ("\"pre_tokenizer\": {\"type\": \"Split\", \"behavior\": \"Shuffled\", "
          "\"pattern\": {\"String\": \"a\"}}"),
    HL_ERROR_UNSUPPORTED, "behavior|Shuffled" },
  { "pattern",
    WITH ("\"pre_tokenizer\": {\"type\": \"Split\", \"behavior\": \"Isolated\", "
          "\"pattern\": \"a\"}"),
    HL_ERROR_FORMAT, "pattern|Regex" },
  { "regex-open", SPLIT ("(a"), HL_ERROR_FORMAT, "pre_tokenizer|(a|PCRE2" },
  { "regex-range", SPLIT ("[z-a]"), HL_ERROR_FORMAT, "[z-a]" },
  { "regex-brackets", SPLIT ("[a[bc]]"), HL_ERROR_UNSUPPORTED, "brackets in brackets" },
  { "regex-and", SPLIT ("[a-z&&b]"), HL_ERROR_UNSUPPORTED, "intersection" },
  { "regex-property", SPLIT ("\\\\p{Alnum}"), HL_ERROR_UNSUPPORTED, "property" },
  { "regex-script", SPLIT ("\\\\p{Klingon}"), HL_ERROR_FORMAT, "Klingon" },
  { "regex-option", SPLIT ("(?m:a)"), HL_ERROR_UNSUPPORTED, "kind of group" },
  { "regex-repeat", SPLIT ("a{1,2}+"), HL_ERROR_UNSUPPORTED, "+ behind {n,m}" },
  { "regex-end", SPLIT ("a\\\\"), HL_ERROR_UNSUPPORTED, "backslash at the end" },
  { "regex-byte", SPLIT ("\\\\xe4"), HL_ERROR_UNSUPPORTED, "half a character" },
  { "regex-verb", SPLIT ("(*ACCEPT)a"), HL_ERROR_UNSUPPORTED, "begins with *" },
  { "regex-long-repeat", SPLIT ("(a{60000}){60000}"), HL_ERROR_FORMAT, "PCRE2" },
  { "added", WITH ("\"added_tokens\": 3"), HL_ERROR_FORMAT, "added_tokens|array" },
  { "added-text", ADDED ("\"<s>\""), HL_ERROR_FORMAT, "added_tokens 0|object" },
  { "added-no-id", ADDED ("{\"content\": \"<s>\"}"), HL_ERROR_MISSING, "\"id\"" },
  { "added-negative", ADDED ("{\"content\": \"<s>\", \"id\": -3}"), HL_ERROR_RANGE,
    "-3" },
  { "added-gap", ADDED ("{\"content\": \"<s>\", \"id\": 5}"), HL_ERROR_FORMAT,
    "<s>|id 3 expected|5 found" },
  { "added-other", ADDED ("{\"content\": \"a\", \"id\": 3}"), HL_ERROR_FORMAT,
    "\"a\"|id 0 expected|3 found" },
  { "added-twice",
    ADDED ("{\"content\": \"<s>\", \"id\": 3}, {\"content\": \"<s>\", \"id\": 3, "
           "\"lstrip\": true}"),
    HL_ERROR_FORMAT, "added_tokens 1|<s>|once" },
  { "added-type", ADDED ("{\"content\": \"<s>\", \"id\": 3, \"special\": 1}"),
    HL_ERROR_FORMAT, "special|true or false" },
  { "added-gone",
    WITH ("\"normalizer\": {\"type\": \"Strip\", \"strip_left\": true, \"strip_right\": "
          "true}, \"added_tokens\": [{\"content\": \" \", \"id\": 3, \"normalized\": "
          "true}]"),
    HL_ERROR_UNSUPPORTED, "after normalising" },
  { "post", WITH ("\"post_processor\": {\"type\": \"Odd\"}"), HL_ERROR_UNSUPPORTED,
    "Odd" },
  { "template-none", SINGLE (""), HL_ERROR_FORMAT, "Sequence A" },
  { "template-twice", SINGLE ("{\"Sequence\": {\"id\": \"A\"}}, {\"Sequence\": {}}"),
    HL_ERROR_FORMAT, "Sequence A once" },
  { "template-unknown", SINGLE ("{\"SpecialToken\": {\"id\": \"y\"}}"), HL_ERROR_MISSING,
    "special_tokens" },
  { "template-odd", SINGLE ("{\"SpecialToken\": {\"id\": \"odd\"}}"), HL_ERROR_FORMAT,
    "an id expected" },
  { "template-far",
    SINGLE ("{\"SpecialToken\": {\"id\": \"far\"}}, {\"Sequence\": {\"id\": \"A\"}}"),
    HL_ERROR_RANGE, "77 found" },
  { "decoder", WITH ("\"decoder\": {\"type\": \"CTC\"}"), HL_ERROR_UNSUPPORTED,
    "decoder|CTC" },
  { "decoder-strip", WITH ("\"decoder\": {\"type\": \"Strip\", \"content\": \"\"}"),
    HL_ERROR_FORMAT, "content|one character" },
};

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  GError *error = NULL;
  HlTokenizer *tokenizer = hl_tokenizer_new_from_json (c->json, strlen (c->json), NULL, 0,
                                                       "test.json", &error);
  g_assert_null (tokenizer);
  g_assert_true (g_str_has_prefix (error->message, "test.json"));
  io_test_assert_error (&error, c->code, c->words);
}

static void
test_deep (void)
{
  GError *error = NULL;
  g_autoptr (GString) json = g_string_new ("{\"normalizer\": ");
  for (int i = 0; i < 100000; i++)
    g_string_append (json, "{\"type\": \"Sequence\", \"normalizers\": [");
  g_assert_null (
      hl_tokenizer_new_from_json (json->str, json->len, NULL, 0, "test.json", &error));
  io_test_assert_error (&error, HL_ERROR_FORMAT, "test.json|levels of brackets");
}

/* Writes a table in which "a" leads to a unit of its own, with three texts behind it, and
 * "ab" to the second, which is empty. */
static char *
charsmap_json (guint32 root, guint32 a, guint32 leaf, gboolean is_longest)
{
  guint32 bytes[1 + 98 + 2] = { GUINT32_TO_LE (98 * 4) };
  bytes[1] = GUINT32_TO_LE (root);
  bytes[1 + 'a'] = GUINT32_TO_LE (a);
  bytes[1 + ('a' ^ 1)] = GUINT32_TO_LE (leaf);
  bytes[1 + ('a' ^ 1 ^ 'b')] = GUINT32_TO_LE ('b' | 1u << 8 | 1u << 10);
  bytes[1 + ('a' ^ 1 ^ 'b' ^ 1)] = GUINT32_TO_LE (1);
  memcpy (bytes + 99, "b\0\xc3\xa9\0b\0", 7);
  bytes[100] = GUINT32_TO_LE (GUINT32_FROM_LE (bytes[100]) & 0xffffff);
  g_autofree char *text = g_base64_encode ((const guchar *) bytes, sizeof bytes - 1);
  return g_strdup_printf (
      "{\"normalizer\": {\"type\": \"Precompiled\", "
      "\"longest_match\": %s, \"precompiled_charsmap\": \"%s\"}, " MODEL "}",
      is_longest ? "true" : "false", text);
}

/* Links out of the array and texts that are not there lead nowhere. */
static void
test_charsmap_links (void)
{
  const guint32 a = 'a' | 1u << 8 | 1u << 10;
  const struct
  {
    guint32 root, a, leaf;
    gint32 id; /* of the one token that "a" becomes: 0 a, 1 b, -1 none */
  } all[] = {
    { 0, a, 0, 1 },
    { 0, a, 5, 1 },
    { 0, a, 1, -1 },
    { 0, a, 3, 0 },
    { 0, a, 7, 0 },
    { 0, a, 0x7fffffff, 0 },
    { 0, a, 0xffffffff, 0 },
    { 0xffffffff, a, 0, 0 },
    { 0, a | 0xfffffc00u, 0, 0 },
    { 0, a & ~0x100u, 0, 0 },
    { 0, a | 1u << 31, 0, 0 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    {
      GError *error = NULL;
      g_autofree char *json = charsmap_json (all[i].root, all[i].a, all[i].leaf, FALSE);
      g_autoptr (HlTokenizer) tokenizer =
          hl_tokenizer_new_from_json (json, strlen (json), NULL, 0, "test.json", &error);
      g_assert_no_error (error);
      g_autoptr (HlEncoding) found =
          hl_tokenizer_encode (tokenizer, "a", 1, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (found->n_tokens, ==, all[i].id >= 0 ? 1 : 0);
      if (all[i].id >= 0)
        g_assert_cmpint (found->tokens[0].id, ==, all[i].id);
    }
}

/* The shortest string at a place counts, or the longest. */
static void
test_charsmap_longest (void)
{
  for (int is_longest = 0; is_longest < 2; is_longest++)
    {
      GError *error = NULL;
      g_autofree char *json =
          charsmap_json (0, 'a' | 1u << 8 | 1u << 10, 0, is_longest != 0);
      g_autoptr (HlTokenizer) tokenizer =
          hl_tokenizer_new_from_json (json, strlen (json), NULL, 0, "test.json", &error);
      g_assert_no_error (error);
      g_autoptr (HlEncoding) found =
          hl_tokenizer_encode (tokenizer, "aab", 3, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (found->n_tokens, ==, is_longest ? 1 : 3);
      g_assert_cmpint (found->tokens[0].id, ==, 1);
      g_assert_cmpuint (found->tokens[0].end_char, ==, 1);
    }
}

/* A word that has no tokens, where nothing stands for the unknown. */
static void
test_no_unknown (void)
{
  static const char *const files[] = {
    UNIGRAM ("[[\"a\", 0]]"),
    "{\"model\": {\"type\": \"WordPiece\", " VOCAB "}}",
    "{\"model\": {\"type\": \"WordLevel\", " VOCAB "}}",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      GError *error = NULL;
      g_autoptr (HlTokenizer) tokenizer = hl_tokenizer_new_from_json (
          files[i], strlen (files[i]), NULL, 0, "test.json", &error);
      g_assert_no_error (error);
      g_autoptr (HlEncoding) good = hl_tokenizer_encode (tokenizer, "a", 1, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (good->n_tokens, ==, 1);
      g_assert_null (
          hl_tokenizer_encode_pair (tokenizer, "a", -1, "a\xc3\xa9", -1, NULL, &error));
      io_test_assert_error (&error, HL_ERROR_RANGE, "\xc3\xa9|has no tokens");
    }
}

static void
test_long_token (void)
{
  GError *error = NULL;
  g_autofree char *name = g_strnfill (2000, 'x');
  g_autofree char *json = g_strdup_printf (
      "{\"added_tokens\": [{\"id\": 3, \"content\": \"%s\"}], " MODEL "}", name);
  g_assert_null (
      hl_tokenizer_new_from_json (json, strlen (json), NULL, 0, "test.json", &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "at most 1024 bytes|2000 found");
  g_autofree char *unigram = g_strdup_printf (UNIGRAM ("[[\"%s\", 0]]"), name);
  g_assert_null (hl_tokenizer_new_from_json (unigram, strlen (unigram), NULL, 0,
                                             "test.json", &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "model|at most 1024 bytes|2000 found");
}

/* A pattern that would try for ever gives up, and says so. */
static void
test_slow_pattern (void)
{
  GError *error = NULL;
  const char *json = SPLIT ("(?:x+x+)+y");
  g_autofree char *many = g_strnfill (400, 'x');
  g_autofree char *text = g_strconcat (many, "zy", NULL);
  g_autoptr (HlTokenizer) tokenizer =
      hl_tokenizer_new_from_json (json, strlen (json), NULL, 0, "test.json", &error);
  g_assert_no_error (error);
  g_assert_null (hl_tokenizer_encode (tokenizer, text, -1, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "gives up");
}

/* A text may not grow without end while it is normalised. */
static void
test_growth (void)
{
  GError *error = NULL;
  g_autoptr (GString) json = g_string_new ("{\"normalizer\": {\"type\": \"Sequence\", "
                                           "\"normalizers\": [");
  for (int i = 0; i < 12; i++)
    g_string_append (json, "{\"type\": \"Replace\", \"pattern\": {\"String\": \"a\"}, "
                           "\"content\": \"aaaaaaaaaa\"}, ");
  g_string_append (json, "{\"type\": \"NFC\"}]}, " MODEL "}");
  g_autoptr (HlTokenizer) tokenizer =
      hl_tokenizer_new_from_json (json->str, json->len, NULL, 0, "test.json", &error);
  g_assert_no_error (error);
  g_assert_null (hl_tokenizer_encode (tokenizer, "a", 1, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "normalizer|longer");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/text/hostile/%s", cases[i].name);
      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/text/hostile/deep", test_deep);
  g_test_add_func ("/text/hostile/charsmap-links", test_charsmap_links);
  g_test_add_func ("/text/hostile/charsmap-longest", test_charsmap_longest);
  g_test_add_func ("/text/hostile/no-unknown", test_no_unknown);
  g_test_add_func ("/text/hostile/long-token", test_long_token);
  g_test_add_func ("/text/hostile/slow-pattern", test_slow_pattern);
  g_test_add_func ("/text/hostile/growth", test_growth);
  return g_test_run ();
}
