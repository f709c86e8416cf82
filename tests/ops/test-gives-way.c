/* SPDX-License-Identifier: MIT
 * Long ops give way to other work of their backend, come out the same, and stop when
 * they are cancelled meanwhile. */
#include "backend/cpu/hl-cpu.h"

#include <math.h>

static void
run_or_fail (HlBackend *backend, HlOpCall *call)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = hl_backend_run_op (backend, call, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
}

typedef struct
{
  HlBackend *backend;
  HlTensor *q, *w;
  GCancellable *cancellable;
  int n, cancel_at;
  gboolean is_inside;
} Between;

/* Another product and another attention of the same backend, as a look at a map is. */
static void
work_between_cb (gpointer data)
{
  Between *between = data;
  HlOpCall linear = { .op = HL_OP_LINEAR, .in = { between->w, between->w } };
  HlOpCall attention = { .op = HL_OP_ATTENTION,
                         .in = { between->q, between->q, between->q },
                         .params = { .scale = 1 } };
  g_assert_false (between->is_inside);
  between->is_inside = TRUE;
  run_or_fail (between->backend, &linear);
  run_or_fail (between->backend, &attention);
  hl_tensor_unref (linear.out[0]);
  hl_tensor_unref (attention.out[0]);
  hl_tensor_unref (attention.out[1]);
  between->is_inside = FALSE;
  if (++between->n == between->cancel_at)
    g_cancellable_cancel (between->cancellable);
}

static HlTensor *
plain_numbers (HlShape shape)
{
  HlTensor *t = hl_tensor_new (HL_DTYPE_F32, shape, NULL);
  for (gint64 i = 0; i < hl_tensor_count (t); i++)
    ((float *) t->data)[i] = (float) (i * 7919 % 1009) / 1009 - 0.5F;
  return t;
}

/* ---- some numbers of the results, by plain sums --------------------------------------
 */

static void
near (float found, double wanted)
{
  g_assert_cmpfloat_with_epsilon ((double) found, wanted, 1e-4 * (1 + fabs (wanted)));
}

static void
check_linear (const HlOpCall *call)
{
  const float *x = call->in[0]->data, *w = call->in[1]->data, *y = call->out[0]->data;
  const float *b = call->in[2] != NULL ? call->in[2]->data : NULL;
  gboolean is_in_out = call->params.is_transposed;
  gint64 M = call->out[0]->shape.dim[1], F = call->out[0]->shape.dim[2];
  gint64 D = call->in[0]->shape.dim[2];
  for (gint64 n = 0; n < 600; n++)
    {
      gint64 m = n < 300 ? n * M / 300 : M - 1, f = n < 300 ? n * 7919 % F : F - 600 + n;
      double sum = b != NULL ? (double) b[f] : 0;
      for (gint64 d = 0; d < D; d++)
        sum += (double) x[m * D + d] * (double) w[is_in_out ? d * F + f : f * D + d];
      near (y[m * F + f], sum);
    }
}

/* Of self-attention: @call has the same q, k and v, (1, H, T, K). */
static void
check_attention (const HlOpCall *call)
{
  gint64 H = call->in[0]->shape.dim[1], T = call->in[0]->shape.dim[2];
  gint64 K = call->in[0]->shape.dim[3];
  for (gint64 h = 0; h < H; h++)
    for (gint64 n = 0; n < 5; n++)
      {
        const float *x = (const float *) call->in[0]->data + h * T * K;
        gint64 i = n * (T - 1) / 4;
        double total = 0, mixed = 0;
        for (gint64 j = 0; j < T; j++)
          {
            double score = 0;
            for (gint64 d = 0; d < K; d++)
              score += (double) x[i * K + d] * (double) x[j * K + d];
            total += exp (score);
            mixed += exp (score) * (double) x[j * K + n];
          }
        near (((const float *) call->out[1]->data)[h * T + i], log (total));
        near (((const float *) call->out[0]->data)[(i * H + h) * K + n], mixed / total);
      }
}

static void
check_relu (const HlOpCall *call)
{
  const float *x = call->in[0]->data, *y = call->out[0]->data;
  for (gint64 i = 0; i < hl_tensor_count (call->in[0]); i++)
    if (y[i] != MAX (x[i], 0))
      g_error ("number %d: %g of %g", (int) i, (double) y[i], (double) x[i]);
}

/* One row of numbers, added to every row. */
static void
check_add (const HlOpCall *call)
{
  const float *x = call->in[0]->data, *b = call->in[1]->data, *y = call->out[0]->data;
  gint64 D = call->in[1]->shape.dim[2];
  for (gint64 i = 0; i < hl_tensor_count (call->in[0]); i++)
    if (y[i] != x[i] + b[i % D])
      g_error ("number %d: %g of %g", (int) i, (double) y[i], (double) x[i]);
}

static void
check_layer_norm (const HlOpCall *call)
{
  gint64 D = call->in[1]->shape.dim[0], n = hl_tensor_count (call->in[0]) / D;
  for (gint64 i = 0; i < n; i += MAX (1, (n - 1) / 40)) /* the last row too */
    {
      const float *x = (const float *) call->in[0]->data + i * D;
      const float *y = (const float *) call->out[0]->data + i * D;
      double mean = 0, square = 0;
      for (gint64 d = 0; d < D; d++)
        mean += (double) x[d] / (double) D;
      for (gint64 d = 0; d < D; d++)
        square += ((double) x[d] - mean) * ((double) x[d] - mean) / (double) D;
      for (gint64 d = 0; d < D; d += 37)
        near (y[d], ((double) x[d] - mean) / sqrt (square + 1e-5) *
                            (double) ((const float *) call->in[1]->data)[d] +
                        (double) ((const float *) call->in[2]->data)[d]);
    }
}

static void
check_grad_weight (const HlOpCall *call)
{
  const float *dy = call->in[0]->data, *x = call->in[1]->data, *dw = call->out[0]->data;
  gint64 F = call->in[0]->shape.dim[2], D = call->in[1]->shape.dim[2];
  gint64 M = call->in[0]->shape.dim[1];
  for (gint64 n = 0; n < 400; n++) /* all over, and the last row */
    {
      gint64 f = n < 300 ? n * F / 300 : F - 1, d = n * 7919 % D;
      double sum = 0;
      for (gint64 m = 0; m < M; m++)
        sum += (double) dy[m * F + f] * (double) x[m * D + d];
      near (dw[f * D + d], sum);
    }
}

static void
check_numbers (const HlOpCall *call)
{
  switch ((int) call->op)
    {
    case HL_OP_LINEAR:
      check_linear (call);
      break;
    case HL_OP_LINEAR_GRAD_WEIGHT:
      check_grad_weight (call);
      break;
    case HL_OP_ATTENTION:
      check_attention (call);
      break;
    case HL_OP_ACTIVATION:
      check_relu (call);
      break;
    case HL_OP_ADD:
      check_add (call);
      break;
    case HL_OP_LAYER_NORM:
      check_layer_norm (call);
      break;
    default:
      g_assert_not_reached ();
    }
}

static void
check_gives_way (HlBackend *backend, const HlOpCall *call)
{
  HlOpCall alone = *call, shared = *call, stopped = *call;
  g_autoptr (HlTensor) q = plain_numbers (HL_SHAPE (1, 2, 300, 8));
  g_autoptr (HlTensor) w = plain_numbers (HL_SHAPE (300, 8));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  Between between = { backend, q, w, cancellable, 0, 0, FALSE };
  const HlProgress progress = { .yield = work_between_cb,
                                .yield_data = &between,
                                .cancellable = cancellable };
  run_or_fail (backend, &alone);
  g_assert_true (hl_backend_run_op (backend, &shared, &progress, &error));
  g_assert_cmpint (between.n, >=, 3);
  for (int i = 0; i < hl_op_get_info (call->op)->n_out; i++)
    g_assert_cmpmem (alone.out[i]->data, hl_tensor_size_bytes (alone.out[i]),
                     shared.out[i]->data, hl_tensor_size_bytes (shared.out[i]));
  check_numbers (&shared);
  int n_all = between.n;
  between.n = 0;
  between.cancel_at = 2;
  g_assert_false (hl_backend_run_op (backend, &stopped, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (between.n, <, n_all);
  for (int i = 0; i < HL_OP_MAX_OUT; i++)
    {
      g_clear_pointer (&alone.out[i], hl_tensor_unref);
      g_clear_pointer (&shared.out[i], hl_tensor_unref);
    }
}

static void
test_gives_way (void)
{
  g_autoptr (HlBackend) backend = hl_cpu_backend_new (HL_DTYPE_F32, 2);
  g_autoptr (HlTensor) q = plain_numbers (HL_SHAPE (1, 12, 2048, 64));
  g_autoptr (HlTensor) x = plain_numbers (HL_SHAPE (1, 3000, 1024));
  g_autoptr (HlTensor) few = plain_numbers (HL_SHAPE (1, 800, 1024));
  g_autoptr (HlTensor) w = plain_numbers (HL_SHAPE (8192, 1024));
  g_autoptr (HlTensor) turned = plain_numbers (HL_SHAPE (1024, 8192));
  g_autoptr (HlTensor) narrow = plain_numbers (HL_SHAPE (2900, 1024));
  g_autoptr (HlTensor) bias = plain_numbers (HL_SHAPE (8192));
  g_autoptr (HlTensor) few_biases = plain_numbers (HL_SHAPE (2900));
  g_autoptr (HlTensor) long_rows = plain_numbers (HL_SHAPE (1, 15001, 1024));
  g_autoptr (HlTensor) row = plain_numbers (HL_SHAPE (1024));
  g_autoptr (HlTensor) one_row = plain_numbers (HL_SHAPE (1, 1, 1024));
  g_autoptr (HlTensor) wide = plain_numbers (HL_SHAPE (1, 3000, 4100));
  const HlOpCall calls[] = {
    { .op = HL_OP_ATTENTION, .in = { q, q, q }, .params = { .scale = 1 } },
    { .op = HL_OP_LINEAR, .in = { few, w } },                /* cut by columns */
    { .op = HL_OP_LINEAR, .in = { x, narrow, few_biases } }, /* by rows */
    { .op = HL_OP_LINEAR,
      .in = { few, turned, bias },
      .params = { .is_transposed = TRUE } },
    { .op = HL_OP_ACTIVATION,
      .in = { long_rows },
      .params = { .activation = HL_ACTIVATION_RELU } },
    { .op = HL_OP_LINEAR_GRAD_WEIGHT, .in = { wide, x } },
    { .op = HL_OP_ADD, .in = { long_rows, one_row } },
    { .op = HL_OP_LAYER_NORM, .in = { long_rows, row, row }, .params = { .eps = 1e-5 } },
  };
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    check_gives_way (backend, &calls[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ops/gives-way", test_gives_way);
  return g_test_run ();
}
