/* SPDX-License-Identifier: MIT
 * Fixtures of the tests of tokenizers: what the reference library made of many texts. */
#pragma once

#include "text/hl-tokenizer.h"

#include <jansson.h>

G_BEGIN_DECLS

/** text_fixture_load: (transfer full): a compressed JSON file beside the tests' sources.
 */
json_t *text_fixture_load (const char *name);

/**
 * text_fixture_compare:
 * @texts: array of strings
 * @expected: array, as make-fixtures.py's expected() writes it, one a text
 * Encodes and decodes every text with every option and stops at the first difference.
 * Returns: how many encodings were compared
 */
guint text_fixture_compare (HlTokenizer *tokenizer,
                            const char *name,
                            const json_t *texts,
                            const json_t *expected);

/** text_fixture_compare_decoded: @expected: as make-fixtures.py's decoded() writes it. */
void text_fixture_compare_decoded (HlTokenizer *tokenizer,
                                   const char *name,
                                   const json_t *expected);

/**
 * text_fixture_compare_pairs:
 * @expected: array of [text, text or -1, cases], the texts by their number; a case as
 *   fixture_families.py's expected_pair() writes it
 * Returns: how many encodings were compared, of two texts and of one
 */
guint text_fixture_compare_pairs (HlTokenizer *tokenizer,
                                  const char *name,
                                  const json_t *texts,
                                  const json_t *expected);

G_END_DECLS
