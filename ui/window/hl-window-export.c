/* SPDX-License-Identifier: MIT
 * The window's side of exporting: the dialog, and what came of it. */
#include "config.h"

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

void
hl_window_show_export (HlWindow *self)
{
  if (hl_document_get_trace (self->document) == NULL)
    return;
  GtkWidget *dialog = hl_export_dialog_new (GTK_WINDOW (self), self->document);
  g_signal_connect_object (dialog, "written", G_CALLBACK (written_cb), self, 0);
  g_signal_connect_object (dialog, "failed", G_CALLBACK (failed_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}
