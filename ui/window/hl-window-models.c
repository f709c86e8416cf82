/* SPDX-License-Identifier: MIT
 * The window's way to another model: the list of those on this disk, or any folder. */
#include "config.h"

#include "base/hl-hub.h"
#include "window/hl-model-dialog.h"
#include "window/hl-window-private.h"

#include <glib/gi18n.h>

#define RECENT_MAX 5

static void
choose_folder (HlWindow *self)
{
  GtkFileChooserNative *dialog = hl_window_choose (self, _ ("Open a Model's Folder"),
                                                   GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER,
                                                   _ ("_Open"), hl_window_open);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

/* Folders that this program opened, the latest first. Nothing is asked of the disk. */
static GStrv
list_recent (void)
{
  GList *items = hl_window_list_recent ();
  g_autoptr (GPtrArray) paths = g_ptr_array_new ();
  for (GList *l = items; l != NULL && paths->len < RECENT_MAX; l = l->next)
    {
      g_autoptr (GFile) file = g_file_new_for_uri (gtk_recent_info_get_uri (l->data));
      const char *type = gtk_recent_info_get_mime_type (l->data);
      char *path = g_file_get_path (file);
      if (path != NULL && g_strcmp0 (type, "inode/directory") == 0)
        g_ptr_array_add (paths, path);
      else
        g_free (path);
    }
  g_ptr_array_add (paths, NULL);
  g_list_free_full (items, (GDestroyNotify) gtk_recent_info_unref);
  return (GStrv) (gpointer) g_ptr_array_free (g_steal_pointer (&paths), FALSE);
}

void
hl_window_show_models (HlWindow *self)
{
  g_auto (GStrv) recent = list_recent ();
  GtkWidget *dialog =
      hl_model_dialog_new (GTK_WINDOW (self), hl_document_get_io (self->document),
                           (const char *const *) recent);
  g_signal_connect_object (dialog, "chosen", G_CALLBACK (hl_window_open), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (dialog, "folder-wanted", G_CALLBACK (choose_folder), self,
                           G_CONNECT_SWAPPED);
  gtk_window_present (GTK_WINDOW (dialog));
}
