/* SPDX-License-Identifier: MIT
 * From traces of texts to scenes: tokens, weights, arcs, finding, predictions. */
#include "presenters/hl-present-tokens.h"
#include "synthetic.h"

#include <locale.h>
#include <math.h>
#include <string.h>

/* ---- traces --------------------------------------------------------------------------
 */

typedef struct
{
  const char *bytes; /* NULL for none */
  const char *text;
  HlTokenRole role;
  double start, end;
} Row;

/* "a", "é" in two bytes, "ü" in two bytes, half of a character, a line's end, " b". */
static const Row mixed[] = {
  { "<s>", "<s>", HL_ROLE_SPECIAL, -1, -1 }, { "a", "a", HL_ROLE_PROMPT, 0, 1 },
  { "\xc3", "\\xC3", HL_ROLE_PROMPT, 1, 2 }, { "\xa9", "\\xA9", HL_ROLE_PROMPT, 1, 2 },
  { "\xc3", "\\xC3", HL_ROLE_PROMPT, 2, 3 }, { "\xbc", "\\xBC", HL_ROLE_PROMPT, 2, 3 },
  { "\xe2", "\\xE2", HL_ROLE_PROMPT, 3, 4 }, { "\x82", "\\x82", HL_ROLE_PROMPT, 3, 4 },
  { ".\n", ".\\n", HL_ROLE_PROMPT, 4, 6 },   { " B", "␣B", HL_ROLE_GENERATED, -1, -1 },
  { NULL, "pad", HL_ROLE_PADDING, -1, -1 },
};

static HlTrace *
trace_of (const Row *rows, int n, gboolean is_causal)
{
  HlTokenTable *tokens = hl_token_table_new (n);
  for (int i = 0; i < n; i++)
    {
      HlToken *token = &tokens->tokens[i];
      token->id = 100 + i;
      token->text = g_strdup (rows[i].text);
      token->role = rows[i].role;
      token->start = rows[i].start;
      token->end = rows[i].end;
      if (rows[i].bytes != NULL)
        token->bytes = g_bytes_new (rows[i].bytes, strlen (rows[i].bytes));
    }
  return synthetic_trace_new (2, 2, is_causal, tokens);
}

/* Words that are the bytes and the text of one token each. */
static HlTrace *
trace_of_words (const char *const *words, int n)
{
  g_autofree Row *rows = g_new0 (Row, (gsize) n);
  for (int i = 0; i < n; i++)
    rows[i] = (Row){ words[i], words[i], HL_ROLE_PROMPT, i, i + 1 };
  return trace_of (rows, n, TRUE);
}

/* Token i + 1 had a log-probability of -i * @step; the last is not known. */
static void
predict (HlTrace *trace, int n, double step)
{
  g_autofree gint32 *ids = g_new0 (gint32, (gsize) n);
  HlPredictions *p = hl_predictions_new (ids, n, 3, FALSE, NULL);
  for (int i = 0; i < n; i++)
    {
      ((float *) p->next_log_probs->data)[i] =
          i + 1 < n ? (float) (-i * step) : (float) NAN;
      for (int k = 0; k < 3; k++)
        {
          ((gint32 *) p->top_ids->data)[3 * i + k] = 10 * i + k;
          ((float *) p->top_log_probs->data)[3 * i + k] = (float) log (0.5 / (k + 1));
        }
    }
  hl_predictions_set_text (p, 10, "␣the");
  trace->predictions = p;
}

/* ---- the list ------------------------------------------------------------------------
 */

static void
test_list (void)
{
  const int n = G_N_ELEMENTS (mixed);
  static const HlTokenKind kinds[] = { HL_TOKEN_KIND_SPECIAL, HL_TOKEN_KIND_PROMPT,
                                       HL_TOKEN_KIND_PROMPT,  HL_TOKEN_KIND_PROMPT,
                                       HL_TOKEN_KIND_PROMPT,  HL_TOKEN_KIND_PROMPT,
                                       HL_TOKEN_KIND_PROMPT,  HL_TOKEN_KIND_PROMPT,
                                       HL_TOKEN_KIND_PROMPT,  HL_TOKEN_KIND_GENERATED,
                                       HL_TOKEN_KIND_PADDING };
  g_autoptr (HlTrace) trace = trace_of (mixed, n, TRUE);
  g_autoptr (HlTokenList) list =
      hl_present_token_list (hl_trace_get_tokens (trace, 0), trace->predictions, 0, 0);
  g_assert_cmpint (list->n, ==, n);
  for (int i = 0; i < n; i++)
    {
      const HlTokenItem *item = &list->items[i];
      g_assert_cmpint (item->id, ==, 100 + i);
      g_assert_cmpint (item->kind, ==, kinds[i]);
      g_assert_cmpint (item->breaks_line, ==, i == 8);
      g_assert_false (item->is_excluded);
      /* Nothing is known of how likely they were. */
      g_assert_true (isnan (item->shade) && isnan (item->log_prob));
    }
  g_assert_cmpstr (list->items[0].bytes, ==, "3C 73 3E");
  g_assert_cmpstr (list->items[9].text, ==, "␣B");
  g_assert_cmpstr (list->items[10].bytes, ==, NULL);
  g_autoptr (HlTrace) none = synthetic_trace_new (1, 1, TRUE, NULL);
  g_autoptr (HlTokenList) empty =
      hl_present_token_list (hl_trace_get_tokens (none, 0), none->predictions, 0, 0);
  g_assert_cmpint (empty->n, ==, 0);
}

/* The bytes of one character are one box with the whole of it; halves stay apart. */
static void
test_pieces (void)
{
  static const guint groups[G_N_ELEMENTS (mixed)] = { 0, 0, 1, 1, 2, 2 };
  g_autoptr (HlTrace) trace = trace_of (mixed, G_N_ELEMENTS (mixed), TRUE);
  g_autoptr (HlTokenList) list =
      hl_present_token_list (hl_trace_get_tokens (trace, 0), trace->predictions, 0, 0);
  int n = 0;
  for (guint i = 0; i < G_N_ELEMENTS (mixed); i++)
    g_assert_cmpuint (list->items[i].group, ==, groups[i]);
  g_assert_cmpstr (list->items[2].text, ==, "é");
  g_assert_cmpstr (list->items[4].text, ==, "ü");
  g_assert_cmpstr (list->items[6].text, ==, "\\xE2");
  g_assert_cmpstr (list->items[3].bytes, ==, "A9");
  g_assert_cmpint (hl_token_list_piece (list, 5, &n), ==, 4);
  g_assert_cmpint (n, ==, 2);
}

/* What was generated has no place in the text; its bytes say what belongs together, also
 * with the prompt's last token. A blank in front of the character is seen. */
static void
test_pieces_generated (void)
{
  static const Row rows[] = {
    { "a", "a", HL_ROLE_PROMPT, 0, 1 },
    { " \xe2", "␣\\xE2", HL_ROLE_PROMPT, 1, 3 },
    { "\x82", "\\x82", HL_ROLE_GENERATED, -1, -1 },
    { "\xac", "\\xAC", HL_ROLE_GENERATED, -1, -1 },
    { "b", "b", HL_ROLE_GENERATED, -1, -1 },
    { "\xc3", "\\xC3", HL_ROLE_GENERATED, -1, -1 },
    { "c", "c", HL_ROLE_GENERATED, -1, -1 },
    { "\xf0\x9f", "\\xF0\\x9F", HL_ROLE_GENERATED, -1, -1 },
    { "\x98\x80", "\\x98\\x80", HL_ROLE_GENERATED, -1, -1 },
    { "\xe2", "\\xE2", HL_ROLE_GENERATED, -1, -1 },
  };
  static const guint groups[G_N_ELEMENTS (rows)] = { 0, 1, 1, 1, 0, 0, 0, 2, 2, 0 };
  g_autoptr (HlTrace) trace = trace_of (rows, G_N_ELEMENTS (rows), TRUE);
  g_autoptr (HlTokenList) list =
      hl_present_token_list (hl_trace_get_tokens (trace, 0), NULL, 0, 0);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_assert_cmpuint (list->items[i].group, ==, groups[i]);
  g_assert_cmpstr (list->items[1].text, ==, "␣€");
  g_assert_cmpstr (list->items[7].text, ==, "😀");
  g_assert_cmpstr (list->items[5].text, ==, "\\xC3");
}

static void
test_whole_text (void)
{
  static const Row rows[] = {
    { "<s>", "<s>", HL_ROLE_SPECIAL, -1, -1 },
    { "ab", "ab", HL_ROLE_PROMPT, 0, 2 },
    { " c", "␣c", HL_ROLE_GENERATED, -1, -1 },
    { "\xe2", "\\xE2", HL_ROLE_GENERATED, -1, -1 },
    { "\x82\xac", "", HL_ROLE_GENERATED, -1, -1 },
    { "\xc3", "\\xC3", HL_ROLE_GENERATED, -1, -1 },
  };
  gsize n_prompt = 0;
  g_autoptr (HlTrace) trace = trace_of (rows, G_N_ELEMENTS (rows), TRUE);
  trace->text = g_strdup ("ab");
  g_autofree char *text = hl_present_whole_text (trace, &n_prompt);
  g_assert_cmpstr (text, ==, "ab c€\xef\xbf\xbd");
  g_assert_cmpuint (n_prompt, ==, 2);
  g_autoptr (HlTrace) none = synthetic_trace_new (1, 1, TRUE, NULL);
  g_autofree char *empty = hl_present_whole_text (none, NULL);
  g_assert_cmpstr (empty, ==, "");
}

static void
test_long_bytes (void)
{
  static const char *const words[] = { "abcdefghijklmnopqrstuvwx", /* 24 */
                                       "abcdefghijklmnopqrstuvwxy" };
  g_autoptr (HlTrace) trace = trace_of_words (words, 2);
  g_autoptr (HlTokenList) list =
      hl_present_token_list (hl_trace_get_tokens (trace, 0), trace->predictions, 0, 0);
  g_assert_true (g_str_has_suffix (list->items[0].bytes, " 77 78"));
  g_assert_true (g_str_has_suffix (list->items[1].bytes, " 77 78 …"));
}

/* A token's tint is what the position before it thought of it. */
static void
test_shade (void)
{
  const int n = 7;
  g_autoptr (HlTrace) trace = trace_of (mixed, n, TRUE);
  predict (trace, n, 2.5);
  g_autoptr (HlTokenList) list =
      hl_present_token_list (hl_trace_get_tokens (trace, 0), trace->predictions, 2, 4);
  g_assert_true (isnan (list->items[0].shade) && isnan (list->items[0].log_prob));
  for (int i = 1; i < n; i++)
    {
      g_assert_cmpfloat (list->items[i].log_prob, ==, (float) (-2.5 * (i - 1)));
      g_assert_cmpfloat_with_epsilon (list->items[i].shade,
                                      (float) MIN (0.25 * (i - 1), 1), 1e-6F);
    }
  for (int i = 0; i < n; i++)
    g_assert_cmpint (list->items[i].is_excluded, ==, i < 2 || i >= 4);
}

/* ---- weights -------------------------------------------------------------------------
 */

static const HlViewOptions plain = { .colormap = HL_COLORMAP_CIVIDIS };

static void
assert_weights (const HlTokenScene *scene, const float *wanted, int n)
{
  for (int i = 0; i < n; i++)
    if (isnan (wanted[i]) ? !isnan (scene->weights[i]) : scene->weights[i] != wanted[i])
      g_error ("weight %d: %g expected, %g found", i, (double) wanted[i],
               (double) scene->weights[i]);
}

/* What a causal mask forbids is no zero: the tokens after the last of the chosen, and
 * those before the first of them where it is asked who looks there. */
static void
test_weights (void)
{
  const float weights[] = { 0.25F, 0.5F, 0.75F, 0.125F, 2 };
  const float to[] = { 0.25F, 0.5F, 0.75F, NAN, NAN };
  const float from[] = { NAN, 0.5F, 0.75F, 0.125F, 2 };
  const gint64 chosen[] = { 1, 2 };
  const HlHeadKey head = { 0, 1, 0 };
  g_autoptr (HlTrace) causal = trace_of (mixed, 5, TRUE);
  g_autoptr (HlTrace) free_trace = trace_of (mixed, 5, FALSE);
  g_autoptr (HlTokenList) list =
      hl_present_token_list (hl_trace_get_tokens (causal, 0), causal->predictions, 0, 0);
  g_autoptr (HlTokenScene) a =
      hl_present_tokens (causal, head, list, chosen, 2, 4, weights, 2, FALSE, &plain);
  assert_weights (a, to, 5);
  g_assert_cmpfloat (a->scale.high, ==, 0.75);
  g_assert_cmpint (a->scale.colormap, ==, HL_COLORMAP_CIVIDIS);
  g_assert_cmpint (a->direction, ==, HL_TOKENS_ATTEND_TO);
  g_assert_cmpint (a->n_selected, ==, 2);
  g_assert_cmpint (a->selected[1], ==, 2);
  g_autoptr (HlTokenScene) b =
      hl_present_tokens (causal, head, list, chosen, 2, -1, weights, 2, TRUE, &plain);
  assert_weights (b, from, 5);
  g_assert_cmpfloat (b->scale.high, ==, 2);
  g_assert_cmpint (b->direction, ==, HL_TOKENS_ATTENDED_FROM);
  g_autoptr (HlTokenScene) c = hl_present_tokens (free_trace, head, list, chosen, 2, -1,
                                                  weights, 2, FALSE, &plain);
  assert_weights (c, weights, 5);
  /* The hovered token stands for the chosen ones while there are none. */
  g_autoptr (HlTokenScene) d =
      hl_present_tokens (causal, head, list, NULL, 0, 2, weights, 1, FALSE, &plain);
  assert_weights (d, to, 5);
  g_assert_cmpint (d->hovered, ==, 2);
  g_autoptr (HlTokenScene) e =
      hl_present_tokens (causal, head, list, NULL, 0, -1, weights, 1, FALSE, &plain);
  assert_weights (e, weights, 5);
}

static void
test_no_weights (void)
{
  const float zeros[5] = { 0 };
  g_autoptr (HlTrace) trace = trace_of (mixed, 5, TRUE);
  g_autoptr (HlTokenList) list =
      hl_present_token_list (hl_trace_get_tokens (trace, 0), trace->predictions, 0, 0);
  g_autoptr (HlTokenScene) bare = hl_present_tokens (trace, (HlHeadKey){ 0, 0, 0 }, list,
                                                     NULL, 0, -1, NULL, 0, FALSE, &plain);
  g_assert_null (bare->weights);
  g_assert_null (bare->caption);
  g_assert_cmpfloat (bare->scale.high, ==, 1);
  g_autoptr (HlTokenScene) none = hl_present_tokens (
      trace, (HlHeadKey){ 0, 0, 0 }, list, NULL, 0, -1, zeros, 1, FALSE, &plain);
  g_assert_cmpfloat (none->scale.high, ==, 1);
}

static void
assert_captions (void)
{
  const float weights[] = { 0.25F, 0.5F, 0.7546F };
  const gint64 chosen[] = { 2 };
  g_autoptr (HlTrace) trace = trace_of (mixed, 3, TRUE);
  g_autoptr (HlTokenList) list =
      hl_present_token_list (hl_trace_get_tokens (trace, 0), trace->predictions, 0, 0);
  g_autoptr (HlTokenScene) one = hl_present_tokens (
      trace, (HlHeadKey){ 0, 1, 0 }, list, chosen, 1, -1, weights, 1, FALSE, &plain);
  g_assert_cmpstr (
      one->caption, ==,
      "Head 1.0: attention of token 2 “\\xC3”; 0 to 0.755, the largest shown.");
  g_autoptr (HlTokenScene) more = hl_present_tokens (
      trace, (HlHeadKey){ 0, 0, 1 }, list, chosen, 1, -1, weights, 3, TRUE, &plain);
  g_assert_cmpstr (
      more->caption, ==,
      "Head 0.1: who attends to 3 tokens, summed; 0 to 0.755, the largest shown.");
}

static void
test_captions (void)
{
  assert_captions ();
  if (setlocale (LC_NUMERIC, "de_DE.UTF-8") == NULL)
    {
      g_test_skip ("no locale de_DE.UTF-8 here: points are tested in this one only");
      return;
    }
  g_assert_cmpstr (localeconv ()->decimal_point, ==, ",");
  assert_captions ();
  setlocale (LC_NUMERIC, "C");
}

/* ---- arcs ----------------------------------------------------------------------------
 */

static void
assert_arc (
    const HlTokenScene *scene, int i, gint64 query, gint64 key, float weight, int head)
{
  const HlArc *arc = &scene->arcs[i];
  g_assert_cmpint (arc->query, ==, query);
  g_assert_cmpint (arc->key, ==, key);
  g_assert_cmpfloat (arc->weight, ==, weight);
  g_assert_cmpint (arc->head, ==, head);
}

/* Of each query its three strongest keys, if they are strong at all. */
static void
test_arcs (void)
{
  static const float rows[2][5] = { { 0.0625F, 0.25F, 0.125F, 0.375F, 0.125F },
                                    { 0.0499F, 0.9F, 0.0501F, 0, 0 } };
  g_autoptr (HlTrace) trace = trace_of (mixed, 5, TRUE);
  g_autoptr (HlTokenList) list =
      hl_present_token_list (hl_trace_get_tokens (trace, 0), trace->predictions, 0, 0);
  g_autoptr (HlTokenScene) scene = hl_token_scene_new (list);
  hl_present_add_arcs (scene, &rows[0][0], 2, 2, 5, 0);
  g_assert_cmpint (scene->n_arcs, ==, 5);
  assert_arc (scene, 0, 2, 3, 0.375F, 0);
  assert_arc (scene, 1, 2, 1, 0.25F, 0);
  assert_arc (scene, 2, 2, 2, 0.125F, 0); /* the first of two alike */
  assert_arc (scene, 3, 3, 1, 0.9F, 0);
  assert_arc (scene, 4, 3, 2, 0.0501F, 0);
  /* Another head's come behind. */
  hl_present_add_arcs (scene, &rows[1][0], 0, 1, 5, 3);
  g_assert_cmpint (scene->n_arcs, ==, 7);
  assert_arc (scene, 0, 2, 3, 0.375F, 0);
  assert_arc (scene, 5, 0, 1, 0.9F, 3);
  hl_present_add_arcs (scene, &rows[1][0], 0, 0, 5, 4);
  g_assert_cmpint (scene->n_arcs, ==, 7);
}

/* ---- finding -------------------------------------------------------------------------
 */

static void
assert_found (const HlTrace *trace, const char *words, const char *wanted)
{
  g_autoptr (GArray) found = hl_present_find_tokens (trace, 0, words);
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < found->len; i++)
    g_string_append_printf (text, "%s%d", i > 0 ? " " : "",
                            (int) g_array_index (found, gint64, i));
  if (!g_str_equal (text->str, wanted))
    g_error ("\"%s\": tokens %s expected, %s found", words, wanted, text->str);
}

static void
test_find (void)
{
  static const char *const words[] = { "The", " th",    "e",     " ca",    "T",
                                       ".",   " Ärger", "Straß", "e ΣΟΦΟΣ" };
  static const char *const same[] = { "aa", "a", "aaa", "b" };
  g_autoptr (HlTrace) trace = trace_of_words (words, G_N_ELEMENTS (words));
  g_autoptr (HlTrace) runs = trace_of_words (same, G_N_ELEMENTS (same));
  static const char *const again[] = { "a", "b", "a", "b", "a", "c" };
  g_autoptr (HlTrace) over = trace_of_words (again, G_N_ELEMENTS (again));
  g_autoptr (HlTrace) none = synthetic_trace_new (1, 1, TRUE, NULL);
  assert_found (trace, "THE", "0 1 2");
  assert_found (trace, "the c", "1 2 3");
  assert_found (trace, "cat", "3 4");
  assert_found (trace, "t", "0 1 4 7");
  assert_found (trace, "ärg", "6");
  assert_found (trace, "strasse", "7 8");
  assert_found (trace, "σοφος", "8");
  assert_found (trace, "dog", "");
  assert_found (trace, "", "");
  assert_found (none, "a", "");
  /* Places that overlap, each token once. */
  assert_found (runs, "aaaa", "0 1 2");
  assert_found (runs, "aaab", "2 3");
  assert_found (over, "aba", "0 1 2 3 4");
  assert_found (runs, "AA", "0 1 2");
}

/* A character that is several tokens is found whole; other bytes are in nobody's way. */
static void
test_find_pieces (void)
{
  g_autoptr (HlTrace) trace = trace_of (mixed, G_N_ELEMENTS (mixed), TRUE);
  assert_found (trace, "é", "2 3");
  assert_found (trace, "É", "2 3");
  assert_found (trace, "aéü", "1 2 3 4 5");
  assert_found (trace, "ü\xEF\xBF\xBD", "4 5 6");
  assert_found (trace, ".\n b", "8 9");
  assert_found (trace, "<S>", "0");
  assert_found (trace, "pad", "10");
  HlToken *token = &hl_trace_get_tokens (trace, 0)->tokens[1];
  g_bytes_unref (token->bytes);
  token->bytes = g_bytes_new ("\0", 1);
  assert_found (trace, "ü", "4 5");
}

/* ---- predictions ---------------------------------------------------------------------
 */

static void
test_next_tokens (void)
{
  g_autoptr (HlTrace) trace = trace_of (mixed, 3, TRUE);
  g_autoptr (GPtrArray) nothing = hl_present_next_tokens (trace, 0, 3);
  g_assert_cmpuint (nothing->len, ==, 0);
  predict (trace, 3, 1);
  g_autoptr (GPtrArray) all = hl_present_next_tokens (trace, 1, -1);
  g_assert_cmpuint (all->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    {
      const HlPrediction *p = g_ptr_array_index (all, i);
      g_assert_cmpint (p->index, ==, 10 + (int) i);
      g_assert_cmpfloat_with_epsilon (p->prob, 0.5 / (i + 1), 1e-6);
      g_assert_true (isnan (p->logit));
      g_assert_cmpstr (p->label, ==, i == 0 ? "␣the" : i == 1 ? "token 11" : "token 12");
    }
  const struct
  {
    gint64 position;
    int n;
    guint wanted;
  } cases[] = { { 2, 2, 2 }, { 0, 0, 0 }, { 0, 99, 3 }, { 3, 3, 0 }, { -1, 3, 0 } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GPtrArray) list =
          hl_present_next_tokens (trace, cases[i].position, cases[i].n);
      g_assert_cmpuint (list->len, ==, cases[i].wanted);
    }
  /* Of a word of several masked tokens nothing is said. */
  ((gint32 *) trace->predictions->top_ids->data)[3] = -1;
  g_autoptr (GPtrArray) unsaid = hl_present_next_tokens (trace, 1, -1);
  g_assert_cmpuint (unsaid->len, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/present-tokens/list", test_list);
  g_test_add_func ("/present-tokens/pieces", test_pieces);
  g_test_add_func ("/present-tokens/pieces-generated", test_pieces_generated);
  g_test_add_func ("/present-tokens/whole-text", test_whole_text);
  g_test_add_func ("/present-tokens/long-bytes", test_long_bytes);
  g_test_add_func ("/present-tokens/shade", test_shade);
  g_test_add_func ("/present-tokens/weights", test_weights);
  g_test_add_func ("/present-tokens/no-weights", test_no_weights);
  g_test_add_func ("/present-tokens/captions", test_captions);
  g_test_add_func ("/present-tokens/arcs", test_arcs);
  g_test_add_func ("/present-tokens/find", test_find);
  g_test_add_func ("/present-tokens/find-pieces", test_find_pieces);
  g_test_add_func ("/present-tokens/next-tokens", test_next_tokens);
  return g_test_run ();
}
