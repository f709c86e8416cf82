/* SPDX-License-Identifier: MIT
 * Principal components. Thread: one that may use BLAS (the backend's). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** HL_PCA_EXACT_DIMS: up to here the covariance is decomposed whole; beyond, the axes
 * come from subspace iteration (Halko, Martinsson and Tropp 2011), 8 more than asked for
 * and 8 rounds. */
#define HL_PCA_EXACT_DIMS 1024

/**
 * HlPca:
 * @mean: (dim)
 * @axes: (rank, dim), of length 1; the largest entry of each is positive
 * @variance: (rank), descending; divided by n
 * @total: variance of all dimensions together
 */
typedef struct
{
  int dim;
  int rank;
  float *mean;
  float *axes;
  double *variance;
  double total;
} HlPca;

/** hl_pca_new: (transfer full): of @x (n, dim), n >= 1; @rank is cut to min (n, dim). */
HlPca *hl_pca_new (const float *x, gint64 n, int dim, int rank, guint32 seed);
void hl_pca_free (HlPca *pca);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlPca, hl_pca_free)

/** hl_pca_project: @out (n, rank) of @x (n, dim). */
void hl_pca_project (const HlPca *pca, const float *x, gint64 n, float *out);

/** hl_pca_error: mean squared error over all numbers of @x (n, dim) of what its @rank
 * components make of it. */
double hl_pca_error (const HlPca *pca, const float *x, gint64 n);

G_END_DECLS
