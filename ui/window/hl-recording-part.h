/* SPDX-License-Identifier: MIT
 * Which part of a recording is looked at, and what the model is told of it: its language,
 * and whether to translate. Hidden where there is no choice. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_RECORDING_PART (hl_recording_part_get_type ())
G_DECLARE_FINAL_TYPE (HlRecordingPart, hl_recording_part, HL, RECORDING_PART, GtkWidget)

/** hl_recording_part_set_document: once. */
void hl_recording_part_set_document (HlRecordingPart *self, HlDocument *document);

G_END_DECLS
