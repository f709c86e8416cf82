/* SPDX-License-Identifier: MIT
 * How good a map by SPES is. */
#include "config.h"

#include "window/hl-masks-part.h"

#include "analysis/hl-spes.h"
#include "presenters/hl-present-compare.h"
#include "window/hl-score-page.h"

#include <glib/gi18n.h>
#include <math.h>

struct _HlMasksPart
{
  GtkWidget parent_instance;
  HlDocument *document;
  gboolean is_live;
  GtkWidget *box;
  HlChartView *chart;
  GtkLabel *words;
  GtkWidget *more;
};

G_DEFINE_FINAL_TYPE (HlMasksPart, hl_masks_part, GTK_TYPE_WIDGET)

/* @known: (nullable): of it more masks may have been run than were checked, where it was
 * stopped. */
static void
show_checks (HlMasksPart *self, const GArray *checks, const HlCrossResult *known)
{
  int n_masks = known != NULL ? known->n_masks : 0;
  const HlSpesOptions *spes =
      &hl_document_get_saliency_choices (self->document)->options.spes;
  const HlSpesCheck *last = &g_array_index (checks, HlSpesCheck, checks->len - 1);
  g_autoptr (HlChartScene) scene = hl_compare_convergence (checks, spes->stable_at);
  g_autofree char *text =
      isnan (last->reliability)
          ? g_strdup_printf (_ ("%d masks: their two halves cannot be compared yet."),
                             last->n_masks)
          : g_strdup_printf (
                _ ("%d masks: reliability %.3f of two halves of them; no map can be "
                   "expected to correlate with this saliency by more than %.3f."),
                last->n_masks, last->reliability, sqrt (fmax (last->reliability, 0)));
  g_autofree char *all =
      n_masks > last->n_masks
          ? g_strdup_printf (_ ("%d masks were run. Of the first %s"), n_masks, text)
          : g_strdup (text);
  int budget_mb = (int) (HL_SPES_BYTES >> 20);
  g_autofree char *budget =
      known != NULL ? g_strdup_printf (_ ("%s %d at a time, within %d MB."), all,
                                       known->n_at_a_time, budget_mb)
                    : g_strdup_printf (_ ("%s As many at a time as %d MB have room for."),
                                       all, budget_mb);
  hl_chart_view_set_scene (self->chart, scene);
  gtk_label_set_text (self->words, budget);
}

void
hl_masks_part_show (HlMasksPart *self)
{
  double fraction;
  HlCrossResult *known = hl_document_get_cross (self->document);
  const GArray *checks = self->is_live   ? hl_document_get_checks (self->document)
                         : known != NULL ? known->checks
                                         : NULL;
  gboolean is_there = checks != NULL && checks->len > 0;
  /* A run that was stopped before its first check can be gone on with, too. */
  gboolean is_known = !self->is_live && known != NULL && known->n_masks > 0;
  gtk_widget_set_visible (GTK_WIDGET (self), is_there || is_known);
  gtk_widget_set_visible (GTK_WIDGET (self->chart), is_there);
  gtk_widget_set_visible (self->more, !self->is_live);
  gtk_widget_set_sensitive (
      self->more, hl_document_can_go_on (self->document) &&
                      hl_document_get_analysis (self->document, &fraction) == NULL);
  if (is_there)
    show_checks (self, checks, is_known ? known : NULL);
  else if (is_known)
    {
      g_autofree char *text = g_strdup_printf (
          ngettext ("%d mask, too few to say how good the map is.",
                    "%d masks, too few to say how good the map is.", known->n_masks),
          known->n_masks);
      gtk_label_set_text (self->words, text);
    }
}

static void
more_cb (HlMasksPart *self)
{
  hl_document_go_on (self->document);
}

void
hl_masks_part_set_is_dark (HlMasksPart *self, gboolean is_dark)
{
  hl_chart_view_set_is_dark (self->chart, is_dark);
}

HlChartScene *
hl_masks_part_get_chart (HlMasksPart *self)
{
  return gtk_widget_get_visible (GTK_WIDGET (self))
             ? hl_chart_view_get_scene (self->chart)
             : NULL;
}

/* ---- object --------------------------------------------------------------------------
 */

static void
hl_masks_part_dispose (GObject *object)
{
  HlMasksPart *self = HL_MASKS_PART (object);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_object (&self->document);
  G_OBJECT_CLASS (hl_masks_part_parent_class)->dispose (object);
}

static void
hl_masks_part_class_init (HlMasksPartClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_masks_part_dispose;
  gtk_widget_class_set_layout_manager_type (widget, GTK_TYPE_BIN_LAYOUT);
}

static void
hl_masks_part_init (HlMasksPart *self)
{
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  GtkWidget *section = hl_score_section (self->box, _ ("Convergence of the Masks"));
  self->chart = hl_score_chart (section, 150, _ ("Reliability by masks"));
  self->words = hl_score_caption (section);
  self->more = hl_score_button (section, _ ("_More Masks"), G_CALLBACK (more_cb), self);
  gtk_widget_set_halign (self->more, GTK_ALIGN_START);
  gtk_widget_set_tooltip_text (
      self->more, _ ("As many again, to the same numbers as if they had been "
                     "asked for at once"));
}

GtkWidget *
hl_masks_part_new (HlDocument *document, gboolean is_live)
{
  HlMasksPart *self = g_object_new (HL_TYPE_MASKS_PART, NULL);
  self->document = g_object_ref (document);
  self->is_live = is_live;
  return GTK_WIDGET (self);
}
