/* SPDX-License-Identifier: MIT
 * A trace: one recorded run. It knows which model and input it came from and holds what
 * was captured, by site name, so that looking at it needs no model.
 * Filled by its maker, immutable once shared; atomic reference count. */
#pragma once

#include "model/hl-model-info.h"
#include "ops/hl-op.h"
#include "tensor/hl-tensor.h"
#include "trace/hl-predictions.h"
#include "trace/hl-token-table.h"
#include "trace/hl-words.h"

G_BEGIN_DECLS

/**
 * HlRecipe: how one layer's maps follow from its Q, K and log-sum-exp:
 *   A[h,i,j] = exp (s[h,i,j] - lse[h,i]), s = scale * q[i,h]·k[j,h'], soft-capped where
 *   the rule has a cap, + bias[h, j - i' + Tk - 1]; 0 where the rule forbids it (causal:
 *   j > i', or outside of the window); i' = i + Tk - Tq, h' = h / (n_heads / n_kv_heads);
 *   then, where there is a mask, A + M * (R - A)
 * @rule: its scale is 1/sqrt (K) for standard attention
 * @is_rotary: q and k are those of hook_rot_q and hook_rot_k
 * @bias: (nullable): what a distance adds to a score, (H, 2 Tk - 1) float32
 * @mask, @replacement: (nullable): the intervention that followed the softmax,
 *   (1 or H, Tq, Tk) float32
 */
typedef struct
{
  HlMapRule rule;
  gboolean is_rotary;
  HlTensor *bias;
  HlTensor *mask;
  HlTensor *replacement;
} HlRecipe;

/**
 * HlTrace:
 * @model: what the run's model was
 * @input_kind: "image", "text" or "audio"; "" when not known
 * @input_name: file name or title of the input
 * @input_path: where it lay; "" when it came from elsewhere
 * @input_hash: of the processed input
 * @pixels: (nullable): the picture as the model saw it before normalisation,
 *   (height, width, 3) uint8
 * @tokens: of HlTokenTable *, one per stack
 * @text: (nullable): the input's, where it was one: of an encoder-decoder the source
 * @target_text: (nullable): of an encoder-decoder: what the decoder read
 * @features: (nullable): of a recording, (n_mels, frames) float32; @n_real_frames of them
 *   are no padding
 * @logits: (nullable): (V) float32
 * @predictions: (nullable): of every position of a text
 * @sites: site name -> HlTensor *, float32, without the batch dimension; for example
 *   "blocks.3.attn.hook_pattern" (H, Tq, Tk); Q and K as (T, H, K), lse as (H, Tq)
 * @recipes: layer key ("blocks.3.attn") -> HlRecipe *
 * @interventions: of char *, what was changed in this run, in words
 * @backend: "cpu"
 * @precision: of the arithmetic, "float32"
 * @created: ISO 8601, UTC
 * @duration_ms: of the run; 0 when not known
 * @hash: of model, input and interventions: equal means the same numbers
 * @pieces: (nullable): of a trace in words (hl-word-trace.h): the one in tokens, which
 * has the sites
 * @words: of HlWords * (nullable), one per stack, where there are @pieces
 */
typedef struct _HlTrace HlTrace;
struct _HlTrace
{
  gatomicrefcount refs;
  HlModelInfo *model;
  char *input_kind;
  char *input_name;
  char *input_path;
  char *input_hash;
  HlTensor *pixels;
  GPtrArray *tokens;
  char *text;
  char *target_text;
  HlTensor *features;
  gint64 n_real_frames;
  HlTensor *logits;
  HlPredictions *predictions;
  GHashTable *sites;
  GHashTable *recipes;
  GPtrArray *interventions;
  char *backend;
  char *precision;
  char *created;
  double duration_ms;
  char *hash;
  HlTrace *pieces;
  GPtrArray *words;
};

/** hl_trace_new: (transfer full): takes its own reference to @model; strings empty,
 * tables empty. */
HlTrace *hl_trace_new (HlModelInfo *model);
HlTrace *hl_trace_ref (HlTrace *trace);
void hl_trace_unref (HlTrace *trace);

/** hl_trace_get_site: (transfer none) (nullable) */
HlTensor *hl_trace_get_site (const HlTrace *trace, const char *name);

/** hl_trace_set_site: while the trace is being filled; takes a reference. */
void hl_trace_set_site (HlTrace *trace, const char *name, HlTensor *tensor);

/** hl_trace_set_recipe: while the trace is being filled; copies @recipe and refs its
 * tensors. */
void hl_trace_set_recipe (HlTrace *trace, const char *layer_key, const HlRecipe *recipe);

/** hl_recipe_q_suffix, hl_recipe_k_suffix: the sites its q and k are kept at. */
const char *hl_recipe_q_suffix (const HlRecipe *recipe);
const char *hl_recipe_k_suffix (const HlRecipe *recipe);

/** hl_trace_get_recipe: (transfer none) (nullable) */
const HlRecipe *hl_trace_get_recipe (const HlTrace *trace, const char *layer_key);

/** hl_trace_get_tokens: (transfer none) (nullable): of a stack: those that ask. */
HlTokenTable *hl_trace_get_tokens (const HlTrace *trace, int stack);

/** hl_trace_get_key_tokens: (transfer none) (nullable): those that are asked: the same,
 * but of a cross-attention the encoder's. */
HlTokenTable *hl_trace_get_key_tokens (const HlTrace *trace, int stack);

/**
 * hl_trace_site_name:
 * Returns: (transfer full): "blocks.3.attn.hook_pattern" for @layer 3 and @suffix
 *   "attn.hook_pattern", with "encoder." before it for a named stack;
 *   "decoder.blocks.3.cross_attn.hook_pattern" for a cross-attention
 */
char *
hl_trace_site_name (const HlModelInfo *model, int stack, int layer, const char *suffix);

/** hl_trace_has_interventions: those of @words, "; " between them, in whatever order, and
 * no other. */
gboolean hl_trace_has_interventions (const HlTrace *trace, const char *words);

/** hl_trace_attention_bytes: of all captured maps, or Q, K and lse. */
gsize hl_trace_attention_bytes (const HlTrace *trace);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlTrace, hl_trace_unref)

G_END_DECLS
