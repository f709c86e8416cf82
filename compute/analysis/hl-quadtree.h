/* SPDX-License-Identifier: MIT
 * Points in the plane, summed up by squares: what is far counts as one. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _HlQuadtree HlQuadtree;

/** hl_quadtree_new: (transfer full): of @y (n, 2), borrowed. */
HlQuadtree *hl_quadtree_new (const double *y, gint64 n);
void hl_quadtree_free (HlQuadtree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlQuadtree, hl_quadtree_free)

/** hl_quadtree_repel: adds to @force (2) the sum of (1 + d^2)^-2 (p - q) over all other
 * points q, squares of side < @theta x distance as one; point @i itself is left out.
 * Returns: the sum of (1 + d^2)^-1 */
double hl_quadtree_repel (const HlQuadtree *tree, gint64 i, double theta, double *force);

G_END_DECLS
