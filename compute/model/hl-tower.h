/* SPDX-License-Identifier: MIT
 * A tower of blocks, loaded by a plan: sizes, options, and where its weights lie. What
 * families share; one that needs more changes the blocks after loading. */
#pragma once

#include "model/hl-loading.h"

G_BEGIN_DECLS

/**
 * HlBlockNames: where the parts of a block lie, below the place of the block; NULL where
 * a family has none.
 * @block: printf of the layer, below the loading's prefix, with the dot at its end
 * @qkv, @gate_up: rows of Q, then K, then V, and of the gate, then up, in one weight
 * @qkv_by_head: the same with Q, K and V of a head one after another
 * @before1 ... @scale1: of the mixer's half (HlJoin); @before2 ... of the MLP's
 * @cross_q ...: of attention to an encoder
 */
typedef struct
{
  const char *block;
  const char *q, *k, *v, *o, *qkv, *qkv_by_head;
  const char *q_norm, *k_norm;
  const char *gate, *up, *down, *gate_up;
  const char *before1, *after1, *outer1, *scale1;
  const char *before2, *after2, *outer2, *scale2;
  const char *cross_q, *cross_k, *cross_v, *cross_o;
  const char *cross_before, *cross_outer;
} HlBlockNames;

/**
 * HlTowerPlan:
 * @D, @F, @head_width: widths of the stream, the MLP and a head
 * @scale: of scores; 0 for 1 / sqrt (head_width)
 * @is_rms, @is_offset: all norms (HlNorm)
 * @cross_stack: of the attention to an encoder, where the names have one
 * @memory_width: D of that encoder
 * @n_groups: 0, or layers share weights: so many groups of neighbouring ones, by whose
 *   number weights are called
 * @is_parallel: HlBlock
 * @is_wide_qk_norm: Q and K are normalised over all heads at once, not each head
 * @has_q_bias: and so on; of @qkv and @qkv_by_head all three
 */
typedef struct
{
  HlBlockNames names;
  int D, F, n_layers, n_groups, n_heads, n_kv_heads, head_width;
  int cross_stack, memory_width;
  double scale, eps;
  HlActivation activation;
  const HlRope *rope;
  const HlPositionBias *bias;
  gboolean is_causal, is_rms, is_offset, is_parallel, is_wide_qk_norm;
  gboolean has_q_bias, has_k_bias, has_v_bias, has_o_bias, has_mlp_bias;
} HlTowerPlan;

/** HlTower: owns @blocks. */
typedef struct
{
  int n_layers;
  HlBlock *blocks;
} HlTower;

/** hl_tower_plan_check: refuses sizes that do not fit together. */
void hl_tower_plan_check (const HlTowerPlan *plan, HlLoading *loading);

/** hl_tower_load: fills @tower, as far as nothing fails. */
void hl_tower_load (HlTower *tower, const HlTowerPlan *plan, HlLoading *loading);
void hl_tower_clear (HlTower *tower);

/** hl_tower_get_attention: (transfer none): of a layer, to be changed while loading. */
HlAttention *hl_tower_get_attention (const HlTower *tower, int layer);

/** hl_tower_describe: adds a stack to @info. */
void hl_tower_describe (const HlTower *tower, HlModelInfo *info, const char *name);

/** hl_tower_describe_cross: adds its attention to an encoder, stack @keys, as a stack. */
void
hl_tower_describe_cross (const HlTower *tower, HlModelInfo *info, int queries, int keys);

/** hl_tower_forward: hl_blocks_forward() of all of them. */
HlTensor *hl_tower_forward (const HlTower *tower, HlRun *run, int stack, HlTensor *x);

/** hl_tower_get_block: (transfer none) (nullable) */
const HlBlock *hl_tower_get_block (const HlTower *tower, int layer);

G_END_DECLS
