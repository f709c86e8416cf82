/* SPDX-License-Identifier: MIT
 * What is known of a head from one map: row entropy, mean distance, largest entry, share
 * of the first token. */
#pragma once

#include "trace/hl-attention-source.h"

G_BEGIN_DECLS

/**
 * HlHeadStats: of one head on one input.
 * @row_entropy: mean over rows of H_i / ln (keys the row may see), 0..1; rows that see
 * one key are left out; NaN when none is left
 * @mean_distance: mean over patch queries of sum_j A[i,j] d(i,j), special tokens left out
 *   and rows renormalised, d between patch centres in patches ("mean attention distance",
 *   arXiv 2010.11929, times the patch size in pixels there); for text |i - j| in tokens.
 *   NaN when there is nothing to measure
 * @sink_share: mean over i >= 1 of A[i,0]
 * @max, @max_query, @max_key: the largest entry and where it lies (the first such)
 */
typedef struct
{
  double row_entropy;
  double mean_distance;
  double sink_share;
  double max;
  gint64 max_query;
  gint64 max_key;
} HlHeadStats;

/**
 * hl_head_stats_compute:
 * Reads the map in bands of rows; double arithmetic.
 * Thread: the backend's.
 * Returns: FALSE with @error (see hl_attention_source_read_rect())
 */
gboolean hl_head_stats_compute (const HlAttentionSource *source,
                                HlBackend *backend,
                                HlHeadKey head,
                                HlHeadStats *stats,
                                GCancellable *cancellable,
                                GError **error);

/**
 * hl_head_stats_begin, hl_head_stats_add_row, hl_head_stats_end: the same, row by row,
 * for who reads the map anyway; rows may be left out, and means are then over those
 * given.
 * @row: (Tk), of @query
 * @stats: (nullable): to give up
 * Returns: of begin, NULL with @error (MISSING)
 */
typedef struct _HlHeadStatsMaker HlHeadStatsMaker;
HlHeadStatsMaker *
hl_head_stats_begin (const HlAttentionSource *source, HlHeadKey head, GError **error);
void hl_head_stats_add_row (HlHeadStatsMaker *maker, const float *row, gint64 query);
void hl_head_stats_end (HlHeadStatsMaker *maker, HlHeadStats *stats);

G_END_DECLS
