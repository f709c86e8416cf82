/* SPDX-License-Identifier: MIT
 * Fuzz target: a tokenizer file of any bytes, and a sentencepiece model where it does not
 * begin with a bracket, is read or refused with a message; what is read encodes texts
 * into tokens that it has, at places within the text, and decodes them to valid UTF-8. */
#include "fuzz.h"

#include "base/hl-error.h"
#include "text/hl-sentencepiece.h"
#include "text/hl-tokenizer-files.h"

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

static void
check_pair (HlTokenizer *tokenizer, const char *a, const char *b)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlEncoding) encoding =
      hl_tokenizer_encode_pair (tokenizer, a, -1, b, -1, NULL, &error);
  if (encoding == NULL)
    {
      check_error (error);
      return;
    }
  for (gsize i = 0; i < encoding->n_tokens; i++)
    {
      const HlTextToken *token = &encoding->tokens[i];
      g_assert_cmpint (token->sequence, >=, -1);
      g_assert_cmpint (token->sequence, <=, 1);
      g_assert_cmpuint (token->end_byte, <=,
                        token->sequence < 0 ? 0 : strlen (token->sequence == 0 ? a : b));
    }
}

/* What the model says with the steps of a family; the size of the file chooses it. */
static HlTokenizer *
read_model (const guint8 *data, gsize size, GError **error)
{
  static const char *const families[] = { NULL,    "t5",    "albert", "xlm-roberta",
                                          "llama", "gemma", "siglip", "marian" };
  const char *family = families[size % G_N_ELEMENTS (families)];
  g_autoptr (HlSentencepiece) model = hl_sentencepiece_parse (data, size, "fuzz", error);
  if (model == NULL)
    return NULL;
  g_autoptr (json_t) vocabulary = json_pack ("{s:i, s:i, s:i, s:i}", "</s>", 0, "<unk>",
                                             1, "a", 2, "\xe2\x96\x81", 3);
  g_autoptr (json_t) root =
      g_strcmp0 (family, "marian") == 0
          ? hl_sentencepiece_convert_marian (model, vocabulary, NULL, "fuzz", error)
          : hl_sentencepiece_convert (model, family, NULL, "fuzz", error);
  return root != NULL ? hl_tokenizer_new_from_parts (root, NULL, "fuzz", error) : NULL;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTokenizer) tokenizer =
      size > 0 && *data != '{'
          ? read_model (data, size, &error)
          : hl_tokenizer_new_from_json ((const char *) data, size, (const char *) data,
                                        size, "fuzz", &error);
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
      check_pair (tokenizer, texts[i], texts[(i + 1) % G_N_ELEMENTS (texts)]);
    }
  return 0;
}

#define MODEL                                                                            \
  "\"model\":{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"byte_fallback\":true,"          \
  "\"fuse_unk\":true,\"vocab\":{\"<unk>\":0,\"a\":1,\"b\":2,\"ab\":3,\"<0xC3>\":4,"      \
  "\"<0xA9>\":5,\"\\u2581\":6,\"\\u2581ab\":7,\"aa\":8,\"aaaa\":9,\"\\u00c3\":10,"       \
  "\"\\u0120\":11},\"merges\":[\"a b\",[\"\\u2581\",\"ab\"],\"a a\",\"aa aa\"]}"

/* A table of characters in which "a" and "ab" are replaced. */
#define CHARSMAP                                                                         \
  "iAEAAAAAAAAAAAAAYgUAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"               \
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"               \
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"               \
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"               \
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"               \
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"               \
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"               \
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABhBQAAYgDDqQA="

/* A model with pieces of every type, and what stands behind it for either kind. */
static const char pieces[] =
    "\012\016\012\005\074\160\141\144\076\025\000\000\000\000\030\003\012\016\012"
    "\005\074\145\157\163\076\025\000\000\000\000\030\003\012\016\012\005\074\142"
    "\157\163\076\025\000\000\000\000\030\003\012\016\012\005\074\165\156\153\076"
    "\025\000\000\000\000\030\002\012\015\012\004\074\057\163\076\025\000\000\000"
    "\000\030\003\012\014\012\003\074\163\076\025\000\000\000\000\030\003\012\016"
    "\012\005\133\103\114\123\135\025\000\000\000\000\030\003\012\016\012\005\133"
    "\123\105\120\135\025\000\000\000\000\030\003\012\014\012\003\342\226\201\025"
    "\000\000\200\277\030\001\012\012\012\001\141\025\000\000\300\277\030\001\012"
    "\012\012\001\142\025\000\000\000\300\030\001\012\013\012\002\141\142\025\000"
    "\000\040\300\030\001\012\016\012\005\342\226\201\141\142\025\000\000\100\300"
    "\030\001\012\017\012\006\074\060\170\103\063\076\025\000\000\000\000\030\006"
    "\012\017\012\006\074\060\170\101\071\076\025\000\000\000\000\030\006\012\013"
    "\012\002\061\054\025\000\000\200\300\030\001\012\014\012\003\050\143\051\025"
    "\000\000\000\000\030\004";
static const char unigram_end[] = "\022\005\030\001\300\002\003";
static const char bpe_end[] = "\022\010\030\002\300\002\003\230\002\001";

/* One model for each family, which its length chooses. */
static void
add_models (GPtrArray *list)
{
  for (gsize i = 0; i < 8; i++)
    {
      GByteArray *bytes = g_byte_array_new ();
      gboolean is_bpe = i == 4 || i == 5;
      g_byte_array_append (bytes, (const guint8 *) pieces, sizeof pieces - 1);
      if (is_bpe)
        g_byte_array_append (bytes, (const guint8 *) bpe_end, sizeof bpe_end - 1);
      else
        g_byte_array_append (bytes, (const guint8 *) unigram_end, sizeof unigram_end - 1);
      /* Fields that nobody knows, each of two bytes, and one of three. */
      for (; bytes->len % 2 != i % 2;)
        g_byte_array_append (bytes, (const guint8 *) "\250\006\001", 3);
      while (bytes->len % 8 != i)
        g_byte_array_append (bytes, (const guint8 *) "\110\001", 2);
      g_ptr_array_add (list, g_byte_array_free_to_bytes (bytes));
    }
}

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
    "{\"normalizer\":{\"type\":\"BertNormalizer\",\"lowercase\":true},"
    "\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"post_processor\":{\"type\":"
    "\"BertProcessing\",\"cls\":[\"a\",1],\"sep\":[\"b\",2]},\"decoder\":{\"type\":"
    "\"WordPiece\",\"prefix\":\"##\"},\"model\":{\"type\":\"WordPiece\","
    "\"max_input_chars_per_word\":20,\"vocab\":{\"[UNK]\":0,\"a\":1,\"b\":2,\"##b\":3,"
    "\"##aba\":4,\"the\":5}}}",
    "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Nmt\"},"
    "{\"type\":\"StripAccents\"},{\"type\":\"Precompiled\",\"precompiled_charsmap\":"
    "\"" CHARSMAP "\",\"longest_match\":false}]},\"post_processor\":{\"type\":"
    "\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\",\"type_id\":1}}],"
    "\"pair\":[{\"Sequence\":{\"id\":\"B\",\"type_id\":1}},{\"Sequence\":{\"id\":"
    "\"A\",\"type_id\":0}}]},\"model\":{\"type\":\"Unigram\",\"unk_id\":0,"
    "\"byte_fallback\":true,\"single_precision\":true,\"vocab\":[[\"<unk>\",0],"
    "[\"a\",-1.5],[\"ab\",-2],[\"b\",-3],[\"<0xC3>\",0],[\"<0xA9>\",0],[\"\xc3\xa9\","
    "null],[\"aa\",-2,1]]}}",
    "{\"pre_tokenizer\":{\"type\":\"CharDelimiterSplit\",\"delimiter\":\"a\"},"
    "\"decoder\":"
    "{\"type\":\"BPEDecoder\",\"suffix\":\"b\"},\"model\":{\"type\":\"WordLevel\","
    "\"unk_token\":\"a\",\"vocab\":{\"a\":0,\"b\":1}}}",
  };
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  for (gsize i = 0; i < G_N_ELEMENTS (seeds); i++)
    g_ptr_array_add (list, g_bytes_new_static (seeds[i], strlen (seeds[i])));
  add_models (list);
  return list;
}
