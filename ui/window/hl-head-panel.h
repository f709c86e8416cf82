/* SPDX-License-Identifier: MIT
 * Right: this head on this input. Its map, where the chosen patches look and who looks at
 * them, the head's numbers. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_HEAD_PANEL (hl_head_panel_get_type ())
G_DECLARE_FINAL_TYPE (HlHeadPanel, hl_head_panel, HL, HEAD_PANEL, GtkWidget)

/* Signals
 * "shown" (): the map of the selected head is in the view */

void hl_head_panel_set_document (HlHeadPanel *self, HlDocument *document);
/** hl_head_panel_write_note: opens what tags and a note are written in. */
void hl_head_panel_write_note (HlHeadPanel *self);
void hl_head_panel_set_is_dark (HlHeadPanel *self, gboolean is_dark);

/** hl_head_panel_switch_table: from the map to the table of the same numbers, or back. */
void hl_head_panel_switch_table (HlHeadPanel *self);

/** hl_head_panel_step: to the generated token before (-1) or after (1). */
void hl_head_panel_step (HlHeadPanel *self, int by);

/** hl_head_panel_get_gl_message: (nullable): why cells are painted without OpenGL. */
const char *hl_head_panel_get_gl_message (HlHeadPanel *self);

/** hl_head_panel_prepare_gl: before the panel is shown, in a window that is. */
void hl_head_panel_prepare_gl (HlHeadPanel *self);

G_END_DECLS
