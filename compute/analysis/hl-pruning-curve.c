/* SPDX-License-Identifier: MIT
 * What is left when more and more heads are pruned together. */
#include "analysis/hl-pruning-curve.h"

#include "analysis/hl-explained.h"
#include "base/hl-error.h"

#include <math.h>

#define SEED 1

/* Points of a curve that are one batch; fewer where their logits take more than this. */
#define BATCH 8
#define BATCH_BYTES ((gint64) 64 << 20)

typedef struct
{
  const HlModel *model;
  const HlDataset *dataset;
  HlBackend *backend;
  const HlHeadScores *scores;
  const HlPruningCurveOptions *options;
  HlProgress quiet;
  HlPruningCurve *curve;
} Work;

static void
order_free (gpointer data)
{
  HlPruningOrder *order = data;
  g_free (order->name);
  g_free (order->heads);
  g_array_unref (order->loss);
  g_array_unref (order->accuracy);
  g_free (order);
}

HlPruningCurve *
hl_pruning_curve_alloc (int n_heads)
{
  HlPruningCurve *curve = g_new0 (HlPruningCurve, 1);
  curve->n_heads = n_heads;
  curve->orders = g_ptr_array_new_with_free_func (order_free);
  return curve;
}

void
hl_pruning_curve_free (HlPruningCurve *curve)
{
  if (curve == NULL)
    return;
  g_ptr_array_unref (curve->orders);
  g_free (curve->n_removed);
  g_free (curve);
}

/* ---- orders --------------------------------------------------------------------------
 */

static void
add_order (HlPruningCurve *curve, char *name, const int *heads)
{
  HlPruningOrder *order = g_new0 (HlPruningOrder, 1);
  order->name = name;
  order->heads = g_memdup2 (heads, (gsize) curve->n_heads * sizeof (int));
  order->loss = g_array_new (FALSE, FALSE, sizeof (double));
  order->accuracy = g_array_new (FALSE, FALSE, sizeof (double));
  g_ptr_array_add (curve->orders, order);
}

typedef struct
{
  double score;
  int head;
} Scored;

/* Heads without the score come first, as if it were nothing. */
static int
by_score (gconstpointer a, gconstpointer b)
{
  const Scored *x = a, *y = b;
  double p = isnan (x->score) ? -INFINITY : x->score;
  double q = isnan (y->score) ? -INFINITY : y->score;
  return p != q ? (p > q) - (p < q) : x->head - y->head;
}

static void
add_scored (Work *w)
{
  int n = w->curve->n_heads;
  const char *name = hl_score_get_info (w->options->score)->name;
  g_autofree double *means = hl_head_scores_mean (w->scores, w->options->score);
  g_autofree Scored *scored = g_new (Scored, (gsize) n);
  g_autofree int *up = g_new (int, (gsize) n), *down = g_new (int, (gsize) n);
  for (int i = 0; i < n; i++)
    scored[i] = (Scored){ means[i], i };
  qsort (scored, (size_t) n, sizeof (Scored), by_score);
  for (int i = 0; i < n; i++)
    up[i] = down[n - 1 - i] = scored[i].head;
  add_order (w->curve, g_strdup (name), up);
  add_order (w->curve, g_strdup_printf ("%s reversed", name), down);
}

static void
add_random (Work *w, guint32 seed)
{
  int n = w->curve->n_heads;
  g_autofree int *heads = g_new (int, (gsize) n);
  GRand *rand = g_rand_new_with_seed (seed);
  for (int i = 0; i < n; i++)
    {
      int j = g_rand_int_range (rand, 0, i + 1);
      heads[i] = heads[j];
      heads[j] = i;
    }
  g_rand_free (rand);
  add_order (w->curve, g_strdup_printf ("random %u", seed), heads);
}

static void
place_of (const HlHeadScores *s, int index, int *layer, int *head)
{
  *layer = 0;
  while (index >= s->first[*layer + 1])
    (*layer)++;
  *head = index - s->first[*layer];
}

static int
target_of (const Work *w)
{
  return w->options->every_token ? HL_TARGET_EVERY : HL_TARGET_LABEL;
}

/* The head that is missed least when those in @gone are gone already. */
static int
next_greedy (Work *w, GPtrArray *gone, const gboolean *is_gone, GError **error)
{
  const HlStack *stack = hl_model_info_get_stack (hl_model_get_info (w->model), 0);
  g_autoptr (HlHeadScores) scores = hl_head_scores_new (stack);
  const HlImportanceOptions options = { .target = target_of (w),
                                        .against = -1,
                                        .label = -1,
                                        .interventions = gone,
                                        .no_gradients = TRUE,
                                        .no_layers = TRUE };
  for (int i = 0; i < hl_dataset_get_n_items (w->dataset); i++)
    {
      HlImportanceOptions own = options;
      g_autoptr (HlInput) input =
          hl_dataset_open_input (w->dataset, w->model, i, &own.label, NULL);
      if (input == NULL)
        continue;
      hl_head_scores_begin_input (scores, input->name, "");
      if (!hl_importance_score (scores, w->model, input, w->backend, &own, &w->quiet,
                                error))
        return -1;
    }
  g_autofree double *loss = hl_head_scores_mean (scores, HL_SCORE_LOSS_CHANGE);
  int best = -1;
  for (int h = 0; h < w->curve->n_heads; h++)
    if (!is_gone[h] && (best < 0 || loss[h] < loss[best]))
      best = h;
  return best;
}

static gboolean
add_greedy (Work *w, const HlProgress *progress, GError **error)
{
  int n = w->curve->n_heads;
  const HlModelInfo *info = hl_model_get_info (w->model);
  g_autofree int *heads = g_new (int, (gsize) n);
  g_autofree gboolean *is_gone = g_new0 (gboolean, (gsize) n);
  g_autoptr (GPtrArray) gone =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_intervention_unref);
  for (int i = 0; i < n; i++)
    {
      int layer, head;
      if (!hl_progress_step (progress, (double) i / n, "greedy order", error))
        return FALSE;
      int next = next_greedy (w, gone, is_gone, error);
      if (next < 0)
        return FALSE;
      heads[i] = next;
      is_gone[next] = TRUE;
      place_of (w->scores, next, &layer, &head);
      g_ptr_array_add (gone, hl_intervention_new_scale_head (info, 0, layer, head, 0));
    }
  add_order (w->curve, g_strdup ("greedy"), heads);
  return TRUE;
}

/* ---- points --------------------------------------------------------------------------
 */

/* (n, H): gates of one layer at points @first to @first + n of an order. */
static HlTensor *
gates_at (const Work *w, const HlPruningOrder *order, int layer, int first, int n)
{
  const HlHeadScores *s = w->scores;
  int H = s->first[layer + 1] - s->first[layer];
  g_autofree float *gates = g_new (float, (gsize) (n * H));
  for (int i = 0; i < n * H; i++)
    gates[i] = 1;
  for (int p = 0; p < n; p++)
    for (int k = 0; k < w->curve->n_removed[first + p]; k++)
      {
        int h = order->heads[k] - s->first[layer];
        if (h >= 0 && h < H)
          gates[p * H + h] = 0;
      }
  return hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (n, H), gates);
}

/* (transfer full) (nullable): logits (n, V) or (n, T, V) of a batch of points. */
static HlTensor *
run_points (Work *w,
            const HlInput *input,
            const HlPruningOrder *order,
            int first,
            int n,
            GError **error)
{
  HlRun run;
  hl_run_init (&run, w->backend, hl_model_get_info (w->model), &w->quiet);
  for (int l = 0; l < w->scores->n_layers; l++)
    {
      g_autoptr (HlTensor) gates = gates_at (w, order, l, first, n);
      g_autoptr (HlIntervention) closed = hl_intervention_new (
          HL_INTERVENTION_GATE, HL_SITE_Z, 0, l, NULL, gates, "heads of a curve");
      hl_run_add_intervention (&run, closed);
    }
  run.reads_all = w->options->every_token;
  g_autoptr (HlTensor) logits = hl_model_forward (w->model, &run, input);
  HlTensor *host = NULL;
  if (run.exec.error != NULL)
    g_propagate_error (error, g_steal_pointer (&run.exec.error));
  else if (logits != NULL)
    host = hl_backend_fetch (w->backend, logits, error);
  else
    g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                 "%s: a pruning curve needs a model with classes or a vocabulary",
                 hl_model_get_info (w->model)->name);
  hl_run_clear (&run);
  return host;
}

static int
batch_of (const Work *w, const HlInput *input)
{
  gint64 V = hl_model_get_info (w->model)->n_vocab;
  gint64 T = input->ids != NULL ? hl_tensor_count (input->ids) : 1;
  gint64 bytes = 4 * MAX (V, 1) * T;
  return w->options->every_token ? (int) CLAMP (BATCH_BYTES / bytes, 1, BATCH) : BATCH;
}

/* Loss and rightness of every point of one order; the first point is the whole model,
 * whose prediction is the label where there is none. */
static gboolean
score_order (
    Work *w, const HlInput *input, HlPruningOrder *order, int label, GError **error)
{
  int n_points = w->curve->n_points, batch = batch_of (w, input);
  g_autoptr (HlExplained) explained = NULL;
  for (int first = 0; first < n_points; first += batch)
    {
      int n = MIN (batch, n_points - first);
      g_autoptr (HlTensor) logits = run_points (w, input, order, first, n, error);
      if (logits == NULL)
        return FALSE;
      if (label >= logits->shape.dim[logits->shape.n_dims - 1])
        label = -1;
      if (explained == NULL)
        explained = hl_explained_new (logits, input, target_of (w), -1, label, error);
      for (int p = 0; p < n && explained != NULL; p++)
        {
          double loss, right;
          hl_explained_measure (explained, logits, p, &loss, &right);
          g_array_append_val (order->loss, loss);
          g_array_append_val (order->accuracy, right);
        }
      if (explained == NULL)
        return FALSE;
    }
  return TRUE;
}

static void
drop_unfinished (HlPruningCurve *curve)
{
  guint n = (guint) (curve->n_inputs * curve->n_points);
  for (guint i = 0; i < curve->orders->len; i++)
    {
      HlPruningOrder *order = g_ptr_array_index (curve->orders, i);
      g_array_set_size (order->loss, n);
      g_array_set_size (order->accuracy, n);
    }
}

static gboolean
score_inputs (Work *w, const HlProgress *progress, GError **error)
{
  int n = hl_dataset_get_n_items (w->dataset), label;
  for (int i = 0; i < n; i++)
    {
      if (!hl_progress_step (progress, (double) i / n, NULL, error))
        return FALSE;
      g_autoptr (HlInput) input =
          hl_dataset_open_input (w->dataset, w->model, i, &label, NULL);
      w->curve->n_skipped += input == NULL;
      for (guint k = 0; k < w->curve->orders->len && input != NULL; k++)
        if (!score_order (w, input, g_ptr_array_index (w->curve->orders, k), label,
                          error))
          return FALSE;
      w->curve->n_inputs += input != NULL;
    }
  if (w->curve->n_inputs > 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_FORMAT, "%s: none of %d inputs could be read",
               w->dataset->name, n);
  return FALSE;
}

/* Evenly, the first and the last among them. */
static void
choose_points (HlPruningCurve *curve, int wanted)
{
  int n = curve->n_heads;
  curve->n_points = MIN (MAX (wanted > 0 ? wanted : HL_CURVE_POINTS, 2), n + 1);
  curve->n_removed = g_new (int, (gsize) curve->n_points);
  for (int i = 0; i < curve->n_points; i++)
    curve->n_removed[i] = (int) ((gint64) i * n / (curve->n_points - 1));
}

HlPruningCurve *
hl_pruning_curve_compute (const HlModel *model,
                          const HlDataset *dataset,
                          HlBackend *backend,
                          const HlHeadScores *scores,
                          const HlPruningCurveOptions *options,
                          const HlProgress *progress,
                          GError **error)
{
  GError *failure = NULL;
  const HlModelInfo *info = hl_model_get_info (model);
  if (!hl_model_info_check_one_tower (info, "pruning curve", error))
    return NULL;
  g_autoptr (HlPruningCurve) curve = hl_pruning_curve_alloc (scores->n_heads);
  choose_points (curve, options->n_points);
  Work w = { model,  dataset, backend,
             scores, options, progress != NULL ? *progress : (HlProgress){ 0 },
             curve };
  w.quiet.func = NULL;
  add_scored (&w);
  for (int i = 0; i < options->n_random; i++)
    add_random (&w, options->seed + (guint32) i);
  gboolean ok = (!options->with_greedy || add_greedy (&w, progress, &failure)) &&
                score_inputs (&w, progress, &failure);
  drop_unfinished (curve);
  if (!ok && curve->n_inputs > 0 &&
      g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      curve->is_partial = ok = TRUE;
      g_clear_error (&failure);
    }
  if (failure != NULL)
    g_propagate_error (error, failure);
  return ok ? g_steal_pointer (&curve) : NULL;
}

static HlInterval
interval_at (const HlPruningCurve *curve, const GArray *values, int point)
{
  return hl_bootstrap_mean (&g_array_index (values, double, point),
                            (gsize) curve->n_inputs, (gsize) curve->n_points, SEED);
}

HlInterval
hl_pruning_curve_loss (const HlPruningCurve *curve, guint order, int point)
{
  const HlPruningOrder *o = g_ptr_array_index (curve->orders, order);
  return interval_at (curve, o->loss, point);
}

HlInterval
hl_pruning_curve_accuracy (const HlPruningCurve *curve, guint order, int point)
{
  const HlPruningOrder *o = g_ptr_array_index (curve->orders, order);
  return interval_at (curve, o->accuracy, point);
}
