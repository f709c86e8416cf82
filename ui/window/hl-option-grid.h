/* SPDX-License-Identifier: MIT
 * A button "Options" with a popover of choices, a row each. Thread: main. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** hl_option_grid_new: (transfer floating): without rows. */
GtkWidget *hl_option_grid_new (void);

/** hl_option_grid_add: @widget (transfer floating) with @title, which has a mnemonic, at
 * its left; both have @hint (nullable) as tooltip. */
void hl_option_grid_add (
    GtkWidget *grid, int row, const char *title, GtkWidget *widget, const char *hint);

/** hl_option_button_new: (transfer floating): opens @grid (transfer floating). */
GtkWidget *hl_option_button_new (GtkWidget *grid, const char *hint);

G_END_DECLS
