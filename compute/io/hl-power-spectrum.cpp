/* SPDX-License-Identifier: MIT
 * Power spectra of frames, by KissFFT's template in double. */
#include "io/hl-power-spectrum.h"

#include <kissfft/kissfft.hh>

struct _HlPowerSpectrum
{
  kissfft<double> transform;
  std::vector<std::complex<double>> bins;
  int n;
};

HlPowerSpectrum *
hl_power_spectrum_new (int n)
{
  g_return_val_if_fail (n >= 2 && n <= HL_POWER_SPECTRUM_MAX && n % 2 == 0, NULL);
  std::size_t half = (std::size_t) n / 2;
  return new HlPowerSpectrum{ kissfft<double> (half, false),
                              std::vector<std::complex<double>> (half), n };
}

HlPowerSpectrum *
hl_power_spectrum_copy (const HlPowerSpectrum *spectrum)
{
  return new HlPowerSpectrum (*spectrum);
}

void
hl_power_spectrum_free (HlPowerSpectrum *spectrum)
{
  delete spectrum;
}

/* Of a real frame the first and the last bin are real: the library puts both into one. */
void
hl_power_spectrum_run (HlPowerSpectrum *spectrum, const double *frame, double *power)
{
  int half = spectrum->n / 2;
  std::complex<double> *bins = spectrum->bins.data ();
  spectrum->transform.transform_real (frame, bins);
  power[0] = bins[0].real () * bins[0].real ();
  power[half] = bins[0].imag () * bins[0].imag ();
  for (int k = 1; k < half; k++)
    power[k] = std::norm (bins[k]);
}
