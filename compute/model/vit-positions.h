/* SPDX-License-Identifier: MIT
 * Position embeddings of a vision transformer at another grid than the trained one. */
#pragma once

#include "ops/hl-exec.h"

G_BEGIN_DECLS

/**
 * hl_vit_positions:
 * @trained: (1, 1 + rows * columns, D), the first for CLS
 * Returns: (transfer full) (nullable): (1, 1 + new_rows * new_columns, D): bicubic, a =
 *   -0.75, pixel centres at half (align_corners=False), edges repeated, as PyTorch's
 *   interpolate does it; @trained itself for the same grid. NULL after a failure.
 */
HlTensor *hl_vit_positions (HlExec *exec,
                            HlTensor *trained,
                            gint64 rows,
                            gint64 columns,
                            gint64 new_rows,
                            gint64 new_columns);

G_END_DECLS
