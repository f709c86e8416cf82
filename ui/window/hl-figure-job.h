/* SPDX-License-Identifier: MIT
 * Writing a figure of what the window shows, off the main thread. */
#pragma once

#include "document/hl-document.h"

G_BEGIN_DECLS

typedef enum
{
  HL_FIGURE_GRID,
  HL_FIGURE_HEATMAP,
  HL_FIGURE_OVERLAY,
  HL_N_FIGURE_KINDS,
} HlFigureKind;

/**
 * hl_figure_job_start:
 * @heads, @n_heads: for heatmaps and overlays; several become panels a, b, c
 * @callback: with hl_engine_finish(): the path (transfer full), or NULL with an error
 * Thread: main.
 */
void hl_figure_job_start (HlDocument *document,
                          HlFigureKind kind,
                          const HlHeadKey *heads,
                          guint n_heads,
                          const HlFigureOptions *options,
                          const char *path,
                          GAsyncReadyCallback callback,
                          gpointer user_data);

G_END_DECLS
