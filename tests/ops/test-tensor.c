/* SPDX-License-Identifier: MIT
 * Views and conversions of tensors, number by number. */
#include "tensor/hl-tensor.h"

#include <math.h>

/* A (2, 3, 4, 5) tensor whose numbers are their places. */
static HlTensor *
counted (void)
{
  float numbers[120];
  for (int i = 0; i < 120; i++)
    numbers[i] = (float) i;
  return hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (2, 3, 4, 5), numbers);
}

/* Every order of the four dimensions, and one of them backwards. */
static void
test_strided (void)
{
  static const gint64 stride[] = { 60, 20, 5, 1 }, dim[] = { 2, 3, 4, 5 };
  g_autoptr (HlTensor) all = counted ();
  for (int order = 0; order < 256; order++)
    {
      int d[4] = { order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6 & 3 };
      if ((1 << d[0] | 1 << d[1] | 1 << d[2] | 1 << d[3]) != 15)
        continue;
      gint64 s[4], offset = (dim[d[1]] - 1) * stride[d[1]];
      for (int i = 0; i < 4; i++)
        s[i] = i == 1 ? -stride[d[i]] : stride[d[i]];
      g_autoptr (HlTensor) view = hl_tensor_view (
          all, offset, HL_SHAPE (dim[d[0]], dim[d[1]], dim[d[2]], dim[d[3]]), s);
      g_autoptr (HlTensor) wide = hl_tensor_convert (view, HL_DTYPE_F64, NULL);
      g_autoptr (HlTensor) same = hl_tensor_convert (view, HL_DTYPE_F32, NULL);
      const double *found = wide->data;
      const float *copied = same->data;
      for (gint64 a = 0; a < dim[d[0]]; a++)
        for (gint64 b = 0; b < dim[d[1]]; b++)
          for (gint64 c = 0; c < dim[d[2]]; c++)
            for (gint64 e = 0; e < dim[d[3]]; e++, found++, copied++)
              {
                double expected =
                    (double) (offset + a * s[0] + b * s[1] + c * s[2] + e * s[3]);
                g_assert_cmpfloat (*found, ==, expected);
                g_assert_cmpfloat (*copied, ==, expected);
              }
    }
}

/* Each of the 65,536 halves and bfloat16s, by their definition. */
static void
test_half_precision (void)
{
  g_autofree guint16 *bits = g_new (guint16, 65536);
  for (int i = 0; i < 65536; i++)
    bits[i] = (guint16) i;
  g_autofree float *half = g_new (float, 65536), *brain = g_new (float, 65536);
  hl_dtype_to_f32 (HL_DTYPE_F16, bits, 65536, half);
  hl_dtype_to_f32 (HL_DTYPE_BF16, bits, 65536, brain);
  for (int i = 0; i < 65536; i++)
    {
      int sign = i >> 15 ? -1 : 1;
      int e16 = i >> 10 & 31, m16 = i & 1023, e8 = i >> 7 & 255, m8 = i & 127;
      if (e16 == 31)
        g_assert_true (m16 != 0 ? isnan (half[i]) : half[i] == sign * INFINITY);
      else
        g_assert_cmpfloat (half[i], ==,
                           sign * ldexp (m16 + (e16 > 0 ? 1024 : 0), MAX (e16, 1) - 25));
      if (e8 == 255)
        g_assert_true (m8 != 0 ? isnan (brain[i]) : brain[i] == sign * INFINITY);
      else
        g_assert_cmpfloat (brain[i], ==,
                           sign * ldexp (m8 + (e8 > 0 ? 128 : 0), MAX (e8, 1) - 134));
    }
  /* And back: what is a half comes back as the same bits. */
  g_autofree guint16 *back = g_new (guint16, 65536);
  hl_dtype_f32_to_f16 (half, 65536, back);
  for (int i = 0; i < 65536; i++)
    if (!isnan (half[i]))
      g_assert_cmpuint (back[i], ==, i);
  /* Rounded to the nearest, ties to even. */
  const float between[] = { 2049, 2051, 2049.5F, 65519, 65520, 0x1p-25F, 0x1.8p-25F };
  const guint16 rounded[] = { 0x6800, 0x6802, 0x6801, 0x7bff, 0x7c00, 0, 1 };
  hl_dtype_f32_to_f16 (between, G_N_ELEMENTS (between), back);
  for (guint i = 0; i < G_N_ELEMENTS (between); i++)
    g_assert_cmpuint (back[i], ==, rounded[i]);
}

/* A few numbers are converted one by one, many eight at a time: the same bits, wherever
 * the row begins, and nothing is written past its end. */
static void
test_half_eights (void)
{
  enum
  {
    N = 4099
  };
  g_autoptr (GRand) rand = g_rand_new_with_seed (16);
  g_autofree float *many = g_new (float, N), *wide = g_new (float, N + 1);
  g_autofree guint16 *half = g_new (guint16, N + 1);
  for (int i = 0; i < N; i++)
    many[i] = (float) ldexp (g_rand_double_range (rand, -1, 1),
                             g_rand_int_range (rand, -28, 18));
  for (gsize start = 0; start < 3; start++)
    {
      gsize n = N - start;
      half[n] = 0x1234;
      wide[n] = 5;
      hl_dtype_f32_to_f16 (many + start, n, half);
      hl_dtype_to_f32 (HL_DTYPE_F16, half, n, wide);
      g_assert_cmpuint (half[n], ==, 0x1234);
      g_assert_cmpfloat (wide[n], ==, 5);
      for (gsize i = 0; i < n; i++)
        {
          guint16 one;
          float back;
          hl_dtype_f32_to_f16 (many + start + i, 1, &one);
          hl_dtype_to_f32 (HL_DTYPE_F16, &one, 1, &back);
          g_assert_cmpuint (half[i], ==, one);
          g_assert_cmpfloat (wide[i], ==, back);
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tensor/strided", test_strided);
  g_test_add_func ("/tensor/half-precision", test_half_precision);
  g_test_add_func ("/tensor/half-eights", test_half_eights);
  return g_test_run ();
}
