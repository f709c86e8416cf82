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

/** hl_logits_probs: exp (logit - @lse) of each, in double. */
void hl_logits_probs (const float *logits, gint64 n, double lse, double *probs);

/** hl_logits_mean_difference: sum of @probs times (logit - other), in double; what has
 * probability 0 counts nothing. */
double hl_logits_mean_difference (const double *probs,
                                  const float *logits,
                                  const float *others,
                                  gint64 n);

G_END_DECLS
