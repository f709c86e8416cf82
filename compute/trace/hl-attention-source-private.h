/* SPDX-License-Identifier: MIT
 * The inside of an attention source, shared by its rectangles and its tiles. */
#pragma once

#include "trace/hl-attention-source.h"
#include "trace/hl-coarse-tiles.h"
#include "trace/hl-placed-tensors.h"

G_BEGIN_DECLS

/* Pooled tiles that are kept: the coarsest of 144 heads of 16,384 tokens are 75 MB. */
#define HL_COARSE_BYTES ((gsize) 256 << 20)

struct _HlAttentionSource
{
  gatomicrefcount refs;
  HlTrace *trace;
  HlAttentionSource *pieces; /* (nullable): of a trace in words: of its tokens */
  HlCoarseTiles *coarse;
  HlPlacedTensors *placed; /* what recomputed maps are made of; of the backend's thread */
};

/** hl_attention_source_read_words: a rectangle of a trace in words, which lies inside. */
gboolean hl_attention_source_read_words (const HlAttentionSource *source,
                                         HlBackend *backend,
                                         HlHeadKey head,
                                         gint64 first_query,
                                         gint64 n_queries,
                                         gint64 first_key,
                                         gint64 n_keys,
                                         float *out,
                                         GCancellable *cancellable,
                                         GError **error);

/** HlPooledRect: part of a map, and where its cells of 2^level x 2^level entries go: rows
 * and columns of them, as many as the part begins. */
typedef struct
{
  gint64 first_query, n_queries, first_key, n_keys;
  int level;
  float *mean, *max;
} HlPooledRect;

/** hl_attention_source_can_pool: maps of @head follow from Q, K and log-sum-exp alone,
 * and are pooled as they are made. */
gboolean hl_attention_source_can_pool (const HlAttentionSource *source, HlHeadKey head);

/** hl_attention_source_read_pooled: where hl_attention_source_can_pool(). */
gboolean hl_attention_source_read_pooled (const HlAttentionSource *source,
                                          HlBackend *backend,
                                          HlHeadKey head,
                                          const HlPooledRect *rect,
                                          const HlProgress *progress,
                                          GError **error);

G_END_DECLS
