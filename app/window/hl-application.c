/* SPDX-License-Identifier: MIT
 * The application: command line, shortcuts, about. */
#include "config.h"

#include "hl-application.h"

#include "window/hl-window.h"

#include <glib/gi18n.h>

struct _HlApplication
{
  AdwApplication parent_instance;
};

G_DEFINE_FINAL_TYPE (HlApplication, hl_application, ADW_TYPE_APPLICATION)

static void
about_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (data));
  adw_show_about_window (window, "application-name", _ ("Headlight"), "application-icon",
                         "org.headlight.Headlight", "version", HL_VERSION, "comments",
                         _ ("Look into the attention heads of transformers"),
                         "developer-name", _ ("The Headlight authors"), "license-type",
                         GTK_LICENSE_MIT_X11, NULL);
}

static void
quit_cb (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  GList *windows = g_list_copy (gtk_application_get_windows (GTK_APPLICATION (data)));
  /* Each may still ask; the last one that goes ends the program. */
  for (GList *l = windows; l != NULL; l = l->next)
    gtk_window_close (GTK_WINDOW (l->data));
  g_list_free (windows);
}

static void
add_shortcuts (HlApplication *self)
{
  static const struct
  {
    const char *action;
    const char *keys[3];
  } shortcuts[] = {
    { "win.open-model", { "<Control>o" } },
    { "win.open-input", { "<Control>i" } },
    { "win.open-session", { "<Control><Shift>o" } },
    { "win.save", { "<Control>s" } },
    { "win.save-as", { "<Control><Shift>s" } },
    { "win.export", { "<Control>e" } },
    { "win.run", { "<Control>r" } },
    { "win.undo", { "<Control>z" } },
    { "win.redo", { "<Control><Shift>z", "<Control>y" } },
    { "win.page::heads", { "<Alt>1" } },
    { "win.page::importance", { "<Alt>2" } },
    { "win.page::strength", { "<Alt>3" } },
    { "win.page::patterns", { "<Alt>4" } },
    { "win.page::saliency", { "<Alt>5" } },
    { "win.page::overview", { "<Alt>6" } },
    { "win.toggle-left", { "F9" } },
    { "win.toggle-right", { "<Control>F9" } },
    { "win.show-help-overlay", { "<Control>question" } },
    { "window.close", { "<Control>w" } },
    { "app.quit", { "<Control>q" } },
  };
  for (guint i = 0; i < G_N_ELEMENTS (shortcuts); i++)
    gtk_application_set_accels_for_action (GTK_APPLICATION (self), shortcuts[i].action,
                                           shortcuts[i].keys);
}

static void
hl_application_startup (GApplication *application)
{
  static const GActionEntry actions[] = {
    { .name = "about", .activate = about_cb },
    { .name = "quit", .activate = quit_cb },
  };
  G_APPLICATION_CLASS (hl_application_parent_class)->startup (application);
  g_action_map_add_action_entries (G_ACTION_MAP (application), actions,
                                   G_N_ELEMENTS (actions), application);
  hl_window_choose_renderer ();
  add_shortcuts (HL_APPLICATION (application));
  gtk_window_set_default_icon_name ("org.headlight.Headlight");
}

static HlWindow *
new_window (HlApplication *self)
{
  GtkWidget *window = hl_window_new (ADW_APPLICATION (self));
  gtk_window_present (GTK_WINDOW (window));
  return HL_WINDOW (window);
}

static void
hl_application_activate (GApplication *application)
{
  new_window (HL_APPLICATION (application));
}

static char *
full_path (GApplicationCommandLine *line, const char *argument)
{
  g_autoptr (GFile) file =
      g_application_command_line_create_file_for_arg (line, argument);
  return g_file_get_path (file);
}

static int
hl_application_command_line (GApplication *application, GApplicationCommandLine *line)
{
  GVariantDict *options = g_application_command_line_get_options_dict (line);
  g_auto (GStrv) files = NULL;
  const char *model = NULL, *input = NULL, *dataset = NULL, *style = NULL;
  g_variant_dict_lookup (options, "model", "^&ay", &model);
  g_variant_dict_lookup (options, "input", "^&ay", &input);
  g_variant_dict_lookup (options, "dataset", "^&ay", &dataset);
  g_variant_dict_lookup (options, "style", "&s", &style);
  g_variant_dict_lookup (options, G_OPTION_REMAINING, "^aay", &files);
  HlWindow *window = new_window (HL_APPLICATION (application));
  if (style != NULL)
    gtk_widget_activate_action (GTK_WIDGET (window), "win.style", "s", style);
  if (model != NULL)
    {
      /* What is no file here is a name: of a model that ships, or in the cache. */
      g_autofree char *full = full_path (line, model);
      gboolean is_there = g_file_test (full, G_FILE_TEST_EXISTS);
      hl_document_open_model (hl_window_get_document (window), is_there ? full : model);
    }
  if (input != NULL)
    {
      g_autofree char *full = full_path (line, input);
      hl_document_open_input (hl_window_get_document (window), full);
    }
  if (dataset != NULL)
    {
      g_autofree char *full = full_path (line, dataset);
      hl_document_open_dataset (hl_window_get_document (window), full);
    }
  for (int i = 0; files != NULL && files[i] != NULL; i++)
    {
      g_autofree char *full = full_path (line, files[i]);
      hl_window_open (window, full);
    }
  return 0;
}

static void
hl_application_class_init (HlApplicationClass *klass)
{
  GApplicationClass *application = G_APPLICATION_CLASS (klass);
  application->startup = hl_application_startup;
  application->activate = hl_application_activate;
  application->command_line = hl_application_command_line;
}

static void
hl_application_init (HlApplication *self)
{
  const GOptionEntry entries[] = {
    { "model", 0, 0, G_OPTION_ARG_FILENAME, NULL,
      N_ ("Open this model's folder, or one that ships or is in the cache by its name"),
      "MODEL" },
    { "input", 0, 0, G_OPTION_ARG_FILENAME, NULL, N_ ("Open this picture or text"),
      "FILE" },
    { "dataset", 0, 0, G_OPTION_ARG_FILENAME, NULL,
      N_ ("Open this folder, CSV, IDX file or text as a data set"), "D" },
    { "style", 0, 0, G_OPTION_ARG_STRING, NULL, N_ ("light or dark"), "STYLE" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, NULL, NULL, N_ ("[FILE…]") },
    G_OPTION_ENTRY_NULL
  };
  g_application_add_main_option_entries (G_APPLICATION (self), entries);
}

HlApplication *
hl_application_new (void)
{
  /* One process a window: a run of one does not slow another's engine down. */
  return g_object_new (HL_TYPE_APPLICATION, "application-id", "org.headlight.Headlight",
                       "resource-base-path", "/org/headlight/Headlight", "flags",
                       G_APPLICATION_HANDLES_COMMAND_LINE | G_APPLICATION_NON_UNIQUE,
                       NULL);
}
