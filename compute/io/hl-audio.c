/* SPDX-License-Identifier: MIT
 * Recordings: decoded by libsndfile, mixed to one channel, brought to a rate. */
#include "io/hl-audio.h"

#include "base/hl-error.h"
#include "io/hl-audio-private.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <sndfile.h>
#include <string.h>
#include <sys/stat.h>

/* Numbers decoded at a time, of all channels together. */
#define BLOCK_VALUES 65536

#define EXPECTED "a recording (WAV, FLAC, Ogg, MP3, AIFF, ...) expected"

/* ---- bytes in memory as a file ------------------------------------------------------
 */

typedef struct
{
  const guint8 *data;
  sf_count_t size;
  sf_count_t at;
} Bytes;

static sf_count_t
get_length_cb (void *user_data)
{
  return ((const Bytes *) user_data)->size;
}

static sf_count_t
tell_cb (void *user_data)
{
  return ((const Bytes *) user_data)->at;
}

static sf_count_t
seek_cb (sf_count_t offset, int whence, void *user_data)
{
  Bytes *bytes = user_data;
  sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? bytes->at : bytes->size;
  sf_count_t to;
  if (__builtin_add_overflow (from, offset, &to) || to < 0)
    return -1;
  return bytes->at = MIN (to, bytes->size);
}

static sf_count_t
read_cb (void *to, sf_count_t count, void *user_data)
{
  Bytes *bytes = user_data;
  sf_count_t n = CLAMP (count, 0, bytes->size - bytes->at);
  memcpy (to, bytes->data + bytes->at, (gsize) n);
  bytes->at += n;
  return n;
}

static sf_count_t
write_cb (const void *from, sf_count_t count, void *user_data)
{
  return 0;
}

/* ---- one reading ---------------------------------------------------------------------
 */

/* @block: numbers as they come, the channels of a frame side by side; @mono: their means;
 * @converter: NULL where the rate stays */
typedef struct
{
  const char *name;
  Bytes bytes;
  SNDFILE *file;
  SF_INFO info;
  int rate;
  HlRateConverter *converter;
  HlSamples samples;
  gint64 n_frames;
  float block[BLOCK_VALUES];
  float mono[BLOCK_VALUES];
} Reading;

static void
reading_free (Reading *reading)
{
  if (reading == NULL)
    return;
  if (reading->file != NULL)
    sf_close (reading->file);
  hl_rate_converter_free (reading->converter);
  hl_samples_clear (&reading->samples);
  g_free (reading);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Reading, reading_free)

/* What errors of the parts do not know: the file. */
static gboolean
with_name (const Reading *reading, GError **error)
{
  g_prefix_error (error, "%s: ", reading->name);
  return FALSE;
}

/* The library's words, but where it takes a header's fault for its own. */
static const char *
describe_problem (int problem)
{
  const char *words = sf_error_number (problem);
  return g_str_has_prefix (words, "Internal error")
             ? "a header without a rate, channels or a format"
             : words;
}

static gboolean
open_file (Reading *reading, GError **error)
{
  SF_VIRTUAL_IO io = { get_length_cb, seek_cb, read_cb, write_cb, tell_cb };
  const guint8 *data = reading->bytes.data;
  gsize size = (gsize) reading->bytes.size;
  gboolean is_recording = hl_audio_is_recording (data, size);
  if (is_recording)
    reading->file = sf_open_virtual (&io, SFM_READ, &reading->info, &reading->bytes);
  if (reading->file != NULL)
    return TRUE;
  int problem = sf_error (NULL);
  if (!is_recording || problem == SF_ERR_UNRECOGNISED_FORMAT)
    g_set_error (error, HL_ERROR, HL_ERROR_FORMAT, "%s: " EXPECTED ", %s found",
                 reading->name, hl_audio_describe_bytes (data, size));
  else
    g_set_error (
        error, HL_ERROR,
        problem == SF_ERR_UNSUPPORTED_ENCODING ? HL_ERROR_UNSUPPORTED : HL_ERROR_FORMAT,
        "%s: " EXPECTED ", found: %s", reading->name, describe_problem (problem));
  return FALSE;
}

/* The header, before anything of its sizes is allocated. */
static gboolean
check_header (Reading *reading, GError **error)
{
  const SF_INFO *info = &reading->info;
  if (info->channels < 1 || info->channels > HL_AUDIO_MAX_CHANNELS)
    g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                 "%s: a recording of 1 to %d channels expected, %d found", reading->name,
                 HL_AUDIO_MAX_CHANNELS, info->channels);
  else if (info->samplerate < HL_AUDIO_MIN_RATE || info->samplerate > HL_AUDIO_MAX_RATE)
    g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                 "%s: a sampling rate between %d and %d Hz expected, %d found",
                 reading->name, HL_AUDIO_MIN_RATE, HL_AUDIO_MAX_RATE, info->samplerate);
  else if (info->frames != SF_COUNT_MAX &&
           (double) info->frames / info->samplerate * reading->rate >
               (double) HL_AUDIO_MAX_SAMPLES)
    g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                 "%s: a recording of at most %" G_GINT64_FORMAT " minutes at %d Hz "
                 "expected, %" G_GINT64_FORMAT " found",
                 reading->name, HL_AUDIO_MAX_SAMPLES / reading->rate / 60, reading->rate,
                 (gint64) info->frames / info->samplerate / 60);
  else
    return TRUE;
  return FALSE;
}

static void
set_sample_error (const Reading *reading, int frame, int channel, float x, GError **error)
{
  gint64 place = reading->n_frames + frame;
  char value[G_ASCII_DTOSTR_BUF_SIZE], seconds[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd (value, sizeof value, "%g", (double) x);
  g_ascii_formatd (seconds, sizeof seconds, "%.3f",
                   (double) place / reading->info.samplerate);
  g_set_error (error, HL_ERROR, isfinite (x) ? HL_ERROR_RANGE : HL_ERROR_FORMAT,
               "%s: sample %" G_GINT64_FORMAT
               " (at %s s) of channel %d: a number between "
               "-2^31 and 2^31 expected, %s found",
               reading->name, place, seconds, channel, value);
}

/* Mixes @n_frames of the block: the mean in double, rounded once. */
static gboolean
mix (Reading *reading, int n_frames, GError **error)
{
  int n_channels = reading->info.channels;
  const float *in = reading->block;
  for (int frame = 0; frame < n_frames; frame++, in += n_channels)
    {
      double sum = 0;
      for (int channel = 0; channel < n_channels; channel++)
        {
          /* Also false for what is no number. */
          if (!(fabsf (in[channel]) <= (float) HL_AUDIO_MAX_LEVEL))
            {
              set_sample_error (reading, frame, channel, in[channel], error);
              return FALSE;
            }
          sum += (double) in[channel];
        }
      reading->mono[frame] = (float) (sum / n_channels);
    }
  return TRUE;
}

static gboolean
read_all (Reading *reading, const HlProgress *progress, GError **error)
{
  int block_frames = BLOCK_VALUES / reading->info.channels;
  for (;;)
    {
      /* How far the bytes are is known of every format; frames are not. */
      double done = (double) reading->bytes.at / (double) MAX (reading->bytes.size, 1);
      if (!hl_progress_step (progress, done, NULL, error))
        return FALSE;
      int n = (int) sf_readf_float (reading->file, reading->block, block_frames);
      if (n <= 0)
        break;
      if (!mix (reading, n, error))
        return FALSE;
      gboolean is_added =
          reading->converter != NULL
              ? hl_rate_converter_push (reading->converter, reading->mono, (gsize) n,
                                        &reading->samples, error)
              : hl_samples_append (&reading->samples, reading->mono, (gsize) n, error);
      if (!is_added)
        return with_name (reading, error);
      reading->n_frames += n;
    }
  if (reading->converter != NULL &&
      !hl_rate_converter_end (reading->converter, &reading->samples, error))
    return with_name (reading, error);
  if (reading->n_frames > 0)
    return TRUE;
  int problem = sf_error (reading->file);
  g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
               "%s: a recording with samples expected, none found%s%s", reading->name,
               problem != SF_ERR_NO_ERROR ? ": " : "",
               problem != SF_ERR_NO_ERROR ? describe_problem (problem) : "");
  return FALSE;
}

/* ---- what is kept --------------------------------------------------------------------
 */

static char *
describe_format (int format)
{
  SF_FORMAT_INFO major = { .format = format & SF_FORMAT_TYPEMASK };
  SF_FORMAT_INFO minor = { .format = format & SF_FORMAT_SUBMASK };
  sf_command (NULL, SFC_GET_FORMAT_INFO, &major, sizeof major);
  sf_command (NULL, SFC_GET_FORMAT_INFO, &minor, sizeof minor);
  return g_strdup_printf ("%s, %s", major.name != NULL ? major.name : "unknown",
                          minor.name != NULL ? minor.name : "unknown");
}

/* What the header promised and the file does not hold. */
static void
set_cut_short (HlAudio *audio, const Reading *reading)
{
  const Bytes *bytes = &reading->bytes;
  int major = reading->info.format & SF_FORMAT_TYPEMASK;
  gint64 promised = hl_audio_promised_frames (bytes->data, (gsize) bytes->size);
  /* The length of an MP3 is an estimate. */
  if (major != SF_FORMAT_MPEG && reading->info.frames != SF_COUNT_MAX)
    promised = MAX (promised, reading->info.frames);
  audio->n_promised_frames = MAX (promised, reading->n_frames);
  if (promised > reading->n_frames)
    audio->cut_short =
        g_strdup_printf ("cut short or damaged: %" G_GINT64_FORMAT " samples expected, "
                         "%" G_GINT64_FORMAT " found",
                         promised, reading->n_frames);
  else if (hl_audio_lacks_end (bytes->data, (gsize) bytes->size))
    audio->cut_short = g_strdup_printf (
        "cut short: a last page expected after %" G_GINT64_FORMAT " samples, none found",
        reading->n_frames);
}

static HlAudio *
finish (Reading *reading)
{
  HlAudio *audio = g_new0 (HlAudio, 1);
  g_atomic_ref_count_init (&audio->refs);
  audio->name = g_strdup (reading->name);
  audio->format = describe_format (reading->info.format);
  audio->rate = reading->rate;
  audio->file_rate = reading->info.samplerate;
  audio->n_channels = reading->info.channels;
  audio->n_file_frames = reading->n_frames;
  set_cut_short (audio, reading);
  audio->samples = hl_samples_steal (&reading->samples);
  audio->duration_s = (double) hl_tensor_count (audio->samples) / audio->rate;
  return audio;
}

HlAudio *
hl_audio_open_bytes (const guint8 *data,
                     gsize size_bytes,
                     const char *name,
                     int rate,
                     const HlProgress *progress,
                     GError **error)
{
  g_autoptr (Reading) reading = g_new0 (Reading, 1);
  reading->name = name;
  reading->bytes = (Bytes){ .data = data, .size = (sf_count_t) size_bytes };
  reading->samples.limit = (gsize) HL_AUDIO_MAX_SAMPLES;
  if (!open_file (reading, error))
    return NULL;
  reading->rate = rate > 0 ? rate : reading->info.samplerate;
  if (!check_header (reading, error))
    return NULL;
  if (reading->rate != reading->info.samplerate)
    {
      reading->converter =
          hl_rate_converter_new (reading->info.samplerate, reading->rate, error);
      if (reading->converter == NULL)
        {
          with_name (reading, error);
          return NULL;
        }
    }
  return read_all (reading, progress, error) ? finish (reading) : NULL;
}

HlAudio *
hl_audio_open (const char *path, int rate, const HlProgress *progress, GError **error)
{
  g_autofree char *name = g_path_get_basename (path);
  GStatBuf info;
  if (g_stat (path, &info) != 0)
    {
      int code = errno;
      g_set_error (error, HL_ERROR, code == ENOENT ? HL_ERROR_MISSING : HL_ERROR_IO,
                   "%s: a recording expected, %s", path, g_strerror (code));
      return NULL;
    }
  if (!S_ISREG (info.st_mode))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_IO, "%s: a recording expected, %s found",
                   path, S_ISDIR (info.st_mode) ? "a folder" : "a device or a pipe");
      return NULL;
    }
  g_autoptr (GError) cause = NULL;
  g_autoptr (GMappedFile) map = g_mapped_file_new (path, FALSE, &cause);
  if (map == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_IO, "%s: cannot be read: %s", name,
                   cause->message);
      return NULL;
    }
  return hl_audio_open_bytes ((const guint8 *) g_mapped_file_get_contents (map),
                              g_mapped_file_get_length (map), name, rate, progress,
                              error);
}

HlAudio *
hl_audio_ref (HlAudio *audio)
{
  g_atomic_ref_count_inc (&audio->refs);
  return audio;
}

void
hl_audio_unref (HlAudio *audio)
{
  if (audio == NULL || !g_atomic_ref_count_dec (&audio->refs))
    return;
  g_free (audio->name);
  g_free (audio->format);
  g_free (audio->cut_short);
  hl_tensor_unref (audio->samples);
  g_free (audio);
}
