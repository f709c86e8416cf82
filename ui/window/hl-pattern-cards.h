/* SPDX-License-Identifier: MIT
 * The dictionary of patterns: a card a cluster, with its mean and its medoid. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** hl_pattern_cards_new: (transfer floating): names that are edited, and medoids that are
 * pressed, go to @document. */
GtkWidget *hl_pattern_cards_new (HlDocument *document);

/** hl_pattern_cards_show: @patterns (nullable): does nothing where it shows them already.
 */
void hl_pattern_cards_show (GtkWidget *cards, HlPatterns *patterns);

G_END_DECLS
