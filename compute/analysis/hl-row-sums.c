/* SPDX-License-Identifier: MIT
 * Sums over one row of a map. */
#include "config.h"

#include "analysis/hl-row-sums.h"

#include <math.h>

#if HL_HAVE_VECTOR_MATH
/* The C library declares its vector form only under -ffast-math; see cpu-kernels.h. */
__attribute__ ((simd ("notinbranch"))) extern double log (double);
#endif

double
hl_row_entropy (const float *row, gint64 n)
{
  double h = 0;
#pragma omp simd reduction(- : h)
  for (gint64 j = 0; j < n; j++)
    {
      double p = (double) row[j];
      h -= p * log (p > 1e-300 ? p : 1e-300);
    }
  return h;
}

float
hl_row_max (const float *row, gint64 n)
{
  float max = -INFINITY;
#pragma omp simd reduction(max : max)
  for (gint64 j = 0; j < n; j++)
    max = row[j] > max ? row[j] : max;
  return max;
}

void
hl_row_distance (
    const float *row, gint64 n, gint64 first, gint64 query, double *mass, double *sum)
{
  double m = 0, s = 0, offset = (double) (first - query);
#pragma omp simd reduction(+ : m, s)
  for (gint64 j = 0; j < n; j++)
    {
      double p = (double) row[j];
      m += p;
      s += p * fabs (offset + (double) j);
    }
  *mass += m;
  *sum += s;
}
