/* SPDX-License-Identifier: MIT
 * A row of a list of models. */
#include "config.h"

#include "window/hl-model-row.h"

#include "presenters/hl-present-models.h"

GtkWidget *
hl_model_row_new (const HlCachedModel *model)
{
  gboolean can = model->reason == NULL;
  g_autofree char *words = hl_present_model_words (model);
  g_autofree char *sentence = hl_present_model_name (model);
  g_autofree char *shown = g_filename_display_name (model->folder);
  g_autofree char *size_words = hl_present_model_size (model);
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *size = gtk_label_new (size_words);
  GtkWidget *mark = gtk_image_new_from_icon_name (can ? "emblem-ok-symbolic"
                                                      : "action-unavailable-symbolic");
  gtk_widget_add_css_class (size, "dim-label");
  gtk_widget_add_css_class (size, "numeric");
  gtk_widget_add_css_class (mark, can ? "success" : "dim-label");
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), model->name);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), words);
  adw_action_row_set_title_lines (ADW_ACTION_ROW (row), 1);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 2);
  adw_action_row_add_prefix (ADW_ACTION_ROW (row), mark);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), size);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), TRUE);
  gtk_widget_set_tooltip_text (row, shown);
  if (!can)
    gtk_widget_add_css_class (row, "unavailable");
  gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  sentence, -1);
  g_object_set_data (G_OBJECT (row), "model", (gpointer) model);
  return row;
}

const HlCachedModel *
hl_model_row_get_model (gpointer row)
{
  return g_object_get_data (G_OBJECT (row), "model");
}
