/* SPDX-License-Identifier: MIT
 * The map as a table. */
#include "config.h"

#include "window/hl-attention-table.h"

#include "document/hl-map-loader.h"
#include "window/hl-column-titles.h"
#include "window/hl-token-row.h"

#include <glib/gi18n.h>
#include <math.h>

/* As the token strip: a range of a long text sums so many rows at most. */
#define SUMMED_MAX 256

typedef enum
{
  COLUMN_INDEX,
  COLUMN_TOKEN,
  COLUMN_TO,
  COLUMN_FROM,
  COLUMN_LOG_PROB,
  N_COLUMNS,
} Column;

struct _HlAttentionTable
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *box;
  GtkLabel *title;
  GtkColumnView *view;
  GtkColumnViewColumn *columns[N_COLUMNS];
  GtkSorter *sorters[N_COLUMNS];
  GListStore *rows; /* of HlTokenRow *: one a token */
  GPtrArray *cells; /* of GtkListItem *: those that show something now */
  HlTrace *trace;   /* whose tokens @rows are */
  int stack;        /* whose keys they are */
  gint64 first;     /* the slice of them that is there */
  gint64 end;
  float *to; /* one a token; NULL until they are read */
  float *from;
  gint64 n_to;
  gint64 n_from;
  GCancellable *cancellable;
};

G_DEFINE_FINAL_TYPE (HlAttentionTable, hl_attention_table, GTK_TYPE_WIDGET)

/* ---- values --------------------------------------------------------------------------
 */

static double
line_value (const float *line, gint64 n, gint64 token)
{
  return line != NULL && token < n ? (double) line[token] : NAN;
}

static double
log_prob_of (HlAttentionTable *self, gint64 token)
{
  const HlPredictions *p = self->trace != NULL ? self->trace->predictions : NULL;
  gint64 at = p != NULL ? hl_predictions_get_position (p, token) : -1;
  if (at < 0 || at >= hl_predictions_get_length (p))
    return NAN;
  return (double) hl_tensor_f32 (p->next_log_probs)[at];
}

static double
value_of (HlAttentionTable *self, gint64 token, Column column)
{
  switch (column)
    {
    case COLUMN_INDEX:
    case COLUMN_TOKEN:
      return (double) token;
    case COLUMN_TO:
      return line_value (self->to, self->n_to, token);
    case COLUMN_FROM:
      return line_value (self->from, self->n_from, token);
    case COLUMN_LOG_PROB:
      return log_prob_of (self, token);
    case N_COLUMNS:
      break;
    }
  return NAN;
}

/* Rows are keys; of a map of one text with itself they are the queries, too. */
static int
key_stack (HlAttentionTable *self)
{
  int stack = hl_document_get_stack (self->document);
  const HlStack *tower = hl_model_info_get_stack (self->trace->model, stack);
  return tower != NULL ? tower->key_stack : stack;
}

static char *
text_of (HlAttentionTable *self, gint64 token, Column column)
{
  if (column == COLUMN_INDEX)
    return g_strdup_printf ("%d", (int) token);
  if (column == COLUMN_TOKEN)
    return hl_present_token (self->trace, key_stack (self), token);
  double value = value_of (self, token, column);
  return isnan (value)
             ? g_strdup ("–")
             : g_strdup_printf (column == COLUMN_LOG_PROB ? "%.3f" : "%.5f", value);
}

/* ---- cells ---------------------------------------------------------------------------
 */

static Column
column_of (GtkListItem *cell)
{
  return (Column) GPOINTER_TO_INT (g_object_get_data (G_OBJECT (cell), "column"));
}

static void
show_cell (HlAttentionTable *self, GtkListItem *cell)
{
  HlTokenRow *row = gtk_list_item_get_item (cell);
  g_autofree char *text = text_of (self, hl_token_row_get_token (row), column_of (cell));
  gtk_label_set_text (GTK_LABEL (gtk_list_item_get_child (cell)), text);
}

static void
setup_cell_cb (GtkSignalListItemFactory *factory, GtkListItem *cell, gpointer column)
{
  GtkWidget *label = gtk_label_new (NULL);
  gboolean is_word = GPOINTER_TO_INT (column) == COLUMN_TOKEN;
  gtk_label_set_xalign (GTK_LABEL (label), is_word ? 0 : 1);
  gtk_label_set_ellipsize (GTK_LABEL (label),
                           is_word ? PANGO_ELLIPSIZE_END : PANGO_ELLIPSIZE_NONE);
  gtk_widget_add_css_class (label, "numeric");
  gtk_list_item_set_child (cell, label);
  g_object_set_data (G_OBJECT (cell), "column", column);
}

static void
bind_cell_cb (GtkSignalListItemFactory *factory,
              GtkListItem *cell,
              HlAttentionTable *self)
{
  g_ptr_array_add (self->cells, cell);
  show_cell (self, cell);
}

static void
unbind_cell_cb (GtkSignalListItemFactory *factory,
                GtkListItem *cell,
                HlAttentionTable *self)
{
  g_ptr_array_remove_fast (self->cells, cell);
}

/* Values went, rows stay: the texts in sight are written anew, and what sorts by them
 * is told. */
static void
show_values (HlAttentionTable *self)
{
  for (guint i = 0; i < self->cells->len; i++)
    show_cell (self, g_ptr_array_index (self->cells, i));
  gtk_sorter_changed (self->sorters[COLUMN_TO], GTK_SORTER_CHANGE_DIFFERENT);
  gtk_sorter_changed (self->sorters[COLUMN_FROM], GTK_SORTER_CHANGE_DIFFERENT);
}

/* ---- reading -------------------------------------------------------------------------
 */

static gint64
count (const HlTokenTable *tokens)
{
  return tokens != NULL ? tokens->n_tokens : 0;
}

static gboolean
is_cross (HlAttentionTable *self)
{
  return self->trace != NULL &&
         key_stack (self) != hl_document_get_stack (self->document);
}

static gboolean
is_text (HlAttentionTable *self)
{
  return self->trace != NULL && g_strcmp0 (self->trace->input_kind, "image") != 0;
}

/* What is chosen, or the last token: a table is never empty. */
static GArray *
list_chosen (HlAttentionTable *self)
{
  guint n;
  const gint64 *chosen =
      hl_selection_get_tokens (hl_document_get_selection (self->document), &n);
  GArray *list = g_array_new (FALSE, FALSE, sizeof (gint64));
  gint64 n_queries = count (hl_document_get_tokens (self->document));
  for (guint i = 0; i < n && list->len < SUMMED_MAX; i++)
    if (chosen[i] >= 0 && chosen[i] < n_queries)
      g_array_append_val (list, chosen[i]);
  gint64 last = n_queries - 1;
  if (list->len == 0 && last >= 0)
    g_array_append_val (list, last);
  return list;
}

static const char *
title_of_one (HlAttentionTable *self)
{
  if (self->trace->pieces != NULL)
    return is_cross (self) ? _ ("Head %s%d.%d, row of word %d · %s")
                           : _ ("Head %s%d.%d, row and column of word %d · %s");
  return is_cross (self) ? _ ("Head %s%d.%d, row of token %d · %s")
                         : _ ("Head %s%d.%d, row and column of token %d · %s");
}

static const char *
title_of_several (HlAttentionTable *self)
{
  if (!is_text (self))
    return _ ("Head %s%d.%d, mean over %u tokens");
  return self->trace->pieces != NULL ? _ ("Head %s%d.%d, sum over %u words")
                                     : _ ("Head %s%d.%d, sum over %u tokens");
}

static void
show_title (HlAttentionTable *self, const GArray *chosen)
{
  HlHeadKey head = hl_selection_get_head (hl_document_get_selection (self->document));
  g_autofree char *text = NULL;
  g_autofree char *prefix = self->trace != NULL
                                ? hl_present_stack_prefix (self->trace, head.stack)
                                : g_strdup ("");
  if (chosen->len == 1)
    {
      gint64 token = g_array_index (chosen, gint64, 0);
      g_autofree char *name = hl_present_token (self->trace, head.stack, token);
      text = g_strdup_printf (title_of_one (self), prefix, head.layer, head.head,
                              (int) token, name);
    }
  else if (chosen->len > 1)
    text = g_strdup_printf (title_of_several (self), prefix, head.layer, head.head,
                            chosen->len);
  gtk_label_set_text (self->title, text != NULL ? text : "");
}

/* (n): @sums scaled; NaN where the view has "not applicable". */
static float *
make_line (HlAttentionTable *self, const HlLineSums *sums, gboolean is_from)
{
  HlHeadKey head = hl_selection_get_head (hl_document_get_selection (self->document));
  gint64 n = is_from ? sums->Tq : sums->Tk;
  float *line = g_memdup2 (is_from ? sums->from : sums->to, sizeof (float) * (gsize) n);
  float share = is_text (self) ? 1 : 1 / (float) sums->n_tokens;
  for (gint64 i = 0; i < n; i++)
    line[i] *= share;
  hl_present_mask_line (self->trace, head, hl_document_get_view (self->document),
                        sums->Tq, sums->Tk, sums->tokens, sums->n_tokens, is_from, line);
  return line;
}

static void
drop_lines (HlAttentionTable *self)
{
  g_clear_pointer (&self->to, g_free);
  g_clear_pointer (&self->from, g_free);
  self->n_to = self->n_from = 0;
}

static void
lines_read_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (HlAttentionTable) self = data;
  if (self->document == NULL)
    return;
  g_autoptr (HlLineSums) sums =
      hl_engine_finish (hl_document_get_engine (self->document), result, NULL);
  if (sums == NULL)
    return; /* cancelled: another question was asked since */
  drop_lines (self);
  self->to = make_line (self, sums, FALSE);
  self->from = make_line (self, sums, TRUE);
  self->n_to = sums->Tk;
  self->n_from = sums->Tq;
  show_values (self);
}

static void
fill_rows (HlAttentionTable *self)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  const HlViewOptions *view = hl_document_get_view (self->document);
  int stack = hl_document_get_stack (self->document);
  if (trace == self->trace && stack == self->stack && view->first_token == self->first &&
      view->end_token == self->end)
    return;
  self->stack = stack;
  g_clear_pointer (&self->trace, hl_trace_unref);
  self->trace = trace != NULL ? hl_trace_ref (trace) : NULL;
  drop_lines (self);
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (g_object_unref);
  self->first = view->first_token;
  self->end = view->end_token;
  gint64 n = count (hl_document_get_key_tokens (self->document));
  gint64 end = self->end > 0 ? MIN (self->end, n) : n;
  for (gint64 i = self->first; i < end; i++)
    g_ptr_array_add (rows, hl_token_row_new (i));
  g_list_store_splice (self->rows, 0,
                       g_list_model_get_n_items (G_LIST_MODEL (self->rows)), rows->pdata,
                       rows->len);
  gboolean has_predictions = trace != NULL && trace->predictions != NULL &&
                             key_stack (self) == trace->model->readout_stack;
  gtk_column_view_column_set_visible (self->columns[COLUMN_LOG_PROB], has_predictions);
  gboolean is_words = trace != NULL && trace->pieces != NULL;
  gtk_column_view_column_set_title (self->columns[COLUMN_TOKEN],
                                    is_words ? _ ("Word") : _ ("Token"));
  /* Who attends to a key is of another text than the rows. */
  gtk_column_view_column_set_visible (self->columns[COLUMN_FROM], !is_cross (self));
}

static void
refresh (HlAttentionTable *self)
{
  if (self->document == NULL)
    return;
  g_cancellable_cancel (self->cancellable); /* what was asked may be gone */
  g_object_unref (self->cancellable);
  self->cancellable = g_cancellable_new ();
  if (!gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;
  fill_rows (self);
  g_autoptr (GArray) chosen = list_chosen (self);
  show_title (self, chosen);
  HlAttentionSource *source = hl_document_get_source (self->document);
  if (source != NULL && chosen->len > 0)
    hl_lines_load_async (
        hl_document_get_engine (self->document), source,
        hl_selection_get_head (hl_document_get_selection (self->document)),
        (const gint64 *) (gpointer) chosen->data, chosen->len, self->cancellable,
        lines_read_cb, g_object_ref (self));
}

/* ---- signals -------------------------------------------------------------------------
 */

static void
selection_changed_cb (HlAttentionTable *self, guint parts)
{
  if (parts & (HL_SELECTION_HEAD | HL_SELECTION_TOKENS))
    refresh (self);
}

static void
row_activated_cb (GtkColumnView *view, guint position, HlAttentionTable *self)
{
  g_autoptr (HlTokenRow) row =
      g_list_model_get_item (G_LIST_MODEL (gtk_column_view_get_model (view)), position);
  HlSelection *selection = hl_document_get_selection (self->document);
  if (row == NULL)
    return;
  if (is_cross (self))
    hl_selection_set_key (selection, hl_token_row_get_token (row));
  else
    hl_selection_set_query (selection, hl_token_row_get_token (row));
}

void
hl_attention_table_set_document (HlAttentionTable *self, HlDocument *document)
{
  g_return_if_fail (self->document == NULL);
  self->document = g_object_ref (document);
  g_signal_connect_object (document, "trace-changed", G_CALLBACK (refresh), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "view-changed", G_CALLBACK (refresh), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (hl_document_get_selection (document), "changed",
                           G_CALLBACK (selection_changed_cb), self, G_CONNECT_SWAPPED);
}

/* ---- making --------------------------------------------------------------------------
 */

typedef struct
{
  HlAttentionTable *table;
  Column column;
} Order;

static int
compare_rows (gconstpointer a, gconstpointer b, gpointer data)
{
  const Order *order = data;
  double x =
      value_of (order->table, hl_token_row_get_token ((HlTokenRow *) a), order->column);
  double y =
      value_of (order->table, hl_token_row_get_token ((HlTokenRow *) b), order->column);
  if (isnan (x) || isnan (y))
    return isnan (x) - isnan (y);
  return (x > y) - (x < y);
}

static void
add_column (HlAttentionTable *self, Column column, const char *title)
{
  gpointer number = GINT_TO_POINTER (column);
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  g_signal_connect (factory, "setup", G_CALLBACK (setup_cell_cb), number);
  g_signal_connect (factory, "bind", G_CALLBACK (bind_cell_cb), self);
  g_signal_connect (factory, "unbind", G_CALLBACK (unbind_cell_cb), self);
  Order *order = g_new (Order, 1);
  *order = (Order){ self, column };
  self->sorters[column] =
      GTK_SORTER (gtk_custom_sorter_new (compare_rows, order, g_free));
  self->columns[column] = gtk_column_view_column_new (title, factory);
  gtk_column_view_column_set_sorter (self->columns[column], self->sorters[column]);
  gtk_column_view_column_set_expand (self->columns[column], column != COLUMN_INDEX);
  gtk_column_view_append_column (self->view, self->columns[column]);
  if (column != COLUMN_TOKEN)
    hl_column_titles_align_end (self->view, column);
}

static void
make_view (HlAttentionTable *self)
{
  self->rows = g_list_store_new (HL_TYPE_TOKEN_ROW);
  add_column (self, COLUMN_INDEX, _ ("No."));
  add_column (self, COLUMN_TOKEN, _ ("Token"));
  add_column (self, COLUMN_TO, _ ("Attends to"));
  add_column (self, COLUMN_FROM, _ ("Attended from"));
  add_column (self, COLUMN_LOG_PROB, _ ("ln p"));
  GtkSortListModel *sorted =
      gtk_sort_list_model_new (g_object_ref (G_LIST_MODEL (self->rows)),
                               g_object_ref (gtk_column_view_get_sorter (self->view)));
  gtk_sort_list_model_set_incremental (sorted, TRUE);
  GtkSingleSelection *cursor = gtk_single_selection_new (G_LIST_MODEL (sorted));
  gtk_single_selection_set_autoselect (cursor, FALSE);
  gtk_single_selection_set_can_unselect (cursor, TRUE);
  gtk_column_view_set_model (self->view, GTK_SELECTION_MODEL (cursor));
  g_object_unref (cursor);
}

static void
hl_attention_table_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (hl_attention_table_parent_class)->map (widget);
  refresh (HL_ATTENTION_TABLE (widget));
}

static void
hl_attention_table_dispose (GObject *object)
{
  HlAttentionTable *self = HL_ATTENTION_TABLE (object);
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->document);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  for (int i = 0; i < N_COLUMNS; i++)
    {
      g_clear_object (&self->columns[i]);
      g_clear_object (&self->sorters[i]);
    }
  g_clear_object (&self->rows);
  g_clear_pointer (&self->cells, g_ptr_array_unref);
  g_clear_pointer (&self->trace, hl_trace_unref);
  drop_lines (self);
  G_OBJECT_CLASS (hl_attention_table_parent_class)->dispose (object);
}

static void
hl_attention_table_class_init (HlAttentionTableClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_attention_table_dispose;
  widget->map = hl_attention_table_map;
  gtk_widget_class_set_template_from_resource (
      widget, "/org/headlight/Headlight/ui/hl-attention-table.ui");
  gtk_widget_class_set_layout_manager_type (widget, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_bind_template_child (widget, HlAttentionTable, box);
  gtk_widget_class_bind_template_child (widget, HlAttentionTable, title);
  gtk_widget_class_bind_template_child (widget, HlAttentionTable, view);
  gtk_widget_class_bind_template_callback (widget, row_activated_cb);
}

static void
hl_attention_table_init (HlAttentionTable *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->cells = g_ptr_array_new ();
  self->cancellable = g_cancellable_new ();
  make_view (self);
}
