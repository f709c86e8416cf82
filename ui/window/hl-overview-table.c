/* SPDX-License-Identifier: MIT
 * The inputs of an overview as a table. */
#include "config.h"

#include "window/hl-overview-table.h"

#include "window/hl-column-titles.h"
#include "window/hl-token-row.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

typedef enum
{
  COLUMN_NAME,
  COLUMN_LABEL,
  COLUMN_PREDICTED,
  COLUMN_PROB,
  COLUMN_LOSS,
  N_COLUMNS,
} Column;

typedef struct _Table Table;

/* What a column shows and sorts by. */
typedef struct
{
  Table *table;
  Column column;
} Order;

struct _Table
{
  HlDocument *document;
  GtkColumnView *view;
  Order orders[N_COLUMNS];
  GListStore *rows; /* of HlTokenRow *: which input */
  HlOverview *shown;
  HlOverviewView how;
};

static void
table_free (gpointer data)
{
  Table *table = data;
  g_clear_pointer (&table->shown, hl_overview_unref);
  g_object_unref (table->rows);
  g_object_unref (table->document);
  g_free (table);
}

/* ---- cells ---------------------------------------------------------------------------
 */

static const char *
class_name (const HlOverview *o, int index)
{
  const HlOverviewClass *c = hl_overview_get_class (o, hl_overview_find_class (o, index));
  return c != NULL ? c->name : "–";
}

static double
value_of (const HlOverview *o, int i, Column column)
{
  const HlOverviewInput *x = hl_overview_get_input (o, i);
  switch (column)
    {
    case COLUMN_LABEL:
      return x->label;
    case COLUMN_PREDICTED:
      return x->predicted;
    case COLUMN_PROB:
      return x->prob;
    case COLUMN_LOSS:
      return x->loss;
    case COLUMN_NAME:
    case N_COLUMNS:
      break;
    }
  return i;
}

static char *
text_of (const HlOverview *o, int i, Column column)
{
  const HlOverviewInput *x = hl_overview_get_input (o, i);
  if (column == COLUMN_NAME)
    return g_strdup (x->name);
  if (column == COLUMN_LABEL || column == COLUMN_PREDICTED)
    return g_strdup (class_name (o, column == COLUMN_LABEL ? x->label : x->predicted));
  double value = value_of (o, i, column);
  return isnan (value) ? g_strdup ("–") : g_strdup_printf ("%.3f", value);
}

static gboolean
is_number (Column column)
{
  return column == COLUMN_PROB || column == COLUMN_LOSS;
}

static void
setup_cell_cb (GtkSignalListItemFactory *factory, GtkListItem *cell, gpointer data)
{
  const Order *order = data;
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), is_number (order->column) ? 1 : 0);
  if (!is_number (order->column))
    gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_widget_add_css_class (label, "numeric");
  gtk_list_item_set_child (cell, label);
}

static void
bind_cell_cb (GtkSignalListItemFactory *factory, GtkListItem *cell, gpointer data)
{
  const Order *order = data;
  const HlOverview *o = order->table->shown;
  GtkWidget *label = gtk_list_item_get_child (cell);
  int i = (int) hl_token_row_get_token (gtk_list_item_get_item (cell));
  if (o == NULL || i >= hl_overview_get_n (o))
    return;
  g_autofree char *text = text_of (o, i, order->column);
  gtk_label_set_text (GTK_LABEL (label), text);
  if (order->column == COLUMN_PREDICTED && hl_overview_is_wrong (o, i))
    gtk_widget_add_css_class (label, "error");
  else
    gtk_widget_remove_css_class (label, "error");
}

/* NaN comes last, whichever way. */
static int
compare_cb (gconstpointer a, gconstpointer b, gpointer data)
{
  const Order *order = data;
  const HlOverview *o = order->table->shown;
  int i = (int) hl_token_row_get_token ((HlTokenRow *) a);
  int k = (int) hl_token_row_get_token ((HlTokenRow *) b);
  if (o == NULL)
    return 0;
  if (order->column == COLUMN_NAME)
    return g_utf8_collate (hl_overview_get_input (o, i)->name,
                           hl_overview_get_input (o, k)->name);
  double x = value_of (o, i, order->column), y = value_of (o, k, order->column);
  if (isnan (x) || isnan (y))
    return isnan (x) ? isnan (y) ? 0 : -1 : 1;
  return (x > y) - (x < y);
}

static void
activate_cb (GtkColumnView *view, guint position, gpointer data)
{
  Table *table = data;
  g_autoptr (HlTokenRow) row =
      g_list_model_get_item (G_LIST_MODEL (gtk_column_view_get_model (view)), position);
  if (row != NULL)
    hl_document_open_overviewed (table->document, (int) hl_token_row_get_token (row));
}

/* ---- making --------------------------------------------------------------------------
 */

static GtkColumnViewColumn *
add_column (Table *table, Column column, const char *title)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  Order *order = &table->orders[column];
  *order = (Order){ table, column };
  g_signal_connect (factory, "setup", G_CALLBACK (setup_cell_cb), order);
  g_signal_connect (factory, "bind", G_CALLBACK (bind_cell_cb), order);
  GtkColumnViewColumn *made = gtk_column_view_column_new (title, factory);
  g_autoptr (GtkSorter) sorter =
      GTK_SORTER (gtk_custom_sorter_new (compare_cb, order, NULL));
  gtk_column_view_column_set_sorter (made, sorter);
  gtk_column_view_column_set_expand (made, !is_number (column));
  gtk_column_view_append_column (table->view, made);
  if (is_number (column))
    hl_column_titles_align_end (table->view, column);
  g_object_unref (made);
  return made; /* the view's */
}

static void
add_columns (Table *table)
{
  add_column (table, COLUMN_NAME, _ ("Input"));
  add_column (table, COLUMN_LABEL, _ ("Label"));
  add_column (table, COLUMN_PREDICTED, _ ("Predicted"));
  add_column (table, COLUMN_PROB, _ ("Probability"));
  GtkColumnViewColumn *loss = add_column (table, COLUMN_LOSS, _ ("Loss"));
  GtkSortListModel *sorted =
      gtk_sort_list_model_new (g_object_ref (G_LIST_MODEL (table->rows)),
                               g_object_ref (gtk_column_view_get_sorter (table->view)));
  gtk_sort_list_model_set_incremental (sorted, TRUE);
  GtkSingleSelection *cursor = gtk_single_selection_new (G_LIST_MODEL (sorted));
  gtk_single_selection_set_autoselect (cursor, FALSE);
  gtk_single_selection_set_can_unselect (cursor, TRUE);
  gtk_column_view_set_model (table->view, GTK_SELECTION_MODEL (cursor));
  g_object_unref (cursor);
  gtk_column_view_sort_by_column (table->view, loss, GTK_SORT_DESCENDING);
}

GtkWidget *
hl_overview_table_new (HlDocument *document)
{
  Table *table = g_new0 (Table, 1);
  GtkWidget *scroller = gtk_scrolled_window_new ();
  GtkWidget *view = gtk_column_view_new (NULL);
  table->document = g_object_ref (document);
  table->rows = g_list_store_new (HL_TYPE_TOKEN_ROW);
  table->view = GTK_COLUMN_VIEW (view);
  gtk_widget_add_css_class (view, "data-table");
  gtk_column_view_set_single_click_activate (table->view, TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Inputs of the data set"), -1);
  g_signal_connect (view, "activate", G_CALLBACK (activate_cb), table);
  add_columns (table);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), view);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_AUTOMATIC,
                                  GTK_POLICY_AUTOMATIC);
  gtk_widget_set_size_request (scroller, -1, 240);
  gtk_widget_add_css_class (scroller, "card");
  g_object_set_data_full (G_OBJECT (scroller), "table", table, table_free);
  return scroller;
}

void
hl_overview_table_show (GtkWidget *widget, HlOverview *o, const HlOverviewView *view)
{
  Table *table = g_object_get_data (G_OBJECT (widget), "table");
  gboolean is_same = o == table->shown && view->only_errors == table->how.only_errors &&
                     view->label == table->how.label &&
                     view->predicted == table->how.predicted;
  if (is_same)
    return;
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (HlOverview) before = g_steal_pointer (&table->shown);
  table->shown = o != NULL ? hl_overview_ref (o) : NULL;
  table->how = *view;
  for (int i = 0; o != NULL && i < hl_overview_get_n (o); i++)
    if (hl_overview_passes (o, view, i))
      g_ptr_array_add (rows, hl_token_row_new (i));
  g_list_store_splice (table->rows, 0,
                       g_list_model_get_n_items (G_LIST_MODEL (table->rows)), rows->pdata,
                       rows->len);
}
