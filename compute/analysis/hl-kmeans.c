/* SPDX-License-Identifier: MIT
 * Clusters by k-means. */
#include "analysis/hl-kmeans.h"

#include <math.h>
#include <string.h>

#define STARTS 4
#define MAX_ROUNDS 100
#define SAMPLE 2000

static double
distance2 (const float *a, const float *b, int dim)
{
  double sum = 0;
  for (int d = 0; d < dim; d++)
    sum += (double) (a[d] - b[d]) * (double) (a[d] - b[d]);
  return sum;
}

int
hl_kmeans_assign (const float *centres, int k, int dim, const float *x)
{
  int best = 0;
  double least = INFINITY;
  for (int c = 0; c < k; c++)
    {
      double d = distance2 (x, centres + (gsize) c * (gsize) dim, dim);
      if (d < least)
        {
          least = d;
          best = c;
        }
    }
  return best;
}

/* ---- one start -----------------------------------------------------------------------
 */

/* Index of a point drawn by its weight; -1 where all are 0. */
static gint64
draw (GRand *rand, const double *weight, gint64 n)
{
  double sum = 0;
  for (gint64 i = 0; i < n; i++)
    sum += weight[i];
  double at = g_rand_double (rand) * sum;
  gint64 last = -1;
  for (gint64 i = 0; i < n && sum > 0; i++)
    if (weight[i] > 0)
      {
        last = i;
        if ((at -= weight[i]) < 0)
          return i;
      }
  return last;
}

/* Centres far from each other; stops where every point is one. */
static void
seed_centres (HlKmeans *m, const float *x, int k, GRand *rand)
{
  gsize dim = (gsize) m->dim;
  g_autofree double *least = g_new (double, (gsize) m->n);
  for (gint64 i = 0; i < m->n; i++)
    least[i] = 1;
  for (m->k = 0; m->k < k; m->k++)
    {
      gint64 at = draw (rand, least, m->n);
      if (at < 0)
        return;
      float *centre = m->centres + (gsize) m->k * dim;
      memcpy (centre, x + (gsize) at * dim, sizeof (float) * dim);
      for (gint64 i = 0; i < m->n; i++)
        {
          double d = distance2 (x + (gsize) i * dim, centre, m->dim);
          least[i] = m->k == 0 ? d : MIN (least[i], d);
        }
    }
}

/* Returns: some point changed its cluster. */
static gboolean
assign_all (HlKmeans *m, const float *x)
{
  gboolean changed = FALSE;
  m->inertia = 0;
  for (gint64 i = 0; i < m->n; i++)
    {
      const float *point = x + (gsize) i * (gsize) m->dim;
      int c = hl_kmeans_assign (m->centres, m->k, m->dim, point);
      changed |= c != m->cluster[i];
      m->cluster[i] = c;
      m->inertia += distance2 (point, m->centres + (gsize) c * (gsize) m->dim, m->dim);
    }
  return changed;
}

/* A cluster without points keeps its centre. */
static void
move_centres (HlKmeans *m, const float *x)
{
  gsize dim = (gsize) m->dim;
  g_autofree double *sum = g_new0 (double, (gsize) m->k *dim);
  g_autofree gint64 *count = g_new0 (gint64, (gsize) m->k);
  for (gint64 i = 0; i < m->n; i++)
    {
      gsize c = (gsize) m->cluster[i];
      count[c]++;
      for (gsize d = 0; d < dim; d++)
        sum[c * dim + d] += (double) x[(gsize) i * dim + d];
    }
  for (gsize c = 0; c < (gsize) m->k; c++)
    for (gsize d = 0; d < dim && count[c] > 0; d++)
      m->centres[c * dim + d] = (float) (sum[c * dim + d] / (double) count[c]);
}

static HlKmeans *
run_once (const float *x,
          gint64 n,
          int dim,
          int k,
          GRand *rand,
          const HlProgress *progress,
          GError **error)
{
  g_autoptr (HlKmeans) m = g_new0 (HlKmeans, 1);
  m->n = n;
  m->dim = dim;
  m->centres = g_new0 (float, (gsize) k *(gsize) dim);
  m->cluster = g_new (int, (gsize) n);
  memset (m->cluster, -1, sizeof (int) * (gsize) n);
  seed_centres (m, x, k, rand);
  for (int round = 0; round < MAX_ROUNDS && assign_all (m, x); round++)
    {
      if (!hl_progress_pause (progress))
        {
          g_cancellable_set_error_if_cancelled (progress->cancellable, error);
          return NULL;
        }
      move_centres (m, x);
    }
  return g_steal_pointer (&m);
}

/* ---- the best ------------------------------------------------------------------------
 */

typedef struct
{
  int cluster;
  gint64 count;
} Size;

static int
compare_sizes (gconstpointer a, gconstpointer b)
{
  const Size *s = a, *t = b;
  return s->count != t->count ? (s->count < t->count ? 1 : -1) : s->cluster - t->cluster;
}

/* The largest first; those without points are gone. */
static void
order (HlKmeans *m)
{
  gsize dim = (gsize) m->dim;
  g_autofree Size *sizes = g_new0 (Size, (gsize) m->k);
  g_autofree int *place = g_new0 (int, (gsize) m->k);
  float *centres = g_new0 (float, (gsize) m->k *dim);
  int n_used = 0;
  for (int c = 0; c < m->k; c++)
    sizes[c].cluster = c;
  for (gint64 i = 0; i < m->n; i++)
    sizes[m->cluster[i]].count++;
  qsort (sizes, (gsize) m->k, sizeof (Size), compare_sizes);
  for (int c = 0; c < m->k; c++)
    {
      place[sizes[c].cluster] = c;
      n_used += sizes[c].count > 0;
      memcpy (centres + (gsize) c * dim, m->centres + (gsize) sizes[c].cluster * dim,
              sizeof (float) * dim);
    }
  for (gint64 i = 0; i < m->n; i++)
    m->cluster[i] = place[m->cluster[i]];
  g_free (m->centres);
  m->centres = centres;
  m->k = n_used;
}

HlKmeans *
hl_kmeans_new (const float *x,
               gint64 n,
               int dim,
               int k,
               guint32 seed,
               const HlProgress *progress,
               GError **error)
{
  HlKmeans *best = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  for (int start = 0; start < STARTS; start++)
    {
      HlKmeans *m = run_once (x, n, dim, MAX (k, 1), rand, progress, error);
      if (m == NULL || best == NULL || m->inertia < best->inertia)
        {
          g_clear_pointer (&best, hl_kmeans_free);
          best = g_steal_pointer (&m);
        }
      g_clear_pointer (&m, hl_kmeans_free);
      if (best == NULL)
        return NULL;
    }
  order (best);
  return best;
}

void
hl_kmeans_free (HlKmeans *kmeans)
{
  g_free (kmeans->centres);
  g_free (kmeans->cluster);
  g_free (kmeans);
}

/* ---- how many ------------------------------------------------------------------------
 */

/* (b - a) / max (a, b) of one point, of the sums of distances to each cluster. */
static double
silhouette_of (const double *sum, const gint64 *count, int k, int own)
{
  double a, b = INFINITY;
  if (count[own] < 2)
    return 0;
  a = sum[own] / (double) (count[own] - 1);
  for (int c = 0; c < k; c++)
    if (c != own && count[c] > 0)
      b = MIN (b, sum[c] / (double) count[c]);
  return isfinite (b) && MAX (a, b) > 0 ? (b - a) / MAX (a, b) : 0;
}

double
hl_silhouette (const float *x, gint64 n, int dim, const int *cluster, int k)
{
  double total = 0;
  g_autofree double *sum = g_new (double, (gsize) k);
  g_autofree gint64 *count = g_new0 (gint64, (gsize) k);
  for (gint64 i = 0; i < n; i++)
    count[cluster[i]]++;
  for (gint64 i = 0; i < n; i++)
    {
      memset (sum, 0, sizeof (double) * (gsize) k);
      for (gint64 j = 0; j < n; j++)
        sum[cluster[j]] += sqrt (
            distance2 (x + (gsize) i * (gsize) dim, x + (gsize) j * (gsize) dim, dim));
      total += silhouette_of (sum, count, k, cluster[i]);
    }
  return n > 0 ? total / (double) n : 0;
}

/* (transfer full): @count points of @x, drawn without repetition. */
static float *
sample (const float *x, gint64 n, int dim, gint64 count, guint32 seed)
{
  float *out = g_new (float, (gsize) count *(gsize) dim);
  g_autofree gint64 *index = g_new (gint64, (gsize) n);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  for (gint64 i = 0; i < n; i++)
    index[i] = i;
  for (gint64 i = 0; i < count; i++)
    {
      gint64 j = i + (gint64) (g_rand_double (rand) * (double) (n - i));
      gint64 drawn = index[j];
      index[j] = index[i];
      memcpy (out + i * dim, x + drawn * dim, sizeof (float) * (gsize) dim);
    }
  return out;
}

int
hl_kmeans_suggest (const float *x,
                   gint64 n,
                   int dim,
                   guint32 seed,
                   const HlProgress *progress,
                   GError **error)
{
  int suggested = 1;
  double best = -2;
  gint64 count = MIN (n, SAMPLE);
  g_autofree float *some = sample (x, n, dim, count, seed);
  for (int k = 2; k <= HL_KMEANS_MAX_CLUSTERS && k < count; k++)
    {
      g_autoptr (HlKmeans) m = hl_kmeans_new (some, count, dim, k, seed, progress, error);
      if (m == NULL)
        return 0;
      double s = m->k == k ? hl_silhouette (some, count, dim, m->cluster, m->k) : -2;
      if (s > best + 1e-9)
        {
          best = s;
          suggested = k;
        }
    }
  return suggested;
}

/* ---- agreement -----------------------------------------------------------------------
 */

static double
pairs (double n)
{
  return n * (n - 1) / 2;
}

double
hl_adjusted_rand (const int *a, const int *b, gint64 n)
{
  int na = 0, nb = 0;
  double both = 0, rows = 0, columns = 0;
  for (gint64 i = 0; i < n; i++)
    {
      na = MAX (na, a[i] + 1);
      nb = MAX (nb, b[i] + 1);
    }
  g_autofree double *table = g_new0 (double, (gsize) na *(gsize) nb + 1);
  g_autofree double *ra = g_new0 (double, (gsize) na + 1);
  g_autofree double *rb = g_new0 (double, (gsize) nb + 1);
  for (gint64 i = 0; i < n; i++)
    {
      table[a[i] * nb + b[i]]++;
      ra[a[i]]++;
      rb[b[i]]++;
    }
  for (int i = 0; i < na * nb; i++)
    both += pairs (table[i]);
  for (int i = 0; i < na; i++)
    rows += pairs (ra[i]);
  for (int i = 0; i < nb; i++)
    columns += pairs (rb[i]);
  double expected = n > 1 ? rows * columns / pairs ((double) n) : 0;
  double most = (rows + columns) / 2;
  return most > expected ? (both - expected) / (most - expected) : 1;
}
