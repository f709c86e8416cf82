/* SPDX-License-Identifier: MIT
 * From the last residual stream of a language model to what it predicts. */
#pragma once

#include "model/hl-block.h"

G_BEGIN_DECLS

/**
 * HlReadout: unembed (norm (activation (transform (x)))), each where it has weights.
 * @transform: (E, D), of models that fill in masked tokens
 * @unembed: (V, E); the embedding's own weights where a model ties them
 * @scale: 0, or what the normed stream is multiplied by
 * @soft_cap: 0, or logits become soft_cap tanh (logit / soft_cap)
 * @project: (E, D), behind the norm
 */
typedef struct
{
  HlDense transform;
  HlActivation activation;
  HlNorm norm;
  HlDense project;
  HlDense unembed;
  double scale;
  double soft_cap;
} HlReadout;

/**
 * hl_readout_forward:
 * @x: (B, T, D)
 * @row: of @x that is read, where it has more than one; -1 for the last
 * Fills the run's predictions where it has some (for which the batch has to be 1), band
 * by band, and captures hook_logits where somebody wants them.
 * Returns: (transfer full) (nullable): logits of that row, (B, V), or where the run reads
 *   all (B, T, V)
 */
HlTensor *
hl_readout_forward (const HlReadout *readout, HlRun *run, HlTensor *x, gint64 row);

/** hl_readout_band: for how many of @T positions logits over @V tokens are made at a
 * time, with as many probabilities beside them. */
gint64 hl_readout_band (gint64 T, gint64 V);

/**
 * hl_embed_tokens:
 * @table: (V, D)
 * @ids: (B, T) int32
 * Returns: (transfer full) (nullable): (B, T, D); after a failure NULL, with RANGE stuck
 *   to the run for an id that is not in the table
 */
HlTensor *hl_embed_tokens (HlParam *table, HlRun *run, const HlTensor *ids);

G_END_DECLS
