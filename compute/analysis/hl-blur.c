/* SPDX-License-Identifier: MIT
 * A Gaussian blur. */
#include "analysis/hl-blur.h"

#include <math.h>

/* Of one row or column of @n numbers, @step apart. */
static void
blur_line (const float *from, float *to, gint64 n, gint64 step, double sigma)
{
  gint64 reach = (gint64) ceil (3 * sigma);
  for (gint64 i = 0; i < n; i++)
    {
      double sum = 0, weights = 0;
      for (gint64 j = MAX (0, i - reach); j <= MIN (n - 1, i + reach); j++)
        {
          double weight = exp (-0.5 * (double) ((i - j) * (i - j)) / (sigma * sigma));
          sum += weight * (double) from[j * step];
          weights += weight;
        }
      to[i * step] = (float) (sum / weights);
    }
}

void
hl_blur (float *channel, gint64 height, gint64 width, double sigma)
{
  if (sigma <= 0)
    return;
  g_autofree float *half = g_new (float, (gsize) (height * width) + 1);
  for (gint64 y = 0; y < height; y++)
    blur_line (channel + y * width, half + y * width, width, 1, sigma);
  for (gint64 x = 0; x < width; x++)
    blur_line (half + x, channel + x, height, width, sigma);
}
