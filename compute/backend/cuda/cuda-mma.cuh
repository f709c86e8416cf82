/* SPDX-License-Identifier: MIT
 * The instructions that the attention of half precision is made of, by the names of the
 * PTX manual: a warp's product of 16 x 16 by 16 x 8 numbers, loading its operands from
 * shared memory, and copies into shared memory that go on by themselves. Tests put plain
 * code in their place that has the same layout of numbers over lanes. */
#pragma once

#include "backend/cuda/cuda-kernel.cuh"

/* Two numbers in half precision, the first one in the lower bits. */
template <typename T>
static __device__ __forceinline__ unsigned pair_of (float low, float high);

#ifdef HL_CUDA_EMULATED
#include <emulated_mma.h>
#else

template <>
__device__ __forceinline__ unsigned
pair_of<__half> (float low, float high)
{
  const __half2 two = __floats2half2_rn (low, high);
  return *(const unsigned *) &two;
}

template <>
__device__ __forceinline__ unsigned
pair_of<__nv_bfloat16> (float low, float high)
{
  const __nv_bfloat162 two = __floats2bfloat162_rn (low, high);
  return *(const unsigned *) &two;
}

/* 2^x, within 2 ulp, as one instruction; weights are rounded to half precision anyway. */
static __device__ __forceinline__ float
power_of_two (float x)
{
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

static __device__ __forceinline__ unsigned
shared_address (const void *at)
{
  return (unsigned) __cvta_generic_to_shared (at);
}

/* Four 8 x 8 matrices; lane i gives the address of row i % 8 of matrix i / 8. */
static __device__ __forceinline__ void
load_matrices (unsigned out[4], const void *row)
{
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(shared_address (row)));
}

/* Each of them transposed. */
static __device__ __forceinline__ void
load_matrices_turned (unsigned out[4], const void *row)
{
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(shared_address (row)));
}

/* c (16 x 8) += a (16 x 16) b (16 x 8). */
template <typename T>
static __device__ __forceinline__ void
multiply_add (float c[4], const unsigned a[4], const unsigned b[2]);

template <>
__device__ __forceinline__ void
multiply_add<__half> (float c[4], const unsigned a[4], const unsigned b[2])
{
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, "
               "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

template <>
__device__ __forceinline__ void
multiply_add<__nv_bfloat16> (float c[4], const unsigned a[4], const unsigned b[2])
{
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, "
               "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/* Sixteen bytes, or zeros where @is_there is false. */
static __device__ __forceinline__ void
copy_later (void *to, const void *from, bool is_there)
{
  int n = is_there ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
               :
               : "r"(shared_address (to)), "l"(from), "r"(n)
               : "memory");
}

/* Ends a group of copies. */
static __device__ __forceinline__ void
end_copies (void)
{
  asm volatile("cp.async.commit_group;" ::: "memory");
}

/* Waits until @N groups at most are on their way. */
template <int N>
static __device__ __forceinline__ void
wait_copies (void)
{
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

#endif
