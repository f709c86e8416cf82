/* SPDX-License-Identifier: MIT
 * A text's tokens as a scene: who they are, how likely each was, what some attend to.
 * Thread: any one. */
#pragma once

#include "presenters/hl-present.h"
#include "scene/hl-token-scene.h"

G_BEGIN_DECLS

/** HL_SURPRISE_NATS: a token of this log-probability or less is tinted in full. */
#define HL_SURPRISE_NATS 10.0

/** HL_ARCS_PER_QUERY, HL_ARCS_THRESHOLD: of each query the strongest keys, where their
 * weight is at least this. */
#define HL_ARCS_PER_QUERY 3
#define HL_ARCS_THRESHOLD 0.05

/**
 * hl_present_token_list: (transfer full): every token of a text. A token is tinted by
 * how unlikely it was after those before it: -ln p / HL_SURPRISE_NATS, at most 1; not at
 * all where that is not known.
 * @tokens, @predictions: (nullable): of a trace, or of a text in the making
 * @first, @end: tokens before and from there on are excluded; @end 0 for none
 */
HlTokenList *hl_present_token_list (const HlTokenTable *tokens,
                                    const HlPredictions *predictions,
                                    gint64 first,
                                    gint64 end);

/**
 * hl_present_tokens:
 * @tokens: of this trace
 * @selected: ascending
 * @hovered: -1 for none
 * @weights: (nullable): one a token: summed over @n_summed tokens: what they attend to,
 *   or who attends to them where @is_from
 * Tokens that no chosen query may see (or that may not see it) get no weight.
 * Returns: (transfer full)
 */
HlTokenScene *hl_present_tokens (const HlTrace *trace,
                                 HlHeadKey head,
                                 HlTokenList *tokens,
                                 const gint64 *selected,
                                 guint n_selected,
                                 gint64 hovered,
                                 const float *weights,
                                 guint n_summed,
                                 gboolean is_from,
                                 const HlViewOptions *options);

/**
 * hl_present_add_arcs: from one head's map, or some rows of it, into @scene.
 * @rows: (n_rows, Tk) float32: of the queries from @first_query on
 * @head_index: which of the scene's heads
 */
void hl_present_add_arcs (HlTokenScene *scene,
                          const float *rows,
                          gint64 first_query,
                          gint64 n_rows,
                          gint64 Tk,
                          int head_index);

/** hl_present_whole_text: (transfer full): the text of a trace and what was generated
 * after it; bytes that are no UTF-8 become U+FFFD. @n_prompt: (out) (nullable): bytes of
 * it that are the text's own. */
char *hl_present_whole_text (const HlTrace *trace, gsize *n_prompt);

/** hl_present_all_text: likewise, for reading; of an encoder-decoder the encoder's text and
 * the decoder's after an arrow, of a recording the decoder's. */
char *hl_present_all_text (const HlTrace *trace, gsize *n_prompt);

/** hl_present_find_tokens: (transfer full) (element-type gint64): tokens of a stack whose
 * text, as a person reads it, holds @words, whatever the case; also over several tokens. */
GArray *hl_present_find_tokens (const HlTrace *trace, int stack, const char *words);

G_END_DECLS
