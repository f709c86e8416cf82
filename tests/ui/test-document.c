/* SPDX-License-Identifier: MIT
 * The document behind the window: opening, running, ablating, undoing, saving, reopening;
 * results that came too late and files that are wrong lose nothing. */
#include "backend/cpu/hl-cpu.h"
#include "document-settle.h"
#include "trace/hl-tracer.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

typedef struct
{
  HlDocument *document;
  int n_traces;
  int n_sessions;
  gboolean is_summarised;
  char *failure;
  char *details;
  char *folder;
} Fixture;

static void
trace_changed_cb (HlDocument *document, Fixture *f)
{
  f->n_traces++;
  f->is_summarised = FALSE;
}

static void
session_changed_cb (HlDocument *document, Fixture *f)
{
  f->n_sessions++;
}

static void
layer_ready_cb (HlDocument *document, int layer, Fixture *f)
{
  f->is_summarised = f->is_summarised || layer < 0;
}

static void
failed_cb (HlDocument *document, const char *summary, const char *details, Fixture *f)
{
  g_free (f->failure);
  g_free (f->details);
  f->failure = g_strdup (summary);
  f->details = g_strdup (details);
}

static void
watch (Fixture *f)
{
  f->document = hl_document_new ();
  g_signal_connect (f->document, "trace-changed", G_CALLBACK (trace_changed_cb), f);
  g_signal_connect (f->document, "session-changed", G_CALLBACK (session_changed_cb), f);
  g_signal_connect (f->document, "layer-ready", G_CALLBACK (layer_ready_cb), f);
  g_signal_connect (f->document, "failed", G_CALLBACK (failed_cb), f);
}

static void
settle (Fixture *f)
{
  document_settle (f->document);
}

static char *
golden_path (const char *file)
{
  return g_test_build_filename (G_TEST_DIST, "golden", "models", "vit-tiny", file, NULL);
}

static void
open_golden (Fixture *f)
{
  g_autofree char *model = golden_path (NULL);
  g_autofree char *picture = golden_path ("input.png");
  hl_document_open_input (f->document, picture);
  hl_document_open_model (f->document, model);
  settle (f);
  g_assert_cmpstr (f->details, ==, NULL);
  g_assert_nonnull (hl_document_get_trace (f->document));
}

static void
set_up (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  memset (f, 0, sizeof *f);
  f->folder = g_dir_make_tmp ("hl-document-XXXXXX", &error);
  g_assert_no_error (error);
  watch (f);
}

static void
tear_down (Fixture *f)
{
  g_assert_finalize_object (f->document);
  g_autoptr (GDir) dir = g_dir_open (f->folder, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (f->folder, name, NULL);
      g_unlink (path);
    }
  g_rmdir (f->folder);
  g_free (f->folder);
  g_free (f->failure);
  g_free (f->details);
}

/* What the model says with some heads pruned, asked without a document. */
static HlTensor *
logits_of (const HlHeadKey *pruned, guint n)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = golden_path (NULL);
  g_autofree char *picture = golden_path ("input.png");
  g_autoptr (HlModel) model = hl_model_open (folder, &error);
  g_autoptr (HlInput) input = hl_model_open_image (model, picture, 0, 0, &error);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  g_autoptr (GPtrArray) list =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (list,
                     hl_intervention_new_scale_head (hl_model_get_info (model), 0,
                                                     pruned[i].layer, pruned[i].head, 0));
  const HlTraceOptions options = { .interventions = list };
  g_autoptr (HlTrace) trace =
      hl_tracer_run (model, input, backend, &options, NULL, &error);
  g_assert_no_error (error);
  return hl_tensor_ref (trace->logits);
}

static double
largest_difference (const HlTensor *a, const HlTensor *b)
{
  double most = 0;
  g_assert_cmpint (hl_tensor_count (a), ==, hl_tensor_count (b));
  for (gint64 i = 0; i < hl_tensor_count (a); i++)
    most =
        fmax (most, fabs ((double) hl_tensor_f32 (a)[i] - (double) hl_tensor_f32 (b)[i]));
  return most;
}

static void
assert_logits (const Fixture *f, const HlHeadKey *pruned, guint n)
{
  g_autoptr (HlTensor) wanted = logits_of (pruned, n);
  const HlTrace *trace = hl_document_get_trace (f->document);
  g_assert_cmpuint (trace->interventions->len, ==, n);
  g_assert_cmpfloat (largest_difference (trace->logits, wanted), <=, 1e-6);
}

static void
test_open (void)
{
  Fixture f;
  set_up (&f);
  g_assert_false (hl_document_can_run (f.document));
  g_assert_null (hl_document_get_model_info (f.document));
  open_golden (&f);
  g_assert_true (hl_document_can_run (f.document));
  g_assert_true (hl_document_has_model (f.document));
  g_assert_cmpint (hl_document_get_model_info (f.document)->width, ==, 32);
  g_assert_true (f.is_summarised);
  HlTraceSummary *summary = hl_document_get_summary (f.document);
  for (int l = 0; l < 3; l++)
    for (int h = 0; h < 4; h++)
      g_assert_nonnull (hl_trace_summary_get_head (summary, l, h));
  assert_logits (&f, NULL, 0);
  g_assert_true (hl_document_get_baseline (f.document) ==
                 hl_document_get_trace (f.document));
  g_assert_cmpstr (hl_document_get_backend (f.document), !=, "");
  g_assert_true (hl_document_is_modified (f.document));
  tear_down (&f);
}

static void
test_ablate_and_undo (void)
{
  static const HlHeadKey heads[] = { { 0, 1, 2 }, { 0, 0, 3 } };
  Fixture f;
  set_up (&f);
  open_golden (&f);
  HlSelection *selection = hl_document_get_selection (f.document);
  HlTrace *baseline = hl_document_get_baseline (f.document);
  hl_selection_set_head (selection, 2, 1);
  hl_selection_toggle_ablated (selection, 1, 2);
  settle (&f);
  assert_logits (&f, heads, 1);
  g_autoptr (HlTensor) plain = logits_of (NULL, 0);
  const HlTensor *pruned = hl_document_get_trace (f.document)->logits;
  g_assert_cmpfloat (largest_difference (plain, pruned), >, 1e-4);
  /* The place stays, the run without ablation is kept to compare with. */
  g_assert_cmpint (hl_selection_get_place (selection)->layer, ==, 2);
  g_assert_true (hl_document_get_baseline (f.document) == baseline);
  hl_selection_toggle_ablated (selection, 0, 3);
  settle (&f);
  assert_logits (&f, heads, 2);
  hl_selection_undo (selection);
  settle (&f);
  assert_logits (&f, heads, 1);
  hl_selection_undo (selection);
  settle (&f);
  assert_logits (&f, NULL, 0);
  hl_selection_redo (selection);
  settle (&f);
  assert_logits (&f, heads, 1);
  g_assert_true (f.is_summarised);
  tear_down (&f);
}

static gpointer
wait_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  while (g_atomic_int_get ((int *) data) == 0)
    g_usleep (500);
  return NULL;
}

/* Keeps an engine busy until *@gate is 1. */
static void
block (HlEngine *engine, int *gate)
{
  hl_engine_submit (engine, HL_JOB_FOREGROUND, wait_job, gate, NULL, NULL, NULL, NULL,
                    NULL, NULL, NULL);
}

/* Three runs are asked for while the first cannot begin: only the last is shown. */
static void
test_newest_wins (void)
{
  static const HlHeadKey heads[] = { { 0, 0, 0 }, { 0, 1, 1 }, { 0, 2, 2 } };
  Fixture f;
  int gate = 0;
  set_up (&f);
  open_golden (&f);
  int before = f.n_traces;
  block (hl_document_get_engine (f.document), &gate);
  for (guint i = 0; i < G_N_ELEMENTS (heads); i++)
    hl_selection_toggle_ablated (hl_document_get_selection (f.document), heads[i].layer,
                                 heads[i].head);
  g_atomic_int_set (&gate, 1);
  settle (&f);
  g_assert_cmpint (f.n_traces - before, ==, 1);
  assert_logits (&f, heads, 3);
  g_assert_cmpstr (f.failure, ==, NULL);
  tear_down (&f);
}

/* The first run is done, but nobody has looked at it when the second is asked for. */
static void
test_done_too_late (void)
{
  static const HlHeadKey heads[] = { { 0, 0, 0 }, { 0, 1, 1 } };
  Fixture f;
  set_up (&f);
  open_golden (&f);
  HlSelection *selection = hl_document_get_selection (f.document);
  int before = f.n_traces;
  hl_selection_toggle_ablated (selection, 0, 0);
  while (hl_engine_get_n_waiting (hl_document_get_engine (f.document)) > 0)
    g_usleep (500);
  hl_selection_toggle_ablated (selection, 1, 1);
  settle (&f);
  g_assert_cmpint (f.n_traces - before, ==, 1);
  assert_logits (&f, heads, 2);
  tear_down (&f);
}

static void
test_stop (void)
{
  Fixture f;
  int gate = 0;
  set_up (&f);
  open_golden (&f);
  HlTrace *trace = hl_document_get_trace (f.document);
  int before = f.n_traces;
  block (hl_document_get_engine (f.document), &gate);
  hl_document_run (f.document);
  g_assert_true (hl_document_is_busy (f.document));
  hl_document_stop (f.document);
  g_atomic_int_set (&gate, 1);
  settle (&f);
  g_assert_cmpint (f.n_traces, ==, before);
  g_assert_true (hl_document_get_trace (f.document) == trace);
  g_assert_cmpstr (f.failure, ==, NULL);
  g_assert_false (hl_document_is_busy (f.document));
  tear_down (&f);
}

/* Closing while work is under way neither waits for it all nor leaks. */
static void
test_close_while_busy (void)
{
  Fixture f;
  set_up (&f);
  open_golden (&f);
  hl_document_run (f.document);
  hl_document_stop (f.document);
  settle (&f);
  hl_document_run (f.document);
  g_object_run_dispose (G_OBJECT (f.document));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  tear_down (&f);
}

static void
assert_same_trace (const HlTrace *a, const HlTrace *b)
{
  GHashTableIter iter;
  gpointer name, tensor;
  g_assert_cmpstr (a->hash, ==, b->hash);
  g_assert_cmpfloat (largest_difference (a->logits, b->logits), ==, 0);
  g_assert_cmpuint (g_hash_table_size (a->sites), ==, g_hash_table_size (b->sites));
  g_hash_table_iter_init (&iter, a->sites);
  while (g_hash_table_iter_next (&iter, &name, &tensor))
    g_assert_cmpfloat (largest_difference (tensor, hl_trace_get_site (b, name)), ==, 0);
}

static void
test_save_and_reopen (void)
{
  static const HlViewOptions view = { HL_COLORMAP_CIVIDIS, HL_RANGE_PERCENTILE,
                                      .leave_out_special = TRUE };
  Fixture f, again;
  set_up (&f);
  set_up (&again);
  open_golden (&f);
  g_autofree char *path = g_build_filename (f.folder, "s.h5", NULL);
  hl_selection_set_head (hl_document_get_selection (f.document), 2, 3);
  hl_selection_set_cell (hl_document_get_selection (f.document), 7, 5);
  hl_document_set_view (f.document, &view);
  hl_document_set_notes (f.document, "head 2.3 looks left");
  hl_document_save (f.document, path);
  settle (&f);
  g_assert_cmpstr (f.details, ==, NULL);
  g_assert_false (hl_document_is_modified (f.document));
  g_assert_cmpstr (hl_document_get_session_path (f.document), ==, path);

  hl_document_open_session (again.document, path);
  settle (&again);
  g_assert_cmpstr (again.details, ==, NULL);
  const HlPlace *place =
      hl_selection_get_place (hl_document_get_selection (again.document));
  g_assert_cmpint (place->layer, ==, 2);
  g_assert_cmpint (place->head, ==, 3);
  g_assert_cmpint (place->query, ==, 7);
  g_assert_cmpint (place->key, ==, 5);
  g_assert_cmpmem (hl_document_get_view (again.document), sizeof view, &view,
                   sizeof view);
  g_assert_cmpstr (hl_document_get_notes (again.document), ==, "head 2.3 looks left");
  g_assert_false (hl_document_is_modified (again.document));
  /* The model and the picture are where they were. */
  g_assert_true (hl_document_has_model (again.document));
  g_assert_true (hl_document_can_run (again.document));
  g_assert_cmpint (hl_document_get_model_info (again.document)->width, ==, 32);
  g_assert_true (again.is_summarised);
  assert_same_trace (hl_document_get_trace (f.document),
                     hl_document_get_trace (again.document));
  tear_down (&again);
  tear_down (&f);
}

/* An ablated run says so when it is opened again, and goes on from there: taking the
 * ablation back runs the model that was attached. */
static void
test_reopen_ablated (void)
{
  static const HlHeadKey head = { 0, 1, 2 };
  Fixture f, again;
  set_up (&f);
  set_up (&again);
  open_golden (&f);
  g_autofree char *path = g_build_filename (f.folder, "s.h5", NULL);
  hl_selection_toggle_ablated (hl_document_get_selection (f.document), 1, 2);
  settle (&f);
  hl_document_save (f.document, path);
  settle (&f);
  hl_document_open_session (again.document, path);
  settle (&again);
  HlSelection *selection = hl_document_get_selection (again.document);
  g_assert_true (hl_selection_is_ablated (selection, 1, 2));
  g_assert_false (hl_selection_can_undo (selection));
  g_assert_false (hl_document_is_modified (again.document));
  assert_logits (&again, &head, 1);
  hl_selection_toggle_ablated (selection, 1, 2);
  settle (&again);
  assert_logits (&again, NULL, 0);
  tear_down (&again);
  tear_down (&f);
}

/* Without its model a session is looked at; the same model opened then joins it, another
 * one takes its place. */
static void
test_attach (void)
{
  Fixture f, again;
  set_up (&f);
  set_up (&again);
  open_golden (&f);
  g_autofree char *path = g_build_filename (f.folder, "s.h5", NULL);
  g_autofree char *model = golden_path (NULL);
  g_autofree char *elsewhere = g_build_filename (f.folder, "nowhere", NULL);
  HlModelInfo *info = hl_document_get_trace (f.document)->model;
  g_autofree char *real = info->path;
  info->path = g_strdup (elsewhere);
  hl_document_save (f.document, path);
  settle (&f);
  g_free (info->path);
  info->path = g_steal_pointer (&real);
  hl_document_open_session (again.document, path);
  settle (&again);
  g_assert_cmpstr (again.details, ==, NULL);
  g_assert_false (hl_document_has_model (again.document));
  HlTrace *trace = hl_document_get_trace (again.document);
  hl_document_open_model (again.document, model);
  settle (&again);
  g_assert_true (hl_document_has_model (again.document));
  g_assert_true (hl_document_can_run (again.document));
  g_assert_true (hl_document_get_trace (again.document) == trace);
  tear_down (&again);
  tear_down (&f);
}

/* The head that somebody chose is kept for another picture; before that, a telling one
 * is taken each time. */
static void
test_keeps_head (void)
{
  Fixture f;
  set_up (&f);
  open_golden (&f);
  HlSelection *selection = hl_document_get_selection (f.document);
  HlHeadKey telling = hl_selection_get_head (selection);
  int layer = (telling.layer + 1) % 3;
  g_autofree char *picture = golden_path ("input.png");
  g_autofree char *other = g_build_filename (f.folder, "other.png", NULL);
  g_autoptr (GdkPixbuf) pixbuf = gdk_pixbuf_new_from_file (picture, NULL);
  gdk_pixbuf_saturate_and_pixelate (pixbuf, pixbuf, 0.2F, FALSE);
  g_assert_true (gdk_pixbuf_save (pixbuf, other, "png", NULL, NULL));
  hl_document_open_input (f.document, other);
  settle (&f);
  hl_selection_set_head (selection, layer, 3);
  hl_document_open_input (f.document, picture);
  settle (&f);
  g_assert_cmpint (hl_selection_get_head (selection).layer, ==, layer);
  g_assert_cmpint (hl_selection_get_head (selection).head, ==, 3);
  hl_document_open_input (f.document, other);
  settle (&f);
  g_assert_cmpint (hl_selection_get_head (selection).layer, ==, layer);
  tear_down (&f);
}

/* What was changed while a save was under way is not saved, and says so. */
static void
test_changed_while_saving (void)
{
  Fixture f;
  set_up (&f);
  open_golden (&f);
  g_autofree char *path = g_build_filename (f.folder, "s.h5", NULL);
  hl_document_save (f.document, path);
  hl_document_set_notes (f.document, "written too late");
  settle (&f);
  g_assert_true (hl_document_is_modified (f.document));
  hl_document_save (f.document, path);
  settle (&f);
  g_assert_false (hl_document_is_modified (f.document));
  tear_down (&f);
}

typedef void (*OpenFunc) (HlDocument *document, const char *path);

static void
assert_refused (Fixture *f, OpenFunc open, const char *path, const char *word)
{
  HlTrace *trace = hl_document_get_trace (f->document);
  HlTraceSummary *summary = hl_document_get_summary (f->document);
  g_clear_pointer (&f->failure, g_free);
  g_clear_pointer (&f->details, g_free);
  open (f->document, path);
  settle (f);
  g_assert_nonnull (f->failure);
  if (strstr (f->details, word) == NULL)
    g_error ("\"%s\" expected in \"%s\"", word, f->details);
  g_assert_true (hl_document_get_trace (f->document) == trace);
  g_assert_true (hl_document_get_summary (f->document) == summary);
  g_assert_true (hl_document_can_run (f->document));
  g_assert_nonnull (hl_trace_summary_get_head (summary, 2, 3));
}

static void
test_wrong_files (void)
{
  Fixture f;
  set_up (&f);
  open_golden (&f);
  g_autofree char *nowhere = g_build_filename (f.folder, "nowhere", NULL);
  g_autofree char *text = g_build_filename (f.folder, "text.png", NULL);
  g_autofree char *closed = g_build_filename (f.folder, "no", "such", "s.h5", NULL);
  g_assert_true (g_file_set_contents (text, "not a picture", -1, NULL));
  assert_refused (&f, hl_document_open_model, nowhere, "nowhere");
  assert_refused (&f, hl_document_open_model, f.folder, "config.json");
  assert_refused (&f, hl_document_open_input, nowhere, "nowhere");
  assert_refused (&f, hl_document_open_input, text, "text.png");
  assert_refused (&f, hl_document_open_session, nowhere, "nowhere");
  assert_refused (&f, hl_document_open_session, text, "text.png");
  assert_refused (&f, hl_document_save, closed, "s.h5");
  g_assert_true (hl_document_is_modified (f.document));
  /* And it goes on as before. */
  hl_document_run (f.document);
  settle (&f);
  assert_logits (&f, NULL, 0);
  tear_down (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* The program that reads sessions first, as a child. */
  g_setenv ("HEADLIGHT_PROGRAMS", PROGRAMS_FOLDER, TRUE);
  g_test_add_func ("/document/open", test_open);
  g_test_add_func ("/document/ablate-and-undo", test_ablate_and_undo);
  g_test_add_func ("/document/newest-wins", test_newest_wins);
  g_test_add_func ("/document/done-too-late", test_done_too_late);
  g_test_add_func ("/document/stop", test_stop);
  g_test_add_func ("/document/close-while-busy", test_close_while_busy);
  g_test_add_func ("/document/save-and-reopen", test_save_and_reopen);
  g_test_add_func ("/document/changed-while-saving", test_changed_while_saving);
  g_test_add_func ("/document/reopen-ablated", test_reopen_ablated);
  g_test_add_func ("/document/attach", test_attach);
  g_test_add_func ("/document/keeps-head", test_keeps_head);
  g_test_add_func ("/document/wrong-files", test_wrong_files);
  return g_test_run ();
}
