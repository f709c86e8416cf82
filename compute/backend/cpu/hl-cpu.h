/* SPDX-License-Identifier: MIT
 * The CPU backend: OpenBLAS for matrix products, own vectorised kernels for the rest,
 * each written once and compiled for float and for double. */
#pragma once

#include "backend/hl-backend.h"

G_BEGIN_DECLS

/**
 * hl_cpu_backend_new:
 * @dtype: HL_DTYPE_F32, or HL_DTYPE_F64 for the reference that tests compare with
 * @n_threads: 0 takes one a processor
 * Returns: (transfer full)
 */
HlBackend *hl_cpu_backend_new (HlDtype dtype, int n_threads);

/** hl_cpu_backend_trim: gives pooled memory that is not in use back to the system. */
void hl_cpu_backend_trim (HlBackend *backend);

G_END_DECLS
