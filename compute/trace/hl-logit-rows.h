/* SPDX-License-Identifier: MIT
 * Sums over one row of logits. Compiled as the kernels are: a text of 4,096 tokens has
 * 206 million of them. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** hl_logits_max: -INFINITY of none; NaN is passed over. */
float hl_logits_max (const float *logits, gint64 n);

/** hl_logits_rank: how many of them are larger than @value. */
gint64 hl_logits_rank (const float *logits, gint64 n, float value);

/** hl_logits_mean: sum of @probs times @logits; one of probability 0 counts nothing,
 * though it may be infinite. */
double hl_logits_mean (const float *logits, const float *probs, gint64 n);

/** hl_logits_sum_exp: sum of exp (logit - @max), in double. */
double hl_logits_sum_exp (const float *logits, gint64 n, double max);

G_END_DECLS
