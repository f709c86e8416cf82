/* SPDX-License-Identifier: MIT
 * What the painters need to know about looks: colours, text and line sizes. Lengths are
 * in the painter's user unit: pixels on the screen, points (1/72 inch) in a figure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** HlColor: sRGB and opacity, 0..1. */
typedef struct
{
  double red;
  double green;
  double blue;
  double alpha;
} HlColor;

/**
 * HlTheme:
 * @background: behind the picture; painters never fill it, the caller does
 * @foreground: titles
 * @dim: tick labels, captions
 * @faint: frames, hairlines, placeholders
 * @accent_head: the blue of the selected head
 * @accent_query: the orange of the selected query
 * @font_family: a literal, not freed
 * @font_size: of ordinary text; every distance in a layout is a multiple of it
 * @line_width: of frames and ticks
 */
typedef struct
{
  gboolean is_dark;
  HlColor background;
  HlColor foreground;
  HlColor dim;
  HlColor faint;
  HlColor accent_head;
  HlColor accent_query;
  const char *font_family;
  double font_size;
  double line_width;
} HlTheme;

/** hl_theme_light: for the screen: 12 px text, 1 px lines. */
HlTheme hl_theme_light (void);
/** hl_theme_dark: likewise. */
HlTheme hl_theme_dark (void);
/** hl_theme_figure: for print: 7 pt text, 0.5 pt lines, white or near-black ground. */
HlTheme hl_theme_figure (gboolean is_dark);

G_END_DECLS
