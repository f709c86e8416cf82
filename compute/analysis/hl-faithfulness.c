/* SPDX-License-Identifier: MIT
 * Deletion and insertion. */
#include "analysis/hl-faithfulness-private.h"

#include "analysis/hl-result-reader.h"
#include "base/hl-error.h"

#include <math.h>
#include <string.h>

#define SHARES HL_FAITHFULNESS_SHARES

const char *
hl_token_order_name (HlTokenOrder order)
{
  static const char *const names[HL_N_ORDERS] = { "attention", "saliency", "random" };
  return names[order];
}

static const struct
{
  const char *name;
  gboolean falls;
  gboolean is_of_sentence;
} metrics[HL_N_METRICS] = {
  [HL_METRIC_PROBABILITY] = { "probability", TRUE, FALSE },
  [HL_METRIC_LOSS] = { "loss", FALSE, FALSE },
  [HL_METRIC_WER] = { "wer", FALSE, TRUE },
  [HL_METRIC_TER] = { "ter", FALSE, TRUE },
};

const char *
hl_metric_name (HlFaithfulnessMetric metric)
{
  return metrics[metric].name;
}

gboolean
hl_metric_is_of_sentence (HlFaithfulnessMetric metric)
{
  return metrics[metric].is_of_sentence;
}

gboolean
hl_metric_falls (HlFaithfulnessMetric metric)
{
  return metrics[metric].falls;
}

gboolean
hl_metric_from_name (const char *name, HlFaithfulnessMetric *metric)
{
  for (int i = 0; i < HL_N_METRICS; i++)
    if (g_strcmp0 (metrics[i].name, name) == 0)
      {
        *metric = (HlFaithfulnessMetric) i;
        return TRUE;
      }
  return FALSE;
}

void
hl_faithfulness_free (HlFaithfulness *f)
{
  if (f == NULL)
    return;
  g_free (f->deletion);
  g_free (f->insertion);
  g_free (f->undisturbed);
  g_free (f->heads);
  g_free (f);
}

/* ---- one curve -----------------------------------------------------------------------
 */

static gint64
n_first (const HlRanking *r, int share)
{
  return (gint64) floor ((double) share * (double) r->n / (SHARES - 1) + 0.5);
}

HlTensor *
hl_faithfulness_put (const HlSaliencyWork *w, const HlRanking *r, int first, int count)
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

gint64
hl_faithfulness_n_keys (const HlSaliencyWork *w, const HlCrossComparison *c)
{
  return MIN (w->x->shape.dim[0], c->n_keys);
}

/* ln of the softmax of row @k of the logits. */
static double
log_prob_of (const HlTensor *logits, gint64 k, int index)
{
  gint64 V = logits->shape.dim[1];
  const double *row = (const double *) logits->data + k * V;
  double most = row[0], sum = 0;
  for (gint64 i = 1; i < V; i++)
    most = fmax (most, row[i]);
  for (gint64 i = 0; i < V; i++)
    sum += exp (row[i] - most);
  return row[index] - most - log (sum);
}

static gboolean
run_curve (const HlSaliencyWork *w,
           HlSaliencyTarget target,
           const HlRanking *r,
           HlFaithfulnessMetric metric,
           double *curve,
           GError **error)
{
  const char *none[] = { NULL };
  int some = (int) MIN (hl_saliency_batch (w), SHARES);
  for (int first = 0; first < SHARES; first += some)
    {
      int count = MIN (some, SHARES - first);
      g_autoptr (HlTensor) embeds = hl_faithfulness_put (w, r, first, count);
      g_auto (HlGradientPass) pass = { 0 };
      if (!hl_progress_step (&w->progress, 0, NULL, error) ||
          !hl_gradient_pass_run (&pass, w->model, w->input, w->backend, target, w->site,
                                 embeds, none, w->options->interventions, &w->progress,
                                 error))
        return FALSE;
      for (int k = 0; k < count; k++)
        {
          double x = log_prob_of (pass.logits, k, target.index);
          curve[first + k] = metric == HL_METRIC_LOSS ? -x : exp (x);
        }
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
  const HlRanking ranking = { order, n, inserts };
  g_auto (HlSaliencyWork) w = { 0 };
  return hl_saliency_work_init (&w, model, input, backend, target, options, TRUE,
                                progress, error) &&
         run_curve (&w, target, &ranking, HL_METRIC_PROBABILITY, curve, error);
}

/* ---- all of them ---------------------------------------------------------------------
 */

typedef struct
{
  const HlModel *model;
  HlInput *input;
  HlBackend *backend;
  const HlSaliencySet *set;
  const HlCrossComparison *comparison;
  GRand *rand;
} Measuring;

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

HlInterval
hl_faithfulness_difference (const HlFaithfulness *f, gboolean inserts)
{
  const double *curves = inserts ? f->insertion : f->deletion;
  gsize step = (gsize) (f->n_targets * SHARES);
  g_autofree double *apart = g_new (double, (gsize) f->n_targets + 1);
  for (int t = 0; t < f->n_targets; t++)
    apart[t] = area_under (curves + HL_ORDER_SALIENCY * step + t * SHARES) -
               area_under (curves + HL_ORDER_ATTENTION * step + t * SHARES);
  return hl_bootstrap_mean (apart, (gsize) f->n_targets, 1, 0);
}

gboolean
hl_faithfulness_get_ends (const HlFaithfulness *f, double *whole, double *nothing)
{
  *whole = *nothing = 0;
  for (int t = 0; t < f->n_targets; t++)
    {
      *whole += f->deletion[t * SHARES] / f->n_targets;
      *nothing += f->deletion[t * SHARES + SHARES - 1] / f->n_targets;
    }
  return fabs (*whole - *nothing) > 0.1 * fmax (fabs (*whole), fabs (*nothing));
}

/* Both curves of one order, added to those that are there, by @share. */
static gboolean
add_order (HlFaithfulness *f,
           gsize at,
           const double *scores,
           gint64 m,
           double share,
           HlCurveFunc func,
           gpointer data,
           GError **error)
{
  HlRanking ranking = { NULL, 0, FALSE };
  g_autofree gint64 *order = rank_tokens (scores, m, &ranking.n);
  double curve[SHARES];
  ranking.order = order;
  for (int inserts = 0; inserts < 2; inserts++)
    {
      double *to = (inserts ? f->insertion : f->deletion) + at;
      ranking.inserts = inserts;
      if (!func (&ranking, curve, data, error))
        return FALSE;
      for (int k = 0; k < SHARES; k++)
        to[k] += curve[k] * share;
    }
  return TRUE;
}

gboolean
hl_faithfulness_fill (HlFaithfulness *f,
                      int t,
                      const double *attention,
                      const double *saliency,
                      gint64 m,
                      GRand *rand,
                      HlCurveFunc func,
                      gpointer data,
                      GError **error)
{
  const double *const known[] = { attention, saliency };
  gsize step = (gsize) (f->n_targets * SHARES), first = (gsize) (t * SHARES);
  for (int o = 0; o < HL_ORDER_RANDOM; o++)
    if (!add_order (f, (gsize) o * step + first, known[o], m, 1, func, data, error))
      return FALSE;
  for (int i = 0; i < f->n_random; i++)
    {
      g_autofree double *chance = draw_scores (rand, saliency, m);
      if (!add_order (f, HL_ORDER_RANDOM * step + first, chance, m, 1.0 / f->n_random,
                      func, data, error))
        return FALSE;
    }
  return TRUE;
}

typedef struct
{
  const HlSaliencyWork *w;
  HlSaliencyTarget target;
  HlFaithfulnessMetric metric;
} OneTarget;

static gboolean
target_curve (const HlRanking *ranking, double *curve, gpointer data, GError **error)
{
  const OneTarget *one = data;
  return run_curve (one->w, one->target, ranking, one->metric, curve, error);
}

/* Every target for itself, or all of them at once. */
static gboolean
measure_all (HlFaithfulness *f,
             const Measuring *m,
             const HlProgress *progress,
             GError **error)
{
  const HlCrossComparison *c = m->comparison;
  for (int t = 0; t < f->n_targets; t++)
    {
      const HlSaliencyRow *row = g_ptr_array_index (m->set->rows, (guint) t);
      gint64 at = (gint64) t * c->n_keys;
      g_auto (HlSaliencyWork) w = { 0 };
      OneTarget one = { &w, row->target, f->metric };
      if (!hl_progress_step (progress, (double) t / f->n_targets, NULL, error) ||
          !hl_saliency_work_init (&w, m->model, m->input, m->backend, row->target,
                                  &m->set->options, TRUE, progress, error) ||
          !(hl_metric_is_of_sentence (f->metric)
                ? hl_faithfulness_fill_sentence (f, &w, m->input, c, m->rand, error)
                : hl_faithfulness_fill (f, t, c->attention + at, c->saliency + at,
                                        hl_faithfulness_n_keys (&w, c), m->rand,
                                        target_curve, &one, error)))
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_targets (const HlSaliencySet *set, GError **error)
{
  if (set->options.pair == NULL)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "deletion: a class or a token, which has a probability, expected, a pair "
               "found");
  return FALSE;
}

HlFaithfulness *
hl_faithfulness_measure_by (const HlModel *model,
                            HlInput *input,
                            HlBackend *backend,
                            const HlSaliencySet *set,
                            const HlCrossComparison *c,
                            const HlFaithfulnessOptions *options,
                            const HlProgress *progress,
                            GError **error)
{
  const HlFaithfulnessOptions o =
      options != NULL ? *options : (HlFaithfulnessOptions){ 0 };
  g_autoptr (HlFaithfulness) f = g_new0 (HlFaithfulness, 1);
  g_autoptr (GRand) rand = g_rand_new_with_seed (o.seed);
  f->metric = o.metric;
  f->n_random = o.n_random > 0 ? o.n_random : HL_FAITHFULNESS_RANDOM;
  f->n_targets =
      hl_metric_is_of_sentence (o.metric) ? MIN (c->n_targets, 1) : c->n_targets;
  gsize n = (gsize) (HL_N_ORDERS * f->n_targets * SHARES);
  f->deletion = g_new0 (double, n + 1);
  f->insertion = g_new0 (double, n + 1);
  HlCrossComparison compared = *c;
  if (o.map != NULL)
    compared.attention = o.map->attention;
  f->heads = g_strdup (o.map != NULL ? o.heads : NULL);
  const Measuring m = { model, input, backend, set, &compared, rand };
  if (!check_targets (set, error) || !measure_all (f, &m, progress, error))
    return NULL;
  for (int k = 0; k < HL_N_ORDERS; k++)
    {
      int at = k * f->n_targets * SHARES;
      f->deletion_area[k] = mean_area (f->deletion + at, f->n_targets, o.seed);
      f->insertion_area[k] = mean_area (f->insertion + at, f->n_targets, o.seed);
    }
  return g_steal_pointer (&f);
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
  const HlFaithfulnessOptions options = { .seed = seed };
  return hl_faithfulness_measure_by (model, input, backend, set, c, &options, progress,
                                     error);
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

/* Beside what the parameters say already. */
static void
describe (const HlFaithfulness *f, HlSessionResult *result)
{
  json_t *params = json_loads (result->params_json, 0, NULL);
  json_object_set_new (params, "metric", json_string (hl_metric_name (f->metric)));
  json_object_set_new (params, "random_orders", json_integer (f->n_random));
  if (f->heads != NULL)
    json_object_set_new (params, "attention_of", json_string (f->heads));
  else
    json_object_del (params, "attention_of");
  if (f->undisturbed != NULL)
    json_object_set_new (params, "undisturbed", json_string (f->undisturbed));
  else
    json_object_del (params, "undisturbed");
  char *text = json_dumps (params, JSON_COMPACT);
  g_free (result->params_json);
  result->params_json = g_strdup (text);
  free (text);
  json_decref (params);
}

void
hl_faithfulness_add_to (const HlFaithfulness *f, HlSessionResult *result)
{
  describe (f, result);
  add_curves (result, "deletion_curve", f->deletion, f->n_targets);
  add_curves (result, "insertion_curve", f->insertion, f->n_targets);
  add_areas (result, "deletion_area", f->deletion_area);
  add_areas (result, "insertion_area", f->insertion_area);
}
