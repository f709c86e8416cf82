/* SPDX-License-Identifier: MIT
 * The window's side of exporting: the dialog, and what came of it. */
#include "config.h"

#include "gl/hl-chart-view.h"
#include "gl/hl-head-grid.h"
#include "gl/hl-heatmap-view.h"
#include "gl/hl-patch-view.h"
#include "gl/hl-scatter-view.h"
#include "gl/hl-token-strip.h"
#include "window/hl-export-dialog.h"
#include "window/hl-window-private.h"

#include <glib/gi18n.h>

static void
written_cb (HlExportDialog *dialog, const char *path, HlWindow *self)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *text = g_strdup_printf (_ ("Wrote %s"), name);
  AdwToast *toast = adw_toast_new (text);
  adw_toast_overlay_add_toast (self->toasts, toast);
}

static void
failed_cb (HlExportDialog *dialog, const char *message, HlWindow *self)
{
  hl_window_show_error (self, _ ("The figure was not written"), message);
}

static gboolean
is_page (HlWindow *self, const char *name)
{
  return g_strcmp0 (gtk_stack_get_visible_child_name (self->pages), name) == 0;
}

/* (transfer full) (nullable): the chart that has the focus, or all that the page shows.
 */
static GPtrArray *
shown_charts (HlWindow *self)
{
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));
  if (focus != NULL && HL_IS_CHART_VIEW (focus))
    {
      HlChartScene *scene = hl_chart_view_get_scene (HL_CHART_VIEW (focus));
      GPtrArray *one =
          g_ptr_array_new_with_free_func ((GDestroyNotify) hl_chart_scene_unref);
      if (scene != NULL)
        g_ptr_array_add (one, hl_chart_scene_ref (scene));
      return one;
    }
  return is_page (self, "importance") ? hl_importance_panel_get_charts (self->importance)
         : is_page (self, "strength") ? hl_strength_panel_get_charts (self->strength)
         : is_page (self, "patterns") ? hl_pattern_panel_get_charts (self->patterns)
         : is_page (self, "saliency") ? hl_saliency_panel_get_charts (self->saliency)
         : is_page (self, "overview") ? hl_overview_panel_get_charts (self->overview)
                                      : NULL;
}

/* (nullable): a map of scores or classes that has the focus: then it alone is exported.
 */
static HlMatrixScene *
focused_matrix (HlWindow *self)
{
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));
  gboolean is_on_page = focus != NULL && HL_IS_HEATMAP_VIEW (focus) &&
                        gtk_widget_is_ancestor (focus, GTK_WIDGET (self->pages));
  return is_on_page ? hl_heatmap_view_get_scene (HL_HEATMAP_VIEW (focus)) : NULL;
}

/* The data set, where its scores are what is shown. */
static const char *
charts_of (HlWindow *self)
{
  HlDataset *dataset = hl_document_get_dataset (self->document);
  gboolean is_of_it =
      is_page (self, "overview") ||
      (is_page (self, "importance") &&
       hl_importance_panel_get_scope (self->importance) == HL_SCOPE_DATASET) ||
      (is_page (self, "strength") &&
       hl_strength_panel_get_scope (self->strength) == HL_SCOPE_DATASET);
  return is_of_it && dataset != NULL ? dataset->name : NULL;
}

/* What has the focus is what is exported, unless another is chosen; else the map. */
static HlFigureKind
kind_in_focus (HlWindow *self)
{
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));
  if (focus == NULL)
    return HL_FIGURE_HEATMAP;
  if (HL_IS_HEAD_GRID (focus))
    return HL_FIGURE_GRID;
  if (HL_IS_PATCH_VIEW (focus))
    return HL_FIGURE_OVERLAY;
  if (HL_IS_TOKEN_STRIP (focus))
    return hl_token_strip_get_mode (HL_TOKEN_STRIP (focus)) == HL_TOKEN_LIST
               ? HL_FIGURE_ARCS
               : HL_FIGURE_TOKENS;
  return HL_FIGURE_HEATMAP;
}

/* The map that is a figure with the charts of its page, unless one has the focus. */
static HlMatrixScene *
matrix_of_page (HlWindow *self, GtkWidget *focus)
{
  if (is_page (self, "overview") && (focus == NULL || !HL_IS_SCATTER_VIEW (focus)))
    return hl_overview_panel_get_confusion (self->overview);
  if (is_page (self, "saliency") && focus != NULL && !HL_IS_CHART_VIEW (focus))
    return hl_saliency_panel_get_heads (self->saliency);
  return NULL;
}

void
hl_window_show_export (HlWindow *self)
{
  if (hl_document_get_trace (self->document) == NULL)
    return;
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));
  HlFigureKind kind = kind_in_focus (self);
  HlFigureResults results = { .of = g_strdup (charts_of (self)) };
  HlMatrixScene *focused = focused_matrix (self), *matrix = focused;
  if (matrix == NULL)
    {
      results.charts = shown_charts (self);
      matrix = matrix_of_page (self, focus);
    }
  results.matrix = matrix != NULL ? hl_matrix_scene_ref (matrix) : NULL;
  if (is_page (self, "saliency"))
    results.compare = hl_saliency_panel_dup_compare (self->saliency);
  gboolean is_chosen = focused != NULL || kind == HL_FIGURE_GRID ||
                       (focus != NULL && HL_IS_CHART_VIEW (focus)) ||
                       (focus != NULL && HL_IS_SCATTER_VIEW (focus));
  if (results.compare != NULL && !is_chosen)
    kind = HL_FIGURE_COMPARISON;
  else if (matrix != NULL || (hl_figure_results_has (&results, HL_FIGURE_CHART) &&
                              kind == HL_FIGURE_HEATMAP))
    kind = HL_FIGURE_CHART;
  GtkWidget *dialog =
      hl_export_dialog_new (GTK_WINDOW (self), self->document, kind, &results);
  g_signal_connect_object (dialog, "written", G_CALLBACK (written_cb), self, 0);
  g_signal_connect_object (dialog, "failed", G_CALLBACK (failed_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}
