/* SPDX-License-Identifier: MIT
 * Values as crisp coloured cells. */
#include "config.h"

#include "draw/hl-pixels.h"

#include "draw/hl-colormap.h"

#include <math.h>
#include <string.h>

#define EMBEDDED_SIDE_MAX 4096

int
hl_pixels_replicate (const HlPainter *painter, int n, double length)
{
  if (painter->min_replicate <= 1)
    return 1;
  int most = EMBEDDED_SIDE_MAX / MAX (n, 1);
  /* Twice the density that the picture is meant for is enough for a sharp edge. */
  double enough = ceil (2 * painter->pixels_per_unit * length / MAX (n, 1));
  int wanted = (int) CLAMP (enough, 3, painter->min_replicate);
  return CLAMP (most, 1, wanted);
}

float
hl_pooled_value (const HlPooling *pooling, gint64 row, gint64 column)
{
  gint64 r0 = row * pooling->pool, c0 = column * pooling->pool;
  gint64 r1 = MIN (r0 + pooling->pool, pooling->n_rows);
  gint64 c1 = MIN (c0 + pooling->pool, pooling->n_columns);
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

static void
fill_row (guint32 *pixels,
          const HlScale *scale,
          const float *values,
          int n_columns,
          int replicate)
{
  guint8 rgb[3];
  for (int c = 0; c < n_columns; c++)
    {
      hl_colormap_lookup (scale->colormap, hl_scale_position (scale, values[c]), rgb);
      guint32 pixel = (guint32) rgb[0] << 16 | (guint32) rgb[1] << 8 | rgb[2];
      for (int k = 0; k < replicate; k++)
        pixels[c * replicate + k] = pixel;
    }
}

void
hl_paint_surface (cairo_t *cr,
                  cairo_surface_t *surface,
                  const HlRect *place,
                  cairo_filter_t filter)
{
  double width = cairo_image_surface_get_width (surface);
  double height = cairo_image_surface_get_height (surface);
  cairo_save (cr);
  cairo_rectangle (cr, place->x, place->y, place->width, place->height);
  cairo_clip (cr);
  cairo_translate (cr, place->x, place->y);
  cairo_scale (cr, place->width / width, place->height / height);
  cairo_set_source_surface (cr, surface, 0, 0);
  cairo_pattern_set_filter (cairo_get_source (cr), filter);
  cairo_paint (cr);
  cairo_restore (cr);
}

void
hl_paint_pixels (HlPainter *painter,
                 const HlScale *scale,
                 const float *values,
                 int n_rows,
                 int n_columns,
                 const HlRect *place)
{
  int replicate = hl_pixels_replicate (painter, MAX (n_rows, n_columns),
                                       MAX (place->width, place->height));
  cairo_surface_t *surface = cairo_image_surface_create (
      CAIRO_FORMAT_RGB24, n_columns * replicate, n_rows * replicate);
  if (cairo_surface_status (surface) != CAIRO_STATUS_SUCCESS)
    {
      cairo_surface_destroy (surface);
      return;
    }
  cairo_surface_flush (surface);
  guint8 *data = cairo_image_surface_get_data (surface);
  int stride = cairo_image_surface_get_stride (surface);
  for (int r = 0; r < n_rows; r++)
    {
      guint8 *first = data + (gsize) r * replicate * stride;
      fill_row ((guint32 *) first, scale, values + (gsize) r * n_columns, n_columns,
                replicate);
      for (int k = 1; k < replicate; k++)
        memcpy (first + (gsize) k * stride, first, stride);
    }
  cairo_surface_mark_dirty (surface);
  hl_paint_surface (painter->cr, surface, place, CAIRO_FILTER_NEAREST);
  cairo_surface_destroy (surface);
}
