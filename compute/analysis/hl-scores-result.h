/* SPDX-License-Identifier: MIT
 * Scores of heads as a session keeps them, and as a table. */
#pragma once

#include "analysis/hl-head-scores.h"
#include "session/hl-session.h"

G_BEGIN_DECLS

/** HL_RESULT_IMPORTANCE, ..._STRENGTH, ..._PROBE: the attribute `analysis`. */
#define HL_RESULT_IMPORTANCE "importance"
#define HL_RESULT_STRENGTH "strength"
#define HL_RESULT_PROBE "probe"

/**
 * hl_scores_to_result:
 * @analysis: one of the above
 * @params: (nullable): JSON object text: more parameters; inputs, skipped ones, n and
 *   the agreement of scores are added
 * @provenance: JSON object text
 * Arrays, with axes layer and head (NaN where a layer has fewer heads than another): of
 * each score its mean over inputs, "<name>", and where there are several inputs
 * "<name>_low" and "<name>_high", the 95 % interval, and "<name>_inputs" (input, layer,
 * head). "michel" and "michel_tokens_normalised": divided by each layer's l2 norm.
 * "hop_strength" and "hop_mass" (layer, head, hop), "hop_uniform" (hop), "hop_first"
 * (hop): the first distance of each.
 * Thread: any. Returns: (transfer full)
 */
HlSessionResult *hl_scores_to_result (const HlHeadScores *scores,
                                      const char *analysis,
                                      const char *params,
                                      const char *provenance);

/**
 * hl_scores_from_result:
 * @stack: of the model it is of
 * Returns: (transfer full): NULL with @error where it is no result of scores, or of other
 * heads
 */
HlHeadScores *hl_scores_from_result (const HlSessionResult *result,
                                     const HlStack *stack,
                                     GError **error);

/** hl_scores_to_csv: (transfer full): a row a head; of several inputs with intervals.
 * Numbers have a decimal point in every locale; what is not there is empty. */
char *hl_scores_to_csv (const HlHeadScores *scores);

/** hl_scores_agreement: Spearman's correlation of two scores over heads, by their means,
 * with a 95 % interval (bootstrap over heads, seed 1). */
HlInterval hl_scores_agreement (const HlHeadScores *scores, HlScore a, HlScore b);

G_END_DECLS
