/* SPDX-License-Identifier: MIT
 * A list of models in words: the same in the window and in the command. */
#pragma once

#include "model/hl-model-cache.h"

G_BEGIN_DECLS

/** hl_present_model_words: (transfer full): "GPT-2 · main 607a30d"; where it cannot be
 * opened why not. */
char *hl_present_model_words (const HlCachedModel *model);

/** hl_present_model_size: (transfer full): "548 MB"; "" for no weights. */
char *hl_present_model_size (const HlCachedModel *model);

/** hl_present_model_name: (transfer full): name, words and size in one sentence, for a
 * screen reader. */
char *hl_present_model_name (const HlCachedModel *model);

/** hl_present_model_revision: (transfer full): "main 607a30d", the short hash alone, or
 * "". */
char *hl_present_model_revision (const HlCachedModel *model);

/** hl_present_model_matches: whether every word of @search is part of the name, the
 * family, the model type or the beginning of the revision; upper and lower case alike. */
gboolean hl_present_model_matches (const HlCachedModel *model, const char *search);

G_END_DECLS
