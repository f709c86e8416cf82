/* SPDX-License-Identifier: MIT
 * Of a family that is not known: which known one is nearest, and what differs. Thread:
 * any. */
#pragma once

#include "io/hl-json.h"
#include "io/hl-safetensors.h"

G_BEGIN_DECLS

/**
 * hl_family_describe_nearest:
 * @model_type: of config.json, that no family takes
 * @config: (nullable): config.json
 * @st: (nullable): the weights. With them and @config each family tries to load them:
 *   how many of its tensors it finds counts, and what it misses or leaves is told
 * Returns: (transfer full) (nullable): "nearest is qwen2 (Llama); it has num_experts 60
 *   (a mixture of experts)"; NULL where nothing is near
 */
char *hl_family_describe_nearest (const char *model_type,
                                  const json_t *config,
                                  HlSafetensors *st);

/** hl_family_nearest_name: (transfer none) (nullable): by the letters of @model_type
 * alone. */
const char *hl_family_nearest_name (const char *model_type);

/** hl_family_refuse: sets @error (UNSUPPORTED): that of hl_family_find(), with the
 * nearest family. */
void hl_family_refuse (const char *model_type,
                       const json_t *config,
                       HlSafetensors *st,
                       GError **error);

G_END_DECLS
