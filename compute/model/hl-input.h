/* SPDX-License-Identifier: MIT
 * One input after the processor: the numbers the model takes and the side a person sees.
 * Immutable once shared; atomic reference count. */
#pragma once

#include "tensor/hl-tensor.h"
#include "trace/hl-token-table.h"

G_BEGIN_DECLS

/**
 * HlInput:
 * @kind: "image", "text" or "audio"
 * @name: file name without its folder, or the beginning of a text
 * @path: where it lay; "" for what was typed
 * @hash: of the numbers the model takes
 * @pixel_values: (nullable): of a picture, (1, C, H, W) float32
 * @shown: (nullable): (H, W, 3) uint8: the picture after resize and crop
 * @ids: (nullable): of a text, (1, T) int32
 * @tokens: (nullable): of a text, one a token
 * @text: (nullable): the whole text, of which the tokens' characters are a part
 * @source_ids, @source_tokens: (nullable): of a model with an encoder and a decoder: what
 *   the encoder reads, (1, S) int32; @ids and @tokens are then the decoder's. Of a
 *   recording @source_tokens are its frames, and @text is the decoder's
 * @features: (nullable): of a recording, (1, n_mels, frames) float32
 * @n_real_frames: of @features; those behind them are padding
 * @window, @n_windows: of a recording: which of its windows this is, and of how many; 0
 *   where that is not known. @seconds: all of it
 * @language: (nullable): of a recording: the code that the decoder was told, where the
 *   model knows several; @language_prob is NaN unless it was detected
 * @target_text: (nullable): of a text with a source: what the decoder reads
 * @n_all_tokens: of the whole text that is read, by the encoder where there is one; more
 *   than T, or S, where only a part is taken
 * @first_token: of the part that is taken
 * @warning: (nullable): for a person: what is odd about the input
 */
typedef struct
{
  gatomicrefcount refs;
  const char *kind;
  char *name;
  char *path;
  char *hash;
  HlTensor *pixel_values;
  HlTensor *shown;
  HlTensor *ids;
  HlTokenTable *tokens;
  char *text;
  HlTensor *source_ids;
  HlTokenTable *source_tokens;
  HlTensor *features;
  gint64 n_real_frames;
  gint64 window;
  gint64 n_windows;
  double seconds;
  char *language;
  double language_prob;
  char *target_text;
  gint64 n_all_tokens;
  gint64 first_token;
  char *warning;
} HlInput;

/** hl_input_new_image: (transfer full): takes references. @path may be "". */
HlInput *hl_input_new_image (const char *path, HlTensor *pixel_values, HlTensor *shown);

/**
 * hl_input_new_text:
 * @name: for titles
 * @ids: (1, T) int32
 * @text: (nullable)
 * Takes references to @ids and @tokens.
 * Returns: (transfer full): n_all_tokens is T; whoever cut the text sets it before
 *   sharing
 */
HlInput *hl_input_new_text (const char *name,
                            const char *path,
                            HlTensor *ids,
                            HlTokenTable *tokens,
                            const char *text);

/** hl_input_set_source: (before sharing): takes references; either is NULL for the other
 * kind of source. The hash is then of both sides, and n_all_tokens of the source. */
void hl_input_set_source (HlInput *input,
                          HlTensor *source_ids,
                          HlTensor *features,
                          HlTokenTable *source_tokens);

/** hl_input_copy_recording: (before sharing): what is said of a recording beside its
 * numbers. */
void hl_input_copy_recording (HlInput *input, const HlInput *from);

/** hl_input_dup_first_text: (transfer full): of a pair whose @second text is this. */
char *hl_input_dup_first_text (const HlInput *input, const char *second);

/** hl_input_is_cut: not all of the text was taken. */
gboolean hl_input_is_cut (const HlInput *input);

HlInput *hl_input_ref (HlInput *input);
void hl_input_unref (HlInput *input);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlInput, hl_input_unref)

G_END_DECLS
