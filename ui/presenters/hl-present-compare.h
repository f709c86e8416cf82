/* SPDX-License-Identifier: MIT
 * Attention and saliency of the same outputs over the same input, as scenes that stand
 * beside each other. Both are shares: of what a row has on the tokens that count. No
 * toolkit. Thread: any one. */
#pragma once

#include "analysis/hl-cross-result.h"
#include "presenters/hl-present-tokens.h"
#include "scene/hl-chart-scene.h"

G_BEGIN_DECLS

/**
 * HlCompare: what is shown; plain data, everything borrowed.
 * @trace: in tokens, whose maps @result is of
 * @map: (nullable): of chosen heads; else of all
 * @target: the output that is looked at; -1 for the mean of all
 * @region: (nullable) (n_keys): tokens of the input that were picked
 * @of_region: how many of them
 * @heads: (nullable): whose @map is, in words: "head 5.1"
 */
typedef struct
{
  const HlTrace *trace;
  const HlCrossResult *result;
  const HlCrossMap *map;
  int target;
  const gboolean *region;
  gint64 of_region;
  const char *heads;
} HlCompare;

/** hl_compare_copy: (transfer full): with everything its own. */
HlCompare *hl_compare_copy (const HlCompare *compare);
/** hl_compare_free: of a copy. */
void hl_compare_free (HlCompare *copy);

typedef enum
{
  HL_COMPARE_ATTENTION,
  HL_COMPARE_SALIENCY,
} HlCompareSide;

/** HlCompareKind: what the input is seen as. */
typedef enum
{
  HL_COMPARE_TOKENS,
  HL_COMPARE_PICTURE,
  HL_COMPARE_RECORDING,
} HlCompareKind;

HlCompareKind hl_compare_kind (const HlCompare *compare);

/** hl_compare_get_keys: (transfer none): the tokens of the input. */
const HlTokenTable *hl_compare_get_keys (const HlCompare *compare);

/** hl_compare_has_floor: saliency counts from the least of each row: where it is nothing
 * to the output it is not zero (hl-spes.h). */
gboolean hl_compare_has_floor (const HlCompare *compare);

/** hl_compare_is_fine: saliency is drawn by cells of its own, in nats. */
gboolean hl_compare_is_fine (const HlCompare *compare);

/** hl_compare_get_row: (transfer none): (n_keys): of target @target, as it is: attention,
 * of @map or of all heads, or saliency; NaN for tokens that do not count. Rows of all
 * targets lie behind each other. */
const double *
hl_compare_get_row (const HlCompare *compare, HlCompareSide side, int target);

/** hl_compare_shares: (transfer full): (n_keys): of the target, or the mean of those that
 * can see a token; NaN for tokens that do not count. */
float *hl_compare_shares (const HlCompare *compare, HlCompareSide side);

/** hl_compare_region_share: of target @target, what lies on the region; NaN without one.
 */
double hl_compare_region_share (const HlCompare *compare, HlCompareSide side, int target);

/** hl_compare_n_shown: tokens of the input that are shown: all but the padding behind a
 * recording's end, where that does not count. */
gint64 hl_compare_n_shown (const HlCompare *compare);

/** hl_compare_overlay: (transfer full): a picture or recording; its cells are tokens, or
 * of a recording some together; of saliency those it was computed of, where these are
 * known. */
HlOverlayScene *hl_compare_overlay (const HlCompare *compare,
                                    HlCompareSide side,
                                    const HlViewOptions *options);

/** hl_compare_parting: (transfer full): where both part, over a picture or recording: the
 * target's row of attention less that of saliency, each z-scored; of all outputs the
 * mean. */
HlOverlayScene *hl_compare_parting (const HlCompare *compare,
                                    const HlViewOptions *options);

/** hl_compare_cell_keys: the tokens of the input that a cell of that overlay is of, of
 * which @n_shown are shown. */
void hl_compare_cell_keys (const HlCompare *compare,
                           HlCompareSide side,
                           gint64 n_shown,
                           gint64 cell,
                           gint64 *first,
                           gint64 *end);

/** hl_compare_tokens: (transfer full): @tokens of the input. */
HlTokenScene *hl_compare_tokens (const HlCompare *compare,
                                 HlCompareSide side,
                                 HlTokenList *tokens,
                                 const HlViewOptions *options);

/** hl_compare_list_outputs: (transfer full): what is explained, as tokens. */
HlTokenList *hl_compare_list_outputs (const HlCompare *compare);

/** hl_compare_outputs: (transfer full): those, the target chosen; where a region is
 * picked, coloured by the share of their saliency that lies on it. */
HlTokenScene *hl_compare_outputs (const HlCompare *compare,
                                  HlTokenList *outputs,
                                  const HlViewOptions *options);

/** hl_compare_rows: (transfer full): both rows as lines. */
HlChartScene *hl_compare_rows (const HlCompare *compare);

/** hl_compare_by_output: (transfer full): Pearson's r of every output's row. */
HlChartScene *hl_compare_by_output (const HlCompare *compare);

/** hl_compare_heads: (transfer full): Pearson's r of every head, layers downwards, @head
 * chosen. */
HlMatrixScene *hl_compare_heads (const HlCompare *compare, HlHeadKey head);

/** hl_compare_convergence: (transfer full): how reliable saliency by spes was after how
 * many masks, (element-type HlSpesCheck), and its square root, the ceiling of r.
 * @stable_at: where it is taken for stable; 0 for none */
HlChartScene *hl_compare_convergence (const GArray *checks, double stable_at);

/** hl_compare_disagreement: (transfer full): z-scored attention less z-scored saliency,
 * rows are outputs, columns tokens; grey where a token does not count. */
HlMatrixScene *hl_compare_disagreement (const HlCompare *compare);

/** hl_compare_scatter: (transfer full): attention over saliency, a dot an output and
 * token, as both are correlated, with r. */
HlChartScene *hl_compare_scatter (const HlCompare *compare);

/* ---- words ---- */

/** hl_compare_name: (transfer full): of an output: "“ country”". */
char *hl_compare_name (const HlCompare *compare, int target);

/** hl_compare_pearson: of what is looked at, the output's row or all, of @map or of all
 * heads; NaN where there is nothing to correlate. */
double hl_compare_pearson (const HlCompare *compare);

/** hl_compare_list_heads: (transfer full): "5.1, 5.4, …". */
char *hl_compare_list_heads (const HlHeadKey *heads, guint n_heads);

int hl_compare_count_heads (const HlCompare *compare);

/** hl_compare_whose: (transfer full): attention: "mean of all 48 heads". */
char *hl_compare_whose (const HlCompare *compare);

/** hl_compare_describe: (transfer full): whose attention and which saliency, a sentence.
 */
char *hl_compare_describe (const HlCompare *compare);

/** hl_compare_caption: (transfer full): that, what it is of, r, and what is left out. */
char *hl_compare_caption (const HlCompare *compare);

/** hl_compare_left_out: (transfer full): in words: what of the input does not count, by
 * role: "1,000 frames of padding are left out"; "" for nothing. */
char *hl_compare_left_out (const HlCompare *compare);

G_END_DECLS
