/* SPDX-License-Identifier: MIT
 * The window's side of exporting: the dialog, and what came of it. */
#include "config.h"

#include "gl/hl-head-grid.h"
#include "gl/hl-patch-view.h"
#include "gl/hl-token-strip.h"
#include "window/hl-export-dialog.h"
#include "window/hl-window-private.h"

#include <glib/gi18n.h>

static void
written_cb (HlExportDialog *dialog, const char *path, HlWindow *self)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *text = g_strdup_printf (_ ("Wrote %s"), name);
  AdwToast *toast = adw_toast_new (text);
  adw_toast_overlay_add_toast (self->toasts, toast);
}

static void
failed_cb (HlExportDialog *dialog, const char *message, HlWindow *self)
{
  hl_window_show_error (self, _ ("The figure was not written"), message);
}

/* What has the focus is what is exported, unless another is chosen; else the map. */
static HlFigureKind
kind_in_focus (HlWindow *self)
{
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));
  if (focus == NULL)
    return HL_FIGURE_HEATMAP;
  if (HL_IS_HEAD_GRID (focus))
    return HL_FIGURE_GRID;
  if (HL_IS_PATCH_VIEW (focus))
    return HL_FIGURE_OVERLAY;
  if (HL_IS_TOKEN_STRIP (focus))
    return hl_token_strip_get_mode (HL_TOKEN_STRIP (focus)) == HL_TOKEN_LIST
               ? HL_FIGURE_ARCS
               : HL_FIGURE_TOKENS;
  return HL_FIGURE_HEATMAP;
}

void
hl_window_show_export (HlWindow *self)
{
  if (hl_document_get_trace (self->document) == NULL)
    return;
  GtkWidget *dialog =
      hl_export_dialog_new (GTK_WINDOW (self), self->document, kind_in_focus (self));
  g_signal_connect_object (dialog, "written", G_CALLBACK (written_cb), self, 0);
  g_signal_connect_object (dialog, "failed", G_CALLBACK (failed_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}
