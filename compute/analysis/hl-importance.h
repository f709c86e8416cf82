/* SPDX-License-Identifier: MIT
 * Which heads matter on one input: each is pruned by itself, and the first-order estimate
 * of that beside it. */
#pragma once

#include "model/hl-model.h"

G_BEGIN_DECLS

/** HL_IMPORTANCE_PREDICTED: the target is what the model predicts. */
#define HL_IMPORTANCE_PREDICTED (-1)

/**
 * HlHeadEffect: of setting z of one head to zero, everything else as it is; p is softmax
 * of the logits (of the last position, of a text), t the target.
 * @prob_after: p_t without the head
 * @prob_change: p_t - p_t without it: positive where removing it hurts
 * @loss_change: ln p_t - ln p_t without it, in nats: positive where removing it hurts
 * @margin_change: z_pred - z_t (logits) without the head, minus the same with it; pred is
 *   what the whole model predicts: NaN where that is the target
 * @divergence: Jensen-Shannon, of both distributions, in nats: 0 to ln 2
 * @predicted: what is predicted without the head
 * @taylor: d (ln p_t) / d gate, at 1: the loss change to first order (Michel et al. 2019
 *   and Molchanov et al. 2019 without the absolute value)
 */
typedef struct
{
  double prob_after;
  double prob_change;
  double loss_change;
  double margin_change;
  double divergence;
  int predicted;
  double taylor;
} HlHeadEffect;

/**
 * HlImportance:
 * @target: class or token
 * @predicted: by the whole model
 * @prob: p_target of the whole model
 * @first: (n_layers + 1): index of a layer's first head in @heads
 */
typedef struct
{
  int target;
  int predicted;
  double prob;
  int n_layers;
  int *first;
  HlHeadEffect *heads;
} HlImportance;

void hl_importance_free (HlImportance *importance);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlImportance, hl_importance_free)

/** hl_importance_get: (transfer none): @layer and @head in range. */
const HlHeadEffect *
hl_importance_get (const HlImportance *importance, int layer, int head);

/**
 * hl_importance_compute:
 * @target: a class or token, or HL_IMPORTANCE_PREDICTED
 * The heads of a layer are one batch, which begins at their block with the residual
 * stream of the whole model; the estimates take one pass forward and one back.
 * Thread: engine. Returns: (transfer full): NULL with @error (RANGE for the target;
 *   UNSUPPORTED for a tower without classes; what a run may give)
 */
HlImportance *hl_importance_compute (const HlModel *model,
                                     const HlInput *input,
                                     HlBackend *backend,
                                     int target,
                                     const HlProgress *progress,
                                     GError **error);

G_END_DECLS
