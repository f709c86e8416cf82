/* SPDX-License-Identifier: MIT
 * The heads as numbers. */
#include "config.h"

#include "window/hl-head-finder.h"

#include "presenters/hl-present-scores.h"
#include "window/hl-column-titles.h"
#include "window/hl-grid-shows.h"
#include "window/hl-head-filter.h"
#include "window/hl-head-item.h"

#include <glib/gi18n.h>
#include <math.h>

/* It is filled by so many rows until so much of a frame is gone. */
#define ROWS_AT_ONCE 4
#define FILL_MS 6

typedef struct
{
  HlHeadFinder *finder;
  HlScore score;
  GtkColumnViewColumn *column; /* belongs to the view; NULL until it was wanted */
  HlHeadScores *scores;        /* (nullable): where it is known, a reference */
  double *means;               /* by head, of @scores */
  gboolean is_wanted;
} ScoreColumn;

struct _HlHeadFinder
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *box;
  GtkLabel *baseline;
  GtkMenuButton *columns;
  GtkWidget *checks; /* a box of check buttons, in the popover */
  GtkEditable *filter;
  GtkColumnView *finder;
  ScoreColumn scores[HL_N_SCORES];
  HlScore score;
  GtkColumnViewColumn *tags_column; /* belongs to the view */
  GtkCustomFilter *filtering;
  GtkFilterListModel *filtered;
  GListStore *items;
  GtkSortListModel *sorted;
  GtkSingleSelection *chosen;
  gboolean is_following;
  GPtrArray *rows; /* of HlHeadItem *: what the finder is to hold */
  guint n_filled;  /* so many of them are in it */
  guint fill_tick;
  guint scroll_tick;
  guint scroll_row;
  int n_frames_to_wait; /* until rows that just came have a place */
};

G_DEFINE_FINAL_TYPE (HlHeadFinder, hl_head_finder, GTK_TYPE_WIDGET)

static void follow_selection (HlHeadFinder *self);

/* ---- scores --------------------------------------------------------------------------
 */

static void
drop_known (ScoreColumn *c)
{
  g_clear_pointer (&c->scores, hl_head_scores_unref);
  g_clear_pointer (&c->means, g_free);
}

/* What the document knows now; means at once, intervals when a cell is seen. */
static void
look_up (ScoreColumn *c)
{
  HlHeadScores *known = hl_grid_shows_find (c->finder->document, c->score);
  drop_known (c);
  if (known == NULL)
    return;
  c->scores = hl_head_scores_ref (known);
  c->means = hl_head_scores_mean (known, c->score);
}

static double
mean_of (const ScoreColumn *c, HlHeadItem *item)
{
  int layer = hl_head_item_get_layer (item), head = hl_head_item_get_head (item);
  return c->scores != NULL && layer < c->scores->n_layers &&
                 c->scores->first[layer] + head < c->scores->first[layer + 1]
             ? c->means[c->scores->first[layer] + head]
             : (double) NAN;
}

static int
compare_scores (gconstpointer a, gconstpointer b, gpointer data)
{
  double x = mean_of (data, (HlHeadItem *) a), y = mean_of (data, (HlHeadItem *) b);
  if (isnan (x) || isnan (y))
    return isnan (x) - isnan (y);
  return (x > y) - (x < y);
}

static void
bind_score_cb (GtkSignalListItemFactory *factory, GtkListItem *cell, ScoreColumn *c)
{
  HlHeadItem *item = gtk_list_item_get_item (cell);
  g_autofree char *text = g_strdup ("–");
  if (!isnan (mean_of (c, item)))
    {
      HlInterval x =
          hl_head_scores_interval (c->scores, c->score, hl_head_item_get_layer (item),
                                   hl_head_item_get_head (item));
      g_free (text);
      text = x.n > 1 ? g_strdup_printf ("%.3g (%.3g – %.3g)", x.mean, x.low, x.high)
                     : g_strdup_printf ("%.4g", x.mean);
    }
  gtk_label_set_text (GTK_LABEL (gtk_list_item_get_child (cell)), text);
}

static void
setup_cell_cb (GtkSignalListItemFactory *factory, GtkListItem *cell, gpointer data)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 1);
  gtk_widget_add_css_class (label, "numeric");
  gtk_list_item_set_child (cell, label);
}

/* Behind the head and its tags, before the numbers of the maps. */
static void
add_score_column (ScoreColumn *c)
{
  HlHeadFinder *self = c->finder;
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  g_autofree char *title = hl_score_title (c->score);
  g_signal_connect (factory, "setup", G_CALLBACK (setup_cell_cb), c);
  g_signal_connect (factory, "bind", G_CALLBACK (bind_score_cb), c);
  g_autoptr (GtkColumnViewColumn) column = gtk_column_view_column_new (title, factory);
  g_autoptr (GtkSorter) sorter =
      GTK_SORTER (gtk_custom_sorter_new (compare_scores, c, NULL));
  guint at = 2;
  gtk_column_view_column_set_sorter (column, sorter);
  gtk_column_view_column_set_expand (column, TRUE);
  for (int k = 0; k < (int) c->score; k++)
    at += self->scores[k].column != NULL;
  gtk_column_view_insert_column (self->finder, at, column);
  hl_column_titles_align_end (self->finder, at);
  c->column = column;
}

static void
show_columns (HlHeadFinder *self)
{
  for (int k = 0; k < HL_N_SCORES; k++)
    {
      ScoreColumn *c = &self->scores[k];
      gboolean is_shown = c->is_wanted || c->score == self->score;
      drop_known (c);
      if (is_shown)
        look_up (c);
      is_shown = is_shown && c->scores != NULL;
      if (is_shown && c->column == NULL)
        add_score_column (c);
      if (c->column != NULL)
        gtk_column_view_column_set_visible (c->column, is_shown);
    }
}

/* What a head drawn at random has: the numbers are to be held against it. */
static void
show_baseline (HlHeadFinder *self)
{
  const ScoreColumn *c = self->score != HL_N_SCORES ? &self->scores[self->score] : NULL;
  if (c == NULL || c->scores == NULL)
    {
      gtk_label_set_text (self->baseline, "");
      return;
    }
  g_autofree char *number =
      hl_format_number (hl_head_scores_baseline (c->scores, c->score));
  g_autofree char *title = hl_score_title (c->score);
  g_autofree char *words = g_strdup_printf (_ ("at random: %s"), number);
  g_autofree char *tip = g_strdup_printf (
      _ ("%s: what a head drawn at random has, the mean over all heads"), title);
  gtk_label_set_text (self->baseline, words);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->baseline), tip);
}

static void
toggled_cb (GtkCheckButton *check, ScoreColumn *c)
{
  c->is_wanted = gtk_check_button_get_active (check);
  show_columns (c->finder);
}

/* Every score that is known now, when the list is asked for. */
static void
list_columns_cb (HlHeadFinder *self)
{
  GtkWidget *child;
  gboolean is_empty = TRUE;
  while ((child = gtk_widget_get_first_child (self->checks)) != NULL)
    gtk_box_remove (GTK_BOX (self->checks), child);
  for (int k = 0; k < HL_N_SCORES; k++)
    {
      ScoreColumn *c = &self->scores[k];
      if (hl_grid_shows_find (self->document, c->score) == NULL)
        continue;
      g_autofree char *title = hl_score_title (c->score);
      GtkWidget *check = gtk_check_button_new_with_label (title);
      gtk_widget_set_tooltip_text (check, hl_score_formula (c->score));
      gtk_check_button_set_active (GTK_CHECK_BUTTON (check),
                                   c->is_wanted || c->score == self->score);
      gtk_widget_set_sensitive (check, c->score != self->score);
      g_signal_connect (check, "toggled", G_CALLBACK (toggled_cb), c);
      gtk_box_append (GTK_BOX (self->checks), check);
      is_empty = FALSE;
    }
  if (is_empty)
    gtk_box_append (GTK_BOX (self->checks),
                    gtk_label_new (_ ("Score the heads first: Importance, Strength.")));
}

/* ---- rows ----------------------------------------------------------------------------
 */

static HlHeadKey
key_of (HlHeadFinder *self, int layer, int head)
{
  return (HlHeadKey){ hl_document_get_stack (self->document), layer, head };
}

static gboolean
is_pinned (HlHeadFinder *self, int layer, int head)
{
  guint n;
  int stack = hl_document_get_stack (self->document);
  const HlHeadKey *pinned =
      hl_selection_get_pinned (hl_document_get_selection (self->document), &n);
  for (guint i = 0; i < n; i++)
    if (pinned[i].stack == stack && pinned[i].layer == layer && pinned[i].head == head)
      return TRUE;
  return FALSE;
}

static HlHeadItem *
make_row (HlHeadFinder *self, HlTraceSummary *summary, int layer, int head)
{
  HlHeadItem *item = hl_head_item_new (
      layer, head, &hl_trace_summary_get_head (summary, layer, head)->stats);
  hl_head_item_mark (item, is_pinned (self, layer, head),
                     hl_head_notes_get (hl_document_get_head_notes (self->document),
                                        key_of (self, layer, head)));
  if (self->score != HL_N_SCORES)
    hl_head_item_set_score (item, mean_of (&self->scores[self->score], item));
  return item;
}

static GPtrArray *
list_rows (HlHeadFinder *self)
{
  HlTraceSummary *summary = hl_document_get_summary (self->document);
  GPtrArray *rows = g_ptr_array_new_with_free_func (g_object_unref);
  for (int l = 0; summary != NULL && l < summary->n_layers; l++)
    for (int h = 0; summary->layers[l] != NULL && h < summary->layers[l]->n_heads; h++)
      g_ptr_array_add (rows, make_row (self, summary, l, h));
  return rows;
}

static void
put_rows (HlHeadFinder *self, guint n)
{
  guint at = self->n_filled,
        n_there = g_list_model_get_n_items (G_LIST_MODEL (self->items));
  n = MIN (n, self->rows->len - at);
  self->is_following = TRUE;
  g_list_store_splice (self->items, at, MIN (n, n_there - MIN (at, n_there)),
                       self->rows->pdata + at, n);
  self->is_following = FALSE;
  self->n_filled += n;
}

/* A few rows a frame: each new one makes some ten widgets, and the window goes on. */
static gboolean
fill_cb (GtkWidget *finder, GdkFrameClock *clock, gpointer data)
{
  HlHeadFinder *self = data;
  gint64 end_us = g_get_monotonic_time () + FILL_MS * 1000;
  while (self->n_filled < self->rows->len && g_get_monotonic_time () < end_us)
    put_rows (self, ROWS_AT_ONCE);
  if (self->n_filled < self->rows->len)
    return G_SOURCE_CONTINUE;
  self->fill_tick = 0;
  self->n_frames_to_wait = 2;
  follow_selection (self);
  return G_SOURCE_REMOVE;
}

void
hl_head_finder_refresh (HlHeadFinder *self)
{
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  self->rows = list_rows (self);
  self->n_filled = 0;
  guint n_there = g_list_model_get_n_items (G_LIST_MODEL (self->items));
  self->is_following = TRUE;
  if (n_there > self->rows->len)
    g_list_store_splice (self->items, self->rows->len, n_there - self->rows->len, NULL,
                         0);
  self->is_following = FALSE;
  if (self->fill_tick == 0 && self->rows->len > 0)
    self->fill_tick =
        gtk_widget_add_tick_callback (GTK_WIDGET (self->finder), fill_cb, self, NULL);
}

/* GTK 4.8 has no call for it, but the list inside has an action. */
static gboolean
scroll_cb (GtkWidget *finder, GdkFrameClock *clock, gpointer data)
{
  HlHeadFinder *self = data;
  if (self->n_frames_to_wait > 0)
    {
      self->n_frames_to_wait--;
      return G_SOURCE_CONTINUE;
    }
  self->scroll_tick = 0;
  for (GtkWidget *child = gtk_widget_get_first_child (finder); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    if (gtk_widget_activate_action (child, "list.scroll-to-item", "u", self->scroll_row))
      break;
  return G_SOURCE_REMOVE;
}

static void
scroll_to_row (HlHeadFinder *self, guint row)
{
  self->scroll_row = row;
  if (self->scroll_tick == 0)
    self->scroll_tick =
        gtk_widget_add_tick_callback (GTK_WIDGET (self->finder), scroll_cb, self, NULL);
}

static void
follow_selection (HlHeadFinder *self)
{
  const HlPlace *place =
      hl_selection_get_place (hl_document_get_selection (self->document));
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->chosen));
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (HlHeadItem) item =
          g_list_model_get_item (G_LIST_MODEL (self->chosen), i);
      if (hl_head_item_get_layer (item) != place->layer ||
          hl_head_item_get_head (item) != place->head)
        continue;
      self->is_following = TRUE;
      gtk_single_selection_set_selected (self->chosen, i);
      self->is_following = FALSE;
      scroll_to_row (self, i);
      return;
    }
}

static void
row_chosen_cb (HlHeadFinder *self)
{
  HlHeadItem *item = gtk_single_selection_get_selected_item (self->chosen);
  if (self->is_following || item == NULL)
    return;
  hl_selection_set_head (hl_document_get_selection (self->document),
                         hl_head_item_get_layer (item), hl_head_item_get_head (item));
}

/* ---- columns -------------------------------------------------------------------------
 */

static int
compare_items (gconstpointer a, gconstpointer b, gpointer data)
{
  HlHeadColumn column = (HlHeadColumn) GPOINTER_TO_INT (data);
  if (column == HL_HEAD_COLUMN_TAGS)
    return g_utf8_collate (hl_head_item_get_tags ((HlHeadItem *) a),
                           hl_head_item_get_tags ((HlHeadItem *) b));
  double x = hl_head_item_get_value ((HlHeadItem *) a, column);
  double y = hl_head_item_get_value ((HlHeadItem *) b, column);
  if (isnan (x) || isnan (y))
    return isnan (x) - isnan (y);
  return (x > y) - (x < y);
}

static void
bind_cell_cb (GtkSignalListItemFactory *factory, GtkListItem *cell, gpointer data)
{
  g_autofree char *text = hl_head_item_get_text (gtk_list_item_get_item (cell),
                                                 (HlHeadColumn) GPOINTER_TO_INT (data));
  gtk_label_set_text (GTK_LABEL (gtk_list_item_get_child (cell)), text);
}

static void
add_columns (HlHeadFinder *self)
{
  const char *const titles[HL_N_HEAD_COLUMNS] = { _ ("Head"),      _ ("Tags"),
                                                  _ ("Entropy"),   _ ("Distance"),
                                                  _ ("1st token"), _ ("Largest") };
  for (int i = 0; i < HL_N_HEAD_COLUMNS; i++)
    {
      gpointer data = GINT_TO_POINTER (i);
      GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
      g_signal_connect (factory, "setup", G_CALLBACK (setup_cell_cb), data);
      g_signal_connect (factory, "bind", G_CALLBACK (bind_cell_cb), data);
      g_autoptr (GtkColumnViewColumn) column =
          gtk_column_view_column_new (titles[i], factory);
      g_autoptr (GtkSorter) sorter =
          GTK_SORTER (gtk_custom_sorter_new (compare_items, data, NULL));
      gtk_column_view_column_set_sorter (column, sorter);
      gtk_column_view_column_set_expand (column, TRUE);
      if (i == HL_HEAD_COLUMN_TAGS)
        {
          gtk_column_view_column_set_visible (column, FALSE);
          self->tags_column = column;
        }
      gtk_column_view_append_column (self->finder, column);
    }
  for (guint i = 0; i < HL_N_HEAD_COLUMNS; i++)
    hl_column_titles_align_end (self->finder, i);
}

static void
make_models (HlHeadFinder *self)
{
  self->items = g_list_store_new (HL_TYPE_HEAD_ITEM);
  add_columns (self);
  self->filtering = gtk_custom_filter_new (hl_head_filter_match, self->filter, NULL);
  self->filtered =
      gtk_filter_list_model_new (g_object_ref (G_LIST_MODEL (self->items)),
                                 g_object_ref (GTK_FILTER (self->filtering)));
  self->sorted =
      gtk_sort_list_model_new (g_object_ref (G_LIST_MODEL (self->filtered)),
                               g_object_ref (gtk_column_view_get_sorter (self->finder)));
  self->chosen = gtk_single_selection_new (g_object_ref (G_LIST_MODEL (self->sorted)));
  gtk_single_selection_set_autoselect (self->chosen, FALSE);
  gtk_single_selection_set_can_unselect (self->chosen, TRUE);
  gtk_column_view_set_model (self->finder, GTK_SELECTION_MODEL (self->chosen));
  g_signal_connect_object (self->chosen, "notify::selected", G_CALLBACK (row_chosen_cb),
                           self, G_CONNECT_SWAPPED);
}

static void
make_menu (HlHeadFinder *self)
{
  GtkWidget *popover = gtk_popover_new (), *scroller = gtk_scrolled_window_new ();
  self->checks = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_NEVER,
                                  GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height (GTK_SCROLLED_WINDOW (scroller), TRUE);
  gtk_scrolled_window_set_max_content_height (GTK_SCROLLED_WINDOW (scroller), 360);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), self->checks);
  gtk_popover_set_child (GTK_POPOVER (popover), scroller);
  gtk_menu_button_set_popover (self->columns, popover);
  g_signal_connect_object (popover, "show", G_CALLBACK (list_columns_cb), self,
                           G_CONNECT_SWAPPED);
}

/* ---- following -----------------------------------------------------------------------
 */

static void
filter_changed_cb (HlHeadFinder *self)
{
  if (hl_head_filter_is_good (gtk_editable_get_text (self->filter)))
    gtk_widget_remove_css_class (GTK_WIDGET (self->filter), "error");
  else
    gtk_widget_add_css_class (GTK_WIDGET (self->filter), "error");
  gtk_filter_changed (GTK_FILTER (self->filtering), GTK_FILTER_CHANGE_DIFFERENT);
}

/* Tags and pins are part of the rows. */
static void
marks_changed_cb (HlHeadFinder *self)
{
  const HlHeadNotes *notes = hl_document_get_head_notes (self->document);
  g_autoptr (GPtrArray) tags = hl_head_notes_list_tags (notes);
  gtk_column_view_column_set_visible (self->tags_column, tags->len > 0);
  for (guint i = 0; self->rows != NULL && i < self->rows->len; i++)
    {
      HlHeadItem *item = g_ptr_array_index (self->rows, i);
      int layer = hl_head_item_get_layer (item), head = hl_head_item_get_head (item);
      hl_head_item_mark (item, is_pinned (self, layer, head),
                         hl_head_notes_get (notes, key_of (self, layer, head)));
    }
  gtk_filter_changed (GTK_FILTER (self->filtering), GTK_FILTER_CHANGE_DIFFERENT);
}

/* The cells of tags in sight are written anew with their rows. */
static void
notes_changed_cb (HlHeadFinder *self)
{
  marks_changed_cb (self);
  hl_head_finder_refresh (self);
}

static void
selection_changed_cb (HlHeadFinder *self, guint parts)
{
  if (parts & HL_SELECTION_HEAD)
    follow_selection (self);
  if (parts & HL_SELECTION_PINNED)
    marks_changed_cb (self);
}

void
hl_head_finder_show_score (HlHeadFinder *self, HlScore score)
{
  gboolean was_shown = FALSE, is_shown = FALSE;
  for (int k = 0; k < HL_N_SCORES; k++)
    was_shown |= self->scores[k].scores != NULL;
  self->score = score;
  show_columns (self);
  show_baseline (self);
  for (int k = 0; k < HL_N_SCORES; k++)
    is_shown |= self->scores[k].scores != NULL;
  if (was_shown || is_shown)
    hl_head_finder_refresh (self);
}

void
hl_head_finder_set_document (HlHeadFinder *self, HlDocument *document)
{
  g_return_if_fail (self->document == NULL);
  self->document = g_object_ref (document);
  g_signal_connect_object (document, "head-notes-changed", G_CALLBACK (notes_changed_cb),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (hl_document_get_selection (document), "changed",
                           G_CALLBACK (selection_changed_cb), self, G_CONNECT_SWAPPED);
}

/* ---- widget --------------------------------------------------------------------------
 */

static void
hl_head_finder_dispose (GObject *object)
{
  HlHeadFinder *self = HL_HEAD_FINDER (object);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  for (int k = 0; k < HL_N_SCORES; k++)
    drop_known (&self->scores[k]);
  g_clear_object (&self->document);
  g_clear_object (&self->items);
  g_clear_object (&self->sorted);
  g_clear_object (&self->filtered);
  g_clear_object (&self->filtering);
  g_clear_object (&self->chosen);
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  G_OBJECT_CLASS (hl_head_finder_parent_class)->dispose (object);
}

static void
hl_head_finder_class_init (HlHeadFinderClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_head_finder_dispose;
  gtk_widget_class_set_template_from_resource (
      widget, "/org/headlight/Headlight/ui/hl-head-finder.ui");
  gtk_widget_class_set_layout_manager_type (widget, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_bind_template_child (widget, HlHeadFinder, box);
  gtk_widget_class_bind_template_child (widget, HlHeadFinder, baseline);
  gtk_widget_class_bind_template_child (widget, HlHeadFinder, columns);
  gtk_widget_class_bind_template_child (widget, HlHeadFinder, filter);
  gtk_widget_class_bind_template_child (widget, HlHeadFinder, finder);
  gtk_widget_class_bind_template_callback (widget, filter_changed_cb);
}

static void
hl_head_finder_init (HlHeadFinder *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->score = HL_N_SCORES;
  for (int k = 0; k < HL_N_SCORES; k++)
    self->scores[k] = (ScoreColumn){ .finder = self, .score = (HlScore) k };
  make_models (self);
  make_menu (self);
}
