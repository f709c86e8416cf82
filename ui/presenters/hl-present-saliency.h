/* SPDX-License-Identifier: MIT
 * Results of saliency and of attention beside it, of a session, as scenes. No toolkit.
 * Thread: any. */
#pragma once

#include "presenters/hl-view-options.h"
#include "session/hl-session.h"

#include <jansson.h>

G_BEGIN_DECLS

/**
 * hl_present_saliency:
 * @result: of hl_saliency_set_to_result() or hl_cross_comparison_to_result()
 * @array: "saliency", or of the latter "attention" too
 * Rows are targets, columns tokens. Signed numbers have colours on both sides of zero.
 * Returns: (transfer full): NULL with @error (FORMAT)
 */
HlMatrixScene *hl_present_saliency (const HlSessionResult *result,
                                    const char *array,
                                    const HlViewOptions *options,
                                    GError **error);

/** hl_present_agreement: (transfer full): Pearson's correlation of each head with
 * saliency, layers downwards, @result of hl_cross_comparison_to_result(); NULL with
 * @error. */
HlMatrixScene *hl_present_agreement (const HlSessionResult *result, GError **error);

/** hl_present_labels: (transfer full): a text a cell where @list has one each, itself or
 * as @field (nullable); NULL for numbers. */
char **hl_present_labels (const json_t *list, const char *field, gint64 n);

/** hl_present_is_by_norm: attention is what it carries, not its map. */
gboolean hl_present_is_by_norm (const json_t *params);

G_END_DECLS
