/* SPDX-License-Identifier: MIT
 * What kernels share that look at a square of an attention map at a time: SIDE queries
 * and SIDE keys, whose products 16 x 16 threads make, four queries and four keys each. */
#pragma once

#include "backend/cuda/cuda-seen.cuh"

#define SIDE 64
#define GRID 16
#define EACH 4 /* rows and columns of a thread */
/* Head widths are gone through in pieces; a row of shared memory is a little longer, so
 * that rows which are read together lie in different banks. */
#define PIECE 32
#define PIECE_PITCH (PIECE + 4)

/* Copies @n_rows rows (the rest of SIDE zeros) and @width numbers of each from @first on
 * (the rest of @n_columns zeros) to shared memory, as float32. */
template <typename T>
static __device__ __forceinline__ void
load_rows (const T *from,
           gint64 stride,
           int n_rows,
           int first,
           int width,
           float *to,
           int n_columns,
           int pitch)
{
  for (int i = thread_in_block (); i < SIDE * n_columns; i += GRID * GRID)
    {
      int row = i / n_columns, column = i - row * n_columns;
      bool is_there = row < n_rows && first + column < width;
      to[row * pitch + column] =
          is_there ? to_float (from[row * stride + first + column]) : 0;
    }
}

static __device__ __forceinline__ float4
four_of (const float *at)
{
  return *(const float4 *) at;
}

/* s[r][c] += sum over PIECE numbers of q (row 4 y + r) and k (row x + 16 c). */
static __device__ __forceinline__ void
add_products (
    const float *q, int q_pitch, const float *k, float s[EACH][EACH], int x, int y)
{
  for (int d = 0; d < PIECE; d += 4)
    {
      float4 mine[EACH];
#pragma unroll
      for (int r = 0; r < EACH; r++)
        mine[r] = four_of (q + (EACH * y + r) * q_pitch + d);
#pragma unroll
      for (int c = 0; c < EACH; c++)
        {
          float4 its = four_of (k + (x + GRID * c) * PIECE_PITCH + d);
#pragma unroll
          for (int r = 0; r < EACH; r++)
            s[r][c] += mine[r].x * its.x + mine[r].y * its.y + mine[r].z * its.z +
                       mine[r].w * its.w;
        }
    }
}
