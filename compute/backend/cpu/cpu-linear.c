/* SPDX-License-Identifier: MIT
 * y = x Wt + b. One thread of OpenBLAS a panel, panels handed out by our own pool: as
 * fast as OpenBLAS' own threads, and the work can be cancelled between panels. */
#include "config.h"

#include "backend/cpu/cpu-kernels.h"

#include <string.h>

typedef struct
{
  const real *x; /* (M, D) */
  const real *w; /* (F, D) */
  const real *b; /* (F) or NULL */
  real *y;       /* (M, F) */
  gint64 M, D, F;
  gint64 row_panel, column_panel, n_column_panels;
} Linear;

static void
linear_panels (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Linear *l = data;
  for (gint64 i = begin; i < end; i++)
    {
      gint64 r0 = i / l->n_column_panels * l->row_panel;
      gint64 c0 = i % l->n_column_panels * l->column_panel;
      gint64 rows = MIN (l->row_panel, l->M - r0);
      gint64 columns = MIN (l->column_panel, l->F - c0);
      real *y = l->y + r0 * l->F + c0;
      /* The product is added onto the bias, which saves a pass over y. */
      if (l->b != NULL)
        for (gint64 r = 0; r < rows; r++)
          memcpy (y + r * l->F, l->b + c0, sizeof (real) * (gsize) columns);
      real_gemm (CblasRowMajor, CblasNoTrans, CblasTrans, (int) rows, (int) columns,
                 (int) l->D, 1, l->x + r0 * l->D, (int) l->D, l->w + c0 * l->D,
                 (int) l->D, l->b != NULL ? 1 : 0, y, (int) l->F);
    }
}

/* Panels of at most some 2.5 GFLOP (30 ms of one core), at least one a thread, and cut
 * along the longer side at multiples of 64, which suits the library's inner kernels. */
static gint64
panel_size (gint64 n, gint64 n_panels)
{
  gint64 size = (n + n_panels - 1) / n_panels;
  return MIN (n, (size + 63) / 64 * 64);
}

gboolean
K (linear) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  const HlTensor *x = call->in[0], *w = call->in[1];
  Linear l = { .x = x->data,
               .w = w->data,
               .b = call->in[2] != NULL ? call->in[2]->data : NULL,
               .y = call->out[0]->data,
               .D = w->shape.dim[1],
               .F = w->shape.dim[0] };
  l.M = l.D > 0 ? hl_tensor_count (x) / l.D : 0;
  if (l.M == 0 || l.F == 0)
    return TRUE;
  double flops = 2.0 * (double) l.M * (double) l.F * (double) l.D;
  gint64 n_threads = cpu_pool_n_threads (context->pool);
  gint64 n_panels = flops < 4e6 ? 1 : MAX (n_threads, (gint64) (flops / 2.5e9) + 1);
  n_panels = (n_panels + n_threads - 1) / n_threads * n_threads;
  if (flops < 4e6)
    n_panels = 1;
  gboolean by_columns = l.F >= l.M;
  l.row_panel = by_columns ? l.M : panel_size (l.M, n_panels);
  l.column_panel = by_columns ? panel_size (l.F, n_panels) : l.F;
  l.n_column_panels = (l.F + l.column_panel - 1) / l.column_panel;
  gint64 n_row_panels = (l.M + l.row_panel - 1) / l.row_panel;
  cpu_pool_run (context->pool, n_row_panels * l.n_column_panels, 1, linear_panels, &l,
                context->cancellable);
  return TRUE;
}
