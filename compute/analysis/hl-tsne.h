/* SPDX-License-Identifier: MIT
 * t-SNE in two dimensions (van der Maaten and Hinton 2008) with Barnes and Hut's
 * approximation (van der Maaten 2014).
 *
 * Of many points HL_TSNE_LANDMARKS drawn by the seed are laid out, and the others are put
 * between their five next landmarks in the space of @x, weighted by 1 / distance^2.
 *
 * Perplexity 30 (at most a third of the points), 3 times as many neighbours, theta 0.5;
 * 250 steps with attraction times 12, then 500; rate n / 48, at least 50; it starts from
 * the two principal components, of deviation 1e-4, so that equal points give equal
 * layouts. Thread: one that may use BLAS. */
#pragma once

#include "base/hl-progress.h"

G_BEGIN_DECLS

#define HL_TSNE_LANDMARKS 5000
#define HL_TSNE_PERPLEXITY 30.0

/** hl_tsne_perplexity: of @n points: HL_TSNE_PERPLEXITY, or a third of the others. */
double hl_tsne_perplexity (gint64 n);

/**
 * hl_tsne:
 * @x: (n, dim)
 * @out: (n, 2)
 * @theta: 0 sums up every pair; 0.5 is usual
 * Returns: FALSE with @error G_IO_ERROR_CANCELLED
 */
gboolean hl_tsne (const float *x,
                  gint64 n,
                  int dim,
                  double theta,
                  guint32 seed,
                  const HlProgress *progress,
                  float *out,
                  GError **error);

/**
 * hl_place_between:
 * Puts @point (dim) between its five next among @x (n, dim), as they lie in @layout
 * (n, 2); on one of them that is the same. @out (2)
 */
void hl_place_between (const float *x,
                       const float *layout,
                       gint64 n,
                       int dim,
                       const float *point,
                       float *out);

/** hl_tsne_neighbours: the @k next points of each of @x (n, dim), without itself: @index
 * and @distance2 (n, k), by distance. Exact. FALSE with @error G_IO_ERROR_CANCELLED. */
gboolean hl_tsne_neighbours (const float *x,
                             gint64 n,
                             int dim,
                             int k,
                             int *index,
                             float *distance2,
                             const HlProgress *progress,
                             GError **error);

/**
 * hl_tsne_repulsion:
 * @y: (n, 2): a layout
 * @repulsion: (n, 2): sum over j of (1 + |yi - yj|^2)^-2 (yi - yj), by a quadtree
 * Returns: sum over pairs of (1 + |yi - yj|^2)^-1
 */
double hl_tsne_repulsion (const double *y, gint64 n, double theta, double *repulsion);

G_END_DECLS
