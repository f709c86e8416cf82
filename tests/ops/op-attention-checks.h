/* SPDX-License-Identifier: MIT
 * Ops of attention in double against formulas written out plainly. */
#pragma once

#include "ops/hl-op.h"

G_BEGIN_DECLS

void check_scores (const HlOpCall *call);
void check_softmax (const HlOpCall *call);
void check_mix (const HlOpCall *call);
void check_attention (const HlOpCall *call);
void check_attention_rect (const HlOpCall *call);
void check_attention_pooled (const HlOpCall *call);

/** check_entries_seen: the closed form against counting. */
void check_entries_seen (void);

G_END_DECLS
