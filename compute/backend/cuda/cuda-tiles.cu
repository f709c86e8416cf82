/* SPDX-License-Identifier: MIT
 * Rectangles of attention maps from Q, K and log-sum-exp: entry by entry, or pooled by
 * mean and maximum to cells of 2^level x 2^level, as many tiles as the rectangle has in
 * one launch. */
#include "backend/cuda/cuda-tile.cuh"

#define MAP_PITCH (SIDE + 1)

template <typename T> struct Rect
{
  const T *q, *k;
  const float *lse;
  gint64 q_stride, k_stride, lse_stride;
  int Tq, Tk, K;
  Seen seen;
};

template <typename T>
static Rect<T>
rect_of (const HlOpCall *call)
{
  const HlTensor *q = call->in[0], *k = call->in[1], *lse = call->in[2];
  const HlOpParams *p = &call->params;
  Rect<T> r = { (const T *) q->data,
                (const T *) k->data,
                (const float *) lse->data,
                q->stride[0],
                k->stride[0],
                lse->stride[0],
                (int) q->shape.dim[0],
                (int) k->shape.dim[0],
                (int) q->shape.dim[1],
                seen_of (p) };
  return r;
}

/* Weights of the SIDE x SIDE entries at (q0, k0); 0 outside of the rectangle too. */
template <typename T>
static __device__ __forceinline__ void
weigh (const Rect<T> &r, int q0, int k0, float *s_q, float *s_k, float s[EACH][EACH])
{
  const int x = (int) threadIdx.x, y = (int) threadIdx.y;
  for (int i = 0; i < EACH; i++)
    for (int j = 0; j < EACH; j++)
      s[i][j] = 0;
  for (int d = 0; d < r.K; d += PIECE)
    {
      __syncthreads ();
      load_rows (r.q + q0 * r.q_stride, r.q_stride, min (SIDE, r.Tq - q0), d, r.K, s_q,
                 PIECE, PIECE_PITCH);
      load_rows (r.k + k0 * r.k_stride, r.k_stride, min (SIDE, r.Tk - k0), d, r.K, s_k,
                 PIECE, PIECE_PITCH);
      __syncthreads ();
      add_products (s_q, PIECE_PITCH, s_k, s, x, y);
    }
  for (int i = 0; i < EACH; i++)
    {
      int query = q0 + EACH * y + i;
      float shift = query < r.Tq ? r.lse[query * r.lse_stride] : -INFINITY;
      for (int j = 0; j < EACH; j++)
        {
          int key = k0 + x + GRID * j;
          bool is_seen = key < r.Tk && shift != -INFINITY && sees (r.seen, query, key);
          s[i][j] = is_seen ? expf (score_of (r.seen, s[i][j]) - shift) : 0;
        }
    }
}

template <typename T>
static __global__ void
rect (Rect<T> r, T *out)
{
  __shared__ __align__ (16) float s_q[SIDE * PIECE_PITCH], s_k[SIDE * PIECE_PITCH];
  float s[EACH][EACH];
  const int q0 = (int) blockIdx.y * SIDE, k0 = (int) blockIdx.x * SIDE;
  weigh (r, q0, k0, s_q, s_k, s);
  for (int i = 0; i < EACH; i++)
    for (int j = 0; j < EACH; j++)
      {
        int query = q0 + EACH * (int) threadIdx.y + i,
            key = k0 + (int) threadIdx.x + GRID * j;
        if (query < r.Tq && key < r.Tk)
          out[(gint64) query * r.Tk + key] = from_float<T> (s[i][j]);
      }
}

/* The grid's second dimension is short: rows of blocks go in several launches. */
#define MOST_ROWS 32768

gboolean
cuda_op_attention_rect (CudaContext *context, const HlOpCall *call, GError **error)
{
  const gint64 *dim = call->out[0]->shape.dim;
  gint64 n_rows = (dim[0] + SIDE - 1) / SIDE;
  for (gint64 row = 0; row < n_rows; row += MOST_ROWS)
    {
      gint64 n = n_rows - row < MOST_ROWS ? n_rows - row : MOST_ROWS;
      CUDA_WITH_TYPE (context->dtype, Rect<T> r = rect_of<T> (call);
                      T *out = (T *) call->out[0]->data + row * SIDE * dim[1];
                      r.q += row * SIDE * r.q_stride; r.lse += row * SIDE * r.lse_stride;
                      r.Tq -= (int) (row * SIDE); r.seen.offset += row * SIDE;
                      CUDA_LAUNCH ((rect<T>),
                                   dim3 (blocks_for (dim[1], SIDE), (unsigned) n),
                                   dim3 (GRID, GRID), 0, context->stream, r, out));
    }
  return TRUE;
}

/* ---- pooled --------------------------------------------------------------------------
 */

struct Pool
{
  float sum, max;
};

/* Joins the SIDE x SIDE entries of @map to cells of @side (2 to SIDE), first along
 * rows, then along columns; cell (i, j) ends in part[i side * MAP_PITCH + j]. */
static __device__ __forceinline__ void
pool_square (const float *map, Pool *part, int side)
{
  const int n = SIDE / side, thread = thread_in_block ();
  for (int i = thread; i < SIDE * n; i += GRID * GRID)
    {
      int row = i / n, cell = i - row * n;
      const float *at = map + row * MAP_PITCH + cell * side;
      Pool p = { 0, 0 };
      for (int k = 0; k < side; k++)
        {
          p.sum += at[k];
          p.max = larger (p.max, at[k]);
        }
      part[row * n + cell] = p;
    }
  __syncthreads ();
  for (int i = thread; i < n * n; i += GRID * GRID)
    {
      int row = i / n, cell = i - row * n;
      Pool p = part[row * side * n + cell];
      for (int k = 1; k < side; k++)
        {
          const Pool &other = part[(row * side + k) * n + cell];
          p.sum += other.sum;
          p.max = larger (p.max, other.max);
        }
      part[row * side * n + cell] = p;
    }
  __syncthreads ();
}

/* Entries of cell (row, column), whole or cut off at an edge. */
static __device__ __forceinline__ float
entries_of (int row, int column, int level, int Tq, int Tk)
{
  gint64 side = (gint64) 1 << level;
  gint64 height = Tq - row * side, width = Tk - column * side;
  return (float) (height < side ? height : side) * (float) (width < side ? width : side);
}

/* A block makes the cells of SIDE x SIDE entries; where a cell is larger, one cell. */
template <typename T>
static __global__ void
pooled (Rect<T> r, T *mean, T *max, int rows, int columns, int level, int first_row)
{
  /* Entries lie where the operands were that they were made of. */
  __shared__ __align__ (16) float room[2 * SIDE * PIECE_PITCH];
  __shared__ Pool part[SIDE * SIDE / 2];
  float *map = room;
  const int side = min (1 << level, SIDE), span = (1 << level) > SIDE ? 1 << level : SIDE;
  const int per_block = SIDE / side; /* cells of a side of the block */
  const int row0 = (first_row + (int) blockIdx.y) * per_block;
  const int column0 = (int) blockIdx.x * per_block;
  const int q0 = (first_row + (int) blockIdx.y) * span, k0 = (int) blockIdx.x * span;
  Pool whole = { 0, 0 };
  bool is_seen = false;
  for (int dq = 0; dq < span && q0 + dq < r.Tq; dq += SIDE)
    for (int dk = 0; dk < span && k0 + dk < r.Tk; dk += SIDE)
      {
        /* What no query of these sees is 0. */
        if (k0 + dk >= end_seen (r.seen, q0 + dq, SIDE, r.Tk) ||
            k0 + dk + SIDE <= first_seen (r.seen, q0 + dq, r.Tk))
          continue;
        is_seen = true;
        float s[EACH][EACH];
        weigh (r, q0 + dq, k0 + dk, room, room + SIDE * PIECE_PITCH, s);
        __syncthreads ();
        for (int i = 0; i < EACH; i++)
          for (int j = 0; j < EACH; j++)
            map[(EACH * (int) threadIdx.y + i) * MAP_PITCH + (int) threadIdx.x +
                GRID * j] = s[i][j];
        __syncthreads ();
        pool_square (map, part, side);
        whole.sum += part[0].sum;
        whole.max = larger (whole.max, part[0].max);
      }
  for (int i = thread_in_block (); i < per_block * per_block; i += GRID * GRID)
    {
      int dr = i / per_block, dc = i - dr * per_block;
      int row = row0 + dr, column = column0 + dc;
      if (row >= rows || column >= columns)
        continue;
      Pool p = per_block == 1 ? whole : part[dr * side * per_block + dc];
      if (!is_seen)
        p.sum = p.max = 0;
      gint64 at = (gint64) row * columns + column;
      mean[at] = from_float<T> (p.sum / entries_of (row, column, level, r.Tq, r.Tk));
      max[at] = from_float<T> (p.max);
    }
}

/* Rows of blocks that are launched at a time: coarse maps of long texts are long work. */
gboolean
cuda_op_attention_pooled (CudaContext *context, const HlOpCall *call, GError **error)
{
  if (call->params.level == 0) /* cells are entries: mean and maximum are the same */
    {
      HlTensor *mean = call->out[0], *max = call->out[1];
      if (!cuda_op_attention_rect (context, call, error))
        return FALSE;
      cuda_copy_strided (context, max, mean);
      return TRUE;
    }
  const gint64 *dim = call->out[0]->shape.dim;
  const int level = call->params.level, span = level < 6 ? SIDE : 1 << level;
  const gint64 Tq = call->in[0]->shape.dim[0], Tk = call->in[1]->shape.dim[0];
  gint64 n_rows = (Tq + span - 1) / span;
  double flops = 2.0 * span * (double) Tk * (double) call->in[0]->shape.dim[1];
  gint64 some = (gint64) (cuda_pace_flops (context) / (flops > 1 ? flops : 1));
  some = some < 1 ? 1 : some > MOST_ROWS ? MOST_ROWS : some;
  for (gint64 row = 0; row < n_rows; row += some)
    {
      gint64 n = n_rows - row < some ? n_rows - row : some;
      if (row > 0 && !cuda_pace (context, flops * (double) n, 0))
        return TRUE;
      CUDA_WITH_TYPE (
          context->dtype,
          CUDA_LAUNCH ((pooled<T>), dim3 (blocks_for (Tk, span), (unsigned) n),
                       dim3 (GRID, GRID), 0, context->stream, rect_of<T> (call),
                       (T *) call->out[0]->data, (T *) call->out[1]->data, (int) dim[0],
                       (int) dim[1], level, (int) row));
    }
  return TRUE;
}
