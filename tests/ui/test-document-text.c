/* SPDX-License-Identifier: MIT
 * The document with a language model: a text is read and traced, heads are ablated, the
 * model goes on with it, is stopped, is followed by another model, is saved. */
#include "document-settle.h"
#include "text-model.h"

#include <glib/gstdio.h>
#include <string.h>

#define MANY 1000000

typedef struct
{
  HlDocument *document;
  char *model;
  char *saved;
  int n_traces;
  int n_inputs;
  int n_generated;
  int stop_after; /* tokens; 0 for never */
  GArray *told;   /* gint32: what each signal found last */
  gboolean rows_are_good;
  char *details;
} Fixture;

static void
trace_changed_cb (HlDocument *document, Fixture *f)
{
  f->n_traces += hl_document_get_trace (document) != NULL;
}

static void
input_changed_cb (HlDocument *document, Fixture *f)
{
  f->n_inputs++;
}

/* The latest token's row: over everything before it, adding up to one. */
static gboolean
has_good_row (HlDocument *document, guint n)
{
  gint64 T = hl_document_get_input (document)->ids->shape.dim[1], n_keys = 0;
  g_autofree float *row =
      hl_document_dup_generated_row (document, (HlHeadKey){ 0, 1, 1 }, &n_keys);
  double sum = 0;
  for (gint64 i = 0; row != NULL && i < n_keys; i++)
    sum += (double) row[i];
  g_autofree float *none =
      hl_document_dup_generated_row (document, (HlHeadKey){ 0, 1, 2 }, &n_keys);
  return row != NULL && none == NULL && n_keys == T + n - 1 && ABS (sum - 1) < 1e-5 &&
         row[n_keys - 1] > 0;
}

static void
generated_cb (HlDocument *document, Fixture *f)
{
  guint n = 0;
  const double *log_probs = NULL;
  const gint32 *ids = hl_document_get_generated (document, &n, &log_probs);
  f->n_generated++;
  g_assert_cmpuint (n, ==, f->n_generated);
  g_assert_cmpfloat (log_probs[n - 1], <=, 0);
  g_array_append_val (f->told, ids[n - 1]);
  f->rows_are_good = f->rows_are_good && has_good_row (document, n);
  g_autoptr (HlInput) so_far = hl_document_dup_generated_input (document);
  gint64 T = hl_document_get_input (document)->ids->shape.dim[1];
  g_assert_true ((so_far == NULL) == (T == TEXT_MODEL_CONTEXT));
  if (so_far != NULL)
    g_assert_cmpint (so_far->tokens->n_tokens, ==, MIN (T + n, TEXT_MODEL_CONTEXT));
  if (f->n_generated == f->stop_after)
    hl_document_stop (document);
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
  f->told = g_array_new (FALSE, FALSE, sizeof (gint32));
  f->rows_are_good = TRUE;
  g_signal_connect (f->document, "trace-changed", G_CALLBACK (trace_changed_cb), f);
  g_signal_connect (f->document, "input-changed", G_CALLBACK (input_changed_cb), f);
  g_signal_connect (f->document, "token-generated", G_CALLBACK (generated_cb), f);
  g_signal_connect (f->document, "failed", G_CALLBACK (failed_cb), f);
}

static void
settle (Fixture *f)
{
  document_settle (f->document);
}

static void
open_text (Fixture *f, const char *text)
{
  const HlTextOptions options = { 0 };
  hl_document_open_text (f->document, text, &options);
  settle (f);
  g_assert_cmpstr (f->details, ==, NULL);
}

static void
set_up (Fixture *f, gconstpointer text)
{
  memset (f, 0, sizeof *f);
  f->model = text_model_folder_new ("llama");
  f->saved = g_build_filename (f->model, "s.h5", NULL);
  watch (f);
  hl_document_open_model (f->document, f->model);
  settle (f);
  if (text != NULL)
    open_text (f, text);
}

static void
tear_down (Fixture *f, gconstpointer text)
{
  g_assert_finalize_object (f->document);
  g_array_unref (f->told);
  g_free (f->details);
  g_free (f->saved);
  text_model_folder_free (f->model);
}

static gint64
length_of (Fixture *f)
{
  return hl_document_get_input (f->document)->ids->shape.dim[1];
}

static void
generate (Fixture *f, int n)
{
  const HlGenerateOptions options = { .n_tokens = n, .goes_on = TRUE };
  f->n_generated = 0;
  g_array_set_size (f->told, 0);
  hl_document_generate (f->document, &options);
  g_assert_true (hl_document_is_busy (f->document));
}

/* ---- a text --------------------------------------------------------------------------
 */

static void
test_open (Fixture *f, gconstpointer text)
{
  g_assert_true (hl_document_can_generate (f->document));
  const HlTrace *trace = hl_document_get_trace (f->document);
  g_assert_nonnull (trace);
  g_assert_cmpint (f->n_traces, ==, 1);
  g_assert_cmpstr (trace->text, ==, "ab abba");
  g_assert_cmpstr (trace->input_kind, ==, "text");
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, 0);
  g_assert_cmpint (tokens->n_tokens, ==, length_of (f));
  g_assert_cmpint (tokens->tokens[0].role, ==, HL_ROLE_SPECIAL);
  g_assert_cmpint (tokens->tokens[1].id, ==, TEXT_MODEL_AB);
  g_assert_cmpint (hl_predictions_get_length (trace->predictions), ==, tokens->n_tokens);
  g_assert_nonnull (
      hl_trace_summary_get_head (hl_document_get_summary (f->document), 1, 1));
  /* Options are kept for the next text, of a file too. */
  const HlTextOptions bare = { .no_special = TRUE, .first_token = 1 };
  hl_document_open_text (f->document, "abab", &bare);
  settle (f);
  g_assert_cmpint (length_of (f), ==, 1);
  g_assert_true (hl_document_get_text_options (f->document)->no_special);
  g_autofree char *path = g_build_filename (f->model, "t.txt", NULL);
  g_file_set_contents (path, "abababab", -1, NULL);
  hl_document_open_input (f->document, path);
  settle (f);
  g_assert_cmpint (length_of (f), ==, 3);
  g_assert_cmpint (f->n_traces, ==, 3);
}

static void
test_refused (Fixture *f, gconstpointer text)
{
  const HlTextOptions late = { .first_token = 50 };
  HlTrace *trace = hl_document_get_trace (f->document);
  gint64 T = length_of (f);
  hl_document_open_text (f->document, "ab", &late);
  settle (f);
  g_assert_nonnull (strstr (f->details, "first token"));
  hl_document_open_input (f->document, f->model);
  settle (f);
  g_assert_nonnull (strstr (f->details, "a file expected"));
  g_assert_true (hl_document_get_trace (f->document) == trace);
  g_assert_cmpint (length_of (f), ==, T);
}

static double
distance (const HlTensor *a, const HlTensor *b)
{
  double most = 0;
  for (gint64 i = 0; i < hl_tensor_count (a); i++)
    most =
        MAX (most, ABS ((double) hl_tensor_f32 (a)[i] - (double) hl_tensor_f32 (b)[i]));
  return most;
}

static void
test_ablate (Fixture *f, gconstpointer text)
{
  HlSelection *selection = hl_document_get_selection (f->document);
  g_autoptr (HlTrace) before = hl_trace_ref (hl_document_get_trace (f->document));
  hl_selection_toggle_ablated (selection, 1, 0);
  settle (f);
  const HlTrace *after = hl_document_get_trace (f->document);
  g_assert_cmpuint (after->interventions->len, ==, 1);
  g_assert_cmpfloat (distance (after->logits, before->logits), >, 1e-4);
  g_assert_cmpfloat (
      distance (after->predictions->entropies, before->predictions->entropies), >, 1e-5);
  g_assert_true (hl_document_get_baseline (f->document) == before);
  hl_selection_undo (selection);
  settle (f);
  after = hl_document_get_trace (f->document);
  g_assert_cmpfloat (distance (after->logits, before->logits), ==, 0);
  g_assert_cmpstr (after->hash, ==, before->hash);
}

/* ---- generating ----------------------------------------------------------------------
 */

/* The input ends in what was told, and the trace is of all of it. */
static void
assert_adopted (Fixture *f, gint64 T, gint64 n)
{
  const HlTokenTable *tokens =
      hl_trace_get_tokens (hl_document_get_trace (f->document), 0);
  guint n_left = 1;
  const double *log_probs;
  g_assert_cmpstr (f->details, ==, NULL);
  g_assert_cmpint (length_of (f), ==, T + n);
  g_assert_cmpint (tokens->n_tokens, ==, T + n);
  for (gint64 i = 0; i < n; i++)
    {
      g_assert_cmpint (tokens->tokens[T + i].id, ==, g_array_index (f->told, gint32, i));
      g_assert_cmpint (tokens->tokens[T + i].role, ==, HL_ROLE_GENERATED);
    }
  g_assert_null (hl_document_get_generated (f->document, &n_left, &log_probs));
  g_assert_cmpuint (n_left, ==, 0);
  g_assert_null (hl_document_dup_generated_input (f->document));
}

static void
test_generate (Fixture *f, gconstpointer text)
{
  gint64 T = length_of (f);
  generate (f, 8);
  settle (f);
  g_assert_cmpint (f->n_generated, ==, 8);
  g_assert_true (f->rows_are_good);
  g_assert_cmpint (f->n_traces, ==, 2);
  assert_adopted (f, T, 8);
  const HlTokenTable *tokens = hl_document_get_input (f->document)->tokens;
  g_assert_cmpint (tokens->tokens[T - 1].role, ==, HL_ROLE_PROMPT);
  g_assert_true (hl_document_is_modified (f->document));
  /* And on from there. */
  generate (f, 2);
  settle (f);
  assert_adopted (f, T + 8, 2);
}

/* As much as there is room for; the token that has none is told only. */
static void
test_fill_context (Fixture *f, gconstpointer text)
{
  gint64 T = length_of (f);
  generate (f, MANY);
  settle (f);
  g_assert_cmpint (f->n_generated, ==, TEXT_MODEL_CONTEXT - T + 1);
  assert_adopted (f, T, TEXT_MODEL_CONTEXT - T);
  generate (f, 5);
  settle (f);
  g_assert_cmpint (f->n_generated, ==, 1);
  g_assert_cmpint (length_of (f), ==, TEXT_MODEL_CONTEXT);
}

static void
test_stop (Fixture *f, gconstpointer text)
{
  gint64 T = length_of (f);
  f->stop_after = 5;
  generate (f, MANY);
  settle (f);
  g_assert_cmpint (f->n_generated, ==, 5);
  assert_adopted (f, T, 5);
  /* Before the first token there is nothing to keep. */
  int n_traces = f->n_traces;
  generate (f, MANY);
  hl_document_stop (f->document);
  settle (f);
  g_assert_cmpint (f->n_generated, ==, 0);
  g_assert_cmpint (length_of (f), ==, T + 5);
  g_assert_cmpint (f->n_traces, ==, n_traces);
}

static void
iterate_until_told (Fixture *f, int n)
{
  while (f->n_generated < n)
    g_main_context_iteration (NULL, TRUE);
}

/* Something else that is asked for meanwhile goes before, and nothing of the text comes
 * back afterwards, not by stopping either. */
static void
test_interrupted (Fixture *f, gconstpointer text)
{
  guint n = 0;
  const double *log_probs = NULL;
  gint64 T = length_of (f);
  generate (f, MANY);
  iterate_until_told (f, 2);
  hl_selection_toggle_ablated (hl_document_get_selection (f->document), 0, 1);
  g_assert_null (hl_document_get_generated (f->document, &n, &log_probs));
  settle (f);
  g_assert_cmpint (length_of (f), ==, T);
  g_assert_cmpuint (hl_document_get_trace (f->document)->interventions->len, ==, 1);
  int n_traces = f->n_traces;
  hl_document_stop (f->document);
  settle (f);
  g_assert_cmpint (length_of (f), ==, T);
  g_assert_cmpint (f->n_traces, ==, n_traces);
  g_assert_cmpstr (f->details, ==, NULL);
}

/* Tokens of a text that was given up are still on their way when the next is begun. */
static void
test_again (Fixture *f, gconstpointer text)
{
  gint64 T = length_of (f);
  generate (f, MANY);
  while (hl_engine_get_n_waiting (hl_document_get_engine (f->document)) > 0)
    g_usleep (500);
  g_assert_cmpint (f->n_generated, ==, 0);
  generate (f, 3);
  settle (f);
  g_assert_cmpint (f->n_generated, ==, 3);
  assert_adopted (f, T, 3);
}

/* ---- another model, and a session ----------------------------------------------------
 */

static void
test_other_models (Fixture *f, gconstpointer text)
{
  g_autofree char *vit =
      g_test_build_filename (G_TEST_DIST, "golden", "models", "vit-tiny", NULL);
  g_autofree char *picture = g_build_filename (vit, "input.png", NULL);
  generate (f, MANY);
  iterate_until_told (f, 2);
  hl_document_open_model (f->document, vit);
  settle (f);
  g_assert_cmpstr (f->details, ==, NULL);
  g_assert_null (hl_document_get_input (f->document));
  g_assert_null (hl_document_get_trace (f->document));
  g_assert_false (hl_document_can_generate (f->document));
  hl_document_stop (f->document);
  g_assert_null (hl_document_get_input (f->document));
  hl_document_open_input (f->document, picture);
  settle (f);
  g_assert_nonnull (hl_document_get_trace (f->document)->pixels);
  g_assert_null (hl_document_get_trace (f->document)->predictions);
  hl_document_open_model (f->document, f->model);
  settle (f);
  g_assert_null (hl_document_get_input (f->document));
  open_text (f, "ab");
  g_assert_cmpint (length_of (f), ==, 2);
}

/* What was typed is looked at with the next model that takes text. */
static void
test_same_text (Fixture *f, gconstpointer text)
{
  char *other = text_model_folder_new ("gpt2");
  hl_document_open_model (f->document, other);
  settle (f);
  g_assert_cmpstr (f->details, ==, NULL);
  const HlTrace *trace = hl_document_get_trace (f->document);
  g_assert_nonnull (trace);
  g_assert_cmpstr (trace->model->family, ==, "gpt2");
  g_assert_cmpstr (trace->text, ==, "ab abba");
  text_model_folder_free (other);
}

static void
test_save (Fixture *f, gconstpointer text)
{
  Fixture again = { 0 };
  gint64 T = length_of (f);
  HlViewOptions slice = *hl_document_get_view (f->document);
  slice.first_token = 1;
  slice.end_token = 3;
  slice.is_from = TRUE;
  hl_document_set_view (f->document, &slice);
  generate (f, 4);
  settle (f);
  hl_document_save (f->document, f->saved);
  settle (f);
  g_assert_cmpstr (f->details, ==, NULL);
  g_assert_false (hl_document_is_modified (f->document));
  watch (&again);
  hl_document_open_session (again.document, f->saved);
  settle (&again);
  g_assert_cmpstr (again.details, ==, NULL);
  const HlTrace *a = hl_document_get_trace (f->document);
  const HlTrace *b = hl_document_get_trace (again.document);
  g_assert_cmpstr (a->hash, ==, b->hash);
  g_assert_cmpstr (b->text, ==, "ab abba");
  g_assert_cmpint (hl_trace_get_tokens (b, 0)->tokens[T].role, ==, HL_ROLE_GENERATED);
  g_assert_cmpfloat (distance (a->predictions->entropies, b->predictions->entropies), ==,
                     0);
  g_assert_true (hl_document_can_generate (again.document));
  g_assert_cmpstr (hl_document_get_input (again.document)->hash, ==, b->input_hash);
  const HlViewOptions *view = hl_document_get_view (again.document);
  g_assert_true (view->first_token == 1 && view->end_token == 3 && view->is_from);
  g_assert_finalize_object (again.document);
  g_array_unref (again.told);
}

/* A slice is of one text: another one is shown whole, however long it is. */
static void
test_slice (Fixture *f, gconstpointer text)
{
  HlViewOptions slice = *hl_document_get_view (f->document);
  slice.first_token = 1;
  slice.end_token = 3;
  hl_document_set_view (f->document, &slice);
  hl_document_run (f->document);
  settle (f);
  g_assert_cmpint (hl_document_get_view (f->document)->end_token, ==, 3);
  open_text (f, "ab abba ab");
  g_assert_cmpint (hl_document_get_view (f->document)->first_token, ==, 0);
  g_assert_cmpint (hl_document_get_view (f->document)->end_token, ==, 0);
}

static void
add (const char *name, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf ("/document-text/%s", name);
  g_test_add (path, Fixture, "ab abba", set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* The program that reads sessions first, as a child. */
  g_setenv ("HEADLIGHT_PROGRAMS", PROGRAMS_FOLDER, TRUE);
  add ("open", test_open);
  add ("refused", test_refused);
  add ("ablate", test_ablate);
  add ("generate", test_generate);
  add ("fill-context", test_fill_context);
  add ("stop", test_stop);
  add ("interrupted", test_interrupted);
  add ("again", test_again);
  add ("other-models", test_other_models);
  add ("same-text", test_same_text);
  add ("save", test_save);
  add ("slice", test_slice);
  return g_test_run ();
}
