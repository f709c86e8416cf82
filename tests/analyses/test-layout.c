/* SPDX-License-Identifier: MIT
 * Principal components, clusters and t-SNE: planted structure, closed forms, and what
 * plain sums over all pairs say. */
#include "analysis/hl-kmeans.h"
#include "analysis/hl-pca.h"
#include "analysis/hl-tsne.h"
#include "base/hl-parallel.h"

#include <math.h>
#include <string.h>

static double
normal (GRand *rand)
{
  double u = 1 - g_rand_double (rand);
  return sqrt (-2 * log (u)) * cos (2 * G_PI * g_rand_double (rand));
}

/* @n points around each of @k centres that lie 10 apart along the axes, interleaved. */
static float *
draw_blobs (int n, int k, int dim, double spread, int *label)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  float *x = g_new0 (float, (gsize) (n * k * dim));
  for (int i = 0; i < n * k; i++)
    {
      label[i] = i % k;
      for (int d = 0; d < dim; d++)
        x[i * dim + d] = (float) (spread * normal (rand) +
                                  (d == label[i] % dim ? 10 + label[i] / dim * 10 : 0));
    }
  return x;
}

/* ---- principal components ------------------------------------------------------------
 */

/* Three axes with deviations 9, 4, 1 and noise, in @dim dimensions. */
static float *
draw_plane (int n, int dim)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (4);
  float *x = g_new0 (float, (gsize) (n * dim));
  for (int i = 0; i < n; i++)
    {
      double a = 9 * normal (rand), b = 4 * normal (rand), c = normal (rand);
      for (int d = 0; d < dim; d++)
        x[i * dim + d] = (float) (3 + 0.01 * normal (rand));
      x[i * dim + 1] += (float) (0.6 * a);
      x[i * dim + 2] += (float) (0.8 * a);
      x[i * dim + 5] += (float) b;
      x[i * dim + 7] += (float) c;
    }
  return x;
}

static void
check_plane (int dim)
{
  const int n = 700;
  g_autofree float *x = draw_plane (n, dim);
  g_autoptr (HlPca) pca = hl_pca_new (x, n, dim, 3, 1);
  g_autofree float *y = g_new (float, 3 * (gsize) n);
  g_assert_cmpint (pca->rank, ==, 3);
  g_assert_cmpfloat_with_epsilon (pca->mean[0], 3, 0.01);
  g_assert_cmpfloat_with_epsilon (pca->axes[1], 0.6, 0.01);
  g_assert_cmpfloat_with_epsilon (pca->axes[2], 0.8, 0.01);
  g_assert_cmpfloat_with_epsilon (pca->axes[dim + 5], 1, 0.01);
  g_assert_cmpfloat_with_epsilon (pca->axes[2 * dim + 7], 1, 0.01);
  hl_pca_project (pca, x, n, y);
  double left = pca->total;
  for (int k = 0; k < 3; k++)
    {
      double squares = 0;
      for (int i = 0; i < n; i++)
        squares += (double) y[3 * i + k] * (double) y[3 * i + k];
      g_assert_cmpfloat_with_epsilon (squares / n / pca->variance[k], 1, 1e-4);
      left -= pca->variance[k];
    }
  /* What the axes leave is the error of reconstruction. */
  g_assert_cmpfloat_with_epsilon (hl_pca_error (pca, x, n) * dim / left, 1, 1e-2);
  g_assert_cmpfloat_with_epsilon (left / (dim - 3), 1e-4, 2e-5);
}

static void
test_pca (void)
{
  check_plane (40);
  check_plane (HL_PCA_EXACT_DIMS + 100);
  const float one[] = { 2, 5 };
  g_autoptr (HlPca) pca = hl_pca_new (one, 1, 2, 2, 1);
  g_assert_cmpint (pca->rank, ==, 1);
  g_assert_cmpfloat (pca->variance[0], ==, 0);
}

/* ---- clusters ------------------------------------------------------------------------
 */

static void
test_kmeans (void)
{
  int label[200];
  g_autoptr (GError) error = NULL;
  g_autofree float *x = draw_blobs (40, 5, 8, 1, label);
  g_autoptr (HlKmeans) m = hl_kmeans_new (x, 200, 8, 5, 1, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (m->k, ==, 5);
  g_assert_cmpfloat (hl_adjusted_rand (m->cluster, label, 200), ==, 1);
  double inertia = 0;
  for (int i = 0; i < 200; i++)
    for (int d = 0; d < 8; d++)
      inertia += pow ((double) (x[i * 8 + d] - m->centres[m->cluster[i] * 8 + d]), 2);
  g_assert_cmpfloat_with_epsilon (m->inertia, inertia, 1e-6 * inertia);
  g_assert_cmpint (hl_kmeans_suggest (x, 200, 8, 1, NULL, &error), ==, 5);
  g_autoptr (HlKmeans) again = hl_kmeans_new (x, 200, 8, 5, 1, NULL, &error);
  g_assert_true (memcmp (m->cluster, again->cluster, sizeof (int) * 200) == 0);
}

static void
test_kmeans_few (void)
{
  g_autoptr (GError) error = NULL;
  const float same[] = { 1, 1, 1, 1, 1, 1 };
  g_autoptr (HlKmeans) one = hl_kmeans_new (same, 3, 2, 4, 1, NULL, &error);
  g_assert_cmpint (one->k, ==, 1);
  g_assert_cmpint (hl_kmeans_suggest (same, 3, 2, 1, NULL, &error), ==, 1);
  /* The largest first. */
  const float line[] = { 9, 0, 9.1f, 0.1f, 9.2f, 9.3f };
  g_autoptr (HlKmeans) two = hl_kmeans_new (line, 6, 1, 2, 1, NULL, &error);
  g_assert_cmpint (two->cluster[0], ==, 0);
  g_assert_cmpint (two->cluster[1], ==, 1);
  g_assert_cmpfloat_with_epsilon (two->centres[0], 9.15, 1e-5);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  const HlProgress progress = { .cancellable = cancellable };
  g_assert_null (hl_kmeans_new (line, 6, 1, 2, 1, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* By hand: points 0, 1 | 4, 6 on a line. */
static void
test_silhouette (void)
{
  const float x[] = { 0, 1, 4, 6 };
  const int cluster[] = { 0, 0, 1, 1 };
  double wanted = ((5 - 1) / 5.0 + (4 - 1) / 4.0 + (3.5 - 2) / 3.5 + (5.5 - 2) / 5.5) / 4;
  g_assert_cmpfloat_with_epsilon (hl_silhouette (x, 4, 1, cluster, 2), wanted, 1e-9);
}

/* By hand: of six, {0,1,2}{3,4,5} against {0,1}{2,3}{4,5}: pairs together in both 2,
 * in one 6 and 3, expected 6 * 3 / 15 = 1.2, so (2 - 1.2) / (4.5 - 1.2). */
static void
test_rand (void)
{
  const int a[] = { 0, 0, 0, 1, 1, 1 }, b[] = { 0, 0, 1, 1, 2, 2 };
  g_assert_cmpfloat_with_epsilon (hl_adjusted_rand (a, b, 6), 0.8 / 3.3, 1e-12);
  g_assert_cmpfloat (hl_adjusted_rand (b, b, 6), ==, 1);
}

/* ---- t-SNE ---------------------------------------------------------------------------
 */

static void
test_neighbours (void)
{
  const int n = 300, dim = 6, k = 7;
  int label[300], index[300 * 7];
  float distance2[300 * 7];
  g_autoptr (GError) error = NULL;
  g_autofree float *x = draw_blobs (100, 3, dim, 1, label);
  hl_tsne_neighbours (x, n, dim, k, index, distance2, NULL, &error);
  g_assert_no_error (error);
  for (int i = 0; i < n; i++)
    for (int m = 0; m < k; m++)
      {
        double d2 = 0;
        int closer = 0;
        for (int d = 0; d < dim; d++)
          d2 += pow ((double) (x[i * dim + d] - x[index[i * k + m] * dim + d]), 2);
        for (int j = 0; j < n; j++)
          {
            double other = 0;
            for (int d = 0; d < dim; d++)
              other += pow ((double) (x[i * dim + d] - x[j * dim + d]), 2);
            closer += j != i && other < d2 - 1e-4;
          }
        g_assert_cmpint (index[i * k + m], !=, i);
        g_assert_cmpint (closer, <=, m);
        g_assert_cmpfloat_with_epsilon (distance2[i * k + m], d2, 1e-3);
      }
}

/* Against all pairs; points at one place too. */
static void
test_repulsion (void)
{
  enum
  {
    N = 200
  };
  double y[2 * N], exact[2 * N], found[2 * N], sum = 0, size = 0, error = 0;
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  for (int i = 0; i < 2 * N; i++)
    y[i] = 5 * normal (rand);
  memcpy (y + 20, y + 40, sizeof (double) * 2);
  memcpy (y + 60, y + 40, sizeof (double) * 2);
  memset (exact, 0, sizeof exact);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      {
        double dx = y[2 * i] - y[2 * j], dy = y[2 * i + 1] - y[2 * j + 1];
        double q = 1 / (1 + dx * dx + dy * dy);
        if (i == j)
          continue;
        sum += q;
        exact[2 * i] += q * q * dx;
        exact[2 * i + 1] += q * q * dy;
      }
  g_assert_cmpfloat_with_epsilon (hl_tsne_repulsion (y, N, 0, found), sum, 1e-9 * sum);
  for (int i = 0; i < 2 * N; i++)
    g_assert_cmpfloat_with_epsilon (found[i], exact[i], 1e-9);
  g_assert_cmpfloat_with_epsilon (hl_tsne_repulsion (y, N, 0.5, found), sum, 0.02 * sum);
  for (int i = 0; i < 2 * N; i++)
    {
      size += exact[i] * exact[i];
      error += (found[i] - exact[i]) * (found[i] - exact[i]);
    }
  g_assert_cmpfloat (error, <, 0.03 * 0.03 * size);
  g_assert_cmpfloat (error, >, 0); /* something was summed up */
}

/* Kullback and Leibler's divergence of a layout, over all pairs, with a Gaussian of
 * deviation 1 a point: not the perplexity of the program, but of the same order. */
static double
divergence (const float *x, int n, int dim, const float *y)
{
  g_autofree double *p = g_new0 (double, (gsize) (n * n));
  double sum_p = 0, sum_q = 0, kl = 0;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      {
        double d2 = 0;
        for (int d = 0; d < dim && i != j; d++)
          d2 += pow ((double) (x[i * dim + d] - x[j * dim + d]), 2);
        p[i * n + j] = i == j ? 0 : exp (-d2 / 2);
        sum_p += p[i * n + j];
      }
  for (int pass = 0; pass < 2; pass++)
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++)
        {
          double q = 1 / (1 + pow ((double) (y[2 * i] - y[2 * j]), 2) +
                          pow ((double) (y[2 * i + 1] - y[2 * j + 1]), 2));
          if (pass == 0)
            sum_q += i == j ? 0 : q;
          else if (p[i * n + j] > 0)
            kl += p[i * n + j] / sum_p * log (p[i * n + j] / sum_p / (q / sum_q));
        }
  return kl;
}

static void
test_tsne (void)
{
  const int n = 300, dim = 8;
  int label[300];
  g_autoptr (GError) error = NULL;
  g_autofree float *x = draw_blobs (60, 5, dim, 1, label);
  g_autofree float *y = g_new (float, 2 * (gsize) n);
  g_autofree float *again = g_new (float, 2 * (gsize) n);
  g_autofree float *flat = g_new (float, 2 * (gsize) n);
  hl_tsne (x, n, dim, 0.5, 1, NULL, y, &error);
  g_assert_no_error (error);
  g_autoptr (HlKmeans) m = hl_kmeans_new (y, n, 2, 5, 1, NULL, &error);
  g_assert_cmpfloat (hl_adjusted_rand (m->cluster, label, n), ==, 1);
  hl_tsne (x, n, dim, 0.5, 1, NULL, again, &error);
  g_assert_true (memcmp (y, again, sizeof (float) * 2 * (gsize) n) == 0);
  g_autoptr (HlPca) pca = hl_pca_new (x, n, dim, 2, 1);
  hl_pca_project (pca, x, n, flat);
  g_assert_cmpfloat (divergence (x, n, dim, y), <, 0.7 * divergence (x, n, dim, flat));
}

static void
test_tsne_few (void)
{
  float y[10], x[] = { 0, 1, 2, 3, 4 };
  g_autoptr (GError) error = NULL;
  for (int n = 1; n <= 5; n++)
    {
      g_assert_true (hl_tsne (x, n, 1, 0.5, 1, NULL, y, &error));
      for (int i = 0; i < 2 * n; i++)
        g_assert_true (isfinite (y[i]));
    }
  memset (x, 0, sizeof x); /* all the same */
  g_assert_true (hl_tsne (x, 5, 1, 0.5, 1, NULL, y, &error));
  for (int i = 0; i < 10; i++)
    g_assert_true (isfinite (y[i]));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  const HlProgress progress = { .cancellable = cancellable };
  g_assert_false (hl_tsne (x, 5, 1, 0.5, 1, &progress, y, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* On a point it is that one; between two alike it is the middle. */
static void
test_between (void)
{
  const float x[] = { 0, 4, 1000, 1001, 1002 };
  const float layout[] = { 1, 2, 3, 8, 50, 50, 50, 50, 50, 50 };
  float point = 4, out[2];
  hl_place_between (x, layout, 5, 1, &point, out);
  g_assert_cmpfloat_with_epsilon (out[0], 3, 1e-4);
  g_assert_cmpfloat_with_epsilon (out[1], 8, 1e-4);
  point = 2;
  hl_place_between (x, layout, 5, 1, &point, out);
  g_assert_cmpfloat_with_epsilon (out[0], 2, 1e-2);
  g_assert_cmpfloat_with_epsilon (out[1], 5, 1e-2);
}

/* More points than are laid out: the others are put among their own. */
static void
test_landmarks (void)
{
  const int n = HL_TSNE_LANDMARKS + 1000, dim = 4;
  g_autofree int *label = g_new (int, (gsize) n);
  g_autoptr (GError) error = NULL;
  g_autofree float *x = draw_blobs (n / 4, 4, dim, 1, label);
  g_autofree float *y = g_new (float, 2 * (gsize) n);
  hl_tsne (x, n, dim, 1, 1, NULL, y, &error);
  g_assert_no_error (error);
  g_autoptr (HlKmeans) m = hl_kmeans_new (y, n, 2, 4, 1, NULL, &error);
  g_assert_cmpfloat (hl_adjusted_rand (m->cluster, label, n), >, 0.99);
}

/* ---- loops cut among threads ---------------------------------------------------------
 */

static void
count_range (gint64 first, gint64 end, gpointer data)
{
  for (gint64 i = first; i < end; i++)
    ((int *) data)[i]++;
}

/* Every item once, however many there are. */
static void
test_parallel (void)
{
  static const gint64 sizes[] = { 0, 1, 7, 8, 9, 1000, 4097 };
  for (guint k = 0; k < G_N_ELEMENTS (sizes); k++)
    for (gint64 grain = 0; grain < 2000; grain += 333)
      {
        g_autofree int *seen = g_new0 (int, (gsize) sizes[k] + 2);
        hl_parallel_for (sizes[k], grain, count_range, seen);
        for (gint64 i = 0; i < sizes[k]; i++)
          g_assert_cmpint (seen[i], ==, 1);
        g_assert_cmpint (seen[sizes[k]], ==, 0);
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/layout/pca", test_pca);
  g_test_add_func ("/layout/kmeans", test_kmeans);
  g_test_add_func ("/layout/kmeans-few", test_kmeans_few);
  g_test_add_func ("/layout/silhouette", test_silhouette);
  g_test_add_func ("/layout/rand", test_rand);
  g_test_add_func ("/layout/neighbours", test_neighbours);
  g_test_add_func ("/layout/repulsion", test_repulsion);
  g_test_add_func ("/layout/tsne", test_tsne);
  g_test_add_func ("/layout/tsne-few", test_tsne_few);
  g_test_add_func ("/layout/between", test_between);
  g_test_add_func ("/layout/landmarks", test_landmarks);
  g_test_add_func ("/layout/parallel", test_parallel);
  return g_test_run ();
}
