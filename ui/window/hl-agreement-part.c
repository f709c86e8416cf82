/* SPDX-License-Identifier: MIT
 * How far attention and saliency agree. */
#include "config.h"

#include "window/hl-agreement-part.h"

#include "gl/hl-patch-view.h"
#include "gl/hl-scatter-view.h"
#include "presenters/hl-present.h"
#include "window/hl-score-page.h"

#include <glib/gi18n.h>
#include <math.h>

/* Pairs of an output and a token up to which each is a dot. */
#define DOTS_MOST 200000
#define PICTURE_SIDE 230

struct _HlAgreementPart
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *box;
  HlHeatmapView *heads;
  GtkLabel *heads_caption;
  GtkWidget *by_output_section;
  HlChartView *by_output;
  HlPatchView *parted; /* the input, of a picture or recording */
  HlHeatmapView *parting;
  GtkLabel *parting_caption;
  GtkWidget *scatter_section;
  HlScatterView *scatter;
  GtkLabel *scatter_caption;
  HlCrossResult *result; /* that is shown */
};

G_DEFINE_FINAL_TYPE (HlAgreementPart, hl_agreement_part, GTK_TYPE_WIDGET)

/* ---- showing -------------------------------------------------------------------------
 */

/* (transfer full): numbers as the charts have them. */
static char *
describe_head (const HlCrossComparison *all, gsize at, HlHeadKey head)
{
  g_autofree char *r = hl_present_number (all->pearson[at], "%.3f");
  g_autofree char *spearman = hl_present_number (all->spearman[at], "%.3f");
  g_autofree char *diagonality = hl_present_number (all->diagonality[at], "%.3f");
  g_autofree char *monotonicity = hl_present_number (all->monotonicity[at], "%.3f");
  return g_strdup_printf (
      _ ("Head %d.%d: r %s, Spearman %s, diagonality %s, monotonicity %s. "), head.layer,
      head.head, r, spearman, diagonality, monotonicity);
}

void
hl_agreement_part_show_head (HlAgreementPart *self, const HlCompare *c)
{
  const HlCrossComparison *all = c->result->comparison;
  HlHeadKey head = hl_selection_get_head (hl_document_get_selection (self->document));
  g_autoptr (HlMatrixScene) heads = hl_compare_heads (c, head);
  hl_heatmap_view_set_scene (self->heads, heads);
  gboolean is_here =
      head.stack == all->stack && head.layer < all->n_layers && head.head < all->n_heads;
  gsize at = is_here ? (gsize) (head.layer * all->n_heads + head.head) : 0;
  /* Of a single output there is no diagonal. */
  g_autofree char *own = is_here && !isnan (all->pearson[at])
                             ? describe_head (all, at, head)
                             : g_strdup ("");
  g_autofree char *r = hl_present_number (all->pearson_all, "%.3f");
  g_autofree char *square =
      hl_present_number (all->pearson_all * all->pearson_all, "%.3f");
  g_autofree char *spearman = hl_present_number (all->spearman_all, "%.3f");
  g_autofree char *text = g_strdup_printf (_ ("%sMean map of all heads: r %s, r² %s, "
                                              "Spearman %s. Click a head to look at it."),
                                           own, r, square, spearman);
  gtk_label_set_text (self->heads_caption, text);
}

static void
show_outputs (HlAgreementPart *self, const HlCompare *c)
{
  gboolean has_several = c->result->comparison->n_targets > 1;
  gtk_widget_set_visible (self->by_output_section, has_several);
  if (!has_several)
    return;
  g_autoptr (HlChartScene) outputs = hl_compare_by_output (c);
  hl_chart_view_set_scene (self->by_output, outputs);
}

/* On the input itself, where it is one to be seen. */
static void
show_parted (HlAgreementPart *self, const HlCompare *c)
{
  gboolean is_seen = hl_compare_kind (c) != HL_COMPARE_TOKENS;
  gtk_widget_set_visible (GTK_WIDGET (self->parted), is_seen);
  if (!is_seen)
    return;
  g_autoptr (HlOverlayScene) scene =
      hl_compare_parting (c, hl_document_get_view (self->document));
  hl_patch_view_set_scene (self->parted, scene);
}

/* These are of all outputs, whichever is picked. */
static void
show_parting (HlAgreementPart *self, const HlCompare *c)
{
  const HlCrossComparison *all = c->result->comparison;
  g_autoptr (HlMatrixScene) parting = hl_compare_disagreement (c);
  hl_heatmap_view_set_scene (self->parting, parting);
  gtk_widget_set_visible (GTK_WIDGET (self->parting), all->n_targets > 1);
  gtk_label_set_text (self->parting_caption, parting->caption);
  gboolean is_drawn = (gint64) all->n_targets * all->n_keys <= DOTS_MOST;
  g_autoptr (HlChartScene) dots = is_drawn ? hl_compare_scatter (c) : NULL;
  gtk_widget_set_visible (self->scatter_section, dots != NULL);
  if (dots == NULL)
    return;
  hl_scatter_view_set_scene (self->scatter, dots);
  gtk_label_set_text (self->scatter_caption, dots->caption);
}

void
hl_agreement_part_show_output (HlAgreementPart *self, const HlCompare *c)
{
  show_outputs (self, c);
  show_parted (self, c);
}

void
hl_agreement_part_show (HlAgreementPart *self, const HlCompare *c)
{
  g_clear_pointer (&self->result, hl_cross_result_unref);
  self->result = hl_cross_result_ref ((HlCrossResult *) c->result);
  hl_agreement_part_show_head (self, c);
  hl_agreement_part_show_output (self, c);
  show_parting (self, c);
}

/* ---- choosing ------------------------------------------------------------------------
 */

static void
head_cb (HlHeatmapView *view, gint64 row, gint64 column, HlAgreementPart *self)
{
  const HlCrossComparison *all = self->result != NULL ? self->result->comparison : NULL;
  if (all != NULL && row >= 0 && column >= 0 && row < all->n_layers &&
      column < all->n_heads && !isnan (all->monotonicity[row * all->n_heads + column]))
    hl_selection_set_stack_head (hl_document_get_selection (self->document), all->stack,
                                 (int) row, (int) column);
}

static void
output_cb (HlChartView *view, int mark, HlAgreementPart *self)
{
  g_signal_emit_by_name (self, "output-chosen", mark);
}

static void
parting_cb (HlHeatmapView *view, gint64 row, gint64 column, HlAgreementPart *self)
{
  g_signal_emit_by_name (self, "output-chosen", (int) row);
}

static void
dot_cb (HlScatterView *view, int mark, int dot, HlAgreementPart *self)
{
  HlChartScene *scene = hl_scatter_view_get_scene (self->scatter);
  const HlChartSeries *dots = scene != NULL ? hl_chart_scene_get (scene, 0) : NULL;
  int i = mark >= 0 ? mark : dot;
  gboolean has_name = dots != NULL && i >= 0 && i < dots->n && dots->names != NULL &&
                      dots->names[i] != NULL;
  gtk_label_set_text (self->scatter_caption, has_name        ? dots->names[i]
                                             : scene != NULL ? scene->caption
                                                             : "");
}

void
hl_agreement_part_set_is_dark (HlAgreementPart *self, gboolean is_dark)
{
  hl_heatmap_view_set_is_dark (self->heads, is_dark);
  hl_heatmap_view_set_is_dark (self->parting, is_dark);
  hl_patch_view_set_is_dark (self->parted, is_dark);
  hl_chart_view_set_is_dark (self->by_output, is_dark);
  hl_scatter_view_set_is_dark (self->scatter, is_dark);
}

void
hl_agreement_part_add_charts (HlAgreementPart *self, GPtrArray *scenes)
{
  HlChartScene *all[] = { hl_chart_view_get_scene (self->by_output),
                          hl_scatter_view_get_scene (self->scatter) };
  GtkWidget *sections[] = { self->by_output_section, self->scatter_section };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    if (all[i] != NULL && gtk_widget_get_visible (sections[i]))
      g_ptr_array_add (scenes, hl_chart_scene_ref (all[i]));
}

HlMatrixScene *
hl_agreement_part_get_heads (HlAgreementPart *self)
{
  return hl_heatmap_view_get_scene (self->heads);
}

/* ---- building ------------------------------------------------------------------------
 */

static void
build_heads (HlAgreementPart *self)
{
  GtkWidget *section = hl_score_section (self->box, _ ("Agreement of Each Head"));
  self->heads = hl_score_map (section, 240, _ ("Pearson's r of each head"));
  g_signal_connect_object (self->heads, "cell-activated", G_CALLBACK (head_cb), self, 0);
  self->heads_caption = hl_score_caption (section);
  self->by_output_section = hl_score_section (self->box, _ ("Agreement by Output"));
  self->by_output =
      hl_score_chart (self->by_output_section, 190, _ ("Pearson's r by output"));
  g_signal_connect_object (self->by_output, "mark-activated", G_CALLBACK (output_cb),
                           self, 0);
  gtk_label_set_text (hl_score_caption (self->by_output_section),
                      _ ("Of the map that is shown above; dashed: of all its rows "
                         "together."));
}

static void
build_parting (HlAgreementPart *self)
{
  GtkWidget *section = hl_score_section (self->box, _ ("Where They Part"));
  GtkWidget *parted = hl_patch_view_new ();
  gtk_widget_set_size_request (parted, -1, PICTURE_SIDE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (parted), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Attention less saliency on the input"), -1);
  gtk_box_append (GTK_BOX (section), parted);
  self->parted = HL_PATCH_VIEW (parted);
  self->parting = hl_score_map (section, 220, _ ("Attention less saliency"));
  g_signal_connect_object (self->parting, "cell-activated", G_CALLBACK (parting_cb), self,
                           0);
  self->parting_caption = hl_score_caption (section);
  self->scatter_section = hl_score_section (self->box, _ ("One against the Other"));
  GtkWidget *scatter = hl_scatter_view_new ();
  gtk_widget_set_size_request (scatter, -1, 280);
  gtk_accessible_update_property (GTK_ACCESSIBLE (scatter), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Attention against saliency"), -1);
  g_signal_connect_object (scatter, "mark-hovered", G_CALLBACK (dot_cb), self, 0);
  gtk_box_append (GTK_BOX (self->scatter_section), scatter);
  self->scatter = HL_SCATTER_VIEW (scatter);
  self->scatter_caption = hl_score_caption (self->scatter_section);
}

static void
hl_agreement_part_dispose (GObject *object)
{
  HlAgreementPart *self = HL_AGREEMENT_PART (object);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_pointer (&self->result, hl_cross_result_unref);
  g_clear_object (&self->document);
  G_OBJECT_CLASS (hl_agreement_part_parent_class)->dispose (object);
}

static void
hl_agreement_part_class_init (HlAgreementPartClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_agreement_part_dispose;
  g_signal_new ("output-chosen", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                NULL, NULL, G_TYPE_NONE, 1, G_TYPE_INT);
  gtk_widget_class_set_layout_manager_type (widget, GTK_TYPE_BIN_LAYOUT);
}

static void
hl_agreement_part_init (HlAgreementPart *self)
{
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 18);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  build_heads (self);
  build_parting (self);
}

GtkWidget *
hl_agreement_part_new (HlDocument *document)
{
  HlAgreementPart *self = g_object_new (HL_TYPE_AGREEMENT_PART, NULL);
  self->document = g_object_ref (document);
  return GTK_WIDGET (self);
}
