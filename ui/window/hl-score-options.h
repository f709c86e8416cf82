/* SPDX-License-Identifier: MIT
 * A button with a popover: how importance is computed, and on what. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** hl_score_options_new: (transfer floating) */
GtkWidget *hl_score_options_new (void);
void hl_score_options_set_document (GtkWidget *options, HlDocument *document);

/** hl_score_options_count: inputs of the data set that would be scored. */
int hl_score_options_count (HlDocument *document);

G_END_DECLS
