/* SPDX-License-Identifier: MIT
 * What of a model's predictions is explained. */
#include "analysis/hl-explained.h"

#include "analysis/hl-logits.h"
#include "base/hl-error.h"

#include <math.h>

void
hl_explained_free (HlExplained *e)
{
  if (e == NULL)
    return;
  g_free (e->target);
  g_free (e->label);
  g_free (e->predicted);
  hl_tensor_unref (e->logits);
  g_free (e);
}

/* Rows of logits an example has. */
static gint64
rows_of (const HlTensor *logits)
{
  return logits->shape.n_dims == 3 ? logits->shape.dim[1] : 1;
}

/* @out (V): one row of logits. */
static void
read_row (
    const HlExplained *e, const HlTensor *logits, gint64 example, int i, double *out)
{
  gint64 first = (example * rows_of (logits) + i) * e->V;
  const double *wide = logits->data;
  const float *narrow = logits->data;
  for (gint64 v = 0; v < e->V; v++)
    out[v] = logits->dtype == HL_DTYPE_F64 ? wide[first + v] : (double) narrow[first + v];
}

/* ---- making --------------------------------------------------------------------------
 */

static gboolean
check_class (const HlExplained *e, const char *what, int index, GError **error)
{
  if (index < e->V)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE, "%s: 0 to %d expected, %d found", what,
               (int) e->V - 1, index);
  return FALSE;
}

static void
add_position (HlExplained *e, int target, int label, double *row)
{
  int i = e->n++;
  read_row (e, e->logits, 0, i, row);
  e->predicted[i] = hl_largest (row, e->V);
  e->label[i] = label;
  e->target[i] = target >= 0                               ? target
                 : target == HL_TARGET_LABEL && label >= 0 ? label
                                                           : e->predicted[i];
}

/* Each token is what the row before it is to predict; behind the last one comes @label.
 */
static gboolean
add_every (HlExplained *e, const HlInput *input, int label, double *row, GError **error)
{
  const gint32 *ids = input->ids != NULL ? input->ids->data : NULL;
  gint64 T = rows_of (e->logits);
  if (ids == NULL || hl_tensor_count (input->ids) != T)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "target \"every\": a text expected, %s found", input->name);
      return FALSE;
    }
  for (gint64 i = 0; i + 1 < T; i++)
    add_position (e, ids[i + 1], ids[i + 1], row);
  if (label >= 0)
    add_position (e, label, label, row);
  if (e->n > 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "target \"every\": a text of two tokens or more expected, one found");
  return FALSE;
}

HlExplained *
hl_explained_new (HlTensor *logits,
                  const HlInput *input,
                  int target,
                  int against,
                  int label,
                  GError **error)
{
  g_autoptr (HlExplained) e = g_new0 (HlExplained, 1);
  gsize rows = (gsize) rows_of (logits);
  e->V = logits->shape.dim[logits->shape.n_dims - 1];
  e->against = against;
  e->logits = hl_tensor_ref (logits);
  e->target = g_new (int, rows + 1);
  e->label = g_new (int, rows + 1);
  e->predicted = g_new (int, rows + 1);
  g_autofree double *row = g_new (double, (gsize) e->V);
  if (!check_class (e, "target", target, error) ||
      !check_class (e, "target that it is held against", against, error) ||
      !check_class (e, "label", label, error))
    return NULL;
  if (target != HL_TARGET_EVERY)
    add_position (e, target, label, row);
  else if (!add_every (e, input, label, row, error))
    return NULL;
  return g_steal_pointer (&e);
}

/* ---- reading -------------------------------------------------------------------------
 */

void
hl_explained_describe (const HlExplained *e, HlScoredInput *about)
{
  g_autofree double *row = g_new (double, 2 * (gsize) e->V);
  double *log_probs = row + e->V;
  about->prob = about->loss = 0;
  for (int i = 0; i < e->n; i++)
    {
      read_row (e, e->logits, 0, i, row);
      hl_log_softmax (row, log_probs, e->V);
      about->prob += exp (log_probs[e->target[i]]) / e->n;
      about->loss -= log_probs[e->target[i]] / e->n;
    }
  about->label = e->label[e->n - 1];
  about->target = e->n == 1 ? e->target[0] : -1;
  about->predicted = e->predicted[e->n - 1];
}

void
hl_explained_measure (const HlExplained *e,
                      const HlTensor *logits,
                      gint64 example,
                      double *loss,
                      double *accuracy)
{
  g_autofree double *row = g_new (double, 2 * (gsize) e->V);
  double *log_probs = row + e->V;
  *loss = *accuracy = 0;
  for (int i = 0; i < e->n; i++)
    {
      read_row (e, logits, example, i, row);
      hl_log_softmax (row, log_probs, e->V);
      *loss -= log_probs[e->target[i]] / e->n;
      *accuracy += (hl_largest (row, e->V) == e->target[i]) / (double) e->n;
    }
}

HlTensor *
hl_explained_slope (const HlExplained *e)
{
  HlTensor *slope = hl_tensor_new (e->logits->dtype, e->logits->shape, NULL);
  if (slope == NULL)
    return NULL;
  double *wide = slope->data;
  float *narrow = slope->data;
  g_autofree double *row = g_new (double, 2 * (gsize) e->V);
  double *log_probs = row + e->V;
  gint64 count = hl_tensor_count (slope);
  for (gint64 k = 0; k < count; k++)
    {
      int i = (int) (k / e->V), v = (int) (k % e->V);
      if (v == 0 && i < e->n)
        {
          read_row (e, e->logits, 0, i, row);
          hl_log_softmax (row, log_probs, e->V);
        }
      double x = 0;
      if (i < e->n)
        x = ((v == e->target[i]) -
             (e->against >= 0 ? v == e->against : exp (log_probs[v]))) /
            e->n;
      if (slope->dtype == HL_DTYPE_F64)
        wide[k] = x;
      else
        narrow[k] = (float) x;
    }
  return slope;
}

/* ---- with a head and without ---------------------------------------------------------
 */

/* Both rows of one position, (V) each: logits, and their log-probabilities. */
typedef struct
{
  double *before, *log_before;
  double *after, *log_after;
} Rows;

/* Scores of position @i; what it has none of stays as it is. */
static void
score_position (const HlExplained *e, int i, const Rows *r, double one[HL_N_SCORES])
{
  int t = e->target[i], pred = e->predicted[i], a = e->against, label = e->label[i];
  int now = hl_largest (r->after, e->V);
  double after = exp (r->log_after[t]);
  one[HL_SCORE_PROB_AFTER] = after;
  one[HL_SCORE_PROB_CHANGE] = exp (r->log_before[t]) - after;
  one[HL_SCORE_LOSS_CHANGE] = r->log_before[t] - r->log_after[t];
  if (pred != t)
    one[HL_SCORE_MARGIN_CHANGE] =
        (r->after[pred] - r->after[t]) - (r->before[pred] - r->before[t]);
  if (a >= 0)
    one[HL_SCORE_DIFFERENCE_CHANGE] =
        (r->before[t] - r->before[a]) - (r->after[t] - r->after[a]);
  one[HL_SCORE_DIVERGENCE] = hl_jensen_shannon (r->log_before, r->log_after, e->V);
  one[HL_SCORE_FLIP] = now != pred;
  if (label < 0)
    return;
  one[HL_SCORE_CORRECTS] = pred != label && now == label;
  one[HL_SCORE_ACCURACY_CHANGE] = (pred == label) - (now == label);
}

void
hl_explained_score (const HlExplained *e,
                    const HlTensor *logits,
                    gint64 example,
                    double out[HL_N_SCORES])
{
  g_autofree double *room = g_new (double, 4 * (gsize) e->V);
  const Rows r = { room, room + e->V, room + 2 * e->V, room + 3 * e->V };
  int n[HL_N_SCORES] = { 0 };
  for (int k = 0; k < HL_N_SCORES; k++)
    out[k] = 0;
  for (int i = 0; i < e->n; i++)
    {
      double one[HL_N_SCORES];
      for (int k = 0; k < HL_N_SCORES; k++)
        one[k] = NAN;
      read_row (e, e->logits, 0, i, r.before);
      read_row (e, logits, example, i, r.after);
      hl_log_softmax (r.before, r.log_before, e->V);
      hl_log_softmax (r.after, r.log_after, e->V);
      score_position (e, i, &r, one);
      for (int k = 0; k < HL_N_SCORES; k++)
        if (!isnan (one[k]))
          {
            out[k] += one[k];
            n[k]++;
          }
    }
  for (int k = 0; k < HL_N_SCORES; k++)
    out[k] = n[k] > 0 ? out[k] / n[k] : (double) NAN;
}
