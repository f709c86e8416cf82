/* SPDX-License-Identifier: MIT
 * The inputs of an overview as a table: what each is, what was predicted, how sure. Those
 * that stand out in the view are its rows; Return or a double click makes one the input.
 */
#pragma once

#include "document/hl-document.h"
#include "presenters/hl-present-overview.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** hl_overview_table_new: (transfer floating) */
GtkWidget *hl_overview_table_new (HlDocument *document);

/** hl_overview_table_show: (nullable): those of @overview that pass @view, the largest
 * loss first unless a column was chosen. */
void hl_overview_table_show (GtkWidget *table,
                             HlOverview *overview,
                             const HlOverviewView *view);

G_END_DECLS
