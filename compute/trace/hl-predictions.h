/* SPDX-License-Identifier: MIT
 * What each position of a text predicts, for the next token or, where tokens are masked,
 * for its own: the few most probable ones,
 * and how probable the token was that really came. The whole of the logits would be
 * 206 MB for GPT-2 at 1,024 tokens; this is 100 KB.
 * Filled during a run, immutable once shared; atomic reference count. */
#pragma once

#include "tensor/hl-tensor.h"

G_BEGIN_DECLS

#define HL_PREDICTIONS_K 10

/**
 * HlPredictions: natural logarithms throughout.
 * @is_own: of the token at each position, not of the one after it; "next" below is then
 *   that token
 * @next_ids: (T) int32: the token that really came after each position, -1 for unknown
 * @top_ids: (T, k) int32: the most probable tokens, most probable first; the lower id
 *   first where two are equal
 * @top_log_probs: (T, k) float32
 * @next_log_probs: (T) float32: of @next_ids; NaN where that is unknown
 * @next_ranks: (T) int32: how many tokens are more probable than @next_ids; -1 likewise
 * @entropies: (T) float32: -sum p ln p over the vocabulary, nats
 * @texts: id -> char *, for display, of every token in @top_ids; empty where the model
 *   has no tokenizer
 */
typedef struct
{
  gatomicrefcount refs;
  gboolean is_own;
  HlTensor *next_ids;
  HlTensor *top_ids;
  HlTensor *top_log_probs;
  HlTensor *next_log_probs;
  HlTensor *next_ranks;
  HlTensor *entropies;
  GHashTable *texts;
} HlPredictions;

/**
 * hl_predictions_new:
 * @ids: (n_tokens): the text; position i is followed by ids[i + 1]
 * @is_own: position i is of ids[i] instead
 * @n_vocab: at least 1; k is the smaller of HL_PREDICTIONS_K and this
 * Returns: (transfer full): NULL with @error (MEMORY)
 */
HlPredictions *hl_predictions_new (
    const gint32 *ids, gint64 n_tokens, gint64 n_vocab, gboolean is_own, GError **error);
HlPredictions *hl_predictions_ref (HlPredictions *predictions);
void hl_predictions_unref (HlPredictions *predictions);

/** hl_predictions_get_position: of the predictions for token @token; -1 for none. */
gint64 hl_predictions_get_position (const HlPredictions *predictions, gint64 token);

/** hl_predictions_set_text: while it is being filled. */
void hl_predictions_set_text (HlPredictions *predictions, gint32 id, const char *text);

/** hl_predictions_get_text: (transfer none) (nullable) */
const char *hl_predictions_get_text (const HlPredictions *predictions, gint32 id);

gint64 hl_predictions_get_length (const HlPredictions *predictions);
int hl_predictions_get_k (const HlPredictions *predictions);

/**
 * hl_predictions_fill:
 * @logits: (..., V): of positions @first and on, host numbers, float32 or float64
 * @lse: one number a position, of the same type: ln sum exp of its logits
 * @probs: softmax of @logits
 * While the run goes on, by its thread.
 */
void hl_predictions_fill (HlPredictions *predictions,
                          gint64 first,
                          const HlTensor *logits,
                          const HlTensor *probs,
                          const HlTensor *lse);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlPredictions, hl_predictions_unref)

G_END_DECLS
