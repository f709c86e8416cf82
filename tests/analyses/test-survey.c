/* SPDX-License-Identifier: MIT
 * Scores over a data set, and the pruning curve, on the shipped models: against single
 * inputs; skipped and cancelled ones; a head that is made to matter is found. */
#include "analysis/hl-embedding.h"
#include "analysis/hl-pruning-curve.h"
#include "analysis/hl-survey.h"
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "model/hl-model-text.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

typedef struct
{
  HlModel *model;
  HlBackend *backend;
  HlDataset *dataset; /* three pictures and, second, a file that is none */
  char *csv;
} Fixture;

static HlModel *
open_shipped (const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "..", "data", "models", name, NULL);
  HlModel *model = hl_model_open (path, &error);
  g_assert_no_error (error);
  return model;
}

static void
fixture_init (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *samples =
      g_test_build_filename (G_TEST_DIST, "..", "data", "samples", NULL);
  f->model = open_shipped ("vit-fashion");
  f->backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  int fd = g_file_open_tmp ("headlight-XXXXXX.csv", &f->csv, &error);
  g_assert_no_error (error);
  g_close (fd, NULL);
  g_autofree char *text =
      g_strdup_printf ("file,label\n%s/shirt-02.png,Shirt\n%s/samples.csv,Shirt\n"
                       "%s/coat-01.png,Coat\n%s/bag-01.png,\n",
                       samples, samples, samples, samples);
  g_file_set_contents (f->csv, text, -1, &error);
  g_assert_no_error (error);
  f->dataset = hl_dataset_open (f->csv, hl_model_get_info (f->model), &error);
  g_assert_no_error (error);
}

static void
fixture_clear (Fixture *f)
{
  g_unlink (f->csv);
  g_free (f->csv);
  hl_dataset_unref (f->dataset);
  hl_model_unref (f->model);
  hl_backend_unref (f->backend);
}

static void
test_dataset (void)
{
  Fixture f;
  fixture_init (&f);
  g_autoptr (GError) error = NULL;
  const HlSurveyOptions options = { .with_importance = TRUE,
                                    .with_strength = TRUE,
                                    .target = HL_TARGET_LABEL,
                                    .against = -1 };
  g_autoptr (HlHeadScores) all =
      hl_survey_dataset (f.model, f.dataset, f.backend, &options, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (hl_head_scores_get_n_inputs (all), ==, 3);
  g_assert_cmpint (all->n_skipped, ==, 1);
  g_assert_true (g_str_has_prefix (g_ptr_array_index (all->skipped, 0), "/") ||
                 strstr (g_ptr_array_index (all->skipped, 0), "samples.csv") != NULL);
  g_assert_false (all->is_partial);
  static const int index[] = { 0, 2, 3 };
  for (int i = 0; i < 3; i++)
    {
      int label;
      g_autoptr (HlInput) input =
          hl_dataset_open_input (f.dataset, f.model, index[i], &label, &error);
      g_autoptr (HlHeadScores) one =
          hl_survey_input (f.model, input, label, f.backend, &options, NULL, &error);
      g_assert_no_error (error);
      const HlScoredInput *about = hl_head_scores_get_input (all, i);
      g_assert_cmpint (about->label, ==, i == 0 ? 6 : i == 1 ? 4 : -1);
      g_assert_cmpint (about->target, ==,
                       about->label >= 0 ? about->label : about->predicted);
      for (int k = 0; k < HL_N_SCORES; k++)
        for (int h = 0; h < 6; h++)
          {
            double x = hl_head_scores_get (all, (HlScore) k, i, 2, h);
            double y = hl_head_scores_get (one, (HlScore) k, 0, 2, h);
            g_assert_true ((isnan (x) && isnan (y)) || x == y);
          }
      g_assert_cmpint (isnan (hl_head_scores_get (all, HL_SCORE_CORRECTS, i, 0, 0)), ==,
                       i == 2);
    }
  fixture_clear (&f);
}

static void
cancel_cb (const HlHeadScores *scores, gpointer data)
{
  g_cancellable_cancel (data);
}

static void
test_cancelling (void)
{
  Fixture f;
  fixture_init (&f);
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const HlProgress progress = { .cancellable = cancellable };
  const HlSurveyOptions options = { .with_importance = TRUE,
                                    .target = HL_TARGET_LABEL,
                                    .against = -1,
                                    .done = cancel_cb,
                                    .done_data = cancellable };
  g_autoptr (HlHeadScores) some =
      hl_survey_dataset (f.model, f.dataset, f.backend, &options, &progress, &error);
  g_assert_no_error (error);
  g_assert_cmpint (hl_head_scores_get_n_inputs (some), ==, 1);
  g_assert_true (some->is_partial);
  g_assert_null (
      hl_survey_dataset (f.model, f.dataset, f.backend, &options, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  fixture_clear (&f);
}

static void
test_nothing_readable (void)
{
  Fixture f;
  fixture_init (&f);
  g_autoptr (GError) error = NULL;
  g_autoptr (HlModel) text = open_shipped ("gpt-kjv");
  const HlSurveyOptions options = { .with_strength = TRUE, .against = -1 };
  g_assert_null (hl_survey_dataset (text, f.dataset, f.backend, &options, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "none of 4 inputs"));
  g_clear_error (&error);
  /* Inputs that open and cannot be scored leave nothing behind. */
  const HlSurveyOptions wrong = { .with_importance = TRUE, .target = 99, .against = -1 };
  g_assert_null (hl_survey_dataset (f.model, f.dataset, f.backend, &wrong, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "0 to 9 expected, 99 found"));
  fixture_clear (&f);
}

/* All heads but one hardly say anything: every score of size finds that one. */
static void
test_planted (gconstpointer name)
{
  static const HlScore sizes[] = { HL_SCORE_DIVERGENCE,   HL_SCORE_OUTPUT_COSINE,
                                   HL_SCORE_READOUT_L2,   HL_SCORE_TOKENS_COSINE,
                                   HL_SCORE_TOKENS_L2,    HL_SCORE_TAYLOR_ABS,
                                   HL_SCORE_MICHEL_TOKENS };
  g_autoptr (GError) error = NULL;
  g_autoptr (HlModel) model = open_shipped (name);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  const HlModelInfo *info = hl_model_get_info (model);
  const HlStack *stack = hl_model_info_get_stack (info, 0);
  g_autofree char *picture =
      g_test_build_filename (G_TEST_DIST, "..", "data", "samples", "coat-01.png", NULL);
  g_autoptr (HlInput) input =
      g_str_equal (info->input_kind, "text")
          ? hl_model_open_text (model, NULL, "", "And God said, Let there be", -1, NULL,
                                &error)
          : hl_model_open_image (model, picture, 0, 0, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) quiet =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
  for (int l = 0; l < stack->n_layers; l++)
    for (int h = 0; h < stack->layers[l].n_heads; h++)
      g_ptr_array_add (quiet, hl_intervention_new_scale_head (
                                  info, 0, l, h, l == 3 && h == 2 ? 2 : 1e-5));
  const HlSurveyOptions options = { .with_importance = TRUE,
                                    .target = HL_TARGET_PREDICTED,
                                    .against = -1,
                                    .interventions = quiet };
  g_autoptr (HlHeadScores) s =
      hl_survey_input (model, input, -1, backend, &options, NULL, &error);
  g_assert_no_error (error);
  for (guint k = 0; k < G_N_ELEMENTS (sizes); k++)
    {
      double planted = hl_head_scores_get (s, sizes[k], 0, 3, 2);
      for (int l = 0; l < stack->n_layers; l++)
        for (int h = 0; h < stack->layers[l].n_heads; h++)
          if (l != 3 || h != 2)
            g_assert_cmpfloat (hl_head_scores_get (s, sizes[k], 0, l, h), <,
                               planted / 10);
    }
}

/* Logits with the heads in @gone pruned, from the input on. */
static double
loss_without (const Fixture *f, int item, GPtrArray *gone, int label)
{
  HlRun run;
  int given;
  g_autoptr (HlInput) input =
      hl_dataset_open_input (f->dataset, f->model, item, &given, NULL);
  hl_run_init (&run, f->backend, hl_model_get_info (f->model), NULL);
  for (guint i = 0; i < gone->len; i++)
    hl_run_add_intervention (&run, g_ptr_array_index (gone, i));
  g_autoptr (HlTensor) logits = hl_model_forward (f->model, &run, input);
  double sum = 0;
  for (int i = 0; i < 10; i++)
    sum += exp ((double) hl_tensor_f32 (logits)[i]);
  double loss = log (sum) - (double) hl_tensor_f32 (logits)[label];
  hl_run_clear (&run);
  return loss;
}

static void
test_curve (void)
{
  Fixture f;
  fixture_init (&f);
  g_autoptr (GError) error = NULL;
  const HlSurveyOptions survey = { .with_importance = TRUE,
                                   .target = HL_TARGET_LABEL,
                                   .against = -1 };
  g_autoptr (HlHeadScores) scores =
      hl_survey_dataset (f.model, f.dataset, f.backend, &survey, NULL, &error);
  const HlPruningCurveOptions options = {
    .score = HL_SCORE_LOSS_CHANGE, .n_random = 2, .n_points = 10, .seed = 7
  };
  g_autoptr (HlPruningCurve) curve = hl_pruning_curve_compute (
      f.model, f.dataset, f.backend, scores, &options, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (curve->orders->len, ==, 4);
  g_assert_cmpint (curve->n_inputs, ==, 3);
  g_assert_cmpint (curve->n_skipped, ==, 1);
  g_assert_cmpint (curve->n_removed[0], ==, 0);
  g_assert_cmpint (curve->n_removed[9], ==, 36);
  const HlPruningOrder *up = g_ptr_array_index (curve->orders, 0);
  const HlPruningOrder *down = g_ptr_array_index (curve->orders, 1);
  g_autofree double *means = hl_head_scores_mean (scores, HL_SCORE_LOSS_CHANGE);
  for (int i = 0; i < 36; i++)
    {
      g_assert_cmpint (up->heads[i], ==, down->heads[35 - i]);
      if (i > 0)
        g_assert_cmpfloat (means[up->heads[i]], >=, means[up->heads[i - 1]]);
    }
  /* Ends agree whatever the order; a point between them, against a run of its own. */
  for (guint k = 1; k < 4; k++)
    for (int p = 0; p < 10; p += 9)
      g_assert_cmpfloat (fabs (hl_pruning_curve_loss (curve, k, p).mean -
                               hl_pruning_curve_loss (curve, 0, p).mean),
                         <, 1e-5);
  g_autoptr (GPtrArray) gone =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
  for (int i = 0; i < curve->n_removed[3]; i++)
    g_ptr_array_add (gone, hl_intervention_new_scale_head (hl_model_get_info (f.model), 0,
                                                           up->heads[i] / 6,
                                                           up->heads[i] % 6, 0));
  static const int items[] = { 0, 2, 3 };
  for (int i = 0; i < 3; i++)
    {
      int label = hl_head_scores_get_input (scores, i)->target;
      g_assert_cmpfloat (fabs (g_array_index (up->loss, double, i * 10 + 3) -
                               loss_without (&f, items[i], gone, label)),
                         <, 1e-5);
    }
  g_assert_cmpfloat (hl_pruning_curve_accuracy (curve, 0, 0).mean, >=, 1 / 3.0 - 1e-9);
  fixture_clear (&f);
}

/* Against itself an input loses as much likeness as its output turns; against another,
 * what two passes of their own say. */
static void
test_reference (void)
{
  Fixture f;
  fixture_init (&f);
  g_autoptr (GError) error = NULL;
  int label;
  g_autoptr (HlInput) input =
      hl_dataset_open_input (f.dataset, f.model, 0, &label, &error);
  g_autoptr (HlInput) other =
      hl_dataset_open_input (f.dataset, f.model, 3, &label, &error);
  HlSurveyOptions options = { .with_importance = TRUE,
                              .target = HL_TARGET_PREDICTED,
                              .against = -1,
                              .reference = input };
  g_autoptr (HlHeadScores) same =
      hl_survey_input (f.model, input, -1, f.backend, &options, NULL, &error);
  g_assert_no_error (error);
  options.reference = other;
  g_autoptr (HlHeadScores) found =
      hl_survey_input (f.model, input, -1, f.backend, &options, NULL, &error);
  g_assert_no_error (error);
  options.reference = NULL;
  g_autoptr (HlHeadScores) none =
      hl_survey_input (f.model, input, -1, f.backend, &options, NULL, &error);
  g_assert_false (hl_head_scores_has (none, HL_SCORE_REFERENCE_CHANGE));
  g_autoptr (HlTensor) r =
      hl_embedding_of (f.model, other, NULL, f.backend, NULL, NULL, &error);
  g_autoptr (HlTensor) x =
      hl_embedding_of (f.model, input, NULL, f.backend, NULL, NULL, &error);
  for (int l = 0; l < 6; l++)
    for (int h = 0; h < 6; h++)
      {
        g_autoptr (GPtrArray) gone =
            g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
        g_ptr_array_add (gone, hl_intervention_new_scale_head (
                                   hl_model_get_info (f.model), 0, l, h, 0));
        g_autoptr (HlTensor) y =
            hl_embedding_of (f.model, input, gone, f.backend, NULL, NULL, &error);
        double dot[2] = { 0 }, norm[3] = { 0 };
        for (int d = 0; d < x->shape.dim[1]; d++)
          {
            double a = (double) hl_tensor_f32 (x)[d], b = (double) hl_tensor_f32 (y)[d];
            double c = (double) hl_tensor_f32 (r)[d];
            dot[0] += a * c;
            dot[1] += b * c;
            norm[0] += a * a;
            norm[1] += b * b;
            norm[2] += c * c;
          }
        double change =
            dot[0] / sqrt (norm[0] * norm[2]) - dot[1] / sqrt (norm[1] * norm[2]);
        g_assert_cmpfloat_with_epsilon (
            hl_head_scores_get (found, HL_SCORE_REFERENCE_CHANGE, 0, l, h), change, 1e-5);
        g_assert_cmpfloat_with_epsilon (
            hl_head_scores_get (same, HL_SCORE_REFERENCE_CHANGE, 0, l, h),
            hl_head_scores_get (same, HL_SCORE_OUTPUT_COSINE, 0, l, h), 1e-6);
      }
  fixture_clear (&f);
}

/* The first head of the greedy order is the one whose loss alone is least. */
static void
test_greedy (void)
{
  g_autoptr (GError) error = NULL;
  Fixture f;
  fixture_init (&f);
  g_autoptr (HlDataset) one = hl_dataset_sample (f.dataset, 1, 1);
  const HlSurveyOptions survey = { .with_importance = TRUE,
                                   .target = HL_TARGET_LABEL,
                                   .against = -1 };
  g_autoptr (HlHeadScores) scores =
      hl_survey_dataset (f.model, one, f.backend, &survey, NULL, &error);
  g_assert_no_error (error);
  const HlPruningCurveOptions options = { .score = HL_SCORE_LOSS_CHANGE,
                                          .with_greedy = TRUE };
  g_autoptr (HlPruningCurve) curve =
      hl_pruning_curve_compute (f.model, one, f.backend, scores, &options, NULL, &error);
  g_assert_no_error (error);
  const HlPruningOrder *up = g_ptr_array_index (curve->orders, 0);
  const HlPruningOrder *greedy = g_ptr_array_index (curve->orders, 2);
  g_assert_cmpstr (greedy->name, ==, "greedy");
  g_assert_cmpint (greedy->heads[0], ==, up->heads[0]);
  guint64 seen = 0;
  for (int i = 0; i < 36; i++)
    seen |= (guint64) 1 << greedy->heads[i];
  g_assert_cmpuint (seen, ==, ((guint64) 1 << 36) - 1);
  fixture_clear (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/survey/dataset", test_dataset);
  g_test_add_func ("/survey/cancelling", test_cancelling);
  g_test_add_func ("/survey/reference", test_reference);
  g_test_add_func ("/survey/nothing-readable", test_nothing_readable);
  g_test_add_data_func ("/survey/planted/vit-fashion", "vit-fashion", test_planted);
  g_test_add_data_func ("/survey/planted/gpt-kjv", "gpt-kjv", test_planted);
  g_test_add_func ("/survey/curve", test_curve);
  g_test_add_func ("/survey/greedy", test_greedy);
  return g_test_run ();
}
