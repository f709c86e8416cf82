/* SPDX-License-Identifier: MIT
 * What pruning parts of a head and more and more heads left, as a session keeps it.
 * Thread: any. */
#pragma once

#include "analysis/hl-partial.h"
#include "analysis/hl-pruning-curve.h"
#include "session/hl-session.h"

G_BEGIN_DECLS

/** HL_RESULT_CURVE, HL_RESULT_PARTIAL: the attribute `analysis`. */
#define HL_RESULT_CURVE "pruning-curve"
#define HL_RESULT_PARTIAL "partial-pruning"

/**
 * hl_pruning_curve_to_result:
 * @options: it was computed with
 * @provenance: JSON object text
 * Arrays: "loss" and "accuracy" (order, point), means; "loss_inputs" and
 * "accuracy_inputs" (order, input, point); "order" (order, place): heads, the first to go
 * first, counted over all layers; "n_removed" (point). Returns: (transfer full)
 */
HlSessionResult *hl_pruning_curve_to_result (const HlPruningCurve *curve,
                                             const HlPruningCurveOptions *options,
                                             const char *provenance);

/** hl_pruning_curve_from_result: (transfer full): NULL with @error (FORMAT) where it is
 * none, is not whole, or is not of @n_heads heads. */
HlPruningCurve *
hl_pruning_curve_from_result (const HlSessionResult *result, int n_heads, GError **error);

/** hl_partial_to_result: (transfer full): array "probability" (part, class); the head,
 * the target and the parts' names are in the parameters. */
HlSessionResult *hl_partial_to_result (const HlPartial *partial,
                                       gboolean is_renormalised,
                                       const char *provenance);

/** hl_partial_from_result: (transfer full): NULL with @error (FORMAT) where it is none,
 * is not whole, or of no head of @stack. */
HlPartial *hl_partial_from_result (const HlSessionResult *result,
                                   const HlStack *stack,
                                   GError **error);

G_END_DECLS
