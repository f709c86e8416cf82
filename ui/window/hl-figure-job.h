/* SPDX-License-Identifier: MIT
 * Writing a figure of what the window shows, off the main thread. */
#pragma once

#include "document/hl-document.h"
#include "presenters/hl-figure-maker.h"

G_BEGIN_DECLS

/**
 * hl_figure_job_start:
 * @heads, @n_heads: of all kinds but the grid; of what is chosen and how it is shown,
 * what the document has now
 * @charts: (nullable) (element-type HlChartScene): of the kind chart
 * @matrix: (nullable): likewise, a map of scores or classes
 * @of: (nullable): what they are of, where it is not the input
 * @callback: with hl_engine_finish(): the path (transfer full), or NULL with an error
 * Thread: main.
 */
void hl_figure_job_start (HlDocument *document,
                          HlFigureKind kind,
                          const HlHeadKey *heads,
                          guint n_heads,
                          GPtrArray *charts,
                          HlMatrixScene *matrix,
                          const char *of,
                          const HlFigureOptions *options,
                          const char *path,
                          GAsyncReadyCallback callback,
                          gpointer user_data);

G_END_DECLS
