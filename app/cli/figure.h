/* SPDX-License-Identifier: MIT
 * What the parts of `headlight figure` share. */
#pragma once

#include "cli.h"

#include "backend/hl-backend.h"
#include "presenters/hl-figure-maker.h"
#include "presenters/hl-present-compare.h"
#include "session/hl-session.h"

G_BEGIN_DECLS

/** FigureOptions: where the options go. */
typedef struct
{
  char *view;
  char *output;
  char *heads;
  char *stack;
  char *query;
  char *colormap;
  char *range;
  char *width;
  char *slice;
  char *score;
  char *chart;
  gboolean with_contours;
  int layer;
  int head;
  int dpi;
  int n_columns;
  int trace;
  HlBackendChoice backend;
  gboolean leave_out;
  gboolean by_words;
  gboolean is_from;
  gboolean is_dark;
} FigureOptions;

/**
 * Figure: what the panels are made from.
 * @charts: (element-type HlChartScene)
 * @of: (nullable): what was scored, where it is not the trace's input
 * @heads: (element-type HlHeadKey): that were asked for; none in most charts
 * @compare: where a comparison was taken: of @cross, and of the heads of @cross_map
 */
typedef struct
{
  const FigureOptions *o;
  HlViewOptions view;
  HlFigureOptions page;
  HlFigureKind kind;
  HlTraceSummary *summary;
  HlAttentionSource *source;
  HlBackend *backend;
  const HlSession *session;
  GPtrArray *charts;
  char *of;
  HlMatrixScene *score_map;
  const GArray *heads;
  HlCrossResult *cross;
  HlCrossMap *cross_map;
  char *whose;
  HlCompare compare;
} Figure;

/** figure_knows_chart: there is a chart of this name. */
gboolean figure_knows_chart (const char *name);

/** figure_make_chart: the chart that the options name, of results of the session, into
 * @charts or @score_map. */
gboolean figure_make_chart (Figure *figure,
                            HlTrace *trace,
                            HlHeadKey head,
                            const HlProgress *progress,
                            GError **error);

/** figure_take_comparison: the newest of the session, of the heads that were asked for or
 * of all, and of the output that --query names or of all. FALSE with @error: MISSING:
 * none of this trace; RANGE: no such output. */
gboolean figure_take_comparison (Figure *figure,
                                 HlTrace *trace,
                                 const HlProgress *progress,
                                 GError **error);

G_END_DECLS
