/* SPDX-License-Identifier: MIT
 * What of a model's predictions is explained: one, or of a text that of every token. From
 * logits with and without a head it makes the scores of the group PRUNING. Thread: any.
 */
#pragma once

#include "analysis/hl-head-scores.h"
#include "model/hl-input.h"
#include "tensor/hl-tensor.h"

G_BEGIN_DECLS

/**
 * HL_TARGET_PREDICTED: the target is what the model predicts.
 * HL_TARGET_LABEL: the true class where it is known, else what is predicted.
 * HL_TARGET_EVERY: of a text, each token is the target of the position before it, and
 * what is scored is the mean over positions. HL_TARGET_AUTO: of a text by lines EVERY,
 * else LABEL.
 */
#define HL_TARGET_PREDICTED (-1)
#define HL_TARGET_LABEL (-2)
#define HL_TARGET_EVERY (-3)
#define HL_TARGET_AUTO (-4)

/**
 * HlExplained:
 * @V: classes or tokens
 * @n: positions; 1 unless every token is explained
 * @target, @label, @predicted: (n): -1 for none
 * @against: class or token that the target is held against; -1
 * @logits: (1, V) or (1, T, V): of the whole model
 */
typedef struct
{
  gint64 V;
  int n;
  int *target;
  int *label;
  int *predicted;
  int against;
  HlTensor *logits;
} HlExplained;

/**
 * hl_explained_new:
 * @logits: (1, V), or with HL_TARGET_EVERY (1, T, V): of the whole model
 * @input: its tokens follow one another, with HL_TARGET_EVERY
 * @target: one of the above but AUTO, or a class or token
 * @label: true class, or the token that follows the text; -1
 * Returns: (transfer full): NULL with @error (RANGE: no such class; a text of one token,
 *   of which nothing follows)
 */
HlExplained *hl_explained_new (HlTensor *logits,
                               const HlInput *input,
                               int target,
                               int against,
                               int label,
                               GError **error);
void hl_explained_free (HlExplained *explained);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlExplained, hl_explained_free)

/** hl_explained_describe: target, prediction, probability and loss (means over positions)
 * of the whole model; of every token target is -1, and label and prediction are those of
 * the last one. */
void hl_explained_describe (const HlExplained *explained, HlScoredInput *about);

/**
 * hl_explained_score:
 * @logits: (B, V) or (B, T, V): those of example @example are compared
 * @out: by HlScore: those of the group PRUNING that follow from logits, means over
 *   positions; NaN where there is none
 */
void hl_explained_score (const HlExplained *explained,
                         const HlTensor *logits,
                         gint64 example,
                         double out[HL_N_SCORES]);

/** hl_explained_measure: mean loss of the targets, and share of them that are predicted.
 */
void hl_explained_measure (const HlExplained *explained,
                           const HlTensor *logits,
                           gint64 example,
                           double *loss,
                           double *accuracy);

/** hl_explained_slope: (transfer full): d ln p_t / d logits, the mean over positions, or
 * of z_t - z_a; of the shape of the logits given, and their type. */
HlTensor *hl_explained_slope (const HlExplained *explained);

G_END_DECLS
