/* SPDX-License-Identifier: MIT
 * Ops that only move numbers, and those that turn or add up while they do: patches,
 * windows, tokens put together or picked, rotary positions, gradients of gates. */
#include "backend/cuda/cuda-kernel.cuh"

#define THREADS 256

/* A thread a number of the output: func (i) says what it is. */
template <typename T, typename Func>
static __global__ void
fill (T *out, gint64 n, Func func)
{
  gint64 i = (gint64) blockIdx.x * THREADS + threadIdx.x;
  if (i < n)
    out[i] = func (i);
}

template <typename T, typename Func>
static void
run_fill (CudaContext *context, HlTensor *out, Func func)
{
  gint64 n = hl_tensor_count (out);
  CUDA_LAUNCH ((fill<T, Func>), dim3 (blocks_for (n, THREADS)), dim3 (THREADS), 0,
               context->stream, (T *) out->data, n, func);
}

/* Takes the last dimension, of size @n, off @i: division is done in 32 bits where the
 * whole fits. */
static __device__ __forceinline__ int
pop (gint64 *i, int n)
{
  if (*i < G_MAXINT)
    {
      int whole = (int) *i, quotient = whole / n;
      *i = quotient;
      return whole - quotient * n;
    }
  int rest = (int) (*i % n);
  *i /= n;
  return rest;
}

/* ---- patches -------------------------------------------------------------------------
 */

struct PatchGrid
{
  int C, height, width, ph, pw;
};

static PatchGrid
patches_of (const HlOpCall *call, const HlTensor *pixels)
{
  const gint64 *dim = pixels->shape.dim;
  PatchGrid p = { (int) dim[1], (int) dim[2], (int) dim[3], call->params.patch_height,
                  call->params.patch_width };
  return p;
}

template <typename T> struct Patchify
{
  const T *x;
  PatchGrid p;

  __device__ __forceinline__ T
  operator() (gint64 i) const /* (B, rows, columns, C, ph, pw) */
  {
    int dx = pop (&i, p.pw), dy = pop (&i, p.ph), c = pop (&i, p.C);
    int column = pop (&i, p.width / p.pw), row = pop (&i, p.height / p.ph);
    return x[((i * p.C + c) * p.height + row * p.ph + dy) * p.width + column * p.pw + dx];
  }
};

template <typename T> struct Unpatchify
{
  const T *rows;
  PatchGrid p;

  __device__ __forceinline__ T
  operator() (gint64 i) const /* (B, C, height, width) */
  {
    int x = pop (&i, p.width), y = pop (&i, p.height), c = pop (&i, p.C);
    gint64 patch = (i * (p.height / p.ph) + y / p.ph) * (p.width / p.pw) + x / p.pw;
    return rows[((patch * p.C + c) * p.ph + y % p.ph) * p.pw + x % p.pw];
  }
};

gboolean
cuda_op_patchify (CudaContext *context, const HlOpCall *call, GError **error)
{
  const HlTensor *x = call->in[0];
  const PatchGrid p = patches_of (call, x);
  CUDA_WITH_TYPE (context->dtype, Patchify<T> func = { (const T *) x->data, p };
                  run_fill<T> (context, call->out[0], func));
  return TRUE;
}

gboolean
cuda_op_unpatchify (CudaContext *context, const HlOpCall *call, GError **error)
{
  const PatchGrid p = patches_of (call, call->out[0]);
  const void *rows = call->in[0]->data;
  CUDA_WITH_TYPE (context->dtype, Unpatchify<T> func = { (const T *) rows, p };
                  run_fill<T> (context, call->out[0], func));
  return TRUE;
}

/* ---- windows -------------------------------------------------------------------------
 */

struct Windows
{
  int height, width, C, kernel, step, padding, rows, columns;
};

static Windows
windows_of (const HlOpCall *call, const HlTensor *x)
{
  const HlOpParams *p = &call->params;
  const gint64 *dim = x->shape.dim;
  Windows w = {
    (int) dim[1], (int) dim[2], (int) dim[3], p->kernel, p->step, p->padding, 0, 0
  };
  w.rows = (w.height + 2 * w.padding - w.kernel) / w.step + 1;
  w.columns = (w.width + 2 * w.padding - w.kernel) / w.step + 1;
  return w;
}

template <typename T> struct Unfold
{
  const T *x;
  Windows w;

  __device__ __forceinline__ T
  operator() (gint64 i) const /* (B, rows, columns, kernel, kernel, C) */
  {
    int c = pop (&i, w.C), dx = pop (&i, w.kernel), dy = pop (&i, w.kernel);
    int column = pop (&i, w.columns), row = pop (&i, w.rows);
    int left = column * w.step - w.padding + dx, top = row * w.step - w.padding + dy;
    if (left < 0 || left >= w.width || top < 0 || top >= w.height)
      return from_float<T> (0);
    return x[((i * w.height + top) * w.width + left) * w.C + c];
  }
};

/* A number gathers from the windows that lie over it, in their order. */
template <typename T> struct Fold
{
  const T *rows;
  Windows w;

  __device__ __forceinline__ T
  operator() (gint64 i) const /* (B, height, width, C) */
  {
    int c = pop (&i, w.C), x = pop (&i, w.width), y = pop (&i, w.height);
    float sum = 0;
    for (int row = first (y); row < w.rows && row * w.step - w.padding <= y; row++)
      for (int column = first (x); column < w.columns && column * w.step - w.padding <= x;
           column++)
        {
          int dy = y + w.padding - row * w.step, dx = x + w.padding - column * w.step;
          gint64 window = (i * w.rows + row) * w.columns + column;
          sum += to_float (rows[((window * w.kernel + dy) * w.kernel + dx) * w.C + c]);
        }
    return from_float<T> (sum);
  }

  /* The first window that reaches as far as @at. */
  __device__ __forceinline__ int
  first (int at) const
  {
    int behind = at + w.padding - w.kernel + 1;
    return behind <= 0 ? 0 : (behind + w.step - 1) / w.step;
  }
};

gboolean
cuda_op_unfold (CudaContext *context, const HlOpCall *call, GError **error)
{
  const Windows w = windows_of (call, call->in[0]);
  const void *x = call->in[0]->data;
  CUDA_WITH_TYPE (context->dtype, Unfold<T> func = { (const T *) x, w };
                  run_fill<T> (context, call->out[0], func));
  return TRUE;
}

gboolean
cuda_op_fold (CudaContext *context, const HlOpCall *call, GError **error)
{
  const Windows w = windows_of (call, call->out[0]);
  const void *rows = call->in[0]->data;
  CUDA_WITH_TYPE (context->dtype, Fold<T> func = { (const T *) rows, w };
                  run_fill<T> (context, call->out[0], func));
  return TRUE;
}

/* ---- tokens --------------------------------------------------------------------------
 */

/* Tokens of @x, of every example or of the one that serves all, to @out from token @at
 * on. */
static void
put_tokens (CudaContext *context, HlTensor *out, gint64 at, const HlTensor *x)
{
  HlTensor from = *x, to = *out;
  from.stride[0] = x->shape.dim[0] == 1 ? 0 : x->stride[0];
  from.shape.dim[0] = to.shape.dim[0];
  to.shape.dim[1] = from.shape.dim[1];
  to.data = (char *) to.data + at * to.stride[1] * (gint64) hl_dtype_size (to.dtype);
  cuda_copy_strided (context, &to, &from);
}

gboolean
cuda_op_concat (CudaContext *context, const HlOpCall *call, GError **error)
{
  put_tokens (context, call->out[0], 0, call->in[0]);
  put_tokens (context, call->out[0], call->in[0]->shape.dim[1], call->in[1]);
  return TRUE;
}

gboolean
cuda_op_slice (CudaContext *context, const HlOpCall *call, GError **error)
{
  HlTensor part = *call->in[0];
  part.shape.dim[1] = call->params.count;
  part.data = (char *) part.data +
              call->params.start * part.stride[1] * (gint64) hl_dtype_size (part.dtype);
  cuda_copy_strided (context, call->out[0], &part);
  return TRUE;
}

/* ---- rotary positions ----------------------------------------------------------------
 */

template <typename T> struct Rope
{
  const T *x, *cosines, *sines;
  gint64 stride[3]; /* of (B, T, H) */
  int n_tokens, H, K, half;
  bool is_interleaved;

  __device__ __forceinline__ T
  operator() (gint64 i) const /* (B, T, H, K) */
  {
    int d = pop (&i, K), h = pop (&i, H), t = pop (&i, n_tokens);
    const T *from = x + i * stride[0] + t * stride[1] + h * stride[2];
    if (d >= 2 * half)
      return from[d];
    int pair = is_interleaved ? d / 2 : d % half;
    bool is_second = is_interleaved ? d % 2 != 0 : d >= half;
    int other = is_interleaved ? d ^ 1 : is_second ? d - half : d + half;
    float c = to_float (cosines[(gint64) t * half + pair]);
    float s = to_float (sines[(gint64) t * half + pair]);
    float mine = to_float (from[d]), its = to_float (from[other]);
    return from_float<T> (is_second ? mine * c + its * s : mine * c - its * s);
  }
};

/* The same for pairs (i, i + half), sixteen bytes of each half a thread; whole heads
 * turn. */
template <typename T>
static __global__ void
rope_packs (const __grid_constant__ Rope<T> r, T *out, unsigned packs, gint64 n)
{
  gint64 i = (gint64) blockIdx.x * THREADS + threadIdx.x;
  if (i >= n)
    return;
  gint64 vector = i;
  int at = pop (&vector, (int) packs) * Pack<T>::N;
  gint64 rest = vector;
  int h = pop (&rest, r.H), t = pop (&rest, r.n_tokens);
  const T *from = r.x + rest * r.stride[0] + t * r.stride[1] + h * r.stride[2] + at;
  T *to = out + vector * r.K + at;
  const Pack<T> a = *(const Pack<T> *) from, b = *(const Pack<T> *) (from + r.half);
  const Pack<T> c = *(const Pack<T> *) (r.cosines + (gint64) t * r.half + at);
  const Pack<T> s = *(const Pack<T> *) (r.sines + (gint64) t * r.half + at);
  Pack<T> first, second;
  for (int k = 0; k < Pack<T>::N; k++)
    {
      float x = to_float (a.x[k]), y = to_float (b.x[k]);
      float cosine = to_float (c.x[k]), sine = to_float (s.x[k]);
      first.x[k] = from_float<T> (x * cosine - y * sine);
      second.x[k] = from_float<T> (y * cosine + x * sine);
    }
  *(Pack<T> *) to = first;
  *(Pack<T> *) (to + r.half) = second;
}

template <typename T>
static void
run_rope (CudaContext *context, HlTensor *out, const Rope<T> &r)
{
  const int N = Pack<T>::N;
  bool is_packed = !r.is_interleaved && r.K == 2 * r.half && r.half % N == 0 &&
                   is_aligned (r.x) && is_aligned (r.cosines) && is_aligned (r.sines) &&
                   is_aligned (out->data);
  for (int d = 0; d < 3; d++)
    is_packed = is_packed && r.stride[d] % N == 0;
  if (!is_packed)
    {
      run_fill<T> (context, out, r);
      return;
    }
  gint64 n = hl_tensor_count (out) / 2 / N;
  CUDA_LAUNCH ((rope_packs<T>), dim3 (blocks_for (n, THREADS)), dim3 (THREADS), 0,
               context->stream, r, (T *) out->data, (unsigned) (r.half / N), n);
}

gboolean
cuda_op_rope (CudaContext *context, const HlOpCall *call, GError **error)
{
  const HlTensor *x = call->in[0];
  const gint64 *dim = x->shape.dim;
  CUDA_WITH_TYPE (context->dtype,
                  Rope<T> r = { (const T *) x->data,
                                (const T *) call->in[1]->data,
                                (const T *) call->in[2]->data,
                                { x->stride[0], x->stride[1], x->stride[2] },
                                (int) dim[1],
                                (int) dim[2],
                                (int) dim[3],
                                (int) call->in[1]->shape.dim[1],
                                call->params.is_interleaved != FALSE };
                  run_rope<T> (context, call->out[0], r));
  return TRUE;
}

/* ---- gates ---------------------------------------------------------------------------
 */

/* A block an example and head. */
template <typename T>
static __global__ void
gate_grad (const T *dy, const T *z, T *out, int n_tokens, int H, int K, bool z_is_shared)
{
  gint64 b = blockIdx.x / (unsigned) H;
  int h = (int) (blockIdx.x % (unsigned) H);
  gint64 bz = z_is_shared ? 0 : b;
  float sum = 0;
  for (int i = (int) threadIdx.x; i < n_tokens * K; i += ROW_THREADS)
    {
      int t = i / K, d = i - t * K;
      sum += to_float (dy[((b * n_tokens + t) * H + h) * K + d]) *
             to_float (z[((bz * n_tokens + t) * H + h) * K + d]);
    }
  sum = Row<ROW_THREADS>::sum (sum);
  if (threadIdx.x == 0)
    out[blockIdx.x] = from_float<T> (sum);
}

gboolean
cuda_op_gate_grad (CudaContext *context, const HlOpCall *call, GError **error)
{
  const gint64 *dim = call->in[0]->shape.dim;
  bool is_shared = call->in[1]->shape.dim[0] == 1;
  CUDA_WITH_TYPE (context->dtype,
                  CUDA_LAUNCH ((gate_grad<T>), dim3 ((unsigned) (dim[0] * dim[2])),
                               dim3 (ROW_THREADS), 0, context->stream,
                               (const T *) call->in[0]->data,
                               (const T *) call->in[1]->data, (T *) call->out[0]->data,
                               (int) dim[1], (int) dim[2], (int) dim[3], is_shared));
  return TRUE;
}
