/* SPDX-License-Identifier: MIT
 * Recordings: decoded as soundfile does, mixed, brought to another rate as scipy does and
 * as closed forms say, and what is said of bad ones. */
#include "audio-test.h"

#include <math.h>
#include <sys/stat.h>

/* ---- decoding ------------------------------------------------------------------------
 */

static void
check_decoded (const AudioFixtures *fixtures, const json_t *item)
{
  const char *name = audio_fixture_text (item, "source");
  gint64 n = audio_fixture_int (item, "n"),
         n_stored = audio_fixture_int (item, "n_stored");
  g_autoptr (HlAudio) audio = audio_fixture_open (name, 0);
  gboolean is_lossy = json_is_true (json_object_get (item, "is_lossy"));
  g_test_message ("%s: %s, %" G_GINT64_FORMAT " samples", name, audio->format,
                  hl_tensor_count (audio->samples));
  g_assert_cmpstr (audio->name, ==, name);
  g_assert_cmpint (audio->rate, ==, audio_fixture_int (item, "rate"));
  g_assert_cmpint (audio->file_rate, ==, audio->rate);
  g_assert_cmpint (audio->n_channels, ==, audio_fixture_int (item, "n_channels"));
  g_assert_null (audio->cut_short);
  g_assert_true (audio->samples->dtype == HL_DTYPE_F32);
  /* Decoders of MP3 differ in what they take for the delay of the coder. */
  if (!g_str_has_suffix (name, ".mp3"))
    g_assert_cmpint (hl_tensor_count (audio->samples), ==, n);
  g_assert_cmpint (audio->n_file_frames, ==, hl_tensor_count (audio->samples));
  g_assert_cmpint (audio->n_promised_frames, ==, audio->n_file_frames);
  g_assert_cmpfloat (audio->duration_s, ==, (double) audio->n_file_frames / audio->rate);
  if (is_lossy)
    return;
  const float *expected = audio_fixture_values (fixtures, item, (gsize) n_stored);
  for (gint64 i = 0; i < n_stored; i++)
    g_assert_cmpfloat (hl_tensor_f32 (audio->samples)[i], ==, expected[i]);
}

static void
test_decode (void)
{
  AudioFixtures fixtures;
  audio_fixtures_open (&fixtures);
  gsize i;
  json_t *item;
  json_array_foreach (json_object_get (fixtures.index, "decode"), i, item)
      check_decoded (&fixtures, item);
  g_assert_cmpuint (i, ==, 14);
  audio_fixtures_close (&fixtures);
}

static HlAudio *
open_wav (const TestWav *wav, gconstpointer samples, gsize size, int rate, GError **error)
{
  GByteArray *bytes = test_wav_new (wav, samples, size);
  HlAudio *audio =
      hl_audio_open_bytes (bytes->data, bytes->len, "x.wav", rate, NULL, error);
  g_byte_array_unref (bytes);
  return audio;
}

static void
test_mix (void)
{
  g_autoptr (GError) error = NULL;
  /* two frames of three channels, little endian */
  static const gint16 samples[] = { 32767, 0, -16384, -32768, -32768, 32767 };
  const TestWav wav = { 1, 3, 22050, 16, sizeof samples };
  g_autoptr (HlAudio) audio = open_wav (&wav, samples, sizeof samples, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpint (audio->n_channels, ==, 3);
  g_assert_cmpint (audio->rate, ==, 22050);
  g_assert_cmpint (hl_tensor_count (audio->samples), ==, 2);
  g_assert_cmpstr (audio->format, ==, "WAV (Microsoft), Signed 16 bit PCM");
  const float *mono = hl_tensor_f32 (audio->samples);
  g_assert_cmpfloat (mono[0], ==, (float) (16383.0 / 3 / 32768));
  g_assert_cmpfloat (mono[1], ==, (float) (-32769.0 / 3 / 32768));
}

/* More than a block of channels that do not divide it. */
static void
test_blocks (void)
{
  g_autoptr (GError) error = NULL;
  const int n_frames = 50000, n_channels = 7;
  g_autofree gint16 *samples = g_new (gint16, (gsize) (n_frames * n_channels));
  for (int i = 0; i < n_frames * n_channels; i++)
    samples[i] = (gint16) (i / n_channels % 30011);
  const TestWav wav = { 1, 7, 16000, 16, (guint32) (n_frames * n_channels * 2) };
  g_autoptr (HlAudio) audio = open_wav (&wav, samples, wav.data_bytes, 16000, &error);
  g_assert_no_error (error);
  g_assert_cmpint (hl_tensor_count (audio->samples), ==, n_frames);
  for (int i = 0; i < n_frames; i++)
    g_assert_cmpfloat (hl_tensor_f32 (audio->samples)[i], ==,
                       (float) (i % 30011) / 32768);
  g_assert_cmpint (audio->n_promised_frames, ==, n_frames);
}

/* ---- rates ---------------------------------------------------------------------------
 */

static void
check_rate (const AudioFixtures *fixtures, const json_t *item)
{
  g_autoptr (HlAudio) audio =
      audio_fixture_open (audio_fixture_text (item, "source"), 16000);
  gint64 n = audio_fixture_int (item, "n");
  g_assert_cmpint (audio->rate, ==, 16000);
  g_assert_cmpint (audio->file_rate, ==, audio_fixture_int (item, "rate"));
  g_assert_cmpint (hl_tensor_count (audio->samples), ==, n);
  const float *expected = audio_fixture_values (fixtures, item, (gsize) n);
  double worst = 0, worst_edge = 0;
  for (gint64 i = 0; i < n; i++)
    {
      double off =
          fabs ((double) hl_tensor_f32 (audio->samples)[i] - (double) expected[i]);
      /* At the ends both ring after a tone that starts at once, each in its own way. */
      if (i >= 400 && i < n - 400)
        worst = MAX (worst, off);
      else
        worst_edge = MAX (worst_edge, off);
    }
  g_test_message ("%s: %g off, %g at the ends", audio->name, worst, worst_edge);
  g_assert_cmpfloat (worst, <, 2e-5);
  g_assert_cmpfloat (worst_edge, <, 0.03);
}

static void
test_rate_reference (void)
{
  AudioFixtures fixtures;
  audio_fixtures_open (&fixtures);
  gsize i;
  json_t *item;
  json_array_foreach (json_object_get (fixtures.index, "rate"), i, item)
      check_rate (&fixtures, item);
  g_assert_cmpuint (i, ==, 3);
  audio_fixtures_close (&fixtures);
}

static HlTensor *
tone (int rate, double hz, double seconds)
{
  g_autoptr (GError) error = NULL;
  gint64 n = (gint64) (rate * seconds);
  HlTensor *out = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (n), &error);
  g_assert_no_error (error);
  for (gint64 i = 0; i < n; i++)
    ((float *) out->data)[i] = (float) sin (2 * G_PI * hz * (double) i / rate);
  return out;
}

/* The largest distance of @out from a tone of @hz at @rate, or from nothing; @edge
 * samples at either end, where the tone starts and stops at once, are left out. */
static double
distance (const HlTensor *out, int rate, double hz, gint64 edge)
{
  gint64 n = hl_tensor_count (out);
  double worst = 0;
  g_assert_cmpint (n, >, 3 * edge);
  for (gint64 i = edge; i < n - edge; i++)
    {
      double expected = hz > 0 ? sin (2 * G_PI * hz * (double) i / rate) : 0;
      worst = MAX (worst, fabs ((double) hl_tensor_f32 (out)[i] - expected));
    }
  return worst;
}

static void
check_tone (int from, int to, double hz, gboolean is_kept, double bound)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTensor) in = tone (from, hz, 0.5);
  g_autoptr (HlTensor) out = hl_audio_rate_convert (in, from, to, NULL, &error);
  g_assert_no_error (error);
  gint64 n = hl_tensor_count (in);
  g_assert_cmpint (hl_tensor_count (out), ==, (n * to + from - 1) / from);
  double off = distance (out, to, is_kept ? hz : 0, 150 * to / MIN (from, to));
  g_test_message ("%g Hz from %d to %d: %g off", hz, from, to, off);
  g_assert_cmpfloat (off, <, bound);
}

static void
test_rate_tones (void)
{
  static const int rates[] = { 1000,  8000,  11025, 22050, 32000,
                               44100, 48000, 96000, 192000 };
  for (gsize i = 0; i < G_N_ELEMENTS (rates); i++)
    {
      double half = MIN (rates[i], 16000) / 2.0;
      check_tone (rates[i], 16000, 0.05 * half, TRUE, 5e-6);
      check_tone (rates[i], 16000, 0.5123 * half, TRUE, 5e-6);
      check_tone (rates[i], 16000, 0.8 * half, TRUE, 5e-6);
      check_tone (rates[i], 16000, 0.88 * half, TRUE, 0.06);
      /* What 16 kHz cannot carry leaves nothing behind, rather than another tone. */
      if (rates[i] > 20000)
        check_tone (rates[i], 16000, 1.1 * half, FALSE, 5e-6);
      if (rates[i] > 40000)
        check_tone (rates[i], 16000, 15123, FALSE, 5e-6);
    }
}

static void
test_rate_odd (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTensor) one = tone (8000, 3, 1.0 / 8000);
  g_assert_cmpint (hl_tensor_count (one), ==, 1);
  g_autoptr (HlTensor) two = hl_audio_rate_convert (one, 8000, 16000, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (hl_tensor_count (two), ==, 2);
  g_autoptr (HlTensor) same = hl_audio_rate_convert (one, 8000, 8000, NULL, &error);
  g_assert_true (same == one);
  g_assert_null (hl_audio_rate_convert (one, 0, 16000, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "between 1000 and 768000|0 found");
  g_assert_null (hl_audio_rate_convert (one, 8000, 1000000, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "1000000 found");
  g_autoptr (HlTensor) square = hl_tensor_view (two, 0, HL_SHAPE (2, 1), NULL);
  g_assert_null (hl_audio_rate_convert (square, 8000, 16000, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_SHAPE, "a row of float32|[2, 1]");
}

/* ---- bad ones ------------------------------------------------------------------------
 */

static void
check_bad_wav (
    const TestWav *wav, gconstpointer samples, gsize size, int code, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *all = g_strconcat ("x.wav|expected|", words, NULL);
  g_assert_null (open_wav (wav, samples, size, 16000, &error));
  io_test_assert_error (&error, code, all);
}

static void
test_bad_header (void)
{
  static const gint16 samples[200] = { 1, 2, 3 };
  TestWav wav = { 1, 0, 16000, 16, sizeof samples };
  check_bad_wav (&wav, samples, sizeof samples, HL_ERROR_FORMAT, "found");
  wav.n_channels = 100;
  check_bad_wav (&wav, samples, sizeof samples, HL_ERROR_RANGE,
                 "1 to 64 channels|100 found");
  wav.n_channels = 1;
  wav.rate = 0;
  check_bad_wav (&wav, samples, sizeof samples, HL_ERROR_FORMAT, "found");
  wav.rate = 999;
  check_bad_wav (&wav, samples, sizeof samples, HL_ERROR_RANGE, "rate|999 found");
  wav.rate = 2000000000;
  check_bad_wav (&wav, samples, sizeof samples, HL_ERROR_RANGE, "2000000000 found");
  wav.rate = 16000;
  wav.data_bytes = 0;
  check_bad_wav (&wav, samples, 0, HL_ERROR_FORMAT, "with samples|none found");
  wav = (TestWav){ 0x1234, 1, 16000, 16, sizeof samples };
  check_bad_wav (&wav, samples, sizeof samples, HL_ERROR_FORMAT, "found");
}

/* An AU says how many bytes it has in 32 bits, a FLAC its samples in 36. */
static void
test_bad_length (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = audio_fixture_path ("noise.flac");
  g_autofree char *data = NULL;
  gsize size = 0;
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  /* STREAMINFO begins after "fLaC" and 4 bytes; the low 4 bits of its byte 13 and the 4
   * bytes behind them are the number of samples. */
  data[8 + 13] |= 0x0f;
  memset (data + 8 + 14, 0xff, 4);
  g_assert_null (
      hl_audio_open_bytes ((guint8 *) data, size, "x.flac", 16000, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "x.flac|at most 360 minutes|71582 found");
  /* A million samples may be so, and are not believed: what is there counts. */
  data[8 + 13] = (char) (data[8 + 13] & 0xf0);
  memcpy (data + 8 + 14, "\x00\x0f\x42\x40", 4);
  g_autoptr (HlAudio) audio =
      hl_audio_open_bytes ((guint8 *) data, size, "x.flac", 0, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (hl_tensor_count (audio->samples), ==, 6000);
  g_assert_cmpint (audio->n_promised_frames, ==, 1000000);
  g_test_message ("%s", audio->cut_short);
  g_assert_nonnull (strstr (audio->cut_short, "1000000 samples expected, 6000 found"));
}

static void
check_cut (const char *name, double share, gboolean is_said)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = audio_fixture_path (name);
  g_autofree char *data = NULL;
  gsize size = 0;
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  g_autoptr (HlAudio) whole = audio_fixture_open (name, 0);
  g_autoptr (HlAudio) part = hl_audio_open_bytes (
      (guint8 *) data, (gsize) ((double) size * share), name, 0, NULL, &error);
  g_assert_no_error (error);
  g_test_message ("%s: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT ": %s", name,
                  part->n_file_frames, whole->n_file_frames,
                  part->cut_short != NULL ? part->cut_short : "nothing said");
  g_assert_cmpint (part->n_file_frames, <, whole->n_file_frames);
  g_assert_cmpint (part->n_file_frames, >, 0);
  g_assert_cmpint (part->n_file_frames, ==, hl_tensor_count (part->samples));
  g_assert_true ((part->cut_short != NULL) == is_said);
}

static void
test_cut_short (void)
{
  check_cut ("chirp.wav", 0.5, TRUE);
  check_cut ("stereo-44100.wav", 0.9, TRUE);
  check_cut ("tones-f64.wav", 0.5, TRUE);
  check_cut ("clicks.flac", 0.6, TRUE);
  check_cut ("clicks.ogg", 0.7, TRUE);
  check_cut ("clicks.mp3", 0.7, FALSE);
  /* A size that a writer to a pipe leaves open promises nothing. */
  g_autoptr (GError) error = NULL;
  static const gint16 samples[300] = { 5 };
  const TestWav open_ended = { 1, 1, 16000, 16, 0xffffffff };
  g_autoptr (HlAudio) audio = open_wav (&open_ended, samples, sizeof samples, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpint (audio->n_file_frames, ==, 300);
  g_assert_null (audio->cut_short);
}

static void
test_bad_samples (void)
{
  static float samples[80000];
  const TestWav wav = { 3, 2, 8000, 32, sizeof samples };
  samples[2 * 34567 + 1] = NAN; /* not in the first block */
  check_bad_wav (&wav, samples, wav.data_bytes, HL_ERROR_FORMAT,
                 "sample 34567 (at 4.321 s) of channel 1|nan found");
  samples[2 * 34567 + 1] = 0;
  samples[0] = -INFINITY;
  check_bad_wav (&wav, samples, wav.data_bytes, HL_ERROR_FORMAT,
                 "sample 0 (at 0.000 s) of channel 0|-inf found");
  samples[0] = 0;
  samples[79999] = 3e9f;
  check_bad_wav (&wav, samples, wav.data_bytes, HL_ERROR_RANGE,
                 "sample 39999 |channel 1|3e+09 found");
  samples[79999] = -2147483648.0f;
  g_autoptr (GError) error = NULL;
  g_autoptr (HlAudio) loud = open_wav (&wav, samples, wav.data_bytes, 16000, &error);
  g_assert_no_error (error);
}

static void
check_bad_path (const char *path, int code, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *all = g_strconcat ("a recording|expected|", words, NULL);
  g_assert_null (hl_audio_open (path, 16000, NULL, &error));
  io_test_assert_error (&error, code, all);
}

static void
check_bad_bytes (const char *folder, const char *text, gsize size, const char *words)
{
  g_autofree char *path = io_test_write (folder, "a.wav", text, size);
  g_autofree char *all = g_strconcat ("a.wav|", words, NULL);
  check_bad_path (path, HL_ERROR_FORMAT, all);
}

static void
test_bad_files (void)
{
  char *folder = io_test_folder ();
  g_autofree char *none = g_build_filename (folder, "none.wav", NULL);
  check_bad_path (none, HL_ERROR_MISSING, "none.wav");
  check_bad_path (folder, HL_ERROR_IO, "a folder found");
  g_autofree char *pipe_path = g_build_filename (folder, "pipe.wav", NULL);
  g_assert_cmpint (mkfifo (pipe_path, 0600), ==, 0);
  check_bad_path (pipe_path, HL_ERROR_IO, "a device or a pipe found");
  check_bad_bytes (folder, "", 0, "an empty file found");
  check_bad_bytes (folder, "Once upon a time there was no sound.\n", 37, "a text found");
  check_bad_bytes (folder,
                   "\0\0\0\x20"
                   "ftypM4A \0\0\2\0",
                   16, "MPEG-4");
  check_bad_bytes (folder, "\x1a\x45\xdf\xa3\1\2\3\4\5\6\7\0", 12, "WebM");
  /* A format that the library reads and nobody records in. */
  check_bad_bytes (folder, "PVF1\n1 16000 16\n\0\1\0\2\0\3", 22, "something else found");
  check_bad_bytes (folder, "\1\0\3\xff\xfe\7", 6, "something else found");
  check_bad_bytes (folder, "RIFF\4\0\0\0WAVE", 12, "found");
  g_autofree char *path = audio_fixture_path ("expected.json");
  check_bad_path (path, HL_ERROR_FORMAT, "expected.json|a text found");
  /* What the name says is not believed: headerless samples stay unknown. */
  g_autofree char *raw = io_test_write (folder, "a.raw", "\1\0\3\xff\xfe\7", 6);
  check_bad_path (raw, HL_ERROR_FORMAT, "a.raw|something else found");
  io_test_remove (folder);
}

/* ---- progress ------------------------------------------------------------------------
 */

typedef struct
{
  GCancellable *cancellable;
  int n_calls;
  double last;
} Watch;

static void
watch_cb (double fraction, const char *what, gpointer user_data)
{
  Watch *watch = user_data;
  g_assert_cmpfloat (fraction, >=, watch->last);
  g_assert_cmpfloat (fraction, <=, 1);
  watch->last = fraction;
  if (++watch->n_calls == 3)
    g_cancellable_cancel (watch->cancellable);
}

static void
test_progress (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autofree gint16 *samples = g_new0 (gint16, 400000);
  const TestWav wav = { 1, 1, 48000, 16, 800000 };
  g_autoptr (GByteArray) bytes = test_wav_new (&wav, samples, wav.data_bytes);
  for (int cancels = 0; cancels <= 1; cancels++)
    {
      Watch watch = { cancels ? cancellable : NULL, 0, 0 };
      HlProgress progress = { .func = watch_cb,
                              .func_data = &watch,
                              .cancellable = watch.cancellable };
      g_autoptr (HlAudio) audio = hl_audio_open_bytes (bytes->data, bytes->len, "x.wav",
                                                       16000, &progress, &error);
      g_assert_true ((audio == NULL) == cancels);
      g_assert_true (cancels ? watch.n_calls == 3 : watch.n_calls >= 6);
      if (!cancels)
        g_assert_no_error (error);
    }
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* The limit holds where the header says nothing of the length, too. */
static void
test_limit (void)
{
  g_autoptr (GError) error = NULL;
  const float values[100] = { 0 };
  g_auto (HlSamples) samples = { .limit = 250 };
  g_assert_true (hl_samples_append (&samples, values, 100, &error));
  g_assert_true (hl_samples_append (&samples, NULL, 100, &error));
  g_assert_cmpuint (samples.room, <=, 250);
  g_assert_false (hl_samples_append (&samples, values, 51, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "at most 250 samples expected");
  g_assert_true (hl_samples_append (&samples, values, 50, &error));
  g_autoptr (HlTensor) all = hl_samples_steal (&samples);
  g_assert_cmpint (hl_tensor_count (all), ==, 250);
  g_assert_null (samples.data);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/audio/decode", test_decode);
  g_test_add_func ("/audio/mix", test_mix);
  g_test_add_func ("/audio/blocks", test_blocks);
  g_test_add_func ("/audio/rate/reference", test_rate_reference);
  g_test_add_func ("/audio/rate/tones", test_rate_tones);
  g_test_add_func ("/audio/rate/odd", test_rate_odd);
  g_test_add_func ("/audio/bad-header", test_bad_header);
  g_test_add_func ("/audio/bad-length", test_bad_length);
  g_test_add_func ("/audio/cut-short", test_cut_short);
  g_test_add_func ("/audio/bad-samples", test_bad_samples);
  g_test_add_func ("/audio/bad-files", test_bad_files);
  g_test_add_func ("/audio/progress", test_progress);
  g_test_add_func ("/audio/limit", test_limit);
  return g_test_run ();
}
