/* SPDX-License-Identifier: MIT
 * Attention and saliency on one input, as panels of a figure. Thread: any. */
#pragma once

#include "draw/hl-figure.h"
#include "presenters/hl-present-compare.h"

G_BEGIN_DECLS

/** hl_figure_add_comparison: attention, saliency, and where they part: of a picture or
 * recording on the input, of a text as the lines of both rows; with the caption. */
void hl_figure_add_comparison (HlFigure *figure,
                               const HlCompare *compare,
                               const HlViewOptions *options);

G_END_DECLS
