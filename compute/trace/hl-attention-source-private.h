/* SPDX-License-Identifier: MIT
 * The inside of an attention source, shared by its rectangles and its tiles. */
#pragma once

#include "trace/hl-attention-source.h"
#include "trace/hl-coarse-tiles.h"

G_BEGIN_DECLS

/* Pooled tiles that are kept: the coarsest of 144 heads of 16,384 tokens are 75 MB. */
#define HL_COARSE_BYTES ((gsize) 256 << 20)

struct _HlAttentionSource
{
  gatomicrefcount refs;
  HlTrace *trace;
  HlCoarseTiles *coarse;
};

G_END_DECLS
