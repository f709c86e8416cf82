/* SPDX-License-Identifier: MIT
 * Attention without a T x T map in half precision, on tensor cores. As in
 * cuda-attention.cu a block goes through the keys for some queries of one head; here a
 * warp has 16 or 32 rows of its own, scores stay in its registers, where they become the
 * weights of the next product, and the keys and values of the next step come while this
 * one is computed ("FlashAttention-2", arXiv 2307.08691). */
#include "backend/cuda/cuda-attention.h"
#include "backend/cuda/cuda-mma.cuh"
#include "backend/cuda/cuda-seen.cuh"

#define WARPS 4
#define KEYS 64
#define LOG2_E 1.4426950408889634f
#define LN_2 0.6931471805599453f

/* Rows of shared memory are 16 bytes longer than they need to be: eight of them, which
 * are read together, lie in different banks. */
template <int WIDTH> struct Layout
{
  static const int PITCH = WIDTH + 8;
};

template <typename T>
static __device__ __forceinline__ unsigned
pair_of (float low, float high)
{
  const T two[2] = { from_float<T> (low), from_float<T> (high) };
  unsigned bits;
  memcpy (&bits, two, sizeof bits);
  return bits;
}

/* @n_rows rows of WIDTH numbers; those from @n_there on, and numbers from @K on, zeros.
 */
template <typename T, int WIDTH>
static __device__ __forceinline__ void
fetch_rows (T *to, const T *from, gint64 stride, int n_rows, int n_there, int K)
{
  const int chunks = WIDTH / 8;
  for (int i = (int) threadIdx.x; i < n_rows * chunks; i += WARPS * WARP)
    {
      int row = i / chunks, column = (i - row * chunks) * 8;
      bool is_there = row < n_there && column < K;
      copy_later (to + row * Layout<WIDTH>::PITCH + column,
                  is_there ? from + row * stride + column : from, is_there);
    }
}

/* What a warp holds: for each of ROWS tiles of 16 queries, their scores with KEYS keys,
 * sums of values, and of rows lane / 4 and lane / 4 + 8 the maximum and sum. */
template <int ROWS, int WIDTH> struct State
{
  float s[ROWS][KEYS / 8][4];
  float acc[ROWS][WIDTH / 8][4];
  float most[ROWS][2], sum[ROWS][2];
};

template <typename T, int ROWS, int WIDTH>
static __device__ __forceinline__ void
score (State<ROWS, WIDTH> &w, const T *q, const T *k, int lane)
{
  const int pitch = Layout<WIDTH>::PITCH;
#pragma unroll
  for (int m = 0; m < ROWS; m++)
#pragma unroll
    for (int n = 0; n < KEYS / 8; n++)
      for (int e = 0; e < 4; e++)
        w.s[m][n][e] = 0;
#pragma unroll
  for (int d = 0; d < WIDTH; d += 16)
    {
      unsigned a[ROWS][4];
#pragma unroll
      for (int m = 0; m < ROWS; m++)
        load_matrices (a[m], q + (16 * m + lane % 16) * pitch + d + lane / 16 * 8);
#pragma unroll
      for (int n = 0; n < KEYS / 8; n += 2)
        {
          unsigned b[4];
          load_matrices (b, k + (8 * n + lane % 8 + lane / 16 * 8) * pitch + d +
                                lane / 8 % 2 * 8);
#pragma unroll
          for (int m = 0; m < ROWS; m++)
            {
              multiply_add<T> (w.s[m][n], a[m], b);
              multiply_add<T> (w.s[m][n + 1], a[m], b + 2);
            }
        }
    }
}

/* Scores become weights; what was summed up so far fades as the maximum grows. */
template <int ROWS, int WIDTH>
static __device__ __forceinline__ void
weigh (State<ROWS, WIDTH> &w, const Seen &seen, int n_keys, int q0, int k0, int lane)
{
#pragma unroll
  for (int m = 0; m < ROWS; m++)
#pragma unroll
    for (int half = 0; half < 2; half++)
      {
        gint64 query = q0 + 16 * m + lane / 4 + 8 * half;
        float here = w.most[m][half], part = 0;
#pragma unroll
        for (int n = 0; n < KEYS / 8; n++)
#pragma unroll
          for (int e = 0; e < 2; e++)
            {
              float &s = w.s[m][n][2 * half + e];
              int key = k0 + 8 * n + 2 * (lane % 4) + e;
              bool is_seen = key < n_keys && sees (seen, query, key);
              /* Weights are powers of two. */
              s = is_seen ? score_of (seen, s) * LOG2_E : -INFINITY;
              here = larger (here, s);
            }
        here = larger (here, __shfl_xor_sync (ALL_LANES, here, 1));
        here = larger (here, __shfl_xor_sync (ALL_LANES, here, 2));
        float fade = here == -INFINITY ? 1 : exp2f (w.most[m][half] - here);
#pragma unroll
        for (int n = 0; n < KEYS / 8; n++)
#pragma unroll
          for (int e = 0; e < 2; e++)
            {
              float &s = w.s[m][n][2 * half + e];
              s = s == -INFINITY ? 0 : exp2f (s - here);
              part += s;
            }
        /* The sum over the lanes of a row is taken at the end. */
        w.sum[m][half] = w.sum[m][half] * fade + part;
        w.most[m][half] = here;
#pragma unroll
        for (int n = 0; n < WIDTH / 8; n++)
          {
            w.acc[m][n][2 * half] *= fade;
            w.acc[m][n][2 * half + 1] *= fade;
          }
      }
}

template <typename T, int ROWS, int WIDTH>
static __device__ __forceinline__ void
mix (State<ROWS, WIDTH> &w, const T *v, int lane)
{
  const int pitch = Layout<WIDTH>::PITCH;
#pragma unroll
  for (int j = 0; j < KEYS / 16; j++)
    {
      unsigned a[ROWS][4];
#pragma unroll
      for (int m = 0; m < ROWS; m++)
        for (int i = 0; i < 4; i++)
          a[m][i] = pair_of<T> (w.s[m][2 * j + i / 2][2 * (i % 2)],
                                w.s[m][2 * j + i / 2][2 * (i % 2) + 1]);
#pragma unroll
      for (int n = 0; n < WIDTH / 8; n += 2)
        {
          unsigned b[4];
          load_matrices_turned (b,
                                v + (16 * j + lane % 16) * pitch + 8 * n + lane / 16 * 8);
#pragma unroll
          for (int m = 0; m < ROWS; m++)
            {
              multiply_add<T> (w.acc[m][n], a[m], b);
              multiply_add<T> (w.acc[m][n + 1], a[m], b + 2);
            }
        }
    }
}

template <typename T, int ROWS, int WIDTH>
static __device__ __forceinline__ void
write_out (
    const State<ROWS, WIDTH> &w, const CudaAttention &at, int b, int h, int q0, int lane)
{
  for (int m = 0; m < ROWS; m++)
    for (int half = 0; half < 2; half++)
      {
        float sum = w.sum[m][half], most = w.most[m][half];
        sum += __shfl_xor_sync (ALL_LANES, sum, 1);
        sum += __shfl_xor_sync (ALL_LANES, sum, 2);
        int i = q0 + 16 * m + lane / 4 + 8 * half;
        if (i >= at.Tq)
          continue;
        float factor = most == -INFINITY ? 0 : 1 / sum;
        T *z = (T *) at.z + (((gint64) b * at.Tq + i) * at.H + h) * at.K;
#pragma unroll
        for (int n = 0; n < WIDTH / 8; n++)
          if (8 * n < at.K)
            {
              unsigned two = pair_of<T> (w.acc[m][n][2 * half] * factor,
                                         w.acc[m][n][2 * half + 1] * factor);
              memcpy (z + 8 * n + 2 * (lane % 4), &two, sizeof two);
            }
        if (lane % 4 == 0)
          at.lse[((gint64) b * at.H + h) * at.Tq + i] =
              most == -INFINITY ? -INFINITY : most * LN_2 + logf (sum);
      }
}

template <typename T, int ROWS, int WIDTH, int STAGES>
static __global__ void
__launch_bounds__ (WARPS *WARP)
    attention_mma (CudaAttention at, Seen seen, int first_tile)
{
  CUDA_SHARED (room);
  const int pitch = Layout<WIDTH>::PITCH, queries = WARPS * 16 * ROWS;
  T *s_q = (T *) room, *s_k = s_q + queries * pitch, *s_v = s_k + STAGES * KEYS * pitch;
  const int lane = (int) threadIdx.x % WARP, warp = (int) threadIdx.x / WARP;
  const int h = (int) blockIdx.y, b = (int) blockIdx.z;
  const int q0 = (first_tile + (int) (gridDim.x - 1 - blockIdx.x)) * queries;
  const int n_rows = min (queries, at.Tq - q0);
  const T *q =
      (const T *) at.q + b * at.q_stride[0] + h * at.q_stride[1] + q0 * at.q_stride[2];
  const T *k = (const T *) at.k + b * at.k_stride[0] + (h / at.group) * at.k_stride[1];
  const T *v = (const T *) at.v + b * at.v_stride[0] + (h / at.group) * at.v_stride[1];
  State<ROWS, WIDTH> w;
  for (int m = 0; m < ROWS; m++)
    for (int half = 0; half < 2; half++)
      {
        w.most[m][half] = -INFINITY;
        w.sum[m][half] = 0;
      }
#pragma unroll
  for (int m = 0; m < ROWS; m++)
#pragma unroll
    for (int n = 0; n < WIDTH / 8; n++)
      for (int e = 0; e < 4; e++)
        w.acc[m][n][e] = 0;
  const int first = first_seen (seen, q0, at.Tk) / KEYS;
  const int n_steps = (end_seen (seen, q0, n_rows, at.Tk) + KEYS - 1) / KEYS;
  const T *my_q = s_q + warp * 16 * ROWS * pitch;

  fetch_rows<T, WIDTH> (s_q, q, at.q_stride[2], queries, n_rows, at.K);
  for (int step = first + 1 - STAGES; step < n_steps; step++)
    {
      int next = step + STAGES - 1, stage = next % STAGES; /* what is fetched now */
      if (next < n_steps)
        {
          int k0 = next * KEYS, n_there = min (KEYS, at.Tk - k0);
          fetch_rows<T, WIDTH> (s_k + stage * KEYS * pitch, k + k0 * at.k_stride[2],
                                at.k_stride[2], KEYS, n_there, at.K);
          fetch_rows<T, WIDTH> (s_v + stage * KEYS * pitch, v + k0 * at.v_stride[2],
                                at.v_stride[2], KEYS, n_there, at.K);
        }
      end_copies ();
      if (step < first)
        continue;
      wait_copies<STAGES - 1> ();
      __syncthreads ();
      const T *keys = s_k + step % STAGES * KEYS * pitch;
      score<T, ROWS, WIDTH> (w, my_q, keys, lane);
      weigh (w, seen, at.Tk, q0 + warp * 16 * ROWS, step * KEYS, lane);
      mix<T, ROWS, WIDTH> (w, s_v + step % STAGES * KEYS * pitch, lane);
      __syncthreads (); /* this stage may be written again */
    }
  write_out<T, ROWS, WIDTH> (w, at, b, h, q0 + warp * 16 * ROWS, lane);
}

/* FALSE where the device has too little shared memory for it. */
template <typename T, int ROWS, int WIDTH, int STAGES>
static gboolean
launch (CudaContext *context, const CudaAttention &at, const Seen &seen)
{
  const int queries = WARPS * 16 * ROWS;
  int bytes = (queries + 2 * STAGES * KEYS) * Layout<WIDTH>::PITCH * (int) sizeof (T);
  int n_tiles = (at.Tq + queries - 1) / queries;
  double flops = 4.0 * queries * (double) at.Tk * at.K * at.H * at.B;
  int some = cuda_attention_tiles_at_once (context, flops, n_tiles, at.H * at.B);
  if (bytes > context->shared_bytes)
    return FALSE;
  cudaFuncSetAttribute (attention_mma<T, ROWS, WIDTH, STAGES>,
                        cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  for (int tile = 0; tile < n_tiles; tile += some)
    {
      int n = n_tiles - tile < some ? n_tiles - tile : some;
      if (tile > 0 && !cuda_pace (context, flops * some, 0))
        return TRUE;
      CUDA_LAUNCH ((attention_mma<T, ROWS, WIDTH, STAGES>),
                   dim3 ((unsigned) n, (unsigned) at.H, (unsigned) at.B),
                   dim3 (WARPS * WARP), (size_t) bytes, context->stream, at, seen, tile);
    }
  return TRUE;
}

template <typename T>
static gboolean
launch_width (CudaContext *context, const CudaAttention &at, const Seen &seen)
{
  if (at.K <= 64)
    return launch<T, 2, 64, 2> (context, at, seen);
  if (at.K <= 128)
    return launch<T, 2, 128, 2> (context, at, seen);
  return launch<T, 1, 256, 1> (context, at, seen);
}

static bool
is_in_packs (const void *data, const gint64 *stride)
{
  return is_aligned (data) && stride[0] % 8 == 0 && stride[1] % 8 == 0 &&
         stride[2] % 8 == 0;
}

gboolean
cuda_attention_mma (CudaContext *context,
                    const CudaAttention *at,
                    const HlOpParams *params)
{
  if (context->dtype == HL_DTYPE_F32 || at->K % 8 != 0 || at->K == 0 || at->K > 256 ||
      !is_in_packs (at->q, at->q_stride) || !is_in_packs (at->k, at->k_stride) ||
      !is_in_packs (at->v, at->v_stride) || !is_aligned (at->z))
    return FALSE;
  return context->dtype == HL_DTYPE_F16
             ? launch_width<__half> (context, *at, seen_of (params))
             : launch_width<__nv_bfloat16> (context, *at, seen_of (params));
}
