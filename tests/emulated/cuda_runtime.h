/* SPDX-License-Identifier: MIT
 * CUDA C++ for the processor: the kernels of compute/backend/cuda compiled by g++. A
 * block runs at a time, each of its threads in a fiber of its own that gives way at
 * barriers and shuffles. A barrier that not all threads of the block (or lanes of the
 * warp) come to ends the program, where a real device would hang. Not modelled: races
 * within a warp, and how fast anything is. */
#pragma once

#include "cuda_runtime_api.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define HL_CUDA_EMULATED 1

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __shared__ static
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) __attribute__ ((aligned (n)))

struct uint3
{
  unsigned x, y, z;
};

struct dim3
{
  unsigned x, y, z;
  dim3 (unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x (x_), y (y_), z (z_)
  {
  }
};

struct EmulatedThread
{
  uint3 thread, block;
  dim3 block_dim, grid_dim;
  unsigned char *shared;
};

/* The thread whose fiber runs. */
extern EmulatedThread *emulated_now;

#define threadIdx (emulated_now->thread)
#define blockIdx (emulated_now->block)
#define blockDim (emulated_now->block_dim)
#define gridDim (emulated_now->grid_dim)

/* Runs body (data) once a thread of every block. */
void emulated_run (
    dim3 grid, dim3 block, size_t shared_bytes, void (*body) (void *), void *data);

template <typename Body>
void
emulated_launch (dim3 grid, dim3 block, size_t shared_bytes, Body body)
{
  emulated_run (
      grid, block, shared_bytes, [] (void *data) { (*(Body *) data) (); }, &body);
}

template <typename Kernel>
cudaError_t
cudaFuncSetAttribute (Kernel *, cudaFuncAttribute, int)
{
  return cudaSuccess;
}

void emulated_block_barrier (void);

/* Everybody of the warp leaves @size bytes (64 at most) and gets what all have left, a
 * row of 64 bytes a lane, until emulated_warp_done(). */
const unsigned char *emulated_warp_exchange (const void *mine, size_t size);
void emulated_warp_done (void);

static inline void
__syncthreads (void)
{
  emulated_block_barrier ();
}

static inline void
__syncwarp (unsigned = ~0u)
{
  emulated_warp_exchange ("", 0);
  emulated_warp_done ();
}

static inline int
emulated_lane (void)
{
  const EmulatedThread *t = emulated_now;
  return (int) (((t->thread.z * t->block_dim.y + t->thread.y) * t->block_dim.x +
                 t->thread.x) %
                32);
}

template <typename T>
T
__shfl_sync (unsigned, T value, int lane)
{
  T found;
  memcpy (&found, emulated_warp_exchange (&value, sizeof value) + 64 * (lane & 31),
          sizeof found);
  emulated_warp_done ();
  return found;
}

template <typename T>
T
__shfl_xor_sync (unsigned mask, T value, int bits)
{
  return __shfl_sync (mask, value, emulated_lane () ^ bits);
}

static inline int
min (int a, int b)
{
  return a < b ? a : b;
}

static inline int
max (int a, int b)
{
  return a > b ? a : b;
}

struct __align__ (16) float4
{
  float x, y, z, w;
};

struct __align__ (16) uint4
{
  unsigned x, y, z, w;
};
