/* SPDX-License-Identifier: MIT
 * One vector of many tokens: a learned query attends to all of them, and an MLP follows.
 * Zhai et al., arXiv 2106.04560, as SigLIP has it. */
#pragma once

#include "model/hl-tower.h"

G_BEGIN_DECLS

/** HlAttentionPool: @probe: (1, 1, D), NULL for no such pooling. */
typedef struct
{
  HlParam *probe;
  HlDense q, k, v, o;
  int n_heads;
  HlNorm norm;
  HlMlp mlp;
} HlAttentionPool;

/** hl_attention_pool_load: "head.probe" and so on, of a tower by @plan. */
void hl_attention_pool_load (HlAttentionPool *pool,
                             HlLoading *loading,
                             const HlTowerPlan *plan);

/** hl_attention_pool_forward: @x (B, T, D) -> (B, 1, D); (transfer full) (nullable). */
HlTensor *
hl_attention_pool_forward (const HlAttentionPool *pool, HlRun *run, HlTensor *x);

G_END_DECLS
