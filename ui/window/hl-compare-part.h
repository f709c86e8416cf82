/* SPDX-License-Identifier: MIT
 * Attention and saliency on one input, parted by a line; the outputs that they are of
 * below. An output that is picked shows its own rows; a region that is picked shows which
 * outputs rest on it, and a recording plays from there. */
#pragma once

#include "document/hl-document.h"
#include "presenters/hl-present-compare.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_COMPARE_PART (hl_compare_part_get_type ())
G_DECLARE_FINAL_TYPE (HlComparePart, hl_compare_part, HL, COMPARE_PART, GtkWidget)

/* Signals
 * "chosen" (): another output or region */

GtkWidget *hl_compare_part_new (HlDocument *document);

/** hl_compare_part_show: what the document knows now; FALSE where there is nothing. */
gboolean hl_compare_part_show (HlComparePart *self);

/** hl_compare_part_get: what is shown; borrows, until the next call of _show(). Only
 * while there is a result. */
HlCompare hl_compare_part_get (HlComparePart *self);

/** hl_compare_part_set_target: -1 for all. */
void hl_compare_part_set_target (HlComparePart *self, int target);

void hl_compare_part_set_is_dark (HlComparePart *self, gboolean is_dark);
void hl_compare_part_blink (HlComparePart *self);
/** hl_compare_part_clear: as hl_saliency_panel_clear(). */
gboolean hl_compare_part_clear (HlComparePart *self);

G_END_DECLS
