/* SPDX-License-Identifier: MIT
 * The two sides of a cross-attention below the map: queries and keys, each a strip, one
 * of which is asked of and the other answers. */
#include "config.h"

#include "window/hl-token-panel-private.h"

#include "presenters/hl-present-recording.h"
#include "trace/hl-word-trace.h"

#include <glib/gi18n.h>

/* The tokens of one side of a cross-attention: with the weights that the chosen of the
 * other side have here, or with what is chosen here. */
void
hl_token_panel_show_side (HlTokenPanel *self,
                          HlTokenStrip *strip,
                          HlTokenList *list,
                          const gint64 *chosen,
                          guint n_chosen,
                          gint64 hovered,
                          const float *weights)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  guint n_summed = self->sums != NULL ? self->sums->n_tokens : 1;
  g_autoptr (HlTokenScene) scene = hl_present_tokens (
      trace, hl_selection_get_head (hl_token_panel_get_selection (self)), list, chosen,
      n_chosen, hovered, weights, n_summed, hl_token_panel_is_from (self),
      hl_document_get_view (self->document));
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

/* The keys as a spectrogram, where they are a recording. */
static void
show_recording (HlTokenPanel *self, const float *weights, gint64 key)
{
  HlTrace *trace = hl_document_get_trace (self->document);
  g_autoptr (HlOverlayScene) scene =
      hl_present_recording (trace, hl_document_get_stack (self->document), weights, key,
                            hl_document_get_view (self->document));
  gtk_widget_set_visible (GTK_WIDGET (self->recording), scene != NULL);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->recording),
                               scene != NULL ? scene->caption : NULL);
  if (scene != NULL)
    g_clear_pointer (&scene->title, g_free); /* it stands above */
  hl_patch_view_set_scene (self->recording, scene);
}

void
hl_token_panel_show_cross (HlTokenPanel *self)
{
  g_autoptr (GArray) chosen = hl_token_panel_list_chosen (self);
  gint64 key = hl_selection_get_place (hl_token_panel_get_selection (self))->key;
  HlLineSums *sums = self->sums;
  const float *to = NULL, *from = NULL;
  if (sums != NULL && sums->Tk == hl_token_panel_count_keys (self) &&
      sums->Tq == hl_token_panel_count (self))
    {
      to = hl_token_panel_is_from (self) ? NULL : sums->to;
      from = hl_token_panel_is_from (self) ? sums->from : NULL;
    }
  hl_token_panel_show_side (self, self->strip, self->tokens,
                            (const gint64 *) (gpointer) chosen->data,
                            from == NULL ? chosen->len : 0, self->hovered, from);
  hl_token_panel_show_side (self, self->key_strip, self->keys, &key,
                            to == NULL && key >= 0 &&
                                key < hl_token_panel_count_keys (self),
                            self->hovered_key, to);
  show_recording (self, to, key);
}

/* What the newest token attends to among the keys: @row (n) comes in tokens. */
void
hl_token_panel_show_generated (HlTokenPanel *self, const float *row, gint64 n)
{
  const HlWords *words = hl_trace_get_key_words (hl_document_get_trace (self->document),
                                                 hl_document_get_stack (self->document));
  gint64 n_keys = hl_token_panel_count_keys (self);
  g_autofree float *sums = g_new0 (float, (gsize) n_keys + 1);
  gboolean fits =
      words != NULL ? n == words->n_tokens && n_keys == words->n_words : n == n_keys;
  if (!fits)
    return;
  if (words != NULL)
    hl_words_sum (words, row, sums);
  hl_token_panel_show_side (self, self->key_strip, self->keys, NULL, 0, -1,
                            words != NULL ? sums : row);
}

/* (transfer full): the key of a cross-attention that is asked of. */
GArray *
hl_token_panel_list_asked_key (HlTokenPanel *self)
{
  GArray *keys = g_array_new (FALSE, FALSE, sizeof (gint64));
  gint64 key = hl_selection_get_place (hl_token_panel_get_selection (self))->key;
  if (key < 0)
    key = self->hovered_key;
  if (key >= 0 && key < hl_token_panel_count_keys (self))
    g_array_append_val (keys, key);
  return keys;
}

/* What is attended to most comes into sight: it may be one of many frames. */
void
hl_token_panel_reveal_strongest (HlTokenPanel *self)
{
  gboolean from = hl_token_panel_is_from (self);
  const float *line = from ? self->sums->from : self->sums->to;
  gint64 n = from ? self->sums->Tq : self->sums->Tk, best = 0;
  for (gint64 i = 1; i < n; i++)
    if (line[i] > line[best])
      best = i;
  if (n > 0)
    hl_token_strip_reveal (from ? self->strip : self->key_strip, best);
}

/* A slice and arcs are of one text; a cross-attention has two. */
void
hl_token_panel_show_sides (HlTokenPanel *self)
{
  gboolean is_cross = self->keys != NULL;
  gtk_widget_set_visible (self->key_box, is_cross);
  gtk_widget_set_visible (GTK_WIDGET (self->slice_button), !is_cross);
  gtk_widget_set_visible (GTK_WIDGET (self->list_button), !is_cross);
  HlTrace *trace = hl_document_get_trace (self->document);
  gboolean is_words = trace != NULL && trace->pieces != NULL;
  gtk_label_set_text (self->title, is_cross   ? _ ("Queries")
                                   : is_words ? _ ("Words")
                                              : _ ("Tokens"));
  gboolean is_list = gtk_toggle_button_get_active (self->list_button) && !is_cross;
  hl_token_strip_set_mode (self->strip, is_list ? HL_TOKEN_LIST : HL_TOKEN_FLOW);
  if (!is_cross)
    return;
  gboolean is_audio = g_strcmp0 (trace->input_kind, "audio") == 0;
  g_autofree char *title = g_strdup_printf (
      is_audio                ? _ ("Keys · %s · %d frames")
      : trace->pieces != NULL ? _ ("Keys · %s · %d words")
                              : _ ("Keys · %s · %d tokens"),
      hl_present_stack_name (trace, hl_token_panel_get_stack (self)->key_stack),
      (int) self->keys->n);
  gtk_label_set_text (self->key_title, title);
}

void
hl_token_panel_key_hovered_cb (HlTokenStrip *strip, gint64 token, HlTokenPanel *self)
{
  self->hovered_key = token;
  if (self->keys != NULL && hl_token_panel_is_from (self))
    hl_token_panel_ask_for_lines (self);
}

/* Who asks of a key wants to know who attends to it. */
void
hl_token_panel_keys_chosen_cb (HlTokenStrip *strip,
                               gpointer tokens,
                               guint n,
                               HlTokenPanel *self)
{
  hl_selection_set_key (hl_token_panel_get_selection (self),
                        n > 0 ? ((const gint64 *) tokens)[0] : -1);
  hl_token_panel_set_is_from (self, n > 0);
  hl_token_panel_show (self); /* of several one is asked of */
}

void
hl_token_panel_frames_chosen_cb (HlPatchView *view,
                                 gpointer selected,
                                 guint n,
                                 HlTokenPanel *self)
{
  const gboolean *cells = selected;
  const gint64 key_now =
      hl_selection_get_place (hl_token_panel_get_selection (self))->key;
  HlTrace *trace = hl_document_get_trace (self->document);
  int stack = hl_document_get_stack (self->document);
  gint64 key = -1;
  const float *to =
      self->sums != NULL && self->sums->Tk == hl_token_panel_count_keys (self)
          ? self->sums->to
          : NULL;
  for (guint i = 0; i < n && key < 0; i++)
    if (cells[i] && trace != NULL && hl_present_has_recording (trace, stack))
      key = hl_present_recording_key (trace, stack, to, i);
  if (key == key_now)
    return;
  hl_token_panel_keys_chosen_cb (self->key_strip, &key, key >= 0, self);
  if (key >= 0)
    hl_token_strip_reveal (self->key_strip, key);
}
