/* SPDX-License-Identifier: MIT
 * Left: what is being looked at. Model card, input with its patches, prediction,
 * interventions in force, notes. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** HL_ISOLATED: for printf: a name in any direction of writing, which leaves what is
 * around it in its own. */
#define HL_ISOLATED "\xE2\x81\xA8%s\xE2\x81\xA9"

#define HL_TYPE_SIDE_PANEL (hl_side_panel_get_type ())
G_DECLARE_FINAL_TYPE (HlSidePanel, hl_side_panel, HL, SIDE_PANEL, GtkWidget)

/** hl_side_panel_set_document: once; a reference is kept. */
void hl_side_panel_set_document (HlSidePanel *self, HlDocument *document);
void hl_side_panel_set_is_dark (HlSidePanel *self, gboolean is_dark);

G_END_DECLS
