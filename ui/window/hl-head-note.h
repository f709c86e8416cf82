/* SPDX-License-Identifier: MIT
 * Tags and a note on the selected head: a button with a popover to write them, and the
 * line that shows them. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** hl_head_note_button_new: (transfer floating): @label shows what is written, and is
 * hidden where nothing is. */
GtkWidget *hl_head_note_button_new (HlDocument *document, GtkLabel *label);

G_END_DECLS
