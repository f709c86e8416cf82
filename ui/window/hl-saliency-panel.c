/* SPDX-License-Identifier: MIT
 * Middle, page Saliency. */
#include "config.h"

#include "window/hl-saliency-panel.h"

#include "presenters/hl-present-compare.h"
#include "window/hl-compare-part.h"
#include "window/hl-saliency-options.h"
#include "window/hl-score-page.h"

#include <glib/gi18n.h>
#include <math.h>

struct _HlSaliencyPanel
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *box;
  GtkWidget *options;
  GtkButton *run;
  GtkStack *stack;
  HlScoreEmpty empty_state;
  GtkDropDown *heads_choice;
  HlComparePart *part;
  HlChartView *rows;
  HlHeatmapView *heads;
  GtkLabel *heads_caption;
  GtkWidget *by_output_section;
  HlChartView *by_output;
  GtkWidget *delete_button;
  GtkWidget *curves;
  HlChartView *deletion, *insertion;
  GtkLabel *areas;
  GtkLabel *explained;
  gboolean is_filling;
};

G_DEFINE_FINAL_TYPE (HlSaliencyPanel, hl_saliency_panel, GTK_TYPE_WIDGET)

static HlSelection *
selection_of (HlSaliencyPanel *self)
{
  return hl_document_get_selection (self->document);
}

/* ---- showing -------------------------------------------------------------------------
 */

static void
show_head (HlSaliencyPanel *self)
{
  double fraction;
  gboolean is_busy = hl_document_get_analysis (self->document, &fraction) != NULL;
  gboolean can = hl_document_can_compare (self->document);
  gtk_widget_set_sensitive (GTK_WIDGET (self->heads_choice),
                            hl_document_get_cross (self->document) != NULL);
  gtk_button_set_label (self->run, is_busy ? _ ("Stop") : _ ("Compute"));
  hl_score_show_busy (self->document, GTK_WIDGET (self->run), self->empty_state.run);
  gtk_widget_set_sensitive (GTK_WIDGET (self->run), is_busy || can);
  gtk_widget_set_sensitive (self->delete_button, can && !is_busy);
}

static void
show_empty (HlSaliencyPanel *self)
{
  gboolean can = hl_document_can_compare (self->document);
  gtk_label_set_text (
      self->empty_state.words,
      can ? _ ("What the model says is traced back to its input, and held against where "
               "its heads look.")
      : hl_document_has_model (self->document)
          ? _ ("This model ends in no prediction, which could be explained.")
          : _ ("Only a trace is open: saliency needs the model itself."));
  gtk_widget_set_visible (self->empty_state.run, can);
  gtk_widget_set_visible (self->empty_state.open, FALSE);
}

/* (transfer full): "by attention 0.239 [0.149, 0.345]", a line an order. */
static char *
describe_areas (const HlFaithfulness *f)
{
  GString *text = g_string_new (NULL);
  static const char *const orders[] = { N_ ("attention"), N_ ("saliency"), N_ ("chance") };
  for (int o = 0; o < HL_N_ORDERS; o++)
    {
      const HlInterval *d = &f->deletion_area[o], *i = &f->insertion_area[o];
      g_string_append_printf (
          text, _ ("By %s: deletion %.3f [%.3f, %.3f], insertion %.3f [%.3f, %.3f]\n"),
          _ (orders[o]), d->mean, d->low, d->high, i->mean, i->low, i->high);
    }
  g_string_append_printf (
      text,
      ngettext ("Area under the probability of the target, of %d output. Less is better "
                "in deletion, more in insertion.",
                "Area under the probability of the target, mean of %d outputs [95%% "
                "interval]. Less is better in deletion, more in insertion.",
                f->n_targets),
      f->n_targets);
  return g_string_free (text, FALSE);
}

static void
show_curves (HlSaliencyPanel *self, const HlCompare *c)
{
  const HlFaithfulness *f = c->result->faithfulness;
  gtk_widget_set_visible (self->curves, f != NULL);
  gtk_widget_set_visible (self->delete_button, f == NULL);
  if (f == NULL)
    return;
  g_autoptr (HlChartScene) deletion = hl_compare_curves (c, FALSE);
  g_autoptr (HlChartScene) insertion = hl_compare_curves (c, TRUE);
  g_autofree char *words = describe_areas (f);
  hl_chart_view_set_scene (self->deletion, deletion);
  hl_chart_view_set_scene (self->insertion, insertion);
  gtk_label_set_text (self->areas, words);
}

static void
show_heads (HlSaliencyPanel *self, const HlCompare *c)
{
  const HlCrossComparison *all = c->result->comparison;
  HlHeadKey head = hl_selection_get_head (selection_of (self));
  g_autoptr (HlMatrixScene) heads = hl_compare_heads (c, head);
  hl_heatmap_view_set_scene (self->heads, heads);
  gboolean is_here = head.stack == all->stack && head.layer < all->n_layers &&
                     head.head < all->n_heads;
  gsize at = (gsize) (head.layer * all->n_heads + head.head);
  g_autofree char *own =
      is_here && !isnan (all->pearson[at])
          ? g_strdup_printf (_ ("Head %d.%d: r %.3f, Spearman %.3f, diagonality %.3f, "
                                "monotonicity %.3f. "),
                             head.layer, head.head, all->pearson[at], all->spearman[at],
                             all->diagonality[at], all->monotonicity[at])
          : g_strdup ("");
  g_autofree char *text = g_strdup_printf (
      _ ("%sMean map of all heads: r %.3f, r² %.3f, Spearman %.3f. Click a head to look at "
         "it."),
      own, all->pearson_all, all->pearson_all * all->pearson_all, all->spearman_all);
  gtk_label_set_text (self->heads_caption, text);
}

static void
show_charts (HlSaliencyPanel *self)
{
  HlCompare c = hl_compare_part_get (self->part);
  gboolean has_several = c.result->comparison->n_targets > 1;
  g_autoptr (HlChartScene) rows = hl_compare_rows (&c);
  hl_chart_view_set_scene (self->rows, rows);
  gtk_widget_set_visible (self->by_output_section, has_several);
  if (has_several)
    {
      g_autoptr (HlChartScene) outputs = hl_compare_by_output (&c);
      hl_chart_view_set_scene (self->by_output, outputs);
    }
  show_heads (self, &c);
  show_curves (self, &c);
}

/* Choices that need heads that are not there are said to be all heads' by the caption; the
 * list says which are there. */
static void
show_heads_choice (HlSaliencyPanel *self)
{
  self->is_filling = TRUE;
  gtk_drop_down_set_selected (self->heads_choice,
                              hl_document_get_cross_heads (self->document));
  self->is_filling = FALSE;
}

/* (transfer full): how what is shown was computed. */
static char *
explain (const HlCrossResult *result)
{
  const HlSaliencyOptions *o = &result->set->options;
  g_autofree char *method = hl_saliency_describe (o);
  return g_strdup_printf (
      _ ("Saliency: %s, of the logit before the softmax, at the row that emits the token. "
         "Signed saliency counts by its size.\nAttention: the rows of the same outputs.\n"
         "r: Pearson's correlation of all rows of a map with saliency, %s (arXiv "
         "2509.18010). r of a mean map is not the mean of the heads' r.\nDiagonality: "
         "correlation of an output's place with its row's centre of mass. Monotonicity: "
         "the most of the weight that lies on a path which does not go back.\nDeletion "
         "and insertion: tokens are replaced by the baseline's, or all others are, in the "
         "order of each map (Petsiuk et al., arXiv 1806.07421); chance is drawn with seed "
         "%u."),
      method, result->options.is_raw ? _ ("as they are") : _ ("each row z-scored first"),
      o->seed);
}

static void
show (HlSaliencyPanel *self)
{
  HlCrossResult *result = hl_document_get_cross (self->document);
  show_head (self);
  show_heads_choice (self);
  gboolean is_there = hl_compare_part_show (self->part);
  gtk_stack_set_visible_child_name (self->stack, is_there ? "charts" : "empty");
  if (!is_there)
    {
      show_empty (self);
      return;
    }
  g_autofree char *text = explain (result);
  gtk_label_set_text (self->explained, text);
  show_charts (self);
}

/* ---- what happens --------------------------------------------------------------------
 */

static void
changed_cb (HlSaliencyPanel *self)
{
  if (self->document != NULL && gtk_widget_get_mapped (GTK_WIDGET (self)))
    show (self);
}

static void
busy_cb (HlSaliencyPanel *self)
{
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    show_head (self);
}

static void
run_cb (HlSaliencyPanel *self)
{
  double fraction;
  if (hl_document_get_analysis (self->document, &fraction) != NULL)
    hl_document_stop_analysis (self->document);
  else
    hl_document_compare (self->document);
}

static void
delete_cb (HlSaliencyPanel *self)
{
  hl_document_delete (self->document, HL_METRIC_PROBABILITY);
}

static void
heads_choice_cb (HlSaliencyPanel *self)
{
  if (self->document == NULL || self->is_filling)
    return;
  guint at = gtk_drop_down_get_selected (self->heads_choice);
  if (at < HL_N_CROSS_HEADS)
    hl_document_set_cross_heads (self->document, (HlCrossHeads) at);
}

/* The output that is picked is the query that every view shows. */
static void
chosen_cb (HlComparePart *part, HlSaliencyPanel *self)
{
  HlCompare c = hl_compare_part_get (self->part);
  const HlPlace *place = hl_selection_get_place (selection_of (self));
  HlTrace *shown = hl_document_get_trace (self->document);
  if (c.target >= 0 && place->stack == c.result->comparison->stack &&
      shown != NULL && shown->pieces == NULL)
    hl_selection_set_query (selection_of (self), c.result->query[c.target]);
  show_charts (self);
}

static void
selection_cb (HlSelection *selection, guint parts, HlSaliencyPanel *self)
{
  HlCrossHeads heads = hl_document_get_cross_heads (self->document);
  gboolean is_other = (heads == HL_CROSS_HEADS_SELECTED && (parts & HL_SELECTION_HEAD)) ||
                      (heads == HL_CROSS_HEADS_PINNED && (parts & HL_SELECTION_PINNED));
  if (!gtk_widget_get_mapped (GTK_WIDGET (self)) ||
      hl_document_get_cross (self->document) == NULL)
    return;
  if (is_other)
    hl_document_set_cross_heads (self->document, heads);
  else if (parts & HL_SELECTION_HEAD)
    {
      HlCompare c = hl_compare_part_get (self->part);
      show_heads (self, &c);
    }
}

static void
head_cb (HlHeatmapView *view, gint64 row, gint64 column, HlSaliencyPanel *self)
{
  HlCompare c = hl_compare_part_get (self->part);
  const HlCrossComparison *all = c.result->comparison;
  if (row >= 0 && column >= 0 && row < all->n_layers && column < all->n_heads &&
      !isnan (all->monotonicity[row * all->n_heads + column]))
    hl_selection_set_stack_head (selection_of (self), all->stack, (int) row,
                                 (int) column);
}

static void
output_cb (HlChartView *view, int mark, HlSaliencyPanel *self)
{
  hl_compare_part_set_target (self->part, mark);
}

void
hl_saliency_panel_blink (HlSaliencyPanel *self)
{
  if (hl_document_get_cross (self->document) != NULL)
    hl_compare_part_blink (self->part);
}

gboolean
hl_saliency_panel_clear (HlSaliencyPanel *self)
{
  return hl_compare_part_clear (self->part);
}

/* ---- building ------------------------------------------------------------------------
 */

static void
build_head (HlSaliencyPanel *self)
{
  const char *const heads[] = { _ ("All heads"), _ ("The head looked at"),
                                _ ("Pinned heads"), _ ("Alignment heads"),
                                _ ("The head that agrees best"), NULL };
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  self->heads_choice = hl_score_words (row, heads, _ ("Whose attention is shown"));
  hl_score_ellipsize (self->heads_choice);
  gtk_widget_set_hexpand (GTK_WIDGET (self->heads_choice), TRUE);
  gtk_widget_set_halign (GTK_WIDGET (self->heads_choice), GTK_ALIGN_START);
  g_signal_connect_object (self->heads_choice, "notify::selected",
                           G_CALLBACK (heads_choice_cb), self, G_CONNECT_SWAPPED);
  self->options = hl_saliency_options_new ();
  gtk_box_append (GTK_BOX (row), self->options);
  self->run = GTK_BUTTON (hl_score_button (row, _ ("Compute"), G_CALLBACK (run_cb), self));
  gtk_box_append (GTK_BOX (self->box), row);
}

static void
build_compare (HlSaliencyPanel *self, GtkWidget *page)
{
  GtkWidget *section = hl_score_section (page, NULL);
  self->part = HL_COMPARE_PART (hl_compare_part_new (self->document));
  g_signal_connect_object (self->part, "chosen", G_CALLBACK (chosen_cb), self, 0);
  gtk_box_append (GTK_BOX (section), GTK_WIDGET (self->part));
  GtkWidget *rows = hl_score_section (page, _ ("Both Rows"));
  self->rows = hl_score_chart (rows, 190, _ ("Attention and saliency by token"));
}

static void
build_agreement (HlSaliencyPanel *self, GtkWidget *page)
{
  GtkWidget *section = hl_score_section (page, _ ("Agreement of Each Head"));
  self->heads = hl_score_map (section, 240, _ ("Pearson's r of each head"));
  g_signal_connect_object (self->heads, "cell-activated", G_CALLBACK (head_cb), self, 0);
  self->heads_caption = hl_score_caption (section);
  self->by_output_section = hl_score_section (page, _ ("Agreement by Output"));
  self->by_output =
      hl_score_chart (self->by_output_section, 190, _ ("Pearson's r by output"));
  g_signal_connect_object (self->by_output, "mark-activated", G_CALLBACK (output_cb),
                           self, 0);
}

static void
build_deletion (HlSaliencyPanel *self, GtkWidget *page)
{
  GtkWidget *section = hl_score_section (page, _ ("What Is Left without It"));
  self->delete_button = hl_score_button (section, _ ("_Measure Deletion and Insertion"),
                                         G_CALLBACK (delete_cb), self);
  gtk_widget_set_halign (self->delete_button, GTK_ALIGN_START);
  gtk_widget_set_tooltip_text (
      self->delete_button,
      _ ("Takes away the tokens that attention, saliency or chance put first, a tenth at a "
         "time, and looks what the prediction becomes"));
  self->curves = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  gtk_box_append (GTK_BOX (section), self->curves);
  self->deletion = hl_score_chart (self->curves, 200, _ ("Deletion"));
  self->insertion = hl_score_chart (self->curves, 200, _ ("Insertion"));
  self->areas = hl_score_caption (self->curves);
}

static void
build_charts (HlSaliencyPanel *self)
{
  GtkWidget *page, *scroller = hl_score_scroller (&page);
  build_compare (self, page);
  build_agreement (self, page);
  build_deletion (self, page);
  self->explained = hl_score_explained (page);
  gtk_stack_add_named (self->stack, scroller, "charts");
}

void
hl_saliency_panel_set_document (HlSaliencyPanel *self, HlDocument *document)
{
  static const char *const signals[] = { "saliency-changed", "trace-changed",
                                         "model-changed", "view-changed" };
  g_return_if_fail (self->document == NULL);
  self->document = g_object_ref (document);
  build_head (self);
  hl_saliency_options_set_document (self->options, document);
  GtkWidget *stack = gtk_stack_new ();
  gtk_widget_set_vexpand (stack, TRUE);
  gtk_box_append (GTK_BOX (self->box), stack);
  self->stack = GTK_STACK (stack);
  hl_score_empty_init (&self->empty_state,
                       _ ("Is attention the explanation?"),
                       _ ("_Compute Saliency"), G_CALLBACK (run_cb), self);
  gtk_stack_add_named (self->stack, self->empty_state.box, "empty");
  build_charts (self);
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    g_signal_connect_object (document, signals[i], G_CALLBACK (changed_cb), self,
                             G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "busy-changed", G_CALLBACK (busy_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (selection_of (self), "changed", G_CALLBACK (selection_cb),
                           self, 0);
}

void
hl_saliency_panel_set_is_dark (HlSaliencyPanel *self, gboolean is_dark)
{
  HlChartView *charts[] = { self->rows, self->by_output, self->deletion,
                            self->insertion };
  for (guint i = 0; i < G_N_ELEMENTS (charts); i++)
    hl_chart_view_set_is_dark (charts[i], is_dark);
  hl_heatmap_view_set_is_dark (self->heads, is_dark);
  hl_compare_part_set_is_dark (self->part, is_dark);
}

GPtrArray *
hl_saliency_panel_get_charts (HlSaliencyPanel *self)
{
  GPtrArray *scenes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_chart_scene_unref);
  HlChartView *charts[] = { self->rows, self->by_output, self->deletion,
                            self->insertion };
  for (guint i = 0; hl_document_get_cross (self->document) != NULL &&
                    i < G_N_ELEMENTS (charts);
       i++)
    {
      HlChartScene *scene = hl_chart_view_get_scene (charts[i]);
      if (scene != NULL && gtk_widget_get_mapped (GTK_WIDGET (charts[i])))
        g_ptr_array_add (scenes, hl_chart_scene_ref (scene));
    }
  return scenes;
}

HlMatrixScene *
hl_saliency_panel_get_heads (HlSaliencyPanel *self)
{
  return hl_document_get_cross (self->document) != NULL
             ? hl_heatmap_view_get_scene (self->heads)
             : NULL;
}

static void
hl_saliency_panel_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (hl_saliency_panel_parent_class)->map (widget);
  changed_cb (HL_SALIENCY_PANEL (widget));
}

static void
hl_saliency_panel_dispose (GObject *object)
{
  HlSaliencyPanel *self = HL_SALIENCY_PANEL (object);
  g_clear_object (&self->document);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  G_OBJECT_CLASS (hl_saliency_panel_parent_class)->dispose (object);
}

static void
hl_saliency_panel_class_init (HlSaliencyPanelClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_saliency_panel_dispose;
  widget->map = hl_saliency_panel_map;
  gtk_widget_class_set_layout_manager_type (widget, GTK_TYPE_BIN_LAYOUT);
}

static void
hl_saliency_panel_init (HlSaliencyPanel *self)
{
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  gtk_widget_set_margin_top (self->box, 6);
  gtk_widget_set_margin_start (self->box, 12);
  gtk_widget_set_margin_end (self->box, 6);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}
