/* SPDX-License-Identifier: MIT
 * The inside of a model, shared by its opening and its texts. */
#pragma once

#include "io/hl-audio-processor.h"
#include "model/hl-family.h"
#include "text/hl-tokenizer.h"

G_BEGIN_DECLS

/** HlModel: @tokenizer, @tokenizer_error: (nullable): one of them where the model takes
 * or makes texts; @audio: (nullable): where it takes recordings. */
struct _HlModel
{
  gatomicrefcount refs;
  HlModelInfo *info;
  const HlFamily *family;
  gpointer data;
  HlWeights *weights;
  HlGenerationRules *rules;
  HlAudioProcessor *audio;
  HlTokenizer *tokenizer;
  GError *tokenizer_error;
};

/** hl_model_describe_ids: (transfer full): tokens by themselves, without a text. */
HlTokenTable *hl_model_describe_ids (const HlModel *model,
                                     const gint32 *ids,
                                     gint64 n,
                                     HlTokenRole role);

G_END_DECLS
