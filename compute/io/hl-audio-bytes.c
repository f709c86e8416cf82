/* SPDX-License-Identifier: MIT
 * What is read off a recording's bytes without decoding them. */
#include "io/hl-audio-private.h"

#include <string.h>

/* An Ogg page has 27 bytes before its table of up to 255 pieces of up to 255 bytes. */
#define OGG_PAGE_MAX (27 + 255 + 255 * 255)

static guint32
read_le32 (const guint8 *p)
{
  return p[0] | (guint32) p[1] << 8 | (guint32) p[2] << 16 | (guint32) p[3] << 24;
}

static gboolean
starts_with (const guint8 *data, gsize size, gsize at, const char *text)
{
  gsize length = strlen (text);
  return size >= at + length && memcmp (data + at, text, length) == 0;
}

gboolean
hl_audio_is_recording (const guint8 *data, gsize size_bytes)
{
  static const char *const starts[] = {
    "RIFF", "RIFX", "RF64", "riff", "FORM",    ".snd",
    "dns.", "caff", "fLaC", "OggS", "NIST_1A", "ID3"
  };
  for (gsize i = 0; i < G_N_ELEMENTS (starts); i++)
    if (starts_with (data, size_bytes, 0, starts[i]))
      return TRUE;
  /* The eleven bits before each frame of an MP3. */
  return size_bytes >= 2 && data[0] == 0xff && (data[1] & 0xe0) == 0xe0;
}

const char *
hl_audio_describe_bytes (const guint8 *data, gsize size_bytes)
{
  gsize n_looked = MIN (size_bytes, 512);
  const char *end = NULL;
  if (size_bytes == 0)
    return "an empty file";
  if (starts_with (data, size_bytes, 4, "ftyp"))
    return "an MPEG-4 file (M4A, MP4), which has to be converted first";
  if (starts_with (data, size_bytes, 0, "\x1a\x45\xdf\xa3"))
    return "a Matroska or WebM file, which has to be converted first";
  /* Looking at a part may cut a character in two at the end. */
  if (memchr (data, '\0', n_looked) == NULL &&
      (g_utf8_validate ((const char *) data, (gssize) n_looked, &end) ||
       (n_looked == 512 && (const char *) data + n_looked - end < 4)))
    return "a text";
  return "something else";
}

gint64
hl_audio_promised_frames (const guint8 *data, gsize size_bytes)
{
  guint32 frame_bytes = 0;
  gsize at = 12;
  if (!starts_with (data, size_bytes, 0, "RIFF") ||
      !starts_with (data, size_bytes, 8, "WAVE"))
    return -1;
  while (at <= size_bytes && size_bytes - at >= 8)
    {
      guint32 chunk = read_le32 (data + at + 4);
      gsize after = size_bytes - at - 8;
      if (starts_with (data, size_bytes, at, "fmt ") && after >= 16)
        frame_bytes = data[at + 20] | (guint32) data[at + 21] << 8;
      if (starts_with (data, size_bytes, at, "data"))
        /* Writers to a pipe leave the size at nothing or at the most. */
        return frame_bytes > 0 && chunk > 0 && chunk < 0x7ffff000
                   ? (gint64) (chunk / frame_bytes)
                   : -1;
      at += MIN ((gsize) chunk + (chunk & 1), after) + 8;
    }
  return -1;
}

gboolean
hl_audio_lacks_end (const guint8 *data, gsize size_bytes)
{
  if (!starts_with (data, size_bytes, 0, "OggS"))
    return FALSE;
  gsize first = size_bytes > OGG_PAGE_MAX ? size_bytes - OGG_PAGE_MAX : 0;
  for (gsize at = size_bytes; at-- > first;)
    if (starts_with (data, size_bytes, at, "OggS") && size_bytes - at > 5)
      return (data[at + 5] & 4) == 0;
  return TRUE;
}
