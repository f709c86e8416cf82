/* SPDX-License-Identifier: MIT
 * What a head does to a token, wherever it looks: the circuit from embedding through
 * values and output to the unembedding (Elhage et al. 2021), as matrices. Of norms their
 * linear part is taken along: the gain, and of layer norm that the mean is left out; the
 * scale, which differs from token to token, is not. */
#pragma once

#include "model/hl-model.h"
#include "trace/hl-run.h"

G_BEGIN_DECLS

/** hl_model_has_ov: a language model whose family says where its ends are. */
gboolean hl_model_has_ov (const HlModel *model);

/**
 * hl_model_get_ends:
 * Returns: (transfer full) (nullable): (D, D) doubles: the sum over tokens of embedding
 *   times unembedding, the last norm's linear part in it; free with g_free(). NULL after
 * a failure, which sticks to @exec. Thread: the backend's
 */
double *hl_model_get_ends (const HlModel *model, HlExec *exec);

/**
 * hl_model_get_ov:
 * @v: (out) (transfer full): (K, D): from what the block reads, its first norm's linear
 *   part in it, to the head's values
 * @o: (out) (transfer full): (D, K): from these to what is added to the residual stream
 * Biases are no part of either. Both doubles, free with g_free(). Thread: the backend's
 * Returns: K, or 0 where the layer's mixer has none, or after a failure (@exec)
 */
int hl_model_get_ov (
    const HlModel *model, int layer, int head, HlExec *exec, double **v, double **o);

/**
 * hl_model_get_output: W_O of a layer of any stack, of all its heads, without the bias.
 * @D, @width: (out): its shape: the stream's width, and heads times head width
 * Returns: (transfer full) (nullable): (D, width) doubles, free with g_free(); NULL where
 *   the layer's mixer has none, or after a failure (@exec). Thread: the backend's
 */
double *hl_model_get_output (
    const HlModel *model, int stack, int layer, HlExec *exec, gint64 *D, gint64 *width);

G_END_DECLS
