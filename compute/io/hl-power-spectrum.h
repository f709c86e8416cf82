/* SPDX-License-Identifier: MIT
 * Power spectra of frames of real numbers, in double. Immutable once made: many threads
 * may use one at a time, each with a scratch of its own.
 *
 *   P[k] = |sum_i x[i] exp (-2 pi j i k / N)|^2, k in 0..N/2
 *
 * A transform of N / 2 complex numbers by Stockham's steps of 4, 2 and the odd primes of
 * N / 2, in order at its end, and one more step to that of N real ones (C. Van Loan,
 * Computational Frameworks for the Fast Fourier Transform, 1992, sections 1.7 and 4.3).
 * It is ours since the packaged library that is free and small enough, KissFFT, is built
 * in float32, which loses more than 1e-4 of a feature 80 dB below the loudest; and
 * OpenBLAS, which is here anyway, has a number of threads that another thread changes. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** HL_POWER_SPECTRUM_MAX: the longest frame. */
#define HL_POWER_SPECTRUM_MAX 4096

typedef struct _HlPowerSpectrum HlPowerSpectrum;

/** hl_power_spectrum_new: (transfer full): @n: even, 2 to HL_POWER_SPECTRUM_MAX */
HlPowerSpectrum *hl_power_spectrum_new (int n);
void hl_power_spectrum_free (HlPowerSpectrum *spectrum);

/**
 * hl_power_spectrum_run:
 * @frame: (N)
 * @scratch: (2 N) of any content
 * @power: (N / 2 + 1)
 * Off by some 1e-15 of the largest P. Thread: any.
 */
void hl_power_spectrum_run (const HlPowerSpectrum *spectrum,
                            const double *frame,
                            double *scratch,
                            double *power);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlPowerSpectrum, hl_power_spectrum_free)

G_END_DECLS
