/* SPDX-License-Identifier: MIT
 * Heads ablated whole and in parts, against hooks on the reference implementation. */
#include "analysis/hl-partial.h"
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "golden-model.h"

#include <math.h>

#define ALLOWED 1e-5

typedef struct
{
  HlModel *model;
  HlInput *input;
  HlBackend *backend;
  const HlStack *stack;
  HlSafetensors *file;
} Golden;

static void
golden_open (Golden *g, const char *name)
{
  golden_open_model (name, &g->model, &g->input);
  g->backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g->stack = hl_model_info_get_stack (hl_model_get_info (g->model), 0);
  g->file = golden_open_file (name, "importance.safetensors");
}

static void
golden_clear (Golden *g)
{
  hl_model_unref (g->model);
  hl_input_unref (g->input);
  hl_backend_unref (g->backend);
  hl_safetensors_unref (g->file);
}

static HlTensor *
expected (const Golden *g, const char *key)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTensor) stored = hl_safetensors_get (g->file, key, &error);
  g_assert_no_error (error);
  g_assert_cmpint (stored->dtype, ==, HL_DTYPE_F64);
  return g_steal_pointer (&stored);
}

static void
near (double found, double wanted)
{
  g_assert_cmpfloat (fabs (found - wanted), <=, ALLOWED * (1 + fabs (wanted)));
}

static double
log_prob (const double *logits, gint64 V, int t)
{
  long double sum = 0;
  for (gint64 i = 0; i < V; i++)
    sum += expl ((long double) logits[i]);
  return logits[t] - (double) logl (sum);
}

static HlHeadScores *
score (const Golden *g, HlAblation kind, int target, int against)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) other = hl_ablation_replace (kind, g->model, g->input, NULL, NULL,
                                                     g->backend, NULL, &error);
  g_assert_no_error (error);
  const HlImportanceOptions options = { .target = target,
                                        .against = against,
                                        .label = -1,
                                        .ablation = kind,
                                        .replacements = other };
  HlHeadScores *scores = hl_head_scores_new (g->stack);
  hl_head_scores_begin_input (scores, "golden", "");
  hl_importance_score (scores, g->model, g->input, g->backend, &options, NULL, &error);
  g_assert_no_error (error);
  return scores;
}

static void
test_kinds (gconstpointer name)
{
  static const HlAblation kinds[] = { HL_ABLATION_ZERO, HL_ABLATION_MEAN,
                                      HL_ABLATION_UNIFORM };
  Golden g;
  golden_open (&g, name);
  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    {
      g_autofree char *key = g_strdup_printf ("logits.%s", hl_ablation_name (kinds[k]));
      g_autoptr (HlTensor) logits = expected (&g, key); /* (L, H, V) */
      g_autoptr (HlHeadScores) found = score (&g, kinds[k], 2, 5);
      gint64 H = logits->shape.dim[1], V = logits->shape.dim[2];
      const HlScoredInput *about = hl_head_scores_get_input (found, 0);
      double whole = NAN;
      for (gint64 i = 0; i < logits->shape.dim[0] * H; i++)
        {
          const double *row = (const double *) logits->data + i * V;
          int l = (int) (i / H), h = (int) (i % H);
          double p = exp (log_prob (row, V, 2));
          near (hl_head_scores_get (found, HL_SCORE_PROB_AFTER, 0, l, h), p);
          near (hl_head_scores_get (found, HL_SCORE_LOSS_CHANGE, 0, l, h),
                -log (p) - about->loss);
          /* Every head's change starts from the same difference of the whole model. */
          double before =
              hl_head_scores_get (found, HL_SCORE_DIFFERENCE_CHANGE, 0, l, h) +
              (row[2] - row[5]);
          if (isnan (whole))
            whole = before;
          near (before, whole);
        }
    }
  golden_clear (&g);
}

static double
cosine_distance (const double *a, const double *b, gint64 n)
{
  double ab = 0, aa = 0, bb = 0;
  for (gint64 i = 0; i < n; i++)
    {
      ab += a[i] * b[i];
      aa += a[i] * a[i];
      bb += b[i] * b[i];
    }
  return 1 - ab / sqrt (aa) / sqrt (bb);
}

static double
shift (const double *a, const double *b, gint64 n)
{
  double aa = 0, dd = 0;
  for (gint64 i = 0; i < n; i++)
    {
      aa += a[i] * a[i];
      dd += (a[i] - b[i]) * (a[i] - b[i]);
    }
  return sqrt (dd / aa);
}

/* What comes out of each block of the whole model, (T, D). */
static double *
whole_behind (const Golden *g, int layer)
{
  HlRun run;
  const HlModelInfo *info = hl_model_get_info (g->model);
  g_autofree char *site = hl_site_name (info, HL_SITE_RESID_POST, 0, layer);
  g_autoptr (HlBackend) wide = hl_cpu_backend_new (HL_DTYPE_F64, 1);
  hl_run_init (&run, wide, info, NULL);
  hl_run_capture (&run, site);
  g_autoptr (HlTensor) logits = hl_model_forward (g->model, &run, g->input);
  HlTensor *kept = g_hash_table_lookup (run.captured, site);
  double *copy = g_memdup2 (kept->data, hl_tensor_size_bytes (kept));
  hl_run_clear (&run);
  return copy;
}

static void
test_layers (gconstpointer name)
{
  Golden g;
  golden_open (&g, name);
  g_autoptr (HlTensor) hidden = expected (&g, "hidden.zero"); /* (L, H, T, D) */
  g_autoptr (HlHeadScores) found = score (&g, HL_ABLATION_ZERO, 2, -1);
  const gint64 *dim = hidden->shape.dim;
  gboolean is_text = !g_str_equal (name, "vit-tiny");
  gint64 H = dim[1], T = dim[2], D = dim[3], r = is_text ? T - 1 : 0;
  for (int l = 0; l < dim[0]; l++)
    {
      g_autofree double *before = whole_behind (&g, l);
      for (int h = 0; h < H; h++)
        {
          const double *after = (const double *) hidden->data + (l * H + h) * T * D;
          double cosine = 0, moved = 0;
          for (gint64 t = 0; t < T; t++)
            {
              cosine += cosine_distance (before + t * D, after + t * D, D) / (double) T;
              moved += shift (before + t * D, after + t * D, D) / (double) T;
            }
          near (hl_head_scores_get (found, HL_SCORE_READOUT_COSINE, 0, l, h),
                cosine_distance (before + r * D, after + r * D, D));
          near (hl_head_scores_get (found, HL_SCORE_READOUT_L2, 0, l, h),
                shift (before + r * D, after + r * D, D));
          near (hl_head_scores_get (found, HL_SCORE_TOKENS_COSINE, 0, l, h), cosine);
          near (hl_head_scores_get (found, HL_SCORE_TOKENS_L2, 0, l, h), moved);
          /* In the last block both are the same. */
          if (l == dim[0] - 1)
            near (hl_head_scores_get (found, HL_SCORE_OUTPUT_COSINE, 0, l, h),
                  cosine_distance (before + r * D, after + r * D, D));
        }
    }
  golden_clear (&g);
}

static void
test_gradients (gconstpointer name)
{
  Golden g;
  golden_open (&g, name);
  g_autoptr (HlTensor) taylor = expected (&g, "taylor"); /* (L, H) */
  g_autoptr (HlTensor) michel = expected (&g, "michel_tokens");
  g_autoptr (HlHeadScores) found = score (&g, HL_ABLATION_ZERO, 2, -1);
  gint64 H = taylor->shape.dim[1];
  for (gint64 i = 0; i < hl_tensor_count (taylor); i++)
    {
      int l = (int) (i / H), h = (int) (i % H);
      near (hl_head_scores_get (found, HL_SCORE_TAYLOR, 0, l, h),
            ((double *) taylor->data)[i]);
      near (hl_head_scores_get (found, HL_SCORE_TAYLOR_ABS, 0, l, h),
            fabs (((double *) taylor->data)[i]));
      near (hl_head_scores_get (found, HL_SCORE_MICHEL_TOKENS, 0, l, h),
            ((double *) michel->data)[i]);
    }
  golden_clear (&g);
}

static void
test_parts (gconstpointer name)
{
  Golden g;
  golden_open (&g, name);
  const HlImportanceOptions options = { .target = 2, .against = -1, .label = -1 };
  for (int renormalises = 0; renormalises < 2; renormalises++)
    {
      g_autoptr (HlTensor) logits =
          expected (&g, renormalises ? "renormalised" : "parts"); /* (L, H, 6, V) */
      gint64 H = logits->shape.dim[1], V = logits->shape.dim[3];
      for (gint64 i = 0; i < logits->shape.dim[0] * H; i++)
        {
          g_autoptr (GError) error = NULL;
          g_autoptr (HlPartial) found =
              hl_partial_compute (g.model, g.input, g.backend, (int) (i / H),
                                  (int) (i % H), renormalises, &options, NULL, &error);
          g_assert_no_error (error);
          g_assert_cmpint (found->target, ==, 2);
          g_assert_cmpint (found->V, ==, V);
          for (gint64 j = 0; j < HL_N_PARTS * V; j++)
            near (found->log_probs[j],
                  log_prob ((const double *) logits->data + (i * HL_N_PARTS + j / V) * V,
                            V, (int) (j % V)));
        }
    }
  golden_clear (&g);
}

/* A head whose whole map is pruned is a pruned head; nothing pruned is the whole model.
 */
static void
test_whole_mask (gconstpointer name)
{
  Golden g;
  golden_open (&g, name);
  g_autoptr (GError) error = NULL;
  const HlImportanceOptions options = { .target = 2, .against = -1, .label = -1 };
  g_autoptr (HlHeadScores) scores = score (&g, HL_ABLATION_ZERO, 2, -1);
  g_autoptr (HlPartial) found = hl_partial_compute (g.model, g.input, g.backend, 1, 1,
                                                    FALSE, &options, NULL, &error);
  g_assert_no_error (error);
  near (exp (found->log_probs[found->V + 2]),
        hl_head_scores_get (scores, HL_SCORE_PROB_AFTER, 0, 1, 1));
  near (exp (found->log_probs[2]), hl_head_scores_get_input (scores, 0)->prob);
  golden_clear (&g);
}

/* Every head of a layer pruned: its attention adds the output bias to every token. */
static void
test_whole_layer (void)
{
  Golden g;
  golden_open (&g, "vit-tiny");
  HlRun run;
  const HlModelInfo *info = hl_model_get_info (g.model);
  g_autofree float *zeros = g_new0 (float, 4);
  g_autoptr (HlTensor) gates = hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1, 4), zeros);
  g_autoptr (HlIntervention) closed =
      hl_intervention_new (HL_INTERVENTION_GATE, HL_SITE_Z, 0, 1, NULL, gates, "all");
  hl_run_init (&run, g.backend, info, NULL);
  hl_run_capture (&run, "blocks.1.hook_attn_out");
  hl_run_add_intervention (&run, closed);
  g_autoptr (HlTensor) logits = hl_model_forward (g.model, &run, g.input);
  g_autoptr (HlSafetensors) weights = golden_open_file ("vit-tiny", "model.safetensors");
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTensor) bias = hl_safetensors_get (
      weights, "vit.encoder.layer.1.attention.output.dense.bias", &error);
  g_assert_no_error (error);
  HlTensor *out = g_hash_table_lookup (run.captured, "blocks.1.hook_attn_out");
  gint64 D = out->shape.dim[2];
  for (gint64 i = 0; i < hl_tensor_count (out); i++)
    g_assert_cmpfloat (hl_tensor_f32 (out)[i], ==, hl_tensor_f32 (bias)[i % D]);
  hl_run_clear (&run);
  golden_clear (&g);
}

static void
test_errors (void)
{
  Golden g;
  golden_open (&g, "vit-tiny");
  g_autoptr (GError) error = NULL;
  HlImportanceOptions options = { .target = 2, .against = -1, .label = -1 };
  g_assert_null (hl_ablation_replace (HL_ABLATION_RESAMPLE, g.model, g.input, NULL, NULL,
                                      g.backend, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_null (hl_partial_compute (g.model, g.input, g.backend, 3, 0, FALSE, &options,
                                     NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_RANGE);
  g_clear_error (&error);
  options.target = 7;
  g_assert_null (hl_partial_compute (g.model, g.input, g.backend, 2, 0, FALSE, &options,
                                     NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_RANGE);
  golden_clear (&g);
}

/* Another input's z instead of its own is no change where both are the same; the mean of
 * two inputs is that of either where they are the same. */
static void
test_resample_itself (gconstpointer name)
{
  Golden g;
  golden_open (&g, name);
  g_autoptr (GError) error = NULL;
  g_autoptr (HlMeanZ) mean = hl_mean_z_new ();
  for (int i = 0; i < 2; i++)
    hl_mean_z_add (mean, g.model, g.input, g.backend, NULL, &error);
  g_assert_no_error (error);
  for (int k = HL_ABLATION_MEAN; k <= HL_ABLATION_RESAMPLE; k++)
    {
      g_autoptr (GPtrArray) other = hl_ablation_replace (
          (HlAblation) k, g.model, g.input, g.input, mean, g.backend, NULL, &error);
      g_assert_no_error (error);
      const HlImportanceOptions options = {
        .target = 2, .against = -1, .label = -1, .replacements = other
      };
      g_autoptr (HlHeadScores) scores = hl_head_scores_new (g.stack);
      hl_head_scores_begin_input (scores, "golden", "");
      hl_importance_score (scores, g.model, g.input, g.backend, &options, NULL, &error);
      g_assert_no_error (error);
      for (int l = 0; l < scores->n_layers; l++)
        for (int h = 0; h < g.stack->layers[l].n_heads; h++)
          g_assert_cmpfloat (
              fabs (hl_head_scores_get (scores, HL_SCORE_LOSS_CHANGE, 0, l, h)), <, 1e-5);
    }
  golden_clear (&g);
}

int
main (int argc, char **argv)
{
  static const char *const names[] = { "vit-tiny", "gpt2-tiny", "llama-gqa2" };
  static const struct
  {
    const char *what;
    GTestDataFunc func;
  } tests[] = {
    { "kinds", test_kinds },           { "layers", test_layers },
    { "gradients", test_gradients },   { "parts", test_parts },
    { "whole-mask", test_whole_mask }, { "resample-itself", test_resample_itself },
  };
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    for (guint n = 0; n < G_N_ELEMENTS (names); n++)
      {
        g_autofree char *path =
            g_strdup_printf ("/ablation/%s/%s", tests[i].what, names[n]);
        g_test_add_data_func (path, names[n], tests[i].func);
      }
  g_test_add_func ("/ablation/whole-layer", test_whole_layer);
  g_test_add_func ("/ablation/errors", test_errors);
  return g_test_run ();
}
