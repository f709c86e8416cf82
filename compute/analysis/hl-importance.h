/* SPDX-License-Identifier: MIT
 * Which heads matter on one input: each is ablated by itself, and what a gradient says of
 * all of them at once stands beside it. The scores are those of the groups PRUNING, LAYER
 * and GRADIENT of hl-score-table.def. */
#pragma once

#include "analysis/hl-ablation.h"
#include "analysis/hl-explained.h"
#include "analysis/hl-head-scores.h"

G_BEGIN_DECLS

/** HL_TAPE_BUDGET_BYTES: of what is kept for gradients, unless options say otherwise; and
 * never more than half of the memory that is available. Beyond it blocks are recomputed.
 */
#define HL_TAPE_BUDGET_BYTES ((gsize) 1 << 30)

/** HlLayerDoneFunc: @layer's heads are scored; called on the working thread. */
typedef void (*HlLayerDoneFunc) (const HlHeadScores *scores,
                                 int layer,
                                 gpointer user_data);

/**
 * HlImportanceOptions:
 * @target: class or token, or HL_TARGET_PREDICTED, _LABEL or _EVERY (hl-explained.h)
 * @against: class or token whose logit is subtracted from the target's, or -1: then
 *   DIFFERENCE_CHANGE is scored, and gradients are those of the difference
 * @label: true class; -1 where it is not known: then CORRECTS and ACCURACY_CHANGE are not
 *   scored
 * @ablation, @replacements: what stands in a head's place (hl_ablation_replace()); NULL
 *   for zeros
 * @interventions: (nullable) (element-type HlIntervention): in force in every run,
 *   such as heads that are pruned already
 * @reference: (nullable): (D) float64: what stands behind the last block at the readout
 *   token of another input: then REFERENCE_CHANGE is scored, where @no_layers is not set
 * @no_gradients, @no_layers: leave out these scores
 * @tape_budget_bytes: 0 takes HL_TAPE_BUDGET_BYTES; scores do not depend on it
 * @layer_done: (nullable)
 */
typedef struct
{
  int target;
  int against;
  int label;
  HlAblation ablation;
  const GPtrArray *replacements;
  const GPtrArray *interventions;
  const double *reference;
  gboolean no_gradients;
  gboolean no_layers;
  gsize tape_budget_bytes;
  HlLayerDoneFunc layer_done;
  gpointer layer_done_data;
} HlImportanceOptions;

/**
 * hl_importance_score:
 * @scores: its latest input is filled: scores and what is known of the input
 * The heads of a layer are a batch, which begins at their block with the residual stream
 * of the whole model; of the last block only the readout's row is computed, but for its
 * own heads. A tower without classes has no scores of a prediction: OUTPUT_COSINE and the
 * group LAYER are what it has.
 * Thread: engine. Returns: FALSE with @error (RANGE for the target; what a run may give)
 */
gboolean hl_importance_score (HlHeadScores *scores,
                              const HlModel *model,
                              const HlInput *input,
                              HlBackend *backend,
                              const HlImportanceOptions *options,
                              const HlProgress *progress,
                              GError **error);

G_END_DECLS
