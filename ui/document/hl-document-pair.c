/* SPDX-License-Identifier: MIT
 * The work of a document: what its input is worth together with one of the other tower.
 */
#include "config.h"

#include "document/hl-document-private.h"
#include "model/hl-model-text.h"

void
hl_document_set_saliency_pair (HlDocument *self, const char *other)
{
  HlDocumentSaliency *s = &self->saliency;
  const char *given = other != NULL ? other : "";
  if (g_strcmp0 (s->pair, given) == 0)
    return;
  g_free (s->pair);
  s->pair = g_strdup (given);
  hl_document_emit (self, s->made == NULL ? HL_DOCUMENT_SALIENCY : HL_DOCUMENT_BUSY);
}

const char *
hl_document_get_saliency_pair (HlDocument *self)
{
  const HlModelInfo *info = self->model != NULL ? hl_model_get_info (self->model) : NULL;
  const char *given = self->saliency.pair;
  return info != NULL && info->other_kind[0] != '\0' && given != NULL && given[0] != '\0'
             ? given
             : NULL;
}

/* (transfer full): NULL with @error. */
static HlInput *
open_other (const HlModel *other, const char *given, GError **error)
{
  return g_str_equal (hl_model_get_info (other)->input_kind, "text")
             ? hl_model_open_text (other, NULL, "", given, -1, NULL, error)
             : hl_model_open_image (other, given, 0, 0, error);
}

HlPair *
hl_document_open_pair (const HlModel *model,
                       const char *given,
                       HlBackend *backend,
                       const HlProgress *progress,
                       GError **error)
{
  const HlModelInfo *info = hl_model_get_info (model);
  g_autoptr (HlModel) other = hl_model_open_for (info->path, info->other_kind, error);
  g_autoptr (HlInput) input = other != NULL ? open_other (other, given, error) : NULL;
  return input != NULL ? hl_pair_new (other, input, NULL, backend, progress, error)
                       : NULL;
}
