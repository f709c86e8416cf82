/* SPDX-License-Identifier: MIT
 * 30 s of sound: from its file to samples, from 44.1 to 16 kHz, and Whisper's log-mel
 * features of it; beside transformers' feature extractor where there is one.
 *   bench-audio [--peer SCRIPT] */
#include "config.h"

#include "bench.h"
#include "io/hl-audio-processor.h"

#include <math.h>
#include <string.h>

#define SECONDS 30
#define N_ROUNDS 11

/* Gliding tones and noise, as a WAV of 16 bits a sample. */
static char *
write_wav (const char *folder, int rate)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (8);
  gsize n = (gsize) rate * SECONDS, size = 44 + 2 * n;
  g_autofree guint8 *bytes = g_malloc (size);
  const guint32 header[] = {
    0x46464952, (guint32) size - 8, 0x45564157,     0x20746d66,
    16,         0x00010001,         (guint32) rate, (guint32) rate * 2,
    0x00100002, 0x61746164,         (guint32) n * 2
  };
  for (gsize i = 0; i < G_N_ELEMENTS (header); i++)
    {
      guint32 word = GUINT32_TO_LE (header[i]);
      memcpy (bytes + 4 * i, &word, sizeof word);
    }
  for (gsize i = 0; i < n; i++)
    {
      double t = (double) i / rate;
      double x = 0.5 * sin (2 * G_PI * (200 + 90 * t) * t) + 0.1 * g_rand_double (rand);
      guint16 sample = GUINT16_TO_LE ((guint16) (gint16) (x * 32767));
      memcpy (bytes + 44 + 2 * i, &sample, sizeof sample);
    }
  g_autofree char *name = g_strdup_printf ("%d.wav", rate);
  char *path = g_build_filename (folder, name, NULL);
  if (!g_file_set_contents (path, (const char *) bytes, (gssize) size, &error))
    bench_fail (error);
  return path;
}

static HlAudio *
open_audio (const char *path, const char *what)
{
  g_autoptr (GError) error = NULL;
  BenchSamples samples = { 0 };
  HlAudio *audio = NULL;
  for (int i = 0; i < N_ROUNDS; i++)
    {
      double start = bench_now_ms ();
      g_clear_pointer (&audio, hl_audio_unref);
      audio = hl_audio_open (path, 16000, NULL, &error);
      if (audio == NULL)
        bench_fail (error);
      bench_add (&samples, start);
    }
  bench_row (what, &samples, "%.0f times as fast as it sounds",
             SECONDS * 1e3 / bench_median (&samples));
  return audio;
}

static double
compute_features (const HlAudio *audio)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlAudioProcessor) processor = hl_audio_processor_new_default ();
  BenchSamples samples = { 0 };
  for (int i = 0; i < N_ROUNDS; i++)
    {
      g_autoptr (HlTensor) features = NULL;
      double start = bench_now_ms ();
      if (!hl_audio_processor_run (processor, audio, 0, &features, NULL, &error))
        bench_fail (error);
      bench_add (&samples, start);
    }
  bench_row ("log-mel features, 80 x 3000", &samples, "%.0f frames/ms",
             (double) processor->n_frames / bench_median (&samples));
  return bench_median (&samples);
}

int
main (int argc, char **argv)
{
  char *folder = bench_folder_new ();
  const char *script = argc > 2 && g_str_equal (argv[1], "--peer") ? argv[2] : NULL;
  bench_title ("== audio: %d s ==", SECONDS);
  g_autofree char *path = write_wav (folder, 16000);
  g_autofree char *fine_path = write_wav (folder, 44100);
  g_autoptr (HlAudio) audio = open_audio (path, "read WAV of 16 kHz");
  g_autoptr (HlAudio) fine = open_audio (fine_path, "read WAV of 44.1 kHz, to 16 kHz");
  double ms = compute_features (audio);
  if (script != NULL)
    {
      const char *arguments[] = { path, NULL };
      BenchPeer peer;
      bench_peer_run (&peer, script, arguments);
      if (peer.median_ms > 0)
        bench_say ("transformers", "%s: %.1f times our time", peer.line,
                   peer.median_ms / ms);
      else
        bench_say ("transformers", "%s", peer.line);
      bench_peer_clear (&peer);
    }
  bench_folder_free (folder);
  return 0;
}
