/* SPDX-License-Identifier: MIT
 * Gradients of attention that is computed apart: scores, softmax, mix. An item of work is
 * an example and a key-value head with the query heads that share it, whose sums it
 * makes. */
#include "config.h"

#include "backend/cpu/cpu-kernels.h"
#include "ops/hl-seen.h"

#include <string.h>

typedef struct
{
  const HlOpCall *call;
  gint64 H, Hkv, Tq, Tk, Kw;
  gint64 group; /* query heads a key-value head */
} Work;

/* Matrix (b, h) of rows of heads: x (B, T, heads, K). */
static real *
head_at (const HlTensor *x, gint64 b, gint64 h)
{
  const gint64 *dim = x->shape.dim;
  return (real *) x->data + (b * dim[1] * dim[2] + h) * dim[3];
}

/* A product with nothing to add up leaves what there was: zeros are written instead. */
static void
clear_head (const HlTensor *x, gint64 b, gint64 h)
{
  const gint64 *dim = x->shape.dim;
  for (gint64 t = 0; t < dim[1]; t++)
    memset (head_at (x, b, h) + t * dim[2] * dim[3], 0, sizeof (real) * (gsize) dim[3]);
}

/* Calls @func for every key-value head of every example; @maps (B, H, Tq, Tk) is of the
 * shape of the attention maps. Without a product to make, both gradients are zero. */
static void
run_key_value_heads (const CpuContext *context,
                     const HlOpCall *call,
                     const HlTensor *maps,
                     CpuPoolFunc func)
{
  const gint64 *dim = maps->shape.dim;
  Work w = { .call = call,
             .H = dim[1],
             .Hkv = call->in[2]->shape.dim[1],
             .Tq = dim[2],
             .Tk = dim[3],
             .Kw = call->in[2]->shape.dim[3] };
  w.group = w.H / w.Hkv;
  if (w.Tq > 0 && w.Tk > 0 && w.Kw > 0)
    cpu_pool_run_in_parts (context->pool, dim[0] * w.Hkv, 1,
                           cpu_pool_n_threads (context->pool), func, &w,
                           context->progress);
  else
    for (int i = 0; i < 2; i++)
      memset (call->out[i]->data, 0, hl_tensor_size_bytes (call->out[i]));
}

/* ---- scores --------------------------------------------------------------------------
 */

/* Rows of ds with zeros where nothing may be seen. */
static void
copy_seen (const Work *w, const real *ds, real *out)
{
  for (gint64 i = 0; i < w->Tq; i++)
    {
      HlKeyRange seen = hl_keys_seen (&w->call->params, i, w->Tk);
      real *row = out + i * w->Tk;
      memset (row, 0, sizeof (real) * (gsize) seen.first);
      memcpy (row + seen.first, ds + i * w->Tk + seen.first,
              sizeof (real) * (gsize) (seen.end - seen.first));
      memset (row + seen.end, 0, sizeof (real) * (gsize) (w->Tk - seen.end));
    }
}

/* ds times the slope of the cap, 1 - tanh^2 (s / c), at the scores that it bent, which
 * are made again in @room. */
static void
uncap (const Work *w, gint64 b, gint64 h, real *ds, real *room)
{
  const HlTensor *q = w->call->in[1], *k = w->call->in[2];
  real cap = (real) w->call->params.soft_cap;
  real_gemm (CblasRowMajor, CblasNoTrans, CblasTrans, (int) w->Tq, (int) w->Tk,
             (int) w->Kw, (real) w->call->params.scale, matrix_at (q, b, h, w->H),
             (int) q->stride[2], matrix_at (k, b, h, w->H), (int) k->stride[2], 0, room,
             (int) w->Tk);
#pragma omp simd
  for (gint64 i = 0; i < w->Tq * w->Tk; i++)
    {
      real bent = real_tanh (room[i] / cap);
      ds[i] *= 1 - bent * bent;
    }
}

static void
scores_grad_items (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Work *w = data;
  const HlTensor *q = w->call->in[1], *k = w->call->in[2];
  const HlTensor *dq = w->call->out[0], *dk = w->call->out[1];
  real scale = (real) w->call->params.scale;
  gboolean is_capped = w->call->params.soft_cap > 0;
  g_autofree real *seen = NULL, *room = NULL;
  if (is_capped || !hl_sees_all (&w->call->params))
    seen = g_new (real, (gsize) (w->Tq * w->Tk));
  if (is_capped)
    room = g_new (real, (gsize) (w->Tq * w->Tk));
  for (gint64 item = begin; item < end; item++)
    {
      gint64 b = item / w->Hkv, kv = item % w->Hkv;
      clear_head (dk, b, kv);
      for (gint64 h = kv * w->group; h < (kv + 1) * w->group; h++)
        {
          const real *ds = matrix_at (w->call->in[0], b, h, w->H);
          if (seen != NULL)
            copy_seen (w, ds, seen);
          if (is_capped)
            uncap (w, b, h, seen, room);
          const real *used = seen != NULL ? seen : ds;
          real_gemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, (int) w->Tq, (int) w->Kw,
                     (int) w->Tk, scale, used, (int) w->Tk, matrix_at (k, b, h, w->H),
                     (int) k->stride[2], 0, head_at (dq, b, h), (int) (w->H * w->Kw));
          real_gemm (CblasRowMajor, CblasTrans, CblasNoTrans, (int) w->Tk, (int) w->Kw,
                     (int) w->Tq, scale, used, (int) w->Tk, matrix_at (q, b, h, w->H),
                     (int) q->stride[2], 1, head_at (dk, b, kv), (int) (w->Hkv * w->Kw));
        }
    }
}

gboolean
K (scores_grad) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  run_key_value_heads (context, call, call->in[0], scores_grad_items);
  return TRUE;
}

/* ---- softmax -------------------------------------------------------------------------
 */

static void
softmax_grad_rows (gpointer data, gint64 begin, gint64 end, int thread)
{
  const HlOpCall *call = data;
  gint64 T = call->in[1]->shape.dim[3];
  for (gint64 i = begin; i < end; i++)
    {
      const real *da = (const real *) call->in[0]->data + i * T;
      const real *a = (const real *) call->in[1]->data + i * T;
      real *ds = (real *) call->out[0]->data + i * T;
      double sum = 0;
#pragma omp simd reduction(+ : sum)
      for (gint64 j = 0; j < T; j++)
        sum += (double) (da[j] * a[j]);
      real mean = (real) sum;
#pragma omp simd
      for (gint64 j = 0; j < T; j++)
        ds[j] = a[j] * (da[j] - mean);
    }
}

gboolean
K (softmax_grad) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  gint64 T = MAX (call->in[1]->shape.dim[3], 1);
  gint64 n_rows = hl_tensor_count (call->in[1]) / T;
  cpu_pool_run_in_parts (context->pool, n_rows, MAX (1, 65536 / T),
                         MAX (1, (1 << 22) / T), softmax_grad_rows, (gpointer) call,
                         context->progress);
  return TRUE;
}

/* ---- mix -----------------------------------------------------------------------------
 */

static void
mix_grad_items (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Work *w = data;
  const HlTensor *dz = w->call->in[0], *a = w->call->in[1], *v = w->call->in[2];
  const HlTensor *da = w->call->out[0], *dv = w->call->out[1];
  for (gint64 item = begin; item < end; item++)
    {
      gint64 b = item / w->Hkv, kv = item % w->Hkv;
      clear_head (dv, b, kv);
      for (gint64 h = kv * w->group; h < (kv + 1) * w->group; h++)
        {
          real_gemm (CblasRowMajor, CblasNoTrans, CblasTrans, (int) w->Tq, (int) w->Tk,
                     (int) w->Kw, 1, head_at (dz, b, h), (int) (w->H * w->Kw),
                     matrix_at (v, b, h, w->H), (int) v->stride[2], 0,
                     matrix_at (da, b, h, w->H), (int) w->Tk);
          real_gemm (CblasRowMajor, CblasTrans, CblasNoTrans, (int) w->Tk, (int) w->Kw,
                     (int) w->Tq, 1, matrix_at (a, b, h, w->H), (int) w->Tk,
                     head_at (dz, b, h), (int) (w->H * w->Kw), 1, head_at (dv, b, kv),
                     (int) (w->Hkv * w->Kw));
        }
    }
}

gboolean
K (mix_grad) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  run_key_value_heads (context, call, call->out[0], mix_grad_items);
  return TRUE;
}
