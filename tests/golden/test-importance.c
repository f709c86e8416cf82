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

static void
compare (const HlImportance *found,
         const HlHeadEffect *e,
         const double *whole,
         const double *cut,
         gint64 V,
         double allowed)
{
  g_autofree double *p = g_new (double, (gsize) V), *q = g_new (double, (gsize) V);
  int t = found->target, pred = found->predicted, now = 0;
  softmax (whole, V, p);
  softmax (cut, V, q);
  for (int i = 0; i < V; i++)
    now = cut[i] > cut[now] ? i : now;
  near (e->prob_after, q[t], allowed);
  near (e->prob_change, p[t] - q[t], allowed);
  near (e->loss_change, log (p[t]) - log (q[t]), allowed);
  near (e->divergence, divergence (p, q, V), allowed);
  g_assert_cmpfloat (e->divergence, >=, 0);
  g_assert_cmpfloat (e->divergence, <=, G_LN2);
  g_assert_cmpint (e->predicted, ==, now);
  if (pred == t)
    g_assert_true (isnan (e->margin_change));
  else
    near (e->margin_change, cut[pred] - cut[t] - (whole[pred] - whole[t]), allowed);
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
  for (int target = HL_IMPORTANCE_PREDICTED; target < 7; target += 3)
    {
      g_autoptr (HlImportance) found =
          hl_importance_compute (g.model, g.input, backend, target, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpint (found->n_layers, ==, 3);
      for (int l = 0; l < 3; l++)
        for (int h = 0; h < 4; h++)
          {
            g_autofree double *cut = to_double (pruned, (l * 4 + h) * 7, 7);
            compare (found, hl_importance_get (found, l, h), logits, cut, 7, 1e-5);
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
  g_autoptr (HlImportance) found =
      hl_importance_compute (g.model, g.input, backend, 5, NULL, &error);
  g_assert_no_error (error);
  for (int l = 0; l < stack->n_layers; l++)
    for (int h = 0; h < stack->layers[l].n_heads; h++)
      {
        const HlHeadEffect *e = hl_importance_get (found, l, h);
        g_autofree double *cut = logits_with (&g, backend, l, h, 0);
        compare (found, e, whole, cut, V, 1e-9);
        double above = log_prob (&g, backend, l, h, 1 + STEP, 5);
        double below = log_prob (&g, backend, l, h, 1 - STEP, 5);
        near (e->taylor, (above - below) / (2 * STEP), 1e-6);
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
  g_assert_null (hl_importance_compute (g.model, g.input, backend, 97, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_RANGE);
  g_assert_nonnull (strstr (error->message, "0 to 96 expected, 97 found"));
  g_clear_error (&error);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const HlProgress progress = { .cancellable = cancellable };
  g_cancellable_cancel (cancellable);
  g_assert_null (hl_importance_compute (g.model, g.input, backend, 0, &progress, &error));
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
