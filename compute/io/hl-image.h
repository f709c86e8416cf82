/* SPDX-License-Identifier: MIT
 * Pictures: decoded to 8-bit RGB, with their size checked before anything is allocated.
 */
#pragma once

#include "tensor/hl-tensor.h"

G_BEGIN_DECLS

/** HL_IMAGE_MAX_SIDE, HL_IMAGE_MAX_PIXELS: larger pictures are refused. */
#define HL_IMAGE_MAX_SIDE 20000
#define HL_IMAGE_MAX_PIXELS 100000000

/**
 * hl_image_load:
 * @path: any format that gdk-pixbuf knows: PNG, JPEG, BMP, GIF (first frame), ...
 * As PIL's Image.open(path).convert("RGB"): alpha is dropped, EXIF rotation is not
 * applied. Nothing of the picture's size is allocated before the size was checked.
 * Thread: any.
 * Returns: (transfer full): (H, W, 3) uint8; NULL with @error: MISSING no such file,
 *   IO a folder or unreadable, FORMAT not a picture, damaged or cut short, RANGE an
 *   impossible or too large size
 */
HlTensor *hl_image_load (const char *path, GError **error);

/**
 * hl_image_load_bytes:
 * @name: what errors call the picture
 * As hl_image_load(), from memory.
 */
HlTensor *hl_image_load_bytes (const guint8 *data,
                               gsize size_bytes,
                               const char *name,
                               GError **error);

/**
 * hl_image_to_grey:
 * @rgb: (H, W, 3) uint8
 * Returns: (transfer full): (H, W, 1) uint8, as PIL's convert("L"):
 *   (19595 R + 38470 G + 7471 B + 32768) >> 16; NULL with @error (MEMORY)
 */
HlTensor *hl_image_to_grey (HlTensor *rgb, GError **error);

/**
 * hl_image_to_rgb:
 * @image: (H, W, 1) or (H, W, 3) uint8
 * Returns: (transfer full): (H, W, 3) uint8; @image itself when it has three channels
 */
HlTensor *hl_image_to_rgb (HlTensor *image, GError **error);

G_END_DECLS
