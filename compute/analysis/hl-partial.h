/* SPDX-License-Identifier: MIT
 * Partial pruning of one head: parts of its map are set to zero after the softmax, and
 * the model goes on from there. For a map with CLS the parts are those of Li et al. 2023;
 * for a causal map they are a partition: the first token's column, then the diagonal,
 * then the previous token, then the rest. */
#pragma once

#include "analysis/hl-importance.h"

G_BEGIN_DECLS

#define HL_N_PARTS 6

typedef enum
{
  HL_PART_NOTHING,
  HL_PART_HEAD,
  HL_PART_CLS_AND_CORNER, /* CLS row and column, corner included */
  HL_PART_PATCHES,        /* from patch to patch */
  HL_PART_CLS,            /* CLS row and column, corner excluded */
  HL_PART_CORNER,         /* CLS attending to CLS */
  HL_PART_FIRST,          /* the first token's column */
  HL_PART_DIAGONAL,       /* a token attending to itself, but the first */
  HL_PART_PREVIOUS,       /* to the token before, but the first */
  HL_PART_REST,
} HlPart;

/** hl_part_name: "nothing", "head", "cls-and-corner", ... */
const char *hl_part_name (HlPart part);

/**
 * HlPartial: what is left when a part of a head's map is pruned.
 * @target: class or token held on to; @predicted: by the whole model
 * @parts: which, in the order in which they are shown
 * @log_probs: (HL_N_PARTS, V): ln softmax of the logits with each pruned
 */
typedef struct
{
  int layer;
  int head;
  int target;
  int predicted;
  HlPart parts[HL_N_PARTS];
  gint64 V;
  double *log_probs;
} HlPartial;

void hl_partial_free (HlPartial *partial);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlPartial, hl_partial_free)

/**
 * hl_partial_compute:
 * @options: @target, @label and @interventions of it are used
 * @renormalises: what is left of a row is divided by its sum (0 stays 0); FALSE is the
 *   paper's pruning as far as it is known
 * Special tokens (CLS, distillation, registers) count as CLS. Maps are made in double
 * from the captured Q and K. Thread: engine.
 * Returns: (transfer full): NULL with @error (UNSUPPORTED for a model without classes or
 *   a layer whose maps do not follow from Q and K; RANGE)
 */
HlPartial *hl_partial_compute (const HlModel *model,
                               const HlInput *input,
                               HlBackend *backend,
                               int layer,
                               int head,
                               gboolean renormalises,
                               const HlImportanceOptions *options,
                               const HlProgress *progress,
                               GError **error);

G_END_DECLS
