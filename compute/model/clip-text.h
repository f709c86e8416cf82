/* SPDX-License-Identifier: MIT
 * What the two towers of CLIP and SigLIP share. */
#pragma once

#include "model/hl-tower.h"

G_BEGIN_DECLS

/** HlClipDefaults: what the library takes for a size that a config with two towers leaves
 * out. */
typedef struct
{
  int D, F, n_layers, n_heads;
  const char *activation;
  double eps;
} HlClipDefaults;

/** hl_clip_read_plan: of a tower whose config @loading has entered. */
HlTowerPlan hl_clip_read_plan (HlLoading *loading, const HlClipDefaults *defaults);

G_END_DECLS
