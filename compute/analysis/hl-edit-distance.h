/* SPDX-License-Identifier: MIT
 * How far two rows of words are apart (Levenshtein 1965), and which of them are the same.
 * Thread: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** hl_word_fold: (transfer full): what is compared of a word: letters, marks and digits,
 * in one case, compatible characters as one; "" of punctuation alone. */
char *hl_word_fold (const char *word);

/** hl_words_fold_text: (transfer full): of each word between spaces that has any of that;
 * ends with NULL. */
char **hl_words_fold_text (const char *text);

/**
 * hl_edit_distance:
 * @a, @b: @n and @m words
 * @match: (nullable) (out caller-allocates): (n): of each word of @a the place of the
 * word of @b that it is aligned with and equal to; -1 where it was replaced or left out.
 *   Of alignments with as few edits it is one with the most words that are the same
 * Returns: words that are replaced, left out or added, at least; -1 with @error (MEMORY)
 */
gint64 hl_edit_distance (const char *const *a,
                         gsize n,
                         const char *const *b,
                         gsize m,
                         gint64 *match,
                         GError **error);

/** hl_word_error_rate: edits by the number of words of @reference, 1 at most (which
 * SPES' code calls wer_max), of texts; of a reference without words 0 where @said has
 * none either, else 1. NaN with @error. */
double hl_word_error_rate (const char *reference, const char *said, GError **error);

G_END_DECLS
