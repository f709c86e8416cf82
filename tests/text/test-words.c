/* SPDX-License-Identifier: MIT
 * Tokens as words: which are pieces of one, and what maps and predictions become. */
#include "trace/hl-attention-source.h"
#include "trace/hl-word-trace.h"

#include <math.h>
#include <string.h>

/* A token of a list: its bytes and where they lie. */
typedef struct
{
  const char *bytes;
  double start, end;
  HlTokenRole role;
  int segment;
} Piece;

static HlTokenTable *
make_table (const Piece *pieces, int n)
{
  HlTokenTable *table = hl_token_table_new (n);
  for (int i = 0; i < n; i++)
    {
      HlToken *token = &table->tokens[i];
      token->bytes = g_bytes_new (pieces[i].bytes, strlen (pieces[i].bytes));
      token->text = g_utf8_make_valid (pieces[i].bytes, -1);
      token->id = i;
      token->start = pieces[i].start;
      token->end = pieces[i].end;
      token->role = pieces[i].role;
      token->segment = pieces[i].segment;
    }
  return table;
}

/* Tokens as a tokenizer gives them, cut at every '|' of @text: each begins where the one
 * before it ended. Given in code points; bytes of one character share its place. */
static HlTokenTable *
cut (const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, "|", -1);
  int n = (int) g_strv_length (parts);
  HlTokenTable *table = hl_token_table_new (n);
  double at = 0;
  for (int i = 0; i < n; i++)
    {
      HlToken *token = &table->tokens[i];
      token->bytes = g_bytes_new (parts[i], strlen (parts[i]));
      token->text = g_strdup (parts[i]);
      token->role = HL_ROLE_PROMPT;
      token->start = at;
      at += (double) g_utf8_strlen (parts[i], -1);
      token->end = at;
    }
  return table;
}

/* (transfer full): how many tokens each word has: "1 3 2". */
static char *
sizes_of (const HlTokenTable *table)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlWords) words = hl_words_find (table, &error);
  g_assert_no_error (error);
  g_assert_cmpint (words->n_tokens, ==, table->n_tokens);
  GString *sizes = g_string_new (NULL);
  for (gint64 w = 0; w < words->n_words; w++)
    {
      g_string_append_printf (sizes, "%s%d", w > 0 ? " " : "",
                              (int) (words->first[w + 1] - words->first[w]));
      for (gint64 t = words->first[w]; t < words->first[w + 1]; t++)
        g_assert_cmpint (words->word_of[t], ==, w);
    }
  g_assert_true (hl_words_is_trivial (words) == (words->n_words == words->n_tokens));
  return g_string_free (sizes, FALSE);
}

static void
test_find (void)
{
  const struct
  {
    const char *text, *sizes;
  } cases[] = {
    { "The| token|ization| of| un|believ|ably", "1 2 1 3" },
    { " don|'t| stop|.", "2 1 1" }, /* UAX #29: one word with its apostrophe */
    { "caf|é| na|ï|ve|!", "2 3 1" },
    { "3|.|14| and| 1|,000", "3 1 2" },
    { "foo|_|bar|(|x|)", "3 1 1 1" },
    { " |wo|rd", "3" },     /* a lone space goes with what follows it */
    { "a|  | b", "1 1 1" }, /* more of them are by themselves */
    { "a|\n|b|\n|\n|c", "1 1 1 1 1 1" },
    { "end| ", "1 1" },
    { "日本|語|です|。", "2 1 1" }, /* ICU's dictionary: 日本語 is a word */
    { "-|-|-", "1 1 1" },
    { "", "" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (HlTokenTable) table = cut (cases[i].text);
      g_autofree char *sizes = sizes_of (table);
      g_test_message ("%s", cases[i].text);
      g_assert_cmpstr (sizes, ==, cases[i].sizes);
    }
}

/* Bytes of one character are never cut apart, and need not be whole. */
static void
test_find_bytes (void)
{
  const Piece pieces[] = {
    { " \xE6", 0, 2, HL_ROLE_PROMPT, 0 },    { "\x97", 1, 2, HL_ROLE_PROMPT, 0 },
    { "\xA5", 1, 2, HL_ROLE_PROMPT, 0 },     { "\xF0\x9F", 2, 3, HL_ROLE_PROMPT, 0 },
    { "\x99\x82", 2, 3, HL_ROLE_PROMPT, 0 }, { "\xE6\x97", -1, -1, HL_ROLE_GENERATED, 0 },
  };
  g_autoptr (HlTokenTable) table = make_table (pieces, G_N_ELEMENTS (pieces));
  g_autofree char *sizes = sizes_of (table);
  g_assert_cmpstr (sizes, ==, "3 2 1");
}

/* What lies apart in the text, is special, of another text or of another maker. */
static void
test_find_apart (void)
{
  const Piece pieces[] = {
    { "[CLS]", -1, -1, HL_ROLE_SPECIAL, 0 }, { "play", 0, 4, HL_ROLE_PROMPT, 0 },
    { "ing", 4, 7, HL_ROLE_PROMPT, 0 },      { "chess", 8, 13, HL_ROLE_PROMPT, 0 },
    { "[SEP]", -1, -1, HL_ROLE_SPECIAL, 0 }, { "re", 0, 2, HL_ROLE_PROMPT, 1 },
    { "do", 2, 4, HL_ROLE_PROMPT, 1 },       { "un", -1, -1, HL_ROLE_GENERATED, 1 },
    { "do", -1, -1, HL_ROLE_GENERATED, 1 },  { " it", -1, -1, HL_ROLE_GENERATED, 1 },
    { "pad", -1, -1, HL_ROLE_PADDING, 1 },   { "pad", -1, -1, HL_ROLE_PADDING, 1 },
  };
  g_autoptr (HlTokenTable) table = make_table (pieces, G_N_ELEMENTS (pieces));
  g_autofree char *sizes = sizes_of (table);
  g_assert_cmpstr (sizes, ==, "1 2 1 1 2 2 1 1 1");
  const Piece pair[] = { { "re", 0, 2, HL_ROLE_PROMPT, 0 },
                         { "do", 2, 4, HL_ROLE_PROMPT, 1 } };
  g_autoptr (HlTokenTable) two = make_table (pair, 2);
  g_autofree char *apart = sizes_of (two);
  g_assert_cmpstr (apart, ==, "1 1");
  /* Ids that were given have no place in a text, nor has what is generated. */
  const Piece made[] = { { "re", -1, -1, HL_ROLE_PROMPT, 0 },
                         { "do", -1, -1, HL_ROLE_GENERATED, 0 } };
  g_autoptr (HlTokenTable) half = make_table (made, 2);
  g_autofree char *by_half = sizes_of (half);
  g_assert_cmpstr (by_half, ==, "1 1");
}

/* Given as ids: where the vocabulary writes spaces they part words, else nothing joins
 * but bytes of one character. */
static void
test_find_without_places (void)
{
  const Piece bare[] = { { "play", -1, -1, HL_ROLE_PROMPT, 0 },
                         { "ing", -1, -1, HL_ROLE_PROMPT, 0 },
                         { "\xC3", -1, -1, HL_ROLE_PROMPT, 0 },
                         { "\xA9", -1, -1, HL_ROLE_PROMPT, 0 } };
  g_autoptr (HlTokenTable) table = make_table (bare, G_N_ELEMENTS (bare));
  g_autofree char *sizes = sizes_of (table);
  g_assert_cmpstr (sizes, ==, "1 1 2");
  const Piece spaced[] = { { "play", -1, -1, HL_ROLE_PROMPT, 0 },
                           { "ing", -1, -1, HL_ROLE_PROMPT, 0 },
                           { " chess", -1, -1, HL_ROLE_PROMPT, 0 } };
  g_autoptr (HlTokenTable) words = make_table (spaced, G_N_ELEMENTS (spaced));
  g_autofree char *joined = sizes_of (words);
  g_assert_cmpstr (joined, ==, "2 1");
}

static void
test_find_patches (void)
{
  const char *const cls[] = { "CLS" };
  g_autoptr (HlTokenTable) table = hl_token_table_new_patches (cls, 1, 2, 2);
  g_autofree char *sizes = sizes_of (table);
  g_assert_cmpstr (sizes, ==, "1 1 1 1 1");
  g_autoptr (HlTokenTable) none = hl_token_table_new (0);
  g_autofree char *nothing = sizes_of (none);
  g_assert_cmpstr (nothing, ==, "");
}

static void
test_join_tokens (void)
{
  g_autoptr (HlTokenTable) table = cut ("The| to|ken|s");
  table->tokens[0].id = 7;
  g_autoptr (HlWords) words = hl_words_find (table, NULL);
  g_autoptr (HlTokenTable) joined = hl_words_join_tokens (words, table);
  g_assert_cmpint (joined->n_tokens, ==, 2);
  g_assert_true (joined->is_words);
  g_assert_cmpstr (joined->tokens[0].text, ==, "The");
  g_assert_cmpint (joined->tokens[0].id, ==, 7);
  const HlToken *word = &joined->tokens[1];
  g_assert_cmpstr (word->text, ==, "␣tokens");
  g_assert_cmpint (word->id, ==, -1);
  g_assert_cmpfloat (word->start, ==, 3);
  g_assert_cmpfloat (word->end, ==, 10);
  g_assert_cmpint (word->role, ==, HL_ROLE_PROMPT);
  gsize size = 0;
  const char *bytes = g_bytes_get_data (word->bytes, &size);
  g_assert_cmpmem (bytes, size, " tokens", 7);
}

/* Ids 10.. of four tokens; position i says that of i + 1, or its own. */
static HlPredictions *
make_predictions (gboolean is_own)
{
  const gint32 ids[] = { 10, 11, 12, 13 };
  HlPredictions *p = hl_predictions_new (ids, 4, 2, is_own, NULL);
  for (int i = 0; i < 4; i++)
    {
      gboolean is_known = is_own || i < 3;
      ((float *) p->next_log_probs->data)[i] = is_known ? -(float) (1 << i) : NAN;
      ((gint32 *) p->next_ranks->data)[i] = is_known ? i : -1;
      ((float *) p->entropies->data)[i] = (float) i;
      for (int k = 0; k < 2; k++)
        {
          ((gint32 *) p->top_ids->data)[i * 2 + k] = 100 * i + k;
          ((float *) p->top_log_probs->data)[i * 2 + k] = -(float) (10 * i + k);
        }
    }
  hl_predictions_set_text (p, 300, "x");
  return p;
}

static gint32
id_at (const HlTensor *t, int i)
{
  return ((const gint32 *) t->data)[i];
}

static void
test_join_predictions (void)
{
  g_autoptr (HlTokenTable) table = cut ("The| to|ken| s"); /* words 0 | 1 2 | 3 */
  g_autoptr (HlWords) words = hl_words_find (table, NULL);
  g_autoptr (HlPredictions) p = make_predictions (FALSE);
  g_autoptr (HlPredictions) joined = hl_words_join_predictions (words, p, NULL);
  const float *log_probs = hl_tensor_f32 (joined->next_log_probs);
  g_assert_cmpint (hl_predictions_get_length (joined), ==, 3);
  g_assert_cmpfloat (log_probs[0], ==, -1 - 2); /* of both pieces that follow */
  g_assert_cmpfloat (log_probs[1], ==, -4);
  g_assert_true (isnan (log_probs[2]));
  g_assert_cmpint (id_at (joined->next_ids, 0), ==, 11);
  g_assert_cmpint (id_at (joined->next_ids, 1), ==, 13);
  g_assert_cmpint (id_at (joined->next_ids, 2), ==, -1);
  g_assert_cmpint (id_at (joined->next_ranks, 0), ==, -1); /* of one token only */
  g_assert_cmpint (id_at (joined->next_ranks, 1), ==, 2);
  g_assert_cmpint (id_at (joined->top_ids, 2), ==, 200); /* its last piece goes on */
  g_assert_cmpfloat (hl_tensor_f32 (joined->entropies)[1], ==, 2);
  g_assert_cmpstr (hl_predictions_get_text (joined, 300), ==, "x");

  g_autoptr (HlPredictions) masked = make_predictions (TRUE);
  g_autoptr (HlPredictions) own = hl_words_join_predictions (words, masked, NULL);
  g_assert_cmpfloat (hl_tensor_f32 (own->next_log_probs)[1], ==, -2 - 4);
  g_assert_cmpint (id_at (own->next_ids, 0), ==, 10);
  g_assert_cmpint (id_at (own->next_ids, 1), ==, -1);
  g_assert_cmpint (id_at (own->top_ids, 0), ==, 0);
  g_assert_cmpint (id_at (own->top_ids, 2), ==, -1);
  g_assert_true (isnan (hl_tensor_f32 (own->entropies)[1]));
}

/* ---- maps ----------------------------------------------------------------------------
 */

typedef struct
{
  HlTrace *trace, *words;
  HlAttentionSource *source, *joined;
} Maps;

static HlTensor *
random_rows (gint64 H, gint64 n, gint64 m)
{
  HlTensor *t = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (H, n, m), NULL);
  float *x = t->data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  for (gint64 i = 0; i < H * n; i++, x += m)
    {
      double sum = 0;
      for (gint64 j = 0; j < m; j++)
        sum += (double) (x[j] = (float) g_rand_double (rand));
      for (gint64 j = 0; j < m; j++)
        x[j] = (float) ((double) x[j] / sum);
    }
  return t;
}

/* An encoder of "source", a decoder of "target", and the attention between them. */
static void
maps_init (Maps *f, const char *source, const char *target)
{
  g_autoptr (GError) error = NULL;
  HlModelInfo *info = hl_model_info_new ();
  hl_model_info_add_stack (info, "encoder", 1)->layers[0].n_heads = 2;
  HlLayerInfo *layer = hl_model_info_add_stack (info, "decoder", 1)->layers;
  *layer = (HlLayerInfo){ .n_heads = 2, .is_causal = TRUE, .window = 4 };
  hl_model_info_add_cross (info, 1, 0, 1)->layers[0].n_heads = 2;
  info->readout_stack = 1;
  f->trace = hl_trace_new (info);
  hl_model_info_unref (info);
  g_ptr_array_add (f->trace->tokens, cut (source));
  g_ptr_array_add (f->trace->tokens, cut (target));
  g_ptr_array_add (f->trace->tokens, cut (target));
  for (int s = 0; s < 3; s++)
    {
      g_autofree char *name =
          hl_trace_site_name (f->trace->model, s, 0, "attn.hook_pattern");
      g_autoptr (HlTensor) map =
          random_rows (2, hl_trace_get_tokens (f->trace, s)->n_tokens,
                       hl_trace_get_key_tokens (f->trace, s)->n_tokens);
      hl_trace_set_site (f->trace, name, map);
    }
  f->words = hl_word_trace_new (f->trace, &error);
  g_assert_no_error (error);
  f->source = hl_attention_source_new (f->trace);
  f->joined = hl_attention_source_new (f->words);
}

static void
maps_clear (Maps *f)
{
  hl_attention_source_unref (f->source);
  hl_attention_source_unref (f->joined);
  hl_trace_unref (f->trace);
  hl_trace_unref (f->words);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Maps, maps_clear)

/* By the definition, cell by cell, from which token is of which word. */
static double
cell_of (const Maps *f,
         HlHeadKey head,
         const int *query_word,
         gint64 Tq,
         const int *key_word,
         gint64 Tk,
         int q,
         int k)
{
  g_autofree float *map = g_new (float, (gsize) (Tq * Tk));
  hl_attention_source_read_rect (f->source, NULL, head, 0, Tq, 0, Tk, map, NULL, NULL);
  double sum = 0;
  int n = 0;
  for (gint64 i = 0; i < Tq; i++)
    {
      n += query_word[i] == q;
      for (gint64 j = 0; j < Tk; j++)
        if (query_word[i] == q && key_word[j] == k)
          sum += (double) map[i * Tk + j];
    }
  return sum / n;
}

#define SOURCE "The| to|ken|s| un|do|."
#define TARGET "Die| Wör|ter| gehen"
static const int source_word[] = { 0, 1, 1, 1, 2, 2, 3 };
static const int target_word[] = { 0, 1, 1, 2 };

static void
check_map (const Maps *f,
           HlHeadKey head,
           const int *query_word,
           gint64 Tq,
           gint64 n_queries,
           const int *key_word,
           gint64 Tk,
           gint64 n_keys)
{
  gint64 nq = 0, nk = 0;
  g_assert_true (hl_attention_source_get_size (f->joined, head, &nq, &nk));
  g_assert_cmpint (nq, ==, n_queries);
  g_assert_cmpint (nk, ==, n_keys);
  g_assert_true (hl_attention_source_is_stored (f->joined, head));
  for (int q = 0; q < nq; q++)
    {
      g_autofree float *row = g_new (float, (gsize) nk);
      double sum = 0;
      g_assert_true (
          hl_attention_source_read_row (f->joined, NULL, head, q, row, NULL, NULL));
      for (int k = 0; k < nk; k++)
        {
          double wanted = cell_of (f, head, query_word, Tq, key_word, Tk, q, k);
          g_assert_cmpfloat_with_epsilon ((double) row[k], wanted, 1e-7);
          sum += (double) row[k];
        }
      g_assert_cmpfloat_with_epsilon (sum, 1, 1e-6);
    }
}

static void
test_maps (void)
{
  g_auto (Maps) f = { 0 };
  maps_init (&f, SOURCE, TARGET);
  g_assert_true (hl_trace_has_pieces (f.trace));
  g_assert_true (hl_trace_in_tokens (f.words) == f.trace);
  for (int h = 0; h < 2; h++)
    {
      check_map (&f, (HlHeadKey){ 0, 0, h }, source_word, 7, 4, source_word, 7, 4);
      check_map (&f, (HlHeadKey){ 1, 0, h }, target_word, 4, 3, target_word, 4, 3);
      check_map (&f, (HlHeadKey){ 2, 0, h }, target_word, 4, 3, source_word, 7, 4);
    }
}

/* A part of a map, a column, a tile: the same numbers. */
static void
test_parts (void)
{
  g_auto (Maps) f = { 0 };
  HlHeadKey head = { 2, 0, 1 };
  float all[12], part[4], column[3];
  maps_init (&f, SOURCE, TARGET);
  g_assert_true (
      hl_attention_source_read_rect (f.joined, NULL, head, 0, 3, 0, 4, all, NULL, NULL));
  g_assert_true (
      hl_attention_source_read_rect (f.joined, NULL, head, 1, 2, 1, 2, part, NULL, NULL));
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++)
      g_assert_cmpfloat (part[i * 2 + j], ==, all[(1 + i) * 4 + 1 + j]);
  g_assert_true (
      hl_attention_source_read_column (f.joined, NULL, head, 2, column, NULL, NULL));
  for (int i = 0; i < 3; i++)
    g_assert_cmpfloat (column[i], ==, all[i * 4 + 2]);
  g_autoptr (HlAttentionTile) tile =
      hl_attention_source_read_tile (f.joined, NULL, head, 0, 0, 0, NULL, NULL);
  g_assert_cmpint (tile->n_rows, ==, 3);
  g_assert_cmpint (tile->n_columns, ==, 4);
  g_assert_cmpmem (tile->mean, sizeof all, all, sizeof all);
  g_autoptr (GError) error = NULL;
  g_assert_false (hl_attention_source_read_rect (f.joined, NULL, head, 0, 4, 0, 4, all,
                                                 NULL, &error));
  g_assert_nonnull (strstr (error->message, "3 x 4"));
}

/* A long word, and more entries than are read together. */
static void
test_long (void)
{
  g_autoptr (GString) text = g_string_new ("x");
  for (int i = 1; i < 3000; i++)
    g_string_append (text, i == 1500 ? "| y" : "|x");
  g_auto (Maps) f = { 0 };
  maps_init (&f, text->str, "a| b");
  gint64 Tq = 0, Tk = 0;
  HlHeadKey head = { 0, 0, 1 };
  g_assert_true (hl_attention_source_get_size (f.joined, head, &Tq, &Tk));
  g_assert_cmpint (Tq, ==, 2);
  g_assert_cmpint (Tk, ==, 2);
  float all[4];
  g_assert_true (
      hl_attention_source_read_rect (f.joined, NULL, head, 0, 2, 0, 2, all, NULL, NULL));
  g_autofree float *map = g_new (float, 3000 * 3000);
  hl_attention_source_read_rect (f.source, NULL, head, 0, 3000, 0, 3000, map, NULL, NULL);
  double sums[4] = { 0 };
  for (int i = 0; i < 3000; i++)
    for (int j = 0; j < 3000; j++)
      sums[(i >= 1500) * 2 + (j >= 1500)] += (double) map[i * 3000 + j] / 1500;
  for (int i = 0; i < 4; i++)
    g_assert_cmpfloat_with_epsilon ((double) all[i], sums[i], 1e-6);
}

/* A word sees what one of its pieces sees. */
static void
test_seen (void)
{
  g_auto (Maps) f = { 0 };
  /* Words 0 | 1 2 3 | 4 5 | 6 of the decoder, which sees four tokens back at most. */
  maps_init (&f, "a", SOURCE);
  HlKeySpan span = hl_trace_keys_seen (f.words, 1, 0, 2, 4, 4);
  g_assert_cmpint (span.first, ==, 1); /* token 4 sees 1 to 4, token 5 2 to 5 */
  g_assert_cmpint (span.end, ==, 3);
  span = hl_trace_keys_seen (f.words, 1, 0, 1, 4, 4);
  g_assert_cmpint (span.first, ==, 0);
  g_assert_cmpint (span.end, ==, 2);
  /* Of a window that reaches both ways: the last piece sees further on. */
  hl_model_info_get_stack (f.trace->model, 1)->layers[0].is_causal = FALSE;
  span = hl_trace_keys_seen (f.words, 1, 0, 1, 4, 4);
  g_assert_cmpint (span.first, ==, 0);
  g_assert_cmpint (span.end, ==, 4);
  hl_model_info_get_stack (f.trace->model, 1)->layers[0].is_causal = TRUE;
  span = hl_trace_keys_seen (f.trace, 1, 0, 5, 7, 7);
  g_assert_cmpint (span.first, ==, 2);
  g_assert_cmpint (span.end, ==, 6);
  span = hl_trace_keys_seen (f.words, 0, 0, 0, 1, 1);
  g_assert_cmpint (span.end, ==, 1);
  span = hl_trace_keys_seen (f.words, 2, 0, 3, 4, 1);
  g_assert_cmpint (span.end, ==, 1);
  /* A place of what was shown before says nothing. */
  span = hl_trace_keys_seen (f.words, 1, 0, 6, 4, 4);
  g_assert_cmpint (span.first, ==, 0);
  g_assert_cmpint (span.end, ==, 4);
}

/* Tokens that are not those of the map join nothing. */
static void
test_other_tokens (void)
{
  g_auto (Maps) f = { 0 };
  maps_init (&f, SOURCE, TARGET);
  g_autoptr (HlTensor) map = random_rows (2, 9, 9);
  g_autofree char *name = hl_trace_site_name (f.trace->model, 0, 0, "attn.hook_pattern");
  hl_trace_set_site (f.trace, name, map);
  gint64 Tq, Tk;
  g_assert_false (
      hl_attention_source_get_size (f.joined, (HlHeadKey){ 0, 0, 0 }, &Tq, &Tk));
  g_assert_true (
      hl_attention_source_get_size (f.joined, (HlHeadKey){ 1, 0, 0 }, &Tq, &Tk));
  /* A trace whose tokens are not those of its maps keeps that side in tokens. */
  g_autoptr (HlTrace) again = hl_word_trace_new (f.trace, NULL);
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (again);
  g_assert_null (hl_trace_get_words (again, 0));
  g_assert_nonnull (hl_trace_get_words (again, 1));
  g_assert_true (hl_attention_source_get_size (source, (HlHeadKey){ 0, 0, 0 }, &Tq, &Tk));
  g_assert_cmpint (Tq, ==, 9);
  g_assert_true (hl_attention_source_get_size (source, (HlHeadKey){ 2, 0, 0 }, &Tq, &Tk));
  g_assert_cmpint (Tq, ==, 3);
  g_assert_cmpint (Tk, ==, 7);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/words/find", test_find);
  g_test_add_func ("/words/find-bytes", test_find_bytes);
  g_test_add_func ("/words/find-apart", test_find_apart);
  g_test_add_func ("/words/find-without-places", test_find_without_places);
  g_test_add_func ("/words/find-patches", test_find_patches);
  g_test_add_func ("/words/join-tokens", test_join_tokens);
  g_test_add_func ("/words/join-predictions", test_join_predictions);
  g_test_add_func ("/words/maps", test_maps);
  g_test_add_func ("/words/parts", test_parts);
  g_test_add_func ("/words/long", test_long);
  g_test_add_func ("/words/seen", test_seen);
  g_test_add_func ("/words/other-tokens", test_other_tokens);
  return g_test_run ();
}
