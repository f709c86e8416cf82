/* SPDX-License-Identifier: MIT
 * Means with intervals, ranks and their agreement. */
#include "analysis/hl-statistics.h"

#include <math.h>
#include <string.h>

static int
ascending (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* (transfer full): what is there, in order. */
static double *
sorted (const double *x, gsize n, gsize stride, gsize *n_found)
{
  double *out = g_new (double, n + 1);
  gsize k = 0;
  for (gsize i = 0; i < n; i++)
    if (!isnan (x[i * stride]))
      out[k++] = x[i * stride];
  qsort (out, k, sizeof (double), ascending);
  *n_found = k;
  return out;
}

static double
quantile_of_sorted (const double *x, gsize n, double q)
{
  if (n == 0)
    return NAN;
  double at = CLAMP (q, 0, 1) * (double) (n - 1);
  gsize i = (gsize) at;
  if (i + 1 >= n)
    return x[n - 1];
  return x[i] + (at - (double) i) * (x[i + 1] - x[i]);
}

double
hl_quantile (const double *x, gsize n, double q)
{
  gsize k;
  g_autofree double *y = sorted (x, n, 1, &k);
  return quantile_of_sorted (y, k, q);
}

double
hl_percentile_of (const double *x, gsize n, gsize stride, double value)
{
  gsize there = 0;
  double below = 0;
  for (gsize i = 0; i < n; i++)
    {
      double y = x[i * stride];
      if (isnan (y))
        continue;
      there++;
      below += y < value ? 1 : y > value ? 0 : 0.5;
    }
  return there > 0 && !isnan (value) ? below / (double) there : NAN;
}

static void
interval_of (HlInterval *interval, double *draws)
{
  gsize k;
  g_autofree double *y = sorted (draws, HL_BOOTSTRAP_DRAWS, 1, &k);
  interval->low = quantile_of_sorted (y, k, 0.025);
  interval->high = quantile_of_sorted (y, k, 0.975);
}

HlInterval
hl_bootstrap_mean (const double *x, gsize n, gsize stride, guint32 seed)
{
  HlInterval found = { NAN, NAN, NAN, 0 };
  double sum = 0;
  for (gsize i = 0; i < n; i++)
    if (!isnan (x[i * stride]))
      {
        sum += x[i * stride];
        found.n++;
      }
  if (found.n == 0)
    return found;
  found.mean = found.low = found.high = sum / found.n;
  if (found.n == 1)
    return found;
  g_autofree double *draws = g_new (double, HL_BOOTSTRAP_DRAWS);
  GRand *rand = g_rand_new_with_seed (seed);
  for (int d = 0; d < HL_BOOTSTRAP_DRAWS; d++)
    {
      double total = 0;
      gsize there = 0;
      for (gsize i = 0; i < n; i++)
        {
          double y = x[(gsize) g_rand_int_range (rand, 0, (gint32) n) * stride];
          total += isnan (y) ? 0 : y;
          there += !isnan (y);
        }
      draws[d] = there > 0 ? total / (double) there : NAN;
    }
  g_rand_free (rand);
  interval_of (&found, draws);
  return found;
}

typedef struct
{
  double value;
  gsize at;
} Placed;

static int
by_value (gconstpointer a, gconstpointer b)
{
  return ascending (&((const Placed *) a)->value, &((const Placed *) b)->value);
}

HlInterval
hl_wilson (int n_right, int n)
{
  const double z = 1.959963984540054;
  if (n <= 0)
    return (HlInterval){ NAN, NAN, NAN, 0 };
  double p = (double) n_right / n, slack = z * z / n;
  double middle = (p + slack / 2) / (1 + slack);
  double half = z * sqrt (p * (1 - p) / n + slack / (4 * n)) / (1 + slack);
  return (HlInterval){ p, MAX (middle - half, 0), MIN (middle + half, 1), n };
}

/* More than so many are sorted by their digits, which takes a tenth of the time. */
#define DIGITS_FROM 4096
#define DIGIT_BITS 11
#define DIGITS ((64 + DIGIT_BITS - 1) / DIGIT_BITS)

/* Bits that are ordered as the numbers are. */
static guint64
key_of (double x)
{
  guint64 bits;
  x += 0.0; /* -0 is 0 */
  memcpy (&bits, &x, sizeof bits);
  return bits >> 63 != 0 ? ~bits : bits | (guint64) 1 << 63;
}

/* Least significant digit first; as many passes as there are digits. */
static void
sort_by_digits (Placed *order, gsize n)
{
  g_autofree Placed *other = g_new (Placed, n);
  Placed *from = order, *to = other;
  for (int d = 0; d < DIGITS; d++)
    {
      gsize begin[(1 << DIGIT_BITS) + 1] = { 0 };
      const guint64 mask = (1 << DIGIT_BITS) - 1;
      for (gsize i = 0; i < n; i++)
        begin[(key_of (from[i].value) >> (d * DIGIT_BITS) & mask) + 1]++;
      for (gsize k = 0; k <= mask; k++)
        begin[k + 1] += begin[k];
      for (gsize i = 0; i < n; i++)
        to[begin[key_of (from[i].value) >> (d * DIGIT_BITS) & mask]++] = from[i];
      Placed *swap = from;
      from = to;
      to = swap;
    }
  if (from != order)
    memcpy (order, from, n * sizeof (Placed));
}

double *
hl_ranks (const double *x, gsize n)
{
  g_autofree Placed *order = g_new (Placed, n + 1);
  double *ranks = g_new (double, n + 1);
  gsize k = 0;
  for (gsize i = 0; i < n; i++)
    {
      ranks[i] = NAN;
      if (!isnan (x[i]))
        order[k++] = (Placed){ x[i], i };
    }
  if (k < DIGITS_FROM)
    qsort (order, k, sizeof (Placed), by_value);
  else
    sort_by_digits (order, k);
  for (gsize i = 0; i < k;)
    {
      gsize end = i + 1;
      while (end < k && order[end].value == order[i].value)
        end++;
      for (gsize j = i; j < end; j++)
        ranks[order[j].at] = ((double) i + (double) end + 1) / 2;
      i = end;
    }
  return ranks;
}

double
hl_pearson (const double *x, const double *y, gsize n)
{
  double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
  gsize k = 0;
  for (gsize i = 0; i < n; i++)
    if (!isnan (x[i]) && !isnan (y[i]))
      {
        mx += x[i];
        my += y[i];
        k++;
      }
  if (k < 2)
    return NAN;
  mx /= (double) k;
  my /= (double) k;
  for (gsize i = 0; i < n; i++)
    if (!isnan (x[i]) && !isnan (y[i]))
      {
        xx += (x[i] - mx) * (x[i] - mx);
        yy += (y[i] - my) * (y[i] - my);
        xy += (x[i] - mx) * (y[i] - my);
      }
  return xx > 0 && yy > 0 ? xy / sqrt (xx * yy) : NAN;
}

/* Ranks only of what is there on both sides. */
static double
spearman (const double *x, const double *y, gsize n)
{
  g_autofree double *rx = hl_ranks (x, n), *ry = hl_ranks (y, n);
  return hl_pearson (rx, ry, n);
}

HlInterval
hl_spearman (const double *x, const double *y, gsize n, guint32 seed)
{
  g_autofree double *a = g_new (double, n + 1), *b = g_new (double, n + 1);
  g_autofree double *p = g_new (double, n + 1), *q = g_new (double, n + 1);
  gsize k = 0;
  for (gsize i = 0; i < n; i++)
    if (!isnan (x[i]) && !isnan (y[i]))
      {
        a[k] = x[i];
        b[k++] = y[i];
      }
  HlInterval found = { spearman (a, b, k), NAN, NAN, (int) k };
  if (isnan (found.mean))
    return found;
  g_autofree double *draws = g_new (double, HL_BOOTSTRAP_DRAWS);
  GRand *rand = g_rand_new_with_seed (seed);
  for (int d = 0; d < HL_BOOTSTRAP_DRAWS; d++)
    {
      for (gsize i = 0; i < k; i++)
        {
          gsize at = (gsize) g_rand_int_range (rand, 0, (gint32) k);
          p[i] = a[at];
          q[i] = b[at];
        }
      draws[d] = spearman (p, q, k);
    }
  g_rand_free (rand);
  interval_of (&found, draws);
  return found;
}

void
hl_z_score_rows (double *x, gint64 n, gint64 m)
{
  for (gint64 i = 0; i < n; i++, x += m)
    {
      double sum = 0, squares = 0;
      gint64 there = 0;
      for (gint64 j = 0; j < m; j++)
        if (!isnan (x[j]))
          {
            sum += x[j];
            there++;
          }
      double mean = sum / (double) MAX (there, 1);
      for (gint64 j = 0; j < m; j++)
        if (!isnan (x[j]))
          squares += (x[j] - mean) * (x[j] - mean);
      double deviation = sqrt (squares / (double) MAX (there, 1));
      for (gint64 j = 0; j < m; j++)
        if (!isnan (x[j]))
          x[j] = deviation > 0 ? (x[j] - mean) / deviation : NAN;
    }
}
