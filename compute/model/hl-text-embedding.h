/* SPDX-License-Identifier: MIT
 * The beginning of a text model: tokens, where they stand, and which of two texts they
 * belong to. */
#pragma once

#include "model/hl-block.h"
#include "model/hl-input.h"

G_BEGIN_DECLS

/**
 * HlTextEmbedding: norm (scale * project_tokens (token) + position + type), projected;
 * each part where it has weights.
 * @tokens: (V, E)
 * @positions: (P, E): row @first_position is of the first token
 * @types: (2 or more, E)
 * @scale: of the tokens' rows; 0 for none
 * @pad_id: a token that counts no position, as RoBERTa has it; -1 for none
 * @n_context: the longest text
 */
typedef struct
{
  HlParam *tokens;
  HlParam *positions;
  HlParam *types;
  HlDense project_tokens;
  HlNorm norm;
  HlDense project; /* (D, E) */
  double scale;
  int first_position;
  int pad_id;
  int n_context;
} HlTextEmbedding;

/**
 * hl_text_embedding_forward:
 * @input: ids (B, T), and the segments of its token table where it has one
 * Positions go on from the run's first_position.
 * Returns: (transfer full) (nullable): (B, T, D)
 */
HlTensor *hl_text_embedding_forward (const HlTextEmbedding *embedding,
                                     HlRun *run,
                                     int stack,
                                     const HlInput *input);

/** hl_scale: (transfer full) (nullable): @x times @factor. */
HlTensor *hl_scale (HlExec *exec, HlTensor *x, double factor);

G_END_DECLS
