/* SPDX-License-Identifier: MIT
 * What the distance of a query and a key adds to their score. */
#include "model/hl-position-bias.h"

#include <math.h>
#include <string.h>

/* In float32, as models were trained: near the border of a bucket a rounding decides. */
int
hl_position_bias_bucket (const HlPositionBias *bias, gint64 distance)
{
  int n = (int) bias->table->stored->shape.dim[0], first = 0;
  gint64 away = -distance;
  if (bias->is_two_sided)
    {
      n /= 2;
      first = distance > 0 ? n : 0;
      away = ABS (distance);
    }
  away = MAX (away, 0);
  int exact = n / 2;
  if (away < exact)
    return first + (int) away;
  float share = logf ((float) away / (float) exact) /
                (float) log ((double) bias->max_distance / (double) exact);
  return first + MIN (exact + (int) (share * (float) (n - exact)), n - 1);
}

HlTensor *
hl_position_bias_table (const HlPositionBias *bias, gint64 n_keys)
{
  const HlTensor *stored = bias->table->stored;
  gint64 H = stored->shape.dim[1], n = 2 * n_keys - 1;
  g_autofree float *row = g_new (float, (gsize) H);
  g_autoptr (HlTensor) table = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (H, n), NULL);
  for (gint64 d = 0; table != NULL && d < n; d++)
    {
      int bucket = hl_position_bias_bucket (bias, d - (n_keys - 1));
      gsize size = hl_dtype_size (stored->dtype);
      hl_dtype_to_f32 (stored->dtype,
                       (const guint8 *) stored->data + (gsize) (bucket * H) * size,
                       (gsize) H, row);
      for (gint64 h = 0; h < H; h++)
        ((float *) table->data)[h * n + d] = row[h];
    }
  return g_steal_pointer (&table);
}

static gboolean
fits (const HlTensor *t, gint64 Tq, gint64 Tk)
{
  return t != NULL && t->shape.dim[2] == Tq && t->shape.dim[3] == Tk;
}

HlTensor *
hl_position_bias_get (
    const HlPositionBias *bias, HlRun *run, gint64 first, gint64 Tq, gint64 Tk)
{
  HlTensor *kept = g_hash_table_lookup (run->tables, bias);
  if (fits (kept, Tq, Tk))
    return hl_tensor_ref (kept);
  gint64 H = bias->table->stored->shape.dim[1], n = 2 * Tk - 1;
  g_autoptr (HlTensor) table = hl_position_bias_table (bias, Tk);
  g_autoptr (HlTensor) host =
      hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (1, H, Tq, Tk), &run->exec.error);
  if (table == NULL || host == NULL)
    return NULL;
  for (gint64 h = 0; h < H; h++)
    for (gint64 i = 0; i < Tq; i++)
      memcpy ((float *) host->data + (h * Tq + i) * Tk,
              hl_tensor_f32 (table) + h * n + Tk - 1 - (first + i),
              sizeof (float) * (gsize) Tk);
  HlTensor *made = hl_exec_upload (&run->exec, host);
  if (made != NULL)
    g_hash_table_replace (run->tables, (gpointer) bias, hl_tensor_ref (made));
  return made;
}
