/* SPDX-License-Identifier: MIT
 * Which heads matter on one input. */
#include "analysis/hl-importance.h"

#include "analysis/hl-logits.h"
#include "base/hl-error.h"
#include "ops/hl-tape.h"
#include "trace/hl-tracer.h"

#include <math.h>

/* Of the widest activations of one batch: larger layers are taken in parts. */
#define BATCH_BYTES ((gint64) 64 << 20)

typedef struct
{
  HlHeadScores *scores;
  const HlModel *model;
  const HlInput *input;
  HlBackend *backend;
  const HlImportanceOptions *options;
  const HlProgress *progress;
  const HlModelInfo *info;
  const HlStack *stack;
  GHashTable *resids; /* site -> HlTensor *: the whole model's residual stream */
  double *logits;     /* (V), of the whole model; NULL for a tower without classes */
  double *log_probs;  /* (V) */
  gint64 V;
  gint64 T;
  gint64 readout; /* the token that is read */
  int target;
  int predicted;
} Work;

/* ---- runs ----------------------------------------------------------------------------
 */

/* Numbers of a tensor in double: (transfer full); NULL with @error. */
static HlTensor *
widen (HlTensor *x, GError **error)
{
  return hl_tensor_convert (x, HL_DTYPE_F64, error);
}

static void
begin_run (const Work *w, HlRun *run)
{
  const GPtrArray *given = w->options->interventions;
  hl_run_init (run, w->backend, w->info, w->progress);
  for (guint i = 0; given != NULL && i < given->len; i++)
    hl_run_add_intervention (run, g_ptr_array_index (given, i));
}

/* Moves a run's failure on; FALSE when there is one. */
static gboolean
is_good (HlRun *run, GError **error)
{
  if (run->exec.error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&run->exec.error));
  return FALSE;
}

/* (nullable): the residual stream behind @layer. */
static HlTensor *
resid_behind (const Work *w, int layer)
{
  gboolean is_last = layer == w->stack->n_layers - 1;
  g_autofree char *site = hl_site_name (
      w->info, is_last ? HL_SITE_RESID_POST : HL_SITE_RESID_PRE, 0, layer + !is_last);
  return g_hash_table_lookup (w->resids, site);
}

static gboolean
check_class (const Work *w, const char *what, int index, GError **error)
{
  if (index < w->V)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE, "%s: 0 to %d expected, %d found", what,
               (int) w->V - 1, index);
  return FALSE;
}

/* What the whole model predicts, and what of it is held on to. */
static gboolean
take_prediction (Work *w, HlTensor *logits, GError **error)
{
  const HlImportanceOptions *o = w->options;
  HlScoredInput *about =
      &g_array_index (w->scores->inputs, HlScoredInput, w->scores->inputs->len - 1);
  if (logits == NULL)
    {
      if (o->target >= 0)
        g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                     "%s: a target needs a model with classes or a vocabulary",
                     w->model != NULL ? w->info->name : "");
      return o->target < 0;
    }
  g_autoptr (HlTensor) wide = widen (logits, error);
  if (wide == NULL)
    return FALSE;
  w->V = logits->shape.dim[1];
  w->logits = g_memdup2 (wide->data, (gsize) w->V * sizeof (double));
  w->log_probs = g_new (double, (gsize) w->V);
  hl_log_softmax (w->logits, w->log_probs, w->V);
  w->predicted = hl_largest (w->logits, w->V);
  w->target = o->target >= 0                                  ? o->target
              : o->target == HL_TARGET_LABEL && o->label >= 0 ? o->label
                                                              : w->predicted;
  if (!check_class (w, "target", w->target, error) ||
      !check_class (w, "target that it is held against", o->against, error))
    return FALSE;
  about->label = o->label;
  about->target = w->target;
  about->predicted = w->predicted;
  about->loss = -w->log_probs[w->target];
  about->prob = exp (w->log_probs[w->target]);
  return TRUE;
}

/* The whole model once: its prediction, and where its blocks begin. */
static gboolean
run_whole (Work *w, GError **error)
{
  HlRun run;
  begin_run (w, &run);
  hl_run_capture (&run, "*blocks.*.hook_resid_pre");
  g_autofree char *end =
      hl_site_name (w->info, HL_SITE_RESID_POST, 0, w->stack->n_layers - 1);
  hl_run_capture (&run, end);
  g_autoptr (HlTensor) logits = hl_model_forward (w->model, &run, w->input);
  gboolean ok = is_good (&run, error) && take_prediction (w, logits, error);
  if (ok)
    {
      w->resids = g_hash_table_ref (run.captured);
      w->T = resid_behind (w, w->stack->n_layers - 1)->shape.dim[1];
      w->readout = hl_model_get_readout_row (w->model, w->T);
    }
  hl_run_clear (&run);
  return ok;
}

/* ---- each head by itself -------------------------------------------------------------
 */

/* (n, H) or (n, 1, H, 1): example i is about head @first + i: @on there, @off elsewhere.
 */
static HlTensor *
one_each (HlShape shape, int first, int n, int H, float on, float off)
{
  g_autofree float *x = g_new (float, (gsize) (n * H));
  for (int i = 0; i < n * H; i++)
    x[i] = i % H == first + i / H ? on : off;
  return hl_tensor_new_copy (HL_DTYPE_F32, shape, x);
}

static HlIntervention *
ablate_each (const Work *w, int layer, int first, int n)
{
  int H = w->stack->layers[layer].n_heads;
  if (w->options->replacements == NULL)
    {
      g_autoptr (HlTensor) gates = one_each (HL_SHAPE (n, H), first, n, H, 0, 1);
      return hl_intervention_new (HL_INTERVENTION_GATE, HL_SITE_Z, 0, layer, NULL, gates,
                                  "each head by itself");
    }
  HlTensor *value = g_ptr_array_index (w->options->replacements, layer);
  g_autoptr (HlTensor) mask = one_each (HL_SHAPE (n, 1, H, 1), first, n, H, 1, 0);
  return hl_intervention_new (HL_INTERVENTION_BLEND, HL_SITE_Z, 0, layer, mask, value,
                              "each head by itself");
}

static void
set (Work *w, HlScore score, int layer, int head, double value)
{
  hl_head_scores_set (w->scores, score, layer, head, value);
}

static void
score_prediction (Work *w, const double *logits, int layer, int head)
{
  g_autofree double *log_probs = g_new (double, (gsize) w->V);
  int t = w->target, pred = w->predicted, a = w->options->against,
      label = w->options->label;
  hl_log_softmax (logits, log_probs, w->V);
  int now = hl_largest (logits, w->V);
  double after = exp (log_probs[t]);
  set (w, HL_SCORE_PROB_AFTER, layer, head, after);
  set (w, HL_SCORE_PROB_CHANGE, layer, head, exp (w->log_probs[t]) - after);
  set (w, HL_SCORE_LOSS_CHANGE, layer, head, w->log_probs[t] - log_probs[t]);
  if (pred != t)
    set (w, HL_SCORE_MARGIN_CHANGE, layer, head,
         (logits[pred] - logits[t]) - (w->logits[pred] - w->logits[t]));
  if (a >= 0)
    set (w, HL_SCORE_DIFFERENCE_CHANGE, layer, head,
         (w->logits[t] - w->logits[a]) - (logits[t] - logits[a]));
  set (w, HL_SCORE_DIVERGENCE, layer, head,
       hl_jensen_shannon (w->log_probs, log_probs, w->V));
  set (w, HL_SCORE_FLIP, layer, head, now != pred);
  if (label < 0)
    return;
  set (w, HL_SCORE_CORRECTS, layer, head, pred != label && now == label);
  set (w, HL_SCORE_ACCURACY_CHANGE, layer, head, (pred == label) - (now == label));
}

static gboolean
score_predictions (Work *w, HlTensor *logits, int layer, int first, int n, GError **error)
{
  if (logits == NULL)
    return TRUE;
  g_autoptr (HlTensor) wide = widen (logits, error);
  for (int i = 0; i < n && wide != NULL; i++)
    score_prediction (w, (const double *) wide->data + i * w->V, layer, first + i);
  return wide != NULL;
}

/* @after (n, T, D) against @before (1, T, D), behind the heads' own block. */
static void
score_shift (
    Work *w, const HlTensor *before, const HlTensor *after, int layer, int first, int n)
{
  gint64 T = before->shape.dim[1], D = before->shape.dim[2];
  const double *x = before->data;
  for (int i = 0; i < n; i++)
    {
      const double *y = (const double *) after->data + i * T * D;
      double cosine = 0, shift = 0;
      for (gint64 t = 0; t < T; t++)
        {
          cosine += hl_cosine_distance (x + t * D, y + t * D, D);
          shift += hl_relative_shift (x + t * D, y + t * D, D);
        }
      gint64 r = w->readout * D;
      set (w, HL_SCORE_READOUT_COSINE, layer, first + i,
           hl_cosine_distance (x + r, y + r, D));
      set (w, HL_SCORE_READOUT_L2, layer, first + i, hl_relative_shift (x + r, y + r, D));
      set (w, HL_SCORE_TOKENS_COSINE, layer, first + i, cosine / (double) T);
      set (w, HL_SCORE_TOKENS_L2, layer, first + i, shift / (double) T);
    }
}

/* The readout token behind the last block, of which @after may have that row alone. */
static void
score_output (
    Work *w, const HlTensor *before, const HlTensor *after, int layer, int first, int n)
{
  gint64 D = before->shape.dim[2], rows = after->shape.dim[1];
  const double *x = (const double *) before->data + w->readout * D;
  for (int i = 0; i < n; i++)
    {
      gint64 row = i * rows + (rows > 1 ? w->readout : 0);
      const double *y = (const double *) after->data + row * D;
      set (w, HL_SCORE_OUTPUT_COSINE, layer, first + i, hl_cosine_distance (x, y, D));
    }
}

static gboolean
score_layers (Work *w, HlRun *run, int layer, int first, int n, GError **error)
{
  int last = w->stack->n_layers - 1;
  g_autofree char *own = hl_site_name (w->info, HL_SITE_RESID_POST, 0, layer);
  g_autofree char *end = hl_site_name (w->info, HL_SITE_RESID_POST, 0, last);
  g_autoptr (HlTensor) own_before = widen (resid_behind (w, layer), error);
  g_autoptr (HlTensor) own_after =
      own_before != NULL ? widen (g_hash_table_lookup (run->captured, own), error) : NULL;
  g_autoptr (HlTensor) end_before =
      own_after != NULL ? widen (resid_behind (w, last), error) : NULL;
  g_autoptr (HlTensor) end_after =
      end_before != NULL ? widen (g_hash_table_lookup (run->captured, end), error) : NULL;
  if (end_after == NULL)
    return FALSE;
  score_shift (w, own_before, own_after, layer, first, n);
  score_output (w, end_before, end_after, layer, first, n);
  return TRUE;
}

static gboolean
ablate_heads (Work *w, int layer, int first, int n, GError **error)
{
  HlRun run;
  gboolean is_last = layer == w->stack->n_layers - 1, scores = !w->options->no_layers;
  g_autofree char *begin = hl_site_name (w->info, HL_SITE_RESID_PRE, 0, layer);
  g_autofree char *own = hl_site_name (w->info, HL_SITE_RESID_POST, 0, layer);
  g_autofree char *end =
      hl_site_name (w->info, HL_SITE_RESID_POST, 0, w->stack->n_layers - 1);
  g_autoptr (HlIntervention) ablation = ablate_each (w, layer, first, n);
  begin_run (w, &run);
  hl_run_start_at (&run, layer, g_hash_table_lookup (w->resids, begin));
  hl_run_add_intervention (&run, ablation);
  run.only_row = is_last && scores ? -1 : w->readout;
  if (scores)
    {
      hl_run_capture (&run, own);
      hl_run_capture (&run, end);
    }
  g_autoptr (HlTensor) logits = hl_model_forward (w->model, &run, w->input);
  gboolean ok = is_good (&run, error) &&
                score_predictions (w, logits, layer, first, n, error) &&
                (!scores || score_layers (w, &run, layer, first, n, error));
  hl_run_clear (&run);
  return ok;
}

/* Heads at once: as many as leave the widest activation within its budget. */
static int
batch_of (const Work *w, int layer)
{
  gint64 bytes = w->T * MAX (w->info->width, 1) * 4 * 4;
  return (int) CLAMP (BATCH_BYTES / MAX (bytes, 1), 1, w->stack->layers[layer].n_heads);
}

static gboolean
ablate_layer (Work *w, int layer, GError **error)
{
  int H = w->stack->layers[layer].n_heads, batch = batch_of (w, layer);
  for (int first = 0; first < H; first += batch)
    if (!ablate_heads (w, layer, first, MIN (batch, H - first), error))
      return FALSE;
  if (w->options->layer_done != NULL)
    w->options->layer_done (w->scores, layer, w->options->layer_done_data);
  return TRUE;
}

/* ---- gradients -----------------------------------------------------------------------
 */

/* d (ln p_t) / d logit i = [i = t] - p_i; of a difference, 1 and -1. */
static HlTensor *
slope_of_target (const Work *w)
{
  int a = w->options->against;
  g_autofree double *slope = g_new0 (double, (gsize) w->V);
  for (gint64 i = 0; i < w->V; i++)
    slope[i] = (i == w->target) - (a >= 0 ? i == a : exp (w->log_probs[i]));
  g_autoptr (HlTensor) host =
      hl_tensor_new_copy (HL_DTYPE_F64, HL_SHAPE (1, w->V), slope);
  return hl_tensor_convert (host, w->backend->dtype, NULL);
}

/* z and its gradient, (1, T, H, K): <z, dz> of each token and head. */
static void
score_slopes (Work *w, int layer, const HlTensor *z, const HlTensor *grad)
{
  gint64 T = z->shape.dim[1], H = z->shape.dim[2], K = z->shape.dim[3];
  const double *x = z->data, *g = grad->data;
  for (gint64 h = 0; h < H; h++)
    {
      double sum = 0, sizes = 0;
      for (gint64 t = 0; t < T; t++)
        {
          double dot = 0;
          for (gint64 k = (t * H + h) * K; k < (t * H + h + 1) * K; k++)
            dot += x[k] * g[k];
          sum += dot;
          sizes += fabs (dot);
        }
      set (w, HL_SCORE_TAYLOR, layer, (int) h, sum);
      set (w, HL_SCORE_TAYLOR_ABS, layer, (int) h, fabs (sum));
      set (w, HL_SCORE_MICHEL_TOKENS, layer, (int) h, sizes);
    }
}

static gboolean
take_slopes (Work *w, HlRun *run, const HlTape *tape, GError **error)
{
  for (int l = 0; l < w->stack->n_layers; l++)
    {
      g_autofree char *name = hl_site_name (w->info, HL_SITE_Z, 0, l);
      HlTensor *z = g_hash_table_lookup (run->watched, name);
      g_autoptr (HlTensor) grad = z != NULL ? hl_tape_get_grad (tape, z) : NULL;
      if (grad == NULL)
        continue;
      g_autoptr (HlTensor) wide_z = widen (z, error);
      g_autoptr (HlTensor) wide_grad = wide_z != NULL ? widen (grad, error) : NULL;
      if (wide_grad == NULL)
        return FALSE;
      score_slopes (w, l, wide_z, wide_grad);
    }
  return TRUE;
}

/* Whether the blocks do not fit onto the tape of @run. */
static gboolean
is_too_large (const Work *w, HlRun *run)
{
  gsize budget = w->options->tape_budget_bytes;
  if (budget == 0)
    budget = MIN (HL_TAPE_BUDGET_BYTES, hl_memory_available () / 2);
  return hl_run_tape_bytes (run, w->T) > budget;
}

/* One pass forward, every z watched, and one back. */
static gboolean
estimate (Work *w, GError **error)
{
  HlRun run;
  g_autoptr (HlTape) tape = hl_tape_new ();
  begin_run (w, &run);
  run.exec.tape = tape;
  run.only_row = w->readout;
  hl_run_watch (&run, "*blocks.*.attn.hook_z");
  run.recomputes = is_too_large (w, &run);
  g_autoptr (HlTensor) logits = hl_model_forward (w->model, &run, w->input);
  g_autoptr (HlTensor) slope = slope_of_target (w);
  if (logits != NULL && hl_exec_ok (&run.exec))
    hl_tape_backward (tape, &run.exec, logits, slope);
  gboolean ok = is_good (&run, error) && take_slopes (w, &run, tape, error);
  hl_run_clear (&run);
  return ok;
}

gboolean
hl_importance_score (HlHeadScores *scores,
                     const HlModel *model,
                     const HlInput *input,
                     HlBackend *backend,
                     const HlImportanceOptions *options,
                     const HlProgress *progress,
                     GError **error)
{
  const HlModelInfo *info = hl_model_get_info (model);
  const HlStack *stack = hl_model_info_get_stack (info, 0);
  g_return_val_if_fail (stack != NULL && scores->inputs->len > 0, FALSE);
  /* Runs are parts of this: they can be cancelled and give way, their shares are not. */
  HlProgress quiet = { 0 };
  if (progress != NULL)
    quiet = *progress;
  quiet.func = NULL;
  Work w = { .scores = scores,
             .model = model,
             .input = input,
             .backend = backend,
             .options = options,
             .progress = &quiet,
             .info = info,
             .stack = stack,
             .target = -1,
             .predicted = -1 };
  gboolean ok = run_whole (&w, error) &&
                (options->no_gradients || w.logits == NULL || estimate (&w, error));
  for (int l = 0; l < stack->n_layers && ok; l++)
    ok = hl_progress_step (progress, (double) l / stack->n_layers, NULL, error) &&
         ablate_layer (&w, l, error);
  g_free (w.logits);
  g_free (w.log_probs);
  g_clear_pointer (&w.resids, g_hash_table_unref);
  return ok;
}
