/* SPDX-License-Identifier: MIT
 * Where the thumbnails of a grid of heads lie, and which head is under a point. */
#include "config.h"

#include "draw/hl-paint-grid.h"

#include <math.h>

/* Distances in multiples of the text size. */
#define TITLE_EM 1.9
#define AXIS_TITLE_EM 1.4
#define LABEL_GAP_EM 0.5
#define LABEL_MAX_EM 8.0
#define BAR_GAP_EM 1.0
#define EDGE_EM 0.6
#define GAP_SHARE 0.05   /* of a thumbnail's side */
#define GROUP_SHARE 0.16 /* likewise, more between two groups */
#define GROUP_EM 1.5     /* the groups' labels and brackets */

static double
widest_label (const HlGridScene *scene, const HlTheme *theme)
{
  double widest = 0;
  for (guint l = 0; l < scene->layers->len; l++)
    {
      const HlGridLayer *layer = g_ptr_array_index (scene->layers, l);
      /* Only labels that can be wider than the widest so far are worth measuring. */
      if (layer->label == NULL ||
          g_utf8_strlen (layer->label, 64) * 1.2 * theme->font_size <= widest)
        continue;
      widest = MAX (widest, hl_text_width (theme, layer->label, 0, TRUE));
    }
  return MIN (widest, LABEL_MAX_EM * theme->font_size);
}

/* Cell and gaps that fill @room, or the gaps of a cell that is given. */
static void
divide_room (HlGridLayout *layout, double room, double cell, double line)
{
  int n = MAX (layout->max_heads, 1);
  int n_between = layout->n_per_group > 0 ? (n - 1) / layout->n_per_group : 0;
  layout->cell =
      cell > 0 ? cell
               : room / (n + GAP_SHARE * (n - 1) + GROUP_SHARE * MAX (n_between, 0));
  layout->gap = MAX (GAP_SHARE * layout->cell, 1.5 * line);
  layout->group_gap =
      layout->n_per_group > 0 ? MAX (GROUP_SHARE * layout->cell, 2 * line) : 0;
  if (cell <= 0)
    layout->cell =
        MAX ((room - layout->gap * (n - 1) - layout->group_gap * n_between) / n, line);
}

void
hl_grid_layout_compute (const HlGridScene *scene,
                        const HlTheme *theme,
                        double width,
                        double cell,
                        HlGridFlags flags,
                        HlGridLayout *layout)
{
  double em = theme->font_size, line = theme->line_width;
  double left = 2 * line, top = 2 * line, right = 2 * line, bottom = 2 * line;
  *layout = (HlGridLayout){ .flags = flags };
  layout->n_layers = (int) scene->layers->len;
  layout->max_heads = hl_grid_scene_max_heads (scene);
  layout->n_per_group = hl_grid_scene_per_group (scene);

  double title_height = 0;
  if ((flags & HL_GRID_TITLE) && scene->title != NULL)
    title_height = TITLE_EM * em;
  top += title_height;
  if (flags & HL_GRID_AXIS_TITLES)
    {
      left += AXIS_TITLE_EM * em;
      top += AXIS_TITLE_EM * em;
    }
  if (flags & HL_GRID_LABELS)
    {
      left += widest_label (scene, theme) + LABEL_GAP_EM * em;
      top += (1 + LABEL_GAP_EM) * em;
      top += layout->n_per_group > 0 ? GROUP_EM * em : 0;
    }
  if (flags & HL_GRID_BAR)
    {
      right += BAR_GAP_EM * em + hl_color_bar_extent (theme, &scene->scale, TRUE);
      bottom = MAX (bottom, EDGE_EM * em);
    }

  double room = MAX (width - left - right, MAX (layout->max_heads, 1));
  divide_room (layout, room, cell, line);
  layout->x0 = left;
  layout->y0 = top;

  double grid_width = hl_grid_layout_heads_width (layout);
  double grid_height = hl_grid_layout_layers_height (layout);
  layout->width = left + grid_width + right;
  layout->height = top + grid_height + bottom;
  if (title_height > 0)
    layout->title = (HlRect){ left, 0, grid_width + right, title_height };
  if (flags & HL_GRID_BAR)
    layout->bar =
        (HlRect){ left + grid_width + BAR_GAP_EM * em, top, HL_COLOR_BAR_EM * em,
                  hl_color_bar_length (theme, grid_height) };
}

double
hl_grid_layout_heads_width (const HlGridLayout *layout)
{
  if (layout->max_heads < 1)
    return 0;
  HlRect last = hl_grid_layout_cell (layout, 0, layout->max_heads - 1);
  return last.x + last.width - layout->x0;
}

double
hl_grid_layout_layers_height (const HlGridLayout *layout)
{
  double pitch = layout->cell + layout->gap;
  return MAX (layout->n_layers * pitch - layout->gap, 0);
}

HlRect
hl_grid_layout_cell (const HlGridLayout *layout, int layer, int head)
{
  double pitch = layout->cell + layout->gap;
  int group = layout->n_per_group > 0 ? head / layout->n_per_group : 0;
  return (HlRect){ layout->x0 + head * pitch + group * layout->group_gap,
                   layout->y0 + layer * pitch, layout->cell, layout->cell };
}

double
hl_grid_layout_column_at (const HlGridLayout *layout, double x)
{
  double pitch = layout->cell + layout->gap, along = x - layout->x0;
  int n = layout->n_per_group;
  if (n < 1 || along < 0)
    return along / pitch;
  double group = floor (along / (n * pitch + layout->group_gap));
  along -= group * (n * pitch + layout->group_gap);
  return group * n + MIN (along / pitch, n);
}

double
hl_grid_layout_column_x (const HlGridLayout *layout, double column)
{
  double pitch = layout->cell + layout->gap, x = layout->x0 + column * pitch;
  if (layout->n_per_group > 0 && column > 0)
    x += floor (column / layout->n_per_group) * layout->group_gap;
  return x;
}

gboolean
hl_grid_layout_hit (const HlGridLayout *layout,
                    const HlGridScene *scene,
                    double x,
                    double y,
                    int *layer,
                    int *head)
{
  double pitch = layout->cell + layout->gap;
  double h = floor (hl_grid_layout_column_at (layout, x));
  double l = floor ((y - layout->y0) / pitch);
  if (l < 0 || h < 0 || l >= layout->n_layers || l >= scene->layers->len)
    return FALSE;
  const HlGridLayer *row = g_ptr_array_index (scene->layers, (guint) l);
  if (h >= row->n_heads)
    return FALSE;
  HlRect cell = hl_grid_layout_cell (layout, (int) l, (int) h);
  if (!hl_rect_contains (&cell, x, y))
    return FALSE;
  *layer = (int) l;
  *head = (int) h;
  return TRUE;
}

void
hl_grid_layout_visible (const HlGridLayout *layout,
                        const HlRect *visible,
                        int *layer_start,
                        int *layer_end,
                        int *head_start,
                        int *head_end)
{
  *layer_start = *head_start = 0;
  *layer_end = layout->n_layers;
  *head_end = layout->max_heads;
  if (visible == NULL)
    return;
  double pitch = layout->cell + layout->gap;
  double l0 = floor ((visible->y - layout->y0) / pitch);
  double l1 = ceil ((visible->y + visible->height - layout->y0) / pitch);
  double h0 = floor (hl_grid_layout_column_at (layout, visible->x));
  double h1 = ceil (hl_grid_layout_column_at (layout, visible->x + visible->width));
  *layer_start = (int) CLAMP (l0, 0, layout->n_layers);
  *layer_end = (int) CLAMP (l1, *layer_start, layout->n_layers);
  *head_start = (int) CLAMP (h0, 0, layout->max_heads);
  *head_end = (int) CLAMP (h1, *head_start, layout->max_heads);
}
