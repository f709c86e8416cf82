/* SPDX-License-Identifier: MIT
 * Matrix products on the emulated device, in plain loops: what cuda-blas.h says, where
 * cuBLAS cannot be. */
#include "backend/cuda/cuda-kernel.cuh"

#include "backend/cuda/cuda-blas.h"

template <typename T>
static void
multiply (const CudaProduct &p, const T *a, const T *b, const T *bias, T *c)
{
  for (gint64 m = 0; m < p.M; m++)
    for (gint64 n = 0; n < p.N; n++)
      {
        double sum = 0;
        for (gint64 k = 0; k < p.K; k++)
          sum += (double) to_float (a[p.a_is_turned ? k * p.lda + m : m * p.lda + k]) *
                 (double) to_float (b[p.b_is_turned ? n * p.ldb + k : k * p.ldb + n]);
        sum *= (double) (float) p.alpha;
        if (bias != NULL)
          sum += (double) to_float (bias[n]);
        T *at = c + m * p.ldc + n;
        *at = from_float<T> ((float) (p.adds ? (double) to_float (*at) + sum : sum));
      }
}

static void
multiply_any (
    const CudaProduct &p, const void *a, const void *b, const void *bias, void *c)
{
  CUDA_WITH_TYPE (p.dtype,
                  multiply (p, (const T *) a, (const T *) b, (const T *) bias, (T *) c));
}

CudaBlas *
cuda_blas_new (CudaMemory *, cudaStream_t, GError **)
{
  return (CudaBlas *) g_new0 (int, 1);
}

void
cuda_blas_free (CudaBlas *blas)
{
  g_free (blas);
}

gboolean
cuda_blas_multiply (CudaBlas *,
                    cudaStream_t,
                    const CudaProduct *p,
                    gconstpointer a,
                    gconstpointer b,
                    gconstpointer bias,
                    gpointer c,
                    GError **)
{
  emulated_launch (dim3 (1), dim3 (1), 0, [&] { multiply_any (*p, a, b, bias, c); });
  return TRUE;
}

gboolean
cuda_blas_multiply_many (CudaBlas *,
                         cudaStream_t,
                         const CudaProduct *p,
                         gconstpointer *a,
                         gconstpointer *b,
                         gpointer *c,
                         int n,
                         GError **)
{
  emulated_launch (dim3 (1), dim3 (1), 0, [&] {
    for (int i = 0; i < n; i++)
      multiply_any (*p, a[i], b[i], NULL, c[i]);
  });
  return TRUE;
}
