/* SPDX-License-Identifier: MIT
 * The copying score of heads against the whole circuit over the vocabulary in the
 * reference framework (make-copying.py), on every golden language model; closed forms. */
#include "analysis/hl-copying.h"
#include "analysis/hl-probe.h"
#include "backend/cpu/hl-cpu.h"
#include "io/hl-json.h"
#include "model/hl-model-text.h"

#include <math.h>

static HlModel *
open_model (const char *folder, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, folder, name, NULL);
  HlModel *model = hl_model_open (path, &error);
  g_assert_no_error (error);
  return model;
}

static HlHeadScores *
score (const HlModel *model, HlBackend *backend)
{
  g_autoptr (GError) error = NULL;
  HlHeadScores *scores =
      hl_head_scores_new (hl_model_info_get_stack (hl_model_get_info (model), 0));
  hl_head_scores_begin_input (scores, "", "");
  g_assert_true (hl_copying_score (scores, model, backend, NULL, &error));
  g_assert_no_error (error);
  return scores;
}

static void
test_golden (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "analyses", "fixtures", "copying.json", NULL);
  json_t *models = hl_json_load_file (path, &error), *expected;
  g_assert_no_error (error);
  g_assert_cmpint (json_object_size (models), >=, 9);
  const char *name;
  json_object_foreach (models, name, expected)
  {
    g_autoptr (HlModel) model = open_model ("golden/models", name);
    g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F64, 1);
    g_autoptr (HlHeadScores) scores = score (model, backend);
    g_assert_cmpint (json_array_size (expected), ==, scores->n_heads);
    for (int l = 0; l < scores->n_layers; l++)
      for (int h = 0; h < scores->first[l + 1] - scores->first[l]; h++)
        {
          const json_t *x = json_array_get (expected, (size_t) (scores->first[l] + h));
          g_assert_cmpfloat_with_epsilon (
              hl_head_scores_get (scores, HL_SCORE_COPYING, 0, l, h),
              json_number_value (x), 1e-7);
        }
  }
  json_decref (models);
}

/* In float it is the same but for rounding; a tower of pictures has none. */
static void
test_shipped (void)
{
  g_autoptr (HlModel) model = open_model ("../data/models", "gpt-kjv");
  g_autoptr (HlBackend) narrow = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (HlBackend) wide = hl_cpu_backend_new (HL_DTYPE_F64, 2);
  g_autoptr (HlHeadScores) a = score (model, narrow), b = score (model, wide);
  for (int i = 0; i < 48; i++)
    g_assert_cmpfloat_with_epsilon (
        hl_head_scores_get (a, HL_SCORE_COPYING, 0, i / 8, i % 8),
        hl_head_scores_get (b, HL_SCORE_COPYING, 0, i / 8, i % 8), 1e-5);
  g_autoptr (HlModel) vit = open_model ("../data/models", "vit-fashion");
  g_autoptr (HlHeadScores) none = score (vit, narrow);
  g_assert_false (hl_head_scores_has (none, HL_SCORE_COPYING));
  /* The probe has it, once: every sequence says the same. */
  g_autoptr (GError) error = NULL;
  const HlProbeOptions options = { .n_tokens = 4, .n_sequences = 2 };
  g_autoptr (HlHeadScores) probe =
      hl_probe_scores (model, narrow, &options, NULL, &error);
  g_assert_no_error (error);
  HlInterval x = hl_head_scores_interval (probe, HL_SCORE_COPYING, 1, 7);
  g_assert_cmpint (x.n, ==, 1);
  g_assert_cmpfloat (x.mean, ==, hl_head_scores_get (a, HL_SCORE_COPYING, 0, 1, 7));
}

static void
test_eigenvalues (void)
{
  double raises[] = { 2, 0, 0, 3 }, lowers[] = { -2, 1, 0, -3 };
  double turns[] = { 0, -1, 1, 0 }, half[] = { 3, 0, 0, -1 }, none[4] = { 0 };
  double leans[] = { 1, -1, 1, 1 }; /* 1 + i and 1 - i */
  g_assert_cmpfloat (hl_copying_of_eigenvalues (raises, 2), ==, 1);
  g_assert_cmpfloat (hl_copying_of_eigenvalues (lowers, 2), ==, -1);
  g_assert_cmpfloat_with_epsilon (hl_copying_of_eigenvalues (turns, 2), 0, 1e-12);
  g_assert_cmpfloat_with_epsilon (hl_copying_of_eigenvalues (half, 2), 0.5, 1e-12);
  g_assert_cmpfloat_with_epsilon (hl_copying_of_eigenvalues (leans, 2), sqrt (0.5),
                                  1e-12);
  g_assert_true (isnan (hl_copying_of_eigenvalues (none, 2)));
}

static void
test_cancelled (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlModel) model = open_model ("../data/models", "gpt-kjv");
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const HlProgress progress = { .cancellable = cancellable };
  g_autoptr (HlHeadScores) scores =
      hl_head_scores_new (hl_model_info_get_stack (hl_model_get_info (model), 0));
  hl_head_scores_begin_input (scores, "", "");
  g_cancellable_cancel (cancellable);
  g_assert_false (hl_copying_score (scores, model, backend, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/copying/golden", test_golden);
  g_test_add_func ("/copying/shipped", test_shipped);
  g_test_add_func ("/copying/eigenvalues", test_eigenvalues);
  g_test_add_func ("/copying/cancelled", test_cancelled);
  return g_test_run ();
}
