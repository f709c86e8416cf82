/* SPDX-License-Identifier: MIT
 * t-SNE in two dimensions. */
#include "analysis/hl-tsne.h"

#include "analysis/hl-pca.h"
#include "analysis/hl-quadtree.h"
#include "base/hl-parallel.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#define EARLY_STEPS 250
#define STEPS 750
#define EXAGGERATION 12.0
#define BETWEEN 5
#define BLOCK 256

/* Points that are worth a thread of their own. */
#define GRAIN 250

/* ---- neighbours ----------------------------------------------------------------------
 */

typedef struct
{
  float distance2;
  int index;
} Near;

static int
compare_near (gconstpointer a, gconstpointer b)
{
  const Near *x = a, *y = b;
  if (x->distance2 != y->distance2)
    return x->distance2 < y->distance2 ? -1 : 1;
  return x->index - y->index;
}

/* The @k least of @all (n), sorted, in front. */
static void
select_near (Near *all, gint64 n, gint64 k)
{
  gint64 low = 0, high = n - 1;
  while (low < high)
    {
      Near pivot = all[(low + high) / 2];
      gint64 i = low, j = high;
      while (i <= j)
        {
          while (compare_near (&all[i], &pivot) < 0)
            i++;
          while (compare_near (&all[j], &pivot) > 0)
            j--;
          if (i <= j)
            {
              Near swapped = all[i];
              all[i++] = all[j];
              all[j--] = swapped;
            }
        }
      if (k - 1 <= j)
        high = j;
      else if (k - 1 >= i)
        low = i;
      else
        break;
    }
  qsort (all, (gsize) k, sizeof (Near), compare_near);
}

/* Squared distances of points @first .. @first + @count to all. */
static void
measure_block (const float *x,
               const float *norms,
               gint64 n,
               int dim,
               gint64 first,
               gint64 count,
               float *products)
{
  cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, (int) count, (int) n, dim, -2,
               x + first * dim, dim, x, dim, 0, products, (int) n);
  for (gint64 i = 0; i < count; i++)
    for (gint64 j = 0; j < n; j++)
      products[i * n + j] = MAX (products[i * n + j] + norms[first + i] + norms[j], 0);
}

gboolean
hl_tsne_neighbours (const float *x,
                    gint64 n,
                    int dim,
                    int k,
                    int *index,
                    float *distance2,
                    const HlProgress *progress,
                    GError **error)
{
  g_autofree float *norms = g_new (float, (gsize) n);
  g_autofree float *block = g_new (float, BLOCK *(gsize) n);
  g_autofree Near *all = g_new (Near, (gsize) n);
  for (gint64 i = 0; i < n; i++)
    norms[i] = cblas_sdot (dim, x + i * dim, 1, x + i * dim, 1);
  for (gint64 first = 0; first < n; first += BLOCK)
    {
      gint64 count = MIN (BLOCK, n - first);
      if (!hl_progress_step (progress, 0.1 * (double) first / (double) n, "neighbours",
                             error))
        return FALSE;
      measure_block (x, norms, n, dim, first, count, block);
      for (gint64 i = 0; i < count; i++)
        {
          for (gint64 j = 0; j < n; j++)
            all[j] = (Near){ block[i * n + j], (int) j };
          all[first + i].distance2 = INFINITY; /* not itself */
          select_near (all, n, k);
          for (int m = 0; m < k; m++)
            {
              index[(first + i) * k + m] = all[m].index;
              distance2[(first + i) * k + m] = all[m].distance2;
            }
        }
    }
  return TRUE;
}

/* ---- affinities ----------------------------------------------------------------------
 */

/* Pairs (i, j) with p_ij, each pair in both lists. */
typedef struct
{
  gint64 n;
  gint64 *first; /* (n + 1) */
  int *other;
  double *p;
} Affinities;

static void
affinities_clear (Affinities *a)
{
  g_free (a->first);
  g_free (a->other);
  g_free (a->p);
}

double
hl_tsne_perplexity (gint64 n)
{
  gint64 laid_out = MIN (n, HL_TSNE_LANDMARKS);
  return MIN (HL_TSNE_PERPLEXITY, MAX (1, (double) (laid_out - 1) / 3));
}

/* @p (k): of the neighbours of one point, with the perplexity asked for. */
static void
fit_row (const float *distance2, int k, double perplexity, double *p)
{
  double beta = 1, low = 0, high = INFINITY;
  for (int tries = 0; tries < 64; tries++)
    {
      double sum = 0, weighted = 0;
      for (int m = 0; m < k; m++)
        {
          double d = (double) (distance2[m] - distance2[0]);
          p[m] = exp (-beta * d);
          sum += p[m];
          weighted += d * p[m];
        }
      double entropy = log (sum) + beta * weighted / sum;
      for (int m = 0; m < k; m++)
        p[m] /= sum;
      if (fabs (entropy - log (perplexity)) < 1e-5)
        return;
      if (entropy > log (perplexity))
        low = beta;
      else
        high = beta;
      beta = isinf (high) ? beta * 2 : (low + high) / 2;
    }
}

/* p_ij = (p_j|i + p_i|j) / 2n as lists; a pair that only one side knows is in both. */
static void
join (Affinities *a, gint64 n, int k, const int *index, const double *p)
{
  g_autofree gint64 *fill = g_new0 (gint64, (gsize) n + 1);
  a->n = n;
  a->first = g_new0 (gint64, (gsize) n + 1);
  for (gint64 e = 0; e < n * k; e++)
    {
      a->first[e / k + 1]++;
      a->first[index[e] + 1]++;
    }
  for (gint64 i = 0; i < n; i++)
    a->first[i + 1] += a->first[i];
  memcpy (fill, a->first, sizeof (gint64) * (gsize) n);
  a->other = g_new (int, (gsize) a->first[n] + 1);
  a->p = g_new (double, (gsize) a->first[n] + 1);
  for (gint64 e = 0; e < n * k; e++)
    {
      gint64 i = e / k, j = index[e];
      gint64 at[2] = { fill[i]++, fill[j]++ };
      a->other[at[0]] = (int) j;
      a->other[at[1]] = (int) i;
      a->p[at[0]] = a->p[at[1]] = p[e] / (2 * (double) n);
    }
}

static gboolean
find_affinities (Affinities *a,
                 const float *x,
                 gint64 n,
                 int dim,
                 const HlProgress *progress,
                 GError **error)
{
  double perplexity = hl_tsne_perplexity (n);
  int k = (int) MIN (n - 1, (gint64) (3 * perplexity));
  g_autofree int *index = g_new (int, (gsize) (n * k) + 1);
  g_autofree float *distance2 = g_new (float, (gsize) (n * k) + 1);
  g_autofree double *p = g_new (double, (gsize) (n * k) + 1);
  if (!hl_tsne_neighbours (x, n, dim, k, index, distance2, progress, error))
    return FALSE;
  for (gint64 i = 0; i < n; i++)
    fit_row (distance2 + i * k, k, perplexity, p + i * k);
  join (a, n, k, index, p);
  return TRUE;
}

/* ---- descent -------------------------------------------------------------------------
 */

typedef struct
{
  const HlQuadtree *tree;
  double theta;
  double *repulsion, *sums;
} Repel;

static void
repel_range (gint64 first, gint64 end, gpointer data)
{
  const Repel *r = data;
  for (gint64 i = first; i < end; i++)
    {
      double *force = r->repulsion + 2 * i;
      force[0] = force[1] = 0;
      r->sums[i] = hl_quadtree_repel (r->tree, i, r->theta, force);
    }
}

double
hl_tsne_repulsion (const double *y, gint64 n, double theta, double *repulsion)
{
  double sum = 0;
  g_autoptr (HlQuadtree) tree = hl_quadtree_new (y, n);
  g_autofree double *sums = g_new (double, (gsize) n + 1);
  Repel all = { tree, theta, repulsion, sums };
  hl_parallel_for (n, GRAIN, repel_range, &all);
  for (gint64 i = 0; i < n; i++) /* in one order, however the points were cut */
    sum += sums[i];
  return sum;
}

/* Sum over j of p_ij (1 + |yi - yj|^2)^-1 (yi - yj). */
static void
attract (const Affinities *a, const double *y, gint64 i, double *force)
{
  force[0] = force[1] = 0;
  for (gint64 e = a->first[i]; e < a->first[i + 1]; e++)
    {
      const double *other = y + 2 * a->other[e];
      double dx = y[2 * i] - other[0], dy = y[2 * i + 1] - other[1];
      double w = a->p[e] / (1 + dx * dx + dy * dy);
      force[0] += w * dx;
      force[1] += w * dy;
    }
}

/* Deviation 1e-4 along the first principal component. */
static void
start (const float *x, gint64 n, int dim, guint32 seed, double *y)
{
  g_autoptr (HlPca) pca = hl_pca_new (x, n, dim, 2, seed);
  g_autofree float *projected = g_new0 (float, 2 * (gsize) n);
  double scale =
      pca->rank > 0 && pca->variance[0] > 0 ? 1e-4 / sqrt (pca->variance[0]) : 0;
  hl_pca_project (pca, x, n, projected);
  for (gint64 i = 0; i < n; i++)
    for (int d = 0; d < 2; d++)
      y[2 * i + d] = d < pca->rank ? scale * (double) projected[i * pca->rank + d] : 0;
}

/* @y: where points are; @next: where they go. */
typedef struct
{
  const Affinities *a;
  double *y, *next, *velocity, *gain, *repulsion;
  double rate, momentum, exaggeration, sum;
} Descent;

static void
move_range (gint64 first, gint64 end, gpointer data)
{
  const Descent *s = data;
  for (gint64 i = first; i < end; i++)
    {
      double pull[2];
      attract (s->a, s->y, i, pull);
      for (gint64 k = 2 * i; k < 2 * i + 2; k++)
        {
          double gradient =
              4 * (s->exaggeration * pull[k - 2 * i] - s->repulsion[k] / s->sum);
          gboolean is_same = (gradient > 0) == (s->velocity[k] > 0);
          s->gain[k] = MAX (is_same ? s->gain[k] * 0.8 : s->gain[k] + 0.2, 0.01);
          s->velocity[k] = s->momentum * s->velocity[k] - s->rate * s->gain[k] * gradient;
          s->next[k] = s->y[k] + s->velocity[k];
        }
    }
}

static void
move (Descent *s, double theta, gboolean is_early)
{
  gint64 n = s->a->n;
  double *before = s->y;
  s->rate = MAX ((double) n / 48, 50);
  s->momentum = is_early ? 0.5 : 0.8;
  s->exaggeration = is_early ? EXAGGERATION : 1;
  s->sum = MAX (hl_tsne_repulsion (s->y, n, theta, s->repulsion), 1e-300);
  hl_parallel_for (n, GRAIN, move_range, s);
  s->y = s->next;
  s->next = before;
}

static gboolean
descend (Descent *s, double theta, const HlProgress *progress, GError **error)
{
  for (int step = 0; step < STEPS; step++)
    {
      if (!hl_progress_step (progress, 0.1 + 0.9 * step / STEPS, "t-SNE", error))
        return FALSE;
      move (s, theta, step < EARLY_STEPS);
    }
  return TRUE;
}

static gboolean
lay_out (const float *x,
         gint64 n,
         int dim,
         double theta,
         guint32 seed,
         const HlProgress *progress,
         float *out,
         GError **error)
{
  gsize size = 2 * (gsize) n;
  Affinities a = { 0 };
  g_autofree double *y = g_new0 (double, size);
  g_autofree double *next = g_new0 (double, size);
  g_autofree double *velocity = g_new0 (double, size);
  g_autofree double *gain = g_new (double, size);
  g_autofree double *repulsion = g_new (double, size);
  Descent s = { &a, y, next, velocity, gain, repulsion };
  for (gsize k = 0; k < size; k++)
    gain[k] = 1;
  start (x, n, dim, seed, y);
  gboolean ok = n < 3 || (find_affinities (&a, x, n, dim, progress, error) &&
                          descend (&s, theta, progress, error));
  affinities_clear (&a);
  for (gsize k = 0; k < size && ok; k++)
    out[k] = (float) s.y[k];
  return ok;
}

/* ---- many points ---------------------------------------------------------------------
 */

void
hl_place_between (const float *x,
                  const float *layout,
                  gint64 n,
                  int dim,
                  const float *point,
                  float *out)
{
  Near near[BETWEEN];
  int k = 0;
  double sum = 0, at[2] = { 0, 0 };
  for (gint64 i = 0; i < n; i++)
    {
      double d2 = 0;
      for (int d = 0; d < dim; d++)
        d2 += (double) (x[i * dim + d] - point[d]) * (double) (x[i * dim + d] - point[d]);
      Near found = { (float) d2, (int) i };
      if (k == BETWEEN && compare_near (&found, &near[k - 1]) >= 0)
        continue;
      int place = k < BETWEEN ? k++ : k - 1;
      for (; place > 0 && compare_near (&found, &near[place - 1]) < 0; place--)
        near[place] = near[place - 1];
      near[place] = found;
    }
  for (int m = 0; m < k; m++)
    {
      double weight = 1 / MAX ((double) near[m].distance2, 1e-20);
      sum += weight;
      for (int d = 0; d < 2; d++)
        at[d] += weight * (double) layout[2 * near[m].index + d];
    }
  for (int d = 0; d < 2; d++)
    out[d] = k > 0 ? (float) (at[d] / sum) : 0;
}

/* (transfer full): indices of the points that are laid out, ascending. */
static gint64 *
draw_landmarks (gint64 n, gint64 count, guint32 seed)
{
  gint64 *found = g_new (gint64, (gsize) count);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  gint64 have = 0;
  for (gint64 i = 0; i < n && have < count; i++) /* Knuth's selection sampling */
    if ((double) (n - i) * g_rand_double (rand) < (double) (count - have))
      found[have++] = i;
  return found;
}

gboolean
hl_tsne (const float *x,
         gint64 n,
         int dim,
         double theta,
         guint32 seed,
         const HlProgress *progress,
         float *out,
         GError **error)
{
  if (n <= HL_TSNE_LANDMARKS)
    return lay_out (x, n, dim, theta, seed, progress, out, error);
  gint64 count = HL_TSNE_LANDMARKS;
  g_autofree gint64 *index = draw_landmarks (n, count, seed);
  g_autofree float *some = g_new (float, (gsize) (count * dim));
  g_autofree float *layout = g_new (float, 2 * (gsize) count);
  for (gint64 i = 0; i < count; i++)
    memcpy (some + i * dim, x + index[i] * dim, sizeof (float) * (gsize) dim);
  if (!lay_out (some, count, dim, theta, seed, progress, layout, error))
    return FALSE;
  for (gint64 i = 0; i < n; i++)
    {
      if (i % 256 == 0 && !hl_progress_step (progress, 1, "t-SNE", error))
        return FALSE;
      hl_place_between (some, layout, count, dim, x + i * dim, out + 2 * i);
    }
  return TRUE;
}
