/* SPDX-License-Identifier: MIT
 * Asks for a model: those that were opened lately, those in the cache of downloads with
 * what they are or why they cannot be opened, or any folder. Typing searches, arrows and
 * Return choose. Files are looked at on the io thread. */
#pragma once

#include "engine/hl-engine.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define HL_TYPE_MODEL_DIALOG (hl_model_dialog_get_type ())
G_DECLARE_FINAL_TYPE (HlModelDialog, hl_model_dialog, HL, MODEL_DIALOG, AdwWindow)

/* Signals
 * "chosen" (char *path): a model's folder; the dialog closes
 * "folder-wanted" (): another folder; the dialog closes */

/** hl_model_dialog_new: @io: thread for files; @recent: folders of models that were
 * opened lately, the latest first, NULL-terminated. */
GtkWidget *
hl_model_dialog_new (GtkWindow *parent, HlEngine *io, const char *const *recent);

G_END_DECLS
