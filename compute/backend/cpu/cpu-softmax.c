/* SPDX-License-Identifier: MIT
 * Row softmax with the logarithm of each row's sum. */
#include "config.h"

#include "backend/cpu/cpu-kernels.h"
#include "ops/hl-seen.h"

#include <string.h>

real
K (softmax_row) (real *row, gint64 n)
{
  real max = -INFINITY;
#pragma omp simd reduction(max : max)
  for (gint64 j = 0; j < n; j++)
    max = row[j] > max ? row[j] : max;
  if (max == -INFINITY)
    {
      /* Nothing may be seen from here: zeros, not NaN. */
      memset (row, 0, sizeof (real) * (gsize) n);
      return -INFINITY;
    }
  double sum = 0;
#pragma omp simd
  for (gint64 j = 0; j < n; j++)
    row[j] = real_exp (row[j] - max);
#pragma omp simd reduction(+ : sum)
  for (gint64 j = 0; j < n; j++)
    sum += (double) row[j];
  real factor = (real) (1 / sum);
#pragma omp simd
  for (gint64 j = 0; j < n; j++)
    row[j] *= factor;
  return (real) ((double) max + log (sum));
}

typedef struct
{
  const real *scores;
  real *out;
  real *lse;
  gint64 Tq, Tk;
  const HlOpParams *params;
} Softmax;

static void
softmax_rows (gpointer data, gint64 begin, gint64 end, int thread)
{
  const Softmax *s = data;
  for (gint64 i = begin; i < end; i++)
    {
      real *row = s->out + i * s->Tk;
      HlKeyRange seen = hl_keys_seen (s->params, i % s->Tq, s->Tk);
      gint64 n = seen.end - seen.first;
      memset (row, 0, sizeof (real) * (gsize) seen.first);
      memcpy (row + seen.first, s->scores + i * s->Tk + seen.first,
              sizeof (real) * (gsize) n);
      memset (row + seen.end, 0, sizeof (real) * (gsize) (s->Tk - seen.end));
      s->lse[i] = K (softmax_row) (row + seen.first, n);
    }
}

gboolean
K (softmax) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  Softmax s = { .scores = call->in[0]->data,
                .out = call->out[0]->data,
                .lse = call->out[1]->data,
                .Tq = call->in[0]->shape.dim[2],
                .Tk = call->in[0]->shape.dim[3],
                .params = &call->params };
  gint64 grain = MAX (1, 65536 / MAX (s.Tk, 1));
  cpu_pool_run (context->pool, hl_tensor_count (call->out[1]), grain, softmax_rows, &s,
                context->cancellable);
  return TRUE;
}
