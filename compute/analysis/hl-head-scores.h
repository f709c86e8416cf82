/* SPDX-License-Identifier: MIT
 * What analyses know of every head, input by input: a number a score, a head and an
 * input, what each input was, and each head's profile over hops. Filled by its maker,
 * immutable once shared; atomic reference count. */
#pragma once

#include "analysis/hl-score.h"
#include "analysis/hl-statistics.h"
#include "model/hl-model-info.h"

G_BEGIN_DECLS

/** HL_SCORES_MAX_BYTES: of all numbers; a data set that would need more is refused. */
#define HL_SCORES_MAX_BYTES ((gsize) 2 << 30)

/**
 * HlScoredInput: one input of those that were scored.
 * @path: file, or file and line; "" for what was typed
 * @label: true class; -1 where it is not known
 * @target: class or token whose prediction was held on to; -1 for none
 * @predicted: by the whole model; -1 for a tower without classes
 * @prob: p_target of the whole model
 * @loss: -ln of it
 */
typedef struct
{
  char *name;
  char *path;
  int label;
  int target;
  int predicted;
  double prob;
  double loss;
} HlScoredInput;

/**
 * HlHeadScores:
 * @first: (n_layers + 1): index of a layer's first head among all @n_heads
 * @inputs: (element-type HlScoredInput)
 * @values: by HlScore: (nullable) (inputs, n_heads) doubles; NaN where there is none
 * @hops: (n_heads, n_hops): mean attention a pair of tokens at each hop distance, summed
 *   over @n_hop_inputs inputs; @hop_mass: share of the attention that falls there
 * @hop_uniform: (n_hops): what a uniform map has at each distance, summed likewise
 * @hop_edges: (n_hops + 1): first distance of each bin, and the end
 * @n_skipped: inputs that could not be read; @skipped: what was said of them
 * @is_partial: it was stopped before the last input
 */
typedef struct
{
  gatomicrefcount refs;
  int n_layers;
  int *first;
  int n_heads;
  GArray *inputs;
  GArray *values[HL_N_SCORES];
  int n_hops;
  int n_hop_inputs;
  double *hops;
  double *hop_mass;
  double *hop_uniform;
  int *hop_edges;
  int n_skipped;
  GPtrArray *skipped;
  gboolean is_partial;
} HlHeadScores;

/** hl_head_scores_new: (transfer full): of the heads of @stack; no inputs. */
HlHeadScores *hl_head_scores_new (const HlStack *stack);
HlHeadScores *hl_head_scores_ref (HlHeadScores *scores);
void hl_head_scores_unref (HlHeadScores *scores);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlHeadScores, hl_head_scores_unref)

/** hl_head_scores_copy: (transfer full): of all that there is so far, for somebody on
 * another thread while @scores is still being filled. */
HlHeadScores *hl_head_scores_copy (const HlHeadScores *scores);

/** hl_head_scores_begin_input: one more input, all of whose scores are NaN so far; takes
 * a copy of the strings. Returns: (transfer none): to fill */
HlScoredInput *
hl_head_scores_begin_input (HlHeadScores *scores, const char *name, const char *path);

/** hl_head_scores_set: of the latest input. */
void hl_head_scores_set (
    HlHeadScores *scores, HlScore score, int layer, int head, double value);

/** hl_head_scores_drop_input: takes the latest input back: it could not be finished. */
void hl_head_scores_drop_input (HlHeadScores *scores);

/** hl_head_scores_skip: @why an input could not be read. */
void hl_head_scores_skip (HlHeadScores *scores, const char *why);

int hl_head_scores_get_n_inputs (const HlHeadScores *scores);
const HlScoredInput *hl_head_scores_get_input (const HlHeadScores *scores, int input);

/** hl_head_scores_has: some head of some input has this score. */
gboolean hl_head_scores_has (const HlHeadScores *scores, HlScore score);

/** hl_head_scores_get: of one input; NaN where there is none. */
double hl_head_scores_get (
    const HlHeadScores *scores, HlScore score, int input, int layer, int head);

/** hl_head_scores_mean: (transfer full): (n_heads), over inputs. */
double *hl_head_scores_mean (const HlHeadScores *scores, HlScore score);

/** hl_head_scores_interval: over inputs; seed 1. */
HlInterval
hl_head_scores_interval (const HlHeadScores *scores, HlScore score, int layer, int head);

/** hl_head_scores_percentile: of one input among all, 0..1, for one head. */
double hl_head_scores_percentile (
    const HlHeadScores *scores, HlScore score, int input, int layer, int head);

/** hl_head_scores_baseline: what a head drawn at random has: the mean over all heads of
 * their means. */
double hl_head_scores_baseline (const HlHeadScores *scores, HlScore score);

/** hl_head_scores_normalise: (transfer full): (n_heads): the means divided by the l2 norm
 * of their layer's (Michel et al. 2019); 0 stays 0. */
double *hl_head_scores_normalise (const HlHeadScores *scores, HlScore score);

/** hl_head_scores_merge: copies every score that @from has of its latest input into the
 * latest input of @scores. Both are of the same heads. */
void hl_head_scores_merge (HlHeadScores *scores, const HlHeadScores *from);

G_END_DECLS
