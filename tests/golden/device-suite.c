/* SPDX-License-Identifier: MIT
 * Whole models on a device against the CPU: every site of a pass, predictions, recomputed
 * maps and tiles, generation, importance with its gradients, an autoencoder's training,
 * half precision. */
#include "device-suite.h"

#include "analysis/hl-autoencoder.h"
#include "analysis/hl-importance.h"
#include "backend/cpu/hl-cpu.h"
#include "golden-model.h"
#include "trace/hl-attention-source.h"
#include "trace/hl-generate.h"
#include "trace/hl-tracer.h"

#include <math.h>

/* Float32 on both sides, summed in another order: relative to the largest number. */
#define LIMIT 2e-5
/* Eight bits of precision through a few layers. */
#define HALF_LIMIT 0.06

static const char *const models[] = {
  "vit-tiny",    "vit-grey-relu", "vit-nonsquare", "vit-bf16",        "vit-f16",
  "gpt2-tiny",   "gpt2-untied",   "llama-gqa2",    "llama-gqa8",      "llama-longrope",
  "bert-masked", "mistral-tiny",  "gemma2-tiny",   "qwen3-tiny",      "opt-tiny",
  "phi3-tiny",   "gpt-neox-tiny", "olmo2-tiny",    "dinov2-registers"
};

typedef struct
{
  DeviceOpen open;
  const char *model_name;
} Case;

typedef struct
{
  HlModel *model;
  HlInput *input;
  HlBackend *device;
  HlBackend *cpu;
} Pair;

/* FALSE where there is no device: the case is skipped. */
static gboolean
pair_open (Pair *p, const Case *c, HlDtype dtype)
{
  g_autoptr (GError) error = NULL;
  *p = (Pair){ .device = c->open (dtype, &error) };
  if (p->device == NULL)
    {
      g_test_skip (error->message);
      return FALSE;
    }
  p->cpu = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  golden_open_model (c->model_name, &p->model, &p->input);
  return TRUE;
}

static void
pair_close (Pair *p)
{
  hl_model_unref (p->model);
  hl_input_unref (p->input);
  hl_backend_unref (p->device);
  hl_backend_unref (p->cpu);
}

static void
near (const char *what, const HlTensor *found, const HlTensor *wanted, double limit)
{
  g_assert_nonnull (found);
  g_assert_null (found->memory);
  g_assert_true (hl_shape_equal (&found->shape, &wanted->shape));
  const float *x = hl_tensor_f32 (found), *y = hl_tensor_f32 (wanted);
  double most = 1;
  for (gint64 i = 0; i < hl_tensor_count (wanted); i++)
    if (isfinite (y[i]))
      most = fmax (most, fabs ((double) y[i]));
  for (gint64 i = 0; i < hl_tensor_count (wanted); i++)
    if (x[i] != y[i] && !(isnan (x[i]) && isnan (y[i])) &&
        !(fabs ((double) x[i] - (double) y[i]) <= limit * most))
      g_error ("%s: number %d: %.9g expected, %.9g found", what, (int) i, (double) y[i],
               (double) x[i]);
}

static HlTrace *
trace_on (const Pair *p, HlBackend *backend, HlMaps maps, GPtrArray *changes)
{
  static const char *const all[] = { "*", NULL };
  g_autoptr (GError) error = NULL;
  const HlTraceOptions options = { .maps = maps,
                                   .capture = maps == HL_MAPS_STORED ? all : NULL,
                                   .interventions = changes };
  HlTrace *trace = hl_tracer_run (p->model, p->input, backend, &options, NULL, &error);
  g_assert_no_error (error);
  return trace;
}

static void
compare_traces (const HlTrace *found, const HlTrace *wanted, double limit)
{
  GHashTableIter iter;
  gpointer name, tensor;
  g_assert_cmpuint (g_hash_table_size (found->sites), ==,
                    g_hash_table_size (wanted->sites));
  g_hash_table_iter_init (&iter, wanted->sites);
  while (g_hash_table_iter_next (&iter, &name, &tensor))
    near (name, hl_trace_get_site (found, name), tensor, limit);
  if (wanted->logits != NULL)
    near ("logits", found->logits, wanted->logits, limit);
  if (wanted->predictions == NULL)
    return;
  near ("entropies", found->predictions->entropies, wanted->predictions->entropies,
        limit);
  near ("log-probabilities", found->predictions->next_log_probs,
        wanted->predictions->next_log_probs, limit);
}

/* ---- cases ---------------------------------------------------------------------------
 */

static void
test_trace (gconstpointer data)
{
  Pair p;
  if (!pair_open (&p, data, HL_DTYPE_F32))
    return;
  g_autoptr (HlTrace) found = trace_on (&p, p.device, HL_MAPS_STORED, NULL);
  g_autoptr (HlTrace) wanted = trace_on (&p, p.cpu, HL_MAPS_STORED, NULL);
  g_assert_cmpstr (found->backend, ==, "cuda");
  g_assert_cmpstr (found->precision, ==, "float32");
  compare_traces (found, wanted, LIMIT);
  pair_close (&p);
}

static void
check_rect (const Pair *p, HlAttentionSource *a, HlAttentionSource *b, HlHeadKey head)
{
  g_autoptr (GError) error = NULL;
  gint64 Tq, Tk;
  g_assert_true (hl_attention_source_get_size (b, head, &Tq, &Tk));
  g_autofree float *x = g_new (float, (gsize) (Tq * Tk));
  g_autofree float *y = g_new (float, (gsize) (Tq * Tk));
  hl_attention_source_read_rect (a, p->device, head, 0, Tq, 0, Tk, x, NULL, &error);
  g_assert_no_error (error);
  hl_attention_source_read_rect (b, p->cpu, head, 0, Tq, 0, Tk, y, NULL, &error);
  g_assert_no_error (error);
  for (gint64 i = 0; i < Tq * Tk; i++)
    g_assert_cmpfloat_with_epsilon (x[i], y[i], LIMIT);
  for (int level = 0; level < 4; level++)
    {
      g_autoptr (HlAttentionTile) found =
          hl_attention_source_read_tile (a, p->device, head, level, 0, 0, NULL, &error);
      g_assert_no_error (error);
      g_autoptr (HlAttentionTile) wanted =
          hl_attention_source_read_tile (b, p->cpu, head, level, 0, 0, NULL, &error);
      g_assert_no_error (error);
      for (int i = 0; i < wanted->n_rows * wanted->n_columns; i++)
        {
          g_assert_cmpfloat_with_epsilon (found->mean[i], wanted->mean[i], LIMIT);
          g_assert_cmpfloat_with_epsilon (found->max[i], wanted->max[i], LIMIT);
        }
    }
}

/* Q, K and log-sum-exp from the device; maps made from them there, against stored maps.
 */
static void
test_recomputed (gconstpointer data)
{
  Pair p;
  if (!pair_open (&p, data, HL_DTYPE_F32))
    return;
  g_autoptr (HlTrace) found = trace_on (&p, p.device, HL_MAPS_RECOMPUTED, NULL);
  g_autoptr (HlTrace) wanted = trace_on (&p, p.cpu, HL_MAPS_STORED, NULL);
  g_autoptr (HlAttentionSource) a = hl_attention_source_new (found);
  g_autoptr (HlAttentionSource) b = hl_attention_source_new (wanted);
  const HlStack *stack = hl_model_info_get_stack (hl_model_get_info (p.model), 0);
  for (int l = 0; l < stack->n_layers; l++)
    for (int h = 0; h < stack->layers[l].n_heads; h++)
      check_rect (&p, a, b, (HlHeadKey){ 0, l, h });
  pair_close (&p);
}

/* A head pruned, which gates, and a map changed, which blends. */
static void
test_interventions (gconstpointer data)
{
  Pair p;
  if (!pair_open (&p, data, HL_DTYPE_F32))
    return;
  g_autoptr (GPtrArray) changes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
  g_ptr_array_add (
      changes, hl_intervention_new_scale_head (hl_model_get_info (p.model), 0, 0, 1, 0));
  const float half = 0.5f;
  g_autoptr (HlTensor) mask =
      hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1, 1, 1, 1), &half);
  g_ptr_array_add (changes, hl_intervention_new (HL_INTERVENTION_BLEND, HL_SITE_PATTERN,
                                                 0, 1, mask, NULL, "half of a map"));
  g_autoptr (HlTrace) found = trace_on (&p, p.device, HL_MAPS_STORED, changes);
  g_autoptr (HlTrace) wanted = trace_on (&p, p.cpu, HL_MAPS_STORED, changes);
  compare_traces (found, wanted, LIMIT);
  pair_close (&p);
}

/* Ablation in batches from cached streams, and Taylor scores by the tape. */
static void
test_importance (gconstpointer data)
{
  Pair p;
  g_autoptr (GError) error = NULL;
  if (!pair_open (&p, data, HL_DTYPE_F32))
    return;
  const HlStack *stack = hl_model_info_get_stack (hl_model_get_info (p.model), 0);
  const HlImportanceOptions options = { .target = HL_TARGET_PREDICTED,
                                        .against = -1,
                                        .label = -1 };
  g_autoptr (HlHeadScores) found = hl_head_scores_new (stack);
  g_autoptr (HlHeadScores) wanted = hl_head_scores_new (stack);
  hl_head_scores_begin_input (found, "golden", "");
  hl_head_scores_begin_input (wanted, "golden", "");
  hl_importance_score (found, p.model, p.input, p.device, &options, NULL, &error);
  g_assert_no_error (error);
  hl_importance_score (wanted, p.model, p.input, p.cpu, &options, NULL, &error);
  g_assert_no_error (error);
  for (int k = 0; k < HL_N_SCORES; k++)
    for (int l = 0; l < stack->n_layers; l++)
      for (int h = 0; h < stack->layers[l].n_heads; h++)
        {
          double x = hl_head_scores_get (found, (HlScore) k, 0, l, h);
          double y = hl_head_scores_get (wanted, (HlScore) k, 0, l, h);
          g_assert_true (isnan (x) == isnan (y));
          if (!isnan (y))
            g_assert_cmpfloat_with_epsilon (x, y, 1e-4 * (1 + fabs (y)));
        }
  pair_close (&p);
}

/* The id, and in per cent what the row that emitted it attends to its first token. */
static gboolean
append_token (const HlGenerated *token, gpointer data)
{
  const HlTensor *map =
      g_hash_table_lookup (token->captured, "blocks.1.attn.hook_pattern");
  gint64 Tq = map->shape.dim[2], Tk = map->shape.dim[3];
  g_string_append_printf (data, "%d %.0f ", token->id,
                          100 * (double) hl_tensor_f32 (map)[(Tq - 1) * Tk]);
  return TRUE;
}

/* Greedy: with the cache of keys and values on the device. */
static void
test_generate (gconstpointer data)
{
  Pair p;
  g_autoptr (GError) error = NULL;
  if (!pair_open (&p, data, HL_DTYPE_F32))
    return;
  static const char *const maps[] = { "*attn.hook_pattern", NULL };
  const HlGenerateOptions options = { .n_tokens = 12, .goes_on = TRUE, .capture = maps };
  g_autoptr (GString) found = g_string_new (NULL), wanted = g_string_new (NULL);
  hl_generate (p.model, p.input, p.device, &options, NULL, append_token, found, &error);
  g_assert_no_error (error);
  hl_generate (p.model, p.input, p.cpu, &options, NULL, append_token, wanted, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (found->str, ==, wanted->str);
  g_assert_cmpuint (wanted->len, >, 0);
  pair_close (&p);
}

/* Weights and activations in half precision, maps and log-sum-exps read as float32. */
static void
check_half (const Case *c, HlDtype dtype, HlMaps maps)
{
  Pair p;
  if (!pair_open (&p, c, dtype))
    return;
  g_autoptr (HlTrace) found = trace_on (&p, p.device, maps, NULL);
  g_autoptr (HlTrace) wanted = trace_on (&p, p.cpu, maps, NULL);
  g_assert_cmpstr (found->precision, ==, hl_dtype_name (dtype));
  compare_traces (found, wanted, HALF_LIMIT);
  pair_close (&p);
}

static void
test_bfloat16 (gconstpointer data)
{
  check_half (data, HL_DTYPE_BF16, HL_MAPS_STORED);
  check_half (data, HL_DTYPE_BF16, HL_MAPS_RECOMPUTED);
}

static void
test_float16 (gconstpointer data)
{
  check_half (data, HL_DTYPE_F16, HL_MAPS_STORED);
  check_half (data, HL_DTYPE_F16, HL_MAPS_RECOMPUTED);
}

/* Both precisions of one device, one after the other: each has weights of its own. */
static void
test_both_precisions (gconstpointer data)
{
  Pair p;
  if (!pair_open (&p, data, HL_DTYPE_BF16))
    return;
  g_autoptr (HlBackend) wide = hl_backend_as_f32 (p.device);
  g_autoptr (HlTrace) half = trace_on (&p, p.device, HL_MAPS_STORED, NULL);
  g_autoptr (HlTrace) found = trace_on (&p, wide, HL_MAPS_STORED, NULL);
  g_autoptr (HlTrace) wanted = trace_on (&p, p.cpu, HL_MAPS_STORED, NULL);
  compare_traces (half, wanted, HALF_LIMIT);
  compare_traces (found, wanted, LIMIT);
  pair_close (&p);
}

/* A few steps of training: the same losses, and weights that can be fetched. */
static void
test_autoencoder (gconstpointer data)
{
  Pair p;
  g_autoptr (GError) error = NULL;
  if (!pair_open (&p, data, HL_DTYPE_F32))
    return;
  const HlAutoencoderShape shape = { 12, 12, 1 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  g_autoptr (HlTensor) x = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (6, 145), NULL);
  for (gint64 i = 0; i < hl_tensor_count (x); i++)
    ((float *) x->data)[i] = (float) g_rand_double (rand);
  HlBackend *backends[] = { p.device, p.cpu };
  HlAutoencoder *nets[2];
  double loss[2];
  for (int i = 0; i < 2; i++)
    {
      nets[i] = hl_autoencoder_new (backends[i], shape, 5, &error);
      g_assert_no_error (error);
    }
  for (int step = 0; step < 5; step++)
    {
      for (int i = 0; i < 2; i++)
        hl_autoencoder_step (nets[i], x, NULL, &loss[i], &error);
      g_assert_no_error (error);
      g_assert_cmpfloat_with_epsilon (loss[0], loss[1], 1e-4 * loss[1]);
    }
  for (int k = 0; k < hl_autoencoder_get_n_weights (nets[0]); k++)
    {
      g_autoptr (HlTensor) a = hl_tensor_convert (hl_autoencoder_get_weight (nets[0], k),
                                                  HL_DTYPE_F32, &error);
      g_assert_no_error (error);
      near (hl_autoencoder_get_name (nets[0], k), a,
            hl_autoencoder_get_weight (nets[1], k), 1e-3);
    }
  for (int i = 0; i < 2; i++)
    hl_autoencoder_free (nets[i]);
  pair_close (&p);
}

/* ---- the list ------------------------------------------------------------------------
 */

static void
add (const char *name,
     const char *what,
     DeviceOpen open,
     const char *model_name,
     GTestDataFunc func)
{
  const Case c = { open, model_name };
  g_autofree char *path = g_strdup_printf ("/device/%s/%s/%s", name, what, model_name);
  g_test_add_data_func_full (path, g_memdup2 (&c, sizeof c), func, g_free);
}

void
device_suite_add (const char *name, DeviceOpen open)
{
  for (gsize i = 0; i < G_N_ELEMENTS (models); i++)
    {
      add (name, "trace", open, models[i], test_trace);
      add (name, "recomputed", open, models[i], test_recomputed);
    }
  const char *const some[] = { "vit-tiny", "gpt2-tiny", "llama-gqa2" };
  for (gsize i = 0; i < G_N_ELEMENTS (some); i++)
    {
      add (name, "interventions", open, some[i], test_interventions);
      add (name, "importance", open, some[i], test_importance);
      add (name, "bfloat16", open, some[i], test_bfloat16);
      add (name, "float16", open, some[i], test_float16);
      if (i > 0)
        add (name, "generate", open, some[i], test_generate);
    }
  add (name, "both-precisions", open, "gpt2-tiny", test_both_precisions);
  add (name, "autoencoder", open, "vit-tiny", test_autoencoder);
}
