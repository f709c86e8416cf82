/* SPDX-License-Identifier: MIT
 * Matrix products on a CUDA device. cuBLAS is opened by name when the device is: a
 * machine without it starts the program as well. */
#pragma once

#include "backend/cuda/cuda-context.h"

G_BEGIN_DECLS

/**
 * CudaProduct: C (M, N) = @alpha op (A) op (B), all row-major, op (A) being (M, K).
 * Sums are kept in float32, without reduced precision (no tf32).
 * @a_is_turned, @b_is_turned: A is given as (K, M), B as (N, K)
 * @lda, @ldb, @ldc: numbers from one row to the next as they are given
 * @adds: C is added to
 * M, N and K are at least 1.
 */
typedef struct
{
  HlDtype dtype;
  gboolean a_is_turned;
  gboolean b_is_turned;
  gint64 M, N, K;
  gint64 lda, ldb, ldc;
  double alpha;
  gboolean adds;
} CudaProduct;

/** cuda_blas_new: (transfer full): NULL with @error (UNSUPPORTED) that says which library
 * was not found. */
CudaBlas *cuda_blas_new (CudaMemory *memory, cudaStream_t stream, GError **error);
void cuda_blas_free (CudaBlas *blas);

/** cuda_blas_multiply: @bias (N) (nullable): added to every row. FALSE with @error
 * (DEVICE). */
gboolean cuda_blas_multiply (CudaBlas *blas,
                             cudaStream_t stream,
                             const CudaProduct *product,
                             gconstpointer a,
                             gconstpointer b,
                             gconstpointer bias,
                             gpointer c,
                             GError **error);

/** cuda_repeat_row: @row (N) into each of the @M rows of @out, @ld apart. */
void cuda_repeat_row (cudaStream_t stream,
                      HlDtype dtype,
                      gconstpointer row,
                      gpointer out,
                      gint64 M,
                      gint64 N,
                      gint64 ld);

/** cuda_blas_multiply_many: @n products of one kind; @a, @b and @c are arrays of
 * addresses on the device. */
gboolean cuda_blas_multiply_many (CudaBlas *blas,
                                  cudaStream_t stream,
                                  const CudaProduct *product,
                                  gconstpointer *a,
                                  gconstpointer *b,
                                  gpointer *c,
                                  int n,
                                  GError **error);

G_END_DECLS
