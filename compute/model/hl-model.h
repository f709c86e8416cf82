/* SPDX-License-Identifier: MIT
 * A model: weights, configuration and processor, immutable once loaded.
 * Atomic reference count; runs belong to the engine's thread. */
#pragma once

#include "model/hl-generation-rules.h"
#include "model/hl-input.h"
#include "model/hl-model-info.h"
#include "trace/hl-run.h"
#include "trace/hl-trace.h"

G_BEGIN_DECLS

typedef struct _HlModel HlModel;

/**
 * hl_model_open:
 * @path: a folder in the Hugging Face layout, or a file inside one; or where there is
 *   no such file, "org/name" or "org/name@revision" of a model in the cache (hl-hub.h)
 * Thread: engine (it reads files). Weights are mapped, not read.
 * Returns: (transfer full): NULL with @error (MISSING, FORMAT, SHAPE, DTYPE,
 *   UNSUPPORTED, IO)
 */
HlModel *hl_model_open (const char *path, GError **error);

/** hl_model_open_for: likewise; of a model with two towers (CLIP) the one that takes
 * @input_kind, "image" or "text"; NULL for that of pictures. UNSUPPORTED where there is
 * none. */
HlModel *hl_model_open_for (const char *path, const char *input_kind, GError **error);
HlModel *hl_model_ref (HlModel *model);
void hl_model_unref (HlModel *model);

/** hl_model_get_info: (transfer none): lives as long as the model; may be shared. */
HlModelInfo *hl_model_get_info (const HlModel *model);

/**
 * hl_model_open_image:
 * @height, @width: of the processed picture; 0 takes what the model's processor says
 * Returns: (transfer full): NULL with @error; RANGE when the sizes are no multiple of
 *   the patch
 */
HlInput *hl_model_open_image (
    const HlModel *model, const char *path, int height, int width, GError **error);

/** hl_model_open_rgb: likewise, of a picture (H, W, 3) uint8 that is decoded already; it
 * is called @path, which may name a place within a file. */
HlInput *hl_model_open_rgb (const HlModel *model,
                            const char *path,
                            HlTensor *rgb,
                            int height,
                            int width,
                            GError **error);

/** hl_model_get_tokens: (transfer full): of one stack, for an input. */
HlTokenTable *hl_model_get_tokens (const HlModel *model, const HlInput *input, int stack);

/**
 * hl_model_forward:
 * @run: initialised with this model's info
 * Returns: (transfer full) (nullable): logits (B, V) on the backend, or where the run
 *   reads all positions of a text (B, T, V); NULL after a
 *   failure, see @run's exec, or where the model has no head
 */
HlTensor *hl_model_forward (const HlModel *model, HlRun *run, const HlInput *input);

/** hl_model_get_readout_row: the token whose row the prediction comes from: CLS, the last
 * one, a masked one; -1 where it comes from several. */
gint64 hl_model_get_readout_row (const HlModel *model, const HlInput *input);

/** hl_model_get_stream_site: the site of the stream behind a block, as the next one sees
 * it: hook_normalized_resid_post where the block normalises its sum. */
HlSite hl_model_get_stream_site (const HlModel *model, int stack, int layer);

/** hl_model_get_recipe: of a layer's maps with @n_keys keys; FALSE when they do not
 * follow from Q, K and lse. The recipe's bias is (transfer full) (nullable). */
gboolean hl_model_get_recipe (
    const HlModel *model, int stack, int layer, gint64 n_keys, HlRecipe *recipe);

/** hl_model_get_rules: (transfer none): how its texts are begun and ended. */
const HlGenerationRules *hl_model_get_rules (const HlModel *model);

/** hl_model_get_end_ids: (transfer none): the tokens that end a text, by
 * generation_config.json or config.json; *@n may be 0. */
const gint32 *hl_model_get_end_ids (const HlModel *model, int *n);
/** hl_model_is_end: @id is one of them. */
gboolean hl_model_is_end (const HlModel *model, gint32 id);

/** hl_model_get_pair_scale: of a file of two towers: what their cosine is multiplied with
 * (exp (logit_scale)) and what is added (logit_bias); 1 and 0 where it has none. */
void hl_model_get_pair_scale (const HlModel *model, double *scale, double *offset);

/** hl_model_weights_bytes: memory that the converted weights take in float32. */
gsize hl_model_weights_bytes (const HlModel *model);

/** hl_model_upload_bytes: what the weights take that are not yet in the memory of
 * @backend, a device. */
gsize hl_model_upload_bytes (const HlModel *model, HlBackend *backend);

/** hl_model_leave_device: gives up the weights' copies in a device's memory. */
void hl_model_leave_device (HlModel *model);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlModel, hl_model_unref)

G_END_DECLS
