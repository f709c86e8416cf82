/* SPDX-License-Identifier: MIT
 * Power spectra of frames of real numbers, in double. */
#include "io/hl-power-spectrum.h"

#include <math.h>

/* Of 2048 = 4^5 * 2. */
#define MAX_STEPS 12

typedef struct
{
  double re;
  double im;
} Complex;

/* @n_half: complex numbers that are transformed; @step: their factors, in the order in
 * which they are used; @turn: exp (-2 pi j i / n), n = 2 n_half of them */
struct _HlPowerSpectrum
{
  int n_half;
  int n_steps;
  int step[MAX_STEPS];
  Complex *turn;
};

HlPowerSpectrum *
hl_power_spectrum_new (int n)
{
  g_return_val_if_fail (n >= 2 && n <= HL_POWER_SPECTRUM_MAX && n % 2 == 0, NULL);
  HlPowerSpectrum *spectrum = g_new0 (HlPowerSpectrum, 1);
  spectrum->n_half = n / 2;
  int rest = n / 2, factor = 4;
  while (rest > 1)
    if (rest % factor == 0)
      {
        spectrum->step[spectrum->n_steps++] = factor;
        rest /= factor;
      }
    else
      factor = factor == 4 ? 2 : factor == 2 ? 3 : factor + 2;
  spectrum->turn = g_new (Complex, n);
  for (int i = 0; i < n; i++)
    spectrum->turn[i] = (Complex){ cos (2 * G_PI * i / n), -sin (2 * G_PI * i / n) };
  return spectrum;
}

void
hl_power_spectrum_free (HlPowerSpectrum *spectrum)
{
  if (spectrum == NULL)
    return;
  g_free (spectrum->turn);
  g_free (spectrum);
}

static inline Complex
add (Complex a, Complex b)
{
  return (Complex){ a.re + b.re, a.im + b.im };
}

static inline Complex
subtract (Complex a, Complex b)
{
  return (Complex){ a.re - b.re, a.im - b.im };
}

static inline Complex
multiply (Complex a, Complex b)
{
  return (Complex){ a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re };
}

/* One step of p: of the @length * @stride numbers of @in every @length / p * @stride-th
 * are transformed together. @unit: places of the table from one turn of a @length-th to
 * the next. */
typedef struct
{
  const Complex *turn;
  int unit;
  int length;
  int stride;
} Step;

/* exp (-2 pi j k / length), k in 0..length - 1 */
static inline Complex
turn_of (const Step *step, int k)
{
  return step->turn[k * step->unit];
}

static void
step_of_2 (const Step *step, const Complex *in, Complex *out)
{
  int m = step->length / 2, s = step->stride;
  for (int j = 0; j < m; j++)
    {
      Complex w = turn_of (step, j);
      for (int q = 0; q < s; q++)
        {
          Complex a = in[q + s * j], b = in[q + s * (j + m)];
          out[q + s * 2 * j] = add (a, b);
          out[q + s * (2 * j + 1)] = multiply (subtract (a, b), w);
        }
    }
}

static void
step_of_4 (const Step *step, const Complex *in, Complex *out)
{
  int m = step->length / 4, s = step->stride;
  for (int j = 0; j < m; j++)
    {
      Complex w1 = turn_of (step, j), w2 = turn_of (step, 2 * j);
      Complex w3 = turn_of (step, 3 * j);
      for (int q = 0; q < s; q++)
        {
          Complex a = in[q + s * j], b = in[q + s * (j + m)];
          Complex c = in[q + s * (j + 2 * m)], d = in[q + s * (j + 3 * m)];
          Complex even = add (a, c), odd = add (b, d);
          Complex even_difference = subtract (a, c), odd_difference = subtract (b, d);
          Complex turned = { odd_difference.im, -odd_difference.re }; /* by -j */
          out[q + s * 4 * j] = add (even, odd);
          out[q + s * (4 * j + 1)] = multiply (add (even_difference, turned), w1);
          out[q + s * (4 * j + 2)] = multiply (subtract (even, odd), w2);
          out[q + s * (4 * j + 3)] = multiply (subtract (even_difference, turned), w3);
        }
    }
}

/* An odd p: sums and differences of the r-th and the (p - r)-th have real factors. */
static void
step_of_odd (const Step *step, int p, const Complex *in, Complex *out)
{
  int m = step->length / p, s = step->stride;
  for (int j = 0; j < m; j++)
    for (int q = 0; q < s; q++)
      {
        const Complex *a = in + q + s * j;
        Complex total = a[0];
        for (int r = 1; r < p; r++)
          total = add (total, a[s * m * r]);
        out[q + s * p * j] = total;
        for (int k = 1; k <= p / 2; k++)
          {
            Complex even = a[0], odd = { 0, 0 };
            for (int r = 1, turn = k; r <= p / 2; r++)
              {
                Complex w = turn_of (step, turn * m);
                Complex low = a[s * m * r], high = a[s * m * (p - r)];
                even.re += w.re * (low.re + high.re);
                even.im += w.re * (low.im + high.im);
                odd.re -= w.im * (low.im - high.im);
                odd.im += w.im * (low.re - high.re);
                turn += turn + k < p ? k : k - p; /* r k without whole turns */
              }
            out[q + s * (p * j + k)] = multiply (add (even, odd), turn_of (step, j * k));
            out[q + s * (p * j + p - k)] =
                multiply (subtract (even, odd), turn_of (step, j * (p - k)));
          }
      }
}

void
hl_power_spectrum_run (const HlPowerSpectrum *spectrum,
                       const double *frame,
                       double *scratch,
                       double *power)
{
  int n_half = spectrum->n_half;
  const Complex *in = (const Complex *) frame;
  Complex *out = (Complex *) scratch;
  Step step = { spectrum->turn, 2, n_half, 1 };
  for (int i = 0; i < spectrum->n_steps; i++)
    {
      int p = spectrum->step[i];
      if (p == 2)
        step_of_2 (&step, in, out);
      else if (p == 4)
        step_of_4 (&step, in, out);
      else
        step_of_odd (&step, p, in, out);
      step.length /= p;
      step.unit *= p;
      step.stride *= p;
      in = out;
      out =
          out == (Complex *) scratch ? (Complex *) scratch + n_half : (Complex *) scratch;
    }
  for (int k = 0; k <= n_half; k++)
    {
      /* Numbers of even and of odd place were transformed as real and imaginary parts. */
      Complex z = in[k % n_half], mirrored = in[(n_half - k) % n_half];
      Complex even = { (z.re + mirrored.re) / 2, (z.im - mirrored.im) / 2 };
      Complex odd = { (z.im + mirrored.im) / 2, (mirrored.re - z.re) / 2 };
      Complex x = add (even, multiply (odd, spectrum->turn[k % (2 * n_half)]));
      power[k] = x.re * x.re + x.im * x.im;
    }
}
