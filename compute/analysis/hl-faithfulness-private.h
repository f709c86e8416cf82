/* SPDX-License-Identifier: MIT
 * What curves of single targets and those of sentences share. */
#pragma once

#include "analysis/hl-faithfulness.h"
#include "analysis/hl-saliency-private.h"

G_BEGIN_DECLS

/** HlRanking: @order (n): places of tokens, the first rank first; taken away, or where it
 * @inserts all that there is. */
typedef struct
{
  const gint64 *order;
  gint64 n;
  gboolean inserts;
} HlRanking;

/** hl_faithfulness_n_keys: tokens of @comparison that @work has: what a file says of
 * others is not believed. */
gint64 hl_faithfulness_n_keys (const HlSaliencyWork *work,
                               const HlCrossComparison *comparison);

/** hl_faithfulness_put: (transfer full): (count, T, D) float64: embeddings of the shares
 * @first and on. */
HlTensor *hl_faithfulness_put (const HlSaliencyWork *work,
                               const HlRanking *ranking,
                               int first,
                               int count);

/** HlCurveFunc: a curve (HL_FAITHFULNESS_SHARES) of @ranking; FALSE with @error. */
typedef gboolean (*HlCurveFunc) (const HlRanking *ranking,
                                 double *curve,
                                 gpointer data,
                                 GError **error);

/**
 * hl_faithfulness_fill: both curves of @f's target @t by each order, that by chance the
 * mean of @n_random draws.
 * @attention, @saliency: (m): NaN where a token does not count
 */
gboolean hl_faithfulness_fill (HlFaithfulness *f,
                               int t,
                               const double *attention,
                               const double *saliency,
                               gint64 m,
                               GRand *rand,
                               HlCurveFunc func,
                               gpointer data,
                               GError **error);

/**
 * hl_faithfulness_fill_sentence: with WER or TER, as @f's one target.
 * @work: of any of @set's targets
 */
gboolean hl_faithfulness_fill_sentence (HlFaithfulness *f,
                                        const HlSaliencyWork *work,
                                        HlInput *input,
                                        const HlCrossComparison *comparison,
                                        GRand *rand,
                                        GError **error);

G_END_DECLS
