/* SPDX-License-Identifier: MIT
 * Resizing 8-bit pictures with the same result as PIL's Image.resize: each output pixel
 * is a weighted sum of the input pixels under a filter, along rows and along columns,
 * with weights of 22 bits and a rounding to 8 bits after each pass. */
#include "io/hl-resample.h"

#include "base/hl-error.h"
#include "io/hl-image.h"

#include <math.h>
#include <string.h>

/* 32 bits less 8 of the pixel less 2 of headroom for weights that overshoot. */
#define WEIGHT_BITS 22

/**
 * Weights: of one pass.
 * @first, @n: per output place: the input places under the filter
 * @weight: n_max per output place, fixed point
 */
typedef struct
{
  int n_max;
  int *first;
  int *n;
  gint32 *weight;
} Weights;

static double
sinc (double x)
{
  return x == 0 ? 1 : sin (x * G_PI) / (x * G_PI);
}

static double
filter_lanczos (double x)
{
  return x >= -3 && x < 3 ? sinc (x) * sinc (x / 3) : 0;
}

static double
filter_bilinear (double x)
{
  return MAX (1 - fabs (x), 0);
}

/* Keys' cubic with a = -1/2. */
static double
filter_bicubic (double x)
{
  const double a = -0.5;
  x = fabs (x);
  if (x < 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static double
filter_box (double x)
{
  return x > -0.5 && x <= 0.5 ? 1 : 0;
}

static double
filter_hamming (double x)
{
  x = fabs (x);
  if (x == 0)
    return 1;
  return x < 1 ? sin (x * G_PI) / (x * G_PI) * (0.54 + 0.46 * cos (x * G_PI)) : 0;
}

static const struct
{
  const char *name;
  double (*value) (double x);
  double support; /* zero beyond */
} filters[HL_N_FILTERS] = {
  [HL_FILTER_NEAREST] = { "nearest", NULL, 0 },
  [HL_FILTER_LANCZOS] = { "lanczos", filter_lanczos, 3 },
  [HL_FILTER_BILINEAR] = { "bilinear", filter_bilinear, 1 },
  [HL_FILTER_BICUBIC] = { "bicubic", filter_bicubic, 2 },
  [HL_FILTER_BOX] = { "box", filter_box, 0.5 },
  [HL_FILTER_HAMMING] = { "hamming", filter_hamming, 1 },
};

const char *
hl_filter_name (HlFilter filter)
{
  return (int) filter >= 0 && filter < HL_N_FILTERS ? filters[filter].name : NULL;
}

static void
weights_clear (Weights *weights)
{
  g_free (weights->first);
  g_free (weights->n);
  g_free (weights->weight);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Weights, weights_clear)

/* The weights of one output place: sampled at the input pixels' centres, made to sum to
 * one, rounded away from zero at the half. */
static void
fill_weights (
    Weights *weights, int place, int n_in, double scale, HlFilter filter, double *real)
{
  double stretch = MAX (scale, 1); /* antialiasing: a wider filter makes smaller */
  double support = filters[filter].support * stretch;
  double centre = (place + 0.5) * scale, inverse = 1.0 / stretch, sum = 0;
  int first = MAX ((int) (centre - support + 0.5), 0);
  int n = MIN ((int) (centre + support + 0.5), n_in) - first;
  for (int i = 0; i < n; i++)
    {
      real[i] = filters[filter].value ((i + first - centre + 0.5) * inverse);
      sum += real[i];
    }
  gint32 *out = weights->weight + (gsize) place * (gsize) weights->n_max;
  for (int i = 0; i < n; i++)
    {
      double w = (sum != 0 ? real[i] / sum : real[i]) * (1 << WEIGHT_BITS);
      out[i] = (gint32) (w < 0 ? w - 0.5 : w + 0.5);
    }
  weights->first[place] = first;
  weights->n[place] = n;
}

static gboolean
weights_init (Weights *weights, int n_in, int n_out, HlFilter filter, GError **error)
{
  double scale = (double) n_in / n_out;
  weights->n_max = (int) ceil (filters[filter].support * MAX (scale, 1)) * 2 + 1;
  weights->first = g_new (int, n_out);
  weights->n = g_new (int, n_out);
  weights->weight = g_try_new (gint32, (gsize) n_out * (gsize) weights->n_max);
  if (weights->weight == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MEMORY,
                   "out of memory: weights to resize %d to %d pixels", n_in, n_out);
      return FALSE;
    }
  g_autofree double *real = g_new (double, weights->n_max);
  for (int i = 0; i < n_out; i++)
    fill_weights (weights, i, n_in, scale, filter, real);
  return TRUE;
}

static inline guint8
round_to_byte (gint32 sum)
{
  return (guint8) CLAMP (sum >> WEIGHT_BITS, 0, 255);
}

/* (H, n_in, C) to (H, n_out, C) */
static void
resample_rows (const HlTensor *in, const Weights *weights, HlTensor *out)
{
  gint64 height = in->shape.dim[0], n_channels = in->shape.dim[2];
  gint64 n_in = in->shape.dim[1], n_out = out->shape.dim[1];
  for (gint64 y = 0; y < height; y++)
    {
      const guint8 *row = (const guint8 *) in->data + y * n_in * n_channels;
      guint8 *to = (guint8 *) out->data + y * n_out * n_channels;
      for (gint64 x = 0; x < n_out; x++)
        {
          const gint32 *weight = weights->weight + x * weights->n_max;
          const guint8 *from = row + weights->first[x] * n_channels;
          for (gint64 c = 0; c < n_channels; c++)
            {
              gint32 sum = 1 << (WEIGHT_BITS - 1);
              for (int i = 0; i < weights->n[x]; i++)
                sum += from[i * n_channels + c] * weight[i];
              *to++ = round_to_byte (sum);
            }
        }
    }
}

/* (n_in, W, C) to (n_out, W, C): whole rows are summed, so that memory is read in order.
 */
static void
resample_columns (const HlTensor *in,
                  const Weights *weights,
                  gint32 *sums, /* room for W * C */
                  HlTensor *out)
{
  gint64 row_size = in->shape.dim[1] * in->shape.dim[2], n_out = out->shape.dim[0];
  for (gint64 y = 0; y < n_out; y++)
    {
      const gint32 *weight = weights->weight + y * weights->n_max;
      for (gint64 x = 0; x < row_size; x++)
        sums[x] = 1 << (WEIGHT_BITS - 1);
      for (int i = 0; i < weights->n[y]; i++)
        {
          const guint8 *from =
              (const guint8 *) in->data + (weights->first[y] + i) * row_size;
          for (gint64 x = 0; x < row_size; x++)
            sums[x] += from[x] * weight[i];
        }
      guint8 *to = (guint8 *) out->data + y * row_size;
      for (gint64 x = 0; x < row_size; x++)
        to[x] = round_to_byte (sums[x]);
    }
}

/* The input place of every output place. The position is added up step by step, as PIL
 * does it: at a tie the last bit decides. */
static int *
nearest_places (int n_in, int n_out)
{
  int *places = g_new (int, n_out);
  double scale = (double) n_in / n_out, at = scale * 0.5;
  for (int i = 0; i < n_out; i++, at += scale)
    places[i] = MIN ((int) at, n_in - 1);
  return places;
}

static void
resample_nearest (const HlTensor *in, HlTensor *out)
{
  gsize n_channels = (gsize) in->shape.dim[2], row_in = (gsize) in->shape.dim[1];
  int height = (int) out->shape.dim[0], width = (int) out->shape.dim[1];
  g_autofree int *rows = nearest_places ((int) in->shape.dim[0], height);
  g_autofree int *columns = nearest_places ((int) in->shape.dim[1], width);
  guint8 *to = out->data;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++, to += n_channels)
      memcpy (to,
              (const guint8 *) in->data +
                  ((gsize) rows[y] * row_in + (gsize) columns[x]) * n_channels,
              n_channels);
}

static gboolean
check_arguments (
    const HlTensor *image, int height, int width, HlFilter filter, GError **error)
{
  if (image->dtype != HL_DTYPE_U8)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_DTYPE, "resize: uint8 expected, %s found",
                   hl_dtype_name (image->dtype));
      return FALSE;
    }
  const gint64 *dim = image->shape.dim;
  if (image->shape.n_dims != 3 || !hl_tensor_is_contiguous (image) || dim[0] < 1 ||
      dim[0] > HL_IMAGE_MAX_SIDE || dim[1] < 1 || dim[1] > HL_IMAGE_MAX_SIDE ||
      dim[2] < 1 || dim[2] > 4)
    {
      g_autofree char *shape = hl_shape_to_string (&image->shape);
      g_set_error (error, HL_ERROR, HL_ERROR_SHAPE,
                   "resize: a picture (height, width, 1 to 4) of up to %d pixels a side "
                   "expected, %s found",
                   HL_IMAGE_MAX_SIDE, shape);
      return FALSE;
    }
  if (height < 1 || width < 1 || height > HL_IMAGE_MAX_SIDE ||
      width > HL_IMAGE_MAX_SIDE || (gint64) height * width > HL_IMAGE_MAX_PIXELS)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "resize: a size of 1 to %d pixels a side and at most %d megapixels "
                   "expected, %d x %d found",
                   HL_IMAGE_MAX_SIDE, HL_IMAGE_MAX_PIXELS / 1000000, width, height);
      return FALSE;
    }
  if (hl_filter_name (filter) == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "resize: a filter from 0 to %d expected, %d found", HL_N_FILTERS - 1,
                   (int) filter);
      return FALSE;
    }
  return TRUE;
}

/* One pass along dimension @dim (0 rows, 1 columns); @image itself where nothing
 * changes. */
static HlTensor *
resample_pass (HlTensor *image, int dim, int n_out, HlFilter filter, GError **error)
{
  int n_in = (int) image->shape.dim[dim];
  if (n_in == n_out)
    return hl_tensor_ref (image);
  g_auto (Weights) weights = { 0 };
  if (!weights_init (&weights, n_in, n_out, filter, error))
    return NULL;
  HlShape shape = image->shape;
  shape.dim[dim] = n_out;
  HlTensor *out = hl_tensor_new (HL_DTYPE_U8, shape, error);
  if (out == NULL)
    return NULL;
  if (dim == 1)
    resample_rows (image, &weights, out);
  else
    {
      g_autofree gint32 *sums = g_new (gint32, shape.dim[1] * shape.dim[2]);
      resample_columns (image, &weights, sums, out);
    }
  return out;
}

/* Which pass comes first shows in the result, since each rounds to bytes. PIL went along
 * rows first until release 13; since then it begins with the columns where the height
 * loses more than twice the pixels that the width does (found by experiment: 1,900
 * sizes). */
static gboolean
goes_vertical_first (const HlTensor *image, int height, int width)
{
  gint64 rows_lost = image->shape.dim[0] - height;
  gint64 columns_lost = image->shape.dim[1] - width;
  return rows_lost > 0 && rows_lost > 2 * columns_lost;
}

HlTensor *
hl_resample (HlTensor *image, int height, int width, HlFilter filter, GError **error)
{
  if (!check_arguments (image, height, width, filter, error))
    return NULL;
  if (image->shape.dim[0] == height && image->shape.dim[1] == width)
    return hl_tensor_ref (image);
  if (filter == HL_FILTER_NEAREST)
    {
      HlShape shape = HL_SHAPE (height, width, image->shape.dim[2]);
      HlTensor *out = hl_tensor_new (HL_DTYPE_U8, shape, error);
      if (out != NULL)
        resample_nearest (image, out);
      return out;
    }
  gboolean rows_first = goes_vertical_first (image, height, width);
  g_autoptr (HlTensor) half = resample_pass (image, rows_first ? 0 : 1,
                                             rows_first ? height : width, filter, error);
  if (half == NULL)
    return NULL;
  return resample_pass (half, rows_first ? 1 : 0, rows_first ? width : height, filter,
                        error);
}
