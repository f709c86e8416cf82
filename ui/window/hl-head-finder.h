/* SPDX-License-Identifier: MIT
 * The heads as numbers: sorted by any column, filtered, with tags; a row chosen is the
 * head selected. Any score that is known can be a column, with its interval. */
#pragma once

#include "analysis/hl-score.h"
#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_HEAD_FINDER (hl_head_finder_get_type ())
G_DECLARE_FINAL_TYPE (HlHeadFinder, hl_head_finder, HL, HEAD_FINDER, GtkWidget)

void hl_head_finder_set_document (HlHeadFinder *self, HlDocument *document);

/** hl_head_finder_show_score: what the grid shows is the first score of the finder, the
 * one that filters compare; HL_N_SCORES for none. */
void hl_head_finder_show_score (HlHeadFinder *self, HlScore score);

/** hl_head_finder_refresh: heads are known anew. */
void hl_head_finder_refresh (HlHeadFinder *self);

G_END_DECLS
