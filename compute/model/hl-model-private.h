/* SPDX-License-Identifier: MIT
 * The inside of a model, shared by its opening and its texts. */
#pragma once

#include "model/hl-family.h"
#include "text/hl-tokenizer.h"

G_BEGIN_DECLS

/** HlModel: @end_ids: of gint32; @tokenizer, @tokenizer_error: (nullable): one of them
 * where the folder has a tokenizer. */
struct _HlModel
{
  gatomicrefcount refs;
  HlModelInfo *info;
  const HlFamily *family;
  gpointer data;
  HlWeights *weights;
  GArray *end_ids;
  HlTokenizer *tokenizer;
  GError *tokenizer_error;
};

G_END_DECLS
