/* SPDX-License-Identifier: MIT
 * Faithfulness of attention and of saliency: what becomes of a prediction when the tokens
 * that they rank first are taken away (deletion), or are all there is (insertion), after
 * Petsiuk et al. (2018, arXiv 1806.07421). */
#pragma once

#include "analysis/hl-cross-compare.h"
#include "analysis/hl-statistics.h"

G_BEGIN_DECLS

/** HL_FAITHFULNESS_SHARES: of the tokens that count, 0, 10, ... 100 %. */
#define HL_FAITHFULNESS_SHARES 11

/** HlTokenOrder: by what tokens are ranked: the mean map of all heads, saliency (a signed
 * one by its size), or by chance. */
typedef enum
{
  HL_ORDER_ATTENTION,
  HL_ORDER_SALIENCY,
  HL_ORDER_RANDOM,
  HL_N_ORDERS,
} HlTokenOrder;

/** hl_token_order_name: "attention", "saliency", "random". */
const char *hl_token_order_name (HlTokenOrder order);

/**
 * HlFaithfulness: the metric is the probability of the target's class or token.
 * @deletion: (order, target, share): tokens of the first rank replaced by the baseline's:
 *   an order is the more faithful the lower its curve
 * @insertion: (order, target, share): all others replaced: the higher
 * @deletion_area, @insertion_area: (order): mean over targets of the area under a curve
 *   (trapezoids; 0 to 1), with a bootstrap interval over targets
 */
typedef struct
{
  int n_targets;
  double *deletion, *insertion;
  HlInterval deletion_area[HL_N_ORDERS], insertion_area[HL_N_ORDERS];
} HlFaithfulness;

void hl_faithfulness_free (HlFaithfulness *faithfulness);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlFaithfulness, hl_faithfulness_free)

/**
 * hl_faithfulness_at:
 * @order: (n): places of tokens, the first rank first
 * @curve: (out caller-allocates): HL_FAITHFULNESS_SHARES probabilities
 * @inserts: insertion, else deletion; tokens that are not in @order stay either way
 * The target's probability with round (share · n) tokens of @order taken away, or given.
 * What is explained, its baseline and its place are @options'.
 * Thread: engine. Returns: FALSE with @error (see hl_saliency_score())
 */
gboolean hl_faithfulness_at (const HlModel *model,
                             HlInput *input,
                             HlBackend *backend,
                             HlSaliencyTarget target,
                             const HlSaliencyOptions *options,
                             const gint64 *order,
                             gint64 n,
                             gboolean inserts,
                             double *curve,
                             const HlProgress *progress,
                             GError **error);

/**
 * hl_faithfulness_measure:
 * @set, @comparison: of @input
 * @seed: of chance: one order a target
 * Thread: engine. Returns: (transfer full): NULL with @error (see hl_saliency_score())
 */
HlFaithfulness *hl_faithfulness_measure (const HlModel *model,
                                         HlInput *input,
                                         HlBackend *backend,
                                         const HlSaliencySet *set,
                                         const HlCrossComparison *comparison,
                                         guint32 seed,
                                         const HlProgress *progress,
                                         GError **error);

/** hl_faithfulness_add_to: puts into @result "deletion_curve" and "insertion_curve"
 * (order, target, share), "deletion_area" and "insertion_area" (order, 3): mean, low,
 * high; orders as HlTokenOrder. Thread: any. */
void hl_faithfulness_add_to (const HlFaithfulness *faithfulness, HlSessionResult *result);

G_END_DECLS
