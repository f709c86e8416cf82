/* SPDX-License-Identifier: MIT
 * Operations: what the op table says of each, and one call of one. Every op is out of
 * place; every activation has a batch dimension first, and a batch of 1 broadcasts. */
#pragma once

#include "tensor/hl-tensor.h"

G_BEGIN_DECLS

typedef enum
{
#define HL_OP(ENUM, ...) HL_OP_##ENUM,
#include "ops/hl-op-table.def"
#undef HL_OP
  HL_N_OPS,
} HlOp;

#define HL_OP_MAX_IN 4
#define HL_OP_MAX_OUT 2

typedef enum
{
  HL_ACTIVATION_NONE,
  HL_ACTIVATION_GELU,       /* x Phi (x), with erf */
  HL_ACTIVATION_GELU_TANH,  /* the tanh form: "gelu_new", "gelu_pytorch_tanh" */
  HL_ACTIVATION_QUICK_GELU, /* x sigmoid (1.702 x) */
  HL_ACTIVATION_RELU,
  HL_ACTIVATION_SILU,
  HL_ACTIVATION_TANH,
} HlActivation;

/**
 * HlOpParams: the numbers an op takes beside its tensors; each op reads only its own.
 * @eps: LAYER_NORM, RMS_NORM and their gradients, ADAM_STEP
 * @is_transposed: LINEAR and its gradient: W is (D, F) instead of (F, D)
 * @is_interleaved: ROPE: pairs are neighbours (2i, 2i+1) instead of (i, i + R/2)
 * @scale: SCORES, its gradient, ATTENTION, ATTENTION_RECT, ATTENTION_POOLED: multiplied
 *   before the exponential
 * @is_causal: the same ones: key j is seen by query i when
 *   j + key_start <= i + query_start. SOFTMAX: the others' scores are not looked at and
 *   give 0. MIX: the others' entries are known to be 0
 * @query_start, @key_start: position of the first query and key given; for whole maps
 *   query_start is Tk - Tq; key_start in ATTENTION_RECT and ATTENTION_POOLED alone
 * @window: 0 for none: where causal and query positions are looked at: key j is seen by
 *   query i only where |(i + query_start) - (j + key_start)| < window; with @is_causal
 * the latest window keys
 * @soft_cap: 0 for none; SCORES, its gradient, ATTENTION and what is recomputed: a scaled
 *   product s becomes soft_cap tanh (s / soft_cap), before anything is forbidden
 * @level: ATTENTION_POOLED: 0 to 20: a cell is 2^level entries wide and high
 * @activation: ACTIVATION
 * @patch_height, @patch_width: PATCHIFY
 * @start, @count: SLICE
 * @kernel, @step, @padding: UNFOLD, FOLD: side of a window, from one to the next, and
 *   zeros around the picture
 * @beta1, @beta2: MOMENTS, ADAM_STEP
 * @rate, @n_steps: ADAM_STEP: the learning rate, and the steps with this one; @eps too
 */
typedef struct
{
  double eps;
  gboolean is_transposed;
  gboolean is_interleaved;
  double scale;
  gboolean is_causal;
  gint64 query_start;
  gint64 key_start;
  gint64 window;
  double soft_cap;
  int level;
  HlActivation activation;
  int patch_height;
  int patch_width;
  gint64 start;
  gint64 count;
  int kernel;
  int step;
  int padding;
  double beta1;
  double beta2;
  double rate;
  gint64 n_steps;
} HlOpParams;

/**
 * HlMapRule: what the scores of a map are and which of its entries there are: fields of
 * HlOpParams by the same names.
 */
typedef struct
{
  double scale;
  gboolean is_causal;
  gint64 window;
  double soft_cap;
} HlMapRule;

/**
 * HlOpCall: one call. Shapes by op (a batch of 1 broadcasts against B):
 *  LINEAR          x (..., D), W (F, D), b (F) or NULL -> (..., F)
 *                  (W is (D, F) with is_transposed)
 *  LAYER_NORM      x (..., D), g (D), b (D) -> (..., D)
 *  RMS_NORM        x (..., D), g (D) -> (..., D)
 *  ROPE            x (B, T, H, K), cosines and sines (T, R/2) each, R <= K ->
 *                  (B, T, H, K); numbers from R on stay as they are
 *  ACTIVATION      x -> the same shape
 *  ADD, MULTIPLY   a, b of one rank, sizes equal or 1 -> the larger
 *  SCORES          q (B, H, Tq, K), k (B, Hkv, Tk, K) -> (B, H, Tq, Tk)
 *  SOFTMAX         s (B, H, Tq, Tk) -> A the same, lse (B, H, Tq); a row of -inf alone
 *                  gives zeros and lse -inf, not NaN
 *  MIX             A (B, H, Tq, Tk), v (B, Hkv, Tk, K) -> (B, Tq, H, K)
 *  ATTENTION       q, k, v as above -> z (B, Tq, H, K), lse (B, H, Tq)
 *  ATTENTION_RECT  q (Tq, K), k (Tk, K), lse (Tq) -> (Tq, Tk), of one head
 *  ATTENTION_POOLED  the same, of one head -> mean and maximum, (rows, columns) each,
 *                  rows = Tq / 2^level rounded up; cells at the lower and right edge pool
 *                  the entries that are there; what causal forbids counts as 0
 *  GATE            z (B, T, H, K), g (B, H) -> (B, T, H, K)
 *  BLEND           x, m, r or NULL, of one rank, sizes equal or 1 -> the larger
 *  PATCHIFY        pixels (B, C, height, width) -> (B, P, C * ph * pw), patches row by
 *                  row, a patch's numbers as (C, ph, pw)
 *  CONCAT          a (B, Ta, D), b (B, Tb, D) -> (B, Ta + Tb, D)
 *  SLICE           x (B, T, D) -> (B, count, D)
 *  UNFOLD          x (B, height, width, C) -> (B, rows * columns, kernel * kernel * C),
 *                  window by window, with rows = (height + 2 padding - kernel) / step + 1
 *  FOLD            rows as UNFOLD makes them, x (1 or B, height, width, C), of which only
 *                  the shape is looked at -> (B, height, width, C)
 *  MOMENTS         m, v, g of one shape -> m', v'
 *  ADAM_STEP       m, v of one shape -> what is added to a weight
 *  LINEAR_GRAD_WEIGHT  dy (..., F), x (..., D) -> dW (F, D), or (D, F)
 *  LAYER_NORM_GRAD, RMS_NORM_GRAD  dy, x (..., D), g (D) -> dx, and dy n of the same
 *                  shape, whose sum over rows is dg
 *  ACTIVATION_GRAD dy, x of one shape -> dx
 *  SCORES_GRAD     ds (B, H, Tq, Tk), q, k as above -> dq (B, Tq, H, K), dk (B, Tk, Hkv,
 *                  K); what causal forbids is not looked at
 *  SOFTMAX_GRAD    dA, A (B, H, Tq, Tk) -> ds
 *  MIX_GRAD        dz (B, Tq, H, K), A (B, H, Tq, Tk), v -> dA, dv (B, Tk, Hkv, K)
 *  GATE_GRAD       dy (B, T, H, K), z (B or 1, T, H, K) -> dg (B, H)
 *  UNPATCHIFY      rows as PATCHIFY makes them, pixels (B, C, height, width), of which
 *                  only the shape is looked at -> the pixels' shape
 * q, k and v, and the x of ROPE, may be strided views (whose last dimension is dense);
 * every other input is contiguous.
 * float32 or float64 throughout, as the backend computes.
 */
typedef struct
{
  HlOp op;
  HlTensor *in[HL_OP_MAX_IN];
  HlTensor *out[HL_OP_MAX_OUT];
  HlOpParams params;
} HlOpCall;

/** HlOpInfo: a row of the table. @is_proven_on_cuda: its kernel has run on a GPU. */
typedef struct
{
  const char *name;
  int n_in_min;
  int n_in_max;
  int n_out;
  const char *formula;
  double tolerance_abs;
  double tolerance_rel;
  const char *tolerance_reason;
  gboolean is_proven_on_cuda;
} HlOpInfo;

const HlOpInfo *hl_op_get_info (HlOp op);

/**
 * hl_op_infer:
 * Checks the inputs of @call against the op's shape rule.
 * @out: (out): shapes of the outputs, HL_OP_MAX_OUT of them
 * Returns: FALSE with @error (HL_ERROR_SHAPE) that names the op and both shapes
 */
gboolean hl_op_infer (const HlOpCall *call, HlShape *out, GError **error);

/** hl_op_is_wide_in, hl_op_is_wide_out: input or output @i is a log-sum-exp, which is in
 * float32 at least where the others are in half precision. */
gboolean hl_op_is_wide_in (HlOp op, int i);
gboolean hl_op_is_wide_out (HlOp op, int i);

/** hl_op_flops: floating point operations of @call, a multiply-add being two; of SCORES,
 * SOFTMAX, MIX and ATTENTION without what causal forbids. */
double hl_op_flops (const HlOpCall *call);

/** hl_op_bytes: bytes that must be read and written at least once. */
double hl_op_bytes (const HlOpCall *call);

/** hl_activation_from_name: by Hugging Face's "hidden_act"; HL_ACTIVATION_NONE for one
 * that is not known. */
HlActivation hl_activation_from_name (const char *name);

/** hl_activation_require: likewise; FALSE with @error UNSUPPORTED that names
 * config.json's
 * @field and the names that are known. */
gboolean hl_activation_require (const char *name,
                                const char *field,
                                HlActivation *activation,
                                GError **error);

G_END_DECLS
