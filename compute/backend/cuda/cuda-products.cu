/* SPDX-License-Identifier: MIT
 * Ops that are matrix products: dense layers, and attention that is computed apart, with
 * the gradients of both. The products of all examples and heads are one call; what
 * differs between them is their addresses, which a kernel writes. */
#include "backend/cuda/cuda-blas.h"
#include "backend/cuda/cuda-seen.cuh"
#include "ops/hl-seen.h"

#define THREADS 256

/* ---- dense ---------------------------------------------------------------------------
 */

static gint64
last_of (const HlTensor *t)
{
  return t->shape.dim[t->shape.n_dims - 1];
}

static void
clear (CudaContext *context, HlTensor *t)
{
  cudaMemsetAsync (t->data, 0, hl_tensor_size_bytes (t), context->stream);
}

template <typename T>
static __global__ void
repeat_row (const T *row, T *out, gint64 M, gint64 N, gint64 ld)
{
  gint64 i = (gint64) blockIdx.x * THREADS + threadIdx.x;
  if (i < M * N)
    out[i / N * ld + i % N] = row[i % N];
}

void
cuda_repeat_row (cudaStream_t stream,
                 HlDtype dtype,
                 gconstpointer row,
                 gpointer out,
                 gint64 M,
                 gint64 N,
                 gint64 ld)
{
  CUDA_WITH_TYPE (dtype, CUDA_LAUNCH ((repeat_row<T>), dim3 (blocks_for (M * N, THREADS)),
                                      dim3 (THREADS), 0, stream, (const T *) row,
                                      (T *) out, M, N, ld));
}

gboolean
cuda_op_linear (CudaContext *context, const HlOpCall *call, GError **error)
{
  const HlTensor *x = call->in[0], *w = call->in[1], *b = call->in[2];
  bool is_in_out = call->params.is_transposed != FALSE;
  gint64 D = last_of (x), F = last_of (call->out[0]);
  if (D == 0)
    {
      gint64 M = hl_tensor_count (call->out[0]) / F;
      if (b == NULL)
        clear (context, call->out[0]);
      else
        cuda_repeat_row (context->stream, context->dtype, b->data, call->out[0]->data, M,
                         F, F);
      return TRUE;
    }
  CudaProduct p = { context->dtype,
                    FALSE,
                    !is_in_out,
                    hl_tensor_count (x) / D,
                    F,
                    D,
                    D,
                    w->shape.dim[1],
                    F,
                    1,
                    FALSE };
  return cuda_blas_multiply (context->blas, context->stream, &p, x->data, w->data,
                             b != NULL ? b->data : NULL, call->out[0]->data, error);
}

gboolean
cuda_op_linear_grad_weight (CudaContext *context, const HlOpCall *call, GError **error)
{
  const HlTensor *dy = call->in[0], *x = call->in[1];
  bool is_in_out = call->params.is_transposed != FALSE;
  const HlTensor *a = is_in_out ? x : dy, *b = is_in_out ? dy : x; /* dW = at b */
  gint64 M = last_of (a), N = last_of (b), K = hl_tensor_count (a) / M;
  if (K == 0)
    {
      clear (context, call->out[0]);
      return TRUE;
    }
  CudaProduct p = { context->dtype, TRUE, FALSE, M, N, K, M, N, N, 1, FALSE };
  return cuda_blas_multiply (context->blas, context->stream, &p, a->data, b->data, NULL,
                             call->out[0]->data, error);
}

/* ---- matrices of heads ---------------------------------------------------------------
 */

/* Matrix (b, i) of a tensor: @base + b @stride_b + (i / @share) @stride_i, in numbers;
 * rows are @ld apart. */
struct Heads
{
  char *base;
  gint64 stride_b, stride_i, ld;
  int share;
};

/* Of (B, heads, rows, columns), a head serving @share of the product's. */
static Heads
heads_of (const HlTensor *t, gint64 n_heads)
{
  const gint64 *dim = t->shape.dim;
  Heads h = { (char *) t->data, dim[0] == 1 ? 0 : t->stride[0], t->stride[1],
              t->stride[2] > dim[3] ? t->stride[2] : dim[3], (int) (n_heads / dim[1]) };
  return h;
}

/* Of (B, rows, heads, columns), contiguous. */
static Heads
rows_of_heads (const HlTensor *t)
{
  const gint64 *dim = t->shape.dim;
  Heads h = { (char *) t->data, dim[0] == 1 ? 0 : t->stride[0], dim[3], dim[2] * dim[3],
              1 };
  return h;
}

/* One of every @group heads, the @member-th. */
static Heads
member_of (Heads h, int group, int member, gsize size)
{
  h.base += member * h.stride_i * (gint64) size;
  h.stride_i *= group;
  return h;
}

struct Trio
{
  Heads a, b, c;
};

static __host__ __device__ __forceinline__ char *
address (const Heads &h, int b, int i, gint64 size)
{
  return h.base + (b * h.stride_b + (i / h.share) * h.stride_i) * size;
}

static __global__ void
write_addresses (char **out, Trio m, int n_examples, int n_heads, gint64 size)
{
  int i = (int) (blockIdx.x * THREADS + threadIdx.x), n = n_examples * n_heads;
  if (i >= n)
    return;
  int b = i / n_heads, h = i - b * n_heads;
  out[i] = address (m.a, b, h, size);
  out[n + i] = address (m.b, b, h, size);
  out[2 * n + i] = address (m.c, b, h, size);
}

/* Every matrix, and every row of it, begins at a multiple of 16 bytes. */
static bool
is_in_sixteens (const Heads &h, gint64 size)
{
  return is_aligned (h.base) && h.stride_b * size % 16 == 0 &&
         h.stride_i * size % 16 == 0 && h.ld * size % 16 == 0;
}

/* One after another, each with the alignment that it has: of many at once cuBLAS cannot
 * see the addresses, and takes those of half precision for aligned by their sizes alone.
 */
static gboolean
multiply_apart (CudaContext *context,
                const CudaProduct &p,
                const Trio &m,
                gint64 n_examples,
                gint64 n_heads,
                GError **error)
{
  gint64 size = (gint64) hl_dtype_size (p.dtype);
  for (int b = 0; b < n_examples; b++)
    for (int i = 0; i < n_heads; i++)
      if (!cuda_blas_multiply (context->blas, context->stream, &p,
                               address (m.a, b, i, size), address (m.b, b, i, size), NULL,
                               address (m.c, b, i, size), error))
        return FALSE;
  return TRUE;
}

static gboolean
multiply_heads (CudaContext *context,
                CudaProduct p,
                const Trio &m,
                gint64 n_examples,
                gint64 n_heads,
                GError **error)
{
  int n = (int) (n_examples * n_heads);
  gint64 size = (gint64) hl_dtype_size (context->dtype);
  p.dtype = context->dtype;
  p.lda = m.a.ld;
  p.ldb = m.b.ld;
  p.ldc = m.c.ld;
  if (size < 4 && !(is_in_sixteens (m.a, size) && is_in_sixteens (m.b, size) &&
                    is_in_sixteens (m.c, size)))
    return multiply_apart (context, p, m, n_examples, n_heads, error);
  HlShape shape = { 2, { 3, n } };
  HlTensor *room = cuda_alloc (context, HL_DTYPE_I64, shape, error);
  if (room == NULL)
    return FALSE;
  char **at = (char **) room->data;
  CUDA_LAUNCH ((write_addresses), dim3 (blocks_for (n, THREADS)), dim3 (THREADS), 0,
               context->stream, at, m, (int) n_examples, (int) n_heads, size);
  gboolean ok = cuda_blas_multiply_many (context->blas, context->stream, &p,
                                         (gconstpointer *) at, (gconstpointer *) (at + n),
                                         (gpointer *) (at + 2 * n), n, error);
  hl_tensor_unref (room); /* what uses it is queued before whoever gets it next */
  return ok;
}

/* ---- what may not be seen ------------------------------------------------------------
 */

/* Scores of scaled products: bent by the cap, -inf where nothing may be seen. */
template <typename T>
static __global__ void
finish_scores (T *map, unsigned blocks_a_row, unsigned Tq, int Tk, Seen seen)
{
  unsigned row = blockIdx.x / blocks_a_row;
  int j = (int) ((blockIdx.x - row * blocks_a_row) * THREADS + threadIdx.x);
  T *at = map + (gint64) row * Tk + j;
  if (j >= Tk)
    return;
  if (!sees (seen, row % Tq, j))
    *at = from_float<T> (-INFINITY);
  else if (seen.cap > 0)
    *at = from_float<T> (score_of (seen, to_float (*at)));
}

/* ds where it counts: 0 where nothing may be seen, times the slope of the cap at the
 * scaled product @raw where there is one. */
template <typename T>
static __global__ void
take_slopes (const T *ds,
             const T *raw,
             T *out,
             unsigned blocks_a_row,
             unsigned Tq,
             int Tk,
             Seen seen)
{
  unsigned row = blockIdx.x / blocks_a_row;
  int j = (int) ((blockIdx.x - row * blocks_a_row) * THREADS + threadIdx.x);
  gint64 i = (gint64) row * Tk + j;
  if (j >= Tk)
    return;
  float value = sees (seen, row % Tq, j) ? to_float (ds[i]) : 0;
  if (raw != NULL)
    {
      float bent = tanhf (to_float (raw[i]) / seen.cap);
      value *= 1 - bent * bent;
    }
  out[i] = from_float<T> (value);
}

/* What the product has scaled already. */
static Seen
seen_of_scaled (const HlOpParams *params)
{
  Seen seen = seen_of (params);
  seen.scale = 1;
  return seen;
}

/* ---- attention apart -----------------------------------------------------------------
 */

gboolean
cuda_op_scores (CudaContext *context, const HlOpCall *call, GError **error)
{
  HlTensor *q = call->in[0], *k = call->in[1], *out = call->out[0];
  const gint64 *dim = out->shape.dim; /* (B, H, Tq, Tk) */
  const Trio m = { heads_of (q, dim[1]), heads_of (k, dim[1]), heads_of (out, dim[1]) };
  CudaProduct p = { context->dtype, FALSE, TRUE, dim[2], dim[3], q->shape.dim[3] };
  p.alpha = call->params.scale;
  if (p.K == 0)
    clear (context, out);
  else if (!multiply_heads (context, p, m, dim[0], dim[1], error))
    return FALSE;
  const unsigned blocks = blocks_for (dim[3], THREADS);
  const unsigned n_rows = (unsigned) (dim[0] * dim[1] * dim[2]);
  if (dim[3] > 0 && (!hl_sees_all (&call->params) || call->params.soft_cap > 0))
    CUDA_WITH_TYPE (context->dtype,
                    CUDA_LAUNCH ((finish_scores<T>), dim3 (n_rows * blocks),
                                 dim3 (THREADS), 0, context->stream, (T *) out->data,
                                 blocks, (unsigned) dim[2], (int) dim[3],
                                 seen_of_scaled (&call->params)));
  return TRUE;
}

gboolean
cuda_op_mix (CudaContext *context, const HlOpCall *call, GError **error)
{
  HlTensor *a = call->in[0], *v = call->in[1], *out = call->out[0];
  const gint64 *dim = a->shape.dim; /* (B, H, Tq, Tk) */
  const Trio m = { heads_of (a, dim[1]), heads_of (v, dim[1]), rows_of_heads (out) };
  CudaProduct p = { context->dtype, FALSE, FALSE, dim[2], v->shape.dim[3], dim[3] };
  p.alpha = 1;
  if (p.K > 0)
    return multiply_heads (context, p, m, out->shape.dim[0], dim[1], error);
  clear (context, out);
  return TRUE;
}

/* The sum over the query heads that share a key-value head, one after another: always in
 * the same order. @a of query heads, turned; @b of query heads; @c of key-value heads. */
static gboolean
sum_over_group (CudaContext *context,
                CudaProduct p,
                const Trio &m,
                gint64 n_examples,
                gint64 n_kv_heads,
                int group,
                GError **error)
{
  gsize size = hl_dtype_size (context->dtype);
  for (int member = 0; member < group; member++)
    {
      const Trio one = { member_of (m.a, group, member, size),
                         member_of (m.b, group, member, size), m.c };
      p.adds = member > 0;
      if (!multiply_heads (context, p, one, n_examples, n_kv_heads, error))
        return FALSE;
    }
  return TRUE;
}

/* Both gradients are zero where there is no product to make. */
static gboolean
is_empty (CudaContext *context, const HlOpCall *call, const HlTensor *map)
{
  if (hl_tensor_count (map) > 0 && call->in[2]->shape.dim[3] > 0)
    return FALSE;
  clear (context, call->out[0]);
  clear (context, call->out[1]);
  return TRUE;
}

/* (transfer full): scaled products of all queries and keys. */
static HlTensor *
products_again (CudaContext *context, const HlOpCall *call, GError **error)
{
  const HlTensor *ds = call->in[0], *q = call->in[1], *k = call->in[2];
  const gint64 *dim = ds->shape.dim;
  HlTensor *raw = cuda_alloc (context, context->dtype, ds->shape, error);
  if (raw == NULL)
    return NULL;
  const Trio m = { heads_of (q, dim[1]), heads_of (k, dim[1]), heads_of (raw, dim[1]) };
  CudaProduct p = { context->dtype, FALSE, TRUE, dim[2], dim[3], q->shape.dim[3] };
  p.alpha = call->params.scale;
  if (multiply_heads (context, p, m, dim[0], dim[1], error))
    return raw;
  hl_tensor_unref (raw);
  return NULL;
}

/* (transfer full): ds as it reaches the products. */
static HlTensor *
slopes_of (CudaContext *context, const HlOpCall *call, GError **error)
{
  HlTensor *ds = call->in[0], *raw = NULL;
  if (hl_sees_all (&call->params) && call->params.soft_cap <= 0)
    return hl_tensor_ref (ds);
  if (call->params.soft_cap > 0)
    {
      raw = products_again (context, call, error);
      if (raw == NULL)
        return NULL;
    }
  const gint64 *dim = ds->shape.dim;
  const unsigned blocks = blocks_for (dim[3], THREADS);
  const unsigned n_rows = (unsigned) (dim[0] * dim[1] * dim[2]);
  HlTensor *out = cuda_alloc (context, context->dtype, ds->shape, error);
  if (out != NULL)
    CUDA_WITH_TYPE (context->dtype,
                    CUDA_LAUNCH ((take_slopes<T>), dim3 (n_rows * blocks), dim3 (THREADS),
                                 0, context->stream, (const T *) ds->data,
                                 raw != NULL ? (const T *) raw->data : NULL,
                                 (T *) out->data, blocks, (unsigned) dim[2], (int) dim[3],
                                 seen_of (&call->params)));
  hl_tensor_unref (raw);
  return out;
}

gboolean
cuda_op_scores_grad (CudaContext *context, const HlOpCall *call, GError **error)
{
  HlTensor *q = call->in[1], *k = call->in[2];
  const gint64 *dim = call->in[0]->shape.dim; /* (B, H, Tq, Tk) */
  gint64 H = dim[1], Hkv = k->shape.dim[1];
  if (is_empty (context, call, call->in[0]))
    return TRUE;
  HlTensor *ds = slopes_of (context, call, error);
  if (ds == NULL)
    return FALSE;
  const Trio dq = { heads_of (ds, H), heads_of (k, H), rows_of_heads (call->out[0]) };
  const Trio dk = { heads_of (ds, H), heads_of (q, H), rows_of_heads (call->out[1]) };
  CudaProduct p = { context->dtype, FALSE, FALSE, dim[2], q->shape.dim[3], dim[3] };
  p.alpha = call->params.scale;
  gboolean ok = multiply_heads (context, p, dq, dim[0], H, error);
  p.a_is_turned = TRUE;
  p.M = dim[3];
  p.K = dim[2];
  ok = ok && sum_over_group (context, p, dk, dim[0], Hkv, (int) (H / Hkv), error);
  hl_tensor_unref (ds);
  return ok;
}

gboolean
cuda_op_mix_grad (CudaContext *context, const HlOpCall *call, GError **error)
{
  HlTensor *dz = call->in[0], *a = call->in[1], *v = call->in[2];
  const gint64 *dim = call->out[0]->shape.dim; /* (B, H, Tq, Tk) */
  gint64 H = dim[1], Hkv = v->shape.dim[1], Kw = v->shape.dim[3];
  if (is_empty (context, call, call->out[0]))
    return TRUE;
  const Trio da = { rows_of_heads (dz), heads_of (v, H), heads_of (call->out[0], H) };
  const Trio dv = { heads_of (a, H), rows_of_heads (dz), rows_of_heads (call->out[1]) };
  CudaProduct p = { context->dtype, FALSE, TRUE, dim[2], dim[3], Kw };
  p.alpha = 1;
  if (!multiply_heads (context, p, da, dim[0], H, error))
    return FALSE;
  p.a_is_turned = TRUE;
  p.b_is_turned = FALSE;
  p.M = dim[3];
  p.N = Kw;
  p.K = dim[2];
  return sum_over_group (context, p, dv, dim[0], Hkv, (int) (H / Hkv), error);
}
