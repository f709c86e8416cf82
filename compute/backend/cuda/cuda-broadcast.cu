/* SPDX-License-Identifier: MIT
 * Ops whose inputs repeat along dimensions where they are 1: add, multiply, blend, gates;
 * strided copies, and sums into what is smaller. */
#include "backend/cuda/cuda-kernel.cuh"

#define THREADS 256

/* Where an input's number for place i of the output lies. */
enum Reach
{
  WHOLE,    /* at i */
  REPEATS,  /* at i % period: all dimensions before some are 1 */
  BY_STRIDE /* anywhere */
};

struct Operand
{
  const void *data;
  Reach reach;
  gint64 period;
  gint64 stride[HL_MAX_DIMS]; /* 0 where the dimension is 1 */
};

struct Space
{
  int n_dims;
  gint64 dim[HL_MAX_DIMS];
};

/* Offsets of place @i of @space by @stride. Division of 64 bits is slow: it is kept to
 * spaces that need it. */
template <typename Index>
static __device__ __forceinline__ gint64
offset_of (const Space &space, const gint64 *stride, Index i)
{
  gint64 offset = 0;
  for (int d = space.n_dims - 1; d > 0; d--)
    {
      Index n = (Index) space.dim[d];
      offset += (gint64) (i % n) * stride[d];
      i /= n;
    }
  return space.n_dims > 0 ? offset + (gint64) i * stride[0] : offset;
}

template <typename T, typename Index>
static __device__ __forceinline__ float
number_of (const Operand &x, const Space &space, Index i)
{
  const T *data = (const T *) x.data;
  if (x.reach == WHOLE)
    return to_float (data[i]);
  if (x.reach == REPEATS)
    return to_float (data[i % (Index) x.period]);
  return to_float (data[offset_of (space, x.stride, i)]);
}

template <int N> struct Operands
{
  Operand x[N];
};

template <typename T, int N, typename Func, typename Index>
static __global__ void
broadcast (const __grid_constant__ Operands<N> in,
           T *out,
           const __grid_constant__ Space space,
           Index n,
           Func func)
{
  Index i = (Index) blockIdx.x * THREADS + threadIdx.x;
  float x[N];
  if (i >= n)
    return;
  for (int k = 0; k < N; k++)
    x[k] = number_of<T, Index> (in.x[k], space, i);
  out[i] = from_float<T> (func (x));
}

/* Every input is whole or repeats by whole packs. */
template <typename T, int N, typename Func, typename Index>
static __global__ void
broadcast_packs (const __grid_constant__ Operands<N> in, T *out, Index n, Func func)
{
  Index i = (Index) blockIdx.x * THREADS + threadIdx.x;
  Pack<T> packs[N], made;
  float x[N];
  if (i >= n)
    return;
  for (int k = 0; k < N; k++)
    {
      Index at = in.x[k].reach == WHOLE ? i : i % (Index) (in.x[k].period / Pack<T>::N);
      packs[k] = ((const Pack<T> *) in.x[k].data)[at];
    }
  for (int j = 0; j < Pack<T>::N; j++)
    {
      for (int k = 0; k < N; k++)
        x[k] = to_float (packs[k].x[j]);
      made.x[j] = from_float<T> (func (x));
    }
  ((Pack<T> *) out)[i] = made;
}

static Space
space_of (const HlTensor *out)
{
  Space space = { out->shape.n_dims, { 0 } };
  for (int d = 0; d < space.n_dims; d++)
    space.dim[d] = out->shape.dim[d];
  return space;
}

static Operand
operand_of (const HlTensor *t, const HlTensor *out)
{
  Operand x = { t->data, BY_STRIDE, hl_tensor_count (t), { 0 } };
  bool repeats = hl_tensor_is_contiguous (t), is_leading = true;
  for (int d = 0; d < t->shape.n_dims; d++)
    {
      bool is_one = t->shape.dim[d] == 1 && out->shape.dim[d] != 1;
      x.stride[d] = t->shape.dim[d] == 1 ? 0 : t->stride[d];
      is_leading = is_leading && (is_one || out->shape.dim[d] == 1);
      repeats = repeats && (!is_one || is_leading);
    }
  if (repeats)
    x.reach = x.period == hl_tensor_count (out) ? WHOLE : REPEATS;
  return x;
}

template <typename T, int N, typename Func, typename Index>
static void
run_indexed (CudaContext *context, const Operands<N> &in, HlTensor *out, Func func)
{
  gint64 n = hl_tensor_count (out);
  bool is_packed = n % Pack<T>::N == 0 && is_aligned (out->data);
  for (int k = 0; k < N; k++)
    is_packed = is_packed && in.x[k].reach != BY_STRIDE && is_aligned (in.x[k].data) &&
                in.x[k].period % Pack<T>::N == 0;
  gint64 n_items = is_packed ? n / Pack<T>::N : n;
  dim3 grid (blocks_for (n_items, THREADS));
  if (is_packed)
    CUDA_LAUNCH ((broadcast_packs<T, N, Func, Index>), grid, dim3 (THREADS), 0,
                 context->stream, in, (T *) out->data, (Index) n_items, func);
  else
    CUDA_LAUNCH ((broadcast<T, N, Func, Index>), grid, dim3 (THREADS), 0, context->stream,
                 in, (T *) out->data, space_of (out), (Index) n_items, func);
}

template <int N, typename Func>
static void
run_broadcast (CudaContext *context, HlTensor *const *inputs, HlTensor *out, Func func)
{
  Operands<N> in;
  for (int k = 0; k < N; k++)
    in.x[k] = operand_of (inputs[k], out);
  bool is_small = hl_tensor_count (out) < G_MAXINT;
  CUDA_WITH_TYPE (
      out->dtype,
      if (is_small) { run_indexed<T, N, Func, unsigned> (context, in, out, func); } else {
        run_indexed<T, N, Func, gint64> (context, in, out, func);
      });
}

struct Sum
{
  __device__ __forceinline__ float
  operator() (const float *x) const
  {
    return x[0] + x[1];
  }
};

struct Product
{
  __device__ __forceinline__ float
  operator() (const float *x) const
  {
    return x[0] * x[1];
  }
};

struct Blend
{
  __device__ __forceinline__ float
  operator() (const float *x) const
  {
    return x[0] + x[1] * (x[2] - x[0]);
  }
};

struct BlendZero
{
  __device__ __forceinline__ float
  operator() (const float *x) const
  {
    return x[0] + x[1] * (0 - x[0]);
  }
};

struct Same
{
  __device__ __forceinline__ float
  operator() (const float *x) const
  {
    return x[0];
  }
};

gboolean
cuda_op_add (CudaContext *context, const HlOpCall *call, GError **error)
{
  run_broadcast<2> (context, call->in, call->out[0], Sum ());
  return TRUE;
}

gboolean
cuda_op_multiply (CudaContext *context, const HlOpCall *call, GError **error)
{
  run_broadcast<2> (context, call->in, call->out[0], Product ());
  return TRUE;
}

gboolean
cuda_op_blend (CudaContext *context, const HlOpCall *call, GError **error)
{
  if (call->in[2] != NULL)
    run_broadcast<3> (context, call->in, call->out[0], Blend ());
  else
    run_broadcast<2> (context, call->in, call->out[0], BlendZero ());
  return TRUE;
}

/* z (B, T, H, K) times g (B, H), seen as (B, 1, H, 1). */
gboolean
cuda_op_gate (CudaContext *context, const HlOpCall *call, GError **error)
{
  HlTensor g = *call->in[1];
  const gint64 B = g.shape.dim[0], H = g.shape.dim[1];
  g.shape.n_dims = 4;
  const gint64 dim[] = { B, 1, H, 1 }, stride[] = { H, H, 1, 1 };
  for (int d = 0; d < 4; d++)
    {
      g.shape.dim[d] = dim[d];
      g.stride[d] = stride[d];
    }
  HlTensor *inputs[] = { call->in[0], &g };
  run_broadcast<2> (context, inputs, call->out[0], Product ());
  return TRUE;
}

/* ---- strided -------------------------------------------------------------------------
 */

template <typename T, bool ADDS>
static __global__ void
put (const __grid_constant__ Operand x,
     T *out,
     const __grid_constant__ Space space,
     const __grid_constant__ Operand to,
     gint64 n)
{
  gint64 i = (gint64) blockIdx.x * THREADS + threadIdx.x;
  if (i >= n)
    return;
  T *at = out + offset_of (space, to.stride, (unsigned long long) i);
  float value = to_float (
      ((const T *) x.data)[offset_of (space, x.stride, (unsigned long long) i)]);
  *at = from_float<T> (ADDS ? to_float (*at) + value : value);
}

template <bool ADDS>
static void
run_put (CudaContext *context, HlTensor *into, const HlTensor *x)
{
  gint64 n = hl_tensor_count (x);
  if (n == 0)
    return;
  CUDA_WITH_TYPE (x->dtype, CUDA_LAUNCH ((put<T, ADDS>), dim3 (blocks_for (n, THREADS)),
                                         dim3 (THREADS), 0, context->stream,
                                         operand_of (x, into), (T *) into->data,
                                         space_of (into), operand_of (into, into), n));
}

/* Rows of the last dimension, which is dense in both, sixteen bytes a thread. */
static __global__ void
copy_rows (const uint4 *x,
           uint4 *out,
           const __grid_constant__ Space rows,
           const __grid_constant__ Operand from,
           const __grid_constant__ Operand to,
           unsigned packs,
           gint64 n)
{
  gint64 i = (gint64) blockIdx.x * THREADS + threadIdx.x;
  if (i >= n)
    return;
  unsigned row = (unsigned) (i / packs), pack = (unsigned) (i - (gint64) row * packs);
  out[offset_of (rows, to.stride, row) + pack] =
      x[offset_of (rows, from.stride, row) + pack];
}

/* Strides of all but the last dimension, in packs of @each numbers. */
static bool
take_row_strides (const HlTensor *t, gint64 each, Operand *out)
{
  int last = t->shape.n_dims - 1;
  bool fits =
      is_aligned (t->data) && t->stride[last] == 1 && t->shape.dim[last] % each == 0;
  for (int d = 0; d < last; d++)
    {
      gint64 stride = t->shape.dim[d] == 1 ? 0 : t->stride[d];
      fits = fits && stride % each == 0;
      out->stride[d] = stride / each;
    }
  return fits;
}

/* FALSE where rows do not begin and end at multiples of sixteen bytes. */
static bool
run_copy_rows (CudaContext *context, HlTensor *into, const HlTensor *x)
{
  Operand from, to;
  int last = x->shape.n_dims - 1;
  gint64 each = 16 / (gint64) hl_dtype_size (x->dtype);
  if (last < 0 || !take_row_strides (x, each, &from) ||
      !take_row_strides (into, each, &to) || hl_tensor_count (x) > G_MAXUINT32)
    return false;
  Space rows = space_of (x);
  rows.n_dims = last;
  gint64 n = hl_tensor_count (x) / each;
  CUDA_LAUNCH ((copy_rows), dim3 (blocks_for (n, THREADS)), dim3 (THREADS), 0,
               context->stream, (const uint4 *) x->data, (uint4 *) into->data, rows, from,
               to, (unsigned) (x->shape.dim[last] / each), n);
  return true;
}

void
cuda_copy_strided (CudaContext *context, HlTensor *into, const HlTensor *x)
{
  if (hl_tensor_count (x) == 0 || run_copy_rows (context, into, x))
    return;
  if (hl_tensor_is_contiguous (into))
    {
      HlTensor from = *x;
      HlTensor *inputs[] = { &from };
      run_broadcast<1> (context, inputs, into, Same ());
    }
  else
    run_put<false> (context, into, x);
}

/* ---- sums ----------------------------------------------------------------------------
 */

/* The dimensions that are kept and those that are summed up, each with strides in x. */
struct Reduction
{
  Space kept, summed;
  gint64 x_kept[HL_MAX_DIMS], x_summed[HL_MAX_DIMS], into[HL_MAX_DIMS];
  gint64 n_kept, n_summed;
};

static Reduction
reduction_of (const HlTensor *into, const HlTensor *x)
{
  Reduction r = { { 0, { 0 } }, { 0, { 0 } }, { 0 }, { 0 }, { 0 }, 1, 1 };
  for (int d = 0; d < x->shape.n_dims; d++)
    if (into->shape.dim[d] == x->shape.dim[d])
      {
        r.x_kept[r.kept.n_dims] = x->stride[d];
        r.into[r.kept.n_dims] = into->stride[d];
        r.kept.dim[r.kept.n_dims++] = x->shape.dim[d];
        r.n_kept *= x->shape.dim[d];
      }
    else
      {
        r.x_summed[r.summed.n_dims] = x->stride[d];
        r.summed.dim[r.summed.n_dims++] = x->shape.dim[d];
        r.n_summed *= x->shape.dim[d];
      }
  return r;
}

/* 32 neighbouring numbers a block; its 8 rows of threads share what is summed up. */
#define SUM_ROWS 8

template <typename T>
static __global__ void
add_up (const T *x, T *into, const __grid_constant__ Reduction r)
{
  __shared__ float part[SUM_ROWS][WARP + 1];
  gint64 i = (gint64) blockIdx.x * WARP + threadIdx.x;
  float sum = 0;
  if (i < r.n_kept)
    {
      const T *from = x + offset_of (r.kept, r.x_kept, (unsigned long long) i);
      for (gint64 j = threadIdx.y; j < r.n_summed; j += SUM_ROWS)
        sum += to_float (from[offset_of (r.summed, r.x_summed, (unsigned) j)]);
    }
  part[threadIdx.y][threadIdx.x] = sum;
  __syncthreads ();
  if (threadIdx.y != 0 || i >= r.n_kept)
    return;
  T *at = into + offset_of (r.kept, r.into, (unsigned long long) i);
  sum = to_float (*at);
  for (int k = 0; k < SUM_ROWS; k++)
    sum += part[k][threadIdx.x];
  *at = from_float<T> (sum);
}

void
cuda_accumulate (CudaContext *context, HlTensor *into, const HlTensor *x)
{
  if (hl_tensor_count (x) == 0)
    return;
  if (hl_shape_equal (&into->shape, &x->shape) && hl_tensor_is_contiguous (into))
    {
      HlTensor a = *into, b = *x;
      HlTensor *inputs[] = { &a, &b };
      run_broadcast<2> (context, inputs, into, Sum ());
      return;
    }
  if (hl_shape_equal (&into->shape, &x->shape))
    {
      run_put<true> (context, into, x);
      return;
    }
  const Reduction r = reduction_of (into, x);
  CUDA_WITH_TYPE (x->dtype, CUDA_LAUNCH ((add_up<T>), dim3 (blocks_for (r.n_kept, WARP)),
                                         dim3 (WARP, SUM_ROWS), 0, context->stream,
                                         (const T *) x->data, (T *) into->data, r));
}
