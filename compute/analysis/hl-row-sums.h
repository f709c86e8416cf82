/* SPDX-License-Identifier: MIT
 * What is summed and sought over one row of a map, written to be vectorised: a map of
 * 16,384 tokens has 134 million entries a head. Thread: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** hl_row_entropy: -sum p ln p of @n weights, nats, in double; zeros add nothing. */
double hl_row_entropy (const float *row, gint64 n);

/** hl_row_max: the largest of @n numbers; -inf for none. */
float hl_row_max (const float *row, gint64 n);

/** hl_row_distance: sum and sum of p[j] |query - (first + j)| over @n weights. */
void hl_row_distance (
    const float *row, gint64 n, gint64 first, gint64 query, double *mass, double *sum);

G_END_DECLS
