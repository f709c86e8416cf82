/* SPDX-License-Identifier: MIT
 * Rulers: labels thinned to what is legible, at natural steps, never overlapping. */
#include "config.h"

#include "draw/hl-ruler.h"

#include "draw/hl-typesetter.h"

#include <math.h>

#define TICK_EM 0.35
#define GAP_EM 0.25
#define MAX_LABEL_EM 9.0
#define LINE_EM 1.15   /* along the ruler, from one line of text to the next */
#define BETWEEN_EM 0.7 /* along the ruler, between two labels side by side */
#define BOLD 1.14
#define N_SAMPLES 512 /* labels looked at to find the widest of a long axis */
#define LABEL_CHARS_MAX 40

/* Where labels lie along the ruler so far. */
typedef struct
{
  double start;
  double end;
} Span;

/* A token that is a space or a line break is to be seen, and none is endless. */
static char *
label_of (const HlAxis *axis, gint64 index)
{
  const char *label = hl_axis_label (axis, index);
  if (label != NULL)
    return hl_typesetter_make_visible (label, LABEL_CHARS_MAX);
  return g_strdup_printf ("%" G_GINT64_FORMAT, index);
}

/* About how wide a label is, in columns of text, without measuring it. */
static int
columns_of (const HlAxis *axis, gint64 index)
{
  const char *label = hl_axis_label (axis, index);
  int n = 0;
  if (label == NULL)
    {
      for (gint64 rest = index; rest > 0 || n == 0; rest /= 10)
        n++;
      return n;
    }
  for (int i = 0; i < LABEL_CHARS_MAX && *label != '\0'; i++)
    {
      gunichar c = g_utf8_get_char_validated (label, -1);
      if (c >= (gunichar) -2)
        return n + 1;
      n += g_unichar_iswide (c) ? 2 : g_unichar_iszerowidth (c) ? 0 : 1;
      label = g_utf8_next_char (label);
    }
  return n;
}

/* Of labels of as many columns so many are measured: "m" is wider than "t". */
#define MEASURED 64

/* The width of the widest label so far: of the longest by columns, of which some are
 * measured. */
typedef struct
{
  int columns;
  int n_measured;
  double width;
} Widest;

static void
look_at (Widest *widest, const HlTheme *theme, const HlAxis *axis, gint64 i)
{
  int columns = columns_of (axis, i);
  if (columns < widest->columns ||
      (columns == widest->columns && widest->n_measured >= MEASURED))
    return;
  g_autofree char *label = label_of (axis, i);
  double width = hl_text_width (theme, label, 0, FALSE);
  gboolean is_longer = columns > widest->columns;
  *widest = (Widest){ columns, is_longer ? 1 : widest->n_measured + 1,
                      is_longer ? width : fmax (widest->width, width) };
}

/* The last cells are always looked at, since numbers grow. */
static double
widest_label (const HlTheme *theme, const HlAxis *axis)
{
  g_autofree char *last = axis->n > 0 ? label_of (axis, axis->n - 1) : g_strdup ("0");
  double most = hl_text_width (theme, last, 0, FALSE);
  if (!hl_axis_has_words (axis))
    return most;
  Widest widest = { 0 };
  gint64 step = MAX ((axis->n + N_SAMPLES - 1) / N_SAMPLES, 1);
  for (gint64 i = 0; i < axis->n; i += step)
    look_at (&widest, theme, axis, i);
  return MIN (fmax (most, widest.width), MAX_LABEL_EM * theme->font_size);
}

gboolean
hl_ruler_is_upright (const HlAxis *axis)
{
  return hl_axis_has_words (axis) && axis->major <= 0;
}

double
hl_ruler_extent (const HlTheme *theme, const HlAxis *axis, gboolean is_top)
{
  double em = theme->font_size;
  double across = em;
  /* The selected label is bold, and so a little wider. */
  if (!is_top || hl_ruler_is_upright (axis))
    across = BOLD * widest_label (theme, axis);
  return across + (TICK_EM + GAP_EM) * em;
}

/* ---- which labels --------------------------------------------------------------------
 */

/* The n-th candidate for a step: inside a grid row only steps that divide it, so that
 * every row is labelled alike; then 1, 2, 3, 4, 5, 10, 20, 50, ... rows. */
static gint64
candidate_after (const HlAxis *axis, gint64 step)
{
  gint64 unit = MAX (axis->major, 1);
  for (gint64 next = step + 1; next < unit; next++)
    if (unit % next == 0)
      return next;
  gint64 rows = step / unit;
  /* Words, unlike numbers, gain nothing from round steps. */
  if (rows < 5 && (unit > 1 || hl_axis_has_words (axis) || rows < 2))
    return (rows + 1) * unit;
  gint64 decade = 1;
  while (decade * 10 <= rows)
    decade *= 10;
  gint64 first = rows / decade;
  return decade * (first < 2 ? 2 : first < 5 ? 5 : 10) * unit;
}

gint64
hl_ruler_step (double need)
{
  HlAxis plain = { 0 };
  gint64 step = 1;
  while (step < need)
    step = candidate_after (&plain, step);
  return step;
}

typedef struct
{
  gint64 offset; /* first cell of the grid; special tokens before it */
  gint64 first;  /* cells in sight */
  gint64 last;
} Sight;

static Sight
sight_of (const HlRuler *ruler)
{
  const HlAxis *axis = ruler->axis;
  return (Sight){
    .offset = axis->major > 0 ? CLAMP ((gint64) axis->major_offset, 0, axis->n) : 0,
    .first = MAX ((gint64) floor (ruler->low), 0),
    .last = MIN ((gint64) ceil (ruler->high), axis->n - 1),
  };
}

static gint64
first_tick (const Sight *sight, gint64 step)
{
  gint64 k = sight->first > sight->offset ? (sight->first - sight->offset) / step : 0;
  return sight->offset + k * step;
}

/* Width of the widest label among those shown at this step. */
static double
widest_shown (const HlTheme *theme, const HlRuler *ruler, gint64 step)
{
  Sight sight = sight_of (ruler);
  Widest widest = { 0 };
  for (gint64 i = first_tick (&sight, step); i <= sight.last; i += step)
    look_at (&widest, theme, ruler->axis, i);
  return widest.width;
}

gint64
hl_ruler_choose_step (const HlTheme *theme, const HlRuler *ruler)
{
  const HlAxis *axis = ruler->axis;
  double em = theme->font_size;
  double length = ruler->is_top ? ruler->rect.width : ruler->rect.height;
  double cell = length / (ruler->high - ruler->low);
  gboolean is_side_by_side = ruler->is_top && !hl_ruler_is_upright (axis);
  if (ruler->step > 0)
    return ruler->step;
  gint64 step = 1;
  while (step * cell < LINE_EM * em && step < axis->n)
    step = candidate_after (axis, step);
  while (is_side_by_side && step < axis->n &&
         step * cell < widest_shown (theme, ruler, step) + BETWEEN_EM * em)
    step = candidate_after (axis, step);
  return step;
}

double
hl_ruler_extent_shown (const HlTheme *theme, const HlRuler *ruler)
{
  const HlAxis *axis = ruler->axis;
  double length = ruler->is_top ? ruler->rect.width : ruler->rect.height;
  double em = theme->font_size;
  double most = hl_ruler_extent (theme, axis, ruler->is_top);
  if (axis->n <= 0 || length <= 0 || (ruler->is_top && !hl_ruler_is_upright (axis)))
    return most;
  double widest = widest_shown (theme, ruler, hl_ruler_choose_step (theme, ruler));
  if (axis->major > 0 && axis->major_offset > 0)
    {
      g_autofree char *special = label_of (axis, 0);
      widest = MAX (widest, hl_text_width (theme, special, 0, FALSE));
    }
  if (ruler->selected >= 0 && ruler->selected < axis->n)
    {
      g_autofree char *selected = label_of (axis, ruler->selected);
      widest = MAX (widest, hl_text_width (theme, selected, 0, TRUE) + 0.1 * em);
    }
  return MIN (widest + (TICK_EM + GAP_EM) * em, most);
}

/* ---- painting ------------------------------------------------------------------------
 */

typedef struct
{
  HlPainter *painter;
  const HlRuler *ruler;
  HlTypesetter *setter;
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

static double
width_of (const Work *work, const char *label, gboolean is_bold)
{
  const HlTheme *theme = &work->painter->theme;
  if (is_bold)
    return hl_text_width (theme, label, 0, TRUE);
  return hl_typesetter_width (work->setter, label, theme->font_size);
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
  gboolean is_across = work->is_turned || !ruler->is_top;
  if (is_across && width_of (work, label, is_selected) > room + 0.01 * em)
    {
      /* Bold is wider than what hl_text_fit() measures. */
      fitted = hl_text_fit (theme, label, em, (is_selected ? 0.85 : 1) * room);
      label = fitted;
    }
  if (!ruler->is_top)
    {
      style.anchor = HL_ANCHOR_END;
      hl_typesetter_paint (work->setter, work->painter, label, right - away,
                           at + hl_text_drop (em), &style, NULL);
    }
  else if (work->is_turned)
    {
      style.is_upright = TRUE;
      hl_typesetter_paint (work->setter, work->painter, label, at + hl_text_drop (em),
                           bottom - away, &style, NULL);
    }
  else
    {
      style.anchor = HL_ANCHOR_MIDDLE;
      hl_typesetter_paint (work->setter, work->painter, label, at, bottom - away, &style,
                           NULL);
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
    along = width_of (work, label, is_selected) + BETWEEN_EM * em;
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
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (Span));
  g_autoptr (HlTypesetter) setter = hl_typesetter_new (painter->theme.font_family);
  Work work = { painter, ruler, setter, ruler->is_top && hl_ruler_is_upright (axis),
                spans };
  gint64 step = hl_ruler_choose_step (&painter->theme, ruler);
  Sight sight = sight_of (ruler);

  cairo_save (painter->cr);
  place (&work, ruler->selected);
  /* Special tokens before the grid; a few, else every step-th of them. */
  for (gint64 i = sight.first - sight.first % step; i < sight.offset && i <= sight.last;
       i += step)
    place (&work, i);
  for (gint64 i = first_tick (&sight, step); i <= sight.last; i += step)
    place (&work, i);
  cairo_restore (painter->cr);
}
