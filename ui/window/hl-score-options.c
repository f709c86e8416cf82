/* SPDX-License-Identifier: MIT
 * A button with a popover: how importance is computed, and on what. */
#include "config.h"

#include "window/hl-score-options.h"

#include "window/hl-class-entry.h"
#include "window/hl-option-grid.h"

#include <glib/gi18n.h>

typedef struct
{
  HlDocument *document;
  GtkDropDown *ablation;
  GtkEditable *label;
  GtkEditable *target;
  GtkEditable *against;
  GtkSpinButton *n_inputs;
  GtkLabel *dataset;
  GtkLabel *reference;
  GtkWidget *take, *drop;
} Options;

int
hl_score_options_count (HlDocument *document)
{
  HlDataset *dataset = hl_document_get_dataset (document);
  int n = dataset != NULL ? hl_dataset_get_n_items (dataset) : 0;
  int wanted = hl_document_get_score_choices (document)->n_inputs;
  return wanted > 0 ? MIN (wanted, n) : n;
}

static void
changed_cb (Options *o)
{
  HlScoreChoices choices = { 0 };
  int label;
  if (o->document == NULL)
    return;
  gboolean is_good =
      hl_class_entry_parse (o->target, o->document, HL_TARGET_AUTO, &choices.target);
  is_good &= hl_class_entry_parse (o->against, o->document, -1, &choices.against);
  choices.ablation = (HlAblation) gtk_drop_down_get_selected (o->ablation);
  choices.n_inputs = gtk_spin_button_get_value_as_int (o->n_inputs);
  if (hl_class_entry_parse (o->label, o->document, -1, &label))
    hl_document_set_label (o->document, label);
  if (is_good)
    hl_document_set_score_choices (o->document, &choices);
}

static void
dataset_changed_cb (GtkWidget *options)
{
  Options *o = g_object_get_data (G_OBJECT (options), "options");
  HlDataset *dataset = hl_document_get_dataset (o->document);
  g_autofree char *text =
      dataset != NULL ? g_strdup_printf (ngettext ("%s: %d input", "%s: %d inputs",
                                                   hl_dataset_get_n_items (dataset)),
                                         dataset->name, hl_dataset_get_n_items (dataset))
                      : g_strdup (_ ("No data set is open"));
  gtk_label_set_text (o->dataset, text);
}

static void
scores_changed_cb (GtkWidget *options)
{
  Options *o = g_object_get_data (G_OBJECT (options), "options");
  const HlInput *reference = hl_document_get_reference (o->document);
  g_autofree char *text = reference != NULL
                              ? g_strdup_printf (_ ("Reference: %s"), reference->name)
                              : g_strdup (_ ("No reference"));
  gtk_label_set_text (o->reference, text);
  gtk_widget_set_visible (o->drop, reference != NULL);
  gtk_widget_set_sensitive (o->take, hl_document_get_input (o->document) != NULL);
}

static void
take_cb (Options *o)
{
  hl_document_set_reference (o->document, TRUE);
}

static void
drop_cb (Options *o)
{
  hl_document_set_reference (o->document, FALSE);
}

/* ---- building ------------------------------------------------------------------------
 */

static GtkEditable *
entry (Options *o, GtkWidget *grid, int row, const char *title, const char *placeholder)
{
  GtkWidget *made = gtk_entry_new ();
  gtk_entry_set_placeholder_text (GTK_ENTRY (made), placeholder);
  g_signal_connect_swapped (made, "changed", G_CALLBACK (changed_cb), o);
  hl_option_grid_add (grid, row, title, made, NULL);
  return GTK_EDITABLE (made);
}

static GtkWidget *
build_reference (Options *o)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *label = gtk_label_new (_ ("No reference"));
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_widget_set_hexpand (label, TRUE);
  gtk_widget_add_css_class (label, "dim-label");
  o->reference = GTK_LABEL (label);
  o->take = gtk_button_new_with_mnemonic (_ ("Take _This Input"));
  o->drop = gtk_button_new_from_icon_name ("edit-clear-symbolic");
  gtk_widget_set_tooltip_text (
      o->take,
      _ ("Of other inputs it is then scored how much less like this one they are "
         "without each head: what a model without classes is asked"));
  gtk_widget_set_tooltip_text (o->drop, _ ("No reference"));
  gtk_widget_set_visible (o->drop, FALSE);
  g_signal_connect_swapped (o->take, "clicked", G_CALLBACK (take_cb), o);
  g_signal_connect_swapped (o->drop, "clicked", G_CALLBACK (drop_cb), o);
  gtk_box_append (GTK_BOX (row), label);
  gtk_box_append (GTK_BOX (row), o->take);
  gtk_box_append (GTK_BOX (row), o->drop);
  return row;
}

static void
options_free (gpointer data)
{
  Options *o = data;
  g_clear_object (&o->document);
  g_free (o);
}

static GtkWidget *
build (Options *o)
{
  const char *const kinds[] = { _ ("Zero"), _ ("Mean"), _ ("Resample"), _ ("Uniform"),
                                NULL };
  GtkWidget *grid = hl_option_grid_new ();
  GtkWidget *ablation = gtk_drop_down_new_from_strings (kinds);
  o->ablation = GTK_DROP_DOWN (ablation);
  g_signal_connect_swapped (ablation, "notify::selected", G_CALLBACK (changed_cb), o);
  hl_option_grid_add (
      grid, 0, _ ("_Ablation"), ablation,
      _ ("What stands in a head's place: zeros; its mean over the data set; another "
         "input's; the mean of all values it may see"));
  o->label = entry (o, grid, 1, _ ("_Label of this input"), _ ("not known"));
  o->target = entry (o, grid, 2, _ ("_Target"), _ ("label, else predicted"));
  gtk_widget_set_tooltip_text (
      GTK_WIDGET (o->target),
      _ ("A class or token, \"predicted\", or of a text \"every\" "
         "token, which is what a text by lines has unless "
         "another is named"));
  o->against = entry (o, grid, 3, _ ("A_gainst"), _ ("nothing"));
  GtkWidget *n_inputs = gtk_spin_button_new_with_range (0, 1e6, 10);
  o->n_inputs = GTK_SPIN_BUTTON (n_inputs);
  g_signal_connect_swapped (n_inputs, "value-changed", G_CALLBACK (changed_cb), o);
  hl_option_grid_add (grid, 4, _ ("_Inputs at most"), n_inputs,
                      _ ("Drawn from the data set; 0 takes all of them"));
  gtk_grid_attach (GTK_GRID (grid), build_reference (o), 0, 9, 2, 1);
  GtkWidget *dataset = gtk_label_new (_ ("No data set is open"));
  gtk_label_set_xalign (GTK_LABEL (dataset), 0);
  gtk_label_set_ellipsize (GTK_LABEL (dataset), PANGO_ELLIPSIZE_MIDDLE);
  gtk_widget_add_css_class (dataset, "dim-label");
  o->dataset = GTK_LABEL (dataset);
  gtk_grid_attach (GTK_GRID (grid), dataset, 0, 5, 2, 1);
  static const struct
  {
    const char *label;
    const char *action;
  } buttons[] = { { N_ ("Open _Data Set…"), "win.open-dataset" },
                  { N_ ("_Save Ablated Heads as a Mask…"), "win.save-mask" },
                  { N_ ("Ablate the Heads of a _Mask…"), "win.load-mask" } };
  for (guint i = 0; i < G_N_ELEMENTS (buttons); i++)
    {
      GtkWidget *button = gtk_button_new_with_mnemonic (_ (buttons[i].label));
      gtk_actionable_set_action_name (GTK_ACTIONABLE (button), buttons[i].action);
      gtk_grid_attach (GTK_GRID (grid), button, 0, 6 + (int) i, 2, 1);
    }
  return grid;
}

GtkWidget *
hl_score_options_new (void)
{
  Options *o = g_new0 (Options, 1);
  GtkWidget *button =
      hl_option_button_new (build (o), _ ("Ablation, target, data set, masks"));
  g_object_set_data_full (G_OBJECT (button), "options", o, options_free);
  return button;
}

void
hl_score_options_set_document (GtkWidget *options, HlDocument *document)
{
  Options *o = g_object_get_data (G_OBJECT (options), "options");
  o->document = g_object_ref (document);
  g_signal_connect_object (document, "dataset-changed", G_CALLBACK (dataset_changed_cb),
                           options, G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "scores-changed", G_CALLBACK (scores_changed_cb),
                           options, G_CONNECT_SWAPPED);
}
