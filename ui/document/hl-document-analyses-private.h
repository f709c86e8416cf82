/* SPDX-License-Identifier: MIT
 * The inside of a document's analyses: what they know, and what their files share.
 * Included by hl-document-private.h. */
#pragma once

#include "document/hl-document.h"

G_BEGIN_DECLS

/** HlDocumentScores: what analyses know, and the one in hand; see hl-document-scores.c.
 * @epoch counts up when what is known is of something else: results that carry an older
 * number are dropped */
typedef struct
{
  HlDataset *dataset;
  char *wanted;       /* a data set that waits for a model */
  HlInput *reference; /* (nullable): what likeness is scored to */
  HlScoreChoices choices;
  int label;
  HlHeadScores *scores[HL_N_SCOPES];
  HlPartial *partial;
  HlPruningCurve *curve;
  GCancellable *cancellable[HL_N_SCOPES];
  guint epoch[HL_N_SCOPES];
  int n_jobs;
  char *what;
  double fraction;
  gint64 began_us; /* when @fraction was @began_fraction; 0 before it is told */
  double began_fraction;
} HlDocumentScores;

/** HlDocumentPatterns: see hl-document-patterns.c. @epoch: of all summaries; @spot_epoch:
 * of the trace that spots are of */
typedef struct
{
  HlPatternChoices choices;
  HlPatterns *all[HL_N_PATTERNS];
  HlPatternSpots *spots[HL_N_PATTERNS];
  gboolean wants_spots[HL_N_PATTERNS];
  GArray *losses;
  HlPatternKind training;
  HlPatternLook *look;
  int wanted_map; /* of the look in hand */
  GCancellable *cancellable;
  guint epoch, spot_epoch;
} HlDocumentPatterns;

/** HlDocumentOverview: see hl-document-overview.c. @peek: the input that @peeked is of;
 * @wanted_peek: of the look in hand */
typedef struct
{
  HlOverview *made;
  int peek, wanted_peek;
  HlInput *peeked;
  GCancellable *cancellable;
  guint epoch;
} HlDocumentOverview;

/** HlDocumentSaliency: see hl-document-saliency.c. @interventions: in force when it was
 * made, where that is known; @map: of @map_heads, chosen by @map_choice; @asked_heads: of
 * the one that is read; @map_epoch: of the map in hand; @kept: what @made was read from;
 * @checks: of the run in hand */
typedef struct
{
  HlSaliencyChoices choices;
  char *pair;
  HlCrossResult *made;
  HlSessionResult *kept;
  GArray *checks;
  GPtrArray *interventions;
  HlCrossHeads heads;
  HlCrossMap *map;
  GArray *map_heads, *asked_heads;
  HlCrossHeads map_choice;
  gboolean is_reading;
  GCancellable *cancellable;
  guint epoch, map_epoch;
} HlDocumentSaliency;

/** hl_document_open_pair: (transfer full): what @given, a text or the path of a picture,
 * is to the other tower of @model; NULL with @error. Thread: the backend's. */
HlPair *hl_document_open_pair (const HlModel *model,
                               const char *given,
                               HlBackend *backend,
                               const HlProgress *progress,
                               GError **error);

/** hl_document_init_scores, _clear_scores: with the document. */
void hl_document_init_scores (HlDocument *self);
void hl_document_clear_scores (HlDocument *self);

/** hl_document_forget_scores: of the input alone, or of everything (another model). */
void hl_document_forget_scores (HlDocument *self, gboolean of_everything);

/** hl_document_take_results: scores that the opened session has. */
void hl_document_take_results (HlDocument *self);

/** hl_document_describe_origin: (transfer full): provenance as JSON text, of results of
 * the job that has just ended. */
char *hl_document_describe_origin (HlDocument *self,
                                   const HlModel *model,
                                   const HlInput *input,
                                   const HlDataset *dataset);

/** hl_document_init_patterns, _clear_patterns: with the document.
 * hl_document_forget_patterns: another model; hl_document_forget_spots: another trace;
 * hl_document_take_patterns: summaries that the opened session has. */
void hl_document_init_patterns (HlDocument *self);
void hl_document_clear_patterns (HlDocument *self);
void hl_document_forget_patterns (HlDocument *self);
void hl_document_forget_spots (HlDocument *self);
void hl_document_take_patterns (HlDocument *self);
void hl_document_stop_patterns (HlDocument *self);

/** hl_document_init_overview, _clear_overview, _forget_overview, _take_overview,
 * _stop_overview: likewise of the data set's overview. */
void hl_document_init_overview (HlDocument *self);
void hl_document_clear_overview (HlDocument *self);
void hl_document_forget_overview (HlDocument *self);
void hl_document_take_overview (HlDocument *self);
void hl_document_stop_overview (HlDocument *self);

/** hl_document_init_saliency, _clear_saliency, _forget_saliency, _take_saliency,
 * _stop_saliency: likewise of what is said of this input. */
void hl_document_init_saliency (HlDocument *self);
void hl_document_clear_saliency (HlDocument *self);
void hl_document_forget_saliency (HlDocument *self);
void hl_document_take_saliency (HlDocument *self);
void hl_document_stop_saliency (HlDocument *self);
/** hl_document_check_saliency: another trace: forgets what is not of it. */
void hl_document_check_saliency (HlDocument *self);

/** hl_document_clear_pruning: with the document, or another model;
 * hl_document_take_pruning: parts and curves that the opened session has. */
void hl_document_clear_pruning (HlDocument *self);
void hl_document_take_pruning (HlDocument *self);

/** hl_document_begin_analysis: one more is under way; @what in words.
 * hl_document_step_analysis: how far it is; @what (transfer full) (nullable): other
 * words. hl_document_end_analysis: (transfer full) (nullable): its result, where it is
 * still wanted; a failure is told then. */
void hl_document_begin_analysis (HlDocument *self, const char *what);
void hl_document_step_analysis (HlDocument *self, double fraction, char *what);
gpointer hl_document_end_analysis (HlDocument *self,
                                   GAsyncResult *result,
                                   gboolean is_wanted,
                                   GDestroyNotify result_free,
                                   const char *failure);

/**
 * hl_document_keep_result:
 * @made: (transfer full): goes into the session
 * @mark: (nullable): a piece of the parameters' text
 * It takes the place of older ones of its kind, of those with @mark where that is given.
 */
void hl_document_keep_result (HlDocument *self, HlSessionResult *made, const char *mark);

G_END_DECLS
