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
 * hl_lines_load_async:
 * @tokens: (n): queries whose rows, and keys whose columns, are summed; of a map of two
 *   different sides those that are there
 * In the foreground. Finish with hl_engine_finish(): an HlLineSums.
 * Thread: main.
 */
void hl_lines_load_async (HlEngine *engine,
                          HlAttentionSource *source,
                          HlHeadKey head,
                          const gint64 *tokens,
                          guint n_tokens,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data);

/**
 * HlLineSums:
 * @to: (Tk): sum of the rows of the chosen queries
 * @from: (Tq): sum of the columns of the chosen keys
 * @rows: (n_tokens, Tk): the rows themselves, in the order they were asked for
 */
typedef struct
{
  gint64 Tq;
  gint64 Tk;
  guint n_tokens;
  gint64 *tokens;
  float *to;
  float *from;
  float *rows;
} HlLineSums;

void hl_line_sums_free (HlLineSums *sums);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlLineSums, hl_line_sums_free)

/**
 * hl_map_load_stored:
 * Copies the map of a head from its trace, when it is kept there: some memory is copied,
 * nothing is computed, so that the frame after a key can show it; of a trace in words the
 * maps of not too many tokens are joined.
 * Thread: any. Returns: (transfer full) (nullable): (Tq, Tk) float32; NULL when the map
 * has to be computed or joined from many tokens, or there is no memory for it
 */
HlTensor *hl_map_load_stored (HlAttentionSource *source, HlHeadKey head);

G_END_DECLS
