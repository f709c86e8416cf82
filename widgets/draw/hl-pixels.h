/* SPDX-License-Identifier: MIT
 * Values as crisp coloured cells. Private to draw/. */
#pragma once

#include "draw/hl-painter.h"
#include "scene/hl-scene.h"

G_BEGIN_DECLS

/** HlCellPool: values that are joined in a cell, down and across. */
typedef struct
{
  gint64 rows;
  gint64 columns;
} HlCellPool;

/** HlPooling: a map looked at through cells of @pool values. */
typedef struct
{
  const float *values;
  gint64 n_rows;
  gint64 n_columns;
  HlCellPool pool;
  gboolean is_mean;
} HlPooling;

/**
 * hl_pooled_value:
 * @row, @column: of the cell
 * Returns: the mean, or the value of largest magnitude, so that a strong negative
 *   survives in a signed map; NaN ("not applicable") only where all of them are
 */
float hl_pooled_value (const HlPooling *pooling, gint64 row, gint64 column);

/**
 * hl_paint_pixels:
 * @values: @n_rows * @n_columns, row-major; NaN gets the "not applicable" colour
 * @place: what the whole of them covers
 * Sharp edges on the screen, and in files whose readers smooth (see min_replicate).
 */
void hl_paint_pixels (HlPainter *painter,
                      const HlScale *scale,
                      const float *values,
                      int n_rows,
                      int n_columns,
                      const HlRect *place);

/**
 * hl_paint_cells:
 * @pixels: @n_rows * @n_columns, premultiplied as Cairo wants them
 * @format: CAIRO_FORMAT_RGB24 or CAIRO_FORMAT_ARGB32
 * @filter: for fewer pixels than cells; enlarged cells are always sharp
 */
void hl_paint_cells (HlPainter *painter,
                     const guint32 *pixels,
                     int n_rows,
                     int n_columns,
                     cairo_format_t format,
                     cairo_filter_t filter,
                     const HlRect *place);

G_END_DECLS
