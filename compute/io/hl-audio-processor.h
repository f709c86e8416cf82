/* SPDX-License-Identifier: MIT
 * From a recording to a model's input, as the preprocessor_config.json beside a Whisper
 * model says: windows of 30 s, each as log-mel features. Immutable; atomic reference
 * count. */
#pragma once

#include "io/hl-audio.h"
#include "io/hl-log-mel.h"

G_BEGIN_DECLS

/**
 * HlAudioProcessor: fields are for reading only. In brackets Whisper's, which stand in
 * where the file is silent.
 * @n_mels: feature_size (80)
 * @rate: sampling_rate, in Hz (16000): recordings are opened with it
 * @hop: hop_length: samples from one frame to the next (160)
 * @n_fft: samples of a frame (400)
 * @window_s: chunk_length, in seconds (30)
 * @n_window_samples: @window_s times @rate
 * @n_frames: of a window: @n_window_samples / @hop, cut
 * @frame_s: from one frame to the next, in seconds: 0.01
 * @padding: padding_value: what follows a recording to the end of its window (0)
 */
typedef struct
{
  gatomicrefcount refs;
  int n_mels;
  int rate;
  int hop;
  int n_fft;
  int window_s;
  gint64 n_window_samples;
  gint64 n_frames;
  double frame_s;
  float padding;
  HlLogMel *log_mel;
} HlAudioProcessor;

/**
 * hl_audio_processor_open:
 * @folder: a model's folder; it may lack a preprocessor_config.json
 * What follows from the other fields (n_samples, nb_max_frames, mel_filters) may be in
 * the file and has to agree with them. Thread: any. Returns: (transfer full): NULL with
 * @error: FORMAT, RANGE, IO; UNSUPPORTED another kind of features, noise (dither),
 * padding on the left
 */
HlAudioProcessor *hl_audio_processor_open (const char *folder, GError **error);

/** hl_audio_processor_new_default: (transfer full): Whisper's, with 80 mels. */
HlAudioProcessor *hl_audio_processor_new_default (void);

HlAudioProcessor *hl_audio_processor_ref (HlAudioProcessor *processor);
void hl_audio_processor_unref (HlAudioProcessor *processor);

/** hl_audio_processor_count_windows: of @audio, the last one of which may be in part
 * padding. */
gint64 hl_audio_processor_count_windows (const HlAudioProcessor *processor,
                                         const HlAudio *audio);

/**
 * hl_audio_processor_run:
 * @window: covers seconds @window_s times @window to @window_s times (@window + 1)
 * @features: (out) (transfer full): (1, n_mels, n_frames) float32. Nothing outside the
 *   window has a part in it; the floor follows from the loudest within.
 * @n_real_frames: (out) (optional): those that begin within the recording; padding after
 * Frame t of a window is centred on second @window_s * @window + t * @frame_s.
 * Thread: any; runs on several.
 * Returns: FALSE with @error: RANGE @audio has another rate, or no such window; MEMORY
 */
gboolean hl_audio_processor_run (const HlAudioProcessor *processor,
                                 const HlAudio *audio,
                                 gint64 window,
                                 HlTensor **features,
                                 gint64 *n_real_frames,
                                 GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlAudioProcessor, hl_audio_processor_unref)

G_END_DECLS
