/* SPDX-License-Identifier: MIT
 * Encoder-decoders: what their decoders begin with, recordings, and texts that they go on
 * with by themselves. */
#pragma once

#include "io/hl-audio.h"
#include "model/hl-model-text.h"

G_BEGIN_DECLS

/** hl_model_takes_source: FALSE with @error UNSUPPORTED where @options are for another
 * kind of model, or texts are for recordings. */
gboolean hl_model_takes_source (const HlModel *model,
                                const HlTextOptions *options,
                                GError **error);

/** hl_model_new_target: (transfer full): the decoder's side of an input: its first
 * tokens, and those of the target where @options have one; @text is of the encoder's
 * side. NULL with @error. */
HlInput *hl_model_new_target (const HlModel *model,
                              const char *name,
                              const char *path,
                              const char *text,
                              const HlTextOptions *options,
                              GError **error);

/** hl_model_open_source_ids: (transfer full): likewise, of what the encoder reads as
 * tokens; of other models hl_model_open_ids(). NULL with @error. */
HlInput *hl_model_open_source_ids (const HlModel *model,
                                   const gint32 *ids,
                                   gint64 n,
                                   const HlTextOptions *options,
                                   GError **error);

/**
 * hl_model_open_audio:
 * @path: a recording (hl_audio_open())
 * @window: which of its windows, 30 s each, from 0
 * @options: (nullable): target, language and task
 * @progress: (nullable)
 * Thread: engine (it reads the file).
 * Returns: (transfer full): NULL with @error: UNSUPPORTED a model that takes none; RANGE
 * no such window; those of hl_audio_open()
 */
HlInput *hl_model_open_audio (const HlModel *model,
                              const char *path,
                              gint64 window,
                              const HlTextOptions *options,
                              const HlProgress *progress,
                              GError **error);

/**
 * hl_model_complete:
 * @n_tokens: at most so many more
 * Of an encoder-decoder: lets the decoder go on by itself, greedily, up to its end.
 * Thread: engine.
 * Returns: (transfer full): @input with the tokens that were generated, but for that of
 * the end; @input itself where there are none; NULL with @error
 */
HlInput *hl_model_complete (const HlModel *model,
                            HlInput *input,
                            HlBackend *backend,
                            int n_tokens,
                            const HlProgress *progress,
                            GError **error);

G_END_DECLS
