/* SPDX-License-Identifier: MIT
 * Gradient ops in double against central differences of the ops they belong to. */
#pragma once

#include "ops/hl-op.h"

G_BEGIN_DECLS

void check_linear_grad_weight (const HlOpCall *call);
void check_layer_norm_grad (const HlOpCall *call);
void check_rms_norm_grad (const HlOpCall *call);
void check_activation_grad (const HlOpCall *call);
void check_scores_grad (const HlOpCall *call);
void check_softmax_grad (const HlOpCall *call);
void check_mix_grad (const HlOpCall *call);
void check_gate_grad (const HlOpCall *call);
void check_unpatchify (const HlOpCall *call);

G_END_DECLS
