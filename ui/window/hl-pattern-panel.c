/* SPDX-License-Identifier: MIT
 * Middle, page Patterns. */
#include "config.h"

#include "window/hl-pattern-panel.h"

#include "gl/hl-scatter-view.h"
#include "presenters/hl-present-patterns.h"
#include "window/hl-pattern-cards.h"
#include "window/hl-score-page.h"

#include <glib/gi18n.h>
#include <string.h>

struct _HlPatternPanel
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *box;
  GtkDropDown *scope;
  GtkDropDown *kind;
  GtkSpinButton *epochs, *n_clusters, *side;
  GtkButton *more;
  GtkButton *run;
  GtkStack *stack;
  HlScoreEmpty empty_state;
  HlChartView *training;
  GtkDropDown *dots, *layout, *colors;
  HlScatterView *scatter;
  GtkLabel *caption;
  HlHeatmapView *map, *rebuilt;
  GtkLabel *map_caption;
  GtkWidget *cards;
  HlChartView *loss;
  GtkLabel *explained;
  GArray *kinds; /* of HlPatternKind: what the drop-down lists */
  gboolean is_filling;
};

G_DEFINE_FINAL_TYPE (HlPatternPanel, hl_pattern_panel, GTK_TYPE_WIDGET)

static HlScoreScope
scope_of (HlPatternPanel *self)
{
  return gtk_drop_down_get_selected (self->scope) == 1 ? HL_SCOPE_DATASET
                                                       : HL_SCOPE_INPUT;
}

static HlPatternKind
kind_of (HlPatternPanel *self)
{
  guint at = gtk_drop_down_get_selected (self->kind);
  return at < self->kinds->len ? g_array_index (self->kinds, HlPatternKind, at)
                               : HL_PATTERN_PATCHES;
}

static HlPatterns *
patterns_of (HlPatternPanel *self)
{
  return hl_document_get_patterns (self->document, kind_of (self));
}

/* The kinds there are now; keeps what was chosen. */
static void
fill_kinds (HlPatternPanel *self)
{
  g_autoptr (GArray) kinds = g_array_new (FALSE, FALSE, sizeof (HlPatternKind));
  for (int k = 0; k < HL_N_PATTERNS; k++)
    if (hl_document_get_patterns (self->document, (HlPatternKind) k) != NULL)
      {
        HlPatternKind kind = (HlPatternKind) k;
        g_array_append_val (kinds, kind);
      }
  gboolean is_same =
      kinds->len == self->kinds->len &&
      (kinds->len == 0 ||
       memcmp (kinds->data, self->kinds->data, kinds->len * sizeof (HlPatternKind)) == 0);
  gtk_widget_set_visible (GTK_WIDGET (self->kind), kinds->len > 1);
  if (is_same)
    return;
  g_autoptr (GtkStringList) words = gtk_string_list_new (NULL);
  for (guint i = 0; i < kinds->len; i++)
    gtk_string_list_append (
        words, hl_pattern_kind_words (g_array_index (kinds, HlPatternKind, i)));
  g_array_unref (self->kinds);
  self->kinds = g_steal_pointer (&kinds);
  self->is_filling = TRUE;
  gtk_drop_down_set_model (self->kind, G_LIST_MODEL (words));
  self->is_filling = FALSE;
}

/* ---- maps ----------------------------------------------------------------------------
 */

static void
show_pair (HlPatternPanel *self,
           const HlPatterns *p,
           const float *map,
           const float *rebuilt,
           const char *words)
{
  g_autoptr (HlMatrixScene) left =
      map != NULL
          ? hl_present_pattern_map (p->kind, p->shape, p->grid_columns, map, _ ("Map"))
          : NULL;
  g_autoptr (HlMatrixScene) right = hl_present_pattern_map (
      p->kind, p->shape, p->grid_columns, rebuilt, _ ("Reconstruction"));
  gtk_widget_set_visible (GTK_WIDGET (self->map), left != NULL);
  hl_heatmap_view_set_scene (self->map, left);
  hl_heatmap_view_set_scene (self->rebuilt, right);
  g_autofree char *text =
      left != NULL
          ? g_strdup_printf (_ ("%s (map, and its reconstruction)"), words)
          : g_strdup_printf (_ ("%s (reconstruction; the map is not at hand)"), words);
  gtk_label_set_text (self->map_caption, text);
}

/* Index of the selected head among the spots; -1. */
static int
selected_spot (HlPatternPanel *self, const HlPatterns *p, const HlPatternSpots *spots)
{
  HlHeadKey head = hl_document_get_scored_head (self->document);
  for (guint i = 0; spots != NULL && i < spots->maps->places->len; i++)
    if (head.layer >= 0 && head.layer < p->n_layers &&
        g_array_index (spots->maps->places, HlPatternPlace, i).head ==
            p->first[head.layer] + head.head)
      return (int) i;
  return -1;
}

static void
show_maps (HlPatternPanel *self, const HlPatterns *p, const HlPatternSpots *spots)
{
  const HlPatternLook *look = hl_document_get_pattern_look (self->document);
  int i = selected_spot (self, p, spots), size = 0;
  if (look != NULL && look->kind == p->kind && look->map_index < hl_patterns_get_n (p))
    {
      g_autofree char *words = hl_pattern_map_words (p, look->map_index);
      show_pair (self, p, look->map, look->rebuilt, words);
    }
  else if (i >= 0)
    {
      size = hl_pattern_maps_get_size (spots->maps);
      g_autofree char *words = hl_pattern_spot_words (p, spots, i);
      show_pair (self, p, hl_pattern_maps_get (spots->maps, i),
                 (const float *) (gpointer) spots->rebuilt->data +
                     (gsize) i * (gsize) size,
                 words);
    }
  else
    gtk_label_set_text (self->map_caption,
                        _ ("Choose a head, or a dot, to see its map rebuilt."));
  gtk_widget_set_visible (gtk_widget_get_parent (GTK_WIDGET (self->rebuilt)),
                          look != NULL || i >= 0);
}

/* ---- the plane -----------------------------------------------------------------------
 */

/* How many of the lasso's maps are of which cluster: the largest ones. */
static char *
describe_marked (const HlPatterns *p, const guint8 *marked)
{
  g_autofree int *count = g_new0 (int, p->clusters->len + 1);
  int n = 0;
  GString *words = g_string_new (NULL);
  for (int i = 0; i < hl_patterns_get_n (p); i++)
    if (marked[i])
      {
        count[g_array_index (p->cluster, int, i)]++;
        n++;
      }
  g_string_append_printf (words,
                          ngettext ("%d map in the lasso", "%d maps in the lasso", n), n);
  for (int shown = 0; shown < 4; shown++)
    {
      int best = 0;
      for (guint c = 1; c < p->clusters->len; c++)
        best = count[c] > count[best] ? (int) c : best;
      if (count[best] == 0)
        break;
      g_autofree char *name =
          hl_pattern_cluster_words (hl_patterns_get_cluster (p, best));
      g_string_append_printf (words, " · %s %d", name, count[best]);
      count[best] = 0;
    }
  return g_string_free (words, FALSE);
}

static void
show_caption (HlPatternPanel *self, const HlPatterns *p)
{
  gsize n;
  HlChartScene *scene = hl_scatter_view_get_scene (self->scatter);
  const guint8 *marked = hl_scatter_view_get_marked (self->scatter, &n);
  g_autofree char *words =
      marked != NULL && n == (gsize) hl_patterns_get_n (p)
          ? describe_marked (p, marked)
          : g_strdup_printf ("%s · %s", scene->title, scene->caption);
  gtk_label_set_text (self->caption, words);
}

static void
show_plane (HlPatternPanel *self, const HlPatterns *p, const HlPatternSpots *spots)
{
  const HlPatternView view = {
    .as_contours = gtk_drop_down_get_selected (self->dots) == 1,
    .principal = gtk_drop_down_get_selected (self->layout) == 1,
    .by_layer = gtk_drop_down_get_selected (self->colors) == 1,
  };
  HlHeadKey head = hl_document_get_scored_head (self->document);
  g_autoptr (HlChartScene) scene = hl_present_patterns (p, spots, head, &view);
  hl_scatter_view_set_scene (self->scatter, scene);
  gtk_widget_set_sensitive (GTK_WIDGET (self->layout), p->layout != NULL);
  show_caption (self, p);
}

/* ---- all -----------------------------------------------------------------------------
 */

static void
show_run (HlPatternPanel *self)
{
  double fraction;
  gboolean is_busy = hl_document_get_analysis (self->document, &fraction) != NULL;
  gboolean can = hl_document_can_score (self->document, scope_of (self));
  gtk_button_set_label (self->run, is_busy ? _ ("Stop") : _ ("Find Patterns"));
  hl_score_show_busy (self->document, GTK_WIDGET (self->run), self->empty_state.run);
  gtk_widget_set_sensitive (GTK_WIDGET (self->run), is_busy || can);
  gtk_widget_set_sensitive (GTK_WIDGET (self->more), !is_busy && can);
}

static void
show_empty (HlPatternPanel *self)
{
  HlScoreScope scope = scope_of (self);
  gboolean has_model = hl_document_has_model (self->document);
  HlDataset *dataset = hl_document_get_dataset (self->document);
  const char *words =
      !has_model ? _ ("Only a trace is open: patterns need the model itself.")
      : scope == HL_SCOPE_DATASET && dataset == NULL
          ? _ ("A data set shows which patterns heads have, whatever the input.")
          : _ ("An autoencoder is trained on every head's map; maps that look alike come "
               "to lie together, and are named by what they are like.");
  gtk_label_set_text (self->empty_state.words, words);
  gtk_widget_set_visible (self->empty_state.run,
                          hl_document_can_score (self->document, scope));
  gtk_widget_set_visible (self->empty_state.open, scope == HL_SCOPE_DATASET && has_model);
}

static void
show_training (HlPatternPanel *self)
{
  HlPatternKind kind;
  int n;
  const HlPatternLoss *losses =
      hl_document_get_pattern_losses (self->document, &kind, &n);
  g_autoptr (HlChartScene) scene = hl_present_pattern_loss (losses, n);
  hl_chart_view_set_scene (self->training, scene);
}

static void
show (HlPatternPanel *self)
{
  HlPatternKind kind;
  int n_losses;
  fill_kinds (self);
  hl_document_get_pattern_losses (self->document, &kind, &n_losses);
  HlPatterns *p = patterns_of (self);
  show_run (self);
  gtk_stack_set_visible_child_name (self->stack, n_losses > 0 ? "training"
                                                 : p != NULL  ? "charts"
                                                              : "empty");
  if (n_losses > 0)
    show_training (self);
  else if (p == NULL)
    {
      show_empty (self);
      hl_pattern_cards_show (self->cards, NULL);
    }
  if (n_losses > 0 || p == NULL)
    return;
  HlPatternSpots *spots = hl_document_get_pattern_spots (self->document, p->kind);
  g_autoptr (HlChartScene) loss = hl_present_pattern_loss (
      (const HlPatternLoss *) (gpointer) p->losses->data, (int) p->losses->len);
  g_autofree char *text = hl_pattern_explain (p);
  show_plane (self, p, spots);
  show_maps (self, p, spots);
  hl_pattern_cards_show (self->cards, p);
  hl_chart_view_set_scene (self->loss, loss);
  gtk_label_set_text (self->explained, text);
}

static void
changed_cb (HlPatternPanel *self)
{
  if (self->document != NULL && !self->is_filling &&
      gtk_widget_get_mapped (GTK_WIDGET (self)))
    show (self);
}

static void
busy_cb (HlPatternPanel *self)
{
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    show_run (self);
}

static void
selection_changed_cb (HlPatternPanel *self, guint parts)
{
  if ((parts & HL_SELECTION_HEAD) == 0 || self->document == NULL)
    return;
  hl_document_look_at_pattern (self->document, kind_of (self), -1);
  changed_cb (self);
}

static void
spot_activated_cb (HlScatterView *view, int mark, HlPatternPanel *self)
{
  HlPatterns *p = patterns_of (self);
  HlPatternSpots *spots =
      p != NULL ? hl_document_get_pattern_spots (self->document, p->kind) : NULL;
  if (spots == NULL || mark < 0 || mark >= (int) spots->maps->places->len)
    return;
  int flat = g_array_index (spots->maps->places, HlPatternPlace, mark).head, layer = 0;
  while (layer + 1 < p->n_layers && flat >= p->first[layer + 1])
    layer++;
  hl_document_look_at_pattern (self->document, p->kind, -1);
  hl_selection_set_stack_head (hl_document_get_selection (self->document), 0, layer,
                               flat - p->first[layer]);
}

static void
dot_activated_cb (HlScatterView *view, int dot, HlPatternPanel *self)
{
  hl_document_look_at_pattern (self->document, kind_of (self), dot);
}

/* Under the pointer: in words at once, and its map as soon as it is there. */
static void
hovered_cb (HlScatterView *view, int mark, int dot, HlPatternPanel *self)
{
  HlPatterns *p = patterns_of (self);
  HlPatternSpots *spots =
      p != NULL ? hl_document_get_pattern_spots (self->document, p->kind) : NULL;
  if (p == NULL)
    return;
  g_autofree char *words =
      mark >= 0 && spots != NULL                ? hl_pattern_spot_words (p, spots, mark)
      : dot >= 0 && dot < hl_patterns_get_n (p) ? hl_pattern_map_words (p, dot)
                                                : NULL;
  if (words != NULL)
    gtk_label_set_text (self->caption, words);
  else
    show_caption (self, p);
  if (mark < 0 && dot >= 0)
    hl_document_look_at_pattern (self->document, p->kind, dot);
}

static void
marked_cb (HlScatterView *view, HlPatternPanel *self)
{
  HlPatterns *p = patterns_of (self);
  if (p != NULL)
    show_caption (self, p);
}

static void
find (HlPatternPanel *self, gboolean resumes)
{
  double fraction;
  const HlPatternChoices choices = {
    .epochs = gtk_spin_button_get_value_as_int (self->epochs),
    .n_clusters = gtk_spin_button_get_value_as_int (self->n_clusters),
    .side = gtk_spin_button_get_value_as_int (self->side),
  };
  if (hl_document_get_analysis (self->document, &fraction) != NULL)
    {
      hl_document_stop_analysis (self->document);
      return;
    }
  hl_document_set_pattern_choices (self->document, &choices);
  hl_document_find_patterns (self->document, scope_of (self), resumes);
}

static void
run_cb (HlPatternPanel *self)
{
  find (self, FALSE);
}

static void
more_cb (HlPatternPanel *self)
{
  find (self, TRUE);
}

/* ---- building ------------------------------------------------------------------------
 */

static GtkSpinButton *
number (
    GtkWidget *grid, int row, const char *title, double low, double high, double value)
{
  GtkWidget *label = gtk_label_new (title);
  GtkWidget *spin = gtk_spin_button_new_with_range (low, high, 1);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_set_hexpand (label, TRUE);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (spin), value);
  gtk_accessible_update_property (GTK_ACCESSIBLE (spin), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  title, -1);
  gtk_grid_attach (GTK_GRID (grid), label, 0, row, 1, 1);
  gtk_grid_attach (GTK_GRID (grid), spin, 1, row, 1, 1);
  return GTK_SPIN_BUTTON (spin);
}

static GtkWidget *
build_options (HlPatternPanel *self)
{
  GtkWidget *menu = gtk_menu_button_new (), *popover = gtk_popover_new ();
  GtkWidget *grid = gtk_grid_new ();
  gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  self->epochs = number (grid, 0, _ ("Epochs"), 1, 1000, HL_PATTERN_EPOCHS);
  self->n_clusters = number (grid, 1, _ ("Clusters (0: as suggested)"), 0, 50, 0);
  self->side =
      number (grid, 2, _ ("Rows and columns of a grid, at most"), 2, 32, HL_PATTERN_SIDE);
  gtk_popover_set_child (GTK_POPOVER (popover), grid);
  gtk_menu_button_set_popover (GTK_MENU_BUTTON (menu), popover);
  gtk_menu_button_set_icon_name (GTK_MENU_BUTTON (menu), "emblem-system-symbolic");
  gtk_widget_set_tooltip_text (menu, _ ("How patterns are found"));
  return menu;
}

static void
build_head (HlPatternPanel *self)
{
  const char *const scopes[] = { _ ("This input"), _ ("Data set"), NULL };
  const char *const none[] = { NULL };
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *space = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  self->scope = hl_score_words (row, scopes, _ ("What patterns are looked for on"));
  self->kind = hl_score_words (row, none, _ ("Which maps"));
  g_signal_connect_object (self->scope, "notify::selected", G_CALLBACK (changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->kind, "notify::selected", G_CALLBACK (changed_cb), self,
                           G_CONNECT_SWAPPED);
  gtk_widget_set_hexpand (space, TRUE);
  gtk_box_append (GTK_BOX (row), space);
  gtk_box_append (GTK_BOX (row), build_options (self));
  self->run =
      GTK_BUTTON (hl_score_button (row, _ ("Find Patterns"), G_CALLBACK (run_cb), self));
  gtk_box_append (GTK_BOX (self->box), row);
}

static void
build_empty (HlPatternPanel *self)
{
  hl_score_empty_init (&self->empty_state, _ ("What patterns have heads learned?"),
                       _ ("_Find Patterns"), G_CALLBACK (run_cb), self);
  gtk_stack_add_named (self->stack, self->empty_state.box, "empty");
}

static void
build_training (HlPatternPanel *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  GtkWidget *section = hl_score_section (box, _ ("Training the Autoencoder"));
  self->training = hl_score_chart (section, 280, _ ("Error by epoch"));
  GtkLabel *words = hl_score_caption (section);
  gtk_label_set_text (words, _ ("Stop keeps what was trained; Train Further goes on."));
  gtk_stack_add_named (self->stack, box, "training");
}

static GtkDropDown *
choice (
    HlPatternPanel *self, GtkWidget *row, const char *a, const char *b, const char *name)
{
  const char *const words[] = { a, b, NULL };
  GtkDropDown *made = hl_score_words (row, words, name);
  g_signal_connect_object (made, "notify::selected", G_CALLBACK (changed_cb), self,
                           G_CONNECT_SWAPPED);
  return made;
}

static void
build_plane (HlPatternPanel *self, GtkWidget *page)
{
  GtkWidget *section = hl_score_section (page, NULL);
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  gtk_box_append (GTK_BOX (section), row);
  self->dots = choice (self, row, _ ("Dots"), _ ("Density lines"), _ ("All maps as"));
  self->layout =
      choice (self, row, _ ("t-SNE"), _ ("Principal components"), _ ("Laid out by"));
  self->colors = choice (self, row, _ ("By cluster"), _ ("By layer"), _ ("Coloured"));
  GtkWidget *scatter = hl_scatter_view_new ();
  gtk_widget_set_size_request (scatter, -1, 340);
  g_signal_connect_object (scatter, "mark-activated", G_CALLBACK (spot_activated_cb),
                           self, 0);
  g_signal_connect_object (scatter, "dot-activated", G_CALLBACK (dot_activated_cb), self,
                           0);
  g_signal_connect_object (scatter, "mark-hovered", G_CALLBACK (hovered_cb), self, 0);
  g_signal_connect_object (scatter, "marked-changed", G_CALLBACK (marked_cb), self, 0);
  gtk_box_append (GTK_BOX (section), scatter);
  self->scatter = HL_SCATTER_VIEW (scatter);
  self->caption = hl_score_caption (section);
  GtkLabel *hint = hl_score_caption (section);
  gtk_label_set_text (
      hint, _ ("Large dots are this input's heads. Drag a lasso round small ones; Escape "
               "takes it away."));
}

static void
build_sections (HlPatternPanel *self, GtkWidget *page)
{
  build_plane (self, page);
  GtkWidget *section = hl_score_section (page, _ ("A Map and What the Summary Keeps"));
  GtkWidget *pair = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  gtk_box_set_homogeneous (GTK_BOX (pair), TRUE);
  gtk_box_append (GTK_BOX (section), pair);
  self->map = hl_score_map (pair, 190, _ ("Map"));
  self->rebuilt = hl_score_map (pair, 190, _ ("Reconstruction"));
  self->map_caption = hl_score_caption (section);
  section = hl_score_section (page, _ ("Dictionary"));
  self->cards = hl_pattern_cards_new (self->document);
  gtk_box_append (GTK_BOX (section), self->cards);
  section = hl_score_section (page, _ ("Training"));
  self->loss = hl_score_chart (section, 180, _ ("Error by epoch"));
  self->more = GTK_BUTTON (
      hl_score_button (section, _ ("Train Further"), G_CALLBACK (more_cb), self));
  gtk_widget_set_halign (GTK_WIDGET (self->more), GTK_ALIGN_START);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->more),
                               _ ("Goes on where training ended, on the same inputs"));
  self->explained = hl_score_explained (page);
}

static void
build_charts (HlPatternPanel *self)
{
  GtkWidget *page, *scroller = hl_score_scroller (&page);
  build_sections (self, page);
  gtk_stack_add_named (self->stack, scroller, "charts");
}

void
hl_pattern_panel_set_document (HlPatternPanel *self, HlDocument *document)
{
  static const char *const signals[] = { "patterns-changed", "dataset-changed",
                                         "trace-changed", "model-changed",
                                         "input-changed" };
  g_return_if_fail (self->document == NULL);
  self->document = g_object_ref (document);
  build_head (self);
  hl_score_add_tower_note (self->box, gtk_widget_get_first_child (self->box), document);
  GtkWidget *stack = gtk_stack_new ();
  gtk_widget_set_vexpand (stack, TRUE);
  gtk_box_append (GTK_BOX (self->box), stack);
  self->stack = GTK_STACK (stack);
  build_empty (self);
  build_training (self);
  build_charts (self);
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    g_signal_connect_object (document, signals[i], G_CALLBACK (changed_cb), self,
                             G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "busy-changed", G_CALLBACK (busy_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (hl_document_get_selection (document), "changed",
                           G_CALLBACK (selection_changed_cb), self, G_CONNECT_SWAPPED);
}

void
hl_pattern_panel_set_is_dark (HlPatternPanel *self, gboolean is_dark)
{
  hl_chart_view_set_is_dark (self->training, is_dark);
  hl_chart_view_set_is_dark (self->loss, is_dark);
  hl_scatter_view_set_is_dark (self->scatter, is_dark);
  hl_heatmap_view_set_is_dark (self->map, is_dark);
  hl_heatmap_view_set_is_dark (self->rebuilt, is_dark);
}

GPtrArray *
hl_pattern_panel_get_charts (HlPatternPanel *self)
{
  GPtrArray *scenes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_chart_scene_unref);
  HlChartScene *plane = hl_scatter_view_get_scene (self->scatter);
  HlChartScene *loss = hl_chart_view_get_scene (self->loss);
  if (patterns_of (self) == NULL)
    return scenes;
  if (plane != NULL)
    g_ptr_array_add (scenes, hl_chart_scene_ref (plane));
  if (loss != NULL)
    g_ptr_array_add (scenes, hl_chart_scene_ref (loss));
  return scenes;
}

static void
hl_pattern_panel_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (hl_pattern_panel_parent_class)->map (widget);
  changed_cb (HL_PATTERN_PANEL (widget));
}

static void
hl_pattern_panel_dispose (GObject *object)
{
  HlPatternPanel *self = HL_PATTERN_PANEL (object);
  g_clear_object (&self->document);
  g_clear_pointer (&self->kinds, g_array_unref);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  G_OBJECT_CLASS (hl_pattern_panel_parent_class)->dispose (object);
}

static void
hl_pattern_panel_class_init (HlPatternPanelClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_pattern_panel_dispose;
  widget->map = hl_pattern_panel_map;
  gtk_widget_class_set_layout_manager_type (widget, GTK_TYPE_BIN_LAYOUT);
}

static void
hl_pattern_panel_init (HlPatternPanel *self)
{
  self->kinds = g_array_new (FALSE, FALSE, sizeof (HlPatternKind));
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  gtk_widget_set_margin_top (self->box, 6);
  gtk_widget_set_margin_start (self->box, 12);
  gtk_widget_set_margin_end (self->box, 6);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}
