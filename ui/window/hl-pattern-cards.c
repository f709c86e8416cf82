/* SPDX-License-Identifier: MIT
 * The dictionary of patterns. */
#include "config.h"

#include "window/hl-pattern-cards.h"

#include "draw/hl-paint-chart.h"
#include "presenters/hl-present-patterns.h"

#include <glib/gi18n.h>

/* Sides of a card's pictures, in pixels; the picture itself is sharp at twice that. */
#define PICTURE 84

typedef struct
{
  HlDocument *document;
  GtkFlowBox *box;
  HlPatterns *shown;
} Cards;

static void
cards_free (gpointer data)
{
  Cards *cards = data;
  g_clear_pointer (&cards->shown, hl_patterns_unref);
  g_object_unref (cards->document);
  g_free (cards);
}

/* ---- a card --------------------------------------------------------------------------
 */

static GtkWidget *
picture_of (const HlPatterns *p, const float *numbers)
{
  int zoom = MAX (1, 2 * PICTURE / MAX (p->shape.width, p->shape.height));
  int width = p->shape.width * zoom, height = p->shape.height * zoom;
  g_autoptr (GBytes) pixels =
      hl_present_pattern_pixels (p->shape, numbers, HL_COLORMAP_VIRIDIS, zoom);
  g_autoptr (GdkTexture) texture = gdk_memory_texture_new (
      width, height, GDK_MEMORY_R8G8B8, pixels, (gsize) width * 3);
  GtkWidget *picture = gtk_picture_new_for_paintable (GDK_PAINTABLE (texture));
  gtk_picture_set_can_shrink (GTK_PICTURE (picture), TRUE);
  gtk_widget_set_size_request (picture, PICTURE, PICTURE);
  return picture;
}

static void
medoid_cb (GtkButton *button, gpointer data)
{
  Cards *cards = data;
  int medoid = GPOINTER_TO_INT (g_object_get_data (G_OBJECT (button), "medoid"));
  if (cards->shown != NULL)
    hl_document_look_at_pattern (cards->document, cards->shown->kind, medoid);
}

/* Empty or unchanged names stay as they were. */
static void
named_cb (GtkEditableLabel *label, GParamSpec *pspec, gpointer data)
{
  Cards *cards = data;
  int cluster = GPOINTER_TO_INT (g_object_get_data (G_OBJECT (label), "cluster"));
  const char *text = gtk_editable_get_text (GTK_EDITABLE (label));
  if (gtk_editable_label_get_editing (label) || cards->shown == NULL)
    return;
  const HlPatternCluster *c = hl_patterns_get_cluster (cards->shown, cluster);
  g_autofree char *before = hl_pattern_cluster_words (c);
  if (text[0] == '\0')
    gtk_editable_set_text (GTK_EDITABLE (label), before);
  else if (!g_str_equal (text, before))
    hl_document_rename_pattern (cards->document, cards->shown->kind, cluster, text);
}

/* The cluster's colour in the plane. */
static void
draw_chip_cb (GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer data)
{
  const HlChartSeries series = { .color = GPOINTER_TO_INT (data) };
  const HlChartScene scene = { .colormap = HL_COLORMAP_VIRIDIS };
  HlTheme theme = hl_theme_light ();
  HlColor color = hl_chart_series_color (&scene, &series, &theme, -1);
  cairo_set_source_rgb (cr, color.red, color.green, color.blue);
  cairo_arc (cr, width / 2.0, height / 2.0, MIN (width, height) / 2.0, 0, 2 * G_PI);
  cairo_fill (cr);
}

static GtkWidget *
name_row (Cards *cards, const HlPatternCluster *c, int cluster)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *chip = gtk_drawing_area_new ();
  g_autofree char *words = hl_pattern_cluster_words (c);
  gtk_widget_set_size_request (chip, 10, 10);
  gtk_widget_set_valign (chip, GTK_ALIGN_CENTER);
  gtk_drawing_area_set_draw_func (GTK_DRAWING_AREA (chip), draw_chip_cb,
                                  GINT_TO_POINTER (cluster), NULL);
  gtk_box_append (GTK_BOX (row), chip);
  GtkWidget *name = gtk_editable_label_new (words);
  gtk_widget_set_hexpand (name, TRUE);
  gtk_widget_add_css_class (name, "heading");
  gtk_widget_set_tooltip_text (name, _ ("Double-click to give it another name"));
  g_object_set_data (G_OBJECT (name), "cluster", GINT_TO_POINTER (cluster));
  g_signal_connect (name, "notify::editing", G_CALLBACK (named_cb), cards);
  gtk_box_append (GTK_BOX (row), name);
  return row;
}

static GtkWidget *
pictures_row (Cards *cards, const HlPatternCluster *c)
{
  int layer, head;
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *mean = picture_of (cards->shown, c->mean);
  hl_patterns_get_place (cards->shown, c->medoid, &layer, &head);
  gtk_widget_set_tooltip_text (mean, _ ("Mean of its maps"));
  gtk_box_append (GTK_BOX (row), mean);
  GtkWidget *button = gtk_button_new ();
  gtk_button_set_child (GTK_BUTTON (button), picture_of (cards->shown, c->example));
  gtk_widget_add_css_class (button, "flat");
  gtk_widget_add_css_class (button, "pattern-medoid");
  g_autofree char *words = g_strdup_printf (
      _ ("Medoid: %d.%d; press to see it beside its reconstruction"), layer, head);
  gtk_widget_set_tooltip_text (button, words);
  g_object_set_data (G_OBJECT (button), "medoid", GINT_TO_POINTER (c->medoid));
  g_signal_connect (button, "clicked", G_CALLBACK (medoid_cb), cards);
  gtk_box_append (GTK_BOX (row), button);
  return row;
}

/* The two layers that have most of it. */
static char *
describe (const HlPatterns *p, const HlPatternCluster *c)
{
  int top = 0;
  for (int l = 1; l < p->n_layers; l++)
    top = c->by_layer[l] > c->by_layer[top] ? l : top;
  return g_strdup_printf (
      _ ("%d maps, %.0f %% · spread %.2g\nmost in layer %d (%.0f %%)"), c->n,
      100.0 * c->n / MAX (hl_patterns_get_n (p), 1), c->spread, top,
      100.0 * c->by_layer[top] / MAX (c->n, 1));
}

static GtkWidget *
card_new (Cards *cards, int cluster)
{
  const HlPatternCluster *c = hl_patterns_get_cluster (cards->shown, cluster);
  GtkWidget *card = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  g_autofree char *words = describe (cards->shown, c);
  GtkWidget *label = gtk_label_new (words);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "caption");
  gtk_widget_add_css_class (label, "dim-label");
  gtk_widget_add_css_class (card, "card");
  gtk_widget_add_css_class (card, "pattern-card");
  gtk_box_append (GTK_BOX (card), name_row (cards, c, cluster));
  gtk_box_append (GTK_BOX (card), pictures_row (cards, c));
  gtk_box_append (GTK_BOX (card), label);
  return card;
}

/* ---- all cards -----------------------------------------------------------------------
 */

void
hl_pattern_cards_show (GtkWidget *widget, HlPatterns *patterns)
{
  GtkWidget *child;
  Cards *cards = g_object_get_data (G_OBJECT (widget), "cards");
  if (cards->shown == patterns)
    return;
  g_clear_pointer (&cards->shown, hl_patterns_unref);
  while ((child = gtk_widget_get_first_child (widget)) != NULL)
    gtk_flow_box_remove (cards->box, child);
  if (patterns == NULL)
    return;
  cards->shown = hl_patterns_ref (patterns);
  for (guint i = 0; i < patterns->clusters->len; i++)
    gtk_flow_box_insert (cards->box, card_new (cards, (int) i), -1);
}

GtkWidget *
hl_pattern_cards_new (HlDocument *document)
{
  Cards *cards = g_new0 (Cards, 1);
  GtkWidget *box = gtk_flow_box_new ();
  cards->document = g_object_ref (document);
  cards->box = GTK_FLOW_BOX (box);
  gtk_flow_box_set_selection_mode (cards->box, GTK_SELECTION_NONE);
  gtk_flow_box_set_homogeneous (cards->box, TRUE);
  gtk_flow_box_set_column_spacing (cards->box, 12);
  gtk_flow_box_set_row_spacing (cards->box, 12);
  gtk_flow_box_set_min_children_per_line (cards->box, 2);
  gtk_flow_box_set_max_children_per_line (cards->box, 6);
  g_object_set_data_full (G_OBJECT (box), "cards", cards, cards_free);
  return box;
}
