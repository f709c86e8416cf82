/* SPDX-License-Identifier: MIT
 * Between both forms of fused attention. */
#pragma once

#include "backend/cuda/cuda-context.h"
#include "base/hl-error.h"

G_BEGIN_DECLS

/** CudaAttention: q (B, H, Tq, K), k and v (B, H / group, Tk, K), strides in numbers of
 * (example, head, token), 0 where one example serves all; z (B, Tq, H, K), lse (B, H,
 * Tq). */
typedef struct
{
  gconstpointer q, k, v;
  gpointer z;
  float *lse;
  gint64 q_stride[3], k_stride[3], v_stride[3];
  int B, H, group, Tq, Tk, K;
} CudaAttention;

/** cuda_attention_tiles_at_once: of @n_tiles that cost @flops each, in @blocks_a_tile
 * blocks, how many to launch before the next pause; 1 at least. */
int cuda_attention_tiles_at_once (CudaContext *context,
                                  double flops,
                                  int n_tiles,
                                  int blocks_a_tile);

/** cuda_attention_mma: on tensor cores; FALSE, and nothing was queued, for what does not
 * fit there: float32, odd head widths, rows that are not aligned to 16 bytes. */
gboolean cuda_attention_mma (CudaContext *context,
                             const CudaAttention *attention,
                             const HlOpParams *params);

G_END_DECLS
