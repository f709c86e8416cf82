/* SPDX-License-Identifier: MIT
 * Decoders: causal language models: tokens, a tower, a readout. What Llama and its kin
 * share; a family says how its config and its weights are called and what differs. */
#pragma once

#include "model/hl-text-embedding.h"
#include "model/hl-tower.h"

G_BEGIN_DECLS

/** HlTextDecoder: @rope, @local_rope: (nullable): of all layers, or of those that see
 * all, and of those with a window. */
typedef struct
{
  HlTextEmbedding embedding;
  HlTower tower;
  HlReadout readout;
  HlRope *rope, *local_rope;
} HlTextDecoder;

/** HlTextDecoderNames: @tokens, @norm, @head: of the embedding, the last norm and the
 * unembedding, the first two below the loading's prefix. */
typedef struct
{
  const char *tokens, *norm, *head;
} HlTextDecoderNames;

/** hl_text_decoder_names: Llama's: "embed_tokens.weight", "norm", "lm_head". */
extern const HlTextDecoderNames hl_text_decoder_names;

/** hl_text_decoder_begin: (transfer full): a decoder, and in @plan what Llama's kin call
 * alike: sizes, RMS norms, activation "hidden_act", names of weights, no biases. @loading
 * gets its prefix, "" or "model.". */
HlTextDecoder *hl_text_decoder_begin (HlTowerPlan *plan, HlLoading *loading);

/**
 * hl_text_decoder_read_rope:
 * @config: where its settings are, config.json as a rule
 * @share: of a head that is turned
 * Returns: (transfer full) (nullable): NULL after a failure
 */
HlRope *hl_text_decoder_read_rope (HlTextDecoder *decoder,
                                   HlLoading *loading,
                                   const json_t *config,
                                   const HlTowerPlan *plan,
                                   double share);

/** hl_text_decoder_load_ends: embedding, last norm and readout; tied where
 * "tie_word_embeddings" says so, or where it is absent @is_tied. */
void hl_text_decoder_load_ends (HlTextDecoder *decoder,
                                HlLoading *loading,
                                const HlTextDecoderNames *names,
                                const HlTowerPlan *plan,
                                gboolean is_tied);

/** hl_text_decoder_layer_is: whether "layer_types" calls @layer @type, where there is
 * such a list; else @fallback. */
gboolean hl_text_decoder_layer_is (const HlLoading *loading,
                                   int layer,
                                   const char *type,
                                   gboolean fallback);

/** hl_text_decoder_finish: fills @info; frees @decoder after a failure.
 * Returns: (transfer full): @decoder; NULL with @error */
HlTextDecoder *hl_text_decoder_finish (HlTextDecoder *decoder,
                                       HlLoading *loading,
                                       HlModelInfo *info,
                                       GError **error);

/* Functions of a family (HlFamily) whose data is a HlTextDecoder. */
void hl_text_decoder_free (gpointer data);
HlTensor *hl_text_decoder_forward (gpointer data, HlRun *run, const HlInput *input);
const HlBlock *hl_text_decoder_get_block (gpointer data, int stack, int layer);
HlParam *hl_text_decoder_get_ends (gpointer data, const HlReadout **readout);

/** HL_TEXT_DECODER_FAMILY: what all of them have in common in a HlFamily. */
#define HL_TEXT_DECODER_FAMILY                                                           \
  .input_kind = "text", .readout_row = hl_input_last_row,                                \
  .free_data = hl_text_decoder_free, .forward = hl_text_decoder_forward,                 \
  .tokens = hl_input_dup_tokens, .get_block = hl_text_decoder_get_block,                 \
  .get_ends = hl_text_decoder_get_ends

G_END_DECLS
