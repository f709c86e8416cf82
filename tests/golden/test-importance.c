/* SPDX-License-Identifier: MIT
 * Head importance on one input: against what the reference library computes with each
 * head pruned (vit-tiny), against whole runs in double, and Taylor scores against central
 * differences. */
#include "analysis/hl-importance.h"
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "golden-model.h"

#include <math.h>

#define STEP 1e-4

typedef struct
{
  HlModel *model;
  HlInput *input;
} Golden;

static void
golden_open (Golden *g, const char *name)
{
  golden_open_model (name, &g->model, &g->input);
}

static void
golden_clear (Golden *g)
{
  hl_model_unref (g->model);
  hl_input_unref (g->input);
}

/* Plainly, and in long double: p of each of @n logits. */
static void
softmax (const double *logits, gint64 n, double *p)
{
  long double sum = 0;
  for (gint64 i = 0; i < n; i++)
    sum += expl ((long double) logits[i]);
  for (gint64 i = 0; i < n; i++)
    p[i] = (double) (expl ((long double) logits[i]) / sum);
}

/* Entropy of the mean less the mean of the entropies. */
static double
divergence (const double *p, const double *q, gint64 n)
{
  double sum = 0;
  for (gint64 i = 0; i < n; i++)
    {
      double m = (p[i] + q[i]) / 2;
      sum += -(m > 0 ? m * log (m) : 0) + (p[i] > 0 ? p[i] * log (p[i]) / 2 : 0) +
             (q[i] > 0 ? q[i] * log (q[i]) / 2 : 0);
    }
  return sum;
}

static void
near (double found, double wanted, double allowed)
{
  g_assert_cmpfloat (fabs (found - wanted), <=, allowed * (1 + fabs (wanted)));
}

/* One input's scores of importance: (transfer full); NULL with @error. */
static HlHeadScores *
score (const Golden *g,
       HlBackend *backend,
       const HlImportanceOptions *options,
       const HlProgress *progress,
       GError **error)
{
  const HlStack *stack = hl_model_info_get_stack (hl_model_get_info (g->model), 0);
  g_autoptr (HlHeadScores) scores = hl_head_scores_new (stack);
  hl_head_scores_begin_input (scores, "golden", "");
  return hl_importance_score (scores, g->model, g->input, backend, options, progress,
                              error)
             ? g_steal_pointer (&scores)
             : NULL;
}

static double
get (const HlHeadScores *scores, HlScore score, int layer, int head)
{
  return hl_head_scores_get (scores, score, 0, layer, head);
}

static int
largest (const double *x, gint64 n)
{
  int at = 0;
  for (int i = 1; i < n; i++)
    at = x[i] > x[at] ? i : at;
  return at;
}

static void
compare (const HlHeadScores *found,
         int l,
         int h,
         const double *whole,
         const double *cut,
         gint64 V,
         double allowed)
{
  g_autofree double *p = g_new (double, (gsize) V), *q = g_new (double, (gsize) V);
  const HlScoredInput *about = hl_head_scores_get_input (found, 0);
  int t = about->target, pred = about->predicted;
  softmax (whole, V, p);
  softmax (cut, V, q);
  g_assert_cmpint (pred, ==, largest (whole, V));
  near (about->prob, p[t], allowed);
  near (about->loss, -log (p[t]), allowed);
  near (get (found, HL_SCORE_PROB_AFTER, l, h), q[t], allowed);
  near (get (found, HL_SCORE_PROB_CHANGE, l, h), p[t] - q[t], allowed);
  near (get (found, HL_SCORE_LOSS_CHANGE, l, h), log (p[t]) - log (q[t]), allowed);
  double jsd = get (found, HL_SCORE_DIVERGENCE, l, h);
  near (jsd, divergence (p, q, V), allowed);
  g_assert_cmpfloat (jsd, >=, 0);
  g_assert_cmpfloat (jsd, <=, G_LN2);
  g_assert_cmpfloat (get (found, HL_SCORE_FLIP, l, h), ==, pred != largest (cut, V));
  double margin = get (found, HL_SCORE_MARGIN_CHANGE, l, h);
  if (pred == t)
    g_assert_true (isnan (margin));
  else
    near (margin, cut[pred] - cut[t] - (whole[pred] - whole[t]), allowed);
}

static double *
to_double (HlTensor *t, gint64 offset, gint64 n)
{
  double *x = g_new (double, (gsize) n);
  for (gint64 i = 0; i < n; i++)
    x[i] = (double) hl_tensor_f32 (t)[offset + i];
  return x;
}

static void
test_reference (void)
{
  Golden g;
  golden_open (&g, "vit-tiny");
  g_autoptr (GError) error = NULL;
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (HlTensor) whole = golden_expected ("vit-tiny", "logits");
  g_autoptr (HlTensor) pruned =
      golden_expected ("vit-tiny", "pruned_logits"); /* (3, 4, 7) */
  g_autofree double *logits = to_double (whole, 0, 7);
  for (int label = 0; label < 7; label++)
    {
      const HlImportanceOptions options = { .target = label % 3 == 0 ? HL_TARGET_PREDICTED
                                                                     : label,
                                            .against = -1,
                                            .label = label };
      g_autoptr (HlHeadScores) found = score (&g, backend, &options, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpint (found->n_layers, ==, 3);
      for (int l = 0; l < 3; l++)
        for (int h = 0; h < 4; h++)
          {
            g_autofree double *cut = to_double (pruned, (l * 4 + h) * 7, 7);
            gboolean was_right = largest (logits, 7) == label;
            gboolean is_right = largest (cut, 7) == label;
            compare (found, l, h, logits, cut, 7, 1e-5);
            g_assert_cmpfloat (get (found, HL_SCORE_CORRECTS, l, h), ==,
                               !was_right && is_right);
            g_assert_cmpfloat (get (found, HL_SCORE_ACCURACY_CHANGE, l, h), ==,
                               was_right - is_right);
          }
    }
  golden_clear (&g);
}

/* The whole model from its input on, one head scaled; without batches, nothing kept. */
static double *
logits_with (const Golden *g, HlBackend *backend, int layer, int head, double factor)
{
  HlRun run;
  const HlModelInfo *info = hl_model_get_info (g->model);
  int H = hl_model_info_get_stack (info, 0)->layers[layer].n_heads;
  g_autofree double *values = g_new (double, (gsize) H);
  for (int h = 0; h < H; h++)
    values[h] = h == head ? factor : 1;
  g_autoptr (HlTensor) gates = hl_tensor_new_copy (HL_DTYPE_F64, HL_SHAPE (1, H), values);
  g_autoptr (HlIntervention) scale = hl_intervention_new (HL_INTERVENTION_GATE, HL_SITE_Z,
                                                          0, layer, NULL, gates, "scale");
  hl_run_init (&run, backend, info, NULL);
  hl_run_add_intervention (&run, scale);
  g_autoptr (HlTensor) logits = hl_model_forward (g->model, &run, g->input);
  g_assert_no_error (run.exec.error);
  double *copy = g_memdup2 (logits->data, hl_tensor_size_bytes (logits));
  hl_run_clear (&run);
  return copy;
}

static double
log_prob (const Golden *g, HlBackend *backend, int l, int h, double factor, int t)
{
  gint64 V = hl_model_get_info (g->model)->n_vocab;
  V = V > 0 ? V : 7;
  g_autofree double *logits = logits_with (g, backend, l, h, factor);
  g_autofree double *p = g_new (double, (gsize) V);
  softmax (logits, V, p);
  return log (p[t]);
}

static void
test_whole_runs (gconstpointer name)
{
  Golden g;
  golden_open (&g, name);
  g_autoptr (GError) error = NULL;
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F64, 1);
  const HlStack *stack = hl_model_info_get_stack (hl_model_get_info (g.model), 0);
  gint64 V = hl_model_get_info (g.model)->n_vocab;
  V = V > 0 ? V : 7;
  g_autofree double *whole = logits_with (&g, backend, 0, 0, 1);
  const HlImportanceOptions options = { .target = 5, .against = -1, .label = -1 };
  g_autoptr (HlHeadScores) found = score (&g, backend, &options, NULL, &error);
  g_assert_no_error (error);
  for (int l = 0; l < stack->n_layers; l++)
    for (int h = 0; h < stack->layers[l].n_heads; h++)
      {
        g_autofree double *cut = logits_with (&g, backend, l, h, 0);
        compare (found, l, h, whole, cut, V, 1e-9);
        double above = log_prob (&g, backend, l, h, 1 + STEP, 5);
        double below = log_prob (&g, backend, l, h, 1 - STEP, 5);
        double slope = (above - below) / (2 * STEP);
        near (get (found, HL_SCORE_TAYLOR, l, h), slope, 1e-6);
        near (get (found, HL_SCORE_TAYLOR_ABS, l, h), fabs (slope), 1e-6);
        g_assert_cmpfloat (get (found, HL_SCORE_MICHEL_TOKENS, l, h), >=,
                           get (found, HL_SCORE_TAYLOR_ABS, l, h) * (1 - 1e-9));
      }
  golden_clear (&g);
}

static void
test_target (void)
{
  Golden g;
  golden_open (&g, "gpt2-tiny");
  g_autoptr (GError) error = NULL;
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  HlImportanceOptions options = { .target = 97, .against = -1, .label = -1 };
  g_assert_null (score (&g, backend, &options, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_RANGE);
  g_assert_nonnull (strstr (error->message, "0 to 96 expected, 97 found"));
  g_clear_error (&error);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const HlProgress progress = { .cancellable = cancellable };
  g_cancellable_cancel (cancellable);
  options.target = 0;
  g_assert_null (score (&g, backend, &options, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  golden_clear (&g);
}

int
main (int argc, char **argv)
{
  static const char *const names[] = { "vit-tiny", "gpt2-tiny", "llama-gqa2",
                                       "llama-gqa8" };
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/importance/reference", test_reference);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_strdup_printf ("/importance/whole-runs/%s", names[i]);
      g_test_add_data_func (path, names[i], test_whole_runs);
    }
  g_test_add_func ("/importance/target", test_target);
  return g_test_run ();
}
