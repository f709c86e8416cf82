/* SPDX-License-Identifier: MIT
 * Summaries of the attention patterns of a model, on one input or on a data set. */
#pragma once

#include "analysis/hl-patterns.h"
#include "model/hl-dataset.h"

G_BEGIN_DECLS

/**
 * hl_pattern_survey:
 * @dataset, @input: one of them
 * Traces every input, cuts the maps of all heads to pictures and makes a summary of each
 * kind there is: of pictures PATCHES and, where the first token is special, CLS; of texts
 * TEXT. Inputs that cannot be read, or whose maps are of another size, are skipped and
 * counted. Stopped before the first step of training, there is no result.
 * Thread: the backend's. Returns: (transfer full) (element-type HlPatterns): NULL with
 *   @error
 */
GPtrArray *hl_pattern_survey (const HlModel *model,
                              const HlDataset *dataset,
                              const HlInput *input,
                              GPtrArray *interventions,
                              HlBackend *backend,
                              const HlPatternOptions *options,
                              const HlProgress *progress,
                              GError **error);

/** hl_pattern_maps_of_trace: (transfer full): the maps of @kind of every head of one
 * trace, cut as @side says. NULL with @error. Thread: the backend's. */
HlPatternMaps *hl_pattern_maps_of_trace (const HlAttentionSource *source,
                                         HlPatternKind kind,
                                         int side,
                                         HlBackend *backend,
                                         const HlProgress *progress,
                                         GError **error);

G_END_DECLS
