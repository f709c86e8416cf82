/* SPDX-License-Identifier: MIT
 * Numbers of a call in double, read and compared one by one. */
#pragma once

#include "ops/hl-op.h"

#include <math.h>

static inline double
at4 (const HlTensor *t, gint64 a, gint64 b, gint64 c, gint64 d)
{
  const gint64 *s = t->stride;
  a = t->shape.dim[0] == 1 ? 0 : a;
  return ((const double *) t->data)[a * s[0] + b * s[1] + c * s[2] + d * s[3]];
}

static inline void
near (double found, double expected)
{
  if (isinf (expected))
    g_assert_true (found == expected);
  else
    g_assert_cmpfloat_with_epsilon (found, expected, 1e-10 * (1 + fabs (expected)));
}
