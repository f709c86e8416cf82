/* SPDX-License-Identifier: MIT
 * Byte pair encoding: the vocabulary, the merges in their order, and a word into tokens.
 * Immutable; the scratch belongs to one thread. Private to compute/text. */
#pragma once

#include "text/hl-vocabulary.h"

G_BEGIN_DECLS

typedef struct _HlBpe HlBpe;
typedef struct _HlBpeScratch HlBpeScratch;

/** HlBpeToken: @length bytes of the word. */
typedef struct
{
  gint32 id;
  guint32 length;
} HlBpeToken;

/**
 * hl_bpe_read:
 * @model: the field "model" of a tokenizer file
 * @is_byte_level: words are bytes, and the vocabulary writes each as a character
 * @where: what errors call the file
 * Returns: (transfer full): NULL with @error: UNSUPPORTED another kind of model, dropout;
 *   FORMAT, MISSING, RANGE what breaks the rules, such as a merge of unknown tokens
 */
HlBpe *hl_bpe_read (const json_t *model,
                    gboolean is_byte_level,
                    const char *where,
                    GError **error);
void hl_bpe_free (HlBpe *bpe);

/** hl_bpe_get_vocabulary: (transfer none) */
const HlVocabulary *hl_bpe_get_vocabulary (const HlBpe *bpe);

/** hl_bpe_get_unknown: the id for what has no token; -1 for none. */
gint32 hl_bpe_get_unknown (const HlBpe *bpe);

/** hl_bpe_has_byte_fallback: whether unknown characters become tokens <0xE4> of bytes. */
gboolean hl_bpe_has_byte_fallback (const HlBpe *bpe);

/** hl_bpe_scratch_new: @size_bytes: of all words to come, more or less. */
HlBpeScratch *hl_bpe_scratch_new (gsize size_bytes);
void hl_bpe_scratch_free (HlBpeScratch *scratch);

/**
 * hl_bpe_encode:
 * @word: @length bytes of UTF-8, not none; must stay as long as @scratch is used
 * @tokens: HlBpeToken, appended to; the same array for all words of @scratch
 * The lowest merge first, of equal ones the leftmost: O(n log n). Characters without a
 * token and without a token for the unknown are left out, as the reference library does.
 */
void hl_bpe_encode (const HlBpe *bpe,
                    HlBpeScratch *scratch,
                    const char *word,
                    gsize length,
                    GArray *tokens);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlBpe, hl_bpe_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlBpeScratch, hl_bpe_scratch_free)

G_END_DECLS
