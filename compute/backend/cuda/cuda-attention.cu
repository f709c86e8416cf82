/* SPDX-License-Identifier: MIT
 * Attention without a T x T map: a block goes through the keys for SIDE queries of one
 * head and keeps each row's maximum and sum as it goes ("FlashAttention", arXiv
 * 2205.14135; the running softmax is arXiv 1805.02867). Every head width up to 256; half
 * precision with head widths that fit goes to the tensor cores (cuda-attention-mma.cu).
 */
#include "backend/cuda/cuda-attention.h"
#include "backend/cuda/cuda-tile.cuh"

#define MAP_PITCH (SIDE + 4)

/* Of a block: SIDE queries, a piece of keys or values, and SIDE x SIDE weights. */
static int
shared_bytes (int n_groups)
{
  int q = SIDE * (SIDE * n_groups + 4), kv = SIDE * SIDE, map = SIDE * MAP_PITCH;
  return (q + kv + map) * (int) sizeof (float);
}

/* Largest of the numbers that the 16 threads of a row hold, and their sum. */
static __device__ __forceinline__ float
row_max (float x)
{
  for (int bits = GRID / 2; bits > 0; bits /= 2)
    x = larger (x, __shfl_xor_sync (ALL_LANES, x, bits));
  return x;
}

static __device__ __forceinline__ float
row_sum (float x)
{
  for (int bits = GRID / 2; bits > 0; bits /= 2)
    x += __shfl_xor_sync (ALL_LANES, x, bits);
  return x;
}

/* acc (rows 4 y + r, columns 64 g + 4 x + e) += weights (SIDE, SIDE) values. */
template <typename T, int GROUPS>
static __device__ __forceinline__ void
add_values (const T *v,
            gint64 stride,
            int n_keys,
            int K,
            float *room,
            const float *map,
            float acc[EACH][GROUPS][4],
            int x,
            int y)
{
#pragma unroll
  for (int g = 0; g < GROUPS; g++)
    {
      __syncthreads ();
      load_rows (v, stride, n_keys, g * SIDE, K, room, SIDE, SIDE);
      __syncthreads ();
      for (int j = 0; j < SIDE; j++)
        {
          float4 value = four_of (room + j * SIDE + 4 * x);
#pragma unroll
          for (int r = 0; r < EACH; r++)
            {
              float weight = map[(EACH * y + r) * MAP_PITCH + j];
              acc[r][g][0] += weight * value.x;
              acc[r][g][1] += weight * value.y;
              acc[r][g][2] += weight * value.z;
              acc[r][g][3] += weight * value.w;
            }
        }
    }
}

template <typename T, int GROUPS>
static __global__ void
__launch_bounds__ (GRID *GRID) attention (CudaAttention a, Seen seen, int first_tile)
{
  CUDA_SHARED (room);
  const int q_pitch = SIDE * GROUPS + 4;
  float *s_q = (float *) room, *s_kv = s_q + SIDE * q_pitch, *s_map = s_kv + SIDE * SIDE;
  const int x = (int) threadIdx.x, y = (int) threadIdx.y;
  const int h = (int) blockIdx.y, b = (int) blockIdx.z;
  /* The last queries see most: they begin first. */
  const int q0 = (first_tile + (int) (gridDim.x - 1 - blockIdx.x)) * SIDE;
  const int n_rows = min (SIDE, a.Tq - q0);
  const T *q =
      (const T *) a.q + b * a.q_stride[0] + h * a.q_stride[1] + q0 * a.q_stride[2];
  const T *k = (const T *) a.k + b * a.k_stride[0] + (h / a.group) * a.k_stride[1];
  const T *v = (const T *) a.v + b * a.v_stride[0] + (h / a.group) * a.v_stride[1];
  float acc[EACH][GROUPS][4] = { 0 };
  float most[EACH], sum[EACH];
  for (int r = 0; r < EACH; r++)
    {
      most[r] = -INFINITY;
      sum[r] = 0;
    }
  const int end = end_seen (seen, q0, n_rows, a.Tk);
  load_rows (q, a.q_stride[2], n_rows, 0, a.K, s_q, SIDE * GROUPS, q_pitch);

  for (int k0 = first_seen (seen, q0, a.Tk) / SIDE * SIDE; k0 < end; k0 += SIDE)
    {
      float s[EACH][EACH] = { 0 };
      const int n_here = min (SIDE, a.Tk - k0);
      for (int d = 0; d < a.K; d += PIECE)
        {
          __syncthreads ();
          load_rows (k + k0 * a.k_stride[2], a.k_stride[2], n_here, d, a.K, s_kv, PIECE,
                     PIECE_PITCH);
          __syncthreads ();
          add_products (s_q + d, q_pitch, s_kv, s, x, y);
        }
#pragma unroll
      for (int r = 0; r < EACH; r++)
        {
          float here = -INFINITY, part = 0;
#pragma unroll
          for (int c = 0; c < EACH; c++)
            {
              int j = k0 + x + GRID * c;
              bool is_seen = j < a.Tk && sees (seen, q0 + EACH * y + r, j);
              s[r][c] = is_seen ? score_of (seen, s[r][c]) : -INFINITY;
              here = larger (here, s[r][c]);
            }
          here = larger (most[r], row_max (here));
          float fade = here == -INFINITY ? 1 : expf (most[r] - here);
#pragma unroll
          for (int c = 0; c < EACH; c++)
            {
              float weight = s[r][c] == -INFINITY ? 0 : expf (s[r][c] - here);
              s_map[(EACH * y + r) * MAP_PITCH + x + GRID * c] = weight;
              part += weight;
            }
          sum[r] = sum[r] * fade + row_sum (part);
          most[r] = here;
#pragma unroll
          for (int g = 0; g < GROUPS; g++)
            for (int e = 0; e < 4; e++)
              acc[r][g][e] *= fade;
        }
      add_values<T, GROUPS> (v + k0 * a.v_stride[2], a.v_stride[2], n_here, a.K, s_kv,
                             s_map, acc, x, y);
    }

#pragma unroll
  for (int r = 0; r < EACH; r++)
    {
      int i = q0 + EACH * y + r;
      if (i >= a.Tq)
        continue;
      float factor = most[r] == -INFINITY ? 0 : 1 / sum[r];
      T *z = (T *) a.z + (((gint64) b * a.Tq + i) * a.H + h) * a.K;
#pragma unroll
      for (int g = 0; g < GROUPS; g++)
        for (int e = 0; e < 4; e++)
          if (g * SIDE + 4 * x + e < a.K)
            z[g * SIDE + 4 * x + e] = from_float<T> (acc[r][g][e] * factor);
      if (x == 0)
        a.lse[((gint64) b * a.H + h) * a.Tq + i] =
            most[r] == -INFINITY ? -INFINITY : most[r] + logf (sum[r]);
    }
}

/* Some tiles of queries at a time, so that the work can be cancelled in between. */
template <typename T, int GROUPS>
static void
launch (CudaContext *context, const CudaAttention &a, const Seen &seen)
{
  int n_tiles = (a.Tq + SIDE - 1) / SIDE, bytes = shared_bytes (GROUPS);
  double flops = 4.0 * SIDE * (double) a.Tk * a.K * a.H * a.B;
  int some = cuda_attention_tiles_at_once (context, flops, n_tiles, a.H * a.B);
  cudaFuncSetAttribute (attention<T, GROUPS>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                        bytes);
  for (int tile = 0; tile < n_tiles; tile += some)
    {
      int n = n_tiles - tile < some ? n_tiles - tile : some;
      if (tile > 0 && !cuda_pace (context, flops * some, 0))
        return;
      CUDA_LAUNCH ((attention<T, GROUPS>),
                   dim3 ((unsigned) n, (unsigned) a.H, (unsigned) a.B), dim3 (GRID, GRID),
                   (size_t) bytes, context->stream, a, seen, tile);
    }
}

template <typename T>
static void
launch_width (CudaContext *context, const CudaAttention &a, const Seen &seen)
{
  switch ((a.K + SIDE - 1) / SIDE)
    {
    case 0:
    case 1:
      launch<T, 1> (context, a, seen);
      break;
    case 2:
      launch<T, 2> (context, a, seen);
      break;
    case 3:
      launch<T, 3> (context, a, seen);
      break;
    default:
      launch<T, 4> (context, a, seen);
    }
}

/* Launches of equal size, each of which fills the device a few times over. */
int
cuda_attention_tiles_at_once (CudaContext *context,
                              double flops,
                              int n_tiles,
                              int blocks_a_tile)
{
  int most = (int) fmin (cuda_pace_flops (context) / fmax (flops, 1), n_tiles);
  int least = (4 * context->n_processors + blocks_a_tile - 1) / blocks_a_tile;
  int some = most > least ? most : least < n_tiles ? least : n_tiles;
  if (some < 1)
    return 1;
  int n_launches = (n_tiles + some - 1) / some;
  return n_launches > 0 ? (n_tiles + n_launches - 1) / n_launches : 1;
}

static void
take_strides (const HlTensor *t, gint64 *stride)
{
  stride[0] = t->shape.dim[0] == 1 ? 0 : t->stride[0];
  stride[1] = t->stride[1];
  stride[2] = t->stride[2];
}

gboolean
cuda_op_attention (CudaContext *context, const HlOpCall *call, GError **error)
{
  const HlTensor *q = call->in[0], *k = call->in[1], *v = call->in[2];
  CudaAttention a = { q->data, k->data, v->data, call->out[0]->data,
                      (float *) call->out[1]->data };
  take_strides (q, a.q_stride);
  take_strides (k, a.k_stride);
  take_strides (v, a.v_stride);
  a.B = (int) call->out[0]->shape.dim[0];
  a.H = (int) q->shape.dim[1];
  a.group = (int) (q->shape.dim[1] / k->shape.dim[1]);
  a.Tq = (int) q->shape.dim[2];
  a.Tk = (int) k->shape.dim[2];
  a.K = (int) q->shape.dim[3];
  const Seen seen = seen_of (&call->params);
  if (a.K > SIDE * 4)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "attention on a CUDA device: heads of width %d at most expected, %d "
                   "found",
                   SIDE * 4, a.K);
      return FALSE;
    }
  if (!cuda_attention_mma (context, &a, &call->params))
    CUDA_WITH_TYPE (context->dtype, launch_width<T> (context, a, seen));
  return TRUE;
}
