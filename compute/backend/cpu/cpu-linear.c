/* SPDX-License-Identifier: MIT
 * y = x Wt + b, by OpenBLAS with its own threads: at the shapes of a transformer block
 * they share the packing of x and W, which two products side by side do not (measured at
 * 197 x 768 x 768 on two cores: 120 GFLOP/s against 84). Cut into panels, so that the
 * work can be cancelled between them. */
#include "config.h"

#include "backend/cpu/cpu-kernels.h"

#include <string.h>

/* 30 ms or less of one core's work. */
#define PANEL_FLOPS 2.5e9
/* Below this a second thread costs more than it does. */
#define ALONE_FLOPS 4e6
/* Below this our own threads share it. */
#define CUT_FLOPS 1e8
/* Likewise with so many rows, and a W that stays in a core's cache. */
#define CUT_ROWS 1024
#define CUT_WEIGHTS (1 << 17)
/* Likewise for a single row, which costs the reading of W and little else. */
#define ALONE_FLOPS_ROW 5e5

/* A part of y, whose rows are @stride numbers apart. */
typedef struct
{
  const real *b;
  real *y;
  gint64 n_columns, stride;
} Bias;

static void
fill_bias (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Bias *bias = data;
  for (gint64 m = begin; m < end; m++)
    memcpy (bias->y + m * bias->stride, bias->b, sizeof (real) * (gsize) bias->n_columns);
}

/* Rows @m on of x with the columns @f on of y. The product is added onto the bias, which
 * saves a pass over y. */
static void
multiply_panel (const CpuContext *context,
                const HlOpCall *call,
                gint64 m,
                gint64 n_rows,
                gint64 f,
                gint64 n_columns)
{
  const HlTensor *x = call->in[0], *w = call->in[1], *b = call->in[2];
  gboolean is_transposed = call->params.is_transposed;
  gint64 D = w->shape.dim[is_transposed ? 0 : 1], F = w->shape.dim[is_transposed ? 1 : 0];
  int stride = (int) w->shape.dim[1];
  const real *columns = (const real *) w->data + (is_transposed ? f : f * D);
  real *y = (real *) call->out[0]->data + m * F + f;
  if (b != NULL)
    {
      Bias bias = { (const real *) b->data + f, y, n_columns, F };
      cpu_pool_run (context->pool, n_rows, MAX (1, 65536 / n_columns), fill_bias, &bias,
                    NULL);
    }
  real_gemm (CblasRowMajor, CblasNoTrans, is_transposed ? CblasNoTrans : CblasTrans,
             (int) n_rows, (int) n_columns, (int) D, 1, (const real *) x->data + m * D,
             (int) D, columns, stride, b != NULL ? 1 : 0, y, (int) F);
}

/* The longer of both sides of y is cut: the other operand is then copied only once. */
static void
multiply (
    const CpuContext *context, const HlOpCall *call, gint64 M, gint64 F, int n_threads)
{
  gboolean cuts_rows = M >= F;
  gint64 D = call->in[1]->shape.dim[call->params.is_transposed ? 0 : 1];
  gint64 n = cuts_rows ? M : F, other = cuts_rows ? F : M;
  double flops = 2.0 * (double) other * (double) D;
  gint64 panel = MAX (64, (gint64) (PANEL_FLOPS * n_threads / flops));
  for (gint64 i = 0; i < n; i += panel)
    {
      if (i > 0 && !hl_progress_pause (context->progress))
        return;
      if (i > 0) /* what ran in the pause has set it to one */
        openblas_set_num_threads (n_threads);
      if (cuts_rows)
        multiply_panel (context, call, i, MIN (panel, M - i), 0, F);
      else
        multiply_panel (context, call, 0, M, i, MIN (panel, F - i));
    }
}

/* A single row: W is read once, by as many threads as that is worth. */
static void
multiply_row (const HlOpCall *call, gint64 F)
{
  const HlTensor *x = call->in[0], *w = call->in[1], *b = call->in[2];
  real *y = call->out[0]->data;
  int stride = (int) w->shape.dim[1];
  if (b != NULL)
    memcpy (y, b->data, sizeof (real) * (gsize) F);
  real_gemv (CblasRowMajor, call->params.is_transposed ? CblasTrans : CblasNoTrans,
             (int) w->shape.dim[0], stride, 1, w->data, stride, x->data, 1,
             b != NULL ? 1 : 0, y, 1);
}

/* ---- many rows -----------------------------------------------------------------------
 */

/* Many rows with few numbers each, as convolutions have them, and small products: the
 * library's threads wait for each other, and spin for a while afterwards, for longer than
 * the product takes (half of an autoencoder's training was spent so). Our own threads
 * take rows, or columns where there are more of those. */
typedef struct
{
  const HlOpCall *call;
  gint64 D, F, M;
  gboolean cuts_rows;
} Cut;

static void
multiply_cut (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Cut *c = data;
  const HlTensor *x = c->call->in[0], *w = c->call->in[1], *b = c->call->in[2];
  gboolean is_transposed = c->call->params.is_transposed;
  gint64 m = c->cuts_rows ? begin : 0, n_rows = c->cuts_rows ? end - begin : c->M;
  gint64 f = c->cuts_rows ? 0 : begin, n_columns = c->cuts_rows ? c->F : end - begin;
  real *y = (real *) c->call->out[0]->data + m * c->F + f;
  for (gint64 i = 0; i < n_rows && b != NULL; i++)
    memcpy (y + i * c->F, (const real *) b->data + f, sizeof (real) * (gsize) n_columns);
  real_gemm (CblasRowMajor, CblasNoTrans, is_transposed ? CblasNoTrans : CblasTrans,
             (int) n_rows, (int) n_columns, (int) c->D, 1,
             (const real *) x->data + m * c->D, (int) c->D,
             (const real *) w->data + (is_transposed ? f : f * c->D),
             (int) w->shape.dim[1], b != NULL ? 1 : 0, y, (int) c->F);
}

static gboolean
is_cut (gint64 M, gint64 F, gint64 D, double flops)
{
  return M > 1 && (flops < CUT_FLOPS || (M >= CUT_ROWS && F * D <= CUT_WEIGHTS));
}

static void
multiply_parts (
    const CpuContext *context, const HlOpCall *call, gint64 M, gint64 F, gint64 D)
{
  Cut cut = { call, D, F, M, M >= F };
  gint64 n = cut.cuts_rows ? M : F;
  double flops = 2.0 * (double) M * (double) F * (double) D / (double) n;
  gint64 share =
      (n + cpu_pool_n_threads (context->pool) - 1) / cpu_pool_n_threads (context->pool);
  gint64 grain = CLAMP ((gint64) (2e7 / flops), 16, MAX (share, 16));
  gint64 part = MAX (grain, (gint64) (PANEL_FLOPS / flops));
  cpu_pool_run_in_parts (context->pool, n, grain, part, multiply_cut, &cut,
                         context->progress);
}

/* A sum of nothing in every row. */
static void
write_bias (const HlOpCall *call, gint64 M, gint64 F)
{
  const HlTensor *b = call->in[2];
  real *y = call->out[0]->data;
  memset (y, 0, sizeof (real) * (gsize) (M * F));
  for (gint64 m = 0; m < M && b != NULL; m++)
    memcpy (y + m * F, b->data, sizeof (real) * (gsize) F);
}

gboolean
K (linear) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  const HlTensor *w = call->in[1];
  gboolean is_transposed = call->params.is_transposed;
  gint64 D = w->shape.dim[is_transposed ? 0 : 1], F = w->shape.dim[is_transposed ? 1 : 0];
  gint64 M = F > 0 ? hl_tensor_count (call->out[0]) / F : 0;
  if (M == 0 || F == 0 || D == 0)
    {
      if (D == 0)
        write_bias (call, M, F);
      return TRUE;
    }
  int n_threads = cpu_pool_n_threads (context->pool);
  double flops = 2.0 * (double) M * (double) F * (double) D;
  if (flops >= ALONE_FLOPS && is_cut (M, F, D, flops))
    {
      multiply_parts (context, call, M, F, D);
      return TRUE;
    }
  if (flops < (M == 1 ? ALONE_FLOPS_ROW : ALONE_FLOPS))
    n_threads = 1;
  /* The number is the library's, not the call's; only one thread of ours is in a product
   * of this size, the others wait. */
  openblas_set_num_threads (n_threads);
  if (M == 1)
    multiply_row (call, F);
  else
    multiply (context, call, M, F, n_threads);
  /* Attention runs a product on each of our own threads. */
  openblas_set_num_threads (1);
  return TRUE;
}
