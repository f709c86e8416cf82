/* SPDX-License-Identifier: MIT
 * Asks what to export as a figure, and how large. */
#pragma once

#include "window/hl-figure-job.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define HL_TYPE_EXPORT_DIALOG (hl_export_dialog_get_type ())
G_DECLARE_FINAL_TYPE (HlExportDialog, hl_export_dialog, HL, EXPORT_DIALOG, AdwWindow)

/* Signals
 * "written" (char *path)
 * "failed" (char *message) */

/** hl_export_dialog_new: @charts (transfer full) (nullable) (element-type HlChartScene):
 * offered too, as the kind chart, and so is @matrix (nullable); @of (nullable): what they
 * are of, where it is not the input. */
GtkWidget *hl_export_dialog_new (GtkWindow *parent,
                                 HlDocument *document,
                                 HlFigureKind kind,
                                 GPtrArray *charts,
                                 HlMatrixScene *matrix,
                                 const char *of);

G_END_DECLS
