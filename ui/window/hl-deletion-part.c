/* SPDX-License-Identifier: MIT
 * What is left of a prediction. */
#include "config.h"

#include "window/hl-deletion-part.h"

#include "presenters/hl-present-agreement.h"
#include "presenters/hl-present-compare.h"
#include "presenters/hl-present.h"
#include "window/hl-score-page.h"

#include <glib/gi18n.h>
#include <string.h>

struct _HlDeletionPart
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *box;
  GtkDropDown *metric;
  GtkWidget *measure;
  GtkWidget *curves;
  HlChartView *deletion, *insertion;
  GtkLabel *areas;
  HlSessionResult *kept; /* that is shown */
};

G_DEFINE_FINAL_TYPE (HlDeletionPart, hl_deletion_part, GTK_TYPE_WIDGET)

/* (transfer full) */
static char *
order_words (const HlCrossResult *result, int order)
{
  const HlFaithfulness *f = result->faithfulness;
  if (order == HL_ORDER_ATTENTION && f->heads != NULL)
    return g_strdup_printf (strchr (f->heads, ',') != NULL ? _ ("attention (heads %s)")
                                                           : _ ("attention (head %s)"),
                            f->heads);
  if (order == HL_ORDER_ATTENTION && !result->options.by_norm)
    return g_strdup (_ ("attention (mean of all heads)"));
  return g_strdup (order == HL_ORDER_ATTENTION  ? _ ("attention")
                   : order == HL_ORDER_SALIENCY ? _ ("saliency")
                                                : _ ("chance"));
}

/* (transfer full): "0.180 [0.106, 0.277]"; of one output without an interval. */
static char *
area_words (const HlInterval *x, int n)
{
  g_autofree char *mean = hl_present_number (x->mean, "%.3f");
  g_autofree char *low = hl_present_number (x->low, "%.3f");
  g_autofree char *high = hl_present_number (x->high, "%.3f");
  return n < 2 ? g_strdup (mean) : g_strdup_printf ("%s [%s, %s]", mean, low, high);
}

/* (transfer full): areas with their intervals, a line an order. */
static char *
describe_areas (const HlCrossResult *result)
{
  const HlFaithfulness *f = result->faithfulness;
  GString *text = g_string_new (NULL);
  for (int o = 0; o < HL_N_ORDERS; o++)
    {
      g_autofree char *order = order_words (result, o);
      g_autofree char *away = area_words (&f->deletion_area[o], f->n_targets);
      g_autofree char *given = area_words (&f->insertion_area[o], f->n_targets);
      g_string_append_printf (text, _ ("By %s: deletion %s, insertion %s\n"), order, away,
                              given);
    }
  g_string_append_printf (
      text,
      ngettext ("Area under each curve, of %d output.",
                "Area under each curve, mean of %d outputs [95%% interval].",
                f->n_targets),
      f->n_targets);
  g_string_append_c (text, ' ');
  g_string_append (text, hl_metric_falls (f->metric)
                             ? _ ("Less is better in deletion, more in insertion.")
                             : _ ("More is better in deletion, less in insertion."));
  return g_string_free (text, FALSE);
}

/* (transfer full): what two areas' own intervals do not tell, and whether there is
 * anything to tell. */
static char *
describe_difference (const HlFaithfulness *f)
{
  double whole, nothing;
  HlInterval x = hl_faithfulness_difference (f, FALSE);
  HlInterval y = hl_faithfulness_difference (f, TRUE);
  gboolean tells = hl_faithfulness_get_ends (f, &whole, &nothing);
  g_autofree char *away = area_words (&x, f->n_targets);
  g_autofree char *given = area_words (&y, f->n_targets);
  g_autofree char *all = hl_present_number (whole, "%.3f");
  g_autofree char *none = hl_present_number (nothing, "%.3f");
  g_autofree char *ends = g_strdup_printf (
      tells ? _ ("Of the whole it is %s, with every token replaced %s.")
            : _ ("Of the whole it is %s, with every token replaced %s: the baseline "
                 "changes "
                 "hardly anything, and these areas say little. Try another one."),
      all, none);
  return f->n_targets > 1
             ? g_strdup_printf (
                   _ ("\nSaliency less attention, output by output: deletion "
                      "%s, insertion %s.\n%s"),
                   away, given, ends)
             : g_strconcat ("\n", ends, NULL);
}

/* Whether the attention that is shown is of other heads than was measured. */
static gboolean
is_of_others (HlDeletionPart *self, const HlFaithfulness *f)
{
  HlCrossHeads which;
  const GArray *shown = hl_document_get_cross_map_heads (self->document, &which);
  gboolean is_all = hl_document_get_cross_map (self->document) == NULL || shown == NULL;
  g_autofree char *names =
      is_all ? NULL
             : hl_compare_list_heads ((const HlHeadKey *) (gpointer) shown->data,
                                      shown->len);
  return g_strcmp0 (names, f->heads) != 0;
}

static void
show_areas (HlDeletionPart *self, const HlCrossResult *result)
{
  g_autofree char *areas = describe_areas (result);
  g_autofree char *difference = describe_difference (result->faithfulness);
  g_autofree char *text = g_strconcat (
      areas, difference,
      is_of_others (self, result->faithfulness)
          ? _ ("\nThe attention shown above is of other heads: measure again for theirs.")
          : "",
      NULL);
  gtk_label_set_text (self->areas, text);
}

static void
show_curves (HlDeletionPart *self, const HlFaithfulness *f, HlSessionResult *kept)
{
  g_autoptr (HlChartScene) deletion = hl_present_left (kept, FALSE, NULL);
  g_autoptr (HlChartScene) insertion = hl_present_left (kept, TRUE, NULL);
  hl_chart_view_set_scene (self->deletion, deletion);
  hl_chart_view_set_scene (self->insertion, insertion);
  gtk_drop_down_set_selected (self->metric, f->metric);
}

void
hl_deletion_part_show (HlDeletionPart *self)
{
  HlCrossResult *result = hl_document_get_cross (self->document);
  HlSessionResult *kept = hl_document_get_cross_kept (self->document);
  const HlFaithfulness *f = result != NULL ? result->faithfulness : NULL;
  gtk_widget_set_visible (self->curves, f != NULL);
  if (f != NULL && kept != self->kept)
    show_curves (self, f, kept);
  if (f != NULL)
    show_areas (self, result);
  g_clear_pointer (&self->kept, hl_session_result_unref);
  if (kept != NULL)
    self->kept = hl_session_result_ref (kept);
  hl_deletion_part_show_busy (self);
}

void
hl_deletion_part_show_busy (HlDeletionPart *self)
{
  double fraction;
  const HlModelInfo *info = hl_document_get_model_info (self->document);
  guint metric = gtk_drop_down_get_selected (self->metric);
  gboolean is_said =
      metric < HL_N_METRICS && hl_metric_is_of_sentence ((HlFaithfulnessMetric) metric);
  gboolean can_say = info != NULL && info->n_source_context > 0;
  gtk_widget_set_sensitive (
      self->measure, hl_document_can_delete (self->document) && (can_say || !is_said) &&
                         hl_document_get_analysis (self->document, &fraction) == NULL);
  gtk_widget_set_tooltip_text (
      self->measure, is_said && !can_say
                         ? _ ("Error rates are of an encoder with a decoder")
                         : _ ("Takes away the tokens that attention, saliency or chance "
                              "put first, a tenth "
                              "at a time, and looks what the prediction becomes"));
}

static void
measure_cb (HlDeletionPart *self)
{
  guint metric = gtk_drop_down_get_selected (self->metric);
  if (metric < HL_N_METRICS)
    hl_document_delete (self->document, (HlFaithfulnessMetric) metric);
}

static void
metric_cb (HlDeletionPart *self)
{
  if (self->document != NULL)
    hl_deletion_part_show_busy (self);
}

void
hl_deletion_part_set_is_dark (HlDeletionPart *self, gboolean is_dark)
{
  hl_chart_view_set_is_dark (self->deletion, is_dark);
  hl_chart_view_set_is_dark (self->insertion, is_dark);
}

void
hl_deletion_part_add_charts (HlDeletionPart *self, GPtrArray *scenes)
{
  HlChartView *charts[] = { self->deletion, self->insertion };
  for (guint i = 0; i < G_N_ELEMENTS (charts); i++)
    {
      HlChartScene *scene = hl_chart_view_get_scene (charts[i]);
      if (scene != NULL && gtk_widget_get_visible (self->curves))
        g_ptr_array_add (scenes, hl_chart_scene_ref (scene));
    }
}

/* ---- object --------------------------------------------------------------------------
 */

static void
hl_deletion_part_dispose (GObject *object)
{
  HlDeletionPart *self = HL_DELETION_PART (object);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_pointer (&self->kept, hl_session_result_unref);
  g_clear_object (&self->document);
  G_OBJECT_CLASS (hl_deletion_part_parent_class)->dispose (object);
}

static void
hl_deletion_part_class_init (HlDeletionPartClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_deletion_part_dispose;
  gtk_widget_class_set_layout_manager_type (widget, GTK_TYPE_BIN_LAYOUT);
}

static void
hl_deletion_part_init (HlDeletionPart *self)
{
  const char *const metrics[] = { _ ("Probability"), _ ("Loss"), _ ("Word error rate"),
                                  _ ("Token error rate"), NULL };
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  GtkWidget *section = hl_score_section (self->box, _ ("What Is Left without It"));
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  gtk_box_append (GTK_BOX (section), row);
  self->metric = hl_score_words (row, metrics, _ ("What is read of what is left"));
  self->measure = hl_score_button (row, _ ("_Measure Deletion and Insertion"),
                                   G_CALLBACK (measure_cb), self);
  g_signal_connect_object (self->metric, "notify::selected", G_CALLBACK (metric_cb), self,
                           G_CONNECT_SWAPPED);
  self->curves = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  gtk_box_append (GTK_BOX (section), self->curves);
  self->deletion = hl_score_chart (self->curves, 200, _ ("Deletion"));
  self->insertion = hl_score_chart (self->curves, 200, _ ("Insertion"));
  self->areas = hl_score_caption (self->curves);
}

GtkWidget *
hl_deletion_part_new (HlDocument *document)
{
  HlDeletionPart *self = g_object_new (HL_TYPE_DELETION_PART, NULL);
  self->document = g_object_ref (document);
  return GTK_WIDGET (self);
}
