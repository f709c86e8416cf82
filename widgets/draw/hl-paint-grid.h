/* SPDX-License-Identifier: MIT
 * The grid of heads: a thumbnail a head, one row a layer. */
#pragma once

#include "draw/hl-paint-bar.h"
#include "draw/hl-painter.h"
#include "scene/hl-scene.h"

G_BEGIN_DECLS

typedef enum
{
  HL_GRID_NONE = 0,
  HL_GRID_TITLE = 1 << 0,
  HL_GRID_LABELS = 1 << 1,
  HL_GRID_BAR = 1 << 2,
  HL_GRID_AXIS_TITLES = 1 << 3,
  HL_GRID_ALL = 0xf,
} HlGridFlags;

/**
 * HlGridLayout: plain data, no clean-up; user units.
 * @cell: side of a thumbnail; @gap between two
 * @n_per_group: heads that share a key-value head, 0 for none; @group_gap: what is
 * between two such groups besides @gap
 * @x0, @y0: top left corner of the thumbnail (0, 0)
 * @bar: the coloured strip alone
 * @n_layers, @max_heads: as in the scene
 * @width, @height: what the grid takes; the width can exceed the one given when the
 *   cell size was given too
 */
typedef struct
{
  HlGridFlags flags;
  double cell;
  double gap;
  int n_per_group;
  double group_gap;
  double x0;
  double y0;
  int n_layers;
  int max_heads;
  HlRect title;
  HlRect bar;
  double width;
  double height;
} HlGridLayout;

/**
 * hl_grid_layout_compute:
 * @cell: side of a thumbnail; 0 or less: whatever fills @width
 */
void hl_grid_layout_compute (const HlGridScene *scene,
                             const HlTheme *theme,
                             double width,
                             double cell,
                             HlGridFlags flags,
                             HlGridLayout *layout);

/** hl_grid_layout_cell: where a head's thumbnail lies. */
HlRect hl_grid_layout_cell (const HlGridLayout *layout, int layer, int head);

/** hl_grid_layout_heads_width: of all thumbnails of the widest layer. */
double hl_grid_layout_heads_width (const HlGridLayout *layout);
double hl_grid_layout_layers_height (const HlGridLayout *layout);

/** hl_grid_layout_column_at: head and how far into it a point is; 2.5 is the middle of
 * head 2. hl_grid_layout_column_x() is its inverse. Between groups: the end of one. */
double hl_grid_layout_column_at (const HlGridLayout *layout, double x);
double hl_grid_layout_column_x (const HlGridLayout *layout, double column);

/** hl_grid_layout_hit: head under a point; gaps belong to no head. */
gboolean hl_grid_layout_hit (const HlGridLayout *layout,
                             const HlGridScene *scene,
                             double x,
                             double y,
                             int *layer,
                             int *head);

/**
 * hl_grid_layout_visible:
 * @visible: (nullable): NULL means everything
 * @layer_end, @head_end: (out): one past the last
 */
void hl_grid_layout_visible (const HlGridLayout *layout,
                             const HlRect *visible,
                             int *layer_start,
                             int *layer_end,
                             int *head_start,
                             int *head_end);

/** hl_paint_grid_labels: layer labels and head labels, thinned; with @visible (nullable)
 * they stick to its left and upper edge over a strip of background. */
void hl_paint_grid_labels (HlPainter *painter,
                           const HlGridScene *scene,
                           const HlGridLayout *layout,
                           const HlRect *visible);

/** hl_paint_grid_thumbs: the thumbnails; a faint texture where one is not known yet. */
void hl_paint_grid_thumbs (HlPainter *painter,
                           const HlGridScene *scene,
                           const HlGridLayout *layout,
                           const HlRect *visible);

/** hl_paint_grid_marks: crosses on marked heads, the blue frame, a thin frame on the
 * hovered head (-1 for none). */
void hl_paint_grid_marks (HlPainter *painter,
                          const HlGridScene *scene,
                          const HlGridLayout *layout,
                          const HlRect *visible,
                          int hover_layer,
                          int hover_head);

/** hl_paint_grid: everything that @layout has a place for. */
void
hl_paint_grid (HlPainter *painter, const HlGridScene *scene, const HlGridLayout *layout);

/** hl_grid_thumb_scale: the scale that a thumbnail is coloured by: the scene's, or 0 to
 * its own maximum in per-head mode. */
HlScale hl_grid_thumb_scale (const HlGridScene *scene, const HlThumb *thumb);

G_END_DECLS
