/* SPDX-License-Identifier: MIT
 * Random calls of every op of the table, for conformance tests and benchmarks. */
#include "op-examples.h"

#include <math.h>

typedef HlOpCall (*Example) (GRand *rand, int size);

/* Roughly normal, unit variance: the sum of twelve uniform numbers. */
static double
normal (GRand *rand)
{
  double sum = -6;
  for (int i = 0; i < 12; i++)
    sum += g_rand_double (rand);
  return sum;
}

static HlTensor *
numbers (GRand *rand, HlShape shape, double scale)
{
  HlTensor *t = hl_tensor_new (HL_DTYPE_F64, shape, NULL);
  double *x = t->data;
  for (gint64 i = 0; i < hl_tensor_count (t); i++)
    x[i] = scale * normal (rand);
  return t;
}

/* (B, H, T, K) as a strided view of (B, T, H * K), as a projection leaves it. */
static HlTensor *
heads (GRand *rand, gint64 B, gint64 H, gint64 T, gint64 K)
{
  g_autoptr (HlTensor) flat = numbers (rand, HL_SHAPE (B, T, H * K), 1);
  gint64 stride[] = { T * H * K, K, H * K, 1 };
  return hl_tensor_view (flat, 0, HL_SHAPE (B, H, T, K), stride);
}

static gint64
pick (GRand *rand, gint64 low, gint64 high)
{
  return g_rand_int_range (rand, (gint32) low, (gint32) high + 1);
}

static HlOpCall
example_linear (GRand *rand, int size)
{
  gint64 B = size ? 1 : pick (rand, 1, 3), T = size ? 197 : pick (rand, 1, 70);
  gint64 D = size ? 768 : pick (rand, 1, 130), F = size ? 3072 : pick (rand, 1, 150);
  HlOpCall call = { .op = HL_OP_LINEAR };
  call.params.is_transposed = !size && g_rand_boolean (rand);
  if (!size && g_rand_int_range (rand, 0, 4) == 0) /* a single row goes another way */
    B = T = 1;
  call.in[0] = numbers (rand, HL_SHAPE (B, T, D), 1);
  call.in[1] =
      numbers (rand, call.params.is_transposed ? HL_SHAPE (D, F) : HL_SHAPE (F, D),
               1 / sqrt ((double) D));
  if (size || g_rand_boolean (rand))
    call.in[2] = numbers (rand, HL_SHAPE (F), 1);
  return call;
}

static HlOpCall
example_layer_norm (GRand *rand, int size)
{
  gint64 T = size ? 197 : pick (rand, 1, 40), D = size ? 768 : pick (rand, 2, 200);
  HlOpCall call = { .op = HL_OP_LAYER_NORM, .params = { .eps = 1e-6 } };
  call.in[0] = numbers (rand, HL_SHAPE (1, T, D), 1);
  call.in[1] = numbers (rand, HL_SHAPE (D), 1);
  call.in[2] = numbers (rand, HL_SHAPE (D), 1);
  return call;
}

static HlOpCall
example_rms_norm (GRand *rand, int size)
{
  gint64 T = size ? 197 : pick (rand, 1, 40), D = size ? 768 : pick (rand, 1, 200);
  HlOpCall call = { .op = HL_OP_RMS_NORM, .params = { .eps = 1e-5 } };
  call.in[0] = numbers (rand, HL_SHAPE (1, T, D), 1);
  call.in[1] = numbers (rand, HL_SHAPE (D), 1);
  return call;
}

/* x is a view into wider rows, as a joint projection of Q, K and V leaves it. */
static HlOpCall
example_rope (GRand *rand, int size)
{
  gint64 B = size ? 1 : pick (rand, 1, 3), T = size ? 197 : pick (rand, 1, 30);
  gint64 H = size ? 12 : pick (rand, 1, 4), half = size ? 32 : pick (rand, 1, 20);
  if (!size && pick (rand, 0, 2) == 0) /* whole heads, in steps that devices like */
    half = 8 * pick (rand, 1, 3);
  gint64 K = size ? 64 : half % 8 == 0 ? 2 * half : 2 * half + pick (rand, 0, 3);
  HlOpCall call = { .op = HL_OP_ROPE };
  call.params.is_interleaved = !size && g_rand_boolean (rand);
  if (size || g_rand_boolean (rand))
    call.in[0] = numbers (rand, HL_SHAPE (B, T, H, K), 1);
  else
    {
      g_autoptr (HlTensor) wide = numbers (rand, HL_SHAPE (B, T, 3 * H * K), 1);
      gint64 stride[] = { T * 3 * H * K, 3 * H * K, K, 1 };
      call.in[0] = hl_tensor_view (wide, H * K, HL_SHAPE (B, T, H, K), stride);
    }
  call.in[1] = numbers (rand, HL_SHAPE (T, half), 0.5);
  call.in[2] = numbers (rand, HL_SHAPE (T, half), 0.5);
  return call;
}

static HlOpCall
example_activation (GRand *rand, int size)
{
  gint64 T = size ? 197 : pick (rand, 1, 40), D = size ? 3072 : pick (rand, 1, 99);
  HlOpCall call = { .op = HL_OP_ACTIVATION };
  call.params.activation =
      size ? HL_ACTIVATION_GELU
           : (HlActivation) pick (rand, HL_ACTIVATION_GELU, HL_ACTIVATION_TANH);
  call.in[0] = numbers (rand, HL_SHAPE (1, T, D), 2);
  return call;
}

static HlOpCall
example_add (GRand *rand, int size)
{
  gint64 B = size ? 1 : pick (rand, 1, 4), T = size ? 197 : pick (rand, 1, 40);
  gint64 D = size ? 768 : pick (rand, 1, 99);
  HlOpCall call = { .op = HL_OP_ADD };
  call.in[0] = numbers (rand, HL_SHAPE (B, T, D), 1);
  call.in[1] = numbers (rand, HL_SHAPE (g_rand_boolean (rand) ? 1 : B, T, D), 1);
  return call;
}

static HlOpCall
example_multiply (GRand *rand, int size)
{
  HlOpCall call = example_add (rand, size);
  call.op = HL_OP_MULTIPLY;
  return call;
}

/* Half of them plain; windows from a single key to more than there are. */
static void
scoring (GRand *rand, HlOpParams *params, gint64 T)
{
  if (pick (rand, 0, 2) == 0)
    params->window = pick (rand, 1, T + 3);
  if (pick (rand, 0, 2) == 0)
    params->soft_cap = g_rand_double_range (rand, 0.5, 6);
}

static HlOpCall
attention_like (GRand *rand, int size, HlOp op)
{
  gint64 B = size ? 1 : pick (rand, 1, 3), Hkv = size ? 12 : pick (rand, 1, 3);
  gint64 H = size ? 12 : Hkv * pick (rand, 1, 3), K = size ? 64 : pick (rand, 1, 40);
  gint64 Tq = size ? 197 : pick (rand, 1, 90);
  gint64 Tk = size ? 197 : Tq + pick (rand, 0, 20);
  if (!size && pick (rand, 0, 4) == 0) /* several tiles of rows and keys */
    {
      B = Hkv = H = 1;
      K = pick (rand, 1, 4);
      Tq = pick (rand, 100, 300);
      Tk = g_rand_boolean (rand) ? Tq + pick (rand, 300, 900) : pick (rand, 1, Tq);
    }
  else if (!size && pick (rand, 0, 4) == 0) /* a single query goes another way */
    {
      Tq = 1;
      Tk = pick (rand, 1, 1100);
    }
  else if (!size && pick (rand, 0, 4) == 0) /* the first queries see nothing */
    Tk = pick (rand, 1, Tq);
  HlOpCall call = { .op = op };
  call.params.scale = 1 / sqrt ((double) K);
  call.params.is_causal = !size && g_rand_boolean (rand);
  call.params.query_start = Tk - Tq;
  if (!size)
    scoring (rand, &call.params, MAX (Tq, Tk));
  call.in[0] = heads (rand, B, H, Tq, K);
  call.in[1] = heads (rand, g_rand_boolean (rand) ? 1 : B, Hkv, Tk, K);
  if (op == HL_OP_ATTENTION)
    call.in[2] = heads (rand, call.in[1]->shape.dim[0], Hkv, Tk, K);
  return call;
}

static HlOpCall
example_scores (GRand *rand, int size)
{
  return attention_like (rand, size, HL_OP_SCORES);
}

static HlOpCall
example_attention (GRand *rand, int size)
{
  return attention_like (rand, size, HL_OP_ATTENTION);
}

/* Makes a call on maps causal, or one of windows, or both, and sets the entries that it
 * forbids to @value. */
static void
make_blind (GRand *rand, HlOpCall *call, double value)
{
  const gint64 *dim = call->in[0]->shape.dim;
  double *x = call->in[0]->data;
  HlOpParams *p = &call->params;
  p->is_causal = pick (rand, 0, 3) > 0;
  p->window = pick (rand, 0, 2) == 0 ? pick (rand, 1, dim[3]) : 0;
  p->query_start = dim[3] - dim[2];
  for (gint64 i = 0; i < dim[0] * dim[1] * dim[2]; i++)
    for (gint64 j = 0; j < dim[3]; j++)
      {
        gint64 behind = i % dim[2] + p->query_start - j;
        if ((p->is_causal && behind < 0) || (p->window > 0 && ABS (behind) >= p->window))
          x[i * dim[3] + j] = value;
      }
}

static HlOpCall
example_softmax (GRand *rand, int size)
{
  gint64 H = size ? 12 : pick (rand, 1, 4), Tq = size ? 197 : pick (rand, 1, 60);
  gint64 T = size ? 197 : pick (rand, 1, 60);
  HlOpCall call = { .op = HL_OP_SOFTMAX };
  call.in[0] = numbers (rand, HL_SHAPE (1, H, Tq, T), 3);
  if (!size && g_rand_boolean (rand))
    make_blind (rand, &call, NAN); /* they are not looked at */
  double *row = call.in[0]->data;
  if (!size && g_rand_boolean (rand)) /* a row that may see nothing */
    for (gint64 j = 0; j < T; j++)
      row[j] = -INFINITY;
  return call;
}

static HlOpCall
example_mix (GRand *rand, int size)
{
  gint64 B = size ? 1 : pick (rand, 1, 3), Hkv = size ? 12 : pick (rand, 1, 3);
  gint64 H = size ? 12 : Hkv * pick (rand, 1, 2), K = size ? 64 : pick (rand, 1, 40);
  gint64 Tq = size ? 197 : pick (rand, 1, 60), Tk = size ? 197 : pick (rand, 1, 60);
  if (!size && pick (rand, 0, 3) == 0) /* several blocks of rows, or a single one */
    Tq = g_rand_boolean (rand) ? 1 : pick (rand, 129, 300);
  HlOpCall call = { .op = HL_OP_MIX };
  call.in[0] = numbers (rand, HL_SHAPE (B, H, Tq, Tk), 1 / sqrt ((double) Tk));
  call.in[1] = heads (rand, g_rand_boolean (rand) ? 1 : B, Hkv, Tk, K);
  if (!size && g_rand_boolean (rand))
    make_blind (rand, &call, 0);
  return call;
}

static HlOpCall
example_attention_rect (GRand *rand, int size)
{
  gint64 K = size ? 64 : pick (rand, 1, 40);
  gint64 Tq = size ? 256 : pick (rand, 1, 90), Tk = size ? 256 : pick (rand, 1, 90);
  HlOpCall call = { .op = HL_OP_ATTENTION_RECT };
  call.params.scale = 1 / sqrt ((double) K);
  call.params.is_causal = !size && g_rand_boolean (rand);
  call.params.query_start = pick (rand, 0, 30);
  call.params.key_start = pick (rand, 0, 30);
  if (!size)
    scoring (rand, &call.params, 60);
  call.in[0] = numbers (rand, HL_SHAPE (Tq, K), 1);
  call.in[1] = numbers (rand, HL_SHAPE (Tk, K), 1);
  call.in[2] = numbers (rand, HL_SHAPE (Tq), 1);
  double *lse = call.in[2]->data;
  for (gint64 i = 0; i < Tq; i++)
    lse[i] += 6;
  if (!size && g_rand_boolean (rand))
    lse[0] = -INFINITY;
  return call;
}

/* Cells of one entry to those that are larger than the map; causal rows that see nothing;
 * a level at which a cell is several of a device's squares. */
static HlOpCall
example_attention_pooled (GRand *rand, int size)
{
  HlOpCall call = example_attention_rect (rand, size);
  call.op = HL_OP_ATTENTION_POOLED;
  call.params.level = size ? 3 : (int) pick (rand, 0, 7);
  if (size || pick (rand, 0, 3) > 0)
    return call;
  for (int i = 0; i < 3; i++)
    hl_tensor_unref (call.in[i]);
  gint64 K = pick (rand, 1, 5), Tq = pick (rand, 100, 330), Tk = pick (rand, 100, 330);
  call.in[0] = numbers (rand, HL_SHAPE (Tq, K), 1);
  call.in[1] = numbers (rand, HL_SHAPE (Tk, K), 1);
  call.in[2] = numbers (rand, HL_SHAPE (Tq), 1);
  for (gint64 i = 0; i < Tq; i++)
    ((double *) call.in[2]->data)[i] += 6;
  return call;
}

static HlOpCall
example_gate (GRand *rand, int size)
{
  gint64 B = size ? 1 : pick (rand, 1, 4), H = size ? 12 : pick (rand, 1, 5);
  gint64 T = size ? 197 : pick (rand, 1, 30), K = size ? 64 : pick (rand, 1, 30);
  HlOpCall call = { .op = HL_OP_GATE };
  call.in[0] = numbers (rand, HL_SHAPE (g_rand_boolean (rand) ? 1 : B, T, H, K), 1);
  call.in[1] = numbers (rand, HL_SHAPE (B, H), 1);
  return call;
}

static HlOpCall
example_blend (GRand *rand, int size)
{
  gint64 B = size ? 1 : pick (rand, 1, 3), H = size ? 12 : pick (rand, 1, 4);
  gint64 T = size ? 197 : pick (rand, 1, 30), U = size ? 197 : pick (rand, 1, 30);
  HlOpCall call = { .op = HL_OP_BLEND };
  call.in[0] = numbers (rand, HL_SHAPE (B, H, T, U), 1);
  call.in[1] = numbers (rand, HL_SHAPE (1, g_rand_boolean (rand) ? 1 : H, 1, U), 1);
  if (g_rand_boolean (rand))
    call.in[2] = numbers (rand, HL_SHAPE (B, 1, T, 1), 1);
  return call;
}

static HlOpCall
example_patchify (GRand *rand, int size)
{
  gint64 ph = size ? 16 : pick (rand, 1, 6), pw = size ? 16 : pick (rand, 1, 6);
  gint64 rows = size ? 14 : pick (rand, 1, 5), columns = size ? 14 : pick (rand, 1, 5);
  HlOpCall call = { .op = HL_OP_PATCHIFY };
  call.params.patch_height = (int) ph;
  call.params.patch_width = (int) pw;
  call.in[0] = numbers (
      rand, HL_SHAPE (size ? 1 : pick (rand, 1, 2), 3, rows * ph, columns * pw), 1);
  return call;
}

static HlOpCall
example_unfold (GRand *rand, int size)
{
  HlOpCall call = { .op = HL_OP_UNFOLD };
  int kernel = size ? 3 : (int) pick (rand, 1, 4);
  call.params.kernel = kernel;
  call.params.step = size ? 2 : (int) pick (rand, 1, 3);
  call.params.padding = size ? 1 : (int) pick (rand, 0, kernel - 1);
  gint64 height = size ? 98 : pick (rand, kernel, 9);
  gint64 width = size ? 98 : pick (rand, kernel, 9);
  call.in[0] = numbers (rand,
                        HL_SHAPE (size ? 4 : pick (rand, 1, 3), height, width,
                                  size ? 16 : pick (rand, 1, 5)),
                        1);
  return call;
}

static HlOpCall
example_fold (GRand *rand, int size)
{
  HlOpCall call = example_unfold (rand, size);
  HlShape rows[HL_OP_MAX_OUT];
  g_assert_true (hl_op_infer (&call, rows, NULL));
  call.op = HL_OP_FOLD;
  call.in[1] = call.in[0];
  call.in[0] = numbers (rand, rows[0], 1);
  return call;
}

/* Running means of gradients and of their squares, and one gradient more. */
static HlOpCall
example_moments (GRand *rand, int size)
{
  HlOpCall call = { .op = HL_OP_MOMENTS };
  HlShape shape = HL_SHAPE (size ? 1 << 20 : pick (rand, 1, 70), pick (rand, 1, 3));
  call.params.beta1 = g_rand_double_range (rand, 0, 0.99);
  call.params.beta2 = g_rand_double_range (rand, 0, 0.999);
  for (int i = 0; i < 3; i++)
    call.in[i] = numbers (rand, shape, 1);
  double *v = call.in[1]->data;
  for (gint64 i = 0; i < hl_tensor_count (call.in[1]); i++)
    v[i] *= v[i];
  return call;
}

static HlOpCall
example_adam_step (GRand *rand, int size)
{
  HlOpCall call = example_moments (rand, size);
  call.op = HL_OP_ADAM_STEP;
  g_clear_pointer (&call.in[2], hl_tensor_unref);
  call.params.rate = 1e-3;
  call.params.eps = 1e-3; /* far from 0, where a difference of roundings is divided */
  call.params.n_steps = pick (rand, 1, 50);
  return call;
}

static HlOpCall
example_concat (GRand *rand, int size)
{
  gint64 B = size ? 1 : pick (rand, 1, 3), D = size ? 768 : pick (rand, 1, 50);
  if (!size && g_rand_boolean (rand))
    D = 8 * pick (rand, 1, 5);
  HlOpCall call = { .op = HL_OP_CONCAT };
  call.in[0] = numbers (rand, HL_SHAPE (1, pick (rand, 1, 4), D), 1);
  call.in[1] = numbers (rand, HL_SHAPE (B, size ? 196 : pick (rand, 1, 20), D), 1);
  return call;
}

static HlOpCall
example_slice (GRand *rand, int size)
{
  gint64 T = size ? 197 : pick (rand, 1, 30), D = size ? 768 : pick (rand, 1, 50);
  if (!size && g_rand_boolean (rand))
    D = 8 * pick (rand, 1, 5);
  HlOpCall call = { .op = HL_OP_SLICE };
  call.params.start = pick (rand, 0, T - 1);
  call.params.count = pick (rand, 1, T - call.params.start);
  call.in[0] = numbers (rand, HL_SHAPE (size ? 1 : pick (rand, 1, 3), T, D), 1);
  return call;
}

/* ---- gradients -----------------------------------------------------------------------
 */

static HlOpCall
example_linear_grad_weight (GRand *rand, int size)
{
  gint64 B = size ? 1 : pick (rand, 1, 3), T = size ? 197 : pick (rand, 1, 40);
  gint64 D = size ? 768 : pick (rand, 1, 90), F = size ? 3072 : pick (rand, 1, 120);
  HlOpCall call = { .op = HL_OP_LINEAR_GRAD_WEIGHT };
  call.params.is_transposed = !size && g_rand_boolean (rand);
  call.in[0] = numbers (rand, HL_SHAPE (B, T, F), 1 / sqrt ((double) (B * T)));
  call.in[1] = numbers (rand, HL_SHAPE (B, T, D), 1);
  return call;
}

/* dy before the inputs of @call; they move on by one. */
static HlOpCall
with_dy (HlOpCall call, HlOp op, HlTensor *dy)
{
  call.op = op;
  for (int i = HL_OP_MAX_IN - 1; i > 0; i--)
    call.in[i] = call.in[i - 1];
  call.in[0] = dy;
  return call;
}

static HlOpCall
example_layer_norm_grad (GRand *rand, int size)
{
  HlOpCall call = example_layer_norm (rand, size);
  g_clear_pointer (&call.in[2], hl_tensor_unref); /* the bias plays no part */
  call.params.eps = 1e-2;                         /* short rows may be nearly constant */
  return with_dy (call, HL_OP_LAYER_NORM_GRAD, numbers (rand, call.in[0]->shape, 1));
}

static HlOpCall
example_rms_norm_grad (GRand *rand, int size)
{
  HlOpCall call = example_rms_norm (rand, size);
  call.params.eps = 1e-2;
  return with_dy (call, HL_OP_RMS_NORM_GRAD, numbers (rand, call.in[0]->shape, 1));
}

static HlOpCall
example_activation_grad (GRand *rand, int size)
{
  HlOpCall call = example_activation (rand, size);
  return with_dy (call, HL_OP_ACTIVATION_GRAD, numbers (rand, call.in[0]->shape, 1));
}

static HlOpCall
example_scores_grad (GRand *rand, int size)
{
  HlOpCall call = attention_like (rand, size, HL_OP_SCORES);
  const gint64 *q = call.in[0]->shape.dim, *k = call.in[1]->shape.dim;
  double scale = 1 / sqrt ((double) MAX (q[2], k[2]));
  return with_dy (call, HL_OP_SCORES_GRAD,
                  numbers (rand, HL_SHAPE (q[0], q[1], q[2], k[2]), scale));
}

/* Rows that are distributions, some of them with zeros. */
static HlTensor *
distributions (GRand *rand, HlShape shape)
{
  HlTensor *a = numbers (rand, shape, 1);
  double *x = a->data;
  gint64 T = shape.dim[3];
  for (gint64 i = 0; i < hl_tensor_count (a); i += T)
    {
      gint64 n = g_rand_boolean (rand) ? T : pick (rand, 1, T);
      double sum = 0;
      for (gint64 j = 0; j < T; j++)
        sum += x[i + j] = j < n ? exp (x[i + j]) : 0;
      for (gint64 j = 0; j < T; j++)
        x[i + j] /= sum;
    }
  return a;
}

static HlOpCall
example_softmax_grad (GRand *rand, int size)
{
  gint64 H = size ? 12 : pick (rand, 1, 4), Tq = size ? 197 : pick (rand, 1, 30);
  gint64 T = size ? 197 : pick (rand, 1, 60);
  HlOpCall call = { .op = HL_OP_SOFTMAX_GRAD };
  call.in[0] = numbers (rand, HL_SHAPE (1, H, Tq, T), 1);
  call.in[1] = distributions (rand, HL_SHAPE (1, H, Tq, T));
  return call;
}

static HlOpCall
example_mix_grad (GRand *rand, int size)
{
  gint64 B = size ? 1 : pick (rand, 1, 3), Hkv = size ? 12 : pick (rand, 1, 3);
  gint64 H = size ? 12 : Hkv * pick (rand, 1, 2), K = size ? 64 : pick (rand, 1, 40);
  gint64 Tq = size ? 197 : pick (rand, 1, 40), Tk = size ? 197 : pick (rand, 1, 40);
  HlOpCall call = { .op = HL_OP_MIX_GRAD };
  call.in[0] = numbers (rand, HL_SHAPE (B, Tq, H, K), 1 / sqrt ((double) K));
  call.in[1] = distributions (rand, HL_SHAPE (B, H, Tq, Tk));
  call.in[2] = heads (rand, g_rand_boolean (rand) ? 1 : B, Hkv, Tk, K);
  return call;
}

static HlOpCall
example_gate_grad (GRand *rand, int size)
{
  HlOpCall call = example_gate (rand, size);
  HlShape shape = call.in[0]->shape;
  shape.dim[0] = call.in[1]->shape.dim[0];
  g_clear_pointer (&call.in[1], hl_tensor_unref);
  return with_dy (call, HL_OP_GATE_GRAD, numbers (rand, shape, 1));
}

static HlOpCall
example_unpatchify (GRand *rand, int size)
{
  HlOpCall call = example_patchify (rand, size);
  const gint64 *dim = call.in[0]->shape.dim;
  gint64 ph = call.params.patch_height, pw = call.params.patch_width;
  HlShape rows = HL_SHAPE (dim[0], dim[2] / ph * (dim[3] / pw), dim[1] * ph * pw);
  return with_dy (call, HL_OP_UNPATCHIFY, numbers (rand, rows, 1));
}

static const Example examples[HL_N_OPS] = {
#define HL_OP(ENUM, name, ...) example_##name,
#include "ops/hl-op-table.def"
#undef HL_OP
};

HlOpCall
op_example_new (HlOp op, GRand *rand, int size)
{
  return examples[op](rand, size);
}

/* A view keeps its strides: they are what the kernels have to get right. */
static HlTensor *
convert (HlTensor *t, HlDtype dtype)
{
  if (t->dtype == dtype)
    return hl_tensor_ref (t);
  if (hl_tensor_is_contiguous (t))
    return hl_tensor_convert (t, dtype, NULL);
  gint64 span = 1;
  for (int d = 0; d < t->shape.n_dims; d++)
    span += (t->shape.dim[d] - 1) * t->stride[d];
  g_autoptr (HlTensor) flat = hl_tensor_view (t, 0, HL_SHAPE (span), NULL);
  g_autoptr (HlTensor) other = hl_tensor_convert (flat, dtype, NULL);
  return hl_tensor_view (other, 0, t->shape, t->stride);
}

HlOpCall
op_example_convert (const HlOpCall *call, HlDtype dtype)
{
  HlOpCall other = { .op = call->op, .params = call->params };
  for (int i = 0; i < HL_OP_MAX_IN; i++)
    if (call->in[i] != NULL)
      other.in[i] = convert (call->in[i], dtype);
  return other;
}

void
op_example_clear (HlOpCall *call)
{
  for (int i = 0; i < HL_OP_MAX_IN; i++)
    g_clear_pointer (&call->in[i], hl_tensor_unref);
  for (int i = 0; i < HL_OP_MAX_OUT; i++)
    g_clear_pointer (&call->out[i], hl_tensor_unref);
}
