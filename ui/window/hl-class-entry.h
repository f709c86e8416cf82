/* SPDX-License-Identifier: MIT
 * An entry that takes a class or token by name or number. Thread: main. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * hl_class_entry_parse:
 * @empty: what nothing stands for
 * @found: (out): a class or token of the model, or for "predicted" and, of a model that
 *   predicts the next token, "every" HL_TARGET_PREDICTED and HL_TARGET_EVERY
 * Returns: FALSE, and the entry is marked, where the model has no such class
 */
gboolean
hl_class_entry_parse (GtkEditable *entry, HlDocument *document, int empty, int *found);

G_END_DECLS
