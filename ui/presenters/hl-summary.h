/* SPDX-License-Identifier: MIT
 * What the overview needs of every head of a trace: a thumbnail, ranges, statistics.
 * Layers are summarised one by one on the engine and collected as they come. */
#pragma once

#include "analysis/hl-head-stats.h"
#include "scene/hl-scene.h"

G_BEGIN_DECLS

/**
 * HlHeadPicture: a map made small by its maximum, so that a thin line stays.
 * @values: (n_rows, n_columns), each over @pool x @pool entries; NaN where causal
 *   attention forbids every entry
 * @max: largest entry of the map
 * @p99: 99th percentile of the entries (of a million of them, evenly taken, in a map
 *   that has more)
 */
typedef struct
{
  int n_rows;
  int n_columns;
  int pool;
  float *values;
  double max;
  double p99;
} HlHeadPicture;

/** HlHeadSummary: @patches is the same without special and padding tokens. */
typedef struct
{
  HlHeadPicture whole;
  HlHeadPicture patches;
  HlHeadStats stats;
} HlHeadSummary;

/** HlLayerSummary: all heads of a layer. Immutable; atomic reference count. */
typedef struct
{
  gatomicrefcount refs;
  int stack;
  int layer;
  int n_heads;
  HlHeadSummary *heads;
} HlLayerSummary;

void hl_layer_summary_unref (HlLayerSummary *summary);
HlLayerSummary *hl_layer_summary_ref (HlLayerSummary *summary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlLayerSummary, hl_layer_summary_unref)

/**
 * hl_layer_summary_new:
 * Thread: engine. @progress is stepped once a head.
 * Returns: (transfer full): NULL with @error
 */
HlLayerSummary *hl_layer_summary_new (const HlAttentionSource *source,
                                      HlBackend *backend,
                                      int stack,
                                      int layer,
                                      const HlProgress *progress,
                                      GError **error);

/**
 * HlTraceSummary: the layers of one stack that are known so far.
 * @layers: n_layers of them, NULL where not known yet
 * Belongs to one thread.
 */
typedef struct
{
  HlTrace *trace;
  int stack;
  int n_layers;
  HlLayerSummary **layers;
} HlTraceSummary;

HlTraceSummary *hl_trace_summary_new (HlTrace *trace, int stack);
void hl_trace_summary_free (HlTraceSummary *summary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlTraceSummary, hl_trace_summary_free)

/** hl_trace_summary_copy: (transfer full): shares the layers, which are immutable: for
 * another thread. */
HlTraceSummary *hl_trace_summary_copy (const HlTraceSummary *summary);

/** hl_trace_summary_take_layer: (transfer full) @layer */
void hl_trace_summary_take_layer (HlTraceSummary *summary, HlLayerSummary *layer);

/** hl_trace_summary_get_head: (transfer none) (nullable): NULL while not known. */
const HlHeadSummary *
hl_trace_summary_get_head (const HlTraceSummary *summary, int layer, int head);

/** hl_trace_summary_max: largest entry of all heads known so far. */
double hl_trace_summary_max (const HlTraceSummary *summary, gboolean leave_out_special);

/** hl_trace_summary_compute: every layer at once, for commands. FALSE with @error. */
gboolean hl_trace_summary_compute (HlTraceSummary *summary,
                                   const HlAttentionSource *source,
                                   HlBackend *backend,
                                   const HlProgress *progress,
                                   GError **error);

/** hl_token_is_left_out: whether a token counts as special or padding. */
gboolean hl_token_is_left_out (const HlTokenTable *tokens, gint64 index);

G_END_DECLS
