/* SPDX-License-Identifier: MIT
 * From picture to pixel_values as transformers' processors do it. */
#include "io/hl-image-processor.h"
#include "io-fixtures.h"

#include <math.h>

static HlImageProcessor *
open_config (const char *json, GError **error)
{
  char *folder = io_test_folder ();
  g_free (io_test_write_text (folder, "preprocessor_config.json", json));
  HlImageProcessor *processor = hl_image_processor_open (folder, 28, 28, error);
  io_test_remove (folder);
  return processor;
}

static void
check_run (const Fixtures *fixtures, const json_t *item)
{
  g_autoptr (GError) error = NULL;
  char *json = json_dumps (json_object_get (item, "config"), 0);
  g_autoptr (HlImageProcessor) processor = open_config (json, &error);
  g_assert_no_error (error);
  free (json);
  g_autoptr (HlTensor) rgb = fixture_picture (fixture_text (item, "source"));
  g_autoptr (HlTensor) values = NULL;
  g_autoptr (HlTensor) shown = NULL;
  hl_image_processor_run (processor, rgb, fixture_int (item, "n_channels"), &values,
                          &shown, &error);
  g_assert_no_error (error);
  const json_t *shape = json_object_get (item, "shape");
  g_assert_cmpint (values->shape.n_dims, ==, 4);
  for (int i = 0; i < 4; i++)
    g_assert_cmpint (values->shape.dim[i], ==,
                     json_integer_value (json_array_get (shape, (gsize) i)));
  gsize size = hl_tensor_size_bytes (values);
  const guint8 *expected = fixture_expected (fixtures, item, size);
  const float *found = hl_tensor_f32 (values);
  double worst = 0;
  for (gsize i = 0; i < size / sizeof (float); i++)
    {
      float value;
      memcpy (&value, expected + i * sizeof value, sizeof value);
      worst = MAX (worst, fabs ((double) value - (double) found[i]));
    }
  g_test_message ("%s: values differ by at most %g", fixture_text (item, "title"), worst);
  /* Equal to the last bit, but for Lanczos, where a pixel may differ by one. */
  g_assert_cmpfloat (worst, <=, processor->resample == HL_FILTER_LANCZOS ? 0.008 : 0);
  g_assert_cmpint (shown->shape.dim[0], ==, values->shape.dim[2]);
  g_assert_cmpint (shown->shape.dim[1], ==, values->shape.dim[3]);
  if (processor->resample != HL_FILTER_LANCZOS)
    fixture_assert_hash (shown, item, "shown");
}

static void
test_reference (void)
{
  Fixtures fixtures;
  fixtures_open (&fixtures);
  gsize i;
  json_t *item;
  json_array_foreach (json_object_get (fixtures.index, "process"), i, item)
      check_run (&fixtures, item);
  g_assert_cmpuint (i, ==, 15);
  fixtures_close (&fixtures);
}

static void
test_defaults (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = io_test_folder ();
  g_autoptr (HlImageProcessor) none = hl_image_processor_open (folder, 28, 32, &error);
  io_test_remove (folder);
  g_assert_no_error (error);
  g_assert_cmpint (none->height, ==, 28);
  g_assert_cmpint (none->width, ==, 32);
  g_assert_cmpint (none->resample, ==, HL_FILTER_BILINEAR);
  g_assert_true (none->do_resize && none->do_rescale && none->do_normalize);
  g_assert_false (none->do_center_crop);
  /* black and white become -1 and 1, with one channel as with three */
  guint8 pixels[] = { 0, 0, 0, 255, 255, 255 };
  g_autoptr (HlTensor) rgb = hl_tensor_new_copy (HL_DTYPE_U8, HL_SHAPE (1, 2, 3), pixels);
  g_autoptr (HlImageProcessor) small = hl_image_processor_new_with_size (none, 1, 2);
  for (int n_channels = 1; n_channels <= 3; n_channels += 2)
    {
      g_autoptr (HlTensor) values = NULL;
      g_assert_true (
          hl_image_processor_run (small, rgb, n_channels, &values, NULL, &error));
      g_assert_no_error (error);
      g_assert_cmpint (values->shape.dim[1], ==, n_channels);
      g_assert_cmpfloat (hl_tensor_f32 (values)[0], ==, -1);
      g_assert_cmpfloat (hl_tensor_f32 (values)[1], ==, 1);
    }
  g_autoptr (HlImageProcessor) deit =
      open_config ("{\"feature_extractor_type\": \"DeiTFeatureExtractor\"}", &error);
  g_assert_no_error (error);
  g_assert_cmpint (deit->resample, ==, HL_FILTER_BICUBIC);
  g_assert_cmpint (deit->height, ==, 256);
  g_assert_cmpint (deit->crop_width, ==, 224);
  g_assert_true (deit->do_center_crop);
}

static void
test_other_size (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlImageProcessor) deit = open_config (
      "{\"image_processor_type\": \"DeiTImageProcessor\", \"resample\": 0}", &error);
  g_assert_no_error (error);
  g_autoptr (HlImageProcessor) wide = hl_image_processor_new_with_size (deit, 24, 48);
  g_autoptr (HlTensor) rgb = fixture_picture ("37x53.png");
  g_autoptr (HlTensor) values = NULL;
  g_autoptr (HlTensor) shown = NULL;
  g_assert_true (hl_image_processor_run (wide, rgb, 3, &values, &shown, &error));
  g_assert_true (hl_shape_equal (&values->shape, &HL_SHAPE (1, 3, 24, 48)));
  g_assert_true (hl_shape_equal (&shown->shape, &HL_SHAPE (24, 48, 3)));
}

static void
check_bad (const char *json, int code, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *all = g_strconcat ("preprocessor_config.json|expected|", words, NULL);
  g_assert_null (open_config (json, &error));
  io_test_assert_error (&error, code, all);
}

static void
test_bad_config (void)
{
  check_bad ("{", HL_ERROR_FORMAT, "line 1");
  check_bad ("{\"size\": \"big\"}", HL_ERROR_FORMAT, "\"size\"|\"big\" found");
  check_bad ("{\"size\": 30000}", HL_ERROR_RANGE, "\"size\"|30000 found");
  check_bad ("{\"size\": {\"height\": 3}}", HL_ERROR_FORMAT, "\"size\"|found");
  check_bad ("{\"size\": {\"shortest_edge\": 0}}", HL_ERROR_RANGE,
             "size: field \"shortest_edge\"|0 found");
  check_bad ("{\"do_resize\": 1}", HL_ERROR_FORMAT, "\"do_resize\"|1 found");
  check_bad ("{\"resample\": 6}", HL_ERROR_RANGE, "between 0 and 5|6 found");
  check_bad ("{\"do_center_crop\": true}", HL_ERROR_MISSING, "\"crop_size\"");
  check_bad ("{\"crop_size\": [4]}", HL_ERROR_FORMAT, "\"crop_size\"|[4] found");
  check_bad ("{\"image_std\": [1, 0, 1]}", HL_ERROR_RANGE, "above 0|[1, 0, 1] found");
  check_bad ("{\"image_mean\": []}", HL_ERROR_FORMAT, "1 to 4 numbers|[] found");
  check_bad ("{\"rescale_factor\": \"x\"}", HL_ERROR_FORMAT, "\"x\" found");
  check_bad ("{\"image_processor_type\": 5}", HL_ERROR_FORMAT, "5 found");
}

static void
test_bad_channels (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTensor) rgb = fixture_picture ("5x5.png");
  g_autoptr (HlTensor) values = NULL;
  g_autoptr (HlImageProcessor) two = open_config ("{\"image_mean\": [1, 2]}", &error);
  g_assert_no_error (error);
  g_assert_false (hl_image_processor_run (two, rgb, 3, &values, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_SHAPE, "\"image_mean\"|1 or 3 numbers|2 found");
  g_assert_false (hl_image_processor_run (two, rgb, 4, &values, NULL, &error));
  io_test_assert_error (&error, HL_ERROR_SHAPE, "1 or 3 channels expected, 4 found");
  g_assert_null (values);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/image-processor/reference", test_reference);
  g_test_add_func ("/image-processor/defaults", test_defaults);
  g_test_add_func ("/image-processor/other-size", test_other_size);
  g_test_add_func ("/image-processor/bad-config", test_bad_config);
  g_test_add_func ("/image-processor/bad-channels", test_bad_channels);
  return g_test_run ();
}
