/* SPDX-License-Identifier: MIT
 * What the ablated heads change: prediction and logits before and after, and the map of
 * the selected head in both runs, side by side. Hidden while nothing is ablated. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_BEFORE_AFTER (hl_before_after_get_type ())
G_DECLARE_FINAL_TYPE (HlBeforeAfter, hl_before_after, HL, BEFORE_AFTER, GtkWidget)

GtkWidget *hl_before_after_new (void) G_GNUC_WARN_UNUSED_RESULT;
void hl_before_after_set_document (HlBeforeAfter *self, HlDocument *document);
void hl_before_after_set_is_dark (HlBeforeAfter *self, gboolean is_dark);

/** hl_before_after_show: what the document has now. */
void hl_before_after_show (HlBeforeAfter *self);

G_END_DECLS
