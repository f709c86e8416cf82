/* SPDX-License-Identifier: MIT
 * How much each token of an input has to do with a logit: gradients, occlusion, and rules
 * along the maps of attention. Rows of hl-saliency-table.def; the definitions:
 *
 * x are the embeddings (hook_embed of the first stack), x0 those of a baseline, z the
 * logit, or the difference of two, that is explained.
 * - gradient-input: sum over the width of (x - x0) dz/dx.
 * - integrated-gradients: the same with the mean of dz/dx at m points between x0 and x,
 * in the middle of m equal steps; m doubles until the sum is within 1 % of z(x) - z(x0)
 *   (Sundararajan et al. 2017, arXiv 1703.01365).
 * - smoothgrad: the same with the mean of dz/dx at x and normal noise (Smilkov et al.
 * 2017, arXiv 1706.03825).
 * - occlusion: z(x) - z(x with the token's embedding replaced by x0's).
 * - attention-gradient: sum over layers of the mean over heads of relu (A o dz/dA), the
 *   row of the token that is read.
 * - rollout, flow, relevance: hl-relevance.h, the row of the token that is read; of a
 *   model that reads several (a mean) the mean of their rows. Of an encoder with a
 *   decoder rollout is decoder rollout · mean cross map · encoder rollout, multiplied
 * over the mean of all layers' cross maps, and flow has no definition.
 * - norm-attention: the mean over layers of the layer's || sum_h A v W_O ||
 *   (hl-norm-attention.h), the row of the token that is read, and where a model reads
 *   several the mean of their rows; of an encoder with a decoder the cross-attention's
 *   layers. It says nothing of the target but for the row.
 * - spes: how far, on average, the whole prediction is from itself where the token is
 *   hidden, among others hidden at random (hl-spes.h).
 *
 * Pictures: x - x0 of a patch is linear in its pixels, so that gradient-input and
 * integrated gradients are those of the pixels, summed over the patch. Recordings: x is
 * what the convolutions make of two frames.
 */
#pragma once

#include "analysis/hl-gradient-pass.h"
#include "analysis/hl-spes-options.h"

G_BEGIN_DECLS

typedef enum
{
#define HL_SALIENCY(ENUM, name, is_signed, has_baseline, is_of_sets, function)           \
  HL_SALIENCY_##ENUM,
#include "analysis/hl-saliency-table.def"
#undef HL_SALIENCY
  HL_N_SALIENCIES,
} HlSaliencyMethod;

/** hl_saliency_name: "gradient-input"; hl_saliency_is_signed: against the target too;
 * hl_saliency_is_of_sets: all targets come from the same runs. */
const char *hl_saliency_name (HlSaliencyMethod method);
gboolean hl_saliency_is_signed (HlSaliencyMethod method);
/** hl_saliency_has_baseline: it holds the input against something. */
gboolean hl_saliency_has_baseline (HlSaliencyMethod method);
gboolean hl_saliency_is_of_sets (HlSaliencyMethod method);
/** hl_saliency_from_name: FALSE, with @method untouched, for an unknown name. */
gboolean hl_saliency_from_name (const char *name, HlSaliencyMethod *method);

/**
 * HlSaliencyBaseline: what x0 is the embedding of.
 * ZERO: of a text nothing (zeros); of a picture the colour that the processor turns into
 * zeros; of a recording silence, its own least number.
 * MEAN: the mean over the input's tokens; of a picture its mean colour, of a recording
 * its mean over time. MASK, PADDING: of a text: the tokenizer's token of that name in the
 * place of every token that is not special. BLACK, BLUR: of pictures: black, and blurred
 * by a Gaussian of a sixteenth of the shorter side.
 */
typedef enum
{
  HL_BASELINE_ZERO,
  HL_BASELINE_MEAN,
  HL_BASELINE_MASK,
  HL_BASELINE_PADDING,
  HL_BASELINE_BLACK,
  HL_BASELINE_BLUR,
  HL_N_BASELINES,
} HlSaliencyBaseline;

/** hl_baseline_name: "zero", "mean", "mask", "padding", "black", "blur". */
const char *hl_baseline_name (HlSaliencyBaseline baseline);
gboolean hl_baseline_from_name (const char *name, HlSaliencyBaseline *baseline);

/**
 * HlSaliencyOptions: all zero is a sensible default.
 * @at_features: of an encoder with a decoder, and methods with a baseline: x are what the
 *   encoder gives the decoder (its hook_features), so that what it mixed is left out
 * @n_steps: of integrated gradients at first; 0 for 16
 * @n_steps_max: at most so many; 0 for HL_SALIENCY_STEPS_MAX
 * @n_samples: of SmoothGrad; 0 for 32
 * @noise: its standard deviation as a share of the range of x; 0 for 0.1
 * @seed: of the noise, and of the masks of SPES
 * @spes: of SPES
 * @interventions: (nullable) (element-type HlIntervention): in force
 * @known: (nullable) (element-type HlSaliencyRow): of a set: rows that were computed with
 * the same options before; they are taken and not computed again; borrowed
 * @pair: (nullable): of a set: explained is what the input and this one of the other
 * tower are worth together, in place of a logit; borrowed as long as the set is there
 */
typedef struct
{
  HlSaliencyMethod method;
  HlSaliencyBaseline baseline;
  gboolean at_features;
  int n_steps;
  int n_steps_max;
  int n_samples;
  double noise;
  guint32 seed;
  HlSpesOptions spes;
  const GPtrArray *interventions;
  const GPtrArray *known;
  const HlPair *pair;
} HlSaliencyOptions;

#define HL_SALIENCY_STEPS_MAX 512

/**
 * HlSaliencyRow: of one target.
 * @z: what is explained
 * @difference: z(x) - z(x0); NaN where the method has no baseline
 * @completeness: how far the sum of integrated gradients is from @difference; NaN for
 *   other methods
 * @n_steps: of integrated gradients; 0
 * @scores: (n_tokens): of the first stack's tokens; NaN for those that the target does
 *   not depend on, because it is read before them
 * @own: (nullable): (n_own): of an encoder with a decoder, by relevance: of the decoder's
 *   own tokens
 */
typedef struct
{
  HlSaliencyTarget target;
  double z;
  double difference;
  double completeness;
  int n_steps;
  int n_tokens;
  double *scores;
  int n_own;
  double *own;
} HlSaliencyRow;

/** hl_saliency_row_copy: (transfer full) */
HlSaliencyRow *hl_saliency_row_copy (const HlSaliencyRow *row);
void hl_saliency_row_free (HlSaliencyRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlSaliencyRow, hl_saliency_row_free)

/**
 * hl_saliency_check:
 * @row: that is read; -1 for the last
 * What can be said without a run: whether method, baseline and place fit the model and
 * the input. Thread: any. Returns: FALSE with @error (UNSUPPORTED; RANGE: flow of too
 *   many tokens)
 */
gboolean hl_saliency_check (const HlModel *model,
                            const HlInput *input,
                            gint64 row,
                            const HlSaliencyOptions *options,
                            GError **error);

/**
 * hl_saliency_score:
 * Returns: (transfer full): NULL with @error: RANGE (the target; more than
 *   HL_FLOW_MAX_TOKENS), UNSUPPORTED (maps of a tower that pools by an attention of its
 *   own, with a pair; what hl_saliency_check() refuses; a model without logits)
 */
HlSaliencyRow *hl_saliency_score (const HlModel *model,
                                  HlInput *input,
                                  HlBackend *backend,
                                  HlSaliencyTarget target,
                                  const HlSaliencyOptions *options,
                                  const HlProgress *progress,
                                  GError **error);

G_END_DECLS
