/* SPDX-License-Identifier: MIT
 * What one row of logits says, in double. Thread: any. */
#pragma once

#include "tensor/hl-tensor.h"

G_BEGIN_DECLS

/** hl_log_softmax: @out (@n) = ln softmax of @logits. */
void hl_log_softmax (const double *logits, double *out, gint64 n);

/** hl_largest: index of the largest of @n numbers, the first such; -1 for none. */
int hl_largest (const double *x, gint64 n);

/** hl_jensen_shannon: of two distributions given by their logarithms, nats, 0 to ln 2. */
double hl_jensen_shannon (const double *log_p, const double *log_q, gint64 n);

/** hl_cosine_distance: 1 - cos of two vectors; NaN where one is zero. */
double hl_cosine_distance (const double *a, const double *b, gint64 n);

/** hl_relative_shift: |a - b| / |a|; NaN where a is zero. */
double hl_relative_shift (const double *a, const double *b, gint64 n);

G_END_DECLS
