/* SPDX-License-Identifier: MIT
 * Log-mel features as Whisper hears them: frames, power spectra, filters, logarithm. */
#include "io/hl-log-mel.h"

#include "base/hl-error.h"
#include "base/hl-parallel.h"
#include "io/hl-power-spectrum.h"

#include <math.h>
#include <string.h>

/* Frames a thread takes at least: below, starting it costs more than it gives. */
#define GRAIN 128
#define FLOOR 1e-10

/* Of filter m the bins @first[m] to @end[m] - 1 have weights in @bank. */
struct _HlLogMel
{
  int n_fft;
  int hop;
  int n_mels;
  int n_bins;
  HlPowerSpectrum *spectrum;
  double *window; /* (n_fft) */
  int *first;     /* (n_mels) */
  int *end;       /* (n_mels) */
  double *bank;   /* (n_mels, n_bins) */
};

/* ---- filters -------------------------------------------------------------------------
 */

static double
hz_to_mel (double hz)
{
  return hz < 1000 ? 3 * hz / 200 : 15 + 27 * log (hz / 1000) / log (6.4);
}

static double
mel_to_hz (double mel)
{
  return mel < 15 ? 200 * mel / 3 : 1000 * exp (log (6.4) * (mel - 15) / 27);
}

static void
fill_filter (HlLogMel *log_mel, int mel, double hz_of_bin)
{
  double step = hz_to_mel (HL_MEL_MAX_HZ) / (log_mel->n_mels + 1);
  double low = mel_to_hz (mel * step), peak = mel_to_hz ((mel + 1) * step);
  double high = mel_to_hz ((mel + 2) * step);
  double *weights = log_mel->bank + (gsize) mel * (gsize) log_mel->n_bins;
  for (int bin = 0; bin < log_mel->n_bins; bin++)
    {
      double hz = bin * hz_of_bin;
      double height = MIN ((hz - low) / (peak - low), (high - hz) / (high - peak));
      if (height <= 0)
        continue;
      weights[bin] = height * 2 / (high - low);
      if (log_mel->end[mel] == 0)
        log_mel->first[mel] = bin;
      log_mel->end[mel] = bin + 1;
    }
}

HlLogMel *
hl_log_mel_new (int rate, int n_fft, int hop, int n_mels, GError **error)
{
  if (rate < 2 * HL_MEL_MAX_HZ || n_fft < 2 || n_fft > HL_LOG_MEL_MAX_FFT ||
      n_fft % 2 != 0 || hop < 1 || hop > n_fft || n_mels < 1 ||
      n_mels > HL_LOG_MEL_MAX_MELS)
    {
      g_set_error (
          error, HL_ERROR, HL_ERROR_RANGE,
          "log-mel features: a rate of at least %d Hz, an even n_fft of 2 to %d, "
          "a hop of 1 to n_fft and 1 to %d mels expected, %d Hz, %d, %d and %d "
          "found",
          2 * HL_MEL_MAX_HZ, HL_LOG_MEL_MAX_FFT, HL_LOG_MEL_MAX_MELS, rate, n_fft, hop,
          n_mels);
      return NULL;
    }
  HlLogMel *log_mel = g_new0 (HlLogMel, 1);
  log_mel->n_fft = n_fft;
  log_mel->hop = hop;
  log_mel->n_mels = n_mels;
  log_mel->n_bins = n_fft / 2 + 1;
  log_mel->spectrum = hl_power_spectrum_new (n_fft);
  log_mel->window = g_new (double, n_fft);
  for (int i = 0; i < n_fft; i++)
    log_mel->window[i] = 0.5 - 0.5 * cos (2 * G_PI * i / n_fft);
  log_mel->first = g_new0 (int, n_mels);
  log_mel->end = g_new0 (int, n_mels);
  log_mel->bank = g_new0 (double, (gsize) n_mels *(gsize) log_mel->n_bins);
  /* The reference cuts half an odd rate. */
  double hz_of_bin = (double) (rate / 2) / (log_mel->n_bins - 1);
  for (int mel = 0; mel < n_mels; mel++)
    fill_filter (log_mel, mel, hz_of_bin);
  return log_mel;
}

void
hl_log_mel_free (HlLogMel *log_mel)
{
  if (log_mel == NULL)
    return;
  hl_power_spectrum_free (log_mel->spectrum);
  g_free (log_mel->window);
  g_free (log_mel->first);
  g_free (log_mel->end);
  g_free (log_mel->bank);
  g_free (log_mel);
}

double
hl_log_mel_get_weight (const HlLogMel *log_mel, int mel, int bin)
{
  g_return_val_if_fail (mel >= 0 && mel < log_mel->n_mels, 0);
  g_return_val_if_fail (bin >= 0 && bin < log_mel->n_bins, 0);
  return log_mel->bank[(gsize) mel * (gsize) log_mel->n_bins + (gsize) bin];
}

/* ---- frames --------------------------------------------------------------------------
 */

/* @padded: (n_samples + n_fft), mirrored at both ends */
typedef struct
{
  const HlLogMel *log_mel;
  const float *padded;
  gint64 n_frames;
  float *out; /* (n_mels, n_frames) */
} Work;

static void
filter (const HlLogMel *log_mel, const double *power, float *out, gint64 stride)
{
  for (int mel = 0; mel < log_mel->n_mels; mel++)
    {
      const double *weights = log_mel->bank + (gsize) mel * (gsize) log_mel->n_bins;
      double sum = 0;
      for (int bin = log_mel->first[mel]; bin < log_mel->end[mel]; bin++)
        sum += weights[bin] * power[bin];
      out[mel * stride] = (float) log10 (MAX (sum, FLOOR));
    }
}

static void
run_frames (gint64 first, gint64 end, gpointer data)
{
  const Work *work = data;
  const HlLogMel *log_mel = work->log_mel;
  gsize n_fft = (gsize) log_mel->n_fft, n_bins = (gsize) log_mel->n_bins;
  g_autofree double *frame = g_new (double, n_fft);
  g_autoptr (HlPowerSpectrum) spectrum = hl_power_spectrum_copy (log_mel->spectrum);
  g_autofree double *power = g_new (double, n_bins);
  for (gint64 t = first; t < end; t++)
    {
      const float *samples = work->padded + t * log_mel->hop;
      for (gsize i = 0; i < n_fft; i++)
        frame[i] = (double) samples[i] * log_mel->window[i];
      hl_power_spectrum_run (spectrum, frame, power);
      filter (log_mel, power, work->out + t, work->n_frames);
    }
}

/* Samples, padding behind them, and half a frame mirrored on either side. */
static float *
pad (gint64 n_fft, const float *samples, gint64 n_real, gint64 n_samples, float padding)
{
  gint64 half = n_fft / 2;
  float *padded = g_try_new (float, (gsize) (n_samples + n_fft));
  if (padded == NULL)
    return NULL;
  float *first = padded + half, *last = padded + half + n_samples - 1;
  memcpy (first, samples, sizeof *samples * (gsize) n_real);
  for (gint64 i = n_real; i < n_samples; i++)
    first[i] = padding;
  for (gint64 i = 1; i <= half; i++)
    {
      first[-i] = first[i];
      last[i] = last[-i];
    }
  return padded;
}

/* Nothing is more than 80 dB below the loudest; about -1 to 1.5 comes out. */
static void
scale (float *values, gint64 n)
{
  float most = values[0];
  for (gint64 i = 1; i < n; i++)
    most = MAX (most, values[i]);
  for (gint64 i = 0; i < n; i++)
    values[i] = (MAX (values[i], most - 8) + 4) / 4;
}

HlTensor *
hl_log_mel_run (const HlLogMel *log_mel,
                const float *samples,
                gint64 n_real,
                gint64 n_samples,
                float padding,
                GError **error)
{
  gint64 n_frames = n_samples / log_mel->hop;
  if (n_samples <= log_mel->n_fft / 2 || n_frames < 1 || n_real < 0 || n_real > n_samples)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "log-mel features: more than %d samples and at least a hop of them "
                   "expected, %" G_GINT64_FORMAT " found",
                   log_mel->n_fft / 2, n_samples);
      return NULL;
    }
  g_autoptr (HlTensor) out =
      hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (1, log_mel->n_mels, n_frames), error);
  if (out == NULL)
    return NULL;
  g_autofree float *padded = pad (log_mel->n_fft, samples, n_real, n_samples, padding);
  if (padded == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MEMORY,
                   "log-mel features: %" G_GINT64_FORMAT
                   " bytes expected, the system has "
                   "not as much",
                   (n_samples + log_mel->n_fft) * (gint64) sizeof (float));
      return NULL;
    }
  Work work = { log_mel, padded, n_frames, out->data };
  hl_parallel_for (n_frames, GRAIN, run_frames, &work);
  scale (out->data, hl_tensor_count (out));
  return g_steal_pointer (&out);
}
