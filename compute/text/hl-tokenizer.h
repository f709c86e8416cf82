/* SPDX-License-Identifier: MIT
 * A tokenizer as language models publish it: text to tokens with their places, and back.
 * The same ids and places as the reference library, or an error that says what is not
 * supported. Immutable; atomic reference count; every function from any thread. */
#pragma once

#include "text/hl-encoding.h"

G_BEGIN_DECLS

/**
 * hl_tokenizer_open:
 * @folder: holds tokenizer.json, or what was published before there was one: vocab.json
 *   and merges.txt, source.spm and vocab.json (Marian), vocab.txt (BERT), spiece.model,
 *   sentencepiece.bpe.model or tokenizer.model; beside it, where there are,
 *   tokenizer_config.json (family, special tokens' names, chat template; else
 *   special_tokens_map.json), config.json (family) and chat_template.jinja
 * "truncation" and "padding" of the file are not applied: a text keeps its length.
 * Returns: (transfer full): NULL with @error:
 *   MISSING no such file, or a field; IO; FORMAT what breaks the rules; RANGE an id, a
 *   size; UNSUPPORTED a kind of model, step or pattern, by its name
 */
HlTokenizer *hl_tokenizer_open (const char *folder, GError **error);

/**
 * hl_tokenizer_new_from_json:
 * @data: tokenizer.json, @size_bytes bytes; read, not kept
 * @config: (nullable): tokenizer_config.json
 * @where: what errors call the file
 * As hl_tokenizer_open(), from memory.
 */
HlTokenizer *hl_tokenizer_new_from_json (const char *data,
                                         gsize size_bytes,
                                         const char *config,
                                         gsize config_size_bytes,
                                         const char *where,
                                         GError **error);

HlTokenizer *hl_tokenizer_ref (HlTokenizer *tokenizer);
void hl_tokenizer_unref (HlTokenizer *tokenizer);

/**
 * HlEncodeOptions:
 * @add_special: let the post-processor put its tokens around the text (<s>, ...)
 * @parse_special: special tokens written in the text become that token; otherwise they
 * are encoded as the characters they are. Added tokens that are not special always count.
 */
typedef struct
{
  gboolean add_special;
  gboolean parse_special;
} HlEncodeOptions;

/**
 * hl_tokenizer_encode:
 * @text: @length bytes of UTF-8, which may hold NUL; -1 up to the first one
 * @options: (nullable): NULL is both
 * Takes O(n log n), also where a text has no word boundaries.
 * Returns: (transfer full): NULL with @error: FORMAT no UTF-8, with the byte; RANGE more
 *   than 64 MiB, or a pattern that gives up
 */
HlEncoding *hl_tokenizer_encode (HlTokenizer *tokenizer,
                                 const char *text,
                                 gssize length,
                                 const HlEncodeOptions *options,
                                 GError **error);

/**
 * hl_tokenizer_encode_pair:
 * @a, @b: the two texts, each as in hl_tokenizer_encode()
 * Two texts as the post-processor's template for pairs puts them together. A token's
 * place is within its own text, which @sequence of the token names.
 */
HlEncoding *hl_tokenizer_encode_pair (HlTokenizer *tokenizer,
                                      const char *a,
                                      gssize a_length,
                                      const char *b,
                                      gssize b_length,
                                      const HlEncodeOptions *options,
                                      GError **error);

/**
 * hl_tokenizer_decode:
 * @ids: @n_ids of them; those that no token has are left out
 * @skip_special: leave special tokens out
 * @length: (out) (nullable): of the text, which may hold NUL
 * Returns: (transfer full): valid UTF-8; bytes that are no characters are U+FFFD. NULL
 *   with @error (RANGE).
 */
char *hl_tokenizer_decode (HlTokenizer *tokenizer,
                           const gint32 *ids,
                           gsize n_ids,
                           gboolean skip_special,
                           gsize *length,
                           GError **error);

/** hl_tokenizer_get_n_ids: the largest id and 1; a few below it may have no token. */
gint32 hl_tokenizer_get_n_ids (HlTokenizer *tokenizer);

/** hl_tokenizer_get_n_tokens: tokens there are, added ones too. */
gsize hl_tokenizer_get_n_tokens (HlTokenizer *tokenizer);

/** hl_tokenizer_get_token_raw: (transfer none) (nullable): the string in the vocabulary,
 * "Ġthe" or "▁the"; NULL where no token has @id. */
const char *hl_tokenizer_get_token_raw (HlTokenizer *tokenizer, gint32 id);

/** hl_tokenizer_get_token_bytes: (transfer full) (nullable): the bytes that a token
 * stands for: " the"; one byte for "<0xE4>". Many are not UTF-8 alone. */
GBytes *hl_tokenizer_get_token_bytes (HlTokenizer *tokenizer, gint32 id);

/** hl_tokenizer_get_token_text: (transfer full) (nullable): hl_text_make_visible() of the
 * bytes. */
char *hl_tokenizer_get_token_text (HlTokenizer *tokenizer, gint32 id);

/** hl_tokenizer_find: the id of a vocabulary string or added token; -1 for none. */
gint32 hl_tokenizer_find (HlTokenizer *tokenizer, const char *raw);

/** hl_tokenizer_is_special: whether @id is a special token. */
gboolean hl_tokenizer_is_special (HlTokenizer *tokenizer, gint32 id);

/** hl_tokenizer_get_specials: (transfer none): ids of the special tokens, as in the file.
 */
const gint32 *hl_tokenizer_get_specials (HlTokenizer *tokenizer, gsize *n);

/** hl_tokenizer_get_bos, _eos, _unk, _mask, _pad: as tokenizer_config.json names them
 * (unk: else the model; mask, pad: else special tokens of the usual names); -1 for none.
 * A model's own configuration may say otherwise. */
gint32 hl_tokenizer_get_bos (HlTokenizer *tokenizer);
gint32 hl_tokenizer_get_eos (HlTokenizer *tokenizer);
gint32 hl_tokenizer_get_unk (HlTokenizer *tokenizer);
gint32 hl_tokenizer_get_mask (HlTokenizer *tokenizer);
gint32 hl_tokenizer_get_pad (HlTokenizer *tokenizer);

/** hl_tokenizer_get_chat_template: (transfer none) (nullable): the text of the template
 * (the one named "default" where there are several); NULL for none. See hl-chat.h. */
const char *hl_tokenizer_get_chat_template (HlTokenizer *tokenizer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlTokenizer, hl_tokenizer_unref)

G_END_DECLS
