/* SPDX-License-Identifier: MIT
 * A trace looked at in words: the same run, where the pieces of a word are one token.
 * What a word attends to is the mean over its pieces' rows; what it is attended with is
 * the sum over its pieces' columns, so that rows keep their sum: the definition of Clark
 * et al. 2019, "What Does BERT Look At?". Thread: any. */
#pragma once

#include "trace/hl-trace.h"

G_BEGIN_DECLS

/**
 * hl_word_trace_new:
 * @trace: in tokens; kept by what is returned
 * Tokens and predictions are of words; sites stay in @trace, and an attention source of
 * what is returned joins its maps as they are read.
 * Returns: (transfer full): NULL with @error (UNSUPPORTED, MEMORY)
 */
HlTrace *hl_word_trace_new (HlTrace *trace, GError **error);

/** hl_trace_in_tokens: (transfer none): what a trace in words was made of; @trace itself
 * where it is in tokens. */
const HlTrace *hl_trace_in_tokens (const HlTrace *trace);

/** hl_trace_has_pieces: some word of a stack of @trace, in tokens or words, is made of
 * several tokens; FALSE with pictures, and where bytes of tokens are not known. */
gboolean hl_trace_has_pieces (const HlTrace *trace);

/** hl_trace_get_words, _get_key_words: (transfer none) (nullable): of a stack's queries
 * and keys; NULL of a trace in tokens, and where nothing is joined. */
const HlWords *hl_trace_get_words (const HlTrace *trace, int stack);
const HlWords *hl_trace_get_key_words (const HlTrace *trace, int stack);

/** hl_word_trace_count: makes words of the sizes of a map in tokens. FALSE where the
 * tokens are not those of the map. */
gboolean hl_word_trace_count (const HlTrace *trace, int stack, gint64 *Tq, gint64 *Tk);

/** hl_trace_keys_seen: hl_layer_keys_seen() of a trace in tokens or words: a word sees
 * what one of its pieces sees. All keys where there is no such layer.
 * @query: of (@Tq, @Tk), the size of the map in the trace's own tokens or words */
HlKeySpan hl_trace_keys_seen (
    const HlTrace *trace, int stack, int layer, gint64 query, gint64 Tq, gint64 Tk);

G_END_DECLS
