/* SPDX-License-Identifier: MIT
 * Training an autoencoder on attention maps, and running it over them. Thread: the
 * backend's. */
#pragma once

#include "analysis/hl-patterns.h"

G_BEGIN_DECLS

/** hl_pattern_is_held_out: maps of this input are not trained on. */
gboolean hl_pattern_is_held_out (int input, int n_inputs);

/**
 * hl_pattern_train:
 * @losses: of the epochs so far; one is added an epoch
 * @epochs: to go to; the order of maps in an epoch follows from @seed and its number
 * Returns: FALSE with @error; what was trained until then stays
 */
gboolean hl_pattern_train (HlAutoencoder *net,
                           const HlPatternMaps *maps,
                           int n_inputs,
                           GArray *losses,
                           int epochs,
                           guint32 seed,
                           HlPatternEpochFunc epoch_done,
                           gpointer epoch_data,
                           const HlProgress *progress,
                           GError **error);

/**
 * hl_pattern_run:
 * @latent: (N, 32); @mse: (N): of each map; @rebuilt: (nullable): (N, size)
 * Returns: FALSE with @error
 */
gboolean hl_pattern_run (const HlAutoencoder *net,
                         const HlPatternMaps *maps,
                         float *latent,
                         float *mse,
                         float *rebuilt,
                         const HlProgress *progress,
                         GError **error);

G_END_DECLS
