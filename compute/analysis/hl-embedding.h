/* SPDX-License-Identifier: MIT
 * What a model makes of an input, as one vector: the residual stream behind the last
 * block at the token that the prediction comes from: CLS, the last one, or the mean of
 * all where it comes from several. */
#pragma once

#include "model/hl-model.h"
#include "trace/hl-run.h"

G_BEGIN_DECLS

/**
 * hl_embedding_of:
 * @interventions: (nullable) (element-type HlIntervention)
 * @logits: (nullable) (out) (transfer full) (nullable): (1, V) on the backend; NULL for a
 *   tower without classes
 * One pass. Thread: the backend's.
 * Returns: (transfer full): (1, D) float32; NULL with @error
 */
HlTensor *hl_embedding_of (const HlModel *model,
                           const HlInput *input,
                           const GPtrArray *interventions,
                           HlBackend *backend,
                           const HlProgress *progress,
                           HlTensor **logits,
                           GError **error);

G_END_DECLS
