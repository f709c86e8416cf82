/* SPDX-License-Identifier: MIT
 * Tokenizers that come as vocab.json and merges.txt, as GPT-2 did at first; and a
 * tokenizer out of JSON in memory. Private to compute/text. */
#pragma once

#include "io/hl-json.h"
#include "text/hl-tokenizer.h"

G_BEGIN_DECLS

/** hl_tokenizer_new_from_parts: @root: tokenizer.json; @config: (nullable). */
HlTokenizer *hl_tokenizer_new_from_parts (const json_t *root,
                                          const json_t *config,
                                          const char *where,
                                          GError **error);

gboolean hl_tokenizer_has_vocabulary_files (const char *folder);

/**
 * hl_tokenizer_load_vocabulary_files:
 * Returns: (transfer full): what tokenizer.json would say: bytes, GPT-2's words, and
 *   <|endoftext|> as a special token where the vocabulary has it; NULL with @error
 */
json_t *hl_tokenizer_load_vocabulary_files (const char *folder, GError **error);

G_END_DECLS
