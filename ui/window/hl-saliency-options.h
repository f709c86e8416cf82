/* SPDX-License-Identifier: MIT
 * A button with a popover: how saliency is computed, of what, and what counts. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** hl_saliency_options_new: (transfer floating) */
GtkWidget *hl_saliency_options_new (void);
void hl_saliency_options_set_document (GtkWidget *options, HlDocument *document);

/** hl_saliency_options_suggest: what suits the model's inputs; where a person has not
 * chosen. Of recordings masks over what the encoder gives the decoder, some seconds; else
 * integrated gradients against the mean. */
void hl_saliency_options_suggest (GtkWidget *options);

/** hl_saliency_options_check: FALSE, and the popover shows what is wrong, where the
 * target is none of the model's or the method does not fit the input. */
gboolean hl_saliency_options_check (GtkWidget *options);

G_END_DECLS
