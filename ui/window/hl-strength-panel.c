/* SPDX-License-Identifier: MIT
 * Middle, page Strength. */
#include "config.h"

#include "window/hl-strength-panel.h"

#include "presenters/hl-present-scores.h"
#include "window/hl-score-page.h"
#include "window/hl-top-inputs.h"

#include "trace/hl-word-trace.h"

#include <glib/gi18n.h>
#include <math.h>

/* Entries of all maps up to which they are read without being asked: about a second. */
#define QUICK_ENTRIES ((gint64) 1 << 24)

struct _HlStrengthPanel
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *box;
  GtkDropDown *scope;
  GtkButton *run;
  GtkButton *probe;
  GtkStack *stack;
  HlScoreEmpty empty_state;
  HlScoreChoice score;
  HlChartView *dots;
  GtkLabel *dots_caption;
  GtkDropDown *hops_mode;
  HlChartView *hops;
  GtkWidget *density_section;
  HlChartView *density;
  GtkLabel *density_caption;
  GtkWidget *top_inputs;
  HlHeatmapView *map;
  GtkLabel *explained;
};

G_DEFINE_FINAL_TYPE (HlStrengthPanel, hl_strength_panel, GTK_TYPE_WIDGET)

static const HlScore wished[] = { HL_SCORE_HOP_ENTROPY, HL_N_SCORES };

HlScoreScope
hl_strength_panel_get_scope (HlStrengthPanel *self)
{
  return gtk_drop_down_get_selected (self->scope) == 1 ? HL_SCOPE_DATASET
                                                       : HL_SCOPE_INPUT;
}

static HlHeadScores *
scores_of (HlStrengthPanel *self)
{
  HlHeadScores *scores =
      hl_document_get_scores (self->document, hl_strength_panel_get_scope (self));
  return scores != NULL && hl_head_scores_has (scores, HL_SCORE_HOP_ENTROPY) ? scores
                                                                             : NULL;
}

static gboolean
is_text (HlStrengthPanel *self)
{
  const HlModelInfo *info = hl_document_get_model_info (self->document);
  return info != NULL && !g_str_equal (info->input_kind, "image");
}

static void
show_dots (HlStrengthPanel *self, HlScoreScope scope, HlHeadKey head)
{
  HlScore score = hl_score_choice_get (&self->score);
  HlHeadScores *scores = score != HL_N_SCORES
                             ? hl_document_find_scores (self->document, scope, score)
                             : NULL;
  if (scores == NULL)
    return;
  g_autoptr (HlChartScene) scene = hl_present_layer_dots (scores, score, head);
  g_autoptr (HlMatrixScene) map = hl_present_score_map (scores, score, head);
  g_autofree char *value = hl_present_score_value (scores, score, head);
  g_autofree char *baseline = hl_format_number (hl_head_scores_baseline (scores, score));
  g_autofree char *caption = g_strdup_printf (_ ("%s · a head at random: %s · %s"), value,
                                              baseline, hl_score_formula (score));
  hl_chart_view_set_scene (self->dots, scene);
  hl_heatmap_view_set_scene (self->map, map);
  gtk_label_set_text (self->dots_caption, caption);
  g_autofree char *text = hl_score_explain (self->document, scope, score);
  gtk_label_set_text (self->explained, text);
}

static void
show_hops (HlStrengthPanel *self, HlHeadScores *scores, HlHeadKey head)
{
  g_autoptr (HlChartScene) scene = hl_present_hops (
      scores, head, (HlHopsMode) gtk_drop_down_get_selected (self->hops_mode),
      !is_text (self));
  hl_chart_view_set_scene (self->hops, scene);
}

/* This input among those of the data set. */
static void
show_density (HlStrengthPanel *self, HlHeadKey head)
{
  HlScore score = hl_score_choice_get (&self->score);
  HlHeadScores *all = hl_document_get_scores (self->document, HL_SCOPE_DATASET);
  if (all != NULL && (score == HL_N_SCORES || !hl_head_scores_has (all, score)))
    all = NULL; /* what the probe says is of no input */
  HlHeadScores *own = hl_document_get_scores (self->document, HL_SCOPE_INPUT);
  gboolean is_there = all != NULL && hl_head_scores_get_n_inputs (all) > 1;
  gtk_widget_set_visible (self->density_section, is_there);
  if (!is_there)
    return;
  double value =
      own != NULL ? hl_head_scores_get (own, score, 0, head.layer, head.head) : NAN;
  g_autoptr (HlChartScene) scene = hl_present_density (all, score, head, value);
  hl_chart_view_set_scene (self->density, scene);
  gtk_label_set_text (self->density_caption, scene->title);
  hl_top_inputs_show (self->top_inputs, all, score, head, FALSE);
}

static void
show_empty (HlStrengthPanel *self)
{
  HlScoreScope scope = hl_strength_panel_get_scope (self);
  gboolean can = hl_document_can_score (self->document, scope);
  HlDataset *dataset = hl_document_get_dataset (self->document);
  gboolean has_model = hl_document_has_model (self->document);
  const char *words =
      !has_model ? _ ("Only a trace is open: scores need the model itself.")
      : scope == HL_SCOPE_INPUT
          ? _ ("Every map of this input is read: strength by distance, entropies, "
               "confidence and kinds of heads.")
      : dataset == NULL ? _ ("A data set is needed to see how a head behaves over many "
                             "inputs.")
                        : _ ("Every map of every input of the data set is read.");
  gtk_label_set_text (self->empty_state.words, words);
  gtk_widget_set_visible (self->empty_state.run, can);
  gtk_widget_set_visible (self->empty_state.open, scope == HL_SCOPE_DATASET && has_model);
}

/* Small maps are read without being asked. */
static void
run_if_quick (HlStrengthPanel *self)
{
  double fraction;
  HlTrace *trace = hl_document_get_trace (self->document);
  const HlTokenTable *tokens =
      trace != NULL ? hl_trace_get_tokens (hl_trace_in_tokens (trace), 0) : NULL;
  if (hl_strength_panel_get_scope (self) != HL_SCOPE_INPUT || tokens == NULL ||
      !hl_document_can_score (self->document, HL_SCOPE_INPUT) ||
      hl_document_is_busy (self->document) ||
      hl_document_get_analysis (self->document, &fraction) != NULL ||
      hl_document_get_scores (self->document, HL_SCOPE_INPUT) != NULL)
    return;
  gint64 entries = (gint64) tokens->n_tokens * tokens->n_tokens *
                   hl_model_info_count_heads (trace->model);
  if (entries <= QUICK_ENTRIES)
    hl_document_score (self->document, HL_SCOPE_INPUT, FALSE);
}

static void
show_run (HlStrengthPanel *self)
{
  double fraction;
  gboolean is_busy = hl_document_get_analysis (self->document, &fraction) != NULL;
  gtk_button_set_label (self->run, is_busy ? _ ("Stop") : _ ("Read Maps"));
  hl_score_show_busy (self->document, GTK_WIDGET (self->run), self->empty_state.run);
  gtk_widget_set_sensitive (
      GTK_WIDGET (self->run),
      is_busy ||
          hl_document_can_score (self->document, hl_strength_panel_get_scope (self)));
  gtk_widget_set_visible (GTK_WIDGET (self->probe), is_text (self));
  gtk_widget_set_sensitive (GTK_WIDGET (self->probe),
                            !is_busy &&
                                hl_document_can_score (self->document, HL_SCOPE_PROBE));
}

static void
show (HlStrengthPanel *self)
{
  HlScoreScope scope = hl_strength_panel_get_scope (self);
  HlHeadKey head = hl_document_get_scored_head (self->document);
  HlHeadScores *scores = scores_of (self);
  show_run (self);
  gtk_stack_set_visible_child_name (self->stack, scores != NULL ? "charts" : "empty");
  if (scores == NULL)
    {
      show_empty (self);
      run_if_quick (self);
      return;
    }
  hl_score_choice_fill (&self->score, self->document, scope, wished);
  show_dots (self, scope, head);
  show_hops (self, scores, head);
  show_density (self, head);
}

static void
changed_cb (HlStrengthPanel *self)
{
  if (self->document != NULL && !self->score.is_filling &&
      gtk_widget_get_mapped (GTK_WIDGET (self)))
    show (self);
}

static void
busy_cb (HlStrengthPanel *self)
{
  if (!gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;
  show_run (self);
  if (scores_of (self) == NULL)
    run_if_quick (self);
}

static void
selection_changed_cb (HlStrengthPanel *self, guint parts)
{
  if ((parts & HL_SELECTION_HEAD) != 0)
    changed_cb (self);
}

static void
choose_head (HlStrengthPanel *self, int index)
{
  HlHeadScores *scores = scores_of (self);
  int layer = 0;
  if (scores == NULL || index < 0 || index >= scores->n_heads)
    return;
  while (index >= scores->first[layer + 1])
    layer++;
  hl_selection_set_stack_head (hl_document_get_selection (self->document), 0, layer,
                               index - scores->first[layer]);
}

static void
dot_activated_cb (HlChartView *view, int mark, HlStrengthPanel *self)
{
  choose_head (self, mark);
}

static void
cell_activated_cb (HlHeatmapView *view, gint64 row, gint64 column, HlStrengthPanel *self)
{
  HlHeadScores *scores = scores_of (self);
  if (scores != NULL && row >= 0 && row < scores->n_layers && column >= 0 &&
      column < scores->first[row + 1] - scores->first[row])
    choose_head (self, scores->first[row] + (int) column);
}

static void
run_cb (HlStrengthPanel *self)
{
  double fraction;
  if (hl_document_get_analysis (self->document, &fraction) != NULL)
    hl_document_stop_analysis (self->document);
  else
    hl_document_score (self->document, hl_strength_panel_get_scope (self), FALSE);
}

static void
probe_cb (HlStrengthPanel *self)
{
  hl_document_score (self->document, HL_SCOPE_PROBE, FALSE);
}

/* ---- building ------------------------------------------------------------------------
 */

static void
build_head (HlStrengthPanel *self)
{
  const char *const scopes[] = { _ ("This input"), _ ("Data set"), NULL };
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  self->scope = hl_score_words (row, scopes, _ ("What the heads are scored on"));
  g_signal_connect_object (self->scope, "notify::selected", G_CALLBACK (changed_cb), self,
                           G_CONNECT_SWAPPED);
  gtk_widget_set_hexpand (GTK_WIDGET (self->scope), TRUE);
  gtk_widget_set_halign (GTK_WIDGET (self->scope), GTK_ALIGN_START);
  self->probe =
      GTK_BUTTON (hl_score_button (row, _ ("Probe"), G_CALLBACK (probe_cb), self));
  gtk_widget_set_tooltip_text (
      GTK_WIDGET (self->probe),
      _ ("Random tokens twice over: previous-token, duplicate and induction heads"));
  self->run =
      GTK_BUTTON (hl_score_button (row, _ ("Read Maps"), G_CALLBACK (run_cb), self));
  gtk_box_append (GTK_BOX (self->box), row);
}

static void
build_empty (HlStrengthPanel *self)
{
  hl_score_empty_init (&self->empty_state, _ ("How far do heads look?"),
                       _ ("Read _Every Map"), G_CALLBACK (run_cb), self);
  gtk_stack_add_named (self->stack, self->empty_state.box, "empty");
}

static void
build_sections (HlStrengthPanel *self, GtkWidget *page)
{
  const char *const modes[] = { _ ("Mean a pair"), _ ("Lift over uniform"),
                                _ ("Share of attention"), NULL };
  GtkWidget *section = hl_score_section (page, NULL);
  hl_score_choice_init (&self->score, section,
                        1u << HL_SCORES_STRENGTH | 1u << HL_SCORES_PROBE, _ ("Score"),
                        G_CALLBACK (changed_cb), self);
  self->dots = hl_score_chart (section, 200, _ ("A dot a head, by layer"));
  g_signal_connect_object (self->dots, "mark-activated", G_CALLBACK (dot_activated_cb),
                           self, 0);
  self->dots_caption = hl_score_caption (section);

  section = hl_score_section (page, _ ("The Selected Head by Distance"));
  self->hops_mode = hl_score_words (section, modes, _ ("What the bars say"));
  gtk_widget_set_halign (GTK_WIDGET (self->hops_mode), GTK_ALIGN_START);
  g_signal_connect_object (self->hops_mode, "notify::selected", G_CALLBACK (changed_cb),
                           self, G_CONNECT_SWAPPED);
  self->hops = hl_score_chart (section, 180, _ ("Attention by distance"));

  self->density_section = section =
      hl_score_section (page, _ ("The Selected Head over the Data Set"));
  self->density = hl_score_chart (section, 160, _ ("Spread over the data set"));
  self->density_caption = hl_score_caption (section);

  section = hl_score_section (page, _ ("By Layer and Head"));
  self->map = hl_score_map (section, 200, _ ("Score by layer and head"));
  g_signal_connect_object (self->map, "cell-activated", G_CALLBACK (cell_activated_cb),
                           self, 0);
  self->explained = hl_score_explained (page);
}

static void
build_charts (HlStrengthPanel *self)
{
  GtkWidget *page, *scroller = hl_score_scroller (&page);
  build_sections (self, page);
  gtk_stack_add_named (self->stack, scroller, "charts");
}

void
hl_strength_panel_set_document (HlStrengthPanel *self, HlDocument *document)
{
  static const char *const signals[] = { "scores-changed", "dataset-changed",
                                         "trace-changed", "model-changed",
                                         "input-changed" };
  g_return_if_fail (self->document == NULL);
  self->document = g_object_ref (document);
  hl_score_follow_session (self->scope, document);
  self->top_inputs = hl_top_inputs_new (document);
  gtk_box_append (GTK_BOX (self->density_section), self->top_inputs);
  hl_score_add_tower_note (self->box, gtk_widget_get_first_child (self->box), document);
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    g_signal_connect_object (document, signals[i], G_CALLBACK (changed_cb), self,
                             G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "busy-changed", G_CALLBACK (busy_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (hl_document_get_selection (document), "changed",
                           G_CALLBACK (selection_changed_cb), self, G_CONNECT_SWAPPED);
}

void
hl_strength_panel_set_is_dark (HlStrengthPanel *self, gboolean is_dark)
{
  hl_chart_view_set_is_dark (self->dots, is_dark);
  hl_chart_view_set_is_dark (self->hops, is_dark);
  hl_chart_view_set_is_dark (self->density, is_dark);
  hl_heatmap_view_set_is_dark (self->map, is_dark);
}

GPtrArray *
hl_strength_panel_get_charts (HlStrengthPanel *self)
{
  HlChartView *const views[] = { self->dots, self->hops, self->density };
  GPtrArray *scenes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_chart_scene_unref);
  for (guint i = 0; i < G_N_ELEMENTS (views); i++)
    if (gtk_widget_get_mapped (GTK_WIDGET (views[i])) &&
        hl_chart_view_get_scene (views[i]) != NULL)
      g_ptr_array_add (scenes, hl_chart_scene_ref (hl_chart_view_get_scene (views[i])));
  return scenes;
}

static void
hl_strength_panel_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (hl_strength_panel_parent_class)->map (widget);
  changed_cb (HL_STRENGTH_PANEL (widget));
}

static void
hl_strength_panel_dispose (GObject *object)
{
  HlStrengthPanel *self = HL_STRENGTH_PANEL (object);
  g_clear_object (&self->document);
  hl_score_choice_clear (&self->score);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  G_OBJECT_CLASS (hl_strength_panel_parent_class)->dispose (object);
}

static void
hl_strength_panel_class_init (HlStrengthPanelClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_strength_panel_dispose;
  widget->map = hl_strength_panel_map;
  gtk_widget_class_set_layout_manager_type (widget, GTK_TYPE_BIN_LAYOUT);
}

static void
hl_strength_panel_init (HlStrengthPanel *self)
{
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  gtk_widget_set_margin_top (self->box, 6);
  gtk_widget_set_margin_start (self->box, 12);
  gtk_widget_set_margin_end (self->box, 6);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  build_head (self);
  GtkWidget *stack = gtk_stack_new ();
  gtk_widget_set_vexpand (stack, TRUE);
  gtk_box_append (GTK_BOX (self->box), stack);
  self->stack = GTK_STACK (stack);
  build_empty (self);
  build_charts (self);
}
