/* SPDX-License-Identifier: MIT
 * What is known of the selected head, and the next tokens after one of a text. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_HEAD_NUMBERS (hl_head_numbers_get_type ())
G_DECLARE_FINAL_TYPE (HlHeadNumbers, hl_head_numbers, HL, HEAD_NUMBERS, GtkWidget)

void hl_head_numbers_set_document (HlHeadNumbers *self, HlDocument *document);

/** hl_head_numbers_show_head: of the head that is selected now. */
void hl_head_numbers_show_head (HlHeadNumbers *self);

/** hl_head_numbers_show_next: the most probable tokens after this one; nothing where the
 * trace has no predictions. */
void hl_head_numbers_show_next (HlHeadNumbers *self, gint64 position);

G_END_DECLS
