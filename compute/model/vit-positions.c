/* SPDX-License-Identifier: MIT
 * Position embeddings of a vision transformer at another grid than the trained one. */
#include "model/vit-positions.h"

#include <math.h>
#include <string.h>

/* Keys' cubic convolution at distance @x (IEEE Trans. ASSP 29, 1981). */
static double
cubic (double x, double a)
{
  x = fabs (x);
  if (x >= 2)
    return 0;
  return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1
                : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}

/* One new point: places of the old grid and their weights. */
typedef struct
{
  int n;
  gint64 *at;
  double *w;
} Taps;

static void
taps_free (Taps *taps, gint64 n)
{
  for (gint64 i = 0; i < n; i++)
    {
      g_free (taps[i].at);
      g_free (taps[i].w);
    }
  g_free (taps);
}

/* The four neighbours; outside of the grid its border counts. */
static void
fill_plain (Taps *taps, double centre, gint64 n_old)
{
  double first = floor (centre);
  taps->n = 4;
  for (int k = 0; k < 4; k++)
    {
      taps->at[k] = CLAMP ((gint64) first - 1 + k, 0, n_old - 1);
      taps->w[k] = cubic (centre - (first - 1 + k), -0.75);
    }
}

/* All within reach, which grows with the step; their weights add up to 1. */
static void
fill_antialiased (Taps *taps, double centre, gint64 n_old, double step)
{
  double stretch = fmax (step, 1), sum = 0;
  gint64 first = MAX ((gint64) (centre + 0.5 - 2 * stretch + 0.5), 0);
  gint64 end = MIN ((gint64) (centre + 0.5 + 2 * stretch + 0.5), n_old);
  taps->n = (int) MAX (end - first, 0);
  for (int k = 0; k < taps->n; k++)
    {
      taps->at[k] = first + k;
      taps->w[k] = cubic (((double) (first + k) - centre) / stretch, -0.5);
      sum += taps->w[k];
    }
  for (int k = 0; k < taps->n; k++)
    taps->w[k] /= sum;
}

static Taps *
taps_new (gint64 n_old, gint64 n_new, gboolean is_antialiased)
{
  Taps *taps = g_new0 (Taps, (gsize) n_new);
  double step = (double) n_old / (double) n_new;
  gsize room = (gsize) (4 * fmax (step, 1)) + 4;
  for (gint64 i = 0; i < n_new; i++)
    {
      double centre = ((double) i + 0.5) * step - 0.5;
      taps[i].at = g_new (gint64, room);
      taps[i].w = g_new (double, room);
      if (is_antialiased)
        fill_antialiased (&taps[i], centre, n_old, step);
      else
        fill_plain (&taps[i], centre, n_old);
    }
  return taps;
}

static void
add_cell (const Taps *y,
          const Taps *x,
          const double *grid,
          gint64 columns,
          gint64 D,
          double *cell)
{
  memset (cell, 0, sizeof *cell * (gsize) D);
  for (int i = 0; i < y->n; i++)
    for (int j = 0; j < x->n; j++)
      {
        double w = y->w[i] * x->w[j];
        const double *source = grid + (y->at[i] * columns + x->at[j]) * D;
        for (gint64 d = 0; d < D; d++)
          cell[d] += w * source[d];
      }
}

HlTensor *
hl_vit_positions (HlExec *exec, HlTensor *trained, const HlVitGrid *grid)
{
  if (trained == NULL || !hl_exec_ok (exec))
    return NULL;
  if (grid->rows == grid->new_rows && grid->columns == grid->new_columns)
    return hl_tensor_ref (trained);
  gint64 D = trained->shape.dim[2], before = grid->n_before * D;
  gint64 n = grid->new_rows * grid->new_columns;
  g_autoptr (HlTensor) old = hl_tensor_convert (trained, HL_DTYPE_F64, &exec->error);
  g_autoptr (HlTensor) out =
      old != NULL ? hl_tensor_new (HL_DTYPE_F64, HL_SHAPE (1, grid->n_before + n, D),
                                   &exec->error)
                  : NULL;
  if (out == NULL)
    return NULL;
  const double *from = old->data;
  double *to = out->data;
  Taps *down = taps_new (grid->rows, grid->new_rows, grid->is_antialiased);
  Taps *across = taps_new (grid->columns, grid->new_columns, grid->is_antialiased);
  memcpy (to, from, sizeof *to * (gsize) before);
  for (gint64 i = 0; i < n; i++)
    add_cell (&down[i / grid->new_columns], &across[i % grid->new_columns], from + before,
              grid->columns, D, to + before + i * D);
  taps_free (down, grid->new_rows);
  taps_free (across, grid->new_columns);
  return hl_exec_upload (exec, out);
}
