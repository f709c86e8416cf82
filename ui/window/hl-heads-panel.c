/* SPDX-License-Identifier: MIT
 * Middle: which head. The grid of all heads and, below, the same heads as numbers. */
#include "config.h"

#include "window/hl-heads-panel.h"

#include "gl/hl-gl.h"
#include "gl/hl-head-grid.h"
#include "window/hl-grid-shows.h"
#include "window/hl-head-finder.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdio.h>

struct _HlHeadsPanel
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *paned;
  HlHeadGrid *grid;
  GtkLabel *caption;
  GtkEditable *go_to;
  GtkDropDown *range;
  GtkDropDown *colormap;
  GtkToggleButton *leave_out;
  GtkToggleButton *words;
  GtkDropDown *shows_drop;
  GtkDropDown *stack_drop; /* of a model with several */
  gboolean is_following;   /* it follows the selection */
  HlGridShows shows;
  HlHeadFinder *finder;
  gboolean had_score; /* the grid showed one */
};

G_DEFINE_FINAL_TYPE (HlHeadsPanel, hl_heads_panel, GTK_TYPE_WIDGET)

/* ---- grid ----------------------------------------------------------------------------
 */

static void
mark_ablated (HlHeadsPanel *self, HlGridScene *scene)
{
  HlSelection *selection = hl_document_get_selection (self->document);
  for (guint l = 0; l < scene->layers->len; l++)
    {
      HlGridLayer *layer = g_ptr_array_index (scene->layers, l);
      for (int h = 0; h < layer->n_heads; h++)
        layer->thumbs[h].is_marked = hl_selection_is_ablated (selection, (int) l, h);
    }
}

static gboolean
is_estimated (const HlTraceSummary *summary)
{
  for (int l = 0; l < summary->n_layers; l++)
    for (int h = 0; summary->layers[l] != NULL && h < summary->layers[l]->n_heads; h++)
      if (!summary->layers[l]->heads[h].is_exact)
        return TRUE;
  return FALSE;
}

/* What the colours mean, whether all of it is exact, and which heads are pinned. */
static void
show_caption (HlHeadsPanel *self, const HlScale *scale)
{
  guint n;
  const HlHeadKey *pinned =
      hl_selection_get_pinned (hl_document_get_selection (self->document), &n);
  g_autofree char *range = scale->mode == HL_RANGE_PER_HEAD
                               ? g_strdup (_ ("0 to each head's own maximum"))
                               : hl_scale_describe (scale);
  g_autoptr (GString) text = g_string_new (NULL);
  if (is_estimated (hl_document_get_summary (self->document)))
    g_string_append (text, _ ("Some estimated, being refined · "));
  g_string_append (text, range);
  HlTraceSummary *summary = hl_document_get_summary (self->document);
  if (summary != NULL && summary->trace->pieces != NULL)
    g_string_append (text, _ (" · in words"));
  for (guint i = 0; i < n; i++)
    {
      HlTrace *trace = hl_document_get_trace (self->document);
      g_autofree char *prefix = hl_present_stack_prefix (trace, pinned[i].stack);
      g_string_append_printf (text, "%s%s%d.%d", i == 0 ? _ (" · pinned: ") : ", ",
                              prefix, pinned[i].layer, pinned[i].head);
    }
  gtk_label_set_text (self->caption, text->str);
}

static void
show_grid (HlHeadsPanel *self)
{
  HlTraceSummary *summary = hl_document_get_summary (self->document);
  const HlModelInfo *info = hl_document_get_model_info (self->document);
  gboolean is_text = info != NULL && !g_str_equal (info->input_kind, "image");
  gtk_button_set_label (GTK_BUTTON (self->leave_out),
                        is_text ? _ ("Leave out special") : _ ("Leave out CLS"));
  gtk_widget_set_visible (GTK_WIDGET (self->words), is_text);
  if (summary == NULL)
    {
      hl_head_grid_set_scene (self->grid, NULL);
      gtk_label_set_text (self->caption, "");
      return;
    }
  const HlPlace *place =
      hl_selection_get_place (hl_document_get_selection (self->document));
  g_autoptr (HlGridScene) scene = hl_grid_shows_present (&self->shows, self->document);
  if (scene == NULL)
    scene = hl_present_grid (summary, hl_document_get_view (self->document));
  mark_ablated (self, scene);
  scene->selected_layer = place->layer;
  scene->selected_head = place->head;
  hl_head_grid_set_scene (self->grid, scene);
  show_caption (self, &scene->scale);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->caption), scene->caption);
}

static void
follow_selection (HlHeadsPanel *self)
{
  const HlPlace *place =
      hl_selection_get_place (hl_document_get_selection (self->document));
  hl_head_grid_set_selected (self->grid, place->layer, place->head);
}

/* ---- stacks --------------------------------------------------------------------------
 */

/* The towers of the trace, where there are several, and which is looked at. */
static void
show_stacks (HlHeadsPanel *self)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  guint n = trace != NULL ? trace->model->stacks->len : 0;
  gtk_widget_set_visible (GTK_WIDGET (self->stack_drop), n > 1);
  self->is_following = TRUE;
  GListModel *now = gtk_drop_down_get_model (self->stack_drop);
  if (n > 1 && (now == NULL || g_list_model_get_n_items (now) != n))
    {
      g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
      for (guint i = 0; i < n; i++)
        gtk_string_list_append (names, hl_present_stack_name (trace, (int) i));
      gtk_drop_down_set_model (self->stack_drop, G_LIST_MODEL (names));
    }
  if (n > 1)
    gtk_drop_down_set_selected (self->stack_drop,
                                (guint) hl_document_get_stack (self->document));
  self->is_following = FALSE;
}

static void
stack_changed_cb (HlHeadsPanel *self)
{
  if (self->document == NULL || self->is_following)
    return;
  HlTrace *trace = hl_document_get_trace (self->document);
  HlSelection *selection = hl_document_get_selection (self->document);
  const HlPlace *place = hl_selection_get_place (selection);
  int chosen = (int) gtk_drop_down_get_selected (self->stack_drop);
  const HlStack *stack =
      trace != NULL ? hl_model_info_get_stack (trace->model, chosen) : NULL;
  if (stack == NULL || stack->n_layers == 0 || chosen == place->stack)
    return;
  int layer = MIN (place->layer, stack->n_layers - 1);
  hl_selection_set_stack_head (selection, chosen, layer,
                               MIN (place->head, stack->layers[layer].n_heads - 1));
}

/* ---- choices -------------------------------------------------------------------------
 */

static void
show_choices (HlHeadsPanel *self)
{
  const HlViewOptions view = *hl_document_get_view (self->document);
  self->is_following = TRUE; /* one by one they would say of the others what was */
  gtk_drop_down_set_selected (self->range, view.range);
  gtk_drop_down_set_selected (self->colormap, view.colormap);
  gtk_toggle_button_set_active (self->leave_out, view.leave_out_special);
  gtk_toggle_button_set_active (self->words, view.by_words);
  self->is_following = FALSE;
}

static void
choice_changed_cb (HlHeadsPanel *self)
{
  if (self->document == NULL || self->is_following)
    return;
  HlViewOptions view = *hl_document_get_view (self->document);
  view.range = (HlRangeMode) gtk_drop_down_get_selected (self->range);
  view.colormap = (HlColormap) gtk_drop_down_get_selected (self->colormap);
  view.leave_out_special = gtk_toggle_button_get_active (self->leave_out);
  view.by_words = gtk_toggle_button_get_active (self->words);
  hl_document_set_view (self->document, &view);
}

/* The score that the grid shows is a column of the finder too. */
static void
show_score (HlHeadsPanel *self)
{
  show_grid (self);
  hl_head_finder_show_score (self->finder, hl_grid_shows_get_score (&self->shows));
}

static void
shows_changed_cb (HlHeadsPanel *self)
{
  if (self->document != NULL && !self->shows.is_filling)
    show_score (self);
}

static void
scores_changed_cb (HlHeadsPanel *self)
{
  hl_grid_shows_fill (&self->shows, self->document);
  /* What is told many times a second is no reason to paint maps anew. */
  gboolean has_score = gtk_drop_down_get_selected (self->shows_drop) > 0;
  if (has_score || self->had_score)
    show_grid (self);
  self->had_score = has_score;
  hl_head_finder_show_score (self->finder, hl_grid_shows_get_score (&self->shows));
}

static void
patterns_changed_cb (HlHeadsPanel *self)
{
  hl_grid_shows_fill (&self->shows, self->document);
  if (hl_grid_shows_patterns (&self->shows))
    show_score (self);
}

static void
view_changed_cb (HlHeadsPanel *self)
{
  show_choices (self);
  show_grid (self);
}

static void
trace_changed_cb (HlHeadsPanel *self)
{
  show_stacks (self);
  hl_grid_shows_fill (&self->shows, self->document);
  show_grid (self);
  hl_head_finder_refresh (self->finder);
  follow_selection (self);
}

/* Thumbnails appear as layers come in; the table once, so that it does not jump. */
static void
layer_ready_cb (HlHeadsPanel *self, int layer)
{
  show_grid (self);
  if (layer >= 0)
    return;
  hl_head_finder_refresh (self->finder);
}

static void
selection_changed_cb (HlHeadsPanel *self, guint parts)
{
  if (parts & HL_SELECTION_HEAD)
    follow_selection (self);
  if (parts & (HL_SELECTION_ABLATED | HL_SELECTION_PINNED))
    show_grid (self);
}

static void
head_activated_cb (HlHeadGrid *grid, int layer, int head, HlHeadsPanel *self)
{
  if (layer >= 0 && head >= 0)
    hl_selection_set_head (hl_document_get_selection (self->document), layer, head);
}

/* ---- go to ---------------------------------------------------------------------------
 */

static gboolean
go_to_text (HlHeadsPanel *self)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  const HlStack *stack =
      trace != NULL
          ? hl_model_info_get_stack (trace->model, hl_document_get_stack (self->document))
          : NULL;
  int layer, head, n = 0;
  const char *text = gtk_editable_get_text (self->go_to);
  gboolean is_head = stack != NULL && sscanf (text, "%d.%d%n", &layer, &head, &n) == 2 &&
                     text[n] == '\0' && layer >= 0 && layer < stack->n_layers &&
                     head >= 0 && head < stack->layers[layer].n_heads;
  if (is_head)
    hl_selection_set_head (hl_document_get_selection (self->document), layer, head);
  return is_head;
}

static void
go_to_changed_cb (GtkEditable *editable, HlHeadsPanel *self)
{
  if (self->document == NULL)
    return;
  gboolean is_good = gtk_editable_get_text (editable)[0] == '\0' || go_to_text (self);
  /* "5" alone may still become "5.1": only what can no longer be a head is marked. */
  gboolean is_begun = strchr (gtk_editable_get_text (editable), '.') == NULL;
  if (is_good || is_begun)
    gtk_widget_remove_css_class (GTK_WIDGET (editable), "error");
  else
    gtk_widget_add_css_class (GTK_WIDGET (editable), "error");
}

static void
go_to_done_cb (GtkWidget *entry, HlHeadsPanel *self)
{
  gtk_editable_set_text (self->go_to, "");
  hl_heads_panel_grab_grid (self);
}

void
hl_heads_panel_start_typing (HlHeadsPanel *self, const char *text)
{
  gtk_widget_grab_focus (GTK_WIDGET (self->go_to));
  gtk_editable_set_text (self->go_to, text);
  gtk_editable_set_position (self->go_to, -1);
}

void
hl_heads_panel_grab_grid (HlHeadsPanel *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self->grid));
}

const char *
hl_heads_panel_get_gl_message (HlHeadsPanel *self)
{
  return hl_head_grid_get_gl_message (self->grid);
}

void
hl_heads_panel_prepare_gl (HlHeadsPanel *self)
{
  hl_gl_prepare (GTK_WIDGET (self->grid));
}

void
hl_heads_panel_set_document (HlHeadsPanel *self, HlDocument *document)
{
  g_return_if_fail (self->document == NULL);
  self->document = g_object_ref (document);
  g_signal_connect_object (document, "trace-changed", G_CALLBACK (trace_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "layer-ready", G_CALLBACK (layer_ready_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "view-changed", G_CALLBACK (view_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "patterns-changed", G_CALLBACK (patterns_changed_cb),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "scores-changed", G_CALLBACK (scores_changed_cb),
                           self, G_CONNECT_SWAPPED);
  hl_head_finder_set_document (self->finder, document);
  hl_grid_shows_fill (&self->shows, document);
  g_signal_connect_object (hl_document_get_selection (document), "changed",
                           G_CALLBACK (selection_changed_cb), self, G_CONNECT_SWAPPED);
  show_choices (self);
  trace_changed_cb (self);
}

void
hl_heads_panel_set_is_dark (HlHeadsPanel *self, gboolean is_dark)
{
  hl_head_grid_set_is_dark (self->grid, is_dark);
}

static void
hl_heads_panel_dispose (GObject *object)
{
  HlHeadsPanel *self = HL_HEADS_PANEL (object);
  g_clear_object (&self->document);
  hl_grid_shows_clear (&self->shows);
  g_clear_pointer (&self->paned, gtk_widget_unparent);
  G_OBJECT_CLASS (hl_heads_panel_parent_class)->dispose (object);
}

static void
hl_heads_panel_class_init (HlHeadsPanelClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_heads_panel_dispose;
  g_type_ensure (HL_TYPE_HEAD_GRID);
  g_type_ensure (HL_TYPE_HEAD_FINDER);
  gtk_widget_class_set_template_from_resource (
      widget, "/org/headlight/Headlight/ui/hl-heads-panel.ui");
  gtk_widget_class_set_layout_manager_type (widget, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_bind_template_child (widget, HlHeadsPanel, paned);
  gtk_widget_class_bind_template_child (widget, HlHeadsPanel, grid);
  gtk_widget_class_bind_template_child (widget, HlHeadsPanel, caption);
  gtk_widget_class_bind_template_child (widget, HlHeadsPanel, go_to);
  gtk_widget_class_bind_template_child (widget, HlHeadsPanel, range);
  gtk_widget_class_bind_template_child (widget, HlHeadsPanel, colormap);
  gtk_widget_class_bind_template_child (widget, HlHeadsPanel, leave_out);
  gtk_widget_class_bind_template_child (widget, HlHeadsPanel, words);
  gtk_widget_class_bind_template_child (widget, HlHeadsPanel, finder);
  gtk_widget_class_bind_template_child (widget, HlHeadsPanel, shows_drop);
  gtk_widget_class_bind_template_child (widget, HlHeadsPanel, stack_drop);
  gtk_widget_class_bind_template_callback (widget, stack_changed_cb);
  gtk_widget_class_bind_template_callback (widget, shows_changed_cb);
  gtk_widget_class_bind_template_callback (widget, head_activated_cb);
  gtk_widget_class_bind_template_callback (widget, choice_changed_cb);
  gtk_widget_class_bind_template_callback (widget, go_to_changed_cb);
  gtk_widget_class_bind_template_callback (widget, go_to_done_cb);
}

static void
hl_heads_panel_init (HlHeadsPanel *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  hl_grid_shows_init (&self->shows, self->shows_drop);
}
