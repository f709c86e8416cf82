/* SPDX-License-Identifier: MIT
 * From a picture to a model's input, as the preprocessor_config.json beside a model says:
 * resize, centre crop, rescale, normalise. Immutable; atomic reference count. */
#pragma once

#include "io/hl-resample.h"

G_BEGIN_DECLS

/**
 * HlImageProcessor: fields are for reading only.
 * @class_name: "ViTImageProcessor"; "" when the file does not say
 * @shortest_edge: 0, or the size of the shorter side that the resize makes, the other
 *   following; then @height and @width are 0
 * @longest_edge: 0, or the most that the longer side may be with @shortest_edge
 * @n_mean, @n_std: numbers given: 1 stands for every channel
 */
typedef struct
{
  gatomicrefcount refs;
  char *class_name;
  gboolean do_convert_rgb;
  gboolean do_resize;
  int height;
  int width;
  int shortest_edge;
  int longest_edge;
  HlFilter resample;
  gboolean do_center_crop;
  int crop_height;
  int crop_width;
  gboolean do_rescale;
  double rescale_factor;
  gboolean do_normalize;
  int n_mean;
  int n_std;
  double mean[4];
  double std[4];
} HlImageProcessor;

/**
 * hl_image_processor_open:
 * @folder: a model's folder. Where it holds no preprocessor_config.json the defaults of
 *   ViTImageProcessor stand in: bilinear to @image_height x @image_width, times 1/255,
 *   mean 0.5, std 0.5
 * @image_height, @image_width: config.json's image_size
 * Returns: (transfer full): NULL with @error (FORMAT, MISSING, RANGE, UNSUPPORTED, IO)
 */
HlImageProcessor *hl_image_processor_open (const char *folder,
                                           int image_height,
                                           int image_width,
                                           GError **error);

/** hl_image_processor_new_default: (transfer full): the defaults named above. */
HlImageProcessor *hl_image_processor_new_default (int image_height, int image_width);

/**
 * hl_image_processor_new_with_size:
 * Returns: (transfer full): a copy whose result is @height x @width: for running a model
 *   at another grid. The resize goes straight to that size; nothing is cropped.
 */
HlImageProcessor *hl_image_processor_new_with_size (const HlImageProcessor *processor,
                                                    int height,
                                                    int width);

HlImageProcessor *hl_image_processor_ref (HlImageProcessor *processor);
void hl_image_processor_unref (HlImageProcessor *processor);

/**
 * hl_image_processor_run:
 * @rgb: (H, W, 3) uint8
 * @n_channels: the model's, 1 or 3; with 1 the picture is made grey first
 * @pixel_values: (out) (transfer full): (1, C, H', W') float32
 * @shown: (out) (transfer full) (optional): (H', W', 3) uint8: the picture after resize
 *   and crop, before rescale and normalise
 * Arithmetic as transformers' PIL processors: the rescale in double, rounded to float32;
 * the normalisation in float32.
 * Thread: any.
 * Returns: FALSE with @error: SHAPE mean or std do not fit the channels, or @rgb is no
 *   picture; RANGE, MEMORY
 */
gboolean hl_image_processor_run (const HlImageProcessor *processor,
                                 HlTensor *rgb,
                                 int n_channels,
                                 HlTensor **pixel_values,
                                 HlTensor **shown,
                                 GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlImageProcessor, hl_image_processor_unref)

G_END_DECLS
