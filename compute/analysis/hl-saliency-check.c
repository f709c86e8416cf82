/* SPDX-License-Identifier: MIT
 * Which saliency can be computed of which input, said before anything is run. */
#include "analysis/hl-saliency-private.h"

#include "analysis/hl-relevance.h"
#include "base/hl-error.h"
#include "model/hl-model-text.h"

/* ---- baselines -----------------------------------------------------------------------
 */

gint32
hl_saliency_baseline_token (const HlModel *model, HlSaliencyBaseline baseline)
{
  HlTokenizer *tokenizer = hl_model_get_tokenizer (model, NULL);
  gint32 id = tokenizer == NULL                 ? -1
              : baseline == HL_BASELINE_MASK    ? hl_tokenizer_get_mask (tokenizer)
              : baseline == HL_BASELINE_PADDING ? hl_tokenizer_get_pad (tokenizer)
                                                : -1;
  /* A tokenizer may know more tokens than the model has rows for. */
  return id < hl_model_get_info (model)->n_vocab ? id : -1;
}

static gboolean
is_token (HlSaliencyBaseline baseline)
{
  return baseline == HL_BASELINE_MASK || baseline == HL_BASELINE_PADDING;
}

static gboolean
is_picture (HlSaliencyBaseline baseline)
{
  return baseline == HL_BASELINE_BLACK || baseline == HL_BASELINE_BLUR;
}

static gboolean
check_baseline (const HlModel *model,
                const HlInput *input,
                const HlSaliencyOptions *options,
                GError **error)
{
  HlSaliencyBaseline baseline = options->baseline;
  const char *name = hl_baseline_name (baseline);
  gboolean is_text = input->pixel_values == NULL && input->features == NULL;
  const char *expected = input->pixel_values != NULL ? "zero, mean, black or blur"
                         : is_text                   ? "zero, mean, mask or padding"
                                                     : "zero or mean";
  if ((is_picture (baseline) && input->pixel_values == NULL) ||
      (is_token (baseline) && !is_text))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                   "baseline \"%s\" is of %s: %s expected", name,
                   is_token (baseline) ? "texts" : "pictures", expected);
      return FALSE;
    }
  if (!is_token (baseline) || hl_saliency_baseline_token (model, baseline) >= 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "baseline \"%s\": a tokenizer with such a token (%s_token of "
               "tokenizer_config.json) expected, %s has none",
               name, baseline == HL_BASELINE_MASK ? "mask" : "pad",
               hl_model_get_info (model)->name);
  return FALSE;
}

/* ---- places and methods --------------------------------------------------------------
 */

static gboolean
check_place (const HlModel *model, const HlSaliencyOptions *options, GError **error)
{
  const HlModelInfo *info = hl_model_get_info (model);
  if (!options->at_features ||
      (info->readout_stack > 0 && options->baseline <= HL_BASELINE_MEAN))
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "saliency of what an encoder gives: an encoder with a decoder, and the "
               "baseline zero or mean, expected; %s and %s found",
               info->name, hl_baseline_name (options->baseline));
  return FALSE;
}

static gboolean
check_flow (const HlModel *model, const HlInput *input, gint64 row, GError **error)
{
  const HlModelInfo *info = hl_model_get_info (model);
  g_autoptr (HlTokenTable) tokens = hl_model_get_tokens (model, input, 0);
  gint64 n = tokens->n_tokens;
  if (row >= 0 && hl_saliency_reads_forwards (info))
    n = MIN (n, row + 1);
  if (info->readout_stack > 0)
    g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                 "flow: a model of one tower expected, an encoder with a decoder found");
  else if (n > HL_FLOW_MAX_TOKENS)
    g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                 "flow: at most %d tokens expected, %d found", HL_FLOW_MAX_TOKENS,
                 (int) n);
  else
    return TRUE;
  return FALSE;
}

gboolean
hl_saliency_check_with (const HlModel *model,
                        const HlInput *input,
                        gint64 row,
                        const HlSaliencyOptions *options,
                        gboolean needs_baseline,
                        GError **error)
{
  if (needs_baseline)
    return check_place (model, options, error) &&
           check_baseline (model, input, options, error);
  return options->method != HL_SALIENCY_FLOW || check_flow (model, input, row, error);
}

gboolean
hl_saliency_check (const HlModel *model,
                   const HlInput *input,
                   gint64 row,
                   const HlSaliencyOptions *options,
                   GError **error)
{
  return hl_saliency_check_with (model, input, row, options,
                                 hl_saliency_has_baseline (options->method), error);
}
