/* SPDX-License-Identifier: MIT
 * Values as crisp coloured cells. */
#include "config.h"

#include "draw/hl-pixels.h"

#include "draw/hl-colormap.h"

#include <math.h>

#define EMBEDDED_SIDE_MAX 4096
/* Smaller images are smoothed by readers until their cells' edges are seen to be soft. */
#define EMBEDDED_SIDE_MIN 720

/* Pixels a side for each of @n cells that together are @length long: what the painter
 * asks for, less where that is finer than anyone prints. */
static int
replicate_of (const HlPainter *painter, int n, double length)
{
  if (painter->min_replicate <= 1)
    return 1;
  int most = EMBEDDED_SIDE_MAX / MAX (n, 1);
  /* Twice the density that the picture is meant for is enough for a sharp edge. */
  double enough = ceil (2 * painter->pixels_per_unit * length / MAX (n, 1));
  int wanted = (int) CLAMP (enough, 3, painter->min_replicate);
  wanted = MAX (wanted, (EMBEDDED_SIDE_MIN + n - 1) / MAX (n, 1));
  return CLAMP (most, 1, wanted);
}

float
hl_pooled_value (const HlPooling *pooling, gint64 row, gint64 column)
{
  HlCellPool pool = pooling->pool;
  gint64 r0 = row * pool.rows, c0 = column * pool.columns;
  gint64 r1 = MIN (r0 + pool.rows, pooling->n_rows);
  gint64 c1 = MIN (c0 + pool.columns, pooling->n_columns);
  double sum = 0;
  gint64 n = 0;
  float extreme = NAN;
  for (gint64 r = r0; r < r1; r++)
    for (gint64 c = c0; c < c1; c++)
      {
        float value = pooling->values[r * pooling->n_columns + c];
        if (isnan (value))
          continue;
        sum += value;
        n++;
        if (isnan (extreme) || fabsf (value) > fabsf (extreme))
          extreme = value;
      }
  return pooling->is_mean && n > 0 ? (float) (sum / n) : extreme;
}

/* Every cell @k pixels a side, and @pad more pixels of the outermost cells around them.
 */
static cairo_surface_t *
surface_of_cells (const guint32 *pixels,
                  int n_rows,
                  int n_columns,
                  cairo_format_t format,
                  int k,
                  int pad)
{
  int width = n_columns * k + 2 * pad, height = n_rows * k + 2 * pad;
  cairo_surface_t *surface = cairo_image_surface_create (format, width, height);
  if (cairo_surface_status (surface) != CAIRO_STATUS_SUCCESS)
    return surface;
  cairo_surface_flush (surface);
  guint8 *data = cairo_image_surface_get_data (surface);
  int stride = cairo_image_surface_get_stride (surface);
  for (int y = 0; y < height; y++)
    {
      guint32 *line = (guint32 *) (data + (gsize) y * stride);
      int row = CLAMP ((y - pad) / k, 0, n_rows - 1);
      for (int x = 0; x < width; x++)
        line[x] =
            pixels[(gsize) row * n_columns + CLAMP ((x - pad) / k, 0, n_columns - 1)];
    }
  cairo_surface_mark_dirty (surface);
  return surface;
}

void
hl_paint_cells (HlPainter *painter,
                const guint32 *pixels,
                int n_rows,
                int n_columns,
                cairo_format_t format,
                cairo_filter_t filter,
                const HlRect *place)
{
  cairo_t *cr = painter->cr;
  int k =
      replicate_of (painter, MAX (n_rows, n_columns), MAX (place->width, place->height));
  /* A reader that smooths fades an image's edge into nothing: let it do so outside. */
  int pad = painter->min_replicate > 1 ? 1 : 0;
  cairo_surface_t *surface = surface_of_cells (pixels, n_rows, n_columns, format, k, pad);
  cairo_save (cr);
  cairo_rectangle (cr, place->x, place->y, place->width, place->height);
  cairo_clip (cr);
  cairo_translate (cr, place->x, place->y);
  cairo_scale (cr, place->width / n_columns / k, place->height / n_rows / k);
  cairo_set_source_surface (cr, surface, -pad, -pad);
  cairo_pattern_set_filter (cairo_get_source (cr), filter);
  cairo_paint (cr);
  cairo_restore (cr);
  cairo_surface_destroy (surface);
}

void
hl_paint_pixels (HlPainter *painter,
                 const HlScale *scale,
                 const float *values,
                 int n_rows,
                 int n_columns,
                 const HlRect *place)
{
  gsize n = (gsize) n_rows * n_columns;
  g_autofree guint32 *pixels = g_try_new (guint32, n);
  if (pixels == NULL)
    return;
  for (gsize i = 0; i < n; i++)
    {
      guint8 rgb[3];
      hl_colormap_lookup (scale->colormap, hl_scale_position (scale, values[i]), rgb);
      pixels[i] = (guint32) rgb[0] << 16 | (guint32) rgb[1] << 8 | rgb[2];
    }
  hl_paint_cells (painter, pixels, n_rows, n_columns, CAIRO_FORMAT_RGB24,
                  CAIRO_FILTER_NEAREST, place);
}
