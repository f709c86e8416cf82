/* SPDX-License-Identifier: MIT
 * What the pages of scores share. */
#include "config.h"

#include "window/hl-score-page.h"

#include "presenters/hl-present-scores.h"

#include <glib/gi18n.h>

GtkWidget *
hl_score_section (GtkWidget *page, const char *title)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  gtk_box_append (GTK_BOX (page), box);
  if (title == NULL)
    return box;
  GtkWidget *heading = gtk_label_new (title);
  gtk_label_set_xalign (GTK_LABEL (heading), 0);
  gtk_widget_add_css_class (heading, "heading");
  gtk_box_append (GTK_BOX (box), heading);
  return box;
}

GtkLabel *
hl_score_caption (GtkWidget *box)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_widget_add_css_class (label, "dim-label");
  gtk_widget_add_css_class (label, "caption");
  gtk_box_append (GTK_BOX (box), label);
  return GTK_LABEL (label);
}

static void
show_tower_note (GtkWidget *note)
{
  HlDocument *document = g_object_get_data (G_OBJECT (note), "document");
  const HlModelInfo *info = hl_document_get_model_info (document);
  gtk_widget_set_visible (note, info != NULL && info->stacks->len > 1);
}

void
hl_score_add_tower_note (GtkWidget *box, GtkWidget *after, HlDocument *document)
{
  static const char *const signals[] = { "trace-changed", "model-changed" };
  GtkLabel *note = hl_score_caption (box);
  gtk_label_set_text (note, _ ("This model has an encoder and a decoder: here are the "
                               "encoder's heads."));
  gtk_box_reorder_child_after (GTK_BOX (box), GTK_WIDGET (note), after);
  g_object_set_data_full (G_OBJECT (note), "document", g_object_ref (document),
                          g_object_unref);
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    g_signal_connect_object (document, signals[i], G_CALLBACK (show_tower_note), note,
                             G_CONNECT_SWAPPED);
  show_tower_note (GTK_WIDGET (note));
}

static void
name_widget (GtkWidget *widget, const char *name)
{
  gtk_accessible_update_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  name, -1);
}

HlChartView *
hl_score_chart (GtkWidget *box, int height, const char *name)
{
  GtkWidget *chart = hl_chart_view_new ();
  gtk_widget_set_size_request (chart, -1, height);
  gtk_widget_set_hexpand (chart, TRUE);
  name_widget (chart, name);
  gtk_box_append (GTK_BOX (box), chart);
  return HL_CHART_VIEW (chart);
}

GtkDropDown *
hl_score_words (GtkWidget *box, const char *const *words, const char *name)
{
  GtkWidget *drop_down = gtk_drop_down_new_from_strings (words);
  gtk_widget_set_tooltip_text (drop_down, name);
  name_widget (drop_down, name);
  gtk_box_append (GTK_BOX (box), drop_down);
  return GTK_DROP_DOWN (drop_down);
}

HlHeatmapView *
hl_score_map (GtkWidget *box, int height, const char *name)
{
  GtkWidget *map = hl_heatmap_view_new ();
  gtk_widget_set_size_request (map, -1, height);
  name_widget (map, name);
  gtk_box_append (GTK_BOX (box), map);
  hl_heatmap_view_leave_wheel (HL_HEATMAP_VIEW (map));
  return HL_HEATMAP_VIEW (map);
}

GtkWidget *
hl_score_button (GtkWidget *box, const char *label, GCallback clicked, gpointer data)
{
  GtkWidget *made = gtk_button_new_with_mnemonic (label);
  GtkWidget *text = gtk_button_get_child (GTK_BUTTON (made));
  /* Where a language has long words, a button is cut and not its neighbours. */
  if (GTK_IS_LABEL (text))
    gtk_label_set_ellipsize (GTK_LABEL (text), PANGO_ELLIPSIZE_END);
  g_signal_connect_object (made, "clicked", clicked, data, G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (box), made);
  return made;
}

GtkLabel *
hl_score_explained (GtkWidget *page)
{
  GtkWidget *expander = gtk_expander_new (_ ("How this was computed"));
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_widget_add_css_class (label, "caption");
  gtk_expander_set_child (GTK_EXPANDER (expander), label);
  gtk_box_append (GTK_BOX (page), expander);
  return GTK_LABEL (label);
}

GtkWidget *
hl_score_scroller (GtkWidget **page)
{
  GtkWidget *scroller = gtk_scrolled_window_new ();
  *page = gtk_box_new (GTK_ORIENTATION_VERTICAL, 18);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_NEVER,
                                  GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), *page);
  gtk_widget_set_margin_bottom (*page, 12);
  gtk_widget_set_margin_end (*page, 6);
  return scroller;
}

void
hl_score_empty_init (HlScoreEmpty *empty,
                     const char *question,
                     const char *run_label,
                     GCallback run,
                     gpointer data)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  gtk_widget_set_valign (box, GTK_ALIGN_CENTER);
  gtk_widget_set_halign (box, GTK_ALIGN_CENTER);
  gtk_widget_set_vexpand (box, TRUE);
  GtkWidget *title = gtk_label_new (question);
  gtk_widget_add_css_class (title, "title-2");
  gtk_box_append (GTK_BOX (box), title);
  GtkWidget *words = gtk_label_new (NULL);
  gtk_label_set_wrap (GTK_LABEL (words), TRUE);
  gtk_label_set_justify (GTK_LABEL (words), GTK_JUSTIFY_CENTER);
  gtk_label_set_max_width_chars (GTK_LABEL (words), 44);
  gtk_box_append (GTK_BOX (box), words);
  GtkWidget *open = gtk_button_new_with_mnemonic (_ ("Open _Data Set…"));
  *empty = (HlScoreEmpty){ box, GTK_LABEL (words),
                           hl_score_button (box, run_label, run, data), open };
  gtk_widget_add_css_class (empty->run, "pill");
  gtk_widget_add_css_class (empty->run, "suggested-action");
  gtk_actionable_set_action_name (GTK_ACTIONABLE (open), "win.open-dataset");
  gtk_widget_add_css_class (open, "pill");
  gtk_box_append (GTK_BOX (box), open);
  GtkWidget *file = gtk_button_new_with_mnemonic (_ ("Or a _CSV, IDX File or Text…"));
  gtk_actionable_set_action_name (GTK_ACTIONABLE (file), "win.open-dataset-file");
  gtk_widget_add_css_class (file, "flat");
  g_object_bind_property (open, "visible", file, "visible", G_BINDING_SYNC_CREATE);
  gtk_box_append (GTK_BOX (box), file);
}

static void
session_cb (GtkDropDown *scope, HlDocument *document)
{
  if (hl_document_get_scores (document, HL_SCOPE_INPUT) == NULL &&
      hl_document_get_scores (document, HL_SCOPE_DATASET) != NULL)
    gtk_drop_down_set_selected (scope, HL_SCOPE_DATASET);
}

void
hl_score_follow_session (GtkDropDown *scope, HlDocument *document)
{
  g_signal_connect_object (document, "model-changed", G_CALLBACK (session_cb), scope,
                           G_CONNECT_SWAPPED);
}

void
hl_score_show_busy (HlDocument *document, GtkWidget *run, GtkWidget *empty_run)
{
  double fraction;
  const char *what = hl_document_get_analysis (document, &fraction);
  g_autofree char *tip = what != NULL ? g_strdup_printf (_ ("Stop: %s"), what) : NULL;
  gtk_widget_set_tooltip_text (run, tip);
  gtk_widget_set_size_request (run, 124, -1); /* "Stop" stays under the pointer */
  gtk_widget_set_sensitive (empty_run, what == NULL);
}

/* ---- a choice of scores --------------------------------------------------------------
 */

static void
setup_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer is_button)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  if (is_button != NULL)
    gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_list_item_set_child (item, label);
}

static void
bind_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer is_button)
{
  GtkStringObject *word = gtk_list_item_get_item (item);
  gtk_label_set_text (GTK_LABEL (gtk_list_item_get_child (item)),
                      gtk_string_object_get_string (word));
}

static GtkListItemFactory *
factory_new (gboolean is_button)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  g_signal_connect (factory, "setup", G_CALLBACK (setup_cb), GINT_TO_POINTER (is_button));
  g_signal_connect (factory, "bind", G_CALLBACK (bind_cb), GINT_TO_POINTER (is_button));
  return factory;
}

void
hl_score_ellipsize (GtkDropDown *drop_down)
{
  g_autoptr (GtkListItemFactory) button = factory_new (TRUE), list = factory_new (FALSE);
  gtk_drop_down_set_factory (drop_down, button);
  gtk_drop_down_set_list_factory (drop_down, list);
}

void
hl_score_choice_init (HlScoreChoice *choice,
                      GtkWidget *box,
                      guint groups,
                      const char *name,
                      GCallback changed,
                      gpointer data)
{
  static const char *const none[] = { NULL };
  choice->groups = groups;
  choice->scores = g_array_new (FALSE, FALSE, sizeof (HlScore));
  choice->drop_down = hl_score_words (box, none, name);
  hl_score_ellipsize (choice->drop_down);
  gtk_widget_set_hexpand (GTK_WIDGET (choice->drop_down), TRUE);
  g_signal_connect_object (choice->drop_down, "notify::selected", changed, data,
                           G_CONNECT_SWAPPED);
}

void
hl_score_choice_clear (HlScoreChoice *choice)
{
  g_clear_pointer (&choice->scores, g_array_unref);
}

HlScore
hl_score_choice_get (const HlScoreChoice *choice)
{
  guint i = gtk_drop_down_get_selected (choice->drop_down);
  return i < choice->scores->len ? g_array_index (choice->scores, HlScore, i)
                                 : HL_N_SCORES;
}

static GArray *
list_scores (const HlScoreChoice *choice, HlDocument *document, HlScoreScope scope)
{
  GArray *scores = g_array_new (FALSE, FALSE, sizeof (HlScore));
  for (int i = 0; i < HL_N_SCORES; i++)
    {
      HlScore score = (HlScore) i;
      if ((choice->groups >> hl_score_get_info (score)->group & 1) != 0 &&
          hl_document_find_scores (document, scope, score) != NULL)
        g_array_append_val (scores, score);
    }
  return scores;
}

static guint
find_score (const GArray *scores, HlScore score)
{
  for (guint i = 0; i < scores->len; i++)
    if (g_array_index (scores, HlScore, i) == score)
      return i;
  return GTK_INVALID_LIST_POSITION;
}

static gboolean
is_same (const GArray *a, const GArray *b)
{
  return a->len == b->len && memcmp (a->data, b->data, a->len * sizeof (HlScore)) == 0;
}

void
hl_score_choice_fill (HlScoreChoice *choice,
                      HlDocument *document,
                      HlScoreScope scope,
                      const HlScore *wished)
{
  GArray *scores = list_scores (choice, document, scope);
  if (is_same (scores, choice->scores))
    {
      g_array_unref (scores);
      return;
    }
  HlScore chosen = hl_score_choice_get (choice);
  g_autoptr (GtkStringList) words = gtk_string_list_new (NULL);
  for (guint i = 0; i < scores->len; i++)
    {
      g_autofree char *title = hl_score_title (g_array_index (scores, HlScore, i));
      gtk_string_list_append (words, title);
    }
  choice->is_filling = TRUE;
  g_array_unref (choice->scores);
  choice->scores = scores;
  gtk_drop_down_set_model (choice->drop_down, G_LIST_MODEL (words));
  guint at = find_score (scores, chosen);
  for (; at == GTK_INVALID_LIST_POSITION && *wished != HL_N_SCORES; wished++)
    at = find_score (scores, *wished);
  if (scores->len > 0)
    gtk_drop_down_set_selected (choice->drop_down,
                                at != GTK_INVALID_LIST_POSITION ? at : 0);
  choice->is_filling = FALSE;
}

/* ---- how it was computed -------------------------------------------------------------
 */

char *
hl_score_explain (HlDocument *document, HlScoreScope scope, HlScore score)
{
  HlHeadScores *scores = hl_document_find_scores (document, scope, score);
  if (score == HL_N_SCORES || scores == NULL)
    return g_strdup ("");
  const HlScoreInfo *info = hl_score_get_info (score);
  const HlScoreChoices *choices = hl_document_get_score_choices (document);
  HlHeadKey head = hl_document_get_scored_head (document);
  g_autofree char *title = hl_score_title (score);
  int n = hl_head_scores_get_n_inputs (scores);
  const char *id = scores == hl_document_get_scores (document, HL_SCOPE_PROBE) ? "probe"
                   : hl_head_scores_has (scores, HL_SCORE_OUTPUT_COSINE) ? "importance"
                                                                         : "strength";
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (text, "%s\n%s\n\n", title, hl_score_formula (score));
  if (info->group == HL_SCORES_PRUNING || info->group == HL_SCORES_LAYER)
    g_string_append_printf (
        text,
        _ ("Ablation: %s. Weights are used as they are in the file; the output bias of "
           "the attention stays. Where the source of a formula is silent, this is our "
           "choice: the paper's own wording was not available.\n"),
        hl_ablation_name (choices->ablation));
  if (n > 1)
    g_string_append_printf (
        text,
        _ ("Mean over %d inputs; interval: percentile bootstrap, %d resamples, "
           "seed 1.\n"),
        n, HL_BOOTSTRAP_DRAWS);
  g_string_append_printf (
      text,
      n > 1 ? "\nimport h5py\n"
              "for r in h5py.File(\"session.h5\")[\"results\"].values():\n"
              "    if r.attrs[\"analysis\"] == \"%s\" and \"%s_inputs\" in r:\n"
              "        print(r[\"%s_inputs\"][:, %d, %d].mean())"
            : "\nimport h5py\n"
              "for r in h5py.File(\"session.h5\")[\"results\"].values():\n"
              "    if r.attrs[\"analysis\"] == \"%s\" and \"%s\" in r:\n"
              "        print(r[\"%s\"][%d, %d])",
      id, info->name, info->name, head.layer, head.head);
  return g_string_free (g_steal_pointer (&text), FALSE);
}
