/* SPDX-License-Identifier: MIT
 * Row softmax with the logarithm of each row's sum, and its gradient. A row is read once
 * for its maximum and sum together, and once more to be written. */
#include "backend/cuda/cuda-seen.cuh"

/* The maximum so far and the sum of exp (x - max). */
struct Running
{
  float max, sum;
};

static __device__ __forceinline__ void
take (Running *r, float x)
{
  if (x > r->max)
    {
      /* exp (-inf) is 0 at first; inf - inf is to be seen. */
      r->sum = r->sum * expf (r->max - x) + (x == INFINITY ? NAN : 1);
      r->max = x;
    }
  else if (!(x == -INFINITY)) /* NaN goes in */
    r->sum += expf (x - r->max);
}

template <typename T> struct Softmax
{
  const T *scores;
  T *out;
  float *lse;
  gint64 n_rows;
  int Tq, Tk;
  Seen seen;
};

template <typename T, int GROUP>
static __global__ void
softmax (Softmax<T> s)
{
  gint64 row = Row<GROUP>::index ();
  if (row >= s.n_rows)
    return;
  const T *x = s.scores + row * s.Tk;
  T *y = s.out + row * s.Tk;
  const int first = first_seen (s.seen, row % s.Tq, s.Tk);
  const int end = end_seen (s.seen, row % s.Tq, 1, s.Tk);
  Running mine = { -INFINITY, 0 };
  for (int j = first + Row<GROUP>::lane (); j < end; j += GROUP)
    take (&mine, to_float (x[j]));
  float max = Row<GROUP>::max (mine.max);
  /* Nobody may be seen, or there is NaN and nothing else: max is -inf in both. */
  float part =
      mine.sum == 0 ? 0 : mine.sum * (mine.max == max ? 1 : expf (mine.max - max));
  float sum = Row<GROUP>::sum (part);
  float factor = max == -INFINITY ? 0 : 1 / sum;
  for (int j = Row<GROUP>::lane (); j < s.Tk; j += GROUP)
    {
      bool is_seen = j >= first && j < end && max != -INFINITY;
      y[j] = from_float<T> (is_seen ? expf (to_float (x[j]) - max) * factor : 0);
    }
  if (Row<GROUP>::lane () == 0)
    s.lse[row] = max == -INFINITY ? -INFINITY : max + logf (sum);
}

/* The same for rows that lie in registers, EACH numbers a thread: they are read once, and
 * many reads are under way at a time. */
template <typename T, int GROUP, int EACH>
static __global__ void
softmax_short (const __grid_constant__ Softmax<T> s)
{
  gint64 row = Row<GROUP>::index ();
  if (row >= s.n_rows)
    return;
  const T *x = s.scores + row * s.Tk;
  T *y = s.out + row * s.Tk;
  const int query = (int) (row % s.Tq), lane = Row<GROUP>::lane ();
  const int first = first_seen (s.seen, query, s.Tk);
  const int end = end_seen (s.seen, query, 1, s.Tk);
  float mine[EACH], max = -INFINITY, sum = 0;
#pragma unroll
  for (int i = 0; i < EACH; i++)
    {
      int j = lane + i * GROUP;
      mine[i] = j >= first && j < end ? to_float (x[j]) : -INFINITY;
    }
#pragma unroll
  for (int i = 0; i < EACH; i++)
    max = larger (max, mine[i]);
  max = Row<GROUP>::max (max);
  const bool is_blind = max == -INFINITY;
#pragma unroll
  for (int i = 0; i < EACH; i++)
    {
      int j = lane + i * GROUP;
      bool is_seen = j >= first && j < end && !is_blind;
      mine[i] = is_seen ? expf (mine[i] - max) : 0;
      sum += mine[i];
    }
  sum = Row<GROUP>::sum (sum);
  const float factor = is_blind ? 0 : 1 / sum;
#pragma unroll
  for (int i = 0; i < EACH; i++)
    {
      int j = lane + i * GROUP;
      if (j < s.Tk)
        y[j] = from_float<T> (mine[i] * factor);
    }
  if (lane == 0)
    s.lse[row] = is_blind ? -INFINITY : max + logf (sum);
}

template <typename T, int GROUP, int EACH>
static void
launch_short (CudaContext *context, const Softmax<T> &s)
{
  CUDA_LAUNCH ((softmax_short<T, GROUP, EACH>), dim3 (row_blocks<GROUP> (s.n_rows)),
               dim3 (ROW_THREADS), 0, context->stream, s);
}

template <typename T>
static void
launch_softmax (CudaContext *context, const HlOpCall *call)
{
  const HlTensor *in = call->in[0];
  Softmax<T> s = { (const T *) in->data,         (T *) call->out[0]->data,
                   (float *) call->out[1]->data, hl_tensor_count (call->out[1]),
                   (int) in->shape.dim[2],       (int) in->shape.dim[3],
                   seen_of (&call->params) };
  if (s.Tk <= 8 * WARP)
    launch_short<T, WARP, 8> (context, s);
  else if (s.Tk <= 32 * WARP)
    launch_short<T, WARP, 32> (context, s);
  else if (s.Tk <= 16 * ROW_THREADS)
    launch_short<T, ROW_THREADS, 16> (context, s);
  else
    CUDA_LAUNCH ((softmax<T, ROW_THREADS>), dim3 (row_blocks<ROW_THREADS> (s.n_rows)),
                 dim3 (ROW_THREADS), 0, context->stream, s);
}

gboolean
cuda_op_softmax (CudaContext *context, const HlOpCall *call, GError **error)
{
  CUDA_WITH_TYPE (context->dtype, launch_softmax<T> (context, call));
  return TRUE;
}

/* ---- gradient ------------------------------------------------------------------------
 */

template <typename T, int GROUP>
static __global__ void
softmax_grad (const T *da, const T *a, T *ds, gint64 n_rows, int Tk)
{
  gint64 row = Row<GROUP>::index ();
  if (row >= n_rows)
    return;
  da += row * Tk;
  a += row * Tk;
  ds += row * Tk;
  float sum = 0;
  for (int j = Row<GROUP>::lane (); j < Tk; j += GROUP)
    sum += to_float (da[j]) * to_float (a[j]);
  sum = Row<GROUP>::sum (sum);
  for (int j = Row<GROUP>::lane (); j < Tk; j += GROUP)
    ds[j] = from_float<T> (to_float (a[j]) * (to_float (da[j]) - sum));
}

template <typename T>
static void
launch_softmax_grad (CudaContext *context, const HlOpCall *call)
{
  int Tk = (int) call->in[1]->shape.dim[3];
  gint64 n_rows = hl_tensor_count (call->in[1]) / Tk;
  const T *da = (const T *) call->in[0]->data, *a = (const T *) call->in[1]->data;
  T *ds = (T *) call->out[0]->data;
  if (Tk <= LONG_ROW)
    CUDA_LAUNCH ((softmax_grad<T, WARP>), dim3 (row_blocks<WARP> (n_rows)),
                 dim3 (ROW_THREADS), 0, context->stream, da, a, ds, n_rows, Tk);
  else
    CUDA_LAUNCH ((softmax_grad<T, ROW_THREADS>), dim3 (row_blocks<ROW_THREADS> (n_rows)),
                 dim3 (ROW_THREADS), 0, context->stream, da, a, ds, n_rows, Tk);
}

gboolean
cuda_op_softmax_grad (CudaContext *context, const HlOpCall *call, GError **error)
{
  CUDA_WITH_TYPE (context->dtype, launch_softmax_grad<T> (context, call));
  return TRUE;
}
