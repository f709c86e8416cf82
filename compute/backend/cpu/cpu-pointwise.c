/* SPDX-License-Identifier: MIT
 * Ops that treat numbers one by one or row by row: norms, activation, add, multiply,
 * gate, blend. */
#include "config.h"

#include "backend/cpu/cpu-kernels.h"

/* Numbers handed to a thread at a time: large against the cost of handing out. */
#define GRAIN 32768
#define PART (1 << 22) /* numbers between two pauses: some 10 ms */

/* Items of @size numbers each. */
static void
run_items (const CpuContext *context,
           gint64 n_items,
           gint64 size,
           CpuPoolFunc func,
           gpointer data)
{
  size = MAX (size, 1);
  cpu_pool_run_in_parts (context->pool, n_items, MAX (1, GRAIN / size),
                         MAX (1, PART / size), func, data, context->progress);
}

typedef struct
{
  const real *x, *g, *b;
  real *y;
  gint64 D;
  double eps;
} LayerNorm;

static void
layer_norm_rows (gpointer data, gint64 begin, gint64 end, int thread)
{
  const LayerNorm *n = data;
  for (gint64 i = begin; i < end; i++)
    {
      const real *x = n->x + i * n->D;
      real *y = n->y + i * n->D;
      double sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
      for (gint64 d = 0; d < n->D; d++)
        sum += (double) x[d];
      double mean = sum / (double) n->D;
#pragma omp simd reduction(+ : squares)
      for (gint64 d = 0; d < n->D; d++)
        squares += ((double) x[d] - mean) * ((double) x[d] - mean);
      real factor = (real) (1 / sqrt (squares / (double) n->D + n->eps));
      real shift = (real) mean;
#pragma omp simd
      for (gint64 d = 0; d < n->D; d++)
        y[d] = (x[d] - shift) * factor * n->g[d] + n->b[d];
    }
}

gboolean
K (layer_norm) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  LayerNorm n = { .x = call->in[0]->data,
                  .g = call->in[1]->data,
                  .b = call->in[2]->data,
                  .y = call->out[0]->data,
                  .D = call->in[1]->shape.dim[0],
                  .eps = call->params.eps };
  gint64 n_rows = n.D > 0 ? hl_tensor_count (call->in[0]) / n.D : 0;
  run_items (context, n_rows, n.D, layer_norm_rows, &n);
  return TRUE;
}

static void
rms_norm_rows (gpointer data, gint64 begin, gint64 end, int thread)
{
  const LayerNorm *n = data;
  for (gint64 i = begin; i < end; i++)
    {
      const real *x = n->x + i * n->D;
      real *y = n->y + i * n->D;
      double squares = 0;
#pragma omp simd reduction(+ : squares)
      for (gint64 d = 0; d < n->D; d++)
        squares += (double) x[d] * (double) x[d];
      real factor = (real) (1 / sqrt (squares / (double) n->D + n->eps));
#pragma omp simd
      for (gint64 d = 0; d < n->D; d++)
        y[d] = x[d] * factor * n->g[d];
    }
}

gboolean
K (rms_norm) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  LayerNorm n = { .x = call->in[0]->data,
                  .g = call->in[1]->data,
                  .y = call->out[0]->data,
                  .D = call->in[1]->shape.dim[0],
                  .eps = call->params.eps };
  gint64 n_rows = n.D > 0 ? hl_tensor_count (call->in[0]) / n.D : 0;
  run_items (context, n_rows, n.D, rms_norm_rows, &n);
  return TRUE;
}

static void
activate (HlActivation activation, const real *restrict x, real *restrict y, gint64 n)
{
  switch (activation)
    {
    case HL_ACTIVATION_GELU:
#pragma omp simd
      for (gint64 i = 0; i < n; i++)
        y[i] = (real) 0.5 * x[i] * (1 + real_erf (x[i] * (real) G_SQRT2 / 2));
      break;
    case HL_ACTIVATION_GELU_TANH:
#pragma omp simd
      for (gint64 i = 0; i < n; i++)
        {
          real inner = x[i] * (1 + (real) 0.044715 * x[i] * x[i]);
          y[i] =
              (real) 0.5 * x[i] * (1 + real_tanh ((real) 0.79788456080286535588 * inner));
        }
      break;
    case HL_ACTIVATION_QUICK_GELU:
#pragma omp simd
      for (gint64 i = 0; i < n; i++)
        y[i] = x[i] / (1 + real_exp ((real) -1.702 * x[i]));
      break;
    case HL_ACTIVATION_RELU:
      /* Written so that NaN stays NaN. */
#pragma omp simd
      for (gint64 i = 0; i < n; i++)
        y[i] = x[i] < 0 ? 0 : x[i];
      break;
    case HL_ACTIVATION_SILU:
#pragma omp simd
      for (gint64 i = 0; i < n; i++)
        y[i] = x[i] / (1 + real_exp (-x[i]));
      break;
    case HL_ACTIVATION_TANH:
#pragma omp simd
      for (gint64 i = 0; i < n; i++)
        y[i] = real_tanh (x[i]);
      break;
    case HL_ACTIVATION_NONE:
      break;
    }
}

static void
activation_items (gpointer data, gint64 begin, gint64 end, int thread)
{
  const HlOpCall *call = data;
  activate (call->params.activation, (const real *) call->in[0]->data + begin,
            (real *) call->out[0]->data + begin, end - begin);
}

gboolean
K (activation) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  run_items (context, hl_tensor_count (call->in[0]), 1, activation_items,
             (gpointer) call);
  return TRUE;
}

/* Broadcast ops walk rows of the output's last dimension; @at finds where a row of an
 * input starts and whether its numbers advance or repeat. */
typedef struct
{
  const real *data;
  gint64 step; /* 1, or 0 where the last dimension is 1 */
} Row;

static Row
row_of (const HlTensor *t, const HlShape *out, gint64 row)
{
  gint64 offset = 0;
  int last = out->n_dims - 1;
  for (int d = last - 1; d >= 0; d--)
    {
      gint64 index = row % out->dim[d];
      row /= out->dim[d];
      if (t->shape.dim[d] != 1)
        offset += index * t->stride[d];
    }
  return (Row){ (const real *) t->data + offset,
                last >= 0 && t->shape.dim[last] != 1 ? 1 : 0 };
}

typedef struct
{
  const HlOpCall *call;
  gint64 D;
} Rows;

static void
add_rows (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Rows *w = data;
  const HlTensor *out = w->call->out[0];
  for (gint64 i = begin; i < end; i++)
    {
      Row a = row_of (w->call->in[0], &out->shape, i);
      Row b = row_of (w->call->in[1], &out->shape, i);
      real *y = (real *) out->data + i * w->D;
      if (a.step == 1 && b.step == 1)
        {
#pragma omp simd
          for (gint64 d = 0; d < w->D; d++)
            y[d] = a.data[d] + b.data[d];
        }
      else
        for (gint64 d = 0; d < w->D; d++)
          y[d] = a.data[d * a.step] + b.data[d * b.step];
    }
}

static void
multiply_rows (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Rows *w = data;
  const HlTensor *out = w->call->out[0];
  for (gint64 i = begin; i < end; i++)
    {
      Row a = row_of (w->call->in[0], &out->shape, i);
      Row b = row_of (w->call->in[1], &out->shape, i);
      real *y = (real *) out->data + i * w->D;
#pragma omp simd
      for (gint64 d = 0; d < w->D; d++)
        y[d] = a.data[d * a.step] * b.data[d * b.step];
    }
}

static void
blend_rows (gpointer data, gint64 begin, gint64 end, int thread)
{
  static const real zero = 0;
  const Rows *w = data;
  const HlTensor *out = w->call->out[0], *replacement = w->call->in[2];
  for (gint64 i = begin; i < end; i++)
    {
      Row x = row_of (w->call->in[0], &out->shape, i);
      Row m = row_of (w->call->in[1], &out->shape, i);
      Row r = { &zero, 0 };
      if (replacement != NULL)
        r = row_of (replacement, &out->shape, i);
      real *y = (real *) out->data + i * w->D;
      for (gint64 d = 0; d < w->D; d++)
        {
          real value = x.data[d * x.step];
          y[d] = value + m.data[d * m.step] * (r.data[d * r.step] - value);
        }
    }
}

static void
run_rows (const CpuContext *context, const HlOpCall *call, CpuPoolFunc func)
{
  const HlShape *shape = &call->out[0]->shape;
  Rows w = { call, shape->n_dims > 0 ? shape->dim[shape->n_dims - 1] : 1 };
  gint64 n_rows = w.D > 0 ? hl_shape_count (shape) / w.D : 0;
  run_items (context, n_rows, w.D, func, &w);
}

gboolean
K (add) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  run_rows (context, call, add_rows);
  return TRUE;
}

gboolean
K (multiply) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  run_rows (context, call, multiply_rows);
  return TRUE;
}

gboolean
K (blend) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  run_rows (context, call, blend_rows);
  return TRUE;
}

static void
gate_rows (gpointer data, gint64 begin, gint64 end, int thread)
{
  const HlOpCall *call = data;
  const HlTensor *z = call->in[0], *g = call->in[1];
  gint64 T = z->shape.dim[1], H = z->shape.dim[2], Kw = z->shape.dim[3];
  for (gint64 i = begin; i < end; i++) /* i = (b T + t) H + h */
    {
      gint64 b = i / (T * H), h = i % H;
      real gate = ((const real *) g->data)[(g->shape.dim[0] == 1 ? 0 : b) * H + h];
      gint64 source = z->shape.dim[0] == 1 ? i % (T * H) : i;
      const real *x = (const real *) z->data + source * Kw;
      real *y = (real *) call->out[0]->data + i * Kw;
      for (gint64 d = 0; d < Kw; d++)
        y[d] = x[d] * gate;
    }
}

gboolean
K (gate) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  const HlShape *shape = &call->out[0]->shape;
  run_items (context, shape->dim[0] * shape->dim[1] * shape->dim[2], shape->dim[3],
             gate_rows, (gpointer) call);
  return TRUE;
}
