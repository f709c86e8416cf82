/* SPDX-License-Identifier: MIT
 * The tokens of a text that are in sight, under a point, beside one another. */
#include "config.h"

#include "draw/hl-token-layout.h"

#include <math.h>

/* ---- lines and places ----------------------------------------------------------------
 */

static gint64
line_of_slot (const HlTokenLayout *layout, gint64 slot)
{
  if (layout->mode == HL_TOKEN_LIST)
    return slot;
  gint64 low = 0, high = layout->n_lines - 1;
  while (low < high)
    {
      gint64 middle = low + (high - low + 1) / 2;
      if (layout->lines[middle] <= slot)
        low = middle;
      else
        high = middle - 1;
    }
  return low;
}

static gint64
slot_of (const HlTokenLayout *layout, gint64 token)
{
  if (layout->tokens == NULL || token < 0 || token >= layout->tokens->n)
    return -1;
  return layout->slots[token];
}

gint64
hl_token_layout_line (const HlTokenLayout *layout, gint64 token)
{
  gint64 slot = slot_of (layout, token);
  return slot >= 0 ? line_of_slot (layout, slot) : -1;
}

void
hl_token_layout_slots_in (const HlTokenLayout *layout,
                          gint64 line_start,
                          gint64 line_end,
                          gint64 *start,
                          gint64 *end)
{
  line_start = CLAMP (line_start, 0, layout->n_lines);
  line_end = CLAMP (line_end, line_start, layout->n_lines);
  *start = layout->mode == HL_TOKEN_LIST || layout->n_lines == 0
               ? line_start
               : layout->lines[line_start];
  *end = layout->mode == HL_TOKEN_LIST || layout->n_lines == 0 ? line_end
                                                               : layout->lines[line_end];
}

void
hl_token_layout_lines_in (
    const HlTokenLayout *layout, double top, double bottom, gint64 *start, gint64 *end)
{
  double first = floor ((top - layout->body.y) / MAX (layout->line_height, 1e-3));
  double last = ceil ((bottom - layout->body.y) / MAX (layout->line_height, 1e-3));
  *start = (gint64) CLAMP (first, 0, (double) layout->n_lines);
  *end = (gint64) CLAMP (last, (double) *start, (double) layout->n_lines);
}

/* Pieces of a box in a list touch one another. */
static HlRect
row_rect (const HlTokenLayout *layout, gint64 slot)
{
  gint64 token = layout->shown[slot];
  double gap = layout->line_height - layout->box_height;
  double y = layout->body.y + (double) slot * layout->line_height;
  HlRect rect = { layout->xs[slot], y + gap / 2, layout->widths[slot],
                  layout->box_height };
  if (layout->tokens->items[token].group == 0)
    return rect;
  int n = 1;
  gint64 first = hl_token_list_piece (layout->tokens, token, &n);
  if (token > first)
    {
      rect.y -= gap / 2;
      rect.height += gap / 2;
    }
  if (token < first + n - 1)
    rect.height += gap / 2;
  return rect;
}

HlRect
hl_token_layout_rect (const HlTokenLayout *layout, gint64 token)
{
  gint64 slot = slot_of (layout, token);
  if (slot < 0)
    return (HlRect){ 0 };
  if (layout->mode == HL_TOKEN_LIST)
    return row_rect (layout, slot);
  double y = layout->body.y + (double) line_of_slot (layout, slot) * layout->line_height;
  return (HlRect){ layout->body.x + layout->xs[slot], y, layout->widths[slot],
                   layout->box_height };
}

/* ---- under a point -------------------------------------------------------------------
 */

/* The last place of a line that begins at or before @x, or the first. */
static gint64
slot_at (const HlTokenLayout *layout, gint64 line, double x)
{
  gint64 low, end;
  hl_token_layout_slots_in (layout, line, line + 1, &low, &end);
  gint64 high = end - 1;
  while (low < high)
    {
      gint64 middle = low + (high - low + 1) / 2;
      if (layout->xs[middle] <= x - layout->body.x)
        low = middle;
      else
        high = middle - 1;
    }
  return low;
}

gboolean
hl_token_layout_hit (const HlTokenLayout *layout, double x, double y, gint64 *token)
{
  double line = floor ((y - layout->body.y) / MAX (layout->line_height, 1e-3));
  if (!(line >= 0 && line < (double) layout->n_lines))
    return FALSE;
  gint64 found = layout->shown[slot_at (layout, (gint64) line, x)];
  HlRect rect = hl_token_layout_rect (layout, found);
  if (layout->mode == HL_TOKEN_LIST ? x < layout->arcs_x || x >= layout->width
                                    : !hl_rect_contains (&rect, x, y))
    return FALSE;
  *token = found;
  return TRUE;
}

static gint64
nearest_in_line (const HlTokenLayout *layout, gint64 line, double x)
{
  gint64 slot = slot_at (layout, line, x), start, end;
  hl_token_layout_slots_in (layout, line, line + 1, &start, &end);
  /* In the gap after a box the next one may be nearer. */
  double at = x - layout->body.x;
  if (layout->mode == HL_TOKEN_FLOW && slot + 1 < end &&
      at - layout->xs[slot] - layout->widths[slot] > layout->xs[slot + 1] - at)
    slot++;
  return layout->shown[slot];
}

gint64
hl_token_layout_nearest (const HlTokenLayout *layout, double x, double y)
{
  if (layout->n_lines == 0)
    return -1;
  double line = floor ((y - layout->body.y) / layout->line_height);
  return nearest_in_line (layout, (gint64) CLAMP (line, 0, (double) layout->n_lines - 1),
                          x);
}

/* ---- beside one another --------------------------------------------------------------
 */

/* The place of a token, or of the next one that is shown. */
static gint64
slot_from (const HlTokenLayout *layout, gint64 token)
{
  gint64 n = layout->tokens->n;
  token = CLAMP (token, 0, n - 1);
  while (token < n - 1 && layout->slots[token] < 0)
    token++;
  return layout->slots[token] >= 0 ? layout->slots[token] : layout->n_shown - 1;
}

gint64
hl_token_layout_step (const HlTokenLayout *layout, gint64 token, gint64 by)
{
  if (layout->n_shown == 0)
    return -1;
  gint64 slot = slot_from (layout, token) + by;
  return layout->shown[CLAMP (slot, 0, layout->n_shown - 1)];
}

gint64
hl_token_layout_step_lines (const HlTokenLayout *layout,
                            gint64 token,
                            gint64 by,
                            double x)
{
  if (layout->n_shown == 0)
    return -1;
  gint64 line = line_of_slot (layout, slot_from (layout, token)) + by;
  return nearest_in_line (layout, CLAMP (line, 0, layout->n_lines - 1), x);
}

gint64
hl_token_layout_line_end (const HlTokenLayout *layout, gint64 token, gboolean is_last)
{
  if (layout->n_shown == 0)
    return -1;
  gint64 line = line_of_slot (layout, slot_from (layout, token)), start, end;
  hl_token_layout_slots_in (layout, line, line + 1, &start, &end);
  return layout->shown[is_last ? end - 1 : start];
}
