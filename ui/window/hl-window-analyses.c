/* SPDX-License-Identifier: MIT
 * The window's actions for analyses: data sets, masks, tables, pages. */
#include "config.h"

#include "analysis/hl-overview-result.h"
#include "analysis/hl-patterns-result.h"
#include "analysis/hl-scores-result.h"
#include "window/hl-window-private.h"

#include <glib/gi18n.h>

static void
open_dataset (HlWindow *self, const char *path)
{
  hl_document_open_dataset (self->document, path);
}

static void
open_dataset_file_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  HlWindow *self = HL_WINDOW (widget);
  GtkFileChooserNative *dialog =
      hl_window_choose (self, _ ("Open a CSV, IDX File or Text as a Data Set"),
                        GTK_FILE_CHOOSER_ACTION_OPEN, _ ("_Open"), open_dataset);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

/* A model of texts takes lines of a file; one of pictures a folder as a rule. */
static void
open_dataset_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  HlWindow *self = HL_WINDOW (widget);
  const HlModelInfo *info = hl_document_get_model_info (self->document);
  if (info != NULL && g_str_equal (info->input_kind, "text"))
    {
      open_dataset_file_cb (widget, name, parameter);
      return;
    }
  GtkFileChooserNative *dialog =
      hl_window_choose (self, _ ("Open a Folder of Pictures as a Data Set"),
                        GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, _ ("_Open"), open_dataset);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
save_mask (HlWindow *self, const char *path)
{
  hl_document_save_mask (self->document, path);
}

static void
save_mask_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  HlWindow *self = HL_WINDOW (widget);
  GtkFileChooserNative *dialog =
      hl_window_choose (self, _ ("Save the Ablated Heads as a Mask"),
                        GTK_FILE_CHOOSER_ACTION_SAVE, _ ("_Save"), save_mask);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), "mask.json");
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
load_mask (HlWindow *self, const char *path)
{
  hl_document_load_mask (self->document, path);
}

static void
load_mask_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  HlWindow *self = HL_WINDOW (widget);
  GtkFileChooserNative *dialog =
      hl_window_choose (self, _ ("Ablate the Heads of a Mask"),
                        GTK_FILE_CHOOSER_ACTION_OPEN, _ ("_Open"), load_mask);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

/* ---- tables --------------------------------------------------------------------------
 */

/* (transfer full) (nullable): of the page in sight. */
static char *
make_table (HlWindow *self)
{
  const char *page = gtk_stack_get_visible_child_name (self->pages);
  HlScoreScope scope = g_strcmp0 (page, "strength") == 0
                           ? hl_strength_panel_get_scope (self->strength)
                           : hl_importance_panel_get_scope (self->importance);
  HlHeadScores *scores = hl_document_get_scores (self->document, scope);
  HlOverview *overview = hl_document_get_overview (self->document);
  if (g_strcmp0 (page, "overview") == 0)
    return overview != NULL ? hl_overview_to_csv (overview) : NULL;
  if (g_strcmp0 (page, "saliency") == 0)
    return hl_document_dup_cross_csv (self->document);
  if (g_strcmp0 (page, "patterns") != 0)
    return scores != NULL ? hl_scores_to_csv (scores) : NULL;
  g_autoptr (GPtrArray) all = hl_document_get_all_patterns (self->document);
  return all->len > 0 ? hl_patterns_to_csv (all) : NULL;
}

static void
save_table (HlWindow *self, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *csv = make_table (self);
  if (csv != NULL && !g_file_set_contents (path, csv, -1, &error))
    hl_window_show_error (self, _ ("The table was not saved"), error->message);
}

static void
save_table_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  HlWindow *self = HL_WINDOW (widget);
  g_autofree char *csv = make_table (self);
  if (csv == NULL)
    {
      hl_window_show_error (self, _ ("There is no table yet"),
                            _ ("Score the heads first, on the page Importance or "
                               "Strength, find patterns, compute saliency, or make "
                               "an overview."));
      return;
    }
  GtkFileChooserNative *dialog =
      hl_window_choose (self, _ ("Save the Scores as a Table"),
                        GTK_FILE_CHOOSER_ACTION_SAVE, _ ("_Save"), save_table);
  const char *page = gtk_stack_get_visible_child_name (self->pages);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog),
                                     g_strcmp0 (page, "overview") == 0   ? "inputs.csv"
                                     : g_strcmp0 (page, "patterns") == 0 ? "maps.csv"
                                                                         : "heads.csv");
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
page_cb (GtkWidget *widget, const char *name, GVariant *parameter)
{
  /* Before there is a trace the pages are out of sight: it is the one seen then. */
  gtk_stack_set_visible_child_name (HL_WINDOW (widget)->pages,
                                    g_variant_get_string (parameter, NULL));
}

void
hl_window_install_analyses (GtkWidgetClass *klass)
{
  static const struct
  {
    const char *name;
    const char *type;
    GtkWidgetActionActivateFunc func;
  } actions[] = {
    { "win.open-dataset", NULL, open_dataset_cb },
    { "win.open-dataset-file", NULL, open_dataset_file_cb },
    { "win.save-mask", NULL, save_mask_cb },
    { "win.load-mask", NULL, load_mask_cb },
    { "win.save-table", NULL, save_table_cb },
    { "win.page", "s", page_cb },
  };
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (klass, actions[i].name, actions[i].type,
                                     actions[i].func);
}
