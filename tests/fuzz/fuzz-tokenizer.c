/* SPDX-License-Identifier: MIT
 * Fuzz target: a tokenizer file of any bytes is read or refused with a message; what is
 * read encodes texts into tokens that it has, at places within the text, and decodes them
 * to valid UTF-8. */
#include "fuzz.h"

#include "base/hl-error.h"
#include "text/hl-tokenizer.h"

#include <string.h>

static const char *const texts[] = {
  "",
  " ab  abab\n<s>the\xc3\xa9</s> \xe4\xbd\xa0 12,5",
  "e\xcc\x81\xcc\xa3 \xf0\x9f\x98\x80\xef\xac\x81 AB'll\t\t "
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabababababababababababababab",
};

static void
check_error (const GError *error)
{
  g_assert_true (error != NULL && error->domain == HL_ERROR);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
check_tokens (HlTokenizer *tokenizer, const HlEncoding *encoding, const char *text)
{
  const gsize length = strlen (text);
  for (gsize i = 0; i < encoding->n_tokens; i++)
    {
      const HlTextToken *token = &encoding->tokens[i];
      g_assert_cmpint (token->id, >=, 0);
      g_assert_cmpint (token->id, <, hl_tokenizer_get_n_ids (tokenizer));
      g_assert_cmpuint (token->start_byte, <=, token->end_byte);
      g_assert_cmpuint (token->end_byte, <=, length);
      g_assert_cmpuint (token->end_char, <=, token->end_byte);
      g_assert_nonnull (hl_tokenizer_get_token_raw (tokenizer, token->id));
      g_autofree char *shown = hl_tokenizer_get_token_text (tokenizer, token->id);
      g_assert_true (g_utf8_validate (shown, -1, NULL));
    }
}

static void
check_text (HlTokenizer *tokenizer, const char *text, const HlEncodeOptions *options)
{
  g_autoptr (GError) error = NULL;
  gsize n_groups = 0, length = 0;
  g_autoptr (HlEncoding) encoding =
      hl_tokenizer_encode (tokenizer, text, -1, options, &error);
  if (encoding == NULL)
    {
      check_error (error);
      return;
    }
  check_tokens (tokenizer, encoding, text);
  g_autofree HlTokenGroup *groups =
      hl_encoding_get_groups (encoding, tokenizer, &n_groups);
  g_assert_cmpuint (n_groups, <=, encoding->n_tokens);
  g_autofree gint32 *ids = g_new (gint32, encoding->n_tokens + 1);
  for (gsize i = 0; i < encoding->n_tokens; i++)
    ids[i] = encoding->tokens[i].id;
  g_autofree char *decoded =
      hl_tokenizer_decode (tokenizer, ids, encoding->n_tokens, FALSE, &length, &error);
  if (decoded == NULL)
    check_error (error);
  else if (memchr (decoded, '\0', length) == NULL)
    g_assert_true (g_utf8_validate (decoded, (gssize) length, NULL));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTokenizer) tokenizer = hl_tokenizer_new_from_json (
      (const char *) data, size, (const char *) data, size, "fuzz", &error);
  if (tokenizer == NULL)
    {
      check_error (error);
      g_assert_true (g_str_has_prefix (error->message, "fuzz"));
      return 0;
    }
  g_assert_no_error (error);
  const HlEncodeOptions plain = { FALSE, FALSE };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      check_text (tokenizer, texts[i], NULL);
      check_text (tokenizer, texts[i], &plain);
    }
  return 0;
}

#define MODEL                                                                            \
  "\"model\":{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"byte_fallback\":true,"          \
  "\"fuse_unk\":true,\"vocab\":{\"<unk>\":0,\"a\":1,\"b\":2,\"ab\":3,\"<0xC3>\":4,"      \
  "\"<0xA9>\":5,\"\\u2581\":6,\"\\u2581ab\":7,\"aa\":8,\"aaaa\":9,\"\\u00c3\":10,"       \
  "\"\\u0120\":11},\"merges\":[\"a b\",[\"\\u2581\",\"ab\"],\"a a\",\"aa aa\"]}"

GPtrArray *
fuzz_seeds (void)
{
  static const char *const seeds[] = {
    "{" MODEL "}",
    "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\","
    "\"prepend\":\"\\u2581\"},{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},"
    "\"content\":\"\\u2581\"},{\"type\":\"NFKC\"},{\"type\":\"Lowercase\"}]},"
    "\"added_tokens\":[{\"id\":12,\"content\":\"<s>\",\"special\":true,\"lstrip\":true},"
    "{\"id\":13,\"content\":\"the\",\"normalized\":true,\"single_word\":true}],"
    "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":"
    "{\"id\":\"<s>\"}},{\"Sequence\":{\"id\":\"A\"}}],\"special_tokens\":{\"<s>\":{"
    "\"ids\":[12]}}},\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":"
    "\"Replace\",\"pattern\":{\"String\":\"\\u2581\"},\"content\":\" \"},{\"type\":"
    "\"ByteFallback\"},{\"type\":\"Fuse\"},{\"type\":\"Strip\",\"content\":\" \","
    "\"start\":1,\"stop\":0}]},\"bos_token\":\"<s>\"," MODEL "}",
    "{\"normalizer\":{\"type\":\"NFD\"},\"pre_tokenizer\":{\"type\":\"Sequence\","
    "\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?i:'s|'ll)|"
    "[^\\\\r\\\\n\\\\p{L}]?\\\\p{L}+|\\\\p{N}{1,3}|\\\\s+(?!\\\\S)|\\\\s+\"},"
    "\"behavior\":"
    "\"Isolated\",\"invert\":false},{\"type\":\"Digits\",\"individual_digits\":true},"
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"use_regex\":true}]},"
    "\"post_processor\":{\"type\":\"ByteLevel\",\"trim_offsets\":true},\"decoder\":"
    "{\"type\":\"ByteLevel\"}," MODEL "}",
    "{\"normalizer\":{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true},"
    "\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"\\u2581\","
    "\"prepend_scheme\":\"first\",\"split\":true},\"post_processor\":{\"type\":"
    "\"RobertaProcessing\",\"cls\":[\"a\",1],\"sep\":[\"b\",2]},\"decoder\":{\"type\":"
    "\"Metaspace\",\"replacement\":\"\\u2581\"},\"chat_template\":[{\"name\":\"default\","
    "\"template\":\"<|im_start|>\"}]," MODEL "}",
    "{\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":"
    "\"Whitespace\"},{\"type\":\"Punctuation\",\"behavior\":\"MergedWithNext\"},"
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a*\"},\"behavior\":\"Contiguous\","
    "\"invert\":true}]}," MODEL "}",
  };
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  for (gsize i = 0; i < G_N_ELEMENTS (seeds); i++)
    g_ptr_array_add (list, g_bytes_new_static (seeds[i], strlen (seeds[i])));
  return list;
}
