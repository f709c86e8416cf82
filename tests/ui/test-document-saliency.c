/* SPDX-License-Identifier: MIT
 * Saliency beside attention in a document: computed, seen as scenes, kept in the session;
 * by other heads; stopped, and forgotten with its input. */
#include "document-settle.h"

#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "model/hl-model-text.h"
#include "presenters/hl-present-agreement.h"
#include "presenters/hl-present-compare.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static char *
data_path (const char *name)
{
  return g_test_build_filename (G_TEST_DIST, "..", "data", name, NULL);
}

static HlDocument *
open_word (const char *word)
{
  const HlTextOptions options = { 0 };
  g_autofree char *model = data_path ("models/g2p-cmu");
  HlDocument *document = hl_document_new ();
  hl_document_open_model (document, model);
  document_settle (document);
  hl_document_open_text (document, word, &options);
  document_settle (document);
  return document;
}

static HlDocument *
open_picture (void)
{
  g_autofree char *model = data_path ("models/vit-fashion");
  g_autofree char *picture = data_path ("samples/shirt-02.png");
  HlDocument *document = hl_document_new ();
  hl_document_open_input (document, picture);
  hl_document_open_model (document, model);
  document_settle (document);
  return document;
}

static void
choose (HlDocument *document, HlSaliencyMethod method)
{
  HlSaliencyChoices choices = *hl_document_get_saliency_choices (document);
  choices.options.method = method;
  choices.options.baseline = HL_BASELINE_MEAN;
  hl_document_set_saliency_choices (document, &choices);
}

/* The engine, and what comes back from it. */
static void
wait_for_engine (HlDocument *document)
{
  for (int quiet = 0; quiet < 30;)
    {
      gboolean waits = hl_engine_get_n_waiting (hl_document_get_engine (document)) > 0;
      quiet = waits || g_main_context_iteration (NULL, FALSE) ? 0 : quiet + 1;
      g_usleep (1000);
    }
}

static HlCrossResult *
compare (HlDocument *document, HlSaliencyMethod method)
{
  choose (document, method);
  hl_document_compare (document);
  document_settle (document);
  wait_for_engine (document);
  return hl_document_get_cross (document);
}

static HlCompare
see (HlDocument *document, int target)
{
  return (HlCompare){ hl_document_get_trace (document),
                      hl_document_get_cross (document),
                      hl_document_get_cross_map (document),
                      target,
                      NULL,
                      0 };
}

/* ---- numbers -------------------------------------------------------------------------
 */

/* Every sound said has its row; the shares are the rows' by the plain formula. */
static void
test_word (void)
{
  HlDocument *document = open_word ("headlight");
  g_assert_null (hl_document_get_cross (document));
  HlCrossResult *result = compare (document, HL_SALIENCY_OCCLUSION);
  g_assert_nonnull (result);
  const HlCrossComparison *c = result->comparison;
  const HlTokenTable *said = hl_trace_get_tokens (hl_document_get_trace (document), 1);
  g_assert_cmpint (c->n_targets, ==, said->n_tokens - 1);
  g_assert_cmpint (c->stack, ==, 2);
  for (int t = 0; t < c->n_targets; t++)
    {
      HlCompare view = see (document, t);
      g_autofree float *shares = hl_compare_shares (&view, HL_COMPARE_SALIENCY);
      double sum = 0, all = 0;
      for (int j = 0; j < c->n_keys; j++)
        sum +=
            isnan (c->saliency[t * c->n_keys + j]) ? 0 : c->saliency[t * c->n_keys + j];
      for (int j = 0; j < c->n_keys; j++)
        {
          double x = c->saliency[t * c->n_keys + j];
          g_assert_true (isnan (x) == !!isnan (shares[j]));
          if (isnan (x))
            continue;
          g_assert_cmpfloat_with_epsilon ((double) shares[j], x / sum, 1e-6);
          all += (double) shares[j];
        }
      g_assert_cmpfloat_with_epsilon (all, 1, 1e-5);
    }
  g_object_unref (document);
}

/* What cannot be computed is told before anything is run. */
static void
test_choices (void)
{
  HlDocument *document = open_word ("headlight");
  g_autoptr (GError) error = NULL;
  choose (document, HL_SALIENCY_RELEVANCE);
  g_assert_true (hl_document_check_saliency_choices (document, &error));
  choose (document, HL_SALIENCY_FLOW);
  g_assert_false (hl_document_check_saliency_choices (document, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  HlSaliencyChoices choices = *hl_document_get_saliency_choices (document);
  choices.options = (HlSaliencyOptions){ .method = HL_SALIENCY_OCCLUSION,
                                         .baseline = HL_BASELINE_BLUR };
  hl_document_set_saliency_choices (document, &choices);
  g_assert_false (hl_document_check_saliency_choices (document, &error));
  g_clear_error (&error);
  choices.options.baseline = HL_BASELINE_PADDING;
  hl_document_set_saliency_choices (document, &choices);
  g_assert_true (hl_document_check_saliency_choices (document, &error));
  g_object_unref (document);
}

/* A row's saliency on a region, and on the rest, is all of it. */
static void
test_region (void)
{
  HlDocument *document = open_word ("headlight");
  const HlCrossComparison *c = compare (document, HL_SALIENCY_GRADIENT_INPUT)->comparison;
  g_autofree gboolean *some = g_new0 (gboolean, (gsize) c->n_keys);
  g_autofree gboolean *rest = g_new0 (gboolean, (gsize) c->n_keys);
  for (int j = 0; j < c->n_keys; j++)
    (j < 3 ? some : rest)[j] = TRUE;
  for (int t = 0; t < c->n_targets; t++)
    for (int side = 0; side < 2; side++)
      {
        HlCompare view = see (document, t);
        g_assert_true (isnan (hl_compare_region_share (&view, (HlCompareSide) side, t)));
        view.region = some;
        view.of_region = 3;
        double a = hl_compare_region_share (&view, (HlCompareSide) side, t);
        view.region = rest;
        double b = hl_compare_region_share (&view, (HlCompareSide) side, t);
        g_assert_cmpfloat_with_epsilon (a + b, 1, 1e-9);
        g_assert_cmpfloat (a, >=, 0);
      }
  double on = c->saliency[0] + c->saliency[1] + c->saliency[2], all = 0;
  for (int j = 0; j < c->n_keys; j++)
    all += isnan (c->saliency[j]) ? 0 : c->saliency[j];
  HlCompare view = see (document, -1);
  view.region = some;
  view.of_region = 3;
  g_assert_cmpfloat_with_epsilon (hl_compare_region_share (&view, HL_COMPARE_SALIENCY, 0),
                                  on / all, 1e-9);
  g_autoptr (HlTokenList) names = hl_compare_list_outputs (&view);
  g_autoptr (HlTokenScene) outputs =
      hl_compare_outputs (&view, names, hl_document_get_view (document));
  g_assert_cmpfloat_with_epsilon ((double) outputs->weights[2],
                                  hl_compare_region_share (&view, HL_COMPARE_SALIENCY, 2),
                                  1e-6);
  g_object_unref (document);
}

/* One output of a picture: CLS is left out, and said to be. */
static void
test_picture (void)
{
  HlDocument *document = open_picture ();
  HlCrossResult *result = compare (document, HL_SALIENCY_GRADIENT_INPUT);
  g_assert_cmpint (result->comparison->n_targets, ==, 1);
  HlCompare view = see (document, 0);
  g_assert_true (hl_compare_kind (&view) == HL_COMPARE_PICTURE);
  g_autoptr (HlOverlayScene) scene =
      hl_compare_overlay (&view, HL_COMPARE_ATTENTION, hl_document_get_view (document));
  g_autofree char *left_out = hl_compare_left_out (&view);
  double all = 0;
  for (int i = 0; i < scene->n_rows * scene->n_columns; i++)
    all += (double) scene->weights[i];
  g_assert_cmpfloat_with_epsilon (all, 1, 1e-4);
  g_assert_cmpstr (left_out, ==, "1 special token is left out.");
  g_object_unref (document);
}

/* ---- heads ---------------------------------------------------------------------------
 */

static void
test_heads (void)
{
  HlDocument *document = open_word ("transformations");
  HlSelection *selection = hl_document_get_selection (document);
  const HlCrossComparison *c = compare (document, HL_SALIENCY_OCCLUSION)->comparison;
  g_assert_null (hl_document_get_cross_map (document));
  hl_selection_set_stack_head (selection, c->stack, 1, 2);
  hl_document_set_cross_heads (document, HL_CROSS_HEADS_SELECTED);
  wait_for_engine (document);
  g_assert_cmpfloat_with_epsilon (hl_document_get_cross_map (document)->pearson,
                                  c->pearson[1 * c->n_heads + 2], 1e-9);
  double best = -2;
  for (int i = 0; i < c->n_layers * c->n_heads; i++)
    best = fmax (best, c->pearson[i]);
  hl_document_set_cross_heads (document, HL_CROSS_HEADS_BEST);
  wait_for_engine (document);
  g_assert_cmpfloat_with_epsilon (hl_document_get_cross_map (document)->pearson, best,
                                  1e-9);
  /* A model that names no heads for alignment, and nobody pinned one: all of them. */
  hl_document_set_cross_heads (document, HL_CROSS_HEADS_ALIGNMENT);
  wait_for_engine (document);
  g_assert_null (hl_document_get_cross_map (document));
  for (int h = 0; h < 2; h++)
    hl_selection_toggle_pinned (selection, 2, h);
  hl_document_set_cross_heads (document, HL_CROSS_HEADS_PINNED);
  wait_for_engine (document);
  g_assert_nonnull (hl_document_get_cross_map (document));
  g_object_unref (document);
}

static double
attention_area (HlDocument *document)
{
  hl_document_delete (document, HL_METRIC_PROBABILITY);
  document_settle (document);
  wait_for_engine (document);
  return hl_document_get_cross (document)
      ->faithfulness->deletion_area[HL_ORDER_ATTENTION]
      .mean;
}

/* Deletion is of the attention that is shown, and says so; also from a session. */
static void
test_deletion_of_heads (void)
{
  HlDocument *document = open_word ("transformations");
  HlSelection *selection = hl_document_get_selection (document);
  int stack = compare (document, HL_SALIENCY_OCCLUSION)->comparison->stack;
  double all = attention_area (document);
  g_assert_null (hl_document_get_cross (document)->faithfulness->heads);
  hl_selection_set_stack_head (selection, stack, 0, 1);
  hl_document_set_cross_heads (document, HL_CROSS_HEADS_SELECTED);
  wait_for_engine (document);
  double of_one = attention_area (document);
  g_assert_cmpfloat (of_one, >, all + 0.02); /* 0.1 is not what tells letters */
  g_assert_cmpstr (hl_document_get_cross (document)->faithfulness->heads, ==, "0.1");
  g_autoptr (HlChartScene) chart =
      hl_present_left (hl_document_get_cross_kept (document), FALSE, NULL);
  g_assert_nonnull (strstr (chart->caption, "attention (head 0.1)"));
  hl_document_set_cross_heads (document, HL_CROSS_HEADS_ALL);
  wait_for_engine (document);
  g_assert_cmpfloat (attention_area (document), ==, all);
  g_assert_null (hl_document_get_cross (document)->faithfulness->heads);
  g_object_unref (document);
}

/* ---- two towers ----------------------------------------------------------------------
 */

#define SEQUENCE(NAME) "{\"Sequence\": {\"id\": \"" NAME "\", \"type_id\": 0}}"

/* "w5" is token 5, and behind a text stands the token that is pooled. */
static void
write_words (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "tokenizer.json", NULL);
  const char *end = "{\"SpecialToken\": {\"id\": \"</s>\", \"type_id\": 0}}";
  g_autoptr (GString) vocab = g_string_new (NULL);
  for (int i = 0; i < 82; i++)
    g_string_append_printf (vocab, "\"w%d\": %d, ", i, i);
  g_autofree char *text = g_strdup_printf (
      "{\"added_tokens\": [{\"id\": 82, \"content\": \"</s>\", \"special\": true}],"
      " \"pre_tokenizer\": {\"type\": \"Whitespace\"}, \"post_processor\":"
      " {\"type\": \"TemplateProcessing\", \"single\": [" SEQUENCE (
          "A") ", %s],"
               " \"pair\": [" SEQUENCE ("A") ", " SEQUENCE (
                   "B") ", %s], \"special_tokens\":"
                        " {\"</s>\": {\"id\": \"</s>\", \"ids\": [82], \"tokens\": "
                        "[\"</s>\"]}}},"
                        " \"model\": {\"type\": \"WordLevel\", \"unk_token\": \"w0\", "
                        "\"vocab\":"
                        " {%s\"</s>\": 82}}}",
      end, end, vocab->str);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* (transfer full): the folder of a model with two towers and a tokenizer. */
static char *
make_towers (void)
{
  static const char *const names[] = { "config.json", "model.safetensors" };
  char *folder = g_dir_make_tmp ("towers-XXXXXX", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *from = g_test_build_filename (G_TEST_DIST, "golden", "models",
                                                     "clip-both", names[i], NULL);
      g_autofree char *to = g_build_filename (folder, names[i], NULL);
      g_autofree char *bytes = NULL;
      gsize size;
      g_assert_true (g_file_get_contents (from, &bytes, &size, NULL));
      g_assert_true (g_file_set_contents (to, bytes, (gssize) size, NULL));
    }
  write_words (folder);
  return folder;
}

static void
remove_towers (const char *folder)
{
  static const char *const names[] = { "config.json", "model.safetensors",
                                       "tokenizer.json" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);
      g_unlink (path);
    }
  g_rmdir (folder);
}

/* (transfer full): of the picture with tokens 5, 6 and 7, by the analysis itself. */
static HlSaliencySet *
score_pair (const char *folder, const char *picture)
{
  gint32 numbers[] = { 5, 6, 7, 82 };
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (HlModel) model = hl_model_open_for (folder, "image", NULL);
  g_autoptr (HlModel) other = hl_model_open_for (folder, "text", NULL);
  g_autoptr (HlInput) input = hl_model_open_image (model, picture, 0, 0, NULL);
  g_autoptr (HlInput) words = hl_model_open_ids (other, numbers, 4, NULL);
  g_autoptr (HlPair) pair = hl_pair_new (other, words, NULL, backend, NULL, NULL);
  const HlSaliencyOptions options = { .method = HL_SALIENCY_OCCLUSION,
                                      .baseline = HL_BASELINE_MEAN,
                                      .pair = pair };
  HlSaliencySet *set =
      hl_saliency_set_score (model, input, backend, -1, -1, -1, &options, NULL, NULL);
  g_assert_nonnull (set);
  set->options.pair = NULL;
  return set;
}

/* Without a pair there is nothing to explain; with one it is what they are worth. */
static void
test_pair (void)
{
  g_autofree char *folder = make_towers ();
  g_autofree char *picture = g_test_build_filename (G_TEST_DIST, "golden", "models",
                                                    "vit-tiny", "input.png", NULL);
  HlDocument *document = hl_document_new ();
  hl_document_open_model (document, folder);
  document_settle (document);
  hl_document_open_input (document, picture);
  document_settle (document);
  g_assert_false (hl_document_can_compare (document));
  hl_document_set_saliency_pair (document, "w5 w6 w7");
  g_assert_cmpstr (hl_document_get_saliency_pair (document), ==, "w5 w6 w7");
  g_assert_true (hl_document_can_compare (document));
  HlCrossResult *result = compare (document, HL_SALIENCY_OCCLUSION);
  g_assert_nonnull (result);
  g_assert_cmpstr (hl_cross_result_get_name (result, 0), ==, "w5 w6 w7");
  g_assert_cmpstr (result->pair, ==, "w5 w6 w7");
  HlSaliencySet *set = score_pair (folder, picture);
  const HlSaliencyRow *row = g_ptr_array_index (set->rows, 0);
  const HlSaliencyRow *found = g_ptr_array_index (result->set->rows, 0);
  g_assert_cmpint (result->comparison->n_keys, ==, row->n_tokens);
  g_assert_cmpfloat_with_epsilon (found->z, row->z, 1e-5);
  for (int j = 1; j < row->n_tokens; j++) /* CLS does not count */
    g_assert_cmpfloat_with_epsilon (result->comparison->saliency[j],
                                    fabs (row->scores[j]), 1e-5);
  /* It has no probability; and of a text that cannot be read something is said. */
  g_assert_false (hl_document_can_delete (document));
  hl_document_set_saliency_pair (document, "");
  g_assert_false (hl_document_can_compare (document));
  hl_saliency_set_free (set);
  g_object_unref (document);
  remove_towers (folder);
}

/* ---- masks ---------------------------------------------------------------------------
 */

static void
choose_masks (HlDocument *document, int n_masks)
{
  HlSaliencyChoices choices = *hl_document_get_saliency_choices (document);
  choices.options.method = HL_SALIENCY_SPES;
  choices.options.baseline = HL_BASELINE_MEAN;
  choices.options.spes.n_masks = n_masks;
  hl_document_set_saliency_choices (document, &choices);
}

static int
count_masks (HlDocument *document)
{
  const GArray *checks = hl_document_get_cross (document)->checks;
  return checks->len > 0 ? g_array_index (checks, HlSpesCheck, checks->len - 1).n_masks
                         : 0;
}

static void
run_masks (HlDocument *document, gboolean goes_on)
{
  if (goes_on)
    hl_document_go_on (document);
  else
    hl_document_compare (document);
  document_settle (document);
  wait_for_engine (document);
}

/* The first and the last number of checks that were told of. */
typedef struct
{
  int first, last;
} Told;

static void
count_checks_cb (HlDocument *document, gpointer data)
{
  const GArray *checks = hl_document_get_checks (document);
  Told *told = data;
  if (checks == NULL)
    return;
  told->last = (int) checks->len;
  told->first = told->first > 0 ? told->first : told->last;
}

/* Told while it runs; a hundred and then as many again are two hundred. */
static void
test_masks (void)
{
  HlDocument *document = open_word ("light");
  Told told = { 0, 0 };
  g_signal_connect (document, "busy-changed", G_CALLBACK (count_checks_cb), &told);
  choose_masks (document, 100);
  run_masks (document, FALSE);
  g_assert_cmpint (told.first, ==, 1);
  g_assert_cmpint (told.last, ==, 2);
  g_assert_null (hl_document_get_checks (document));
  g_assert_cmpint (count_masks (document), ==, 100);
  g_assert_true (hl_document_can_go_on (document));
  told = (Told){ 0, 0 };
  run_masks (document, TRUE);
  g_assert_cmpint (told.first, ==, 3); /* the first hundred were not run again */
  g_assert_cmpint (count_masks (document), ==, 200);
  const HlCrossComparison *c = hl_document_get_cross (document)->comparison;
  gsize n = (gsize) (c->n_targets * c->n_keys);
  g_autofree double *on = g_memdup2 (c->saliency, n * sizeof (double));
  hl_document_delete (document, HL_METRIC_LOSS);
  document_settle (document);
  g_assert_nonnull (hl_document_get_cross (document)->faithfulness);
  g_assert_cmpint (count_masks (document), ==, 200);
  choose_masks (document, 200);
  run_masks (document, FALSE);
  const double *whole = hl_document_get_cross (document)->comparison->saliency;
  for (gsize i = 0; i < n; i++)
    g_assert_true (on[i] == whole[i] || (isnan (on[i]) && isnan (whole[i])));
  g_object_unref (document);
}

/* What was done when it is stopped is kept, and gone on with. */
static void
test_masks_stopped (void)
{
  HlDocument *document = open_word ("light");
  Told told = { 0, 0 };
  g_signal_connect (document, "busy-changed", G_CALLBACK (count_checks_cb), &told);
  choose_masks (document, 50000000);
  hl_document_compare (document);
  for (int i = 0; i < 20000 && told.last == 0; i++)
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (1000);
  g_assert_cmpint (told.last, >, 0);
  hl_document_stop_analysis (document);
  document_settle (document);
  wait_for_engine (document);
  g_assert_nonnull (hl_document_get_cross (document));
  int n = count_masks (document);
  g_assert_cmpint (n, >, 0);
  choose_masks (document, 50);
  run_masks (document, TRUE);
  g_assert_cmpint (count_masks (document), >, n);
  g_object_unref (document);
}

/* A picture's saliency has cells of its own; each lies in the patch it is drawn over. */
static void
test_cells (void)
{
  HlDocument *document = open_picture ();
  gint64 first, end;
  choose_masks (document, 60);
  run_masks (document, FALSE);
  const HlCrossResult *result = hl_document_get_cross (document);
  HlCompare view = see (document, 0);
  g_assert_nonnull (result->cells);
  g_autoptr (HlOverlayScene) scene =
      hl_compare_overlay (&view, HL_COMPARE_SALIENCY, hl_document_get_view (document));
  g_assert_cmpint (scene->n_rows, ==, result->n_rows);
  g_assert_cmpfloat ((double) scene->weights[5 * scene->n_columns + 7], ==,
                     (double) result->mean_cells[5 * result->n_columns + 7]);
  const HlTokenTable *keys = hl_trace_get_key_tokens (view.trace, 0);
  hl_compare_cell_keys (&view, HL_COMPARE_SALIENCY, hl_compare_n_shown (&view),
                        (result->n_rows - 1) * result->n_columns, &first, &end);
  g_assert_cmpint (first, ==, hl_token_table_find_patch (keys, keys->n_rows - 1, 0));
  g_assert_cmpint (end, ==, first + 1);
  hl_compare_cell_keys (&view, HL_COMPARE_ATTENTION, hl_compare_n_shown (&view),
                        keys->n_columns + 2, &first, &end);
  g_assert_cmpint (first, ==, hl_token_table_find_patch (keys, 1, 2));
  g_object_unref (document);
}

/* ---- sessions ------------------------------------------------------------------------
 */

static void
test_session (void)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "saliency.h5", NULL);
  HlDocument *document = open_word ("light");
  HlCrossResult *result = compare (document, HL_SALIENCY_OCCLUSION);
  double r = result->comparison->pearson_all, saliency = result->comparison->saliency[1];
  hl_document_delete (document, HL_METRIC_PROBABILITY);
  document_settle (document);
  const HlFaithfulness *f = hl_document_get_cross (document)->faithfulness;
  g_assert_nonnull (f);
  double area = f->deletion_area[HL_ORDER_SALIENCY].mean;
  g_assert_cmpfloat (area, >, 0);
  g_assert_cmpfloat (area, <, f->insertion_area[HL_ORDER_SALIENCY].mean);
  hl_document_set_page (document, "saliency");
  hl_document_set_cross_heads (document, HL_CROSS_HEADS_BEST);
  hl_document_save (document, path);
  document_settle (document);
  g_object_unref (document);
  document = hl_document_new ();
  hl_document_open_session (document, path);
  document_settle (document);
  wait_for_engine (document);
  g_autofree char *page = hl_document_take_page (document);
  g_assert_cmpstr (page, ==, "saliency");
  g_assert_null (hl_document_take_page (document));
  g_assert_true (hl_document_get_cross_heads (document) == HL_CROSS_HEADS_BEST);
  g_assert_nonnull (hl_document_get_cross_map (document));
  result = hl_document_get_cross (document);
  g_assert_nonnull (result);
  g_assert_cmpfloat (result->comparison->pearson_all, ==, r);
  g_assert_cmpfloat (result->comparison->saliency[1], ==, saliency);
  g_assert_cmpfloat (result->faithfulness->deletion_area[HL_ORDER_SALIENCY].mean, ==,
                     area);
  HlCompare view = see (document, -1);
  g_autoptr (HlChartScene) rows = hl_compare_rows (&view);
  g_assert_cmpuint (rows->series->len, ==, 2);
  g_object_unref (document);
  g_remove (path);
}

static void
analyze (const char *what, const char *path, const char *masks)
{
  g_autofree char *program = g_build_filename (PROGRAMS_FOLDER, "headlight", NULL);
  g_autofree char *model = data_path ("models/g2p-cmu");
  const char *const command[] = { program,   "analyze",  what,   model,        "--text",
                                  "light",   "--method", "spes", "--baseline", "mean",
                                  "--masks", masks,      "-o",   path,         NULL };
  int status = -1;
  g_assert_true (g_spawn_sync (NULL, (char **) command, NULL, G_SPAWN_STDOUT_TO_DEV_NULL,
                               NULL, NULL, NULL, NULL, &status, NULL));
  g_assert_cmpint (status, ==, 0);
}

/* What a command made of saliency alone is held against attention when it is opened, is
 * what the other command makes, and goes on. */
static void
test_bare_session (void)
{
  g_autofree char *bare = g_build_filename (g_get_tmp_dir (), "bare.h5", NULL);
  g_autofree char *both = g_build_filename (g_get_tmp_dir (), "both.h5", NULL);
  double r[2];
  analyze ("saliency", bare, "100");
  analyze ("cross-attention", both, "100");
  for (int i = 0; i < 2; i++)
    {
      HlDocument *document = hl_document_new ();
      hl_document_open_session (document, i == 0 ? bare : both);
      document_settle (document);
      wait_for_engine (document);
      const HlCrossResult *result = hl_document_get_cross (document);
      g_assert_nonnull (result);
      g_assert_cmpint (result->n_masks, ==, 100);
      r[i] = result->comparison->pearson_all;
      choose_masks (document, 50);
      g_assert_true (hl_document_can_go_on (document));
      run_masks (document, TRUE);
      g_assert_cmpint (hl_document_get_cross (document)->n_masks, ==, 150);
      g_object_unref (document);
    }
  g_assert_cmpfloat (r[0], ==, r[1]);
  g_remove (bare);
  g_remove (both);
}

/* Another input has another explanation; ablated heads have one too. */
static void
test_forgotten (void)
{
  HlDocument *document = open_word ("light");
  const HlTextOptions options = { 0 };
  compare (document, HL_SALIENCY_OCCLUSION);
  hl_document_open_text (document, "dark", &options);
  document_settle (document);
  g_assert_null (hl_document_get_cross (document));
  g_assert_null (hl_document_dup_cross_csv (document));
  double whole = compare (document, HL_SALIENCY_OCCLUSION)->comparison->saliency[0];
  hl_selection_toggle_ablated (hl_document_get_selection (document), 0, 1);
  g_assert_false (
      hl_document_can_compare (document)); /* the maps are of the whole model */
  hl_document_run (document);
  document_settle (document);
  g_assert_null (hl_document_get_cross (document));
  double pruned = compare (document, HL_SALIENCY_OCCLUSION)->comparison->saliency[0];
  g_assert_cmpfloat (whole, !=, pruned);
  g_object_unref (document);
}

static void
test_stopped (void)
{
  HlDocument *document = open_word ("transformations");
  choose (document, HL_SALIENCY_INTEGRATED);
  hl_document_compare (document);
  hl_document_stop_analysis (document);
  document_settle (document);
  wait_for_engine (document);
  g_assert_null (hl_document_get_cross (document));
  double fraction;
  g_assert_null (hl_document_get_analysis (document, &fraction));
  g_object_unref (document);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("HEADLIGHT_PROGRAMS", PROGRAMS_FOLDER, TRUE);
  g_test_add_func ("/document-saliency/word", test_word);
  g_test_add_func ("/document-saliency/choices", test_choices);
  g_test_add_func ("/document-saliency/region", test_region);
  g_test_add_func ("/document-saliency/picture", test_picture);
  g_test_add_func ("/document-saliency/heads", test_heads);
  g_test_add_func ("/document-saliency/deletion-of-heads", test_deletion_of_heads);
  g_test_add_func ("/document-saliency/pair", test_pair);
  g_test_add_func ("/document-saliency/masks", test_masks);
  g_test_add_func ("/document-saliency/masks-stopped", test_masks_stopped);
  g_test_add_func ("/document-saliency/cells", test_cells);
  g_test_add_func ("/document-saliency/session", test_session);
  g_test_add_func ("/document-saliency/bare-session", test_bare_session);
  g_test_add_func ("/document-saliency/forgotten", test_forgotten);
  g_test_add_func ("/document-saliency/stopped", test_stopped);
  return g_test_run ();
}
