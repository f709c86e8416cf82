/* SPDX-License-Identifier: MIT
 * Memory for ops' outputs, used again and again: fresh pages from the system cost more
 * than many of the kernels that write into them. */
#pragma once

#include "tensor/hl-tensor.h"

G_BEGIN_DECLS

typedef struct _CpuMemory CpuMemory;

CpuMemory *cpu_memory_new (void);
CpuMemory *cpu_memory_ref (CpuMemory *memory);
void cpu_memory_unref (CpuMemory *memory);

/** cpu_memory_alloc: contiguous and uninitialised; goes back to the pool with the last
 * tensor that shares it, from any thread. */
HlTensor *
cpu_memory_alloc (CpuMemory *memory, HlDtype dtype, HlShape shape, GError **error);

/** cpu_memory_trim: frees idle blocks until at most @keep_bytes of them remain. */
void cpu_memory_trim (CpuMemory *memory, gsize keep_bytes);

G_END_DECLS
