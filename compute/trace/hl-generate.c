/* SPDX-License-Identifier: MIT
 * Generating text with a cache. Top-p: Holtzman et al., arXiv 1904.09751, section 3.1. */
#include "trace/hl-generate.h"

#include "base/hl-error.h"
#include "trace/hl-logit-rows.h"

#include <math.h>

typedef struct
{
  gint32 id;
  double weight;
} Candidate;

static int
heavier_first (gconstpointer a, gconstpointer b)
{
  const Candidate *x = a, *y = b;
  if (x->weight != y->weight)
    return x->weight > y->weight ? -1 : 1;
  return x->id - y->id;
}

static gint32
most_probable (const float *logits, gint64 V)
{
  float max = hl_logits_max (logits, V);
  gint64 best = 0;
  while (best < V && !(logits[best] >= max))
    best++;
  return best < V ? (gint32) best : 0; /* of NaN alone there is none */
}

static double
largest (const float *logits, gint64 V)
{
  return (double) hl_logits_max (logits, V);
}

gint32
hl_sample (const float *logits, gint64 V, const HlGenerateOptions *options, double random)
{
  if (options->temperature <= 0)
    return most_probable (logits, V);
  double max = largest (logits, V), total = 0;
  g_autofree Candidate *all = g_new (Candidate, (gsize) V);
  for (gint64 v = 0; v < V; v++)
    {
      all[v].id = (gint32) v;
      all[v].weight = exp (((double) logits[v] - max) / options->temperature);
      total += all[v].weight;
    }
  qsort (all, (gsize) V, sizeof *all, heavier_first);
  double kept = 0, share = options->top_p > 0 ? MIN (options->top_p, 1) : 1;
  gint64 n = 0;
  while (n < V && (n == 0 || kept < share * total))
    kept += all[n++].weight;
  double target = random * kept;
  for (gint64 i = 0; i < n; i++)
    {
      target -= all[i].weight;
      if (target < 0)
        return all[i].id;
    }
  return all[n - 1].id;
}

static double
log_prob_of (const float *logits, gint64 V, gint32 id)
{
  double max = largest (logits, V);
  return (double) logits[id] - max - log (hl_logits_sum_exp (logits, V, max));
}

typedef struct
{
  const HlModel *model;
  const HlInput *input;
  HlBackend *backend;
  const HlGenerateOptions *options;
  const HlProgress *progress;
  HlProgress quiet; /* a pass's own progress would run from 0 to 1 for every token */
  HlKvCache *cache;
  GHashTable *captured; /* of the latest pass */
} Generator;

/* One pass over tokens that follow those in the cache; logits (V) of the last. */
static HlTensor *
pass (Generator *g, HlTensor *ids, GError **error)
{
  HlRun run;
  /* What an encoder reads stays; the ids are those that are new. */
  HlInput input = *g->input;
  input.ids = ids;
  input.tokens = NULL;
  hl_run_init (&run, g->backend, hl_model_get_info (g->model), &g->quiet);
  run.captures_to_host = TRUE;
  run.cache = g->cache;
  run.first_position = hl_kv_cache_get_length (g->cache);
  for (int i = 0; g->options->capture != NULL && g->options->capture[i] != NULL; i++)
    hl_run_capture (&run, g->options->capture[i]);
  const GPtrArray *changes = g->options->interventions;
  for (guint i = 0; changes != NULL && i < changes->len; i++)
    hl_run_add_intervention (&run, g_ptr_array_index (changes, i));
  g_autoptr (HlTensor) logits = hl_model_forward (g->model, &run, &input);
  HlTensor *plain = NULL;
  if (logits != NULL)
    plain = hl_tensor_convert (logits, HL_DTYPE_F32, &run.exec.error);
  if (run.exec.error == NULL)
    hl_backend_finish (g->backend, &run.exec.error);
  hl_kv_cache_advance (g->cache, ids->shape.dim[1]);
  g_clear_pointer (&g->captured, g_hash_table_unref);
  g->captured = g_hash_table_ref (run.captured);
  if (run.exec.error != NULL)
    {
      g_clear_pointer (&plain, hl_tensor_unref);
      g_propagate_error (error, g_steal_pointer (&run.exec.error));
    }
  else if (plain == NULL)
    g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED, "%s predicts no tokens",
                 hl_model_get_info (g->model)->name);
  hl_run_clear (&run);
  return plain;
}

static void
suppress (float *logits, gint64 V, const GArray *ids)
{
  for (guint i = 0; i < ids->len; i++)
    if (g_array_index (ids, gint32, i) < V)
      logits[g_array_index (ids, gint32, i)] = -INFINITY;
}

/* By what the model's files say may be emitted. */
static gint32
draw (const Generator *g, const float *logits, gint64 V, gboolean is_first, double random)
{
  const HlGenerationRules *rules = hl_model_get_rules (g->model);
  gboolean begins =
      is_first && hl_tensor_count (g->input->ids) <= (gint64) rules->start->len;
  if (begins && rules->forced_first >= 0 && rules->forced_first < V)
    return rules->forced_first;
  if (rules->suppressed->len == 0 && (!is_first || rules->first_suppressed->len == 0))
    return hl_sample (logits, V, g->options, random);
  g_autofree float *allowed = g_memdup2 (logits, sizeof (float) * (gsize) V);
  suppress (allowed, V, rules->suppressed);
  if (is_first)
    suppress (allowed, V, rules->first_suppressed);
  return hl_sample (allowed, V, g->options, random);
}

/* Hands tokens over until one of the ends is reached. */
static int
emit_tokens (
    Generator *g, HlTensor *first_ids, HlGenerateFunc func, gpointer data, GError **error)
{
  const HlModelInfo *info = hl_model_get_info (g->model);
  g_autoptr (GRand) rand = g_rand_new_with_seed (g->options->seed);
  g_autoptr (HlTensor) ids = hl_tensor_ref (first_ids);
  gint64 position = first_ids->shape.dim[1];
  for (int n = 0; n < g->options->n_tokens; n++, position++)
    {
      if (info->n_context > 0 && position > info->n_context)
        return n;
      g_autoptr (HlTensor) logits = pass (g, ids, error);
      if (logits == NULL)
        return -1;
      const float *x = hl_tensor_f32 (logits);
      gint64 V = hl_tensor_count (logits);
      gint32 id = draw (g, x, V, n == 0, g_rand_double (rand));
      HlGenerated token = { id, position, log_prob_of (x, V, id), g->captured };
      if (!func (&token, data) ||
          (hl_model_is_end (g->model, id) && !g->options->goes_on))
        return n + 1;
      g_clear_pointer (&ids, hl_tensor_unref);
      ids = hl_tensor_new_copy (HL_DTYPE_I32, HL_SHAPE (1, 1), &id);
      if (!hl_progress_step (g->progress, (double) (n + 1) / g->options->n_tokens,
                             "generating", error))
        return -1;
    }
  return g->options->n_tokens;
}

int
hl_generate (const HlModel *model,
             const HlInput *input,
             HlBackend *backend,
             const HlGenerateOptions *options,
             const HlProgress *progress,
             HlGenerateFunc func,
             gpointer data,
             GError **error)
{
  if (input->ids == NULL || input->ids->shape.dim[1] < 1)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "generating: a text of at least one token expected, none found");
      return -1;
    }
  if (hl_model_get_info (model)->predicts != HL_PREDICTS_NEXT)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "%s predicts no next token: it cannot go on with a text",
                   hl_model_get_info (model)->name);
      return -1;
    }
  g_autoptr (HlKvCache) cache = hl_kv_cache_new ();
  Generator g = { .model = model,
                  .input = input,
                  .backend = backend,
                  .options = options,
                  .progress = progress,
                  .cache = cache };
  if (progress != NULL)
    g.quiet = *progress;
  g.quiet.func = NULL;
  int n = emit_tokens (&g, input->ids, func, data, error);
  g_clear_pointer (&g.captured, g_hash_table_unref);
  return n;
}
