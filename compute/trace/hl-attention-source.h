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
 * pool the entries that exist; what causal attention forbids counts as 0.
 * @mean, @max: (n_rows, n_columns); the same array at level 0
 * @is_exact: FALSE for an estimate from some of the queries
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
  gboolean is_exact;
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

/** hl_attention_source_complain: @error (MISSING): why there is no map of @head. */
void hl_attention_source_complain (const HlAttentionSource *source,
                                   HlHeadKey head,
                                   GError **error);

/**
 * hl_attention_source_get_size:
 * Thread: any. Returns: FALSE when this head has no maps
 */
gboolean hl_attention_source_get_size (const HlAttentionSource *source,
                                       HlHeadKey head,
                                       gint64 *Tq,
                                       gint64 *Tk);

/** hl_attention_source_is_stored: thread: any. */
gboolean hl_attention_source_is_stored (const HlAttentionSource *source, HlHeadKey head);

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

/** HL_SLOW_LEVEL: from this level on a tile of a recomputed map costs so much that it is
 * estimated first and kept once it is exact (4096 x 4096 entries and more). */
#define HL_SLOW_LEVEL 4

/** hl_attention_source_is_slow: a tile of this level is worth an estimate beforehand. */
gboolean
hl_attention_source_is_slow (const HlAttentionSource *source, HlHeadKey head, int level);

/**
 * hl_attention_source_read_tile:
 * @level: 0 for single entries; each level halves both sides
 * @progress: (nullable): stepped every few rows of cells
 * Slow tiles are kept, and come from there the next time.
 * Returns: (transfer full): NULL with @error (RANGE for a tile outside the map, ...)
 */
HlAttentionTile *hl_attention_source_read_tile (const HlAttentionSource *source,
                                                HlBackend *backend,
                                                HlHeadKey head,
                                                int level,
                                                int row,
                                                int column,
                                                const HlProgress *progress,
                                                GError **error);

/** hl_attention_source_guess_tile: the best that can be had at once: a kept tile, or an
 * exact one where that is quick, or an estimate: the mean and maximum over four
 * neighbouring queries out of each row of cells, all keys (the maximum is then a lower
 * bound). */
HlAttentionTile *hl_attention_source_guess_tile (const HlAttentionSource *source,
                                                 HlBackend *backend,
                                                 HlHeadKey head,
                                                 int level,
                                                 int row,
                                                 int column,
                                                 const HlProgress *progress,
                                                 GError **error);

/** hl_attention_source_top_level: at which the whole map is one tile. */
int hl_attention_source_top_level (const HlAttentionSource *source, HlHeadKey head);

/**
 * hl_attention_source_begin_top, _add_top, _keep_top: the coarsest tile, for who reads
 * the whole map anyway: begin, add every row once, keep.
 * @row: of @query; its first @n entries, the others are zeros
 * Returns: of begin, (transfer full) (nullable): NULL where level 0 is one tile
 */
HlAttentionTile *hl_attention_source_begin_top (const HlAttentionSource *source,
                                                HlHeadKey head);
void hl_attention_source_add_top (HlAttentionTile *tile,
                                  const float *row,
                                  gint64 query,
                                  gint64 n);
void hl_attention_source_keep_top (const HlAttentionSource *source,
                                   HlHeadKey head,
                                   HlAttentionTile *tile);

G_END_DECLS
