/* SPDX-License-Identifier: MIT
 * Position embeddings of a vision transformer at another grid than the trained one. */
#include "model/vit-positions.h"

#include <math.h>

/* Keys' cubic convolution with a = -0.75: weights of the four neighbours of a point
 * that lies @t beyond the second. */
static void
cubic_weights (double t, double w[4])
{
  const double a = -0.75;
  double d[4] = { 1 + t, t, 1 - t, 2 - t };
  for (int i = 0; i < 4; i++)
    {
      double x = d[i];
      w[i] = x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1
                    : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
    }
}

typedef struct
{
  gint64 at[4];
  double w[4];
} Taps;

static Taps *
make_taps (gint64 n_old, gint64 n_new)
{
  Taps *taps = g_new (Taps, (gsize) n_new);
  for (gint64 i = 0; i < n_new; i++)
    {
      double centre = ((double) i + 0.5) * (double) n_old / (double) n_new - 0.5;
      double first = floor (centre);
      cubic_weights (centre - first, taps[i].w);
      for (int k = 0; k < 4; k++)
        taps[i].at[k] = CLAMP ((gint64) first - 1 + k, 0, n_old - 1);
    }
  return taps;
}

HlTensor *
hl_vit_positions (HlExec *exec,
                  HlTensor *trained,
                  gint64 rows,
                  gint64 columns,
                  gint64 new_rows,
                  gint64 new_columns)
{
  if (trained == NULL || !hl_exec_ok (exec))
    return NULL;
  if (rows == new_rows && columns == new_columns)
    return hl_tensor_ref (trained);
  gint64 D = trained->shape.dim[2];
  HlShape shape = HL_SHAPE (1, 1 + new_rows * new_columns, D);
  g_autoptr (HlTensor) old = hl_tensor_convert (trained, HL_DTYPE_F64, &exec->error);
  g_autoptr (HlTensor) out =
      old != NULL ? hl_tensor_new (HL_DTYPE_F64, shape, &exec->error) : NULL;
  if (out == NULL)
    return NULL;
  const double *from = old->data;
  double *to = out->data;
  g_autofree Taps *down = make_taps (rows, new_rows);
  g_autofree Taps *across = make_taps (columns, new_columns);
  for (gint64 d = 0; d < D; d++)
    to[d] = from[d]; /* CLS has no place in the grid */
  for (gint64 i = 0; i < new_rows * new_columns; i++)
    {
      const Taps *y = &down[i / new_columns], *x = &across[i % new_columns];
      double *cell = to + (1 + i) * D;
      for (gint64 d = 0; d < D; d++)
        cell[d] = 0;
      for (int k = 0; k < 16; k++)
        {
          double w = y->w[k / 4] * x->w[k % 4];
          const double *source = from + (1 + y->at[k / 4] * columns + x->at[k % 4]) * D;
          for (gint64 d = 0; d < D; d++)
            cell[d] += w * source[d];
        }
    }
  return hl_exec_upload (exec, out);
}
