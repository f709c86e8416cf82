/* SPDX-License-Identifier: MIT
 * How saliency is computed, of what, and what counts. */
#include "config.h"

#include "window/hl-saliency-options.h"

#include "presenters/hl-saliency-words.h"
#include "window/hl-class-entry.h"
#include "window/hl-option-grid.h"

#include <glib/gi18n.h>

typedef struct
{
  HlDocument *document;
  GtkDropDown *method;
  GtkDropDown *baseline;
  GtkCheckButton *at_encoder;
  GtkEditable *pair, *target, *against;
  GtkWidget *pair_row; /* its title */
  GtkCheckButton *at_token;
  GtkCheckButton *is_raw;
  GtkCheckButton *keeps_special;
  GtkSpinButton *masks, *stable_at, *seed;
  gboolean is_filling;
  gboolean is_chosen; /* by a person */
  gboolean is_good;   /* the target and what it is held against are the model's, and the
                       * method fits the input */
  GtkLabel *problem;
} Options;

static Options *
get (GtkWidget *options)
{
  return g_object_get_data (G_OBJECT (options), "options");
}

/* ---- choices -------------------------------------------------------------------------
 */

/* What cannot be is said where it is chosen. */
static void
show_problem (Options *o)
{
  g_autoptr (GError) error = NULL;
  gboolean fits = hl_document_check_saliency_choices (o->document, &error);
  gtk_label_set_text (o->problem, fits ? "" : error->message);
  gtk_widget_set_visible (GTK_WIDGET (o->problem), !fits);
  o->is_good &= fits;
}

static void
read_choices (Options *o)
{
  HlSaliencyChoices choices = *hl_document_get_saliency_choices (o->document);
  int target, against;
  o->is_good = hl_class_entry_parse (o->target, o->document, HL_TARGET_AUTO, &target);
  o->is_good &= hl_class_entry_parse (o->against, o->document, -1, &against);
  if (o->is_good)
    {
      choices.target = target;
      choices.against = against;
    }
  gboolean is_pair = gtk_editable_get_text (o->pair)[0] != '\0';
  choices.options.method = (HlSaliencyMethod) gtk_drop_down_get_selected (o->method);
  choices.options.baseline =
      (HlSaliencyBaseline) gtk_drop_down_get_selected (o->baseline);
  choices.options.at_features = gtk_check_button_get_active (o->at_encoder);
  choices.at_token = gtk_check_button_get_active (o->at_token);
  choices.cross.is_raw = gtk_check_button_get_active (o->is_raw);
  choices.cross.keeps_special = gtk_check_button_get_active (o->keeps_special);
  choices.options.spes.n_masks = gtk_spin_button_get_value_as_int (o->masks);
  choices.options.spes.stable_at = gtk_spin_button_get_value (o->stable_at);
  choices.options.seed = (guint32) gtk_spin_button_get_value (o->seed);
  gboolean is_by_masks = hl_saliency_is_of_sets (choices.options.method);
  if (is_by_masks)
    choices.against = -1; /* a distribution is held against none */
  gtk_widget_set_sensitive (GTK_WIDGET (o->target), !is_pair);
  gtk_widget_set_sensitive (GTK_WIDGET (o->against), !is_by_masks && !is_pair);
  gtk_widget_set_sensitive (GTK_WIDGET (o->masks), is_by_masks);
  gtk_widget_set_sensitive (GTK_WIDGET (o->stable_at), is_by_masks);
  gtk_widget_set_sensitive (GTK_WIDGET (o->baseline),
                            hl_saliency_has_baseline (choices.options.method));
  hl_document_set_saliency_choices (o->document, &choices);
  hl_document_set_saliency_pair (o->document, gtk_editable_get_text (o->pair));
  show_problem (o);
}

gboolean
hl_saliency_options_check (GtkWidget *options)
{
  Options *o = get (options);
  /* Another input may fit where the last one did not. */
  read_choices (o);
  if (!o->is_good)
    gtk_menu_button_popup (GTK_MENU_BUTTON (options));
  return o->is_good;
}

static void
changed_cb (Options *o)
{
  if (o->document == NULL || o->is_filling)
    return;
  o->is_chosen = TRUE;
  read_choices (o);
}

/* The other tower's input: a text is typed, a picture's file may be chosen. */
static void
show_pair (Options *o, const HlModelInfo *info)
{
  gboolean has_other = info != NULL && info->other_kind[0] != '\0';
  gboolean is_picture = has_other && g_str_equal (info->other_kind, "image");
  gtk_widget_set_visible (GTK_WIDGET (o->pair), has_other);
  gtk_widget_set_visible (o->pair_row, has_other);
  gtk_entry_set_placeholder_text (GTK_ENTRY (o->pair),
                                  is_picture ? _ ("a picture's file") : _ ("a text"));
  gtk_entry_set_icon_from_icon_name (GTK_ENTRY (o->pair), GTK_ENTRY_ICON_SECONDARY,
                                     is_picture ? "document-open-symbolic" : NULL);
}

/* What a model has not is not offered; what does not go together is said below. */
static void
show_model (GtkWidget *options)
{
  Options *o = get (options);
  const HlModelInfo *info = hl_document_get_model_info (o->document);
  gboolean has_source = info != NULL && info->n_source_context > 0;
  gboolean is_text = info != NULL && info->predicts == HL_PREDICTS_NEXT;
  gtk_widget_set_sensitive (GTK_WIDGET (o->at_encoder), has_source);
  gtk_widget_set_visible (GTK_WIDGET (o->at_token), is_text);
  show_pair (o, info);
  o->is_chosen = FALSE;
  hl_saliency_options_suggest (options);
}

void
hl_saliency_options_suggest (GtkWidget *options)
{
  Options *o = get (options);
  const HlModelInfo *info = hl_document_get_model_info (o->document);
  if (o->is_chosen || info == NULL)
    return;
  gboolean is_sound = g_str_equal (info->input_kind, "audio");
  o->is_filling = TRUE;
  gtk_drop_down_set_selected (o->method,
                              is_sound ? HL_SALIENCY_SPES : HL_SALIENCY_INTEGRATED);
  gtk_drop_down_set_selected (o->baseline, HL_BASELINE_MEAN);
  gtk_check_button_set_active (o->at_encoder, is_sound);
  gtk_editable_set_text (o->pair, "");
  gtk_editable_set_text (o->target, "");
  gtk_editable_set_text (o->against, "");
  o->is_filling = FALSE;
  read_choices (o);
}

/* ---- building ------------------------------------------------------------------------
 */

static GtkCheckButton *
add_check (Options *o, GtkWidget *grid, int row, const char *title, const char *hint)
{
  GtkWidget *check = gtk_check_button_new_with_mnemonic (title);
  gtk_widget_set_tooltip_text (check, hint);
  g_signal_connect_swapped (check, "toggled", G_CALLBACK (changed_cb), o);
  gtk_grid_attach (GTK_GRID (grid), check, 0, row, 2, 1);
  return GTK_CHECK_BUTTON (check);
}

static GtkEditable *
add_entry (Options *o, GtkWidget *grid, int row, const char *title, const char *empty)
{
  GtkWidget *made = gtk_entry_new ();
  gtk_entry_set_placeholder_text (GTK_ENTRY (made), empty);
  g_signal_connect_swapped (made, "changed", G_CALLBACK (changed_cb), o);
  hl_option_grid_add (
      grid, row, title, made,
      _ ("A class or token by name or number, \"predicted\", or \"every\" token"));
  return GTK_EDITABLE (made);
}

static GtkDropDown *
add_choice (Options *o,
            GtkWidget *grid,
            int row,
            const char *title,
            const char *const *words,
            const char *hint)
{
  GtkWidget *made = gtk_drop_down_new_from_strings (words);
  g_signal_connect_swapped (made, "notify::selected", G_CALLBACK (changed_cb), o);
  hl_option_grid_add (grid, row, title, made, hint);
  return GTK_DROP_DOWN (made);
}

static GtkSpinButton *
add_number (Options *o,
            GtkWidget *grid,
            int row,
            const char *title,
            GtkWidget *made,
            const char *hint)
{
  g_signal_connect_swapped (made, "value-changed", G_CALLBACK (changed_cb), o);
  hl_option_grid_add (grid, row, title, made, hint);
  return GTK_SPIN_BUTTON (made);
}

static void
build_masks (Options *o, GtkWidget *grid)
{
  o->masks =
      add_number (o, grid, 9, _ ("Mas_ks"), gtk_spin_button_new_with_range (50, 1e6, 50),
                  _ ("Of SPES: runs with parts of the input hidden at random"));
  o->stable_at =
      add_number (o, grid, 10, _ ("Stop at _reliability"),
                  gtk_spin_button_new_with_range (0, 1, 0.05),
                  _ ("Of SPES: ends when two halves of the masks agree so well; 0 for "
                     "never"));
  o->seed = add_number (o, grid, 11, _ ("S_eed"),
                        gtk_spin_button_new_with_range (0, 4294967295.0, 1),
                        _ ("Of masks, of noise, and of orders of chance"));
  gtk_spin_button_set_value (o->masks, HL_SPES_MASKS);
  gtk_spin_button_set_value (o->stable_at, 0.95);
}

static void
chosen_cb (GtkNativeDialog *dialog, int response, GtkEditable *entry)
{
  g_autoptr (GFile) file = response == GTK_RESPONSE_ACCEPT
                               ? gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog))
                               : NULL;
  g_autofree char *path = file != NULL ? g_file_get_path (file) : NULL;
  if (path != NULL)
    gtk_editable_set_text (entry, path);
  g_object_unref (dialog);
}

/* A picture for the other tower. */
static void
browse_cb (GtkEntry *entry, GtkEntryIconPosition position, gpointer data)
{
  GtkRoot *window = gtk_widget_get_root (GTK_WIDGET (entry));
  GtkFileChooserNative *dialog =
      gtk_file_chooser_native_new (_ ("Open a Picture"), GTK_WINDOW (window),
                                   GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect_object (dialog, "response", G_CALLBACK (chosen_cb), entry, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
build_pair (Options *o, GtkWidget *grid)
{
  GtkWidget *entry = gtk_entry_new ();
  g_signal_connect_swapped (entry, "changed", G_CALLBACK (changed_cb), o);
  g_signal_connect (entry, "icon-press", G_CALLBACK (browse_cb), NULL);
  hl_option_grid_add (grid, 3, _ ("T_ogether with"), entry,
                      _ ("Of two towers: what speaks for the input going together with "
                         "this"));
  o->pair = GTK_EDITABLE (entry);
  o->pair_row = gtk_grid_get_child_at (GTK_GRID (grid), 0, 3);
}

static void
build_problem (Options *o, GtkWidget *grid)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 40);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "error");
  gtk_grid_attach (GTK_GRID (grid), label, 0, 12, 2, 1);
  o->problem = GTK_LABEL (label);
}

static void
build_method (Options *o, GtkWidget *grid)
{
  const char *names[HL_N_SALIENCIES + 1] = { NULL };
  const char *const choices[] = {
    [HL_BASELINE_ZERO] = _ ("Zero"),
    [HL_BASELINE_MEAN] = _ ("Mean"),
    [HL_BASELINE_MASK] = _ ("Mask token"),
    [HL_BASELINE_PADDING] = _ ("Padding token"),
    [HL_BASELINE_BLACK] = _ ("Black picture"),
    [HL_BASELINE_BLUR] = _ ("Blurred picture"),
    NULL,
  };
  for (int i = 0; i < HL_N_SALIENCIES; i++)
    names[i] = hl_saliency_title ((HlSaliencyMethod) i);
  o->method = add_choice (o, grid, 0, _ ("_Method"), names,
                          _ ("What says how much of an output is owed to each token"));
  o->baseline = add_choice (o, grid, 1, _ ("_Baseline"), choices,
                            _ ("What stands for a token that is not there"));
  o->at_encoder = add_check (
      o, grid, 2, _ ("At the _encoder's output"),
      _ ("Explains by what the encoder gives the decoder, so that what the encoder "
         "mixed is left out; else by the input itself"));
}

static GtkWidget *
build (Options *o)
{
  GtkWidget *grid = hl_option_grid_new ();
  build_method (o, grid);
  build_pair (o, grid);
  o->target =
      add_entry (o, grid, 4, _ ("_Target"), _ ("every token, or what is predicted"));
  o->against = add_entry (o, grid, 5, _ ("A_gainst"), _ ("nothing"));
  gtk_widget_set_tooltip_text (
      GTK_WIDGET (o->against),
      _ ("A class or token whose logit is taken off: what speaks for the target and not "
         "for this one"));
  o->at_token =
      add_check (o, grid, 6, _ ("Behind the _chosen token alone"),
                 _ ("Explains what the model says behind the token that is chosen"));
  o->is_raw = add_check (
      o, grid, 7, _ ("Correlate maps as they _are"),
      _ ("Else each row is z-scored first, so that rows with large numbers do not "
         "outweigh the others"));
  o->keeps_special = add_check (
      o, grid, 8, _ ("Count _special tokens and padding"),
      _ ("Else they are left out: padding alone gets half of Whisper's attention"));
  build_masks (o, grid);
  build_problem (o, grid);
  return grid;
}

static void
options_free (gpointer data)
{
  Options *o = data;
  g_clear_object (&o->document);
  g_free (o);
}

GtkWidget *
hl_saliency_options_new (void)
{
  Options *o = g_new0 (Options, 1);
  GtkWidget *button =
      hl_option_button_new (build (o), _ ("Method, baseline, target, what counts"));
  g_object_set_data_full (G_OBJECT (button), "options", o, options_free);
  return button;
}

/* What fits one input may not fit the next. */
static void
input_cb (GtkWidget *options)
{
  read_choices (get (options));
}

void
hl_saliency_options_set_document (GtkWidget *options, HlDocument *document)
{
  Options *o = get (options);
  o->document = g_object_ref (document);
  g_signal_connect_object (document, "model-changed", G_CALLBACK (show_model), options,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "trace-changed", G_CALLBACK (input_cb), options,
                           G_CONNECT_SWAPPED);
  show_model (options);
}
