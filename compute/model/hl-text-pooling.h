/* SPDX-License-Identifier: MIT
 * From the features of a text's tokens to one vector, as the modules.json of a
 * sentence-transformers folder says: pooling, dense layers, normalising. */
#pragma once

#include "tensor/hl-tensor.h"
#include "trace/hl-token-table.h"

G_BEGIN_DECLS

typedef struct _HlTextPooling HlTextPooling;

/**
 * hl_text_pooling_open:
 * @folder: of a model
 * @found: (out): whether there is a modules.json
 * Returns: (transfer full): without a modules.json the mean of all tokens; NULL with
 * @error: UNSUPPORTED a module or a way of pooling that is not known, SHAPE, FORMAT, IO
 */
HlTextPooling *hl_text_pooling_open (const char *folder, gboolean *found, GError **error);
void hl_text_pooling_free (HlTextPooling *pooling);

/** hl_text_pooling_get_words: (transfer none): what is done, for provenance: "mean of the
 * tokens, normalised". */
const char *hl_text_pooling_get_words (const HlTextPooling *pooling);

/** hl_text_pooling_get_max_tokens: as many as the folder's texts are cut to; 0 where it
 * does not say. */
int hl_text_pooling_get_max_tokens (const HlTextPooling *pooling);

/**
 * hl_text_pooling_run:
 * @features: (T, D) float32
 * @tokens: of the text; padding has no part in it
 * In double. Returns: (transfer full): (E) float32; NULL with @error SHAPE
 */
HlTensor *hl_text_pooling_run (const HlTextPooling *pooling,
                               const HlTensor *features,
                               const HlTokenTable *tokens,
                               GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlTextPooling, hl_text_pooling_free)

G_END_DECLS
