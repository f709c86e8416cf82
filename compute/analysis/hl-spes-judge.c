/* SPDX-License-Identifier: MIT
 * SPES: masked runs, and how far what they predict is from the prediction. */
#include "analysis/hl-spes-private.h"

#include "base/hl-error.h"
#include "base/hl-parallel.h"
#include "trace/hl-logit-rows.h"

#include <math.h>
#include <string.h>

/* Exponentials between two pauses: some 10 ms. */
#define JUDGED_AT_ONCE ((gint64) 2 << 20)

/* ---- one run of several masks --------------------------------------------------------
 */

static gboolean
reads_all (const HlSpes *s)
{
  const HlModelInfo *info = hl_model_get_info (s->work.model);
  return s->targets->len > 1 ||
         (hl_spes_target (s, 0)->row >= 0 && info->predicts == HL_PREDICTS_OWN);
}

/* What is hidden of tokens is put where they are embedded; of the encoder's output that
 * is behind it, and it need not run. */
void
hl_spes_put_tokens (const HlSpes *s, HlRun *run, HlTensor *embeds)
{
  HlSite site = s->work.site;
  g_autoptr (HlIntervention) put = hl_intervention_new (HL_INTERVENTION_REPLACE, site, 0,
                                                        0, NULL, embeds, "embeddings");
  hl_run_add_intervention (run, put);
  if (site == HL_SITE_FEATURES)
    hl_run_start_at (run, hl_model_info_get_stack (run->model, 0)->n_layers, embeds);
}

static HlTensor *
fetch (const HlSpes *s, HlTensor *logits, GError **error)
{
  g_autoptr (HlTensor) host = hl_backend_fetch (s->work.backend, logits, error);
  return host != NULL ? hl_tensor_convert (host, HL_DTYPE_F32, error) : NULL;
}

/* @input: a look at it, to have other numbers; never shared. */
static void
put (const HlSpes *s, HlRun *run, HlInput *input, HlTensor *hidden)
{
  if (s->units.are_tokens)
    hl_spes_put_tokens (s, run, hidden);
  else if (input->pixel_values != NULL)
    input->pixel_values = hidden;
  else
    input->features = hidden;
}

/* (transfer full): what @run has found; NULL with @error. */
static HlTensor *
take_logits (const HlSpes *s, HlRun *run, HlTensor *logits, GError **error)
{
  if (run->exec.error != NULL)
    g_propagate_error (error, g_steal_pointer (&run->exec.error));
  else if (logits == NULL)
    g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                 "%s: a model with classes or a vocabulary expected", run->model->name);
  else
    return fetch (s, logits, error);
  return NULL;
}

HlTensor *
hl_spes_run_masks (const HlSpes *s, const HlSpesMask *masks, gint64 B, GError **error)
{
  const HlSaliencyWork *w = &s->work;
  g_autoptr (HlTensor) hidden =
      s->keys == NULL ? hl_spes_units_hide (&s->units, masks, B) : NULL;
  g_autoptr (HlKvCache) cache = NULL;
  HlInput input = *w->input;
  HlRun run;
  hl_run_init (&run, w->backend, hl_model_get_info (w->model), &w->progress);
  run.reads_all = reads_all (s);
  if (!run.reads_all)
    run.only_row = hl_model_get_readout_row (w->model, w->input);
  for (guint i = 0; i < s->interventions->len; i++)
    hl_run_add_intervention (&run, g_ptr_array_index (s->interventions, i));
  if (hidden != NULL)
    put (s, &run, &input, hidden);
  else
    run.cache = cache = hl_spes_hide_keys (s, &run.exec, masks, B);
  g_autoptr (HlTensor) logits =
      hl_exec_ok (&run.exec) ? hl_model_forward (w->model, &run, &input) : NULL;
  HlTensor *found = take_logits (s, &run, logits, error);
  hl_run_clear (&run);
  return found;
}

/* Example @b's row that target @k is read at. */
static const float *
row_of (const HlSpes *s, const HlTensor *logits, gint64 b, int k)
{
  gint64 V = logits->shape.dim[logits->shape.n_dims - 1];
  if (logits->shape.n_dims == 2)
    return hl_tensor_f32 (logits) + b * V;
  gint64 T = logits->shape.dim[1];
  return hl_tensor_f32 (logits) +
         (b * T + CLAMP (hl_spes_target (s, k)->row, 0, T - 1)) * V;
}

static double
log_sum_exp (const float *row, gint64 V)
{
  double most = (double) hl_logits_max (row, V);
  return most + log (hl_logits_sum_exp (row, V, most));
}

/* ---- divergences ---------------------------------------------------------------------
 */

typedef struct
{
  const HlSpes *s;
  const HlTensor *logits;
  gint64 B, V;
  int first;  /* target */
  double *kl; /* (B, targets) */
} Judging;

static void
judge_range (gint64 first, gint64 end, gpointer data)
{
  const Judging *j = data;
  const HlSpes *s = j->s;
  gint64 V = j->V, n = s->targets->len;
  g_autofree double *probs = g_new (double, (gsize) V + 1);
  for (int k = j->first + (int) first; k < j->first + (int) end; k++)
    {
      const float *own = hl_tensor_f32 (s->reference) + k * V;
      hl_logits_probs (own, V, s->lse[k], probs);
      for (gint64 b = 0; b < j->B; b++)
        {
          const float *row = row_of (s, j->logits, b, k);
          double apart = hl_logits_mean_difference (probs, own, row, V);
          double kl = apart - s->lse[k] + log_sum_exp (row, V);
          j->kl[b * n + k] = kl < 0 ? 0 : kl; /* by rounding */
        }
    }
}

/* KL (P_k || P_k^m) = sum over tokens of p (z - z^m), less ln sum exp z, and ln sum exp
 * z^m. */
double *
hl_spes_judge (const HlSpes *s, const HlTensor *logits, GError **error)
{
  gint64 B = logits->shape.dim[0], V = logits->shape.dim[logits->shape.n_dims - 1];
  int n = (int) s->targets->len;
  int some = (int) CLAMP (JUDGED_AT_ONCE / (V * (B + 1)), 1, n);
  g_autofree double *kl = g_new0 (double, (gsize) (B * n) + 1);
  for (int k = 0; k < n; k += some)
    {
      Judging judging = { s, logits, B, V, k, kl };
      if (!hl_progress_step (&s->work.progress, 0, NULL, error))
        return NULL;
      hl_parallel_for (MIN (some, n - k), 1, judge_range, &judging);
    }
  return g_steal_pointer (&kl);
}

/* ---- nothing hidden, and all -------------------------------------------------------
 */

static gboolean
check_targets (const HlSpes *s, const HlTensor *logits, GError **error)
{
  gint64 V = logits->shape.dim[logits->shape.n_dims - 1];
  for (int k = 0; k < (int) s->targets->len; k++)
    {
      int index = hl_spes_target (s, k)->index;
      if (index >= 0 && index < V)
        continue;
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE, "target: 0 to %d expected, %d found",
                   (int) V - 1, index);
      return FALSE;
    }
  return TRUE;
}

static void
take_rows (HlSpes *s, const HlTensor *logits)
{
  int n = (int) s->targets->len;
  gint64 V = logits->shape.dim[logits->shape.n_dims - 1];
  s->reference = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (n, V), NULL);
  for (int k = 0; k < n; k++)
    {
      const float *row = row_of (s, logits, 0, k);
      memcpy ((float *) s->reference->data + k * V, row, sizeof (float) * (gsize) V);
      s->lse[k] = log_sum_exp (row, V);
      s->z[k] = (double) row[hl_spes_target (s, k)->index];
    }
}

/* (transfer full): of the first granularity: all units, or none. */
static HlTensor *
run_plain (const HlSpes *s, gboolean hides_all, GError **error)
{
  gsize n = (gsize) s->units.n[0];
  HlSpesMask mask = { 0, g_new (guint8, n + 1) };
  memset (mask.hides, hides_all, n);
  HlTensor *logits = hl_spes_run_masks (s, &mask, 1, error);
  g_free (mask.hides);
  return logits;
}

gboolean
hl_spes_take_reference (HlSpes *s, GError **error)
{
  g_autoptr (HlTensor) own = run_plain (s, FALSE, error);
  if (own == NULL || !check_targets (s, own, error))
    return FALSE;
  take_rows (s, own);
  g_autoptr (HlTensor) none = run_plain (s, TRUE, error);
  for (int k = 0; none != NULL && k < (int) s->targets->len; k++)
    s->difference[k] =
        s->z[k] - (double) row_of (s, none, 0, k)[hl_spes_target (s, k)->index];
  return none != NULL;
}
