/* SPDX-License-Identifier: MIT
 * A time axis below a recording. */
#pragma once

#include "draw/hl-painter.h"

G_BEGIN_DECLS

/** hl_time_axis_height: user units: of ticks and labels. */
double hl_time_axis_height (const HlTheme *theme);

/** hl_paint_time_axis: ticks with seconds, from @begin_s at @x to @end_s at @x + @width,
 * downwards from @top; labels stay within. Nothing where there is no time. */
void hl_paint_time_axis (
    HlPainter *painter, double begin_s, double end_s, double x, double top, double width);

G_END_DECLS
