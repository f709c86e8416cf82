/* SPDX-License-Identifier: MIT
 * Where a view or an analysis gets attention from. Maps that a trace stored and maps that
 * follow from Q, K and log-sum-exp are asked the same way and give the same numbers;
 * who asks cannot tell them apart. Immutable; atomic reference count. */
#pragma once

#include "backend/hl-backend.h"
#include "base/hl-progress.h"
#include "trace/hl-trace.h"

G_BEGIN_DECLS

#define HL_ATTENTION_TILE_SIDE 256

/** HlHeadKey: one head of a trace. */
typedef struct
{
  int stack;
  int layer;
  int head;
} HlHeadKey;

/**
 * HlAttentionTile: a square of a map, pooled. A cell of level n stands for 2^n x 2^n
 * entries; the tile starts at entry row * 256 * 2^n. Cells at the lower and right edge
 * pool the entries that exist.
 * @mean, @max: (n_rows, n_columns); the same array at level 0
 */
typedef struct
{
  int level;
  int row;
  int column;
  int n_rows;
  int n_columns;
  float *mean;
  float *max;
} HlAttentionTile;

void hl_attention_tile_free (HlAttentionTile *tile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlAttentionTile, hl_attention_tile_free)

typedef struct _HlAttentionSource HlAttentionSource;

/**
 * hl_attention_source_new:
 * Takes each layer's maps from where the trace has them: stored, or recomputed.
 * Returns: (transfer full)
 */
HlAttentionSource *hl_attention_source_new (HlTrace *trace);
HlAttentionSource *hl_attention_source_ref (HlAttentionSource *source);
void hl_attention_source_unref (HlAttentionSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlAttentionSource, hl_attention_source_unref)

HlTrace *hl_attention_source_get_trace (const HlAttentionSource *source);

/**
 * hl_attention_source_get_size:
 * Thread: any. Returns: FALSE when this head has no maps
 */
gboolean hl_attention_source_get_size (const HlAttentionSource *source,
                                       HlHeadKey head,
                                       gint64 *Tq,
                                       gint64 *Tk);

/** hl_attention_source_is_stored: thread: any. */
gboolean
hl_attention_source_is_stored (const HlAttentionSource *source, HlHeadKey head);

/**
 * hl_attention_source_read_rect:
 * @backend: float32; used for recomputed maps only
 * @out: (n_queries, n_keys) float32, row-major
 * Thread: the backend's; any for a stored map, which needs none.
 * Returns: FALSE with @error (RANGE, MISSING, MEMORY, G_IO_ERROR_CANCELLED)
 */
gboolean hl_attention_source_read_rect (const HlAttentionSource *source,
                                        HlBackend *backend,
                                        HlHeadKey head,
                                        gint64 first_query,
                                        gint64 n_queries,
                                        gint64 first_key,
                                        gint64 n_keys,
                                        float *out,
                                        GCancellable *cancellable,
                                        GError **error);

/** hl_attention_source_read_row: @out (Tk): what one query attends to. */
gboolean hl_attention_source_read_row (const HlAttentionSource *source,
                                       HlBackend *backend,
                                       HlHeadKey head,
                                       gint64 query,
                                       float *out,
                                       GCancellable *cancellable,
                                       GError **error);

/** hl_attention_source_read_column: @out (Tq): who attends to one key. */
gboolean hl_attention_source_read_column (const HlAttentionSource *source,
                                          HlBackend *backend,
                                          HlHeadKey head,
                                          gint64 key,
                                          float *out,
                                          GCancellable *cancellable,
                                          GError **error);

/**
 * hl_attention_source_read_tile:
 * @level: 0 for single entries; each level halves both sides
 * Returns: (transfer full): NULL with @error (RANGE for a tile outside the map, ...)
 */
HlAttentionTile *hl_attention_source_read_tile (const HlAttentionSource *source,
                                                HlBackend *backend,
                                                HlHeadKey head,
                                                int level,
                                                int row,
                                                int column,
                                                GCancellable *cancellable,
                                                GError **error);

G_END_DECLS
