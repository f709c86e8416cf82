/* SPDX-License-Identifier: MIT
 * Asks for a text: typed, or a message in the model's chat format, with the prompt as the
 * model gets it and the number of its tokens always in sight. */
#pragma once

#include "document/hl-document.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define HL_TYPE_TEXT_DIALOG (hl_text_dialog_get_type ())
G_DECLARE_FINAL_TYPE (HlTextDialog, hl_text_dialog, HL, TEXT_DIALOG, AdwWindow)

/* Signals
 * "file-wanted" (): a text from a file instead; the dialog has closed */

/** hl_text_dialog_new: for a document whose model takes text. */
GtkWidget *hl_text_dialog_new (GtkWindow *parent, HlDocument *document);

G_END_DECLS
