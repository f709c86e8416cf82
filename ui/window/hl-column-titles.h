/* SPDX-License-Identifier: MIT
 * Titles of a column view that stand above the ends of their numbers. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** hl_column_titles_align_end: the title of the column at @place, counted from 0 among
 * those that were appended; the column view has no property for it. */
void hl_column_titles_align_end (GtkColumnView *view, guint place);

G_END_DECLS
