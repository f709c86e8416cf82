/* SPDX-License-Identifier: MIT
 * What masks have said so far of the units of an input (hl-spes.h), as plain data: sums
 * and counts, how well two halves of the masks agree, and maps of cells. */
#pragma once

#include "analysis/hl-spes-options.h"
#include "session/hl-session.h"

#include <jansson.h>

G_BEGIN_DECLS

/** HlSpesCheck: of the first @n_masks: see HlSpesMaps. */
typedef struct
{
  int n_masks;
  double reliability;
} HlSpesCheck;

/**
 * HlSpesMaps:
 * @n_units: of all granularities, one after the other; @asked and @units of each:
 * segments that were asked for (0: tokens) and units there are
 * @n_done: masks
 * @sums: (2, n_targets, n_units): of the scores of a half's masks that hid the unit
 * @counts: (2, n_units): of those masks
 * @batch, @check_every: as they were taken
 * @checks: of HlSpesCheck
 * @n_rows, @n_columns: of a map of cells; 0 where units are tokens
 * @takes_mean: as tokens had it last
 * @is_spectrogram: rows are bands of frequency, the lowest first, and columns real
 * frames; else pixels
 * @cells: (nullable) (n_targets, n_rows, n_columns): saliency of each, nats; NULL in what
 *   an HlSpes lends
 * @half_correlation: r of the two halves' saliency of tokens, z-scored by target, over
 *   tokens that are no special ones and no padding, all targets together; NaN where
 *   there is nothing to correlate
 * @reliability: 2 r / (1 + r), of all masks (Spearman-Brown), 0 where r is not positive:
 *   what an equal number of other masks would correlate with these
 * @ceiling: its square root: about the largest correlation that any map can have with
 *   this estimate, since a map without noise correlates with it by that much
 * @model, @input, @interventions: what it is of: identity, hash, words
 */
typedef struct
{
  int n_targets, n_units;
  int n_granularities;
  int asked[HL_SPES_MAX_GRANULARITIES], units[HL_SPES_MAX_GRANULARITIES];
  int n_done;
  double *sums;
  gint32 *counts;
  int batch, check_every;
  GArray *checks;
  int n_rows, n_columns;
  gboolean takes_mean;
  gboolean is_spectrogram;
  float *cells;
  double half_correlation, reliability, ceiling;
  char *model, *input, *interventions;
} HlSpesMaps;

void hl_spes_maps_free (HlSpesMaps *maps);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlSpesMaps, hl_spes_maps_free)

/** hl_spes_maps_copy: (transfer full): without cells. */
HlSpesMaps *hl_spes_maps_copy (const HlSpesMaps *maps);

/** hl_spes_maps_describe: (transfer full): an object: masks, granularities, reliability,
 * and what a later session needs to go on. */
json_t *hl_spes_maps_describe (const HlSpesMaps *maps);

/** hl_spes_maps_add_to: puts into @result "saliency_cells" (target, row, column) float32,
 * with units in the attribute, "convergence" (check, 2): masks and reliability,
 * "spes_sums" (half, target, unit) and "spes_counts" (half, unit). */
void hl_spes_maps_add_to (const HlSpesMaps *maps, HlSessionResult *result);

G_END_DECLS
