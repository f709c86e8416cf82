/* SPDX-License-Identifier: MIT
 * Kinds of ablation. */
#include "analysis/hl-ablation.h"

#include "base/hl-error.h"

static const char *const names[HL_N_ABLATIONS] = { "zero", "mean", "resample",
                                                   "uniform" };

struct _HlMeanZ
{
  int n_inputs;
  gboolean is_ragged; /* inputs differ in their number of tokens */
  gint64 n_tokens;    /* of all of them together */
  GPtrArray *places;  /* a layer: (T, H, K) doubles: sums place by place */
  GPtrArray *all;     /* a layer: (H, K) doubles: sums over places too */
};

const char *
hl_ablation_name (HlAblation kind)
{
  return names[kind];
}

gboolean
hl_ablation_from_name (const char *name, HlAblation *kind)
{
  for (int i = 0; i < HL_N_ABLATIONS; i++)
    if (g_strcmp0 (name, names[i]) == 0)
      {
        *kind = (HlAblation) i;
        return TRUE;
      }
  return FALSE;
}

/* (transfer full) (nullable): one site of every layer, (1, T, H, K) float64 each. */
static GPtrArray *
capture (const HlModel *model,
         const HlInput *input,
         HlSite site,
         HlBackend *backend,
         const HlProgress *progress,
         GError **error)
{
  HlRun run;
  const HlModelInfo *info = hl_model_get_info (model);
  if (!hl_model_info_check_one_tower (info, "ablation", error))
    return NULL;
  const HlStack *stack = hl_model_info_get_stack (info, 0);
  g_autoptr (GPtrArray) found =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_tensor_unref);
  g_autofree char *pattern = g_strdup_printf ("*blocks.*.%s", hl_site_suffix (site));
  hl_run_init (&run, backend, info, progress);
  hl_run_capture (&run, pattern);
  g_autoptr (HlTensor) logits = hl_model_forward (model, &run, input);
  for (int l = 0; l < stack->n_layers && run.exec.error == NULL; l++)
    {
      g_autofree char *name = hl_site_name (info, site, 0, l);
      HlTensor *kept = g_hash_table_lookup (run.captured, name);
      HlTensor *wide = hl_tensor_convert (kept, HL_DTYPE_F64, &run.exec.error);
      if (wide != NULL)
        g_ptr_array_add (found, wide);
    }
  gboolean ok = run.exec.error == NULL;
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&run.exec.error));
  hl_run_clear (&run);
  return ok ? g_steal_pointer (&found) : NULL;
}

/* ---- means ---------------------------------------------------------------------------
 */

HlMeanZ *
hl_mean_z_new (void)
{
  HlMeanZ *mean = g_new0 (HlMeanZ, 1);
  mean->places = g_ptr_array_new_with_free_func (g_free);
  mean->all = g_ptr_array_new_with_free_func (g_free);
  return mean;
}

void
hl_mean_z_free (HlMeanZ *mean)
{
  if (mean == NULL)
    return;
  g_ptr_array_unref (mean->places);
  g_ptr_array_unref (mean->all);
  g_free (mean);
}

static void
add_layer (HlMeanZ *mean, guint layer, const HlTensor *z)
{
  const gint64 *dim = z->shape.dim;
  gint64 T = dim[1], width = dim[2] * dim[3];
  const double *x = z->data;
  if (layer == mean->all->len)
    {
      g_ptr_array_add (mean->all, g_new0 (double, (gsize) width));
      g_ptr_array_add (mean->places, g_new0 (double, (gsize) (T * width)));
    }
  double *all = g_ptr_array_index (mean->all, layer);
  double *places = g_ptr_array_index (mean->places, layer);
  for (gint64 i = 0; i < T * width; i++)
    {
      all[i % width] += x[i];
      if (!mean->is_ragged)
        places[i] += x[i];
    }
}

gboolean
hl_mean_z_add (HlMeanZ *mean,
               const HlModel *model,
               const HlInput *input,
               HlBackend *backend,
               const HlProgress *progress,
               GError **error)
{
  g_autoptr (GPtrArray) z = capture (model, input, HL_SITE_Z, backend, progress, error);
  if (z == NULL)
    return FALSE;
  gint64 T = z->len > 0 ? ((HlTensor *) g_ptr_array_index (z, 0))->shape.dim[1] : 0;
  mean->is_ragged |= mean->n_inputs > 0 && T * mean->n_inputs != mean->n_tokens;
  for (guint l = 0; l < z->len; l++)
    add_layer (mean, l, g_ptr_array_index (z, l));
  mean->n_inputs++;
  mean->n_tokens += T;
  return TRUE;
}

/* (1, T, H, K), or (1, 1, H, K) where inputs differ in length from each other or from the
 * one that is asked for. */
static HlTensor *
mean_of (const HlMeanZ *mean, guint layer, const HlTensor *like)
{
  gint64 T = like->shape.dim[1], H = like->shape.dim[2], K = like->shape.dim[3];
  gboolean by_place = !mean->is_ragged && mean->n_tokens == T * mean->n_inputs;
  gint64 rows = by_place ? T : 1;
  const double *sums = g_ptr_array_index (by_place ? mean->places : mean->all, layer);
  double n = (double) (by_place ? mean->n_inputs : mean->n_tokens);
  HlTensor *out = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (1, rows, H, K), NULL);
  for (gint64 i = 0; out != NULL && i < rows * H * K; i++)
    ((float *) out->data)[i] = (float) (sums[i] / n);
  return out;
}

/* ---- other replacements --------------------------------------------------------------
 */

/* Rows of another input's z; past its end its last row goes on. */
static HlTensor *
resampled (const HlTensor *other, gint64 T)
{
  gint64 from = other->shape.dim[1], width = other->shape.dim[2] * other->shape.dim[3];
  HlTensor *out = hl_tensor_new (
      HL_DTYPE_F32, HL_SHAPE (1, T, other->shape.dim[2], other->shape.dim[3]), NULL);
  for (gint64 t = 0; out != NULL && t < T; t++)
    for (gint64 i = 0; i < width; i++)
      ((float *) out->data)[t * width + i] =
          (float) ((const double *) other->data)[MIN (t, from - 1) * width + i];
  return out;
}

/* Values of every key a query may see, in equal parts; heads of a group share theirs. */
static HlTensor *
uniform (const HlTensor *v, const HlLayerInfo *layer)
{
  gint64 T = v->shape.dim[1], Hkv = v->shape.dim[2], K = v->shape.dim[3];
  gint64 H = layer->n_heads, group = H / MAX (Hkv, 1);
  const double *x = v->data;
  g_autofree double *sum = g_new0 (double, (gsize) (Hkv * K));
  HlTensor *out = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (1, T, H, K), NULL);
  HlKeySpan summed = { 0, 0 };
  for (gint64 t = 0; out != NULL && t < T; t++)
    {
      HlKeySpan seen = hl_layer_keys_seen (layer, t, T, T);
      double n = (double) (seen.end - seen.first);
      for (; summed.end < seen.end; summed.end++)
        for (gint64 i = 0; i < Hkv * K; i++)
          sum[i] += x[summed.end * Hkv * K + i];
      for (; summed.first < seen.first; summed.first++)
        for (gint64 i = 0; i < Hkv * K; i++)
          sum[i] -= x[summed.first * Hkv * K + i];
      for (gint64 h = 0; h < H; h++)
        for (gint64 k = 0; k < K; k++)
          ((float *) out->data)[(t * H + h) * K + k] =
              (float) (sum[(h / group) * K + k] / n);
    }
  return out;
}

/* @own says how many tokens the input has, and has its values where those are wanted. */
static GPtrArray *
make (HlAblation kind,
      const HlStack *stack,
      const GPtrArray *own,
      const GPtrArray *others,
      const HlMeanZ *mean,
      GError **error)
{
  g_autoptr (GPtrArray) made =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_tensor_unref);
  for (int l = 0; l < stack->n_layers; l++)
    {
      const HlTensor *like = g_ptr_array_index (own, l);
      HlTensor *out = NULL;
      if (kind == HL_ABLATION_UNIFORM)
        out = uniform (like, &stack->layers[l]);
      else if (kind == HL_ABLATION_RESAMPLE)
        out = resampled (g_ptr_array_index (others, l), like->shape.dim[1]);
      else
        out = mean_of (mean, (guint) l, like);
      if (out == NULL)
        {
          g_set_error_literal (error, HL_ERROR, HL_ERROR_MEMORY,
                               "ablation: no memory for what replaces the heads");
          return NULL;
        }
      g_ptr_array_add (made, out);
    }
  return g_steal_pointer (&made);
}

GPtrArray *
hl_ablation_replace (HlAblation kind,
                     const HlModel *model,
                     const HlInput *input,
                     const HlInput *other,
                     const HlMeanZ *mean,
                     HlBackend *backend,
                     const HlProgress *progress,
                     GError **error)
{
  if (kind == HL_ABLATION_ZERO)
    return NULL;
  if (kind == HL_ABLATION_RESAMPLE && other == NULL)
    {
      g_set_error_literal (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                           "resample ablation: another input to take from expected, none "
                           "found: it needs a data set");
      return NULL;
    }
  HlSite site = kind == HL_ABLATION_UNIFORM ? HL_SITE_V : HL_SITE_Z;
  g_autoptr (GPtrArray) own = capture (model, input, site, backend, progress, error);
  g_autoptr (GPtrArray) others = NULL;
  g_autoptr (HlMeanZ) alone = NULL;
  if (own == NULL)
    return NULL;
  if (kind == HL_ABLATION_RESAMPLE)
    {
      others = capture (model, other, site, backend, progress, error);
      if (others == NULL)
        return NULL;
    }
  if (kind == HL_ABLATION_MEAN && mean == NULL)
    {
      alone = hl_mean_z_new ();
      if (!hl_mean_z_add (alone, model, input, backend, progress, error))
        return NULL;
      alone->is_ragged = TRUE; /* over its tokens: its own places would change nothing */
    }
  return make (kind, hl_model_info_get_stack (hl_model_get_info (model), 0), own, others,
               mean != NULL ? mean : alone, error);
}
