/* SPDX-License-Identifier: MIT
 * What the analyses of `headlight analyze` share. */
#pragma once

#include "cli-heads.h"
#include "cli-input.h"

#include "analysis/hl-alignment.h"
#include "analysis/hl-cross-compare.h"
#include "analysis/hl-faithfulness.h"
#include "analysis/hl-overview-result.h"
#include "analysis/hl-patterns-result.h"
#include "analysis/hl-saliency-set.h"
#include "analysis/hl-scores-result.h"
#include "analysis/hl-spes.h"
#include "analysis/hl-survey.h"
#include "analysis/hl-word-times.h"
#include "model/hl-labels.h"

#include <jansson.h>

G_BEGIN_DECLS

/** AnalyzeOptions: where the options go; some are of one analysis only. */
typedef struct
{
  CliInput input;
  CliInput pair;
  CliHeads heads;
  char *dataset;
  int n_inputs;
  int seed;
  char *label;
  char *target;
  char *against;
  char *reference;
  char *ablation;
  char *parts;
  gboolean renormalises;
  char *curve;
  int n_random;
  gboolean with_greedy;
  int epochs;
  int n_clusters;
  int side;
  gboolean no_tsne;
  char *resume;
  char *method;
  char *baseline;
  int n_masks;
  char *granularities;
  double stable_at;
  char *pooling;
  int position;
  char *align;
  gboolean at_encoder;
  gboolean at_both;
  gboolean is_raw;
  gboolean keeps_special;
  gboolean takes_away;
  char *weights;
  char *attention_of;
  char *metric;
  int n_chance;
  char *csv;
  char *output;
  HlBackendChoice backend;
  gboolean as_json;
} AnalyzeOptions;

/** analyze_parse: cli_parse_groups() of all options, into @options. */
CliStatus
analyze_parse (AnalyzeOptions *options, int *argc, char ***argv, gboolean *done);

/** SpokenWord: of an alignment: @token is its first. */
typedef struct
{
  char *text;
  int token;
  double start;
  double end;
} SpokenWord;

/**
 * Analyze: the work in hand; all borrowed but what cmd-analyze.c made.
 * @input: (nullable): one input; else @dataset
 * @label: class of the one input; -1
 * @scores, @probe (nullable): what was found; or
 * @patterns (nullable) (element-type HlPatterns), or @overview (nullable), or @saliency
 * (nullable), and beside it @cross (nullable) and @faithfulness (nullable), or @alignment
 * (nullable) with its words @spoken (element-type SpokenWord)
 * @behind, @cross_behind: (nullable): beside @saliency and @cross those of what an
 * encoder gives its decoder
 * @chosen: (nullable): beside @cross the mean map of the heads @chosen_heads
 * @marked (element-type HlReferenceWord), @times: (nullable): beside @spoken
 * @beside: (nullable): of two towers, what is said of the other
 * @pair, @own: (nullable): of two towers the other's input, and this one for the other
 * @skipped: (nullable) (element-type char *): inputs that were left out, and why
 * @is_partial: it was stopped, and has what was done so far
 * @results: of HlSessionResult *: what goes into the session, beside the scores
 */
typedef struct
{
  const AnalyzeOptions *options;
  HlModel *model;
  HlBackend *backend;
  HlInput *input;
  HlDataset *dataset;
  int label;
  GPtrArray *interventions;
  HlHeadScores *scores;
  HlHeadScores *probe;
  GPtrArray *patterns;
  HlOverview *overview;
  HlSaliencySet *saliency;
  HlSaliencySet *beside;
  HlPair *pair;
  HlPair *own;
  HlCrossComparison *cross;
  HlSaliencySet *behind;
  HlCrossComparison *cross_behind;
  HlCrossMap *chosen;
  char *chosen_heads;
  HlFaithfulness *faithfulness;
  HlAlignment *alignment;
  GArray *spoken;
  GArray *marked;
  HlWordTimes *times;
  const GPtrArray *skipped;
  gboolean is_partial;
  GPtrArray *results;
  json_t *more; /* what is printed as JSON beside the scores */
  const HlProgress *progress;
} Analyze;

/** analyze_importance, _strength, _patterns, _overview, _saliency, _cross: fill @a; FALSE
 * with
 * @error. */
gboolean analyze_importance (Analyze *a, GError **error);
gboolean analyze_strength (Analyze *a, GError **error);
gboolean analyze_patterns (Analyze *a, GError **error);
gboolean analyze_overview (Analyze *a, GError **error);
gboolean analyze_saliency (Analyze *a, GError **error);
gboolean analyze_cross (Analyze *a, GError **error);
gboolean analyze_alignment (Analyze *a, GError **error);

/** analyze_print_importance, _strength, _patterns, _overview, _saliency, _cross: for a
 * person. */
void analyze_print_importance (const Analyze *a);
void analyze_print_strength (const Analyze *a);
void analyze_print_patterns (const Analyze *a);
void analyze_print_overview (const Analyze *a);
void analyze_print_saliency (const Analyze *a);
void analyze_print_cross (const Analyze *a);
void analyze_print_alignment (const Analyze *a);

/** analyze_print_masks: how many masks saliency is of, and how good that is. */
void analyze_print_masks (const Analyze *a);

/** analyze_scores_to_json, _patterns_to_json, _overview_to_json, _saliency_to_json:
 * (transfer full): every head and score; every cluster; every input; every target. */
json_t *analyze_scores_to_json (const Analyze *a, const char *analysis);
json_t *analyze_patterns_to_json (const Analyze *a, const char *analysis);
json_t *analyze_overview_to_json (const Analyze *a, const char *analysis);
json_t *analyze_saliency_to_json (const Analyze *a, const char *analysis);
json_t *analyze_cross_to_json (const Analyze *a, const char *analysis);
json_t *analyze_alignment_to_json (const Analyze *a, const char *analysis);

/** analyze_scores_to_csv, _patterns_to_csv, _overview_to_csv, _saliency_to_csv: (transfer
 * full) */
char *analyze_scores_to_csv (const Analyze *a);
char *analyze_patterns_to_csv (const Analyze *a);
char *analyze_overview_to_csv (const Analyze *a);
char *analyze_saliency_to_csv (const Analyze *a);
char *analyze_cross_to_csv (const Analyze *a);
char *analyze_alignment_to_csv (const Analyze *a);

/** analyze_clear_spoken: (nullable) */
void analyze_clear_spoken (GArray *spoken);

/** analyze_times: compares the words of an alignment with those of --reference, where
 * there are any: into @a; FALSE with @error. analyze_times_add_to, _print_word, _print,
 * _to_json, _csv_header, _csv_word: what is known then, else nothing. */
gboolean analyze_times (Analyze *a, GError **error);
void analyze_times_add_to (const Analyze *a, HlSessionResult *result);
void analyze_times_print_word (const Analyze *a, guint word);
void analyze_times_print (const Analyze *a);
void analyze_times_to_json (const Analyze *a, json_t *root, json_t *words);
void analyze_times_csv_header (const Analyze *a, GString *csv);
void analyze_times_csv_word (const Analyze *a, guint word, GString *csv);

/** analyze_is_every: every token of a text is explained, not one prediction. */
gboolean analyze_is_every (const Analyze *a);

/** analyze_get_progress: (nullable): of what is done with what was found: nobody's where
 * the search was stopped. */
const HlProgress *analyze_get_progress (const Analyze *a);

/** analyze_save: a session with the trace of the (first) input and the results. */
gboolean analyze_save (const Analyze *a, const char *analysis, GError **error);

/** analyze_provenance: (transfer full): JSON text. */
char *analyze_provenance (const Analyze *a);

/** analyze_parse_class: a number, or the name of a class, "predicted", "label" or
 * "every"; FALSE with @error. */
gboolean analyze_parse_class (
    const Analyze *a, const char *option, const char *text, int *found, GError **error);

G_END_DECLS
