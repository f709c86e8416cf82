/* SPDX-License-Identifier: MIT
 * What a document knows of analyses: scores of heads, patterns, the overview of a data
 * set. They run in the engine's last queue and come back as signals of the document.
 * Included by hl-document.h. Thread: main. */
#pragma once

#include "analysis/hl-overview.h"
#include "analysis/hl-partial.h"
#include "analysis/hl-pattern-survey.h"
#include "analysis/hl-pruning-curve.h"
#include "document/hl-document.h"

G_BEGIN_DECLS

/* ---- analyses (hl-document-scores.c) ------------------------------------------------
 */

/** HlScoreScope: of what scores are. */
typedef enum
{
  HL_SCOPE_INPUT,
  HL_SCOPE_DATASET,
  HL_SCOPE_PROBE, /* random tokens twice over */
  HL_N_SCOPES,
} HlScoreScope;

/** HlScoreChoices: how importance is computed (hl-importance.h). @n_inputs: drawn from
 * the data set at most; 0 for all of them. */
typedef struct
{
  HlAblation ablation;
  int target;
  int against;
  int n_inputs;
} HlScoreChoices;

/** hl_document_open_dataset: a folder, a CSV, IDX files, a text by lines. Before a model
 * is there the path waits for one. */
void hl_document_open_dataset (HlDocument *self, const char *path);
HlDataset *hl_document_get_dataset (HlDocument *self);

const HlScoreChoices *hl_document_get_score_choices (HlDocument *self);
void hl_document_set_score_choices (HlDocument *self, const HlScoreChoices *choices);

/** hl_document_set_reference: the input in hand becomes what likeness is scored to, or
 * with FALSE nothing. hl_document_get_reference: (transfer none) (nullable) */
void hl_document_set_reference (HlDocument *self, gboolean is_this);
HlInput *hl_document_get_reference (HlDocument *self);

/** hl_document_set_label: true class of the input; -1 for not known. */
void hl_document_set_label (HlDocument *self, int label);
int hl_document_get_label (HlDocument *self);

/** hl_document_score: scores every head in the ANALYSIS queue, with the ablated heads
 * ablated; what is known is shown as it comes. @with_importance FALSE: only what the maps
 * say. */
void hl_document_score (HlDocument *self, HlScoreScope scope, gboolean with_importance);

/** hl_document_can_score: model and input, or data set, or a language model, are there.
 */
gboolean hl_document_can_score (HlDocument *self, HlScoreScope scope);
/** hl_document_can_ablate: likewise, each head by itself: not of an encoder-decoder. */
gboolean hl_document_can_ablate (HlDocument *self, HlScoreScope scope);

/** hl_document_get_scores: (transfer none) (nullable) */
HlHeadScores *hl_document_get_scores (HlDocument *self, HlScoreScope scope);

/** hl_document_find_scores: (transfer none) (nullable): where a score is known: of the
 * scope, or of the probe. */
HlHeadScores *
hl_document_find_scores (HlDocument *self, HlScoreScope scope, HlScore score);

/** hl_document_open_scored: makes an input of the data set's scores the input, with its
 * label; then runs. */
void hl_document_open_scored (HlDocument *self, int input);

/** hl_document_prune_parts: of the selected head. */
void hl_document_prune_parts (HlDocument *self);
/** hl_document_get_partial: (transfer none) (nullable): of the selected head. */
HlPartial *hl_document_get_partial (HlDocument *self);

/** hl_document_prune_more: the curve over the data set, in the order of @score. */
void hl_document_prune_more (HlDocument *self, HlScore score, gboolean with_greedy);
HlPruningCurve *hl_document_get_curve (HlDocument *self);

/** hl_document_get_analysis: (transfer none) (nullable): what is being analysed, in
 * words, and how far it is; NULL for nothing. */
const char *hl_document_get_analysis (HlDocument *self, double *fraction);
void hl_document_stop_analysis (HlDocument *self);
/** hl_document_get_remaining_s: of that, if it goes on as it went so far; NaN while
 * nobody can tell. */
double hl_document_get_remaining_s (HlDocument *self);

/* ---- patterns (hl-document-patterns.c) ---------------------------------------------
 */

/** HlPatternChoices: 0 in a field stands for its default (HlPatternOptions). */
typedef struct
{
  int epochs;
  int n_clusters;
  int side;
} HlPatternChoices;

const HlPatternChoices *hl_document_get_pattern_choices (HlDocument *self);
void hl_document_set_pattern_choices (HlDocument *self, const HlPatternChoices *choices);

/** hl_document_find_patterns: trains and summarises on the input or the data set; with
 * @resumes the summary that is there is trained on, by as many epochs again. A stop keeps
 * what was trained. */
void hl_document_find_patterns (HlDocument *self, HlScoreScope scope, gboolean resumes);

/** hl_document_get_patterns: (transfer none) (nullable): of a kind. */
HlPatterns *hl_document_get_patterns (HlDocument *self, HlPatternKind kind);

/** hl_document_get_all_patterns: (transfer full) (element-type HlPatterns): of every kind
 * there is. */
GPtrArray *hl_document_get_all_patterns (HlDocument *self);

/** hl_document_get_pattern_losses: (transfer none) (nullable): of the training in hand:
 * @n HlPatternLoss, of @kind. */
const HlPatternLoss *
hl_document_get_pattern_losses (HlDocument *self, HlPatternKind *kind, int *n);

/** hl_document_get_pattern_spots: (transfer none) (nullable): the current input's heads
 * in the summary of a kind; where they are not known yet that is set going. */
HlPatternSpots *hl_document_get_pattern_spots (HlDocument *self, HlPatternKind kind);

/** HlPatternLook: one map of a summary, and what the autoencoder makes of it.
 * @map: (nullable): where it is at hand */
typedef struct
{
  HlPatternKind kind;
  int map_index;
  float *map;
  float *rebuilt;
} HlPatternLook;

/** hl_document_look_at_pattern: makes it the one that is looked at; -1 for none. */
void hl_document_look_at_pattern (HlDocument *self, HlPatternKind kind, int map_index);
/** hl_document_get_pattern_look: (transfer none) (nullable) */
const HlPatternLook *hl_document_get_pattern_look (HlDocument *self);

/** hl_document_rename_pattern: gives a cluster a name. */
void hl_document_rename_pattern (HlDocument *self,
                                 HlPatternKind kind,
                                 int cluster,
                                 const char *name);

/* ---- overview (hl-document-overview.c) ---------------------------------------------
 */

/** hl_document_make_overview: of the data set, with the ablated heads ablated; as many
 * inputs as the choices say. A stop keeps those that were done. */
void hl_document_make_overview (HlDocument *self);
/** hl_document_get_overview: (transfer none) (nullable) */
HlOverview *hl_document_get_overview (HlDocument *self);
/** hl_document_get_overviewed: the input in hand, among those of the overview; -1. */
int hl_document_get_overviewed (HlDocument *self);

/** hl_document_open_overviewed: makes one of its inputs the input, with its label; then
 * runs. */
void hl_document_open_overviewed (HlDocument *self, int input);

/** hl_document_peek: reads one of its inputs, to be shown; -1 for none.
 * hl_document_get_peek: (transfer none) (nullable): the latest that was read. */
void hl_document_peek (HlDocument *self, int input);
HlInput *hl_document_get_peek (HlDocument *self, int *input);

G_END_DECLS
