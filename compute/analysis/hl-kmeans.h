/* SPDX-License-Identifier: MIT
 * Clusters by k-means (Lloyd 1982), started by k-means++ (Arthur and Vassilvitskii 2007),
 * the best of several starts; how many there are by the mean silhouette (Rousseeuw 1987).
 * Equal seeds give equal clusters. Thread: any. */
#pragma once

#include "base/hl-progress.h"

G_BEGIN_DECLS

#define HL_KMEANS_MAX_CLUSTERS 12

/**
 * HlKmeans:
 * @k: clusters, by size, the largest first; fewer than asked for where there are fewer
 *   different points
 * @centres: (k, dim)
 * @cluster: (n): 0..k-1
 * @inertia: sum of squared distances to the centres
 */
typedef struct
{
  gint64 n;
  int dim;
  int k;
  float *centres;
  int *cluster;
  double inertia;
} HlKmeans;

/** hl_kmeans_new: (transfer full): of @x (n, dim), n >= 1. NULL with @error
 * G_IO_ERROR_CANCELLED. */
HlKmeans *hl_kmeans_new (const float *x,
                         gint64 n,
                         int dim,
                         int k,
                         guint32 seed,
                         const HlProgress *progress,
                         GError **error);
void hl_kmeans_free (HlKmeans *kmeans);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlKmeans, hl_kmeans_free)

/** hl_kmeans_assign: the centre next to @x (dim). */
int hl_kmeans_assign (const float *centres, int k, int dim, const float *x);

/**
 * hl_kmeans_suggest:
 * The k of 2 to HL_KMEANS_MAX_CLUSTERS with the highest mean silhouette, on 2,000 points
 * drawn by @seed; 1 where there are fewer than three different points.
 * Returns: 0 with @error G_IO_ERROR_CANCELLED
 */
int hl_kmeans_suggest (const float *x,
                       gint64 n,
                       int dim,
                       guint32 seed,
                       const HlProgress *progress,
                       GError **error);

/** hl_silhouette: mean of (b - a) / max (a, b) over points, a the mean distance to the
 * others of its cluster, b the least mean distance to another cluster; 0 of a point alone
 * in its own. n squared. */
double hl_silhouette (const float *x, gint64 n, int dim, const int *cluster, int k);

/** hl_adjusted_rand: how far two partitions agree, 1 for fully, about 0 for chance
 * (Hubert and Arabie 1985). Labels are not negative. */
double hl_adjusted_rand (const int *a, const int *b, gint64 n);

G_END_DECLS
