/* SPDX-License-Identifier: MIT
 * Deletion and insertion. */
#include "analysis/hl-faithfulness.h"

#include "analysis/hl-result-reader.h"
#include "analysis/hl-saliency-private.h"

#include <math.h>
#include <string.h>

#define SHARES HL_FAITHFULNESS_SHARES

const char *
hl_token_order_name (HlTokenOrder order)
{
  static const char *const names[HL_N_ORDERS] = { "attention", "saliency", "random" };
  return names[order];
}

void
hl_faithfulness_free (HlFaithfulness *f)
{
  if (f == NULL)
    return;
  g_free (f->deletion);
  g_free (f->insertion);
  g_free (f);
}

/* ---- one curve -----------------------------------------------------------------------
 */

typedef struct
{
  const gint64 *order;
  gint64 n;
  gboolean inserts;
} Ranking;

static gint64
n_first (const Ranking *r, int share)
{
  return (gint64) floor ((double) share * (double) r->n / (SHARES - 1) + 0.5);
}

/* (transfer full): (count, T, D): shares @first and on. */
static HlTensor *
put_shares (const HlSaliencyWork *w, const Ranking *r, int first, int count)
{
  gint64 T = w->x->shape.dim[0], D = w->x->shape.dim[1];
  const double *x = (const double *) w->x->data, *x0 = (const double *) w->x0->data;
  HlTensor *embeds = hl_tensor_new (HL_DTYPE_F64, HL_SHAPE (count, T, D), NULL);
  for (int k = 0; k < count; k++)
    {
      double *to = (double *) embeds->data + k * T * D;
      gint64 some = n_first (r, first + k);
      gint64 from = r->inserts ? some : 0, end = r->inserts ? r->n : some;
      memcpy (to, x, sizeof (double) * (gsize) (T * D));
      for (gint64 i = from; i < end; i++)
        memcpy (to + r->order[i] * D, x0 + r->order[i] * D, sizeof (double) * (gsize) D);
    }
  return embeds;
}

/* Of row @k of the logits, by softmax. */
static double
probability_of (const HlTensor *logits, gint64 k, int index)
{
  gint64 V = logits->shape.dim[1];
  const double *row = (const double *) logits->data + k * V;
  double most = row[0], sum = 0;
  for (gint64 i = 1; i < V; i++)
    most = fmax (most, row[i]);
  for (gint64 i = 0; i < V; i++)
    sum += exp (row[i] - most);
  return exp (row[index] - most) / sum;
}

static gboolean
run_curve (const HlSaliencyWork *w,
           HlSaliencyTarget target,
           const Ranking *r,
           double *curve,
           GError **error)
{
  const char *none[] = { NULL };
  int some = (int) MIN (hl_saliency_batch (w), SHARES);
  for (int first = 0; first < SHARES; first += some)
    {
      int count = MIN (some, SHARES - first);
      g_autoptr (HlTensor) embeds = put_shares (w, r, first, count);
      g_auto (HlGradientPass) pass = { 0 };
      if (!hl_progress_step (&w->progress, 0, NULL, error) ||
          !hl_gradient_pass_run (&pass, w->model, w->input, w->backend, target, w->site,
                                 embeds, none, w->options->interventions, &w->progress,
                                 error))
        return FALSE;
      for (int k = 0; k < count; k++)
        curve[first + k] = probability_of (pass.logits, k, target.index);
    }
  return TRUE;
}

gboolean
hl_faithfulness_at (const HlModel *model,
                    HlInput *input,
                    HlBackend *backend,
                    HlSaliencyTarget target,
                    const HlSaliencyOptions *options,
                    const gint64 *order,
                    gint64 n,
                    gboolean inserts,
                    double *curve,
                    const HlProgress *progress,
                    GError **error)
{
  const Ranking ranking = { order, n, inserts };
  g_auto (HlSaliencyWork) w = { 0 };
  return hl_saliency_work_init (&w, model, input, backend, target, options, TRUE,
                                progress, error) &&
         run_curve (&w, target, &ranking, curve, error);
}

/* ---- all of them ---------------------------------------------------------------------
 */

typedef struct
{
  double score;
  gint64 place;
} Ranked;

static int
by_falling_score (gconstpointer a, gconstpointer b)
{
  const Ranked *x = a, *y = b;
  return x->score != y->score ? (x->score < y->score) - (x->score > y->score)
                              : (x->place > y->place) - (x->place < y->place);
}

/* (transfer full): places of what is there, the largest score first. */
static gint64 *
rank_tokens (const double *scores, gint64 m, gint64 *n)
{
  g_autofree Ranked *ranked = g_new (Ranked, (gsize) m + 1);
  *n = 0;
  for (gint64 j = 0; j < m; j++)
    if (!isnan (scores[j]))
      ranked[(*n)++] = (Ranked){ scores[j], j };
  qsort (ranked, (gsize) *n, sizeof (Ranked), by_falling_score);
  gint64 *order = g_new (gint64, (gsize) m + 1);
  for (gint64 i = 0; i < *n; i++)
    order[i] = ranked[i].place;
  return order;
}

/* (transfer full): chance, for the tokens that are there. */
static double *
draw_scores (GRand *rand, const double *like, gint64 m)
{
  double *scores = g_new (double, (gsize) m + 1);
  for (gint64 j = 0; j < m; j++)
    scores[j] = isnan (like[j]) ? NAN : g_rand_double (rand);
  return scores;
}

static double
area_under (const double *curve)
{
  double area = 0;
  for (int k = 0; k + 1 < SHARES; k++)
    area += (curve[k] + curve[k + 1]) / 2 / (SHARES - 1);
  return area;
}

static HlInterval
mean_area (const double *curves, int n, guint32 seed)
{
  g_autofree double *areas = g_new (double, (gsize) n + 1);
  for (int i = 0; i < n; i++)
    areas[i] = area_under (curves + i * SHARES);
  return hl_bootstrap_mean (areas, (gsize) n, 1, seed);
}

/* Both curves of target @t by each order. */
static gboolean
measure_target (HlFaithfulness *f,
                const HlSaliencyWork *w,
                HlSaliencyTarget target,
                int t,
                const double *const *scores,
                gint64 m,
                GError **error)
{
  for (int o = 0; o < HL_N_ORDERS; o++)
    {
      gsize at = (gsize) ((o * f->n_targets + t) * SHARES);
      Ranking ranking = { NULL, 0, FALSE };
      g_autofree gint64 *order = rank_tokens (scores[o], m, &ranking.n);
      ranking.order = order;
      if (!run_curve (w, target, &ranking, f->deletion + at, error))
        return FALSE;
      ranking.inserts = TRUE;
      if (!run_curve (w, target, &ranking, f->insertion + at, error))
        return FALSE;
    }
  return TRUE;
}

HlFaithfulness *
hl_faithfulness_measure (const HlModel *model,
                         HlInput *input,
                         HlBackend *backend,
                         const HlSaliencySet *set,
                         const HlCrossComparison *c,
                         guint32 seed,
                         const HlProgress *progress,
                         GError **error)
{
  gsize n = (gsize) (HL_N_ORDERS * c->n_targets * SHARES);
  g_autoptr (HlFaithfulness) f = g_new0 (HlFaithfulness, 1);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  f->n_targets = c->n_targets;
  f->deletion = g_new0 (double, n + 1);
  f->insertion = g_new0 (double, n + 1);
  for (int t = 0; t < c->n_targets; t++)
    {
      const HlSaliencyRow *row = g_ptr_array_index (set->rows, (guint) t);
      const double *saliency = c->saliency + t * c->n_keys;
      g_autofree double *chance = draw_scores (rand, saliency, c->n_keys);
      const double *scores[] = { c->attention + t * c->n_keys, saliency, chance };
      g_auto (HlSaliencyWork) w = { 0 };
      if (!hl_progress_step (progress, (double) t / c->n_targets, NULL, error) ||
          !hl_saliency_work_init (&w, model, input, backend, row->target, &set->options,
                                  TRUE, progress, error) ||
          !measure_target (f, &w, row->target, t, scores, c->n_keys, error))
        return NULL;
    }
  for (int o = 0; o < HL_N_ORDERS; o++)
    {
      int at = o * f->n_targets * SHARES;
      f->deletion_area[o] = mean_area (f->deletion + at, f->n_targets, seed);
      f->insertion_area[o] = mean_area (f->insertion + at, f->n_targets, seed);
    }
  return g_steal_pointer (&f);
}

/* ---- files ---------------------------------------------------------------------------
 */

static void
add_curves (HlSessionResult *result, const char *name, const double *curves, int n)
{
  const char *const axes[] = { "order", "target", "share", NULL };
  g_autoptr (HlTensor) t =
      hl_tensor_new_copy (HL_DTYPE_F64, HL_SHAPE (HL_N_ORDERS, n, SHARES), curves);
  hl_session_result_add_array (result, name, t, axes, "");
}

static void
add_areas (HlSessionResult *result, const char *name, const HlInterval *areas)
{
  double x[HL_N_ORDERS * 3];
  for (int o = 0; o < HL_N_ORDERS; o++)
    memcpy (x + 3 * o, (double[]){ areas[o].mean, areas[o].low, areas[o].high },
            3 * sizeof (double));
  hl_result_add_array (result, name, HL_DTYPE_F64, HL_SHAPE (HL_N_ORDERS, 3), x, "order",
                       "interval");
}

void
hl_faithfulness_add_to (const HlFaithfulness *f, HlSessionResult *result)
{
  add_curves (result, "deletion_curve", f->deletion, f->n_targets);
  add_curves (result, "insertion_curve", f->insertion, f->n_targets);
  add_areas (result, "deletion_area", f->deletion_area);
  add_areas (result, "insertion_area", f->insertion_area);
}
