/* SPDX-License-Identifier: MIT
 * Which part of a recording is looked at, and what the model is told of it. */
#include "config.h"

#include "window/hl-recording-part.h"

#include "model/hl-language.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdlib.h>

struct _HlRecordingPart
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *box;
  GtkWidget *windows;
  GtkWidget *before;
  GtkWidget *after;
  GtkLabel *place;
  GtkDropDown *language;
  GtkDropDown *task;
  char *listed;  /* path of the model whose languages are listed */
  char **codes;  /* by name, behind the first item, which is to detect it */
  gint64 wanted; /* the window that is asked for, until it is there; -1 */
  gboolean is_following;
};

G_DEFINE_FINAL_TYPE (HlRecordingPart, hl_recording_part, GTK_TYPE_WIDGET)

/* ---- what is there -------------------------------------------------------------------
 */

/* (transfer full): "1:30". */
static char *
minutes (double seconds)
{
  int whole = (int) seconds;
  return g_strdup_printf ("%d:%02d", whole / 60, whole % 60);
}

/* A window's length: its tokens are of equal length, the last of which may end a little
 * before it. */
static double
width_of (const HlInput *input)
{
  double begin = input->source_tokens->tokens[0].start;
  double end = input->source_tokens->tokens[input->source_tokens->n_tokens - 1].end;
  return input->window > 0 ? begin / (double) input->window : round (end - begin);
}

static void
show_windows (HlRecordingPart *self, const HlInput *input)
{
  gboolean has_several = input != NULL && input->n_windows > 1;
  gtk_widget_set_visible (self->windows, has_several);
  if (!has_several)
    return;
  gint64 window = self->wanted >= 0 ? self->wanted : input->window;
  double width = width_of (input), begin = width * (double) window;
  g_autofree char *from = minutes (begin);
  g_autofree char *to = minutes (fmin (begin + width, input->seconds));
  g_autofree char *all = minutes (input->seconds);
  g_autofree char *text = g_strdup_printf (_ ("%s – %s of %s"), from, to, all);
  gtk_label_set_text (self->place, text);
  gtk_widget_set_sensitive (self->before, window > 0);
  gtk_widget_set_sensitive (self->after, window + 1 < input->n_windows);
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  g_autofree char *x = hl_language_dup_name (*(char *const *) a);
  g_autofree char *y = hl_language_dup_name (*(char *const *) b);
  return g_utf8_collate (x, y);
}

static void
list_languages (HlRecordingPart *self, HlModel *model)
{
  const char *path = model != NULL ? hl_model_get_info (model)->path : "";
  if (g_strcmp0 (path, self->listed) == 0)
    return;
  g_free (self->listed);
  self->listed = g_strdup (path);
  g_clear_pointer (&self->codes, g_strfreev);
  self->codes = model != NULL ? hl_model_list_languages (model) : g_new0 (char *, 1);
  qsort (self->codes, g_strv_length (self->codes), sizeof (char *), by_name);
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  gtk_string_list_append (names, _ ("Language it sounds like"));
  for (int i = 0; self->codes[i] != NULL; i++)
    gtk_string_list_take (names, hl_language_dup_name (self->codes[i]));
  gtk_drop_down_set_model (self->language, G_LIST_MODEL (names));
}

static guint
place_of (HlRecordingPart *self, const char *code)
{
  for (guint i = 0; code != NULL && self->codes[i] != NULL; i++)
    if (g_str_equal (self->codes[i], code))
      return i + 1;
  return 0;
}

/* The first item says what was heard. */
static void
show_heard (HlRecordingPart *self, const HlInput *input)
{
  GtkStringList *names = GTK_STRING_LIST (gtk_drop_down_get_model (self->language));
  gboolean is_heard = input->language != NULL && !isnan (input->language_prob);
  g_autofree char *name = is_heard ? hl_language_dup_name (input->language) : NULL;
  g_autofree char *text =
      is_heard ? g_strdup_printf (_ ("Sounds like %s (%.2f)"), name, input->language_prob)
               : g_strdup (_ ("Language it sounds like"));
  const char *const first[] = { text, NULL };
  if (g_strcmp0 (gtk_string_list_get_string (names, 0), text) != 0)
    gtk_string_list_splice (names, 0, 1, first);
}

static void
show (HlRecordingPart *self)
{
  HlModel *model = hl_document_get_model (self->document);
  const HlInput *input = hl_document_get_input (self->document);
  const HlTextOptions *options = hl_document_get_text_options (self->document);
  if (input != NULL && input->features == NULL)
    input = NULL;
  self->is_following = TRUE;
  list_languages (self, model);
  show_windows (self, input);
  gboolean has_place = input != NULL && model != NULL && input->path[0] != '\0';
  gboolean has_languages = has_place && self->codes[0] != NULL;
  gboolean has_tasks = has_place && hl_model_has_tasks (model);
  gtk_widget_set_visible (GTK_WIDGET (self->language), has_languages);
  gtk_widget_set_visible (GTK_WIDGET (self->task), has_tasks);
  if (has_languages)
    {
      show_heard (self, input);
      gtk_drop_down_set_selected (self->language, place_of (self, options->language));
    }
  gtk_drop_down_set_selected (self->task, g_strcmp0 (options->task, "translate") == 0);
  gtk_widget_set_visible (GTK_WIDGET (self), gtk_widget_get_visible (self->windows) ||
                                                 has_languages || has_tasks);
  self->is_following = FALSE;
}

/* ---- what is asked for ---------------------------------------------------------------
 */

/* Of what is asked for, which may be on its way. */
static gint64
window_now (HlRecordingPart *self)
{
  const HlInput *input = hl_document_get_input (self->document);
  return self->wanted >= 0 ? self->wanted : input != NULL ? input->window : 0;
}

static void
ask (HlRecordingPart *self, gint64 window, HlTextOptions options)
{
  options.target = NULL; /* it was of the part before */
  self->wanted = window;
  hl_document_open_recording (self->document, window, &options);
  show (self);
}

static void
go_to (HlRecordingPart *self, gint64 step)
{
  const HlInput *input = hl_document_get_input (self->document);
  gint64 window = window_now (self) + step;
  if (input != NULL && window >= 0 && window < input->n_windows)
    ask (self, window, *hl_document_get_text_options (self->document));
}

static void
before_cb (HlRecordingPart *self)
{
  go_to (self, -1);
}

static void
after_cb (HlRecordingPart *self)
{
  go_to (self, 1);
}

static void
told_cb (HlRecordingPart *self)
{
  const HlInput *input = hl_document_get_input (self->document);
  guint language = gtk_drop_down_get_selected (self->language);
  gboolean translates = gtk_drop_down_get_selected (self->task) == 1;
  if (self->is_following || input == NULL)
    return;
  HlTextOptions options = *hl_document_get_text_options (self->document);
  options.language = language > 0 && language < GTK_INVALID_LIST_POSITION
                         ? self->codes[language - 1]
                         : NULL;
  options.task =
      gtk_widget_get_visible (GTK_WIDGET (self->task)) && translates ? "translate" : NULL;
  ask (self, window_now (self), options);
}

static void
arrived_cb (HlRecordingPart *self)
{
  self->wanted = -1;
  show (self);
}

/* Stopped or failed: what is shown is what there is. */
static void
busy_cb (HlRecordingPart *self)
{
  if (self->wanted >= 0 && !hl_document_is_busy (self->document))
    arrived_cb (self);
}

void
hl_recording_part_set_document (HlRecordingPart *self, HlDocument *document)
{
  static const char *const signals[] = { "input-changed", "model-changed" };
  g_return_if_fail (self->document == NULL);
  self->document = g_object_ref (document);
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    g_signal_connect_object (document, signals[i], G_CALLBACK (arrived_cb), self,
                             G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "trace-changed", G_CALLBACK (show), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "busy-changed", G_CALLBACK (busy_cb), self,
                           G_CONNECT_SWAPPED);
  arrived_cb (self);
}

/* ---- making --------------------------------------------------------------------------
 */

static GtkWidget *
make_button (HlRecordingPart *self, const char *icon, const char *tip, GCallback callback)
{
  GtkWidget *button = gtk_button_new_from_icon_name (icon);
  gtk_widget_set_tooltip_text (button, tip);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  tip, -1);
  gtk_widget_add_css_class (button, "flat");
  g_signal_connect_object (button, "clicked", callback, self, G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (self->windows), button);
  return button;
}

static void
make_windows (HlRecordingPart *self)
{
  self->windows = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  self->before = make_button (self, "go-previous-symbolic", _ ("The part before"),
                              G_CALLBACK (before_cb));
  self->place = GTK_LABEL (gtk_label_new (NULL));
  gtk_widget_add_css_class (GTK_WIDGET (self->place), "caption");
  gtk_widget_add_css_class (GTK_WIDGET (self->place), "numeric");
  gtk_box_append (GTK_BOX (self->windows), GTK_WIDGET (self->place));
  self->after = make_button (self, "go-next-symbolic", _ ("The part after it"),
                             G_CALLBACK (after_cb));
  gtk_box_append (GTK_BOX (self->box), self->windows);
}

/* The column is narrow: what is chosen gives way, the list does not. */
static void
setup_chosen_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  if (data != NULL)
    gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_list_item_set_child (item, label);
}

static void
bind_chosen_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
  GtkStringObject *text = gtk_list_item_get_item (item);
  GtkLabel *label = GTK_LABEL (gtk_list_item_get_child (item));
  gtk_label_set_text (label, gtk_string_object_get_string (text));
}

static void
let_shrink (GtkDropDown *drop)
{
  for (int is_chosen = 0; is_chosen < 2; is_chosen++)
    {
      g_autoptr (GtkListItemFactory) factory = gtk_signal_list_item_factory_new ();
      g_signal_connect (factory, "setup", G_CALLBACK (setup_chosen_cb),
                        is_chosen ? drop : NULL);
      g_signal_connect (factory, "bind", G_CALLBACK (bind_chosen_cb), NULL);
      if (is_chosen)
        gtk_drop_down_set_factory (drop, factory);
      else
        gtk_drop_down_set_list_factory (drop, factory);
    }
}

static GtkDropDown *
make_drop (HlRecordingPart *self, const char *const *items, const char *name)
{
  GtkWidget *drop = gtk_drop_down_new_from_strings (items);
  gtk_widget_set_tooltip_text (drop, name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (drop), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  name, -1);
  g_signal_connect_object (drop, "notify::selected", G_CALLBACK (told_cb), self,
                           G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (self->box), drop);
  let_shrink (GTK_DROP_DOWN (drop));
  return GTK_DROP_DOWN (drop);
}

static void
hl_recording_part_dispose (GObject *object)
{
  HlRecordingPart *self = HL_RECORDING_PART (object);
  g_clear_object (&self->document);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_pointer (&self->codes, g_strfreev);
  g_clear_pointer (&self->listed, g_free);
  G_OBJECT_CLASS (hl_recording_part_parent_class)->dispose (object);
}

static void
hl_recording_part_class_init (HlRecordingPartClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hl_recording_part_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass),
                                            GTK_TYPE_BIN_LAYOUT);
}

static void
hl_recording_part_init (HlRecordingPart *self)
{
  const char *const none[] = { NULL };
  const char *const tasks[] = { _ ("Transcribe"), _ ("Translate to English"), NULL };
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  self->is_following = TRUE;
  make_windows (self);
  self->language = make_drop (self, none, _ ("What language is spoken"));
  g_autoptr (GtkExpression) text =
      gtk_property_expression_new (GTK_TYPE_STRING_OBJECT, NULL, "string");
  gtk_drop_down_set_expression (self->language, text);
  gtk_drop_down_set_enable_search (self->language, TRUE); /* there are a hundred */
  self->task = make_drop (self, tasks, _ ("What the model is to write"));
  self->is_following = FALSE;
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}
