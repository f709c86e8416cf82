/* SPDX-License-Identifier: MIT
 * Files of tokenizers without tokenizer.json that are broken or meant to do harm: each is
 * refused with a message that says where and what. */
#include "../io/io-test.h"

#include "text/hl-tokenizer.h"

/* Bytes of a sentencepiece model, and a length. */
#define BYTES(text) text, sizeof (text) - 1
/* A piece "a" with score 0, and one with the score's bytes given. */
#define PIECE_A                                                                          \
  "\x0a\x08\x0a\x01"                                                                     \
  "a\x15\0\0\0\0"
#define PIECE_SCORED(bytes)                                                              \
  "\x0a\x08\x0a\x01"                                                                     \
  "b\x15" bytes

typedef struct
{
  const char *name;
  const char *bytes;
  gsize length;
  const char *config; /* tokenizer_config.json; NULL for none */
  int code;
  const char *words;
} Case;

static const Case cases[] = {
  { "empty", BYTES (""), NULL, HL_ERROR_FORMAT, "spiece.model|without pieces" },
  { "half-key", BYTES ("\x8a"), NULL, HL_ERROR_FORMAT,
    "spiece.model|goes on behind the end|at byte 1" },
  { "half-length", BYTES ("\x0a"), NULL, HL_ERROR_FORMAT, "goes on behind the end" },
  { "huge-length", BYTES ("\x0a\xff\xff\xff\xff\x0f"), NULL, HL_ERROR_FORMAT,
    "a field that goes on behind the end" },
  { "endless-length", BYTES ("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), NULL,
    HL_ERROR_FORMAT, "a field that goes on behind the end" },
  { "long-number", BYTES ("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), NULL,
    HL_ERROR_FORMAT, "more than 10 bytes" },
  { "group", BYTES (PIECE_A "\x0b"), NULL, HL_ERROR_FORMAT, "type that there is not" },
  { "no-number", BYTES ("\x02\x01 "), NULL, HL_ERROR_FORMAT, "without a number" },
  { "half-fixed", BYTES ("\x0a\x03\x15\0\0"), NULL, HL_ERROR_FORMAT,
    "goes on behind the end" },
  { "inner-length",
    BYTES ("\x0a\x03\x0a\x7f"
           "abc"),
    NULL, HL_ERROR_FORMAT, "a field that goes on behind the end" },
  { "inner-trainer", BYTES (PIECE_A "\x12\x02\x0a\x05"), NULL, HL_ERROR_FORMAT,
    "a field that goes on behind the end" },
  { "nan", BYTES (PIECE_A PIECE_SCORED ("\0\0\xc0\x7f")), NULL, HL_ERROR_RANGE,
    "piece 1|a finite score" },
  { "infinite", BYTES (PIECE_SCORED ("\0\0\x80\xff")), NULL, HL_ERROR_RANGE,
    "piece 0|a finite score" },
  { "latin", BYTES ("\x0a\x03\x0a\x01\xe9"), NULL, HL_ERROR_FORMAT, "piece 0|UTF-8" },
  { "zero",
    BYTES ("\x0a\x05\x0a\x03"
           "a\0b"),
    NULL, HL_ERROR_FORMAT, "piece 0|a zero" },
  { "words", BYTES (PIECE_A "\x12\x02\x18\x03"), NULL, HL_ERROR_UNSUPPORTED,
    "kind 1 (Unigram) or 2 (BPE)|3 found" },
  { "unknown-id", BYTES (PIECE_A "\x12\x03\xc0\x02\x64"), NULL, HL_ERROR_RANGE,
    "unk_id|100 found" },
  { "charsmap",
    BYTES (PIECE_A "\x1a\x06\x12\x04"
                   "abcd"),
    NULL, HL_ERROR_FORMAT, "precompiled_charsmap|8 bytes" },
  { "family", BYTES (PIECE_A), "{\"tokenizer_class\": \"XGLMTokenizerFast\"}",
    HL_ERROR_UNSUPPORTED, "a family whose steps are known|\"xglm\" found" },
  { "t5-no-end", BYTES (PIECE_A), "{\"tokenizer_class\": \"T5Tokenizer\"}",
    HL_ERROR_MISSING, "a piece \"</s>\" expected" },
  { "albert-no-cls", BYTES (PIECE_A),
    "{\"tokenizer_class\": \"AlbertTokenizer\", \"cls_token\": {\"content\": \"[C]\"}}",
    HL_ERROR_MISSING, "a piece \"[C]\" expected" },
  { "llama-no-bos", BYTES (PIECE_A), "{\"tokenizer_class\": \"LlamaTokenizer\"}",
    HL_ERROR_MISSING, "a piece \"<s>\" expected" },
  { "gemma-no-bos", BYTES (PIECE_A), "{\"tokenizer_class\": \"GemmaTokenizer\"}",
    HL_ERROR_MISSING, "a piece \"<bos>\" expected" },
  { "siglip-no-end", BYTES (PIECE_A), "{\"tokenizer_class\": \"SiglipTokenizer\"}",
    HL_ERROR_MISSING, "a piece \"</s>\" expected" },
};

static void
write_bytes (const char *folder, const char *name, const char *bytes, gsize length)
{
  GError *error = NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_file_set_contents (path, bytes, (gssize) length, &error);
  g_assert_no_error (error);
}

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  GError *error = NULL;
  char *folder = io_test_folder ();
  write_bytes (folder, "spiece.model", c->bytes, c->length);
  if (c->config != NULL)
    write_bytes (folder, "tokenizer_config.json", c->config, strlen (c->config));
  g_assert_null (hl_tokenizer_open (folder, &error));
  io_test_assert_error (&error, c->code, c->words);
  io_test_remove (folder);
}

/* Texts of other files: those of @files, in turn name and content. */
static void
assert_refused (const char *const *files, int code, const char *words)
{
  GError *error = NULL;
  char *folder = io_test_folder ();
  for (; *files != NULL; files += 2)
    write_bytes (folder, files[0], files[1], strlen (files[1]));
  write_bytes (folder, "source.spm", BYTES (PIECE_A));
  g_assert_null (hl_tokenizer_open (folder, &error));
  io_test_assert_error (&error, code, words);
  io_test_remove (folder);
}

static void
test_texts (void)
{
#define FILES(...) ((const char *const[]){ __VA_ARGS__, NULL })
  assert_refused (FILES ("vocab.txt", "[CLS]\na\n"), HL_ERROR_MISSING,
                  "vocab.txt|\"[SEP]\" expected");
  assert_refused (FILES ("vocab.txt", "a\n\xe9\n"), HL_ERROR_FORMAT, "vocab.txt|UTF-8");
  assert_refused (FILES ("vocab.txt", ""), HL_ERROR_MISSING, "\"[CLS]\" expected");
  assert_refused (FILES ("vocab.json", "{\"</s>\": \"0\"}"), HL_ERROR_FORMAT,
                  "vocab.json|\"</s>\"|an id|\"0\" found");
  assert_refused (FILES ("vocab.json", "{\"</s>\": 9000000}"), HL_ERROR_RANGE,
                  "vocab.json|\"</s>\"|9000000 found");
  assert_refused (FILES ("vocab.json", "{\"</s>\": -1}"), HL_ERROR_RANGE, "-1 found");
  assert_refused (FILES ("vocab.json", "{\"</s>\": 0}"), HL_ERROR_MISSING,
                  "vocab.json|\"<unk>\" expected");
  assert_refused (FILES ("vocab.json", "{\"<unk>\": 0}"), HL_ERROR_MISSING,
                  "source.spm|\"</s>\" expected");
  assert_refused (FILES ("vocab.json", "[]"), HL_ERROR_FORMAT, "vocab.json|object");
  assert_refused (FILES ("vocab.json", "{\"a\": 0}", "merges.txt", "", "config.json",
                         "{\"model_type\": \"whisper\"}"),
                  HL_ERROR_UNSUPPORTED, "merges.txt|\"whisper\" found");
  assert_refused (FILES ("vocab.json", "{\"a\": 0}", "merges.txt", "", "config.json",
                         "{\"model_type\": \"roberta\"}"),
                  HL_ERROR_MISSING, "vocab.json|\"<s>\" expected");
  assert_refused (FILES ("vocab.json", "{\"a\": 0}", "merges.txt", "", "config.json",
                         "{\"model_type\": \"clip\"}"),
                  HL_ERROR_MISSING, "vocab.json|\"<|endoftext|>\" expected");
#undef FILES
}

static void
test_long_piece (void)
{
  GError *error = NULL;
  char *folder = io_test_folder ();
  g_autoptr (GString) bytes = g_string_new (NULL);
  /* 603 bytes: a piece with a text of 600. */
  g_string_append_len (bytes, "\x0a\xdb\x04\x0a\xd8\x04", 6);
  for (int i = 0; i < 600; i++)
    g_string_append_c (bytes, 'x');
  write_bytes (folder, "tokenizer.model", bytes->str, bytes->len);
  g_assert_null (hl_tokenizer_open (folder, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "tokenizer.model|piece 0|600 found");
  io_test_remove (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/text/files-hostile/%s", cases[i].name);
      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/text/files-hostile/texts", test_texts);
  g_test_add_func ("/text/files-hostile/long-piece", test_long_piece);
  return g_test_run ();
}
