/* SPDX-License-Identifier: MIT
 * The instructions of cuda-mma.cuh in plain code. The layout of numbers over the lanes of
 * a warp is that of the PTX manual, sections "mma.m16n8k16" and "ldmatrix". */
#pragma once

template <typename T>
unsigned
pair_of (float low, float high)
{
  const T two[2] = { from_float<T> (low), from_float<T> (high) };
  unsigned bits;
  memcpy (&bits, two, sizeof bits);
  return bits;
}

static inline float
power_of_two (float x)
{
  return exp2f (x);
}

static inline const unsigned char *
emulated_row (const unsigned char *left, int i)
{
  const unsigned char *row;
  memcpy (&row, left + 64 * i, sizeof row);
  return row;
}

static inline void
load_matrices (unsigned out[4], const void *row)
{
  int lane = emulated_lane ();
  const unsigned char *left = emulated_warp_exchange (&row, sizeof row);
  for (int m = 0; m < 4; m++)
    memcpy (&out[m], emulated_row (left, 8 * m + lane / 4) + 4 * (lane % 4), 4);
  emulated_warp_done ();
}

static inline void
load_matrices_turned (unsigned out[4], const void *row)
{
  int lane = emulated_lane ();
  const unsigned char *left = emulated_warp_exchange (&row, sizeof row);
  for (int m = 0; m < 4; m++)
    for (int k = 0; k < 2; k++)
      memcpy ((unsigned char *) &out[m] + 2 * k,
              emulated_row (left, 8 * m + 2 * (lane % 4) + k) + 2 * (lane / 4), 2);
  emulated_warp_done ();
}

template <typename T>
float
emulated_half (const unsigned char *at, int reg, int half)
{
  T x;
  memcpy (&x, at + 4 * reg + 2 * half, sizeof x);
  return to_float (x);
}

template <typename T>
void
multiply_add (float c[4], const unsigned a[4], const unsigned b[2])
{
  unsigned mine[6] = { a[0], a[1], a[2], a[3], b[0], b[1] };
  int lane = emulated_lane ();
  const unsigned char *left = emulated_warp_exchange (mine, sizeof mine);
  for (int i = 0; i < 4; i++)
    {
      int row = lane / 4 + 8 * (i / 2), column = 2 * (lane % 4) + i % 2;
      for (int k = 0; k < 16; k++)
        {
          const unsigned char *of_a = left + 64 * (row % 8 * 4 + k % 8 / 2);
          const unsigned char *of_b = left + 64 * (column * 4 + k % 8 / 2);
          c[i] += emulated_half<T> (of_a, row / 8 + 2 * (k / 8), k % 2) *
                  emulated_half<T> (of_b, 4 + k / 8, k % 2);
        }
    }
  emulated_warp_done ();
}

static inline void
copy_later (void *to, const void *from, bool is_there)
{
  if ((size_t) to % 16 != 0 || (is_there && (size_t) from % 16 != 0))
    __builtin_trap ();
  if (is_there)
    memcpy (to, from, 16);
  else
    memset (to, 0, 16);
}

static inline void
end_copies (void)
{
}

template <int N>
void
wait_copies (void)
{
}
