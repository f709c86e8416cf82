/* SPDX-License-Identifier: MIT
 * Attention beside saliency as a session keeps it, read back. */
#pragma once

#include "analysis/hl-cross-map.h"
#include "analysis/hl-faithfulness.h"

G_BEGIN_DECLS

/**
 * HlCrossResult: immutable; atomic reference count.
 * @set: its rows have their targets and values, and as scores what the comparison has of
 *   them; its tokens only their texts
 * @query: (n_targets): the rows of the maps
 * @faithfulness: (nullable): where it was measured
 * @interventions: in force, in words; "" for none
 * @pair: (nullable): what the input is worth together with this is explained
 * @n_masks: by spes: how many, and @n_at_a_time; 0 for another method. Of @set's options
 * spes those it was made with
 * @checks: of HlSpesCheck: by spes: how reliable its map was after how many masks
 * @cells: (nullable) (n_targets, n_rows, n_columns) float32: saliency of the cells of a
 *   picture or of a spectrogram, whose rows are bands from low to high and whose columns
 *   are the frames that are no padding; @mean_cells: over targets
 */
typedef struct
{
  gatomicrefcount refs;
  HlSaliencySet *set;
  HlCrossOptions options;
  HlCrossComparison *comparison;
  gint64 *query;
  HlFaithfulness *faithfulness;
  char *interventions;
  char *pair;
  int n_masks, n_at_a_time;
  GArray *checks;
  HlTensor *cells;
  float *mean_cells;
  gint64 n_rows, n_columns;
} HlCrossResult;

/** hl_cross_result_read: (transfer full): NULL with @error (FORMAT): what is missing or
 * of the wrong size. Thread: any. */
HlCrossResult *hl_cross_result_read (const HlSessionResult *result, GError **error);
HlCrossResult *hl_cross_result_ref (HlCrossResult *result);
void hl_cross_result_unref (HlCrossResult *result);

/** hl_cross_result_add_faithfulness: (transfer full): a result with all that @result has,
 * and @faithfulness in the place of its own; @provenance: JSON object text. Thread: any.
 */
HlSessionResult *hl_cross_result_add_faithfulness (const HlSessionResult *result,
                                                   const HlFaithfulness *faithfulness,
                                                   const char *provenance);

/** hl_cross_result_take_masks: before @result is shared: what @saliency, of the same
 * saliency alone, has of its masks, so that both go on alike; nothing where it has none.
 */
void hl_cross_result_take_masks (HlSessionResult *result,
                                 const HlSessionResult *saliency);

/** hl_cross_result_fits: it is of as many layers, heads and tokens as the trace of
 * @source has, at rows that there are, under the same interventions; whatever a file
 * says. */
gboolean hl_cross_result_fits (const HlCrossResult *result,
                               const HlAttentionSource *source);

/** hl_cross_result_get_name: (transfer none): of target @target. */
const char *hl_cross_result_get_name (const HlCrossResult *result, int target);

/** hl_cross_result_get_rows: to read other maps at; borrows from @result. */
HlCrossRows hl_cross_result_get_rows (const HlCrossResult *result,
                                      const HlAttentionSource *source,
                                      HlBackend *backend);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlCrossResult, hl_cross_result_unref)

G_END_DECLS
