/* SPDX-License-Identifier: MIT
 * What saliency compares an input with. */
#include "analysis/hl-saliency-private.h"

#include "analysis/hl-blur.h"
#include "base/hl-error.h"

#include <math.h>
#include <string.h>

/* ---- embeddings ----------------------------------------------------------------------
 */

HlTensor *
hl_saliency_embed (const HlSaliencyWork *w, HlInput *input, GError **error)
{
  const HlModelInfo *info = hl_model_get_info (w->model);
  HlRun run;
  g_autofree char *site = hl_site_name (info, w->site, 0, 0);
  hl_run_init (&run, w->backend, info, &w->progress);
  hl_run_capture (&run, site);
  run.captures_to_host = TRUE;
  g_autoptr (HlTensor) logits = hl_model_forward (w->model, &run, input);
  HlTensor *embeds = NULL;
  if (run.exec.error != NULL)
    g_propagate_error (error, g_steal_pointer (&run.exec.error));
  else if (hl_backend_finish (w->backend, error))
    {
      HlTensor *kept = g_hash_table_lookup (run.captured, site);
      g_autoptr (HlTensor) wide =
          kept != NULL ? hl_tensor_convert (kept, HL_DTYPE_F64, error) : NULL;
      if (kept == NULL)
        g_set_error (error, HL_ERROR, HL_ERROR_MISSING, "%s: no %s", info->name, site);
      if (wide != NULL)
        embeds = hl_tensor_view (wide, 0,
                                 HL_SHAPE (wide->shape.dim[1], wide->shape.dim[2]), NULL);
    }
  hl_run_clear (&run);
  return embeds;
}

/* ---- texts ---------------------------------------------------------------------------
 */

static HlTensor *
text_baseline (const HlSaliencyWork *w)
{
  gint64 T = w->x->shape.dim[0], D = w->x->shape.dim[1];
  HlTensor *x0 = hl_tensor_new (HL_DTYPE_F64, w->x->shape, NULL);
  const double *x = (const double *) w->x->data;
  double *to = memset (x0->data, 0, hl_tensor_size_bytes (x0));
  if (w->options->baseline != HL_BASELINE_MEAN)
    return x0;
  g_autofree double *mean = g_new0 (double, (gsize) D);
  for (gint64 i = 0; i < T * D; i++)
    mean[i % D] += x[i] / (double) T;
  for (gint64 t = 0; t < T; t++)
    memcpy (to + t * D, mean, sizeof (double) * (gsize) D);
  return x0;
}

/* (transfer full): of the ids that the first stack reads, those of what is no special
 * token replaced by @token. */
static HlTensor *
replace_ids (const HlTensor *ids, const HlTokenTable *tokens, gint32 token)
{
  HlTensor *replaced = hl_tensor_new_copy (HL_DTYPE_I32, ids->shape, ids->data);
  for (int i = 0; i < tokens->n_tokens; i++)
    if (tokens->tokens[i].role != HL_ROLE_SPECIAL &&
        tokens->tokens[i].role != HL_ROLE_PADDING)
      ((gint32 *) replaced->data)[i] = token;
  return replaced;
}

static HlInput *
token_baseline (const HlSaliencyWork *w)
{
  const HlInput *own = w->input;
  gint32 token = hl_saliency_baseline_token (w->model, w->options->baseline);
  if (own->source_ids == NULL)
    {
      g_autoptr (HlTensor) ids = replace_ids (own->ids, own->tokens, token);
      return hl_input_new_text ("", "", ids, own->tokens, NULL);
    }
  g_autoptr (HlTensor) source = replace_ids (own->source_ids, own->source_tokens, token);
  HlInput *input = hl_input_new_text ("", "", own->ids, own->tokens, NULL);
  hl_input_set_source (input, source, NULL, own->source_tokens);
  return input;
}

/* ---- pictures ------------------------------------------------------------------------
 */

static void
fill (float *channel, gint64 n, double value)
{
  for (gint64 i = 0; i < n; i++)
    channel[i] = (float) value;
}

static double
mean_of (const float *channel, gint64 n)
{
  double sum = 0;
  for (gint64 i = 0; i < n; i++)
    sum += (double) channel[i];
  return sum / (double) n;
}

static void
change_channel (const HlSaliencyWork *w, float *x, const gint64 *dim)
{
  gint64 n = dim[2] * dim[3];
  switch (w->options->baseline)
    {
    case HL_BASELINE_ZERO:
    case HL_BASELINE_MASK:
    case HL_BASELINE_PADDING:
    case HL_BASELINE_BLACK:
    case HL_N_BASELINES:
      fill (x, n, 0);
      break;
    case HL_BASELINE_MEAN:
      fill (x, n, mean_of (x, n));
      break;
    case HL_BASELINE_BLUR:
      hl_blur (x, dim[2], dim[3], (double) MIN (dim[2], dim[3]) / 16);
      break;
    }
}

/* (transfer full): black as the model's processor has it. */
static HlInput *
black_picture (const HlSaliencyWork *w, const gint64 *dim, GError **error)
{
  g_autoptr (HlTensor) rgb =
      hl_tensor_new (HL_DTYPE_U8, HL_SHAPE (dim[2], dim[3], 3), error);
  if (rgb == NULL)
    return NULL;
  memset (rgb->data, 0, hl_tensor_size_bytes (rgb));
  return hl_model_open_rgb (w->model, "", rgb, (int) dim[2], (int) dim[3], error);
}

static HlInput *
picture_baseline (const HlSaliencyWork *w, GError **error)
{
  HlTensor *own = w->input->pixel_values;
  const gint64 *dim = own->shape.dim;
  g_autoptr (HlTensor) pixels = hl_tensor_new_copy (HL_DTYPE_F32, own->shape, own->data);
  for (gint64 c = 0; c < dim[1]; c++)
    change_channel (w, (float *) pixels->data + c * dim[2] * dim[3], dim);
  return w->options->baseline == HL_BASELINE_BLACK
             ? black_picture (w, dim, error)
             : hl_input_new_image ("", pixels, w->input->shown);
}

/* ---- recordings ----------------------------------------------------------------------
 */

static HlInput *
recording_baseline (const HlSaliencyWork *w)
{
  HlTensor *own = w->input->features;
  gint64 C = own->shape.dim[1], n = own->shape.dim[2];
  g_autoptr (HlTensor) features =
      hl_tensor_new_copy (HL_DTYPE_F32, own->shape, own->data);
  float *x = features->data, least = x[0];
  for (gint64 i = 0; i < C * n; i++)
    least = fminf (least, x[i]);
  for (gint64 c = 0; c < C; c++)
    fill (x + c * n, n,
          w->options->baseline == HL_BASELINE_MEAN ? mean_of (x + c * n, n)
                                                   : (double) least);
  HlInput *input = hl_input_new_text ("", "", w->input->ids, w->input->tokens, NULL);
  hl_input_set_source (input, NULL, features, w->input->source_tokens);
  return input;
}

HlInput *
hl_saliency_baseline_input (const HlSaliencyWork *w, GError **error)
{
  HlSaliencyBaseline baseline = w->options->baseline;
  if (w->input->pixel_values != NULL)
    return picture_baseline (w, error);
  if (w->input->features != NULL)
    return recording_baseline (w);
  return baseline == HL_BASELINE_MASK || baseline == HL_BASELINE_PADDING
             ? token_baseline (w)
             : hl_input_ref (w->input);
}

HlTensor *
hl_saliency_baseline (const HlSaliencyWork *w, GError **error)
{
  if (w->options->at_features)
    return text_baseline (w); /* rows of numbers, whatever they were made of */
  g_autoptr (HlInput) input = hl_saliency_baseline_input (w, error);
  if (input == NULL)
    return NULL;
  return input == w->input ? text_baseline (w) : hl_saliency_embed (w, input, error);
}
