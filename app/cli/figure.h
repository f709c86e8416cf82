/* SPDX-License-Identifier: MIT
 * What the parts of `headlight figure` share. */
#pragma once

#include "cli.h"

#include "backend/hl-backend.h"
#include "presenters/hl-figure-maker.h"
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

G_END_DECLS
