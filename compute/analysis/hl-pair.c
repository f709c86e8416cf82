/* SPDX-License-Identifier: MIT
 * An input of the other of two towers. */
#include "analysis/hl-pair.h"

#include "base/hl-error.h"

#include <math.h>

void
hl_pair_free (HlPair *pair)
{
  if (pair == NULL)
    return;
  g_free (pair->name);
  g_free (pair->toward);
  g_free (pair);
}

/* (transfer full): of @input float64 on the host; NULL with @error. */
static HlTensor *
pool (const HlModel *model,
      HlInput *input,
      const GPtrArray *interventions,
      HlBackend *backend,
      const HlProgress *progress,
      GError **error)
{
  HlRun run;
  const HlModelInfo *info = hl_model_get_info (model);
  g_autofree char *site = hl_site_name (info, HL_SITE_POOLED, 0, 0);
  HlTensor *found = NULL;
  HlProgress quiet = progress != NULL ? *progress : (HlProgress){ 0 };
  quiet.func = NULL;
  hl_run_init (&run, backend, info, &quiet);
  hl_run_capture (&run, site);
  for (guint i = 0; interventions != NULL && i < interventions->len; i++)
    hl_run_add_intervention (&run, g_ptr_array_index (interventions, i));
  g_autoptr (HlTensor) logits = hl_model_forward (model, &run, input);
  HlTensor *pooled = g_hash_table_lookup (run.captured, site);
  if (run.exec.error != NULL)
    g_propagate_error (error, g_steal_pointer (&run.exec.error));
  else if (pooled == NULL)
    g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                 "%s: a tower that pools into a space of two expected", info->name);
  else
    found = hl_tensor_convert (pooled, HL_DTYPE_F64, error);
  hl_run_clear (&run);
  return found;
}

static char *
name_of (const HlInput *input)
{
  return g_utf8_make_valid (input->text != NULL ? input->text : input->name, -1);
}

HlPair *
hl_pair_new (const HlModel *other,
             HlInput *input,
             const GPtrArray *interventions,
             HlBackend *backend,
             const HlProgress *progress,
             GError **error)
{
  g_autoptr (HlTensor) pooled =
      pool (other, input, interventions, backend, progress, error);
  if (pooled == NULL)
    return NULL;
  HlPair *pair = g_new0 (HlPair, 1);
  pair->name = name_of (input);
  pair->width = hl_tensor_count (pooled);
  pair->toward = g_memdup2 (pooled->data, sizeof (double) * (gsize) pair->width);
  hl_model_get_pair_scale (other, &pair->scale, &pair->offset);
  return pair;
}

double
hl_pair_value (const HlPair *pair, const double *pooled, double *slope)
{
  double pp = 0, qq = 0, pq = 0;
  const double *q = pair->toward;
  for (gint64 i = 0; i < pair->width; i++)
    {
      pp += pooled[i] * pooled[i];
      qq += q[i] * q[i];
      pq += pooled[i] * q[i];
    }
  double p_length = sqrt (pp), q_length = sqrt (qq), cosine = pq / (p_length * q_length);
  for (gint64 i = 0; slope != NULL && i < pair->width; i++)
    slope[i] = pair->scale * (q[i] / q_length - cosine * pooled[i] / p_length) / p_length;
  return pair->scale * cosine + pair->offset;
}

double
hl_pair_cosine (const HlPair *pair, double value)
{
  return (value - pair->offset) / pair->scale;
}
