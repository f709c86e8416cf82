/* SPDX-License-Identifier: MIT
 * Which heads copy: whether a head, looking at a token, makes that token likelier. Of the
 * circuit from embedding through values and output to the unembedding (V, V) the score is
 * the sum of its eigenvalues over the sum of their sizes (Elhage et al. 2021), -1 to 1: 1
 * where every token raises itself, -1 where every token lowers itself. */
#pragma once

#include "analysis/hl-head-scores.h"
#include "model/hl-ov.h"

G_BEGIN_DECLS

/**
 * hl_copying_score:
 * @scores: HL_SCORE_COPYING of its latest input is set, of heads that have the circuit
 * Of weights alone, no input. The (V, V) matrix is of rank K: its eigenvalues but for
 * zeros are those of a (K, K) one, which is made.
 * Thread: the backend's. Returns: FALSE with @error
 */
gboolean hl_copying_score (HlHeadScores *scores,
                           const HlModel *model,
                           HlBackend *backend,
                           const HlProgress *progress,
                           GError **error);

/** hl_copying_of_eigenvalues: sum of @n eigenvalues of a real matrix @m (n, n), which is
 * overwritten, over the sum of their sizes; NaN where all are 0. */
double hl_copying_of_eigenvalues (double *m, int n);

G_END_DECLS
