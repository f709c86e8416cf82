/* SPDX-License-Identifier: MIT
 * The window's actions: files, running, selection, views. */
#include "config.h"

#include "base/hl-hub.h"
#include "base/hl-paths.h"
#include "draw/hl-colormap.h"
#include "window/hl-window-private.h"

#include <glib/gi18n.h>

/* ---- files ---------------------------------------------------------------------------
 */

static void
file_chosen_cb (GtkNativeDialog *dialog, int response, HlWindow *self)
{
  HlWindowChosen chosen =
      (HlWindowChosen) g_object_get_data (G_OBJECT (dialog), "chosen");
  if (response == GTK_RESPONSE_ACCEPT)
    {
      g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
      g_autofree char *path = file != NULL ? g_file_get_path (file) : NULL;
      if (path != NULL)
        chosen (self, path);
    }
  g_object_unref (dialog);
}

GtkFileChooserNative *
hl_window_choose (HlWindow *self,
                  const char *title,
                  GtkFileChooserAction action,
                  const char *accept,
                  HlWindowChosen chosen)
{
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (
      title, GTK_WINDOW (self), action, accept, _ ("_Cancel"));
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_object_set_data (G_OBJECT (dialog), "chosen", (gpointer) chosen);
  g_signal_connect_object (dialog, "response", G_CALLBACK (file_chosen_cb), self, 0);
  return dialog;
}

static void
add_filter (GtkFileChooserNative *dialog, const char *name, const char *const *patterns)
{
  g_autoptr (GtkFileFilter) filter = gtk_file_filter_new ();
  gtk_file_filter_set_name (filter, name);
  for (int i = 0; patterns[i] != NULL; i++)
    gtk_file_filter_add_suffix (filter, patterns[i]);
  gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (dialog), filter);
}

static void
open_model_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  hl_window_show_models (HL_WINDOW (widget));
}

static gboolean
takes (HlWindow *self, const char *kind)
{
  const HlModelInfo *info = hl_document_get_model_info (self->document);
  return info != NULL && g_str_equal (info->input_kind, kind);
}

static void
choose_recording (HlWindow *self)
{
  static const char *const recordings[] = { "wav", "flac", "ogg", "oga", "opus", "mp3",
                                            "aif", "aiff", "au",  "caf", NULL };
  GtkFileChooserNative *dialog =
      hl_window_choose (self, _ ("Open a Recording"), GTK_FILE_CHOOSER_ACTION_OPEN,
                        _ ("_Open"), hl_window_open);
  add_filter (dialog, _ ("Recordings"), recordings);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static const char *const texts[] = { "txt", "md", "json", "jsonl", "c", "py", NULL };

static void
choose_text_file (HlWindow *self)
{
  GtkFileChooserNative *dialog = hl_window_choose (
      self, _ ("Open a Text"), GTK_FILE_CHOOSER_ACTION_OPEN, _ ("_Open"), hl_window_open);
  add_filter (dialog, _ ("Texts"), texts);
  GtkFileFilter *all = gtk_file_filter_new ();
  gtk_file_filter_set_name (all, _ ("All files"));
  gtk_file_filter_add_pattern (all, "*");
  gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (dialog), all);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
open_input_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  static const char *const pictures[] = { "png", "jpg",  "jpeg", "bmp", "gif",
                                          "tif", "tiff", "webp", NULL };
  HlWindow *self = HL_WINDOW (widget);
  if (takes (self, "text") && hl_document_get_model (self->document) != NULL)
    {
      GtkWidget *text = hl_text_dialog_new (GTK_WINDOW (self), self->document);
      g_signal_connect_object (text, "file-wanted", G_CALLBACK (choose_text_file), self,
                               G_CONNECT_SWAPPED);
      gtk_window_present (GTK_WINDOW (text));
      return;
    }
  if (takes (self, "audio"))
    {
      choose_recording (self);
      return;
    }
  GtkFileChooserNative *dialog =
      hl_window_choose (self, _ ("Open a Picture"), GTK_FILE_CHOOSER_ACTION_OPEN,
                        _ ("_Open"), hl_window_open);
  add_filter (dialog, _ ("Pictures"), pictures);
  const HlModelInfo *info = hl_document_get_model_info (self->document);
  if (info != NULL && g_str_equal (info->other_kind, "text"))
    add_filter (dialog, _ ("Texts"), texts);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
open_session_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  static const char *const sessions[] = { "h5", "hdf5", NULL };
  HlWindow *self = HL_WINDOW (widget);
  GtkFileChooserNative *dialog =
      hl_window_choose (self, _ ("Open a Session"), GTK_FILE_CHOOSER_ACTION_OPEN,
                        _ ("_Open"), hl_window_open);
  add_filter (dialog, _ ("Sessions"), sessions);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
save_to (HlWindow *self, const char *path)
{
  g_autofree char *full =
      g_str_has_suffix (path, ".h5") || g_str_has_suffix (path, ".hdf5")
          ? g_strdup (path)
          : g_strconcat (path, ".h5", NULL);
  hl_document_save (self->document, full);
  hl_window_note_recent (self, full, "application/x-hdf5");
}

static void
save_as_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  HlWindow *self = HL_WINDOW (widget);
  const HlModelInfo *info = hl_document_get_model_info (self->document);
  g_autofree char *proposal = g_strdup_printf (
      "%s.h5", info != NULL ? hl_model_info_file_name (info) : "session");
  GtkFileChooserNative *dialog = hl_window_choose (
      self, _ ("Save the Session"), GTK_FILE_CHOOSER_ACTION_SAVE, _ ("_Save"), save_to);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), proposal);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
save_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  HlWindow *self = HL_WINDOW (widget);
  const char *path = hl_document_get_session_path (self->document);
  if (path == NULL)
    save_as_cb (widget, name, parameter);
  else
    {
      g_autofree char *same = g_strdup (path);
      save_to (self, same);
    }
}

static void
open_path_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  hl_window_open (HL_WINDOW (widget), g_variant_get_string (parameter, NULL));
}

static void
open_shipped (HlWindow *self, const char *model_name, const char *sample)
{
  g_autofree char *relative = g_strdup_printf ("models/%s", model_name);
  g_autofree char *model = hl_path_data (relative);
  g_autofree char *input = hl_path_data (sample);
  if (model == NULL)
    {
      g_autofree char *details =
          g_strdup_printf (_ ("data/%s was not found beside the program."), relative);
      hl_window_show_error (self, _ ("The model that ships is not installed"), details);
      return;
    }
  hl_document_open_model (self->document, model);
  if (input != NULL)
    hl_document_open_input (self->document, input);
}

static void
open_shipped_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  open_shipped (HL_WINDOW (widget), "vit-fashion", "samples/ankle-boot-01.png");
}

static void
open_shipped_text_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  open_shipped (HL_WINDOW (widget), "gpt-kjv", "samples/ecclesiastes-1.txt");
}

static void
open_shipped_word_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  open_shipped (HL_WINDOW (widget), "g2p-cmu", "samples/word.txt");
}

static void
export_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  hl_window_show_export (HL_WINDOW (widget));
}

/* ---- recent files --------------------------------------------------------------------
 */

void
hl_window_note_recent (HlWindow *self, const char *path, const char *mime_type)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autofree char *uri = g_file_get_uri (file);
  char app[] = "Headlight", exec[] = "headlight-window %f";
  GtkRecentData data = { .mime_type = (char *) mime_type,
                         .app_name = app,
                         .app_exec = exec };
  gtk_recent_manager_add_full (gtk_recent_manager_get_default (), uri, &data);
  hl_window_fill_recent (self);
}

static int
newest_first (gconstpointer a, gconstpointer b)
{
  return g_date_time_compare (gtk_recent_info_get_modified ((GtkRecentInfo *) b),
                              gtk_recent_info_get_modified ((GtkRecentInfo *) a));
}

GList *
hl_window_list_recent (void)
{
  GList *items = g_list_sort (
      gtk_recent_manager_get_items (gtk_recent_manager_get_default ()), newest_first);
  for (GList *l = items, *next; l != NULL; l = next)
    {
      next = l->next;
      if (gtk_recent_info_has_application (l->data, "Headlight"))
        continue;
      gtk_recent_info_unref (l->data);
      items = g_list_delete_link (items, l);
    }
  return items;
}

void
hl_window_fill_recent (HlWindow *self)
{
  GList *items = hl_window_list_recent ();
  int n = 0;
  g_menu_remove_all (self->recent_menu);
  for (GList *l = items; l != NULL && n < 10; l = l->next)
    {
      g_autoptr (GFile) file = g_file_new_for_uri (gtk_recent_info_get_uri (l->data));
      g_autofree char *path = g_file_get_path (file);
      if (path == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
        continue;
      char *name = hl_hub_name_of_folder (path);
      g_autofree char *label = name != NULL ? name : g_file_get_basename (file);
      g_autoptr (GMenuItem) item = g_menu_item_new (label, NULL);
      g_menu_item_set_action_and_target (item, "win.open-path", "s", path);
      g_menu_append_item (self->recent_menu, item);
      n++;
    }
  g_list_free_full (items, (GDestroyNotify) gtk_recent_info_unref);
}

/* ---- work and selection --------------------------------------------------------------
 */

static void
run_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  hl_document_run (HL_WINDOW (widget)->document);
}

static void
generate_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  HlWindow *self = HL_WINDOW (widget);
  const HlGenerateOptions options = {
    .n_tokens = gtk_spin_button_get_value_as_int (self->generate_tokens),
    .temperature = gtk_spin_button_get_value (self->generate_temperature),
    .top_p = gtk_spin_button_get_value (self->generate_top_p),
    .seed = (guint32) gtk_spin_button_get_value_as_int (self->generate_seed),
  };
  gtk_menu_button_popdown (self->generate_button);
  hl_document_generate (self->document, &options);
}

static void
stop_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  hl_document_stop (HL_WINDOW (widget)->document);
}

static void
undo_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  hl_selection_undo (hl_document_get_selection (HL_WINDOW (widget)->document));
}

static void
redo_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  hl_selection_redo (hl_document_get_selection (HL_WINDOW (widget)->document));
}

static void
ablate_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  HlWindow *self = HL_WINDOW (widget);
  const HlPlace *place =
      hl_selection_get_place (hl_document_get_selection (self->document));
  if (!hl_document_can_run (self->document))
    hl_window_show_error (self, _ ("Ablating needs the model itself"),
                          _ ("Only a trace is open. Open the model and the picture, "
                             "then ablate."));
  else
    hl_selection_toggle_ablated (hl_document_get_selection (self->document), place->layer,
                                 place->head);
}

static void
pin_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  HlWindow *self = HL_WINDOW (widget);
  HlSelection *selection = hl_document_get_selection (self->document);
  const HlPlace *place = hl_selection_get_place (selection);
  guint n;
  int layer = place->layer, head = place->head;
  hl_selection_toggle_pinned (selection, layer, head);
  hl_selection_get_pinned (selection, &n);
  g_autofree char *text = g_strdup_printf (
      ngettext ("%u head pinned: pinned heads are exported as one figure",
                "%u heads pinned: pinned heads are exported as one figure", n),
      n);
  AdwToast *toast = adw_toast_new (text);
  adw_toast_set_timeout (toast, 2);
  adw_toast_overlay_add_toast (self->toasts, toast);
}

/* ---- views ---------------------------------------------------------------------------
 */

static void
cycle_range_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  HlWindow *self = HL_WINDOW (widget);
  HlViewOptions view = *hl_document_get_view (self->document);
  view.range = (HlRangeMode) ((view.range + 1) % HL_N_RANGES);
  hl_document_set_view (self->document, &view);
}

static void
switch_table_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  hl_head_panel_switch_table (HL_WINDOW (widget)->head);
}

static void
switch_special_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  HlWindow *self = HL_WINDOW (widget);
  HlViewOptions view = *hl_document_get_view (self->document);
  view.leave_out_special = !view.leave_out_special;
  hl_document_set_view (self->document, &view);
}

static void
switch_words_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  HlWindow *self = HL_WINDOW (widget);
  HlViewOptions view = *hl_document_get_view (self->document);
  view.by_words = !view.by_words;
  hl_document_set_view (self->document, &view);
}

static void
write_note_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  HlWindow *self = HL_WINDOW (widget);
  if (hl_document_get_trace (self->document) != NULL)
    hl_head_panel_write_note (self->head);
}

static void
toggle_left_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GtkWidget *side = GTK_WIDGET (HL_WINDOW (widget)->side);
  gtk_widget_set_visible (side, !gtk_widget_get_visible (side));
}

static void
toggle_right_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  GtkWidget *head = GTK_WIDGET (HL_WINDOW (widget)->head);
  gtk_widget_set_visible (head, !gtk_widget_get_visible (head));
}

static void
style_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  HlWindow *self = HL_WINDOW (widget);
  const char *wanted = g_variant_get_string (parameter, NULL);
  hl_window_set_style (wanted);
  if (self->settings != NULL)
    g_settings_set_string (self->settings, "style", wanted);
}

void
hl_window_set_style (const char *wanted)
{
  AdwColorScheme scheme = g_str_equal (wanted, "dark")    ? ADW_COLOR_SCHEME_FORCE_DARK
                          : g_str_equal (wanted, "light") ? ADW_COLOR_SCHEME_FORCE_LIGHT
                                                          : ADW_COLOR_SCHEME_DEFAULT;
  adw_style_manager_set_color_scheme (adw_style_manager_get_default (), scheme);
}

void
hl_window_update_actions (HlWindow *self)
{
  HlSelection *selection = hl_document_get_selection (self->document);
  gboolean has_trace = hl_document_get_trace (self->document) != NULL;
  gboolean is_busy = hl_document_is_busy (self->document);
  const HlTrace *trace = hl_document_get_trace (self->document);
  gboolean is_text = trace != NULL && g_strcmp0 (trace->input_kind, "image") != 0;
  const struct
  {
    const char *name;
    gboolean can;
  } actions[] = {
    { "win.run", hl_document_can_run (self->document) && !is_busy },
    { "win.stop", is_busy },
    { "win.generate", hl_document_can_generate (self->document) && !is_busy },
    { "win.save", has_trace },
    { "win.save-as", has_trace },
    { "win.export", has_trace },
    { "win.undo", hl_selection_can_undo (selection) },
    { "win.redo", hl_selection_can_redo (selection) },
    { "win.ablate", has_trace },
    { "win.pin", has_trace },
    { "win.switch-words", is_text },
  };
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_action_set_enabled (GTK_WIDGET (self), actions[i].name, actions[i].can);
}

void
hl_window_install_actions (GtkWidgetClass *klass)
{
  static const struct
  {
    const char *name;
    const char *type;
    GtkWidgetActionActivateFunc func;
  } actions[] = {
    { "win.open-model", NULL, open_model_cb },
    { "win.open-input", NULL, open_input_cb },
    { "win.open-session", NULL, open_session_cb },
    { "win.open-path", "s", open_path_cb },
    { "win.open-shipped", NULL, open_shipped_cb },
    { "win.open-shipped-text", NULL, open_shipped_text_cb },
    { "win.open-shipped-word", NULL, open_shipped_word_cb },
    { "win.save", NULL, save_cb },
    { "win.save-as", NULL, save_as_cb },
    { "win.export", NULL, export_cb },
    { "win.run", NULL, run_cb },
    { "win.stop", NULL, stop_cb },
    { "win.generate", NULL, generate_cb },
    { "win.undo", NULL, undo_cb },
    { "win.redo", NULL, redo_cb },
    { "win.ablate", NULL, ablate_cb },
    { "win.pin", NULL, pin_cb },
    { "win.cycle-range", NULL, cycle_range_cb },
    { "win.switch-special", NULL, switch_special_cb },
    { "win.switch-words", NULL, switch_words_cb },
    { "win.switch-table", NULL, switch_table_cb },
    { "win.write-note", NULL, write_note_cb },
    { "win.toggle-left", NULL, toggle_left_cb },
    { "win.toggle-right", NULL, toggle_right_cb },
    { "win.style", "s", style_cb },
  };
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (klass, actions[i].name, actions[i].type,
                                     actions[i].func);
}
