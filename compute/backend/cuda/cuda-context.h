/* SPDX-License-Identifier: MIT
 * What one op on a CUDA device works with. Plain C, for the host side and for kernels. */
#pragma once

#include "backend/hl-backend.h"

#include <cuda_runtime_api.h>

G_BEGIN_DECLS

typedef struct _CudaBlas CudaBlas;
typedef struct _CudaMemory CudaMemory;

/**
 * CudaContext:
 * @stream: everything that computes is queued here
 * @dtype: of what the ops read and write: F32, F16 or BF16; log-sum-exps are float32
 * @blas: matrix products
 * @memory: what temporary tensors come from
 * @progress: (nullable): paused for between the launches of long work
 * @n_processors: multiprocessors of the device
 * @shared_bytes: shared memory a block may ask for
 * @pace, @queued_s, @n_paces: see cuda_pace()
 */
typedef struct
{
  cudaStream_t stream;
  HlDtype dtype;
  CudaBlas *blas;
  CudaMemory *memory;
  const HlProgress *progress;
  int n_processors;
  int shared_bytes;
  cudaEvent_t pace[2];
  double queued_s;
  int n_paces;
} CudaContext;

/** CudaKernel: queues one op whose outputs have elements; FALSE with @error (MEMORY,
 * DEVICE). Launches that failed are found by who called it. */
typedef gboolean (*CudaKernel) (CudaContext *context,
                                const HlOpCall *call,
                                GError **error);

#define HL_OP(ENUM, name, ...)                                                           \
  gboolean cuda_op_##name (CudaContext *context, const HlOpCall *call, GError **error);
#include "ops/hl-op-table.def"
#undef HL_OP

/* ---- things that are no ops; queued like them ----------------------------------------
 */

/** cuda_cast: @n contiguous numbers of @from, any floating type, in @to. */
void cuda_cast (CudaContext *context,
                HlDtype from,
                gconstpointer source,
                HlDtype to,
                gpointer out,
                gint64 n);

/** cuda_copy_strided: @into = @x, of one shape and type; contiguous or not. */
void cuda_copy_strided (CudaContext *context, HlTensor *into, const HlTensor *x);

/** cuda_accumulate: @into += @x; summed over dimensions where @into is 1. */
void cuda_accumulate (CudaContext *context, HlTensor *into, const HlTensor *x);

/** cuda_alloc: (transfer full): contiguous, uninitialised; NULL with @error (MEMORY). */
HlTensor *cuda_alloc (CudaContext *context, HlDtype dtype, HlShape shape, GError **error);

/**
 * cuda_pace:
 * Before @flops and @bytes of work are queued: waits until not much more than some 10 ms
 * of work is waiting, and pauses, so that cancelling takes effect soon.
 * Returns: FALSE when the work should stop
 */
gboolean cuda_pace (CudaContext *context, double flops, double bytes);

/** cuda_pace_flops: about how many there are between two pauses. */
double cuda_pace_flops (const CudaContext *context);

/** cuda_check: FALSE with @error (DEVICE, MEMORY) that names @what where @code is a
 * failure. */
gboolean cuda_check (cudaError_t code, const char *what, GError **error);

G_END_DECLS
