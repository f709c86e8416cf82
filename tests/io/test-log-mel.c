/* SPDX-License-Identifier: MIT
 * Log-mel features as transformers' WhisperFeatureExtractor computes them, windows of
 * longer recordings, and what is said of a bad preprocessor_config.json. */
#include "audio-test.h"
#include "io/hl-audio-processor.h"

#include <math.h>

static HlAudioProcessor *
open_config (const char *json, GError **error)
{
  char *folder = io_test_folder ();
  g_free (io_test_write_text (folder, "preprocessor_config.json", json));
  HlAudioProcessor *processor = hl_audio_processor_open (folder, error);
  io_test_remove (folder);
  return processor;
}

/* ---- the reference -------------------------------------------------------------------
 */

/* The largest distance from the frames that the item stores, and of those behind the last
 * that differs from the one number they all are. */
static double
distance (const HlTensor *features, const json_t *item, const float *expected)
{
  gint64 n_mels = features->shape.dim[1], n_frames = features->shape.dim[2];
  gint64 step = audio_fixture_int (item, "step");
  gint64 n_stored = audio_fixture_int (item, "n_stored");
  gint64 n_not_alike = audio_fixture_int (item, "n_not_alike");
  double tail = json_number_value (json_object_get (item, "tail")), worst = 0;
  const float *found = hl_tensor_f32 (features);
  for (gint64 mel = 0; mel < n_mels; mel++)
    {
      for (gint64 i = 0; i < n_stored; i++)
        worst = MAX (worst, fabs ((double) found[mel * n_frames + i * step] -
                                  (double) expected[i * n_mels + mel]));
      for (gint64 t = n_not_alike; t < n_frames; t++)
        worst = MAX (worst, fabs ((double) found[mel * n_frames + t] - tail));
    }
  return worst;
}

static void
check_features (const AudioFixtures *fixtures, const json_t *item, const HlAudio *audio)
{
  g_autoptr (GError) error = NULL;
  char *json = json_dumps (json_object_get (item, "config"), 0);
  g_autoptr (HlAudioProcessor) processor = open_config (json, &error);
  g_assert_no_error (error);
  g_autoptr (HlTensor) features = NULL;
  gint64 n_real = -1, n_mels = audio_fixture_int (item, "n_mels");
  g_assert_true (hl_audio_processor_run (
      processor, audio, audio_fixture_int (item, "window"), &features, &n_real, &error));
  g_assert_no_error (error);
  HlShape shape = HL_SHAPE (1, n_mels, audio_fixture_int (item, "n_frames"));
  g_assert_true (hl_shape_equal (&features->shape, &shape));
  g_assert_cmpint (n_real, ==, audio_fixture_int (item, "n_real"));
  const float *expected = audio_fixture_values (
      fixtures, item, (gsize) (n_mels * audio_fixture_int (item, "n_stored")));
  double worst = distance (features, item, expected);
  g_test_message ("%s %s: %g off; the reference's own float32 is %g off", audio->name,
                  json, worst,
                  json_number_value (json_object_get (item, "reference_float32_is_off")));
  free (json);
  g_assert_cmpfloat (worst, <=, 2e-6);
}

/* The cases of the committed recordings, or those of the test data. */
static guint
check_all (gboolean is_test_data, const char *path)
{
  AudioFixtures fixtures;
  guint n = 0;
  gsize i;
  json_t *item;
  audio_fixtures_open (&fixtures);
  json_array_foreach (json_object_get (fixtures.index, "features"), i, item)
  {
    g_autoptr (GError) error = NULL;
    if (json_is_true (json_object_get (item, "is_test_data")) != is_test_data)
      continue;
    g_autofree char *own = audio_fixture_path (audio_fixture_text (item, "source"));
    g_autoptr (HlAudio) audio =
        hl_audio_open (path != NULL ? path : own, 16000, NULL, &error);
    g_assert_no_error (error);
    check_features (&fixtures, item, audio);
    n++;
  }
  audio_fixtures_close (&fixtures);
  return n;
}

static void
test_reference (void)
{
  g_assert_cmpuint (check_all (FALSE, NULL), ==, 13);
}

static void
test_speech (void)
{
  const char *folder = g_getenv ("HEADLIGHT_TEST_DATA");
  g_autofree char *path =
      g_build_filename (folder != NULL ? folder : "", "audio", "jfk.wav", NULL);
  if (folder == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("HEADLIGHT_TEST_DATA names no folder with audio/jfk.wav");
      return;
    }
  g_assert_cmpuint (check_all (TRUE, path), ==, 1);
}

/* ---- closed forms --------------------------------------------------------------------
 */

/* A tone in the middle of a bin: three bins of the Hann window's spectrum, and nothing
 * beside the filters that hold them. */
static void
test_tone (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlLogMel) log_mel = hl_log_mel_new (16000, 400, 160, 80, &error);
  g_assert_no_error (error);
  float samples[3200];
  const int bin = 50; /* of 40 Hz */
  for (int i = 0; i < 3200; i++)
    samples[i] = (float) (0.5 * cos (2 * G_PI * bin * i / 400));
  g_autoptr (HlTensor) features =
      hl_log_mel_run (log_mel, samples, 3200, 3200, 0, &error);
  g_assert_no_error (error);
  g_assert_true (hl_shape_equal (&features->shape, &HL_SHAPE (1, 80, 20)));
  double y[80], most = -10;
  for (int mel = 0; mel < 80; mel++)
    {
      /* |X| = amplitude * n_fft / 4 in the middle, half of it on either side. */
      double sum = 0;
      for (int k = -1; k <= 1; k++)
        sum += hl_log_mel_get_weight (log_mel, mel, bin + k) *
               pow (0.5 * 400 / 4 / (k == 0 ? 1 : 2), 2);
      y[mel] = log10 (MAX (sum, 1e-10));
      most = MAX (most, y[mel]);
    }
  for (int mel = 0; mel < 80; mel++)
    for (int t = 0; t < 19; t++)
      g_assert_cmpfloat_with_epsilon ((double) hl_tensor_f32 (features)[mel * 20 + t],
                                      (MAX (y[mel], most - 8) + 4) / 4, 2e-5);
}

/* Frames of every even length up to 130, and some with large or many factors, against the
 * sum written out. */
static void
check_spectrum (int n)
{
  g_autoptr (HlPowerSpectrum) spectrum = hl_power_spectrum_new (n);
  g_autofree double *frame = g_new (double, n);
  g_autofree double *power = g_new (double, n / 2 + 1);
  double total = 0;
  for (int i = 0; i < n; i++)
    {
      frame[i] = sin (i * i * 0.37 + i) - 0.2;
      total += fabs (frame[i]);
    }
  hl_power_spectrum_run (spectrum, frame, power);
  for (int k = 0; k <= n / 2; k++)
    {
      double re = 0, im = 0;
      for (int i = 0; i < n; i++)
        {
          re += frame[i] * cos (2 * G_PI * (i * k % n) / n);
          im -= frame[i] * sin (2 * G_PI * (i * k % n) / n);
        }
      g_assert_cmpfloat_with_epsilon (power[k], re * re + im * im, 1e-14 * total * total);
    }
}

static void
test_spectrum (void)
{
  static const int others[] = {
    300, 400, 480, 512, 686, 1024, 2 * 1021, 2048, 4094, 4096
  };
  for (int n = 2; n <= 130; n += 2)
    check_spectrum (n);
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    check_spectrum (others[i]);
}

/* Each filter has an area of 1 Hz where bins are fine enough; neighbours cross where one
 * is at its top. */
static void
test_filters (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlLogMel) fine = hl_log_mel_new (16000, 4096, 160, 80, &error);
  g_assert_no_error (error);
  for (int mel = 0; mel < 80; mel++)
    {
      double area = 0;
      for (int bin = 0; bin <= 2048; bin++)
        area += hl_log_mel_get_weight (fine, mel, bin) * 8000 / 2048;
      g_assert_cmpfloat_with_epsilon (area, 1, 0.01);
    }
}

/* ---- windows -------------------------------------------------------------------------
 */

static HlAudio *
audio_of (gint64 n_samples)
{
  GError *error = NULL;
  g_autofree gint16 *samples = g_new (gint16, (gsize) n_samples);
  for (gint64 i = 0; i < n_samples; i++)
    samples[i] = (gint16) (i * i % 20011 - 10000);
  const TestWav wav = { 1, 1, 16000, 16, (guint32) n_samples * 2 };
  g_autoptr (GByteArray) bytes = test_wav_new (&wav, samples, wav.data_bytes);
  HlAudio *audio =
      hl_audio_open_bytes (bytes->data, bytes->len, "x.wav", 16000, NULL, &error);
  g_assert_no_error (error);
  return audio;
}

static void
check_windows (gint64 n_samples, gint64 n_windows, gint64 n_real_of_last)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlAudioProcessor) processor = open_config ("{\"chunk_length\": 1}", &error);
  g_assert_no_error (error);
  g_autoptr (HlAudio) audio = audio_of (n_samples);
  g_assert_cmpint (hl_audio_processor_count_windows (processor, audio), ==, n_windows);
  for (gint64 window = 0; window < n_windows; window++)
    {
      g_autoptr (HlTensor) features = NULL;
      gint64 n_real = 0;
      g_assert_true (
          hl_audio_processor_run (processor, audio, window, &features, &n_real, &error));
      g_assert_cmpint (n_real, ==, window == n_windows - 1 ? n_real_of_last : 100);
      /* As the window's samples alone. */
      gint64 n = MIN (n_samples - window * 16000, 16000);
      g_autoptr (HlTensor) alone = hl_log_mel_run (
          processor->log_mel, hl_tensor_f32 (audio->samples) + window * 16000, n, 16000,
          0, &error);
      g_assert_no_error (error);
      g_assert_cmpmem (features->data, hl_tensor_size_bytes (features), alone->data,
                       hl_tensor_size_bytes (alone));
    }
  HlTensor *none = NULL;
  g_assert_false (
      hl_audio_processor_run (processor, audio, n_windows, &none, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "x.wav|a window from 0 to|found");
  g_assert_false (hl_audio_processor_run (processor, audio, -1, &none, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "-1 found");
  g_assert_null (none);
}

static void
test_windows (void)
{
  check_windows (1, 1, 1);
  check_windows (160, 1, 1);
  check_windows (161, 1, 2);
  check_windows (16000, 1, 100);
  check_windows (16001, 2, 1);
  check_windows (40000, 3, 50);
}

static void
test_wrong_rate (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlAudioProcessor) processor = hl_audio_processor_new_default ();
  g_autoptr (HlAudio) audio = audio_fixture_open ("stereo-44100.wav", 0);
  HlTensor *none = NULL;
  g_assert_false (hl_audio_processor_run (processor, audio, 0, &none, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE,
                        "stereo-44100.wav|16000 samples a second expected, 44100 found");
}

/* ---- configuration -------------------------------------------------------------------
 */

static void
test_defaults (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = io_test_folder ();
  g_autoptr (HlAudioProcessor) none = hl_audio_processor_open (folder, &error);
  io_test_remove (folder);
  g_assert_no_error (error);
  g_autoptr (HlAudioProcessor) empty = open_config ("{}", &error);
  g_assert_no_error (error);
  for (int i = 0; i < 2; i++)
    {
      const HlAudioProcessor *p = i == 0 ? none : empty;
      g_assert_cmpint (p->n_mels, ==, 80);
      g_assert_cmpint (p->rate, ==, 16000);
      g_assert_cmpint (p->window_s, ==, 30);
      g_assert_cmpint (p->n_window_samples, ==, 480000);
      g_assert_cmpint (p->n_frames, ==, 3000);
      g_assert_cmpfloat (p->frame_s, ==, 0.01);
    }
  g_autoptr (HlAudioProcessor) whole = open_config (
      "{\"chunk_length\": 30, \"feature_extractor_type\": \"WhisperFeatureExtractor\","
      "\"feature_size\": 128, \"hop_length\": 160, \"n_fft\": 400, \"n_samples\": 480000,"
      "\"nb_max_frames\": 3000, \"padding_side\": \"right\", \"padding_value\": 0.0,"
      "\"dither\": 0.0, \"processor_class\": \"WhisperProcessor\","
      "\"return_attention_mask\": false, \"sampling_rate\": 16000}",
      &error);
  g_assert_no_error (error);
  g_assert_cmpint (whole->n_mels, ==, 128);
}

/* Filters as older files hold them: those of two mels and four samples, in either order,
 * and with one number changed. */
static void
check_filters (gboolean is_turned, double wrong, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlLogMel) log_mel = hl_log_mel_new (16000, 20, 10, 2, &error);
  g_autoptr (GString) json = g_string_new (
      "{\"feature_size\": 2, \"n_fft\": 20, \"hop_length\": 10, \"mel_filters\": [");
  int n_rows = is_turned ? 11 : 2, n_columns = is_turned ? 2 : 11;
  for (int r = 0; r < n_rows; r++)
    for (int c = 0; c < n_columns; c++)
      {
        char number[G_ASCII_DTOSTR_BUF_SIZE];
        double weight =
            hl_log_mel_get_weight (log_mel, is_turned ? c : r, is_turned ? r : c);
        g_ascii_formatd (number, sizeof number, "%.9f",
                         weight + (r == 1 && c == 1 ? wrong : 0));
        g_string_append_printf (json, "%s%s%s", c == 0 ? (r == 0 ? "[" : ",[") : ",",
                                number, c == n_columns - 1 ? "]" : "");
      }
  g_string_append (json, "]}");
  g_autoptr (HlAudioProcessor) processor = open_config (json->str, &error);
  if (words == NULL)
    g_assert_no_error (error);
  else
    io_test_assert_error (&error, HL_ERROR_UNSUPPORTED, words);
}

static void
test_filters_in_file (void)
{
  check_filters (FALSE, 0, NULL);
  check_filters (TRUE, 0, NULL);
  check_filters (FALSE, 1e-4, "\"mel_filters\"|Slaney's mel scale|in row 1 column 1");
  check_filters (TRUE, -1e-4, "\"mel_filters\"|in row 1 column 1");
}

static void
check_bad (const char *json, int code, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *all = g_strconcat ("preprocessor_config.json|expected|", words, NULL);
  g_assert_null (open_config (json, &error));
  io_test_assert_error (&error, code, all);
}

static void
test_bad_config (void)
{
  check_bad ("{", HL_ERROR_FORMAT, "line 1");
  check_bad ("{\"feature_extractor_type\": \"Wav2Vec2FeatureExtractor\"}",
             HL_ERROR_UNSUPPORTED, "\"Wav2Vec2FeatureExtractor\" found");
  check_bad ("{\"padding_side\": \"left\"}", HL_ERROR_UNSUPPORTED, "\"left\" found");
  check_bad ("{\"dither\": 0.0001}", HL_ERROR_UNSUPPORTED, "\"dither\": 0 expected");
  check_bad ("{\"feature_size\": 0}", HL_ERROR_RANGE, "between 1 and 512|0 found");
  check_bad ("{\"feature_size\": \"80\"}", HL_ERROR_FORMAT, "\"80\" found");
  check_bad ("{\"sampling_rate\": 8000}", HL_ERROR_RANGE, "8000 found");
  check_bad ("{\"n_fft\": 401}", HL_ERROR_UNSUPPORTED, "an even number|401 found");
  check_bad ("{\"n_fft\": 5000}", HL_ERROR_RANGE, "5000 found");
  check_bad ("{\"hop_length\": 401}", HL_ERROR_RANGE, "between 1 and 400|401 found");
  check_bad ("{\"hop_length\": 0}", HL_ERROR_RANGE, "0 found");
  check_bad ("{\"chunk_length\": 601}", HL_ERROR_RANGE, "601 found");
  check_bad ("{\"chunk_length\": 0.5}", HL_ERROR_FORMAT, "0.5 found");
  check_bad ("{\"chunk_length\": 600, \"sampling_rate\": 768000}", HL_ERROR_RANGE,
             "\"chunk_length\"|600 s at 768000 Hz");
  check_bad ("{\"chunk_length\": 600, \"hop_length\": 1}", HL_ERROR_RANGE,
             "hops of 1 and 80 features");
  check_bad ("{\"padding_value\": 1e300}", HL_ERROR_RANGE, "between -1 and 1");
  check_bad ("{\"n_samples\": 240000}", HL_ERROR_RANGE,
             "480000 expected, as chunk_length times sampling_rate, 240000 found");
  check_bad ("{\"nb_max_frames\": 1500}", HL_ERROR_RANGE, "3000 expected|1500 found");
  check_bad ("{\"mel_filters\": 5}", HL_ERROR_UNSUPPORTED, "80 rows of 201|rows found");
  check_bad ("{\"feature_size\": 1, \"mel_filters\": [[1, 2]]}", HL_ERROR_UNSUPPORTED,
             "a row of another length");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/log-mel/reference", test_reference);
  g_test_add_func ("/log-mel/speech", test_speech);
  g_test_add_func ("/log-mel/tone", test_tone);
  g_test_add_func ("/log-mel/spectrum", test_spectrum);
  g_test_add_func ("/log-mel/filters", test_filters);
  g_test_add_func ("/log-mel/windows", test_windows);
  g_test_add_func ("/log-mel/wrong-rate", test_wrong_rate);
  g_test_add_func ("/log-mel/defaults", test_defaults);
  g_test_add_func ("/log-mel/filters-in-file", test_filters_in_file);
  g_test_add_func ("/log-mel/bad-config", test_bad_config);
  return g_test_run ();
}
