/* SPDX-License-Identifier: MIT
 * Ways to compute saliency, in words, translated. Thread: any. */
#pragma once

#include "analysis/hl-saliency.h"
#include "io/hl-json.h"

G_BEGIN_DECLS

/** hl_saliency_title: (transfer none): "Gradient × input". */
const char *hl_saliency_title (HlSaliencyMethod method);

/** hl_saliency_explain: (transfer none): how its numbers come about. */
const char *hl_saliency_explain (HlSaliencyMethod method);

/** hl_saliency_describe: (transfer full): "Gradient × input, baseline mean, at the
 * encoder's output". */
char *hl_saliency_describe (const HlSaliencyOptions *options);

/** hl_saliency_of: (transfer full): "saliency (@described)", or its size, by which a
 * signed one counts. */
char *hl_saliency_of (const char *described, gboolean is_size);

/** hl_saliency_describe_params: (transfer full): the same of a result's parameters; of a
 * method that is not known its name. */
char *hl_saliency_describe_params (const json_t *params);

G_END_DECLS
