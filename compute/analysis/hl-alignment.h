/* SPDX-License-Identifier: MIT
 * When what a decoder says is heard: times of its tokens by dynamic time warping of its
 * cross-attention, as Whisper does it (Radford et al. 2022, arXiv 2212.04356, and
 * OpenAI's code). */
#pragma once

#include "model/hl-model.h"
#include "trace/hl-attention-source.h"

G_BEGIN_DECLS

/** HL_ALIGNMENT_CHOSEN: as many heads are chosen where a model names none. */
#define HL_ALIGNMENT_CHOSEN 6
/** HL_ALIGNMENT_MEDIAN: frames of a recording that are smoothed over. */
#define HL_ALIGNMENT_MEDIAN 7

/** HlAlignmentHeads: whose maps are averaged: those that generation_config.json names
 * ("alignment_heads"), or where it names none, those that are chosen; or all. */
typedef enum
{
  HL_ALIGNMENT_NAMED,
  HL_ALIGNMENT_MONOTONE,
  HL_ALIGNMENT_ALL,
} HlAlignmentHeads;

/** HlAlignedToken: token @token of the decoder is emitted at row @token - 1, and lies
 * from @start to @end: seconds of a recording, else places among the encoder's tokens. */
typedef struct
{
  int token;
  double start;
  double end;
} HlAlignedToken;

/**
 * HlAlignment:
 * @tokens: (element-type HlAlignedToken): those behind the decoder's first special
 * tokens, without special ones
 * @heads: (element-type HlHeadKey): of the cross-attention
 * @is_named: the model named them
 */
typedef struct
{
  GArray *tokens;
  GArray *heads;
  gboolean is_named;
} HlAlignment;

void hl_alignment_free (HlAlignment *alignment);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlAlignment, hl_alignment_free)

/**
 * hl_alignment_make:
 * @source: of a trace of an encoder with a decoder
 * Of each head the rows that emit the tokens, over the keys that are no padding nor
 * special: z-scored over the tokens at each key, then the median over HL_ALIGNMENT_MEDIAN
 * keys (mirrored at the ends); their mean over heads is warped. MONOTONE are the heads
 * whose rows have most weight on a path that does not go back (hl-monotonicity.h).
 * Thread: the backend's. Returns: (transfer full): NULL with @error: UNSUPPORTED another
 *   kind of model; MISSING no tokens; what reading maps may give
 */
HlAlignment *hl_alignment_make (const HlModel *model,
                                const HlAttentionSource *source,
                                HlBackend *backend,
                                HlAlignmentHeads heads,
                                const HlProgress *progress,
                                GError **error);

/** hl_alignment_list_named: (transfer full) (element-type HlHeadKey): heads of the
 * cross-attention @stack that the model names; empty where it names none. Thread: any. */
GArray *hl_alignment_list_named (const HlModel *model, int stack);

/** hl_alignment_warp: (transfer full): (n): for each row the first key of the cheapest
 * path from the first cell to the last that goes a row, a key or both on at a time;
 * @cost: (n, m), n and m at least 1. */
int *hl_alignment_warp (const double *cost, int n, int m);

G_END_DECLS
