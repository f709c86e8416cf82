/* SPDX-License-Identifier: MIT
 * Attention by what it carries (Kobayashi et al. 2020, "Attention is Not Only a Weight",
 * arXiv 2004.10102): of a head what a query i has of a key j is
 *   || A[i,j] v_j W_O^h ||
 * and of a layer || sum_h A[i,j] v_j^h W_O^h ||, its vectors summed up before the norm. v
 * is hook_v: with the bias of the values, after interventions, and of grouped heads the
 * one they share; the output's bias belongs to no key and is left out, as is a norm that
 * follows. A is what the run or the source has, with all that makes it. */
#pragma once

#include "model/hl-model.h"

G_BEGIN_DECLS

/**
 * HlNormLayer: what the values of a layer weigh; plain data.
 * @products: (n_keys, n_heads, n_heads): of two heads <v_j^h W_O^h, v_j^g W_O^g>
 */
typedef struct
{
  gint64 n_keys;
  int n_heads;
  double *products;
} HlNormLayer;

/**
 * hl_norm_layer_new:
 * @values: (Tk, Hkv, K), or with a batch of 1 before; on the host or @backend's
 * @stack, @layer: whose W_O it is
 * Thread: the backend's. Returns: (transfer full): NULL with @error (UNSUPPORTED: a layer
 *   without heads and W_O; SHAPE: other values; MEMORY; G_IO_ERROR_CANCELLED)
 */
HlNormLayer *hl_norm_layer_new (const HlModel *model,
                                HlBackend *backend,
                                HlTensor *values,
                                int stack,
                                int layer,
                                const HlProgress *progress,
                                GError **error);

/** hl_norm_layer_of_trace: the same of the values that @trace captured: MISSING where it
 * has not "attn.hook_v" of the layer. */
HlNormLayer *hl_norm_layer_of_trace (const HlModel *model,
                                     HlBackend *backend,
                                     const HlTrace *trace,
                                     int stack,
                                     int layer,
                                     const HlProgress *progress,
                                     GError **error);

void hl_norm_layer_free (HlNormLayer *layer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlNormLayer, hl_norm_layer_free)

/** hl_norm_layer_of_head: @row (n_keys) of the head's map -> @norms (n_keys), which may
 * be the same. NaN stays NaN. */
void hl_norm_layer_of_head (const HlNormLayer *layer,
                            int head,
                            const double *row,
                            double *norms);

/**
 * hl_norm_layer_of_all: the layer's norms.
 * @rows: of every head the same query's row; head h's begins at @rows + h * @stride
 * @norms: (out caller-allocates): (n_keys)
 */
void hl_norm_layer_of_all (const HlNormLayer *layer,
                           const double *rows,
                           gint64 stride,
                           double *norms);

G_END_DECLS
