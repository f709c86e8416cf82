/* SPDX-License-Identifier: MIT
 * What there is to say of an opened model beside what every view needs: its files, types
 * of numbers, and tokenizer. Thread: any but the main one (it may read a file). */
#pragma once

#include "model/hl-model.h"

G_BEGIN_DECLS

/** HlTypeShare: numbers of one type; @dtype as the files call it, "BF16". */
typedef struct
{
  char *dtype;
  gint64 n_numbers;
} HlTypeShare;

/** HlModelFile: a file of weights; @name is its base name. */
typedef struct
{
  char *name;
  gsize size_bytes;
} HlModelFile;

/**
 * HlModelFacts:
 * @model_type: as config.json says it; ""
 * @types: of HlTypeShare, the most numbers first
 * @files: of HlModelFile, by name
 * @tokenizer_kind: "BPE" or what else tokenizer.json calls it; "" for none
 * @n_tokens: of the tokenizer; 0 where it cannot be read
 * @tokenizer_error: (nullable): why it cannot be read
 * @recording_rate: of a model that takes recordings, in Hz; 0 for others
 * @recording_window_s, @recording_bands: of its windows, and of their spectrograms
 */
typedef struct
{
  char *model_type;
  GPtrArray *types;
  GPtrArray *files;
  gsize size_bytes;
  char *tokenizer_kind;
  gsize n_tokens;
  char *tokenizer_error;
  int recording_rate;
  int recording_window_s;
  int recording_bands;
} HlModelFacts;

/** hl_model_facts_new: (transfer full) */
HlModelFacts *hl_model_facts_new (const HlModel *model);
void hl_model_facts_free (HlModelFacts *facts);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlModelFacts, hl_model_facts_free)

G_END_DECLS
