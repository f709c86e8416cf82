/* SPDX-License-Identifier: MIT
 * Principal components. */
#include "analysis/hl-pca.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#define MORE_AXES 8
#define ROUNDS 8

/* Rows that are worked on at a time: keeps copies small. */
#define BLOCK 1024

/* LAPACK's own: all eigenvalues, ascending, and the vectors as columns, which read by
 * rows are rows. */
extern void dsyev_ (const char *jobz,
                    const char *uplo,
                    const int *n,
                    double *a,
                    const int *lda,
                    double *w,
                    double *work,
                    const int *lwork,
                    int *info);

/* @a (n, n), symmetric -> eigenvectors as rows, by eigenvalue ascending; @w (n). */
static void
decompose (double *a, int n, double *w)
{
  int size = MAX (1, 34 * n), info = 0;
  g_autofree double *work = g_new (double, (gsize) size);
  dsyev_ ("V", "U", &n, a, &n, w, work, &size, &info);
  g_warn_if_fail (info == 0);
}

/* @out (count, dim): rows of @x from @first without the mean. */
static void
centre (const HlPca *p, const float *x, gint64 first, gint64 count, float *out)
{
  for (gint64 i = 0; i < count; i++)
    for (int d = 0; d < p->dim; d++)
      out[i * p->dim + d] = x[(first + i) * p->dim + d] - p->mean[d];
}

static void
measure (HlPca *p, const float *x, gint64 n)
{
  g_autofree double *sum = g_new0 (double, (gsize) p->dim);
  for (gint64 i = 0; i < n; i++)
    for (int d = 0; d < p->dim; d++)
      sum[d] += (double) x[i * p->dim + d];
  for (int d = 0; d < p->dim; d++)
    p->mean[d] = (float) (sum[d] / (double) n);
  for (gint64 i = 0; i < n; i++)
    for (int d = 0; d < p->dim; d++)
      {
        double c = (double) (x[i * p->dim + d] - p->mean[d]);
        p->total += c * c / (double) n;
      }
}

/* Takes axis @k from @row; the largest entry becomes positive. */
static void
take_axis (HlPca *p, int k, const double *row, double variance)
{
  int top = 0;
  for (int d = 0; d < p->dim; d++)
    top = fabs (row[d]) > fabs (row[top]) ? d : top;
  for (int d = 0; d < p->dim; d++)
    p->axes[(gsize) k * (gsize) p->dim + (gsize) d] =
        (float) (row[top] < 0 ? -row[d] : row[d]);
  p->variance[k] = MAX (variance, 0);
}

static void
find_exactly (HlPca *p, const float *x, gint64 n)
{
  gsize dim = (gsize) p->dim;
  g_autofree double *covariance = g_new0 (double, dim *dim);
  g_autofree double *w = g_new (double, dim);
  g_autofree float *rows = g_new (float, BLOCK *dim);
  g_autofree double *wide = g_new (double, BLOCK *dim);
  for (gint64 i = 0; i < n; i += BLOCK)
    {
      gint64 count = MIN (BLOCK, n - i);
      centre (p, x, i, count, rows);
      for (gsize k = 0; k < (gsize) count * dim; k++)
        wide[k] = (double) rows[k];
      cblas_dsyrk (CblasRowMajor, CblasUpper, CblasTrans, p->dim, (int) count,
                   1 / (double) n, wide, p->dim, 1, covariance, p->dim);
    }
  for (gsize a = 0; a < dim; a++) /* LAPACK reads it by columns: fill both halves */
    for (gsize b = 0; b < a; b++)
      covariance[a * dim + b] = covariance[b * dim + a];
  decompose (covariance, p->dim, w);
  for (int k = 0; k < p->rank; k++)
    take_axis (p, k, covariance + (dim - 1 - (gsize) k) * dim, w[dim - 1 - (gsize) k]);
}

/* ---- subspace iteration --------------------------------------------------------------
 */

/* Rows of @q (m, dim) made orthonormal, twice; a row that depends on the others becomes
 * zeros. */
static void
orthonormalise (float *q, int m, int dim)
{
  for (int a = 0; a < m; a++)
    {
      float *row = q + (gsize) a * (gsize) dim;
      double before = (double) cblas_snrm2 (dim, row, 1);
      for (int twice = 0; twice < 2; twice++)
        for (int b = 0; b < a; b++)
          {
            const float *other = q + (gsize) b * (gsize) dim;
            cblas_saxpy (dim, -(float) cblas_dsdot (dim, row, 1, other, 1), other, 1, row,
                         1);
          }
      double size = (double) cblas_snrm2 (dim, row, 1);
      cblas_sscal (dim, size > 1e-6 * before ? (float) (1 / size) : 0, row, 1);
    }
}

/* @out (m, dim) = q xt x / n, x without its mean; @small (m, m) (nullable) = q xt x qt /
 * n
 */
static void
apply (const HlPca *p,
       const float *x,
       gint64 n,
       const float *q,
       int m,
       float *out,
       double *small)
{
  g_autofree float *rows = g_new (float, BLOCK *(gsize) p->dim);
  g_autofree float *y = g_new (float, BLOCK *(gsize) m);
  memset (out, 0, sizeof (float) * (gsize) m * (gsize) p->dim);
  for (gint64 i = 0; i < n; i += BLOCK)
    {
      int count = (int) MIN (BLOCK, n - i);
      centre (p, x, i, count, rows);
      cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, count, m, p->dim, 1, rows,
                   p->dim, q, p->dim, 0, y, m);
      cblas_sgemm (CblasRowMajor, CblasTrans, CblasNoTrans, m, p->dim, count,
                   (float) (1 / (double) n), y, m, rows, p->dim, 1, out, p->dim);
      for (int k = 0; small != NULL && k < count; k++)
        for (int a = 0; a < m; a++)
          for (int b = 0; b < m; b++)
            small[a * m + b] +=
                (double) y[k * m + a] * (double) y[k * m + b] / (double) n;
    }
}

static void
find_by_iteration (HlPca *p, const float *x, gint64 n, guint32 seed)
{
  int m = (int) MIN (MIN (n, p->dim), p->rank + MORE_AXES);
  gsize dim = (gsize) p->dim, size = (gsize) m * dim;
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  g_autofree float *q = g_new (float, size);
  g_autofree float *next = g_new (float, size);
  g_autofree double *small = g_new0 (double, (gsize) m *(gsize) m);
  g_autofree double *w = g_new (double, (gsize) m);
  g_autofree double *axis = g_new (double, dim);
  for (gsize i = 0; i < size; i++)
    q[i] = (float) g_rand_double_range (rand, -1, 1);
  for (int round = 0; round < ROUNDS; round++)
    {
      orthonormalise (q, m, p->dim);
      apply (p, x, n, q, m, next, NULL);
      memcpy (q, next, sizeof (float) * size);
    }
  orthonormalise (q, m, p->dim);
  apply (p, x, n, q, m, next, small);
  decompose (small, m, w);
  for (int k = 0; k < p->rank; k++)
    {
      const double *mix = small + (gsize) (m - 1 - k) * (gsize) m;
      for (gsize d = 0; d < dim; d++)
        {
          axis[d] = 0;
          for (int a = 0; a < m; a++)
            axis[d] += mix[a] * (double) q[(gsize) a * dim + d];
        }
      take_axis (p, k, axis, w[m - 1 - k]);
    }
}

HlPca *
hl_pca_new (const float *x, gint64 n, int dim, int rank, guint32 seed)
{
  HlPca *p = g_new0 (HlPca, 1);
  p->dim = dim;
  p->rank = (int) MIN (MIN (rank, dim), n);
  p->mean = g_new0 (float, (gsize) dim);
  p->axes = g_new0 (float, (gsize) p->rank *(gsize) dim);
  p->variance = g_new0 (double, (gsize) p->rank);
  measure (p, x, n);
  if (dim <= HL_PCA_EXACT_DIMS)
    find_exactly (p, x, n);
  else
    find_by_iteration (p, x, n, seed);
  return p;
}

void
hl_pca_free (HlPca *pca)
{
  g_free (pca->mean);
  g_free (pca->axes);
  g_free (pca->variance);
  g_free (pca);
}

void
hl_pca_project (const HlPca *p, const float *x, gint64 n, float *out)
{
  g_autofree float *rows = g_new (float, BLOCK *(gsize) p->dim);
  for (gint64 i = 0; i < n; i += BLOCK)
    {
      int count = (int) MIN (BLOCK, n - i);
      centre (p, x, i, count, rows);
      cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, count, p->rank, p->dim, 1,
                   rows, p->dim, p->axes, p->dim, 0, out + i * p->rank, p->rank);
    }
}

double
hl_pca_error (const HlPca *p, const float *x, gint64 n)
{
  double squares = 0;
  g_autofree float *rows = g_new (float, BLOCK *(gsize) p->dim);
  g_autofree float *y = g_new (float, BLOCK *(gsize) p->rank);
  for (gint64 i = 0; i < n; i += BLOCK)
    {
      int count = (int) MIN (BLOCK, n - i);
      centre (p, x, i, count, rows);
      cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, count, p->rank, p->dim, 1,
                   rows, p->dim, p->axes, p->dim, 0, y, p->rank);
      cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, count, p->dim, p->rank, -1,
                   y, p->rank, p->axes, p->dim, 1, rows, p->dim);
      for (gsize k = 0; k < (gsize) count * (gsize) p->dim; k++)
        squares += (double) rows[k] * (double) rows[k];
    }
  return squares / ((double) n * p->dim);
}
