/* SPDX-License-Identifier: MIT
 * The parts a tower is composed of. A block is norm, mixer, norm, MLP, each added onto
 * the residual stream; the mixer is pluggable, so that attention over windows or a state
 * space is another mixer and not another flag. Immutable once loaded. */
#pragma once

#include "model/hl-position-bias.h"
#include "model/hl-rope.h"
#include "model/hl-weights.h"
#include "trace/hl-run.h"
#include "trace/hl-trace.h"

G_BEGIN_DECLS

/** HlDense: y = x Wt + b; @bias may be NULL. With @is_transposed the file has W as (in,
 * out), as GPT-2 does. */
typedef struct
{
  HlParam *weight; /* (F, D), or (D, F) */
  HlParam *bias;   /* (F) */
  gboolean is_transposed;
} HlDense;

/** HlNorm: over the last dimension: layer norm, or RMS norm (without a bias) where
 * @is_rms; without a weight there is none. With @is_offset the gain is 1 + weight, as
 * Gemma has it. */
typedef struct
{
  HlParam *weight; /* (D) */
  HlParam *bias;   /* (D) */
  double eps;
  gboolean is_rms;
  gboolean is_offset;
} HlNorm;

/** HlMlp: up, activation, down; where @gate has a weight, activation (gate x) * up x. */
typedef struct
{
  HlDense gate; /* (F, D) */
  HlDense up;   /* (F, D) */
  HlDense down; /* (D, F) */
  HlActivation activation;
} HlMlp;

typedef struct _HlMixer HlMixer;

/**
 * HlMixer: how tokens hear of each other.
 * @forward: x (B, T, D) normed -> (B, T, D); comes by the layer's attention sites
 * @get_recipe: (nullable): how its maps of @n_keys keys follow from Q, K and lse; FALSE
 *   when they do not. The recipe's bias is (transfer full) (nullable)
 */
struct _HlMixer
{
  HlTensor *(*forward) (
      const HlMixer *mixer, HlRun *run, int stack, int layer, HlTensor *x);
  gboolean (*get_recipe) (const HlMixer *mixer, gint64 n_keys, HlRecipe *recipe);
};

/**
 * HlAttention: the mixer of a plain transformer.
 * @qkv: Q, K and V of all heads in one product, in this order, or with @is_by_head those
 *   of a head one after another; else @q, @k and @v
 * @head_width: K
 * @rule: its scale is 1/sqrt (K) as a rule
 * @q_norm, @k_norm: of Q and K before they are turned, where they have weights: over a
 *   head (K), or over all of them (H * K)
 * @rope: (nullable): borrowed from the family: Q and K are turned by it
 * @bias: (nullable): likewise: what a distance adds to a score
 * @is_cross: keys and values are of the run's memory
 */
typedef struct
{
  HlMixer parent;
  HlDense qkv, q, k, v, o;
  int n_heads;
  int n_kv_heads;
  int head_width;
  gboolean is_by_head;
  HlMapRule rule;
  HlNorm q_norm, k_norm;
  const HlRope *rope;
  const HlPositionBias *bias;
  gboolean is_cross;
} HlAttention;

/**
 * HlJoin: how what a half of a block makes comes onto the residual stream:
 *   outer (x + scale * after (half (before (x)))), each where it has weights
 */
typedef struct
{
  HlNorm before, after, outer;
  HlParam *scale; /* (D) */
} HlJoin;

/**
 * HlBlock: owns @mixer and @cross, which are freed with g_free(). With @is_parallel the
 * MLP reads the stream from before the mixer, and both are added at once.
 * @cross: (nullable): between mixer and MLP: attention to the run's memory, whose sites
 * are of stack @cross_stack
 */
typedef struct
{
  HlMixer *mixer;
  HlJoin of_mixer;
  HlMixer *cross;
  HlJoin of_cross;
  int cross_stack;
  HlMlp mlp;
  HlJoin of_mlp;
  gboolean is_parallel;
} HlBlock;

HlTensor *hl_dense_forward (const HlDense *dense, HlRun *run, HlTensor *x);

/** hl_norm_forward: @x itself where @norm has no weight; (transfer full) (nullable). */
HlTensor *hl_norm_forward (const HlNorm *norm, HlRun *run, HlTensor *x);

/** hl_attention_new: (transfer full): fill the projections before use. */
HlAttention *hl_attention_new (
    int n_heads, int n_kv_heads, int head_width, double scale, gboolean is_causal);

/** hl_mixer_get_attention: (transfer none) (nullable): where @mixer is plain attention.
 */
const HlAttention *hl_mixer_get_attention (const HlMixer *mixer);

/** hl_block_forward: the residual stream (B, T, D) behind the block; (transfer full)
 * (nullable). */
HlTensor *
hl_block_forward (const HlBlock *block, HlRun *run, int stack, int layer, HlTensor *x);

/**
 * hl_blocks_forward: from the run's start block to the last; steps the run's progress.
 * Each is a segment of the tape where the run recomputes.
 * @x: (nullable): (B, T, D); NULL after a failure
 */
HlTensor *
hl_blocks_forward (const HlBlock *blocks, int n, HlRun *run, int stack, HlTensor *x);

/** hl_blocks_free: @n blocks with their mixers; NULL is fine. */
void hl_blocks_free (HlBlock *blocks, int n);

/**
 * hl_dense_load: requires "@prefix.weight" (F, D), or (D, F) where @dense says that it is
 * transposed, and "@prefix.bias" (F) where @has_bias.
 * Returns: FALSE with @error
 */
gboolean hl_dense_load (HlDense *dense,
                        HlWeights *weights,
                        const char *prefix,
                        gint64 F,
                        gint64 D,
                        gboolean has_bias,
                        GError **error);

/** hl_norm_load: requires "@prefix.weight" (D), and "@prefix.bias" unless @norm is RMS;
 * or ".gamma" and ".beta".
 */
gboolean hl_norm_load (HlNorm *norm,
                       HlWeights *weights,
                       const char *prefix,
                       gint64 D,
                       double eps,
                       GError **error);

G_END_DECLS
