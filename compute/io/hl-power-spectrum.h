/* SPDX-License-Identifier: MIT
 * Power spectra of frames of real numbers, in double. Each belongs to one thread at a
 * time.
 *
 *   P[k] = |sum_i x[i] exp (-2 pi j i k / N)|^2, k in 0..N/2
 *
 * KissFFT's library is packaged in float32 alone, which loses more than 1e-4 of a feature
 * 80 dB below the loudest; its template is not, and the reason that this is C++. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** HL_POWER_SPECTRUM_MAX: the longest frame. */
#define HL_POWER_SPECTRUM_MAX 4096

typedef struct _HlPowerSpectrum HlPowerSpectrum;

/** hl_power_spectrum_new: (transfer full): @n: even, 2 to HL_POWER_SPECTRUM_MAX */
HlPowerSpectrum *hl_power_spectrum_new (int n);

/** hl_power_spectrum_copy: (transfer full): for another thread. */
HlPowerSpectrum *hl_power_spectrum_copy (const HlPowerSpectrum *spectrum);
void hl_power_spectrum_free (HlPowerSpectrum *spectrum);

/**
 * hl_power_spectrum_run:
 * @frame: (N)
 * @power: (N / 2 + 1)
 * Off by some 1e-15 of the largest P.
 */
void hl_power_spectrum_run (HlPowerSpectrum *spectrum, const double *frame, double *power);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlPowerSpectrum, hl_power_spectrum_free)

G_END_DECLS
