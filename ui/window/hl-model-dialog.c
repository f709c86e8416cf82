/* SPDX-License-Identifier: MIT
 * Asks for a model. */
#include "config.h"

#include "window/hl-model-dialog.h"

#include "base/hl-hub.h"
#include "model/hl-model.h"
#include "presenters/hl-present-models.h"
#include "window/hl-error-dialog.h"
#include "window/hl-model-row.h"

#include <glib/gi18n.h>

/* Rows that are made at once: a frame's worth; and at most: who has more models searches,
 * and a list of thousands is slow to lay out. */
#define ROWS_AT_ONCE 40
#define ROWS_MAX 200

/* From top to bottom. */
enum
{
  RECENT,
  GOOD, /* in the cache, to be opened */
  BAD,  /* in the cache, not to be opened */
  N_LISTS,
};

/* What the io thread finds. */
typedef struct
{
  char **recent_paths; /* asked for */
  char *cache;
  GPtrArray *recent; /* of HlCachedModel */
  GPtrArray *cached;
} Found;

struct _HlModelDialog
{
  AdwWindow parent_instance;
  HlEngine *io;
  GCancellable *cancellable;
  Found *found;      /* (nullable): until it is there */
  guint n_looked_at; /* models of the cache: they have a row, or do not match */
  guint n_rows;
  guint n_left; /* that match and have none */
  guint fill_source;
  GtkEditable *search;
  GtkStack *stack;
  AdwStatusPage *empty;
  GtkWidget *groups[N_LISTS];
  GtkListBox *lists[N_LISTS];
  GtkLabel *left;
};

G_DEFINE_FINAL_TYPE (HlModelDialog, hl_model_dialog, ADW_TYPE_WINDOW)

enum
{
  CHOSEN,
  FOLDER_WANTED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

static void
found_free (gpointer data)
{
  Found *found = data;
  g_strfreev (found->recent_paths);
  g_free (found->cache);
  g_clear_pointer (&found->recent, g_ptr_array_unref);
  g_clear_pointer (&found->cached, g_ptr_array_unref);
  g_free (found);
}

/* ---- on the io thread ----------------------------------------------------------------
 */

/* The sort is stable. */
static int
good_first (gconstpointer a, gconstpointer b)
{
  const HlCachedModel *const *left = a, *const *right = b;
  return ((*left)->reason != NULL) - ((*right)->reason != NULL);
}

/* Gives a Found of its own: what a job takes along is freed behind it. */
static gpointer
look_job (gpointer data, HlBackend *backend, const HlProgress *progress, GError **error)
{
  const Found *wanted = data;
  Found *found = g_new0 (Found, 1);
  found->cache = hl_hub_folder ();
  found->recent = g_ptr_array_new_with_free_func ((GDestroyNotify) hl_cached_model_free);
  for (int i = 0; wanted->recent_paths[i] != NULL; i++)
    {
      HlCachedModel *model = hl_model_cache_look (wanted->recent_paths[i]);
      if (model != NULL)
        g_ptr_array_add (found->recent, model);
    }
  found->cached = hl_model_cache_list (found->cache, progress, error);
  if (found->cached == NULL)
    g_clear_pointer (&found, found_free);
  else
    g_ptr_array_sort (found->cached, good_first);
  return found;
}

/* Opening says in full what a list says in a line. */
static gpointer
explain_job (gpointer data,
             HlBackend *backend,
             const HlProgress *progress,
             GError **error)
{
  g_autoptr (HlModel) model = hl_model_open (data, error);
  return model != NULL ? g_strdup (data) : NULL;
}

/* ---- rows ----------------------------------------------------------------------------
 */

static void
add_row (HlModelDialog *self, int list, const HlCachedModel *model)
{
  gtk_list_box_append (self->lists[list], hl_model_row_new (model));
  self->n_rows++;
}

/* The first row of this list or one below it, or the first of those that can be opened.
 */
static GtkWidget *
first_row (HlModelDialog *self, int list, gboolean only_good)
{
  for (; list < N_LISTS; list++)
    {
      GtkWidget *row = gtk_widget_get_first_child (GTK_WIDGET (self->lists[list]));
      for (; row != NULL; row = gtk_widget_get_next_sibling (row))
        if (!only_good || hl_model_row_get_model (row)->reason == NULL)
          return row;
    }
  return NULL;
}

/* The last row of this list or one above it. */
static GtkWidget *
last_row (HlModelDialog *self, int list)
{
  GtkWidget *row = NULL;
  for (; list >= 0 && row == NULL; list--)
    row = gtk_widget_get_last_child (GTK_WIDGET (self->lists[list]));
  return row;
}

/* ---- what is shown -------------------------------------------------------------------
 */

static void
show_empty (HlModelDialog *self, const char *icon, const char *title, const char *words)
{
  g_autofree char *escaped = g_markup_escape_text (words, -1);
  adw_status_page_set_icon_name (self->empty, icon);
  adw_status_page_set_title (self->empty, title);
  adw_status_page_set_description (self->empty, escaped);
  gtk_stack_set_visible_child_name (self->stack, "empty");
}

static void
show_state (HlModelDialog *self)
{
  if (self->found == NULL)
    return;
  for (int i = 0; i < N_LISTS; i++)
    gtk_widget_set_visible (self->groups[i], gtk_widget_get_first_child (
                                                 GTK_WIDGET (self->lists[i])) != NULL);
  g_autofree char *left = g_strdup_printf (
      ngettext ("%u more: search for a part of its name",
                "%u more: search for a part of their names", self->n_left),
      self->n_left);
  gtk_label_set_text (self->left, left);
  gtk_widget_set_visible (GTK_WIDGET (self->left), self->n_left > 0);
  gboolean is_filling = self->n_looked_at < self->found->cached->len;
  gboolean is_nothing = self->found->recent->len + self->found->cached->len == 0;
  if (first_row (self, 0, FALSE) != NULL || is_filling)
    gtk_stack_set_visible_child_name (self->stack, "list");
  else if (is_nothing)
    {
      g_autofree char *cache = g_filename_display_name (self->found->cache);
      g_autofree char *words = g_strdup_printf (
          _ ("Headlight looked in %s, where Hugging Face's tools put what they download. "
             "The variables HF_HUB_CACHE and HF_HOME name another place. A model that "
             "lies elsewhere is opened by its folder."),
          cache);
      show_empty (self, "folder-download-symbolic", _ ("No Models Found"), words);
    }
  else
    show_empty (self, "edit-find-symbolic", _ ("No Model Matches"),
                _ ("Search for a part of the name, or for a family."));
}

/* Adds some rows; the rest follows when nothing else is to be done. */
static gboolean
fill_cb (gpointer data)
{
  HlModelDialog *self = data;
  const char *search = gtk_editable_get_text (self->search);
  GPtrArray *cached = self->found->cached;
  guint end = self->n_rows + ROWS_AT_ONCE;
  for (; self->n_looked_at < cached->len && self->n_rows < end; self->n_looked_at++)
    {
      const HlCachedModel *model = g_ptr_array_index (cached, self->n_looked_at);
      if (!hl_present_model_matches (model, search))
        continue;
      if (self->n_rows < ROWS_MAX)
        add_row (self, model->reason == NULL ? GOOD : BAD, model);
      else
        self->n_left++;
    }
  show_state (self);
  if (self->n_looked_at < cached->len)
    return G_SOURCE_CONTINUE;
  self->fill_source = 0;
  return G_SOURCE_REMOVE;
}

static void
fill (HlModelDialog *self)
{
  const char *search = gtk_editable_get_text (self->search);
  g_clear_handle_id (&self->fill_source, g_source_remove);
  self->n_looked_at = self->n_rows = self->n_left = 0;
  for (int i = 0; i < N_LISTS; i++)
    {
      GtkWidget *row;
      while ((row = gtk_widget_get_first_child (GTK_WIDGET (self->lists[i]))) != NULL)
        gtk_list_box_remove (self->lists[i], row);
    }
  GPtrArray *recent = self->found->recent;
  for (guint i = 0; i < recent->len; i++)
    if (hl_present_model_matches (g_ptr_array_index (recent, i), search))
      add_row (self, RECENT, g_ptr_array_index (recent, i));
  if (fill_cb (self) == G_SOURCE_CONTINUE)
    self->fill_source = g_idle_add (fill_cb, self);
}

/* What was typed while a row had the focus goes on in the entry: the row may go. */
static void
search_changed_cb (HlModelDialog *self)
{
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));
  if (focus != NULL && gtk_widget_is_ancestor (focus, GTK_WIDGET (self->stack)))
    gtk_text_grab_focus_without_selecting (
        GTK_TEXT (gtk_editable_get_delegate (self->search)));
  if (self->found != NULL)
    fill (self);
}

static void
describe_cache (HlModelDialog *self)
{
  g_autofree char *cache = g_filename_display_name (self->found->cache);
  g_autofree char *escaped = g_markup_escape_text (cache, -1);
  adw_preferences_group_set_description (ADW_PREFERENCES_GROUP (self->groups[GOOD]),
                                         escaped);
}

static void
looked_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (HlModelDialog) self = data;
  g_autoptr (GError) error = NULL;
  Found *found = hl_engine_finish (HL_ENGINE (source), result, &error);
  if (self->io == NULL) /* closed */
    {
      g_clear_pointer (&found, found_free);
      return;
    }
  if (found == NULL)
    {
      show_empty (self, "dialog-warning-symbolic", _ ("The Models Could Not Be Listed"),
                  error != NULL ? error->message : "");
      return;
    }
  self->found = found;
  describe_cache (self);
  fill (self);
}

/* ---- ends ----------------------------------------------------------------------------
 */

static void
choose (HlModelDialog *self, const char *path)
{
  g_autofree char *copy = g_strdup (path); /* it belongs to what closing frees */
  g_object_ref (self);
  g_signal_emit (self, signals[CHOSEN], 0, copy);
  gtk_window_close (GTK_WINDOW (self));
  g_object_unref (self);
}

static void
explained_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (HlModelDialog) self = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = hl_engine_finish (HL_ENGINE (source), result, &error);
  if (self->io == NULL)
    return;
  if (path != NULL) /* mended meanwhile */
    {
      choose (self, path);
      return;
    }
  hl_error_dialog_show (GTK_WINDOW (self), _ ("This Model Cannot Be Opened"),
                        error->message);
}

static void
activate_row (HlModelDialog *self, gpointer row)
{
  const HlCachedModel *model = hl_model_row_get_model (row);
  if (model->reason == NULL)
    choose (self, model->folder);
  else
    hl_engine_submit (self->io, HL_JOB_FOREGROUND, explain_job, g_strdup (model->folder),
                      g_free, g_free, self->cancellable, NULL, NULL, explained_cb,
                      g_object_ref (self));
}

static void
row_activated_cb (HlModelDialog *self, GtkListBoxRow *row)
{
  activate_row (self, row);
}

/* Return in the entry opens the first that can be opened of those that are seen. */
static void
search_activated_cb (HlModelDialog *self)
{
  for (int only_good = 1; only_good >= 0; only_good--)
    {
      GtkWidget *row = first_row (self, 0, only_good);
      if (row == NULL)
        continue;
      activate_row (self, row);
      return;
    }
}

static void
folder_clicked_cb (HlModelDialog *self)
{
  g_object_ref (self);
  g_signal_emit (self, signals[FOLDER_WANTED], 0);
  gtk_window_close (GTK_WINDOW (self));
  g_object_unref (self);
}

/* ---- keys ----------------------------------------------------------------------------
 */

static gboolean
search_key_cb (HlModelDialog *self, guint keyval)
{
  if (keyval != GDK_KEY_Down && keyval != GDK_KEY_KP_Down)
    return GDK_EVENT_PROPAGATE;
  GtkWidget *row = first_row (self, 0, FALSE);
  if (row != NULL)
    gtk_widget_grab_focus (row);
  return GDK_EVENT_STOP;
}

/* Arrows go on from one list to the next, and up into the entry. */
static gboolean
keynav_failed_cb (HlModelDialog *self, GtkDirectionType direction, GtkListBox *list)
{
  int i = 0;
  while (list != self->lists[i])
    i++;
  GtkWidget *next = direction == GTK_DIR_DOWN ? first_row (self, i + 1, FALSE)
                    : direction == GTK_DIR_UP ? last_row (self, i - 1)
                                              : NULL;
  if (next == NULL && direction == GTK_DIR_UP)
    next = GTK_WIDGET (self->search);
  if (next == NULL)
    return FALSE;
  gtk_widget_grab_focus (next);
  return TRUE;
}

/* ---- the object ----------------------------------------------------------------------
 */

static void
hl_model_dialog_dispose (GObject *object)
{
  HlModelDialog *self = HL_MODEL_DIALOG (object);
  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->fill_source, g_source_remove);
  g_clear_object (&self->io);
  G_OBJECT_CLASS (hl_model_dialog_parent_class)->dispose (object);
}

static void
hl_model_dialog_finalize (GObject *object)
{
  HlModelDialog *self = HL_MODEL_DIALOG (object);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->found, found_free); /* the rows borrowed from it */
  G_OBJECT_CLASS (hl_model_dialog_parent_class)->finalize (object);
}

static void
hl_model_dialog_class_init (HlModelDialogClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_model_dialog_dispose;
  G_OBJECT_CLASS (klass)->finalize = hl_model_dialog_finalize;
  signals[CHOSEN] = g_signal_new ("chosen", HL_TYPE_MODEL_DIALOG, G_SIGNAL_RUN_LAST, 0,
                                  NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[FOLDER_WANTED] =
      g_signal_new ("folder-wanted", HL_TYPE_MODEL_DIALOG, G_SIGNAL_RUN_LAST, 0, NULL,
                    NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_template_from_resource (
      widget, "/org/headlight/Headlight/ui/hl-model-dialog.ui");
  gtk_widget_class_bind_template_child (widget, HlModelDialog, search);
  gtk_widget_class_bind_template_child (widget, HlModelDialog, stack);
  gtk_widget_class_bind_template_child (widget, HlModelDialog, empty);
  gtk_widget_class_bind_template_child (widget, HlModelDialog, left);
  for (int i = 0; i < N_LISTS; i++)
    {
      static const char *const groups[] = { "recent_group", "good_group", "bad_group" };
      static const char *const lists[] = { "recent", "good", "bad" };
      gtk_widget_class_bind_template_child_full (widget, groups[i], FALSE,
                                                 G_STRUCT_OFFSET (HlModelDialog, groups) +
                                                     (gssize) sizeof (gpointer) * i);
      gtk_widget_class_bind_template_child_full (widget, lists[i], FALSE,
                                                 G_STRUCT_OFFSET (HlModelDialog, lists) +
                                                     (gssize) sizeof (gpointer) * i);
    }
  gtk_widget_class_bind_template_callback (widget, search_changed_cb);
  gtk_widget_class_bind_template_callback (widget, search_activated_cb);
  gtk_widget_class_bind_template_callback (widget, row_activated_cb);
  gtk_widget_class_bind_template_callback (widget, keynav_failed_cb);
  gtk_widget_class_bind_template_callback (widget, folder_clicked_cb);
  gtk_widget_class_add_binding_action (widget, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
hl_model_dialog_init (HlModelDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->cancellable = g_cancellable_new ();
  GtkEventController *keys = gtk_event_controller_key_new ();
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect_swapped (keys, "key-pressed", G_CALLBACK (search_key_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self->search), keys);
  gtk_search_entry_set_key_capture_widget (GTK_SEARCH_ENTRY (self->search),
                                           GTK_WIDGET (self));
}

GtkWidget *
hl_model_dialog_new (GtkWindow *parent, HlEngine *io, const char *const *recent)
{
  HlModelDialog *self =
      g_object_new (HL_TYPE_MODEL_DIALOG, "transient-for", parent, NULL);
  Found *wanted = g_new0 (Found, 1);
  wanted->recent_paths = g_strdupv ((char **) recent);
  self->io = g_object_ref (io);
  hl_engine_submit (io, HL_JOB_FOREGROUND, look_job, wanted, found_free, found_free,
                    self->cancellable, NULL, NULL, looked_cb, g_object_ref (self));
  gtk_widget_grab_focus (GTK_WIDGET (self->search));
  return GTK_WIDGET (self);
}
