/* SPDX-License-Identifier: MIT
 * Texts as a language model's input: by its own tokenizer, or as tokens. */
#pragma once

#include "model/hl-model.h"
#include "text/hl-tokenizer.h"

G_BEGIN_DECLS

/**
 * HlTextOptions:
 * @no_special: leave out what the tokenizer puts around a text (BOS)
 * @plain_special: special tokens written in the text are plain characters
 * @first_token: of the part that is taken
 * @n_tokens: of it at most; 0 for as many as the model's context holds
 * @second: (nullable): a text that makes a pair with it, as the tokenizer puts them
 * together
 * @target: (nullable): of an encoder-decoder: what its decoder reads, UTF-8
 * @language, @task: (nullable): of Whisper (hl_generation_rules_get_start())
 */
typedef struct
{
  const char *second;
  const char *target;
  const char *language;
  const char *task;
  gboolean no_special;
  gboolean plain_special;
  gint64 first_token;
  gint64 n_tokens;
} HlTextOptions;

/** hl_model_get_tokenizer: (transfer none): NULL with @error: MISSING for a model without
 * one, or why it could not be read. Thread: any. */
HlTokenizer *hl_model_get_tokenizer (const HlModel *model, GError **error);

/** hl_model_dup_class_name: (transfer full): of a class, or a token; its number where it
 * has no name, "" for -1. Thread: any. */
char *hl_model_dup_class_name (const HlModel *model, int index);

/**
 * hl_model_open_text:
 * @name: for titles; NULL takes the text's beginning
 * @path: where it lay; "" for what was typed
 * @text: UTF-8, @length bytes (-1: up to the first NUL)
 * @options: (nullable)
 * Of an encoder-decoder the text is what the encoder reads.
 * A text longer than the context is cut; the input's n_all_tokens then is above its
 * length. A doubled BOS is in its warning.
 * Returns: (transfer full): NULL with @error: UNSUPPORTED, MISSING, FORMAT no UTF-8 (with
 *   the byte), RANGE nothing is left of the text
 */
HlInput *hl_model_open_text (const HlModel *model,
                             const char *name,
                             const char *path,
                             const char *text,
                             gssize length,
                             const HlTextOptions *options,
                             GError **error);

/**
 * hl_model_open_text_file: likewise, from a file.
 * Returns: as above; IO when it cannot be read or is no plain file, RANGE above
 *   HL_TEXT_FILE_MAX_BYTES, as much as a tokenizer takes
 */
HlInput *hl_model_open_text_file (const HlModel *model,
                                  const char *path,
                                  const HlTextOptions *options,
                                  GError **error);

#define HL_TEXT_FILE_MAX_BYTES ((gsize) 64 << 20)

/**
 * hl_model_open_ids:
 * @ids: (n): of the model's vocabulary
 * A text that is given as tokens; nothing is added to it. Their texts are the
 * tokenizer's, where the model has one, else their numbers.
 * Returns: (transfer full): NULL with @error: UNSUPPORTED for a model that takes no text,
 *   RANGE for no id at all, or one outside the vocabulary, or more than the context
 */
HlInput *
hl_model_open_ids (const HlModel *model, const gint32 *ids, gint64 n, GError **error);

/** hl_model_name_predictions: gives @predictions the texts of the tokens in it; nothing
 * where the model has no tokenizer. */
void hl_model_name_predictions (const HlModel *model, HlPredictions *predictions);

/** hl_model_dup_text: (transfer full): what @n tokens say, without special ones; of a
 * model without a tokenizer their numbers, apart by spaces. NULL with @error. */
char *
hl_model_dup_text (const HlModel *model, const gint32 *ids, gint64 n, GError **error);

/** hl_model_find_class: a class by name or number, or of a model with a tokenizer a
 * token: as it is in the vocabulary, or as it is shown ("␣God"), else with a space before
 * it; -1. */
int hl_model_find_class (const HlModel *model, const char *text);

/** hl_model_extend_text: (transfer full): @input and then @n generated tokens; @error as
 * hl_model_open_ids(). */
HlInput *hl_model_extend_text (const HlModel *model,
                               const HlInput *input,
                               const gint32 *ids,
                               gint64 n,
                               GError **error);

G_END_DECLS
