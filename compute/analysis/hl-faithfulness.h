/* SPDX-License-Identifier: MIT
 * Faithfulness of attention and of saliency: what becomes of a prediction when the tokens
 * that they rank first are taken away (deletion), or are all there is (insertion), after
 * Petsiuk et al. (2018, arXiv 1806.07421). */
#pragma once

#include "analysis/hl-cross-compare.h"
#include "analysis/hl-cross-map.h"
#include "analysis/hl-statistics.h"

G_BEGIN_DECLS

/** HL_FAITHFULNESS_SHARES: of the tokens that count, 0, 10, ... 100 %. */
#define HL_FAITHFULNESS_SHARES 11

/** HlTokenOrder: by what tokens are ranked: the mean map of heads, saliency (a signed
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
 * HlFaithfulnessMetric: what is read of what is left.
 * PROBABILITY: of the target's class or token: an order is the more faithful the lower
 * its curve is of deletion, the higher of insertion. LOSS: -ln of that: the higher of
 * deletion, the lower of insertion. WER: of an encoder with a decoder: its greedy output
 * beside that of the whole source: word error rate, 1 at most (hl_word_error_rate()): the
 * higher of deletion, the lower of insertion. One curve a sentence, whose order is the
 * mean over targets of their z-scored rows. Of a model without a tokenizer tokens are
 * words. TER: the same with its tokens in the place of words: where these are sounds, the
 * phoneme error rate.
 */
typedef enum
{
  HL_METRIC_PROBABILITY,
  HL_METRIC_LOSS,
  HL_METRIC_WER,
  HL_METRIC_TER,
  HL_N_METRICS,
} HlFaithfulnessMetric;

/** hl_metric_name: "probability", "loss", "wer", "ter"; hl_metric_from_name: FALSE, with
 * @metric untouched, for an unknown name. */
const char *hl_metric_name (HlFaithfulnessMetric metric);
gboolean hl_metric_from_name (const char *name, HlFaithfulnessMetric *metric);
/** hl_metric_is_of_sentence: there is one curve, of all that is said. */
gboolean hl_metric_is_of_sentence (HlFaithfulnessMetric metric);
/** hl_metric_falls: the less of it under deletion the more faithful; else the more. */
gboolean hl_metric_falls (HlFaithfulnessMetric metric);

/**
 * HlFaithfulnessOptions: all zero is a sensible default.
 * @seed: of chance, and of intervals
 * @n_random: orders of chance a target; 0 for HL_FAITHFULNESS_RANDOM
 * @map: (nullable): attention is that of these heads, named by @heads; else of all
 */
typedef struct
{
  guint32 seed;
  int n_random;
  HlFaithfulnessMetric metric;
  const HlCrossMap *map;
  const char *heads;
} HlFaithfulnessOptions;

#define HL_FAITHFULNESS_RANDOM 5

/**
 * HlFaithfulness:
 * @n_targets: of curves; with WER and TER 1, the sentence
 * @deletion: (order, target, share): of the metric, tokens of the first rank replaced by
 *   the baseline's; that by chance is the mean of @n_random orders
 * @insertion: (order, target, share): all others replaced
 * @deletion_area, @insertion_area: (order): mean over targets of the area under a curve
 *   (trapezoids; of probabilities and rates 0 to 1), with a bootstrap interval over
 * targets
 * @heads: (nullable): whose attention, "5.1, 5.4"; NULL for all
 * @undisturbed: (nullable): with these what the decoder says of the whole source
 */
typedef struct
{
  HlFaithfulnessMetric metric;
  int n_random;
  char *heads;
  char *undisturbed;
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
 * hl_faithfulness_measure_by:
 * @set, @comparison: of @input
 * @options: (nullable)
 * Thread: engine. Returns: (transfer full): NULL with @error (see hl_saliency_score();
 *   UNSUPPORTED: error rates of another kind of model, or what a pair is worth)
 */
HlFaithfulness *hl_faithfulness_measure_by (const HlModel *model,
                                            HlInput *input,
                                            HlBackend *backend,
                                            const HlSaliencySet *set,
                                            const HlCrossComparison *comparison,
                                            const HlFaithfulnessOptions *options,
                                            const HlProgress *progress,
                                            GError **error);

/** hl_faithfulness_measure: the same by the probability, with the default's orders of
 * chance from @seed. */
HlFaithfulness *hl_faithfulness_measure (const HlModel *model,
                                         HlInput *input,
                                         HlBackend *backend,
                                         const HlSaliencySet *set,
                                         const HlCrossComparison *comparison,
                                         guint32 seed,
                                         const HlProgress *progress,
                                         GError **error);

/** hl_faithfulness_difference: the area by saliency less that by attention, target by
 * target: the mean with a bootstrap interval of 95 %, seed 0, which the two areas' own
 * intervals do not tell. Of deletion, or with @inserts of insertion. Thread: any. */
HlInterval hl_faithfulness_difference (const HlFaithfulness *faithfulness,
                                       gboolean inserts);

/** hl_faithfulness_get_ends: the metric of all there is, and where everything is replaced
 * by the baseline, means over targets. Returns: FALSE where these are closer than a tenth
 * of the larger: then an area says little. Thread: any. */
gboolean hl_faithfulness_get_ends (const HlFaithfulness *faithfulness,
                                   double *whole,
                                   double *nothing);

/** hl_faithfulness_add_to: puts into @result "deletion_curve" and "insertion_curve"
 * (order, target, share), "deletion_area" and "insertion_area" (order, 3): mean, low,
 * high; orders as HlTokenOrder; and into its parameters "metric", "random_orders" and
 * "attention_of".
 * Thread: any. */
void hl_faithfulness_add_to (const HlFaithfulness *faithfulness, HlSessionResult *result);

G_END_DECLS
