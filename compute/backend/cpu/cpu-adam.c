/* SPDX-License-Identifier: MIT
 * Adam, number by number. */
#include "config.h"

#include "backend/cpu/cpu-kernels.h"

#define GRAIN 32768

static void
moments_items (gpointer data, gint64 begin, gint64 end, int thread)
{
  const HlOpCall *call = data;
  const real *m = call->in[0]->data, *v = call->in[1]->data, *g = call->in[2]->data;
  real *m_new = call->out[0]->data, *v_new = call->out[1]->data;
  real b1 = (real) call->params.beta1, b2 = (real) call->params.beta2;
  real c1 = (real) (1 - call->params.beta1), c2 = (real) (1 - call->params.beta2);
#pragma omp simd
  for (gint64 i = begin; i < end; i++)
    {
      m_new[i] = b1 * m[i] + c1 * g[i];
      v_new[i] = b2 * v[i] + c2 * g[i] * g[i];
    }
}

gboolean
K (moments) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  cpu_pool_run (context->pool, hl_tensor_count (call->in[0]), GRAIN, moments_items,
                (gpointer) call, context->cancellable);
  return TRUE;
}

static void
adam_step_items (gpointer data, gint64 begin, gint64 end, int thread)
{
  const HlOpCall *call = data;
  const HlOpParams *p = &call->params;
  const real *m = call->in[0]->data, *v = call->in[1]->data;
  real *out = call->out[0]->data;
  real rate = (real) (p->rate / (1 - pow (p->beta1, (double) p->n_steps)));
  real unbias = (real) (1 / (1 - pow (p->beta2, (double) p->n_steps)));
  real eps = (real) p->eps;
#pragma omp simd
  for (gint64 i = begin; i < end; i++)
    out[i] = -rate * m[i] / (real_sqrt (v[i] * unbias) + eps);
}

gboolean
K (adam_step) (const CpuContext *context, const HlOpCall *call, GError **error)
{
  cpu_pool_run (context->pool, hl_tensor_count (call->in[0]), GRAIN, adam_step_items,
                (gpointer) call, context->cancellable);
  return TRUE;
}
