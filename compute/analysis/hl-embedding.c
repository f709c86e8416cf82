/* SPDX-License-Identifier: MIT
 * What a model makes of an input, as one vector. */
#include "analysis/hl-embedding.h"

#include <string.h>

/* (transfer full): the row that is read of @resid (1, T or 1, D), or the mean of all. */
static HlTensor *
take_row (const HlModel *model, const HlInput *input, HlTensor *resid, GError **error)
{
  g_autoptr (HlTensor) host =
      resid != NULL ? hl_tensor_convert (resid, HL_DTYPE_F32, error) : NULL;
  if (host == NULL)
    return NULL;
  gint64 T = host->shape.dim[1], D = host->shape.dim[2];
  gint64 row = T > 1 ? hl_model_get_readout_row (model, input) : 0;
  if (row >= 0)
    return hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1, D),
                               (const float *) host->data + row * D);
  g_autofree float *mean = g_new (float, (gsize) D);
  for (gint64 d = 0; d < D; d++)
    {
      double sum = 0;
      for (gint64 t = 0; t < T; t++)
        sum += (double) ((const float *) host->data)[t * D + d];
      mean[d] = (float) (sum / (double) T);
    }
  return hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1, D), mean);
}

HlTensor *
hl_embedding_of (const HlModel *model,
                 const HlInput *input,
                 const GPtrArray *interventions,
                 HlBackend *backend,
                 const HlProgress *progress,
                 HlTensor **logits,
                 GError **error)
{
  HlRun run;
  HlTensor *found = NULL;
  const HlModelInfo *info = hl_model_get_info (model);
  if (!hl_model_info_check_one_tower (info, "embedding", error))
    return NULL;
  int last = hl_model_info_get_stack (info, 0)->n_layers - 1;
  g_autofree char *site =
      hl_site_name (info, hl_model_get_stream_site (model, 0, last), 0, last);
  HlProgress quiet = progress != NULL ? *progress : (HlProgress){ 0 };
  quiet.func = NULL;
  hl_run_init (&run, backend, info, &quiet);
  for (guint i = 0; interventions != NULL && i < interventions->len; i++)
    hl_run_add_intervention (&run, g_ptr_array_index (interventions, i));
  hl_run_capture (&run, site);
  g_autoptr (HlTensor) made = hl_model_forward (model, &run, input);
  g_autoptr (HlTensor) host =
      made != NULL ? hl_backend_fetch (backend, made, &run.exec.error) : NULL;
  if (run.exec.error != NULL)
    g_propagate_error (error, g_steal_pointer (&run.exec.error));
  else
    found = take_row (model, input, g_hash_table_lookup (run.captured, site), error);
  hl_run_clear (&run);
  if (logits != NULL)
    *logits = found != NULL ? g_steal_pointer (&host) : NULL;
  return found;
}
