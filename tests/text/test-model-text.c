/* SPDX-License-Identifier: MIT
 * Texts as inputs of a model: what is taken of them, what each token knows, what is
 * refused and in which words. */
#include "../io/io-test.h"
#include "text-model.h"

#include "backend/cpu/hl-cpu.h"
#include "model/hl-model-text.h"
#include "trace/hl-generate.h"
#include "trace/hl-tracer.h"

#include <sys/stat.h>

typedef struct
{
  char *folder;
  HlModel *model;
} Fixture;

static void
reopen (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_clear_pointer (&f->model, hl_model_unref);
  f->model = hl_model_open (f->folder, &error);
  g_assert_no_error (error);
}

static void
set_up (Fixture *f, gconstpointer family)
{
  f->folder = text_model_folder_new (family);
  f->model = NULL;
  reopen (f);
}

static void
tear_down (Fixture *f, gconstpointer family)
{
  hl_model_unref (f->model);
  text_model_folder_free (f->folder);
}

static HlInput *
open_text (const Fixture *f,
           const char *text,
           gssize length,
           const HlTextOptions *options)
{
  GError *error = NULL;
  HlInput *input = hl_model_open_text (f->model, NULL, "", text, length, options, &error);
  g_assert_no_error (error);
  return input;
}

static void
assert_ids (const HlInput *input, const gint32 *ids, gint64 n)
{
  g_assert_cmpint (input->ids->shape.n_dims, ==, 2);
  g_assert_cmpint (input->ids->shape.dim[0], ==, 1);
  g_assert_cmpint (input->tokens->n_tokens, ==, n);
  g_assert_cmpmem (input->ids->data, hl_tensor_size_bytes (input->ids), ids,
                   sizeof *ids * (gsize) n);
  for (gint64 i = 0; i < n; i++)
    g_assert_cmpint (input->tokens->tokens[i].id, ==, ids[i]);
}

static void
assert_refused_text (const Fixture *f,
                     const char *text,
                     gssize length,
                     const HlTextOptions *options,
                     int code,
                     const char *words)
{
  GError *error = NULL;
  g_assert_null (hl_model_open_text (f->model, NULL, "", text, length, options, &error));
  io_test_assert_error (&error, code, words);
}

/* A text of no characters is what the tokenizer puts before it; there may be nothing. */
static void
test_empty (Fixture *f, gconstpointer family)
{
  const gint32 bos[] = { TEXT_MODEL_BOS };
  const HlTextOptions bare = { .no_special = TRUE };
  const char *none = "at least one token expected, none found|tokenizer";
  if (g_str_equal (family, "gpt2"))
    {
      assert_refused_text (f, "", 0, NULL, HL_ERROR_RANGE, none);
      return;
    }
  g_autoptr (HlInput) input = open_text (f, "", -1, NULL);
  assert_ids (input, bos, 1);
  g_assert_cmpstr (input->text, ==, "");
  g_assert_cmpint (input->tokens->tokens[0].role, ==, HL_ROLE_SPECIAL);
  g_assert_cmpfloat (input->tokens->tokens[0].start, ==, -1);
  assert_refused_text (f, "", 0, &bare, HL_ERROR_RANGE, "at least one token|left out");
}

static void
assert_token (const HlInput *input,
              int i,
              const char *text,
              const char *bytes,
              gsize size,
              HlTokenRole role,
              double start,
              double end)
{
  const HlToken *token = &input->tokens->tokens[i];
  gsize found = 0;
  g_assert_cmpstr (token->text, ==, text);
  gconstpointer data = g_bytes_get_data (token->bytes, &found);
  g_assert_cmpmem (data, found, bytes, size);
  g_assert_cmpint (token->role, ==, role);
  g_assert_cmpfloat (token->start, ==, start);
  g_assert_cmpfloat (token->end, ==, end);
}

/* Every token knows its bytes and its characters; pieces of a character share its place.
 */
static void
test_tokens (Fixture *f, gconstpointer family)
{
  const gint32 ids[] = { TEXT_MODEL_BOS,         TEXT_MODEL_AB,          263,
                         TEXT_MODEL_BYTE (0xc3), TEXT_MODEL_BYTE (0xa9), 2 };
  g_autoptr (HlInput) input = open_text (f, "ab ab\xc3\xa9</s>", -1, NULL);
  assert_ids (input, ids, 6);
  assert_token (input, 0, "<s>", "<s>", 3, HL_ROLE_SPECIAL, -1, -1);
  assert_token (input, 1, "ab", "ab", 2, HL_ROLE_PROMPT, 0, 2);
  assert_token (input, 2,
                "\xe2\x90\xa3"
                "ab",
                " ab", 3, HL_ROLE_PROMPT, 2, 5);
  assert_token (input, 3, "\\xC3", "\xc3", 1, HL_ROLE_PROMPT, 5, 6);
  assert_token (input, 4, "\\xA9", "\xa9", 1, HL_ROLE_PROMPT, 5, 6);
  assert_token (input, 5, "</s>", "</s>", 4, HL_ROLE_SPECIAL, 6, 10);
  g_assert_cmpstr (input->name, ==, "ab ab\xc3\xa9</s>");
  g_assert_cmpint (input->n_all_tokens, ==, 6);
  g_assert_null (input->warning);
  const HlTextOptions bare = { .no_special = TRUE, .plain_special = TRUE };
  g_autoptr (HlInput) plain = open_text (f, "</s>", -1, &bare);
  g_assert_cmpint (plain->tokens->n_tokens, ==, 4);
  g_assert_cmpint (plain->tokens->tokens[0].role, ==, HL_ROLE_PROMPT);
}

/* A longer text is cut to the context, from where it is said. */
static void
test_cut (Fixture *f, gconstpointer family)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (int i = 0; i < 100; i++)
    g_string_append_c (text, (char) ('c' + i % 20));
  g_autoptr (HlInput) whole = open_text (f, text->str, -1, NULL);
  g_assert_cmpint (whole->ids->shape.dim[1], ==, TEXT_MODEL_CONTEXT);
  g_assert_cmpint (whole->n_all_tokens, ==, 101);
  g_assert_cmpint (whole->first_token, ==, 0);
  g_assert_cmpstr (whole->text, ==, text->str);
  const struct
  {
    HlTextOptions options;
    int n;
  } cases[] = {
    { { .first_token = 97 }, 4 },
    { { .first_token = 100 }, 1 },
    { { .first_token = 10, .n_tokens = 5 }, 5 },
    { { .first_token = 10, .n_tokens = 500 }, TEXT_MODEL_CONTEXT },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gint64 first = cases[i].options.first_token;
      g_autoptr (HlInput) part = open_text (f, text->str, -1, &cases[i].options);
      g_assert_cmpint (part->ids->shape.dim[1], ==, cases[i].n);
      g_assert_cmpint (part->first_token, ==, first);
      g_assert_cmpint (part->n_all_tokens, ==, 101);
      /* Character first - 1 of the text, after the token before it. */
      g_assert_cmpint (((const gint32 *) part->ids->data)[0], ==,
                       TEXT_MODEL_BYTE (text->str[first - 1]));
      g_assert_cmpfloat (part->tokens->tokens[0].start, ==, (double) first - 1);
    }
  const HlTextOptions late = { .first_token = 101 }, early = { .first_token = -1 };
  const HlTextOptions latest = { .first_token = G_MAXINT64, .n_tokens = G_MAXINT64 };
  assert_refused_text (f, text->str, -1, &late, HL_ERROR_RANGE,
                       "first token: 0 to 100 expected|101 found");
  assert_refused_text (f, text->str, -1, &early, HL_ERROR_RANGE, "-1 found");
  assert_refused_text (f, text->str, -1, &latest, HL_ERROR_RANGE, "0 to 100 expected");
}

static void
test_bytes (Fixture *f, gconstpointer family)
{
  const gint32 nul[] = { TEXT_MODEL_BOS, 260, TEXT_MODEL_BYTE (0), 261 };
  g_autoptr (HlInput) input = open_text (f, "a\0b", 3, NULL);
  assert_ids (input, nul, 4);
  g_assert_cmpfloat (input->tokens->tokens[3].start, ==, 2);
  g_assert_cmpstr (input->name, ==, "a b");
  assert_refused_text (f, "ab\xe9", -1, NULL, HL_ERROR_FORMAT, "byte 2|E9");
  assert_refused_text (f, "a\0\xff", 3, NULL, HL_ERROR_FORMAT, "byte 2|FF");
  assert_refused_text (f, "ab\xe2\x82", -1, NULL, HL_ERROR_FORMAT, "byte 2|E2");
  assert_refused_text (f, "\xed\xa0\x80", -1, NULL, HL_ERROR_FORMAT, "byte 0");
  /* From right to left: order and places are those of the file. */
  g_autoptr (HlInput) hebrew =
      open_text (f, "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d ab", -1, NULL);
  g_assert_cmpint (hebrew->tokens->n_tokens, ==, 10);
  assert_token (hebrew, 1, "\\xD7", "\xd7", 1, HL_ROLE_PROMPT, 0, 1);
  assert_token (hebrew, 8, "\\x9D", "\x9d", 1, HL_ROLE_PROMPT, 3, 4);
  assert_token (hebrew, 9,
                "\xe2\x90\xa3"
                "ab",
                " ab", 3, HL_ROLE_PROMPT, 4, 7);
}

static void
test_doubled_bos (Fixture *f, gconstpointer family)
{
  const gint32 twice[] = { TEXT_MODEL_BOS, TEXT_MODEL_BOS, TEXT_MODEL_AB };
  const HlTextOptions bare = { .no_special = TRUE };
  g_autoptr (HlInput) input = open_text (f, "<s>ab", -1, NULL);
  assert_ids (input, twice, 3);
  g_assert_nonnull (strstr (input->warning, "there twice"));
  g_autoptr (HlInput) once = open_text (f, "<s>ab", -1, &bare);
  assert_ids (once, twice + 1, 2);
  g_assert_null (once->warning);
}

/* Refused for its size, before anything of it is read; and nobody waits for a pipe. */
static void
test_odd_files (Fixture *f, gconstpointer family)
{
  GError *error = NULL;
  g_autofree char *big = io_test_write (f->folder, "big.txt", "", 0);
  g_autofree char *pipe = g_build_filename (f->folder, "pipe", NULL);
  g_assert_cmpint (truncate (big, ((off_t) 64 << 20) + 1), ==, 0);
  g_assert_null (hl_model_open_text_file (f->model, big, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "big.txt|at most 64 MB expected");
  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  g_assert_null (hl_model_open_text_file (f->model, pipe, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_IO, "pipe: a file expected|pipe found");
}

static void
test_files (Fixture *f, gconstpointer family)
{
  GError *error = NULL;
  g_autofree char *nowhere = g_build_filename (f->folder, "nothing.txt", NULL);
  g_autofree char *good = io_test_write (f->folder, "good.txt", "ab\0ab", 5);
  g_autofree char *bad = io_test_write (f->folder, "latin1.txt", "ab\xe9", 3);
  g_autofree char *empty = io_test_write (f->folder, "empty.txt", "", 0);
  const HlTextOptions bare = { .no_special = TRUE };
  g_autoptr (HlInput) input = hl_model_open_text_file (f->model, good, &bare, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (input->name, ==, "good.txt");
  g_assert_cmpstr (input->path, ==, good);
  g_assert_cmpint (input->tokens->n_tokens, ==, 3);
  g_autoptr (HlInput) bos = hl_model_open_text_file (f->model, empty, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (bos->tokens->n_tokens, ==, 1);
  g_assert_null (hl_model_open_text_file (f->model, bad, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_FORMAT, "latin1.txt: |byte 2|E9");
  g_assert_null (hl_model_open_text_file (f->model, empty, &bare, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "empty.txt: |at least one token");
  g_assert_null (hl_model_open_text_file (f->model, nowhere, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_IO, "nothing.txt|No such file");
  g_assert_null (hl_model_open_text_file (f->model, f->folder, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_IO, "hl-text-model|a file expected|folder");
}

/* Tokens work without a tokenizer, and with a broken one; a text is told why not. */
static void
test_no_tokenizer (Fixture *f, gconstpointer family)
{
  const gint32 ids[] = { 1, 262, 263 };
  GError *error = NULL;
  g_autofree char *path = g_build_filename (f->folder, "tokenizer.json", NULL);
  static const char *const contents[] = { NULL, "{\"model\": {\"type\": \"Odd\"}}",
                                          "{\"model\":", "" };
  static const char *const words[] = { "tokenizer.json expected, nothing found",
                                       "tokenizer.json|Odd", "tokenizer.json",
                                       "tokenizer.json" };
  static const int codes[] = { HL_ERROR_MISSING, HL_ERROR_UNSUPPORTED, HL_ERROR_FORMAT,
                               HL_ERROR_FORMAT };
  for (guint i = 0; i < G_N_ELEMENTS (contents); i++)
    {
      g_remove (path);
      if (contents[i] != NULL)
        g_free (io_test_write_text (f->folder, "tokenizer.json", contents[i]));
      reopen (f);
      g_autoptr (HlInput) input = hl_model_open_ids (f->model, ids, 3, &error);
      g_assert_no_error (error);
      assert_ids (input, ids, 3);
      g_assert_cmpstr (input->tokens->tokens[1].text, ==, "262");
      g_assert_null (input->tokens->tokens[1].bytes);
      assert_refused_text (f, "ab", -1, NULL, codes[i], words[i]);
    }
}

/* A tokenizer with more tokens than the model has. */
static void
test_vocabularies_differ (Fixture *f, gconstpointer family)
{
  g_autofree char *json = NULL;
  g_autofree char *path = g_build_filename (f->folder, "tokenizer.json", NULL);
  g_assert_true (g_file_get_contents (path, &json, NULL, NULL));
  g_autoptr (GString) text = g_string_new (json);
  g_assert_cmpuint (g_string_replace (text, "\"ab\": 262", "\"ab\": 9999", 0), ==, 1);
  g_free (io_test_write_text (f->folder, "tokenizer.json", text->str));
  reopen (f);
  assert_refused_text (f, "a ab bab", -1, NULL, HL_ERROR_RANGE, "0 to 263|9999 found");
  g_autoptr (HlInput) fine = open_text (f, "ba", -1, NULL);
  g_assert_cmpint (fine->tokens->n_tokens, ==, 3);
}

static void
test_pictures (Fixture *f, gconstpointer family)
{
  GError *error = NULL;
  g_autofree char *vit =
      g_test_build_filename (G_TEST_DIST, "golden", "models", "vit-tiny", NULL);
  g_autofree char *picture = g_build_filename (vit, "input.png", NULL);
  g_autoptr (HlModel) model = hl_model_open (vit, &error);
  g_assert_no_error (error);
  const gint32 ids[] = { 1 };
  g_assert_null (hl_model_open_text (model, NULL, "", "ab", -1, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_UNSUPPORTED, "vit-tiny takes no text");
  g_assert_null (hl_model_open_ids (model, ids, 1, &error));
  io_test_assert_error (&error, HL_ERROR_UNSUPPORTED, "vit-tiny takes no text");
  g_assert_null (hl_model_open_text_file (model, picture, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_UNSUPPORTED, "takes no text");
  g_assert_null (hl_model_open_image (f->model, picture, 0, 0, &error));
  io_test_assert_error (&error, HL_ERROR_UNSUPPORTED, "takes no pictures");
}

/* What was generated goes behind what there was, which stays as it is. */
static void
test_extended (Fixture *f, gconstpointer family)
{
  GError *error = NULL;
  const gint32 more[] = { TEXT_MODEL_AB, 2 }, all[] = { 1, TEXT_MODEL_AB, 2 };
  const gint32 bad[] = { TEXT_MODEL_N_VOCAB };
  gint32 many[TEXT_MODEL_CONTEXT] = { 0 };
  g_autoptr (HlInput) input = open_text (f, "", -1, NULL);
  g_autoptr (HlInput) longer = hl_model_extend_text (f->model, input, more, 2, &error);
  g_assert_no_error (error);
  assert_ids (longer, all, 3);
  g_assert_cmpint (longer->n_all_tokens, ==, 3);
  g_assert_cmpstr (longer->hash, !=, input->hash);
  assert_token (longer, 0, "<s>", "<s>", 3, HL_ROLE_SPECIAL, -1, -1);
  assert_token (longer, 1, "ab", "ab", 2, HL_ROLE_GENERATED, -1, -1);
  assert_token (longer, 2, "</s>", "</s>", 4, HL_ROLE_SPECIAL, -1, -1);
  assert_ids (input, all, 1);
  const HlTextOptions part = { .first_token = 1, .n_tokens = 1 };
  g_autoptr (HlInput) cut = open_text (f, "ab ab", -1, &part);
  g_autoptr (HlInput) cut_longer = hl_model_extend_text (f->model, cut, more, 2, &error);
  g_assert_no_error (error);
  g_assert_cmpint (cut_longer->n_all_tokens, ==, 5);
  g_assert_cmpint (cut_longer->first_token, ==, 1);
  g_assert_null (hl_model_extend_text (f->model, input, bad, 1, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "token 1|264 found");
  g_assert_null (
      hl_model_extend_text (f->model, input, many, TEXT_MODEL_CONTEXT, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "1 to 64 expected|65 found");
}

static gboolean
count_cb (const HlGenerated *token, gpointer data)
{
  int *n = data;
  g_assert_true (token->log_prob <= 0);
  return ++*n != 5;
}

/* It ends where the context does, where the listener says so, and without a text. */
static void
test_generated_to_the_end (Fixture *f, gconstpointer family)
{
  GError *error = NULL;
  int n = 10;
  gint32 many[TEXT_MODEL_CONTEXT] = { 0 };
  const HlGenerateOptions options = { .n_tokens = 1000, .goes_on = TRUE };
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  for (int T = TEXT_MODEL_CONTEXT - 3; T <= TEXT_MODEL_CONTEXT; T++)
    {
      g_autoptr (HlInput) input = hl_model_open_ids (f->model, many, T, &error);
      g_assert_no_error (error);
      n = 10;
      int found =
          hl_generate (f->model, input, backend, &options, NULL, count_cb, &n, &error);
      g_assert_no_error (error);
      /* The last one is told, but has no place any more. */
      g_assert_cmpint (found, ==, TEXT_MODEL_CONTEXT - T + 1);
      g_assert_cmpint (n, ==, 10 + found);
    }
  g_autoptr (HlInput) input = hl_model_open_ids (f->model, many, 1, &error);
  n = 0;
  g_assert_cmpint (
      hl_generate (f->model, input, backend, &options, NULL, count_cb, &n, &error), ==,
      5);
  const HlInput nothing = { .kind = "image" };
  g_assert_cmpint (
      hl_generate (f->model, &nothing, backend, &options, NULL, count_cb, &n, &error), ==,
      -1);
  io_test_assert_error (&error, HL_ERROR_RANGE, "at least one token expected");
}

static void
add (const char *name, const char *family, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf ("/model-text/%s/%s", name, family);
  g_test_add (path, Fixture, family, set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("empty", "llama", test_empty);
  add ("empty", "gpt2", test_empty);
  add ("tokens", "llama", test_tokens);
  add ("cut", "llama", test_cut);
  add ("bytes", "llama", test_bytes);
  add ("doubled-bos", "llama", test_doubled_bos);
  add ("files", "llama", test_files);
  add ("odd-files", "llama", test_odd_files);
  add ("no-tokenizer", "llama", test_no_tokenizer);
  add ("vocabularies-differ", "llama", test_vocabularies_differ);
  add ("pictures", "gpt2", test_pictures);
  add ("extended", "llama", test_extended);
  add ("generated-to-the-end", "llama", test_generated_to_the_end);
  add ("generated-to-the-end", "gpt2", test_generated_to_the_end);
  return g_test_run ();
}
