/* SPDX-License-Identifier: MIT
 * The text as tokens below the map. */
#include "config.h"

#include "window/hl-token-panel-private.h"

#include "trace/hl-word-trace.h"

#include <string.h>

/* Choosing a range of a long text sums so many rows at most. */
#define SUMMED_MAX 256

G_DEFINE_FINAL_TYPE (HlTokenPanel, hl_token_panel, GTK_TYPE_WIDGET)

enum
{
  POSITION_CHANGED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

HlSelection *
hl_token_panel_get_selection (HlTokenPanel *self)
{
  return hl_document_get_selection (self->document);
}

gboolean
hl_token_panel_is_text (HlTokenPanel *self)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  return trace != NULL && g_strcmp0 (trace->input_kind, "image") != 0 &&
         hl_document_get_tokens (self->document) != NULL;
}

gint64
hl_token_panel_count (HlTokenPanel *self)
{
  return self->tokens != NULL ? self->tokens->n : 0;
}

const HlStack *
hl_token_panel_get_stack (HlTokenPanel *self)
{
  return hl_model_info_get_stack (hl_document_get_trace (self->document)->model,
                                  hl_document_get_stack (self->document));
}

gint64
hl_token_panel_count_keys (HlTokenPanel *self)
{
  return self->keys != NULL ? self->keys->n : 0;
}

/* Whether predictions are of the tokens that are shown. */
gboolean
hl_token_panel_reads_out (HlTokenPanel *self)
{
  return hl_present_reads_out (hl_document_get_trace (self->document),
                               hl_document_get_stack (self->document));
}

gboolean
hl_token_panel_is_from (HlTokenPanel *self)
{
  return hl_document_get_view (self->document)->is_from;
}

/* ---- the scene -----------------------------------------------------------------------
 */

static int
by_place (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;
  return (x > y) - (x < y);
}

GArray *
hl_token_panel_list_chosen (HlTokenPanel *self)
{
  guint n;
  const gint64 *chosen =
      hl_selection_get_tokens (hl_token_panel_get_selection (self), &n);
  GArray *sorted = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; i < n; i++)
    if (chosen[i] >= 0 && chosen[i] < hl_token_panel_count (self))
      g_array_append_val (sorted, chosen[i]);
  g_array_sort (sorted, by_place);
  return sorted;
}

void
hl_token_panel_show (HlTokenPanel *self)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  if (!hl_token_panel_is_text (self) || self->tokens == NULL)
    {
      hl_token_strip_set_scene (self->strip, NULL);
      hl_token_strip_set_scene (self->key_strip, NULL);
      hl_patch_view_set_scene (self->recording, NULL);
      return;
    }
  if (self->keys != NULL)
    {
      hl_token_panel_show_cross (self);
      return;
    }
  g_autoptr (GArray) chosen = hl_token_panel_list_chosen (self);
  const float *weights = NULL;
  HlLineSums *sums = self->sums;
  if (sums != NULL && sums->Tk == hl_token_panel_count (self) &&
      sums->Tq == hl_token_panel_count (self))
    weights = hl_token_panel_is_from (self) ? sums->from : sums->to;
  g_autoptr (HlTokenScene) scene = hl_present_tokens (
      trace, hl_selection_get_head (hl_token_panel_get_selection (self)), self->tokens,
      (const gint64 *) (gpointer) chosen->data, chosen->len, self->hovered, weights,
      sums != NULL ? sums->n_tokens : 0, hl_token_panel_is_from (self),
      hl_document_get_view (self->document));
  hl_token_panel_add_arcs (self, scene);
  scene->matches = g_memdup2 (self->matches->data, sizeof (gint64) * self->matches->len);
  scene->n_matches = self->matches->len;
  hl_token_strip_set_scene (self->strip, scene);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->title), scene->caption);
}

/* ---- rows and columns ----------------------------------------------------------------
 */

static void
lines_read_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (HlTokenPanel) self = data;
  if (self->document == NULL)
    return;
  HlLineSums *sums =
      hl_engine_finish (hl_document_get_engine (self->document), result, NULL);
  if (sums == NULL)
    return; /* cancelled: another question was asked since */
  g_clear_pointer (&self->sums, hl_line_sums_free);
  self->sums = sums;
  hl_token_panel_show (self);
  if (self->keys != NULL)
    hl_token_panel_reveal_strongest (self);
}

GCancellable *
hl_token_panel_renew (GCancellable **cancellable)
{
  g_cancellable_cancel (*cancellable);
  g_object_unref (*cancellable);
  *cancellable = g_cancellable_new ();
  return *cancellable;
}

static gint64
position_of_interest (HlTokenPanel *self, const GArray *chosen)
{
  if (self->hovered >= 0)
    return self->hovered;
  if (chosen->len > 0)
    return g_array_index (chosen, gint64, chosen->len - 1);
  return hl_token_panel_count (self) - 1;
}

/* (transfer full): the hovered token is a preview of choosing it, unless something is
 * locked. */
static GArray *
asked_tokens (HlTokenPanel *self)
{
  if (self->keys != NULL && hl_token_panel_is_from (self))
    return hl_token_panel_list_asked_key (self);
  GArray *tokens = hl_token_panel_list_chosen (self);
  if (tokens->len == 0 && self->hovered >= 0 &&
      self->hovered < hl_token_panel_count (self))
    g_array_append_val (tokens, self->hovered);
  return tokens;
}

static void
tell_position (HlTokenPanel *self)
{
  g_autoptr (GArray) chosen = hl_token_panel_list_chosen (self);
  gboolean is_known = hl_token_panel_is_text (self) && hl_token_panel_reads_out (self);
  g_signal_emit (self, signals[POSITION_CHANGED], 0,
                 is_known ? position_of_interest (self, chosen) : (gint64) -1);
}

void
hl_token_panel_ask_for_lines (HlTokenPanel *self)
{
  GCancellable *cancellable = hl_token_panel_renew (&self->lines_cancellable);
  g_autoptr (GArray) tokens = asked_tokens (self);
  self->asked_from = hl_token_panel_is_from (self);
  tell_position (self);
  if (tokens->len == 0 || hl_document_get_source (self->document) == NULL)
    {
      g_clear_pointer (&self->sums, hl_line_sums_free);
      hl_token_panel_show (self);
      return;
    }
  self->sums_head = hl_selection_get_head (hl_token_panel_get_selection (self));
  hl_lines_load_async (
      hl_document_get_engine (self->document), hl_document_get_source (self->document),
      self->sums_head, (const gint64 *) (gpointer) tokens->data,
      MIN (tokens->len, SUMMED_MAX), cancellable, lines_read_cb, g_object_ref (self));
  hl_token_panel_show (self);
}

/* ---- what was generated --------------------------------------------------------------
 */

static gint64
first_generated (HlTokenPanel *self)
{
  const HlTokenTable *tokens = hl_document_get_tokens (self->document);
  for (int i = 0; tokens != NULL && i < tokens->n_tokens; i++)
    if (tokens->tokens[i].role == HL_ROLE_GENERATED)
      return i;
  return -1;
}

static void
make_list (HlTokenPanel *self)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  const HlViewOptions *view = hl_document_get_view (self->document);
  g_clear_pointer (&self->tokens, hl_token_list_unref);
  g_clear_pointer (&self->keys, hl_token_list_unref);
  if (hl_token_panel_is_text (self))
    self->tokens = hl_present_token_list (
        hl_document_get_tokens (self->document),
        hl_token_panel_reads_out (self) ? trace->predictions : NULL, view->first_token,
        self->n_shown >= 0 ? self->n_shown : view->end_token);
  if (hl_token_panel_is_text (self) && hl_token_panel_get_stack (self)->is_cross)
    self->keys =
        hl_present_token_list (hl_document_get_key_tokens (self->document), NULL, 0, 0);
  hl_token_panel_show_sides (self);
  self->list_first = view->first_token;
  self->list_end = view->end_token;
  hl_token_strip_set_shown_only (self->strip, view->end_token > 0);
  gint64 first = first_generated (self);
  gtk_widget_set_visible (self->step_back, first >= 0);
  gtk_widget_set_visible (self->step_on, first >= 0);
  /* In a narrow window the two buttons take the title's place. */
  gtk_widget_set_visible (GTK_WIDGET (self->title), first < 0);
}

/* The row that emits a token is the one before it: that is what is chosen, and what came
 * later is shown as not there yet. */
static void
step_to (HlTokenPanel *self, gint64 token)
{
  gint64 first = first_generated (self);
  if (first < 1)
    return;
  token = CLAMP (token, first, hl_token_panel_count (self) - 1);
  self->n_shown = token + 1 < hl_token_panel_count (self) ? token + 1 : -1;
  make_list (self);
  hl_selection_set_query (hl_token_panel_get_selection (self), token - 1);
  hl_token_strip_reveal (self->strip, token);
}

static void
step_back_cb (GtkButton *button, HlTokenPanel *self)
{
  step_to (self, (self->n_shown >= 0 ? self->n_shown : hl_token_panel_count (self)) - 2);
}

static void
step_on_cb (GtkButton *button, HlTokenPanel *self)
{
  step_to (self, self->n_shown >= 0 ? self->n_shown : hl_token_panel_count (self) - 1);
}

void
hl_token_panel_step (HlTokenPanel *self, int by)
{
  if (by < 0)
    step_back_cb (NULL, self);
  else
    step_on_cb (NULL, self);
}

/* ---- signals -------------------------------------------------------------------------
 */

/* Prompt and generated tokens so far, with what the row that emitted the latest one
 * attended to. When all are there they are traced, and the trace takes over. */
static void
token_generated_cb (HlTokenPanel *self)
{
  g_autoptr (HlInput) input = hl_document_dup_generated_input (self->document);
  HlTrace *trace = hl_document_get_trace (self->document);
  if (input == NULL || trace == NULL)
    return;
  HlHeadKey head = hl_selection_get_head (hl_token_panel_get_selection (self));
  g_autoptr (HlTokenList) tokens = hl_present_token_list (input->tokens, NULL, 0, 0);
  gint64 n_row = 0, emitter = tokens->n - 2;
  g_autofree float *row = hl_document_dup_generated_row (self->document, head, &n_row);
  g_autofree float *weights = g_new0 (float, (gsize) tokens->n + 1);
  /* The encoder does not read what the decoder writes. */
  if (!hl_token_panel_reads_out (self))
    g_clear_pointer (&row, g_free);
  if (row != NULL && self->keys != NULL)
    hl_token_panel_show_generated (self, row, n_row);
  if (self->keys != NULL)
    g_clear_pointer (&row, g_free);
  if (row != NULL && n_row <= tokens->n)
    memcpy (weights, row, sizeof (float) * (gsize) n_row);
  /* What comes is not a word yet. */
  g_autoptr (HlTokenScene) scene = hl_present_tokens (
      hl_trace_in_tokens (trace), head, tokens, &emitter, 1, -1,
      row != NULL ? weights : NULL, 1, FALSE, hl_document_get_view (self->document));
  hl_token_strip_set_scene (self->strip, scene);
  hl_token_strip_reveal (self->strip, tokens->n - 1);
}

/* While a text is generated its tokens are shown, whatever the trace is shown in: -1 for
 * one that is behind the trace. */
static gint64
place_in_trace (HlTokenPanel *self, gint64 token)
{
  guint n = 0;
  const double *log_probs = NULL;
  const HlTrace *trace = hl_document_get_trace (self->document);
  const HlWords *words =
      trace != NULL ? hl_trace_get_words (trace, hl_document_get_stack (self->document))
                    : NULL;
  if (words == NULL || hl_document_get_generated (self->document, &n, &log_probs) == NULL)
    return token;
  return token >= 0 && token < words->n_tokens ? words->word_of[token] : -1;
}

static void
token_hovered_cb (HlTokenStrip *strip, gint64 token, HlTokenPanel *self)
{
  self->hovered = place_in_trace (self, token);
  /* Who attends to a key is shown here, and stays. */
  if (self->keys == NULL || !hl_token_panel_is_from (self))
    hl_token_panel_ask_for_lines (self);
  else
    tell_position (self);
}

void
hl_token_panel_set_is_from (HlTokenPanel *self, gboolean from)
{
  HlViewOptions view = *hl_document_get_view (self->document);
  view.is_from = from;
  hl_document_set_view (self->document, &view);
}

static void
tokens_chosen_cb (HlTokenStrip *strip, gpointer tokens, guint n, HlTokenPanel *self)
{
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; i < n; i++)
    {
      gint64 place = place_in_trace (self, ((const gint64 *) tokens)[i]);
      gboolean is_new =
          places->len == 0 || g_array_index (places, gint64, places->len - 1) != place;
      if (place >= 0 && is_new)
        g_array_append_val (places, place);
    }
  hl_selection_set_tokens (hl_token_panel_get_selection (self),
                           (const gint64 *) (gpointer) places->data, places->len);
  if (self->keys != NULL)
    hl_token_panel_set_is_from (self, FALSE);
}

static void
reveal_chosen (HlTokenPanel *self)
{
  const HlPlace *place = hl_selection_get_place (hl_token_panel_get_selection (self));
  if (place->query >= 0 && place->query < hl_token_panel_count (self))
    hl_token_strip_reveal (self->strip, place->query);
}

static void
direction_changed_cb (GtkToggleButton *button, HlTokenPanel *self)
{
  if (self->document == NULL || self->is_following)
    return;
  HlViewOptions view = *hl_document_get_view (self->document);
  view.is_from = !gtk_toggle_button_get_active (self->to_button);
  hl_document_set_view (self->document, &view);
}

/* From the first to the last of the chosen tokens, or all. */
static void
slice_toggled_cb (GtkToggleButton *button, HlTokenPanel *self)
{
  if (self->document == NULL || self->is_following)
    return;
  HlViewOptions view = *hl_document_get_view (self->document);
  g_autoptr (GArray) chosen = hl_token_panel_list_chosen (self);
  gboolean is_slice = gtk_toggle_button_get_active (button) && chosen->len > 1;
  view.first_token = is_slice ? g_array_index (chosen, gint64, 0) : 0;
  view.end_token = is_slice ? g_array_index (chosen, gint64, chosen->len - 1) + 1 : 0;
  hl_document_set_view (self->document, &view);
}

static void
show_buttons (HlTokenPanel *self)
{
  const HlViewOptions *view = hl_document_get_view (self->document);
  guint n_chosen;
  hl_selection_get_tokens (hl_token_panel_get_selection (self), &n_chosen);
  self->is_following = TRUE;
  gtk_toggle_button_set_active (self->slice_button, view->end_token > 0);
  gtk_toggle_button_set_active (view->is_from ? self->from_button : self->to_button,
                                TRUE);
  self->is_following = FALSE;
  gtk_widget_set_sensitive (GTK_WIDGET (self->slice_button),
                            view->end_token > 0 || n_chosen > 1);
}

static void
view_changed_cb (HlTokenPanel *self)
{
  const HlViewOptions *view = hl_document_get_view (self->document);
  if (view->first_token != self->list_first || view->end_token != self->list_end)
    make_list (self);
  show_buttons (self);
  if (self->keys != NULL && self->asked_from != view->is_from)
    hl_token_panel_ask_for_lines (self); /* of the other side */
  else
    hl_token_panel_show (self);
}

static void
mode_changed_cb (GtkToggleButton *button, HlTokenPanel *self)
{
  gboolean is_list = gtk_toggle_button_get_active (button);
  hl_token_strip_set_mode (self->strip, is_list ? HL_TOKEN_LIST : HL_TOKEN_FLOW);
  hl_token_panel_ask_for_maps (self);
  hl_token_panel_show (self);
  reveal_chosen (self);
}

static void
find_changed_cb (GtkSearchEntry *entry, HlTokenPanel *self)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  g_array_unref (self->matches);
  self->matches =
      trace != NULL
          ? hl_present_find_tokens (trace, hl_document_get_stack (self->document),
                                    gtk_editable_get_text (self->find))
          : g_array_new (FALSE, FALSE, sizeof (gint64));
  self->match = 0;
  if (self->matches->len > 0)
    hl_token_strip_reveal (self->strip, g_array_index (self->matches, gint64, 0));
  hl_token_panel_show (self);
}

static void
find_next_cb (GtkSearchEntry *entry, HlTokenPanel *self)
{
  if (self->matches->len == 0)
    return;
  gint64 token = g_array_index (self->matches, gint64, self->match % self->matches->len);
  self->match++;
  hl_selection_set_query (hl_token_panel_get_selection (self), token);
  hl_token_strip_reveal (self->strip, token);
}

static void
trace_changed_cb (HlTokenPanel *self)
{
  self->hovered = self->hovered_key = -1;
  self->n_shown = -1;
  g_clear_pointer (&self->sums, hl_line_sums_free);
  make_list (self);
  show_buttons (self);
  gtk_widget_set_visible (GTK_WIDGET (self), hl_token_panel_is_text (self));
  find_changed_cb (NULL, self);
  hl_token_panel_ask_for_maps (self);
  hl_token_panel_ask_for_lines (self);
  if (hl_token_panel_is_text (self) && first_generated (self) >= 0)
    hl_token_strip_reveal (self->strip, hl_token_panel_count (self) - 1);
  if (hl_token_panel_count_keys (self) > 0)
    hl_token_strip_reveal (self->key_strip, 0); /* not where another text was left */
}

static void
selection_changed_cb (HlTokenPanel *self, guint parts)
{
  if (!hl_token_panel_is_text (self))
    return;
  if (parts & (HL_SELECTION_HEAD | HL_SELECTION_PINNED))
    hl_token_panel_ask_for_maps (self);
  if (parts & HL_SELECTION_TOKENS)
    show_buttons (self);
  if (parts & (HL_SELECTION_HEAD | HL_SELECTION_TOKENS))
    hl_token_panel_ask_for_lines (self);
}

void
hl_token_panel_set_document (HlTokenPanel *self, HlDocument *document)
{
  g_return_if_fail (self->document == NULL);
  self->document = g_object_ref (document);
  g_signal_connect_object (document, "trace-changed", G_CALLBACK (trace_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "view-changed", G_CALLBACK (view_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (document, "token-generated", G_CALLBACK (token_generated_cb),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (hl_document_get_selection (document), "changed",
                           G_CALLBACK (selection_changed_cb), self, G_CONNECT_SWAPPED);
  trace_changed_cb (self);
}

void
hl_token_panel_set_is_dark (HlTokenPanel *self, gboolean is_dark)
{
  hl_token_strip_set_is_dark (self->strip, is_dark);
  hl_token_strip_set_is_dark (self->key_strip, is_dark);
  hl_patch_view_set_is_dark (self->recording, is_dark);
}

static void
hl_token_panel_dispose (GObject *object)
{
  HlTokenPanel *self = HL_TOKEN_PANEL (object);
  if (self->lines_cancellable != NULL)
    g_cancellable_cancel (self->lines_cancellable);
  if (self->maps_cancellable != NULL)
    g_cancellable_cancel (self->maps_cancellable);
  g_clear_object (&self->lines_cancellable);
  g_clear_object (&self->maps_cancellable);
  g_clear_object (&self->document);
  g_clear_pointer (&self->tokens, hl_token_list_unref);
  g_clear_pointer (&self->keys, hl_token_list_unref);
  g_clear_pointer (&self->sums, hl_line_sums_free);
  g_clear_pointer (&self->maps, g_ptr_array_unref);
  g_clear_pointer (&self->map_heads, g_array_unref);
  g_clear_pointer (&self->matches, g_array_unref);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  G_OBJECT_CLASS (hl_token_panel_parent_class)->dispose (object);
}

static void
hl_token_panel_class_init (HlTokenPanelClass *klass)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hl_token_panel_dispose;
  signals[POSITION_CHANGED] =
      g_signal_new ("position-changed", HL_TYPE_TOKEN_PANEL, G_SIGNAL_RUN_LAST, 0, NULL,
                    NULL, NULL, G_TYPE_NONE, 1, G_TYPE_INT64);
  g_type_ensure (HL_TYPE_TOKEN_STRIP);
  g_type_ensure (HL_TYPE_PATCH_VIEW);
  gtk_widget_class_set_template_from_resource (
      widget, "/org/headlight/Headlight/ui/hl-token-panel.ui");
  gtk_widget_class_set_layout_manager_type (widget, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_bind_template_child (widget, HlTokenPanel, box);
  gtk_widget_class_bind_template_child (widget, HlTokenPanel, title);
  gtk_widget_class_bind_template_child (widget, HlTokenPanel, step_back);
  gtk_widget_class_bind_template_child (widget, HlTokenPanel, step_on);
  gtk_widget_class_bind_template_child (widget, HlTokenPanel, find);
  gtk_widget_class_bind_template_child (widget, HlTokenPanel, to_button);
  gtk_widget_class_bind_template_child (widget, HlTokenPanel, from_button);
  gtk_widget_class_bind_template_child (widget, HlTokenPanel, list_button);
  gtk_widget_class_bind_template_child (widget, HlTokenPanel, slice_button);
  gtk_widget_class_bind_template_child (widget, HlTokenPanel, strip);
  gtk_widget_class_bind_template_child (widget, HlTokenPanel, key_box);
  gtk_widget_class_bind_template_child (widget, HlTokenPanel, key_title);
  gtk_widget_class_bind_template_child (widget, HlTokenPanel, key_strip);
  gtk_widget_class_bind_template_child (widget, HlTokenPanel, recording);
  gtk_widget_class_bind_template_callback (widget, hl_token_panel_frames_chosen_cb);
  gtk_widget_class_bind_template_callback (widget, hl_token_panel_key_hovered_cb);
  gtk_widget_class_bind_template_callback (widget, hl_token_panel_keys_chosen_cb);
  gtk_widget_class_bind_template_callback (widget, step_back_cb);
  gtk_widget_class_bind_template_callback (widget, step_on_cb);
  gtk_widget_class_bind_template_callback (widget, find_changed_cb);
  gtk_widget_class_bind_template_callback (widget, find_next_cb);
  gtk_widget_class_bind_template_callback (widget, direction_changed_cb);
  gtk_widget_class_bind_template_callback (widget, slice_toggled_cb);
  gtk_widget_class_bind_template_callback (widget, mode_changed_cb);
  gtk_widget_class_bind_template_callback (widget, token_hovered_cb);
  gtk_widget_class_bind_template_callback (widget, tokens_chosen_cb);
}

/* A map that is not there yet is NULL in the array. */
static void
unref_map (gpointer data)
{
  hl_tensor_unref (data);
}

static void
hl_token_panel_init (HlTokenPanel *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->hovered = self->hovered_key = self->n_shown = -1;
  self->matches = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->maps = g_ptr_array_new_with_free_func (unref_map);
  self->map_heads = g_array_new (FALSE, FALSE, sizeof (HlHeadKey));
  self->lines_cancellable = g_cancellable_new ();
  self->maps_cancellable = g_cancellable_new ();
}
