/* SPDX-License-Identifier: MIT
 * The "added_tokens" of a tokenizer file: found in the text as they are written, before
 * anything else is done to it, or after normalising. Private to compute/text. */
#pragma once

#include "text/hl-normalizer.h"
#include "text/hl-vocabulary.h"

G_BEGIN_DECLS

/** HL_ADDED_TOKEN_MAX_BYTES: the longest one. */
#define HL_ADDED_TOKEN_MAX_BYTES 1024

/**
 * HlAddedToken:
 * @is_single_word: not within a word
 * @strips_left, @strips_right: takes the white space beside it
 * @is_normalized: is looked for in the normalised text, normalised itself
 * @shown: what stands for it when decoding: normalised where it @is_normalized
 */
typedef struct
{
  char *content;
  gsize length;
  gint32 id;
  gboolean is_special;
  gboolean is_single_word;
  gboolean strips_left;
  gboolean strips_right;
  gboolean is_normalized;
  char *shown;
} HlAddedToken;

typedef struct _HlAddedTokens HlAddedTokens;

/**
 * hl_added_tokens_read:
 * @json: the field "added_tokens"; NULL is none
 * @normalizer: borrowed, for now only
 * Ids must be those that the reference library would give out: the vocabulary's for a
 * string that is there, else the next free ones, in order.
 * Returns: (transfer full): NULL with @error (FORMAT, RANGE, MISSING, UNSUPPORTED)
 */
HlAddedTokens *hl_added_tokens_read (const json_t *json,
                                     const HlVocabulary *vocabulary,
                                     const HlNormalizer *normalizer,
                                     const char *where,
                                     GError **error);
void hl_added_tokens_free (HlAddedTokens *added);

guint hl_added_tokens_get_n (const HlAddedTokens *added);
const HlAddedToken *hl_added_tokens_get_nth (const HlAddedTokens *added, guint index);

/** hl_added_tokens_get: (nullable): the one with @id. */
const HlAddedToken *hl_added_tokens_get (const HlAddedTokens *added, gint32 id);

/** hl_added_tokens_find: (nullable): the one written so. */
const HlAddedToken *
hl_added_tokens_find (const HlAddedTokens *added, const char *text, gsize length);

/**
 * hl_added_tokens_cut:
 * @normalized: which: those that are looked for in the normalised text, or the others
 * @with_special: FALSE leaves special tokens as the text that they are
 * Cuts pieces that are no tokens yet.
 */
void hl_added_tokens_cut (const HlAddedTokens *added,
                          HlPieces *pieces,
                          gboolean normalized,
                          gboolean with_special);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlAddedTokens, hl_added_tokens_free)

G_END_DECLS
