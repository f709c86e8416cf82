/* SPDX-License-Identifier: MIT
 * From scores of heads to charts and maps. No toolkit; the window and the commands show
 * the same. Thread: any one. */
#pragma once

#include "analysis/hl-head-scores.h"
#include "analysis/hl-hops.h"
#include "analysis/hl-partial.h"
#include "analysis/hl-pruning-curve.h"
#include "draw/hl-painter.h"
#include "scene/hl-chart-scene.h"
#include "trace/hl-attention-source.h"

G_BEGIN_DECLS

/** hl_score_title: (transfer full): translated, with its unit: "Change of loss (nats)".
 */
char *hl_score_title (HlScore score);
/** hl_score_formula: (transfer none): translated. */
const char *hl_score_formula (HlScore score);

/** hl_present_score_value: (transfer full): a head's score in words, with its interval
 * and how many inputs it is of. */
char *hl_present_score_value (const HlHeadScores *scores, HlScore score, HlHeadKey head);

/**
 * hl_present_head_bars:
 * @is_sorted: the largest first, else layer by layer
 * @selected: the blue head
 * @order: (out) (transfer full): (n_heads): the head of each bar, as index among all
 * A bar a head, of the mean over inputs with its interval; the dashed line is what a head
 * at random has. Signed scores are coloured by their sign, others by layer.
 * Returns: (transfer full)
 */
HlChartScene *hl_present_head_bars (const HlHeadScores *scores,
                                    HlScore score,
                                    gboolean is_sorted,
                                    HlHeadKey selected,
                                    int **order);

/** hl_present_score_map: (transfer full): layers downwards, heads across; NaN where a
 * layer has fewer heads. */
HlMatrixScene *
hl_present_score_map (const HlHeadScores *scores, HlScore score, HlHeadKey selected);

/** hl_present_score_scale: of a score's colours: symmetric about 0 where it is signed,
 * else from the least to the largest of all heads. */
HlScale hl_present_score_scale (const HlHeadScores *scores, HlScore score);

/** hl_present_score_grid: (transfer full): a cell a head in the colour of its score.
 * hl_present_hop_grid: a strip a head: the share of its attention at each distance, from
 * left to right. */
HlGridScene *hl_present_score_grid (const HlHeadScores *scores, HlScore score);
HlGridScene *hl_present_hop_grid (const HlHeadScores *scores);

/** hl_present_layer_dots: (transfer full): a dot a head at its layer. */
HlChartScene *
hl_present_layer_dots (const HlHeadScores *scores, HlScore score, HlHeadKey selected);

/** hl_present_scatter: (transfer full): a dot a head; title says how far both agree. */
HlChartScene *hl_present_scatter (const HlHeadScores *x_scores,
                                  HlScore x,
                                  const HlHeadScores *y_scores,
                                  HlScore y,
                                  HlHeadKey selected);

typedef enum
{
  HL_HOPS_STRENGTH, /* mean a pair, with that of a uniform map as a line */
  HL_HOPS_LIFT,     /* over that of a uniform map */
  HL_HOPS_MASS,     /* share of all attention */
  HL_N_HOPS_MODES,
} HlHopsMode;

/** hl_present_hops: (transfer full) (nullable): a bar a hop, mean over inputs. NULL where
 * no profile is known. @is_grid: of a picture: square rings; else tokens. */
HlChartScene *hl_present_hops (const HlHeadScores *scores,
                               HlHeadKey head,
                               HlHopsMode mode,
                               gboolean is_grid);

/**
 * hl_present_density: (transfer full): how one head's score is spread over inputs.
 * @value: of the current input, marked; NaN for none
 */
HlChartScene *hl_present_density (const HlHeadScores *scores,
                                  HlScore score,
                                  HlHeadKey head,
                                  double value);

/** hl_present_parts: (transfer full): probability of the target with each part pruned.
 * @names: (nullable): class names. Marks' names list the five most probable. */
HlChartScene *hl_present_parts (const HlPartial *partial, const char *const *names);
/** hl_part_words: (transfer none): translated: "CLS row and column". */
const char *hl_part_words (HlPart part);

/** hl_present_curve: (transfer full): loss, or with @is_accuracy accuracy, of each order.
 */
HlChartScene *hl_present_curve (const HlPruningCurve *curve, gboolean is_accuracy);

G_END_DECLS
