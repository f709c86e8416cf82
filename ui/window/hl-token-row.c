/* SPDX-License-Identifier: MIT
 * A row of the attention table. */
#include "window/hl-token-row.h"

struct _HlTokenRow
{
  GObject parent_instance;
  gint64 token;
};

G_DEFINE_FINAL_TYPE (HlTokenRow, hl_token_row, G_TYPE_OBJECT)

static void
hl_token_row_class_init (HlTokenRowClass *klass)
{
}

static void
hl_token_row_init (HlTokenRow *self)
{
}

HlTokenRow *
hl_token_row_new (gint64 token)
{
  HlTokenRow *self = g_object_new (HL_TYPE_TOKEN_ROW, NULL);
  self->token = token;
  return self;
}

gint64
hl_token_row_get_token (HlTokenRow *self)
{
  return self->token;
}
