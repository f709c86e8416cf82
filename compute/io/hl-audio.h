/* SPDX-License-Identifier: MIT
 * Recordings: decoded by libsndfile (WAV, FLAC, Ogg Vorbis and Opus, MP3, AIFF, AU, CAF,
 * W64, NIST Sphere), mixed to one channel, and brought to the rate that a model hears.
 * Immutable; atomic reference count. */
#pragma once

#include "base/hl-progress.h"
#include "io/hl-audio-rate.h"

G_BEGIN_DECLS

/** HL_AUDIO_MAX_SAMPLES: a recording that would have more, at the rate it is opened with,
 * is refused: six hours at 16 kHz, 1.4 GB. */
#define HL_AUDIO_MAX_SAMPLES ((gint64) 6 * 3600 * 16000)

/** HL_AUDIO_MAX_CHANNELS: more in a file are refused. */
#define HL_AUDIO_MAX_CHANNELS 64

/** HL_AUDIO_MAX_LEVEL: a full-scale sample is 1; files with numbers beyond that of 32-bit
 * integers are refused, so that no later square overflows. */
#define HL_AUDIO_MAX_LEVEL 2147483648.0

/**
 * HlAudio: fields are for reading only.
 * @name: base name of the file
 * @format: what libsndfile calls it, "WAV (Microsoft), Signed 16 bit PCM"
 * @samples: (N) float32, the mean of the channels; full scale is -1 to 1
 * @rate: of @samples, in Hz
 * @duration_s: of @samples, N / @rate
 * @file_rate, @n_channels: what the file has
 * @n_file_frames: samples a channel that were read
 * @n_promised_frames: those that the header promised; @n_file_frames where it does not
 * say
 * @cut_short: (nullable): words to show where there were fewer than promised
 */
typedef struct
{
  gatomicrefcount refs;
  char *name;
  char *format;
  HlTensor *samples;
  int rate;
  double duration_s;
  int file_rate;
  int n_channels;
  gint64 n_file_frames;
  gint64 n_promised_frames;
  char *cut_short;
} HlAudio;

/**
 * hl_audio_open:
 * @path: a file; its content tells what it is, never its name
 * @rate: in Hz, what a model hears (16000); 0 keeps the file's own
 * @progress: (nullable): stepped after every 65536 numbers decoded
 * A header's length is checked against the limit and otherwise not believed: memory grows
 * as samples arrive. A file that ends early gives what it has, and @cut_short says so
 * where its format lets that be known: WAV, AIFF, FLAC and others that say how many
 * samples they have, and Ogg without its last page; not MP3.
 * Thread: any. Where two threads fail at once the words of one may be the other's.
 * Returns: (transfer full): NULL with @error: MISSING no such file; IO a folder, a pipe
 * or unreadable; FORMAT empty, no recording, damaged, or a sample that is no number, with
 *   its place; UNSUPPORTED a recording that cannot be decoded; RANGE a rate, a number of
 *   channels, a length or a level that is not allowed; MEMORY; G_IO_ERROR_CANCELLED
 */
HlAudio *
hl_audio_open (const char *path, int rate, const HlProgress *progress, GError **error);

/** hl_audio_open_bytes: as hl_audio_open(), from memory; @name is what errors call it. */
HlAudio *hl_audio_open_bytes (const guint8 *data,
                              gsize size_bytes,
                              const char *name,
                              int rate,
                              const HlProgress *progress,
                              GError **error);

HlAudio *hl_audio_ref (HlAudio *audio);
void hl_audio_unref (HlAudio *audio);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlAudio, hl_audio_unref)

G_END_DECLS
