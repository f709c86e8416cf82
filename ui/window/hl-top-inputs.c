/* SPDX-License-Identifier: MIT
 * The inputs of the data set on which the selected head scores highest. */
#include "config.h"

#include "window/hl-top-inputs.h"

#include <glib/gi18n.h>
#include <math.h>

#define N_SHOWN 6

typedef struct
{
  HlDocument *document;
  GtkWidget *rows[N_SHOWN];
  GtkLabel *names[N_SHOWN];
  GtkLabel *words[N_SHOWN];
  GtkLabel *numbers[N_SHOWN];
  int inputs[N_SHOWN];
} Top;

typedef struct
{
  int input;
  double value;
} Ranked;

static int
falling (gconstpointer a, gconstpointer b)
{
  double x = ((const Ranked *) a)->value, y = ((const Ranked *) b)->value;
  return (x < y) - (x > y);
}

static void
top_free (gpointer data)
{
  Top *top = data;
  g_clear_object (&top->document);
  g_free (top);
}

/* (transfer full): a class by name, or a number. */
static char *
class_name (HlDocument *document, int index)
{
  const HlModelInfo *info = hl_document_get_model_info (document);
  HlModel *model = hl_document_get_model (document);
  HlTokenizer *tokenizer = model != NULL ? hl_model_get_tokenizer (model, NULL) : NULL;
  if (index < 0)
    return g_strdup ("–");
  if (info != NULL && info->labels != NULL && index < (int) g_strv_length (info->labels))
    return g_strdup (info->labels[index]);
  char *text = tokenizer != NULL ? hl_tokenizer_get_token_text (tokenizer, index) : NULL;
  return text != NULL ? text : g_strdup_printf ("%d", index);
}

static void
show_row (Top *top, int row, const HlHeadScores *scores, const Ranked *ranked)
{
  const HlScoredInput *about = hl_head_scores_get_input (scores, ranked->input);
  g_autofree char *label = class_name (top->document, about->label);
  g_autofree char *predicted = class_name (top->document, about->predicted);
  gboolean is_wrong = about->label >= 0 && about->predicted != about->label;
  g_autofree char *words =
      about->predicted < 0 ? g_strdup (about->label >= 0 ? label : "")
      : is_wrong           ? g_strdup_printf (_ ("%s, predicted %s"), label, predicted)
                           : g_strdup (predicted);
  g_autofree char *number = g_strdup_printf ("%.4g", ranked->value);
  top->inputs[row] = ranked->input;
  gtk_label_set_text (top->names[row], about->name);
  gtk_label_set_text (top->words[row], words);
  gtk_label_set_text (top->numbers[row], number);
  if (is_wrong)
    gtk_widget_add_css_class (GTK_WIDGET (top->words[row]), "error");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (top->words[row]), "error");
}

void
hl_top_inputs_show (GtkWidget *widget,
                    const HlHeadScores *scores,
                    HlScore score,
                    HlHeadKey head,
                    gboolean only_errors)
{
  Top *top = g_object_get_data (G_OBJECT (widget), "top");
  int n = scores != NULL ? hl_head_scores_get_n_inputs (scores) : 0, k = 0;
  g_autofree Ranked *ranked = g_new (Ranked, (gsize) n + 1);
  for (int i = 0; i < n; i++)
    {
      const HlScoredInput *about = hl_head_scores_get_input (scores, i);
      double value = hl_head_scores_get (scores, score, i, head.layer, head.head);
      gboolean is_wrong =
          about->label >= 0 && about->predicted >= 0 && about->predicted != about->label;
      if (!isnan (value) && (!only_errors || is_wrong))
        ranked[k++] = (Ranked){ i, value };
    }
  qsort (ranked, (size_t) k, sizeof (Ranked), falling);
  for (int r = 0; r < N_SHOWN; r++)
    {
      gtk_widget_set_visible (top->rows[r], r < k);
      if (r < k)
        show_row (top, r, scores, &ranked[r]);
    }
}

static void
clicked_cb (GtkButton *button, gpointer data)
{
  Top *top = data;
  for (int r = 0; r < N_SHOWN; r++)
    if (top->rows[r] == GTK_WIDGET (button))
      hl_document_open_scored (top->document, top->inputs[r]);
}

static GtkLabel *
add_label (GtkWidget *row, gboolean is_number)
{
  GtkWidget *label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), is_number ? 1 : 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_widget_set_hexpand (label, !is_number);
  gtk_widget_add_css_class (label, "caption");
  if (is_number)
    gtk_widget_add_css_class (label, "numeric");
  gtk_box_append (GTK_BOX (row), label);
  return GTK_LABEL (label);
}

GtkWidget *
hl_top_inputs_new (HlDocument *document)
{
  Top *top = g_new0 (Top, 1);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  top->document = g_object_ref (document);
  for (int r = 0; r < N_SHOWN; r++)
    {
      GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
      gtk_box_set_homogeneous (GTK_BOX (row), TRUE);
      top->names[r] = add_label (row, FALSE);
      top->words[r] = add_label (row, FALSE);
      top->numbers[r] = add_label (row, TRUE);
      top->rows[r] = gtk_button_new ();
      gtk_button_set_child (GTK_BUTTON (top->rows[r]), row);
      gtk_button_set_has_frame (GTK_BUTTON (top->rows[r]), FALSE);
      gtk_widget_set_tooltip_text (top->rows[r], _ ("Make this the input"));
      g_signal_connect (top->rows[r], "clicked", G_CALLBACK (clicked_cb), top);
      gtk_box_append (GTK_BOX (box), top->rows[r]);
    }
  g_object_set_data_full (G_OBJECT (box), "top", top, top_free);
  return box;
}
