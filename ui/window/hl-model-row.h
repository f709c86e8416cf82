/* SPDX-License-Identifier: MIT
 * A row of a list of models: name, what it is or why it cannot be opened, size. */
#pragma once

#include "model/hl-model-cache.h"

#include <adwaita.h>

G_BEGIN_DECLS

/** hl_model_row_new: borrows @model, which is to live as long as the row. */
GtkWidget *hl_model_row_new (const HlCachedModel *model);

/** hl_model_row_get_model: (transfer none) */
const HlCachedModel *hl_model_row_get_model (gpointer row);

G_END_DECLS
