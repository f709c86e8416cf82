/* SPDX-License-Identifier: MIT
 * Middle: which head. The grid of all heads and, below, the same heads as numbers. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_HEADS_PANEL (hl_heads_panel_get_type ())
G_DECLARE_FINAL_TYPE (HlHeadsPanel, hl_heads_panel, HL, HEADS_PANEL, GtkWidget)

void hl_heads_panel_set_document (HlHeadsPanel *self, HlDocument *document);
void hl_heads_panel_set_is_dark (HlHeadsPanel *self, gboolean is_dark);

/** hl_heads_panel_start_typing: puts the cursor into "go to" with @text in it. */
void hl_heads_panel_start_typing (HlHeadsPanel *self, const char *text);

/** hl_heads_panel_grab_grid: the grid gets the keyboard. */
void hl_heads_panel_grab_grid (HlHeadsPanel *self);

/** hl_heads_panel_get_gl_message: (nullable) */
const char *hl_heads_panel_get_gl_message (HlHeadsPanel *self);

/** hl_heads_panel_prepare_gl: before the panel is shown, in a window that is. */
void hl_heads_panel_prepare_gl (HlHeadsPanel *self);

G_END_DECLS
