/* SPDX-License-Identifier: MIT
 * The text as tokens below the map: what the chosen ones attend to and from, arcs of the
 * selected and pinned heads, finding, stepping through what was generated. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_TOKEN_PANEL (hl_token_panel_get_type ())
G_DECLARE_FINAL_TYPE (HlTokenPanel, hl_token_panel, HL, TOKEN_PANEL, GtkWidget)

/* Signals
 * "position-changed" (gint64 position): whose next token is of interest: the last chosen
 *   or the hovered one */

/** hl_token_panel_set_document: once; a reference is kept. */
void hl_token_panel_set_document (HlTokenPanel *self, HlDocument *document);
void hl_token_panel_set_is_dark (HlTokenPanel *self, gboolean is_dark);

/** hl_token_panel_step: to the generated token before (-1) or after (1); nothing where
 * none was generated. */
void hl_token_panel_step (HlTokenPanel *self, int by);

G_END_DECLS
