/* SPDX-License-Identifier: MIT
 * Means with intervals, ranks and their agreement. NaN among the numbers is "not there"
 * and left out. Thread: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** HlInterval: @mean over @n numbers, with a 95 % interval; NaN where n is 0. */
typedef struct
{
  double mean;
  double low;
  double high;
  int n;
} HlInterval;

/** HL_BOOTSTRAP_DRAWS: resamples behind an interval. */
#define HL_BOOTSTRAP_DRAWS 1000

/**
 * hl_bootstrap_mean:
 * @x: @n numbers, @stride apart
 * @seed: of the resamples: equal seeds draw equally, so that heads are compared on the
 *   same resamples
 * The percentile interval (Efron 1979): 2.5 % and 97.5 % quantile of the means of
 * HL_BOOTSTRAP_DRAWS resamples. Of one number it is that number.
 */
HlInterval hl_bootstrap_mean (const double *x, gsize n, gsize stride, guint32 seed);

/** hl_wilson: @n_right of @n: their share, with Wilson's 95 % interval (1927), which has
 * a width at 0 and 1 too. */
HlInterval hl_wilson (int n_right, int n);

/** hl_ranks: (transfer full): 1 for the least; equal numbers share the mean of their
 * ranks. NaN gets NaN. */
double *hl_ranks (const double *x, gsize n);

/** hl_pearson: NaN where fewer than two pairs are there or one side is constant. */
double hl_pearson (const double *x, const double *y, gsize n);

/**
 * hl_spearman:
 * The correlation of ranks, with a bootstrap interval over pairs.
 */
HlInterval hl_spearman (const double *x, const double *y, gsize n, guint32 seed);

/** hl_quantile: of the numbers that are there, linear between neighbours; @q 0..1. */
double hl_quantile (const double *x, gsize n, double q);

/** hl_percentile_of: share of the numbers that are below @value, equal ones half; 0..1;
 * NaN where there are none. */
double hl_percentile_of (const double *x, gsize n, gsize stride, double value);

/** hl_z_score_rows: each of the @n rows of @m numbers less its mean, by its deviation (of
 * n), over what is there; a row of equal numbers becomes NaN. */
void hl_z_score_rows (double *x, gint64 n, gint64 m);

G_END_DECLS
