/* SPDX-License-Identifier: MIT
 * Resizing 8-bit pictures with the same result as PIL's Image.resize. */
#pragma once

#include "tensor/hl-tensor.h"

G_BEGIN_DECLS

/** HlFilter: PIL's own numbers, which preprocessor_config.json uses. */
typedef enum
{
  HL_FILTER_NEAREST = 0,
  HL_FILTER_LANCZOS = 1,
  HL_FILTER_BILINEAR = 2,
  HL_FILTER_BICUBIC = 3,
  HL_FILTER_BOX = 4,
  HL_FILTER_HAMMING = 5,
  HL_N_FILTERS,
} HlFilter;

/** hl_filter_name: "bilinear"; NULL for a number that is no filter. */
const char *hl_filter_name (HlFilter filter);

/**
 * hl_resample:
 * @image: (H, W, C) uint8, contiguous, C 1 to 4, H and W at least 1
 * @height, @width: 1 to HL_IMAGE_MAX_SIDE
 * Antialiased when it makes smaller; two passes, each rounded to 8 bits. Equal to Pillow
 * 13 for 8-bit pictures, byte for byte (Lanczos and Hamming within 1, as they hang on the
 * C library's sine). Older releases order the passes otherwise where the height loses
 * more than twice the pixels that the width does, and differ there.
 * Thread: any.
 * Returns: (transfer full): (height, width, C) uint8, @image itself when the size is its
 *   own; NULL with @error (SHAPE, DTYPE, RANGE, MEMORY)
 */
HlTensor *
hl_resample (HlTensor *image, int height, int width, HlFilter filter, GError **error);

G_END_DECLS
