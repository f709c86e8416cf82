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

/* Of a launch: exp (score) is 2^(factor s), where s is the product, or with a cap the
 * score itself. */
struct Scoring
{
  Seen seen;
  float factor;
};

/* Whether all of @n_rows queries from @query on see all of KEYS keys from @key on. */
static __device__ __forceinline__ bool
sees_whole (const Seen &seen, int query, int n_rows, int key, int n_keys)
{
  return key + KEYS <= n_keys && key >= first_seen (seen, query + n_rows - 1, n_keys) &&
         key + KEYS <= end_seen (seen, query, 1, n_keys);
}

/* The maximum over a row, of which four lanes have a part each. */
static __device__ __forceinline__ float
row_max (float x)
{
  x = larger (x, __shfl_xor_sync (ALL_LANES, x, 1));
  return larger (x, __shfl_xor_sync (ALL_LANES, x, 2));
}

/* Scores become weights; what was summed up so far fades as the maximum grows. Most tiles
 * of a map are seen as a whole: those have no test a number. */
template <int ROWS, int WIDTH, bool IS_MASKED>
static __device__ __forceinline__ void
weigh (
    State<ROWS, WIDTH> &w, const Scoring &scoring, int n_keys, int q0, int k0, int lane)
{
#pragma unroll
  for (int m = 0; m < ROWS; m++)
#pragma unroll
    for (int half = 0; half < 2; half++)
      {
        const int query = q0 + 16 * m + lane / 4 + 8 * half;
        const int from = IS_MASKED ? first_seen (scoring.seen, query, n_keys) : 0;
        const int to = IS_MASKED ? end_seen (scoring.seen, query, 1, n_keys) : 0;
        float here = w.most[m][half], part = 0;
#pragma unroll
        for (int n = 0; n < KEYS / 8; n++)
#pragma unroll
          for (int e = 0; e < 2; e++)
            {
              float &s = w.s[m][n][2 * half + e];
              int key = k0 + 8 * n + 2 * (lane % 4) + e;
              if (IS_MASKED)
                s = key >= from && key < to ? s : -INFINITY;
              here = larger (here, s);
            }
        here = row_max (here);
        /* Where nothing is seen yet nothing is subtracted: 2^-inf is 0. */
        const float shift = here == -INFINITY ? 0 : here * scoring.factor;
        const float fade = power_of_two (w.most[m][half] * scoring.factor - shift);
#pragma unroll
        for (int n = 0; n < KEYS / 8; n++)
#pragma unroll
          for (int e = 0; e < 2; e++)
            {
              float &s = w.s[m][n][2 * half + e];
              s = power_of_two (fmaf (s, scoring.factor, -shift));
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

/* Products become capped scores. */
template <int ROWS, int WIDTH>
static __device__ __forceinline__ void
bend (State<ROWS, WIDTH> &w, const Seen &seen)
{
#pragma unroll
  for (int m = 0; m < ROWS; m++)
#pragma unroll
    for (int n = 0; n < KEYS / 8; n++)
#pragma unroll
      for (int e = 0; e < 4; e++)
        w.s[m][n][e] = score_of (seen, w.s[m][n][e]);
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
write_out (const State<ROWS, WIDTH> &w,
           const CudaAttention &at,
           float factor,
           int b,
           int h,
           int q0,
           int lane)
{
#pragma unroll
  for (int m = 0; m < ROWS; m++)
#pragma unroll
    for (int half = 0; half < 2; half++)
      {
        float sum = w.sum[m][half], most = w.most[m][half];
        sum += __shfl_xor_sync (ALL_LANES, sum, 1);
        sum += __shfl_xor_sync (ALL_LANES, sum, 2);
        int i = q0 + 16 * m + lane / 4 + 8 * half;
        if (i >= at.Tq)
          continue;
        float share = most == -INFINITY ? 0 : 1 / sum;
        T *z = (T *) at.z + (((gint64) b * at.Tq + i) * at.H + h) * at.K;
#pragma unroll
        for (int n = 0; n < WIDTH / 8; n++)
          if (8 * n < at.K)
            *(unsigned *) (z + 8 * n + 2 * (lane % 4)) = pair_of<T> (
                w.acc[m][n][2 * half] * share, w.acc[m][n][2 * half + 1] * share);
        if (lane % 4 == 0)
          at.lse[((gint64) b * at.H + h) * at.Tq + i] =
              most == -INFINITY ? -INFINITY : most * factor * LN_2 + logf (sum);
      }
}

template <typename T, int ROWS, int WIDTH, int STAGES, bool IS_CAPPED>
static __global__ void
__launch_bounds__ (WARPS *WARP)
    attention_mma (CudaAttention at, Scoring scoring, int first_tile)
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
  const Seen &seen = scoring.seen;
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
      const int my_q0 = q0 + warp * 16 * ROWS, k0 = step * KEYS;
      if (IS_CAPPED)
        bend (w, seen);
      if (sees_whole (seen, my_q0, 16 * ROWS, k0, at.Tk))
        weigh<ROWS, WIDTH, false> (w, scoring, at.Tk, my_q0, k0, lane);
      else
        weigh<ROWS, WIDTH, true> (w, scoring, at.Tk, my_q0, k0, lane);
      mix<T, ROWS, WIDTH> (w, s_v + step % STAGES * KEYS * pitch, lane);
      __syncthreads (); /* this stage may be written again */
    }
  wait_copies<0> ();
  write_out<T, ROWS, WIDTH> (w, at, scoring.factor, b, h, q0 + warp * 16 * ROWS, lane);
}

/* FALSE where the device has too little shared memory for it. */
template <typename T, int ROWS, int WIDTH, int STAGES, bool IS_CAPPED>
static gboolean
launch (CudaContext *context, const CudaAttention &at, const Scoring &scoring)
{
  const int queries = WARPS * 16 * ROWS;
  int bytes = (queries + 2 * STAGES * KEYS) * Layout<WIDTH>::PITCH * (int) sizeof (T);
  int n_tiles = (at.Tq + queries - 1) / queries;
  double flops = 4.0 * queries * (double) at.Tk * at.K * at.H * at.B;
  int some = cuda_attention_tiles_at_once (context, flops, n_tiles, at.H * at.B);
  if (bytes > context->shared_bytes)
    return FALSE;
  cudaFuncSetAttribute (attention_mma<T, ROWS, WIDTH, STAGES, IS_CAPPED>,
                        cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  for (int tile = 0; tile < n_tiles; tile += some)
    {
      int n = n_tiles - tile < some ? n_tiles - tile : some;
      if (tile > 0 && !cuda_pace (context, flops * some, 0))
        return TRUE;
      CUDA_LAUNCH ((attention_mma<T, ROWS, WIDTH, STAGES, IS_CAPPED>),
                   dim3 ((unsigned) n, (unsigned) at.H, (unsigned) at.B),
                   dim3 (WARPS * WARP), (size_t) bytes, context->stream, at, scoring,
                   tile);
    }
  return TRUE;
}

/* Cards with less shared memory have one stage, whose copies are waited for. */
template <typename T, bool IS_CAPPED>
static gboolean
launch_width (CudaContext *context, const CudaAttention &at, const Scoring &scoring)
{
  if (at.K <= 64)
    return launch<T, 2, 64, 2, IS_CAPPED> (context, at, scoring);
  if (at.K <= 128)
    return launch<T, 2, 128, 2, IS_CAPPED> (context, at, scoring) ||
           launch<T, 2, 128, 1, IS_CAPPED> (context, at, scoring);
  return launch<T, 1, 256, 1, IS_CAPPED> (context, at, scoring);
}

template <typename T>
static gboolean
launch_capped (CudaContext *context, const CudaAttention &at, const Scoring &scoring)
{
  return scoring.seen.cap > 0 ? launch_width<T, true> (context, at, scoring)
                              : launch_width<T, false> (context, at, scoring);
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
  Scoring scoring = { seen_of (params), 0 };
  scoring.factor = (scoring.seen.cap > 0 ? 1 : scoring.seen.scale) * LOG2_E;
  if (context->dtype == HL_DTYPE_F32 || at->K % 8 != 0 || at->K == 0 || at->K > 256 ||
      !(scoring.factor > 0) || !is_in_packs (at->q, at->q_stride) ||
      !is_in_packs (at->k, at->k_stride) || !is_in_packs (at->v, at->v_stride) ||
      !is_aligned (at->z))
    return FALSE;
  return context->dtype == HL_DTYPE_F16
             ? launch_capped<__half> (context, *at, scoring)
             : launch_capped<__nv_bfloat16> (context, *at, scoring);
}
