/* SPDX-License-Identifier: MIT
 * Half precision to float32 and back. */
#include "tensor/hl-half.h"

#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>

#define EIGHT 8

/* Both return how many they did: a multiple of eight. */
__attribute__ ((target ("avx,f16c"))) static gsize
widen_eights (const char *source, gsize n, float *out)
{
  gsize i = 0;
  for (; i + EIGHT <= n; i += EIGHT)
    {
      __m128i half = _mm_loadu_si128 ((const __m128i *) (source + i * sizeof (guint16)));
      _mm256_storeu_ps (out + i, _mm256_cvtph_ps (half));
    }
  return i;
}

__attribute__ ((target ("avx,f16c"))) static gsize
narrow_eights (const float *source, gsize n, guint16 *out)
{
  gsize i = 0;
  for (; i + EIGHT <= n; i += EIGHT)
    {
      __m128i half =
          _mm256_cvtps_ph (_mm256_loadu_ps (source + i), _MM_FROUND_TO_NEAREST_INT);
      _mm_storeu_si128 ((__m128i *) (out + i), half);
    }
  return i;
}

static gboolean
has_eights (void)
{
  return __builtin_cpu_supports ("avx") && __builtin_cpu_supports ("f16c");
}

#else

static gsize
widen_eights (const char *source, gsize n, float *out)
{
  return 0;
}

static gsize
narrow_eights (const float *source, gsize n, guint16 *out)
{
  return 0;
}

static gboolean
has_eights (void)
{
  return FALSE;
}

#endif

void
hl_half_to_f32 (gconstpointer source, gsize n, float *out)
{
  for (gsize i = has_eights () ? widen_eights (source, n, out) : 0; i < n; i++)
    {
      _Float16 half;
      memcpy (&half, (const char *) source + i * sizeof half, sizeof half);
      out[i] = (float) half;
    }
}

void
hl_half_from_f32 (const float *source, gsize n, guint16 *out)
{
  for (gsize i = has_eights () ? narrow_eights (source, n, out) : 0; i < n; i++)
    {
      _Float16 half = (_Float16) source[i];
      memcpy (&out[i], &half, sizeof half);
    }
}
