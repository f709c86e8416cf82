/* SPDX-License-Identifier: MIT
 * What a head does to a token, wherever it looks. */
#include "model/hl-ov.h"

#include "model/hl-family.h"
#include "model/hl-model-private.h"
#include "model/hl-readout.h"

#include <cblas.h>

/* Tokens that are summed up at a time. */
#define BAND 4096

static const HlBlock *
block_of (const HlModel *model, int stack, int layer)
{
  return model->family->get_block != NULL
             ? model->family->get_block (model->data, stack, layer)
             : NULL;
}

gboolean
hl_model_has_ov (const HlModel *model)
{
  const HlReadout *readout;
  return model->family->get_ends != NULL &&
         model->family->get_ends (model->data, &readout) != NULL;
}

/* (transfer full) (nullable): a weight in the backend's type, on the host. */
static HlTensor *
param_on_host (HlParam *param, HlExec *exec)
{
  g_autoptr (HlTensor) value = hl_param_get (param, exec);
  return value != NULL ? hl_backend_fetch (exec->backend, value, &exec->error) : NULL;
}

/* @n numbers of it, from @first. */
static void
read_numbers (const HlTensor *t, gint64 first, gint64 n, double *out)
{
  const double *wide = t->data;
  const float *narrow = t->data;
  for (gint64 i = 0; i < n; i++)
    out[i] = t->dtype == HL_DTYPE_F64 ? wide[first + i] : (double) narrow[first + i];
}

/* The linear part of a norm on rows @x (n, D) that read what it gives: x diag (g), and of
 * layer norm x diag (g) (1 - 11' / D). */
static gboolean
fold_norm (const HlNorm *norm, HlExec *exec, double *x, gint64 n, gint64 D)
{
  if (norm->weight == NULL)
    return TRUE;
  g_autoptr (HlTensor) gain = param_on_host (norm->weight, exec);
  if (gain == NULL)
    return FALSE;
  g_autofree double *g = g_new (double, (gsize) D);
  read_numbers (gain, 0, D, g);
  for (gint64 d = 0; d < D && norm->is_offset; d++)
    g[d] += 1;
  for (gint64 i = 0; i < n; i++)
    {
      double *row = x + i * D, mean = 0;
      for (gint64 d = 0; d < D; d++)
        {
          row[d] *= g[d];
          mean += row[d] / (double) D;
        }
      for (gint64 d = 0; d < D && !norm->is_rms; d++)
        row[d] -= mean;
    }
  return TRUE;
}

double *
hl_model_get_ends (const HlModel *model, HlExec *exec)
{
  const HlReadout *readout;
  HlParam *table = model->family->get_ends (model->data, &readout);
  g_autoptr (HlTensor) embed = param_on_host (table, exec);
  g_autoptr (HlTensor) unembed =
      embed != NULL ? param_on_host (readout->unembed.weight, exec) : NULL;
  if (unembed == NULL)
    return NULL;
  gint64 V = embed->shape.dim[0], D = embed->shape.dim[1];
  g_autofree double *sum = g_new0 (double, (gsize) (D * D));
  g_autofree double *e = g_new (double, (gsize) (BAND * D));
  g_autofree double *u = g_new (double, (gsize) (BAND * D));
  for (gint64 first = 0; first < V; first += BAND)
    {
      gint64 n = MIN (BAND, V - first);
      if (!hl_exec_step (exec, (double) first / (double) V, "both ends"))
        return NULL;
      read_numbers (embed, first * D, n * D, e);
      read_numbers (unembed, first * D, n * D, u);
      if (!fold_norm (&readout->norm, exec, u, n, D))
        return NULL;
      cblas_dgemm (CblasRowMajor, CblasTrans, CblasNoTrans, (int) D, (int) D, (int) n, 1,
                   e, (int) D, u, (int) D, 1, sum, (int) D);
    }
  return g_steal_pointer (&sum);
}

/* ---- a head --------------------------------------------------------------------------
 */

/* (transfer full): weights (n, D) of outputs @first to @first + @n of a dense layer. */
static double *
rows_of (const HlDense *dense, HlExec *exec, gint64 first, gint64 n, gint64 D)
{
  g_autoptr (HlTensor) w = param_on_host (dense->weight, exec);
  if (w == NULL)
    return NULL;
  double *out = g_new (double, (gsize) (n * D));
  gint64 F = w->shape.dim[1]; /* where it is transposed */
  for (gint64 i = 0; i < n; i++)
    for (gint64 d = 0; d < D; d++)
      read_numbers (w, dense->is_transposed ? d * F + first + i : (first + i) * D + d, 1,
                    out + i * D + d);
  return out;
}

/* (transfer full): weights (D, n) of inputs @first to @first + @n. */
static double *
columns_of (const HlDense *dense, HlExec *exec, gint64 first, gint64 n, gint64 D)
{
  g_autoptr (HlTensor) w = param_on_host (dense->weight, exec);
  if (w == NULL)
    return NULL;
  double *out = g_new (double, (gsize) (D * n));
  gint64 width = w->shape.dim[dense->is_transposed ? 0 : 1];
  for (gint64 d = 0; d < D; d++)
    for (gint64 i = 0; i < n; i++)
      read_numbers (w, dense->is_transposed ? (first + i) * D + d : d * width + first + i,
                    1, out + d * n + i);
  return out;
}

int
hl_model_get_ov (
    const HlModel *model, int layer, int head, HlExec *exec, double **v, double **o)
{
  const HlBlock *block = block_of (model, 0, layer);
  const HlAttention *a = block != NULL ? hl_mixer_get_attention (block->mixer) : NULL;
  gint64 D = hl_model_get_info (model)->width;
  *v = *o = NULL;
  if (a == NULL || head < 0 || head >= a->n_heads)
    return 0;
  gint64 K = a->head_width, shared = head / (a->n_heads / a->n_kv_heads);
  gboolean is_joint = a->qkv.weight != NULL;
  gint64 before = !is_joint       ? shared
                  : a->is_by_head ? 3 * head + 2
                                  : a->n_heads + a->n_kv_heads + shared;
  gint64 first = before * K;
  g_autofree double *values = rows_of (is_joint ? &a->qkv : &a->v, exec, first, K, D);
  g_autofree double *output =
      values != NULL ? columns_of (&a->o, exec, head * K, K, D) : NULL;
  if (output == NULL || !fold_norm (&block->of_mixer.before, exec, values, K, D))
    return 0;
  *v = g_steal_pointer (&values);
  *o = g_steal_pointer (&output);
  return (int) K;
}

double *
hl_model_get_output (
    const HlModel *model, int stack, int layer, HlExec *exec, gint64 *D, gint64 *width)
{
  const HlBlock *block = block_of (model, stack, layer);
  gboolean is_cross =
      hl_model_info_get_stack (hl_model_get_info (model), stack)->is_cross;
  const HlMixer *mixer = block == NULL ? NULL : is_cross ? block->cross : block->mixer;
  const HlAttention *a = mixer != NULL ? hl_mixer_get_attention (mixer) : NULL;
  if (a == NULL || a->o.weight == NULL)
    return NULL;
  const HlShape *shape = &a->o.weight->stored->shape;
  *D = shape->dim[a->o.is_transposed ? 1 : 0];
  *width = a->n_heads * a->head_width;
  return columns_of (&a->o, exec, 0, *width, *D);
}
