/* SPDX-License-Identifier: MIT
 * What may be chosen of SPES (hl-spes.h). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _HlSpes HlSpes;

/** HL_SPES_PROBABILITY: of each unit, to be hidden by a mask. */
#define HL_SPES_PROBABILITY 0.5
/** HL_SPES_MASKS, HL_SPES_CHECK: how many, and after how many reliability is measured,
 * where nobody says so. */
#define HL_SPES_MASKS 1000
#define HL_SPES_CHECK 50
/** HL_SPES_MAX_GRANULARITIES, HL_SPES_MAX_SEGMENTS: at most. */
#define HL_SPES_MAX_GRANULARITIES 8
#define HL_SPES_MAX_SEGMENTS 65536

/** HlSpesFunc: called on the thread that works after each check: hl_spes_to_set() gives
 * what is known so far, hl_spes_get_n_done() and hl_spes_get_reliability() how good it
 * is.
 */
typedef void (*HlSpesFunc) (const HlSpes *spes, gpointer data);

/**
 * HlSpesOptions: all zero is a sensible default.
 * @n_masks: at most so many; 0 for HL_SPES_MASKS
 * @n_granularities, @granularities: segments of a picture or recording, each a way to cut
 *   it; masks take them in turn. None for 200, 300 and 400, and where those would have
 *   less than 16 cells each as much less; of what an encoder makes of a recording runs of
 *   frames (hl-spes.h); without meaning for other tokens
 * @takes_mean: of what lies in a token its saliency is the mean of the cells, not the
 *   largest
 * @stable_at: a check ends the work where reliability has come to this; 0 for never
 * @check_every: masks; 0 for HL_SPES_CHECK
 * @batch: masks that are run at a time; 0 for what memory has room for
 * @checked: (nullable)
 */
typedef struct
{
  int n_masks;
  int n_granularities;
  int granularities[HL_SPES_MAX_GRANULARITIES];
  gboolean takes_mean;
  double stable_at;
  int check_every;
  int batch;
  HlSpesFunc checked;
  gpointer checked_data;
} HlSpesOptions;

G_END_DECLS
