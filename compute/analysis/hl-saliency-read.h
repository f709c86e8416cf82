/* SPDX-License-Identifier: MIT
 * Saliency as a session keeps it, read back. Thread: any. */
#pragma once

#include "analysis/hl-result-reader.h"
#include "analysis/hl-saliency-set.h"

G_BEGIN_DECLS

/** HL_SALIENCY_SIDE_MOST: outputs and tokens at most; a larger number in a file is none.
 */
#define HL_SALIENCY_SIDE_MOST (1 << 22)
/** HL_SALIENCY_MASKS_MOST: masks likewise, so that as many again are still a number. */
#define HL_SALIENCY_MASKS_MOST (1 << 29)

/** hl_saliency_set_read: (transfer full): of a result that has "saliency" (target, token)
 * and its targets: rows with their scores, targets and values; tokens only with their
 * texts; options but interventions. Empty where something is wrong, which sticks. */
HlSaliencySet *hl_saliency_set_read (HlResultReader *reader);

/** hl_saliency_set_from_result: (transfer full): likewise; @tokens: those that it is of.
 * NULL with @error (FORMAT: not such a result, SHAPE: of as many other tokens) */
HlSaliencySet *hl_saliency_set_from_result (const HlSessionResult *result,
                                            HlTokenTable *tokens,
                                            GError **error);

G_END_DECLS
