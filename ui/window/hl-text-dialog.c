/* SPDX-License-Identifier: MIT
 * Asks for a text. */
#include "config.h"

#include "window/hl-text-dialog.h"

#include "presenters/hl-present-tokens.h"
#include "text/hl-chat.h"

#include <glib/gi18n.h>
#include <string.h>

/* Longer texts are counted when they are run: the window does not wait for a count. */
#define COUNTED_BYTES_MAX 200000
#define COUNT_AFTER_MS 150

struct _HlTextDialog
{
  AdwWindow parent_instance;
  HlDocument *document;
  HlModel *model;
  HlTokenizer *tokenizer; /* (nullable): the model's */
  HlChatFormat *chat;
  GtkDropDown *form;
  GtkEditable *system;
  GtkEditable *other; /* a second text, or what the decoder reads */
  GtkTextView *text;
  GtkWidget *rendered_box;
  GtkLabel *rendered_title;
  GtkTextView *rendered;
  GtkSwitch *bos;
  GtkSwitch *special;
  GtkWidget *bos_row;
  GtkAdjustment *first_token;
  GtkAdjustment *n_tokens;
  GtkLabel *count;
  GtkWidget *run_button;
  guint count_source;
  char *long_text; /* (nullable): too long to be edited here; parts of it can be taken */
};

G_DEFINE_FINAL_TYPE (HlTextDialog, hl_text_dialog, ADW_TYPE_WINDOW)

enum
{
  FILE_WANTED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

static char *
typed_text (HlTextDialog *self)
{
  GtkTextIter start, end;
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->text);
  if (self->long_text != NULL)
    return g_strdup (self->long_text);
  gtk_text_buffer_get_bounds (buffer, &start, &end);
  return gtk_text_buffer_get_text (buffer, &start, &end, FALSE);
}

static gboolean
is_conversation (HlTextDialog *self)
{
  return gtk_drop_down_get_selected (self->form) == 1;
}

static const char *
special_text (HlTextDialog *self, gint32 id)
{
  return id >= 0 ? hl_tokenizer_get_token_raw (self->tokenizer, id) : NULL;
}

/* The prompt as the model gets it; NULL with @error where the format does not allow it.
 */
static char *
prompt_text (HlTextDialog *self, GError **error)
{
  g_autofree char *typed = typed_text (self);
  const char *system = gtk_editable_get_text (self->system);
  if (!is_conversation (self))
    return g_steal_pointer (&typed);
  HlChatMessage messages[2];
  gsize n = 0;
  if (system[0] != '\0')
    messages[n++] = (HlChatMessage){ "system", system };
  messages[n++] = (HlChatMessage){ "user", typed };
  return hl_chat_render (self->chat, messages, n, TRUE,
                         special_text (self, hl_tokenizer_get_bos (self->tokenizer)),
                         special_text (self, hl_tokenizer_get_eos (self->tokenizer)),
                         error);
}

static gboolean
has_decoder (HlTextDialog *self)
{
  return hl_model_get_info (self->model)->n_source_context > 0;
}

static HlTextOptions
options_of (HlTextDialog *self)
{
  /* A rendered conversation has its special tokens written in it, where the format has
   * any. */
  gboolean is_chat = is_conversation (self) && self->chat->kind > HL_CHAT_UNKNOWN;
  const char *other = gtk_editable_get_text (self->other);
  gboolean has_other =
      gtk_widget_get_visible (GTK_WIDGET (self->other)) && other[0] != '\0';
  return (HlTextOptions){
    .second = has_other && !has_decoder (self) ? other : NULL,
    .target = has_other && has_decoder (self) ? other : NULL,
    .no_special = is_chat || !gtk_switch_get_active (self->bos),
    .plain_special = !is_chat && !gtk_switch_get_active (self->special),
    .first_token = (gint64) gtk_adjustment_get_value (self->first_token),
    .n_tokens = (gint64) gtk_adjustment_get_value (self->n_tokens),
  };
}

/* ---- what the model gets -------------------------------------------------------------
 */

static char *
describe_count (HlTextDialog *self, const char *prompt)
{
  const HlModelInfo *info = hl_model_get_info (self->model);
  const HlTextOptions options = options_of (self);
  const HlEncodeOptions how = { !options.no_special, !options.plain_special };
  if (self->tokenizer == NULL)
    return g_strdup (_ ("This model has no tokenizer that can be read: it takes tokens "
                        "only (headlight trace --ids)"));
  if (strlen (prompt) > COUNTED_BYTES_MAX)
    return g_strdup (_ ("A long text: its tokens are counted when it is run"));
  g_autoptr (GError) error = NULL;
  g_autoptr (HlEncoding) encoding =
      hl_tokenizer_encode (self->tokenizer, prompt, -1, &how, &error);
  if (encoding == NULL)
    return g_strdup (error->message);
  gint64 all = (gint64) encoding->n_tokens;
  int n_context = has_decoder (self) ? info->n_source_context : info->n_context;
  gint64 room = options.n_tokens > 0 ? MIN (options.n_tokens, n_context) : n_context;
  gint64 taken = CLAMP (all - options.first_token, 0, room);
  g_autofree char *part =
      taken < all
          ? g_strdup_printf (_ ("; tokens %d to %d are taken"), (int) options.first_token,
                             (int) (options.first_token + taken - 1))
          : g_strdup ("");
  if (taken < 1)
    return g_strdup (all == 0 ? _ ("No tokens: write something")
                              : _ ("The text ends before the first token chosen"));
  return g_strdup_printf (ngettext ("%d token%s; the model's context is %d",
                                    "%d tokens%s; the model's context is %d", all),
                          (int) all, part, n_context);
}

static void
show_rendered (HlTextDialog *self, const char *prompt, const GError *error)
{
  gboolean is_chat = is_conversation (self);
  gtk_widget_set_visible (self->rendered_box, is_chat);
  gtk_widget_set_visible (GTK_WIDGET (self->system), is_chat && self->chat->takes_system);
  gboolean has_specials = is_chat && self->chat->kind > HL_CHAT_UNKNOWN;
  gtk_widget_set_sensitive (self->bos_row, !has_specials);
  gtk_widget_set_sensitive (GTK_WIDGET (self->special), !has_specials);
  if (!is_chat)
    return;
  const char *note =
      self->chat->kind == HL_CHAT_UNKNOWN
          ? _ ("The model's chat template is not recognised; this is a plain form")
      : self->chat->may_differ
          ? _ ("Recognised, not executed: the model's own template may add to this")
          : _ ("The prompt as the model gets it");
  gtk_label_set_text (self->rendered_title, error != NULL ? error->message : note);
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->rendered),
                            prompt != NULL ? prompt : "", -1);
}

static gboolean
show_state_cb (gpointer data)
{
  HlTextDialog *self = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *prompt = prompt_text (self, &error);
  self->count_source = 0;
  show_rendered (self, prompt, error);
  g_autofree char *count = prompt != NULL ? describe_count (self, prompt) : g_strdup ("");
  gtk_label_set_text (self->count, count);
  gtk_widget_set_sensitive (self->run_button, prompt != NULL && self->tokenizer != NULL);
  return G_SOURCE_REMOVE;
}

static void
changed_cb (HlTextDialog *self)
{
  if (self->model != NULL && self->count_source == 0)
    self->count_source = g_timeout_add (COUNT_AFTER_MS, show_state_cb, self);
}

/* ---- ends ----------------------------------------------------------------------------
 */

static void
run_clicked_cb (HlTextDialog *self)
{
  g_autofree char *prompt = prompt_text (self, NULL);
  const HlTextOptions options = options_of (self);
  if (prompt == NULL || self->tokenizer == NULL)
    return;
  hl_document_open_text (self->document, prompt, &options);
  gtk_window_close (GTK_WINDOW (self));
}

static gboolean
key_pressed_cb (GtkEventControllerKey *keys,
                guint keyval,
                guint keycode,
                GdkModifierType state,
                HlTextDialog *self)
{
  if ((keyval != GDK_KEY_Return && keyval != GDK_KEY_KP_Enter) ||
      !(state & GDK_CONTROL_MASK))
    return GDK_EVENT_PROPAGATE;
  run_clicked_cb (self);
  return GDK_EVENT_STOP;
}

static void
file_clicked_cb (GtkButton *button, HlTextDialog *self)
{
  g_signal_emit (self, signals[FILE_WANTED], 0);
  gtk_window_close (GTK_WINDOW (self));
}

static void
hl_text_dialog_dispose (GObject *object)
{
  HlTextDialog *self = HL_TEXT_DIALOG (object);
  g_clear_handle_id (&self->count_source, g_source_remove);
  g_clear_object (&self->document);
  g_clear_pointer (&self->model, hl_model_unref);
  g_clear_pointer (&self->chat, hl_chat_format_free);
  g_clear_pointer (&self->long_text, g_free);
  G_OBJECT_CLASS (hl_text_dialog_parent_class)->dispose (object);
}

static void
hl_text_dialog_class_init (HlTextDialogClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_text_dialog_dispose;
  signals[FILE_WANTED] =
      g_signal_new ("file-wanted", HL_TYPE_TEXT_DIALOG, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_template_from_resource (
      widget, "/org/headlight/Headlight/ui/hl-text-dialog.ui");
  gtk_widget_class_bind_template_child (widget, HlTextDialog, form);
  gtk_widget_class_bind_template_child (widget, HlTextDialog, system);
  gtk_widget_class_bind_template_child (widget, HlTextDialog, text);
  gtk_widget_class_bind_template_child (widget, HlTextDialog, rendered_box);
  gtk_widget_class_bind_template_child (widget, HlTextDialog, rendered_title);
  gtk_widget_class_bind_template_child (widget, HlTextDialog, rendered);
  gtk_widget_class_bind_template_child (widget, HlTextDialog, other);
  gtk_widget_class_bind_template_child (widget, HlTextDialog, bos);
  gtk_widget_class_bind_template_child (widget, HlTextDialog, special);
  gtk_widget_class_bind_template_child (widget, HlTextDialog, bos_row);
  gtk_widget_class_bind_template_child (widget, HlTextDialog, first_token);
  gtk_widget_class_bind_template_child (widget, HlTextDialog, n_tokens);
  gtk_widget_class_bind_template_child (widget, HlTextDialog, count);
  gtk_widget_class_bind_template_child (widget, HlTextDialog, run_button);
  gtk_widget_class_bind_template_callback (widget, changed_cb);
  gtk_widget_class_bind_template_callback (widget, run_clicked_cb);
  gtk_widget_class_bind_template_callback (widget, file_clicked_cb);
  gtk_widget_class_add_binding_action (widget, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
hl_text_dialog_init (HlTextDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  GtkEventController *keys = gtk_event_controller_key_new ();
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (key_pressed_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
  g_signal_connect_object (gtk_text_view_get_buffer (self->text), "changed",
                           G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
}

static void
fill_forms (HlTextDialog *self)
{
  g_autofree char *chat =
      g_strdup_printf (_ ("Conversation (%s)"), hl_chat_kind_name (self->chat->kind));
  const char *forms[] = { _ ("Text"), chat, NULL };
  g_autoptr (GtkStringList) list = gtk_string_list_new (forms);
  gtk_drop_down_set_model (self->form, G_LIST_MODEL (list));
}

/* The text in hand, with what was generated after it, unless a part in the middle was
 * gone on with. */
static char *
dup_text (HlTextDialog *self, const HlInput *input)
{
  const HlTrace *trace = hl_document_get_trace (self->document);
  if (input == NULL || input->text == NULL)
    return NULL;
  /* Of a pair the second text has an entry of its own. */
  const char *second = hl_document_get_text_options (self->document)->second;
  if (second != NULL)
    return hl_input_dup_first_text (input, second);
  gboolean is_whole = trace != NULL && g_strcmp0 (trace->text, input->text) == 0 &&
                      input->first_token == 0 && !hl_input_is_cut (input);
  return is_whole ? hl_present_whole_text (trace, NULL) : g_strdup (input->text);
}

/* An encoder reads pairs; of an encoder-decoder the decoder may be told what to read. */
static void
fill_other (HlTextDialog *self, const HlTextOptions *options)
{
  const HlModelInfo *info = hl_model_get_info (self->model);
  const char *text = has_decoder (self) ? options->target : options->second;
  adw_preferences_row_set_title (
      ADW_PREFERENCES_ROW (self->other),
      has_decoder (self) ? _ ("What the decoder reads; empty: it goes on by itself")
                         : _ ("A second text, to read both as a pair"));
  gtk_widget_set_visible (GTK_WIDGET (self->other),
                          has_decoder (self) || info->predicts != HL_PREDICTS_NEXT);
  gtk_editable_set_text (self->other, text != NULL ? text : "");
}

static void
fill_options (HlTextDialog *self)
{
  const HlTextOptions *options = hl_document_get_text_options (self->document);
  fill_other (self, options);
  HlInput *input = hl_document_get_input (self->document);
  gtk_switch_set_active (self->bos, !options->no_special);
  gtk_switch_set_active (self->special, !options->plain_special);
  gtk_adjustment_set_value (self->first_token, (double) options->first_token);
  gtk_adjustment_set_value (self->n_tokens, (double) options->n_tokens);
  g_autofree char *text = dup_text (self, input);
  if (text == NULL)
    return;
  if (strlen (text) <= COUNTED_BYTES_MAX)
    {
      gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->text), text, -1);
      return;
    }
  g_autofree char *words = g_strdup_printf (
      _ ("%s: %.1f MB, too long to be edited here. Part of the text takes other tokens "
         "of it; Open File takes another."),
      input->name, (double) strlen (text) / 1e6);
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->text), words, -1);
  gtk_text_view_set_editable (self->text, FALSE);
  self->long_text = g_steal_pointer (&text);
}

GtkWidget *
hl_text_dialog_new (GtkWindow *parent, HlDocument *document)
{
  HlTextDialog *self = g_object_new (HL_TYPE_TEXT_DIALOG, "transient-for", parent, NULL);
  self->document = g_object_ref (document);
  self->model = hl_model_ref (hl_document_get_model (document));
  self->tokenizer = hl_model_get_tokenizer (self->model, NULL);
  self->chat = hl_chat_recognise (
      self->tokenizer != NULL ? hl_tokenizer_get_chat_template (self->tokenizer) : NULL);
  fill_forms (self);
  fill_options (self);
  gtk_widget_grab_focus (GTK_WIDGET (self->text));
  show_state_cb (self);
  return GTK_WIDGET (self);
}
