/* SPDX-License-Identifier: MIT
 * Attention beside saliency, of a result of a session, as scenes: what is left when
 * tokens are taken away. No toolkit. Thread: any. */
#pragma once

#include "presenters/hl-view-options.h"
#include "scene/hl-chart-scene.h"
#include "session/hl-session.h"

G_BEGIN_DECLS

/**
 * hl_present_left:
 * @result: of hl_cross_comparison_to_result(), with hl_faithfulness_add_to()
 * @inserts: insertion, else deletion
 * Over the share of tokens that is taken away (or given) the metric: the mean over
 * targets, with bootstrap intervals of 95 %; a line each for attention, saliency and
 * chance, with the area below it. Returns: (transfer full): NULL with @error (FORMAT)
 */
HlChartScene *
hl_present_left (const HlSessionResult *result, gboolean inserts, GError **error);

G_END_DECLS
