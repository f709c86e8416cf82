/* SPDX-License-Identifier: MIT
 * The "decoder" of a tokenizer file: tokens back into text. Private to compute/text. */
#pragma once

#include "io/hl-json.h"

G_BEGIN_DECLS

typedef struct _HlDecoder HlDecoder;

/** hl_decoder_read: as hl_normalizer_read(), for the field "decoder". */
HlDecoder *hl_decoder_read (const json_t *json, const char *where, GError **error);
void hl_decoder_free (HlDecoder *decoder);

/**
 * hl_decoder_run:
 * @tokens: (element-type GString): vocabulary strings in order; changed
 * Returns: (transfer full): the text, which is valid UTF-8: bytes that are not become
 *   U+FFFD. NULL with @error (RANGE).
 */
GString *hl_decoder_run (const HlDecoder *decoder, GPtrArray *tokens, GError **error);

/**
 * hl_decoder_run_one:
 * @token: a vocabulary string; becomes the bytes that it stands for wherever it is, which
 *   need not be UTF-8 alone. What hangs on the place, such as a first space that is cut
 *   off, is left out.
 */
gboolean hl_decoder_run_one (const HlDecoder *decoder, GString *token, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlDecoder, hl_decoder_free)

G_END_DECLS
