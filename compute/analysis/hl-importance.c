/* SPDX-License-Identifier: MIT
 * Which heads matter on one input. */
#include "analysis/hl-importance.h"

#include "base/hl-error.h"
#include "ops/hl-tape.h"

#include <math.h>

typedef struct
{
  const HlModel *model;
  const HlInput *input;
  HlBackend *backend;
  const HlProgress *progress;
  const HlStack *stack;
  GHashTable *resids; /* site -> HlTensor *: the whole model's residual stream */
  double *logits;     /* (V), of the whole model */
  double *log_probs;  /* (V) */
  gint64 V;
  HlImportance *found;
} Work;

void
hl_importance_free (HlImportance *importance)
{
  if (importance == NULL)
    return;
  g_free (importance->first);
  g_free (importance->heads);
  g_free (importance);
}

const HlHeadEffect *
hl_importance_get (const HlImportance *importance, int layer, int head)
{
  return &importance->heads[importance->first[layer] + head];
}

/* ---- numbers -------------------------------------------------------------------------
 */

/* ln softmax, in double. */
static void
log_softmax (const double *logits, double *out, gint64 n)
{
  double most = -INFINITY, sum = 0;
  for (gint64 i = 0; i < n; i++)
    most = fmax (most, logits[i]);
  for (gint64 i = 0; i < n; i++)
    sum += exp (logits[i] - most);
  for (gint64 i = 0; i < n; i++)
    out[i] = logits[i] - most - log (sum);
}

static int
largest (const double *x, gint64 n)
{
  int at = 0;
  for (gint64 i = 1; i < n; i++)
    if (x[i] > x[at])
      at = (int) i;
  return at;
}

/* Half of both divergences from their mean. */
static double
jensen_shannon (const double *log_p, const double *log_q, gint64 n)
{
  double sum = 0;
  for (gint64 i = 0; i < n; i++)
    {
      double p = exp (log_p[i]), q = exp (log_q[i]), log_m = log ((p + q) / 2);
      sum += p > 0 ? p * (log_p[i] - log_m) : 0;
      sum += q > 0 ? q * (log_q[i] - log_m) : 0;
    }
  return CLAMP (sum / 2, 0, G_LN2);
}

static void
fill_effect (const Work *w, const double *logits, HlHeadEffect *effect)
{
  g_autofree double *log_probs = g_new (double, (gsize) w->V);
  int t = w->found->target, pred = w->found->predicted;
  log_softmax (logits, log_probs, w->V);
  effect->prob_after = exp (log_probs[t]);
  effect->prob_change = w->found->prob - effect->prob_after;
  effect->loss_change = w->log_probs[t] - log_probs[t];
  effect->margin_change =
      pred == t ? NAN : (logits[pred] - logits[t]) - (w->logits[pred] - w->logits[t]);
  effect->divergence = jensen_shannon (w->log_probs, log_probs, w->V);
  effect->predicted = largest (logits, w->V);
}

/* A row of logits (B, V) on the host. */
static double *
row_of (HlTensor *logits, gint64 b)
{
  gint64 V = logits->shape.dim[1];
  double *row = g_new (double, (gsize) V);
  for (gint64 i = 0; i < V; i++)
    row[i] = logits->dtype == HL_DTYPE_F64 ? ((double *) logits->data)[b * V + i]
                                           : (double) ((float *) logits->data)[b * V + i];
  return row;
}

/* ---- runs ----------------------------------------------------------------------------
 */

/* Moves a run's failure on; FALSE when there is one, or no logits. */
static gboolean
is_good (HlRun *run, const HlTensor *logits, GError **error)
{
  if (run->exec.error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&run->exec.error));
      return FALSE;
    }
  if (logits != NULL)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s: a model with classes or a vocabulary expected", run->model->name);
  return FALSE;
}

/* The whole model once: its prediction, and where its blocks begin. */
static gboolean
run_whole (Work *w, int target, GError **error)
{
  HlRun run;
  hl_run_init (&run, w->backend, hl_model_get_info (w->model), w->progress);
  hl_run_capture (&run, "*blocks.*.hook_resid_pre");
  g_autoptr (HlTensor) logits = hl_model_forward (w->model, &run, w->input);
  gboolean ok = is_good (&run, logits, error);
  if (ok)
    {
      w->V = logits->shape.dim[1];
      w->logits = row_of (logits, 0);
      w->log_probs = g_new (double, (gsize) w->V);
      log_softmax (w->logits, w->log_probs, w->V);
      w->found->predicted = largest (w->logits, w->V);
      w->found->target = target < 0 ? w->found->predicted : target;
      w->resids = g_hash_table_ref (run.captured);
    }
  hl_run_clear (&run);
  if (ok && target >= w->V)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE, "target: 0 to %d expected, %d found",
                   (int) w->V - 1, target);
      return FALSE;
    }
  if (ok)
    w->found->prob = exp (w->log_probs[w->found->target]);
  return ok;
}

/* (H, H): example h has head h closed. */
static HlTensor *
one_closed_each (int H)
{
  g_autofree float *gates = g_new (float, (gsize) (H * H));
  for (int i = 0; i < H * H; i++)
    gates[i] = i % (H + 1) == 0 ? 0 : 1;
  return hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (H, H), gates);
}

static gboolean
prune_layer (Work *w, int layer, GError **error)
{
  HlRun run;
  int H = w->stack->layers[layer].n_heads;
  const HlModelInfo *info = hl_model_get_info (w->model);
  g_autofree char *site = hl_site_name (info, HL_SITE_RESID_PRE, 0, layer);
  g_autoptr (HlTensor) gates = one_closed_each (H);
  g_autoptr (HlIntervention) prune = hl_intervention_new (
      HL_INTERVENTION_GATE, HL_SITE_Z, 0, layer, NULL, gates, "each head by itself");
  hl_run_init (&run, w->backend, info, w->progress);
  hl_run_start_at (&run, layer, g_hash_table_lookup (w->resids, site));
  hl_run_add_intervention (&run, prune);
  g_autoptr (HlTensor) logits = hl_model_forward (w->model, &run, w->input);
  gboolean ok = is_good (&run, logits, error);
  for (int h = 0; h < H && ok; h++)
    {
      g_autofree double *row = row_of (logits, h);
      fill_effect (w, row, &w->found->heads[w->found->first[layer] + h]);
    }
  hl_run_clear (&run);
  return ok;
}

/* d (ln p_t) / d logit i = [i = t] - p_i. */
static HlTensor *
slope_of_log_prob (const Work *w)
{
  g_autofree double *slope = g_new (double, (gsize) w->V);
  for (gint64 i = 0; i < w->V; i++)
    slope[i] = (i == w->found->target) - exp (w->log_probs[i]);
  g_autoptr (HlTensor) host =
      hl_tensor_new_copy (HL_DTYPE_F64, HL_SHAPE (1, w->V), slope);
  return hl_tensor_convert (host, w->backend->dtype, NULL);
}

static HlTensor *
open_gates (const Work *w, int H)
{
  g_autofree double *ones = g_new (double, (gsize) H);
  for (int h = 0; h < H; h++)
    ones[h] = 1;
  g_autoptr (HlTensor) host = hl_tensor_new_copy (HL_DTYPE_F64, HL_SHAPE (1, H), ones);
  return hl_tensor_convert (host, w->backend->dtype, NULL);
}

static void
take_slopes (Work *w, const HlTape *tape, GPtrArray *gates)
{
  for (int l = 0; l < w->found->n_layers; l++)
    {
      g_autoptr (HlTensor) grad = hl_tape_get_grad (tape, g_ptr_array_index (gates, l));
      g_autoptr (HlTensor) slopes =
          grad != NULL ? hl_tensor_convert (grad, HL_DTYPE_F64, NULL) : NULL;
      for (int h = 0; h < w->stack->layers[l].n_heads && slopes != NULL; h++)
        w->found->heads[w->found->first[l] + h].taylor = ((double *) slopes->data)[h];
    }
}

/* One pass forward with every gate open and watched, and one back. */
static gboolean
estimate (Work *w, GError **error)
{
  HlRun run;
  g_autoptr (HlTape) tape = hl_tape_new ();
  g_autoptr (GPtrArray) gates =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_tensor_unref);
  hl_run_init (&run, w->backend, hl_model_get_info (w->model), w->progress);
  run.exec.tape = tape;
  for (int l = 0; l < w->found->n_layers; l++)
    {
      HlTensor *open = open_gates (w, w->stack->layers[l].n_heads);
      g_ptr_array_add (gates, open);
      hl_tape_watch (tape, open);
      g_autoptr (HlIntervention) gate =
          hl_intervention_new (HL_INTERVENTION_GATE, HL_SITE_Z, 0, l, NULL, open, "open");
      hl_run_add_intervention (&run, gate);
    }
  g_autoptr (HlTensor) logits = hl_model_forward (w->model, &run, w->input);
  g_autoptr (HlTensor) slope = slope_of_log_prob (w);
  if (logits != NULL && hl_exec_ok (&run.exec))
    hl_tape_backward (tape, &run.exec, logits, slope);
  gboolean ok = is_good (&run, logits, error);
  if (ok)
    take_slopes (w, tape, gates);
  hl_run_clear (&run);
  return ok;
}

static HlImportance *
importance_new (const HlStack *stack)
{
  HlImportance *found = g_new0 (HlImportance, 1);
  found->n_layers = stack->n_layers;
  found->first = g_new0 (int, (gsize) stack->n_layers + 1);
  for (int l = 0; l < stack->n_layers; l++)
    found->first[l + 1] = found->first[l] + stack->layers[l].n_heads;
  found->heads = g_new0 (HlHeadEffect, (gsize) found->first[stack->n_layers] + 1);
  return found;
}

HlImportance *
hl_importance_compute (const HlModel *model,
                       const HlInput *input,
                       HlBackend *backend,
                       int target,
                       const HlProgress *progress,
                       GError **error)
{
  const HlStack *stack = hl_model_info_get_stack (hl_model_get_info (model), 0);
  g_return_val_if_fail (stack != NULL, NULL);
  g_autoptr (HlImportance) found = importance_new (stack);
  /* Runs are parts of this: they can be cancelled and give way, their shares are not. */
  HlProgress quiet = { 0 };
  if (progress != NULL)
    quiet = *progress;
  quiet.func = NULL;
  Work w = { model, input, backend, &quiet, stack, .found = found };
  gboolean ok = run_whole (&w, target, error) && estimate (&w, error);
  for (int l = 0; l < stack->n_layers && ok; l++)
    ok = hl_progress_step (progress, (double) l / stack->n_layers, NULL, error) &&
         prune_layer (&w, l, error);
  g_free (w.logits);
  g_free (w.log_probs);
  g_clear_pointer (&w.resids, g_hash_table_unref);
  return ok ? g_steal_pointer (&found) : NULL;
}
