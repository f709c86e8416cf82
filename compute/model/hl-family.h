/* SPDX-License-Identifier: MIT
 * A family maps a config and weight names onto blocks, and writes its forward pass once.
 * Adding one is a file, a row in hl-family.c and a golden fixture. */
#pragma once

#include "io/hl-json.h"
#include "model/hl-block.h"
#include "model/hl-input.h"
#include "model/hl-model.h"
#include "model/hl-readout.h"

G_BEGIN_DECLS

/**
 * HlLoader: what a family loads from.
 * @config: config.json
 * @info: to fill: stacks, width, labels, family_title
 */
typedef struct
{
  const json_t *config;
  HlWeights *weights;
  HlModelInfo *info;
  const char *folder;
} HlLoader;

/**
 * HlFamily:
 * @id: "vit"
 * @model_types: config.json's "model_type" that it takes, NULL-terminated
 * @input_kind: what it takes: "image" or "text"
 * @readout_row: (nullable): the token of an input that the logits come from, -1 where
 * they come from several; NULL for the first
 * @load: what the family needs for its passes; NULL with @error
 * @forward: logits (B, V), (transfer full); NULL after a failure (which sticks to the
 *   run) or where the model has no head
 * @process_image: (nullable): @rgb (H, W, 3) uint8 as an input called @path;
 *   (transfer full)
 * @tokens: the token table of a stack for an input; (transfer full)
 * @get_block: (nullable): a block of a stack, for recipes
 * @get_ends: (nullable): of a language model: the embedding (V, D), and the readout
 */
typedef struct
{
  const char *id;
  const char *title;
  const char *const *model_types;
  const char *input_kind;
  gint64 (*readout_row) (gpointer data, const HlInput *input);
  gpointer (*load) (HlLoader *loader, GError **error);
  void (*free_data) (gpointer data);
  HlTensor *(*forward) (gpointer data, HlRun *run, const HlInput *input);
  HlInput *(*process_image) (gpointer data,
                             const char *path,
                             HlTensor *rgb,
                             int height,
                             int width,
                             GError **error);
  HlTokenTable *(*tokens) (gpointer data, const HlInput *input, int stack);
  const HlBlock *(*get_block) (gpointer data, int stack, int layer);
  HlParam *(*get_ends) (gpointer data, const HlReadout **readout);
} HlFamily;

extern const HlFamily hl_family_albert;
extern const HlFamily hl_family_bert;
extern const HlFamily hl_family_clip;
extern const HlFamily hl_family_clip_text;
extern const HlFamily hl_family_deit;
extern const HlFamily hl_family_dinov2;
extern const HlFamily hl_family_distilbert;
extern const HlFamily hl_family_gemma;
extern const HlFamily hl_family_gemma2;
extern const HlFamily hl_family_gemma3;
extern const HlFamily hl_family_gpt_neox;
extern const HlFamily hl_family_mistral;
extern const HlFamily hl_family_olmo2;
extern const HlFamily hl_family_opt;
extern const HlFamily hl_family_phi3;
extern const HlFamily hl_family_qwen2;
extern const HlFamily hl_family_qwen3;
extern const HlFamily hl_family_smollm3;
extern const HlFamily hl_family_bart;
extern const HlFamily hl_family_marian;
extern const HlFamily hl_family_t5;
extern const HlFamily hl_family_whisper;
extern const HlFamily hl_family_gpt2;
extern const HlFamily hl_family_llama;
extern const HlFamily hl_family_mpnet;
extern const HlFamily hl_family_roberta;
extern const HlFamily hl_family_siglip;
extern const HlFamily hl_family_siglip_text;
extern const HlFamily hl_family_vit;

/** hl_input_dup_tokens: @tokens of families whose inputs bring their table. */
HlTokenTable *hl_input_dup_tokens (gpointer data, const HlInput *input, int stack);

/** hl_input_last_row: @readout_row of families that read the last token. */
gint64 hl_input_last_row (gpointer data, const HlInput *input);

/**
 * hl_family_find:
 * @model_type: config.json's
 * @input_kind: (nullable): of a model with two towers the one that takes this; NULL for
 *   the first
 * Returns: (transfer none): NULL with @error UNSUPPORTED that names those that are known,
 *   or what this one takes instead
 */
const HlFamily *
hl_family_find (const char *model_type, const char *input_kind, GError **error);

/** hl_family_find_other: (transfer none) (nullable): the other tower of a model of that
 * type. */
const HlFamily *hl_family_find_other (const char *model_type, const HlFamily *family);

/** hl_family_get_nth: (transfer none) (nullable): NULL behind the last one. */
const HlFamily *hl_family_get_nth (guint index);

G_END_DECLS
