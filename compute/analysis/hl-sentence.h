/* SPDX-License-Identifier: MIT
 * What a model makes of a text or a picture, as one vector to compare with others: as its
 * sentence-transformers folder says, or what the family pools. */
#pragma once

#include "model/hl-model.h"
#include "model/hl-text-pooling.h"

G_BEGIN_DECLS

/**
 * hl_sentence_embed:
 * @pooling: of the model's folder
 * @has_modules: whether the folder says how; else what the family pools with a projection
 *   (CLIP, SigLIP) goes first
 * @words: (out) (transfer full): what was done
 * One pass. Thread: engine.
 * Returns: (transfer full): (E) float32; NULL with @error
 */
HlTensor *hl_sentence_embed (const HlModel *model,
                             const HlTextPooling *pooling,
                             gboolean has_modules,
                             const HlInput *input,
                             HlBackend *backend,
                             const HlProgress *progress,
                             char **words,
                             GError **error);

/** hl_sentence_cosine: of two vectors of one width; NaN where one is 0. */
double hl_sentence_cosine (const HlTensor *a, const HlTensor *b);

G_END_DECLS
