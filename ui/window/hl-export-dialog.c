/* SPDX-License-Identifier: MIT
 * Asks what to export as a figure, and how large. */
#include "config.h"

#include "window/hl-export-dialog.h"

#include <glib/gi18n.h>

static const char *const extensions[] = { "svg", "pdf", "png" };

struct _HlExportDialog
{
  AdwWindow parent_instance;
  HlDocument *document;
  AdwComboRow *what;
  GArray *kinds; /* of HlFigureKind: those that this trace can have, in their order */
  AdwComboRow *format;
  AdwComboRow *width;
  GtkAdjustment *custom_width;
  AdwActionRow *custom_row;
  GtkAdjustment *dpi;
  AdwActionRow *dpi_row;
  GtkSwitch *dark;
  GtkLabel *heads;
  HlFigureResults results;
};

G_DEFINE_FINAL_TYPE (HlExportDialog, hl_export_dialog, ADW_TYPE_WINDOW)

enum
{
  WRITTEN,
  FAILED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

/* (transfer full): the pinned heads of the stack that is looked at, or the head that is.
 */
static GArray *
chosen_heads (HlExportDialog *self)
{
  guint n;
  HlSelection *selection = hl_document_get_selection (self->document);
  const HlHeadKey *pinned = hl_selection_get_pinned (selection, &n);
  HlHeadKey one = hl_selection_get_head (selection);
  GArray *heads = g_array_new (FALSE, FALSE, sizeof (HlHeadKey));
  for (guint i = 0; i < n; i++)
    if (pinned[i].stack == one.stack)
      g_array_append_val (heads, pinned[i]);
  if (heads->len == 0)
    g_array_append_val (heads, one);
  return heads;
}

static HlFigureKind
chosen_kind (HlExportDialog *self)
{
  guint place = MIN (adw_combo_row_get_selected (self->what), self->kinds->len - 1);
  return g_array_index (self->kinds, HlFigureKind, place);
}

static void
list_kinds (HlExportDialog *self)
{
  const char *const titles[HL_N_FIGURE_KINDS] = {
    [HL_FIGURE_GRID] = _ ("Grid of heads"),
    [HL_FIGURE_HEATMAP] = _ ("Map"),
    [HL_FIGURE_OVERLAY] = _ ("Patches on the picture"),
    [HL_FIGURE_TOKENS] = _ ("Text as tokens"),
    [HL_FIGURE_ARCS] = _ ("Tokens with arcs"),
    [HL_FIGURE_COMPARISON] = _ ("Attention, saliency"),
    [HL_FIGURE_CHART] = _ ("Charts of this page"),
  };
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  for (HlFigureKind kind = HL_FIGURE_GRID; kind < HL_N_FIGURE_KINDS; kind++)
    if (hl_figure_kind_fits (kind, hl_document_get_trace (self->document),
                             hl_document_get_stack (self->document)) ||
        hl_figure_results_has (&self->results, kind))
      {
        g_array_append_val (self->kinds, kind);
        gtk_string_list_append (names, titles[kind]);
      }
  adw_combo_row_set_model (self->what, G_LIST_MODEL (names));
}

/* (transfer full) */
static char *
describe_heads (HlExportDialog *self, HlFigureKind kind)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  g_autoptr (GArray) heads = chosen_heads (self);
  if (kind == HL_FIGURE_COMPARISON)
    return hl_compare_whose (self->results.compare);
  if (kind == HL_FIGURE_GRID || kind == HL_FIGURE_CHART)
    return g_strdup (_ ("All heads"));
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < heads->len; i++)
    {
      const HlHeadKey *head = &g_array_index (heads, HlHeadKey, i);
      g_autofree char *prefix = hl_present_stack_prefix (trace, head->stack);
      g_string_append_printf (text, "%s%s%d.%d", i > 0 ? ", " : "", prefix, head->layer,
                              head->head);
    }
  return g_string_free (text, FALSE);
}

static void
show_state (HlExportDialog *self)
{
  g_autofree char *heads = describe_heads (self, chosen_kind (self));
  gtk_label_set_text (self->heads, heads);
  gtk_widget_set_visible (GTK_WIDGET (self->custom_row),
                          adw_combo_row_get_selected (self->width) == 2);
  gtk_widget_set_visible (GTK_WIDGET (self->dpi_row),
                          adw_combo_row_get_selected (self->format) == 2);
}

static void
choice_changed_cb (HlExportDialog *self)
{
  if (self->document != NULL)
    show_state (self);
}

static void
written_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (HlExportDialog) self = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *path =
      hl_engine_finish (hl_document_get_engine (self->document), result, &error);
  if (path != NULL)
    g_signal_emit (self, signals[WRITTEN], 0, path);
  else
    g_signal_emit (self, signals[FAILED], 0, error->message);
  gtk_window_destroy (GTK_WINDOW (self));
}

static void
start (HlExportDialog *self, const char *path)
{
  HlFigureOptions options;
  hl_figure_options_init (&options);
  guint width = adw_combo_row_get_selected (self->width);
  options.width_mm = width == 0   ? HL_FIGURE_WIDTH_SINGLE_MM
                     : width == 1 ? HL_FIGURE_WIDTH_DOUBLE_MM
                                  : gtk_adjustment_get_value (self->custom_width);
  options.dpi = gtk_adjustment_get_value (self->dpi);
  options.is_dark = gtk_switch_get_active (self->dark);
  g_autoptr (GArray) heads = chosen_heads (self);
  hl_figure_job_start (self->document, chosen_kind (self),
                       (const HlHeadKey *) (gpointer) heads->data, heads->len,
                       &self->results, &options, path, written_cb, g_object_ref (self));
}

static void
file_chosen_cb (GtkNativeDialog *dialog, int response, HlExportDialog *self)
{
  g_autoptr (GFile) file = NULL;
  if (response == GTK_RESPONSE_ACCEPT)
    file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  g_autofree char *path = file != NULL ? g_file_get_path (file) : NULL;
  const char *extension = extensions[adw_combo_row_get_selected (self->format)];
  g_object_unref (dialog);
  if (path == NULL)
    return;
  gtk_widget_set_sensitive (GTK_WIDGET (self), FALSE);
  /* A name with a known ending of its own keeps it. */
  g_autofree char *lower = g_ascii_strdown (path, -1);
  gboolean has_own = FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (extensions); i++)
    {
      g_autofree char *dotted = g_strconcat (".", extensions[i], NULL);
      has_own = has_own || g_str_has_suffix (lower, dotted);
    }
  g_autofree char *full =
      has_own ? g_strdup (path) : g_strdup_printf ("%s.%s", path, extension);
  start (self, full);
}

static void
export_clicked_cb (GtkButton *button, HlExportDialog *self)
{
  const HlTrace *trace = hl_document_get_trace (self->document);
  HlFigureKind kind = chosen_kind (self);
  HlHeadKey head = hl_selection_get_head (hl_document_get_selection (self->document));
  const char *extension = extensions[adw_combo_row_get_selected (self->format)];
  const char *model = hl_model_info_file_name (trace->model);
  g_autofree char *name =
      kind == HL_FIGURE_GRID || hl_figure_kind_is_of_result (kind)
          ? g_strdup_printf ("%s-%s.%s", model, hl_figure_kind_name (kind), extension)
          : g_strdup_printf ("%s-%s-%d.%d.%s", model, hl_figure_kind_name (kind),
                             head.layer, head.head, extension);
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (
      _ ("Export the Figure"), GTK_WINDOW (self), GTK_FILE_CHOOSER_ACTION_SAVE,
      _ ("_Export"), _ ("_Cancel"));
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), name);
  g_signal_connect_object (dialog, "response", G_CALLBACK (file_chosen_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

/* Not at Cancel, which is first in the header. */
static void
mapped_cb (HlExportDialog *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self->what));
}

static void
hl_export_dialog_dispose (GObject *object)
{
  g_clear_object (&HL_EXPORT_DIALOG (object)->document);
  g_clear_pointer (&HL_EXPORT_DIALOG (object)->kinds, g_array_unref);
  hl_figure_results_clear (&HL_EXPORT_DIALOG (object)->results);
  G_OBJECT_CLASS (hl_export_dialog_parent_class)->dispose (object);
}

static void
hl_export_dialog_class_init (HlExportDialogClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_export_dialog_dispose;
  signals[WRITTEN] = g_signal_new ("written", HL_TYPE_EXPORT_DIALOG, G_SIGNAL_RUN_LAST, 0,
                                   NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[FAILED] = g_signal_new ("failed", HL_TYPE_EXPORT_DIALOG, G_SIGNAL_RUN_LAST, 0,
                                  NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  gtk_widget_class_set_template_from_resource (
      widget, "/org/headlight/Headlight/ui/hl-export-dialog.ui");
  gtk_widget_class_bind_template_child (widget, HlExportDialog, what);
  gtk_widget_class_bind_template_child (widget, HlExportDialog, format);
  gtk_widget_class_bind_template_child (widget, HlExportDialog, width);
  gtk_widget_class_bind_template_child (widget, HlExportDialog, custom_width);
  gtk_widget_class_bind_template_child (widget, HlExportDialog, custom_row);
  gtk_widget_class_bind_template_child (widget, HlExportDialog, dpi);
  gtk_widget_class_bind_template_child (widget, HlExportDialog, dpi_row);
  gtk_widget_class_bind_template_child (widget, HlExportDialog, dark);
  gtk_widget_class_bind_template_child (widget, HlExportDialog, heads);
  gtk_widget_class_bind_template_callback (widget, choice_changed_cb);
  gtk_widget_class_bind_template_callback (widget, export_clicked_cb);
  gtk_widget_class_add_binding_action (widget, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
hl_export_dialog_init (HlExportDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->kinds = g_array_new (FALSE, FALSE, sizeof (HlFigureKind));
  g_signal_connect (self, "map", G_CALLBACK (mapped_cb), NULL);
}

GtkWidget *
hl_export_dialog_new (GtkWindow *parent,
                      HlDocument *document,
                      HlFigureKind kind,
                      HlFigureResults *results)
{
  HlExportDialog *self =
      g_object_new (HL_TYPE_EXPORT_DIALOG, "transient-for", parent, NULL);
  self->document = g_object_ref (document);
  self->results = *results;
  *results = (HlFigureResults){ 0 };
  list_kinds (self);
  for (guint i = 0; i < self->kinds->len; i++)
    if (g_array_index (self->kinds, HlFigureKind, i) == kind)
      adw_combo_row_set_selected (self->what, i);
  show_state (self);
  gtk_widget_grab_focus (GTK_WIDGET (self->what));
  return GTK_WIDGET (self);
}
