/* SPDX-License-Identifier: MIT
 * Saliency by gradients at embeddings, and by taking tokens away. */
#include "analysis/hl-saliency-private.h"

#include "trace/hl-tracer.h"

#include <math.h>
#include <string.h>

/* What tapes of examples that are run together may take. */
#define BATCH_BYTES ((gsize) 512 << 20)
#define BATCH_MAX 32
/* Of |z(x) - z(x0)|: how exact integrated gradients are to be. */
#define COMPLETE 0.01

typedef struct
{
  gint64 T, D;
  const double *x, *x0;
} Ends;

static Ends
ends_of (const HlSaliencyWork *w)
{
  return (Ends){ w->x->shape.dim[0], w->x->shape.dim[1], (const double *) w->x->data,
                 (const double *) w->x0->data };
}

gint64
hl_saliency_batch (const HlSaliencyWork *w)
{
  HlRun run;
  hl_run_init (&run, w->backend, hl_model_get_info (w->model), NULL);
  gsize bytes = MAX (hl_run_tape_bytes (&run, w->x->shape.dim[0]), 1);
  hl_run_clear (&run);
  gsize room = MIN (BATCH_BYTES, hl_memory_available () / 4);
  return CLAMP ((gint64) (room / bytes), 1, BATCH_MAX);
}

/* PointFunc: writes point @k, (T, D), to @to. */
typedef void (*PointFunc) (const Ends *ends, gint64 k, double *to, gpointer data);

typedef struct
{
  PointFunc put;
  gpointer data;
  gint64 n;
} Points;

static HlTensor *
put_points (const Ends *e, const Points *points, gint64 first, gint64 n)
{
  HlTensor *embeds = hl_tensor_new (HL_DTYPE_F64, HL_SHAPE (n, e->T, e->D), NULL);
  for (gint64 k = 0; k < n; k++)
    points->put (e, first + k, (double *) embeds->data + k * e->T * e->D, points->data);
  return embeds;
}

/* Adds the gradients of a pass over all its examples to @sum. */
static gboolean
add_gradients (
    const HlGradientPass *pass, HlSite site, const Ends *e, double *sum, GError **error)
{
  g_autoptr (HlTensor) grad = hl_gradient_pass_get (pass, site, 0, 0, NULL, error);
  if (grad == NULL)
    return FALSE;
  const double *g = (const double *) grad->data;
  for (gint64 i = 0; i < hl_tensor_count (grad); i++)
    sum[i % (e->T * e->D)] += g[i];
  return TRUE;
}

/* The mean of dz/dx over some points: (transfer full): (T, D); NULL with @error. */
static double *
mean_gradient (HlSaliencyWork *w, const Points *points, GError **error)
{
  const Ends e = ends_of (w);
  g_autofree char *name = hl_site_name (hl_model_get_info (w->model), w->site, 0, 0);
  const char *watch[] = { name, NULL };
  g_autofree double *sum = g_new0 (double, (gsize) (e.T * e.D));
  gint64 some = hl_saliency_batch (w);
  for (gint64 first = 0; first < points->n; first += some)
    {
      gint64 n = MIN (some, points->n - first);
      g_autoptr (HlTensor) embeds = put_points (&e, points, first, n);
      g_auto (HlGradientPass) pass = { 0 };
      if (!hl_progress_step (&w->progress, (double) first / (double) points->n, NULL,
                             error) ||
          !hl_gradient_pass_run (&pass, w->model, w->input, w->backend, w->row->target,
                                 w->site, embeds, watch, w->options->interventions,
                                 &w->progress, error) ||
          !add_gradients (&pass, w->site, &e, sum, error))
        return NULL;
    }
  for (gint64 i = 0; i < e.T * e.D; i++)
    sum[i] /= (double) points->n;
  return g_steal_pointer (&sum);
}

/* z at some points: (transfer full): (n); NULL with @error. */
static double *
values_at (HlSaliencyWork *w, const Points *points, GError **error)
{
  const Ends e = ends_of (w);
  const char *none[] = { NULL };
  g_autofree double *values = g_new (double, (gsize) points->n + 1);
  gint64 some = hl_saliency_batch (w);
  for (gint64 first = 0; first < points->n; first += some)
    {
      gint64 n = MIN (some, points->n - first);
      g_autoptr (HlTensor) embeds = put_points (&e, points, first, n);
      g_auto (HlGradientPass) pass = { 0 };
      if (!hl_progress_step (&w->progress, (double) first / (double) points->n, NULL,
                             error) ||
          !hl_gradient_pass_run (&pass, w->model, w->input, w->backend, w->row->target,
                                 w->site, embeds, none, w->options->interventions,
                                 &w->progress, error))
        return NULL;
      for (gint64 k = 0; k < n; k++)
        values[first + k] = hl_gradient_pass_get_value (&pass, k);
    }
  return g_steal_pointer (&values);
}

/* Point 0 is x, point 1 is x0. */
static void
put_end (const Ends *e, gint64 k, double *to, gpointer data)
{
  memcpy (to, k == 0 ? e->x : e->x0, sizeof (double) * (gsize) (e->T * e->D));
}

static gboolean
take_difference (HlSaliencyWork *w, GError **error)
{
  const Points both = { put_end, NULL, 2 };
  g_autofree double *z = values_at (w, &both, error);
  if (z == NULL)
    return FALSE;
  w->row->z = z[0];
  w->row->difference = z[0] - z[1];
  return TRUE;
}

/* Sums (x - x0) @gradient over the width of each token; their sum. */
static double
take_scores (HlSaliencyWork *w, const double *gradient)
{
  const Ends e = ends_of (w);
  double all = 0;
  for (gint64 t = 0; t < MIN (e.T, w->row->n_tokens); t++)
    {
      double sum = 0;
      for (gint64 i = t * e.D; i < (t + 1) * e.D; i++)
        sum += (e.x[i] - e.x0[i]) * gradient[i];
      w->row->scores[t] = sum;
      all += sum;
    }
  return all;
}

/* By the mean gradient over some points. */
static gboolean
score_at (HlSaliencyWork *w, const Points *points, GError **error)
{
  g_autofree double *gradient =
      take_difference (w, error) ? mean_gradient (w, points, error) : NULL;
  if (gradient == NULL)
    return FALSE;
  take_scores (w, gradient);
  return TRUE;
}

gboolean
hl_saliency_gradient_input (HlSaliencyWork *w, GError **error)
{
  const Points one = { put_end, NULL, 1 };
  return score_at (w, &one, error);
}

/* ---- integrated gradients ------------------------------------------------------------
 */

static void
put_step (const Ends *e, gint64 k, double *to, gpointer data)
{
  double share = ((double) k + 0.5) / (double) *(const int *) data;
  for (gint64 i = 0; i < e->T * e->D; i++)
    to[i] = e->x0[i] + share * (e->x[i] - e->x0[i]);
}

gboolean
hl_saliency_integrated (HlSaliencyWork *w, GError **error)
{
  int most =
      w->options->n_steps_max > 0 ? w->options->n_steps_max : HL_SALIENCY_STEPS_MAX;
  int m = MIN (w->options->n_steps > 0 ? w->options->n_steps : 16, most);
  if (!take_difference (w, error))
    return FALSE;
  for (;; m = MIN (2 * m, most))
    {
      const Points steps = { put_step, &m, m };
      g_autofree double *gradient = mean_gradient (w, &steps, error);
      if (gradient == NULL)
        return FALSE;
      w->row->completeness = take_scores (w, gradient) - w->row->difference;
      w->row->n_steps = m;
      if (fabs (w->row->completeness) <= COMPLETE * fabs (w->row->difference) ||
          m >= most)
        return TRUE;
    }
}

/* ---- SmoothGrad ----------------------------------------------------------------------
 */

typedef struct
{
  GRand *rand;
  double deviation;
} Noise;

static double
draw_normal (GRand *rand)
{
  double u = 1 - g_rand_double (rand); /* above 0 */
  return sqrt (-2 * log (u)) * cos (2 * G_PI * g_rand_double (rand));
}

static gboolean
is_input (const Ends *e, gint64 t)
{
  return memcmp (e->x + t * e->D, e->x0 + t * e->D, sizeof (double) * (gsize) e->D) != 0;
}

/* Tokens that are the same in the baseline (CLS) are no input. */
static void
put_noisy (const Ends *e, gint64 k, double *to, gpointer data)
{
  const Noise *noise = data;
  memcpy (to, e->x, sizeof (double) * (gsize) (e->T * e->D));
  for (gint64 t = 0; t < e->T; t++)
    for (gint64 i = t * e->D; is_input (e, t) && i < (t + 1) * e->D; i++)
      to[i] += noise->deviation * draw_normal (noise->rand);
}

static double
range_of (const Ends *e)
{
  double low = e->x[0], high = e->x[0];
  for (gint64 i = 0; i < e->T * e->D; i++)
    {
      low = fmin (low, e->x[i]);
      high = fmax (high, e->x[i]);
    }
  return high - low;
}

gboolean
hl_saliency_smoothgrad (HlSaliencyWork *w, GError **error)
{
  const HlSaliencyOptions *o = w->options;
  const Ends e = ends_of (w);
  g_autoptr (GRand) rand = g_rand_new_with_seed (o->seed);
  Noise noise = { rand, (o->noise > 0 ? o->noise : 0.1) * range_of (&e) };
  const Points noisy = { put_noisy, &noise, o->n_samples > 0 ? o->n_samples : 32 };
  return score_at (w, &noisy, error);
}

/* ---- occlusion -----------------------------------------------------------------------
 */

/* Token @k is the baseline's. */
static void
put_without (const Ends *e, gint64 k, double *to, gpointer data)
{
  memcpy (to, e->x, sizeof (double) * (gsize) (e->T * e->D));
  memcpy (to + k * e->D, e->x0 + k * e->D, sizeof (double) * (gsize) e->D);
}

gboolean
hl_saliency_occlusion (HlSaliencyWork *w, GError **error)
{
  const Points each = { put_without, NULL, w->x->shape.dim[0] };
  g_autofree double *values =
      take_difference (w, error) ? values_at (w, &each, error) : NULL;
  if (values == NULL)
    return FALSE;
  for (gint64 t = 0; t < MIN (each.n, w->row->n_tokens); t++)
    w->row->scores[t] = w->row->z - values[t];
  return TRUE;
}
