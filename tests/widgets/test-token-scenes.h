/* SPDX-License-Identifier: MIT
 * Made-up texts as their tokens, for the tests and the bench; the same at every run. */
#pragma once

#include "scene/hl-token-scene.h"

/** test_tokens_new: (transfer full): words, a BOS first, generated ones from three
 * quarters on, a line break now and then. */
HlTokenScene *test_tokens_new (gint64 n);

/** test_tokens_odd_new: (transfer full): Chinese, an emoji of four pieces, right to left,
 * piled marks, control characters, a token of 5000 letters, specials, padding, ... */
HlTokenScene *test_tokens_odd_new (void);

/** test_tokens_weigh: weights near @query and at the first token, NaN after @query, which
 * gets selected. */
void test_tokens_weigh (HlTokenScene *scene, gint64 query);

/** test_tokens_bow: @n_heads heads, with some arcs from each query to the keys before it.
 */
void test_tokens_bow (HlTokenScene *scene, int n_heads, gint64 first, gint64 end);
