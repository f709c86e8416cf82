/* SPDX-License-Identifier: MIT
 * Gradient ops in double against central differences of the ops they belong to: of the
 * number sum of dy F (x), changed at one number of an input. */
#include "op-grad-checks.h"

#include "backend/cpu/hl-cpu.h"

#include <math.h>

#define STEP 1e-5
#define N_PLACES 12

/* Sum of dy times the forward op's first result, without what is not finite in it. */
static double
weighted (HlBackend *backend, const HlOpCall *forward, const HlTensor *dy)
{
  g_autoptr (GError) error = NULL;
  HlOpCall call = *forward;
  double sum = 0;
  hl_backend_run_op (backend, &call, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (hl_shape_equal (&call.out[0]->shape, &dy->shape));
  for (gint64 i = 0; i < hl_tensor_count (dy); i++)
    if (isfinite (((const double *) call.out[0]->data)[i]))
      sum += ((const double *) dy->data)[i] * ((const double *) call.out[0]->data)[i];
  for (int i = 0; i < HL_OP_MAX_OUT; i++)
    g_clear_pointer (&call.out[i], hl_tensor_unref);
  return sum;
}

/* The forward call with input @i made contiguous, and its own to be changed. */
static double *
own_input (HlOpCall *forward, int i)
{
  HlTensor *before = forward->in[i];
  g_autoptr (HlTensor) dense = hl_tensor_convert (before, HL_DTYPE_F64, NULL);
  forward->in[i] = hl_tensor_new_copy (HL_DTYPE_F64, before->shape, dense->data);
  return forward->in[i]->data;
}

typedef double (*Found) (const HlOpCall *call, gint64 place);

/* Some places of input @i of @forward; @found says what the gradient op gave there. */
static void
check_places (
    const HlOpCall *call, HlOpCall forward, int i, const HlTensor *dy, Found found)
{
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F64, 1);
  double *x = own_input (&forward, i);
  g_autoptr (HlTensor) owned = forward.in[i];
  gint64 n = hl_tensor_count (owned), step = MAX (1, n / N_PLACES);
  for (gint64 at = n / 2 % step; at < n; at += step)
    {
      double before = x[at];
      if (!isfinite (before) ||
          (call->op == HL_OP_ACTIVATION_GRAD && fabs (before) < 1e-3))
        continue; /* what is masked; where ReLU has no slope */
      x[at] = before + STEP;
      double above = weighted (backend, &forward, dy);
      x[at] = before - STEP;
      double below = weighted (backend, &forward, dy);
      x[at] = before;
      double wanted = (above - below) / (2 * STEP);
      g_assert_cmpfloat_with_epsilon (found (call, at), wanted,
                                      1e-6 * (1 + fabs (wanted)));
    }
}

static double
first_out (const HlOpCall *call, gint64 place)
{
  return ((const double *) call->out[0]->data)[place];
}

/* Place of (b, h, t, k) in the input, of the result (b, t, h, k); a batch of 1 in the
 * input stands for all, whose gradients add up. */
static double
turned (const HlTensor *out, const HlShape *in, gint64 place)
{
  gint64 K = in->dim[3], T = in->dim[2], H = in->dim[1];
  gint64 k = place % K, t = place / K % T, h = place / K / T % H, b = place / K / T / H;
  double sum = 0;
  for (gint64 o = 0; o < out->shape.dim[0]; o++)
    if (in->dim[0] == 1 || o == b)
      sum += ((const double *) out->data)[((o * T + t) * H + h) * K + k];
  return sum;
}

static double
first_turned (const HlOpCall *call, gint64 place)
{
  return turned (call->out[0], &call->in[1]->shape, place);
}

static double
second_turned (const HlOpCall *call, gint64 place)
{
  return turned (call->out[1], &call->in[2]->shape, place);
}

void
check_linear_grad_weight (const HlOpCall *call)
{
  gint64 n = hl_tensor_count (call->out[0]);
  g_autofree double *zeros = g_new0 (double, (gsize) n);
  g_autoptr (HlTensor) w = hl_tensor_new_copy (HL_DTYPE_F64, call->out[0]->shape, zeros);
  HlOpCall forward = { .op = HL_OP_LINEAR,
                       .in = { call->in[1], w },
                       .params = call->params };
  check_places (call, forward, 1, call->in[0], first_out);
}

/* The second result adds up to the gradient of g. */
static double
sum_of_rows (const HlOpCall *call, gint64 d)
{
  gint64 D = call->in[2]->shape.dim[0];
  double sum = 0;
  for (gint64 i = d; i < hl_tensor_count (call->out[1]); i += D)
    sum += ((const double *) call->out[1]->data)[i];
  return sum;
}

static void
check_norm (const HlOpCall *call, HlOp op)
{
  g_autofree double *zeros = g_new0 (double, (gsize) call->in[2]->shape.dim[0]);
  g_autoptr (HlTensor) b = hl_tensor_new_copy (HL_DTYPE_F64, call->in[2]->shape, zeros);
  HlOpCall forward = { .op = op,
                       .in = { call->in[1], call->in[2] },
                       .params = call->params };
  if (op == HL_OP_LAYER_NORM)
    forward.in[2] = b;
  check_places (call, forward, 0, call->in[0], first_out);
  check_places (call, forward, 1, call->in[0], sum_of_rows);
}

void
check_layer_norm_grad (const HlOpCall *call)
{
  check_norm (call, HL_OP_LAYER_NORM);
}

void
check_rms_norm_grad (const HlOpCall *call)
{
  check_norm (call, HL_OP_RMS_NORM);
}

void
check_activation_grad (const HlOpCall *call)
{
  HlOpCall forward = { .op = HL_OP_ACTIVATION,
                       .in = { call->in[1] },
                       .params = call->params };
  check_places (call, forward, 0, call->in[0], first_out);
}

void
check_scores_grad (const HlOpCall *call)
{
  HlOpCall forward = { .op = HL_OP_SCORES,
                       .in = { call->in[1], call->in[2] },
                       .params = call->params };
  check_places (call, forward, 0, call->in[0], first_turned);
  check_places (call, forward, 1, call->in[0], second_turned);
}

/* Scores whose softmax is A: its logarithm, -inf where it is 0. */
void
check_softmax_grad (const HlOpCall *call)
{
  g_autoptr (HlTensor) scores =
      hl_tensor_new_copy (HL_DTYPE_F64, call->in[1]->shape, call->in[1]->data);
  for (gint64 i = 0; i < hl_tensor_count (scores); i++)
    ((double *) scores->data)[i] = log (((double *) scores->data)[i]);
  HlOpCall forward = { .op = HL_OP_SOFTMAX, .in = { scores } };
  check_places (call, forward, 0, call->in[0], first_out);
}

void
check_mix_grad (const HlOpCall *call)
{
  HlOpCall forward = { .op = HL_OP_MIX, .in = { call->in[1], call->in[2] } };
  check_places (call, forward, 0, call->in[0], first_out);
  check_places (call, forward, 1, call->in[0], second_turned);
}

void
check_gate_grad (const HlOpCall *call)
{
  g_autofree double *ones = g_new0 (double, (gsize) hl_tensor_count (call->out[0]));
  g_autoptr (HlTensor) gates =
      hl_tensor_new_copy (HL_DTYPE_F64, call->out[0]->shape, ones);
  HlOpCall forward = { .op = HL_OP_GATE, .in = { call->in[1], gates } };
  check_places (call, forward, 1, call->in[0], first_out);
}

/* Cutting it up again gives the rows back. */
void
check_unpatchify (const HlOpCall *call)
{
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F64, 1);
  g_autoptr (GError) error = NULL;
  HlOpCall cut = { .op = HL_OP_PATCHIFY, .in = { call->out[0] }, .params = call->params };
  hl_backend_run_op (backend, &cut, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (cut.out[0]->data, hl_tensor_size_bytes (cut.out[0]), call->in[0]->data,
                   hl_tensor_size_bytes (call->in[0]));
  hl_tensor_unref (cut.out[0]);
}
