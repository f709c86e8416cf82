/* SPDX-License-Identifier: MIT
 * Norms over the last dimension, and their gradients: a row a warp, or a block where it
 * is long. What the forward pass knew of a row is computed again on the way back. */
#include "backend/cuda/cuda-kernel.cuh"

/* Mean (0 where @IS_RMS) and 1 / s of a row. */
template <typename T, int GROUP, bool IS_RMS>
static __device__ __forceinline__ void
measure (const T *x, int D, float eps, float *mean, float *factor)
{
  float sum = 0, squares = 0;
  for (int d = Row<GROUP>::lane (); d < D && !IS_RMS; d += GROUP)
    sum += to_float (x[d]);
  *mean = IS_RMS ? 0 : Row<GROUP>::sum (sum) / (float) D;
  for (int d = Row<GROUP>::lane (); d < D; d += GROUP)
    {
      float off = to_float (x[d]) - *mean;
      squares += off * off;
    }
  *factor = 1 / sqrtf (Row<GROUP>::sum (squares) / (float) D + eps);
}

template <typename T, int GROUP, bool IS_RMS>
static __global__ void
norm (const T *x, const T *g, const T *b, T *y, gint64 n_rows, int D, float eps)
{
  float mean, factor;
  gint64 row = Row<GROUP>::index ();
  if (row >= n_rows)
    return;
  x += row * D;
  y += row * D;
  measure<T, GROUP, IS_RMS> (x, D, eps, &mean, &factor);
  for (int d = Row<GROUP>::lane (); d < D; d += GROUP)
    {
      float value = (to_float (x[d]) - mean) * factor * to_float (g[d]);
      y[d] = from_float<T> (IS_RMS ? value : value + to_float (b[d]));
    }
}

/* Rows that lie in registers, EACH numbers a thread: they are read once. */
template <typename T, int GROUP, int EACH, bool IS_RMS>
static __global__ void
norm_short (const T *x, const T *g, const T *b, T *y, gint64 n_rows, int D, float eps)
{
  gint64 row = Row<GROUP>::index ();
  if (row >= n_rows)
    return;
  x += row * D;
  y += row * D;
  const int lane = Row<GROUP>::lane ();
  float mine[EACH], sum = 0, squares = 0, mean = 0;
#pragma unroll
  for (int i = 0; i < EACH; i++)
    {
      int d = lane + i * GROUP;
      mine[i] = d < D ? to_float (x[d]) : 0;
      sum += mine[i];
    }
  if (!IS_RMS)
    mean = Row<GROUP>::sum (sum) / (float) D;
#pragma unroll
  for (int i = 0; i < EACH; i++)
    {
      float off = lane + i * GROUP < D ? mine[i] - mean : 0;
      squares += off * off;
    }
  const float factor = 1 / sqrtf (Row<GROUP>::sum (squares) / (float) D + eps);
#pragma unroll
  for (int i = 0; i < EACH; i++)
    {
      int d = lane + i * GROUP;
      if (d >= D)
        continue;
      float value = (mine[i] - mean) * factor * to_float (g[d]);
      y[d] = from_float<T> (IS_RMS ? value : value + to_float (b[d]));
    }
}

template <typename T, bool IS_RMS>
static void
launch_norm (CudaContext *context, const HlOpCall *call, gint64 n_rows, int D)
{
  const T *x = (const T *) call->in[0]->data, *g = (const T *) call->in[1]->data;
  const T *b = IS_RMS ? NULL : (const T *) call->in[2]->data;
  T *y = (T *) call->out[0]->data;
  const float eps = (float) call->params.eps;
  const dim3 narrow (row_blocks<WARP> (n_rows)), wide (row_blocks<ROW_THREADS> (n_rows));
  const dim3 threads (ROW_THREADS);
  if (D <= 8 * WARP)
    CUDA_LAUNCH ((norm_short<T, WARP, 8, IS_RMS>), narrow, threads, 0, context->stream, x,
                 g, b, y, n_rows, D, eps);
  else if (D <= 32 * WARP)
    CUDA_LAUNCH ((norm_short<T, WARP, 32, IS_RMS>), narrow, threads, 0, context->stream,
                 x, g, b, y, n_rows, D, eps);
  else if (D <= 16 * ROW_THREADS)
    CUDA_LAUNCH ((norm_short<T, ROW_THREADS, 16, IS_RMS>), wide, threads, 0,
                 context->stream, x, g, b, y, n_rows, D, eps);
  else
    CUDA_LAUNCH ((norm<T, ROW_THREADS, IS_RMS>), wide, threads, 0, context->stream, x, g,
                 b, y, n_rows, D, eps);
}

template <bool IS_RMS>
static void
run_norm (CudaContext *context, const HlOpCall *call)
{
  int D = (int) call->in[1]->shape.dim[0];
  gint64 n_rows = hl_tensor_count (call->in[0]) / D;
  CUDA_WITH_TYPE (context->dtype, (launch_norm<T, IS_RMS> (context, call, n_rows, D)));
}

gboolean
cuda_op_layer_norm (CudaContext *context, const HlOpCall *call, GError **error)
{
  run_norm<false> (context, call);
  return TRUE;
}

gboolean
cuda_op_rms_norm (CudaContext *context, const HlOpCall *call, GError **error)
{
  run_norm<true> (context, call);
  return TRUE;
}

/* ---- gradients -----------------------------------------------------------------------
 */

template <typename T> struct NormGrad
{
  const T *dy, *x, *g;
  T *dx, *dyn;
  gint64 n_rows;
  int D;
  float eps;
};

template <typename T, int GROUP, bool IS_RMS>
static __global__ void
norm_grad (NormGrad<T> n)
{
  float mean, factor, sum = 0, sum_n = 0;
  gint64 row = Row<GROUP>::index ();
  if (row >= n.n_rows)
    return;
  const T *x = n.x + row * n.D, *dy = n.dy + row * n.D;
  T *dx = n.dx + row * n.D, *dyn = n.dyn + row * n.D;
  measure<T, GROUP, IS_RMS> (x, n.D, n.eps, &mean, &factor);
  for (int d = Row<GROUP>::lane (); d < n.D; d += GROUP)
    {
      float given = to_float (dy[d]), gain = to_float (n.g[d]);
      float scaled = given * ((to_float (x[d]) - mean) * factor);
      dyn[d] = from_float<T> (scaled);
      sum += given * gain;
      sum_n += scaled * gain;
    }
  float m = IS_RMS ? 0 : Row<GROUP>::sum (sum) / (float) n.D;
  float mn = Row<GROUP>::sum (sum_n) / (float) n.D;
  for (int d = Row<GROUP>::lane (); d < n.D; d += GROUP)
    {
      float off = (to_float (x[d]) - mean) * factor;
      dx[d] =
          from_float<T> ((to_float (dy[d]) * to_float (n.g[d]) - m - off * mn) * factor);
    }
}

template <typename T, bool IS_RMS>
static void
launch_norm_grad (CudaContext *context, const HlOpCall *call)
{
  int D = (int) call->in[2]->shape.dim[0];
  NormGrad<T> n = { (const T *) call->in[0]->data,
                    (const T *) call->in[1]->data,
                    (const T *) call->in[2]->data,
                    (T *) call->out[0]->data,
                    (T *) call->out[1]->data,
                    hl_tensor_count (call->in[1]) / D,
                    D,
                    (float) call->params.eps };
  if (D <= LONG_ROW)
    CUDA_LAUNCH ((norm_grad<T, WARP, IS_RMS>), dim3 (row_blocks<WARP> (n.n_rows)),
                 dim3 (ROW_THREADS), 0, context->stream, n);
  else
    CUDA_LAUNCH ((norm_grad<T, ROW_THREADS, IS_RMS>),
                 dim3 (row_blocks<ROW_THREADS> (n.n_rows)), dim3 (ROW_THREADS), 0,
                 context->stream, n);
}

gboolean
cuda_op_layer_norm_grad (CudaContext *context, const HlOpCall *call, GError **error)
{
  CUDA_WITH_TYPE (context->dtype, (launch_norm_grad<T, false> (context, call)));
  return TRUE;
}

gboolean
cuda_op_rms_norm_grad (CudaContext *context, const HlOpCall *call, GError **error)
{
  CUDA_WITH_TYPE (context->dtype, (launch_norm_grad<T, true> (context, call)));
  return TRUE;
}
