/* SPDX-License-Identifier: MIT
 * From a recording to a model's input: windows, each as log-mel features. */
#include "io/hl-audio-processor.h"

#include "base/hl-error.h"
#include "io/hl-json.h"

#include <math.h>

#define FILE_NAME "preprocessor_config.json"

/* A window's samples, and its features: more is no Whisper's, and 256 MB. */
#define MAX_WINDOW_S 600
#define MAX_VALUES ((gint64) 1 << 26)

/* Older files hold the filters as a script printed them from float32. */
#define FILTER_TOLERANCE 1e-5

/* ---- reading -------------------------------------------------------------------------
 */

/* What a file may say. */
typedef struct
{
  gint64 n_mels;
  gint64 rate;
  gint64 hop;
  gint64 n_fft;
  gint64 window_s;
  double padding;
} Fields;

static const Fields whisper = { 80, 16000, 160, 400, 30, 0 };

static HlAudioProcessor *
processor_new (const Fields *fields, GError **error)
{
  g_autoptr (HlLogMel) log_mel =
      hl_log_mel_new ((int) fields->rate, (int) fields->n_fft, (int) fields->hop,
                      (int) fields->n_mels, error);
  if (log_mel == NULL)
    return NULL;
  HlAudioProcessor *processor = g_new0 (HlAudioProcessor, 1);
  g_atomic_ref_count_init (&processor->refs);
  processor->n_mels = (int) fields->n_mels;
  processor->rate = (int) fields->rate;
  processor->hop = (int) fields->hop;
  processor->n_fft = (int) fields->n_fft;
  processor->window_s = (int) fields->window_s;
  processor->n_window_samples = fields->window_s * fields->rate;
  processor->n_frames = processor->n_window_samples / fields->hop;
  processor->frame_s = (double) fields->hop / (double) fields->rate;
  processor->padding = (float) fields->padding;
  processor->log_mel = g_steal_pointer (&log_mel);
  return processor;
}

HlAudioProcessor *
hl_audio_processor_new_default (void)
{
  return processor_new (&whisper, NULL);
}

HlAudioProcessor *
hl_audio_processor_ref (HlAudioProcessor *processor)
{
  g_atomic_ref_count_inc (&processor->refs);
  return processor;
}

void
hl_audio_processor_unref (HlAudioProcessor *processor)
{
  if (processor == NULL || !g_atomic_ref_count_dec (&processor->refs))
    return;
  hl_log_mel_free (processor->log_mel);
  g_free (processor);
}

/* Features of another kind under the same names would be wrong without a word. */
static gboolean
check_kind (const json_t *root, GError **error)
{
  const char *type = NULL, *side = NULL;
  double dither = 0;
  if (!hl_json_get_string (root, "feature_extractor_type", FALSE,
                           "WhisperFeatureExtractor", FILE_NAME, &type, error) ||
      !hl_json_get_string (root, "padding_side", FALSE, "right", FILE_NAME, &side,
                           error) ||
      !hl_json_get_double (root, "dither", FALSE, 0, 0, G_MAXDOUBLE, FILE_NAME, &dither,
                           error))
    return FALSE;
  if (!g_str_equal (type, "WhisperFeatureExtractor"))
    g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                 "%s: field \"feature_extractor_type\": \"WhisperFeatureExtractor\" "
                 "expected, \"%s\" found",
                 FILE_NAME, type);
  else if (!g_str_equal (side, "right"))
    g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                 "%s: field \"padding_side\": \"right\" expected, \"%s\" found",
                 FILE_NAME, side);
  else if (dither > 0)
    g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                 "%s: field \"dither\": 0 expected, as features with noise cannot be "
                 "made again, another number found",
                 FILE_NAME);
  else
    return TRUE;
  return FALSE;
}

static gboolean
read_fields (Fields *f, const json_t *root, GError **error)
{
  if (!check_kind (root, error) ||
      !hl_json_get_int (root, "feature_size", FALSE, f->n_mels, 1, HL_LOG_MEL_MAX_MELS,
                        FILE_NAME, &f->n_mels, error) ||
      !hl_json_get_int (root, "sampling_rate", FALSE, f->rate, 2 * HL_MEL_MAX_HZ,
                        HL_AUDIO_MAX_RATE, FILE_NAME, &f->rate, error) ||
      !hl_json_get_int (root, "n_fft", FALSE, f->n_fft, 2, HL_LOG_MEL_MAX_FFT, FILE_NAME,
                        &f->n_fft, error) ||
      !hl_json_get_int (root, "hop_length", FALSE, MIN (f->hop, f->n_fft), 1, f->n_fft,
                        FILE_NAME, &f->hop, error) ||
      !hl_json_get_int (root, "chunk_length", FALSE, f->window_s, 1, MAX_WINDOW_S,
                        FILE_NAME, &f->window_s, error) ||
      !hl_json_get_double (root, "padding_value", FALSE, f->padding, -1, 1, FILE_NAME,
                           &f->padding, error))
    return FALSE;
  if (f->n_fft % 2 != 0)
    g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
                 "%s: field \"n_fft\": an even number expected, %" G_GINT64_FORMAT
                 " found",
                 FILE_NAME, f->n_fft);
  else if (f->window_s * f->rate > MAX_VALUES ||
           f->window_s * f->rate / f->hop * f->n_mels > MAX_VALUES)
    g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                 "%s: field \"chunk_length\": a window of at most %" G_GINT64_FORMAT
                 " samples and as many features expected, %" G_GINT64_FORMAT
                 " s at %" G_GINT64_FORMAT " Hz with hops of %" G_GINT64_FORMAT
                 " and %" G_GINT64_FORMAT " features each found",
                 FILE_NAME, MAX_VALUES, f->window_s, f->rate, f->hop, f->n_mels);
  else
    return TRUE;
  return FALSE;
}

/* A field that follows from others. */
static gboolean
check_follows (
    const json_t *root, const char *field, gint64 value, const char *why, GError **error)
{
  gint64 found = value;
  if (!hl_json_get_int (root, field, FALSE, value, 0, G_MAXINT64, FILE_NAME, &found,
                        error))
    return FALSE;
  if (found == value)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "%s: field \"%s\": %" G_GINT64_FORMAT " expected, as %s, %" G_GINT64_FORMAT
               " found",
               FILE_NAME, field, value, why, found);
  return FALSE;
}

static gboolean
refuse_filters (const HlAudioProcessor *p,
                const char *expected,
                const char *found,
                GError **error)
{
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "%s: field \"mel_filters\": %d rows of %d numbers expected, %s, %s found",
               FILE_NAME, p->n_mels, p->n_fft / 2 + 1, expected, found);
  return FALSE;
}

/* Filters that a file holds, in either order, have to be those that are computed. */
static gboolean
check_filters (const HlAudioProcessor *p, const json_t *root, GError **error)
{
  const json_t *rows = json_object_get (root, "mel_filters");
  gsize n_mels = (gsize) p->n_mels, n_bins = (gsize) p->n_fft / 2 + 1;
  if (rows == NULL || json_is_null (rows))
    return TRUE;
  gboolean is_turned = json_array_size (rows) != n_mels;
  gsize n_rows = is_turned ? n_bins : n_mels, n_columns = is_turned ? n_mels : n_bins;
  if (json_array_size (rows) != n_rows)
    return refuse_filters (p, "or that turned", "another number of rows", error);
  for (gsize r = 0; r < n_rows; r++)
    {
      const json_t *row = json_array_get (rows, r);
      if (json_array_size (row) != n_columns)
        return refuse_filters (p, "or that turned", "a row of another length", error);
      for (gsize c = 0; c < n_columns; c++)
        {
          const json_t *value = json_array_get (row, c);
          double expected = hl_log_mel_get_weight (p->log_mel, (int) (is_turned ? c : r),
                                                   (int) (is_turned ? r : c));
          if (!json_is_number (value) ||
              !(fabs (json_number_value (value) - expected) <= FILTER_TOLERANCE))
            {
              g_autofree char *text = hl_json_describe (value);
              g_autofree char *found = g_strdup_printf (
                  "in row %" G_GSIZE_FORMAT " column %" G_GSIZE_FORMAT " %s", r, c, text);
              return refuse_filters (p, "triangles on Slaney's mel scale", found, error);
            }
        }
    }
  return TRUE;
}

HlAudioProcessor *
hl_audio_processor_open (const char *folder, GError **error)
{
  Fields fields = whisper;
  g_autofree char *path = g_build_filename (folder, FILE_NAME, NULL);
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return hl_audio_processor_new_default ();
  g_autoptr (json_t) root = hl_json_load_file (path, error);
  if (root == NULL || !read_fields (&fields, root, error))
    return NULL;
  g_autoptr (HlAudioProcessor) processor = processor_new (&fields, error);
  if (processor == NULL ||
      !check_follows (root, "n_samples", processor->n_window_samples,
                      "chunk_length times sampling_rate", error) ||
      !check_follows (root, "nb_max_frames", processor->n_frames,
                      "chunk_length times sampling_rate over hop_length", error) ||
      !check_filters (processor, root, error))
    return NULL;
  return g_steal_pointer (&processor);
}

/* ---- running -------------------------------------------------------------------------
 */

gint64
hl_audio_processor_count_windows (const HlAudioProcessor *processor, const HlAudio *audio)
{
  gint64 n = hl_tensor_count (audio->samples);
  return (n + processor->n_window_samples - 1) / processor->n_window_samples;
}

gboolean
hl_audio_processor_run (const HlAudioProcessor *processor,
                        const HlAudio *audio,
                        gint64 window,
                        HlTensor **features,
                        gint64 *n_real_frames,
                        GError **error)
{
  const HlAudioProcessor *p = processor;
  gint64 n_windows = hl_audio_processor_count_windows (p, audio);
  if (audio->rate != p->rate)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "%s: %d samples a second expected, %d found", audio->name, p->rate,
                   audio->rate);
      return FALSE;
    }
  if (window < 0 || window >= n_windows)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "%s: a window from 0 to %" G_GINT64_FORMAT
                   " expected, %" G_GINT64_FORMAT " found",
                   audio->name, n_windows - 1, window);
      return FALSE;
    }
  gint64 start = window * p->n_window_samples;
  gint64 n_real = MIN (hl_tensor_count (audio->samples) - start, p->n_window_samples);
  *features = hl_log_mel_run (p->log_mel, hl_tensor_f32 (audio->samples) + start, n_real,
                              p->n_window_samples, p->padding, error);
  if (*features != NULL && n_real_frames != NULL)
    *n_real_frames = MIN ((n_real + p->hop - 1) / p->hop, p->n_frames);
  return *features != NULL;
}
