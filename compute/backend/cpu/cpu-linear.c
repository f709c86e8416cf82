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
/* Likewise for a single row, which costs the reading of W and little else. */
#define ALONE_FLOPS_ROW 5e5

typedef struct
{
  const real *b; /* (F) */
  real *y;       /* (M, F) */
  gint64 F;
} Bias;

static void
fill_bias (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Bias *bias = data;
  for (gint64 m = begin; m < end; m++)
    memcpy (bias->y + m * bias->F, bias->b, sizeof (real) * (gsize) bias->F);
}

gboolean
K (linear) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  const HlTensor *x = call->in[0], *w = call->in[1], *b = call->in[2];
  gboolean is_transposed = call->params.is_transposed;
  gint64 D = w->shape.dim[is_transposed ? 0 : 1], F = w->shape.dim[is_transposed ? 1 : 0];
  gint64 M = D > 0 ? hl_tensor_count (x) / D : 0;
  real *y = call->out[0]->data;
  if (M == 0 || F == 0)
    return TRUE;
  /* The product is added onto the bias, which saves a pass over y. */
  if (b != NULL)
    {
      Bias bias = { b->data, y, F };
      cpu_pool_run (context->pool, M, MAX (1, 65536 / F), fill_bias, &bias,
                    context->cancellable);
    }
  int n_threads = cpu_pool_n_threads (context->pool);
  double flops_a_row = 2.0 * (double) F * (double) D;
  gint64 panel = MAX (64, (gint64) (PANEL_FLOPS * n_threads / flops_a_row));
  /* The number is the library's, not the call's; only one thread of ours is in a product
   * of this size, the others wait. */
  gboolean alone = flops_a_row * (double) M < (M == 1 ? ALONE_FLOPS_ROW : ALONE_FLOPS);
  openblas_set_num_threads (alone ? 1 : n_threads);
  int stride = (int) w->shape.dim[1];
  CBLAS_TRANSPOSE turn = is_transposed ? CblasNoTrans : CblasTrans;
  if (M == 1)
    real_gemv (CblasRowMajor, is_transposed ? CblasTrans : CblasNoTrans,
               (int) w->shape.dim[0], stride, 1, w->data, stride, x->data, 1,
               b != NULL ? 1 : 0, y, 1);
  else
    for (gint64 m = 0; m < M && !g_cancellable_is_cancelled (context->cancellable);
         m += panel)
      real_gemm (CblasRowMajor, CblasNoTrans, turn, (int) MIN (panel, M - m), (int) F,
                 (int) D, 1, (const real *) x->data + m * D, (int) D, w->data, stride,
                 b != NULL ? 1 : 0, y + m * F, (int) F);
  /* Attention runs a product on each of our own threads. */
  openblas_set_num_threads (1);
  return TRUE;
}
