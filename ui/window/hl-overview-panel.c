/* SPDX-License-Identifier: MIT
 * Middle, page Data Set. */
#include "config.h"

#include "window/hl-overview-panel.h"

#include "gl/hl-scatter-view.h"
#include "presenters/hl-present-overview.h"
#include "window/hl-overview-table.h"
#include "window/hl-score-page.h"

#include <glib/gi18n.h>
#include <string.h>

/* Side of the picture that is pointed at. */
#define PICTURE 132

struct _HlOverviewPanel
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *box;
  GtkLabel *dataset;
  GtkSpinButton *n_inputs;
  GtkButton *run;
  GtkStack *stack;
  HlScoreEmpty empty_state;
  GtkDropDown *layout, *colors;
  GtkCheckButton *only_errors;
  HlScatterView *scatter;
  GtkPicture *picture;
  GtkLabel *picture_words;
  GtkLabel *caption;
  HlHeatmapView *confusion;
  GtkLabel *cell;
  GtkWidget *clear;
  GtkWidget *confusion_section;
  GtkWidget *table;
  GtkLabel *explained;
  GArray *dots;    /* of int: the input of each dot */
  GArray *classes; /* of int: the class of each row of the confusion table */
  HlOverview *shown;
  HlOverviewView view;
  gboolean is_filling;
};

G_DEFINE_FINAL_TYPE (HlOverviewPanel, hl_overview_panel, GTK_TYPE_WIDGET)

/* ---- the plane -----------------------------------------------------------------------
 */

static void
read_choices (HlOverviewPanel *self)
{
  self->view.principal = gtk_drop_down_get_selected (self->layout) == 1;
  self->view.color = (HlOverviewColor) gtk_drop_down_get_selected (self->colors);
  self->view.only_errors = gtk_check_button_get_active (self->only_errors);
}

static int
count_passing (HlOverviewPanel *self, const HlOverview *o)
{
  int n = 0;
  for (int i = 0; i < hl_overview_get_n (o); i++)
    n += hl_overview_passes (o, &self->view, i);
  return n;
}

/* The lasso's inputs, or what stands out, or what the plane is. */
static void
show_caption (HlOverviewPanel *self, const HlOverview *o)
{
  gsize n_dots;
  const guint8 *marked = hl_scatter_view_get_marked (self->scatter, &n_dots);
  HlChartScene *scene = hl_scatter_view_get_scene (self->scatter);
  gboolean is_filtered =
      self->view.only_errors || self->view.label >= 0 || self->view.predicted >= 0;
  int n = 0, n_wrong = 0;
  for (gsize i = 0; marked != NULL && i < n_dots && i < self->dots->len; i++)
    if (marked[i])
      {
        n++;
        n_wrong += hl_overview_is_wrong (o, g_array_index (self->dots, int, i));
      }
  g_autofree char *words =
      marked != NULL
          ? g_strdup_printf (
                ngettext ("%d input in the lasso, %d predicted wrongly. Escape "
                          "takes it away.",
                          "%d inputs in the lasso, %d predicted wrongly. "
                          "Escape takes it away.",
                          (gulong) n),
                n, n_wrong)
      : is_filtered ? g_strdup_printf (_ ("%d of %d inputs stand out"),
                                       count_passing (self, o), hl_overview_get_n (o))
                    : g_strdup (scene->caption);
  gtk_label_set_text (self->caption, words);
}

/* (transfer full) (nullable): a byte an input: those in the lasso. Dots come in another
 * order when colours or what stands out change. */
static guint8 *
marks_by_input (HlOverviewPanel *self, const HlOverview *o)
{
  gsize n_dots;
  const guint8 *marked = hl_scatter_view_get_marked (self->scatter, &n_dots);
  if (marked == NULL || o != self->shown || n_dots != self->dots->len)
    return NULL;
  guint8 *by_input = g_new0 (guint8, (gsize) hl_overview_get_n (o) + 1);
  for (guint i = 0; i < self->dots->len; i++)
    by_input[g_array_index (self->dots, int, i)] = marked[i];
  return by_input;
}

static void
set_marks (HlOverviewPanel *self, const guint8 *by_input)
{
  g_autofree guint8 *marked = g_new0 (guint8, (gsize) self->dots->len + 1);
  for (guint i = 0; i < self->dots->len; i++)
    marked[i] = by_input[g_array_index (self->dots, int, i)];
  hl_scatter_view_set_marked (self->scatter, marked);
}

static void
show_plane (HlOverviewPanel *self, HlOverview *o)
{
  GArray *dots;
  g_autoptr (HlChartScene) scene = hl_present_overview (
      o, &self->view, hl_document_get_overviewed (self->document), &dots);
  g_autofree guint8 *marked = marks_by_input (self, o);
  g_array_unref (self->dots);
  self->dots = dots;
  hl_scatter_view_set_scene (self->scatter, scene);
  if (marked != NULL)
    set_marks (self, marked);
  gtk_widget_set_sensitive (GTK_WIDGET (self->layout), o->layout != NULL);
  show_caption (self, o);
}

/* ---- the picture ---------------------------------------------------------------------
 */

static void
show_picture (HlOverviewPanel *self, const HlOverview *o)
{
  int i;
  HlInput *input = hl_document_get_peek (self->document, &i);
  g_autoptr (GdkTexture) texture = NULL;
  if (input != NULL && input->shown != NULL)
    {
      const gint64 *size = input->shown->shape.dim;
      g_autoptr (GBytes) pixels =
          g_bytes_new (input->shown->data, (gsize) (size[0] * size[1] * 3));
      texture = gdk_memory_texture_new ((int) size[1], (int) size[0], GDK_MEMORY_R8G8B8,
                                        pixels, (gsize) size[1] * 3);
    }
  gtk_picture_set_paintable (self->picture, GDK_PAINTABLE (texture));
  g_autofree char *words = input != NULL && i >= 0 && i < hl_overview_get_n (o)
                               ? hl_overview_input_words (o, i)
                               : g_strdup (_ ("Point at a dot to see its input."));
  gtk_label_set_text (self->picture_words, words);
}

/* ---- confusion -----------------------------------------------------------------------
 */

static int
place_of (const GArray *classes, int wanted)
{
  for (guint i = 0; i < classes->len; i++)
    if (wanted >= 0 && g_array_index (classes, int, i) == wanted)
      return (int) i;
  return -1;
}

static void
show_confusion (HlOverviewPanel *self, HlOverview *o)
{
  if (self->shown != o)
    {
      GArray *classes;
      g_autoptr (HlMatrixScene) scene = hl_present_confusion (o, &classes);
      g_array_unref (self->classes);
      self->classes = classes;
      hl_heatmap_view_set_scene (self->confusion, scene);
    }
  gboolean has_cell = self->view.label >= 0 && self->view.predicted >= 0;
  hl_heatmap_view_set_cursor (
      self->confusion, has_cell ? place_of (self->classes, self->view.label) : -1,
      has_cell ? place_of (self->classes, self->view.predicted) : -1);
  g_autofree char *words =
      has_cell ? hl_overview_cell_words (o, self->view.label, self->view.predicted)
               : g_strdup_printf ("%s. %s",
                                  hl_heatmap_view_get_scene (self->confusion)->caption,
                                  _ ("A click picks those inputs out."));
  gtk_label_set_text (self->cell, words);
  gtk_widget_set_sensitive (self->clear, has_cell);
}

/* ---- all -----------------------------------------------------------------------------
 */

static void
show_head (HlOverviewPanel *self)
{
  double fraction;
  gboolean is_busy = hl_document_get_analysis (self->document, &fraction) != NULL;
  gboolean can = hl_document_can_ablate (self->document, HL_SCOPE_DATASET);
  HlDataset *dataset = hl_document_get_dataset (self->document);
  int n = dataset != NULL ? hl_dataset_get_n_items (dataset) : 0;
  g_autofree char *words =
      dataset != NULL ? g_strdup_printf (ngettext ("%s: %d input", "%s: %d inputs", n),
                                         dataset->name, n)
                      : g_strdup (_ ("No data set is open"));
  gtk_label_set_text (self->dataset, words);
  gtk_button_set_label (self->run, is_busy ? _ ("Stop") : _ ("Make Overview"));
  hl_score_show_busy (self->document, GTK_WIDGET (self->run), self->empty_state.run);
  gtk_widget_set_sensitive (GTK_WIDGET (self->run), is_busy || can);
}

static void
show_empty (HlOverviewPanel *self)
{
  gboolean can = hl_document_can_ablate (self->document, HL_SCOPE_DATASET);
  gboolean has_model = hl_document_has_model (self->document);
  gtk_label_set_text (
      self->empty_state.words,
      !has_model ? _ ("Only a trace is open: an overview needs the model itself.")
      : can ? _ ("The model is run on every input; those that it finds alike come to lie "
                 "together, and what it takes for what is counted.")
            : _ ("A folder of pictures with a subfolder a class, a CSV, IDX files, or a "
                 "text by lines."));
  gtk_widget_set_visible (self->empty_state.run, can);
  gtk_widget_set_visible (self->empty_state.open, !can && has_model);
}

/* Another overview: all inputs, in the colours that tell most of them. */
static void
begin_view (HlOverviewPanel *self, const HlOverview *o)
{
  self->view.label = self->view.predicted = -1;
  if (o == NULL)
    return;
  self->view.color = hl_overview_telling_color (o);
  self->is_filling = TRUE;
  gtk_drop_down_set_selected (self->colors, self->view.color);
  self->is_filling = FALSE;
}

static void
show (HlOverviewPanel *self)
{
  HlOverview *o = hl_document_get_overview (self->document);
  show_head (self);
  gtk_stack_set_visible_child_name (self->stack, o != NULL ? "charts" : "empty");
  if (o == NULL)
    show_empty (self);
  if (o != self->shown)
    begin_view (self, o);
  if (o != NULL)
    {
      g_autofree char *text = hl_overview_explain (o);
      gtk_label_set_text (self->explained, text);
      show_plane (self, o);
      show_picture (self, o);
      gtk_widget_set_visible (self->confusion_section,
                              hl_overview_get_accuracy (o).n > 0);
      show_confusion (self, o);
    }
  hl_overview_table_show (self->table, o, &self->view);
  if (o != self->shown)
    {
      g_clear_pointer (&self->shown, hl_overview_unref);
      self->shown = o != NULL ? hl_overview_ref (o) : NULL;
    }
}

static void
changed_cb (HlOverviewPanel *self)
{
  if (self->document == NULL || self->is_filling ||
      !gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;
  read_choices (self);
  show (self);
}

static void
busy_cb (HlOverviewPanel *self)
{
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    show_head (self);
}

/* Only the picture may be new: the plane stays as it is. */
static void
overview_changed_cb (HlOverviewPanel *self)
{
  HlOverview *o = hl_document_get_overview (self->document);
  if (o != NULL && o == self->shown && gtk_widget_get_mapped (GTK_WIDGET (self)))
    {
      show_picture (self, o);
      show_head (self);
    }
  else
    changed_cb (self);
}

static void
dot_activated_cb (HlScatterView *view, int dot, HlOverviewPanel *self)
{
  if (dot >= 0 && dot < (int) self->dots->len)
    hl_document_open_overviewed (self->document, g_array_index (self->dots, int, dot));
}

static void
hovered_cb (HlScatterView *view, int mark, int dot, HlOverviewPanel *self)
{
  HlOverview *o = self->shown;
  int i = mark >= 0 ? hl_document_get_overviewed (self->document)
          : dot >= 0 && dot < (int) self->dots->len ? g_array_index (self->dots, int, dot)
                                                    : -1;
  if (o == NULL)
    return;
  if (i < 0)
    {
      show_caption (self, o);
      return;
    }
  g_autofree char *words = hl_overview_input_words (o, i);
  gtk_label_set_text (self->caption, words);
  hl_document_peek (self->document, i);
}

static void
marked_cb (HlScatterView *view, HlOverviewPanel *self)
{
  if (self->shown != NULL)
    show_caption (self, self->shown);
}

static void
cell_activated_cb (HlHeatmapView *view, gint64 row, gint64 column, HlOverviewPanel *self)
{
  gboolean is_cell =
      row >= 0 && column >= 0 && row < self->classes->len && column < self->classes->len;
  self->view.label = is_cell ? g_array_index (self->classes, int, row) : -1;
  self->view.predicted = is_cell ? g_array_index (self->classes, int, column) : -1;
  changed_cb (self);
}

static void
clear_cb (HlOverviewPanel *self)
{
  self->view.label = self->view.predicted = -1;
  changed_cb (self);
}

static void
run_cb (HlOverviewPanel *self)
{
  double fraction;
  if (hl_document_get_analysis (self->document, &fraction) != NULL)
    {
      hl_document_stop_analysis (self->document);
      return;
    }
  HlScoreChoices choices = *hl_document_get_score_choices (self->document);
  choices.n_inputs = gtk_spin_button_get_value_as_int (self->n_inputs);
  hl_document_set_score_choices (self->document, &choices);
  hl_document_make_overview (self->document);
}

/* ---- building ------------------------------------------------------------------------
 */

static GtkWidget *
build_options (HlOverviewPanel *self)
{
  GtkWidget *menu = gtk_menu_button_new (), *popover = gtk_popover_new ();
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *label = gtk_label_new_with_mnemonic (_ ("_Inputs at most"));
  GtkWidget *n_inputs = gtk_spin_button_new_with_range (0, 1e6, 100);
  const char *hint = _ ("Drawn from the data set; 0 takes all of them");
  gtk_widget_set_tooltip_text (n_inputs, hint);
  gtk_label_set_mnemonic_widget (GTK_LABEL (label), n_inputs);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (n_inputs), 1000);
  gtk_box_append (GTK_BOX (row), label);
  gtk_box_append (GTK_BOX (row), n_inputs);
  gtk_popover_set_child (GTK_POPOVER (popover), row);
  gtk_menu_button_set_popover (GTK_MENU_BUTTON (menu), popover);
  gtk_menu_button_set_icon_name (GTK_MENU_BUTTON (menu), "emblem-system-symbolic");
  gtk_widget_set_tooltip_text (menu, _ ("How the overview is made"));
  self->n_inputs = GTK_SPIN_BUTTON (n_inputs);
  return menu;
}

static void
build_head (HlOverviewPanel *self)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *name = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (name), 0);
  gtk_label_set_ellipsize (GTK_LABEL (name), PANGO_ELLIPSIZE_MIDDLE);
  gtk_widget_set_hexpand (name, TRUE);
  gtk_widget_add_css_class (name, "dim-label");
  gtk_box_append (GTK_BOX (row), name);
  self->dataset = GTK_LABEL (name);
  g_autoptr (GMenu) menu = g_menu_new ();
  g_menu_append (menu, _ ("Open a _Folder of Pictures…"), "win.open-dataset");
  g_menu_append (menu, _ ("Open a CSV, IDX File or _Text…"), "win.open-dataset-file");
  GtkWidget *open = gtk_menu_button_new ();
  gtk_menu_button_set_icon_name (GTK_MENU_BUTTON (open), "document-open-symbolic");
  gtk_menu_button_set_menu_model (GTK_MENU_BUTTON (open), G_MENU_MODEL (menu));
  gtk_widget_set_tooltip_text (open, _ ("Open a data set"));
  gtk_box_append (GTK_BOX (row), open);
  gtk_box_append (GTK_BOX (row), build_options (self));
  self->run =
      GTK_BUTTON (hl_score_button (row, _ ("Make Overview"), G_CALLBACK (run_cb), self));
  gtk_box_append (GTK_BOX (self->box), row);
}

static void
build_empty (HlOverviewPanel *self)
{
  hl_score_empty_init (&self->empty_state, _ ("How does the model see a data set?"),
                       _ ("_Make Overview"), G_CALLBACK (run_cb), self);
  gtk_stack_add_named (self->stack, self->empty_state.box, "empty");
}

static GtkWidget *
build_picture (HlOverviewPanel *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *picture = gtk_picture_new ();
  gtk_picture_set_can_shrink (GTK_PICTURE (picture), TRUE);
  gtk_widget_set_size_request (picture, PICTURE, PICTURE);
  gtk_widget_set_valign (picture, GTK_ALIGN_START);
  gtk_box_append (GTK_BOX (box), picture);
  self->picture = GTK_PICTURE (picture);
  self->picture_words = hl_score_caption (box);
  gtk_label_set_max_width_chars (self->picture_words, 16);
  gtk_label_set_wrap_mode (self->picture_words, PANGO_WRAP_WORD_CHAR);
  return box;
}

static void
build_plane (HlOverviewPanel *self, GtkWidget *page)
{
  const char *const layouts[] = { _ ("t-SNE"), _ ("Principal components"), NULL };
  const char *const colors[] = { _ ("By label"), _ ("By prediction"),
                                 _ ("Right or wrong"), _ ("By probability"), NULL };
  GtkWidget *section = hl_score_section (page, NULL);
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *pair = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  gtk_box_append (GTK_BOX (section), row);
  self->layout = hl_score_words (row, layouts, _ ("Laid out by"));
  self->colors = hl_score_words (row, colors, _ ("Coloured"));
  g_signal_connect_object (self->layout, "notify::selected", G_CALLBACK (changed_cb),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->colors, "notify::selected", G_CALLBACK (changed_cb),
                           self, G_CONNECT_SWAPPED);
  GtkWidget *errors = gtk_check_button_new_with_mnemonic (_ ("Only _errors"));
  g_signal_connect_object (errors, "toggled", G_CALLBACK (changed_cb), self,
                           G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (row), errors);
  self->only_errors = GTK_CHECK_BUTTON (errors);
  gtk_box_append (GTK_BOX (section), pair);
  GtkWidget *scatter = hl_scatter_view_new ();
  gtk_widget_set_size_request (scatter, -1, 360);
  gtk_widget_set_hexpand (scatter, TRUE);
  g_signal_connect_object (scatter, "dot-activated", G_CALLBACK (dot_activated_cb), self,
                           0);
  g_signal_connect_object (scatter, "mark-hovered", G_CALLBACK (hovered_cb), self, 0);
  g_signal_connect_object (scatter, "marked-changed", G_CALLBACK (marked_cb), self, 0);
  gtk_box_append (GTK_BOX (pair), scatter);
  gtk_box_append (GTK_BOX (pair), build_picture (self));
  self->scatter = HL_SCATTER_VIEW (scatter);
  self->caption = hl_score_caption (section);
  /* Of two lines, whatever it says: the page does not jump. */
  gtk_widget_set_size_request (GTK_WIDGET (self->caption), -1, 32);
  gtk_label_set_yalign (self->caption, 0);
}

static void
build_confusion (HlOverviewPanel *self, GtkWidget *page)
{
  GtkWidget *section = hl_score_section (page, _ ("Confusion: What Is Taken for What"));
  self->confusion_section = section;
  self->confusion = hl_score_map (section, 380, _ ("Confusion"));
  g_signal_connect_object (self->confusion, "cell-activated",
                           G_CALLBACK (cell_activated_cb), self, 0);
  self->cell = hl_score_caption (section);
  self->clear =
      hl_score_button (section, _ ("Show _All Inputs"), G_CALLBACK (clear_cb), self);
  gtk_widget_set_halign (self->clear, GTK_ALIGN_START);
}

static void
build_sections (HlOverviewPanel *self, GtkWidget *page)
{
  build_plane (self, page);
  build_confusion (self, page);
  GtkWidget *section = hl_score_section (page, _ ("Inputs"));
  self->table = hl_overview_table_new (self->document);
  gtk_box_append (GTK_BOX (section), self->table);
  self->explained = hl_score_explained (page);
}

static void
build_charts (HlOverviewPanel *self)
{
  GtkWidget *page, *scroller = hl_score_scroller (&page);
  build_sections (self, page);
  gtk_stack_add_named (self->stack, scroller, "charts");
}

void
hl_overview_panel_set_document (HlOverviewPanel *self, HlDocument *document)
{
  static const char *const signals[] = { "dataset-changed", "trace-changed",
                                         "model-changed" };
  g_return_if_fail (self->document == NULL);
  self->document = g_object_ref (document);
  build_head (self);
  GtkWidget *stack = gtk_stack_new ();
  gtk_widget_set_vexpand (stack, TRUE);
  gtk_box_append (GTK_BOX (self->box), stack);
  self->stack = GTK_STACK (stack);
  build_empty (self);
  build_charts (self);
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    g_signal_connect_object (document, signals[i], G_CALLBACK (changed_cb), self,
                             G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "overview-changed", G_CALLBACK (overview_changed_cb),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "busy-changed", G_CALLBACK (busy_cb), self,
                           G_CONNECT_SWAPPED);
}

void
hl_overview_panel_set_is_dark (HlOverviewPanel *self, gboolean is_dark)
{
  hl_scatter_view_set_is_dark (self->scatter, is_dark);
  hl_heatmap_view_set_is_dark (self->confusion, is_dark);
}

GPtrArray *
hl_overview_panel_get_charts (HlOverviewPanel *self)
{
  GPtrArray *scenes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_chart_scene_unref);
  HlChartScene *plane = hl_scatter_view_get_scene (self->scatter);
  if (hl_document_get_overview (self->document) != NULL && plane != NULL)
    g_ptr_array_add (scenes, hl_chart_scene_ref (plane));
  return scenes;
}

HlMatrixScene *
hl_overview_panel_get_confusion (HlOverviewPanel *self)
{
  return hl_document_get_overview (self->document) != NULL &&
                 gtk_widget_get_visible (self->confusion_section)
             ? hl_heatmap_view_get_scene (self->confusion)
             : NULL;
}

static void
hl_overview_panel_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (hl_overview_panel_parent_class)->map (widget);
  changed_cb (HL_OVERVIEW_PANEL (widget));
}

static void
hl_overview_panel_dispose (GObject *object)
{
  HlOverviewPanel *self = HL_OVERVIEW_PANEL (object);
  g_clear_object (&self->document);
  g_clear_pointer (&self->dots, g_array_unref);
  g_clear_pointer (&self->classes, g_array_unref);
  g_clear_pointer (&self->shown, hl_overview_unref);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  G_OBJECT_CLASS (hl_overview_panel_parent_class)->dispose (object);
}

static void
hl_overview_panel_class_init (HlOverviewPanelClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_overview_panel_dispose;
  widget->map = hl_overview_panel_map;
  gtk_widget_class_set_layout_manager_type (widget, GTK_TYPE_BIN_LAYOUT);
}

static void
hl_overview_panel_init (HlOverviewPanel *self)
{
  self->view.label = self->view.predicted = -1;
  self->dots = g_array_new (FALSE, FALSE, sizeof (int));
  self->classes = g_array_new (FALSE, FALSE, sizeof (int));
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  gtk_widget_set_margin_top (self->box, 6);
  gtk_widget_set_margin_start (self->box, 12);
  gtk_widget_set_margin_end (self->box, 6);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}
