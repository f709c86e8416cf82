/* SPDX-License-Identifier: MIT
 * From summaries of attention patterns to charts and pictures. No toolkit. Thread: any
 * one. */
#pragma once

#include "analysis/hl-patterns.h"
#include "draw/hl-painter.h"
#include "scene/hl-chart-scene.h"
#include "trace/hl-attention-source.h"

G_BEGIN_DECLS

/**
 * HlPatternView: how a summary is laid out.
 * @principal: by principal components, else by t-SNE where there is one
 * @as_contours: the population as lines of equal density, else as dots
 * @by_layer: coloured by layer, else by cluster
 */
typedef struct
{
  gboolean principal;
  gboolean as_contours;
  gboolean by_layer;
} HlPatternView;

/**
 * hl_present_patterns:
 * @spots: (nullable): the current input's heads, a dot each, as the first series
 * @selected: the ringed head
 * The population behind: one cloud with a dot a map, in the order of the maps, or lines
 * that enclose 25, 50, 75 and 95 % of it. Returns: (transfer full)
 */
HlChartScene *hl_present_patterns (const HlPatterns *patterns,
                                   const HlPatternSpots *spots,
                                   HlHeadKey selected,
                                   const HlPatternView *view);

/** hl_present_density_lines: adds lines that enclose shares of @n points @xy (n, 2) to
 * @scene: of a Gaussian density (Scott's rule) on a grid of 96 x 96. */
void hl_present_density_lines (
    HlChartScene *scene, const float *xy, int n, const double *shares, int n_shares);

/** hl_present_pattern_grid: (transfer full): a strip a head: the share of its maps in
 * each cluster, the largest cluster at the left. */
HlGridScene *hl_present_pattern_grid (const HlPatterns *patterns);

/** hl_present_pattern_loss: (transfer full): mean squared error by epoch. */
HlChartScene *hl_present_pattern_loss (const HlPatternLoss *losses, int n);

/** hl_present_pattern_map: (transfer full): a picture of a summary as a map; @title is
 * copied. */
HlMatrixScene *hl_present_pattern_map (HlPatternKind kind,
                                       HlAutoencoderShape shape,
                                       int grid_columns,
                                       const float *numbers,
                                       const char *title);

/** hl_present_pattern_pixels: (transfer full): a picture as RGB, every cell @zoom pixels
 * wide and high; its largest number is the brightest. */
GBytes *hl_present_pattern_pixels (HlAutoencoderShape shape,
                                   const float *numbers,
                                   HlColormap colormap,
                                   int zoom);

/** hl_pattern_kind_words: (transfer none): translated: "Between patches". */
const char *hl_pattern_kind_words (HlPatternKind kind);

/** hl_pattern_cluster_words: (transfer none): a suggested name in the person's language;
 * a given one as it is. */
char *hl_pattern_cluster_words (const HlPatternCluster *cluster);

/** hl_pattern_map_words: (transfer full): map @i in words: "shirt-02.png 3.1: Self,
 * error 0.004". */
char *hl_pattern_map_words (const HlPatterns *patterns, int i);

/** hl_pattern_spot_words: (transfer full): likewise of one of @spots. */
char *
hl_pattern_spot_words (const HlPatterns *patterns, const HlPatternSpots *spots, int i);

/** hl_pattern_explain: (transfer full): how it was computed, options and Python that
 * gives the same numbers from the session. */
char *hl_pattern_explain (const HlPatterns *patterns);

G_END_DECLS
