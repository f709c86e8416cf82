/* SPDX-License-Identifier: MIT
 * Encoder-decoders: an encoder, and a decoder that attends to it. Three stacks of maps:
 * "encoder", "decoder" and "cross". What T5, BART, Marian and Whisper share; a family
 * says how its config and its weights are called and what differs. */
#pragma once

#include "model/hl-text-embedding.h"
#include "model/hl-tower.h"

G_BEGIN_DECLS

/** HL_SEQ2SEQ_ENCODER, _DECODER, _CROSS: their stacks. */
enum
{
  HL_SEQ2SEQ_ENCODER,
  HL_SEQ2SEQ_DECODER,
  HL_SEQ2SEQ_CROSS,
};

typedef struct _HlSeq2Seq HlSeq2Seq;

/**
 * HlSeq2Seq:
 * @begin: from the input to the stream before the encoder's first block, (B, S, D)
 * @source, @target: embeddings; @source is not looked at by a family with its own @begin
 * @encoder_norm: behind the encoder's last block
 * @extra: (nullable): what @begin needs; freed with g_free()
 */
struct _HlSeq2Seq
{
  HlTensor *(*begin) (const HlSeq2Seq *model, HlRun *run, const HlInput *input);
  HlTextEmbedding source, target;
  HlTower encoder, decoder;
  HlNorm encoder_norm;
  HlReadout readout;
  HlPositionBias encoder_bias, decoder_bias;
  gpointer extra;
};

/** hl_seq2seq_new: (transfer full): of texts. */
HlSeq2Seq *hl_seq2seq_new (void);

/** hl_seq2seq_read_plan: of BART's fields, which Marian and Whisper have too: of one
 * tower, its blocks with every bias. @activation: where "activation_function" is missing.
 */
HlTowerPlan hl_seq2seq_read_plan (HlLoading *loading,
                                  const HlBlockNames *names,
                                  gboolean is_decoder,
                                  const char *activation);

/** hl_seq2seq_finish: fills @info; frees @model after a failure.
 * Returns: (transfer full): @model; NULL with @error */
HlSeq2Seq *hl_seq2seq_finish (HlSeq2Seq *model,
                              HlLoading *loading,
                              HlModelInfo *info,
                              GError **error);

/* Functions of a family (HlFamily) whose data is a HlSeq2Seq. */
void hl_seq2seq_free (gpointer data);
HlTensor *hl_seq2seq_forward (gpointer data, HlRun *run, const HlInput *input);
HlTokenTable *hl_seq2seq_tokens (gpointer data, const HlInput *input, int stack);
const HlBlock *hl_seq2seq_get_block (gpointer data, int stack, int layer);

/** HL_SEQ2SEQ_FAMILY: what all of them have in common in a HlFamily. */
#define HL_SEQ2SEQ_FAMILY                                                                \
  .readout_row = hl_input_last_row, .free_data = hl_seq2seq_free,                        \
  .forward = hl_seq2seq_forward, .tokens = hl_seq2seq_tokens,                            \
  .get_block = hl_seq2seq_get_block

G_END_DECLS
