/* SPDX-License-Identifier: MIT
 * Which part of a map is in sight: pan and zoom as arithmetic, without a widget. Cells
 * are square, but of a map that is much longer one way than the other they are drawn out
 * the short way until zooming has made them square; the map never leaves the space when
 * it could fill it. */
#pragma once

#include "draw/hl-paint-matrix.h"

G_BEGIN_DECLS

/** A cell is never drawn wider than this, unless the whole map fits so. */
#define HL_VIEWPORT_SCALE_MAX 160.0

/** A map this much longer one way is drawn out the other way, its cells up to so many
 * pixels. */
#define HL_VIEWPORT_STRETCH_RATIO 3.0
#define HL_VIEWPORT_STRETCH_MAX 24.0

/**
 * HlViewport: plain data.
 * @n_rows, @n_columns: entries of the map
 * @width, @height: pixels there are for cells
 * @scale: pixels an entry, along the longer side
 * @x0, @y0: entry at the upper left corner; may begin inside a cell
 * @is_fit: the whole map is shown, and stays so when the space changes
 */
typedef struct
{
  double n_rows;
  double n_columns;
  double width;
  double height;
  double scale;
  double x0;
  double y0;
  gboolean is_fit;
} HlViewport;

/** hl_viewport_set_map: another size of map shows it whole; the same keeps the view. */
void hl_viewport_set_map (HlViewport *viewport, gint64 n_rows, gint64 n_columns);
/** hl_viewport_set_space: the upper left corner stays where it is. */
void hl_viewport_set_space (HlViewport *viewport, double width, double height);
void hl_viewport_fit (HlViewport *viewport);
/** hl_viewport_show: these entries, as large as they fit, in the middle; the ends are one
 * past the last. */
void hl_viewport_show (
    HlViewport *viewport, double row, double end_row, double column, double end_column);
/** hl_viewport_fit_scale: pixels an entry when the whole map is shown. */
double hl_viewport_fit_scale (const HlViewport *viewport);
/** hl_viewport_scale_x, _scale_y: pixels an entry across and down. */
double hl_viewport_scale_x (const HlViewport *viewport);
double hl_viewport_scale_y (const HlViewport *viewport);
/** hl_viewport_is_stretched: they differ. */
gboolean hl_viewport_is_stretched (const HlViewport *viewport);
/**
 * hl_viewport_zoom:
 * @x, @y: pixels from the corner of the cells: the entry there stays there
 * Returns: TRUE when something changed
 */
gboolean hl_viewport_zoom (HlViewport *viewport, double factor, double x, double y);
/** hl_viewport_pan: by pixels; positive shows what is to the right and below. */
gboolean hl_viewport_pan (HlViewport *viewport, double dx, double dy);
/** hl_viewport_reveal: scrolls as little as needed to see an entry whole. */
gboolean hl_viewport_reveal (HlViewport *viewport, gint64 row, gint64 column);
HlView hl_viewport_get_view (const HlViewport *viewport);

G_END_DECLS
