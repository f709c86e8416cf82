/* SPDX-License-Identifier: MIT
 * What the overview needs of every head of a trace: a thumbnail, ranges, statistics.
 * Layers are summarised one by one on the engine and collected as they come. */
#pragma once

#include "analysis/hl-head-stats.h"
#include "presenters/hl-head-picture.h"

G_BEGIN_DECLS

/**
 * HlHeadSummary: @patches is the same without special and padding tokens.
 * @is_exact: FALSE while it is an estimate from a few queries of each row of cells
 */
typedef struct
{
  gboolean is_exact;
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

/** HL_SUMMARY_QUICK_ENTRIES: entries of all heads' maps up to which summaries are exact
 * at once, within some two seconds; above, estimates of all layers come first. */
#define HL_SUMMARY_QUICK_ENTRIES ((gint64) 1 << 27)

/** hl_summary_is_slow: the summaries of a stack are worth estimates beforehand. */
gboolean hl_summary_is_slow (const HlAttentionSource *source, int stack);

/**
 * hl_layer_summary_new:
 * @is_guess: from four neighbouring queries of each row of cells; statistics are then
 *   means over those
 * Reads every map once; coarse tiles of long maps are kept in the source on the way.
 * Thread: engine. @progress is stepped every 256 queries, or one million
 * entries.
 * Returns: (transfer full): NULL with @error
 */
HlLayerSummary *hl_layer_summary_new (const HlAttentionSource *source,
                                      HlBackend *backend,
                                      int stack,
                                      int layer,
                                      gboolean is_guess,
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

G_END_DECLS
