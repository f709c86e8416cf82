/* SPDX-License-Identifier: MIT
 * Encoders of text: an embedding, a tower of which every token sees every other one, and
 * a head: the token behind a mask, classes of the whole text, or none. What BERT and its
 * descendants share; a family says how its config and its weights are called. */
#pragma once

#include "model/hl-text-embedding.h"
#include "model/hl-tower.h"

G_BEGIN_DECLS

typedef enum
{
  HL_TEXT_HEAD_NONE,   /* features alone */
  HL_TEXT_HEAD_MASKED, /* of every position its own token */
  HL_TEXT_HEAD_CLASSES,
} HlTextHead;

/**
 * HlTextEncoder:
 * @pooler: of the first token, with @pooler_activation: what hook_pooled has
 * @classifier: (V, D)
 */
typedef struct
{
  HlTextEmbedding embedding;
  HlTower tower;
  HlPositionBias bias;
  HlTextHead head;
  HlDense pooler;
  HlActivation pooler_activation;
  HlDense classifier;
  HlReadout readout;
} HlTextEncoder;

/**
 * HlTextHeadNames: of the weights of the heads that a family has, in full.
 * @transform, @norm, @decoder: of masked tokens; @bias: two names of its bias
 * @masked_activation: HL_ACTIVATION_NONE for the blocks' own
 * @pooler: below the loading's prefix, with @pooler_activation
 * @class_pooler, @class_activation: what classes are read through in place of it; NULL
 *   for the pooler itself
 */
typedef struct
{
  const char *transform, *norm, *decoder;
  const char *bias[2];
  HlActivation masked_activation;
  const char *pooler;
  HlActivation pooler_activation;
  const char *class_pooler;
  HlActivation class_activation;
  const char *classifier;
} HlTextHeadNames;

/** hl_text_encoder_read_plan: of BERT's fields: a block as BERT has it. @activation:
 * where "hidden_act" is missing. */
HlTowerPlan hl_text_encoder_read_plan (HlLoading *loading,
                                       const HlBlockNames *names,
                                       const char *activation);

/** hl_text_encoder_load_head: as "architectures" says. @E: width of the embedding. A
 * pooler that the file lacks is left out where nothing is classified. */
void hl_text_encoder_load_head (HlTextEncoder *encoder,
                                HlLoading *loading,
                                const HlTextHeadNames *names,
                                const HlTowerPlan *plan,
                                gint64 E);

/** hl_text_encoder_describe: fills @info: sizes, context, classes, the stack. */
void hl_text_encoder_describe (const HlTextEncoder *encoder,
                               const HlTowerPlan *plan,
                               HlModelInfo *info);

/* Functions of a family (HlFamily) whose data is a HlTextEncoder. */
void hl_text_encoder_free (gpointer data);
HlTensor *hl_text_encoder_forward (gpointer data, HlRun *run, const HlInput *input);
const HlBlock *hl_text_encoder_get_block (gpointer data, int stack, int layer);
gint64 hl_text_encoder_readout_row (gpointer data, const HlInput *input);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlTextEncoder, hl_text_encoder_free)

G_END_DECLS
