/* SPDX-License-Identifier: MIT
 * The document in words instead of tokens: what is shown, what is chosen, what is kept.
 */
#include "document-settle.h"
#include "text-model.h"
#include "trace/hl-word-trace.h"

#include <string.h>

/* <s> ab ␣ab a ab: the tokens of the "llama" for this text; words are 0 | 1 | 2 3 4. */
#define TEXT "ab abaab"

typedef struct
{
  HlDocument *document;
  char *model;
  int n_traces;
  char *details;
} Fixture;

static void
trace_changed_cb (HlDocument *document, Fixture *f)
{
  f->n_traces++;
}

static void
failed_cb (HlDocument *document, const char *summary, const char *details, Fixture *f)
{
  g_free (f->details);
  f->details = g_strdup (details);
}

static void
watch (Fixture *f)
{
  f->document = hl_document_new ();
  g_signal_connect (f->document, "trace-changed", G_CALLBACK (trace_changed_cb), f);
  g_signal_connect (f->document, "failed", G_CALLBACK (failed_cb), f);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  const HlTextOptions options = { 0 };
  memset (f, 0, sizeof *f);
  f->model = text_model_folder_new ("llama");
  watch (f);
  hl_document_open_model (f->document, f->model);
  document_settle (f->document);
  hl_document_open_text (f->document, TEXT, &options);
  document_settle (f->document);
  g_assert_cmpstr (f->details, ==, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_assert_finalize_object (f->document);
  g_free (f->details);
  text_model_folder_free (f->model);
}

static void
show_words (Fixture *f, gboolean by_words)
{
  HlViewOptions view = *hl_document_get_view (f->document);
  view.by_words = by_words;
  hl_document_set_view (f->document, &view);
  document_settle (f->document);
  g_assert_cmpstr (f->details, ==, NULL);
}

static int
count (Fixture *f)
{
  return hl_document_get_tokens (f->document)->n_tokens;
}

static HlSelection *
selection_of (Fixture *f)
{
  return hl_document_get_selection (f->document);
}

/* (transfer full): what is chosen: "2 3 4". */
static char *
chosen (Fixture *f)
{
  guint n;
  const gint64 *tokens = hl_selection_get_tokens (selection_of (f), &n);
  GString *list = g_string_new (NULL);
  for (guint i = 0; i < n; i++)
    g_string_append_printf (list, "%s%d", i > 0 ? " " : "", (int) tokens[i]);
  return g_string_free (list, FALSE);
}

static void
assert_chosen (Fixture *f, const char *wanted)
{
  g_autofree char *now = chosen (f);
  g_assert_cmpstr (now, ==, wanted);
}

static void
test_show (Fixture *f, gconstpointer data)
{
  HlTrace *tokens = hl_trace_ref (hl_document_get_trace (f->document));
  int n_traces = f->n_traces, n_tokens = count (f);
  show_words (f, TRUE);
  HlTrace *words = hl_document_get_trace (f->document);
  g_assert_true (words->pieces == tokens);
  g_assert_cmpint (f->n_traces, ==, n_traces + 1);
  g_assert_cmpint (count (f), <, n_tokens);
  const HlTokenTable *table = hl_document_get_tokens (f->document);
  g_assert_cmpstr (table->tokens[count (f) - 1].text, ==, "␣abaab");
  /* Everything that is known of the heads is of words, too. */
  HlTraceSummary *summary = hl_document_get_summary (f->document);
  g_assert_true (summary->trace == words);
  g_assert_cmpint (hl_trace_summary_get_head (summary, 1, 1)->whole.n_rows, ==,
                   count (f));
  gint64 Tq, Tk;
  g_assert_true (hl_attention_source_get_size (hl_document_get_source (f->document),
                                               (HlHeadKey){ 0, 1, 1 }, &Tq, &Tk));
  g_assert_cmpint (Tq, ==, count (f));
  show_words (f, FALSE);
  g_assert_true (hl_document_get_trace (f->document) == tokens);
  g_assert_cmpint (count (f), ==, n_tokens);
  hl_trace_unref (tokens);
}

/* What is chosen stays chosen, and what was before comes back by its new name. */
static void
test_selection (Fixture *f, gconstpointer data)
{
  const HlWords *words;
  const gint64 last = count (f) - 1;
  hl_selection_set_query (selection_of (f), last);
  const gint64 pieces[] = { last, last - 1, 1 };
  hl_selection_set_tokens (selection_of (f), pieces, 3);
  hl_selection_set_key (selection_of (f), last);
  show_words (f, TRUE);
  words = hl_trace_get_words (hl_document_get_trace (f->document), 0);
  g_assert_nonnull (words);
  gint64 word = words->n_words - 1;
  g_assert_cmpint (words->first[word], ==, last - 2);
  g_autofree char *wanted =
      g_strdup_printf ("%d %d", (int) word, (int) words->word_of[1]);
  assert_chosen (f, wanted); /* of two pieces once */
  g_assert_cmpint (hl_selection_get_place (selection_of (f))->key, ==, word);
  g_assert_cmpint (hl_selection_get_place (selection_of (f))->query, ==, word);
  hl_selection_set_query (selection_of (f), word);
  show_words (f, FALSE);
  g_autofree char *all =
      g_strdup_printf ("%d %d %d", (int) last - 2, (int) last - 1, (int) last);
  assert_chosen (f, all);
  show_words (f, TRUE);
  hl_selection_undo (selection_of (f)); /* the new choice */
  assert_chosen (f, wanted);
  hl_selection_undo (selection_of (f)); /* the key */
  hl_selection_undo (selection_of (f)); /* the three pieces */
  g_autofree char *first = g_strdup_printf ("%d", (int) word);
  assert_chosen (f, first);
}

static void
test_slice (Fixture *f, gconstpointer data)
{
  HlViewOptions view = *hl_document_get_view (f->document);
  int n_tokens = count (f);
  view.first_token = n_tokens - 2; /* of the last word */
  view.end_token = n_tokens;
  hl_document_set_view (f->document, &view);
  show_words (f, TRUE);
  const HlViewOptions *now = hl_document_get_view (f->document);
  g_assert_cmpint (now->first_token, ==, count (f) - 1);
  g_assert_cmpint (now->end_token, ==, count (f));
  show_words (f, FALSE);
  g_assert_cmpint (now->first_token, ==, n_tokens - 3);
  g_assert_cmpint (now->end_token, ==, n_tokens);
}

/* Another text, a run with an ablated head and its baseline come in words, too. */
static void
test_runs (Fixture *f, gconstpointer data)
{
  const HlTextOptions options = { 0 };
  show_words (f, TRUE);
  g_assert_nonnull (hl_document_get_baseline (f->document));
  hl_document_open_text (f->document, "abba ab", &options);
  document_settle (f->document);
  HlTrace *first = hl_document_get_trace (f->document);
  g_assert_nonnull (first->pieces);
  g_assert_true (hl_document_get_summary (f->document)->trace == first);
  g_assert_true (hl_document_get_baseline (f->document)->pieces == first->pieces);
  hl_selection_toggle_ablated (selection_of (f), 1, 0);
  document_settle (f->document);
  HlTrace *ablated = hl_document_get_trace (f->document);
  HlTrace *baseline = hl_document_get_baseline (f->document);
  g_assert_cmpint (ablated->interventions->len, ==, 1);
  g_assert_cmpint (baseline->interventions->len, ==, 0);
  g_assert_true (ablated->pieces != NULL && baseline->pieces != NULL);
  g_assert_true (hl_document_get_baseline (f->document) == baseline);
  show_words (f, FALSE);
  g_assert_null (hl_document_get_baseline (f->document)->pieces);
}

/* A text of whole words stays as it is, and says so. */
static void
test_nothing_to_join (Fixture *f, gconstpointer data)
{
  const HlTextOptions options = { 0 };
  hl_document_open_text (f->document, "ab", &options);
  document_settle (f->document);
  HlTrace *trace = hl_document_get_trace (f->document);
  int n_traces = f->n_traces;
  show_words (f, TRUE);
  g_assert_true (hl_document_get_trace (f->document) == trace);
  g_assert_cmpint (f->n_traces, ==, n_traces);
  g_assert_nonnull (strstr (hl_document_get_status (f->document), "word by itself"));
}

/* A session remembers; its trace is kept in tokens. */
static void
test_session (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->model, "s.h5", NULL);
  int n_tokens = count (f);
  show_words (f, TRUE);
  int n_words = count (f);
  hl_selection_set_query (selection_of (f), n_words - 1);
  hl_document_save (f->document, path);
  document_settle (f->document);
  Fixture again = { 0 };
  watch (&again);
  hl_document_open_session (again.document, path);
  document_settle (again.document);
  g_assert_cmpstr (again.details, ==, NULL);
  g_assert_true (hl_document_get_view (again.document)->by_words);
  g_assert_cmpint (count (&again), ==, n_words);
  g_autofree char *wanted = g_strdup_printf ("%d", n_words - 1);
  assert_chosen (&again, wanted);
  show_words (&again, FALSE);
  g_assert_cmpint (count (&again), ==, n_tokens);
  g_assert_finalize_object (again.document);
}

static void
generated_cb (HlDocument *document, Fixture *f)
{
  f->n_traces++;
}

/* While a text is generated its tokens come one by one; then they are words. */
static void
test_generate (Fixture *f, gconstpointer data)
{
  const HlGenerateOptions options = { .n_tokens = 4, .goes_on = TRUE };
  show_words (f, TRUE);
  g_signal_connect (f->document, "token-generated", G_CALLBACK (generated_cb), f);
  hl_document_generate (f->document, &options);
  document_settle (f->document);
  g_assert_cmpstr (f->details, ==, NULL);
  HlTrace *trace = hl_document_get_trace (f->document);
  g_assert_nonnull (trace->pieces);
  g_assert_cmpint (hl_document_get_tokens (f->document)->tokens[count (f) - 1].role, ==,
                   HL_ROLE_GENERATED);
}

static void
add (const char *name, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf ("/document-words/%s", name);
  g_test_add (path, Fixture, NULL, set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* The program that reads sessions first, as a child. */
  g_setenv ("HEADLIGHT_PROGRAMS", PROGRAMS_FOLDER, TRUE);
  add ("show", test_show);
  add ("selection", test_selection);
  add ("slice", test_slice);
  add ("runs", test_runs);
  add ("nothing-to-join", test_nothing_to_join);
  add ("session", test_session);
  add ("generate", test_generate);
  return g_test_run ();
}
