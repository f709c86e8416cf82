/* SPDX-License-Identifier: MIT
 * Middle, page Importance. */
#include "config.h"

#include "window/hl-importance-panel.h"

#include "presenters/hl-present-scores.h"
#include "window/hl-before-after.h"
#include "window/hl-score-options.h"
#include "window/hl-score-page.h"
#include "window/hl-top-inputs.h"

#include <glib/gi18n.h>

struct _HlImportancePanel
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *box;
  GtkDropDown *scope;
  HlScoreChoice score;
  GtkToggleButton *sorted;
  GtkWidget *options;
  GtkButton *run;
  GtkWidget
      *empty; /* or the charts: no stack, which asks for the width at least height */
  GtkWidget *charts;
  HlScoreEmpty empty_state;
  HlChartView *bars;
  GtkLabel *bars_caption;
  HlHeatmapView *map;
  HlBeforeAfter *before_after;
  GtkButton *parts_run;
  HlChartView *parts;
  HlScoreChoice scatter_x;
  HlScoreChoice scatter_y;
  HlChartView *scatter;
  GtkLabel *scatter_caption;
  GtkWidget *top_section;
  GtkToggleButton *only_errors;
  GtkWidget *top_inputs;
  GtkWidget *curve_section;
  GtkButton *curve_run;
  GtkToggleButton *curve_accuracy;
  GtkCheckButton *curve_greedy;
  HlChartView *curve;
  GtkLabel *explained;
  int *order; /* the head of each bar */
  int n_order;
};

G_DEFINE_FINAL_TYPE (HlImportancePanel, hl_importance_panel, GTK_TYPE_WIDGET)

static const HlScore bars_wished[] = { HL_SCORE_LOSS_CHANGE, HL_SCORE_OUTPUT_COSINE,
                                       HL_N_SCORES };
static const HlScore x_wished[] = { HL_SCORE_TAYLOR, HL_SCORE_TOKENS_L2, HL_N_SCORES };

HlScoreScope
hl_importance_panel_get_scope (HlImportancePanel *self)
{
  return gtk_drop_down_get_selected (self->scope) == 1 ? HL_SCOPE_DATASET
                                                       : HL_SCOPE_INPUT;
}

static HlHeadScores *
scores_of (HlImportancePanel *self)
{
  HlHeadScores *scores =
      hl_document_get_scores (self->document, hl_importance_panel_get_scope (self));
  return scores != NULL && hl_head_scores_has (scores, HL_SCORE_OUTPUT_COSINE) ? scores
                                                                               : NULL;
}

/* ---- sections ------------------------------------------------------------------------
 */

static void
show_bars (HlImportancePanel *self, HlHeadScores *scores, HlHeadKey head)
{
  HlScore score = hl_score_choice_get (&self->score);
  g_clear_pointer (&self->order, g_free);
  self->n_order = 0;
  if (score == HL_N_SCORES || !hl_head_scores_has (scores, score))
    return;
  g_autoptr (HlChartScene) scene = hl_present_head_bars (
      scores, score, gtk_toggle_button_get_active (self->sorted), head, &self->order);
  self->n_order = scores->n_heads;
  hl_chart_view_set_scene (self->bars, scene);
  g_autoptr (HlMatrixScene) map = hl_present_score_map (scores, score, head);
  hl_heatmap_view_set_scene (self->map, map);
  g_autofree char *value = hl_present_score_value (scores, score, head);
  gboolean is_set = hl_head_scores_get_n_inputs (scores) > 1;
  const char *stopped = !scores->is_partial ? ""
                        : is_set            ? _ (" · stopped before the last input")
                                            : _ (" · stopped before the last layer");
  g_autofree char *caption =
      g_strdup_printf ("%s · %s%s", value, hl_score_formula (score), stopped);
  gtk_label_set_text (self->bars_caption, caption);
}

static void
show_parts (HlImportancePanel *self, HlHeadKey head)
{
  HlPartial *partial = hl_document_get_partial (self->document);
  const HlModelInfo *info = hl_document_get_model_info (self->document);
  g_autofree char *label =
      g_strdup_printf (_ ("Prune Parts of %d.%d"), head.layer, head.head);
  gtk_button_set_label (self->parts_run, label);
  gtk_widget_set_sensitive (GTK_WIDGET (self->parts_run),
                            hl_document_can_ablate (self->document, HL_SCOPE_INPUT));
  gtk_widget_set_visible (GTK_WIDGET (self->parts), partial != NULL);
  if (partial == NULL)
    return;
  g_autoptr (HlChartScene) scene = hl_present_parts (
      partial, info != NULL ? (const char *const *) info->labels : NULL);
  hl_chart_view_set_scene (self->parts, scene);
}

static void
show_scatter (HlImportancePanel *self, HlHeadKey head)
{
  HlScoreScope scope = hl_importance_panel_get_scope (self);
  HlScore x = hl_score_choice_get (&self->scatter_x);
  HlScore y = hl_score_choice_get (&self->scatter_y);
  if (x == HL_N_SCORES || y == HL_N_SCORES)
    return;
  HlHeadScores *xs = hl_document_find_scores (self->document, scope, x);
  HlHeadScores *ys = hl_document_find_scores (self->document, scope, y);
  if (xs == NULL || ys == NULL || xs->n_heads != ys->n_heads)
    return;
  g_autoptr (HlChartScene) scene = hl_present_scatter (xs, x, ys, y, head);
  hl_chart_view_set_scene (self->scatter, scene);
  gtk_label_set_text (self->scatter_caption, scene->title);
}

static void
show_curve (HlImportancePanel *self)
{
  HlPruningCurve *curve = hl_document_get_curve (self->document);
  gboolean is_set = hl_importance_panel_get_scope (self) == HL_SCOPE_DATASET;
  gtk_widget_set_visible (self->curve_section, is_set);
  gtk_widget_set_visible (GTK_WIDGET (self->curve), curve != NULL);
  gtk_widget_set_sensitive (GTK_WIDGET (self->curve_run),
                            hl_document_can_ablate (self->document, HL_SCOPE_DATASET));
  if (curve == NULL)
    return;
  g_autoptr (HlChartScene) scene =
      hl_present_curve (curve, gtk_toggle_button_get_active (self->curve_accuracy));
  hl_chart_view_set_scene (self->curve, scene);
}

/* Of a data set: the inputs on which the selected head scores highest. */
static void
show_top (HlImportancePanel *self, HlHeadScores *scores, HlHeadKey head)
{
  gboolean is_set = hl_head_scores_get_n_inputs (scores) > 1;
  gtk_widget_set_visible (self->top_section, is_set);
  if (is_set)
    hl_top_inputs_show (self->top_inputs, scores, hl_score_choice_get (&self->score),
                        head, gtk_toggle_button_get_active (self->only_errors));
}

/* What is missing, what gets it, and about how long that takes. */
static void
show_empty (HlImportancePanel *self)
{
  HlScoreScope scope = hl_importance_panel_get_scope (self);
  HlTrace *trace = hl_document_get_trace (self->document);
  HlDataset *dataset = hl_document_get_dataset (self->document);
  gboolean can = hl_document_can_ablate (self->document, scope);
  const HlModelInfo *info = hl_document_get_model_info (self->document);
  g_autoptr (GString) words = g_string_new (NULL);
  int n_heads = info != NULL ? hl_model_info_count_heads (info) : 0;
  if (!hl_document_has_model (self->document))
    g_string_append (words, _ ("Only a trace is open: ablating needs the model itself."));
  else if (info->readout_stack != 0)
    g_string_append (words, _ ("This model is an encoder with a decoder: ablating each "
                               "head by itself is for models of one tower. A single head "
                               "can be ablated on the page Heads (A)."));
  else if (scope == HL_SCOPE_INPUT)
    g_string_append_printf (
        words,
        _ ("Each of the %d heads is ablated by itself, and the prediction is "
           "compared."),
        n_heads);
  else if (dataset == NULL)
    g_string_append (words, _ ("A data set is needed: a folder of pictures with one "
                               "subfolder a class, a CSV, IDX files, or a text of which "
                               "each line is an input."));
  else
    g_string_append_printf (words,
                            _ ("%s: %d inputs, on each of which %d heads are "
                               "ablated one by one."),
                            dataset->name, hl_dataset_get_n_items (dataset), n_heads);
  int n = scope == HL_SCOPE_DATASET && dataset != NULL
              ? hl_score_options_count (self->document)
              : 1;
  if (can && trace != NULL && trace->duration_ms > 0)
    {
      int seconds = (int) MAX (trace->duration_ms / 1e3 * n_heads / 2 * n, 1);
      int minutes = (seconds + 30) / 60;
      g_string_append_printf (
          words,
          minutes > 1 ? ngettext (" About %d minute.", " About %d minutes.", minutes)
                      : ngettext (" About %d second.", " About %d seconds.", seconds),
          minutes > 1 ? minutes : seconds);
    }
  gtk_label_set_text (self->empty_state.words, words->str);
  gtk_widget_set_visible (self->empty_state.run, can);
  gtk_widget_set_visible (self->empty_state.open,
                          scope == HL_SCOPE_DATASET &&
                              hl_document_has_model (self->document));
}

static void
show_run (HlImportancePanel *self)
{
  HlScoreScope scope = hl_importance_panel_get_scope (self);
  double fraction;
  gboolean is_busy = hl_document_get_analysis (self->document, &fraction) != NULL;
  gtk_button_set_label (self->run, is_busy ? _ ("Stop") : _ ("Ablate Each"));
  hl_score_show_busy (self->document, GTK_WIDGET (self->run), self->empty_state.run);
  gtk_widget_set_sensitive (GTK_WIDGET (self->run),
                            is_busy || hl_document_can_ablate (self->document, scope));
}

static void
show (HlImportancePanel *self)
{
  HlScoreScope scope = hl_importance_panel_get_scope (self);
  HlHeadKey head = hl_document_get_scored_head (self->document);
  HlHeadScores *scores = scores_of (self);
  show_run (self);
  hl_before_after_show (self->before_after);
  gtk_widget_set_visible (self->charts, scores != NULL);
  gtk_widget_set_visible (self->empty, scores == NULL);
  if (scores == NULL)
    {
      show_empty (self);
      return;
    }
  hl_score_choice_fill (&self->score, self->document, scope, bars_wished);
  hl_score_choice_fill (&self->scatter_x, self->document, scope, x_wished);
  hl_score_choice_fill (&self->scatter_y, self->document, scope, bars_wished);
  show_bars (self, scores, head);
  show_parts (self, head);
  show_scatter (self, head);
  show_top (self, scores, head);
  show_curve (self);
  g_autofree char *text =
      hl_score_explain (self->document, scope, hl_score_choice_get (&self->score));
  gtk_label_set_text (self->explained, text);
}

static void
changed_cb (HlImportancePanel *self)
{
  if (self->document == NULL || self->score.is_filling || self->scatter_x.is_filling ||
      self->scatter_y.is_filling || !gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;
  show (self);
}

/* The colours of both maps share the range of all heads, which is known at the end. */
static void
layer_ready_cb (HlImportancePanel *self, int layer)
{
  if (layer < 0 && gtk_widget_get_mapped (GTK_WIDGET (self)))
    hl_before_after_show (self->before_after);
}

static void
selection_changed_cb (HlImportancePanel *self, guint parts)
{
  if ((parts & (HL_SELECTION_HEAD | HL_SELECTION_ABLATED)) != 0)
    changed_cb (self);
}

/* ---- what is clicked -----------------------------------------------------------------
 */

static void
choose_head (HlImportancePanel *self, const HlHeadScores *scores, int index)
{
  int layer = 0;
  if (index < 0 || index >= scores->n_heads)
    return;
  while (index >= scores->first[layer + 1])
    layer++;
  hl_selection_set_stack_head (hl_document_get_selection (self->document), 0, layer,
                               index - scores->first[layer]);
}

static void
bar_activated_cb (HlChartView *view, int mark, HlImportancePanel *self)
{
  HlHeadScores *scores = scores_of (self);
  if (scores != NULL && mark < self->n_order)
    choose_head (self, scores, self->order[mark]);
}

static void
dot_activated_cb (HlChartView *view, int mark, HlImportancePanel *self)
{
  HlHeadScores *scores = scores_of (self);
  if (scores != NULL)
    choose_head (self, scores, mark);
}

static void
cell_activated_cb (HlHeatmapView *view,
                   gint64 row,
                   gint64 column,
                   HlImportancePanel *self)
{
  HlHeadScores *scores = scores_of (self);
  if (scores == NULL || row < 0 || row >= scores->n_layers || column < 0 ||
      column >= scores->first[row + 1] - scores->first[row])
    return;
  choose_head (self, scores, scores->first[row] + (int) column);
}

static void
run_cb (HlImportancePanel *self)
{
  double fraction;
  if (hl_document_get_analysis (self->document, &fraction) != NULL)
    hl_document_stop_analysis (self->document);
  else
    hl_document_score (self->document, hl_importance_panel_get_scope (self), TRUE);
}

static void
parts_run_cb (HlImportancePanel *self)
{
  hl_document_prune_parts (self->document);
}

static void
curve_run_cb (HlImportancePanel *self)
{
  HlScore score = hl_score_choice_get (&self->score);
  if (score != HL_N_SCORES)
    hl_document_prune_more (self->document, score,
                            gtk_check_button_get_active (self->curve_greedy));
}

/* ---- building ------------------------------------------------------------------------
 */

static GtkToggleButton *
toggle (GtkWidget *box, const char *label, HlImportancePanel *self)
{
  GtkWidget *made = gtk_toggle_button_new_with_mnemonic (label);
  g_signal_connect_object (made, "toggled", G_CALLBACK (changed_cb), self,
                           G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (box), made);
  return GTK_TOGGLE_BUTTON (made);
}

static void
build_head (HlImportancePanel *self)
{
  const char *const scopes[] = { _ ("This input"), _ ("Data set"), NULL };
  GtkWidget *title_row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  self->scope = hl_score_words (title_row, scopes, _ ("What the heads are scored on"));
  g_signal_connect_object (self->scope, "notify::selected", G_CALLBACK (changed_cb), self,
                           G_CONNECT_SWAPPED);
  gtk_widget_set_hexpand (GTK_WIDGET (self->scope), TRUE);
  gtk_widget_set_halign (GTK_WIDGET (self->scope), GTK_ALIGN_START);
  self->options = hl_score_options_new ();
  gtk_box_append (GTK_BOX (title_row), self->options);
  self->run = GTK_BUTTON (
      hl_score_button (title_row, _ ("Ablate Each"), G_CALLBACK (run_cb), self));
  gtk_box_append (GTK_BOX (self->box), title_row);
}

static void
build_empty (HlImportancePanel *self, GtkWidget *parent)
{
  hl_score_empty_init (&self->empty_state, _ ("Which heads matter?"),
                       _ ("_Ablate Each Head"), G_CALLBACK (run_cb), self);
  self->empty = self->empty_state.box;
  gtk_box_append (GTK_BOX (parent), self->empty);
}

static void
build_map (HlImportancePanel *self, GtkWidget *page)
{
  GtkWidget *section = hl_score_section (page, _ ("By Layer and Head"));
  self->map = hl_score_map (section, 200, _ ("Score by layer and head"));
  g_signal_connect_object (self->map, "cell-activated", G_CALLBACK (cell_activated_cb),
                           self, 0);
}

static void
build_more (HlImportancePanel *self, GtkWidget *page)
{
  GtkWidget *section = hl_score_section (page, _ ("Parts of the Selected Head"));
  self->parts_run = GTK_BUTTON (
      hl_score_button (section, _ ("Prune Parts"), G_CALLBACK (parts_run_cb), self));
  gtk_widget_set_halign (GTK_WIDGET (self->parts_run), GTK_ALIGN_START);
  self->parts = hl_score_chart (section, 170, _ ("Parts of a head pruned"));

  section = hl_score_section (page, _ ("Two Scores"));
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  gtk_box_append (GTK_BOX (section), row);
  hl_score_choice_init (&self->scatter_x, row, ~0u, _ ("Score across"),
                        G_CALLBACK (changed_cb), self);
  hl_score_choice_init (&self->scatter_y, row, ~0u, _ ("Score upwards"),
                        G_CALLBACK (changed_cb), self);
  self->scatter = hl_score_chart (section, 220, _ ("Two scores of each head"));
  g_signal_connect_object (self->scatter, "mark-activated", G_CALLBACK (dot_activated_cb),
                           self, 0);
  self->scatter_caption = hl_score_caption (section);

  self->top_section = section =
      hl_score_section (page, _ ("Inputs with the Most, for the Selected Head"));
  row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  gtk_box_append (GTK_BOX (section), row);
  self->only_errors = toggle (row, _ ("Wrongly Predicted"), self);

  self->curve_section = section = hl_score_section (page, _ ("More and More Heads"));
  row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  gtk_box_append (GTK_BOX (section), row);
  self->curve_run = GTK_BUTTON (
      hl_score_button (row, _ ("Prune in This Order"), G_CALLBACK (curve_run_cb), self));
  GtkWidget *greedy = gtk_check_button_new_with_mnemonic (_ ("_Greedy too"));
  gtk_widget_set_tooltip_text (
      greedy, _ ("Beside it the order in which at each step the head goes that is missed "
                 "least then: about half as many runs of the data set as the square of "
                 "the number of heads"));
  gtk_box_append (GTK_BOX (row), greedy);
  self->curve_greedy = GTK_CHECK_BUTTON (greedy);
  self->curve_accuracy = toggle (row, _ ("Accuracy"), self);
  self->curve = hl_score_chart (section, 200, _ ("Pruning curve"));
  self->explained = hl_score_explained (page);
}

static void
build_charts (HlImportancePanel *self, GtkWidget *parent)
{
  GtkWidget *page = gtk_box_new (GTK_ORIENTATION_VERTICAL, 18);
  GtkWidget *section = hl_score_section (page, NULL);
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  gtk_box_append (GTK_BOX (section), row);
  hl_score_choice_init (&self->score, row,
                        1u << HL_SCORES_PRUNING | 1u << HL_SCORES_LAYER |
                            1u << HL_SCORES_GRADIENT,
                        _ ("Score"), G_CALLBACK (changed_cb), self);
  self->sorted = toggle (row, _ ("Sorted"), self);
  self->bars = hl_score_chart (section, 190, _ ("A bar a head"));
  g_signal_connect_object (self->bars, "mark-activated", G_CALLBACK (bar_activated_cb),
                           self, 0);
  self->bars_caption = hl_score_caption (section);
  build_map (self, page);
  build_more (self, page);
  self->charts = page;
  gtk_box_append (GTK_BOX (parent), page);
}

void
hl_importance_panel_set_document (HlImportancePanel *self, HlDocument *document)
{
  static const char *const signals[] = { "scores-changed", "dataset-changed",
                                         "trace-changed",  "model-changed",
                                         "input-changed",  "busy-changed" };
  g_return_if_fail (self->document == NULL);
  self->document = g_object_ref (document);
  hl_score_follow_session (self->scope, document);
  g_signal_connect_object (document, "layer-ready", G_CALLBACK (layer_ready_cb), self,
                           G_CONNECT_SWAPPED);
  hl_before_after_set_document (self->before_after, document);
  self->top_inputs = hl_top_inputs_new (document);
  gtk_box_append (GTK_BOX (self->top_section), self->top_inputs);
  hl_score_options_set_document (self->options, document);
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    g_signal_connect_object (document, signals[i],
                             g_str_equal (signals[i], "busy-changed")
                                 ? G_CALLBACK (show_run)
                                 : G_CALLBACK (changed_cb),
                             self, G_CONNECT_SWAPPED);
  g_signal_connect_object (hl_document_get_selection (document), "changed",
                           G_CALLBACK (selection_changed_cb), self, G_CONNECT_SWAPPED);
}

void
hl_importance_panel_set_is_dark (HlImportancePanel *self, gboolean is_dark)
{
  hl_chart_view_set_is_dark (self->bars, is_dark);
  hl_chart_view_set_is_dark (self->parts, is_dark);
  hl_chart_view_set_is_dark (self->scatter, is_dark);
  hl_chart_view_set_is_dark (self->curve, is_dark);
  hl_heatmap_view_set_is_dark (self->map, is_dark);
  hl_before_after_set_is_dark (self->before_after, is_dark);
}

GPtrArray *
hl_importance_panel_get_charts (HlImportancePanel *self)
{
  HlChartView *const views[] = { self->bars, self->scatter, self->parts, self->curve };
  GPtrArray *scenes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_chart_scene_unref);
  for (guint i = 0; i < G_N_ELEMENTS (views); i++)
    if (gtk_widget_get_mapped (GTK_WIDGET (views[i])) &&
        hl_chart_view_get_scene (views[i]) != NULL)
      g_ptr_array_add (scenes, hl_chart_scene_ref (hl_chart_view_get_scene (views[i])));
  return scenes;
}

static void
hl_importance_panel_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (hl_importance_panel_parent_class)->map (widget);
  changed_cb (HL_IMPORTANCE_PANEL (widget));
}

static void
hl_importance_panel_dispose (GObject *object)
{
  HlImportancePanel *self = HL_IMPORTANCE_PANEL (object);
  g_clear_object (&self->document);
  hl_score_choice_clear (&self->score);
  hl_score_choice_clear (&self->scatter_x);
  hl_score_choice_clear (&self->scatter_y);
  g_clear_pointer (&self->order, g_free);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  G_OBJECT_CLASS (hl_importance_panel_parent_class)->dispose (object);
}

static void
hl_importance_panel_class_init (HlImportancePanelClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_importance_panel_dispose;
  widget->map = hl_importance_panel_map;
  gtk_widget_class_set_layout_manager_type (widget, GTK_TYPE_BIN_LAYOUT);
}

static void
hl_importance_panel_init (HlImportancePanel *self)
{
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  gtk_widget_set_margin_top (self->box, 6);
  gtk_widget_set_margin_start (self->box, 12);
  gtk_widget_set_margin_end (self->box, 6);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  build_head (self);
  GtkWidget *page, *scroller = hl_score_scroller (&page);
  gtk_box_append (GTK_BOX (self->box), scroller);
  GtkWidget *before_after = hl_before_after_new ();
  gtk_box_append (GTK_BOX (page), before_after);
  self->before_after = HL_BEFORE_AFTER (before_after);
  build_empty (self, page);
  build_charts (self, page);
}
