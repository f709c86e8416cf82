/* SPDX-License-Identifier: MIT
 * The document's analyses: of an input, of a data set, stopped, kept in the session,
 * forgotten when they are of something else; masks. */
#include "document-settle.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

typedef struct
{
  HlDocument *document;
  int n_told; /* scores that came while an analysis went on */
  int stop_at;
  char *failure;
  char *folder;
} Fixture;

static char *
data_path (const char *name)
{
  return g_test_build_filename (G_TEST_DIST, "..", "data", name, NULL);
}

static void
scores_changed_cb (HlDocument *document, Fixture *f)
{
  double fraction;
  if (hl_document_get_analysis (document, &fraction) == NULL ||
      (hl_document_get_scores (document, HL_SCOPE_INPUT) == NULL &&
       hl_document_get_scores (document, HL_SCOPE_DATASET) == NULL))
    return;
  if (++f->n_told == f->stop_at)
    hl_document_stop_analysis (document);
}

static void
failed_cb (HlDocument *document, const char *summary, const char *details, Fixture *f)
{
  g_free (f->failure);
  f->failure = g_strdup_printf ("%s: %s", summary, details);
}

static void
set_up (Fixture *f)
{
  g_autofree char *model = data_path ("models/vit-fashion");
  g_autofree char *picture = data_path ("samples/shirt-02.png");
  memset (f, 0, sizeof *f);
  f->folder = g_dir_make_tmp ("hl-scores-XXXXXX", NULL);
  f->document = hl_document_new ();
  g_signal_connect (f->document, "scores-changed", G_CALLBACK (scores_changed_cb), f);
  g_signal_connect (f->document, "failed", G_CALLBACK (failed_cb), f);
  hl_document_open_input (f->document, picture);
  hl_document_open_model (f->document, model);
  document_settle (f->document);
  g_assert_nonnull (hl_document_get_trace (f->document));
}

static void
tear_down (Fixture *f)
{
  document_settle (f->document);
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
}

static char *
write_set (Fixture *f)
{
  g_autofree char *samples = data_path ("samples");
  g_autofree char *text =
      g_strdup_printf ("file,label\n%s/coat-01.png,Coat\n%s/bag-01.png,Bag\n"
                       "%s/bag-02.png,Bag\nnothing.png,Bag\n",
                       samples, samples, samples);
  char *path = g_build_filename (f->folder, "set.csv", NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

/* What it knows so far is told, layer by layer, and in the end all of it. */
static void
test_input (void)
{
  Fixture f;
  set_up (&f);
  hl_document_set_label (f.document, 6);
  hl_document_score (f.document, HL_SCOPE_INPUT, TRUE);
  document_settle (f.document);
  HlHeadScores *scores = hl_document_get_scores (f.document, HL_SCOPE_INPUT);
  g_assert_cmpstr (f.failure, ==, NULL);
  g_assert_nonnull (scores);
  g_assert_cmpint (f.n_told, >=, 1);
  for (int l = 0; l < 6; l++)
    for (int h = 0; h < 6; h++)
      g_assert_false (isnan (hl_head_scores_get (scores, HL_SCORE_LOSS_CHANGE, 0, l, h)));
  g_assert_cmpint (hl_head_scores_get_input (scores, 0)->label, ==, 6);
  g_assert_nonnull (
      hl_document_find_scores (f.document, HL_SCOPE_INPUT, HL_SCORE_HOP_ENTROPY));
  /* Another head's ablation keeps them; another input forgets them. */
  hl_selection_toggle_ablated (hl_document_get_selection (f.document), 1, 5);
  document_settle (f.document);
  g_assert_nonnull (hl_document_get_scores (f.document, HL_SCOPE_INPUT));
  g_autofree char *other = data_path ("samples/bag-01.png");
  hl_document_open_input (f.document, other);
  document_settle (f.document);
  g_assert_null (hl_document_get_scores (f.document, HL_SCOPE_INPUT));
  g_assert_cmpint (hl_document_get_label (f.document), ==, -1);
  tear_down (&f);
}

static void
test_session (void)
{
  Fixture f;
  set_up (&f);
  g_autofree char *path = g_build_filename (f.folder, "s.h5", NULL);
  g_autofree char *set = write_set (&f);
  hl_document_score (f.document, HL_SCOPE_INPUT, TRUE);
  hl_document_open_dataset (f.document, set);
  document_settle (f.document);
  hl_document_score (f.document, HL_SCOPE_DATASET, TRUE);
  document_settle (f.document);
  HlHeadScores *all = hl_document_get_scores (f.document, HL_SCOPE_DATASET);
  g_assert_cmpint (hl_head_scores_get_n_inputs (all), ==, 3);
  g_assert_cmpint (all->n_skipped, ==, 1);
  double one = hl_head_scores_get (hl_document_get_scores (f.document, HL_SCOPE_INPUT),
                                   HL_SCORE_LOSS_CHANGE, 0, 1, 5);
  double many = hl_head_scores_get (all, HL_SCORE_TAYLOR, 2, 3, 4);
  /* Again: the newer result takes the older one's place. */
  hl_document_score (f.document, HL_SCOPE_INPUT, TRUE);
  document_settle (f.document);
  hl_document_save (f.document, path);
  document_settle (f.document);
  g_autoptr (HlSession) saved = hl_session_load (path, NULL, NULL);
  g_assert_cmpuint (hl_session_get_n_results (saved), ==, 2);
  hl_document_open_session (f.document, path);
  document_settle (f.document);
  g_assert_cmpstr (f.failure, ==, NULL);
  HlHeadScores *back = hl_document_get_scores (f.document, HL_SCOPE_INPUT);
  g_assert_nonnull (back);
  g_assert_cmpfloat (hl_head_scores_get (back, HL_SCORE_LOSS_CHANGE, 0, 1, 5), ==, one);
  back = hl_document_get_scores (f.document, HL_SCOPE_DATASET);
  g_assert_nonnull (back);
  g_assert_cmpfloat (hl_head_scores_get (back, HL_SCORE_TAYLOR, 2, 3, 4), ==, many);
  tear_down (&f);
}

static void
test_stopping (void)
{
  Fixture f;
  set_up (&f);
  g_autofree char *samples = data_path ("samples/samples.csv");
  hl_document_open_dataset (f.document, samples);
  document_settle (f.document);
  f.stop_at = 1;
  hl_document_score (f.document, HL_SCOPE_DATASET, TRUE);
  document_settle (f.document);
  HlHeadScores *some = hl_document_get_scores (f.document, HL_SCOPE_DATASET);
  g_assert_nonnull (some);
  g_assert_true (some->is_partial);
  g_assert_cmpint (hl_head_scores_get_n_inputs (some), <, 24);
  g_assert_cmpint (hl_head_scores_get_n_inputs (some), >=, 1);
  g_assert_cmpstr (f.failure, ==, NULL);
  tear_down (&f);
}

/* A look and a run go before an analysis; a second analysis takes the first one's place.
 */
static void
test_order (void)
{
  Fixture f;
  set_up (&f);
  g_autofree char *samples = data_path ("samples/samples.csv");
  hl_document_open_dataset (f.document, samples);
  document_settle (f.document);
  hl_document_score (f.document, HL_SCOPE_DATASET, TRUE);
  HlTrace *before = hl_document_get_trace (f.document);
  hl_selection_toggle_ablated (hl_document_get_selection (f.document), 0, 0);
  double fraction;
  while (hl_document_get_trace (f.document) == before)
    g_main_context_iteration (NULL, TRUE);
  g_assert_nonnull (hl_document_get_analysis (f.document, &fraction));
  hl_document_score (f.document, HL_SCOPE_DATASET, FALSE);
  document_settle (f.document);
  HlHeadScores *scores = hl_document_get_scores (f.document, HL_SCOPE_DATASET);
  g_assert_cmpint (hl_head_scores_get_n_inputs (scores), ==, 24);
  g_assert_false (hl_head_scores_has (scores, HL_SCORE_LOSS_CHANGE));
  tear_down (&f);
}

static void
test_parts_and_curve (void)
{
  Fixture f;
  set_up (&f);
  g_autofree char *set = write_set (&f);
  HlSelection *selection = hl_document_get_selection (f.document);
  hl_selection_set_head (selection, 1, 5);
  hl_document_prune_parts (f.document);
  document_settle (f.document);
  HlPartial *partial = hl_document_get_partial (f.document);
  g_assert_nonnull (partial);
  g_assert_cmpint (partial->V, ==, 10);
  hl_selection_set_head (selection, 1, 4);
  g_assert_null (hl_document_get_partial (f.document));
  hl_document_open_dataset (f.document, set);
  document_settle (f.document);
  hl_document_prune_more (f.document, HL_SCORE_LOSS_CHANGE, FALSE);
  document_settle (f.document);
  g_assert_null (hl_document_get_curve (f.document)); /* nothing to order by yet */
  hl_document_score (f.document, HL_SCOPE_DATASET, TRUE);
  document_settle (f.document);
  hl_document_prune_more (f.document, HL_SCORE_LOSS_CHANGE, FALSE);
  document_settle (f.document);
  HlPruningCurve *curve = hl_document_get_curve (f.document);
  g_assert_nonnull (curve);
  g_assert_cmpint (curve->n_inputs, ==, 3);
  /* Both are in the session; parts only while their input is the one that is open. */
  double loss = hl_pruning_curve_loss (curve, 0, 5).mean;
  g_autofree char *path = g_build_filename (f.folder, "s.h5", NULL);
  hl_document_save (f.document, path);
  document_settle (f.document);
  hl_document_open_session (f.document, path);
  document_settle (f.document);
  curve = hl_document_get_curve (f.document);
  g_assert_nonnull (curve);
  g_assert_cmpfloat (hl_pruning_curve_loss (curve, 0, 5).mean, ==, loss);
  hl_selection_set_head (selection, 1, 5);
  g_assert_nonnull (hl_document_get_partial (f.document));
  g_autofree char *other = data_path ("samples/coat-01.png");
  hl_document_open_input (f.document, other);
  document_settle (f.document);
  g_assert_null (hl_document_get_partial (f.document));
  hl_document_save (f.document, path);
  document_settle (f.document);
  hl_document_open_session (f.document, path);
  document_settle (f.document);
  hl_selection_set_head (selection, 1, 5);
  g_assert_null (hl_document_get_partial (f.document));
  g_assert_nonnull (hl_document_get_curve (f.document));
  tear_down (&f);
}

/* An input of the data set becomes the input, with its label; scores of the set stay. */
static void
test_open_scored (void)
{
  Fixture f;
  set_up (&f);
  g_autofree char *set = write_set (&f);
  hl_document_open_dataset (f.document, set);
  document_settle (f.document);
  hl_document_score (f.document, HL_SCOPE_DATASET, FALSE);
  document_settle (f.document);
  hl_document_open_scored (f.document, 2);
  document_settle (f.document);
  g_assert_cmpstr (hl_document_get_input (f.document)->name, ==, "bag-02.png");
  g_assert_cmpint (hl_document_get_label (f.document), ==, 8);
  g_assert_nonnull (hl_document_get_scores (f.document, HL_SCOPE_DATASET));
  hl_document_open_scored (f.document, 99);
  document_settle (f.document);
  g_assert_cmpstr (hl_document_get_input (f.document)->name, ==, "bag-02.png");
  tear_down (&f);
}

/* A data set that is named before there is a model waits for it. */
static void
test_waiting (void)
{
  g_autofree char *model = data_path ("models/vit-fashion");
  g_autofree char *samples = data_path ("samples/samples.csv");
  HlDocument *document = hl_document_new ();
  hl_document_open_dataset (document, samples);
  g_assert_null (hl_document_get_dataset (document));
  hl_document_open_model (document, model);
  document_settle (document);
  g_assert_cmpint (hl_dataset_get_n_items (hl_document_get_dataset (document)), ==, 24);
  g_assert_finalize_object (document);
}

static void
test_masks (void)
{
  Fixture f;
  set_up (&f);
  guint n;
  g_autofree char *path = g_build_filename (f.folder, "mask.json", NULL);
  HlSelection *selection = hl_document_get_selection (f.document);
  hl_selection_toggle_ablated (selection, 1, 5);
  hl_selection_toggle_ablated (selection, 3, 2);
  document_settle (f.document);
  hl_document_save_mask (f.document, path);
  hl_selection_clear_ablated (selection);
  document_settle (f.document);
  hl_document_load_mask (f.document, path);
  document_settle (f.document);
  hl_selection_get_ablated (selection, &n);
  g_assert_cmpuint (n, ==, 2);
  g_assert_true (hl_selection_is_ablated (selection, 3, 2));
  g_assert_cmpint (hl_document_get_trace (f.document)->interventions->len, ==, 2);
  hl_selection_undo (selection);
  hl_selection_get_ablated (selection, &n);
  g_assert_cmpuint (n, ==, 0);
  g_assert_true (
      g_file_set_contents (path, "{\"headlight_mask\": 1, \"heads\": [7]}", -1, NULL));
  g_assert_cmpstr (f.failure, ==, NULL);
  hl_document_load_mask (f.document, path);
  g_assert_nonnull (strstr (f.failure, "7 found"));
  tear_down (&f);
}

static void
test_wrong_set (void)
{
  Fixture f;
  set_up (&f);
  hl_document_open_dataset (f.document, "/nowhere/at/all");
  document_settle (f.document);
  g_assert_nonnull (strstr (f.failure, "/nowhere/at/all"));
  g_assert_null (hl_document_get_dataset (f.document));
  g_assert_false (hl_document_can_score (f.document, HL_SCOPE_DATASET));
  g_assert_false (hl_document_can_score (f.document, HL_SCOPE_PROBE));
  tear_down (&f);
}

int
main (int argc, char **argv)
{
  g_setenv ("HEADLIGHT_PROGRAMS", PROGRAMS_FOLDER, TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/document-scores/input", test_input);
  g_test_add_func ("/document-scores/session", test_session);
  g_test_add_func ("/document-scores/stopping", test_stopping);
  g_test_add_func ("/document-scores/order", test_order);
  g_test_add_func ("/document-scores/parts-and-curve", test_parts_and_curve);
  g_test_add_func ("/document-scores/open-scored", test_open_scored);
  g_test_add_func ("/document-scores/waiting", test_waiting);
  g_test_add_func ("/document-scores/masks", test_masks);
  g_test_add_func ("/document-scores/wrong-set", test_wrong_set);
  return g_test_run ();
}
