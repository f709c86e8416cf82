/* SPDX-License-Identifier: MIT
 * What the grid of heads shows: their maps, their attention by distance, or any score
 * that is known, as colour. */
#pragma once

#include "document/hl-document.h"
#include "scene/hl-scene.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** HlGridShows: the choice; @scores: (element-type HlScore), behind the fixed ones;
 * @patterns: of which kinds there are summaries, bits 1 << kind. */
typedef struct
{
  GtkDropDown *drop_down;
  GArray *scores;
  gboolean has_hops;
  guint patterns;
  gboolean is_filling;
} HlGridShows;

/** hl_grid_shows_init: @drop_down is borrowed. */
void hl_grid_shows_init (HlGridShows *shows, GtkDropDown *drop_down);
void hl_grid_shows_clear (HlGridShows *shows);

/** hl_grid_shows_fill: with what @document knows; keeps the choice where it is there. */
void hl_grid_shows_fill (HlGridShows *shows, HlDocument *document);

/** hl_grid_shows_get_score: HL_N_SCORES where no score is shown. */
HlScore hl_grid_shows_get_score (const HlGridShows *shows);

/** hl_grid_shows_patterns: a summary of patterns is what is shown. */
gboolean hl_grid_shows_patterns (const HlGridShows *shows);

/** hl_grid_shows_find: (transfer none) (nullable): where a score is known: over the data
 * set, else on the input, else by the probe. */
HlHeadScores *hl_grid_shows_find (HlDocument *document, HlScore score);

/** hl_grid_shows_present: (transfer full) (nullable): the scene; NULL for the maps. */
HlGridScene *hl_grid_shows_present (const HlGridShows *shows, HlDocument *document);

G_END_DECLS
