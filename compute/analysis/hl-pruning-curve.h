/* SPDX-License-Identifier: MIT
 * What is left when more and more heads are pruned together: loss and accuracy over a
 * data set against the number of heads removed, in several orders. */
#pragma once

#include "analysis/hl-survey.h"

G_BEGIN_DECLS

/**
 * HlPruningOrder:
 * @name: "loss_change", "loss_change reversed", "random 1", "greedy"
 * @heads: (n_heads): indices among all heads, the first to go first
 * @loss, @accuracy: (n_inputs, n_points)
 */
typedef struct
{
  char *name;
  int *heads;
  GArray *loss;
  GArray *accuracy;
} HlPruningOrder;

/**
 * HlPruningCurve:
 * @n_removed: (n_points): heads pruned at each point, 0 and all of them among them
 * @orders: of HlPruningOrder *
 * @n_inputs: scored so far; @n_skipped could not be read
 * Where an input has no label, what the whole model predicts stands for it: accuracy is
 * then the share of predictions that stay.
 */
typedef struct
{
  int n_heads;
  int n_points;
  int *n_removed;
  GPtrArray *orders;
  int n_inputs;
  int n_skipped;
  gboolean is_partial;
} HlPruningCurve;

/** hl_pruning_curve_alloc: (transfer full): nothing in it; for its makers. */
HlPruningCurve *hl_pruning_curve_alloc (int n_heads);
void hl_pruning_curve_free (HlPruningCurve *curve);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlPruningCurve, hl_pruning_curve_free)

/** HL_CURVE_POINTS: at most, unless options say otherwise. */
#define HL_CURVE_POINTS 25

/**
 * HlPruningCurveOptions:
 * @score: the order of: the least of it goes first, and in another order last
 * @n_random: orders drawn at random, with seeds @seed, @seed + 1, ...
 * @with_greedy: also the order in which at each step the head goes whose loss over the
 *   data set is least with those that went before: half as many runs as the square of the
 *   number of heads, each over the data set
 * @every_token: of texts: loss and accuracy of every token, not of the last one alone
 * @n_points: 0 for HL_CURVE_POINTS
 */
typedef struct
{
  HlScore score;
  int n_random;
  gboolean with_greedy;
  gboolean every_token;
  int n_points;
  guint32 seed;
} HlPruningCurveOptions;

/**
 * hl_pruning_curve_compute:
 * @scores: of these heads, with @options' score
 * Thread: engine. Cancelled after the first input it is partial.
 * Returns: (transfer full): NULL with @error
 */
HlPruningCurve *hl_pruning_curve_compute (const HlModel *model,
                                          const HlDataset *dataset,
                                          HlBackend *backend,
                                          const HlHeadScores *scores,
                                          const HlPruningCurveOptions *options,
                                          const HlProgress *progress,
                                          GError **error);

/** hl_pruning_curve_loss, _accuracy: mean over inputs at a point, with interval. */
HlInterval hl_pruning_curve_loss (const HlPruningCurve *curve, guint order, int point);
HlInterval
hl_pruning_curve_accuracy (const HlPruningCurve *curve, guint order, int point);

G_END_DECLS
