/* SPDX-License-Identifier: MIT
 * What the distance of a query and a key adds to their score: a number for each head and
 * bucket of distances. Raffel et al., arXiv 1910.10683, section 2.1, as the Hugging Face
 * library has it for T5 and MPNet. */
#pragma once

#include "model/hl-weights.h"
#include "trace/hl-run.h"

G_BEGIN_DECLS

/**
 * HlPositionBias:
 * @table: (n_buckets, H)
 * @max_distance: from here on all distances share the last bucket
 * @is_two_sided: later keys have buckets of their own; else they count as distance 0
 */
typedef struct
{
  HlParam *table;
  int max_distance;
  gboolean is_two_sided;
} HlPositionBias;

/** hl_position_bias_bucket: of key j and query i, @distance = j - i. */
int hl_position_bias_bucket (const HlPositionBias *bias, gint64 distance);

/** hl_position_bias_table: (transfer full): (H, 2 * n_keys - 1) float32 on the host: at
 * j - i + n_keys - 1 what is added. */
HlTensor *hl_position_bias_table (const HlPositionBias *bias, gint64 n_keys);

/** hl_position_bias_get: (transfer full) (nullable): (1, H, Tq, Tk) for queries @first
 * and on; NULL after a failure. Made once a run. */
HlTensor *hl_position_bias_get (
    const HlPositionBias *bias, HlRun *run, gint64 first, gint64 Tq, gint64 Tk);

G_END_DECLS
