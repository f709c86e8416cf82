/* SPDX-License-Identifier: MIT
 * A trace looked at in words. */
#include "trace/hl-word-trace.h"

#include "trace/hl-attention-source.h"

static HlTensor *
ref_tensor (HlTensor *tensor)
{
  return tensor != NULL ? hl_tensor_ref (tensor) : NULL;
}

static void
replace (char **to, const char *from)
{
  g_free (*to);
  *to = g_strdup (from);
}

/* What is of the run, whatever it is cut into. */
static void
copy_run (HlTrace *to, const HlTrace *from)
{
  replace (&to->input_kind, from->input_kind);
  replace (&to->input_name, from->input_name);
  replace (&to->input_path, from->input_path);
  replace (&to->input_hash, from->input_hash);
  replace (&to->text, from->text);
  replace (&to->target_text, from->target_text);
  replace (&to->backend, from->backend);
  replace (&to->precision, from->precision);
  replace (&to->created, from->created);
  replace (&to->hash, from->hash);
  to->pixels = ref_tensor (from->pixels);
  to->features = ref_tensor (from->features);
  to->n_real_frames = from->n_real_frames;
  to->logits = ref_tensor (from->logits);
  to->duration_ms = from->duration_ms;
  for (guint i = 0; i < from->interventions->len; i++)
    g_ptr_array_add (to->interventions,
                     g_strdup (g_ptr_array_index (from->interventions, i)));
}

static void
unref_words (gpointer data)
{
  hl_words_unref (data);
}

static gboolean
fits_side (const HlTokenTable *tokens, gint64 n)
{
  return tokens == NULL || tokens->n_tokens == n;
}

/* Whether the tokens of a stack are those of its maps: a file may say otherwise. */
static gboolean
fits_maps (const HlTrace *trace, HlAttentionSource *source, int asked)
{
  for (guint s = 0; s < trace->model->stacks->len; s++)
    {
      const HlStack *stack = hl_model_info_get_stack (trace->model, (int) s);
      const HlTokenTable *tokens = hl_trace_get_tokens (trace, asked);
      for (int l = 0; l < stack->n_layers; l++)
        {
          gint64 Tq, Tk;
          HlHeadKey head = { (int) s, l, 0 };
          if (hl_attention_source_get_size (source, head, &Tq, &Tk) &&
              (((int) s == asked && !fits_side (tokens, Tq)) ||
               (stack->key_stack == asked && !fits_side (tokens, Tk))))
            return FALSE;
        }
    }
  return TRUE;
}

static gboolean
join_stacks (HlTrace *to, HlTrace *from, GError **error)
{
  g_autoptr (HlAttentionSource) source = hl_attention_source_new (from);
  for (guint s = 0; s < from->tokens->len; s++)
    {
      HlTokenTable *tokens = g_ptr_array_index (from->tokens, s);
      g_autoptr (HlWords) words = tokens != NULL ? hl_words_find (tokens, error) : NULL;
      if (tokens != NULL && words == NULL)
        return FALSE;
      gboolean is_same = words == NULL || hl_words_is_trivial (words) ||
                         !fits_maps (from, source, (int) s);
      HlTokenTable *kept = tokens != NULL ? hl_token_table_ref (tokens) : NULL;
      g_ptr_array_add (to->tokens, is_same ? kept : hl_words_join_tokens (words, tokens));
      if (!is_same)
        hl_token_table_unref (kept);
      g_ptr_array_add (to->words, is_same ? NULL : hl_words_ref (words));
    }
  return TRUE;
}

static gboolean
join_predictions (HlTrace *to, const HlTrace *from, GError **error)
{
  const HlWords *words = hl_trace_get_words (to, from->model->readout_stack);
  if (from->predictions == NULL)
    return TRUE;
  if (words == NULL)
    to->predictions = hl_predictions_ref (from->predictions);
  else if (hl_predictions_get_length (from->predictions) == words->n_tokens)
    {
      to->predictions = hl_words_join_predictions (words, from->predictions, error);
      return to->predictions != NULL;
    }
  return TRUE;
}

HlTrace *
hl_word_trace_new (HlTrace *trace, GError **error)
{
  g_autoptr (HlTrace) joined = hl_trace_new (trace->model);
  joined->pieces = hl_trace_ref (trace);
  joined->words = g_ptr_array_new_with_free_func (unref_words);
  copy_run (joined, trace);
  if (!join_stacks (joined, trace, error) || !join_predictions (joined, trace, error))
    return NULL;
  return g_steal_pointer (&joined);
}

const HlTrace *
hl_trace_in_tokens (const HlTrace *trace)
{
  return trace->pieces != NULL ? trace->pieces : trace;
}

gboolean
hl_trace_has_pieces (const HlTrace *trace)
{
  if (trace->pieces != NULL)
    {
      for (guint s = 0; s < trace->words->len; s++)
        if (g_ptr_array_index (trace->words, s) != NULL)
          return TRUE;
      return FALSE;
    }
  for (guint s = 0; s < trace->tokens->len; s++)
    {
      const HlTokenTable *tokens = g_ptr_array_index (trace->tokens, s);
      g_autoptr (HlWords) words = tokens != NULL ? hl_words_find (tokens, NULL) : NULL;
      if (words != NULL && !hl_words_is_trivial (words))
        return TRUE;
    }
  return FALSE;
}

const HlWords *
hl_trace_get_words (const HlTrace *trace, int stack)
{
  if (trace->words == NULL || stack < 0 || (guint) stack >= trace->words->len)
    return NULL;
  return g_ptr_array_index (trace->words, stack);
}

const HlWords *
hl_trace_get_key_words (const HlTrace *trace, int stack)
{
  const HlStack *tower = hl_model_info_get_stack (trace->model, stack);
  return hl_trace_get_words (trace, tower != NULL ? tower->key_stack : stack);
}

/* A side that is not joined keeps its size. */
static gboolean
count_side (const HlWords *words, gint64 *n)
{
  if (words != NULL && words->n_tokens != *n)
    return FALSE;
  *n = words != NULL ? words->n_words : *n;
  return TRUE;
}

gboolean
hl_word_trace_count (const HlTrace *trace, int stack, gint64 *Tq, gint64 *Tk)
{
  return count_side (hl_trace_get_words (trace, stack), Tq) &&
         count_side (hl_trace_get_key_words (trace, stack), Tk);
}

HlKeySpan
hl_trace_keys_seen (
    const HlTrace *trace, int stack, int layer, gint64 query, gint64 Tq, gint64 Tk)
{
  static const HlLayerInfo all = { 0 };
  const HlStack *tower = hl_model_info_get_stack (trace->model, stack);
  const HlLayerInfo *info = tower != NULL && layer >= 0 && layer < tower->n_layers
                                ? &tower->layers[layer]
                                : &all;
  const HlWords *asks = hl_trace_get_words (trace, stack);
  const HlWords *asked = hl_trace_get_key_words (trace, stack);
  if (asks != NULL && (query < 0 || query >= asks->n_words))
    return (HlKeySpan){ 0, Tk }; /* a place of what was shown before */
  gint64 first = asks != NULL ? asks->first[query] : query;
  gint64 last = asks != NULL ? asks->first[query + 1] - 1 : query;
  gint64 n_queries = asks != NULL ? asks->n_tokens : Tq;
  gint64 n_keys = asked != NULL ? asked->n_tokens : Tk;
  HlKeySpan from = hl_layer_keys_seen (info, first, n_queries, n_keys);
  HlKeySpan to = hl_layer_keys_seen (info, last, n_queries, n_keys);
  HlKeySpan span = { from.first, to.end };
  if (asked == NULL || span.end <= span.first)
    return span;
  return (HlKeySpan){ asked->word_of[span.first], asked->word_of[span.end - 1] + 1 };
}
