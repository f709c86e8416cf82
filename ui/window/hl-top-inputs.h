/* SPDX-License-Identifier: MIT
 * The inputs of the data set on which the selected head scores highest, or a table of all
 * of them: a click makes one the input. */
#pragma once

#include "document/hl-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/** hl_top_inputs_new: (transfer floating): a box of rows. */
GtkWidget *hl_top_inputs_new (HlDocument *document);

/** hl_top_inputs_show: @score of @head, highest first; hidden where nothing is known.
 * @only_errors: inputs that are predicted wrongly. */
void hl_top_inputs_show (GtkWidget *top,
                         const HlHeadScores *scores,
                         HlScore score,
                         HlHeadKey head,
                         gboolean only_errors);

G_END_DECLS
