/* SPDX-License-Identifier: MIT
 * Traces made up for the tests, with their maps computed plainly in double. */
#pragma once

#include "trace/hl-trace.h"

G_BEGIN_DECLS

/**
 * SyntheticShape: of one layer.
 * @has_mask: the recipe blends the maps with a replacement
 */
typedef struct
{
  const char *name;
  gint64 Tq;
  gint64 Tk;
  int n_heads;
  int n_kv_heads;
  int head_width;
  gboolean is_causal;
  gboolean has_mask;
} SyntheticShape;

/**
 * Synthetic: the same layer in both forms.
 * @maps: (H, Tq, Tk) in double: what both must give
 * @stored: holds @maps as float32
 * @recomputed: holds Q, K, log-sum-exp and the recipe
 */
typedef struct
{
  const SyntheticShape *shape;
  double *maps;
  HlTrace *stored;
  HlTrace *recomputed;
} Synthetic;

void synthetic_init (Synthetic *self, const SyntheticShape *shape);
void synthetic_clear (Synthetic *self);

/**
 * synthetic_trace_new:
 * @n_layers, @n_heads: of the one stack
 * @tokens: (transfer full) (nullable)
 * Returns: (transfer full): a trace without maps
 */
HlTrace *
synthetic_trace_new (int n_layers, int n_heads, gboolean is_causal, HlTokenTable *tokens);

/** synthetic_trace_set_maps: @maps (n_heads, Tq, Tk) float32, copied. */
void synthetic_trace_set_maps (
    HlTrace *trace, int layer, int n_heads, gint64 Tq, gint64 Tk, const float *maps);

/** synthetic_cls_and_grid: (transfer full): "CLS" and a grid of patches. */
HlTokenTable *synthetic_cls_and_grid (int n_rows, int n_columns);

/** synthetic_text: (transfer full): @n tokens of a prompt, "w0", "w1", ... */
HlTokenTable *synthetic_text (int n);

G_END_DECLS
