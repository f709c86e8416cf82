/* SPDX-License-Identifier: MIT
 * From what is known of a trace to scenes: titles, axes, ranges, captions. No toolkit, no
 * display; the window and the commands show the same. Thread: any one. */
#pragma once

#include "draw/hl-figure.h"
#include "presenters/hl-summary.h"
#include "presenters/hl-view-options.h"

G_BEGIN_DECLS

/** HL_MATRIX_VALUES_MAX: entries a side up to which a scene holds the whole map; larger
 * maps are shown by tiles. */
#define HL_MATRIX_VALUES_MAX 2048

/** hl_present_scale: how @options colour one head, or all (@head NULL). */
HlScale hl_present_scale (const HlTraceSummary *summary,
                          const HlHeadSummary *head,
                          const HlViewOptions *options);

/** hl_present_grid: (transfer full): every head; empty thumbs where not known yet. */
HlGridScene *hl_present_grid (const HlTraceSummary *summary,
                              const HlViewOptions *options);

/**
 * hl_present_matrix:
 * @values: (nullable): the map, (Tq, Tk); copied, with "not applicable" entries as NaN.
 *   NULL for a scene without values
 * @query, @key: selected; -1 for none
 * Returns: (transfer full)
 */
HlMatrixScene *hl_present_matrix (const HlTraceSummary *summary,
                                  HlHeadKey key_of_head,
                                  gint64 Tq,
                                  gint64 Tk,
                                  const float *values,
                                  const HlViewOptions *options,
                                  gint64 query,
                                  gint64 key);

/** hl_present_mask: makes NaN of the entries of a rectangle that are "not applicable":
 * what causal attention forbids, and special tokens where they are left out. */
void hl_present_mask (const HlTrace *trace,
                      HlHeadKey head,
                      const HlViewOptions *options,
                      gint64 Tq,
                      gint64 Tk,
                      gint64 first_query,
                      gint64 n_queries,
                      gint64 first_key,
                      gint64 n_keys,
                      float *values);

/**
 * hl_present_mask_line: the same of one line that was added up over @tokens.
 * @line: (Tk) what the tokens attend to, or with @is_from (Tq) what attends to them; an
 *   entry becomes NaN where the map has "not applicable" for every one of @tokens
 */
void hl_present_mask_line (const HlTrace *trace,
                           HlHeadKey head,
                           const HlViewOptions *options,
                           gint64 Tq,
                           gint64 Tk,
                           const gint64 *tokens,
                           guint n_tokens,
                           gboolean is_from,
                           float *line);

/** hl_present_has_patches: there is a picture, of whose patches the tokens are. */
gboolean hl_present_has_patches (const HlTrace *trace, int stack);

/**
 * hl_present_overlay:
 * @weights: (nullable): one number a token, (T): mean over the selected tokens' rows or
 *   columns; NULL shows the picture alone
 * @selected: (nullable): one a token
 * @is_from: the weights say who looks at the selected, not where they look
 * Returns: (transfer full): NULL where hl_present_has_patches() is FALSE
 */
HlOverlayScene *hl_present_overlay (const HlTrace *trace,
                                    int stack,
                                    const float *weights,
                                    const gboolean *selected,
                                    gboolean is_from,
                                    const HlViewOptions *options);

/** hl_present_number: (transfer full): by @format ("%.3f"), in every locale with a point,
 * as numbers on axes have; "–" for NaN. */
char *hl_present_number (double x, const char *format);

/** hl_present_name_head: says in title and caption which head a scene is of, for
 * figures; while the scene is not shared yet. */
void hl_present_name_head (HlOverlayScene *scene, HlHeadKey head, gboolean is_from);

/** hl_present_stack_prefix: (transfer full): "" for a model with one stack, else its name
 * and a space, "cross ", for what goes before a head's number. */
char *hl_present_stack_prefix (const HlTrace *trace, int stack);

/** hl_present_words: (transfer none): a sentence for captions, with a space before it:
 * what of a stack's maps was joined into words; "" where nothing was. */
const char *hl_present_words (const HlTrace *trace, int stack);

/** hl_present_reads_out: the positions of a stack are those that predictions are of. */
gboolean hl_present_reads_out (const HlTrace *trace, int stack);

/** hl_present_head_title: (transfer full): "Layer 3 · head 1", with the stack's name
 * before it where there are several. */
char *hl_present_head_title (const HlTrace *trace, HlHeadKey head);

/** hl_present_stack_name: (transfer none): of a stack, for a person: "Encoder". */
const char *hl_present_stack_name (const HlTrace *trace, int stack);

/** hl_present_token: (transfer full): a token in words: "CLS", "patch (8, 4)". */
char *hl_present_token (const HlTrace *trace, int stack, gint64 index);

/** hl_present_parse_token: index of "117", "8,4", "(8, 4)" or "CLS"; -1 for nonsense. */
gint64 hl_present_parse_token (const HlTrace *trace, int stack, const char *text);

/**
 * HlPrediction: @label, @index, @prob; the best first.
 */
typedef struct
{
  int index;
  char *label;
  double prob;
  double logit;
} HlPrediction;

/** hl_present_predictions: (transfer full) (element-type HlPrediction): at most @n;
 * empty where the trace has no logits. Softmax in double. */
GPtrArray *hl_present_predictions (const HlTrace *trace, int n);

/** hl_present_next_tokens: (transfer full) (element-type HlPrediction): what a position
 * of a text predicts; at most @n, and no more than the trace has; empty where it has
 * none, as of a word of several masked tokens.
 * @logit is NaN. */
GPtrArray *hl_present_next_tokens (const HlTrace *trace, gint64 position, int n);

/** hl_present_provenance: model, input, precision, backend, version, into a figure;
 * @trace as it is shown, in tokens where that is what the figure is of; @options:
 * (nullable): how maps are shown. */
void hl_present_provenance (HlFigure *figure,
                            const HlTrace *trace,
                            const HlViewOptions *options);

G_END_DECLS
