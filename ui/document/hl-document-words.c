/* SPDX-License-Identifier: MIT
 * The work of a document: showing a trace in words instead of tokens. */
#include "config.h"

#include "document/hl-document-private.h"

#include "trace/hl-word-trace.h"

#include <glib/gi18n.h>

/* (transfer full): @trace itself where it is to be seen in tokens, and where no word has
 * pieces. */
static HlTrace *
make_shown (HlDocument *self, HlTrace *trace)
{
  gboolean is_text = g_strcmp0 (trace->input_kind, "image") != 0;
  g_autoptr (GError) error = NULL;
  if (!self->view.by_words || !is_text)
    return hl_trace_ref (trace);
  g_autoptr (HlTrace) words = hl_word_trace_new (trace, &error);
  if (words == NULL)
    hl_document_fail (self, _ ("The tokens could not be joined into words"), error);
  else if (!hl_trace_has_pieces (words))
    hl_document_set_status (
        self, g_strdup (_ ("Every token is a word by itself; nothing to join")));
  return words != NULL && hl_trace_has_pieces (words) ? g_steal_pointer (&words)
                                                      : hl_trace_ref (trace);
}

void
hl_document_show_trace (HlDocument *self)
{
  g_clear_pointer (&self->shown_source, hl_attention_source_unref);
  g_clear_pointer (&self->shown, hl_trace_unref);
  if (self->trace == NULL)
    return;
  self->shown = make_shown (self, self->trace);
  self->shown_source = self->shown == self->trace ? hl_attention_source_ref (self->source)
                                                  : hl_attention_source_new (self->shown);
}

HlTrace *
hl_document_get_trace (HlDocument *self)
{
  return self->shown;
}

HlTrace *
hl_document_get_baseline (HlDocument *self)
{
  HlTrace *now = self->shown_baseline, *shown = self->shown;
  gboolean is_current = now != NULL && shown != NULL && self->baseline != NULL &&
                        (now == self->baseline || now->pieces == self->baseline) &&
                        (now->pieces != NULL) == (shown->pieces != NULL);
  if (is_current)
    return now;
  g_clear_pointer (&self->shown_baseline, hl_trace_unref);
  if (self->baseline == NULL || self->shown == NULL)
    return NULL;
  self->shown_baseline = make_shown (self, self->baseline);
  return self->shown_baseline;
}

/* What was shown before, and what is shown now. */
typedef struct
{
  const HlTrace *before, *now;
} Change;

static const HlWords *
words_of (const HlTrace *trace, int stack, gboolean is_key)
{
  return is_key ? hl_trace_get_key_words (trace, stack)
                : hl_trace_get_words (trace, stack);
}

/* A word is all of its pieces, and a piece its word. */
static void
rename_token (int stack, gboolean is_key, gint64 token, GArray *to, gpointer data)
{
  const Change *change = data;
  const HlWords *old = words_of (change->before, stack, is_key);
  const HlWords *now = words_of (change->now, stack, is_key);
  if (old != NULL && token >= old->n_words)
    return;
  gint64 first = old != NULL ? old->first[token] : token;
  gint64 end = old != NULL ? old->first[token + 1] : token + 1;
  for (gint64 i = first; i < end && (now == NULL || i < now->n_tokens); i++)
    {
      gint64 name = now != NULL ? now->word_of[i] : i;
      g_array_append_val (to, name);
    }
}

static void
rename_slice (HlDocument *self, const Change *change)
{
  HlViewOptions *view = &self->view;
  g_autoptr (GArray) names = g_array_new (FALSE, FALSE, sizeof (gint64));
  int stack = hl_document_get_stack (self);
  if (view->end_token <= view->first_token)
    return;
  rename_token (stack, FALSE, view->first_token, names, (gpointer) change);
  rename_token (stack, FALSE, view->end_token - 1, names, (gpointer) change);
  if (names->len < 2)
    return;
  view->first_token = g_array_index (names, gint64, 0);
  view->end_token = g_array_index (names, gint64, names->len - 1) + 1;
}

void
hl_document_follow_words (HlDocument *self)
{
  if (self->trace == NULL)
    return;
  g_autoptr (HlTrace) before = hl_trace_ref (self->shown);
  hl_document_show_trace (self);
  const Change change = { before, self->shown };
  if (before == self->shown)
    return;
  hl_document_set_status (self, g_strdup (self->view.by_words ? _ ("Shown in words")
                                                              : _ ("Shown in tokens")));
  hl_selection_rename_tokens (self->selection, rename_token, (gpointer) &change);
  rename_slice (self, &change);
  g_clear_pointer (&self->summary, hl_trace_summary_free);
  self->summary = hl_trace_summary_new (self->shown, hl_document_get_stack (self));
  hl_document_emit (self, HL_DOCUMENT_TRACE);
  hl_document_summarise (self);
}
