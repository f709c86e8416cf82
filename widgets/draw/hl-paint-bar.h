/* SPDX-License-Identifier: MIT
 * The colour bar: always drawn where there are values. */
#pragma once

#include "draw/hl-painter.h"
#include "scene/hl-scene.h"

G_BEGIN_DECLS

/** Width of the coloured strip, in multiples of the text size. */
#define HL_COLOR_BAR_EM 0.9

/** hl_scale_note: (transfer none): the range in a word or two for beside a bar:
 * "shared max", "per head", "99th percentile", "logarithmic"; translated. */
const char *hl_scale_note (const HlScale *scale);

/**
 * hl_color_bar_extent:
 * @is_vertical: bar stands, its numbers to the right; else lies, its numbers below
 * Returns: across the bar: the space it needs with its numbers and note, in user units
 */
double
hl_color_bar_extent (const HlTheme *theme, const HlScale *scale, gboolean is_vertical);

/** hl_color_bar_length: of a bar beside something @room long: as long, unless that is far
 * more than anyone needs. */
double hl_color_bar_length (const HlTheme *theme, double room);

/**
 * hl_paint_color_bar:
 * @rect: of the coloured strip alone; wider than high means a lying bar. Numbers go to
 *   the right or below; a clipped scale ends in an arrow inside @rect
 * Range text at both ends, ticks at round numbers or decades between where there is room.
 */
void hl_paint_color_bar (HlPainter *painter, const HlScale *scale, const HlRect *rect);

/** hl_paint_color_bar_relative: likewise with "0" and "max" at the ends, for a grid whose
 * thumbnails each have their own range. */
void hl_paint_color_bar_relative (HlPainter *painter,
                                  const HlScale *scale,
                                  const HlRect *rect);

/** hl_paint_na_key: a swatch of the "not applicable" colour and its words, its left
 * middle at (@x, @y). */
void hl_paint_na_key (HlPainter *painter, HlColormap map, double x, double y);
double hl_na_key_width (const HlTheme *theme);

G_END_DECLS
