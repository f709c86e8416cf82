/* SPDX-License-Identifier: MIT
 * Two views of one thing on the same place, parted by a line that can be moved: left of
 * it the first is seen, right of it the second. Under them a time axis, where there is
 * one, and the colour bar of each. Everything on the main thread.
 *
 * The line is dragged, or moved by Ctrl+Left and Ctrl+Right (to the ends by Ctrl+Home and
 * Ctrl+End); B blinks: shows the first alone, then the second, and so on; Escape parts
 * them again. */
#pragma once

#include "scene/hl-scene.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_SPLIT_VIEW (hl_split_view_get_type ())
G_DECLARE_FINAL_TYPE (HlSplitView, hl_split_view, HL, SPLIT_VIEW, GtkWidget)

typedef enum
{
  HL_SPLIT_BOTH,
  HL_SPLIT_FIRST,
  HL_SPLIT_SECOND,
} HlSplitShown;

/* Signals
 * "split-changed" (): the line was moved, or another side is shown */

/** hl_split_view_new: both are of the same size and have the same places in them. */
GtkWidget *hl_split_view_new (GtkWidget *first,
                              GtkWidget *second) G_GNUC_WARN_UNUSED_RESULT;

/** hl_split_view_set_children: others in their place; either is kept alive by its owner.
 */
void hl_split_view_set_children (HlSplitView *self, GtkWidget *first, GtkWidget *second);

/** hl_split_view_set_split: where the line is, 0 to 1 of the width; parts them. */
void hl_split_view_set_split (HlSplitView *self, double split);
double hl_split_view_get_split (HlSplitView *self);

void hl_split_view_set_shown (HlSplitView *self, HlSplitShown shown);
HlSplitShown hl_split_view_get_shown (HlSplitView *self);
/** hl_split_view_blink: what B does. */
void hl_split_view_blink (HlSplitView *self);

/** hl_split_view_set_names: above their sides. */
void hl_split_view_set_names (HlSplitView *self, const char *first, const char *second);

/** hl_split_view_set_scales: of the colour bars; NULL for none. */
void
hl_split_view_set_scales (HlSplitView *self, const HlScale *first, const HlScale *second);

/** hl_split_view_set_time: what the left and right edge are, on a time axis below; none
 * where they are the same. */
void hl_split_view_set_time (HlSplitView *self, double begin_s, double end_s);

/** hl_split_view_set_playhead: a thin line at that second; NaN for none. */
void hl_split_view_set_playhead (HlSplitView *self, double at_s);

void hl_split_view_set_is_dark (HlSplitView *self, gboolean is_dark);

/** hl_split_view_handle_key: what events call; a program may forward its own. */
gboolean
hl_split_view_handle_key (HlSplitView *self, guint keyval, GdkModifierType state);

G_END_DECLS
