/* SPDX-License-Identifier: MIT
 * Ops that are matrix products: dense layers, and attention that is computed apart, with
 * the gradients of both. The products of all examples and heads are one call; what
 * differs between them is their addresses, which a kernel writes. */
#include "backend/cuda/cuda-blas.h"
#include "backend/cuda/cuda-kernel.cuh"

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

/* y = b in every row, where there is nothing to multiply. */
static void
only_bias (CudaContext *context, const HlOpCall *call)
{
  clear (context, call->out[0]);
  if (call->in[2] == NULL)
    return;
  HlTensor b = *call->in[2];
  HlTensor *y = call->out[0];
  gint64 F = last_of (y);
  b.shape.n_dims = y->shape.n_dims;
  for (int d = 0; d < y->shape.n_dims; d++)
    {
      b.shape.dim[d] = y->shape.dim[d];
      b.stride[d] = 0;
    }
  b.shape.dim[y->shape.n_dims - 1] = F;
  b.stride[y->shape.n_dims - 1] = 1;
  cuda_copy_strided (context, y, &b);
}

gboolean
cuda_op_linear (CudaContext *context, const HlOpCall *call, GError **error)
{
  const HlTensor *x = call->in[0], *w = call->in[1], *b = call->in[2];
  bool is_in_out = call->params.is_transposed != FALSE;
  gint64 D = last_of (x), F = last_of (call->out[0]);
  if (D == 0)
    {
      only_bias (context, call);
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

static __device__ __forceinline__ char *
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

static gboolean
multiply_heads (CudaContext *context,
                CudaProduct p,
                const Trio &m,
                gint64 n_examples,
                gint64 n_heads,
                GError **error)
{
  int n = (int) (n_examples * n_heads);
  HlShape shape = { 2, { 3, n } };
  HlTensor *room = cuda_alloc (context, HL_DTYPE_I64, shape, error);
  if (room == NULL)
    return FALSE;
  char **at = (char **) room->data;
  p.dtype = context->dtype;
  p.lda = m.a.ld;
  p.ldb = m.b.ld;
  p.ldc = m.c.ld;
  CUDA_LAUNCH ((write_addresses), dim3 (blocks_for (n, THREADS)), dim3 (THREADS), 0,
               context->stream, at, m, (int) n_examples, (int) n_heads,
               (gint64) hl_dtype_size (p.dtype));
  gboolean ok = cuda_blas_multiply_many (context->blas, context->stream, &p,
                                         (gconstpointer *) at, (gconstpointer *) (at + n),
                                         (gpointer *) (at + 2 * n), n, error);
  hl_tensor_unref (room); /* what uses it is queued before whoever gets it next */
  return ok;
}

/* ---- causal maps ---------------------------------------------------------------------
 */

/* Entries that causal attention forbids are set to @value; where @from is given the
 * others are copied from there. */
template <typename T>
static __global__ void
forbid (const T *from, T *map, gint64 n, int Tq, int Tk, gint64 query_start, float value)
{
  gint64 i = (gint64) blockIdx.x * THREADS + threadIdx.x;
  if (i >= n)
    return;
  gint64 row = i / Tk;
  bool is_forbidden = i - row * Tk > row % Tq + query_start;
  if (is_forbidden)
    map[i] = from_float<T> (value);
  else if (from != NULL)
    map[i] = from[i];
}

static void
run_forbid (CudaContext *context,
            const HlTensor *from,
            HlTensor *map,
            const HlOpParams *params,
            float value)
{
  gint64 n = hl_tensor_count (map);
  if (n == 0)
    return;
  CUDA_WITH_TYPE (context->dtype,
                  CUDA_LAUNCH ((forbid<T>), dim3 (blocks_for (n, THREADS)),
                               dim3 (THREADS), 0, context->stream,
                               from != NULL ? (const T *) from->data : NULL,
                               (T *) map->data, n, (int) map->shape.dim[2],
                               (int) map->shape.dim[3], params->query_start, value));
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
  if (call->params.is_causal)
    run_forbid (context, NULL, out, &call->params, -INFINITY);
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

gboolean
cuda_op_scores_grad (CudaContext *context, const HlOpCall *call, GError **error)
{
  HlTensor *q = call->in[1], *k = call->in[2];
  HlTensor *seen = hl_tensor_ref (call->in[0]);
  const gint64 *dim = seen->shape.dim; /* (B, H, Tq, Tk) */
  gint64 H = dim[1], Hkv = k->shape.dim[1], Kw = q->shape.dim[3];
  gboolean ok = TRUE;
  if (is_empty (context, call, seen))
    {
      hl_tensor_unref (seen);
      return TRUE;
    }
  if (call->params.is_causal)
    {
      HlTensor *masked = cuda_alloc (context, context->dtype, seen->shape, error);
      if (masked != NULL)
        run_forbid (context, seen, masked, &call->params, 0);
      hl_tensor_unref (seen);
      seen = masked;
      ok = masked != NULL;
    }
  CudaProduct p = { context->dtype, FALSE, FALSE, dim[2], Kw, dim[3] };
  p.alpha = call->params.scale;
  if (ok)
    {
      const Trio m = { heads_of (seen, H), heads_of (k, H),
                       rows_of_heads (call->out[0]) };
      ok = multiply_heads (context, p, m, dim[0], H, error);
    }
  if (ok)
    {
      const Trio m = { heads_of (seen, H), heads_of (q, H),
                       rows_of_heads (call->out[1]) };
      p.a_is_turned = TRUE;
      p.M = dim[3];
      p.K = dim[2];
      ok = sum_over_group (context, p, m, dim[0], Hkv, (int) (H / Hkv), error);
    }
  hl_tensor_unref (seen);
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
