/* SPDX-License-Identifier: MIT
 * Tokenizers that come without tokenizer.json, as models published them at first:
 * vocab.json and merges.txt, vocab.txt, a sentencepiece model; and a tokenizer out of
 * JSON in memory. Private to compute/text. */
#pragma once

#include "io/hl-json.h"
#include "text/hl-tokenizer.h"

G_BEGIN_DECLS

/** hl_tokenizer_new_from_parts: @root: tokenizer.json; @config: (nullable). */
HlTokenizer *hl_tokenizer_new_from_parts (const json_t *root,
                                          const json_t *config,
                                          const char *where,
                                          GError **error);

/** hl_tokenizer_find_files: (transfer none) (nullable): what errors call the first of the
 * known sets of files that is in the folder. */
const char *hl_tokenizer_find_files (const char *folder);

/**
 * hl_tokenizer_load_files:
 * @config: (nullable): tokenizer_config.json, whose "tokenizer_class" names the family;
 *   where it does not, the "model_type" of config.json does
 * Returns: (transfer full): what tokenizer.json would say; NULL with @error: MISSING no
 *   files, or no token that is needed; UNSUPPORTED a family whose steps are not known
 */
json_t *
hl_tokenizer_load_files (const char *folder, const json_t *config, GError **error);

/** hl_tokenizer_load_merges_txt: of hl_tokenizer_load_files(): GPT-2's files, and those
 * of the families that took its form. */
json_t *hl_tokenizer_load_merges_txt (const char *folder,
                                      const json_t *config,
                                      const char *family,
                                      GError **error);

/** hl_tokenizer_load_vocab_txt: of hl_tokenizer_load_files(): BERT's files, MPNet's where
 * @family is "mpnet". */
json_t *hl_tokenizer_load_vocab_txt (const char *folder,
                                     const json_t *config,
                                     const char *family,
                                     GError **error);

/** hl_tokenizer_config_flag, _name: a field of tokenizer_config.json; a special token's
 * name may stand in an object. (transfer none) */
gboolean
hl_tokenizer_config_flag (const json_t *config, const char *field, gboolean fallback);
const char *
hl_tokenizer_config_name (const json_t *config, const char *field, const char *fallback);

G_END_DECLS
