/* SPDX-License-Identifier: MIT
 * Coarse tiles that cost much to make, kept by age within a budget. Tiles come and go as
 * copies. Thread: any. */
#pragma once

#include "trace/hl-attention-source.h"

G_BEGIN_DECLS

typedef struct _HlCoarseTiles HlCoarseTiles;

HlCoarseTiles *hl_coarse_tiles_new (gsize budget_bytes);
void hl_coarse_tiles_free (HlCoarseTiles *tiles);

/** hl_coarse_tiles_keep: copies @tile; the oldest go when the budget is full. */
void
hl_coarse_tiles_keep (HlCoarseTiles *tiles, HlHeadKey head, const HlAttentionTile *tile);

/** hl_coarse_tiles_find: (transfer full) (nullable) */
HlAttentionTile *hl_coarse_tiles_find (
    HlCoarseTiles *tiles, HlHeadKey head, int level, int row, int column);

G_END_DECLS
