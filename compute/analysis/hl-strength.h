/* SPDX-License-Identifier: MIT
 * What the maps of one input say of every head: the scores of the group STRENGTH, and
 * the profile over hops. */
#pragma once

#include "analysis/hl-head-scores.h"
#include "analysis/hl-hops.h"
#include "trace/hl-attention-source.h"

G_BEGIN_DECLS

/** HL_POSITIONAL_SHARE: from here on Voita et al. 2019 call a head positional. */
#define HL_POSITIONAL_SHARE 0.9

/**
 * hl_strength_score:
 * @scores: its latest input is filled, and the profiles of all inputs so far grow by
 *   this one's
 * @source: of stack 0: square maps over the trace's tokens; other layers are left out
 * Each map is read once, in bands; double arithmetic.
 * Thread: the backend's. Returns: FALSE with @error
 */
gboolean hl_strength_score (HlHeadScores *scores,
                            const HlAttentionSource *source,
                            HlBackend *backend,
                            const HlProgress *progress,
                            GError **error);

/** hl_strength_profile: (transfer full): of one head. NULL with @error. */
HlHopProfile *hl_strength_profile (const HlAttentionSource *source,
                                   HlBackend *backend,
                                   HlHeadKey head,
                                   const HlProgress *progress,
                                   GError **error);

G_END_DECLS
