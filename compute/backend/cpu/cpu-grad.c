/* SPDX-License-Identifier: MIT
 * Gradients of dense layers, norms, activations, gates and patches. Formulas stand in the
 * op table; what a forward kernel knew on its way (means, roots) is computed again, which
 * is cheaper than keeping it. */
#include "config.h"

#include "backend/cpu/cpu-kernels.h"

#include <string.h>

/* Numbers a thread takes at a time, and between two pauses. */
#define GRAIN 32768
#define PART (1 << 21)

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

/* ---- dense ---------------------------------------------------------------------------
 */

/* Some 30 ms of one core's work. */
#define PANEL_FLOPS 2.5e9
/* Below this our own threads share a product (see cpu-linear.c). */
#define CUT_FLOPS 1e8

/* Many rows with few numbers each (see cpu-linear.c): a thread adds up the products of
 * its rows, and then the sums are added. Cut in as many ranges as there are threads,
 * whoever takes one, so that the sum is always the same. */
typedef struct
{
  const real *a, *b;
  gint64 Na, Nb, M, n_ranges;
  real *sums;
} LongSum;

static void
long_sum_ranges (gpointer data, gint64 begin, gint64 end, int thread)
{
  const LongSum *s = data;
  for (gint64 i = begin; i < end; i++)
    {
      gint64 from = i * s->M / s->n_ranges, to = (i + 1) * s->M / s->n_ranges;
      real_gemm (CblasRowMajor, CblasTrans, CblasNoTrans, (int) s->Na, (int) s->Nb,
                 (int) (to - from), 1, s->a + from * s->Na, (int) s->Na,
                 s->b + from * s->Nb, (int) s->Nb, 0, s->sums + i * s->Na * s->Nb,
                 (int) s->Nb);
    }
}

static void
sum_many_rows (const CpuContext *context, LongSum *s, real *out)
{
  gint64 n = s->Na * s->Nb;
  s->n_ranges = cpu_pool_n_threads (context->pool);
  s->sums = g_new (real, (gsize) (n * s->n_ranges));
  cpu_pool_run (context->pool, s->n_ranges, 1, long_sum_ranges, s, NULL);
  memcpy (out, s->sums, sizeof (real) * (gsize) n);
  for (gint64 r = 1; r < s->n_ranges; r++)
    for (gint64 i = 0; i < n; i++)
      out[i] += s->sums[r * n + i];
  g_free (s->sums);
}

/* A small product: the longer side of the result is cut among our own threads. */
static void
long_side_ranges (gpointer data, gint64 begin, gint64 end, int thread)
{
  const LongSum *s = data;
  gboolean cuts_a = s->Na >= s->Nb;
  gint64 a = cuts_a ? begin : 0, b = cuts_a ? 0 : begin;
  real_gemm (CblasRowMajor, CblasTrans, CblasNoTrans,
             (int) (cuts_a ? end - begin : s->Na), (int) (cuts_a ? s->Nb : end - begin),
             (int) s->M, 1, s->a + a, (int) s->Na, s->b + b, (int) s->Nb, 0,
             s->sums + a * s->Nb + b, (int) s->Nb);
}

static void
cut_long_side (const CpuContext *context, LongSum *s, real *out)
{
  gint64 n = MAX (s->Na, s->Nb), n_threads = cpu_pool_n_threads (context->pool);
  s->sums = out;
  cpu_pool_run (context->pool, n, MAX (16, (n + n_threads - 1) / n_threads),
                long_side_ranges, s, NULL);
}

gboolean
K (linear_grad_weight) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  const HlTensor *dy = call->in[0], *x = call->in[1];
  const HlTensor *a = call->params.is_transposed ? x : dy; /* dW = at b */
  const HlTensor *b = call->params.is_transposed ? dy : x;
  int rank = a->shape.n_dims;
  gint64 Na = a->shape.dim[rank - 1], Nb = b->shape.dim[rank - 1];
  gint64 M = Na > 0 ? hl_tensor_count (a) / Na : 0;
  real *out = call->out[0]->data;
  if (M == 0)
    memset (out, 0, hl_tensor_size_bytes (call->out[0]));
  double flops = 2.0 * (double) M * (double) Nb;
  LongSum sum = { .a = a->data, .b = b->data, .Na = Na, .Nb = Nb, .M = M };
  if (M > 0 && flops * (double) Na < PANEL_FLOPS && M >= 1024 && Na * Nb <= 1 << 17)
    {
      sum_many_rows (context, &sum, out);
      return TRUE;
    }
  if (M > 0 && flops * (double) Na < CUT_FLOPS)
    {
      cut_long_side (context, &sum, out);
      return TRUE;
    }
  int n_threads = cpu_pool_n_threads (context->pool);
  gint64 panel = MAX (64, (gint64) (PANEL_FLOPS * n_threads / MAX (flops, 1)));
  for (gint64 i = 0; i < Na && M > 0 && Nb > 0; i += panel)
    {
      if (i > 0 && !hl_progress_pause (context->progress))
        return TRUE;
      openblas_set_num_threads (n_threads);
      real_gemm (CblasRowMajor, CblasTrans, CblasNoTrans, (int) MIN (panel, Na - i),
                 (int) Nb, (int) M, 1, (const real *) a->data + i, (int) Na, b->data,
                 (int) Nb, 0, out + i * Nb, (int) Nb);
      openblas_set_num_threads (1);
    }
  return TRUE;
}

/* ---- norms ---------------------------------------------------------------------------
 */

typedef struct
{
  const real *dy, *x, *g;
  real *dx, *dyn;
  gint64 D;
  double eps;
  gboolean is_rms;
} Norm;

/* Mean (0 for RMS) and 1 / s of a row. */
static void
measure (const Norm *n, const real *x, double *mean, double *factor)
{
  double sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
  for (gint64 d = 0; d < n->D; d++)
    sum += (double) x[d];
  *mean = n->is_rms ? 0 : sum / (double) n->D;
  double shift = *mean;
#pragma omp simd reduction(+ : squares)
  for (gint64 d = 0; d < n->D; d++)
    squares += ((double) x[d] - shift) * ((double) x[d] - shift);
  *factor = 1 / sqrt (squares / (double) n->D + n->eps);
}

static void
norm_grad_rows (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Norm *n = data;
  for (gint64 i = begin; i < end; i++)
    {
      const real *dy = n->dy + i * n->D, *x = n->x + i * n->D;
      real *dx = n->dx + i * n->D, *dyn = n->dyn + i * n->D;
      double mean, factor, sum = 0, sum_n = 0;
      measure (n, x, &mean, &factor);
      real shift = (real) mean, f = (real) factor;
#pragma omp simd reduction(+ : sum, sum_n)
      for (gint64 d = 0; d < n->D; d++)
        {
          real scaled = (x[d] - shift) * f;
          dyn[d] = dy[d] * scaled;
          sum += (double) (dy[d] * n->g[d]);
          sum_n += (double) (dyn[d] * n->g[d]);
        }
      real m = n->is_rms ? 0 : (real) (sum / (double) n->D);
      real mn = (real) (sum_n / (double) n->D);
#pragma omp simd
      for (gint64 d = 0; d < n->D; d++)
        dx[d] = (dy[d] * n->g[d] - m - (x[d] - shift) * f * mn) * f;
    }
}

static gboolean
norm_grad (const CpuContext *context, const HlOpCall *call, gboolean is_rms)
{
  Norm n = { .dy = call->in[0]->data,
             .x = call->in[1]->data,
             .g = call->in[2]->data,
             .dx = call->out[0]->data,
             .dyn = call->out[1]->data,
             .D = call->in[2]->shape.dim[0],
             .eps = call->params.eps,
             .is_rms = is_rms };
  run_items (context, n.D > 0 ? hl_tensor_count (call->in[1]) / n.D : 0, n.D,
             norm_grad_rows, &n);
  return TRUE;
}

gboolean
K (layer_norm_grad) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  return norm_grad (context, call, FALSE);
}

gboolean
K (rms_norm_grad) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  return norm_grad (context, call, TRUE);
}

/* ---- activation ----------------------------------------------------------------------
 */

/* d/dx of x s(x) with s = 1 / (1 + exp (-c x)). */
static inline real
sigmoid_product (real x, real c)
{
  real s = 1 / (1 + real_exp (-c * x));
  return s * (1 + c * x * (1 - s));
}

static inline real
gelu_tanh_slope (real x)
{
  const real c = (real) 0.79788456080286535588; /* sqrt (2 / pi) */
  real t = real_tanh (c * (x + (real) 0.044715 * x * x * x));
  return (real) 0.5 * (1 + t) +
         (real) 0.5 * x * (1 - t * t) * c * (1 + 3 * (real) 0.044715 * x * x);
}

/* Phi (x) + x phi (x). */
static inline real
gelu_slope (real x)
{
  const real root = (real) 0.70710678118654752440;    /* sqrt (1 / 2) */
  const real density = (real) 0.39894228040143267794; /* 1 / sqrt (2 pi) */
  return (real) 0.5 * (1 + real_erf (x * root)) +
         x * density * real_exp ((real) -0.5 * x * x);
}

static void
slopes (HlActivation activation, const real *dy, const real *x, real *dx, gint64 n)
{
  switch (activation)
    {
    case HL_ACTIVATION_GELU:
#pragma omp simd
      for (gint64 i = 0; i < n; i++)
        dx[i] = dy[i] * gelu_slope (x[i]);
      break;
    case HL_ACTIVATION_GELU_TANH:
#pragma omp simd
      for (gint64 i = 0; i < n; i++)
        dx[i] = dy[i] * gelu_tanh_slope (x[i]);
      break;
    case HL_ACTIVATION_QUICK_GELU:
#pragma omp simd
      for (gint64 i = 0; i < n; i++)
        dx[i] = dy[i] * sigmoid_product (x[i], (real) 1.702);
      break;
    case HL_ACTIVATION_RELU: /* at 0 the slope is 0 */
      for (gint64 i = 0; i < n; i++)
        dx[i] = x[i] > 0 ? dy[i] : 0;
      break;
    case HL_ACTIVATION_SILU:
#pragma omp simd
      for (gint64 i = 0; i < n; i++)
        dx[i] = dy[i] * sigmoid_product (x[i], 1);
      break;
    case HL_ACTIVATION_TANH:
#pragma omp simd
      for (gint64 i = 0; i < n; i++)
        dx[i] = dy[i] * (1 - real_tanh (x[i]) * real_tanh (x[i]));
      break;
    case HL_ACTIVATION_NONE:
      break;
    }
}

static void
activation_grad_items (gpointer data, gint64 begin, gint64 end, int thread)
{
  const HlOpCall *call = data;
  slopes (call->params.activation, (const real *) call->in[0]->data + begin,
          (const real *) call->in[1]->data + begin, (real *) call->out[0]->data + begin,
          end - begin);
}

gboolean
K (activation_grad) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  run_items (context, hl_tensor_count (call->in[0]), 1, activation_grad_items,
             (gpointer) call);
  return TRUE;
}

/* ---- gates, patches ------------------------------------------------------------------
 */

static void
gate_grad_items (gpointer data, gint64 begin, gint64 end, int thread)
{
  const HlOpCall *call = data;
  const HlTensor *dy = call->in[0], *z = call->in[1];
  gint64 T = dy->shape.dim[1], H = dy->shape.dim[2], Kw = dy->shape.dim[3];
  for (gint64 i = begin; i < end; i++) /* i = b H + h */
    {
      gint64 b = i / H, h = i % H, bz = z->shape.dim[0] == 1 ? 0 : b;
      double sum = 0;
      for (gint64 t = 0; t < T; t++)
        {
          const real *p = (const real *) dy->data + ((b * T + t) * H + h) * Kw;
          const real *q = (const real *) z->data + ((bz * T + t) * H + h) * Kw;
#pragma omp simd reduction(+ : sum)
          for (gint64 d = 0; d < Kw; d++)
            sum += (double) (p[d] * q[d]);
        }
      ((real *) call->out[0]->data)[i] = (real) sum;
    }
}

gboolean
K (gate_grad) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  const gint64 *dim = call->in[0]->shape.dim;
  run_items (context, dim[0] * dim[2], dim[1] * dim[3], gate_grad_items, (gpointer) call);
  return TRUE;
}

gboolean
K (unpatchify) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  const HlShape *shape = &call->out[0]->shape;
  gint64 C = shape->dim[1], height = shape->dim[2], width = shape->dim[3];
  gint64 ph = call->params.patch_height, pw = call->params.patch_width;
  gint64 rows = height / ph, columns = width / pw;
  const real *from = call->in[0]->data;
  for (gint64 i = 0; i < shape->dim[0] * rows * columns; i++)
    {
      gint64 c = i % columns, r = i / columns % rows, b = i / columns / rows;
      real *corner =
          (real *) call->out[0]->data + b * C * height * width + r * ph * width + c * pw;
      for (gint64 channel = 0; channel < C; channel++)
        for (gint64 y = 0; y < ph; y++, from += pw)
          memcpy (corner + (channel * height + y) * width, from,
                  sizeof (real) * (gsize) pw);
    }
  return TRUE;
}
