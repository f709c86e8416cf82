/* SPDX-License-Identifier: MIT
 * A time axis below a recording. */
#include "config.h"

#include "draw/hl-paint-time.h"

#include "draw/hl-ruler.h"

#include <math.h>

#define HEIGHT_EM 1.9

double
hl_time_axis_height (const HlTheme *theme)
{
  return HEIGHT_EM * theme->font_size;
}

static void
paint_tick (
    HlPainter *painter, double at_s, double x, double offset, double top, double width)
{
  double em = painter->theme.font_size;
  g_autofree char *number = hl_format_number (at_s);
  g_autofree char *label = g_strdup_printf ("%s s", number);
  HlTextStyle style = { 0.9 * em,
                        offset < 1.6 * em           ? HL_ANCHOR_START
                        : offset > width - 1.6 * em ? HL_ANCHOR_END
                                                    : HL_ANCHOR_MIDDLE,
                        NULL };
  cairo_move_to (painter->cr, x + CLAMP (floor (offset) + 0.5, 0.5, width - 0.5), top);
  cairo_rel_line_to (painter->cr, 0, 0.3 * em);
  cairo_stroke (painter->cr);
  hl_paint_text (painter, label, x + offset, top + 1.3 * em, &style);
}

void
hl_paint_time_axis (
    HlPainter *painter, double begin_s, double end_s, double x, double top, double width)
{
  const HlTheme *theme = &painter->theme;
  double length = end_s - begin_s;
  if (!(length > 0))
    return;
  /* A label and its distance to the next are some four letters wide. */
  double need = 4 * theme->font_size * length / fmax (width, 1);
  double step = need < 0.5 ? 0.5 : (double) hl_ruler_step (need);
  hl_paint_set_color (painter->cr, &theme->dim);
  cairo_set_line_width (painter->cr, theme->line_width);
  for (double at = ceil (begin_s / step) * step; at <= end_s; at += step)
    paint_tick (painter, at, x, (at - begin_s) / length * width, top, width);
}
