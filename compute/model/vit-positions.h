/* SPDX-License-Identifier: MIT
 * Position embeddings of a vision transformer at another grid than the trained one. */
#pragma once

#include "ops/hl-exec.h"

G_BEGIN_DECLS

/**
 * HlVitGrid:
 * @n_before: tokens before the patches, which have no place in the grid
 * @is_antialiased: cubic convolution with a = -0.5 whose width grows where the grid
 *   shrinks, as DINOv2 with registers has it; else a = -0.75 of four neighbours
 */
typedef struct
{
  gint64 n_before;
  gint64 rows, columns;
  gint64 new_rows, new_columns;
  gboolean is_antialiased;
} HlVitGrid;

/**
 * hl_vit_positions:
 * @trained: (1, n_before + rows * columns, D)
 * Interpolated as the reference library does (torch's bicubic, align_corners false), in
 * double.
 * Returns: (transfer full) (nullable): (1, n_before + new_rows * new_columns, D);
 *   @trained itself for the same grid; NULL after a failure
 */
HlTensor *hl_vit_positions (HlExec *exec, HlTensor *trained, const HlVitGrid *grid);

G_END_DECLS
