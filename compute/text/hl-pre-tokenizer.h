/* SPDX-License-Identifier: MIT
 * The "pre_tokenizer" of a tokenizer file: where the text is cut into words that merges
 * do not cross. Private to compute/text. */
#pragma once

#include "io/hl-json.h"
#include "text/hl-pieces.h"

G_BEGIN_DECLS

typedef struct _HlPreTokenizer HlPreTokenizer;

/** hl_pre_tokenizer_read: as hl_normalizer_read(), for the field "pre_tokenizer". */
HlPreTokenizer *
hl_pre_tokenizer_read (const json_t *json, const char *where, GError **error);
void hl_pre_tokenizer_free (HlPreTokenizer *pre);

/**
 * hl_pre_tokenizer_is_byte_level:
 * Whether the words are to be read as bytes. The reference library writes each byte as a
 * character (hl_byte_level_char()); here the bytes stay as they are, and the vocabulary
 * is read that way.
 */
gboolean hl_pre_tokenizer_is_byte_level (const HlPreTokenizer *pre);

/** hl_pre_tokenizer_run: cuts every piece that is no token yet. FALSE with @error. */
gboolean
hl_pre_tokenizer_run (const HlPreTokenizer *pre, HlPieces *pieces, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlPreTokenizer, hl_pre_tokenizer_free)

G_END_DECLS
