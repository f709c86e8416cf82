/* SPDX-License-Identifier: MIT
 * Ops of attention in double against formulas written out plainly. */
#include "op-attention-checks.h"

#include "op-numbers.h"
#include "ops/hl-seen.h"

static gboolean
is_hidden (const HlOpParams *p, gint64 i, gint64 j)
{
  gint64 behind = (i + p->query_start) - (j + p->key_start);
  return (p->is_causal && behind < 0) ||
         (p->window > 0 && (behind >= p->window || behind <= -p->window));
}

void
check_entries_seen (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (9);
  for (int round = 0; round < 400; round++)
    {
      gint64 Tq = g_rand_int_range (rand, 1, 12), Tk = g_rand_int_range (rand, 1, 12);
      const HlOpParams p = { .is_causal = g_rand_boolean (rand),
                             .window = MAX (g_rand_int_range (rand, -9, 15), 0),
                             .query_start = g_rand_int_range (rand, -14, 15),
                             .key_start = g_rand_int_range (rand, 0, 5) };
      double n = 0;
      for (gint64 i = 0; i < Tq; i++)
        for (gint64 j = 0; j < Tk; j++)
          n += !is_hidden (&p, i, j);
      g_assert_cmpfloat (hl_entries_seen (&p, Tq, Tk), ==, n);
    }
}

static double
capped (const HlOpParams *p, double s)
{
  return p->soft_cap > 0 ? p->soft_cap * tanh (s / p->soft_cap) : s;
}

static double
score (const HlOpCall *call, gint64 b, gint64 h, gint64 i, gint64 j)
{
  const HlTensor *q = call->in[0], *k = call->in[1];
  gint64 group = q->shape.dim[1] / k->shape.dim[1];
  if (is_hidden (&call->params, i, j))
    return -INFINITY;
  double sum = 0;
  for (gint64 d = 0; d < q->shape.dim[3]; d++)
    sum += at4 (q, b, h, i, d) * at4 (k, b, h / group, j, d);
  return capped (&call->params, sum * call->params.scale);
}

void
check_scores (const HlOpCall *call)
{
  const HlTensor *s = call->out[0];
  for (gint64 b = 0; b < s->shape.dim[0]; b++)
    for (gint64 h = 0; h < s->shape.dim[1]; h++)
      for (gint64 i = 0; i < s->shape.dim[2]; i++)
        for (gint64 j = 0; j < s->shape.dim[3]; j++)
          near (at4 (s, b, h, i, j), score (call, b, h, i, j));
}

void
check_softmax (const HlOpCall *call)
{
  gint64 T = call->in[0]->shape.dim[3], M = hl_tensor_count (call->in[0]) / T;
  gint64 Tq = call->in[0]->shape.dim[2];
  for (gint64 m = 0; m < M; m++)
    {
      const double *s = (double *) call->in[0]->data + m * T;
      const double *a = (double *) call->out[0]->data + m * T;
      const HlOpParams *p = &call->params;
      double sum = 0;
      for (gint64 j = 0; j < T; j++)
        sum += is_hidden (p, m % Tq, j) ? 0 : exp (s[j]);
      near (((double *) call->out[1]->data)[m], log (sum));
      for (gint64 j = 0; j < T; j++)
        near (a[j], sum > 0 && !is_hidden (p, m % Tq, j) ? exp (s[j]) / sum : 0);
    }
}

void
check_mix (const HlOpCall *call)
{
  const HlTensor *a = call->in[0], *v = call->in[1], *z = call->out[0];
  gint64 group = a->shape.dim[1] / v->shape.dim[1];
  for (gint64 b = 0; b < z->shape.dim[0]; b++)
    for (gint64 i = 0; i < z->shape.dim[1]; i++)
      for (gint64 h = 0; h < z->shape.dim[2]; h++)
        for (gint64 d = 0; d < z->shape.dim[3]; d++)
          {
            double sum = 0;
            for (gint64 j = 0; j < a->shape.dim[3]; j++)
              sum += at4 (a, b, h, i, j) * at4 (v, b, h / group, j, d);
            near (at4 (z, b, i, h, d), sum);
          }
}

void
check_attention (const HlOpCall *call)
{
  const HlTensor *v = call->in[2], *z = call->out[0];
  gint64 Tk = v->shape.dim[2], group = z->shape.dim[2] / v->shape.dim[1];
  const double *lse = call->out[1]->data;
  for (gint64 b = 0; b < z->shape.dim[0]; b++)
    for (gint64 h = 0; h < z->shape.dim[2]; h++)
      for (gint64 i = 0; i < z->shape.dim[1]; i++)
        {
          double total = 0;
          for (gint64 j = 0; j < Tk; j++)
            total += exp (score (call, b, h, i, j));
          near (lse[(b * z->shape.dim[2] + h) * z->shape.dim[1] + i], log (total));
          for (gint64 d = 0; d < z->shape.dim[3]; d++)
            {
              double sum = 0;
              for (gint64 j = 0; j < Tk; j++)
                sum += total > 0 ? exp (score (call, b, h, i, j)) / total *
                                       at4 (v, b, h / group, j, d)
                                 : 0;
              near (at4 (z, b, i, h, d), sum);
            }
        }
}

void
check_attention_rect (const HlOpCall *call)
{
  gint64 Tq = call->in[0]->shape.dim[0], Tk = call->in[1]->shape.dim[0];
  gint64 K = call->in[0]->shape.dim[1];
  const double *q = call->in[0]->data, *k = call->in[1]->data, *lse = call->in[2]->data;
  const double *out = call->out[0]->data;
  for (gint64 i = 0; i < Tq; i++)
    for (gint64 j = 0; j < Tk; j++)
      {
        double s = 0;
        for (gint64 d = 0; d < K; d++)
          s += q[i * K + d] * k[j * K + d];
        s = capped (&call->params, s * call->params.scale);
        double expected =
            is_hidden (&call->params, i, j) || isinf (lse[i]) ? 0 : exp (s - lse[i]);
        near (out[i * Tk + j], expected);
      }
}

void
check_attention_pooled (const HlOpCall *call)
{
  gint64 Tq = call->in[0]->shape.dim[0], Tk = call->in[1]->shape.dim[0];
  gint64 K = call->in[0]->shape.dim[1], side = (gint64) 1 << call->params.level;
  const double *q = call->in[0]->data, *k = call->in[1]->data, *lse = call->in[2]->data;
  gint64 rows = call->out[0]->shape.dim[0], columns = call->out[0]->shape.dim[1];
  g_assert_cmpint (rows, ==, (Tq + side - 1) / side);
  g_assert_cmpint (columns, ==, (Tk + side - 1) / side);
  for (gint64 cell = 0; cell < rows * columns; cell++)
    {
      double sum = 0, most = 0, n = 0;
      for (gint64 i = cell / columns * side; i < MIN (Tq, (cell / columns + 1) * side);
           i++)
        for (gint64 j = cell % columns * side; j < MIN (Tk, (cell % columns + 1) * side);
             j++)
          {
            double s = 0;
            for (gint64 d = 0; d < K; d++)
              s += q[i * K + d] * k[j * K + d];
            s = capped (&call->params, s * call->params.scale);
            double weight =
                is_hidden (&call->params, i, j) || isinf (lse[i]) ? 0 : exp (s - lse[i]);
            sum += weight;
            most = MAX (most, weight);
            n++;
          }
      near (((double *) call->out[0]->data)[cell], sum / n);
      near (((double *) call->out[1]->data)[cell], most);
    }
}
