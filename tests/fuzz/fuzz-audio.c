/* SPDX-License-Identifier: MIT
 * Fuzz target: a recording of any bytes opens or is refused with a message, and what
 * opens has features that are numbers; a preprocessor_config.json of any bytes does
 * likewise. Bytes that begin with a brace are taken for the second. */
#include "fuzz.h"

#include "base/hl-error.h"
#include "io/hl-audio-processor.h"

#include <glib/gstdio.h>
#include <math.h>
#include <sndfile.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A file of a few bytes may hold an hour of nothing: reading it ends after that long. */
#define PATIENCE_US 300000
/* Features beyond that many are not computed: a window of 600 s is right and slow. */
#define MAX_VALUES 400000
#define ROOM_BYTES ((rlim_t) 512 << 20)

/* An allocation by a size out of the file then fails, as it should be able to. */
static void
limit_memory (void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
  g_autofree char *text = NULL;
  struct rlimit limit;
  getrlimit (RLIMIT_AS, &limit);
  if (limit.rlim_cur != RLIM_INFINITY ||
      !g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    return;
  limit.rlim_cur = limit.rlim_max =
      ROOM_BYTES +
      (rlim_t) g_ascii_strtoull (text, NULL, 10) * (rlim_t) sysconf (_SC_PAGESIZE);
  setrlimit (RLIMIT_AS, &limit);
#endif
}

static void
check_error (const GError *error)
{
  g_assert_nonnull (error);
  if (error->domain != HL_ERROR &&
      !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_error ("an error of this program expected, found: %s", error->message);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
check_finite (const HlTensor *values)
{
  for (gint64 i = 0; values != NULL && i < hl_tensor_count (values); i++)
    g_assert_true (isfinite (hl_tensor_f32 (values)[i]));
}

static void
check_features (const HlAudioProcessor *processor, const HlAudio *audio)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTensor) features = NULL;
  gint64 n_real = -1;
  if (processor->n_frames * processor->n_mels > MAX_VALUES ||
      processor->n_window_samples > 40 * MAX_VALUES)
    return;
  if (!hl_audio_processor_run (processor, audio, 0, &features, &n_real, &error))
    {
      check_error (error);
      return;
    }
  g_assert_cmpint (n_real, >=, 0);
  g_assert_cmpint (n_real, <=, processor->n_frames);
  check_finite (features);
}

/* Cancels what takes too long. */
typedef struct
{
  gint64 end_us;
  GCancellable *cancellable;
} Patience;

static void
wait_cb (double fraction, const char *what, gpointer user_data)
{
  Patience *patience = user_data;
  g_assert_true (fraction >= 0 && fraction <= 1);
  if (g_get_monotonic_time () > patience->end_us)
    g_cancellable_cancel (patience->cancellable);
}

static HlAudio *
open_audio (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Patience patience = { g_get_monotonic_time () + PATIENCE_US, cancellable };
  const HlProgress progress = { .func = wait_cb,
                                .func_data = &patience,
                                .cancellable = cancellable };
  HlAudio *audio = hl_audio_open_bytes (data, size, "fuzz", 16000, &progress, &error);
  g_assert_true ((audio != NULL) == (error == NULL));
  if (audio == NULL)
    check_error (error);
  return audio;
}

static void
try_audio (const guint8 *data, gsize size)
{
  g_autoptr (HlAudio) audio = open_audio (data, size);
  if (audio == NULL)
    return;
  gint64 n = hl_tensor_count (audio->samples);
  g_assert_true (n > 0 && n <= HL_AUDIO_MAX_SAMPLES);
  g_assert_true (audio->n_promised_frames >= audio->n_file_frames);
  g_assert_true (g_utf8_validate (audio->format, -1, NULL));
  check_finite (audio->samples);
  /* A second of it, as windows of 30 s are much work and no other code. */
  g_autoptr (HlLogMel) log_mel = hl_log_mel_new (16000, 400, 160, 80, NULL);
  g_autoptr (HlTensor) features = hl_log_mel_run (log_mel, hl_tensor_f32 (audio->samples),
                                                  MIN (n, 16000), 16000, 0, NULL);
  check_finite (features);
}

static void
try_config (const guint8 *data, gsize size)
{
  static const float samples[450] = { 1, 0.5f, 0.25f, -1, 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *folder =
      g_strdup_printf ("%s/hl-fuzz-audio-%d", g_get_tmp_dir (), (int) getpid ());
  g_autofree char *path = g_build_filename (folder, "preprocessor_config.json", NULL);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents_full (path, (const char *) data, (gssize) size,
                                           G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  g_autoptr (HlAudioProcessor) processor = hl_audio_processor_open (folder, &error);
  g_unlink (path);
  g_rmdir (folder);
  g_assert_true ((processor != NULL) == (error == NULL));
  if (processor == NULL)
    {
      check_error (error);
      return;
    }
  g_autoptr (HlTensor) row =
      hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (G_N_ELEMENTS (samples)), samples);
  const HlAudio audio = { .name = (char *) "row",
                          .samples = row,
                          .rate = processor->rate };
  check_features (processor, &audio);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  limit_memory ();
  if (size > 0 && data[0] == '{')
    try_config (data, size);
  else
    try_audio (data, size);
  return 0;
}

/* ---- seeds ---------------------------------------------------------------------------
 */

/* A file in memory that libsndfile writes. */
typedef struct
{
  GByteArray *bytes;
  sf_count_t at;
} Memory;

static sf_count_t
get_length_cb (void *user_data)
{
  return ((const Memory *) user_data)->bytes->len;
}

static sf_count_t
seek_cb (sf_count_t offset, int whence, void *user_data)
{
  Memory *memory = user_data;
  memory->at = offset + (whence == SEEK_SET   ? 0
                         : whence == SEEK_CUR ? memory->at
                                              : (sf_count_t) memory->bytes->len);
  return memory->at;
}

static sf_count_t
read_cb (void *to, sf_count_t count, void *user_data)
{
  Memory *memory = user_data;
  sf_count_t n = CLAMP ((sf_count_t) memory->bytes->len - memory->at, 0, count);
  memcpy (to, memory->bytes->data + memory->at, (gsize) n);
  memory->at += n;
  return n;
}

static sf_count_t
write_cb (const void *from, sf_count_t count, void *user_data)
{
  Memory *memory = user_data;
  guint end = (guint) (memory->at + count);
  if (end > memory->bytes->len)
    g_byte_array_set_size (memory->bytes, end);
  memcpy (memory->bytes->data + memory->at, from, (gsize) count);
  memory->at = end;
  return count;
}

static sf_count_t
tell_cb (void *user_data)
{
  return ((const Memory *) user_data)->at;
}

/* A short sound in one of the library's formats, where it can be written. */
static void
add_seed (GPtrArray *seeds, int format, int n_channels)
{
  SF_VIRTUAL_IO io = { get_length_cb, seek_cb, read_cb, write_cb, tell_cb };
  SF_INFO info = { .samplerate = 16000, .channels = n_channels, .format = format };
  Memory memory = { g_byte_array_new (), 0 };
  float values[600];
  for (int i = 0; i < 600; i++)
    values[i] = (float) sin (i * i * 0.001) * 0.7f;
  SNDFILE *file =
      sf_format_check (&info) ? sf_open_virtual (&io, SFM_WRITE, &info, &memory) : NULL;
  if (file != NULL)
    {
      sf_writef_float (file, values, 600 / n_channels);
      sf_close (file);
    }
  GBytes *bytes = g_byte_array_free_to_bytes (memory.bytes);
  /* Formats that are never let through are no seeds. */
  g_autoptr (HlAudio) audio =
      open_audio (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  if (audio != NULL)
    g_ptr_array_add (seeds, bytes);
  else
    g_bytes_unref (bytes);
}

static void
add_all_formats (GPtrArray *seeds)
{
  int n_majors = 0, n_minors = 0;
  sf_command (NULL, SFC_GET_FORMAT_MAJOR_COUNT, &n_majors, sizeof n_majors);
  sf_command (NULL, SFC_GET_FORMAT_SUBTYPE_COUNT, &n_minors, sizeof n_minors);
  for (int i = 0; i < n_majors; i++)
    for (int k = 0; k < n_minors; k++)
      {
        SF_FORMAT_INFO major = { .format = i }, minor = { .format = k };
        sf_command (NULL, SFC_GET_FORMAT_MAJOR, &major, sizeof major);
        sf_command (NULL, SFC_GET_FORMAT_SUBTYPE, &minor, sizeof minor);
        /* A second file beside the first is part of this one. */
        if (major.format != SF_FORMAT_SD2)
          add_seed (seeds, major.format | minor.format, 1 + k % 2);
      }
}

GPtrArray *
fuzz_seeds (void)
{
  static const char *const configs[] = {
    "{\"chunk_length\": 1, \"feature_extractor_type\": \"WhisperFeatureExtractor\","
    "\"feature_size\": 80, \"hop_length\": 160, \"n_fft\": 400, \"n_samples\": 16000,"
    "\"nb_max_frames\": 100, \"padding_side\": \"right\", \"padding_value\": 0.0,"
    "\"dither\": 0.0, \"return_attention_mask\": false, \"sampling_rate\": 16000}",
    "{\"chunk_length\": 1, \"feature_size\": 1, \"hop_length\": 1, \"n_fft\": 2,"
    "\"mel_filters\": [[0, 0]]}",
    "{\"chunk_length\": 2, \"feature_size\": 512, \"hop_length\": 4096, \"n_fft\": 4096,"
    "\"padding_value\": -1}",
  };
  GPtrArray *seeds = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  add_all_formats (seeds);
  guint n_audio = seeds->len;
  /* As often as one recording in four. */
  for (guint i = 0; i < MAX (n_audio / 4, G_N_ELEMENTS (configs)); i++)
    {
      const char *text = configs[i % G_N_ELEMENTS (configs)];
      g_ptr_array_add (seeds, g_bytes_new_static (text, strlen (text)));
    }
  return seeds;
}
