/* SPDX-License-Identifier: MIT
 * A row of the attention table: which token it is of. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define HL_TYPE_TOKEN_ROW (hl_token_row_get_type ())
G_DECLARE_FINAL_TYPE (HlTokenRow, hl_token_row, HL, TOKEN_ROW, GObject)

HlTokenRow *hl_token_row_new (gint64 token);
gint64 hl_token_row_get_token (HlTokenRow *self);

G_END_DECLS
