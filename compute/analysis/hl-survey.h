/* SPDX-License-Identifier: MIT
 * Scores of every head on one input, or on each of a data set. */
#pragma once

#include "analysis/hl-importance.h"
#include "analysis/hl-strength.h"
#include "model/hl-dataset.h"

G_BEGIN_DECLS

/** HlSurveyFunc: an input was scored, or a layer of one; called on the working thread. */
typedef void (*HlSurveyFunc) (const HlHeadScores *scores, gpointer user_data);

/**
 * HlSurveyOptions:
 * @with_importance: the groups PRUNING, LAYER and GRADIENT
 * @with_strength: the group STRENGTH, and profiles over hops
 * @target, @against, @ablation: of importance (hl-importance.h); HL_TARGET_AUTO too
 * @interventions: (nullable) (element-type HlIntervention): in force in every run
 * @reference: (nullable): an input: then REFERENCE_CHANGE is scored, the likeness to what
 *   the model makes of it
 * @seed: of which input another one's z is taken from, for resample ablation
 * @done: (nullable)
 */
typedef struct
{
  gboolean with_importance;
  gboolean with_strength;
  int target;
  int against;
  HlAblation ablation;
  GPtrArray *interventions;
  const HlInput *reference;
  guint32 seed;
  HlSurveyFunc done;
  gpointer done_data;
} HlSurveyOptions;

/** hl_survey_target: HL_TARGET_AUTO made into what it stands for on @dataset (nullable:
 * one input); any other as it is. */
int hl_survey_target (int target, const HlDataset *dataset);

/** hl_survey_input: one input; @label is its class or -1. Cancelled after a layer was
 * scored, the result has the layers that were, and is marked partial. Thread: engine.
 * (transfer full): NULL with @error. */
HlHeadScores *hl_survey_input (const HlModel *model,
                               const HlInput *input,
                               int label,
                               HlBackend *backend,
                               const HlSurveyOptions *options,
                               const HlProgress *progress,
                               GError **error);

/**
 * hl_survey_dataset:
 * Inputs that cannot be read are skipped, counted and named. Cancelled after the first
 * input was done, the result has those that were, and is marked partial.
 * Thread: engine. Returns: (transfer full): NULL with @error, where no input could be
 *   scored, or on a failure that is not an input's own
 */
HlHeadScores *hl_survey_dataset (const HlModel *model,
                                 const HlDataset *dataset,
                                 HlBackend *backend,
                                 const HlSurveyOptions *options,
                                 const HlProgress *progress,
                                 GError **error);

G_END_DECLS
