/* SPDX-License-Identifier: MIT
 * A recording as a picture: its spectrogram, with what its frames get over it. Thread:
 * any one. */
#pragma once

#include "presenters/hl-present.h"

G_BEGIN_DECLS

/** HL_RECORDING_CELLS: at most so many cells lie side by side over a spectrogram; each is
 * of as many of the encoder's tokens as that takes. */
#define HL_RECORDING_CELLS 300

/** hl_present_has_recording: the keys of a stack are a recording whose spectrogram is in
 * the trace. */
gboolean hl_present_has_recording (const HlTrace *trace, int stack);

/**
 * hl_present_recording: low frequencies at the bottom, brighter the louder; what lies
 * behind the recording's end is dark.
 * @stack: whose keys it is
 * @weights: (nullable): one a key; a cell shows the largest of its own
 * @key: the chosen one, outlined; -1 for none
 * Returns: (transfer full): NULL where there is no recording
 */
HlOverlayScene *hl_present_recording (const HlTrace *trace,
                                      int stack,
                                      const float *weights,
                                      gint64 key,
                                      const HlViewOptions *options);

/** hl_present_recording_joined: keys in a cell, of a recording of @n_keys. */
gint64 hl_present_recording_joined (gint64 n_keys);

/** hl_present_recording_part: (transfer full): the first @n_keys, 1 or more, of a
 * recording that is there, without a caption; nothing is selected. @weights: (nullable)
 * (n_keys) */
HlOverlayScene *hl_present_recording_part (const HlTrace *trace,
                                           int stack,
                                           gint64 n_keys,
                                           const float *weights,
                                           const HlViewOptions *options);

/** hl_present_recording_key: of the keys in a cell of @scene the one with the largest of
 * @weights (nullable: the first); -1 outside. */
gint64 hl_present_recording_key (const HlTrace *trace,
                                 int stack,
                                 const float *weights,
                                 gint64 cell);

G_END_DECLS
