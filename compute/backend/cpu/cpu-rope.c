/* SPDX-License-Identifier: MIT
 * Rotary positions: pairs of a head's numbers turned by an angle that depends on the
 * token. "RoFormer", arXiv 2104.09864, section 3.2.2. */
#include "config.h"

#include "backend/cpu/cpu-kernels.h"

/* Vectors handed to a thread at a time. */
#define GRAIN 256

/* Pairs (i, i + R/2), as most model files have them. */
static void
turn_halves (const real *restrict x,
             real *restrict y,
             const real *restrict c,
             const real *restrict s,
             gint64 half)
{
#pragma omp simd
  for (gint64 i = 0; i < half; i++)
    {
      real a = x[i], b = x[half + i];
      y[i] = a * c[i] - b * s[i];
      y[half + i] = b * c[i] + a * s[i];
    }
}

static void
turn_neighbours (const real *restrict x,
                 real *restrict y,
                 const real *restrict c,
                 const real *restrict s,
                 gint64 half)
{
  for (gint64 i = 0; i < half; i++)
    {
      real a = x[2 * i], b = x[2 * i + 1];
      y[2 * i] = a * c[i] - b * s[i];
      y[2 * i + 1] = b * c[i] + a * s[i];
    }
}

static void
rope_items (gpointer data, gint64 begin, gint64 end, int thread)
{
  const HlOpCall *call = data;
  const HlTensor *x = call->in[0];
  const real *cosines = call->in[1]->data, *sines = call->in[2]->data;
  gint64 T = x->shape.dim[1], H = x->shape.dim[2], Kw = x->shape.dim[3];
  gint64 half = call->in[1]->shape.dim[1];
  for (gint64 item = begin; item < end; item++) /* item = (b T + t) H + h */
    {
      gint64 h = item % H, t = item / H % T, b = item / H / T;
      const real *from =
          (const real *) x->data + b * x->stride[0] + t * x->stride[1] + h * x->stride[2];
      real *to = (real *) call->out[0]->data + item * Kw;
      if (call->params.is_interleaved)
        turn_neighbours (from, to, cosines + t * half, sines + t * half, half);
      else
        turn_halves (from, to, cosines + t * half, sines + t * half, half);
      for (gint64 d = 2 * half; d < Kw; d++)
        to[d] = from[d];
    }
}

gboolean
K (rope) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  const HlShape *shape = &call->in[0]->shape;
  cpu_pool_run (context->pool, shape->dim[0] * shape->dim[1] * shape->dim[2], GRAIN,
                rope_items, (gpointer) call, context->cancellable);
  return TRUE;
}
