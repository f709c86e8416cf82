/* SPDX-License-Identifier: MIT
 * Saliency of several targets of one input: of one prediction, or of every token of a
 * text; as a session keeps it, and as a table. */
#pragma once

#include "analysis/hl-explained.h"
#include "analysis/hl-saliency.h"
#include "analysis/hl-spes-maps.h"
#include "io/hl-json.h"
#include "session/hl-session.h"

G_BEGIN_DECLS

/** HL_RESULT_SALIENCY: the attribute `analysis`. */
#define HL_RESULT_SALIENCY "saliency"

/**
 * HlSaliencySet:
 * @rows: of HlSaliencyRow *, in the order of their targets
 * @tokens: of the first stack, which scores are of
 * @names: of what each row explains: a class's name, or a token's text
 * @is_partial: it was stopped, and has the targets that were done
 * @spes: (nullable): of SPES: what its masks have said
 * @interventions: (nullable): in force, in words
 */
typedef struct
{
  HlSaliencyOptions options;
  GPtrArray *rows;
  HlTokenTable *tokens;
  GPtrArray *names;
  gboolean is_partial;
  HlSpesMaps *spes;
  char *interventions;
} HlSaliencySet;

void hl_saliency_set_free (HlSaliencySet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlSaliencySet, hl_saliency_set_free)

/**
 * hl_saliency_set_score:
 * @target: class or token, HL_TARGET_PREDICTED, or HL_TARGET_EVERY: each token of a text
 *   that is read forwards, of an encoder with a decoder each of the decoder's, explained
 *   at the row that emits it, the one before it
 * @against: class or token, or -1
 * @position: of a text: the row that is read; -1 for the last, or the model's own
 * With a pair in @options that is what is explained, and these three say nothing. Where
 * it is cancelled behind a target, what is done is a partial set; of masks nothing is.
 * Thread: engine. Returns: (transfer full): NULL with @error (see hl_saliency_score();
 *   UNSUPPORTED every token of a model that does not predict the next)
 */
HlSaliencySet *hl_saliency_set_score (const HlModel *model,
                                      HlInput *input,
                                      HlBackend *backend,
                                      int target,
                                      int against,
                                      gint64 position,
                                      const HlSaliencyOptions *options,
                                      const HlProgress *progress,
                                      GError **error);

/** hl_saliency_set_is_like: it was computed with these options, so that its rows may be
 * their @known. */
gboolean hl_saliency_set_is_like (const HlSaliencySet *set,
                                  const HlSaliencyOptions *options);

/** hl_saliency_set_list: (transfer full): of HlSaliencyTarget: what
 * hl_saliency_set_score() explains; NULL with @error. Where what is predicted is asked
 * for the model is run. */
GArray *hl_saliency_set_list (const HlModel *model,
                              HlInput *input,
                              HlBackend *backend,
                              int target,
                              int against,
                              gint64 position,
                              const HlSaliencyOptions *options,
                              const HlProgress *progress,
                              GError **error);

/** hl_saliency_set_describe: (transfer full): an object: method, baseline, seed, names of
 * tokens and targets. Thread: any. */
json_t *hl_saliency_set_describe (const HlSaliencySet *set);

/**
 * hl_saliency_set_to_result: (transfer full)
 * @provenance: JSON object text
 * Arrays: "saliency" (target, token): NaN where a target does not depend on a token;
 * "value", "difference", "completeness" (target); "position", "class", "against" (target)
 * int32; of an encoder with a decoder, by rules along maps, "own" (target, token), padded
 * with NaN; by SPES what hl_spes_maps_add_to() puts in. Parameters name method, baseline,
 * steps, tokens and targets. Thread: any.
 */
HlSessionResult *hl_saliency_set_to_result (const HlSaliencySet *set,
                                            const char *provenance);

/** hl_saliency_set_add_targets: "value", "position", "class", "against" (target), into a
 * result. Thread: any. */
void hl_saliency_set_add_targets (const HlSaliencySet *set, HlSessionResult *result);

/** hl_saliency_set_to_csv: (transfer full): a row a target and token. */
char *hl_saliency_set_to_csv (const HlSaliencySet *set);

G_END_DECLS
