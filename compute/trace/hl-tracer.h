/* SPDX-License-Identifier: MIT
 * From a model and an input to a trace. */
#pragma once

#include "model/hl-model.h"

G_BEGIN_DECLS

typedef enum
{
  HL_MAPS_AUTO,       /* stored where they fit the budget, else recomputed */
  HL_MAPS_STORED,     /* every map, (H, Tq, Tk) */
  HL_MAPS_RECOMPUTED, /* Q, K and log-sum-exp; maps are made when they are looked at */
  HL_MAPS_NONE,
} HlMaps;

/** HL_MAPS_BUDGET_BYTES: of stored maps in one trace, unless options say otherwise. */
#define HL_MAPS_BUDGET_BYTES ((gsize) 512 << 20)

/**
 * HlTraceOptions: all zero is a sensible default.
 * @maps: what to keep of attention
 * @maps_budget_bytes: for HL_MAPS_AUTO; 0 takes HL_MAPS_BUDGET_BYTES
 * @capture: (nullable): globs of further sites, NULL-terminated
 * @interventions: (nullable) (element-type HlIntervention)
 * @no_predictions: of a text: leave out what every position predicts
 * @memory_limit_bytes: 0 takes what the system says is available
 */
typedef struct
{
  HlMaps maps;
  gsize maps_budget_bytes;
  const char *const *capture;
  GPtrArray *interventions;
  gboolean no_predictions;
  gsize memory_limit_bytes;
} HlTraceOptions;

/**
 * HlTraceCost: bytes a run needs.
 * @weights: converted from the file's type
 * @activations: at once, in the widest block, and the logits of what is predicted
 * @maps: captured attention, stored or as Q, K and lse
 * @is_stored: which of the two @maps is
 */
typedef struct
{
  gsize weights;
  gsize activations;
  gsize maps;
  gboolean is_stored;
} HlTraceCost;

/** hl_tracer_cost: what hl_tracer_run() would need; @options may be NULL. */
HlTraceCost hl_tracer_cost (const HlModel *model,
                            const HlInput *input,
                            const HlTraceOptions *options);

/**
 * hl_tracer_run:
 * @options: (nullable)
 * Runs the model once. Progress is 0..1 over the blocks.
 * Thread: engine.
 * Returns: (transfer full): NULL with @error: MEMORY, before anything is run, with what
 *   it would need and what there is; SHAPE for an intervention that does not fit;
 *   G_IO_ERROR_CANCELLED
 */
HlTrace *hl_tracer_run (const HlModel *model,
                        const HlInput *input,
                        HlBackend *backend,
                        const HlTraceOptions *options,
                        const HlProgress *progress,
                        GError **error);

/** hl_memory_available: bytes that the system says can be had without swapping. */
gsize hl_memory_available (void);

/** hl_memory_resident: bytes of memory this program has in use now; 0 when not known. */
gsize hl_memory_resident (void);

G_END_DECLS
