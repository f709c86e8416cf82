/* SPDX-License-Identifier: MIT
 * How far rows of attention go on without going back. */
#include "analysis/hl-monotonicity.h"

#include <math.h>

static double
weight_at (const double *row, gsize m, gsize j)
{
  return j >= m || isnan (row[j]) ? 0 : row[j];
}

/* best[j] is that of the rows so far whose path ends at key j or before it. */
double
hl_monotonicity (const double *rows, gsize n, gsize m)
{
  g_autofree double *best = g_new0 (double, m + 1);
  if (n == 0 || m == 0)
    return NAN;
  for (gsize i = 0; i < n; i++)
    {
      const double *row = rows + i * m;
      double most = -INFINITY;
      for (gsize j = 0; j < m; j++)
        {
          double before = j > 0 ? weight_at (row, m, j - 1) : 0;
          most = fmax (most, best[j] + before + weight_at (row, m, j) +
                                 weight_at (row, m, j + 1));
          best[j] = most;
        }
    }
  return best[m - 1] / (double) n;
}
