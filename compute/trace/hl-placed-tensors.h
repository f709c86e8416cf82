/* SPDX-License-Identifier: MIT
 * Copies of host tensors in a backend's own memory, for who reads them again and again.
 * Thread: the backend's; freed on any. */
#pragma once

#include "backend/hl-backend.h"

G_BEGIN_DECLS

/** HL_PLACED_TENSORS: kept at once: Q, K and log-sum-exp of two layers, and two more. */
#define HL_PLACED_TENSORS 8

typedef struct _HlPlacedTensors HlPlacedTensors;

HlPlacedTensors *hl_placed_tensors_new (void);
void hl_placed_tensors_free (HlPlacedTensors *placed);

/**
 * hl_placed_tensors_get:
 * @backend: float32
 * @host: float32, contiguous
 * Returns: (transfer full): @host itself where the backend's memory is the host's, else
 *   its copy, made the first time and kept until HL_PLACED_TENSORS others were asked
 *   for; NULL with @error
 */
HlTensor *hl_placed_tensors_get (HlPlacedTensors *placed,
                                 HlBackend *backend,
                                 HlTensor *host,
                                 GError **error);

G_END_DECLS
