/* SPDX-License-Identifier: MIT
 * One suite for every backend. Inputs are uploaded, rounded to the backend's type, and
 * fetched back for the reference: both start from the same numbers. */
#include "conformance.h"

#include "backend/cpu/hl-cpu.h"
#include "op-examples.h"
#include "ops/hl-exec.h"

#include <math.h>

#define N_ROUNDS 40
#define N_ROUNDS_HALF 12

typedef struct
{
  ConformanceOpen open;
  HlDtype dtype;
  HlBackend **shared;
  HlOp op;
} Case;

/* ---- both sides ----------------------------------------------------------------------
 */

/* (transfer full): @host in the memory and type of @backend; a view stays one. */
static HlTensor *
put (HlBackend *backend, HlTensor *host)
{
  g_autoptr (GError) error = NULL;
  gint64 span = 1;
  for (int d = 0; d < host->shape.n_dims; d++)
    span += MAX (host->shape.dim[d] - 1, 0) * host->stride[d];
  if (hl_tensor_count (host) == 0)
    span = 0;
  g_autoptr (HlTensor) flat = hl_tensor_view (host, 0, HL_SHAPE (span), NULL);
  g_autoptr (HlTensor) there = hl_backend_upload (backend, flat, &error);
  g_assert_no_error (error);
  return hl_tensor_view (there, 0, host->shape, host->stride);
}

static HlTensor *
get (HlTensor *there)
{
  g_autoptr (GError) error = NULL;
  HlTensor *host = hl_tensor_convert (there, HL_DTYPE_F64, &error);
  g_assert_no_error (error);
  return host;
}

/* ---- comparing -----------------------------------------------------------------------
 */

/* Half of the gap between 1 and the next number, and the smallest number there is. */
static void
rounding_of (HlDtype dtype, double *relative, double *least)
{
  *relative = dtype == HL_DTYPE_BF16 ? 0x1p-8 : dtype == HL_DTYPE_F16 ? 0x1p-11 : 0;
  *least = dtype == HL_DTYPE_F16 ? 0x1p-25 : 0;
}

/* Ops that round in the middle too: weights of attention, which are at most 1 and meet
 * values of about unit size, and sums over the heads of a group. In roundings of 1. */
static double
roundings_within (HlOp op)
{
  return op == HL_OP_ATTENTION || op == HL_OP_SCORES_GRAD || op == HL_OP_MIX_GRAD ? 6 : 0;
}

static void
compare (
    HlBackend *backend, HlOp op, int out, const HlTensor *found, const HlTensor *expected)
{
  const HlOpInfo *info = hl_op_get_info (op);
  const double *x = found->data, *y = expected->data;
  double rounding, least;
  rounding_of (hl_op_is_wide_out (op, out) ? HL_DTYPE_F32 : backend->dtype, &rounding,
               &least);
  g_assert_true (hl_shape_equal (&found->shape, &expected->shape));
  for (gint64 i = 0; i < hl_tensor_count (expected); i++)
    {
      if ((isinf (y[i]) && x[i] == y[i]) || (isnan (y[i]) && isnan (x[i])))
        continue;
      /* Scores are rounded as products, and again when they were capped. */
      double n_roundings = op == HL_OP_SCORES ? 2.02 : 1.01;
      double allowed = info->tolerance_abs + info->tolerance_rel * fabs (y[i]) +
                       n_roundings * rounding * fabs (y[i]) + least +
                       rounding * roundings_within (op);
      double off = fabs (x[i] - y[i]);
      if (off <= allowed)
        continue;
      g_autofree char *shape = hl_shape_to_string (&found->shape);
      g_test_message ("%s, result %d of %s: number %d: %.9g expected, %.9g found, off by "
                      "%.2g, %.2g allowed",
                      info->name, out, shape, (int) i, y[i], x[i], off, allowed);
      g_test_fail (); /* the other ops are to be heard of too */
      return;
    }
}

void
conformance_check (HlBackend *backend, const HlOpCall *call)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlBackend) reference = hl_cpu_backend_new (HL_DTYPE_F64, 1);
  g_autoptr (HlBackend) wide = hl_backend_as_f32 (backend);
  HlOpCall there = { .op = call->op, .params = call->params };
  HlOpCall exact = there;
  for (int i = 0; i < HL_OP_MAX_IN; i++)
    if (call->in[i] != NULL)
      {
        there.in[i] = put (hl_op_is_wide_in (call->op, i) ? wide : backend, call->in[i]);
        exact.in[i] = get (there.in[i]);
      }
  hl_backend_run_op (backend, &there, NULL, &error);
  g_assert_no_error (error);
  hl_backend_run_op (reference, &exact, NULL, &error);
  g_assert_no_error (error);
  for (int i = 0; i < hl_op_get_info (call->op)->n_out; i++)
    {
      g_autoptr (HlTensor) found = get (there.out[i]);
      compare (backend, call->op, i, found, exact.out[i]);
    }
  op_example_clear (&there);
  op_example_clear (&exact);
}

/* One backend serves all cases of a type: opening a device takes a while. */
static HlBackend *
open_or_skip (const Case *c)
{
  g_autoptr (GError) error = NULL;
  if (*c->shared == NULL)
    *c->shared = c->open (c->dtype, &error);
  if (*c->shared == NULL)
    g_test_skip (error->message);
  return *c->shared != NULL ? hl_backend_ref (*c->shared) : NULL;
}

static void
test_op (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (HlBackend) backend = open_or_skip (c);
  g_autoptr (GRand) rand = g_rand_new_with_seed (4000 + c->op);
  int n_rounds = c->dtype == HL_DTYPE_F32 ? N_ROUNDS : N_ROUNDS_HALF;
  for (int round = 0; backend != NULL && round < n_rounds; round++)
    {
      HlOpCall call = op_example_new (c->op, rand, 0);
      conformance_check (backend, &call);
      op_example_clear (&call);
      if (g_test_failed ())
        break;
    }
}

/* ---- shapes that are worth a case of their own ---------------------------------------
 */

static HlTensor *
numbers (GRand *rand, HlShape shape)
{
  HlTensor *t = hl_tensor_new (HL_DTYPE_F64, shape, NULL);
  for (gint64 i = 0; i < hl_tensor_count (t); i++)
    ((double *) t->data)[i] = g_rand_double_range (rand, -1.7, 1.7);
  return t;
}

/* (B, H, T, K) as a projection leaves it. */
static HlTensor *
heads (GRand *rand, gint64 B, gint64 H, gint64 T, gint64 K)
{
  g_autoptr (HlTensor) flat = numbers (rand, HL_SHAPE (B, T, H * K));
  const gint64 stride[] = { T * H * K, K, H * K, 1 };
  return hl_tensor_view (flat, 0, HL_SHAPE (B, H, T, K), stride);
}

static void
check_attention (HlBackend *backend,
                 GRand *rand,
                 gint64 B,
                 gint64 group,
                 gint64 Tq,
                 gint64 Tk,
                 gint64 K,
                 gboolean is_causal)
{
  HlOpCall call = { .op = HL_OP_ATTENTION };
  call.params.scale = 1 / sqrt ((double) MAX (K, 1));
  call.params.is_causal = is_causal;
  call.params.query_start = Tk - Tq;
  call.params.window = g_rand_boolean (rand) ? g_rand_int_range (rand, 1, 140) : 0;
  call.params.soft_cap = g_rand_boolean (rand) ? 3 : 0;
  call.in[0] = heads (rand, B, group, Tq, K);
  call.in[1] = heads (rand, B > 1 && group > 1 ? 1 : B, 1, Tk, K);
  call.in[2] = heads (rand, call.in[1]->shape.dim[0], 1, Tk, K);
  conformance_check (backend, &call);
  op_example_clear (&call);
}

/* Every path that a head width takes, and lengths on both sides of a tile's. */
static void
test_attention_widths (gconstpointer data)
{
  g_autoptr (HlBackend) backend = open_or_skip (data);
  g_autoptr (GRand) rand = g_rand_new_with_seed (77);
  const gint64 widths[] = { 1, 8, 24, 33, 64, 72, 80, 128, 136, 192, 200, 256 };
  const gint64 lengths[] = { 1, 64, 65, 130 };
  for (gsize w = 0; backend != NULL && w < G_N_ELEMENTS (widths); w++)
    for (gsize l = 0; l < G_N_ELEMENTS (lengths); l++)
      {
        gint64 T = lengths[l], K = widths[w];
        gboolean is_causal = (w + l) % 2 != 0;
        check_attention (backend, rand, 1 + (gint64) l % 2, 1 + (gint64) w % 3, T, T, K,
                         is_causal);
        check_attention (backend, rand, 1, 1, T, 1 + 130 / T, K, TRUE);
      }
}

/* No tokens, no numbers in a row, and what follows from sums of nothing. */
static void
test_empty (gconstpointer data)
{
  g_autoptr (HlBackend) backend = open_or_skip (data);
  g_autoptr (GRand) rand = g_rand_new_with_seed (78);
  if (backend == NULL)
    return;
  check_attention (backend, rand, 1, 1, 0, 5, 8, FALSE);
  check_attention (backend, rand, 1, 2, 5, 0, 8, FALSE);
  const struct
  {
    HlOp op;
    HlShape in[3];
    int n;
  } calls[] = {
    { HL_OP_LINEAR, { HL_SHAPE (2, 0, 4), HL_SHAPE (3, 4), HL_SHAPE (3) }, 3 },
    { HL_OP_LINEAR, { HL_SHAPE (2, 5, 0), HL_SHAPE (3, 0), HL_SHAPE (3) }, 3 },
    { HL_OP_LINEAR_GRAD_WEIGHT, { HL_SHAPE (0, 3), HL_SHAPE (0, 4) }, 2 },
    { HL_OP_SOFTMAX, { HL_SHAPE (1, 2, 3, 0) }, 1 },
    { HL_OP_MIX, { HL_SHAPE (1, 2, 3, 0), HL_SHAPE (1, 2, 0, 4) }, 2 },
    { HL_OP_SCORES, { HL_SHAPE (1, 2, 3, 4), HL_SHAPE (1, 2, 0, 4) }, 2 },
    { HL_OP_MIX_GRAD,
      { HL_SHAPE (1, 3, 2, 4), HL_SHAPE (1, 2, 3, 0), HL_SHAPE (1, 2, 0, 4) },
      3 },
    { HL_OP_ADD, { HL_SHAPE (2, 0, 4), HL_SHAPE (1, 0, 4) }, 2 },
    { HL_OP_LAYER_NORM, { HL_SHAPE (1, 0, 4), HL_SHAPE (4), HL_SHAPE (4) }, 3 },
    { HL_OP_CONCAT, { HL_SHAPE (1, 0, 4), HL_SHAPE (2, 3, 4) }, 2 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      HlOpCall call = { .op = calls[i].op, .params = { .scale = 1, .eps = 1e-5 } };
      for (int k = 0; k < calls[i].n; k++)
        call.in[k] = numbers (rand, calls[i].in[k]);
      conformance_check (backend, &call);
      op_example_clear (&call);
    }
}

/* Rows longer than a warp takes, up to those of a vocabulary. */
static void
test_long_rows (gconstpointer data)
{
  g_autoptr (HlBackend) backend = open_or_skip (data);
  g_autoptr (GRand) rand = g_rand_new_with_seed (79);
  for (gint64 n = 1023; backend != NULL && n < 9000; n = n * 2 + 1)
    {
      HlOpCall softmax = { .op = HL_OP_SOFTMAX,
                           .in = { numbers (rand, HL_SHAPE (1, 1, 2, n)) } };
      HlOpCall norm = { .op = HL_OP_LAYER_NORM,
                        .params = { .eps = 1e-5 },
                        .in = { numbers (rand, HL_SHAPE (3, n)),
                                numbers (rand, HL_SHAPE (n)),
                                numbers (rand, HL_SHAPE (n)) } };
      HlOpCall back = { .op = HL_OP_RMS_NORM_GRAD,
                        .params = { .eps = 1e-5 },
                        .in = { numbers (rand, HL_SHAPE (2, n)),
                                numbers (rand, HL_SHAPE (2, n)),
                                numbers (rand, HL_SHAPE (n)) } };
      HlOpCall slope = { .op = HL_OP_SOFTMAX_GRAD,
                         .in = { numbers (rand, HL_SHAPE (1, 1, 2, n)),
                                 numbers (rand, HL_SHAPE (1, 1, 2, n)) } };
      for (gint64 i = 0; i < 2 * n; i++) /* a weight is small in a long row */
        ((double *) slope.in[1]->data)[i] /= (double) n;
      HlOpCall *calls[] = { &softmax, &norm, &back, &slope };
      for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
        {
          conformance_check (backend, calls[i]);
          op_example_clear (calls[i]);
        }
    }
}

/* What is wrong in the input is seen in the output, and only there. */
static void
test_nan_and_infinity (gconstpointer data)
{
  g_autoptr (HlBackend) backend = open_or_skip (data);
  const double scores[] = { 1,         NAN,       2,         0, INFINITY,  1,
                            -INFINITY, -INFINITY, -INFINITY, 0, -INFINITY, 0 };
  if (backend == NULL)
    return;
  HlOpCall softmax = { .op = HL_OP_SOFTMAX };
  softmax.in[0] = hl_tensor_new_copy (HL_DTYPE_F64, HL_SHAPE (1, 1, 4, 3), scores);
  conformance_check (backend, &softmax);
  op_example_clear (&softmax);
  for (int kind = HL_ACTIVATION_GELU; kind <= HL_ACTIVATION_TANH; kind++)
    {
      HlOpCall bend = { .op = HL_OP_ACTIVATION,
                        .params = { .activation = (HlActivation) kind } };
      bend.in[0] = hl_tensor_new_copy (HL_DTYPE_F64, HL_SHAPE (4, 3), scores);
      conformance_check (backend, &bend);
      op_example_clear (&bend);
    }
}

/* What is added up into views, and summed over dimensions. */
static void
test_accumulate (gconstpointer data)
{
  g_autoptr (HlBackend) backend = open_or_skip (data);
  g_autoptr (HlBackend) reference = hl_cpu_backend_new (HL_DTYPE_F64, 1);
  g_autoptr (GRand) rand = g_rand_new_with_seed (80);
  const HlShape x[] = { HL_SHAPE (3, 70), HL_SHAPE (3, 70),    HL_SHAPE (300, 5),
                        HL_SHAPE (1, 7),  HL_SHAPE (2, 3, 37), HL_SHAPE (2, 3, 37, 4) };
  const HlShape into[] = {
    HL_SHAPE (3, 70), HL_SHAPE (1, 70),    HL_SHAPE (1, 5),
    HL_SHAPE (1, 1),  HL_SHAPE (2, 1, 37), HL_SHAPE (2, 1, 37, 1)
  };
  double rounding, least;
  for (gsize i = 0; backend != NULL && i < G_N_ELEMENTS (x); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (HlTensor) a = numbers (rand, into[i]);
      g_autoptr (HlTensor) b = numbers (rand, x[i]);
      g_autoptr (HlTensor) there_a = put (backend, a);
      g_autoptr (HlTensor) there_b = put (backend, b);
      g_autoptr (HlTensor) exact_a = get (there_a);
      g_autoptr (HlTensor) exact_b = get (there_b);
      hl_backend_accumulate (backend, there_a, there_b, &error);
      g_assert_no_error (error);
      hl_backend_accumulate (reference, exact_a, exact_b, &error);
      g_assert_no_error (error);
      g_autoptr (HlTensor) found = get (there_a);
      rounding_of (backend->dtype, &rounding, &least);
      for (gint64 k = 0; k < hl_tensor_count (found); k++)
        {
          double y = ((double *) exact_a->data)[k];
          g_assert_cmpfloat_with_epsilon (((double *) found->data)[k], y,
                                          3e-5 + 1.01 * rounding * fabs (y));
        }
    }
}

/* ---- the list ------------------------------------------------------------------------
 */

static void
add_case (const char *name, const char *what, const Case *c, GTestDataFunc func)
{
  g_autofree char *path =
      g_strdup_printf ("/conformance/%s/%s/%s", name, hl_dtype_name (c->dtype), what);
  g_test_add_data_func_full (path, g_memdup2 (c, sizeof *c), func, g_free);
}

void
conformance_add (const char *name, ConformanceOpen open, const HlDtype *dtypes, int n)
{
  for (int i = 0; i < n; i++)
    {
      /* Goes with the program. */
      HlBackend **shared = g_new0 (HlBackend *, 1);
      Case c = { open, dtypes[i], shared, HL_OP_ATTENTION };
      for (int op = 0; op < HL_N_OPS; op++)
        {
          c.op = (HlOp) op;
          add_case (name, hl_op_get_info (c.op)->name, &c, test_op);
        }
      add_case (name, "attention-widths", &c, test_attention_widths);
      add_case (name, "empty", &c, test_empty);
      add_case (name, "long-rows", &c, test_long_rows);
      add_case (name, "nan-and-infinity", &c, test_nan_and_infinity);
      add_case (name, "accumulate", &c, test_accumulate);
    }
}
