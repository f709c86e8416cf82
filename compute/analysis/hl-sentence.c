/* SPDX-License-Identifier: MIT
 * What a model makes of a text or a picture, as one vector. */
#include "analysis/hl-sentence.h"

#include "base/hl-error.h"
#include "trace/hl-tracer.h"

#include <math.h>
#include <string.h>

/* CLIP's and SigLIP's towers pool into a space that both share. */
static gboolean
has_own_space (const HlModel *model)
{
  const char *family = hl_model_get_info (model)->family;
  return g_str_has_prefix (family, "clip") || g_str_has_prefix (family, "siglip");
}

HlTensor *
hl_sentence_embed (const HlModel *model,
                   const HlTextPooling *pooling,
                   gboolean has_modules,
                   const HlInput *input,
                   HlBackend *backend,
                   const HlProgress *progress,
                   char **words,
                   GError **error)
{
  static const char *const capture[] = { "*hook_features", "*hook_pooled", NULL };
  const HlTraceOptions options = { .maps = HL_MAPS_NONE,
                                   .capture = capture,
                                   .no_predictions = TRUE };
  g_autoptr (HlTrace) trace =
      hl_tracer_run (model, input, backend, &options, progress, error);
  if (trace == NULL)
    return NULL;
  HlTensor *pooled = hl_trace_get_site (trace, "hook_pooled");
  HlTensor *features = hl_trace_get_site (trace, "hook_features");
  if (features == NULL)
    features = hl_trace_get_site (trace, "encoder.hook_features");
  if (!has_modules && pooled != NULL && has_own_space (model))
    {
      *words = g_strdup ("what the tower pools");
      return hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (hl_tensor_count (pooled)),
                                 pooled->data);
    }
  if (features == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED, "%s: no features to pool",
                   hl_model_get_info (model)->name);
      return NULL;
    }
  *words = g_strdup (hl_text_pooling_get_words (pooling));
  return hl_text_pooling_run (pooling, features, hl_trace_get_tokens (trace, 0), error);
}

double
hl_sentence_cosine (const HlTensor *a, const HlTensor *b)
{
  double dot = 0, aa = 0, bb = 0;
  const float *x = hl_tensor_f32 (a), *y = hl_tensor_f32 (b);
  for (gint64 i = 0; i < hl_tensor_count (a) && i < hl_tensor_count (b); i++)
    {
      dot += (double) x[i] * (double) y[i];
      aa += (double) x[i] * (double) x[i];
      bb += (double) y[i] * (double) y[i];
    }
  return dot / (sqrt (aa) * sqrt (bb));
}
