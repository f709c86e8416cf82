/* SPDX-License-Identifier: MIT
 * Rulers of a matrix: which cells get a label, and painting them. Private to draw/. */
#pragma once

#include "draw/hl-painter.h"
#include "scene/hl-scene.h"

G_BEGIN_DECLS

/**
 * HlRuler:
 * @is_top: along the upper edge, else along the left one
 * @rect: the ruler's own place; touches the cells
 * @low, @high: entries in sight
 * @selected: -1 for none; labelled first and in orange
 * @step: every how many cells a label is put; 0 chooses
 */
typedef struct
{
  const HlAxis *axis;
  gboolean is_top;
  HlRect rect;
  double low;
  double high;
  gint64 selected;
  gint64 step;
} HlRuler;

/** hl_ruler_is_upright: labels of a top ruler are turned, since they are words. */
gboolean hl_ruler_is_upright (const HlAxis *axis);

/** hl_ruler_extent: across the ruler: room for ticks and labels; the same at any zoom. */
double hl_ruler_extent (const HlTheme *theme, const HlAxis *axis, gboolean is_top);

/** hl_ruler_choose_step: the least at which no two labels touch at this zoom. */
gint64 hl_ruler_choose_step (const HlTheme *theme, const HlRuler *ruler);

/** hl_ruler_extent_shown: likewise for the labels that are shown with @ruler's step. */
double hl_ruler_extent_shown (const HlTheme *theme, const HlRuler *ruler);

/**
 * hl_ruler_step: every how many cells of a plain count a label is put: 1, 2, 5, 10, ...
 * @need: how many cells a label covers with its distance to the next
 */
gint64 hl_ruler_step (double need);

void hl_paint_ruler (HlPainter *painter, const HlRuler *ruler);

G_END_DECLS
