/* SPDX-License-Identifier: MIT
 * The map as a table: for the chosen tokens, what each other token gets from them and
 * gives to them. The same numbers as in the map, the overlays and the token strip, for
 * those who would rather read them, sort them, or have them read out. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define HL_TYPE_ATTENTION_TABLE (hl_attention_table_get_type ())
G_DECLARE_FINAL_TYPE (
    HlAttentionTable, hl_attention_table, HL, ATTENTION_TABLE, GtkWidget)

/** hl_attention_table_set_document: reads from it only while it can be seen. Of several
 * chosen patches it has the mean, of several chosen tokens of a text the sum, as the
 * views beside it. Where nothing is chosen: the last token. */
void hl_attention_table_set_document (HlAttentionTable *self, HlDocument *document);

G_END_DECLS
