/* SPDX-License-Identifier: MIT
 * Tiles of one head for the heatmap, from an attention source through the engine. */
#pragma once

#include "document/hl-document.h"
#include "gl/hl-tile-source.h"

G_BEGIN_DECLS

#define HL_TYPE_ATTENTION_TILES (hl_attention_tiles_get_type ())
G_DECLARE_FINAL_TYPE (HlAttentionTiles, hl_attention_tiles, HL, ATTENTION_TILES, GObject)

/** hl_attention_tiles_new: (transfer full): of one head; "not applicable" as @view says.
 * Work that is still under way when it goes is cancelled. */
HlAttentionTiles *hl_attention_tiles_new (HlEngine *engine,
                                          HlAttentionSource *source,
                                          HlHeadKey head,
                                          const HlViewOptions *view);

G_END_DECLS
