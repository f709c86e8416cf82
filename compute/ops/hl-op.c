/* SPDX-License-Identifier: MIT
 * The rows of the op table: shape rules and cost formulas. */
#include "ops/hl-op.h"

#include "base/hl-error.h"
#include "ops/hl-seen.h"

typedef gboolean (*ShapeRule) (const HlOpCall *call, HlShape *out);

#define DIM(tensor, i) ((tensor)->shape.dim[i])
#define RANK(tensor) ((tensor)->shape.n_dims)

static gboolean
broadcast_dim (gint64 a, gint64 b, gint64 *out)
{
  *out = a == 1 ? b : a;
  return a == b || a == 1 || b == 1;
}

static gboolean
broadcast (const HlTensor *a, const HlTensor *b, HlShape *out)
{
  if (RANK (a) != RANK (b))
    return FALSE;
  out->n_dims = RANK (a);
  for (int i = 0; i < RANK (a); i++)
    if (!broadcast_dim (DIM (a, i), DIM (b, i), &out->dim[i]))
      return FALSE;
  return TRUE;
}

static gboolean
shape_linear (const HlOpCall *call, HlShape *out)
{
  const HlTensor *x = call->in[0], *w = call->in[1], *b = call->in[2];
  int in = call->params.is_transposed ? 0 : 1;
  if (RANK (x) < 1 || RANK (w) != 2 || DIM (x, RANK (x) - 1) != DIM (w, in))
    return FALSE;
  if (b != NULL && (RANK (b) != 1 || DIM (b, 0) != DIM (w, 1 - in)))
    return FALSE;
  out[0] = x->shape;
  out[0].dim[RANK (x) - 1] = DIM (w, 1 - in);
  return TRUE;
}

static gboolean
shape_layer_norm (const HlOpCall *call, HlShape *out)
{
  const HlTensor *x = call->in[0];
  out[0] = x->shape;
  for (int i = 1; i < 3; i++)
    if (RANK (x) < 1 || RANK (call->in[i]) != 1 ||
        DIM (call->in[i], 0) != DIM (x, RANK (x) - 1))
      return FALSE;
  return TRUE;
}

static gboolean
shape_rms_norm (const HlOpCall *call, HlShape *out)
{
  const HlTensor *x = call->in[0], *g = call->in[1];
  out[0] = x->shape;
  return RANK (x) >= 1 && RANK (g) == 1 && DIM (g, 0) == DIM (x, RANK (x) - 1);
}

static gboolean
shape_rope (const HlOpCall *call, HlShape *out)
{
  const HlTensor *x = call->in[0], *c = call->in[1], *s = call->in[2];
  out[0] = x->shape;
  return RANK (x) == 4 && RANK (c) == 2 && hl_shape_equal (&c->shape, &s->shape) &&
         DIM (c, 0) == DIM (x, 1) && 2 * DIM (c, 1) <= DIM (x, 3);
}

static gboolean
shape_activation (const HlOpCall *call, HlShape *out)
{
  out[0] = call->in[0]->shape;
  return call->params.activation != HL_ACTIVATION_NONE;
}

static gboolean
shape_add (const HlOpCall *call, HlShape *out)
{
  return broadcast (call->in[0], call->in[1], &out[0]);
}

static gboolean
shape_multiply (const HlOpCall *call, HlShape *out)
{
  return broadcast (call->in[0], call->in[1], &out[0]);
}

/* (B, H, Tq, ·) against (B, Hkv, Tk, ·): batches broadcast, key heads divide the query
 * heads. */
static gboolean
heads_fit (const HlTensor *q, const HlTensor *k, gint64 *batch)
{
  return RANK (q) == 4 && RANK (k) == 4 &&
         broadcast_dim (DIM (q, 0), DIM (k, 0), batch) && DIM (k, 1) > 0 &&
         DIM (q, 1) % DIM (k, 1) == 0;
}

static gboolean
shape_scores (const HlOpCall *call, HlShape *out)
{
  const HlTensor *q = call->in[0], *k = call->in[1];
  gint64 batch;
  if (!heads_fit (q, k, &batch) || DIM (q, 3) != DIM (k, 3))
    return FALSE;
  out[0] = HL_SHAPE (batch, DIM (q, 1), DIM (q, 2), DIM (k, 2));
  return TRUE;
}

static gboolean
shape_softmax (const HlOpCall *call, HlShape *out)
{
  const HlTensor *s = call->in[0];
  if (RANK (s) != 4)
    return FALSE;
  out[0] = s->shape;
  out[1] = HL_SHAPE (DIM (s, 0), DIM (s, 1), DIM (s, 2));
  return TRUE;
}

static gboolean
shape_mix (const HlOpCall *call, HlShape *out)
{
  const HlTensor *a = call->in[0], *v = call->in[1];
  gint64 batch;
  if (!heads_fit (a, v, &batch) || DIM (a, 3) != DIM (v, 2))
    return FALSE;
  out[0] = HL_SHAPE (batch, DIM (a, 2), DIM (a, 1), DIM (v, 3));
  return TRUE;
}

static gboolean
shape_attention (const HlOpCall *call, HlShape *out)
{
  const HlTensor *q = call->in[0], *k = call->in[1], *v = call->in[2];
  gint64 batch;
  if (!heads_fit (q, k, &batch) || DIM (q, 3) != DIM (k, 3) ||
      !hl_shape_equal (&k->shape, &v->shape))
    return FALSE;
  out[0] = HL_SHAPE (batch, DIM (q, 2), DIM (q, 1), DIM (q, 3));
  out[1] = HL_SHAPE (batch, DIM (q, 1), DIM (q, 2));
  return TRUE;
}

static gboolean
shape_attention_rect (const HlOpCall *call, HlShape *out)
{
  const HlTensor *q = call->in[0], *k = call->in[1], *lse = call->in[2];
  if (RANK (q) != 2 || RANK (k) != 2 || RANK (lse) != 1 || DIM (q, 1) != DIM (k, 1) ||
      DIM (lse, 0) != DIM (q, 0))
    return FALSE;
  out[0] = HL_SHAPE (DIM (q, 0), DIM (k, 0));
  return TRUE;
}

static gboolean
shape_attention_pooled (const HlOpCall *call, HlShape *out)
{
  int level = call->params.level;
  if (level < 0 || level > 20 || !shape_attention_rect (call, out))
    return FALSE;
  for (int i = 0; i < 2; i++)
    out[0].dim[i] = ((out[0].dim[i] - 1) >> level) + 1;
  out[1] = out[0];
  return TRUE;
}

static gboolean
shape_gate (const HlOpCall *call, HlShape *out)
{
  const HlTensor *z = call->in[0], *g = call->in[1];
  gint64 batch;
  if (RANK (z) != 4 || RANK (g) != 2 || DIM (z, 2) != DIM (g, 1) ||
      !broadcast_dim (DIM (z, 0), DIM (g, 0), &batch))
    return FALSE;
  out[0] = z->shape;
  out[0].dim[0] = batch;
  return TRUE;
}

static gboolean
shape_blend (const HlOpCall *call, HlShape *out)
{
  HlShape joined;
  if (!broadcast (call->in[0], call->in[1], &joined))
    return FALSE;
  out[0] = joined;
  if (call->in[2] == NULL)
    return TRUE;
  HlTensor so_far = { .shape = joined };
  return broadcast (&so_far, call->in[2], &out[0]);
}

static gboolean
shape_patchify (const HlOpCall *call, HlShape *out)
{
  const HlTensor *x = call->in[0];
  gint64 ph = call->params.patch_height, pw = call->params.patch_width;
  if (RANK (x) != 4 || ph <= 0 || pw <= 0 || DIM (x, 2) % ph != 0 || DIM (x, 3) % pw != 0)
    return FALSE;
  out[0] =
      HL_SHAPE (DIM (x, 0), (DIM (x, 2) / ph) * (DIM (x, 3) / pw), DIM (x, 1) * ph * pw);
  return TRUE;
}

static gboolean
shape_concat (const HlOpCall *call, HlShape *out)
{
  const HlTensor *a = call->in[0], *b = call->in[1];
  gint64 batch;
  if (RANK (a) != 3 || RANK (b) != 3 || DIM (a, 2) != DIM (b, 2) ||
      !broadcast_dim (DIM (a, 0), DIM (b, 0), &batch))
    return FALSE;
  out[0] = HL_SHAPE (batch, DIM (a, 1) + DIM (b, 1), DIM (a, 2));
  return TRUE;
}

static gboolean
shape_slice (const HlOpCall *call, HlShape *out)
{
  const HlTensor *x = call->in[0];
  gint64 start = call->params.start, count = call->params.count;
  if (RANK (x) != 3 || start < 0 || count < 0 || start > DIM (x, 1) - count)
    return FALSE;
  out[0] = HL_SHAPE (DIM (x, 0), count, DIM (x, 2));
  return TRUE;
}

/* ---- gradients -----------------------------------------------------------------------
 */

static gboolean
shape_linear_grad_weight (const HlOpCall *call, HlShape *out)
{
  const HlTensor *dy = call->in[0], *x = call->in[1];
  if (RANK (dy) < 1 || RANK (dy) != RANK (x))
    return FALSE;
  for (int i = 0; i + 1 < RANK (x); i++)
    if (DIM (dy, i) != DIM (x, i))
      return FALSE;
  gint64 F = DIM (dy, RANK (dy) - 1), D = DIM (x, RANK (x) - 1);
  out[0] = call->params.is_transposed ? HL_SHAPE (D, F) : HL_SHAPE (F, D);
  return TRUE;
}

static gboolean
shape_rms_norm_grad (const HlOpCall *call, HlShape *out)
{
  const HlTensor *x = call->in[1], *g = call->in[2];
  out[0] = out[1] = x->shape;
  return hl_shape_equal (&call->in[0]->shape, &x->shape) && RANK (x) >= 1 &&
         RANK (g) == 1 && DIM (g, 0) == DIM (x, RANK (x) - 1);
}

static gboolean
shape_layer_norm_grad (const HlOpCall *call, HlShape *out)
{
  return shape_rms_norm_grad (call, out);
}

static gboolean
shape_activation_grad (const HlOpCall *call, HlShape *out)
{
  out[0] = call->in[1]->shape;
  return hl_shape_equal (&call->in[0]->shape, &out[0]) &&
         call->params.activation != HL_ACTIVATION_NONE;
}

static gboolean
shape_scores_grad (const HlOpCall *call, HlShape *out)
{
  const HlTensor *ds = call->in[0], *q = call->in[1], *k = call->in[2];
  gint64 batch;
  if (!heads_fit (q, k, &batch) || DIM (q, 3) != DIM (k, 3) ||
      !hl_shape_equal (&ds->shape, &HL_SHAPE (batch, DIM (q, 1), DIM (q, 2), DIM (k, 2))))
    return FALSE;
  out[0] = HL_SHAPE (batch, DIM (q, 2), DIM (q, 1), DIM (q, 3));
  out[1] = HL_SHAPE (batch, DIM (k, 2), DIM (k, 1), DIM (k, 3));
  return TRUE;
}

static gboolean
shape_softmax_grad (const HlOpCall *call, HlShape *out)
{
  out[0] = call->in[1]->shape;
  return RANK (call->in[1]) == 4 && hl_shape_equal (&call->in[0]->shape, &out[0]);
}

static gboolean
shape_mix_grad (const HlOpCall *call, HlShape *out)
{
  const HlTensor *dz = call->in[0], *a = call->in[1], *v = call->in[2];
  gint64 batch;
  if (!heads_fit (a, v, &batch) || DIM (a, 3) != DIM (v, 2) ||
      !hl_shape_equal (&dz->shape, &HL_SHAPE (batch, DIM (a, 2), DIM (a, 1), DIM (v, 3))))
    return FALSE;
  out[0] = HL_SHAPE (batch, DIM (a, 1), DIM (a, 2), DIM (a, 3));
  out[1] = HL_SHAPE (batch, DIM (v, 2), DIM (v, 1), DIM (v, 3));
  return TRUE;
}

static gboolean
shape_gate_grad (const HlOpCall *call, HlShape *out)
{
  const HlTensor *dy = call->in[0], *z = call->in[1];
  if (RANK (dy) != 4 || RANK (z) != 4 || (DIM (z, 0) != 1 && DIM (z, 0) != DIM (dy, 0)))
    return FALSE;
  for (int i = 1; i < 4; i++)
    if (DIM (dy, i) != DIM (z, i))
      return FALSE;
  out[0] = HL_SHAPE (DIM (dy, 0), DIM (dy, 2));
  return TRUE;
}

static gboolean
shape_unfold (const HlOpCall *call, HlShape *out)
{
  const HlTensor *x = call->in[0];
  const HlOpParams *p = &call->params;
  if (RANK (x) != 4 || p->kernel < 1 || p->step < 1 || p->padding < 0 ||
      p->padding >= p->kernel || DIM (x, 1) + 2 * p->padding < p->kernel ||
      DIM (x, 2) + 2 * p->padding < p->kernel)
    return FALSE;
  gint64 rows = (DIM (x, 1) + 2 * p->padding - p->kernel) / p->step + 1;
  gint64 columns = (DIM (x, 2) + 2 * p->padding - p->kernel) / p->step + 1;
  out[0] =
      HL_SHAPE (DIM (x, 0), rows * columns, (gint64) p->kernel * p->kernel * DIM (x, 3));
  return TRUE;
}

static gboolean
shape_fold (const HlOpCall *call, HlShape *out)
{
  HlShape rows;
  HlOpCall forward = { .in = { call->in[1] }, .params = call->params };
  if (!shape_unfold (&forward, &rows) || RANK (call->in[0]) != 3 ||
      DIM (call->in[0], 1) != rows.dim[1] || DIM (call->in[0], 2) != rows.dim[2])
    return FALSE;
  out[0] = call->in[1]->shape;
  out[0].dim[0] = DIM (call->in[0], 0);
  return TRUE;
}

static gboolean
shape_moments (const HlOpCall *call, HlShape *out)
{
  const HlOpParams *p = &call->params;
  out[0] = out[1] = call->in[0]->shape;
  return hl_shape_equal (&call->in[1]->shape, &out[0]) &&
         hl_shape_equal (&call->in[2]->shape, &out[0]) && p->beta1 >= 0 && p->beta1 < 1 &&
         p->beta2 >= 0 && p->beta2 < 1;
}

static gboolean
shape_adam_step (const HlOpCall *call, HlShape *out)
{
  const HlOpParams *p = &call->params;
  out[0] = call->in[0]->shape;
  return hl_shape_equal (&call->in[1]->shape, &out[0]) && p->beta1 >= 0 && p->beta1 < 1 &&
         p->beta2 >= 0 && p->beta2 < 1 && p->n_steps >= 1;
}

static gboolean
shape_unpatchify (const HlOpCall *call, HlShape *out)
{
  HlShape rows;
  HlOpCall forward = { .in = { call->in[1] }, .params = call->params };
  out[0] = call->in[1]->shape;
  return shape_patchify (&forward, &rows) && hl_shape_equal (&rows, &call->in[0]->shape);
}

static const HlOpInfo infos[HL_N_OPS] = {
#define PROVEN TRUE
#define UNPROVEN FALSE
#define HL_OP(ENUM, name, n_min, n_max, n_out, formula, abs_tol, rel_tol, reason, cuda)  \
  { #name, n_min, n_max, n_out, formula, abs_tol, rel_tol, reason, cuda },
#include "ops/hl-op-table.def"
#undef HL_OP
};

static const ShapeRule shape_rules[HL_N_OPS] = {
#define HL_OP(ENUM, name, ...) shape_##name,
#include "ops/hl-op-table.def"
#undef HL_OP
};

const HlOpInfo *
hl_op_get_info (HlOp op)
{
  g_return_val_if_fail ((int) op >= 0 && op < HL_N_OPS, NULL);
  return &infos[op];
}

gboolean
hl_op_infer (const HlOpCall *call, HlShape *out, GError **error)
{
  const HlOpInfo *info = &infos[call->op];
  for (int i = 0; i < info->n_in_min; i++)
    if (call->in[i] == NULL)
      {
        g_set_error (error, HL_ERROR, HL_ERROR_SHAPE, "%s: input %d of %d is not there",
                     info->name, i, info->n_in_min);
        return FALSE;
      }
  if (shape_rules[call->op](call, out))
    return TRUE;
  g_autoptr (GString) text = g_string_new (NULL);
  for (int i = 0; i < info->n_in_max && call->in[i] != NULL; i++)
    {
      g_autofree char *shape = hl_shape_to_string (&call->in[i]->shape);
      g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", shape);
    }
  g_set_error (error, HL_ERROR, HL_ERROR_SHAPE,
               "%s (%s): the shapes %s do not go together", info->name, info->formula,
               text->str);
  return FALSE;
}

gboolean
hl_op_is_wide_in (HlOp op, int i)
{
  return (op == HL_OP_ATTENTION_RECT || op == HL_OP_ATTENTION_POOLED) && i == 2;
}

gboolean
hl_op_is_wide_out (HlOp op, int i)
{
  return (op == HL_OP_SOFTMAX || op == HL_OP_ATTENTION) && i == 1;
}

/* Which part of @Tq x @Tk entries is seen. */
static double
share_seen (const HlOpCall *call, gint64 Tq, gint64 Tk)
{
  if (Tq == 0 || Tk == 0)
    return 1;
  return hl_entries_seen (&call->params, Tq, Tk) / ((double) Tq * (double) Tk);
}

double
hl_op_flops (const HlOpCall *call)
{
  HlTensor *const *in = call->in;
  HlShape out[HL_OP_MAX_OUT];
  if (!hl_op_infer (call, out, NULL))
    return 0;
  double n = (double) hl_shape_count (&out[0]);
  switch (call->op)
    {
    case HL_OP_LINEAR:
      return 2 * n * (double) DIM (in[0], RANK (in[0]) - 1) + (in[2] != NULL ? n : 0);
    case HL_OP_SCORES:
      return 2 * n * (double) DIM (in[0], 3) *
                 share_seen (call, DIM (in[0], 2), DIM (in[1], 2)) +
             n;
    case HL_OP_MIX:
      return 2 * n * (double) DIM (in[0], 3) *
             share_seen (call, DIM (in[0], 2), DIM (in[0], 3));
    case HL_OP_ATTENTION:
      return 4 * n * (double) DIM (in[1], 2) *
             share_seen (call, DIM (in[0], 2), DIM (in[1], 2));
    case HL_OP_ATTENTION_RECT:
      return n * (2 * (double) DIM (in[0], 1) + 3);
    case HL_OP_ATTENTION_POOLED:
      return (double) DIM (in[0], 0) * (double) DIM (in[1], 0) *
             (2 * (double) DIM (in[0], 1) + 5);
    case HL_OP_LAYER_NORM:
      return 7 * n;
    case HL_OP_RMS_NORM:
      return 4 * n;
    case HL_OP_SOFTMAX:
      return 4 * n * share_seen (call, DIM (in[0], 2), DIM (in[0], 3));
    case HL_OP_ACTIVATION:
      return 8 * n;
    case HL_OP_BLEND:
    case HL_OP_ROPE:
      return 3 * n;
    case HL_OP_ADD:
    case HL_OP_MULTIPLY:
    case HL_OP_GATE:
      return n;
    case HL_OP_LINEAR_GRAD_WEIGHT:
      return 2 * (double) hl_tensor_count (in[0]) *
             (double) DIM (in[1], RANK (in[1]) - 1);
    case HL_OP_SCORES_GRAD:
    case HL_OP_MIX_GRAD:
      return 4 * (double) hl_tensor_count (in[call->op == HL_OP_MIX_GRAD ? 1 : 0]) *
             (double) DIM (in[2], 3);
    case HL_OP_LAYER_NORM_GRAD:
    case HL_OP_RMS_NORM_GRAD:
      return 12 * n;
    case HL_OP_ACTIVATION_GRAD:
      return 12 * n;
    case HL_OP_SOFTMAX_GRAD:
      return 4 * n;
    case HL_OP_GATE_GRAD:
      return 2 * (double) hl_tensor_count (in[0]);
    case HL_OP_MOMENTS:
    case HL_OP_ADAM_STEP:
      return 7 * n;
    case HL_OP_FOLD:
      return (double) hl_tensor_count (in[0]);
    case HL_OP_UNFOLD:
    case HL_OP_PATCHIFY:
    case HL_OP_UNPATCHIFY:
    case HL_OP_CONCAT:
    case HL_OP_SLICE:
    case HL_N_OPS:
      break;
    }
  return 0;
}

double
hl_op_bytes (const HlOpCall *call)
{
  HlShape out[HL_OP_MAX_OUT];
  if (!hl_op_infer (call, out, NULL))
    return 0;
  double bytes = 0;
  for (int i = 0; i < HL_OP_MAX_IN; i++)
    if (call->in[i] != NULL)
      bytes += (double) hl_tensor_size_bytes (call->in[i]);
  double size = (double) hl_dtype_size (call->in[0]->dtype);
  for (int i = 0; i < infos[call->op].n_out; i++)
    bytes += (double) hl_shape_count (&out[i]) * size;
  return bytes;
}

HlActivation
hl_activation_from_name (const char *name)
{
  static const struct
  {
    const char *name;
    HlActivation activation;
  } names[] = {
    { "gelu", HL_ACTIVATION_GELU },
    { "gelu_python", HL_ACTIVATION_GELU },
    { "gelu_new", HL_ACTIVATION_GELU_TANH },
    { "gelu_fast", HL_ACTIVATION_GELU_TANH },
    { "gelu_pytorch_tanh", HL_ACTIVATION_GELU_TANH },
    { "quick_gelu", HL_ACTIVATION_QUICK_GELU },
    { "relu", HL_ACTIVATION_RELU },
    { "silu", HL_ACTIVATION_SILU },
    { "swish", HL_ACTIVATION_SILU },
    { "tanh", HL_ACTIVATION_TANH },
  };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_strcmp0 (names[i].name, name) == 0)
      return names[i].activation;
  return HL_ACTIVATION_NONE;
}

gboolean
hl_activation_require (const char *name,
                       const char *field,
                       HlActivation *activation,
                       GError **error)
{
  *activation = hl_activation_from_name (name);
  if (*activation != HL_ACTIVATION_NONE)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED,
               "config.json: field \"%s\": gelu, gelu_new, quick_gelu, relu, silu or "
               "tanh expected, \"%s\" found",
               field, name);
  return FALSE;
}
