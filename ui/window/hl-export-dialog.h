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

/** hl_export_dialog_new: @results: offered too; what it holds is the dialog's now. */
GtkWidget *hl_export_dialog_new (GtkWindow *parent,
                                 HlDocument *document,
                                 HlFigureKind kind,
                                 HlFigureResults *results);

G_END_DECLS
