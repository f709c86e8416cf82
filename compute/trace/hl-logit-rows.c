/* SPDX-License-Identifier: MIT
 * Sums over one row of logits. */
#include "config.h"

#include "trace/hl-logit-rows.h"

#include <math.h>

#if HL_HAVE_VECTOR_MATH
/* The C library declares its vector form only under -ffast-math; see cpu-kernels.h. */
__attribute__ ((simd ("notinbranch"))) extern double exp (double);
#endif

float
hl_logits_max (const float *logits, gint64 n)
{
  float max = -INFINITY;
#pragma omp simd reduction(max : max)
  for (gint64 i = 0; i < n; i++)
    max = logits[i] > max ? logits[i] : max;
  return max;
}

gint64
hl_logits_rank (const float *logits, gint64 n, float value)
{
  gint32 rank = 0; /* a vocabulary has fewer than 2^31 tokens */
#pragma omp simd reduction(+ : rank)
  for (gint64 i = 0; i < n; i++)
    rank += logits[i] > value;
  return rank;
}

double
hl_logits_mean (const float *logits, const float *probs, gint64 n)
{
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (gint64 i = 0; i < n; i++)
    {
      double p = (double) probs[i], s = (double) logits[i];
      sum += p > 0 ? p * s : 0;
    }
  return sum;
}

double
hl_logits_sum_exp (const float *logits, gint64 n, double max)
{
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (gint64 i = 0; i < n; i++)
    sum += exp ((double) logits[i] - max);
  return sum;
}

void
hl_logits_probs (const float *logits, gint64 n, double lse, double *probs)
{
#pragma omp simd
  for (gint64 i = 0; i < n; i++)
    probs[i] = exp ((double) logits[i] - lse);
}

double
hl_logits_mean_difference (const double *probs,
                           const float *logits,
                           const float *others,
                           gint64 n)
{
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (gint64 i = 0; i < n; i++)
    {
      double apart = (double) logits[i] - (double) others[i];
      sum += probs[i] > 0 ? probs[i] * apart : 0;
    }
  return sum;
}
