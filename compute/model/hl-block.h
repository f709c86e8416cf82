/* SPDX-License-Identifier: MIT
 * The parts a tower is composed of. A block is norm, mixer, norm, MLP, each added onto
 * the residual stream; the mixer is pluggable, so that attention over windows or a state
 * space is another mixer and not another flag. Immutable once loaded. */
#pragma once

#include "model/hl-weights.h"
#include "trace/hl-run.h"
#include "trace/hl-trace.h"

G_BEGIN_DECLS

/** HlDense: y = x Wt + b; @bias may be NULL. */
typedef struct
{
  HlParam *weight; /* (F, D) */
  HlParam *bias;   /* (F) */
} HlDense;

/** HlNorm: layer norm over the last dimension. */
typedef struct
{
  HlParam *weight; /* (D) */
  HlParam *bias;   /* (D) */
  double eps;
} HlNorm;

/** HlMlp: up, activation, down. */
typedef struct
{
  HlDense up;   /* (F, D) */
  HlDense down; /* (D, F) */
  HlActivation activation;
} HlMlp;

typedef struct _HlMixer HlMixer;

/**
 * HlMixer: how tokens hear of each other.
 * @forward: x (B, T, D) normed -> (B, T, D); comes by the layer's attention sites
 * @get_recipe: (nullable): how its maps follow from Q, K and lse; FALSE when they do not
 */
struct _HlMixer
{
  HlTensor *(*forward) (
      const HlMixer *mixer, HlRun *run, int stack, int layer, HlTensor *x);
  gboolean (*get_recipe) (const HlMixer *mixer, HlRecipe *recipe);
};

/** HlAttention: the mixer of a plain transformer. @scale is 1/sqrt (K) as a rule. */
typedef struct
{
  HlMixer parent;
  HlDense q, k, v, o;
  int n_heads;
  int n_kv_heads;
  double scale;
  gboolean is_causal;
} HlAttention;

/** HlBlock: owns @mixer, which is freed with g_free(). */
typedef struct
{
  HlNorm norm1;
  HlMixer *mixer;
  HlNorm norm2;
  HlMlp mlp;
} HlBlock;

HlTensor *hl_dense_forward (const HlDense *dense, HlRun *run, HlTensor *x);
HlTensor *hl_norm_forward (const HlNorm *norm, HlRun *run, HlTensor *x);

/** hl_attention_new: (transfer full): fill the projections before use. */
HlAttention *
hl_attention_new (int n_heads, int n_kv_heads, double scale, gboolean is_causal);

/** hl_block_forward: the residual stream (B, T, D) behind the block; (transfer full)
 * (nullable). */
HlTensor *
hl_block_forward (const HlBlock *block, HlRun *run, int stack, int layer, HlTensor *x);

/**
 * hl_dense_load: requires "@prefix.weight" (F, D), and "@prefix.bias" where @has_bias.
 * Returns: FALSE with @error
 */
gboolean hl_dense_load (HlDense *dense,
                        HlWeights *weights,
                        const char *prefix,
                        gint64 F,
                        gint64 D,
                        gboolean has_bias,
                        GError **error);

gboolean hl_norm_load (HlNorm *norm,
                       HlWeights *weights,
                       const char *prefix,
                       gint64 D,
                       double eps,
                       GError **error);

G_END_DECLS
