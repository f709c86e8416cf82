/* SPDX-License-Identifier: MIT
 * Put before a test of the engine: where it opens the CPU in float32 it gets the emulated
 * CUDA device, so that whatever looks at numbers where they cannot be seen is found. */
#pragma once

#include "backend/cpu/hl-cpu.h"
#include "backend/cuda/hl-cuda.h"

static inline HlBackend *
emulated_or_cpu (HlDtype dtype, int n_threads)
{
  return dtype == HL_DTYPE_F32 ? hl_cuda_open (dtype, 0, FALSE, NULL)
                               : hl_cpu_backend_new (dtype, n_threads);
}

#define hl_cpu_backend_new emulated_or_cpu
