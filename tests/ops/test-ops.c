/* SPDX-License-Identifier: MIT
 * Conformance of every op of the table: the float kernels against the same kernels in
 * double, on random odd shapes, one and two threads; the double ones against formulas
 * written out plainly here, which share no code with them. */
#include "backend/cpu/hl-cpu.h"
#include "base/hl-error.h"
#include "op-attention-checks.h"
#include "op-examples.h"
#include "op-grad-checks.h"
#include "op-numbers.h"
#include "ops/hl-exec.h"

#include <complex.h>
#include <math.h>

#define N_ROUNDS 60

static void
run_or_fail (HlBackend *backend, HlOpCall *call)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = hl_backend_run_op (backend, call, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
}

static void
compare (HlOp op, const HlTensor *found, const HlTensor *expected)
{
  const HlOpInfo *info = hl_op_get_info (op);
  const float *x = found->data;
  const double *y = expected->data;
  g_assert_true (hl_shape_equal (&found->shape, &expected->shape));
  for (gint64 i = 0; i < hl_tensor_count (expected); i++)
    {
      if (isinf (y[i]) && (double) x[i] == y[i])
        continue;
      double allowed = info->tolerance_abs + info->tolerance_rel * fabs (y[i]);
      double off = fabs ((double) x[i] - y[i]);
      if (!(off <= allowed))
        g_error ("%s: number %d: %.9g expected, %.9g found, off by %.2g, %.2g allowed",
                 info->name, (int) i, y[i], (double) x[i], off, allowed);
    }
}

static void
test_float_against_double (gconstpointer data)
{
  HlOp op = (HlOp) GPOINTER_TO_INT (data);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1000 + op);
  g_autoptr (HlBackend) reference = hl_cpu_backend_new (HL_DTYPE_F64, 1);
  for (int n_threads = 1; n_threads <= 3; n_threads += 2)
    {
      g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, n_threads);
      for (int round = 0; round < N_ROUNDS; round++)
        {
          HlOpCall rough = op_example_new (op, rand, 0);
          /* Both start from the same float32 numbers. */
          HlOpCall call = op_example_convert (&rough, HL_DTYPE_F32);
          HlOpCall exact = op_example_convert (&call, HL_DTYPE_F64);
          run_or_fail (backend, &call);
          run_or_fail (reference, &exact);
          for (int i = 0; i < hl_op_get_info (op)->n_out; i++)
            compare (op, call.out[i], exact.out[i]);
          op_example_clear (&rough);
          op_example_clear (&call);
          op_example_clear (&exact);
        }
    }
}

/* ---- plain formulas ------------------------------------------------------------------
 */

static void
check_linear (const HlOpCall *call)
{
  const HlTensor *x = call->in[0], *w = call->in[1];
  gboolean is_in_out = call->params.is_transposed;
  gint64 D = x->shape.dim[2], F = call->out[0]->shape.dim[2];
  gint64 M = hl_tensor_count (x) / D;
  const double *px = x->data, *pw = w->data, *py = call->out[0]->data;
  for (gint64 m = 0; m < M; m++)
    for (gint64 f = 0; f < F; f++)
      {
        double sum = call->in[2] != NULL ? ((double *) call->in[2]->data)[f] : 0;
        for (gint64 d = 0; d < D; d++)
          sum += px[m * D + d] * pw[is_in_out ? d * F + f : f * D + d];
        near (py[m * F + f], sum);
      }
}

static void
check_layer_norm (const HlOpCall *call)
{
  gint64 D = call->in[1]->shape.dim[0], M = hl_tensor_count (call->in[0]) / D;
  const double *g = call->in[1]->data, *b = call->in[2]->data;
  for (gint64 m = 0; m < M; m++)
    {
      const double *x = (double *) call->in[0]->data + m * D;
      const double *y = (double *) call->out[0]->data + m * D;
      double mean = 0, var = 0;
      for (gint64 d = 0; d < D; d++)
        mean += x[d] / (double) D;
      for (gint64 d = 0; d < D; d++)
        var += (x[d] - mean) * (x[d] - mean) / (double) D;
      for (gint64 d = 0; d < D; d++)
        near (y[d], (x[d] - mean) / sqrt (var + call->params.eps) * g[d] + b[d]);
    }
}

static void
check_rms_norm (const HlOpCall *call)
{
  gint64 D = call->in[1]->shape.dim[0], M = hl_tensor_count (call->in[0]) / D;
  const double *g = call->in[1]->data;
  for (gint64 m = 0; m < M; m++)
    {
      const double *x = (double *) call->in[0]->data + m * D;
      const double *y = (double *) call->out[0]->data + m * D;
      double mean = 0;
      for (gint64 d = 0; d < D; d++)
        mean += pow (x[d], 2) / (double) D;
      for (gint64 d = 0; d < D; d++)
        near (y[d], g[d] * x[d] / sqrt (mean + call->params.eps));
    }
}

/* As complex numbers: (a + ib) (c + is). */
static void
check_rope (const HlOpCall *call)
{
  const HlTensor *x = call->in[0], *y = call->out[0];
  const double *c = call->in[1]->data, *s = call->in[2]->data;
  gint64 half = call->in[1]->shape.dim[1], K = x->shape.dim[3];
  for (gint64 b = 0; b < x->shape.dim[0]; b++)
    for (gint64 t = 0; t < x->shape.dim[1]; t++)
      for (gint64 h = 0; h < x->shape.dim[2]; h++)
        {
          for (gint64 d = 2 * half; d < K; d++)
            near (at4 (y, b, t, h, d), at4 (x, b, t, h, d));
          for (gint64 i = 0; i < half; i++)
            {
              gint64 re = call->params.is_interleaved ? 2 * i : i;
              gint64 im = call->params.is_interleaved ? 2 * i + 1 : i + half;
              double _Complex turned =
                  (at4 (x, b, t, h, re) + 1.0i * at4 (x, b, t, h, im)) *
                  (c[t * half + i] + 1.0i * s[t * half + i]);
              near (at4 (y, b, t, h, re), creal (turned));
              near (at4 (y, b, t, h, im), cimag (turned));
            }
        }
}

static void
check_activation (const HlOpCall *call)
{
  const double *x = call->in[0]->data, *y = call->out[0]->data;
  for (gint64 i = 0; i < hl_tensor_count (call->in[0]); i++)
    switch (call->params.activation)
      {
      case HL_ACTIVATION_GELU:
        near (y[i], x[i] * 0.5 * erfc (-x[i] / sqrt (2)));
        break;
      case HL_ACTIVATION_GELU_TANH:
        near (y[i], 0.5 * x[i] *
                        (1 + tanh (sqrt (2 / G_PI) * (x[i] + 0.044715 * pow (x[i], 3)))));
        break;
      case HL_ACTIVATION_QUICK_GELU:
        near (y[i], x[i] * (1 / (1 + exp (-1.702 * x[i]))));
        break;
      case HL_ACTIVATION_RELU:
        near (y[i], MAX (x[i], 0));
        break;
      case HL_ACTIVATION_SILU:
        near (y[i], x[i] * (1 / (1 + exp (-x[i]))));
        break;
      case HL_ACTIVATION_TANH:
        near (y[i], 1 - 2 / (1 + exp (2 * x[i])));
        break;
      case HL_ACTIVATION_NONE:
        g_assert_not_reached ();
      }
}

static void
check_gate (const HlOpCall *call)
{
  const HlTensor *z = call->in[0], *g = call->in[1], *y = call->out[0];
  for (gint64 b = 0; b < y->shape.dim[0]; b++)
    for (gint64 t = 0; t < y->shape.dim[1]; t++)
      for (gint64 h = 0; h < y->shape.dim[2]; h++)
        for (gint64 d = 0; d < y->shape.dim[3]; d++)
          near (at4 (y, b, t, h, d),
                at4 (z, b, t, h, d) *
                    ((double *)
                         g->data)[(g->shape.dim[0] == 1 ? 0 : b) * g->shape.dim[1] + h]);
}

/* Any rank up to four, sizes equal or 1. */
static double
broadcast_at (const HlTensor *t, const HlShape *out, gint64 index)
{
  gint64 offset = 0;
  for (int d = out->n_dims - 1; d >= 0; d--)
    {
      gint64 i = index % out->dim[d];
      index /= out->dim[d];
      offset += (t->shape.dim[d] == 1 ? 0 : i) * t->stride[d];
    }
  return ((const double *) t->data)[offset];
}

static void
check_add (const HlOpCall *call)
{
  const HlTensor *y = call->out[0];
  for (gint64 i = 0; i < hl_tensor_count (y); i++)
    near (((double *) y->data)[i], broadcast_at (call->in[0], &y->shape, i) +
                                       broadcast_at (call->in[1], &y->shape, i));
}

static void
check_multiply (const HlOpCall *call)
{
  const HlTensor *y = call->out[0];
  for (gint64 i = 0; i < hl_tensor_count (y); i++)
    near (((double *) y->data)[i], broadcast_at (call->in[0], &y->shape, i) *
                                       broadcast_at (call->in[1], &y->shape, i));
}

static void
check_blend (const HlOpCall *call)
{
  const HlTensor *y = call->out[0];
  for (gint64 i = 0; i < hl_tensor_count (y); i++)
    {
      double x = broadcast_at (call->in[0], &y->shape, i);
      double m = broadcast_at (call->in[1], &y->shape, i);
      double r = call->in[2] != NULL ? broadcast_at (call->in[2], &y->shape, i) : 0;
      near (((double *) y->data)[i], (1 - m) * x + m * r);
    }
}

static void
check_patchify (const HlOpCall *call)
{
  const HlTensor *x = call->in[0], *y = call->out[0];
  gint64 ph = call->params.patch_height, pw = call->params.patch_width;
  gint64 rows = x->shape.dim[2] / ph, columns = x->shape.dim[3] / pw;
  const double *out = y->data;
  for (gint64 b = 0; b < x->shape.dim[0]; b++)
    for (gint64 p = 0; p < rows * columns; p++)
      for (gint64 c = 0; c < x->shape.dim[1]; c++)
        for (gint64 i = 0; i < ph; i++)
          for (gint64 j = 0; j < pw; j++)
            near (*out++, at4 (x, b, c, p / columns * ph + i, p % columns * pw + j));
}

/* Number @i of the picture behind row @row of its windows; -1 outside of it. */
static gint64
place_of (const HlOpCall *call, const HlTensor *x, gint64 row, gint64 i)
{
  const HlOpParams *p = &call->params;
  gint64 height = x->shape.dim[1], width = x->shape.dim[2], C = x->shape.dim[3];
  gint64 columns = (width + 2 * p->padding - p->kernel) / p->step + 1;
  gint64 y = row / columns * p->step - p->padding + i / C / p->kernel;
  gint64 z = row % columns * p->step - p->padding + i / C % p->kernel;
  return y >= 0 && y < height && z >= 0 && z < width ? (y * width + z) * C + i % C : -1;
}

static void
check_unfold (const HlOpCall *call)
{
  const HlTensor *x = call->in[0], *y = call->out[0];
  gint64 rows = y->shape.dim[1], n = y->shape.dim[2];
  gint64 size = hl_tensor_count (x) / x->shape.dim[0];
  for (gint64 k = 0; k < hl_tensor_count (y); k++)
    {
      gint64 place = place_of (call, x, k / n % rows, k % n);
      double wanted = place >= 0 ? ((double *) x->data)[k / n / rows * size + place] : 0;
      near (((double *) y->data)[k], wanted);
    }
}

static void
check_fold (const HlOpCall *call)
{
  const HlTensor *rows = call->in[0], *y = call->out[0];
  gint64 R = rows->shape.dim[1], n = rows->shape.dim[2];
  gint64 size = hl_tensor_count (y) / y->shape.dim[0];
  g_autofree double *sum = g_new0 (double, (gsize) hl_tensor_count (y));
  for (gint64 k = 0; k < hl_tensor_count (rows); k++)
    {
      gint64 place = place_of (call, y, k / n % R, k % n);
      if (place >= 0)
        sum[k / n / R * size + place] += ((double *) rows->data)[k];
    }
  for (gint64 i = 0; i < hl_tensor_count (y); i++)
    near (((double *) y->data)[i], sum[i]);
}

static void
check_moments (const HlOpCall *call)
{
  const double *m = call->in[0]->data, *v = call->in[1]->data, *g = call->in[2]->data;
  double b1 = call->params.beta1, b2 = call->params.beta2;
  for (gint64 i = 0; i < hl_tensor_count (call->in[0]); i++)
    {
      near (((double *) call->out[0]->data)[i], m[i] + (1 - b1) * (g[i] - m[i]));
      near (((double *) call->out[1]->data)[i], v[i] + (1 - b2) * (g[i] * g[i] - v[i]));
    }
}

static void
check_adam_step (const HlOpCall *call)
{
  const HlOpParams *p = &call->params;
  double power1 = 1, power2 = 1;
  for (gint64 i = 0; i < p->n_steps; i++)
    {
      power1 *= p->beta1;
      power2 *= p->beta2;
    }
  for (gint64 i = 0; i < hl_tensor_count (call->in[0]); i++)
    {
      double m = ((double *) call->in[0]->data)[i] / (1 - power1);
      double v = ((double *) call->in[1]->data)[i] / (1 - power2);
      near (((double *) call->out[0]->data)[i], -p->rate * m / (sqrt (v) + p->eps));
    }
}

static void
check_concat (const HlOpCall *call)
{
  const HlTensor *y = call->out[0];
  gint64 D = y->shape.dim[2], Ta = call->in[0]->shape.dim[1], T = y->shape.dim[1];
  for (gint64 i = 0; i < hl_tensor_count (y); i++)
    {
      gint64 d = i % D, t = i / D % T, b = i / D / T;
      const HlTensor *from = call->in[t < Ta ? 0 : 1];
      gint64 row = t < Ta ? t : t - Ta;
      b = from->shape.dim[0] == 1 ? 0 : b;
      near (((double *) y->data)[i],
            ((double *) from->data)[(b * from->shape.dim[1] + row) * D + d]);
    }
}

static void
check_slice (const HlOpCall *call)
{
  const HlTensor *x = call->in[0], *y = call->out[0];
  gint64 D = y->shape.dim[2], n = y->shape.dim[1];
  for (gint64 i = 0; i < hl_tensor_count (y); i++)
    {
      gint64 d = i % D, t = i / D % n, b = i / D / n;
      near (((double *) y->data)[i],
            ((double *) x->data)[(b * x->shape.dim[1] + t + call->params.start) * D + d]);
    }
}

typedef void (*Check) (const HlOpCall *call);

static const Check checks[HL_N_OPS] = {
#define HL_OP(ENUM, name, ...) check_##name,
#include "ops/hl-op-table.def"
#undef HL_OP
};

static void
test_double_against_formula (gconstpointer data)
{
  HlOp op = (HlOp) GPOINTER_TO_INT (data);
  g_autoptr (GRand) rand = g_rand_new_with_seed (2000 + op);
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F64, 2);
  for (int round = 0; round < 12; round++)
    {
      HlOpCall call = op_example_new (op, rand, 0);
      run_or_fail (backend, &call);
      checks[op](&call);
      op_example_clear (&call);
    }
}

/* ---- what a call is refused for ------------------------------------------------------
 */

static void
test_shapes_refused (void)
{
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  g_autoptr (HlTensor) x = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (1, 3, 5), NULL);
  g_autoptr (HlTensor) w = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (4, 6), NULL);
  HlOpCall call = { .op = HL_OP_LINEAR, .in = { x, w } };
  g_autoptr (GError) error = NULL;
  g_assert_false (hl_backend_run_op (backend, &call, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_SHAPE);
  g_assert_nonnull (strstr (error->message, "[1, 3, 5], [4, 6]"));
  g_assert_null (call.out[0]);
}

static void
test_dtype_refused (void)
{
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  g_autoptr (HlTensor) x = hl_tensor_new (HL_DTYPE_F64, HL_SHAPE (1, 3, 5), NULL);
  HlOpCall call = { .op = HL_OP_ADD, .in = { x, x } };
  g_autoptr (GError) error = NULL;
  g_assert_false (hl_backend_run_op (backend, &call, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_DTYPE);
}

static void
test_nan_and_infinity (void)
{
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  const float scores[] = { NAN, 0, 1, INFINITY, 0, 1, -INFINITY, -INFINITY, -INFINITY };
  g_autoptr (HlTensor) s =
      hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1, 1, 3, 3), scores);
  HlOpCall call = { .op = HL_OP_SOFTMAX, .in = { s } };
  run_or_fail (backend, &call);
  const float *a = call.out[0]->data;
  /* A NaN score makes its row NaN: a mistake is to be seen, not smoothed over. */
  g_assert_true (isnan (a[1]) && isnan (a[2]));
  g_assert_true (isnan (a[3])); /* inf - inf */
  for (int j = 6; j < 9; j++)
    g_assert_cmpfloat (a[j], ==, 0);
  hl_tensor_unref (call.out[0]);
  hl_tensor_unref (call.out[1]);
}

/* exp() of these alone is infinite, or nothing at all. */
static void
test_large_scores (void)
{
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  const float scores[] = { 1000, 999, 0, -1000, -1001, -2000 };
  g_autoptr (HlTensor) s =
      hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1, 1, 2, 3), scores);
  HlOpCall call = { .op = HL_OP_SOFTMAX, .in = { s } };
  run_or_fail (backend, &call);
  const float *a = call.out[0]->data, *lse = call.out[1]->data;
  for (int i = 0; i < 2; i++)
    {
      g_assert_cmpfloat_with_epsilon (a[3 * i], 1 / (1 + exp (-1)), 1e-6);
      g_assert_cmpfloat_with_epsilon (a[3 * i + 1], exp (-1) / (1 + exp (-1)), 1e-6);
      g_assert_cmpfloat (a[3 * i + 2], ==, 0);
      g_assert_cmpfloat_with_epsilon (lse[i], scores[3 * i] + log1p (exp (-1)), 1e-3);
    }
  hl_tensor_unref (call.out[0]);
  hl_tensor_unref (call.out[1]);
}

/* Two queries after two cached keys: the first sees three keys, the second four. */
static void
test_causal_after_cached_keys (void)
{
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 1);
  const float zeros[8] = { 0 }, values[] = { 1, 2, 4, 8 };
  g_autoptr (HlTensor) q =
      hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1, 1, 2, 1), zeros);
  g_autoptr (HlTensor) k =
      hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1, 1, 4, 1), zeros);
  g_autoptr (HlTensor) v =
      hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1, 1, 4, 1), values);
  HlExec exec;
  hl_exec_init (&exec, backend, NULL);
  HlTensor *lse = NULL;
  const HlMapRule causal = { .scale = 1, .is_causal = TRUE };
  g_autoptr (HlTensor) scores = hl_scores (&exec, q, k, &causal);
  g_autoptr (HlTensor) z = hl_attention (&exec, q, k, v, &causal, &lse);
  g_assert_no_error (exec.error);
  const float *s = scores->data, *mixed = z->data, *sums = lse->data;
  for (int i = 0; i < 8; i++)
    g_assert_cmpfloat (s[i], ==, i == 3 ? -INFINITY : 0);
  for (int i = 0; i < 2; i++)
    {
      g_assert_cmpfloat_with_epsilon (mixed[i], i == 0 ? 7 / 3.0 : 15 / 4.0, 1e-6);
      g_assert_cmpfloat_with_epsilon (sums[i], log (3 + i), 1e-6);
    }
  hl_tensor_unref (lse);
  hl_exec_clear (&exec);
}

/* Three queries after two cached keys see 3, 4 and 5 of 5. */
static void
test_flops (void)
{
  g_autoptr (HlTensor) q = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (1, 2, 3, 7), NULL);
  g_autoptr (HlTensor) k = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (1, 2, 5, 7), NULL);
  g_autoptr (HlTensor) map = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (1, 2, 3, 5), NULL);
  HlOpCall calls[] = {
    { .op = HL_OP_SCORES, .in = { q, k } },
    { .op = HL_OP_SOFTMAX, .in = { map } },
    { .op = HL_OP_MIX, .in = { map, k } },
    { .op = HL_OP_ATTENTION, .in = { q, k, k } },
  };
  const double whole[] = { 2 * 2 * 15 * 7 + 30, 4 * 30, 2 * 2 * 15 * 7, 4 * 2 * 15 * 7 };
  const double seen[] = { 2 * 2 * 12 * 7 + 30, 4 * 24, 2 * 2 * 12 * 7, 4 * 2 * 12 * 7 };
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      g_assert_cmpfloat_with_epsilon (hl_op_flops (&calls[i]), whole[i], 1e-6);
      calls[i].params.is_causal = TRUE;
      calls[i].params.query_start = 2;
      g_assert_cmpfloat_with_epsilon (hl_op_flops (&calls[i]), seen[i], 1e-6);
    }
}

static void
test_cancelled (void)
{
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (HlTensor) x = hl_tensor_new (HL_DTYPE_F32, HL_SHAPE (1, 3, 5), NULL);
  HlOpCall call = { .op = HL_OP_ADD, .in = { x, x } };
  g_autoptr (GError) error = NULL;
  const HlProgress progress = { .cancellable = cancellable };
  g_cancellable_cancel (cancellable);
  g_assert_false (hl_backend_run_op (backend, &call, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (int op = 0; op < HL_N_OPS; op++)
    {
      const char *name = hl_op_get_info ((HlOp) op)->name;
      g_autofree char *a = g_strdup_printf ("/ops/float-against-double/%s", name);
      g_autofree char *b = g_strdup_printf ("/ops/double-against-formula/%s", name);
      g_test_add_data_func (a, GINT_TO_POINTER (op), test_float_against_double);
      g_test_add_data_func (b, GINT_TO_POINTER (op), test_double_against_formula);
    }
  g_test_add_func ("/ops/shapes-refused", test_shapes_refused);
  g_test_add_func ("/ops/dtype-refused", test_dtype_refused);
  g_test_add_func ("/ops/nan-and-infinity", test_nan_and_infinity);
  g_test_add_func ("/ops/large-scores", test_large_scores);
  g_test_add_func ("/ops/causal-after-cached-keys", test_causal_after_cached_keys);
  g_test_add_func ("/ops/flops", test_flops);
  g_test_add_func ("/ops/entries-seen", check_entries_seen);
  g_test_add_func ("/ops/cancelled", test_cancelled);
  return g_test_run ();
}
