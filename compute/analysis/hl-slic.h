/* SPDX-License-Identifier: MIT
 * Superpixels: SLIC (Achanta et al. 2012, "SLIC Superpixels Compared to State-of-the-Art
 * Superpixel Methods", IEEE TPAMI 34(11)), for pictures and spectrograms.
 *
 * K centres lie on a grid of ny × nx places, S = sqrt (H / ny · W / nx) apart. A cell
 * goes to the centre with the least
 *
 *   D² = |colour - colour of the centre|² / m² + |place - place of the centre|² / S²
 *
 * of those whose places are at most 2 S' away in rows and in columns, S' the larger of
 * H / ny and W / nx; of equal ones to the first. m is the compactness. Centres then
 * become the means of their cells, and so on a fixed number of times. Colours are numbers
 * as they are given, not CIELAB, and centres do not start from a place of least gradient,
 * so that a spectrogram is treated as a picture is. At the end what hangs together
 * (4-neighbours) under one label is a segment; one of less than a quarter of H · W / K
 * cells joins the segment above, or else to the left, of its first cell. Thread: any. */
#pragma once

#include "base/hl-progress.h"

G_BEGIN_DECLS

/** HL_SLIC_MAX_CHANNELS: of a picture. */
#define HL_SLIC_MAX_CHANNELS 4

/**
 * HlSlicOptions:
 * @n_segments: about so many, at most one a cell
 * @compactness: m: how much nearness counts beside colour
 * @sigma: of the Gaussian that the picture is smoothed by first (hl_blur()); 0 for none
 * @n_iterations: of assigning cells and moving centres
 */
typedef struct
{
  int n_segments;
  double compactness;
  double sigma;
  int n_iterations;
} HlSlicOptions;

/** HL_SLIC_OPTIONS: a literal with the defaults. */
#define HL_SLIC_OPTIONS(n)                                                               \
  ((HlSlicOptions){                                                                      \
      .n_segments = (n), .compactness = 0.1, .sigma = 1, .n_iterations = 10 })

/**
 * hl_slic:
 * @image: (H, W, C): about 0 to 1, to which compactness is in proportion
 * @labels: (out caller-allocates): (H, W): 0 and on, in the order of their first cells
 * The same picture gives the same segments, on any machine with the same arithmetic.
 * Returns: how many there are; 0 with @error G_IO_ERROR_CANCELLED
 */
int hl_slic (const float *image,
             gint64 H,
             gint64 W,
             gint64 C,
             const HlSlicOptions *options,
             gint32 *labels,
             const HlProgress *progress,
             GError **error);

G_END_DECLS
