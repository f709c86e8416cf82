/* SPDX-License-Identifier: MIT
 * Attention by what it carries. */
#include "analysis/hl-norm-attention.h"

#include "base/hl-error.h"
#include "model/hl-ov.h"

#include <cblas.h>
#include <math.h>

/* Numbers of v W_O that are kept at a time. */
#define BAND_NUMBERS (1 << 20)

void
hl_norm_layer_free (HlNormLayer *layer)
{
  if (layer == NULL)
    return;
  g_free (layer->products);
  g_free (layer);
}

/* ---- what values weigh ---------------------------------------------------------------
 */

/* Of one layer: @v (Tk, Hkv, K), @o (D, H, K). */
typedef struct
{
  const double *v, *o;
  gint64 n_kv_heads, K, D;
} Values;

/* @moved (n, H, D): v W_O of @n keys from @first on. */
static void
move_values (
    const Values *x, const HlNormLayer *layer, gint64 first, gint64 n, double *moved)
{
  int H = layer->n_heads, shared = H / (int) x->n_kv_heads;
  int wide_v = (int) (x->n_kv_heads * x->K), wide_o = (int) (H * x->K);
  for (int h = 0; h < H; h++)
    cblas_dgemm (CblasRowMajor, CblasNoTrans, CblasTrans, (int) n, (int) x->D, (int) x->K,
                 1, x->v + first * wide_v + h / shared * x->K, wide_v, x->o + h * x->K,
                 wide_o, 0, moved + h * x->D, (int) (H * x->D));
}

static gboolean
multiply_values (const Values *x,
                 HlNormLayer *layer,
                 const HlProgress *progress,
                 GError **error)
{
  gint64 H = layer->n_heads, T = layer->n_keys;
  gint64 band = MAX (BAND_NUMBERS / (H * x->D), 1);
  g_autofree double *moved = g_try_new (double, (gsize) (MIN (band, T) * H * x->D) + 1);
  if (moved == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MEMORY,
                   "no memory for the values of %d keys", (int) MIN (band, T));
      return FALSE;
    }
  for (gint64 first = 0; first < T; first += band)
    {
      gint64 n = MIN (band, T - first);
      if (!hl_progress_step (progress, 0, NULL, error))
        return FALSE;
      move_values (x, layer, first, n, moved);
      for (gint64 j = 0; j < n; j++)
        cblas_dgemm (CblasRowMajor, CblasNoTrans, CblasTrans, (int) H, (int) H,
                     (int) x->D, 1, moved + j * H * x->D, (int) x->D,
                     moved + j * H * x->D, (int) x->D, 0,
                     layer->products + (first + j) * H * H, (int) H);
    }
  return TRUE;
}

/* (transfer full): W_O, (D, H * K), of @n_heads heads; NULL with @error. */
static double *
take_output (const HlModel *model,
             HlBackend *backend,
             int stack,
             int layer,
             int n_heads,
             gint64 *D,
             gint64 *K,
             GError **error)
{
  HlExec exec;
  hl_exec_init (&exec, backend, NULL);
  gint64 width = 0;
  double *o = hl_model_get_output (model, stack, layer, &exec, D, &width);
  *K = width / n_heads;
  if (exec.error != NULL)
    g_propagate_error (error, g_steal_pointer (&exec.error));
  else if (o == NULL)
    g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                 "norms of attention: heads with an output of their own expected, layer "
                 "%d of %s has none",
                 layer, hl_model_get_info (model)->name);
  hl_exec_clear (&exec);
  return o;
}

static HlNormLayer *
layer_new (int n_heads, gint64 n_keys, GError **error)
{
  g_autoptr (HlNormLayer) made = g_new0 (HlNormLayer, 1);
  made->n_heads = n_heads;
  made->n_keys = n_keys;
  made->products = g_try_new0 (double, (gsize) (n_keys * n_heads * n_heads) + 1);
  if (made->products != NULL)
    return g_steal_pointer (&made);
  g_set_error (error, HL_ERROR, HL_ERROR_MEMORY,
               "no memory for the values of %d keys and %d heads", (int) n_keys, n_heads);
  return NULL;
}

HlNormLayer *
hl_norm_layer_new (const HlModel *model,
                   HlBackend *backend,
                   HlTensor *values,
                   int stack,
                   int layer,
                   const HlProgress *progress,
                   GError **error)
{
  const HlStack *tower = hl_model_info_get_stack (hl_model_get_info (model), stack);
  int H = tower->layers[layer].n_heads, last = values->shape.n_dims - 1;
  g_autoptr (HlTensor) v = hl_tensor_convert (values, HL_DTYPE_F64, error);
  Values x = { 0 };
  g_autofree double *o =
      v != NULL ? take_output (model, backend, stack, layer, H, &x.D, &x.K, error) : NULL;
  if (o == NULL)
    return NULL;
  gint64 Hkv = last >= 2 ? v->shape.dim[last - 1] : 0;
  if (Hkv < 1 || H % Hkv != 0 || v->shape.dim[last] != x.K ||
      v->shape.dim[last - 2] * Hkv * x.K != hl_tensor_count (v))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_SHAPE,
                   "values of heads of width %d expected, others found", (int) x.K);
      return NULL;
    }
  x.v = v->data;
  x.o = o;
  x.n_kv_heads = Hkv;
  g_autoptr (HlNormLayer) made = layer_new (H, v->shape.dim[last - 2], error);
  if (made == NULL || !multiply_values (&x, made, progress, error))
    return NULL;
  return g_steal_pointer (&made);
}

HlNormLayer *
hl_norm_layer_of_trace (const HlModel *model,
                        HlBackend *backend,
                        const HlTrace *trace,
                        int stack,
                        int layer,
                        const HlProgress *progress,
                        GError **error)
{
  g_autofree char *name = hl_trace_site_name (trace->model, stack, layer, "attn.hook_v");
  HlTensor *values = hl_trace_get_site (trace, name);
  if (values != NULL)
    return hl_norm_layer_new (model, backend, values, stack, layer, progress, error);
  g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
               "norms of attention: values expected, the trace has no %s", name);
  return NULL;
}

/* ---- norms ---------------------------------------------------------------------------
 */

void
hl_norm_layer_of_head (const HlNormLayer *layer,
                       int head,
                       const double *row,
                       double *norms)
{
  gint64 H = layer->n_heads;
  for (gint64 j = 0; j < layer->n_keys; j++)
    norms[j] = row[j] * sqrt (layer->products[(j * H + head) * H + head]);
}

void
hl_norm_layer_of_all (const HlNormLayer *layer,
                      const double *rows,
                      gint64 stride,
                      double *norms)
{
  gint64 H = layer->n_heads;
  for (gint64 j = 0; j < layer->n_keys; j++)
    {
      const double *products = layer->products + j * H * H;
      double sum = 0;
      for (gint64 h = 0; h < H; h++)
        for (gint64 g = 0; g < H; g++)
          sum += rows[h * stride + j] * rows[g * stride + j] * products[h * H + g];
      norms[j] = sum < 0 ? 0 : sqrt (sum); /* rounding, where all of it cancels */
    }
}
