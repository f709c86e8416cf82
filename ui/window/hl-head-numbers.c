/* SPDX-License-Identifier: MIT
 * What is known of the selected head, and the next tokens after one of a text. */
#include "config.h"

#include "window/hl-head-numbers.h"

#include <glib/gi18n.h>
#include <math.h>

typedef enum
{
  STAT_ENTROPY,
  STAT_DISTANCE,
  STAT_SINK,
  STAT_MAX,
  STAT_WHERE,
  N_STATS,
} Stat;

#define N_NEXT 8

struct _HlHeadNumbers
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *box;
  GtkGrid *stats;
  GtkLabel *stat_labels[N_STATS];
  GtkLabel *next_title;
  GtkGrid *next;
  GtkLabel *next_labels[N_NEXT];
  GtkLabel *next_probs[N_NEXT];
};

G_DEFINE_FINAL_TYPE (HlHeadNumbers, hl_head_numbers, GTK_TYPE_WIDGET)

/* ---- numbers -------------------------------------------------------------------------
 */

static void
set_stat (HlHeadNumbers *self, Stat which, const char *format, double value)
{
  g_autofree char *text =
      isnan (value) ? g_strdup ("–") : g_strdup_printf (format, value);
  gtk_label_set_text (self->stat_labels[which], text);
}

void
hl_head_numbers_show_head (HlHeadNumbers *self)
{
  HlTraceSummary *summary = hl_document_get_summary (self->document);
  HlHeadKey key = hl_selection_get_head (hl_document_get_selection (self->document));
  const HlHeadSummary *head =
      summary != NULL ? hl_trace_summary_get_head (summary, key.layer, key.head) : NULL;
  for (int i = 0; i < N_STATS && head == NULL; i++)
    gtk_label_set_text (self->stat_labels[i], "–");
  if (head == NULL)
    return;
  const HlTokenTable *tokens = hl_document_get_tokens (self->document);
  const HlTokenTable *keys = hl_document_get_key_tokens (self->document);
  gboolean is_grid = tokens != NULL && tokens->n_columns > 0;
  /* What is selected does not move what stands beside: one width for all heads, and a
   * smaller one beside a text, which needs the room. */
  for (int i = 0; i < N_STATS; i++)
    {
      gtk_label_set_width_chars (self->stat_labels[i], is_grid ? 13 : 10);
      gtk_label_set_max_width_chars (self->stat_labels[i], is_grid ? 13 : 10);
    }
  /* An estimate says so: it is from some of the queries. */
  gtk_widget_set_tooltip_text (
      GTK_WIDGET (self->stats),
      head->is_exact ? NULL : _ ("Estimated from some of the queries; being refined"));
  gtk_widget_set_opacity (GTK_WIDGET (self->stats), head->is_exact ? 1 : 0.6);
  set_stat (self, STAT_ENTROPY, "%.3f", head->stats.row_entropy);
  gboolean is_words = summary->trace->pieces != NULL;
  set_stat (self, STAT_DISTANCE,
            is_grid    ? _ ("%.2f patches")
            : is_words ? _ ("%.1f words")
                       : _ ("%.1f tokens"),
            head->stats.mean_distance);
  set_stat (self, STAT_SINK, "%.3f", head->stats.sink_share);
  set_stat (self, STAT_MAX, "%.4f", head->stats.max);
  gint64 query = head->stats.max_query, to = head->stats.max_key;
  g_autofree char *where =
      tokens != NULL && keys != NULL && query >= 0 && query < tokens->n_tokens &&
              to >= 0 && to < keys->n_tokens
          ? g_strdup_printf ("%s → %s", tokens->tokens[query].text, keys->tokens[to].text)
          : g_strdup ("–");
  gtk_label_set_text (self->stat_labels[STAT_WHERE], where);
}

static void
make_stats (HlHeadNumbers *self)
{
  const struct
  {
    const char *name;
    const char *tip;
  } rows[N_STATS] = {
    { _ ("Row entropy"), _ ("Mean over rows of H / ln (keys the row may see): 0 looks at "
                            "one key, 1 at all alike") },
    { _ ("Mean distance"), _ ("Mean over patches of Σ A·d, special tokens left out and "
                              "rows renormalised, d between patch centres in patches") },
    { _ ("First token"),
      _ ("Mean over the other rows of the weight on the first token") },
    { _ ("Largest entry"), _ ("The largest weight in the map") },
    { _ ("where"), _ ("Query and key of the largest weight") },
  };
  for (int i = 0; i < N_STATS; i++)
    {
      GtkWidget *name = gtk_label_new (rows[i].name);
      GtkWidget *value = gtk_label_new ("–");
      gtk_label_set_xalign (GTK_LABEL (name), 0);
      gtk_label_set_xalign (GTK_LABEL (value), 1);
      gtk_label_set_ellipsize (GTK_LABEL (value), PANGO_ELLIPSIZE_END);
      gtk_widget_set_hexpand (value, TRUE);
      gtk_widget_add_css_class (name, "dim-label");
      gtk_widget_add_css_class (name, "caption");
      gtk_widget_add_css_class (value, "numeric");
      gtk_widget_add_css_class (value, "caption");
      gtk_widget_set_tooltip_text (name, rows[i].tip);
      gtk_widget_set_tooltip_text (value, rows[i].tip);
      gtk_grid_attach (self->stats, name, 0, i, 1, 1);
      gtk_grid_attach (self->stats, value, 1, i, 1, 1);
      self->stat_labels[i] = GTK_LABEL (value);
    }
}

/* ---- next tokens ---------------------------------------------------------------------
 */

static void
make_next (HlHeadNumbers *self)
{
  for (int i = 0; i < N_NEXT; i++)
    {
      GtkWidget *label = gtk_label_new (NULL), *prob = gtk_label_new (NULL);
      gtk_label_set_xalign (GTK_LABEL (label), 0);
      gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
      gtk_label_set_max_width_chars (GTK_LABEL (label), 12);
      gtk_label_set_xalign (GTK_LABEL (prob), 1);
      gtk_widget_set_hexpand (prob, TRUE);
      gtk_widget_add_css_class (label, "caption");
      gtk_widget_add_css_class (prob, "caption");
      gtk_widget_add_css_class (prob, "numeric");
      gtk_grid_attach (self->next, label, 0, i, 1, 1);
      gtk_grid_attach (self->next, prob, 1, i, 1, 1);
      self->next_labels[i] = GTK_LABEL (label);
      self->next_probs[i] = GTK_LABEL (prob);
    }
}

/* What really came next stands out; its probability and rank are in the title's tip. */
static void
describe_next (HlHeadNumbers *self, const HlTrace *trace, gint64 position)
{
  const HlPredictions *p = trace->predictions;
  g_autofree char *token =
      hl_present_token (trace, trace->model->readout_stack, position);
  g_autofree char *title = g_strdup_printf (
      p->is_own ? _ ("At %d · %s") : _ ("After %d · %s"), (int) position, token);
  g_autoptr (GString) tip = g_string_new (NULL);
  g_string_append_printf (tip, _ ("Entropy of this prediction: %.3f nats"),
                          (double) hl_tensor_f32 (p->entropies)[position]);
  double log_prob = (double) hl_tensor_f32 (p->next_log_probs)[position];
  gint32 rank = ((const gint32 *) p->next_ranks->data)[position];
  if (rank >= 0)
    g_string_append_printf (
        tip, _ ("\nThe token that came: probability %.4f (ln p = %.3f), rank %d"),
        exp (log_prob), log_prob, rank + 1);
  else if (!isnan (log_prob))
    g_string_append_printf (
        tip,
        _ ("\nThe word that came: probability %.4f (ln p = %.3f, of all its tokens)"),
        exp (log_prob), log_prob);
  gtk_label_set_text (self->next_title, title);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->next_title), tip->str);
}

void
hl_head_numbers_show_next (HlHeadNumbers *self, gint64 position)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  g_autoptr (GPtrArray) list =
      trace != NULL ? hl_present_next_tokens (trace, position, N_NEXT) : NULL;
  guint n = list != NULL ? list->len : 0;
  gtk_widget_set_visible (GTK_WIDGET (self->next_title), n > 0);
  gtk_widget_set_visible (GTK_WIDGET (self->next), n > 0);
  if (n == 0)
    return;
  gint32 came = ((const gint32 *) trace->predictions->next_ids->data)[position];
  for (guint i = 0; i < N_NEXT; i++)
    {
      const HlPrediction *p = i < n ? g_ptr_array_index (list, i) : NULL;
      g_autofree char *prob = p != NULL ? g_strdup_printf ("%.4f", p->prob) : NULL;
      gtk_label_set_text (self->next_labels[i], p != NULL ? p->label : "");
      gtk_label_set_text (self->next_probs[i], prob != NULL ? prob : "");
      if (p != NULL && came >= 0 && p->index == came)
        gtk_widget_add_css_class (GTK_WIDGET (self->next_labels[i]), "accent");
      else
        gtk_widget_remove_css_class (GTK_WIDGET (self->next_labels[i]), "accent");
    }
  describe_next (self, trace, position);
}

void
hl_head_numbers_set_document (HlHeadNumbers *self, HlDocument *document)
{
  g_return_if_fail (self->document == NULL);
  self->document = g_object_ref (document);
}

static void
hl_head_numbers_dispose (GObject *object)
{
  HlHeadNumbers *self = HL_HEAD_NUMBERS (object);
  g_clear_object (&self->document);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  G_OBJECT_CLASS (hl_head_numbers_parent_class)->dispose (object);
}

static void
hl_head_numbers_class_init (HlHeadNumbersClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_head_numbers_dispose;
  gtk_widget_class_set_template_from_resource (
      widget, "/org/headlight/Headlight/ui/hl-head-numbers.ui");
  gtk_widget_class_set_layout_manager_type (widget, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_bind_template_child (widget, HlHeadNumbers, box);
  gtk_widget_class_bind_template_child (widget, HlHeadNumbers, stats);
  gtk_widget_class_bind_template_child (widget, HlHeadNumbers, next_title);
  gtk_widget_class_bind_template_child (widget, HlHeadNumbers, next);
}

static void
hl_head_numbers_init (HlHeadNumbers *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  make_stats (self);
  make_next (self);
}
