/* SPDX-License-Identifier: MIT
 * What generation_config.json (or config.json) says of how a text is begun and ended:
 * where a decoder starts, what is never emitted. */
#pragma once

#include "io/hl-json.h"

G_BEGIN_DECLS

/**
 * HlGenerationRules: arrays of gint32.
 * @ends: tokens that end a text
 * @suppressed, @first_suppressed: never emitted; not as the first one
 * @start: of an encoder-decoder: its decoder's first tokens; of Whisper without language
 *   and task (hl_generation_rules_get_start())
 * @forced_first: emitted first, whatever is most probable; -1 for none
 * @json: the file's object, or config.json's
 */
typedef struct
{
  GArray *ends;
  GArray *suppressed;
  GArray *first_suppressed;
  GArray *start;
  gint32 forced_first;
  json_t *json;
} HlGenerationRules;

/** hl_generation_rules_new: (transfer full): what of the files makes no sense is left
 * out.
 * @folder: may lack a generation_config.json; @config: config.json. */
HlGenerationRules *hl_generation_rules_new (const char *folder, const json_t *config);
void hl_generation_rules_free (HlGenerationRules *rules);

/**
 * hl_generation_rules_get_start:
 * @language: (nullable): "en", "<|de|>": English where it is NULL, or what the model
 * names first
 * @task: (nullable): "transcribe" where it is NULL, or "translate"
 * Both are for models that have languages and tasks.
 * Returns: (transfer full): of gint32: a decoder's first tokens; NULL with @error: RANGE
 * for a language or task that the model does not know, UNSUPPORTED where it has none
 */
GArray *hl_generation_rules_get_start (const HlGenerationRules *rules,
                                       const char *language,
                                       const char *task,
                                       GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlGenerationRules, hl_generation_rules_free)

G_END_DECLS
