/* SPDX-License-Identifier: MIT
 * bfloat16 on the processor; see cuda_runtime.h. */
#pragma once

#include <stdint.h>
#include <string.h>

struct __nv_bfloat16
{
  uint16_t bits;
};

static inline float
__bfloat162float (__nv_bfloat16 x)
{
  uint32_t bits = (uint32_t) x.bits << 16;
  float out;
  memcpy (&out, &bits, sizeof out);
  return out;
}

/* To nearest, ties to even; NaN stays NaN. */
static inline __nv_bfloat16
__float2bfloat16_rn (float x)
{
  uint32_t bits;
  memcpy (&bits, &x, sizeof bits);
  if (x != x)
    return { (uint16_t) ((bits >> 16) | 0x40) };
  return { (uint16_t) ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16) };
}
