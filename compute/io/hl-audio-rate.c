/* SPDX-License-Identifier: MIT
 * Sound from one sampling rate to another, through libsamplerate. */
#include "io/hl-audio-rate.h"

#include "base/hl-error.h"

#include <samplerate.h>

/* Samples pushed between two looks at the progress. */
#define PIECE 65536

struct _HlRateConverter
{
  SRC_STATE *state;
  int from;
  int to;
  guint64 n_in;
  guint64 n_out;
};

static gboolean
check_rate (int rate, GError **error)
{
  if (rate >= HL_AUDIO_MIN_RATE && rate <= HL_AUDIO_MAX_RATE)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "a sampling rate between %d and %d Hz expected, %d found",
               HL_AUDIO_MIN_RATE, HL_AUDIO_MAX_RATE, rate);
  return FALSE;
}

HlRateConverter *
hl_rate_converter_new (int from, int to, GError **error)
{
  if (!check_rate (from, error) || !check_rate (to, error))
    return NULL;
  int problem = 0;
  SRC_STATE *state = src_new (SRC_SINC_MEDIUM_QUALITY, 1, &problem);
  if (state == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MEMORY,
                   "a converter from %d to %d Hz expected: %s", from, to,
                   src_strerror (problem));
      return NULL;
    }
  HlRateConverter *converter = g_new0 (HlRateConverter, 1);
  converter->state = state;
  converter->from = from;
  converter->to = to;
  return converter;
}

/* How many samples @n_in become. The product stays below 2^63: rates are below 2^20. */
static guint64
n_converted (const HlRateConverter *converter, guint64 n_in)
{
  guint64 from = (guint64) converter->from, to = (guint64) converter->to;
  return n_in / from * to + (n_in % from * to + from - 1) / from;
}

/* Runs the filter over @n_values, and where they are the last until nothing comes. */
static gboolean
process (HlRateConverter *converter,
         const float *values,
         gsize n_values,
         gboolean is_last,
         HlSamples *out,
         GError **error)
{
  SRC_DATA data = { .data_in = values,
                    .input_frames = (long) n_values,
                    .end_of_input = is_last,
                    .src_ratio = (double) converter->to / converter->from };
  for (;;)
    {
      float piece[4096];
      data.data_out = piece;
      data.output_frames = G_N_ELEMENTS (piece);
      int problem = src_process (converter->state, &data);
      if (problem != 0)
        {
          g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                       "%d samples a second from %d expected: %s", converter->to,
                       converter->from, src_strerror (problem));
          return FALSE;
        }
      if (!hl_samples_append (out, piece, (gsize) data.output_frames_gen, error))
        return FALSE;
      converter->n_out += (guint64) data.output_frames_gen;
      data.data_in += data.input_frames_used;
      data.input_frames -= data.input_frames_used;
      if (data.output_frames_gen == 0 && data.input_frames_used == 0)
        return TRUE;
    }
}

gboolean
hl_rate_converter_push (HlRateConverter *converter,
                        const float *values,
                        gsize n_values,
                        HlSamples *out,
                        GError **error)
{
  converter->n_in += n_values;
  return n_values == 0 || process (converter, values, n_values, FALSE, out, error);
}

gboolean
hl_rate_converter_end (HlRateConverter *converter, HlSamples *out, GError **error)
{
  const float none[1] = { 0 };
  if (converter->n_in > 0 && !process (converter, none, 0, TRUE, out, error))
    return FALSE;
  /* The library ends a sample early or late, as its own position is rounded. */
  guint64 n_expected = n_converted (converter, converter->n_in);
  if (converter->n_out < n_expected)
    return hl_samples_append (out, NULL, (gsize) (n_expected - converter->n_out), error);
  out->n -= (gsize) (converter->n_out - n_expected);
  return TRUE;
}

void
hl_rate_converter_free (HlRateConverter *converter)
{
  if (converter == NULL)
    return;
  src_delete (converter->state);
  g_free (converter);
}

static gboolean
check_samples (const HlTensor *samples, GError **error)
{
  if (samples->dtype == HL_DTYPE_F32 && samples->shape.n_dims == 1 &&
      samples->shape.dim[0] > 0 && hl_tensor_is_contiguous (samples))
    return TRUE;
  g_autofree char *shape = hl_shape_to_string (&samples->shape);
  g_set_error (error, HL_ERROR, HL_ERROR_SHAPE,
               "samples: a row of float32 expected, %s %s found", shape,
               hl_dtype_name (samples->dtype));
  return FALSE;
}

HlTensor *
hl_audio_rate_convert (
    HlTensor *samples, int from, int to, const HlProgress *progress, GError **error)
{
  if (!check_samples (samples, error))
    return NULL;
  g_autoptr (HlRateConverter) converter = hl_rate_converter_new (from, to, error);
  if (converter == NULL)
    return NULL;
  if (from == to)
    return hl_tensor_ref (samples);
  g_auto (HlSamples) out = { .limit = G_MAXSIZE / sizeof (float) };
  gsize n = (gsize) samples->shape.dim[0];
  const float *values = hl_tensor_f32 (samples);
  for (gsize at = 0; at < n; at += PIECE)
    if (!hl_progress_step (progress, (double) at / (double) n, NULL, error) ||
        !hl_rate_converter_push (converter, values + at, MIN (PIECE, n - at), &out,
                                 error))
      return NULL;
  if (!hl_rate_converter_end (converter, &out, error))
    return NULL;
  return hl_samples_steal (&out);
}
