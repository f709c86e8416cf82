/* SPDX-License-Identifier: MIT
 * Sound from one sampling rate to another: band-limited by libsamplerate's sinc filter of
 * middle length, as a whole or piece by piece while a recording is read.
 *
 * Of the libraries that do this well libsamplerate has the freest licence (BSD, two
 * clauses; soxr is LGPL). A tone up to 0.8 of the lower half rate stays that tone within
 * 5e-6 of its amplitude (0.06 at 0.88), and one from 1.1 of it on leaves less than 5e-6
 * behind (tests/io/test-audio.c); only near the start and the end, 150 samples of the
 * lower rate, does a sound that begins at once ring. The longest filter would be flat to
 * 0.93, and takes four times as long: an hour of 44.1 kHz two minutes. */
#pragma once

#include "base/hl-progress.h"
#include "io/hl-samples.h"

G_BEGIN_DECLS

/** HL_AUDIO_MIN_RATE, HL_AUDIO_MAX_RATE: samples a second that are taken for a sound's.
 */
#define HL_AUDIO_MIN_RATE 1000
#define HL_AUDIO_MAX_RATE 768000

typedef struct _HlRateConverter HlRateConverter;

/**
 * hl_rate_converter_new:
 * @from, @to: HL_AUDIO_MIN_RATE to HL_AUDIO_MAX_RATE
 * Returns: (transfer full): NULL with @error (RANGE, MEMORY)
 */
HlRateConverter *hl_rate_converter_new (int from, int to, GError **error);

/**
 * hl_rate_converter_push:
 * @values: @n_values at the rate @from, finite
 * @out: gets what follows from all that has come so far
 * Returns: FALSE with @error (RANGE and MEMORY of @out)
 */
gboolean hl_rate_converter_push (HlRateConverter *converter,
                                 const float *values,
                                 gsize n_values,
                                 HlSamples *out,
                                 GError **error);

/**
 * hl_rate_converter_end:
 * The last of the samples: of N that were pushed ceil (N to / from) have then come. The
 * first of them stands where the first that was pushed stood.
 */
gboolean
hl_rate_converter_end (HlRateConverter *converter, HlSamples *out, GError **error);

void hl_rate_converter_free (HlRateConverter *converter);

/**
 * hl_audio_rate_convert:
 * @samples: (N) float32, contiguous, finite, N at least 1
 * Thread: any.
 * Returns: (transfer full): (ceil (N to / from)) float32; @samples itself where the rates
 *   are equal; NULL with @error (SHAPE, DTYPE, RANGE, MEMORY, G_IO_ERROR_CANCELLED)
 */
HlTensor *hl_audio_rate_convert (
    HlTensor *samples, int from, int to, const HlProgress *progress, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlRateConverter, hl_rate_converter_free)

G_END_DECLS
