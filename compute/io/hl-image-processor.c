/* SPDX-License-Identifier: MIT
 * From a picture to a model's input: resize, centre crop, rescale, normalise. */
#include "io/hl-image-processor.h"

#include "base/hl-error.h"
#include "io/hl-image.h"
#include "io/hl-json.h"

#include <string.h>

#define FILE_NAME "preprocessor_config.json"

/* ---- reading -------------------------------------------------------------------------
 */

HlImageProcessor *
hl_image_processor_new_default (int image_height, int image_width)
{
  HlImageProcessor *processor = g_new0 (HlImageProcessor, 1);
  g_atomic_ref_count_init (&processor->refs);
  processor->class_name = g_strdup ("ViTImageProcessor");
  processor->do_resize = TRUE;
  processor->height = image_height;
  processor->width = image_width;
  processor->resample = HL_FILTER_BILINEAR;
  processor->do_rescale = TRUE;
  processor->rescale_factor = 1.0 / 255.0;
  processor->do_normalize = TRUE;
  processor->n_mean = processor->n_std = 1;
  processor->mean[0] = processor->std[0] = 0.5;
  return processor;
}

HlImageProcessor *
hl_image_processor_ref (HlImageProcessor *processor)
{
  g_atomic_ref_count_inc (&processor->refs);
  return processor;
}

void
hl_image_processor_unref (HlImageProcessor *processor)
{
  if (processor == NULL || !g_atomic_ref_count_dec (&processor->refs))
    return;
  g_free (processor->class_name);
  g_free (processor);
}

HlImageProcessor *
hl_image_processor_new_with_size (const HlImageProcessor *processor,
                                  int height,
                                  int width)
{
  HlImageProcessor *copy = g_memdup2 (processor, sizeof *processor);
  g_atomic_ref_count_init (&copy->refs);
  copy->class_name = g_strdup (processor->class_name);
  copy->do_resize = TRUE;
  copy->height = height;
  copy->width = width;
  copy->shortest_edge = copy->longest_edge = 0;
  copy->do_center_crop = FALSE;
  return copy;
}

/* What a class does where its file is silent. An unknown class is taken for a ViT's: the
 * files of all of them say most things themselves. */
static void
set_class (HlImageProcessor *processor, const char *class_name)
{
  g_free (processor->class_name);
  processor->class_name = g_strdup (class_name);
  if (g_str_has_prefix (class_name, "DeiT"))
    {
      processor->resample = HL_FILTER_BICUBIC;
      processor->height = processor->width = 256;
      processor->do_center_crop = TRUE;
      processor->crop_height = processor->crop_width = 224;
    }
}

/* size may be a number, a pair, or an object that names the shortest edge. */
static gboolean
read_size (HlImageProcessor *processor, const json_t *root, GError **error)
{
  const json_t *size = json_object_get (root, "size");
  gint64 value[2] = { 0, 0 };
  if (size == NULL || json_is_null (size))
    return TRUE;
  if (json_is_object (size) && json_object_get (size, "shortest_edge") != NULL)
    {
      if (!hl_json_get_int (size, "shortest_edge", TRUE, 0, 1, HL_IMAGE_MAX_SIDE,
                            FILE_NAME ": size", &value[0], error) ||
          !hl_json_get_int (size, "longest_edge", FALSE, 0, 1, HL_IMAGE_MAX_SIDE,
                            FILE_NAME ": size", &value[1], error))
        return FALSE;
      processor->height = processor->width = 0;
      processor->shortest_edge = (int) value[0];
      processor->longest_edge = (int) value[1];
      return TRUE;
    }
  if (!hl_json_get_pair (root, "size", TRUE, 0, 1, HL_IMAGE_MAX_SIDE, FILE_NAME, value,
                         error))
    return FALSE;
  processor->height = (int) value[0];
  processor->width = (int) value[1];
  return TRUE;
}

static gboolean
read_crop_size (HlImageProcessor *processor, const json_t *root, GError **error)
{
  gint64 value[2];
  if (!hl_json_get_pair (root, "crop_size", FALSE, 0, 1, HL_IMAGE_MAX_SIDE, FILE_NAME,
                         value, error))
    return FALSE;
  if (value[0] > 0)
    {
      processor->crop_height = (int) value[0];
      processor->crop_width = (int) value[1];
    }
  if (!processor->do_center_crop || processor->crop_height > 0)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
               "%s: field \"crop_size\": height and width expected, as do_center_crop is "
               "true, nothing found",
               FILE_NAME);
  return FALSE;
}

/* Reads the mean or the standard deviation; an absent one keeps what stands there. */
static gboolean
read_statistic (const json_t *root,
                const char *field,
                gboolean must_be_positive,
                double *values,
                int *n_values,
                GError **error)
{
  double found[4];
  int n = 0;
  if (!hl_json_get_doubles (root, field, FALSE, 4, FILE_NAME, found, &n, error))
    return FALSE;
  for (int i = 0; i < n; i++)
    /* Divided by as float32, so it has to be more than nothing there. */
    if (must_be_positive && !((float) found[i] > 0))
      {
        g_autofree char *text = hl_json_describe (json_object_get (root, field));
        g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                     "%s: field \"%s\": numbers above 0 expected, %s found", FILE_NAME,
                     field, text);
        return FALSE;
      }
  if (n == 0)
    return TRUE;
  memcpy (values, found, sizeof found[0] * (gsize) n);
  *n_values = n;
  return TRUE;
}

static gboolean
read_switches (HlImageProcessor *p, const json_t *root, GError **error)
{
  return hl_json_get_bool (root, "do_convert_rgb", FALSE, p->do_convert_rgb, FILE_NAME,
                           &p->do_convert_rgb, error) &&
         hl_json_get_bool (root, "do_resize", FALSE, p->do_resize, FILE_NAME,
                           &p->do_resize, error) &&
         hl_json_get_bool (root, "do_center_crop", FALSE, p->do_center_crop, FILE_NAME,
                           &p->do_center_crop, error) &&
         hl_json_get_bool (root, "do_rescale", FALSE, p->do_rescale, FILE_NAME,
                           &p->do_rescale, error) &&
         hl_json_get_bool (root, "do_normalize", FALSE, p->do_normalize, FILE_NAME,
                           &p->do_normalize, error);
}

static gboolean
read_fields (HlImageProcessor *p, const json_t *root, GError **error)
{
  const char *name = NULL, *old_name = NULL;
  gint64 resample = 0;
  if (!hl_json_get_string (root, "feature_extractor_type", FALSE, "", FILE_NAME,
                           &old_name, error) ||
      !hl_json_get_string (root, "image_processor_type", FALSE, old_name, FILE_NAME,
                           &name, error))
    return FALSE;
  set_class (p, name);
  if (!read_switches (p, root, error) || !read_size (p, root, error) ||
      !read_crop_size (p, root, error) ||
      !hl_json_get_int (root, "resample", FALSE, p->resample, 0, HL_N_FILTERS - 1,
                        FILE_NAME, &resample, error) ||
      !hl_json_get_double (root, "rescale_factor", FALSE, p->rescale_factor, -1e6, 1e6,
                           FILE_NAME, &p->rescale_factor, error) ||
      !read_statistic (root, "image_mean", FALSE, p->mean, &p->n_mean, error) ||
      !read_statistic (root, "image_std", TRUE, p->std, &p->n_std, error))
    return FALSE;
  p->resample = (HlFilter) resample;
  return TRUE;
}

HlImageProcessor *
hl_image_processor_open (const char *folder,
                         int image_height,
                         int image_width,
                         GError **error)
{
  g_autoptr (HlImageProcessor) processor =
      hl_image_processor_new_default (image_height, image_width);
  g_autofree char *path = g_build_filename (folder, FILE_NAME, NULL);
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&processor);
  g_autoptr (json_t) root = hl_json_load_file (path, error);
  if (root == NULL || !read_fields (processor, root, error))
    return NULL;
  return g_steal_pointer (&processor);
}

/* ---- running -------------------------------------------------------------------------
 */

/* The size that the resize makes of a picture whose shortest edge is given. */
static void
follow_shortest_edge (
    const HlImageProcessor *p, gint64 in_height, gint64 in_width, int *height, int *width)
{
  double low = (double) MIN (in_height, in_width);
  double high = (double) MAX (in_height, in_width);
  double short_edge = p->shortest_edge, exact = short_edge;
  if (p->longest_edge > 0 && high / low * short_edge > p->longest_edge)
    {
      /* The longer side decides; the shorter is rounded to even, the longer follows from
       * what it was before the rounding, cut. */
      exact = p->longest_edge * low / high;
      short_edge = __builtin_rint (exact);
    }
  /* Products first and then the division, as the reference has it: 0.9999... is cut. */
  double long_edge = low == short_edge ? high : exact * high / low;
  int short_px = (int) CLAMP (short_edge, 0, G_MAXINT);
  int long_px = (int) CLAMP (long_edge, 0, G_MAXINT);
  *height = in_height < in_width ? short_px : long_px;
  *width = in_height < in_width ? long_px : short_px;
}

static HlTensor *
resize (const HlImageProcessor *p, HlTensor *image, GError **error)
{
  int height = p->height, width = p->width;
  if (!p->do_resize)
    return hl_tensor_ref (image);
  if (p->shortest_edge > 0)
    follow_shortest_edge (p, image->shape.dim[0], image->shape.dim[1], &height, &width);
  return hl_resample (image, height, width, p->resample, error);
}

/* Where a picture of @n_in lies in a crop of @n_out: @from in the picture, @to in the
 * crop, @n pixels. A picture that is too small has black around it, the odd pixel
 * before it. */
static void
place_crop (gint64 n_in, gint64 n_out, gint64 *from, gint64 *to, gint64 *n)
{
  *from = n_in > n_out ? (n_in - n_out) / 2 : 0;
  *to = n_in < n_out ? (n_out - n_in + 1) / 2 : 0;
  *n = MIN (n_in, n_out);
}

static HlTensor *
center_crop (const HlImageProcessor *p, HlTensor *image, GError **error)
{
  gint64 in_width = image->shape.dim[1], n_channels = image->shape.dim[2];
  if (!p->do_center_crop)
    return hl_tensor_ref (image);
  HlShape shape = HL_SHAPE (p->crop_height, p->crop_width, n_channels);
  HlTensor *out = hl_tensor_new (HL_DTYPE_U8, shape, error);
  if (out == NULL)
    return NULL;
  memset (out->data, 0, hl_tensor_size_bytes (out));
  gint64 y_from, y_to, n_rows, x_from, x_to, n_columns;
  place_crop (image->shape.dim[0], p->crop_height, &y_from, &y_to, &n_rows);
  place_crop (in_width, p->crop_width, &x_from, &x_to, &n_columns);
  for (gint64 y = 0; y < n_rows; y++)
    memcpy ((guint8 *) out->data + ((y_to + y) * p->crop_width + x_to) * n_channels,
            (const guint8 *) image->data +
                ((y_from + y) * in_width + x_from) * n_channels,
            (gsize) (n_columns * n_channels));
  return out;
}

/* What becomes of each of the 256 values of a byte in one channel. */
static void
fill_table (const HlImageProcessor *p, int channel, float table[256])
{
  float mean = (float) p->mean[p->n_mean == 1 ? 0 : channel];
  float std = (float) p->std[p->n_std == 1 ? 0 : channel];
  for (int i = 0; i < 256; i++)
    {
      /* The product in double, then rounded: as the reference does it. */
      float value = p->do_rescale ? (float) (i * p->rescale_factor) : (float) i;
      table[i] = p->do_normalize ? (value - mean) / std : value;
    }
}

/* (H, W, C) bytes to (1, C, H, W) float32 */
static HlTensor *
to_pixel_values (const HlImageProcessor *p, const HlTensor *image, GError **error)
{
  gint64 height = image->shape.dim[0], width = image->shape.dim[1];
  int n_channels = (int) image->shape.dim[2];
  HlShape shape = HL_SHAPE (1, n_channels, height, width);
  HlTensor *values = hl_tensor_new (HL_DTYPE_F32, shape, error);
  if (values == NULL)
    return NULL;
  float *out = values->data;
  for (int channel = 0; channel < n_channels; channel++)
    {
      float table[256];
      const guint8 *in = (const guint8 *) image->data + channel;
      fill_table (p, channel, table);
      for (gint64 i = 0; i < height * width; i++)
        *out++ = table[in[i * n_channels]];
    }
  return values;
}

static gboolean
check_channels (const HlImageProcessor *p, int n_channels, GError **error)
{
  if (n_channels != 1 && n_channels != 3)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_SHAPE,
                   "picture: a model with 1 or 3 channels expected, %d found",
                   n_channels);
      return FALSE;
    }
  if (!p->do_normalize)
    return TRUE;
  gboolean mean_fits = p->n_mean == 1 || p->n_mean == n_channels;
  if (mean_fits && (p->n_std == 1 || p->n_std == n_channels))
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_SHAPE,
               "%s: field \"%s\": 1 or %d numbers expected, one for each of the model's "
               "channels, %d found",
               FILE_NAME, mean_fits ? "image_std" : "image_mean", n_channels,
               mean_fits ? p->n_std : p->n_mean);
  return FALSE;
}

gboolean
hl_image_processor_run (const HlImageProcessor *processor,
                        HlTensor *rgb,
                        int n_channels,
                        HlTensor **pixel_values,
                        HlTensor **shown,
                        GError **error)
{
  if (!check_channels (processor, n_channels, error))
    return FALSE;
  g_autoptr (HlTensor) image =
      n_channels == 1 ? hl_image_to_grey (rgb, error) : hl_image_to_rgb (rgb, error);
  if (image == NULL)
    return FALSE;
  g_autoptr (HlTensor) resized = resize (processor, image, error);
  if (resized == NULL)
    return FALSE;
  g_autoptr (HlTensor) cropped = center_crop (processor, resized, error);
  if (cropped == NULL)
    return FALSE;
  g_autoptr (HlTensor) values = to_pixel_values (processor, cropped, error);
  g_autoptr (HlTensor) picture = values != NULL ? hl_image_to_rgb (cropped, error) : NULL;
  if (picture == NULL)
    return FALSE;
  *pixel_values = g_steal_pointer (&values);
  if (shown != NULL)
    *shown = g_steal_pointer (&picture);
  return TRUE;
}
