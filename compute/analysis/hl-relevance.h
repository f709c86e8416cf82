/* SPDX-License-Identifier: MIT
 * Rules that carry relevance through maps of attention: rollout and flow (Abnar & Zuidema
 * 2020, arXiv 2005.00928), and the generic rules of Chefer et al. (2021, arXiv
 * 2103.15679). Plain arithmetic in double on matrices stored by rows. Thread: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** HlMatrix: (@n, @m) numbers, by rows; hl_matrix_free(). */
typedef struct
{
  gint64 n, m;
  double *x;
} HlMatrix;

/** hl_matrix_new: (transfer full): zeros; hl_matrix_new_identity: ones where i = j. */
HlMatrix *hl_matrix_new (gint64 n, gint64 m);
HlMatrix *hl_matrix_new_identity (gint64 n);
void hl_matrix_free (HlMatrix *matrix);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlMatrix, hl_matrix_free)

/** hl_matrix_multiply: (transfer full): @a @b. */
HlMatrix *hl_matrix_multiply (const HlMatrix *a, const HlMatrix *b);

/**
 * hl_relevance_mean_map: (transfer full): the mean over heads of A, or where @grad is
 * given of relu (A o dA).
 * @map, @grad: (nullable): (H, n, m)
 */
HlMatrix *hl_relevance_mean_map (
    const double *map, const double *grad, gint64 H, gint64 n, gint64 m);

/** hl_rollout_step: @rollout becomes A' @rollout with A' = (A + I), rows divided by their
 * sums: 0.5 A + 0.5 I where those of A are 1. @map is square. */
void hl_rollout_step (HlMatrix *rollout, const HlMatrix *map);

/** hl_relevance_self: self-attention: @own += Ā @own, and where there is another input
 * @other (nullable) += Ā @other. */
void hl_relevance_self (HlMatrix *own, HlMatrix *other, const HlMatrix *map);

/** hl_relevance_normalise: (transfer full): R - I with rows divided by their sums, plus
 * I. A row of zeros stays zero: the published division makes NaN of it. */
HlMatrix *hl_relevance_normalise (const HlMatrix *r);

/** hl_relevance_cross: of a decoder that attends to an encoder: @other += N(@own)ᵀ Ā
 * N(@encoder), where N is hl_relevance_normalise(). */
void hl_relevance_cross (HlMatrix *other,
                         const HlMatrix *own,
                         const HlMatrix *encoder,
                         const HlMatrix *map);

/** HL_FLOW_MAX_TOKENS: more are refused. */
#define HL_FLOW_MAX_TOKENS 64

/**
 * hl_flow_row: (transfer full): (T): attention flow: of each input token s the most that
 * can flow from @query behind the last layer to s before the first, through edges as wide
 * as A' (hl_rollout_step()); rows divided by their sum.
 * @maps: (L) square maps of T tokens, the first layer first; T <= HL_FLOW_MAX_TOKENS
 */
double *hl_flow_row (const HlMatrix *const *maps, int L, gint64 query);

G_END_DECLS
