/* SPDX-License-Identifier: MIT
 * Reverse mode over the op table: one rule an op. */
#include "base/hl-error.h"
#include "ops/hl-tape.h"

typedef struct
{
  HlTape *tape;
  HlExec *exec;
  const HlOpCall *call;
  HlTensor *dy;
} Rule;

static gboolean
wants (const Rule *r, int i)
{
  return hl_tape_depends (r->tape, r->call->in[i]);
}

static void
give (const Rule *r, int i, HlTensor *g)
{
  hl_tape_add (r->tape, r->exec, r->call->in[i], g);
}

/* The last dimension kept, all before it as one. */
static HlTensor *
as_rows (HlTensor *x)
{
  gint64 D = x->shape.dim[x->shape.n_dims - 1];
  return hl_tensor_view (x, 0, HL_SHAPE (hl_tensor_count (x) / MAX (D, 1), D), NULL);
}

/* To a vector that was added to, or multiplied with, every row of @g. */
static void
give_sum_of_rows (const Rule *r, int i, HlTensor *g)
{
  HlTensor *x = r->call->in[i];
  if (g == NULL || !wants (r, i))
    return;
  g_autoptr (HlTensor) row = hl_tensor_view (x, 0, HL_SHAPE (1, x->shape.dim[0]), NULL);
  hl_tape_add (r->tape, r->exec, row, as_rows (g));
}

/* Runs a gradient op with dy first; the second result where @second is given. */
static HlTensor *
run (const Rule *r, HlOp op, HlTensor *a, HlTensor *b, HlTensor **second)
{
  HlOpCall call = { .op = op, .in = { r->dy, a, b }, .params = r->call->params };
  return hl_exec_run (r->exec, &call, second);
}

static void
back_linear (const Rule *r)
{
  HlTensor *w = r->call->in[1];
  gboolean is_transposed = r->call->params.is_transposed;
  if (wants (r, 0))
    give (r, 0,
          is_transposed ? hl_linear (r->exec, r->dy, w, NULL)
                        : hl_linear_transposed (r->exec, r->dy, w, NULL));
  if (wants (r, 1))
    give (r, 1, run (r, HL_OP_LINEAR_GRAD_WEIGHT, r->call->in[0], NULL, NULL));
  give_sum_of_rows (r, 2, r->dy);
}

static void
back_norm (const Rule *r, HlOp op)
{
  HlTensor *second = NULL;
  give (r, 0, run (r, op, r->call->in[0], r->call->in[1], &second));
  g_autoptr (HlTensor) dyn = second;
  give_sum_of_rows (r, 1, dyn);
  give_sum_of_rows (r, 2, r->dy);
}

static void
back_layer_norm (const Rule *r)
{
  back_norm (r, HL_OP_LAYER_NORM_GRAD);
}

static void
back_rms_norm (const Rule *r)
{
  back_norm (r, HL_OP_RMS_NORM_GRAD);
}

/* Turned back by the same angles. */
static void
back_rope (const Rule *r)
{
  const double minus = -1;
  g_autoptr (HlTensor) host = hl_tensor_new_copy (HL_DTYPE_F64, HL_SHAPE (1, 1), &minus);
  g_autoptr (HlTensor) factor = hl_exec_upload (r->exec, host);
  g_autoptr (HlTensor) sines = hl_multiply (r->exec, r->call->in[2], factor);
  give (r, 0,
        hl_rope (r->exec, r->dy, r->call->in[1], sines, r->call->params.is_interleaved));
}

static void
back_activation (const Rule *r)
{
  give (r, 0, run (r, HL_OP_ACTIVATION_GRAD, r->call->in[0], NULL, NULL));
}

static void
back_add (const Rule *r)
{
  give (r, 0, hl_tensor_ref (r->dy));
  give (r, 1, hl_tensor_ref (r->dy));
}

static void
back_multiply (const Rule *r)
{
  for (int i = 0; i < 2; i++)
    if (wants (r, i))
      give (r, i, hl_multiply (r->exec, r->dy, r->call->in[1 - i]));
}

/* To what is read heads first, of a gradient that comes as (B, T, H, K). */
static void
give_turned (const Rule *r, int i, HlTensor *g)
{
  g_autoptr (HlTensor) given = g;
  give (r, i, hl_heads_first (r->exec, given));
}

static void
back_scores_of (const Rule *r, HlTensor *ds)
{
  HlTensor *second = NULL;
  Rule of_scores = *r;
  of_scores.dy = ds;
  if (ds == NULL)
    return;
  give_turned (
      r, 0, run (&of_scores, HL_OP_SCORES_GRAD, r->call->in[0], r->call->in[1], &second));
  give_turned (r, 1, second);
}

static void
back_scores (const Rule *r)
{
  back_scores_of (r, r->dy);
}

static void
back_softmax (const Rule *r)
{
  give (r, 0, run (r, HL_OP_SOFTMAX_GRAD, r->call->out[0], NULL, NULL));
}

static void
back_mix (const Rule *r)
{
  HlTensor *second = NULL;
  give (r, 0, run (r, HL_OP_MIX_GRAD, r->call->in[0], r->call->in[1], &second));
  give_turned (r, 1, second);
}

/* The map, which the op did not keep, is made again. */
static void
back_attention (const Rule *r)
{
  HlExec *x = r->exec;
  HlTensor *const *in = r->call->in;
  const HlOpParams *p = &r->call->params;
  HlTensor *second = NULL;
  HlOpCall scoring = { .op = HL_OP_SCORES, .in = { in[0], in[1] }, .params = *p };
  g_autoptr (HlTensor) scores = hl_exec_run (x, &scoring, NULL);
  HlOpCall weighing = { .op = HL_OP_SOFTMAX, .in = { scores }, .params = *p };
  g_autoptr (HlTensor) map = scores != NULL ? hl_exec_run (x, &weighing, NULL) : NULL;
  if (map == NULL)
    return;
  g_autoptr (HlTensor) dmap = run (r, HL_OP_MIX_GRAD, map, in[2], &second);
  give_turned (r, 2, second);
  Rule of_map = *r;
  of_map.dy = dmap;
  g_autoptr (HlTensor) ds =
      dmap != NULL ? run (&of_map, HL_OP_SOFTMAX_GRAD, map, NULL, NULL) : NULL;
  back_scores_of (r, ds);
}

static void
back_gate (const Rule *r)
{
  if (wants (r, 0))
    give (r, 0, hl_gate (r->exec, r->dy, r->call->in[1]));
  if (wants (r, 1))
    give (r, 1, run (r, HL_OP_GATE_GRAD, r->call->in[0], NULL, NULL));
}

static void
fail (const Rule *r, const char *what)
{
  hl_exec_fail (r->exec, g_error_new (HL_ERROR, HL_ERROR_UNSUPPORTED,
                                      "%s: no gradient with respect to %s",
                                      hl_op_get_info (r->call->op)->name, what));
}

static void
back_blend (const Rule *r)
{
  if (wants (r, 1))
    fail (r, "the mask");
  if (wants (r, 0))
    give (r, 0, hl_blend (r->exec, r->dy, r->call->in[1], NULL));
  if (wants (r, 2))
    give (r, 2, hl_multiply (r->exec, r->dy, r->call->in[1]));
}

static void
back_patchify (const Rule *r)
{
  give (r, 0, run (r, HL_OP_UNPATCHIFY, r->call->in[0], NULL, NULL));
}

static void
back_concat (const Rule *r)
{
  gint64 Ta = r->call->in[0]->shape.dim[1], Tb = r->call->in[1]->shape.dim[1];
  if (wants (r, 0))
    give (r, 0, hl_slice (r->exec, r->dy, 0, Ta));
  if (wants (r, 1))
    give (r, 1, hl_slice (r->exec, r->dy, Ta, Tb));
}

static void
back_slice (const Rule *r)
{
  HlTensor *x = r->call->in[0];
  g_autoptr (HlTensor) part = hl_tensor_view (
      x, r->call->params.start * x->stride[1],
      HL_SHAPE (x->shape.dim[0], r->call->params.count, x->shape.dim[2]), x->stride);
  hl_tape_add (r->tape, r->exec, part, hl_tensor_ref (r->dy));
}

static void
back_unfold (const Rule *r)
{
  const HlOpParams *p = &r->call->params;
  give (r, 0, hl_fold (r->exec, r->dy, r->call->in[0], p->kernel, p->step, p->padding));
}

/* The second input only lends its shape. */
static void
back_fold (const Rule *r)
{
  const HlOpParams *p = &r->call->params;
  give (r, 0, hl_unfold (r->exec, r->dy, p->kernel, p->step, p->padding));
}

/* Gradients of gradients are not taken. */
static void
back_nothing (const Rule *r)
{
  fail (r, "its inputs");
}

#define back_moments back_nothing
#define back_adam_step back_nothing
#define back_attention_rect back_nothing
#define back_attention_pooled back_nothing
#define back_linear_grad_weight back_nothing
#define back_layer_norm_grad back_nothing
#define back_rms_norm_grad back_nothing
#define back_activation_grad back_nothing
#define back_scores_grad back_nothing
#define back_softmax_grad back_nothing
#define back_mix_grad back_nothing
#define back_gate_grad back_nothing
#define back_unpatchify back_nothing

static void (*const rules[HL_N_OPS]) (const Rule *r) = {
#define HL_OP(ENUM, name, ...) back_##name,
#include "ops/hl-op-table.def"
#undef HL_OP
};

void
hl_tape_apply (HlTape *tape, HlExec *exec, const HlTapeRecord *record, HlTensor *dy)
{
  const Rule rule = { tape, exec, &record->call, dy };
  if (record->is_copy)
    give (&rule, 0, hl_tensor_ref (dy));
  else
    rules[record->call.op](&rule);
}
