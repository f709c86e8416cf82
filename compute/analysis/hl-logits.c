/* SPDX-License-Identifier: MIT
 * What one row of logits says. */
#include "analysis/hl-logits.h"

#include <math.h>

void
hl_log_softmax (const double *logits, double *out, gint64 n)
{
  double most = -INFINITY, sum = 0;
  for (gint64 i = 0; i < n; i++)
    most = fmax (most, logits[i]);
  for (gint64 i = 0; i < n; i++)
    sum += exp (logits[i] - most);
  for (gint64 i = 0; i < n; i++)
    out[i] = logits[i] - most - log (sum);
}

int
hl_largest (const double *x, gint64 n)
{
  int at = n > 0 ? 0 : -1;
  for (gint64 i = 1; i < n; i++)
    if (x[i] > x[at])
      at = (int) i;
  return at;
}

/* Half of both divergences from their mean. */
double
hl_jensen_shannon (const double *log_p, const double *log_q, gint64 n)
{
  double sum = 0;
  for (gint64 i = 0; i < n; i++)
    {
      double p = exp (log_p[i]), q = exp (log_q[i]), log_m = log ((p + q) / 2);
      sum += p > 0 ? p * (log_p[i] - log_m) : 0;
      sum += q > 0 ? q * (log_q[i] - log_m) : 0;
    }
  return CLAMP (sum / 2, 0, G_LN2);
}

/* By the difference of the unit vectors: 1 - cos of nearly equal ones loses no digits. */
double
hl_cosine_distance (const double *a, const double *b, gint64 n)
{
  double aa = 0, bb = 0, sum = 0;
  for (gint64 i = 0; i < n; i++)
    {
      aa += a[i] * a[i];
      bb += b[i] * b[i];
    }
  if (!(aa > 0) || !(bb > 0))
    return NAN;
  double ra = 1 / sqrt (aa), rb = 1 / sqrt (bb);
  for (gint64 i = 0; i < n; i++)
    {
      double d = a[i] * ra - b[i] * rb;
      sum += d * d;
    }
  return sum / 2;
}

double
hl_relative_shift (const double *a, const double *b, gint64 n)
{
  double aa = 0, dd = 0;
  for (gint64 i = 0; i < n; i++)
    {
      aa += a[i] * a[i];
      dd += (a[i] - b[i]) * (a[i] - b[i]);
    }
  return aa > 0 ? sqrt (dd / aa) : NAN;
}
