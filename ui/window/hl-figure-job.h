/* SPDX-License-Identifier: MIT
 * Writing a figure of what the window shows, off the main thread. */
#pragma once

#include "document/hl-document.h"
#include "presenters/hl-figure-maker.h"

G_BEGIN_DECLS

/**
 * HlFigureResults: what a page shows of results; all may be NULL, and is its own.
 * @charts: (element-type HlChartScene), @matrix: a map of scores or classes: of the kind
 *   chart
 * @compare: of the kind comparison
 * @of: what charts are of, where it is not the input
 */
typedef struct
{
  GPtrArray *charts;
  HlMatrixScene *matrix;
  HlCompare *compare;
  char *of;
} HlFigureResults;

void hl_figure_results_clear (HlFigureResults *results);

/** hl_figure_results_has: there is something of this kind to draw. */
gboolean hl_figure_results_has (const HlFigureResults *results, HlFigureKind kind);

/**
 * hl_figure_job_start:
 * @heads, @n_heads: of maps, overlays and texts; of what is chosen and how it is shown,
 * what the document has now
 * @callback: with hl_engine_finish(): the path (transfer full), or NULL with an error
 * Thread: main.
 */
void hl_figure_job_start (HlDocument *document,
                          HlFigureKind kind,
                          const HlHeadKey *heads,
                          guint n_heads,
                          const HlFigureResults *results,
                          const HlFigureOptions *options,
                          const char *path,
                          GAsyncReadyCallback callback,
                          gpointer user_data);

G_END_DECLS
