/* SPDX-License-Identifier: MIT
 * What the ablated heads change. */
#include "config.h"

#include "window/hl-before-after.h"

#include "gl/hl-heatmap-view.h"
#include "presenters/hl-present.h"
#include "window/hl-attention-tiles.h"

#include <glib/gi18n.h>
#include <math.h>

#define N_ROWS 4
#define N_COLUMNS 4

typedef struct
{
  HlHeatmapView *view;
  HlTrace *trace; /* what its source is of; only compared */
  HlHeadKey head;
  double high; /* of the colours */
  HlAttentionSource *source;
} Side;

struct _HlBeforeAfter
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *box;
  GtkLabel *title;
  GtkLabel *cells[N_ROWS][N_COLUMNS];
  Side sides[2]; /* before, after */
};

G_DEFINE_FINAL_TYPE (HlBeforeAfter, hl_before_after, GTK_TYPE_WIDGET)

/* ---- predictions ---------------------------------------------------------------------
 */

static const HlPrediction *
find_class (const GPtrArray *list, int index)
{
  for (guint i = 0; i < list->len; i++)
    {
      const HlPrediction *p = g_ptr_array_index (list, i);
      if (p->index == index)
        return p;
    }
  return NULL;
}

static void
set_number (GtkLabel *label, const HlPrediction *p)
{
  g_autofree char *text =
      p != NULL ? g_strdup_printf ("%.4f  (%.2f)", p->prob, p->logit) : g_strdup ("–");
  gtk_label_set_text (label, text);
}

static void
show_row (HlBeforeAfter *self, int row, const HlPrediction *b, const HlPrediction *a)
{
  const HlPrediction *known = b != NULL ? b : a;
  for (int c = 0; c < N_COLUMNS; c++)
    gtk_widget_set_visible (GTK_WIDGET (self->cells[row][c]), known != NULL);
  if (known == NULL)
    return;
  gtk_label_set_text (self->cells[row][0], known->label);
  set_number (self->cells[row][1], b);
  set_number (self->cells[row][2], a);
  g_autofree char *change = a != NULL && b != NULL
                                ? g_strdup_printf ("%+.4f", a->prob - b->prob)
                                : g_strdup ("");
  gtk_label_set_text (self->cells[row][3], change);
}

/* The most probable of before, and what is predicted now where that is another. */
static void
show_predictions (HlBeforeAfter *self, const HlTrace *before, const HlTrace *after)
{
  gint64 n = after->logits != NULL ? hl_tensor_count (after->logits) : 0;
  g_autoptr (GPtrArray) b = hl_present_predictions (before, (int) MIN (n, 100000));
  g_autoptr (GPtrArray) a = hl_present_predictions (after, (int) MIN (n, 100000));
  for (int i = 0; i < N_ROWS; i++)
    {
      const HlPrediction *p = i < (int) b->len ? g_ptr_array_index (b, i) : NULL;
      const HlPrediction *now = a->len > 0 ? g_ptr_array_index (a, 0) : NULL;
      gboolean is_new = TRUE;
      for (int k = 0; k < N_ROWS - 1 && k < (int) b->len && now != NULL; k++)
        is_new &= ((HlPrediction *) g_ptr_array_index (b, k))->index != now->index;
      if (i == N_ROWS - 1 && is_new && now != NULL)
        p = find_class (b, now->index);
      show_row (self, i, p, p != NULL ? find_class (a, p->index) : NULL);
    }
}

/* ---- maps ----------------------------------------------------------------------------
 */

static void
side_clear (Side *side)
{
  g_clear_pointer (&side->source, hl_attention_source_unref);
  side->trace = NULL;
}

static void
show_map (HlBeforeAfter *self, Side *side, HlTrace *trace, const char *title)
{
  gint64 Tq, Tk;
  HlHeadKey head = hl_selection_get_head (hl_document_get_selection (self->document));
  HlTraceSummary *summary = hl_document_get_summary (self->document);
  if (side->trace != trace)
    {
      side_clear (side);
      side->trace = trace;
      side->source = hl_attention_source_new (trace);
      side->head.layer = -1;
    }
  double high = summary != NULL ? hl_trace_summary_max (summary, FALSE) : 0;
  if (side->head.stack == head.stack && side->head.layer == head.layer &&
      side->head.head == head.head && side->high == high)
    return;
  side->head = head;
  side->high = high;
  if (summary == NULL || !hl_attention_source_get_size (side->source, head, &Tq, &Tk))
    return;
  const HlViewOptions *view = hl_document_get_view (self->document);
  g_autoptr (HlMatrixScene) scene =
      hl_present_matrix (summary, head, Tq, Tk, NULL, view, -1, -1);
  g_free (scene->title);
  scene->title = g_strdup_printf (title, head.layer, head.head);
  g_autoptr (HlAttentionTiles) tiles = hl_attention_tiles_new (
      hl_document_get_engine (self->document), side->source, head, view);
  hl_heatmap_view_set_tile_source (side->view, HL_TILE_SOURCE (tiles));
  hl_heatmap_view_set_scene (side->view, scene);
}

void
hl_before_after_show (HlBeforeAfter *self)
{
  guint n;
  HlTrace *before = hl_document_get_baseline (self->document);
  HlTrace *after = hl_document_get_trace (self->document);
  const HlHeadKey *heads =
      hl_selection_get_ablated (hl_document_get_selection (self->document), &n);
  gboolean is_there = n > 0 && before != NULL && after != NULL && before != after &&
                      after->interventions->len > 0;
  gtk_widget_set_visible (GTK_WIDGET (self), is_there);
  if (!is_there)
    {
      side_clear (&self->sides[0]);
      side_clear (&self->sides[1]);
      return;
    }
  g_autoptr (GString) text = g_string_new (_ ("Ablated: "));
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *prefix = hl_present_stack_prefix (after, heads[i].stack);
      g_string_append_printf (text, "%s%s%d.%d", i > 0 ? ", " : "", prefix,
                              heads[i].layer, heads[i].head);
    }
  gtk_label_set_text (self->title, text->str);
  show_predictions (self, before, after);
  show_map (self, &self->sides[0], before, _ ("%d.%d before"));
  show_map (self, &self->sides[1], after, _ ("%d.%d after"));
}

static void
clear_cb (HlBeforeAfter *self)
{
  hl_selection_clear_ablated (hl_document_get_selection (self->document));
}

/* ---- building ------------------------------------------------------------------------
 */

static GtkWidget *
build_table (HlBeforeAfter *self)
{
  const char *const titles[N_COLUMNS] = { "", _ ("before"), _ ("after"), _ ("change") };
  GtkWidget *grid = gtk_grid_new ();
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  for (int c = 0; c < N_COLUMNS; c++)
    for (int r = -1; r < N_ROWS; r++)
      {
        GtkWidget *label = gtk_label_new (r < 0 ? titles[c] : NULL);
        gtk_label_set_xalign (GTK_LABEL (label), c == 0 ? 0 : 1);
        gtk_widget_set_hexpand (label, c == 0);
        gtk_widget_add_css_class (label, r < 0 ? "dim-label" : "numeric");
        gtk_widget_add_css_class (label, "caption");
        if (c == 0)
          gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
        if (c > 0 && r < 0)
          gtk_widget_set_tooltip_text (
              label, c < 3 ? _ ("Probability, and the logit in brackets")
                           : _ ("Of the probability"));
        gtk_grid_attach (GTK_GRID (grid), label, c, r + 1, 1, 1);
        if (r >= 0)
          self->cells[r][c] = GTK_LABEL (label);
      }
  return grid;
}

static GtkWidget *
build_maps (HlBeforeAfter *self)
{
  const char *const names[] = { _ ("Map before"), _ ("Map after") };
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  gtk_box_set_homogeneous (GTK_BOX (row), TRUE);
  for (int i = 0; i < 2; i++)
    {
      GtkWidget *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3);
      GtkWidget *label =
          gtk_label_new (i == 0 ? _ ("selected head before") : _ ("selected head after"));
      gtk_widget_add_css_class (label, "caption");
      gtk_widget_add_css_class (label, "dim-label");
      GtkWidget *view = hl_heatmap_view_new ();
      gtk_widget_set_size_request (view, -1, 170);
      gtk_widget_set_vexpand (view, FALSE);
      gtk_accessible_update_property (GTK_ACCESSIBLE (view),
                                      GTK_ACCESSIBLE_PROPERTY_LABEL, names[i], -1);
      gtk_box_append (GTK_BOX (column), label);
      gtk_box_append (GTK_BOX (column), view);
      gtk_box_append (GTK_BOX (row), column);
      self->sides[i].view = HL_HEATMAP_VIEW (view);
      hl_heatmap_view_leave_wheel (self->sides[i].view);
    }
  return row;
}

void
hl_before_after_set_document (HlBeforeAfter *self, HlDocument *document)
{
  g_return_if_fail (self->document == NULL);
  self->document = g_object_ref (document);
}

void
hl_before_after_set_is_dark (HlBeforeAfter *self, gboolean is_dark)
{
  hl_heatmap_view_set_is_dark (self->sides[0].view, is_dark);
  hl_heatmap_view_set_is_dark (self->sides[1].view, is_dark);
}

static void
hl_before_after_dispose (GObject *object)
{
  HlBeforeAfter *self = HL_BEFORE_AFTER (object);
  side_clear (&self->sides[0]);
  side_clear (&self->sides[1]);
  g_clear_object (&self->document);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  G_OBJECT_CLASS (hl_before_after_parent_class)->dispose (object);
}

static void
hl_before_after_class_init (HlBeforeAfterClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hl_before_after_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass),
                                            GTK_TYPE_BIN_LAYOUT);
}

static void
hl_before_after_init (HlBeforeAfter *self)
{
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *title = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_label_set_ellipsize (GTK_LABEL (title), PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (title, TRUE);
  gtk_widget_add_css_class (title, "heading");
  self->title = GTK_LABEL (title);
  gtk_box_append (GTK_BOX (row), title);
  GtkWidget *clear = gtk_button_new_with_mnemonic (_ ("_Restore All"));
  g_signal_connect_object (clear, "clicked", G_CALLBACK (clear_cb), self,
                           G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (row), clear);
  gtk_box_append (GTK_BOX (self->box), row);
  gtk_box_append (GTK_BOX (self->box), build_table (self));
  gtk_box_append (GTK_BOX (self->box), build_maps (self));
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}

GtkWidget *
hl_before_after_new (void)
{
  return g_object_new (HL_TYPE_BEFORE_AFTER, NULL);
}
