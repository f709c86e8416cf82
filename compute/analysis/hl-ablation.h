/* SPDX-License-Identifier: MIT
 * Kinds of ablation: what stands in place of a head's z (its weighted values) when the
 * head is taken out. */
#pragma once

#include "model/hl-model.h"

G_BEGIN_DECLS

typedef enum
{
  HL_ABLATION_ZERO,     /* zeros: pruned (Li et al. 2023, Michel et al. 2019) */
  HL_ABLATION_MEAN,     /* the mean over inputs, place by place where all have as many
                           tokens, else over tokens too */
  HL_ABLATION_RESAMPLE, /* z of another input; a shorter one's last token goes on */
  HL_ABLATION_UNIFORM,  /* the mean of the values of all keys that a query may see */
  HL_N_ABLATIONS,
} HlAblation;

/** hl_ablation_name: "zero", "mean", "resample", "uniform". */
const char *hl_ablation_name (HlAblation kind);
/** hl_ablation_from_name: FALSE, with @kind untouched, for an unknown name. */
gboolean hl_ablation_from_name (const char *name, HlAblation *kind);

/** HlMeanZ: the mean of z over inputs, being summed up. */
typedef struct _HlMeanZ HlMeanZ;
HlMeanZ *hl_mean_z_new (void);
void hl_mean_z_free (HlMeanZ *mean);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlMeanZ, hl_mean_z_free)

/** hl_mean_z_add: runs @input once. Thread: engine. FALSE with @error. */
gboolean hl_mean_z_add (HlMeanZ *mean,
                        const HlModel *model,
                        const HlInput *input,
                        HlBackend *backend,
                        const HlProgress *progress,
                        GError **error);

/**
 * hl_ablation_replace:
 * @other: (nullable): RESAMPLE: where z is taken from
 * @mean: (nullable): MEAN: at least one input was added; NULL takes the mean over
 *   @input's own tokens
 * Returns: (transfer full) (element-type HlTensor): a layer's replacement each, (1, T or
 *   1, H, K) float32 on the host; NULL without @error for ZERO, which needs none; NULL
 *   with @error (UNSUPPORTED without @other; what a run gives). Thread: engine
 */
GPtrArray *hl_ablation_replace (HlAblation kind,
                                const HlModel *model,
                                const HlInput *input,
                                const HlInput *other,
                                const HlMeanZ *mean,
                                HlBackend *backend,
                                const HlProgress *progress,
                                GError **error);

G_END_DECLS
