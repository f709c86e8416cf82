/* SPDX-License-Identifier: MIT
 * One pass forward and one back: a logit, or the difference of two, and its gradients at
 * sites on the way. Thread: engine. */
#pragma once

#include "analysis/hl-pair.h"
#include "ops/hl-tape.h"

G_BEGIN_DECLS

/**
 * HlSaliencyTarget: what is explained: the logit of @index before the softmax, less that
 * of @against where that is not -1; or with a @pair what that is worth (hl-pair.h).
 * @row: the token whose row is read: of a text the one that emits the token @index, which
 *   comes behind it; -1 where the model reads one place of its own (CLS, a mean)
 * @pair: (nullable): borrowed, as long as there is anything with this target; @index is 0
 */
typedef struct
{
  gint64 row;
  int index;
  int against;
  const HlPair *pair;
} HlSaliencyTarget;

/**
 * HlGradientPass: plain data; hl_gradient_pass_clear() at the end.
 * @input: borrowed: as far as @target's row where the model reads forwards
 * @logits: (B, V): float64, host; of a pair (B, 1): what is explained
 */
typedef struct
{
  const HlModel *model;
  HlInput *input;
  HlSaliencyTarget target;
  HlRun run;
  HlTape *tape;
  HlTensor *logits;
} HlGradientPass;

/** hl_saliency_reads_forwards: what is predicted at a place depends on the tokens up to
 * it alone: of an encoder with a decoder, on those of the decoder. */
gboolean hl_saliency_reads_forwards (const HlModelInfo *info);

/**
 * hl_saliency_input: (transfer full): the part of @input that a target at @row depends
 * on: of a text that is read forwards, or of a decoder, its tokens up to @row.
 */
HlInput *hl_saliency_input (const HlModel *model, HlInput *input, gint64 row);

/**
 * hl_gradient_pass_run:
 * @input: from hl_saliency_input()
 * @embeds: (nullable): (B, T, D) float64, host: stands in place of what stack 0 has at
 *   @site (hook_embed, or behind it hook_features); B examples are run together
 * @watch: globs of the sites whose gradients are wanted, NULL-terminated; none for a pass
 *   forward alone
 * @given: (nullable) (element-type HlIntervention): in force, such as pruned heads
 * Returns: FALSE with @error (RANGE: no such class; UNSUPPORTED: a model without logits,
 *   or with a pair one that does not pool; SHAPE: a pair of another width; what a run may
 *   give)
 */
gboolean hl_gradient_pass_run (HlGradientPass *pass,
                               const HlModel *model,
                               HlInput *input,
                               HlBackend *backend,
                               HlSaliencyTarget target,
                               HlSite site,
                               HlTensor *embeds,
                               const char *const *watch,
                               const GPtrArray *given,
                               const HlProgress *progress,
                               GError **error);
void hl_gradient_pass_clear (HlGradientPass *pass);

/** hl_gradient_pass_get_value: what is explained, of example @example. */
double hl_gradient_pass_get_value (const HlGradientPass *pass, gint64 example);

/** hl_gradient_pass_get: (transfer full): the gradient at a watched site, float64 on the
 * host, with the batch; zeros where nothing came back. @value: (out) (nullable): likewise
 * what was there. NULL with @error (MISSING: the pass did not come by such a site). */
HlTensor *hl_gradient_pass_get (const HlGradientPass *pass,
                                HlSite site,
                                int stack,
                                int layer,
                                HlTensor **value,
                                GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HlGradientPass, hl_gradient_pass_clear)

G_END_DECLS
