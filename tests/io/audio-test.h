/* SPDX-License-Identifier: MIT
 * What the tests of recordings share: the fixtures of make-audio-fixtures.py, where
 * expected.json says what lies where in expected.bin, and WAV files of any header. */
#pragma once

#include "io-test.h"
#include "io/hl-audio.h"
#include "io/hl-json.h"

typedef struct
{
  json_t *index;
  char *blob;
  gsize blob_size;
} AudioFixtures;

/** audio_fixture_path: (transfer full) */
static inline char *
audio_fixture_path (const char *name)
{
  return g_test_build_filename (G_TEST_DIST, "io", "audio", name, NULL);
}

static inline void
audio_fixtures_open (AudioFixtures *fixtures)
{
  GError *error = NULL;
  g_autofree char *json = audio_fixture_path ("expected.json");
  g_autofree char *blob = audio_fixture_path ("expected.bin");
  fixtures->index = hl_json_load_file (json, &error);
  g_assert_no_error (error);
  g_file_get_contents (blob, &fixtures->blob, &fixtures->blob_size, &error);
  g_assert_no_error (error);
}

static inline void
audio_fixtures_close (AudioFixtures *fixtures)
{
  json_decref (fixtures->index);
  g_free (fixtures->blob);
}

static inline gint64
audio_fixture_int (const json_t *item, const char *field)
{
  const json_t *value = json_object_get (item, field);
  g_assert_true (json_is_integer (value));
  return json_integer_value (value);
}

static inline const char *
audio_fixture_text (const json_t *item, const char *field)
{
  const char *text = json_string_value (json_object_get (item, field));
  g_assert_nonnull (text);
  return text;
}

/** audio_fixture_values: @n float32 from the item's offset. */
static inline const float *
audio_fixture_values (const AudioFixtures *fixtures, const json_t *item, gsize n)
{
  gsize offset = (gsize) audio_fixture_int (item, "offset");
  g_assert_cmpuint (offset + n * sizeof (float), <=, fixtures->blob_size);
  return (const float *) (gpointer) (fixtures->blob + offset);
}

/** audio_fixture_open: (transfer full): a recording of the fixtures. */
static inline HlAudio *
audio_fixture_open (const char *name, int rate)
{
  GError *error = NULL;
  g_autofree char *path = audio_fixture_path (name);
  HlAudio *audio = hl_audio_open (path, rate, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (audio);
  return audio;
}

/**
 * TestWav: the fields of a WAV's header, which may be at odds with what follows.
 * @tag: 1 integers, 3 floats
 * @data_bytes: what the header says of the samples
 */
typedef struct
{
  guint16 tag;
  guint16 n_channels;
  guint32 rate;
  guint16 bits;
  guint32 data_bytes;
} TestWav;

static inline void
test_wav_number (GByteArray *out, guint32 value, guint n_bytes)
{
  guint32 le = GUINT32_TO_LE (value);
  g_byte_array_append (out, (const guint8 *) &le, n_bytes);
}

/** test_wav_new: (transfer full): the header and @size bytes of samples. */
static inline GByteArray *
test_wav_new (const TestWav *wav, gconstpointer samples, gsize size)
{
  GByteArray *out = g_byte_array_new ();
  guint frame = wav->n_channels * wav->bits / 8u;
  g_byte_array_append (out, (const guint8 *) "RIFF", 4);
  test_wav_number (out, wav->data_bytes + 36, 4);
  g_byte_array_append (out, (const guint8 *) "WAVEfmt ", 8);
  test_wav_number (out, 16, 4);
  test_wav_number (out, wav->tag, 2);
  test_wav_number (out, wav->n_channels, 2);
  test_wav_number (out, wav->rate, 4);
  test_wav_number (out, wav->rate * frame, 4);
  test_wav_number (out, frame, 2);
  test_wav_number (out, wav->bits, 2);
  g_byte_array_append (out, (const guint8 *) "data", 4);
  test_wav_number (out, wav->data_bytes, 4);
  g_byte_array_append (out, samples, (guint) size);
  return out;
}
