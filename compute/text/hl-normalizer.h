/* SPDX-License-Identifier: MIT
 * The "normalizer" of a tokenizer file: what is done to the text before it is cut, with
 * each byte's place in the original kept. Private to compute/text. */
#pragma once

#include "io/hl-json.h"
#include "text/hl-pieces.h"

G_BEGIN_DECLS

typedef struct _HlNormalizer HlNormalizer;

/**
 * hl_normalizer_read:
 * @json: the field "normalizer"; NULL or null is none
 * @where: what errors call the file
 * Returns: (transfer full): steps in order, sequences flattened; free with
 *   hl_normalizer_free(). NULL with @error: UNSUPPORTED names the kind; FORMAT, MISSING
 */
HlNormalizer *hl_normalizer_read (const json_t *json, const char *where, GError **error);
void hl_normalizer_free (HlNormalizer *normalizer);

/** hl_normalizer_run: on every piece that is no token yet. FALSE with @error (RANGE). */
gboolean
hl_normalizer_run (const HlNormalizer *normalizer, HlPieces *pieces, GError **error);

/** HlUnicodeForm: Unicode's normal forms. */
typedef enum
{
  HL_UNICODE_NFC,
  HL_UNICODE_NFD,
  HL_UNICODE_NFKC,
  HL_UNICODE_NFKD,
} HlUnicodeForm;

/** hl_normalize_unicode: writes bytes [start, end) of the old text in @form. */
void
hl_normalize_unicode (HlRewrite *rewrite, HlUnicodeForm form, gsize start, gsize end);

/**
 * hl_json_get_pattern:
 * @object: has "pattern": {"String": text} or {"Regex": pattern}
 * Returns: (transfer full): an HlRegex; NULL with @error
 */
struct _HlRegex *
hl_json_get_pattern (const json_t *object, const char *where, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlNormalizer, hl_normalizer_free)

G_END_DECLS
