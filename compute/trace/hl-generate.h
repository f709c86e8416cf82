/* SPDX-License-Identifier: MIT
 * Generating text: one token after another, with a cache of keys and values, each token
 * handed over as it comes. */
#pragma once

#include "model/hl-model.h"

G_BEGIN_DECLS

/**
 * HlGenerateOptions: all zero but @n_tokens is greedy.
 * @n_tokens: at most so many
 * @temperature: 0 takes the most probable token; else logits are divided by it
 * @top_p: 0 or 1 for the whole vocabulary; else the fewest most probable tokens whose
 *   probabilities add up to it
 * @seed: of the draws; the same seed gives the same text
 * @goes_on: past the model's end-of-text tokens
 * @capture: (nullable): globs of sites to capture in every step, NULL-terminated
 * @interventions: (nullable) (element-type HlIntervention): in force in every step
 */
typedef struct
{
  int n_tokens;
  double temperature;
  double top_p;
  guint32 seed;
  gboolean goes_on;
  const char *const *capture;
  GPtrArray *interventions;
} HlGenerateOptions;

/**
 * HlGenerated: one token as it comes; lives for the call.
 * @position: in the whole text, from 0
 * @log_prob: ln of the model's own probability, before temperature and top-p
 * @captured: site name -> HlTensor *, on the host, of the pass that emitted it: its last
 * query is the position before
 */
typedef struct
{
  gint32 id;
  gint64 position;
  double log_prob;
  GHashTable *captured;
} HlGenerated;

/** HlGenerateFunc: FALSE stops. Thread: the run's. */
typedef gboolean (*HlGenerateFunc) (const HlGenerated *token, gpointer data);

/**
 * hl_generate:
 * @input: a text; at least one token
 * Ends after @n_tokens, at an end-of-text token (which is handed over), when the context
 * is full, or when @func says so. Progress is the share of @n_tokens.
 * Thread: engine.
 * Returns: how many tokens were handed over; -1 with @error (RANGE, UNSUPPORTED, MEMORY,
 *   G_IO_ERROR_CANCELLED)
 */
int hl_generate (const HlModel *model,
                 const HlInput *input,
                 HlBackend *backend,
                 const HlGenerateOptions *options,
                 const HlProgress *progress,
                 HlGenerateFunc func,
                 gpointer data,
                 GError **error);

/**
 * hl_sample:
 * @logits: (V)
 * @random: in [0, 1)
 * One draw with the options' temperature and top-p; the lowest id of the most probable
 * ones where temperature is 0.
 */
gint32 hl_sample (const float *logits,
                  gint64 V,
                  const HlGenerateOptions *options,
                  double random);

G_END_DECLS
