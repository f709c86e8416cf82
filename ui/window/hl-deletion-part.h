/* SPDX-License-Identifier: MIT
 * What is left of a prediction without the tokens that attention or saliency put first.
 */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_DELETION_PART (hl_deletion_part_get_type ())
G_DECLARE_FINAL_TYPE (HlDeletionPart, hl_deletion_part, HL, DELETION_PART, GtkWidget)

GtkWidget *hl_deletion_part_new (HlDocument *document);

/** hl_deletion_part_show: what the document knows. */
void hl_deletion_part_show (HlDeletionPart *self);
/** hl_deletion_part_show_busy: whether it can be measured now. */
void hl_deletion_part_show_busy (HlDeletionPart *self);

void hl_deletion_part_set_is_dark (HlDeletionPart *self, gboolean is_dark);

/** hl_deletion_part_add_charts: appends to (element-type HlChartScene), for figures. */
void hl_deletion_part_add_charts (HlDeletionPart *self, GPtrArray *scenes);

G_END_DECLS
