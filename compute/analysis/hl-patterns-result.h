/* SPDX-License-Identifier: MIT
 * A summary of attention patterns as a session keeps it, and as a table. */
#pragma once

#include "analysis/hl-patterns.h"
#include "session/hl-session.h"

G_BEGIN_DECLS

/** HL_RESULT_PATTERNS: the attribute `analysis`. */
#define HL_RESULT_PATTERNS "patterns"

/**
 * hl_patterns_to_result:
 * @params: (nullable): JSON object text: more parameters
 * @provenance: JSON object text
 * Arrays: "latent" (map, latent), "layout" (map, xy): t-SNE, or principal components
 * where there is none; "components" (map, xy); "cluster", "input", "layer", "head",
 * "n_keys", "error" (map); "centre" (cluster, latent), "cluster_mean" and
 * "cluster_medoid" (cluster, cell), "loss" (epoch, 2): trained on and held out; and the
 * autoencoder: "net.<weight>", "adam_m.<weight>", "adam_v.<weight>". Names of clusters,
 * traits and sizes are in the parameters. The maps themselves are not kept. Thread: any.
 * Returns: (transfer full)
 */
HlSessionResult *hl_patterns_to_result (const HlPatterns *patterns,
                                        const char *params,
                                        const char *provenance);

/**
 * hl_patterns_from_result:
 * @stack: of the model it is of
 * Returns: (transfer full): NULL with @error (HL_ERROR_FORMAT, HL_ERROR_UNSUPPORTED)
 * where it is no summary, is not whole, or is of other heads
 */
HlPatterns *hl_patterns_from_result (const HlSessionResult *result,
                                     const HlStack *stack,
                                     GError **error);

/** hl_patterns_to_csv: (transfer full): a row a map of all @summaries (element-type
 * HlPatterns): kind, input, layer, head, cluster, its name, error, whether it is flagged,
 * x and y of the layout. */
char *hl_patterns_to_csv (const GPtrArray *summaries);

G_END_DECLS
