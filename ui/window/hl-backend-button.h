/* SPDX-License-Identifier: MIT
 * The menu of what computes: what is there, why something is not, and the choice. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** hl_backend_button_set_up: gives @button its popover, and the document the choice that
 * is kept in @settings (nullable). */
void hl_backend_button_set_up (GtkMenuButton *button,
                               HlDocument *document,
                               GSettings *settings);

G_END_DECLS
