/* SPDX-License-Identifier: MIT
 * Attention beside saliency: how far maps of attention agree with what a saliency method
 * says of the same tokens, after "Cross-Attention is Half Explanation in Speech-to-Text
 * Models" (arXiv 2509.18010). Of an encoder with a decoder its cross-attention; of a
 * model of one tower its own attention. */
#pragma once

#include "analysis/hl-saliency-set.h"
#include "trace/hl-attention-source.h"

G_BEGIN_DECLS

/** HL_RESULT_CROSS: the attribute `analysis`. */
#define HL_RESULT_CROSS "cross-attention"

/**
 * HlCrossOptions: all zero is a sensible default.
 * @is_raw: maps are correlated as they are; else each row of both is z-scored first (less
 *   its mean, by its deviation, over the keys that count)
 * @keeps_special: special tokens and padding count, too
 * @by_norm: attention is what it carries (hl-norm-attention.h): of a head || A v W_O ||,
 *   of a layer || sum_h A v W_O ||, of all the mean over layers; the trace has to have
 *   captured "*attn.hook_v"
 * @model: (nullable): whose W_O that is; needed for @by_norm alone
 */
typedef struct
{
  gboolean is_raw;
  gboolean keeps_special;
  gboolean by_norm;
  const HlModel *model;
} HlCrossOptions;

/**
 * HlCrossComparison: of @n_targets rows over @n_keys tokens, of @n_layers of up to
 * @n_heads heads of @stack; NaN where there is no such head, or nothing to correlate.
 * Signed saliency counts by its size.
 * @pearson, @spearman: (L, H): of a head's rows with saliency, all rows together
 * @diagonality: (L, H): correlation of a target's place with its row's centre of mass
 * @monotonicity: (L, H): the most of a row's weight, on average, that lies on one key and
 *   its two neighbours, where the keys do not go back from row to row
 * @pearson_layer: (L): of the mean map of a layer's heads, which is not the mean of
 *   their correlations
 * @pearson_all, @spearman_all: of the mean map of all heads
 * @by_target: (n_targets): of single rows of that map
 * @attention, @saliency: (n_targets, n_keys): the mean map of all heads, and saliency;
 * NaN for keys that do not count
 */
typedef struct
{
  int stack, n_layers, n_heads, n_targets, n_keys;
  double *pearson, *spearman, *diagonality, *monotonicity, *pearson_layer;
  double pearson_all, spearman_all;
  double *by_target, *attention, *saliency;
} HlCrossComparison;

void hl_cross_comparison_free (HlCrossComparison *comparison);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlCrossComparison, hl_cross_comparison_free)

/**
 * hl_cross_compare:
 * @source: maps of the input that @set is of
 * @stack: whose keys are the tokens of @set
 * Thread: the backend's. Returns: (transfer full): NULL with @error (SHAPE: other tokens;
 *   MISSING: no values for norms; what reading maps may give)
 */
HlCrossComparison *hl_cross_compare (const HlAttentionSource *source,
                                     HlBackend *backend,
                                     int stack,
                                     const HlSaliencySet *set,
                                     const HlCrossOptions *options,
                                     const HlProgress *progress,
                                     GError **error);

/** hl_cross_comparison_find_best: the head that agrees best, by Pearson's r; FALSE where
 * none has an r. Thread: any. */
gboolean hl_cross_comparison_find_best (const HlCrossComparison *comparison,
                                        HlHeadKey *best);

/** hl_cross_comparison_to_result: (transfer full): arrays as above, "pearson_all" and
 * "spearman_all" of one number, and "value", "position", "class", "against" of the
 * targets as hl_saliency_set_to_result() has them, and what spes adds; @provenance: JSON
 * object text. Thread: any. */
HlSessionResult *hl_cross_comparison_to_result (const HlCrossComparison *comparison,
                                                const HlSaliencySet *set,
                                                const HlCrossOptions *options,
                                                const char *provenance);

/** hl_cross_comparison_to_csv: (transfer full): a row a head; @behind (nullable): beside
 * it "pearson_encoder" and "spearman_encoder" of another of the same heads. */
char *hl_cross_comparison_to_csv (const HlCrossComparison *comparison,
                                  const HlCrossComparison *behind);

G_END_DECLS
