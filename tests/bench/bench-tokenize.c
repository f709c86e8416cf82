/* SPDX-License-Identifier: MIT
 * A tokenizer of 256 k tokens, and two of 30 k that are no byte pair encoding: reading
 * the file, and encoding 1 MB of text, of one word without an end, and of spaces; beside
 * the tokenizers library where there is one. bench-tokenize [--peer SCRIPT] [FOLDER...]
 * folders with other tokenizers */
#include "config.h"

#include "bench.h"
#include "text/hl-tokenizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N_TOKENS 256000
#define N_OTHER_TOKENS 15000
#define N_TEXT 1000000
#define N_ROUNDS 7

/* Tokens of letters: merges of tokens that are there, as training would find them. */
static char *
write_tokenizer (const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (9);
  g_autoptr (GPtrArray) tokens = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GString) vocabulary = g_string_new (NULL);
  g_autoptr (GString) merges = g_string_new (NULL);
  for (int i = 0; i < 27; i++)
    g_ptr_array_add (tokens, i < 26 ? g_strdup_printf ("%c", 'a' + i)
                                    : g_strdup ("\xc4\xa0")); /* a space */
  for (guint i = 0; i < tokens->len; i++)
    g_hash_table_add (known, g_ptr_array_index (tokens, i));
  while (tokens->len < N_TOKENS)
    {
      /* Early tokens are joined more often than late ones. */
      double x = g_rand_double (rand), y = g_rand_double (rand);
      const char *left = g_ptr_array_index (tokens, (guint) (x * x * tokens->len));
      const char *right = g_ptr_array_index (tokens, (guint) (y * y * y * tokens->len));
      g_autofree char *joined = g_strconcat (left, right, NULL);
      if (strlen (joined) > 12 || *right == '\xc4' ||
          g_hash_table_contains (known, joined))
        continue;
      g_string_append_printf (merges, "%s\"%s %s\"", merges->len > 0 ? "," : "", left,
                              right);
      g_ptr_array_add (tokens, g_steal_pointer (&joined));
      g_hash_table_add (known, g_ptr_array_index (tokens, tokens->len - 1));
    }
  for (guint i = 0; i < tokens->len; i++)
    g_string_append_printf (vocabulary, "%s\"%s\":%u", i > 0 ? "," : "",
                            (char *) g_ptr_array_index (tokens, i), i);
  g_autofree char *json = g_strdup_printf (
      "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[],"
      "\"normalizer\":null,\"post_processor\":null,\"decoder\":null,\"pre_tokenizer\":"
      "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,"
      "\"use_regex\":true},\"model\":{\"type\":\"BPE\",\"vocab\":{%s},\"merges\":[%s]}}",
      vocabulary->str, merges->str);
  char *path = g_build_filename (folder, "tokenizer.json", NULL);
  if (!g_file_set_contents (path, json, -1, &error))
    bench_fail (error);
  return path;
}

/* A tokenizer of letters of another kind: @steps are its steps, @head what
 * stands before the list of tokens, and @entry writes one and in the end what closes it.
 */
static void
write_other (const char *folder,
             const char *steps,
             const char *head,
             void (*entry) (GString *list, const char *token, guint id))
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  g_autoptr (GHashTable) known =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GString) list = g_string_new (NULL);
  for (guint n = 0; n < N_OTHER_TOKENS;)
    {
      char token[12];
      /* The letters first, and short ones more often than long ones. */
      double x = g_rand_double (rand);
      int length = n < 26 ? 1 : 2 + (int) (x * x * 8);
      for (int i = 0; i < length; i++)
        token[i] = (char) ('a' + (n < 26 ? (int) n : g_rand_int_range (rand, 0, 26)));
      token[length] = '\0';
      if (!g_hash_table_add (known, g_strdup (token)))
        continue;
      entry (list, token, n++);
    }
  g_autofree char *json = g_strdup_printf (
      "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[],"
      "\"post_processor\":null,\"decoder\":null,%s,\"model\":{%s%s}}",
      steps, head, list->str);
  g_autofree char *path = g_build_filename (folder, "tokenizer.json", NULL);
  if (!g_file_set_contents (path, json, -1, &error))
    bench_fail (error);
}

static void
write_wordpiece_entry (GString *list, const char *token, guint id)
{
  g_string_append_printf (list, "%s\"%s\":%u,\"##%s\":%u%s", id == 0 ? "" : ",", token,
                          2 * id + 1, token, 2 * id + 2,
                          id + 1 == N_OTHER_TOKENS ? "}" : "");
}

/* The n-th token is as likely as 1/n, and without the space before it less. */
static void
write_unigram_entry (GString *list, const char *token, guint id)
{
  g_string_append_printf (list, ",[\"\xe2\x96\x81%s\",%.4f],[\"%s\",%.4f]%s", token,
                          -log (id + 2) - 3, token, -log (id + 2) - 4,
                          id + 1 == N_OTHER_TOKENS ? "]" : "");
}

/* Words, the frequent ones often: the n-th as 1/n, more or less. */
static char *
make_text (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  char words[4096][12];
  GString *text = g_string_sized_new (N_TEXT + 32);
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    {
      int n = g_rand_int_range (rand, 1, 11);
      for (int c = 0; c < n; c++)
        words[i][c] = (char) ('a' + g_rand_int_range (rand, 0, 26));
      words[i][n] = '\0';
    }
  while (text->len < N_TEXT)
    {
      double x = g_rand_double (rand);
      g_string_append (text, words[(gsize) (x * x * x * G_N_ELEMENTS (words))]);
      g_string_append_c (text, ' ');
    }
  g_string_truncate (text, N_TEXT);
  return g_string_free (text, FALSE);
}

static HlTokenizer *
load (const char *folder)
{
  g_autoptr (GError) error = NULL;
  BenchSamples samples = { 0 };
  HlTokenizer *tokenizer = NULL;
  for (int i = 0; i < N_ROUNDS; i++)
    {
      double start = bench_now_ms ();
      g_clear_pointer (&tokenizer, hl_tokenizer_unref);
      tokenizer = hl_tokenizer_open (folder, &error);
      if (tokenizer == NULL)
        bench_fail (error);
      bench_add (&samples, start);
    }
  bench_row ("read tokenizer.json", &samples, "%" G_GSIZE_FORMAT " tokens",
             hl_tokenizer_get_n_tokens (tokenizer));
  return tokenizer;
}

static double
encode (HlTokenizer *tokenizer, const char *what, const char *text)
{
  g_autoptr (GError) error = NULL;
  BenchSamples samples = { 0 };
  gsize n_tokens = 0;
  for (int i = 0; i < N_ROUNDS; i++)
    {
      double start = bench_now_ms ();
      g_autoptr (HlEncoding) encoding =
          hl_tokenizer_encode (tokenizer, text, N_TEXT, NULL, &error);
      if (encoding == NULL)
        bench_fail (error);
      bench_add (&samples, start);
      n_tokens = encoding->n_tokens;
    }
  bench_row (what, &samples, "%6.1f MB/s, %" G_GSIZE_FORMAT " tokens",
             N_TEXT / bench_median (&samples) / 1e3, n_tokens);
  return bench_median (&samples);
}

/* What the library says of the same file and text. */
static void
run_peer (const char *script, const char *path, const char *text_path, double own_ms)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *out = NULL;
  const char *python = g_getenv ("HEADLIGHT_PEER_PYTHON");
  const char *argv[] = { python != NULL && *python != '\0' ? python : "python3", script,
                         path, text_path, NULL };
  if (!g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out,
                     NULL, NULL, &error))
    {
      bench_say ("tokenizers library", "skipped: %s", error->message);
      return;
    }
  const char *median = strstr (out, " ms=");
  g_strchomp (out);
  if (median == NULL)
    bench_say ("tokenizers library", "%s", out);
  else
    bench_say ("tokenizers library", "%s: %.1f times our time",
               out + strlen ("peer tokenizers "),
               g_ascii_strtod (median + strlen (" ms="), NULL) / own_ms);
}

static void
bench_folder (const char *folder,
              const char *title,
              const char *peer,
              const char *text,
              const char *text_path)
{
  g_autofree char *path = g_build_filename (folder, "tokenizer.json", NULL);
  g_autofree char *name = title != NULL ? g_strdup (title) : g_path_get_basename (folder);
  g_autofree char *word = g_strnfill (N_TEXT, 'a');
  g_autofree char *spaces = g_strnfill (N_TEXT, ' ');
  for (gsize i = 0, n = 0; i < N_TEXT; i++)
    if (text[i] != ' ')
      word[n++] = text[i];
  bench_title ("== tokenizer: %s, 1 MB of text ==", name);
  g_autoptr (HlTokenizer) tokenizer = load (folder);
  double ms = encode (tokenizer, "words", text);
  encode (tokenizer, "one word", word);
  encode (tokenizer, "spaces", spaces);
  if (peer != NULL)
    run_peer (peer, path, text_path, ms);
}

/* BERT's steps with WordPiece, and a space put before each word with Unigram. */
static void
bench_others (const char *peer, const char *text, const char *text_path)
{
  char *folder = bench_folder_new ();
  write_other (
      folder,
      "\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,"
      "\"handle_chinese_chars\":true,\"strip_accents\":null,\"lowercase\":true},"
      "\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}",
      "\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":"
      "\"##\",\"max_input_chars_per_word\":100,\"vocab\":{\"[UNK]\":0,",
      write_wordpiece_entry);
  bench_folder (folder, "WordPiece with BERT's steps", peer, text, text_path);
  write_other (
      folder,
      "\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":"
      "\"\xe2\x96\x81\",\"prepend_scheme\":\"always\",\"split\":true}",
      "\"type\":\"Unigram\",\"unk_id\":0,\"byte_fallback\":false,\"vocab\":[[\"<unk>\","
      "0],[\"\xe2\x96\x81\",-2]",
      write_unigram_entry);
  bench_folder (folder, "Unigram", peer, text, text_path);
  bench_folder_free (folder);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int first = argc > 2 && g_str_equal (argv[1], "--peer") ? 3 : 1;
  const char *peer = first == 3 ? argv[2] : NULL;
  char *folder = bench_folder_new ();
  g_autofree char *path = write_tokenizer (folder);
  g_autofree char *text = make_text ();
  g_autofree char *text_path = g_build_filename (folder, "text.txt", NULL);
  if (!g_file_set_contents (text_path, text, N_TEXT, &error))
    bench_fail (error);
  bench_folder (folder, NULL, peer, text, text_path);
  bench_others (peer, text, text_path);
  for (int i = first; i < argc; i++)
    bench_folder (argv[i], NULL, peer, text, text_path);
  bench_folder_free (folder);
  return 0;
}
