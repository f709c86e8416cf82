/* SPDX-License-Identifier: MIT
 * Which tokens of a text are pieces of one word. Immutable; atomic reference count.
 * Thread: any. */
#pragma once

#include "trace/hl-predictions.h"
#include "trace/hl-token-table.h"

G_BEGIN_DECLS

/**
 * HlWords: @n_words words of one or more neighbouring tokens, in order.
 * @first: (n_words + 1): the token that a word begins with; at the end @n_tokens
 * @word_of: (n_tokens)
 */
typedef struct
{
  gatomicrefcount refs;
  gint64 n_tokens;
  gint64 n_words;
  gint64 *first;
  gint64 *word_of;
} HlWords;

/**
 * hl_words_find: tokens that follow one another in the text without a boundary of UAX #29
 * between them are a word; the space before one belongs to it, as in most vocabularies.
 * Tokens without a place (generated, or given as ids) are joined by the spaces in them,
 * and not at all where the vocabulary writes none. Special tokens, padding and patches
 * are by themselves, and no word is partly prompt and partly generated, or of two texts.
 * Returns: (transfer full): NULL with @error (UNSUPPORTED)
 */
HlWords *hl_words_find (const HlTokenTable *tokens, GError **error);
HlWords *hl_words_ref (HlWords *words);
void hl_words_unref (HlWords *words);

/** hl_words_is_trivial: every word is one token. */
gboolean hl_words_is_trivial (const HlWords *words);

/** hl_words_join_tokens: (transfer full): one entry a word: text, bytes and place of its
 * pieces together; the id is -1 where there are several. */
HlTokenTable *hl_words_join_tokens (const HlWords *words, const HlTokenTable *tokens);

/** hl_words_sum: a row over tokens as one over words: @row (n_tokens), @sums (n_words).
 */
void hl_words_sum (const HlWords *words, const float *row, float *sums);

/**
 * hl_words_join_predictions: a word is as probable as its pieces one after another: their
 * log-probabilities are summed (where tokens are masked each on its own, the sum is a
 * pseudo-log-likelihood). What comes next is said by a word's last piece; of a word of
 * several masked pieces nothing is said. A rank is of one token: -1 for several.
 * Returns: (transfer full): NULL with @error (MEMORY)
 */
HlPredictions *hl_words_join_predictions (const HlWords *words,
                                          const HlPredictions *predictions,
                                          GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlWords, hl_words_unref)

G_END_DECLS
