/* SPDX-License-Identifier: MIT
 * SPES: how much what is predicted changes where parts of the input are hidden at random,
 * after Fucci et al. 2024 (arXiv 2411.01710), in whose definition it is
 *
 *   saliency of unit u for target k = sum over masks m that hide u of KL (P_k || P_k^m)
 *                                     / number of those masks; 0 where there are none.
 *
 * P_k is the distribution over the whole vocabulary, or over the classes, at the row that
 * target k is read at, P_k^m the same under mask m; the sum over the vocabulary is in
 * double. So it explains the whole prediction there, whatever class or token the target
 * names, in nats, and is never negative; "against" is refused. One run gives all targets.
 *
 * Units, each of which a mask hides with probability 0.5:
 * - of a text, and at the encoder's output, the tokens but padding; hidden is a token's
 *   whole embedding, or what the encoder gives of it, behind which the baseline's stands.
 *   The encoder then runs once only, and so do the keys and values that the decoder makes
 *   of its tokens, as they are and hidden: a mask chooses among them.
 *   More than 64 frames of a recording are hidden there in runs of neighbours, 40, 80 and
 *   160 of them, since one of 20 ms alone changes next to nothing: frame i of n lies in
 *   run floor (i G / n).
 * - of a picture segments of it as a person sees it (hl-slic.h, compactness 0.1, smoothed
 *   by 1), behind which the baseline's pixels stand, and all goes through the model.
 * - of a recording segments of its log-mel spectrogram, scaled to 0 to 1, without the
 *   padding; behind them is the baseline's.
 * Mask m takes granularity m mod G and belongs to half (m / G) mod 2, so that both halves
 * have all granularities. What it hides follows from seed and m alone
 * (hl_spes_is_hidden()): a run that was stopped goes on to the same numbers, and batches
 * change nothing but the model's own rounding.
 *
 * A cell's saliency is over the masks of all granularities that hid it. A token has the
 * largest, or the mean, of the cells in its patch, or in its frames, and 0 where it has
 * none (CLS, padding); NaN where a target is read before it.
 *
 * A unit that the model does not read has not 0, but about the mean of all masks' scores,
 * since others are hidden with it: this floor means nothing. The paper takes it away by
 * z-scores of each token's map and then a scale from 0 to 1; hl_cross_compare() z-scores
 * by row, and hl_spes_normalise() scales. Scores here are as they are in the definition.
 * A divergence has no sign, so that a unit lies below the floor where hiding it undoes
 * what hiding others does; then the floor lies above the least, and shares of a scaled
 * map say little (a planted model that reads 5 tokens of 23, one of them so: 24 % of the
 * scaled map on them, but 97 % of what is off the median, with 60000 masks; 80 % with
 * 1000).
 *
 * Memory: as many examples run together as HL_SPES_BYTES, and a quarter of what the
 * system has, have room for, by what the widest block keeps of one and by its logits;
 * at most HL_SPES_BATCH_MAX, and none goes over a check. On the processor no more than
 * have HL_SPES_HOST_ROWS tokens together: its products are as quick then, and memory that
 * is gone through once a layer is not. Thread: the backend's. */
#pragma once

#include "analysis/hl-saliency-set.h"

G_BEGIN_DECLS

#define HL_SPES_BYTES ((gsize) 512 << 20)
#define HL_SPES_BATCH_MAX 64
#define HL_SPES_HOST_ROWS 2048

/**
 * hl_spes_is_hidden:
 * The generator: SplitMix64 (Steele et al. 2014) of a counter. With
 *   mix (x): x ^= x >> 30, x *= 0xbf58476d1ce4e5b9, x ^= x >> 27,
 *            x *= 0x94d049bb133111eb, x ^= x >> 31
 * unit u of mask m is hidden where
 *   mix (mix (seed · 2^32 + m) + (u + 1) · 0x9e3779b97f4a7c15)
 * has its highest bit set. Units count from 0 in each granularity.
 */
gboolean hl_spes_is_hidden (guint32 seed, int mask, int unit);

/**
 * hl_spes_new:
 * @model, @backend: borrowed, as long as it lives
 * @target, @against, @position: see hl_saliency_set_score()
 * @options: its interventions are kept
 * Runs the model twice: as it is, and with all units hidden.
 * Returns: (transfer full): NULL with @error (see hl_saliency_set_score(); UNSUPPORTED:
 *   @against; an input without units)
 */
HlSpes *hl_spes_new (const HlModel *model,
                     HlInput *input,
                     HlBackend *backend,
                     int target,
                     int against,
                     gint64 position,
                     const HlSaliencyOptions *options,
                     const HlProgress *progress,
                     GError **error);

/** hl_spes_new_for: likewise; @targets: of HlSaliencyTarget. */
HlSpes *hl_spes_new_for (const HlModel *model,
                         HlInput *input,
                         HlBackend *backend,
                         const GArray *targets,
                         const HlSaliencyOptions *options,
                         const HlProgress *progress,
                         GError **error);
void hl_spes_free (HlSpes *spes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlSpes, hl_spes_free)

/**
 * hl_spes_run:
 * @n_more: at least so many masks, in whole batches, but no more than are asked for in
 *   all; 0 for all that are left
 * Ends early where a check finds it stable. Stopped, it keeps what whole batches have
 * said, and may be run again.
 * Returns: FALSE with @error (G_IO_ERROR_CANCELLED; what a run may give)
 */
gboolean
hl_spes_run (HlSpes *spes, int n_more, const HlProgress *progress, GError **error);

int hl_spes_get_n_done (const HlSpes *spes);
/** hl_spes_is_done: all masks were run, or it is stable. */
gboolean hl_spes_is_done (const HlSpes *spes);
/** hl_spes_get_reliability: of the last check; NaN before it. */
double hl_spes_get_reliability (const HlSpes *spes);
/** hl_spes_get_maps: (transfer none): as they are, without cells. */
const HlSpesMaps *hl_spes_get_maps (const HlSpes *spes);

/** hl_spes_to_set: (transfer full): what is known so far; reliability is measured anew.
 */
HlSaliencySet *hl_spes_to_set (const HlSpes *spes);

/**
 * hl_spes_resume:
 * @spes: new
 * @result: of the same model, input, targets and options but the number of masks, when to
 *   stop and how tokens are pooled, as hl_saliency_set_to_result() made it
 * Goes on from there, with batches as large as there, to the same numbers.
 * Returns: FALSE with @error (FORMAT, MISSING: not such a result; RANGE: it is of
 *   something else, and what) and @spes as it was
 */
gboolean hl_spes_resume (HlSpes *spes, const HlSessionResult *result, GError **error);

/** hl_spes_normalise: (transfer full): @n numbers less the least, divided by their range;
 * NaN stays, and equal numbers become 0. */
double *hl_spes_normalise (const double *scores, int n);

G_END_DECLS
