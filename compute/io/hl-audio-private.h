/* SPDX-License-Identifier: MIT
 * What is read off a recording's bytes without decoding them. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * hl_audio_is_recording:
 * libsndfile also knows formats that nobody records in; some of their readers print what
 * they find or take nearly anything for theirs. They do not get to see a file.
 * Returns: TRUE for bytes that begin as WAV, RF64, W64, AIFF, AU, CAF, FLAC, Ogg, NIST
 *   Sphere and MP3 do
 */
gboolean hl_audio_is_recording (const guint8 *data, gsize size_bytes);

/** hl_audio_describe_bytes: what a file that is no known recording seems to be, in words
 * for an error's "found". */
const char *hl_audio_describe_bytes (const guint8 *data, gsize size_bytes);

/**
 * hl_audio_promised_frames:
 * libsndfile takes a WAV for as long as its file is, so what the header said is looked up
 * here.
 * Returns: samples a channel by the size of a WAV's "data" chunk and its bytes a frame;
 * -1 for other files and for sizes that stand for "not known yet"
 */
gint64 hl_audio_promised_frames (const guint8 *data, gsize size_bytes);

/** hl_audio_lacks_end: an Ogg file whose last page is not marked as the last. */
gboolean hl_audio_lacks_end (const guint8 *data, gsize size_bytes);

G_END_DECLS
