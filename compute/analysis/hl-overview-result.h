/* SPDX-License-Identifier: MIT
 * An overview of a data set as a session keeps it, and as a table. */
#pragma once

#include "analysis/hl-overview.h"
#include "session/hl-session.h"

G_BEGIN_DECLS

/** HL_RESULT_OVERVIEW: the attribute `analysis`. */
#define HL_RESULT_OVERVIEW "overview"

/**
 * hl_overview_to_result:
 * @provenance: JSON object text
 * Arrays: "embedding" (input, width), "layout" and "components" (input, xy), "label" and
 * "predicted" (input; -1 for none), "probability" of what was predicted, "loss" of the
 * label (input, nats), "confusion" (label, predicted) over the classes of the parameters,
 * which name the inputs too. Thread: any. Returns: (transfer full)
 */
HlSessionResult *hl_overview_to_result (const HlOverview *overview,
                                        const char *provenance);

/** hl_overview_from_result: (transfer full): NULL with @error (HL_ERROR_FORMAT) where it
 * is no overview or is not whole. */
HlOverview *hl_overview_from_result (const HlSessionResult *result, GError **error);

/** hl_overview_to_csv: (transfer full): a row an input: its name, file, label, what was
 * predicted, probability, loss, and where it lies. */
char *hl_overview_to_csv (const HlOverview *overview);

G_END_DECLS
