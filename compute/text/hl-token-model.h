/* SPDX-License-Identifier: MIT
 * The "model" of a tokenizer file: words into tokens, in one of several ways. Immutable;
 * the scratch belongs to one thread. Private to compute/text. */
#pragma once

#include "text/hl-vocabulary.h"

G_BEGIN_DECLS

/**
 * HlModelToken: @length bytes of the word.
 * @stays: the next token begins where this one does, being a byte of the same characters
 */
typedef struct
{
  gint32 id;
  guint32 length : 31;
  guint32 stays : 1;
} HlModelToken;

/**
 * HlTokenModelKind: one way; a row of the table in hl-token-model.c.
 * @type: its name in the file
 * @reads_bytes: may stand behind a ByteLevel pre-tokenizer
 * @read: NULL with @error: FORMAT, MISSING, RANGE, UNSUPPORTED
 * @get_unknown: the id for what has no token; -1 for none
 * @scratch_new, @scratch_free: (nullable): @size_bytes: of all words to come
 * @encode: @word: @length bytes of UTF-8, not none, which stay as long as the scratch;
 *   @tokens: HlModelToken, appended to. FALSE with @error
 */
typedef struct
{
  const char *type;
  gboolean reads_bytes;
  gpointer (*read) (const json_t *model,
                    gboolean is_byte_level,
                    const char *where,
                    GError **error);
  void (*free) (gpointer model);
  const HlVocabulary *(*get_vocabulary) (gconstpointer model);
  gint32 (*get_unknown) (gconstpointer model);
  gpointer (*scratch_new) (gsize size_bytes);
  void (*scratch_free) (gpointer scratch);
  gboolean (*encode) (gconstpointer model,
                      gpointer scratch,
                      const char *word,
                      gsize length,
                      GArray *tokens,
                      GError **error);
} HlTokenModelKind;

extern const HlTokenModelKind hl_bpe_kind;
extern const HlTokenModelKind hl_unigram_kind;
extern const HlTokenModelKind hl_word_level_kind;
extern const HlTokenModelKind hl_wordpiece_kind;

/** HlTokenModel: a model of its kind. */
typedef struct
{
  const HlTokenModelKind *kind;
  gpointer data;
} HlTokenModel;

/**
 * hl_token_model_read:
 * @json: the field "model" of a tokenizer file
 * @is_byte_level: words are bytes, and the vocabulary writes each as a character
 * @where: what errors call the file
 * Returns: (transfer full): NULL with @error: UNSUPPORTED names another kind
 */
HlTokenModel *hl_token_model_read (const json_t *json,
                                   gboolean is_byte_level,
                                   const char *where,
                                   GError **error);
void hl_token_model_free (HlTokenModel *model);

/** hl_token_model_get_vocabulary: (transfer none) */
const HlVocabulary *hl_token_model_get_vocabulary (const HlTokenModel *model);

/** hl_token_model_no_unknown: FALSE, with @error: a word that has no tokens. */
gboolean hl_token_model_no_unknown (const char *word, gsize length, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlTokenModel, hl_token_model_free)

G_END_DECLS
