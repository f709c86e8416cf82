/* SPDX-License-Identifier: MIT
 * The filter of the head finder: "5." for a layer, "> 0.1" or "< 0" for the chosen score,
 * or without one the entropy; "pinned"; "#names" or a word for a tag or a note. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** hl_head_filter_is_good: empty, or one of the above. */
gboolean hl_head_filter_is_good (const char *text);

/** hl_head_filter_match: a GtkCustomFilterFunc: @item is an HlHeadItem, @entry a
 * GtkEditable with the filter; a text that is not good lets all through. */
gboolean hl_head_filter_match (gpointer item, gpointer entry);

G_END_DECLS
