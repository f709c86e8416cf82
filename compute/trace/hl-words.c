/* SPDX-License-Identifier: MIT
 * Which tokens of a text are pieces of one word. */
#include "trace/hl-words.h"

#include "text/hl-encoding.h"
#include "text/hl-word-breaks.h"

#include <math.h>
#include <string.h>

/* ---- finding them --------------------------------------------------------------------
 */

static gboolean
is_text (const HlToken *token)
{
  gboolean is_word = token->role == HL_ROLE_NONE || token->role == HL_ROLE_PROMPT ||
                     token->role == HL_ROLE_GENERATED;
  return is_word && token->row < 0 && token->bytes != NULL;
}

static gboolean
is_tail (char byte)
{
  return ((guchar) byte & 0xc0) == 0x80;
}

static char
first_byte (const HlToken *token)
{
  gsize size = 0;
  const char *bytes = g_bytes_get_data (token->bytes, &size);
  return size > 0 ? bytes[0] : '\0';
}

/* Tokens without a place in the text (generated, or given as ids) follow one another, but
 * whether a word begins only their spaces say: a vocabulary that writes none joins none.
 */
static gboolean
writes_spaces (const HlTokenTable *tokens)
{
  for (int i = 0; i < tokens->n_tokens; i++)
    {
      const HlToken *token = &tokens->tokens[i];
      if (is_text (token) && token->start < 0 && first_byte (token) == ' ')
        return TRUE;
    }
  return FALSE;
}

/* Whether nothing of the text lies between two tokens, nor do they belong apart. */
static gboolean
are_neighbours (const HlToken *a, const HlToken *b, gboolean has_spaces)
{
  if (!is_text (a) || !is_text (b) || a->role != b->role || a->segment != b->segment)
    return FALSE;
  if (a->start >= 0 && b->start >= 0)
    return b->start <= a->end;
  return a->start < 0 && b->start < 0 && (has_spaces || is_tail (first_byte (b)));
}

/* @start: (n + 1): where each token's bytes begin in @text; tokens apart have a newline
 * between them. */
static GByteArray *
write_text (const HlTokenTable *tokens, gboolean has_spaces, gsize *start)
{
  GByteArray *text = g_byte_array_new ();
  for (int i = 0; i < tokens->n_tokens; i++)
    {
      const HlToken *token = &tokens->tokens[i];
      if (i > 0 && !are_neighbours (&tokens->tokens[i - 1], token, has_spaces))
        g_byte_array_append (text, (const guint8 *) "\n", 1);
      gsize size = 0;
      const guint8 *bytes =
          is_text (token) ? g_bytes_get_data (token->bytes, &size) : NULL;
      start[i] = text->len;
      if (size > 0)
        g_byte_array_append (text, bytes, (guint) size);
    }
  start[tokens->n_tokens] = text->len;
  g_byte_array_append (text, (const guint8 *) "", 1);
  return text;
}

static gboolean
is_space_before (const char *text, const char *at)
{
  const char *last = g_utf8_find_prev_char (text, at);
  gunichar c = last != NULL ? g_utf8_get_char_validated (last, at - last) : 0;
  return c < 0x110000 && g_unichar_isspace (c);
}

static gboolean
is_space_at (const char *at, const char *end)
{
  gunichar c = g_utf8_get_char_validated (at, end - at);
  return c < 0x110000 && g_unichar_isspace (c);
}

/* Whether the tokens on both sides of @at are of one word: a character of several tokens
 * is never cut, a lone space goes with what follows it. */
static gboolean
is_joined (const GByteArray *all, const gboolean *is_break, gsize start, gsize at)
{
  const char *text = (const char *) all->data, *end = text + all->len - 1;
  if (text + at == end)
    return FALSE;
  if (is_tail (text[at]))
    return TRUE;
  if (is_space_at (text + at, end))
    return FALSE;
  if (is_space_before (text, text + at))
    return at - start == 1 && text[start] == ' ';
  return !is_break[at];
}

static HlWords *
words_new (gint64 n_tokens)
{
  HlWords *words = g_new0 (HlWords, 1);
  g_atomic_ref_count_init (&words->refs);
  words->n_tokens = n_tokens;
  words->first = g_new0 (gint64, (gsize) n_tokens + 1);
  words->word_of = g_new0 (gint64, (gsize) n_tokens + 1);
  return words;
}

HlWords *
hl_words_find (const HlTokenTable *tokens, GError **error)
{
  g_autofree gsize *start = g_new (gsize, (gsize) tokens->n_tokens + 1);
  gboolean has_spaces = writes_spaces (tokens);
  g_autoptr (GByteArray) text = write_text (tokens, has_spaces, start);
  g_autofree gboolean *is_break =
      hl_word_breaks_find ((const char *) text->data, text->len - 1, error);
  if (is_break == NULL)
    return NULL;
  HlWords *words = words_new (tokens->n_tokens);
  for (int i = 0; i < tokens->n_tokens; i++)
    {
      gboolean goes_on =
          i > 0 &&
          are_neighbours (&tokens->tokens[i - 1], &tokens->tokens[i], has_spaces) &&
          is_joined (text, is_break, start[i - 1], start[i]);
      if (!goes_on)
        words->first[words->n_words++] = i;
      words->word_of[i] = words->n_words - 1;
    }
  words->first[words->n_words] = tokens->n_tokens;
  return words;
}

HlWords *
hl_words_ref (HlWords *words)
{
  g_atomic_ref_count_inc (&words->refs);
  return words;
}

void
hl_words_unref (HlWords *words)
{
  if (words == NULL || !g_atomic_ref_count_dec (&words->refs))
    return;
  g_free (words->first);
  g_free (words->word_of);
  g_free (words);
}

gboolean
hl_words_is_trivial (const HlWords *words)
{
  return words->n_words == words->n_tokens;
}

/* ---- joining -------------------------------------------------------------------------
 */

/* (transfer full): what joins the parts of an emoji is seen in them. */
static char *
make_word_visible (const GByteArray *bytes)
{
  g_autofree char *text = hl_text_make_visible ((const char *) bytes->data, bytes->len);
  g_autoptr (GString) word = g_string_new (text);
  g_string_replace (word, "\\u200D", "\u200D", 0);
  g_string_replace (word, "\\uFE0F", "\uFE0F", 0);
  return g_string_free (g_steal_pointer (&word), FALSE);
}

static void
join_token (HlToken *word, const HlToken *pieces, gint64 n)
{
  g_autoptr (GByteArray) all = g_byte_array_new ();
  hl_token_copy (word, &pieces[0]);
  for (gint64 i = 0; i < n; i++)
    {
      gsize size = 0;
      const guint8 *bytes = g_bytes_get_data (pieces[i].bytes, &size);
      if (size > 0)
        g_byte_array_append (all, bytes, (guint) size);
    }
  g_free (word->text);
  g_bytes_unref (word->bytes);
  word->text = make_word_visible (all);
  word->bytes = g_byte_array_free_to_bytes (g_steal_pointer (&all));
  word->id = -1;
  word->end = pieces[n - 1].end;
}

HlTokenTable *
hl_words_join_tokens (const HlWords *words, const HlTokenTable *tokens)
{
  HlTokenTable *joined = hl_token_table_new ((int) words->n_words);
  joined->n_rows = tokens->n_rows;
  joined->n_columns = tokens->n_columns;
  joined->is_words = TRUE;
  for (gint64 w = 0; w < words->n_words; w++)
    {
      const HlToken *pieces = &tokens->tokens[words->first[w]];
      gint64 n = words->first[w + 1] - words->first[w];
      if (n == 1)
        hl_token_copy (&joined->tokens[w], pieces);
      else
        join_token (&joined->tokens[w], pieces, n);
    }
  return joined;
}

void
hl_words_sum (const HlWords *words, const float *row, float *sums)
{
  for (gint64 w = 0; w < words->n_words; w++)
    {
      double sum = 0;
      for (gint64 t = words->first[w]; t < words->first[w + 1]; t++)
        sum += (double) row[t];
      sums[w] = (float) sum;
    }
}

/* The position that says what is asked of a word; -1 where none does. */
static gint64
position_that_says (const HlWords *words, gboolean is_own, gint64 word)
{
  gint64 last = words->first[word + 1] - 1;
  return is_own && last > words->first[word] ? -1 : last;
}

/* ln p of the pieces of @word, one after another. */
static double
sum_log_probs (const HlWords *words, const HlPredictions *p, gint64 word)
{
  double sum = 0;
  for (gint64 t = words->first[word]; t < words->first[word + 1]; t++)
    {
      gint64 at = hl_predictions_get_position (p, t);
      sum += at >= 0 ? (double) hl_tensor_f32 (p->next_log_probs)[at] : NAN;
    }
  return sum;
}

/* @word is the place in @to of what is said of @of, the word that came. */
static void
join_came (const HlWords *words,
           const HlPredictions *from,
           HlPredictions *to,
           gint64 word)
{
  gint64 of = to->is_own ? word : word + 1;
  gboolean is_known = of < words->n_words;
  gint64 first = is_known ? hl_predictions_get_position (from, words->first[of]) : -1;
  gboolean is_one = is_known && words->first[of + 1] - words->first[of] == 1;
  gboolean is_said = first >= 0 && (is_one || !to->is_own);
  ((gint32 *) to->next_ids->data)[word] =
      is_said ? ((const gint32 *) from->next_ids->data)[first] : -1;
  ((gint32 *) to->next_ranks->data)[word] =
      is_said && is_one ? ((const gint32 *) from->next_ranks->data)[first] : -1;
  ((float *) to->next_log_probs->data)[word] =
      is_known ? (float) sum_log_probs (words, from, of) : NAN;
}

static void
join_top (const HlWords *words, const HlPredictions *from, HlPredictions *to, gint64 word)
{
  gsize k = (gsize) hl_predictions_get_k (from);
  gint64 at = position_that_says (words, to->is_own, word);
  gint32 *ids = (gint32 *) to->top_ids->data + (gsize) word * k;
  float *log_probs = (float *) to->top_log_probs->data + (gsize) word * k;
  ((float *) to->entropies->data)[word] =
      at >= 0 ? hl_tensor_f32 (from->entropies)[at] : NAN;
  for (gsize i = 0; i < k; i++)
    {
      gsize source = (gsize) MAX (at, 0) * k + i;
      ids[i] = at >= 0 ? ((const gint32 *) from->top_ids->data)[source] : -1;
      log_probs[i] = at >= 0 ? hl_tensor_f32 (from->top_log_probs)[source] : -INFINITY;
    }
}

HlPredictions *
hl_words_join_predictions (const HlWords *words,
                           const HlPredictions *predictions,
                           GError **error)
{
  g_autofree gint32 *ids = g_new0 (gint32, (gsize) words->n_words + 1);
  HlPredictions *joined =
      hl_predictions_new (ids, words->n_words, hl_predictions_get_k (predictions),
                          predictions->is_own, error);
  if (joined == NULL)
    return NULL;
  g_hash_table_unref (joined->texts);
  joined->texts = g_hash_table_ref (predictions->texts);
  for (gint64 w = 0; w < words->n_words; w++)
    {
      join_came (words, predictions, joined, w);
      join_top (words, predictions, joined, w);
    }
  return joined;
}
