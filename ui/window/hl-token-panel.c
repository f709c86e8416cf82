/* SPDX-License-Identifier: MIT
 * The text as tokens below the map. */
#include "config.h"

#include "window/hl-token-panel.h"

#include "document/hl-map-loader.h"
#include "gl/hl-token-strip.h"
#include "presenters/hl-present-tokens.h"

#include <glib/gi18n.h>
#include <string.h>

/* Arcs of a whole map are drawn up to so many tokens; beyond, those of the chosen ones.
 */
#define ALL_ARCS_MAX 2048
/* Choosing a range of a long text sums so many rows at most. */
#define SUMMED_MAX 256

struct _HlTokenPanel
{
  GtkWidget parent_instance;
  HlDocument *document;
  GtkWidget *box;
  GtkLabel *title;
  GtkWidget *step_back;
  GtkWidget *step_on;
  GtkEditable *find;
  GtkToggleButton *to_button;
  GtkToggleButton *from_button;
  GtkToggleButton *list_button;
  GtkToggleButton *slice_button;
  gboolean is_following; /* the buttons follow the document */
  HlTokenStrip *strip;
  HlTokenList *tokens;
  gint64 hovered;
  /* Of a cross-attention the keys are tokens of their own. */
  GtkWidget *key_box;
  GtkLabel *key_title;
  HlTokenStrip *key_strip;
  HlTokenList *keys;
  gint64 hovered_key;
  gint64 list_first; /* the slice that @tokens has */
  gint64 list_end;
  gint64 n_shown; /* tokens up to the generated one that is stepped to; -1 for all */
  GArray *matches;
  guint match; /* the one that find goes to next */
  HlLineSums *sums;
  HlHeadKey sums_head;
  GPtrArray *maps; /* of HlTensor *: of the heads that have arcs */
  GArray *map_heads;
  GCancellable *lines_cancellable;
  GCancellable *maps_cancellable;
};

G_DEFINE_FINAL_TYPE (HlTokenPanel, hl_token_panel, GTK_TYPE_WIDGET)

enum
{
  POSITION_CHANGED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

static HlSelection *
selection_of (HlTokenPanel *self)
{
  return hl_document_get_selection (self->document);
}

static gboolean
is_text (HlTokenPanel *self)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  return trace != NULL && g_strcmp0 (trace->input_kind, "image") != 0 &&
         hl_document_get_tokens (self->document) != NULL;
}

static gint64
n_tokens (HlTokenPanel *self)
{
  return self->tokens != NULL ? self->tokens->n : 0;
}

static const HlStack *
stack_of (HlTokenPanel *self)
{
  return hl_model_info_get_stack (hl_document_get_trace (self->document)->model,
                                  hl_document_get_stack (self->document));
}

static gint64
n_keys (HlTokenPanel *self)
{
  return self->keys != NULL ? self->keys->n : 0;
}

/* Whether predictions are of the tokens that are shown. */
static gboolean
reads_out (HlTokenPanel *self)
{
  return hl_present_reads_out (hl_document_get_trace (self->document),
                               hl_document_get_stack (self->document));
}

static gboolean
is_from (HlTokenPanel *self)
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

static GArray *
chosen_sorted (HlTokenPanel *self)
{
  guint n;
  const gint64 *chosen = hl_selection_get_tokens (selection_of (self), &n);
  GArray *sorted = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; i < n; i++)
    if (chosen[i] >= 0 && chosen[i] < n_tokens (self))
      g_array_append_val (sorted, chosen[i]);
  g_array_sort (sorted, by_place);
  return sorted;
}

static void
set_head_labels (HlTokenPanel *self, HlTokenScene *scene)
{
  hl_token_scene_set_heads (scene, (int) self->map_heads->len);
  for (guint i = 0; i < self->map_heads->len; i++)
    {
      const HlHeadKey *head = &g_array_index (self->map_heads, HlHeadKey, i);
      scene->heads[i].label = g_strdup_printf ("%d.%d", head->layer, head->head);
    }
}

/* Of a short text all arcs; of a long one those of the chosen queries. */
static void
add_arcs (HlTokenPanel *self, HlTokenScene *scene)
{
  if (!gtk_toggle_button_get_active (self->list_button))
    return;
  set_head_labels (self, scene);
  for (guint i = 0; i < self->maps->len; i++)
    {
      HlTensor *map = g_ptr_array_index (self->maps, i);
      if (map != NULL)
        hl_present_add_arcs (scene, hl_tensor_f32 (map), 0, map->shape.dim[0],
                             map->shape.dim[1], (int) i);
    }
  if (n_tokens (self) <= ALL_ARCS_MAX || self->sums == NULL)
    return;
  for (guint i = 0; i < self->sums->n_tokens; i++)
    hl_present_add_arcs (scene, self->sums->rows + (gsize) i * (gsize) self->sums->Tk,
                         self->sums->tokens[i], 1, self->sums->Tk, 0);
}

/* The tokens of one side of a cross-attention: with the weights that the chosen of the
 * other side have here, or with what is chosen here. */
static void
show_side (HlTokenPanel *self,
           HlTokenStrip *strip,
           HlTokenList *list,
           const gint64 *chosen,
           guint n_chosen,
           gint64 hovered,
           const float *weights)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  guint n_summed = self->sums != NULL ? self->sums->n_tokens : 0;
  g_autoptr (HlTokenScene) scene = hl_present_tokens (
      trace, hl_selection_get_head (selection_of (self)), list, chosen, n_chosen, hovered,
      weights, n_summed, is_from (self), hl_document_get_view (self->document));
  if (strip == self->key_strip)
    g_clear_pointer (&scene->shade_words, g_free); /* predictions are of the queries */
  else
    {
      scene->matches =
          g_memdup2 (self->matches->data, sizeof (gint64) * self->matches->len);
      scene->n_matches = self->matches->len;
    }
  hl_token_strip_set_scene (strip, scene);
}

static void
show_cross (HlTokenPanel *self)
{
  g_autoptr (GArray) chosen = chosen_sorted (self);
  gint64 key = hl_selection_get_place (selection_of (self))->key;
  HlLineSums *sums = self->sums;
  const float *to = NULL, *from = NULL;
  if (sums != NULL && sums->Tk == n_keys (self) && sums->Tq == n_tokens (self))
    {
      to = is_from (self) ? NULL : sums->to;
      from = is_from (self) ? sums->from : NULL;
    }
  show_side (self, self->strip, self->tokens, (const gint64 *) (gpointer) chosen->data,
             from == NULL ? chosen->len : 0, self->hovered, from);
  show_side (self, self->key_strip, self->keys, &key,
             to == NULL && key >= 0 && key < n_keys (self), self->hovered_key, to);
}

static void
show_scene (HlTokenPanel *self)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  if (!is_text (self) || self->tokens == NULL)
    {
      hl_token_strip_set_scene (self->strip, NULL);
      hl_token_strip_set_scene (self->key_strip, NULL);
      return;
    }
  if (self->keys != NULL)
    {
      show_cross (self);
      return;
    }
  g_autoptr (GArray) chosen = chosen_sorted (self);
  const float *weights = NULL;
  HlLineSums *sums = self->sums;
  if (sums != NULL && sums->Tk == n_tokens (self) && sums->Tq == n_tokens (self))
    weights = is_from (self) ? sums->from : sums->to;
  g_autoptr (HlTokenScene) scene =
      hl_present_tokens (trace, hl_selection_get_head (selection_of (self)), self->tokens,
                         (const gint64 *) (gpointer) chosen->data, chosen->len,
                         self->hovered, weights, sums != NULL ? sums->n_tokens : 0,
                         is_from (self), hl_document_get_view (self->document));
  add_arcs (self, scene);
  scene->matches = g_memdup2 (self->matches->data, sizeof (gint64) * self->matches->len);
  scene->n_matches = self->matches->len;
  hl_token_strip_set_scene (self->strip, scene);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->title), scene->caption);
}

/* ---- rows and columns ----------------------------------------------------------------
 */

/* What is attended to most comes into sight: it may be one of many frames. */
static void
reveal_strongest (HlTokenPanel *self)
{
  gboolean from = is_from (self);
  const float *line = from ? self->sums->from : self->sums->to;
  gint64 n = from ? self->sums->Tq : self->sums->Tk, best = 0;
  for (gint64 i = 1; i < n; i++)
    if (line[i] > line[best])
      best = i;
  if (n > 0)
    hl_token_strip_reveal (from ? self->strip : self->key_strip, best);
}

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
  show_scene (self);
  if (self->keys != NULL)
    reveal_strongest (self);
}

static GCancellable *
renew (GCancellable **cancellable)
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
  return n_tokens (self) - 1;
}

/* (transfer full): the key of a cross-attention that is asked of. */
static GArray *
asked_key (HlTokenPanel *self)
{
  GArray *keys = g_array_new (FALSE, FALSE, sizeof (gint64));
  gint64 key = hl_selection_get_place (selection_of (self))->key;
  if (key < 0)
    key = self->hovered_key;
  if (key >= 0 && key < n_keys (self))
    g_array_append_val (keys, key);
  return keys;
}

/* (transfer full): the hovered token is a preview of choosing it, unless something is
 * locked. */
static GArray *
asked_tokens (HlTokenPanel *self)
{
  if (self->keys != NULL && is_from (self))
    return asked_key (self);
  GArray *tokens = chosen_sorted (self);
  if (tokens->len == 0 && self->hovered >= 0 && self->hovered < n_tokens (self))
    g_array_append_val (tokens, self->hovered);
  return tokens;
}

static void
tell_position (HlTokenPanel *self)
{
  g_autoptr (GArray) chosen = chosen_sorted (self);
  gboolean is_known = is_text (self) && reads_out (self);
  g_signal_emit (self, signals[POSITION_CHANGED], 0,
                 is_known ? position_of_interest (self, chosen) : (gint64) -1);
}

static void
ask_for_lines (HlTokenPanel *self)
{
  GCancellable *cancellable = renew (&self->lines_cancellable);
  g_autoptr (GArray) tokens = asked_tokens (self);
  tell_position (self);
  if (tokens->len == 0 || hl_document_get_source (self->document) == NULL)
    {
      g_clear_pointer (&self->sums, hl_line_sums_free);
      show_scene (self);
      return;
    }
  self->sums_head = hl_selection_get_head (selection_of (self));
  hl_lines_load_async (
      hl_document_get_engine (self->document), hl_document_get_source (self->document),
      self->sums_head, (const gint64 *) (gpointer) tokens->data,
      MIN (tokens->len, SUMMED_MAX), cancellable, lines_read_cb, g_object_ref (self));
  show_scene (self);
}

/* ---- maps for arcs -------------------------------------------------------------------
 */

typedef struct
{
  HlTokenPanel *panel;
  guint index;
} MapRequest;

static void
map_read_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  MapRequest *request = data;
  g_autoptr (HlTokenPanel) self = request->panel;
  guint index = request->index;
  g_free (request);
  if (self->document == NULL)
    return;
  HlTensor *map =
      hl_engine_finish (hl_document_get_engine (self->document), result, NULL);
  if (map == NULL || index >= self->maps->len)
    {
      hl_tensor_unref (map);
      return;
    }
  hl_tensor_unref (g_ptr_array_index (self->maps, index));
  g_ptr_array_index (self->maps, index) = map;
  show_scene (self);
}

/* The selected head first, then the pinned ones. */
static void
list_heads (HlTokenPanel *self)
{
  guint n;
  HlHeadKey selected = hl_selection_get_head (selection_of (self));
  const HlHeadKey *pinned = hl_selection_get_pinned (selection_of (self), &n);
  g_array_set_size (self->map_heads, 0);
  g_array_append_val (self->map_heads, selected);
  for (guint i = 0; i < n; i++)
    if (pinned[i].stack == selected.stack &&
        (pinned[i].layer != selected.layer || pinned[i].head != selected.head))
      g_array_append_val (self->map_heads, pinned[i]);
}

static void
ask_for_maps (HlTokenPanel *self)
{
  GCancellable *cancellable = renew (&self->maps_cancellable);
  g_ptr_array_set_size (self->maps, 0);
  list_heads (self);
  if (!gtk_toggle_button_get_active (self->list_button) || self->keys != NULL ||
      n_tokens (self) > ALL_ARCS_MAX || hl_document_get_source (self->document) == NULL)
    return;
  for (guint i = 0; i < self->map_heads->len; i++)
    {
      MapRequest *request = g_new0 (MapRequest, 1);
      request->panel = g_object_ref (self);
      request->index = i;
      g_ptr_array_add (self->maps, NULL);
      hl_map_load_async (hl_document_get_engine (self->document),
                         hl_document_get_source (self->document),
                         g_array_index (self->map_heads, HlHeadKey, i), cancellable,
                         map_read_cb, request);
    }
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

/* A slice and arcs are of one text; a cross-attention has two. */
static void
show_sides (HlTokenPanel *self)
{
  gboolean is_cross = self->keys != NULL;
  gtk_widget_set_visible (self->key_box, is_cross);
  gtk_widget_set_visible (GTK_WIDGET (self->slice_button), !is_cross);
  gtk_widget_set_visible (GTK_WIDGET (self->list_button), !is_cross);
  gtk_label_set_text (self->title, is_cross ? _ ("Queries") : _ ("Tokens"));
  gboolean is_list = gtk_toggle_button_get_active (self->list_button) && !is_cross;
  hl_token_strip_set_mode (self->strip, is_list ? HL_TOKEN_LIST : HL_TOKEN_FLOW);
  if (!is_cross)
    return;
  HlTrace *trace = hl_document_get_trace (self->document);
  gboolean is_audio = g_strcmp0 (trace->input_kind, "audio") == 0;
  g_autofree char *title = g_strdup_printf (
      is_audio ? _ ("Keys · %s · %d frames") : _ ("Keys · %s · %d tokens"),
      hl_present_stack_name (trace, stack_of (self)->key_stack), (int) self->keys->n);
  gtk_label_set_text (self->key_title, title);
}

static void
make_list (HlTokenPanel *self)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  const HlViewOptions *view = hl_document_get_view (self->document);
  g_clear_pointer (&self->tokens, hl_token_list_unref);
  g_clear_pointer (&self->keys, hl_token_list_unref);
  if (is_text (self))
    self->tokens = hl_present_token_list (
        hl_document_get_tokens (self->document),
        reads_out (self) ? trace->predictions : NULL, view->first_token,
        self->n_shown >= 0 ? self->n_shown : view->end_token);
  if (is_text (self) && stack_of (self)->is_cross)
    self->keys =
        hl_present_token_list (hl_document_get_key_tokens (self->document), NULL, 0, 0);
  show_sides (self);
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
  token = CLAMP (token, first, n_tokens (self) - 1);
  self->n_shown = token + 1 < n_tokens (self) ? token + 1 : -1;
  make_list (self);
  hl_selection_set_query (selection_of (self), token - 1);
  hl_token_strip_reveal (self->strip, token);
}

static void
step_back_cb (GtkButton *button, HlTokenPanel *self)
{
  step_to (self, (self->n_shown >= 0 ? self->n_shown : n_tokens (self)) - 2);
}

static void
step_on_cb (GtkButton *button, HlTokenPanel *self)
{
  step_to (self, self->n_shown >= 0 ? self->n_shown : n_tokens (self) - 1);
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
  HlHeadKey head = hl_selection_get_head (selection_of (self));
  g_autoptr (HlTokenList) tokens = hl_present_token_list (input->tokens, NULL, 0, 0);
  gint64 n_row = 0, emitter = tokens->n - 2;
  g_autofree float *row = hl_document_dup_generated_row (self->document, head, &n_row);
  g_autofree float *weights = g_new0 (float, (gsize) tokens->n + 1);
  /* The encoder does not read what the decoder writes. */
  if (!reads_out (self))
    g_clear_pointer (&row, g_free);
  if (row != NULL && self->keys != NULL && n_row == n_keys (self))
    show_side (self, self->key_strip, self->keys, NULL, 0, -1, row);
  if (self->keys != NULL)
    g_clear_pointer (&row, g_free);
  if (row != NULL && n_row <= tokens->n)
    memcpy (weights, row, sizeof (float) * (gsize) n_row);
  g_autoptr (HlTokenScene) scene = hl_present_tokens (
      trace, head, tokens, &emitter, 1, -1, row != NULL ? weights : NULL, 1, FALSE,
      hl_document_get_view (self->document));
  hl_token_strip_set_scene (self->strip, scene);
  hl_token_strip_reveal (self->strip, tokens->n - 1);
}

static void
token_hovered_cb (HlTokenStrip *strip, gint64 token, HlTokenPanel *self)
{
  self->hovered = token;
  ask_for_lines (self);
}

static void
set_is_from (HlTokenPanel *self, gboolean from)
{
  HlViewOptions view = *hl_document_get_view (self->document);
  view.is_from = from;
  hl_document_set_view (self->document, &view);
}

static void
tokens_chosen_cb (HlTokenStrip *strip, gpointer tokens, guint n, HlTokenPanel *self)
{
  hl_selection_set_tokens (selection_of (self), tokens, n);
  if (self->keys != NULL)
    set_is_from (self, FALSE);
}

static void
key_hovered_cb (HlTokenStrip *strip, gint64 token, HlTokenPanel *self)
{
  self->hovered_key = token;
  if (self->keys != NULL && is_from (self))
    ask_for_lines (self);
}

/* Who asks of a key wants to know who attends to it. */
static void
keys_chosen_cb (HlTokenStrip *strip, gpointer tokens, guint n, HlTokenPanel *self)
{
  const HlPlace *place = hl_selection_get_place (selection_of (self));
  hl_selection_set_cell (selection_of (self), place->query,
                         n > 0 ? ((const gint64 *) tokens)[0] : -1);
  set_is_from (self, n > 0);
}

static void
reveal_chosen (HlTokenPanel *self)
{
  const HlPlace *place = hl_selection_get_place (selection_of (self));
  if (place->query >= 0 && place->query < n_tokens (self))
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
  g_autoptr (GArray) chosen = chosen_sorted (self);
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
  hl_selection_get_tokens (selection_of (self), &n_chosen);
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
  if (self->keys != NULL)
    ask_for_lines (self); /* of the other side */
  else
    show_scene (self);
}

static void
mode_changed_cb (GtkToggleButton *button, HlTokenPanel *self)
{
  gboolean is_list = gtk_toggle_button_get_active (button);
  hl_token_strip_set_mode (self->strip, is_list ? HL_TOKEN_LIST : HL_TOKEN_FLOW);
  ask_for_maps (self);
  show_scene (self);
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
  show_scene (self);
}

static void
find_next_cb (GtkSearchEntry *entry, HlTokenPanel *self)
{
  if (self->matches->len == 0)
    return;
  gint64 token = g_array_index (self->matches, gint64, self->match % self->matches->len);
  self->match++;
  hl_selection_set_query (selection_of (self), token);
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
  gtk_widget_set_visible (GTK_WIDGET (self), is_text (self));
  find_changed_cb (NULL, self);
  ask_for_maps (self);
  ask_for_lines (self);
  if (is_text (self) && first_generated (self) >= 0)
    hl_token_strip_reveal (self->strip, n_tokens (self) - 1);
}

static void
selection_changed_cb (HlTokenPanel *self, guint parts)
{
  if (!is_text (self))
    return;
  if (parts & (HL_SELECTION_HEAD | HL_SELECTION_PINNED))
    ask_for_maps (self);
  if (parts & HL_SELECTION_TOKENS)
    show_buttons (self);
  if (parts & (HL_SELECTION_HEAD | HL_SELECTION_TOKENS))
    ask_for_lines (self);
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
  gtk_widget_class_bind_template_callback (widget, key_hovered_cb);
  gtk_widget_class_bind_template_callback (widget, keys_chosen_cb);
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
