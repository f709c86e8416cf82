/* SPDX-License-Identifier: MIT
 * Left: what is being looked at. */
#include "config.h"

#include "window/hl-side-panel.h"

#include "gl/hl-patch-view.h"
#include "presenters/hl-present-tokens.h"
#include "trace/hl-word-trace.h"
#include "window/hl-recording-part.h"

#include <glib/gi18n.h>
#include <math.h>

#define N_PREDICTIONS 5

typedef struct
{
  GtkWidget *row;
  GtkLabel *label;
  GtkLabel *prob;
  GtkLevelBar *bar;
} PredictionRow;

struct _HlSidePanel
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *scroller;
  GtkLabel *model_name;
  GtkLabel *model_shape;
  GtkLabel *model_weights;
  GtkLabel *model_path;
  GtkStack *input_stack;
  HlPatchView *picture;
  GtkLabel *input_empty;
  GtkLabel *input_text;
  GtkLabel *input_caption;
  HlRecordingPart *recording_part;
  GtkLabel *query_caption;
  GtkWidget *prediction_box;
  GtkLabel *prediction_title;
  GtkLabel *prediction_empty;
  PredictionRow predictions[N_PREDICTIONS];
  GtkLabel *interventions;
  GtkWidget *clear_interventions;
  GtkTextView *notes;
  gboolean is_filling;
};

G_DEFINE_FINAL_TYPE (HlSidePanel, hl_side_panel, GTK_TYPE_WIDGET)

static void
show_model (HlSidePanel *self)
{
  const HlModelInfo *info = hl_document_get_model_info (self->document);
  if (info == NULL)
    {
      gtk_label_set_text (self->model_name, _ ("No model"));
      gtk_label_set_text (self->model_shape,
                          _ ("Open a model's folder, or drop it here"));
      gtk_label_set_text (self->model_weights, "");
      gtk_label_set_text (self->model_path, "");
      return;
    }
  HlTrace *trace = hl_document_get_trace (self->document);
  const HlStack *stack = hl_model_info_get_stack (
      info, trace != NULL ? hl_document_get_stack (self->document) : 0);
  if (stack == NULL)
    stack = hl_model_info_get_stack (info, 0); /* a model that is newer than the trace */
  const HlTokenTable *tokens = hl_document_get_tokens (self->document);
  const HlTokenTable *keys = hl_document_get_key_tokens (self->document);
  gboolean is_words = trace != NULL && trace->pieces != NULL;
  g_autoptr (GString) shape = g_string_new (NULL);
  if (info->family_title[0] != '\0')
    g_string_append_printf (shape, "%s · ", info->family_title);
  g_string_append_printf (shape, _ ("%d layers × %d heads"), stack->n_layers,
                          stack->n_layers > 0 ? stack->layers[0].n_heads : 0);
  if (tokens != NULL && keys != NULL && stack->is_cross)
    g_string_append_printf (shape,
                            is_words ? _ (" · %d × %d words") : _ (" · %d × %d tokens"),
                            tokens->n_tokens, keys->n_tokens);
  else if (tokens != NULL)
    g_string_append_printf (shape, is_words ? _ (" · %d words") : _ (" · %d tokens"),
                            tokens->n_tokens);
  g_autofree char *weights = NULL;
  if (info->n_params > 0)
    weights = g_strdup_printf (_ ("%.1f M parameters · %s"),
                               (double) info->n_params / 1e6, info->dtype);
  gtk_label_set_text (self->model_name, info->name);
  gtk_label_set_text (self->model_shape, shape->str);
  gtk_label_set_text (self->model_weights, weights != NULL ? weights : "");
  gtk_widget_set_visible (GTK_WIDGET (self->model_weights), weights != NULL);
  const char *state = hl_document_has_model (self->document)
                          ? ""
                          : _ ("trace only; the model is not open");
  gtk_label_set_text (self->model_path, state[0] != '\0' ? state : info->path);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->model_path), info->path);
}

/* Long texts are shown by their beginning: the tokens have all of it. */
#define SHOWN_CHARACTERS 4000

static const char *
taken_kind (HlSidePanel *self)
{
  const HlModelInfo *info = hl_document_get_model_info (self->document);
  return info != NULL ? info->input_kind : "";
}

static const char *
ask_for_input (HlSidePanel *self)
{
  if (g_str_equal (taken_kind (self), "text"))
    return _ ("Write or open a text, or drop one here");
  return g_str_equal (taken_kind (self), "audio")
             ? _ ("Open a recording, or drop one here")
             : _ ("Open a picture, or drop one here");
}

/* What was generated is underlined, as among the tokens. */
static void
underline_from (GtkLabel *label, gsize n_prompt)
{
  g_autoptr (PangoAttrList) list = pango_attr_list_new ();
  PangoAttribute *line = pango_attr_underline_new (PANGO_UNDERLINE_SINGLE);
  line->start_index = (guint) MIN (n_prompt, strlen (gtk_label_get_text (label)));
  pango_attr_list_insert (list, line);
  gtk_label_set_attributes (label, list);
}

static void
show_text (HlSidePanel *self, const HlTrace *trace)
{
  const HlTokenTable *tokens =
      hl_trace_get_tokens (hl_trace_in_tokens (trace), trace->model->readout_stack);
  HlInput *input = hl_document_get_input (self->document);
  gsize n_prompt;
  g_autofree char *text = hl_present_all_text (trace, &n_prompt);
  glong n = g_utf8_strlen (text, -1);
  g_autofree char *shown = g_utf8_substring (text, 0, MIN (n, SHOWN_CHARACTERS));
  g_autofree char *more =
      n > SHOWN_CHARACTERS ? g_strconcat (shown, "…", NULL) : g_strdup (shown);
  int n_tokens = tokens != NULL ? tokens->n_tokens : 0;
  g_autofree char *name = g_strdup_printf (HL_ISOLATED, trace->input_name);
  gboolean is_cut = input != NULL && hl_input_is_cut (input);
  if (is_cut && input->source_tokens != NULL)
    n_tokens = input->source_tokens->n_tokens;
  g_autofree char *caption =
      is_cut ? g_strdup_printf (_ ("%s · %d of %d tokens, from %d; Open Input chooses "
                                   "others"),
                                name, n_tokens, (int) input->n_all_tokens,
                                (int) input->first_token)
             : g_strdup_printf (ngettext ("%s · %d token", "%s · %d tokens", n_tokens),
                                name, n_tokens);
  gtk_stack_set_visible_child_name (self->input_stack, "text");
  gtk_label_set_text (self->input_text, more);
  underline_from (self->input_text, n_prompt);
  gtk_label_set_text (self->input_caption, caption);
  gtk_widget_set_tooltip_text (
      GTK_WIDGET (self->input_caption),
      is_cut ? _ ("The text is longer than what was taken: Open Input chooses the part")
             : trace->input_name);
}

static void
show_picture (HlSidePanel *self, const HlTrace *trace)
{
  const HlTokenTable *tokens = hl_trace_get_tokens (trace, 0);
  guint n;
  const gint64 *chosen =
      hl_selection_get_tokens (hl_document_get_selection (self->document), &n);
  g_autofree gboolean *selected =
      g_new0 (gboolean, (gsize) (tokens != NULL ? tokens->n_tokens : 0) + 1);
  for (guint i = 0; i < n; i++)
    if (tokens != NULL && chosen[i] < tokens->n_tokens)
      selected[chosen[i]] = TRUE;
  g_autoptr (HlOverlayScene) scene = hl_present_overlay (
      trace, 0, NULL, selected, FALSE, hl_document_get_view (self->document));
  if (scene != NULL)
    g_clear_pointer (&scene->title, g_free); /* it shows the input, not weights */
  gtk_stack_set_visible_child_name (self->input_stack,
                                    scene != NULL ? "picture" : "empty");
  hl_patch_view_set_scene (self->picture, scene);
  gtk_label_set_text (self->input_caption, trace->input_name);
}

static void
show_query (HlSidePanel *self, const HlTrace *trace, gboolean is_text)
{
  guint n;
  const gint64 *chosen =
      hl_selection_get_tokens (hl_document_get_selection (self->document), &n);
  g_autofree char *caption = NULL;
  if (n == 1)
    {
      g_autofree char *name =
          hl_present_token (trace, hl_document_get_stack (self->document), chosen[0]);
      caption = g_strdup_printf (trace->pieces != NULL ? _ ("Query: %s · word %d")
                                                       : _ ("Query: %s · token %d"),
                                 name, (int) chosen[0]);
    }
  else if (n > 1)
    caption = g_strdup_printf (!is_text                ? _ ("Query: %u tokens brushed")
                               : trace->pieces != NULL ? _ ("Query: %u words, summed")
                                                       : _ ("Query: %u tokens, summed"),
                               n);
  else
    caption =
        g_strdup (!is_text                ? _ ("Click a patch to see where it looks")
                  : trace->pieces != NULL ? _ ("Click a word to see where it looks")
                                          : _ ("Click a token to see where it looks"));
  gtk_label_set_text (self->query_caption, caption);
}

static void
show_input (HlSidePanel *self)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  HlInput *input = hl_document_get_input (self->document);
  gtk_label_set_text (self->input_empty, ask_for_input (self));
  if (trace == NULL)
    {
      gtk_stack_set_visible_child_name (self->input_stack, "empty");
      gtk_label_set_text (self->input_caption, input != NULL ? input->name : "");
      gtk_label_set_text (self->query_caption, "");
      return;
    }
  gboolean is_text = g_strcmp0 (trace->input_kind, "image") != 0;
  if (is_text)
    show_text (self, trace);
  else
    show_picture (self, trace);
  show_query (self, trace, is_text);
}

static double
prob_of (GPtrArray *list, int index)
{
  for (guint i = 0; list != NULL && i < list->len; i++)
    if (((HlPrediction *) g_ptr_array_index (list, i))->index == index)
      return ((HlPrediction *) g_ptr_array_index (list, i))->prob;
  return -1;
}

/* Beside what the ablated model says stands what the whole one said. */
/* More digits where three would hide what changed. */
static char *
change_in_words (double before, double after)
{
  gboolean is_small = fabs (after - before) < 0.0005 && before != after;
  return g_strdup_printf (is_small ? "%.5f → %.5f" : "%.3f → %.3f", before, after);
}

/* What stands where no prediction is: why there is none. */
static const char *
no_prediction (const HlModelInfo *info, gboolean has_trace)
{
  if (info == NULL || !has_trace)
    return _ ("None yet.");
  if (info->predicts == HL_PREDICTS_OWN)
    return _ ("One at every token: choose one of them.");
  return _ ("None: this model makes features, it has no classes or vocabulary.");
}

static void
show_prediction (HlSidePanel *self)
{
  const HlModelInfo *info = hl_document_get_model_info (self->document);
  gboolean is_next = info != NULL && info->predicts == HL_PREDICTS_NEXT;
  HlTrace *trace = hl_document_get_trace (self->document);
  HlTrace *baseline = hl_document_get_baseline (self->document);
  g_autoptr (GPtrArray) top =
      trace != NULL ? hl_present_predictions (trace, N_PREDICTIONS) : NULL;
  g_autoptr (GPtrArray) before = NULL;
  if (baseline != NULL && trace != NULL && trace->interventions->len > 0)
    before = hl_present_predictions (baseline, -1);
  guint n = top != NULL ? top->len : 0;
  gtk_label_set_text (self->prediction_title,
                      is_next ? _ ("Next token") : _ ("Prediction"));
  gtk_label_set_text (self->prediction_empty, no_prediction (info, trace != NULL));
  gtk_widget_set_visible (GTK_WIDGET (self->prediction_empty), n == 0);
  for (guint i = 0; i < N_PREDICTIONS; i++)
    {
      PredictionRow *row = &self->predictions[i];
      gtk_widget_set_visible (row->row, i < n);
      if (i >= n)
        continue;
      const HlPrediction *p = g_ptr_array_index (top, i);
      double was = prob_of (before, p->index);
      g_autofree char *prob =
          was >= 0 ? change_in_words (was, p->prob) : g_strdup_printf ("%.3f", p->prob);
      g_autofree char *tip = g_strdup_printf (
          _ ("%s: probability %.6f, logit %.4f (softmax over all classes)"), p->label,
          p->prob, p->logit);
      gtk_label_set_text (row->label, p->label);
      gtk_label_set_text (row->prob, prob);
      gtk_level_bar_set_value (row->bar, CLAMP (p->prob, 0, 1));
      gtk_widget_set_tooltip_text (row->row, tip);
    }
}

static void
show_interventions (HlSidePanel *self)
{
  guint n;
  const HlHeadKey *heads =
      hl_selection_get_ablated (hl_document_get_selection (self->document), &n);
  g_autoptr (GString) text = g_string_new (NULL);
  HlTrace *trace = hl_document_get_trace (self->document);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *prefix =
          trace != NULL ? hl_present_stack_prefix (trace, heads[i].stack) : g_strdup ("");
      g_string_append_printf (text, _ ("%shead %s%d.%d set to zero"), i > 0 ? "\n" : "",
                              prefix, heads[i].layer, heads[i].head);
    }
  if (n == 0)
    g_string_assign (text, _ ("None. Press A to ablate the selected head."));
  gtk_label_set_text (self->interventions, text->str);
  gtk_widget_set_visible (self->clear_interventions, n > 0);
}

static void
show_notes (HlSidePanel *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->notes);
  GtkTextIter start, finish;
  gtk_text_buffer_get_bounds (buffer, &start, &finish);
  g_autofree char *now = gtk_text_buffer_get_text (buffer, &start, &finish, FALSE);
  const char *notes = hl_document_get_notes (self->document);
  if (g_strcmp0 (now, notes) == 0)
    return;
  self->is_filling = TRUE;
  gtk_text_buffer_set_text (buffer, notes, -1);
  self->is_filling = FALSE;
}

static void
notes_changed_cb (GtkTextBuffer *buffer, HlSidePanel *self)
{
  GtkTextIter start, finish;
  if (self->is_filling || self->document == NULL)
    return;
  gtk_text_buffer_get_bounds (buffer, &start, &finish);
  g_autofree char *text = gtk_text_buffer_get_text (buffer, &start, &finish, FALSE);
  hl_document_set_notes (self->document, text);
}

static void
everything_changed_cb (HlSidePanel *self)
{
  show_model (self);
  show_input (self);
  show_prediction (self);
  show_interventions (self);
}

static void
selection_changed_cb (HlSidePanel *self, guint parts)
{
  if (parts & HL_SELECTION_TOKENS)
    show_input (self);
  if (parts & HL_SELECTION_ABLATED)
    show_interventions (self);
}

/* The view speaks of patches; the selection of tokens. */
static void
patches_changed_cb (HlPatchView *view, gpointer selected, guint n, HlSidePanel *self)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  const HlTokenTable *tokens = trace != NULL ? hl_trace_get_tokens (trace, 0) : NULL;
  const gboolean *chosen = selected;
  g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; tokens != NULL && i < n; i++)
    if (chosen[i])
      {
        gint64 token = hl_token_table_find_patch (tokens, (int) i / tokens->n_columns,
                                                  (int) i % tokens->n_columns);
        g_array_append_val (list, token);
      }
  hl_selection_set_tokens (hl_document_get_selection (self->document),
                           (const gint64 *) (gpointer) list->data, list->len);
}

static void
clear_interventions_cb (GtkButton *button, HlSidePanel *self)
{
  hl_selection_clear_ablated (hl_document_get_selection (self->document));
}

void
hl_side_panel_set_document (HlSidePanel *self, HlDocument *document)
{
  g_return_if_fail (self->document == NULL);
  self->document = g_object_ref (document);
  hl_recording_part_set_document (self->recording_part, document);
  for (int i = 0; i < 3; i++)
    {
      const char *const names[] = { "model-changed", "input-changed", "trace-changed" };
      g_signal_connect_object (document, names[i], G_CALLBACK (everything_changed_cb),
                               self, G_CONNECT_SWAPPED);
    }
  g_signal_connect_object (document, "session-changed", G_CALLBACK (show_notes), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (hl_document_get_selection (document), "changed",
                           G_CALLBACK (selection_changed_cb), self, G_CONNECT_SWAPPED);
  everything_changed_cb (self);
}

void
hl_side_panel_set_is_dark (HlSidePanel *self, gboolean is_dark)
{
  hl_patch_view_set_is_dark (self->picture, is_dark);
}

static void
make_prediction_rows (HlSidePanel *self)
{
  for (int i = 0; i < N_PREDICTIONS; i++)
    {
      PredictionRow *row = &self->predictions[i];
      GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
      GtkWidget *line = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
      row->row = box;
      row->label = GTK_LABEL (gtk_label_new (NULL));
      row->prob = GTK_LABEL (gtk_label_new (NULL));
      row->bar = GTK_LEVEL_BAR (gtk_level_bar_new_for_interval (0, 1));
      for (int k = 0; k < 3; k++)
        {
          /* A level bar's colours say good or bad; a probability is neither. */
          const char *const names[] = { GTK_LEVEL_BAR_OFFSET_LOW,
                                        GTK_LEVEL_BAR_OFFSET_HIGH,
                                        GTK_LEVEL_BAR_OFFSET_FULL };
          gtk_level_bar_remove_offset_value (row->bar, names[k]);
        }
      gtk_label_set_xalign (row->label, 0);
      gtk_label_set_ellipsize (row->label, PANGO_ELLIPSIZE_END);
      gtk_widget_set_hexpand (GTK_WIDGET (row->label), TRUE);
      gtk_widget_add_css_class (GTK_WIDGET (row->prob), "numeric");
      gtk_widget_add_css_class (GTK_WIDGET (row->prob), "dim-label");
      gtk_widget_add_css_class (GTK_WIDGET (row->bar), "prediction");
      gtk_box_append (GTK_BOX (line), GTK_WIDGET (row->label));
      gtk_box_append (GTK_BOX (line), GTK_WIDGET (row->prob));
      gtk_box_append (GTK_BOX (box), line);
      gtk_box_append (GTK_BOX (box), GTK_WIDGET (row->bar));
      gtk_box_append (GTK_BOX (self->prediction_box), box);
    }
}

static void
hl_side_panel_dispose (GObject *object)
{
  HlSidePanel *self = HL_SIDE_PANEL (object);
  g_clear_object (&self->document);
  g_clear_pointer (&self->scroller, gtk_widget_unparent);
  G_OBJECT_CLASS (hl_side_panel_parent_class)->dispose (object);
}

static void
hl_side_panel_class_init (HlSidePanelClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_side_panel_dispose;
  g_type_ensure (HL_TYPE_PATCH_VIEW);
  g_type_ensure (HL_TYPE_RECORDING_PART);
  gtk_widget_class_set_template_from_resource (
      widget, "/org/headlight/Headlight/ui/hl-side-panel.ui");
  gtk_widget_class_set_layout_manager_type (widget, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, scroller);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, model_name);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, model_shape);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, model_weights);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, model_path);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, input_stack);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, picture);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, input_empty);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, input_text);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, input_caption);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, recording_part);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, query_caption);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, prediction_box);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, prediction_title);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, prediction_empty);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, interventions);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, clear_interventions);
  gtk_widget_class_bind_template_child (widget, HlSidePanel, notes);
  gtk_widget_class_bind_template_callback (widget, patches_changed_cb);
  gtk_widget_class_bind_template_callback (widget, clear_interventions_cb);
}

static void
hl_side_panel_init (HlSidePanel *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  hl_patch_view_set_show_bar (self->picture, FALSE);
  make_prediction_rows (self);
  g_signal_connect (gtk_text_view_get_buffer (self->notes), "changed",
                    G_CALLBACK (notes_changed_cb), self);
}
