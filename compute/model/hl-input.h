/* SPDX-License-Identifier: MIT
 * One input after the processor: the numbers the model takes and the side a person sees.
 * Immutable once shared; atomic reference count. */
#pragma once

#include "tensor/hl-tensor.h"
#include "trace/hl-token-table.h"

G_BEGIN_DECLS

/**
 * HlInput:
 * @kind: "image" or "text"
 * @name: file name without its folder, or the beginning of a text
 * @path: where it lay; "" for what was typed
 * @hash: of the numbers the model takes
 * @pixel_values: (nullable): of a picture, (1, C, H, W) float32
 * @shown: (nullable): (H, W, 3) uint8: the picture after resize and crop
 * @ids: (nullable): of a text, (1, T) int32
 * @tokens: (nullable): of a text, one a token
 * @text: (nullable): the whole text, of which the tokens' characters are a part
 * @n_all_tokens: of the whole text; more than T where only a part is taken
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

HlInput *hl_input_ref (HlInput *input);
void hl_input_unref (HlInput *input);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlInput, hl_input_unref)

G_END_DECLS
