/* SPDX-License-Identifier: MIT
 * The window: what it shows of its document. */
#include "config.h"

#include "gl/hl-gl.h"
#include "window/hl-backend-button.h"
#include "window/hl-error-dialog.h"
#include "window/hl-window-private.h"

#include <glib/gi18n.h>
#include <math.h>

G_DEFINE_FINAL_TYPE (HlWindow, hl_window, ADW_TYPE_APPLICATION_WINDOW)

static void
show_details_cb (AdwToast *toast, gpointer data)
{
  HlWindow *self = g_object_get_data (G_OBJECT (toast), "window");
  const char *details = g_object_get_data (G_OBJECT (toast), "details");
  hl_error_dialog_show (GTK_WINDOW (self), adw_toast_get_title (toast), details);
}

void
hl_window_show_error (HlWindow *self, const char *summary, const char *details)
{
  AdwToast *toast = adw_toast_new (summary);
  adw_toast_set_timeout (toast, 0);
  adw_toast_set_priority (toast, ADW_TOAST_PRIORITY_HIGH);
  if (details != NULL && details[0] != '\0')
    {
      adw_toast_set_button_label (toast, _ ("_Details"));
      g_object_set_data_full (G_OBJECT (toast), "details", g_strdup (details), g_free);
      g_object_set_data (G_OBJECT (toast), "window", self);
      g_signal_connect (toast, "button-clicked", G_CALLBACK (show_details_cb), NULL);
    }
  adw_toast_overlay_add_toast (self->toasts, toast);
}

static void
failed_cb (HlWindow *self, const char *summary, const char *details)
{
  hl_window_show_error (self, summary, details);
}

/* @kind: what the model takes; "" where there is none. */
static void
describe_empty (const char *kind,
                gboolean is_running,
                const char **title,
                const char **words)
{
  *title = _ ("Open a Model");
  *words = _ ("A vision transformer or a language model in a Hugging Face folder: "
              "config.json and model.safetensors. Drop it here, choose one, or look at "
              "one of the small ones that ship.");
  if (is_running)
    {
      *title = _ ("Running the Model");
      *words = _ ("The heads appear here when the model has run. Stop gives up.");
    }
  else if (g_str_equal (kind, "text"))
    {
      *title = _ ("Write or Open a Text");
      *words = _ ("Every head of the model is shown on it. Drop a text file here, or "
                  "press Ctrl+I to write one.");
    }
  else if (g_str_equal (kind, "audio"))
    {
      *title = _ ("Open a Recording");
      *words = _ ("Every head of the model is shown on it. Drop a recording here, or "
                  "choose one; it is looked at 30 seconds at a time.");
    }
  else if (kind[0] != '\0')
    {
      *title = _ ("Open a Picture");
      *words =
          _ ("Every head of the model is shown on it. Drop a picture here, or choose "
             "one.");
    }
}

/* A page never starts empty: it says what it needs and offers the button for it. */
static void
show_page (HlWindow *self)
{
  gboolean has_trace = hl_document_get_trace (self->document) != NULL;
  gboolean has_model = hl_document_has_model (self->document);
  const HlModelInfo *info = hl_document_get_model_info (self->document);
  gboolean goes_on = info != NULL && info->predicts == HL_PREDICTS_NEXT;
  gtk_widget_set_visible (GTK_WIDGET (self->generate_button), goes_on && has_model);
  gboolean was_empty =
      g_strcmp0 (gtk_stack_get_visible_child_name (self->stack), "empty") == 0;
  gtk_stack_set_visible_child_name (self->stack, has_trace ? "heads" : "empty");
  /* Keys then mean heads, not the entry that comes first. */
  if (has_trace && was_empty)
    hl_heads_panel_grab_grid (self->heads);
  if (has_trace)
    return;
  /* The button for what is missing stands out. */
  const char *const wanted = "suggested-action";
  gtk_widget_add_css_class (has_model ? self->empty_picture : self->empty_model, wanted);
  gtk_widget_remove_css_class (has_model ? self->empty_model : self->empty_picture,
                               wanted);
  gboolean is_running = hl_document_get_input (self->document) != NULL &&
                        hl_document_is_busy (self->document);
  gtk_widget_set_visible (self->empty_choices, !is_running);
  const char *title, *words;
  describe_empty (has_model ? info->input_kind : "", is_running, &title, &words);
  adw_status_page_set_title (self->empty_page, title);
  adw_status_page_set_description (self->empty_page, words);
}

static void
show_title (HlWindow *self)
{
  const HlModelInfo *info = hl_document_get_model_info (self->document);
  HlTrace *trace = hl_document_get_trace (self->document);
  const char *path = hl_document_get_session_path (self->document);
  g_autofree char *file = path != NULL ? g_path_get_basename (path) : NULL;
  g_autoptr (GString) subtitle = g_string_new (NULL);
  if (trace != NULL)
    g_string_append_printf (subtitle, HL_ISOLATED, trace->input_name);
  if (file != NULL)
    g_string_append_printf (subtitle, "%s%s", subtitle->len > 0 ? " · " : "", file);
  if (trace != NULL && hl_document_is_modified (self->document))
    g_string_append (subtitle,
                     file != NULL ? _ (" (changed)") : _ (" · session unsaved"));
  adw_window_title_set_title (self->title, info != NULL ? info->name : _ ("Headlight"));
  adw_window_title_set_subtitle (self->title, subtitle->str);
  g_autofree char *name = info != NULL
                              ? g_strdup_printf (_ ("%s – Headlight"), info->name)
                              : g_strdup (_ ("Headlight"));
  gtk_window_set_title (GTK_WINDOW (self), name);
}

/* (transfer full): what is computed, and how long it will take. */
static char *
describe_analysis (HlWindow *self, const char *what)
{
  double left_s = hl_document_get_remaining_s (self->document);
  if (isnan (left_s))
    return g_strdup (what);
  int minutes = (int) ceil (left_s / 60), seconds = (int) ceil (left_s);
  return left_s > 90 ? g_strdup_printf (ngettext ("%s · about %d minute left",
                                                  "%s · about %d minutes left", minutes),
                                        what, minutes)
                     : g_strdup_printf (ngettext ("%s · about %d second left",
                                                  "%s · about %d seconds left", seconds),
                                        what, seconds);
}

static void
show_busy (HlWindow *self)
{
  double fraction;
  const char *what = hl_document_get_busy (self->document, &fraction);
  gboolean is_busy = hl_document_is_busy (self->document);
  double analysed = 0;
  const char *analysis = hl_document_get_analysis (self->document, &analysed);
  /* A run is over soon; while none is under way the analysis has the bar. */
  gboolean shows_analysis = !is_busy && analysis != NULL;
  gtk_label_set_text (self->status, hl_document_get_status (self->document));
  g_autofree char *words = shows_analysis ? describe_analysis (self, analysis) : NULL;
  gtk_label_set_text (self->busy_label, is_busy ? what : shows_analysis ? words : "");
  gtk_widget_set_opacity (GTK_WIDGET (self->busy_bar), is_busy || shows_analysis ? 1 : 0);
  gtk_progress_bar_set_fraction (self->busy_bar,
                                 CLAMP (shows_analysis ? analysed : fraction, 0, 1));
  gtk_label_set_text (self->backend, hl_document_get_backend (self->document));
  gtk_button_set_label (GTK_BUTTON (self->run_button),
                        is_busy ? _ ("_Stop") : _ ("_Run"));
  gtk_actionable_set_action_name (GTK_ACTIONABLE (self->run_button),
                                  is_busy ? "win.stop" : "win.run");
  if (is_busy)
    gtk_widget_remove_css_class (self->run_button, "suggested-action");
  else
    gtk_widget_add_css_class (self->run_button, "suggested-action");
  hl_window_update_actions (self);
  show_page (self);
}

static void
state_changed_cb (HlWindow *self)
{
  show_title (self);
  show_busy (self);
}

/* Names of pages are cut where there is no room for them, in a language of long words:
 * else they would push the columns out of the window. */
static void
let_names_be_cut (HlWindow *self)
{
  for (GtkWidget *button = gtk_widget_get_first_child (self->switcher); button != NULL;
       button = gtk_widget_get_next_sibling (button))
    {
      GtkWidget *label = gtk_widget_get_first_child (button);
      if (GTK_IS_LABEL (label))
        gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
    }
}

/* The page that a session was saved at, once it is opened. */
static void
session_changed_cb (HlWindow *self)
{
  g_autofree char *page = hl_document_take_page (self->document);
  if (page != NULL && gtk_stack_get_child_by_name (self->pages, page) != NULL)
    gtk_stack_set_visible_child_name (self->pages, page);
  state_changed_cb (self);
}

static void
page_changed_cb (HlWindow *self)
{
  hl_document_set_page (self->document, gtk_stack_get_visible_child_name (self->pages));
}

static void
dark_changed_cb (HlWindow *self)
{
  gboolean is_dark = adw_style_manager_get_dark (adw_style_manager_get_default ());
  hl_side_panel_set_is_dark (self->side, is_dark);
  hl_heads_panel_set_is_dark (self->heads, is_dark);
  hl_importance_panel_set_is_dark (self->importance, is_dark);
  hl_strength_panel_set_is_dark (self->strength, is_dark);
  hl_pattern_panel_set_is_dark (self->patterns, is_dark);
  hl_overview_panel_set_is_dark (self->overview, is_dark);
  hl_saliency_panel_set_is_dark (self->saliency, is_dark);
  hl_head_panel_set_is_dark (self->head, is_dark);
}

/* Painting without OpenGL works, but slower: say so once, with the reason. */
static void
gl_message_cb (HlWindow *self)
{
  const char *message = hl_head_panel_get_gl_message (self->head);
  if (message == NULL)
    message = hl_heads_panel_get_gl_message (self->heads);
  if (message == NULL || g_object_get_data (G_OBJECT (self), "said-gl") != NULL)
    return;
  g_object_set_data (G_OBJECT (self), "said-gl", self);
  hl_window_show_error (self, _ ("Drawing without OpenGL: large maps will be slow"),
                        message);
}

static gboolean
looks_like_model (const char *path)
{
  g_autofree char *name = g_path_get_basename (path);
  return g_file_test (path, G_FILE_TEST_IS_DIR) ||
         g_str_has_suffix (path, ".safetensors") || g_str_equal (name, "config.json") ||
         g_str_has_suffix (path, ".bin") || g_str_has_suffix (path, ".pth") ||
         g_str_has_suffix (path, ".pt");
}

static gboolean
is_picture (const char *path)
{
  g_autofree char *type = g_content_type_guess (path, NULL, 0, NULL);
  return g_content_type_is_a (type, "image/*");
}

void
hl_window_choose_renderer (void)
{
  GdkDisplay *display = gdk_display_get_default ();
  if (g_getenv ("GSK_RENDERER") == NULL && display != NULL && hl_gl_is_software (display))
    g_setenv ("GSK_RENDERER", "cairo", FALSE);
}

HlDocument *
hl_window_get_document (HlWindow *self)
{
  return self->document;
}

static GSettings *
find_settings (void)
{
  GSettingsSchemaSource *source = g_settings_schema_source_get_default ();
  g_autoptr (GSettingsSchema) schema =
      source != NULL
          ? g_settings_schema_source_lookup (source, "org.headlight.Headlight", TRUE)
          : NULL;
  return schema != NULL ? g_settings_new ("org.headlight.Headlight") : NULL;
}

static void
restore_settings (HlWindow *self)
{
  self->settings = find_settings ();
  if (self->settings == NULL)
    return;
  gtk_window_set_default_size (GTK_WINDOW (self),
                               g_settings_get_int (self->settings, "window-width"),
                               g_settings_get_int (self->settings, "window-height"));
  if (g_settings_get_boolean (self->settings, "window-maximized"))
    gtk_window_maximize (GTK_WINDOW (self));
  g_autofree char *style = g_settings_get_string (self->settings, "style");
  hl_window_set_style (style);
  HlViewOptions view = {
    .colormap = (HlColormap) g_settings_get_enum (self->settings, "colormap"),
    .range = (HlRangeMode) g_settings_get_enum (self->settings, "range"),
    .leave_out_special = g_settings_get_boolean (self->settings, "leave-out-special"),
    .by_words = g_settings_get_boolean (self->settings, "by-words"),
  };
  hl_document_set_view (self->document, &view);
}

static void
keep_settings (HlWindow *self)
{
  int width, height;
  const HlViewOptions *view = hl_document_get_view (self->document);
  if (self->settings == NULL)
    return;
  gtk_window_get_default_size (GTK_WINDOW (self), &width, &height);
  gboolean is_maximized = gtk_window_is_maximized (GTK_WINDOW (self));
  g_settings_set_boolean (self->settings, "window-maximized", is_maximized);
  if (!is_maximized)
    {
      g_settings_set_int (self->settings, "window-width", width);
      g_settings_set_int (self->settings, "window-height", height);
    }
  g_settings_set_enum (self->settings, "colormap", view->colormap);
  g_settings_set_enum (self->settings, "range", view->range);
  g_settings_set_boolean (self->settings, "leave-out-special", view->leave_out_special);
  g_settings_set_boolean (self->settings, "by-words", view->by_words);
}

/* What is to happen once a person has let go of what is not saved. */
typedef struct
{
  HlWindow *window;
  char *path; /* of a model or session to open; NULL to close */
} Discard;

static void open_now (HlWindow *self, const char *path);

static Discard *
discard_new (HlWindow *window, const char *path)
{
  Discard *discard = g_new0 (Discard, 1);
  *discard = (Discard){ g_object_ref (window), g_strdup (path) };
  return discard;
}

static void
discard_free (gpointer data)
{
  Discard *discard = data;
  g_object_unref (discard->window);
  g_free (discard->path);
  g_free (discard);
}

static void
discard_closure_free (gpointer data, GClosure *closure)
{
  discard_free (data);
}

static gboolean
discarded_cb (gpointer data)
{
  const Discard *discard = data;
  if (discard->path != NULL)
    open_now (discard->window, discard->path);
  else
    {
      keep_settings (discard->window);
      gtk_window_destroy (GTK_WINDOW (discard->window));
    }
  return G_SOURCE_REMOVE;
}

/* The dialog closes itself behind this; what goes with the window waits for it. */
static void
discard_response_cb (AdwMessageDialog *dialog, const char *response, gpointer data)
{
  const Discard *discard = data;
  if (g_str_equal (response, "discard"))
    g_idle_add_full (G_PRIORITY_DEFAULT, discarded_cb,
                     discard_new (discard->window, discard->path), discard_free);
}

/* @path: (nullable): of what is to be opened; the window is closed else. */
static void
ask_to_discard (HlWindow *self, const char *path)
{
  GtkWidget *dialog =
      adw_message_dialog_new (GTK_WINDOW (self), _ ("Discard the session?"),
                              _ ("Notes, tags and what analyses found are not saved."));
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _ ("_Cancel"),
                                    "discard", _ ("_Discard"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "discard",
                                              ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  g_signal_connect_data (dialog, "response", G_CALLBACK (discard_response_cb),
                         discard_new (self, path), discard_closure_free, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

/* Only what a person wrote or waited for is worth a question; a trace can be made again.
 */
static gboolean
hl_window_close_request (GtkWindow *window)
{
  HlWindow *self = HL_WINDOW (window);
  if (hl_document_has_work (self->document))
    {
      ask_to_discard (self, NULL);
      return TRUE;
    }
  keep_settings (self);
  return GTK_WINDOW_CLASS (hl_window_parent_class)->close_request (window);
}

static gboolean
is_session (const char *path)
{
  return g_str_has_suffix (path, ".h5") || g_str_has_suffix (path, ".hdf5");
}

static void
open_now (HlWindow *self, const char *path)
{
  if (is_session (path))
    {
      hl_document_open_session (self->document, path);
      hl_window_note_recent (self, path, "application/x-hdf5");
    }
  else if (looks_like_model (path))
    {
      hl_document_open_model (self->document, path);
      hl_window_note_recent (self, path, "inode/directory");
    }
  else
    {
      hl_document_open_input (self->document, path);
      hl_window_note_recent (self, path, is_picture (path) ? "image/png" : "text/plain");
    }
}

void
hl_window_open (HlWindow *self, const char *path)
{
  if ((is_session (path) || looks_like_model (path)) &&
      hl_document_has_work (self->document))
    ask_to_discard (self, path);
  else
    open_now (self, path);
}

/* The first frame is for the person; OpenGL is made ready after it, a canvas at a time,
 * and before there is a run to show. */
static gboolean
prepare_map_cb (gpointer data)
{
  HlWindow *self = data;
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    hl_head_panel_prepare_gl (self->head);
  return G_SOURCE_REMOVE;
}

static gboolean
prepare_grid_cb (gpointer data)
{
  HlWindow *self = data;
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    hl_heads_panel_prepare_gl (self->heads);
  g_idle_add_full (G_PRIORITY_LOW, prepare_map_cb, g_object_ref (self), g_object_unref);
  return G_SOURCE_REMOVE;
}

static void
hl_window_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (hl_window_parent_class)->map (widget);
  g_idle_add_full (G_PRIORITY_LOW, prepare_grid_cb, g_object_ref (widget),
                   g_object_unref);
}

static void
hl_window_dispose (GObject *object)
{
  HlWindow *self = HL_WINDOW (object);
  g_clear_object (&self->document);
  g_clear_object (&self->settings);
  G_OBJECT_CLASS (hl_window_parent_class)->dispose (object);
}

static void
hl_window_class_init (HlWindowClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_window_dispose;
  GTK_WINDOW_CLASS (klass)->close_request = hl_window_close_request;
  widget->map = hl_window_map;
  g_type_ensure (HL_TYPE_SIDE_PANEL);
  g_type_ensure (HL_TYPE_HEADS_PANEL);
  g_type_ensure (HL_TYPE_HEAD_PANEL);
  g_type_ensure (HL_TYPE_IMPORTANCE_PANEL);
  g_type_ensure (HL_TYPE_STRENGTH_PANEL);
  g_type_ensure (HL_TYPE_PATTERN_PANEL);
  g_type_ensure (HL_TYPE_OVERVIEW_PANEL);
  g_type_ensure (HL_TYPE_SALIENCY_PANEL);
  gtk_widget_class_set_template_from_resource (
      widget, "/org/headlight/Headlight/ui/hl-window.ui");
  gtk_widget_class_bind_template_child (widget, HlWindow, toasts);
  gtk_widget_class_bind_template_child (widget, HlWindow, title);
  gtk_widget_class_bind_template_child (widget, HlWindow, generate_button);
  gtk_widget_class_bind_template_child (widget, HlWindow, generate_tokens);
  gtk_widget_class_bind_template_child (widget, HlWindow, generate_temperature);
  gtk_widget_class_bind_template_child (widget, HlWindow, generate_top_p);
  gtk_widget_class_bind_template_child (widget, HlWindow, generate_seed);
  gtk_widget_class_bind_template_child (widget, HlWindow, run_button);
  gtk_widget_class_bind_template_child (widget, HlWindow, backend_button);
  gtk_widget_class_bind_template_child (widget, HlWindow, backend);
  gtk_widget_class_bind_template_child (widget, HlWindow, stack);
  gtk_widget_class_bind_template_child (widget, HlWindow, empty_page);
  gtk_widget_class_bind_template_child (widget, HlWindow, empty_choices);
  gtk_widget_class_bind_template_child (widget, HlWindow, empty_model);
  gtk_widget_class_bind_template_child (widget, HlWindow, empty_picture);
  gtk_widget_class_bind_template_child (widget, HlWindow, outer);
  gtk_widget_class_bind_template_child (widget, HlWindow, inner);
  gtk_widget_class_bind_template_child (widget, HlWindow, side);
  gtk_widget_class_bind_template_child (widget, HlWindow, switcher);
  gtk_widget_class_bind_template_child (widget, HlWindow, pages);
  gtk_widget_class_bind_template_child (widget, HlWindow, heads);
  gtk_widget_class_bind_template_child (widget, HlWindow, importance);
  gtk_widget_class_bind_template_child (widget, HlWindow, strength);
  gtk_widget_class_bind_template_child (widget, HlWindow, patterns);
  gtk_widget_class_bind_template_child (widget, HlWindow, saliency);
  gtk_widget_class_bind_template_child (widget, HlWindow, overview);
  gtk_widget_class_bind_template_child (widget, HlWindow, head);
  gtk_widget_class_bind_template_child (widget, HlWindow, status);
  gtk_widget_class_bind_template_child (widget, HlWindow, busy_label);
  gtk_widget_class_bind_template_child (widget, HlWindow, busy_bar);
  gtk_widget_class_bind_template_child (widget, HlWindow, recent_menu);
  hl_window_install_actions (widget);
  hl_window_install_analyses (widget);
}

static void
go_on_cb (HlWindow *self)
{
  gtk_widget_activate_action (GTK_WIDGET (self), "win.generate", NULL);
}

/* Return in a number of the Generate popover goes on, as the button does: the text of a
 * spin button keeps Return from the window's default widget. After the spin button's own
 * handler, which reads the number that was typed. */
static void
go_on_with_return (HlWindow *self)
{
  GtkSpinButton *const numbers[] = { self->generate_tokens, self->generate_temperature,
                                     self->generate_top_p, self->generate_seed };
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    g_signal_connect_object (gtk_editable_get_delegate (GTK_EDITABLE (numbers[i])),
                             "activate", G_CALLBACK (go_on_cb), self,
                             G_CONNECT_SWAPPED | G_CONNECT_AFTER);
}

static void
hl_window_init (HlWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->document = hl_document_new ();
  restore_settings (self);
  hl_backend_button_set_up (self->backend_button, self->document, self->settings);
  let_names_be_cut (self);
  hl_side_panel_set_document (self->side, self->document);
  hl_heads_panel_set_document (self->heads, self->document);
  hl_importance_panel_set_document (self->importance, self->document);
  hl_strength_panel_set_document (self->strength, self->document);
  hl_pattern_panel_set_document (self->patterns, self->document);
  hl_saliency_panel_set_document (self->saliency, self->document);
  hl_overview_panel_set_document (self->overview, self->document);
  hl_head_panel_set_document (self->head, self->document);
  const char *const state[] = { "model-changed", "input-changed", "trace-changed" };
  for (guint i = 0; i < G_N_ELEMENTS (state); i++)
    g_signal_connect_object (self->document, state[i], G_CALLBACK (state_changed_cb),
                             self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->document, "session-changed",
                           G_CALLBACK (session_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->pages, "notify::visible-child",
                           G_CALLBACK (page_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->document, "busy-changed", G_CALLBACK (show_busy), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->document, "failed", G_CALLBACK (failed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (hl_document_get_selection (self->document), "history-changed",
                           G_CALLBACK (hl_window_update_actions), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->head, "shown", G_CALLBACK (gl_message_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (adw_style_manager_get_default (), "notify::dark",
                           G_CALLBACK (dark_changed_cb), self, G_CONNECT_SWAPPED);
  hl_window_add_keys (self);
  go_on_with_return (self);
  hl_window_fill_recent (self);
  dark_changed_cb (self);
  state_changed_cb (self);
}

GtkWidget *
hl_window_new (AdwApplication *application)
{
  return g_object_new (HL_TYPE_WINDOW, "application", application, NULL);
}
