/* SPDX-License-Identifier: MIT
 * Log-mel features as Whisper hears them. Immutable once made; any thread.
 *
 * With N samples, n_fft F and hop H, frame t of N / H and filter m:
 *   x[t, i]  = samples[t H + i - F/2] * (0.5 - 0.5 cos (2 pi i / F)), i in 0..F-1, where
 *              the samples are mirrored about their first and their last
 *   P[t, k]  = |sum_i x[t, i] exp (-2 pi j i k / F)|^2, k in 0..F/2
 *   y[m, t]  = log10 (max (1e-10, sum_k W[m, k] P[t, k]))
 *   out[m, t] = (max (y[m, t], max (y) - 8) + 4) / 4
 * W: triangles between M + 2 points that are equally far apart on Slaney's mel scale (3 f
 * / 200 to 1000 Hz, then 15 + 27 ln (f / 1000) / ln 6.4) from 0 to 8000 Hz, each with an
 * area of 1 Hz. As in OpenAI's whisper/audio.py and the library transformers; M is their
 * n_mels.
 *
 * Computed in double, rounded to float32 where the logarithm is taken: equal to
 * transformers' path in float64 within 1e-6. Whisper's own is in float32 and some 4e-5
 * away from both where a band is nearly 80 dB below the loudest. */
#pragma once

#include "io/hl-power-spectrum.h"
#include "tensor/hl-tensor.h"

G_BEGIN_DECLS

/** HL_MEL_MAX_HZ: where the highest filter ends, at every sampling rate. */
#define HL_MEL_MAX_HZ 8000

/** HL_LOG_MEL_MAX_FFT, HL_LOG_MEL_MAX_MELS: larger ones are refused. */
#define HL_LOG_MEL_MAX_FFT HL_POWER_SPECTRUM_MAX
#define HL_LOG_MEL_MAX_MELS 512

typedef struct _HlLogMel HlLogMel;

/**
 * hl_log_mel_new:
 * @rate: in Hz, at least 2 * HL_MEL_MAX_HZ
 * @n_fft: samples of a frame: even, 2 to HL_LOG_MEL_MAX_FFT
 * @hop: samples from one frame to the next, 1 to @n_fft
 * @n_mels: 1 to HL_LOG_MEL_MAX_MELS
 * Returns: (transfer full): NULL with @error (RANGE)
 */
HlLogMel *hl_log_mel_new (int rate, int n_fft, int hop, int n_mels, GError **error);
void hl_log_mel_free (HlLogMel *log_mel);

/** hl_log_mel_get_weight: W[mel, bin] of the formula above, bin 0 to n_fft / 2. */
double hl_log_mel_get_weight (const HlLogMel *log_mel, int mel, int bin);

/**
 * hl_log_mel_run:
 * @samples: @n_real of them, finite, at most HL_AUDIO_MAX_LEVEL
 * @n_samples: what they are padded to at their end, with @padding; more than n_fft / 2
 * Returns: (transfer full): (1, n_mels, n_samples / hop) float32; NULL with @error
 *   (RANGE, MEMORY)
 */
HlTensor *hl_log_mel_run (const HlLogMel *log_mel,
                          const float *samples,
                          gint64 n_real,
                          gint64 n_samples,
                          float padding,
                          GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlLogMel, hl_log_mel_free)

G_END_DECLS
