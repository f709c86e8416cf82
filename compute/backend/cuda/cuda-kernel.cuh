/* SPDX-License-Identifier: MIT
 * What every kernel file begins with: number types, launches, sums over a warp or a
 * block. The same files are compiled for the processor by the tests (tests/emulated), so
 * a launch and what differs between both is written through a macro of this page. */
#pragma once

#include "backend/cuda/cuda-context.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#define WARP 32
#define ALL_LANES 0xffffffffu

/* CUDA_LAUNCH ((kernel<T>), grid, block, shared bytes, stream, arguments...) */
#ifdef HL_CUDA_EMULATED
#define CUDA_LAUNCH(kernel, grid, block, shared, stream, ...)                            \
  emulated_launch (grid, block, shared, [&] { kernel (__VA_ARGS__); })
#define CUDA_SHARED(name) unsigned char *name = emulated_now->shared
#else
#define CUDA_LAUNCH(kernel, grid, block, shared, stream, ...)                            \
  (kernel)<<<grid, block, shared, stream>>> (__VA_ARGS__)
#define CUDA_SHARED(name) extern __shared__ __align__ (16) unsigned char name[]
#endif

/* Runs the statements with T as the element type of @dtype. */
#define CUDA_WITH_TYPE(dtype, ...)                                                       \
  switch (dtype)                                                                         \
    {                                                                                    \
    case HL_DTYPE_F16:                                                                   \
      {                                                                                  \
        using T = __half;                                                                \
        __VA_ARGS__;                                                                     \
        break;                                                                           \
      }                                                                                  \
    case HL_DTYPE_BF16:                                                                  \
      {                                                                                  \
        using T = __nv_bfloat16;                                                         \
        __VA_ARGS__;                                                                     \
        break;                                                                           \
      }                                                                                  \
    default:                                                                             \
      {                                                                                  \
        using T = float;                                                                 \
        __VA_ARGS__;                                                                     \
        break;                                                                           \
      }                                                                                  \
    }

/* ---- numbers -------------------------------------------------------------------------
 * Everything is computed in float32 and rounded once, when it is written. */

static __device__ __forceinline__ float
to_float (float x)
{
  return x;
}

static __device__ __forceinline__ float
to_float (double x)
{
  return (float) x;
}

static __device__ __forceinline__ float
to_float (__half x)
{
  return __half2float (x);
}

static __device__ __forceinline__ float
to_float (__nv_bfloat16 x)
{
  return __bfloat162float (x);
}

template <typename T> static __device__ __forceinline__ T from_float (float x);

template <>
__device__ __forceinline__ float
from_float<float> (float x)
{
  return x;
}

template <>
__device__ __forceinline__ __half
from_float<__half> (float x)
{
  return __float2half_rn (x);
}

template <>
__device__ __forceinline__ __nv_bfloat16
from_float<__nv_bfloat16> (float x)
{
  return __float2bfloat16_rn (x);
}

/* Sixteen bytes that are read and written at once. */
template <typename T> struct __align__ (16) Pack
{
  static const int N = 16 / (int) sizeof (T);
  T x[N];
};

static inline bool
is_aligned (const void *at)
{
  return (size_t) at % 16 == 0;
}

/* ---- sums ----------------------------------------------------------------------------
 */

static __device__ __forceinline__ int
thread_in_block (void)
{
  return (int) (threadIdx.y * blockDim.x + threadIdx.x);
}

static __device__ __forceinline__ float
warp_sum (float x)
{
  for (int bits = WARP / 2; bits > 0; bits /= 2)
    x += __shfl_xor_sync (ALL_LANES, x, bits);
  return x;
}

/* NaN is passed over, as the reference does; what follows carries it on. */
static __device__ __forceinline__ float
larger (float a, float b)
{
  return b > a ? b : a;
}

static __device__ __forceinline__ float
warp_max (float x)
{
  for (int bits = WARP / 2; bits > 0; bits /= 2)
    x = larger (x, __shfl_xor_sync (ALL_LANES, x, bits));
  return x;
}

/* A row of numbers belongs to GROUP threads, a warp or a whole block; a block has 256
 * threads and so 8 rows or one. */
#define ROW_THREADS 256

template <int GROUP> struct Row
{
  __device__ static __forceinline__ long long
  index (void)
  {
    return (long long) blockIdx.x * (ROW_THREADS / GROUP) + threadIdx.x / GROUP;
  }

  __device__ static __forceinline__ int
  lane (void)
  {
    return (int) (threadIdx.x % GROUP);
  }

  __device__ static __forceinline__ float
  sum (float x)
  {
    x = warp_sum (x);
    if (GROUP == WARP)
      return x;
    __shared__ float part[ROW_THREADS / WARP];
    __syncthreads (); /* the one before has been read */
    if (threadIdx.x % WARP == 0)
      part[threadIdx.x / WARP] = x;
    __syncthreads ();
    x = 0;
    for (int i = 0; i < ROW_THREADS / WARP; i++)
      x += part[i];
    return x;
  }

  __device__ static __forceinline__ float
  max (float x)
  {
    x = warp_max (x);
    if (GROUP == WARP)
      return x;
    __shared__ float part[ROW_THREADS / WARP];
    __syncthreads ();
    if (threadIdx.x % WARP == 0)
      part[threadIdx.x / WARP] = x;
    __syncthreads ();
    x = part[0];
    for (int i = 1; i < ROW_THREADS / WARP; i++)
      x = larger (x, part[i]);
    return x;
  }
};

/* Rows longer than this have a block each. */
#define LONG_ROW 1024

static inline unsigned
blocks_for (gint64 n, gint64 each)
{
  return (unsigned) ((n + each - 1) / each);
}

template <int GROUP>
static inline unsigned
row_blocks (gint64 n_rows)
{
  return blocks_for (n_rows, ROW_THREADS / GROUP);
}
