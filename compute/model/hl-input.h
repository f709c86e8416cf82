/* SPDX-License-Identifier: MIT
 * One input after the processor: the numbers the model takes and the side a person sees.
 * Immutable once shared; atomic reference count. */
#pragma once

#include "tensor/hl-tensor.h"

G_BEGIN_DECLS

/**
 * HlInput:
 * @kind: "image"
 * @name: file name without its folder
 * @path: where it lay
 * @hash: of the numbers the model takes
 * @pixel_values: (1, C, H, W) float32
 * @shown: (H, W, 3) uint8: the picture after resize and crop
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
} HlInput;

/** hl_input_new_image: (transfer full): takes references. @path may be "". */
HlInput *hl_input_new_image (const char *path, HlTensor *pixel_values, HlTensor *shown);
HlInput *hl_input_ref (HlInput *input);
void hl_input_unref (HlInput *input);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlInput, hl_input_unref)

G_END_DECLS
