/* SPDX-License-Identifier: MIT
 * Where a forward pass is written against: one function an op, the first failure sticks.
 */
#include "ops/hl-exec.h"

#include "ops/hl-tape.h"

void
hl_exec_init (HlExec *exec, HlBackend *backend, const HlProgress *progress)
{
  *exec = (HlExec){ .backend = hl_backend_ref (backend), .progress = progress };
}

void
hl_exec_clear (HlExec *exec)
{
  g_clear_pointer (&exec->backend, hl_backend_unref);
  g_clear_error (&exec->error);
}

gboolean
hl_exec_ok (const HlExec *exec)
{
  return exec->error == NULL;
}

void
hl_exec_fail (HlExec *exec, GError *error)
{
  if (exec->error == NULL)
    exec->error = error;
  else
    g_error_free (error);
}

gboolean
hl_exec_step (HlExec *exec, double fraction, const char *what)
{
  if (exec->error == NULL)
    hl_progress_step (exec->progress, fraction, what, &exec->error);
  return exec->error == NULL;
}

HlTensor *
hl_exec_upload (HlExec *exec, HlTensor *host)
{
  if (exec->error != NULL || host == NULL)
    return NULL;
  return hl_backend_upload (exec->backend, host, &exec->error);
}

/* Runs @call; the second output goes to @second where somebody wants it. */
HlTensor *
hl_exec_run (HlExec *exec, HlOpCall *call, HlTensor **second)
{
  if (second != NULL)
    *second = NULL;
  if (exec->error != NULL)
    return NULL;
  if (!hl_backend_run_op (exec->backend, call, exec->progress, &exec->error))
    return NULL;
  exec->n_ops++;
  exec->flops += hl_op_flops (call);
  if (exec->tape != NULL)
    hl_tape_record (exec->tape, call);
  if (second != NULL)
    *second = call->out[1];
  else
    g_clear_pointer (&call->out[1], hl_tensor_unref);
  return call->out[0];
}

HlTensor *
hl_exec_contiguous (HlExec *exec, HlTensor *x)
{
  if (exec->error != NULL || x == NULL)
    return NULL;
  HlTensor *copy = hl_backend_contiguous (exec->backend, x, &exec->error);
  if (copy != NULL && exec->tape != NULL)
    hl_tape_record_copy (exec->tape, x, copy);
  return copy;
}

HlTensor *
hl_linear (HlExec *exec, HlTensor *x, HlTensor *w, HlTensor *b)
{
  HlOpCall call = { .op = HL_OP_LINEAR, .in = { x, w, b } };
  return hl_exec_run (exec, &call, NULL);
}

HlTensor *
hl_linear_transposed (HlExec *exec, HlTensor *x, HlTensor *w, HlTensor *b)
{
  HlOpCall call = { .op = HL_OP_LINEAR,
                    .in = { x, w, b },
                    .params = { .is_transposed = TRUE } };
  return hl_exec_run (exec, &call, NULL);
}

HlTensor *
hl_rms_norm (HlExec *exec, HlTensor *x, HlTensor *g, double eps)
{
  HlOpCall call = { .op = HL_OP_RMS_NORM, .in = { x, g }, .params = { .eps = eps } };
  return hl_exec_run (exec, &call, NULL);
}

HlTensor *
hl_rope (HlExec *exec,
         HlTensor *x,
         HlTensor *cosines,
         HlTensor *sines,
         gboolean is_interleaved)
{
  HlOpCall call = { .op = HL_OP_ROPE,
                    .in = { x, cosines, sines },
                    .params = { .is_interleaved = is_interleaved } };
  return hl_exec_run (exec, &call, NULL);
}

HlTensor *
hl_layer_norm (HlExec *exec, HlTensor *x, HlTensor *g, HlTensor *b, double eps)
{
  HlOpCall call = { .op = HL_OP_LAYER_NORM, .in = { x, g, b }, .params = { .eps = eps } };
  return hl_exec_run (exec, &call, NULL);
}

HlTensor *
hl_activation (HlExec *exec, HlTensor *x, HlActivation activation)
{
  HlOpCall call = { .op = HL_OP_ACTIVATION,
                    .in = { x },
                    .params = { .activation = activation } };
  return hl_exec_run (exec, &call, NULL);
}

HlTensor *
hl_add (HlExec *exec, HlTensor *a, HlTensor *b)
{
  HlOpCall call = { .op = HL_OP_ADD, .in = { a, b } };
  return hl_exec_run (exec, &call, NULL);
}

HlTensor *
hl_multiply (HlExec *exec, HlTensor *a, HlTensor *b)
{
  HlOpCall call = { .op = HL_OP_MULTIPLY, .in = { a, b } };
  return hl_exec_run (exec, &call, NULL);
}

/* With a cache of earlier keys there are more keys than queries, and the first query
 * stands after them. */
static gint64
first_query (const HlTensor *q, const HlTensor *k)
{
  return q != NULL && k != NULL ? k->shape.dim[2] - q->shape.dim[2] : 0;
}

static HlOpParams
params_of (const HlMapRule *rule, gint64 query_start)
{
  return (HlOpParams){ .scale = rule->scale,
                       .is_causal = rule->is_causal,
                       .window = rule->window,
                       .soft_cap = rule->soft_cap,
                       .query_start = query_start };
}

HlTensor *
hl_scores (HlExec *exec, HlTensor *q, HlTensor *k, const HlMapRule *rule)
{
  HlOpCall call = { .op = HL_OP_SCORES,
                    .in = { q, k },
                    .params = params_of (rule, first_query (q, k)) };
  return hl_exec_run (exec, &call, NULL);
}

/* Of a map that is there: all that counts is what is forbidden. */
static HlOpParams
params_of_map (const HlTensor *map, const HlMapRule *rule)
{
  if (rule == NULL || map == NULL)
    return (HlOpParams){ 0 };
  HlOpParams params = params_of (rule, map->shape.dim[3] - map->shape.dim[2]);
  params.scale = params.soft_cap = 0;
  return params;
}

HlTensor *
hl_softmax (HlExec *exec, HlTensor *scores, const HlMapRule *rule, HlTensor **lse)
{
  HlOpCall call = { .op = HL_OP_SOFTMAX,
                    .in = { scores },
                    .params = params_of_map (scores, rule) };
  return hl_exec_run (exec, &call, lse);
}

HlTensor *
hl_mix (HlExec *exec, HlTensor *pattern, HlTensor *v, const HlMapRule *rule)
{
  HlOpCall call = { .op = HL_OP_MIX,
                    .in = { pattern, v },
                    .params = params_of_map (pattern, rule) };
  return hl_exec_run (exec, &call, NULL);
}

HlTensor *
hl_attention (HlExec *exec,
              HlTensor *q,
              HlTensor *k,
              HlTensor *v,
              const HlMapRule *rule,
              HlTensor **lse)
{
  HlOpCall call = { .op = HL_OP_ATTENTION,
                    .in = { q, k, v },
                    .params = params_of (rule, first_query (q, k)) };
  return hl_exec_run (exec, &call, lse);
}

HlTensor *
hl_attention_rect (HlExec *exec,
                   HlTensor *q,
                   HlTensor *k,
                   HlTensor *lse,
                   const HlMapRule *rule,
                   gint64 query_start,
                   gint64 key_start)
{
  HlOpCall call = { .op = HL_OP_ATTENTION_RECT,
                    .in = { q, k, lse },
                    .params = params_of (rule, query_start) };
  call.params.key_start = key_start;
  return hl_exec_run (exec, &call, NULL);
}

HlTensor *
hl_attention_pooled (HlExec *exec,
                     HlTensor *q,
                     HlTensor *k,
                     HlTensor *lse,
                     const HlMapRule *rule,
                     gint64 query_start,
                     gint64 key_start,
                     int level,
                     HlTensor **max)
{
  HlOpCall call = { .op = HL_OP_ATTENTION_POOLED,
                    .in = { q, k, lse },
                    .params = params_of (rule, query_start) };
  call.params.key_start = key_start;
  call.params.level = level;
  return hl_exec_run (exec, &call, max);
}

HlTensor *
hl_gate (HlExec *exec, HlTensor *z, HlTensor *gates)
{
  HlOpCall call = { .op = HL_OP_GATE, .in = { z, gates } };
  return hl_exec_run (exec, &call, NULL);
}

HlTensor *
hl_blend (HlExec *exec, HlTensor *x, HlTensor *mask, HlTensor *replacement)
{
  HlOpCall call = { .op = HL_OP_BLEND, .in = { x, mask, replacement } };
  return hl_exec_run (exec, &call, NULL);
}

HlTensor *
hl_patchify (HlExec *exec, HlTensor *pixels, int patch_height, int patch_width)
{
  HlOpCall call = { .op = HL_OP_PATCHIFY,
                    .in = { pixels },
                    .params = { .patch_height = patch_height,
                                .patch_width = patch_width } };
  return hl_exec_run (exec, &call, NULL);
}

HlTensor *
hl_unfold (HlExec *exec, HlTensor *x, int kernel, int step, int padding)
{
  HlOpCall call = { .op = HL_OP_UNFOLD,
                    .in = { x },
                    .params = { .kernel = kernel, .step = step, .padding = padding } };
  return hl_exec_run (exec, &call, NULL);
}

HlTensor *
hl_fold (HlExec *exec, HlTensor *rows, HlTensor *like, int kernel, int step, int padding)
{
  HlOpCall call = { .op = HL_OP_FOLD,
                    .in = { rows, like },
                    .params = { .kernel = kernel, .step = step, .padding = padding } };
  return hl_exec_run (exec, &call, NULL);
}

HlTensor *
hl_moments (HlExec *exec,
            HlTensor *m,
            HlTensor *v,
            HlTensor *g,
            double beta1,
            double beta2,
            HlTensor **v_new)
{
  HlOpCall call = { .op = HL_OP_MOMENTS,
                    .in = { m, v, g },
                    .params = { .beta1 = beta1, .beta2 = beta2 } };
  return hl_exec_run (exec, &call, v_new);
}

HlTensor *
hl_adam_step (HlExec *exec,
              HlTensor *m,
              HlTensor *v,
              double beta1,
              double beta2,
              double rate,
              double eps,
              gint64 n_steps)
{
  HlOpCall call = { .op = HL_OP_ADAM_STEP,
                    .in = { m, v },
                    .params = { .eps = eps,
                                .beta1 = beta1,
                                .beta2 = beta2,
                                .rate = rate,
                                .n_steps = n_steps } };
  return hl_exec_run (exec, &call, NULL);
}

HlTensor *
hl_concat (HlExec *exec, HlTensor *a, HlTensor *b)
{
  HlOpCall call = { .op = HL_OP_CONCAT, .in = { a, b } };
  return hl_exec_run (exec, &call, NULL);
}

HlTensor *
hl_slice (HlExec *exec, HlTensor *x, gint64 start, gint64 count)
{
  HlOpCall call = { .op = HL_OP_SLICE,
                    .in = { x },
                    .params = { .start = start, .count = count } };
  return hl_exec_run (exec, &call, NULL);
}

HlTensor *
hl_heads_first (HlExec *exec, HlTensor *x)
{
  if (exec->error != NULL || x == NULL)
    return NULL;
  const gint64 *dim = x->shape.dim, *from = x->stride;
  gint64 stride[] = { from[0], from[2], from[1], from[3] };
  return hl_tensor_view (x, 0, HL_SHAPE (dim[0], dim[2], dim[1], dim[3]), stride);
}

HlTensor *
hl_join_heads (HlExec *exec, HlTensor *z)
{
  if (exec->error != NULL || z == NULL)
    return NULL;
  const gint64 *dim = z->shape.dim;
  return hl_tensor_view (z, 0, HL_SHAPE (dim[0], dim[1], dim[2] * dim[3]), NULL);
}
