/* SPDX-License-Identifier: MIT
 * Middle, page Saliency. */
#include "config.h"

#include "window/hl-saliency-panel.h"

#include "presenters/hl-present-compare.h"
#include "presenters/hl-saliency-words.h"
#include "window/hl-agreement-part.h"
#include "window/hl-compare-part.h"
#include "window/hl-deletion-part.h"
#include "window/hl-masks-part.h"
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
  GtkLabel *rows_caption;
  HlMasksPart *live_masks, *masks;
  HlAgreementPart *agreement;
  HlDeletionPart *deletion;
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
  const HlCrossResult *result = hl_document_get_cross (self->document);
  gtk_widget_set_sensitive (GTK_WIDGET (self->heads_choice),
                            result != NULL && !result->options.by_norm);
  gtk_button_set_label (self->run, is_busy ? _ ("Stop") : _ ("Compute"));
  hl_score_show_busy (self->document, GTK_WIDGET (self->run), self->empty_state.run);
  gtk_widget_set_sensitive (GTK_WIDGET (self->run), is_busy || can);
  hl_deletion_part_show_busy (self->deletion);
  hl_masks_part_show (self->live_masks);
  hl_masks_part_show (self->masks);
}

static gboolean
has_other (HlSaliencyPanel *self)
{
  const HlModelInfo *info = hl_document_get_model_info (self->document);
  return hl_document_has_model (self->document) && info != NULL &&
         info->other_kind[0] != '\0';
}

static void
show_empty (HlSaliencyPanel *self)
{
  gboolean can = hl_document_can_compare (self->document);
  gtk_label_set_text (
      self->empty_state.words,
      can ? _ ("What the model says is traced back to its input, and held against where "
               "its heads look.")
      : has_other (self)
          ? _ ("This model ends in no prediction. Under Options it takes what the input "
               "may go together with, and then says what speaks for that.")
      : hl_document_has_model (self->document)
          ? _ ("This model ends in no prediction, which could be explained.")
          : _ ("Only a trace is open: saliency needs the model itself."));
  gtk_widget_set_visible (self->empty_state.run, can);
  gtk_widget_set_visible (self->empty_state.open, FALSE);
}

static void
show_rows (HlSaliencyPanel *self, const HlCompare *c)
{
  g_autoptr (HlChartScene) rows = hl_compare_rows (c);
  hl_chart_view_set_scene (self->rows, rows);
  gtk_label_set_text (self->rows_caption,
                      c->target < 0
                          ? _ ("Means of the shares over the outputs that can see a "
                               "token; r above is of their rows, not of these two "
                               "lines.")
                          : "");
  gtk_widget_set_visible (GTK_WIDGET (self->rows_caption), c->target < 0);
}

/* Choices that need heads that are not there are said to be all heads' by the caption;
 * the list says which are there. */
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
      _ ("Saliency: %s: %s; at the row that emits the token. Signed saliency counts by "
         "its "
         "size.\nAttention: the rows of the same outputs.\n"
         "r: Pearson's correlation of all rows of a map with saliency, %s (arXiv "
         "2509.18010). r of a mean map is not the mean of the heads' r.\nDiagonality: "
         "correlation of an output's place with its row's centre of mass. Monotonicity: "
         "the most of the weight that lies on a path which does not go back.\nDeletion "
         "and insertion: tokens are replaced by the baseline's, or all others are, in "
         "the "
         "order of each map (Petsiuk et al., arXiv 1806.07421); chance is drawn with "
         "seed "
         "%u."),
      method, hl_saliency_explain (o->method),
      result->options.is_raw ? _ ("as they are") : _ ("each row z-scored first"),
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
  HlCompare c = hl_compare_part_get (self->part);
  show_rows (self, &c);
  hl_agreement_part_show (self->agreement, &c);
  hl_deletion_part_show (self->deletion);
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
  else if (hl_saliency_options_check (self->options))
    hl_document_compare (self->document);
}

static void
heads_choice_cb (HlSaliencyPanel *self)
{
  if (self->document == NULL || self->is_filling)
    return;
  guint at = gtk_drop_down_get_selected (self->heads_choice);
  if (at >= HL_N_CROSS_HEADS)
    return;
  if (!hl_document_choose_cross_heads (self->document, (HlCrossHeads) at))
    show_heads_choice (self);
}

/* The output that is picked is the query that every view shows. */
static void
chosen_cb (HlComparePart *part, HlSaliencyPanel *self)
{
  HlCompare c = hl_compare_part_get (self->part);
  const HlPlace *place = hl_selection_get_place (selection_of (self));
  HlTrace *shown = hl_document_get_trace (self->document);
  if (c.target >= 0 && place->stack == c.result->comparison->stack && shown != NULL &&
      shown->pieces == NULL)
    hl_selection_set_query (selection_of (self), c.result->query[c.target]);
  show_rows (self, &c);
  hl_agreement_part_show_output (self->agreement, &c);
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
    hl_document_follow_cross_heads (self->document);
  else if (parts & HL_SELECTION_HEAD)
    {
      HlCompare c = hl_compare_part_get (self->part);
      hl_agreement_part_show_head (self->agreement, &c);
    }
}

static void
output_cb (HlAgreementPart *part, int output, HlSaliencyPanel *self)
{
  hl_compare_part_set_target (self->part, output);
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
  const char *const heads[] = {
    _ ("All heads"),       _ ("The head looked at"),        _ ("Pinned heads"),
    _ ("Alignment heads"), _ ("The head that agrees best"), NULL
  };
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  self->heads_choice = hl_score_words (row, heads, _ ("Whose attention is shown"));
  hl_score_ellipsize (self->heads_choice);
  gtk_widget_set_hexpand (GTK_WIDGET (self->heads_choice), TRUE);
  gtk_widget_set_halign (GTK_WIDGET (self->heads_choice), GTK_ALIGN_START);
  g_signal_connect_object (self->heads_choice, "notify::selected",
                           G_CALLBACK (heads_choice_cb), self, G_CONNECT_SWAPPED);
  self->options = hl_saliency_options_new ();
  gtk_box_append (GTK_BOX (row), self->options);
  self->run =
      GTK_BUTTON (hl_score_button (row, _ ("Compute"), G_CALLBACK (run_cb), self));
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
  self->rows_caption = hl_score_caption (rows);
}

static void
build_charts (HlSaliencyPanel *self)
{
  GtkWidget *page, *scroller = hl_score_scroller (&page);
  build_compare (self, page);
  self->masks = HL_MASKS_PART (hl_masks_part_new (self->document, FALSE));
  gtk_box_append (GTK_BOX (page), GTK_WIDGET (self->masks));
  self->agreement = HL_AGREEMENT_PART (hl_agreement_part_new (self->document));
  g_signal_connect_object (self->agreement, "output-chosen", G_CALLBACK (output_cb), self,
                           0);
  gtk_box_append (GTK_BOX (page), GTK_WIDGET (self->agreement));
  self->deletion = HL_DELETION_PART (hl_deletion_part_new (self->document));
  gtk_box_append (GTK_BOX (page), GTK_WIDGET (self->deletion));
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
  self->live_masks = HL_MASKS_PART (hl_masks_part_new (document, TRUE));
  gtk_box_append (GTK_BOX (self->box), GTK_WIDGET (self->live_masks));
  hl_saliency_options_set_document (self->options, document);
  GtkWidget *stack = gtk_stack_new ();
  gtk_widget_set_vexpand (stack, TRUE);
  gtk_box_append (GTK_BOX (self->box), stack);
  self->stack = GTK_STACK (stack);
  hl_score_empty_init (&self->empty_state, _ ("Is attention the explanation?"),
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
  hl_chart_view_set_is_dark (self->rows, is_dark);
  hl_masks_part_set_is_dark (self->live_masks, is_dark);
  hl_masks_part_set_is_dark (self->masks, is_dark);
  hl_agreement_part_set_is_dark (self->agreement, is_dark);
  hl_deletion_part_set_is_dark (self->deletion, is_dark);
  hl_compare_part_set_is_dark (self->part, is_dark);
}

GPtrArray *
hl_saliency_panel_get_charts (HlSaliencyPanel *self)
{
  GPtrArray *scenes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_chart_scene_unref);
  if (hl_document_get_cross (self->document) == NULL)
    return scenes;
  HlChartScene *rows = hl_chart_view_get_scene (self->rows);
  HlChartScene *convergence = hl_masks_part_get_chart (self->masks);
  if (rows != NULL)
    g_ptr_array_add (scenes, hl_chart_scene_ref (rows));
  hl_agreement_part_add_charts (self->agreement, scenes);
  if (convergence != NULL)
    g_ptr_array_add (scenes, hl_chart_scene_ref (convergence));
  hl_deletion_part_add_charts (self->deletion, scenes);
  return scenes;
}

HlCompare *
hl_saliency_panel_dup_compare (HlSaliencyPanel *self)
{
  HlCompare c = hl_compare_part_get (self->part);
  return c.result != NULL ? hl_compare_copy (&c) : NULL;
}

HlMatrixScene *
hl_saliency_panel_get_heads (HlSaliencyPanel *self)
{
  return hl_document_get_cross (self->document) != NULL
             ? hl_agreement_part_get_heads (self->agreement)
             : NULL;
}

static void
hl_saliency_panel_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (hl_saliency_panel_parent_class)->map (widget);
  /* Other heads may have been chosen while the page was out of sight. */
  if (HL_SALIENCY_PANEL (widget)->document != NULL)
    hl_document_follow_cross_heads (HL_SALIENCY_PANEL (widget)->document);
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
