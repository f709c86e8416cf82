/* SPDX-License-Identifier: MIT
 * Every token of a text explained at once, against each beginning of the text by itself:
 * a causal model says of a beginning what it says inside the whole. The pruning curve of
 * every token; pruned parts and curves on their way into a session and back. */
#include "analysis/hl-pruning-result.h"
#include "analysis/hl-survey.h"
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "model/hl-model-text.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static const char text[] = "And God said, Let there be light: and there was light.";

typedef struct
{
  HlModel *model;
  HlBackend *backend;
  HlInput *input;
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
  f->model = open_shipped ("gpt-kjv");
  f->backend = hl_cpu_backend_new (HL_DTYPE_F64, 2);
  f->input = hl_model_open_text (f->model, NULL, "", text, -1, NULL, &error);
  g_assert_no_error (error);
}

static void
fixture_clear (Fixture *f)
{
  hl_input_unref (f->input);
  hl_model_unref (f->model);
  hl_backend_unref (f->backend);
}

/* (transfer full): its first @n tokens. */
static HlInput *
begin_of (const Fixture *f, int n)
{
  g_autoptr (GError) error = NULL;
  const HlTextOptions options = { .n_tokens = n };
  HlInput *begin = hl_model_open_text (f->model, NULL, "", text, -1, &options, &error);
  g_assert_no_error (error);
  g_assert_cmpint (begin->ids->shape.dim[1], ==, n);
  return begin;
}

static HlHeadScores *
score (const Fixture *f, const HlInput *input, int target, int against, int label)
{
  g_autoptr (GError) error = NULL;
  const HlSurveyOptions options = { .with_importance = TRUE,
                                    .target = target,
                                    .against = against };
  HlHeadScores *scores =
      hl_survey_input (f->model, input, label, f->backend, &options, NULL, &error);
  g_assert_no_error (error);
  return scores;
}

static const HlScore means[] = {
  HL_SCORE_PROB_AFTER,        HL_SCORE_PROB_CHANGE,
  HL_SCORE_LOSS_CHANGE,       HL_SCORE_MARGIN_CHANGE,
  HL_SCORE_DIVERGENCE,        HL_SCORE_FLIP,
  HL_SCORE_DIFFERENCE_CHANGE, HL_SCORE_CORRECTS,
  HL_SCORE_ACCURACY_CHANGE,   HL_SCORE_TAYLOR,
};

/* With a label the token behind the text is explained too; @against adds differences, of
 * which gradients then are. */
static void
check_means (int against, gboolean with_label)
{
  Fixture f;
  fixture_init (&f);
  int T = (int) f.input->ids->shape.dim[1], last = with_label ? T : T - 1;
  const gint32 *ids = f.input->ids->data;
  enum
  {
    LABEL = 17
  };
  g_autoptr (HlHeadScores) every =
      score (&f, f.input, HL_TARGET_EVERY, against, with_label ? LABEL : -1);
  const HlScoredInput *about = hl_head_scores_get_input (every, 0);
  double sums[G_N_ELEMENTS (means)][48] = { { 0 } }, loss = 0, prob = 0;
  int n[G_N_ELEMENTS (means)][48] = { { 0 } };
  for (int t = 1; t <= last; t++)
    {
      g_autoptr (HlInput) begin = begin_of (&f, t);
      int next = t < T ? ids[t] : LABEL;
      g_autoptr (HlHeadScores) one = score (&f, begin, next, against, next);
      loss += hl_head_scores_get_input (one, 0)->loss / last;
      prob += hl_head_scores_get_input (one, 0)->prob / last;
      for (guint k = 0; k < G_N_ELEMENTS (means); k++)
        for (int h = 0; h < 48; h++)
          {
            double x = hl_head_scores_get (one, means[k], 0, h / 8, h % 8);
            sums[k][h] += isnan (x) ? 0 : x;
            n[k][h] += !isnan (x);
          }
    }
  g_assert_cmpfloat_with_epsilon (about->loss, loss, 1e-9);
  g_assert_cmpfloat_with_epsilon (about->prob, prob, 1e-9);
  g_assert_cmpint (about->target, ==, -1);
  for (guint k = 0; k < G_N_ELEMENTS (means); k++)
    for (int h = 0; h < 48; h++)
      {
        double found = hl_head_scores_get (every, means[k], 0, h / 8, h % 8);
        g_assert_cmpint (isnan (found), ==, n[k][h] == 0);
        if (n[k][h] > 0)
          g_assert_cmpfloat_with_epsilon (found, sums[k][h] / n[k][h], 1e-9);
      }
  fixture_clear (&f);
}

static void
test_means (void)
{
  check_means (-1, FALSE);
}

static void
test_means_with_label (void)
{
  check_means (-1, TRUE);
}

static void
test_means_against (void)
{
  check_means (3, FALSE);
}

static void
refuse (const HlModel *model, const HlInput *input, HlBackend *backend, const char *says)
{
  g_autoptr (GError) error = NULL;
  const HlSurveyOptions options = { .with_importance = TRUE,
                                    .target = HL_TARGET_EVERY,
                                    .against = -1 };
  g_assert_null (hl_survey_input (model, input, -1, backend, &options, NULL, &error));
  g_assert_true (error->domain == HL_ERROR);
  g_assert_nonnull (strstr (error->message, says));
}

static void
test_refused (void)
{
  Fixture f;
  fixture_init (&f);
  g_autoptr (GError) error = NULL;
  g_autoptr (HlInput) single = begin_of (&f, 1);
  refuse (f.model, single, f.backend, "two tokens");
  g_autoptr (HlModel) vit = open_shipped ("vit-fashion");
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "..", "data", "samples", "coat-01.png", NULL);
  g_autoptr (HlInput) picture = hl_model_open_image (vit, path, 0, 0, &error);
  g_autoptr (HlBackend) narrow = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  refuse (vit, picture, narrow, "a text expected");
  fixture_clear (&f);
}

/* ---- curves --------------------------------------------------------------------------
 */

static HlDataset *
open_lines (const HlModel *model)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "..", "data", "samples",
                                                 "ecclesiastes-1.txt", NULL);
  g_autoptr (HlDataset) all = hl_dataset_open (path, hl_model_get_info (model), &error);
  g_assert_no_error (error);
  return hl_dataset_sample (all, 3, 4);
}

static HlPruningCurve *
make_curve (const Fixture *f, HlDataset *lines, HlPruningCurveOptions *options)
{
  g_autoptr (GError) error = NULL;
  const HlSurveyOptions survey = { .with_importance = TRUE,
                                   .target = HL_TARGET_AUTO,
                                   .against = -1 };
  g_autoptr (HlHeadScores) scores =
      hl_survey_dataset (f->model, lines, f->backend, &survey, NULL, &error);
  g_assert_no_error (error);
  *options = (HlPruningCurveOptions){
    .score = HL_SCORE_LOSS_CHANGE, .n_random = 1, .n_points = 4, .every_token = TRUE
  };
  HlPruningCurve *curve = hl_pruning_curve_compute (f->model, lines, f->backend, scores,
                                                    options, NULL, &error);
  g_assert_no_error (error);
  /* The whole model at the first point: the survey's own losses. */
  for (int i = 0; i < 3; i++)
    {
      const HlPruningOrder *order = g_ptr_array_index (curve->orders, 0);
      double loss = hl_head_scores_get_input (scores, i)->loss;
      g_assert_cmpfloat_with_epsilon (g_array_index (order->loss, double, i * 4), loss,
                                      1e-9);
      double right = g_array_index (order->accuracy, double, i * 4);
      g_assert_cmpfloat (right, >, 0);
      g_assert_cmpfloat (right, <, 1); /* a share of its tokens */
    }
  return curve;
}

static void
test_curve (void)
{
  Fixture f;
  HlPruningCurveOptions options;
  g_autoptr (GError) error = NULL;
  fixture_init (&f);
  g_autoptr (HlDataset) lines = open_lines (f.model);
  g_autoptr (HlPruningCurve) curve = make_curve (&f, lines, &options);
  g_autoptr (HlSessionResult) result = hl_pruning_curve_to_result (curve, &options, "{}");
  g_autoptr (HlPruningCurve) again = hl_pruning_curve_from_result (result, 48, &error);
  g_assert_no_error (error);
  g_assert_cmpint (again->n_points, ==, 4);
  g_assert_cmpint (again->n_inputs, ==, 3);
  g_assert_cmpint (again->orders->len, ==, 3);
  for (guint k = 0; k < 3; k++)
    {
      const HlPruningOrder *a = g_ptr_array_index (curve->orders, k);
      const HlPruningOrder *b = g_ptr_array_index (again->orders, k);
      g_assert_cmpstr (a->name, ==, b->name);
      g_assert_cmpmem (a->heads, 48 * sizeof (int), b->heads, 48 * sizeof (int));
      for (int p = 0; p < 4; p++)
        {
          HlInterval x = hl_pruning_curve_loss (curve, k, p);
          HlInterval y = hl_pruning_curve_loss (again, k, p);
          g_assert_cmpfloat (x.mean, ==, y.mean);
          g_assert_cmpfloat (x.high, ==, y.high);
          g_assert_cmpfloat (hl_pruning_curve_accuracy (curve, k, p).low, ==,
                             hl_pruning_curve_accuracy (again, k, p).low);
        }
    }
  g_assert_null (hl_pruning_curve_from_result (result, 36, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
  g_clear_error (&error);
  g_autoptr (HlSessionResult) none = hl_session_result_new (HL_RESULT_CURVE, "[]", "{}");
  g_assert_null (hl_pruning_curve_from_result (none, 48, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
  fixture_clear (&f);
}

static void
test_parts (void)
{
  Fixture f;
  g_autoptr (GError) error = NULL;
  fixture_init (&f);
  const HlImportanceOptions options = { .target = HL_TARGET_EVERY,
                                        .against = -1,
                                        .label = -1 };
  const HlStack *stack = hl_model_info_get_stack (hl_model_get_info (f.model), 0);
  g_autoptr (HlPartial) p = hl_partial_compute (f.model, f.input, f.backend, 4, 2, FALSE,
                                                &options, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (p->target, ==, p->predicted); /* of the last position */
  g_autoptr (HlSessionResult) result = hl_partial_to_result (p, FALSE, "{}");
  g_autoptr (HlPartial) again = hl_partial_from_result (result, stack, &error);
  g_assert_no_error (error);
  g_assert_cmpint (again->layer, ==, 4);
  g_assert_cmpint (again->head, ==, 2);
  g_assert_cmpint (again->target, ==, p->target);
  g_assert_cmpint (again->V, ==, p->V);
  for (gint64 i = 0; i < HL_N_PARTS * p->V; i++)
    g_assert_cmpfloat_with_epsilon (again->log_probs[i], p->log_probs[i], 1e-9);
  for (int i = 0; i < HL_N_PARTS; i++)
    g_assert_cmpint (again->parts[i], ==, p->parts[i]);
  static const char *const bad[] = {
    "{\"head\": \"9.9\", \"target\": 1, \"parts\": []}",
    "{\"head\": \"1.1\", \"target\": 99999999, \"parts\": []}",
    "{\"head\": \"1.1\", \"target\": 1, \"parts\": [\"nothing\"]}"
  };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_free (result->params_json);
      result->params_json = g_strdup (bad[i]);
      g_assert_null (hl_partial_from_result (result, stack, &error));
      g_assert_error (error, HL_ERROR, HL_ERROR_FORMAT);
      g_clear_error (&error);
    }
  fixture_clear (&f);
}

/* ---- a stop --------------------------------------------------------------------------
 */

static void
stop_cb (const HlHeadScores *scores, gpointer data)
{
  g_cancellable_cancel (data);
}

static void
test_stopped_layers (void)
{
  Fixture f;
  g_autoptr (GError) error = NULL;
  fixture_init (&f);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const HlProgress progress = { .cancellable = cancellable };
  const HlSurveyOptions options = { .with_importance = TRUE,
                                    .target = HL_TARGET_PREDICTED,
                                    .against = -1,
                                    .done = stop_cb,
                                    .done_data = cancellable };
  g_autoptr (HlHeadScores) some =
      hl_survey_input (f.model, f.input, -1, f.backend, &options, &progress, &error);
  g_assert_no_error (error);
  g_assert_true (some->is_partial);
  g_assert_false (isnan (hl_head_scores_get (some, HL_SCORE_LOSS_CHANGE, 0, 0, 3)));
  g_assert_true (isnan (hl_head_scores_get (some, HL_SCORE_LOSS_CHANGE, 0, 1, 3)));
  g_assert_null (
      hl_survey_input (f.model, f.input, -1, f.backend, &options, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  fixture_clear (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/every/means", test_means);
  g_test_add_func ("/every/means-with-label", test_means_with_label);
  g_test_add_func ("/every/means-against", test_means_against);
  g_test_add_func ("/every/refused", test_refused);
  g_test_add_func ("/every/curve", test_curve);
  g_test_add_func ("/every/parts", test_parts);
  g_test_add_func ("/every/stopped-layers", test_stopped_layers);
  return g_test_run ();
}
