/* SPDX-License-Identifier: MIT
 * Maps for views: a whole one where it is small, tiles of one where it is not. */
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

G_END_DECLS
