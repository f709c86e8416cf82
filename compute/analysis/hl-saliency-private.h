/* SPDX-License-Identifier: MIT
 * The inside of saliency, shared by its ways. */
#pragma once

#include "analysis/hl-saliency.h"

G_BEGIN_DECLS

/**
 * HlSaliencyWork:
 * @input: the part that the target depends on
 * @progress: of the runs, which are parts of one step
 * @site: where the input is looked at: of the first stack hook_embed, or hook_features
 * @x, @x0: (nullable): (T, D) float64: embeddings of the first stack and of the baseline,
 *   for the ways that need them
 */
typedef struct
{
  const HlModel *model;
  HlInput *input;
  HlBackend *backend;
  const HlSaliencyOptions *options;
  HlProgress progress;
  HlSite site;
  HlTensor *x, *x0;
  HlSaliencyRow *row;
} HlSaliencyWork;

/** hl_saliency_work_init: all but @row; @needs_embeds: @x and @x0 too. FALSE with @error;
 * hl_saliency_work_clear() either way. @progress: (nullable) */
gboolean hl_saliency_work_init (HlSaliencyWork *work,
                                const HlModel *model,
                                HlInput *input,
                                HlBackend *backend,
                                HlSaliencyTarget target,
                                const HlSaliencyOptions *options,
                                gboolean needs_embeds,
                                const HlProgress *progress,
                                GError **error);
void hl_saliency_work_clear (HlSaliencyWork *work);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HlSaliencyWork, hl_saliency_work_clear)

/** hl_saliency_check_with: hl_saliency_check() of a way that needs a baseline, or not. */
gboolean hl_saliency_check_with (const HlModel *model,
                                 const HlInput *input,
                                 gint64 row,
                                 const HlSaliencyOptions *options,
                                 gboolean needs_baseline,
                                 GError **error);

/** hl_saliency_baseline_token: what the tokenizer calls mask or padding; -1 for none. */
gint32 hl_saliency_baseline_token (const HlModel *model, HlSaliencyBaseline baseline);

/** hl_saliency_batch: examples of @x that are run at a time. */
gint64 hl_saliency_batch (const HlSaliencyWork *work);

/** hl_saliency_embed: (transfer full): (T, D) float64: what the first stack embeds of
 * @input; NULL with @error. */
HlTensor *hl_saliency_embed (const HlSaliencyWork *work, HlInput *input, GError **error);

/** hl_saliency_baseline_input: (transfer full): the picture or recording that @w's input
 * is compared with, or the text with other tokens; of another text that input itself;
 * NULL with @error (UNSUPPORTED). */
HlInput *hl_saliency_baseline_input (const HlSaliencyWork *work, GError **error);

/** hl_saliency_baseline: (transfer full): what the first stack embeds of the baseline. */
HlTensor *hl_saliency_baseline (const HlSaliencyWork *work, GError **error);

/* The ways: fill @work's row; FALSE with @error. */
gboolean hl_saliency_gradient_input (HlSaliencyWork *work, GError **error);
gboolean hl_saliency_integrated (HlSaliencyWork *work, GError **error);
gboolean hl_saliency_smoothgrad (HlSaliencyWork *work, GError **error);
gboolean hl_saliency_occlusion (HlSaliencyWork *work, GError **error);
gboolean hl_saliency_attention_gradient (HlSaliencyWork *work, GError **error);
gboolean hl_saliency_rollout (HlSaliencyWork *work, GError **error);
gboolean hl_saliency_flow (HlSaliencyWork *work, GError **error);
gboolean hl_saliency_relevance (HlSaliencyWork *work, GError **error);
gboolean hl_saliency_spes (HlSaliencyWork *work, GError **error);
gboolean hl_saliency_norm_attention (HlSaliencyWork *work, GError **error);

G_END_DECLS
