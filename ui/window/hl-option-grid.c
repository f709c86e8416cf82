/* SPDX-License-Identifier: MIT
 * A button "Options" with a popover of choices, a row each. */
#include "config.h"

#include "window/hl-option-grid.h"

#include <glib/gi18n.h>

GtkWidget *
hl_option_grid_new (void)
{
  GtkWidget *grid = gtk_grid_new ();
  gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  return grid;
}

void
hl_option_grid_add (
    GtkWidget *grid, int row, const char *title, GtkWidget *widget, const char *hint)
{
  GtkWidget *label = gtk_label_new_with_mnemonic (title);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_mnemonic_widget (GTK_LABEL (label), widget);
  gtk_widget_set_tooltip_text (label, hint);
  gtk_widget_set_tooltip_text (widget, hint);
  gtk_widget_set_hexpand (widget, TRUE);
  gtk_grid_attach (GTK_GRID (grid), label, 0, row, 1, 1);
  gtk_grid_attach (GTK_GRID (grid), widget, 1, row, 1, 1);
}

GtkWidget *
hl_option_button_new (GtkWidget *grid, const char *hint)
{
  GtkWidget *button = gtk_menu_button_new (), *popover = gtk_popover_new ();
  gtk_popover_set_child (GTK_POPOVER (popover), grid);
  gtk_menu_button_set_popover (GTK_MENU_BUTTON (button), popover);
  gtk_menu_button_set_label (GTK_MENU_BUTTON (button), _ ("Options"));
  gtk_widget_set_tooltip_text (button, hint);
  return button;
}
