/* SPDX-License-Identifier: MIT
 * One attention map: layout, hit testing, and painting as a whole or in parts, so that a
 * widget can draw the cells by other means and keep the rulers and the bar.
 * Coordinates of a view are entries of the map (tokens), not pooled values: x along the
 * columns (keys), y along the rows (queries). */
#pragma once

#include "draw/hl-pixels.h"
#include "draw/hl-paint-bar.h"
#include "draw/hl-painter.h"
#include "scene/hl-scene.h"

G_BEGIN_DECLS

/** HlView: the part of a map in sight, in entries; may begin inside a cell. */
typedef struct
{
  double x0;
  double y0;
  double x1;
  double y1;
} HlView;

typedef enum
{
  HL_MATRIX_NONE = 0,
  HL_MATRIX_TITLE = 1 << 0,
  HL_MATRIX_RULERS = 1 << 1,
  HL_MATRIX_AXIS_TITLES = 1 << 2,
  HL_MATRIX_BAR = 1 << 3,
  HL_MATRIX_SQUARE = 1 << 4, /* shrink the cells' rectangle so that cells are square */
  HL_MATRIX_ALL = 0x1f,
  HL_MATRIX_NO_LEFT = 1 << 5, /* no left ruler and row title: the panel beside has them */
  HL_MATRIX_TIGHT = 1 << 6,   /* rulers as wide as the labels shown now; for a figure */
} HlMatrixFlags;

/**
 * HlMatrixLayout: where the parts lie, in user units; plain data, no clean-up.
 * @title, @cells, @top, @left, @bar: zero sized when left out. @top and @left touch
 *   @cells; @bar is the coloured strip alone, its numbers to the right of it
 * @view: the entries that @cells shows
 * @top_step, @left_step: cells from label to label; 0 while that follows the zoom
 * @used_width, @used_height: what is really used of the space given
 */
typedef struct
{
  HlMatrixFlags flags;
  HlView view;
  HlRect title;
  HlRect cells;
  HlRect top;
  HlRect left;
  HlRect bar;
  gint64 top_step;
  gint64 left_step;
  double used_width;
  double used_height;
} HlMatrixLayout;

/**
 * hl_matrix_layout_compute:
 * @view: (nullable): NULL means the whole map
 * Rulers and bar keep their sizes whatever the view is, so nothing jumps in a zoom.
 */
void hl_matrix_layout_compute (const HlMatrixScene *scene,
                               const HlTheme *theme,
                               double width,
                               double height,
                               const HlView *view,
                               HlMatrixFlags flags,
                               HlMatrixLayout *layout);

/** hl_matrix_layout_hit: entry under a point; FALSE outside the cells (or the map). */
gboolean hl_matrix_layout_hit (const HlMatrixLayout *layout,
                               const HlMatrixScene *scene,
                               double x,
                               double y,
                               gint64 *row,
                               gint64 *column);

/** hl_matrix_layout_entry_rect: of one entry in user units; may lie outside @cells. */
HlRect
hl_matrix_layout_entry_rect (const HlMatrixLayout *layout, gint64 row, gint64 column);

/** hl_paint_matrix_cells: from @scene->values; nothing where they are NULL. Smaller than
 * a pixel, entries are joined by their maximum (or mean, as the scene says). */
void hl_paint_matrix_cells (HlPainter *painter,
                            const HlMatrixScene *scene,
                            const HlMatrixLayout *layout);

/**
 * hl_matrix_layout_pool:
 * @pixels_per_unit: as in HlPainter
 * Returns: how many values a side hl_paint_matrix_cells() joins into one painted cell,
 *   1 where every value has at least a pixel; a caption says it when it is more
 */
HlCellPool hl_matrix_layout_pool (const HlMatrixLayout *layout,
                                  const HlMatrixScene *scene,
                                  double pixels_per_unit);

/** hl_paint_matrix_rulers: ticks and labels, thinned to what is legible, axis titles, and
 * the frame round the cells; the selected query's label in orange. */
void hl_paint_matrix_rulers (HlPainter *painter,
                             const HlMatrixScene *scene,
                             const HlMatrixLayout *layout);

/** hl_paint_matrix_marks: orange lines along the selected query and a box round the
 * selected key. */
void hl_paint_matrix_marks (HlPainter *painter,
                            const HlMatrixScene *scene,
                            const HlMatrixLayout *layout);

/** hl_paint_matrix: everything that @layout has a place for. */
void hl_paint_matrix (HlPainter *painter,
                      const HlMatrixScene *scene,
                      const HlMatrixLayout *layout);

G_END_DECLS
