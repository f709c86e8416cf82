/* SPDX-License-Identifier: MIT
 * Scenes made up for the tests of the painters; the same at every run. */
#pragma once

#include "scene/hl-scene.h"

/** test_matrix_new: (transfer full): CLS and a @rows x @columns grid of patches: a band
 * near the diagonal and a bright first column. @title (nullable). */
HlMatrixScene *test_matrix_new (int rows, int columns, const char *title);

/** test_words_new: (transfer full): a causal map of words; above the diagonal NaN. */
HlMatrixScene *test_words_new (void);

/** test_grid_new: (transfer full): maps of several kinds, one not known yet, one marked;
 * the last layer has one head less. */
HlGridScene *test_grid_new (int n_layers, int n_heads);

/** test_overlay_new: (transfer full): 28 x 20 picture, 7 x 5 patches. */
HlOverlayScene *test_overlay_new (void);
