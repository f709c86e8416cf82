/* SPDX-License-Identifier: MIT
 * How far rows of attention go on from key to key without going back. Thread: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** hl_monotonicity: the most of a row's weight, on average, that lies on one key and its
 * two neighbours, where the keys do not go back from row to row. @rows: (n, m); NaN
 * counts as nothing. Returns: NaN where there are none */
double hl_monotonicity (const double *rows, gsize n, gsize m);

G_END_DECLS
