/* SPDX-License-Identifier: MIT
 * Titles of a column view that stand above the ends of their numbers. */
#include "window/hl-column-titles.h"

void
hl_column_titles_align_end (GtkColumnView *view, guint place)
{
  GtkWidget *header = gtk_widget_get_first_child (GTK_WIDGET (view));
  GtkWidget *title = header != NULL ? gtk_widget_get_first_child (header) : NULL;
  for (; place > 0 && title != NULL; place--)
    title = gtk_widget_get_next_sibling (title);
  GtkWidget *box = title != NULL ? gtk_widget_get_first_child (title) : NULL;
  if (box != NULL)
    gtk_widget_set_halign (box, GTK_ALIGN_END);
}
