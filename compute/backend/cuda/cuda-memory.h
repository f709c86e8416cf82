/* SPDX-License-Identifier: MIT
 * Memory of a CUDA device, used again and again: asking the driver for it makes
 * everything wait. */
#pragma once

#include "backend/cuda/cuda-context.h"

G_BEGIN_DECLS

/**
 * CudaMemory:
 * @parent: what tensors of this device carry; its fetch is set by who reads them
 * @owner: (nullable): who that is, while it is there
 * Atomic references: tensors may outlive the backend, and be freed on any thread.
 */
struct _CudaMemory
{
  HlMemory parent;
  gpointer owner;
  gatomicrefcount refs;
  GMutex lock; /* guards what follows */
  GQueue idle; /* of blocks, last used first */
  gsize idle_bytes;
  gsize used_bytes; /* by tensors */
  gsize budget_bytes;
  gboolean is_exact;
};

/** cuda_memory_new: (transfer full): @budget_bytes: more than this is not taken.
 * @is_exact: for tests: nothing is kept and nothing rounded up. */
CudaMemory *cuda_memory_new (gsize budget_bytes, gboolean is_exact);
CudaMemory *cuda_memory_ref (CudaMemory *memory);
void cuda_memory_unref (CudaMemory *memory);

/** cuda_memory_alloc: (transfer full): contiguous, uninitialised, aligned to 256 bytes;
 * NULL with @error (SHAPE, DEVICE, MEMORY: with the sizes). A block that is given back is
 * handed out again in the order of the compute stream. */
HlTensor *
cuda_memory_alloc (CudaMemory *memory, HlDtype dtype, HlShape shape, GError **error);

/** cuda_memory_disown: the owner goes: idle blocks, and others when they come back, go to
 * the driver. */
void cuda_memory_disown (CudaMemory *memory);

/** cuda_memory_trim: gives idle blocks back to the driver. */
void cuda_memory_trim (CudaMemory *memory);

/** cuda_memory_get_free: bytes that could be allocated now. */
gsize cuda_memory_get_free (CudaMemory *memory);

G_END_DECLS
