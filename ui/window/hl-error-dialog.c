/* SPDX-License-Identifier: MIT
 * What went wrong, in full. */
#include "config.h"

#include "window/hl-error-dialog.h"

#include "io/hl-weight-files.h"

#include <glib/gi18n.h>

static void
response_cb (AdwMessageDialog *dialog, const char *response, gpointer data)
{
  const char *command = g_object_get_data (G_OBJECT (dialog), "command");
  if (g_str_equal (response, "copy") && command != NULL)
    gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (dialog)), command);
}

static GtkWidget *
selectable_new (const char *text)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 60);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  return label;
}

static GtkWidget *
command_new (const char *command)
{
  GtkWidget *label = selectable_new (command);
  gtk_widget_add_css_class (label, "monospace");
  gtk_widget_add_css_class (label, "caption");
  gtk_widget_add_css_class (label, "card");
  gtk_widget_add_css_class (label, "command-line");
  gtk_accessible_update_property (GTK_ACCESSIBLE (label), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Command line that converts the weights"), -1);
  return label;
}

void
hl_error_dialog_show (GtkWindow *parent, const char *heading, const char *details)
{
  const char *command = hl_weights_find_command (details);
  g_autofree char *words = command != NULL
                               ? g_strndup (details, (gsize) (command - details))
                               : g_strdup (details);
  GtkWidget *dialog = adw_message_dialog_new (parent, heading, NULL);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  gtk_box_append (GTK_BOX (box), selectable_new (g_strchomp (words)));
  adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (dialog), "close", _ ("_Close"));
  if (command != NULL)
    {
      gtk_box_append (GTK_BOX (box), command_new (command));
      adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (dialog), "copy",
                                       _ ("_Copy the Command"));
      g_object_set_data_full (G_OBJECT (dialog), "command", g_strdup (command), g_free);
    }
  adw_message_dialog_set_extra_child (ADW_MESSAGE_DIALOG (dialog), box);
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "close");
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "close");
  g_signal_connect (dialog, "response", G_CALLBACK (response_cb), NULL);
  gtk_window_present (GTK_WINDOW (dialog));
}
