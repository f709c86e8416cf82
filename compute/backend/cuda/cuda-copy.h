/* SPDX-License-Identifier: MIT
 * Copies between a CUDA device and the host, through two pieces of pinned memory: one is
 * filled while the other one travels. What is captured travels on a stream and a thread
 * of its own while the next layer runs. */
#pragma once

#include "backend/cuda/cuda-memory.h"

G_BEGIN_DECLS

typedef struct _CudaCopier CudaCopier;

/** cuda_copier_new: (transfer full): NULL with @error (DEVICE). @compute: what is copied
 * was queued there. */
CudaCopier *cuda_copier_new (cudaStream_t compute, GError **error);
void cuda_copier_free (CudaCopier *copier);

/** cuda_copier_send: @size bytes to the device; @from may change afterwards. FALSE with
 * @error (DEVICE). */
gboolean cuda_copier_send (
    CudaCopier *copier, gpointer to, gconstpointer from, gsize size, GError **error);

/** cuda_copier_fetch: @n contiguous numbers in @dtype, float32, float64 or @from_dtype;
 * waits for them. FALSE with @error (DEVICE). */
gboolean cuda_copier_fetch (CudaCopier *copier,
                            HlDtype from_dtype,
                            gconstpointer from,
                            gint64 n,
                            HlDtype dtype,
                            gpointer out,
                            GError **error);

/** cuda_copier_fetch_later: a contiguous tensor to @out, a host tensor of its shape; both
 * are held until it is there. */
void cuda_copier_fetch_later (CudaCopier *copier, HlTensor *from, HlTensor *out);

/** cuda_copier_finish: waits for what was asked of fetch_later; FALSE with @error
 * (DEVICE). */
gboolean cuda_copier_finish (CudaCopier *copier, GError **error);

G_END_DECLS
