/* SPDX-License-Identifier: MIT
 * Which kind of head: a language model is run on random tokens twice over, where a head
 * that looks at the token before, at the same token, or at what followed it (Olsson et
 * al. 2022), shows itself. Nobody has to bring an input. */
#pragma once

#include "analysis/hl-head-scores.h"
#include "model/hl-model.h"

G_BEGIN_DECLS

/**
 * HlProbeOptions: all zero is a sensible default.
 * @n_tokens: random tokens before they are repeated; 0 for 64, or as many as fit
 * @n_sequences: 0 for 16
 * @seed: of the tokens
 * @no_bos: do not begin with the tokenizer's BOS, where it names one
 */
typedef struct
{
  int n_tokens;
  int n_sequences;
  guint32 seed;
  gboolean no_bos;
} HlProbeOptions;

/**
 * hl_probe_scores:
 * @options: (nullable)
 * Tokens are uniform over the vocabulary without special ones. Every sequence is an input
 * of the result, with the scores of the group PROBE; what weights alone say (COPYING)
 * stands with the first.
 * Thread: engine. Returns: (transfer full): NULL with @error (UNSUPPORTED for a model
 * that takes no text; RANGE for a context too short)
 */
HlHeadScores *hl_probe_scores (const HlModel *model,
                               HlBackend *backend,
                               const HlProbeOptions *options,
                               const HlProgress *progress,
                               GError **error);

G_END_DECLS
