/* SPDX-License-Identifier: MIT
 * The painter's hand: a Cairo context, a theme, and the one way in which text is drawn.
 * On the screen, in PDF and in PNG text goes through Pango; with a text layer it is
 * written down instead, so that an SVG gets real text elements.
 * Thread: any, one painter in one thread at a time. */
#pragma once

#include "draw/hl-theme.h"

#include <cairo.h>

G_BEGIN_DECLS

/** HlRect: in user units. */
typedef struct
{
  double x;
  double y;
  double width;
  double height;
} HlRect;

typedef enum
{
  HL_ANCHOR_START,
  HL_ANCHOR_MIDDLE,
  HL_ANCHOR_END,
} HlAnchor;

/**
 * HlTextStyle:
 * @size: in user units; 0 means the theme's font_size
 * @color: NULL means the theme's dim
 * @is_upright: turned a quarter to the left: reads from bottom to top, the baseline at x
 */
typedef struct
{
  double size;
  HlAnchor anchor;
  const HlColor *color;
  gboolean is_bold;
  gboolean is_upright;
} HlTextStyle;

/** HlTextItem: one text that was written down instead of drawn. */
typedef struct
{
  char *text;
  double x;
  double y;
  double size;
  HlAnchor anchor;
  HlColor color;
  gboolean is_bold;
  gboolean is_upright;
} HlTextItem;

/**
 * HlPainter: on the stack, no clean-up needed.
 * @cr: what is drawn on
 * @theme: its sizes in the user unit of @cr
 * @pixels_per_unit: device pixels to one user unit: the widget's scale factor on the
 *   screen, dpi / 72 in a PNG figure; decides how far a big map is pooled
 * @min_replicate: every matrix cell is written at least this many pixels wide into
 *   embedded images, for formats whose readers smooth when they enlarge; 1 otherwise
 * @text_layer: (nullable): of HlTextItem *; takes the texts instead of @cr
 */
typedef struct
{
  cairo_t *cr;
  HlTheme theme;
  double pixels_per_unit;
  int min_replicate;
  GPtrArray *text_layer;
} HlPainter;

/** hl_painter_init: for the screen: no text layer, replicate 1. Copies @theme. */
void hl_painter_init (HlPainter *painter,
                      cairo_t *cr,
                      const HlTheme *theme,
                      double pixels_per_unit);

/** hl_text_layer_new: (transfer full): an empty layer of HlTextItem *. */
GPtrArray *hl_text_layer_new (void);

/**
 * hl_paint_text:
 * @x, @y: where the anchor lies on the baseline, in user units
 * The only way text reaches a picture. The context must not be scaled or turned while a
 * text layer is used; a translation is kept.
 */
void hl_paint_text (
    HlPainter *painter, const char *text, double x, double y, const HlTextStyle *style);

/** hl_text_width: in user units; @size 0 means the theme's font_size. */
double
hl_text_width (const HlTheme *theme, const char *text, double size, gboolean is_bold);

/** hl_text_fit: (transfer full): @text, or its beginning and "…", at most @width wide. */
char *hl_text_fit (const HlTheme *theme, const char *text, double size, double width);

/** hl_text_wrap: (transfer full): lines at most @width wide; NULL-terminated. */
char **hl_text_wrap (const HlTheme *theme, const char *text, double size, double width);

/** hl_text_drop: how far below the middle of a figure or capital its baseline lies. */
double hl_text_drop (double size);

/** hl_format_number: (transfer full): "%.3g"-like with a decimal point in every locale,
 * no "e-05" but "1e-5", and U+2212 for minus. */
char *hl_format_number (double value);
/** hl_format_digits: (transfer full): the same with 1 to 9 digits; with 0 one digit and a
 * power of ten, "3e-4". */
char *hl_format_digits (double value, int n_digits);

void hl_paint_set_color (cairo_t *cr, const HlColor *color);

gboolean hl_rect_contains (const HlRect *rect, double x, double y);

G_END_DECLS
