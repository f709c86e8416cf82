/* SPDX-License-Identifier: MIT
 * Maps for views: whole ones, at once where they are stored. */
#pragma once

#include "engine/hl-engine.h"

G_BEGIN_DECLS

/**
 * hl_map_load_async:
 * The whole map of a head, in the foreground. Finish with hl_engine_finish(): an
 * HlTensor (Tq, Tk) float32.
 * Thread: main.
 */
void hl_map_load_async (HlEngine *engine,
                        HlAttentionSource *source,
                        HlHeadKey head,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data);

/**
 * hl_map_load_stored:
 * Copies the map of a head from its trace, when it is kept there: some memory is copied,
 * nothing is computed, so that the frame after a key can show it.
 * Thread: any. Returns: (transfer full) (nullable): (Tq, Tk) float32; NULL when the map
 * has to be computed, or there is no memory for it
 */
HlTensor *hl_map_load_stored (HlAttentionSource *source, HlHeadKey head);

G_END_DECLS
