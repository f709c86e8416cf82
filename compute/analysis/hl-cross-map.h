/* SPDX-License-Identifier: MIT
 * Rows of some heads' attention beside saliency: the mean map of these heads, and how far
 * it agrees. What hl-cross-compare.h says of all heads, of any choice of them. */
#pragma once

#include "base/hl-progress.h"
#include "trace/hl-attention-source.h"

G_BEGIN_DECLS

/**
 * HlCrossRows: which rows of maps are looked at; plain data, everything borrowed.
 * @n, @m: rows, keys
 * @query: (n): the row of the map that each is
 * @saliency: (n, m): NaN where a key does not count
 * @is_raw: maps are correlated as they are; else rows are z-scored first
 */
typedef struct
{
  const HlAttentionSource *source;
  HlBackend *backend;
  gint64 n, m;
  const gint64 *query;
  const double *saliency;
  gboolean is_raw;
} HlCrossRows;

/** hl_cross_rows_read: (transfer full): (n, m): these rows of one head's map; NaN where
 * saliency has none. Thread: the backend's. NULL with @error. */
double *hl_cross_rows_read (const HlCrossRows *rows,
                            HlHeadKey head,
                            const HlProgress *progress,
                            GError **error);

/** hl_cross_rows_prepare: (transfer full): @x (n, m) as it is correlated. */
double *hl_cross_rows_prepare (const HlCrossRows *rows, const double *x);

/** hl_cross_rows_spearman: of two prepared maps, over what is there in both. */
double hl_cross_rows_spearman (const HlCrossRows *rows, const double *x, const double *y);

/** HlCrossMap: @attention: (n, m): the mean map; @pearson, @spearman: of all its rows
 * together; @by_target: (n): Pearson of single rows. */
typedef struct
{
  gint64 n, m;
  double *attention;
  double pearson, spearman;
  double *by_target;
} HlCrossMap;

/** hl_cross_map_copy: (transfer full) */
HlCrossMap *hl_cross_map_copy (const HlCrossMap *map);
void hl_cross_map_free (HlCrossMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlCrossMap, hl_cross_map_free)

/** hl_cross_map_new: (transfer full): takes @attention (n, m). Thread: any. */
HlCrossMap *hl_cross_map_new (const HlCrossRows *rows, double *attention);

/** hl_cross_map_make: of the mean of @n_heads heads, at least one.
 * Thread: the backend's. Returns: (transfer full): NULL with @error (what reading maps
 *   may give) */
HlCrossMap *hl_cross_map_make (const HlCrossRows *rows,
                               const HlHeadKey *heads,
                               guint n_heads,
                               const HlProgress *progress,
                               GError **error);

G_END_DECLS
