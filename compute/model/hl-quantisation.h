/* SPDX-License-Identifier: MIT
 * Checkpoints whose weights are quantised: recognised, named, and refused. Thread: any.
 */
#pragma once

#include "io/hl-json.h"
#include "io/hl-safetensors.h"

G_BEGIN_DECLS

/** hl_quantisation_of_config: (transfer full) (nullable): "GPTQ of 4 bits", from what
 * config.json says; NULL where it says nothing of the kind. */
char *hl_quantisation_of_config (const json_t *config);

/** hl_quantisation_of_weights: (transfer full) (nullable): "float8 (F8_E4M3)", from the
 * types of the tensors that are weights; *@tensor (out) (nullable): the first such. NULL
 * where they are floating point numbers of 16 bits or more. */
char *hl_quantisation_of_weights (const HlSafetensors *st, const HlTensorInfo **tensor);

/** hl_quantisation_check: FALSE with @error (UNSUPPORTED) that names the quantisation,
 * where it was found, and what to open instead. @st: (nullable) */
gboolean
hl_quantisation_check (const json_t *config, const HlSafetensors *st, GError **error);

G_END_DECLS
