/* SPDX-License-Identifier: MIT
 * The colour bar: a strip of the map, its range at both ends, round numbers between. */
#include "config.h"

#include "draw/hl-paint-bar.h"

#include "draw/hl-colormap.h"

#include <glib/gi18n-lib.h>
#include <math.h>

/* Distances in multiples of the text size. */
#define TICK_EM 0.3
#define GAP_EM 0.25
#define NUMBER_EM 2.7 /* at least this wide, so that most ranges need the same room */
#define NOTE_EM 1.5   /* from the numbers to the note's baseline */
#define LINE_EM 1.2
#define LENGTH_EM 22.0

typedef struct
{
  double value;
  double position; /* 0..1 along the map */
  char *label;     /* NULL for a short tick without a number */
  gboolean is_end;
} Tick;

static void
tick_clear (gpointer data)
{
  g_free (((Tick *) data)->label);
}

const char *
hl_scale_note (const HlScale *scale)
{
  switch (scale->mode)
    {
    case HL_RANGE_SHARED:
      return _ ("shared max");
    case HL_RANGE_PER_HEAD:
      return _ ("per head");
    case HL_RANGE_PERCENTILE:
      return _ ("99th percentile");
    case HL_RANGE_LOG:
      return _ ("logarithmic");
    case HL_N_RANGES:
      break;
    }
  return "";
}

/* ---- ticks ---------------------------------------------------------------------------
 */

static void
add_tick (GArray *ticks, const HlScale *scale, double value, gboolean has_label)
{
  Tick tick = { value, hl_scale_position (scale, value), NULL, FALSE };
  if (has_label)
    tick.label = hl_format_number (value);
  g_array_append_val (ticks, tick);
}

static void
add_ends (GArray *ticks, const HlScale *scale)
{
  /* Everything below the floor of a log scale has the floor's colour: say so. */
  g_autofree char *low = hl_format_number (scale->low);
  Tick first = { scale->low, 0, NULL, TRUE };
  first.label = scale->is_log ? g_strconcat ("≤ ", low, NULL) : g_strdup (low);
  g_array_append_val (ticks, first);
  Tick last = { scale->high, 1, hl_format_number (scale->high), TRUE };
  g_array_append_val (ticks, last);
}

static void
add_round_numbers (GArray *ticks, const HlScale *scale)
{
  double span = scale->high - scale->low;
  double decade = pow (10, floor (log10 (span / 4)));
  double step = decade;
  for (int i = 0; i < 3 && span / step > 5; i++)
    step = decade * (i == 0 ? 2 : i == 1 ? 5 : 10);
  double first = ceil (scale->low / step);
  for (int i = 0; i < 20 && (first + i) * step < scale->high; i++)
    if ((first + i) * step > scale->low)
      add_tick (ticks, scale, (first + i) * step, TRUE);
}

static void
add_decades (GArray *ticks, const HlScale *scale)
{
  int first = (int) floor (log10 (scale->low));
  int last = (int) ceil (log10 (scale->high));
  int n_decades = last - first;
  int stride = 1 + n_decades / 8;
  for (int d = first; d <= last && n_decades < 700; d++)
    for (int m = 1; m < 10; m++)
      {
        double value = m * pow (10, d);
        if (value <= scale->low || value >= scale->high || (m > 1 && n_decades > 5))
          continue;
        add_tick (ticks, scale, value, m == 1 && (d - first) % stride == 0);
      }
}

static GArray *
ticks_new (const HlScale *scale)
{
  GArray *ticks = g_array_new (FALSE, FALSE, sizeof (Tick));
  g_array_set_clear_func (ticks, tick_clear);
  add_ends (ticks, scale);
  gboolean is_sound = scale->high > scale->low && isfinite (scale->high - scale->low);
  if (is_sound && !scale->is_log)
    add_round_numbers (ticks, scale);
  else if (is_sound && scale->low > 0)
    add_decades (ticks, scale);
  return ticks;
}

static GArray *
relative_ticks_new (void)
{
  GArray *ticks = g_array_new (FALSE, FALSE, sizeof (Tick));
  g_array_set_clear_func (ticks, tick_clear);
  Tick ends[] = { { 0, 0, g_strdup ("0"), TRUE }, { 1, 1, g_strdup (_ ("max")), TRUE } };
  g_array_append_vals (ticks, ends, G_N_ELEMENTS (ends));
  return ticks;
}

/* ---- painting ------------------------------------------------------------------------
 */

/* The strip and, past its upper end, the arrow of a clipped scale. */
static void
paint_strip (HlPainter *painter,
             const HlScale *scale,
             const HlRect *strip,
             const HlRect *rect,
             gboolean is_vertical)
{
  cairo_t *cr = painter->cr;
  double right = rect->x + rect->width, bottom = rect->y + rect->height;
  cairo_pattern_t *pattern =
      is_vertical ? cairo_pattern_create_linear (0, bottom, 0, strip->y)
                  : cairo_pattern_create_linear (rect->x, 0, strip->x + strip->width, 0);
  const guint8 *table = hl_colormap_table (scale->colormap);
  for (int i = 0; i < HL_COLORMAP_SIZE; i++)
    cairo_pattern_add_color_stop_rgb (pattern, i / 255.0, table[3 * i] / 255.0,
                                      table[3 * i + 1] / 255.0, table[3 * i + 2] / 255.0);
  cairo_new_path (cr);
  if (!scale->clips_high)
    cairo_rectangle (cr, rect->x, rect->y, rect->width, rect->height);
  else if (is_vertical)
    {
      cairo_move_to (cr, rect->x, bottom);
      cairo_line_to (cr, rect->x, strip->y);
      cairo_line_to (cr, rect->x + rect->width / 2, rect->y);
      cairo_line_to (cr, right, strip->y);
      cairo_line_to (cr, right, bottom);
      cairo_close_path (cr);
    }
  else
    {
      cairo_move_to (cr, rect->x, rect->y);
      cairo_line_to (cr, strip->x + strip->width, rect->y);
      cairo_line_to (cr, right, rect->y + rect->height / 2);
      cairo_line_to (cr, strip->x + strip->width, bottom);
      cairo_line_to (cr, rect->x, bottom);
      cairo_close_path (cr);
    }
  cairo_set_source (cr, pattern);
  cairo_fill_preserve (cr);
  cairo_pattern_destroy (pattern);
  hl_paint_set_color (cr, &painter->theme.dim);
  cairo_set_line_width (cr, painter->theme.line_width);
  cairo_stroke (cr);
}

static void
paint_tick (HlPainter *painter,
            const Tick *tick,
            const HlRect *strip,
            gboolean is_vertical,
            gboolean has_label)
{
  cairo_t *cr = painter->cr;
  double em = painter->theme.font_size;
  double length = TICK_EM * em * (tick->label != NULL ? 1 : 0.5);
  HlTextStyle style = { 0 };
  double far = strip->y + strip->height;
  if (is_vertical)
    {
      double x = strip->x + strip->width, y = far - tick->position * strip->height;
      cairo_move_to (cr, x, y);
      cairo_line_to (cr, x + length, y);
      cairo_stroke (cr);
      if (has_label)
        hl_paint_text (painter, tick->label, x + (TICK_EM + GAP_EM) * em,
                       y + hl_text_drop (em), &style);
      return;
    }
  double x = strip->x + tick->position * strip->width;
  cairo_move_to (cr, x, far);
  cairo_line_to (cr, x, far + length);
  cairo_stroke (cr);
  style.anchor = HL_ANCHOR_MIDDLE;
  if (has_label)
    hl_paint_text (painter, tick->label, x, far + (TICK_EM + GAP_EM + 0.72) * em, &style);
}

/* Ends come first in the list and always get their numbers; the others give way. */
static gboolean
has_room (
    HlPainter *painter, GArray *ticks, guint index, double length, gboolean vertical)
{
  const Tick *tick = &g_array_index (ticks, Tick, index);
  double em = painter->theme.font_size;
  if (tick->label == NULL || tick->is_end)
    return tick->label != NULL;
  double own = vertical ? em : hl_text_width (&painter->theme, tick->label, 0, FALSE);
  for (guint i = 0; i < index; i++)
    {
      const Tick *other = &g_array_index (ticks, Tick, i);
      if (other->label == NULL)
        continue;
      double its =
          vertical ? em : hl_text_width (&painter->theme, other->label, 0, FALSE);
      double apart = fabs (other->position - tick->position) * length;
      if (apart < (own + its) / 2 + (vertical ? 0.45 : 0.6) * em)
        return FALSE;
    }
  return TRUE;
}

static double
widest_label (const HlTheme *theme, GArray *ticks)
{
  double widest = NUMBER_EM * theme->font_size;
  for (guint i = 0; i < ticks->len; i++)
    {
      const Tick *tick = &g_array_index (ticks, Tick, i);
      if (tick->label != NULL)
        widest = MAX (widest, hl_text_width (theme, tick->label, 0, FALSE));
    }
  return widest;
}

static void
paint_note (HlPainter *painter,
            const char *note,
            const HlRect *rect,
            gboolean is_vertical,
            double number_width)
{
  double em = painter->theme.font_size;
  double room = is_vertical ? rect->height : rect->width;
  if (hl_text_width (&painter->theme, note, 0, FALSE) > room + em)
    return;
  HlTextStyle style = { .anchor = HL_ANCHOR_MIDDLE, .is_upright = is_vertical };
  double x = rect->x + rect->width / 2;
  double y = rect->y + rect->height + (TICK_EM + GAP_EM + 0.72 + LINE_EM) * em;
  if (is_vertical)
    {
      x = rect->x + rect->width + number_width + (TICK_EM + GAP_EM + NOTE_EM - 0.28) * em;
      y = rect->y + rect->height / 2;
    }
  hl_paint_text (painter, note, x, y, &style);
}

static void
paint_bar (HlPainter *painter, const HlScale *scale, const HlRect *rect, GArray *ticks)
{
  gboolean is_vertical = rect->height >= rect->width;
  HlRect strip = *rect;
  if (scale->clips_high && is_vertical)
    {
      double arrow = MIN (rect->width, rect->height / 4);
      strip.y += arrow;
      strip.height -= arrow;
    }
  else if (scale->clips_high)
    strip.width -= MIN (rect->height, rect->width / 4);

  cairo_save (painter->cr);
  paint_strip (painter, scale, &strip, rect, is_vertical);
  double length = is_vertical ? strip.height : strip.width;
  for (guint i = 0; i < ticks->len; i++)
    {
      Tick *tick = &g_array_index (ticks, Tick, i);
      gboolean has_label = has_room (painter, ticks, i, length, is_vertical);
      if (!has_label)
        g_clear_pointer (&tick->label, g_free);
      paint_tick (painter, tick, &strip, is_vertical, has_label);
    }
  cairo_restore (painter->cr);
  paint_note (painter, hl_scale_note (scale), rect, is_vertical,
              widest_label (&painter->theme, ticks));
}

double
hl_color_bar_extent (const HlTheme *theme, const HlScale *scale, gboolean is_vertical)
{
  double em = theme->font_size;
  double strip = HL_COLOR_BAR_EM * em;
  if (!is_vertical)
    return strip + (TICK_EM + GAP_EM + 1.0 + LINE_EM) * em;
  g_autoptr (GArray) ticks = ticks_new (scale);
  return strip + widest_label (theme, ticks) + (TICK_EM + GAP_EM + NOTE_EM) * em;
}

double
hl_color_bar_length (const HlTheme *theme, double room)
{
  /* A bar only a little shorter than its picture would look like a mistake. */
  double most = LENGTH_EM * theme->font_size;
  return room <= 1.4 * most ? room : most;
}

void
hl_paint_color_bar (HlPainter *painter, const HlScale *scale, const HlRect *rect)
{
  if (rect->width <= 0 || rect->height <= 0)
    return;
  g_autoptr (GArray) ticks = ticks_new (scale);
  paint_bar (painter, scale, rect, ticks);
}

void
hl_paint_color_bar_relative (HlPainter *painter, const HlScale *scale, const HlRect *rect)
{
  if (rect->width <= 0 || rect->height <= 0)
    return;
  g_autoptr (GArray) ticks = relative_ticks_new ();
  paint_bar (painter, scale, rect, ticks);
}

void
hl_paint_na_key (HlPainter *painter, HlColormap map, double x, double y)
{
  double em = painter->theme.font_size;
  double side = HL_COLOR_BAR_EM * em;
  cairo_rectangle (painter->cr, x, y - side / 2, side, side);
  guint8 na[3];
  hl_colormap_na (map, na);
  cairo_set_source_rgb (painter->cr, na[0] / 255.0, na[1] / 255.0, na[2] / 255.0);
  cairo_fill_preserve (painter->cr);
  hl_paint_set_color (painter->cr, &painter->theme.dim);
  cairo_set_line_width (painter->cr, painter->theme.line_width);
  cairo_stroke (painter->cr);
  HlTextStyle style = { 0 };
  hl_paint_text (painter, _ ("n/a"), x + side + (TICK_EM + GAP_EM) * em,
                 y + hl_text_drop (em), &style);
}

double
hl_na_key_width (const HlTheme *theme)
{
  return (HL_COLOR_BAR_EM + TICK_EM + GAP_EM) * theme->font_size +
         hl_text_width (theme, _ ("n/a"), 0, FALSE);
}
