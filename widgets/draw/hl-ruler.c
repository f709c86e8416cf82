/* SPDX-License-Identifier: MIT
 * Rulers: labels thinned to what is legible, at natural steps, never overlapping. */
#include "config.h"

#include "draw/hl-ruler.h"

#include <math.h>

#define TICK_EM 0.35
#define GAP_EM 0.25
#define MAX_LABEL_EM 7.0
#define LINE_EM 1.15   /* along the ruler, from one line of text to the next */
#define BETWEEN_EM 0.9 /* along the ruler, between two labels side by side */
#define N_SAMPLES 512  /* labels looked at to find the widest of a long axis */

/* Where labels lie along the ruler so far. */
typedef struct
{
  double start;
  double end;
} Span;

static char *
label_of (const HlAxis *axis, gint64 index)
{
  if (axis->labels != NULL && axis->labels[index] != NULL)
    return g_strdup (axis->labels[index]);
  return g_strdup_printf ("%" G_GINT64_FORMAT, index);
}

/* The width of the widest label: the longest few by characters are measured. The last
 * cells are always looked at, since numbers grow. */
static double
widest_label (const HlTheme *theme, const HlAxis *axis)
{
  g_autofree char *last = axis->n > 0 ? label_of (axis, axis->n - 1) : g_strdup ("0");
  double widest = hl_text_width (theme, last, 0, FALSE);
  if (axis->labels == NULL)
    return widest;
  glong longest = 0;
  gint64 step = MAX (axis->n / N_SAMPLES, 1);
  for (gint64 i = 0; i < axis->n; i += step)
    {
      g_autofree char *label = label_of (axis, i);
      glong length = g_utf8_strlen (label, 64);
      if (length <= longest)
        continue;
      longest = length;
      widest = MAX (widest, hl_text_width (theme, label, 0, FALSE));
    }
  return MIN (widest, MAX_LABEL_EM * theme->font_size);
}

gboolean
hl_ruler_is_upright (const HlAxis *axis)
{
  return axis->labels != NULL && axis->major <= 0;
}

double
hl_ruler_extent (const HlTheme *theme, const HlAxis *axis, gboolean is_top)
{
  double em = theme->font_size;
  double across = is_top && !hl_ruler_is_upright (axis) ? em : widest_label (theme, axis);
  return across + (TICK_EM + GAP_EM) * em;
}

gint64
hl_ruler_step (const HlAxis *axis, double need)
{
  static const gint64 nice[] = { 1, 2, 5 };
  if (need <= 1)
    return 1;
  /* Inside a grid row only steps that divide it, so that every row is labelled alike. */
  gint64 unit = MAX (axis->major, 1);
  for (gint64 step = 2; step < unit; step++)
    if (unit % step == 0 && step >= need)
      return step;
  if (unit > 1 && 3 * unit >= need && 2 * unit < need)
    return 3 * unit;
  for (gint64 decade = 1; decade < G_MAXINT64 / 1000; decade *= 10)
    for (guint i = 0; i < G_N_ELEMENTS (nice); i++)
      if (decade * nice[i] * unit >= need)
        return decade * nice[i] * unit;
  return axis->n;
}

/* ---- painting ------------------------------------------------------------------------
 */

typedef struct
{
  HlPainter *painter;
  const HlRuler *ruler;
  gboolean is_turned; /* labels stand across the ruler */
  GArray *spans;
} Work;

static double
position_of (const HlRuler *ruler, gint64 index)
{
  double start = ruler->is_top ? ruler->rect.x : ruler->rect.y;
  double length = ruler->is_top ? ruler->rect.width : ruler->rect.height;
  return start + (index + 0.5 - ruler->low) / (ruler->high - ruler->low) * length;
}

static gboolean
is_free (const Work *work, const Span *span)
{
  for (guint i = 0; i < work->spans->len; i++)
    {
      const Span *other = &g_array_index (work->spans, Span, i);
      if (span->start < other->end && other->start < span->end)
        return FALSE;
    }
  return TRUE;
}

static void
paint_label (const Work *work, const char *label, double at, gboolean is_selected)
{
  const HlRuler *ruler = work->ruler;
  const HlTheme *theme = &work->painter->theme;
  double em = theme->font_size;
  double tick = TICK_EM * em, away = (TICK_EM + GAP_EM) * em;
  HlTextStyle style = {
    .color = is_selected ? &theme->accent_query : &theme->dim,
    .is_bold = is_selected,
  };
  cairo_t *cr = work->painter->cr;
  double bottom = ruler->rect.y + ruler->rect.height;
  double right = ruler->rect.x + ruler->rect.width;
  cairo_move_to (cr, ruler->is_top ? at : right, ruler->is_top ? bottom : at);
  cairo_rel_line_to (cr, ruler->is_top ? 0 : -tick, ruler->is_top ? -tick : 0);
  hl_paint_set_color (cr, style.color);
  cairo_set_line_width (cr, theme->line_width);
  cairo_stroke (cr);

  double room = (ruler->is_top ? ruler->rect.height : ruler->rect.width) - away;
  g_autofree char *fitted = NULL;
  if (work->is_turned || !ruler->is_top)
    {
      /* Bold is wider than what hl_text_fit() measures. */
      fitted = hl_text_fit (theme, label, em, is_selected ? room * 0.92 : room);
      label = fitted;
    }
  if (!ruler->is_top)
    {
      style.anchor = HL_ANCHOR_END;
      hl_paint_text (work->painter, label, right - away, at + hl_text_drop (em), &style);
    }
  else if (work->is_turned)
    {
      style.is_upright = TRUE;
      hl_paint_text (work->painter, label, at + hl_text_drop (em), bottom - away, &style);
    }
  else
    {
      style.anchor = HL_ANCHOR_MIDDLE;
      hl_paint_text (work->painter, label, at, bottom - away, &style);
    }
}

/* Puts a label unless it would touch one that is there already. */
static void
place (const Work *work, gint64 index)
{
  const HlRuler *ruler = work->ruler;
  if (index < 0 || index >= ruler->axis->n)
    return;
  if (index + 0.5 < ruler->low || index + 0.5 > ruler->high)
    return;
  const HlTheme *theme = &work->painter->theme;
  double em = theme->font_size;
  double at = position_of (ruler, index);
  gboolean is_selected = index == ruler->selected;
  g_autofree char *label = label_of (ruler->axis, index);
  double along = LINE_EM * em;
  if (ruler->is_top && !work->is_turned)
    along = hl_text_width (theme, label, 0, is_selected) + BETWEEN_EM * em;
  Span span = { at - along / 2, at + along / 2 };
  if (!is_free (work, &span))
    return;
  g_array_append_val (work->spans, span);
  paint_label (work, label, at, is_selected);
}

void
hl_paint_ruler (HlPainter *painter, const HlRuler *ruler)
{
  const HlAxis *axis = ruler->axis;
  double length = ruler->is_top ? ruler->rect.width : ruler->rect.height;
  if (axis->n <= 0 || length <= 0 || !(ruler->high > ruler->low))
    return;
  double em = painter->theme.font_size;
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (Span));
  Work work = { painter, ruler, ruler->is_top && hl_ruler_is_upright (axis), spans };
  double along = LINE_EM * em;
  if (ruler->is_top && !work.is_turned)
    along = widest_label (&painter->theme, axis) + BETWEEN_EM * em;
  gint64 step = hl_ruler_step (axis, along * (ruler->high - ruler->low) / length);

  cairo_save (painter->cr);
  place (&work, ruler->selected);
  gint64 offset = axis->major > 0 ? MIN ((gint64) axis->major_offset, axis->n) : 0;
  gint64 first = MAX ((gint64) floor (ruler->low), 0);
  gint64 last = MIN ((gint64) ceil (ruler->high), axis->n - 1);
  /* Special tokens before the grid; a few, else every step-th of them. */
  for (gint64 i = first - first % step; i < offset && i <= last; i += step)
    place (&work, i);
  gint64 k = first > offset ? (first - offset) / step : 0;
  for (gint64 i = offset + k * step; i <= last; i += step)
    place (&work, i);
  cairo_restore (painter->cr);
}
