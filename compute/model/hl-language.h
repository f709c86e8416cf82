/* SPDX-License-Identifier: MIT
 * The language of a recording, for models that are told which it is. */
#pragma once

#include "backend/hl-backend.h"
#include "base/hl-progress.h"
#include "model/hl-model-text.h"

G_BEGIN_DECLS

/** hl_model_list_languages: (transfer full): codes such as "en", by the alphabet; empty
 * where the model has no choice. Thread: any. */
char **hl_model_list_languages (const HlModel *model);

/** hl_model_has_tasks: it transcribes, and translates too. Thread: any. */
gboolean hl_model_has_tasks (const HlModel *model);

/** hl_model_read_told: what a decoder's first tokens, @ids of @n, tell it: (transfer
 * full) (nullable) the code of a language; @translates: whether the task is "translate".
 * Thread: any. */
char *hl_model_read_told (const HlModel *model,
                          const gint32 *ids,
                          gint64 n,
                          gboolean *translates);

/** hl_language_dup_name: (transfer full): "German" for "de", in the words of the person's
 * language; the code itself where it has no name. Thread: any. */
char *hl_language_dup_name (const char *code);

/**
 * hl_model_detect_language:
 * @input: a recording, opened with @options
 * Where @options name no language and the model has several: runs it on the decoder's
 * first token and takes the language whose token is then the most probable one, as the
 * reference does; @language_prob is its share among the languages' tokens.
 * Thread: engine.
 * Returns: (transfer full): @input in that language, or as it is; NULL with @error
 */
HlInput *hl_model_detect_language (const HlModel *model,
                                   HlInput *input,
                                   const HlTextOptions *options,
                                   HlBackend *backend,
                                   const HlProgress *progress,
                                   GError **error);

G_END_DECLS
