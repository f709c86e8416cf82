/* SPDX-License-Identifier: MIT
 * How strongly a head attends to neighbours at each distance.
 *
 * Pictures: hop (i, j) = max (|row_i - row_j|, |column_i - column_j|), square rings, as
 * Li et al. 2023 draw them; special tokens are left out, rows are not renormalised.
 * Texts: |i - j|, in bins 0, 1, 2, 3-4, 5-8, 9-16, ...; every token counts.
 *
 * Strength at a hop is the mean attention over all ordered pairs of tokens at that
 * distance (pooled over queries), not a sum; of a causal head only the pairs that it may
 * see. A uniform map has 1 / Tk at every hop; a uniform causal map has
 * (H_T - H_d) / (T - d) at distance d, with harmonic numbers H_n: lift is the strength
 * over that. Mass is the share of the attention between these tokens that falls on a hop.
 * Thread: any, one maker in one thread. */
#pragma once

#include "model/hl-model-info.h"
#include "trace/hl-token-table.h"

G_BEGIN_DECLS

/**
 * HlHopProfile: (n_hops) each.
 * @edges: (n_hops + 1): first distance of each bin
 * @strength: mean attention a pair; NaN where no pair is that far apart
 * @mass: shares that sum to 1; NaN where there is no attention at all
 * @uniform: the strength of a uniform map
 * @entropy: -sum q ln q, q = strength / sum of strengths; nats; NaN where the sum is 0
 */
typedef struct
{
  int n_hops;
  int *edges;
  double *strength;
  double *mass;
  double *uniform;
  double entropy;
} HlHopProfile;

void hl_hop_profile_free (HlHopProfile *profile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlHopProfile, hl_hop_profile_free)

typedef struct _HlHopMaker HlHopMaker;

/** hl_hop_maker_new: (transfer full): of square maps over @tokens, which are borrowed. */
HlHopMaker *hl_hop_maker_new (const HlTokenTable *tokens, gboolean is_causal);

/** hl_hop_maker_new_for: likewise, of a layer, which may see a window of keys alone. */
HlHopMaker *hl_hop_maker_new_for (const HlTokenTable *tokens, const HlLayerInfo *layer);

/** hl_hop_maker_add_row: @row (T) of @query; each query once. */
void hl_hop_maker_add_row (HlHopMaker *maker, const float *row, gint64 query);

/** hl_hop_maker_end: (transfer full): frees @maker. */
HlHopProfile *hl_hop_maker_end (HlHopMaker *maker);

/** hl_hop_count: hops of a picture's grid, or bins of a text of @tokens. */
int hl_hop_count (const HlTokenTable *tokens);

G_END_DECLS
