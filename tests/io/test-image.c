/* SPDX-License-Identifier: MIT
 * Pictures: decoded and resized as PIL does, and what is said of bad ones. */
#include "io/hl-image.h"
#include "io/hl-resample.h"
#include "io-fixtures.h"

static void
test_decode (void)
{
  Fixtures fixtures;
  fixtures_open (&fixtures);
  gsize i;
  json_t *item;
  json_array_foreach (json_object_get (fixtures.index, "decode"), i, item)
  {
    g_test_message ("%s", fixture_text (item, "source"));
    g_autoptr (GError) error = NULL;
    g_autoptr (HlTensor) rgb = fixture_picture (fixture_text (item, "source"));
    HlShape shape =
        HL_SHAPE (fixture_int (item, "height"), fixture_int (item, "width"), 3);
    g_assert_true (hl_shape_equal (&rgb->shape, &shape));
    /* Decoders of JPEG may differ in the last bit; all others must not. */
    if (g_str_has_suffix (fixture_text (item, "source"), ".jpg"))
      continue;
    fixture_assert_hash (rgb, item, "rgb");
    g_autoptr (HlTensor) grey = hl_image_to_grey (rgb, &error);
    g_assert_no_error (error);
    fixture_assert_hash (grey, item, "grey");
  }
  g_assert_cmpuint (i, ==, 12);
  fixtures_close (&fixtures);
}

static void
test_grey_and_back (void)
{
  g_autoptr (GError) error = NULL;
  guint8 pixels[] = { 255, 255, 255, 10, 200, 30 };
  g_autoptr (HlTensor) rgb = hl_tensor_new_copy (HL_DTYPE_U8, HL_SHAPE (1, 2, 3), pixels);
  g_autoptr (HlTensor) grey = hl_image_to_grey (rgb, &error);
  g_assert_no_error (error);
  const guint8 *values = grey->data;
  g_assert_cmpint (values[0], ==, 255);
  g_assert_cmpint (values[1], ==,
                   124); /* 0.299 * 10 + 0.587 * 200 + 0.114 * 30 = 123.8 */
  g_autoptr (HlTensor) back = hl_image_to_rgb (grey, &error);
  g_assert_no_error (error);
  g_assert_cmpint (((guint8 *) back->data)[5], ==, 124);
  g_assert_null (hl_image_to_grey (grey, &error));
  io_test_assert_error (&error, HL_ERROR_SHAPE, "(height, width, 3)|[1, 2, 1]|found");
}

/* ---- resize --------------------------------------------------------------------------
 */

static void
check_resize (const Fixtures *fixtures, const json_t *item)
{
  g_autoptr (GError) error = NULL;
  HlFilter filter = (HlFilter) fixture_int (item, "filter");
  int height = fixture_int (item, "height"), width = fixture_int (item, "width");
  g_autoptr (HlTensor) rgb = fixture_picture (fixture_text (item, "source"));
  gboolean is_grey = json_is_true (json_object_get (item, "grey"));
  g_autoptr (HlTensor) image =
      is_grey ? hl_image_to_grey (rgb, &error) : hl_tensor_ref (rgb);
  g_autoptr (HlTensor) out = hl_resample (image, height, width, filter, &error);
  g_assert_no_error (error);
  HlShape shape = HL_SHAPE (height, width, is_grey ? 1 : 3);
  g_assert_true (hl_shape_equal (&out->shape, &shape));
  gsize size = hl_tensor_size_bytes (out), n_different = 0;
  const guint8 *expected = fixture_expected (fixtures, item, size), *found = out->data;
  int worst = 0;
  for (gsize i = 0; i < size; i++)
    {
      worst = MAX (worst, ABS (expected[i] - found[i]));
      n_different += expected[i] != found[i];
    }
  g_test_message ("%s %s to %d x %d: %zu of %zu bytes differ, by at most %d",
                  fixture_text (item, "source"), hl_filter_name (filter), width, height,
                  n_different, size, worst);
  /* The two filters that take a sine depend on the C library's last bit. */
  gboolean has_sine = filter == HL_FILTER_LANCZOS || filter == HL_FILTER_HAMMING;
  g_assert_cmpint (worst, <=, has_sine ? 1 : 0);
}

static void
test_resize (gconstpointer data)
{
  Fixtures fixtures;
  fixtures_open (&fixtures);
  gsize i;
  int n_checked = 0;
  json_t *item;
  json_array_foreach (json_object_get (fixtures.index, "resample"), i, item)
  {
    if (fixture_int (item, "filter") != GPOINTER_TO_INT (data))
      continue;
    check_resize (&fixtures, item);
    n_checked++;
  }
  g_assert_cmpint (n_checked, >=, 15);
  fixtures_close (&fixtures);
}

static void
test_resize_same (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlTensor) rgb = fixture_picture ("5x5.png");
  g_autoptr (HlTensor) same = hl_resample (rgb, 5, 5, HL_FILTER_BICUBIC, &error);
  g_assert_no_error (error);
  g_assert_true (same == rgb);
}

static void
test_resize_bad (void)
{
  g_autoptr (GError) error = NULL;
  float number = 1;
  g_autoptr (HlTensor) rgb = fixture_picture ("5x5.png");
  g_autoptr (HlTensor) real =
      hl_tensor_new_copy (HL_DTYPE_F32, HL_SHAPE (1, 1, 1), &number);
  g_autoptr (HlTensor) flat = hl_tensor_view (rgb, 0, HL_SHAPE (75), NULL);
  g_assert_null (hl_resample (rgb, 0, 5, HL_FILTER_BOX, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "expected, 5 x 0 found");
  g_assert_null (hl_resample (rgb, 5, 30000, HL_FILTER_BOX, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "expected, 30000 x 5 found");
  g_assert_null (hl_resample (rgb, 20000, 20000, HL_FILTER_BOX, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "100 megapixels|20000 x 20000 found");
  g_assert_null (hl_resample (rgb, 4, 4, (HlFilter) 6, &error));
  io_test_assert_error (&error, HL_ERROR_RANGE, "filter from 0 to 5 expected, 6 found");
  g_assert_null (hl_resample (real, 4, 4, HL_FILTER_BOX, &error));
  io_test_assert_error (&error, HL_ERROR_DTYPE, "uint8 expected, float32 found");
  g_assert_null (hl_resample (flat, 4, 4, HL_FILTER_BOX, &error));
  io_test_assert_error (&error, HL_ERROR_SHAPE, "expected, [75] found");
}

/* ---- bad pictures --------------------------------------------------------------------
 */

static void
check_bad (gconstpointer data, gsize size, const char *name, int code, const char *words)
{
  g_autoptr (GError) error = NULL;
  char *folder = io_test_folder ();
  g_autofree char *path = io_test_write (folder, name, data, size);
  g_autofree char *all = g_strconcat (name, "|expected|", words, NULL);
  g_assert_null (hl_image_load (path, &error));
  io_test_assert_error (&error, code, all);
  io_test_remove (folder);
}

static void
test_bad_bytes (void)
{
  const char text[] = "this is no picture, it only has the name of one";
  check_bad (text, sizeof text, "text.png", HL_ERROR_FORMAT, "cannot be decoded");
  check_bad ("", 0, "empty.png", HL_ERROR_FORMAT, "an empty file found");
  check_bad ("\x89PNG\r\n\x1a\n", 8, "stub.png", HL_ERROR_FORMAT, "ends early");
  check_bad ("\xff\xd8\xff", 3, "stub.jpg", HL_ERROR_FORMAT, "");
}

static void
test_bad_paths (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = io_test_folder ();
  g_autofree char *gone = g_build_filename (folder, "gone.png", NULL);
  g_assert_null (hl_image_load (gone, &error));
  io_test_assert_error (&error, HL_ERROR_MISSING, "gone.png|a picture expected");
  g_assert_null (hl_image_load (folder, &error));
  io_test_assert_error (&error, HL_ERROR_IO, "a picture expected, a folder found");
  g_assert_null (hl_image_load ("/dev/zero", &error));
  io_test_assert_error (&error, HL_ERROR_IO, "/dev/zero|expected");
  io_test_remove (folder);
}

/* Every beginning of a picture that lacks part of the data must be refused. */
static void
check_truncated (const char *source, gsize keep_at_least)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = fixture_path (source);
  g_autofree char *data = NULL;
  gsize size = 0;
  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  for (int part = 0; part < 12; part++)
    {
      gsize keep = keep_at_least + (size - keep_at_least) * (gsize) part / 13;
      g_autofree char *name = g_strdup_printf ("cut-%zu-%s", keep, source);
      check_bad (data, keep, name, HL_ERROR_FORMAT, "");
    }
}

/* All rows are there; only the last chunk is not. */
static void
check_without_end (const char *source, gsize n_cut)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = fixture_path (source);
  g_autofree char *data = NULL;
  gsize size = 0;
  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  check_bad (data, size - n_cut, "endless", HL_ERROR_FORMAT, "ends early");
}

static void
test_truncated_png (void)
{
  check_without_end ("37x53.png", 12);
  check_without_end ("37x53.png", 1);
  check_truncated ("37x53.png", 1);
  check_truncated ("palette.png", 20);
}

static void
test_truncated_jpeg (void)
{
  check_without_end ("baseline.jpg", 1);
  check_without_end ("progressive.jpg", 2);
  check_truncated ("baseline.jpg", 3);
  check_truncated ("progressive.jpg", 3);
}

static void
test_truncated_others (void)
{
  check_truncated ("still.gif", 3);
  check_truncated ("plain.bmp", 3);
}

/* A PNG whose header lies about its size; the checksum of the header is right. */
static void
check_png_size (guint32 width, guint32 height, int code, const char *words)
{
  guint8 bytes[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0,    0, 0, 13,
                     'I',  'H', 'D', 'R', 0,    0,    0,    0,    0,    0, 0, 0,
                     8,    2,   0,   0,   0,    0,    0,    0,    0,    0, 0, 0,
                     0,    'I', 'D', 'A', 'T',  0x35, 0xaf, 6,    0x1e, 0, 0, 0,
                     0,    'I', 'E', 'N', 'D',  0xae, 0x42, 0x60, 0x82 };
  guint32 sizes[2] = { GUINT32_TO_BE (width), GUINT32_TO_BE (height) };
  memcpy (bytes + 16, sizes, sizeof sizes);
  guint32 crc = 0xffffffff;
  for (int i = 12; i < 29; i++)
    {
      crc ^= bytes[i];
      for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
  crc = GUINT32_TO_BE (~crc);
  memcpy (bytes + 29, &crc, sizeof crc);
  check_bad (bytes, sizeof bytes, "lying.png", code, words);
}

static void
test_sizes (void)
{
  check_png_size (0, 0, HL_ERROR_RANGE, "0 x 0 found");
  check_png_size (0, 5, HL_ERROR_RANGE, "0 x 5 found");
  check_png_size (30000, 30000, HL_ERROR_RANGE, "30000 x 30000 found");
  check_png_size (0xffffffff, 0xffffffff, HL_ERROR_RANGE,
                  "4294967295 x 4294967295 found");
  check_png_size (15000, 15000, HL_ERROR_RANGE, "100 megapixels|15000 x 15000 found");
  check_png_size (16, 16, HL_ERROR_FORMAT, ""); /* the data is missing */
}

/* The same for a format whose size only the decoder finds: a JPEG's frame header. */
static void
test_jpeg_size (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = fixture_path ("baseline.jpg");
  g_autofree char *data = NULL;
  gsize size = 0, at = 0;
  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  while (at + 9 < size && memcmp (data + at, "\xff\xc0", 2) != 0)
    at++;
  g_assert_cmpuint (at + 9, <, size);
  memcpy (data + at + 5, "\x75\x30\x75\x30", 4); /* 30,000 x 30,000 */
  check_bad (data, size, "huge.jpg", HL_ERROR_RANGE, "30000 x 30000 found");
  memcpy (data + at + 5, "\0\0\0\0", 4);
  check_bad (data, size, "nothing.jpg", HL_ERROR_FORMAT, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/image/decode", test_decode);
  g_test_add_func ("/image/grey-and-back", test_grey_and_back);
  for (int i = 0; i < HL_N_FILTERS; i++)
    {
      g_autofree char *path =
          g_strconcat ("/image/resize/", hl_filter_name ((HlFilter) i), NULL);
      g_test_add_data_func (path, GINT_TO_POINTER (i), test_resize);
    }
  g_test_add_func ("/image/resize-same", test_resize_same);
  g_test_add_func ("/image/resize-bad", test_resize_bad);
  g_test_add_func ("/image/bad-bytes", test_bad_bytes);
  g_test_add_func ("/image/bad-paths", test_bad_paths);
  g_test_add_func ("/image/truncated-png", test_truncated_png);
  g_test_add_func ("/image/truncated-jpeg", test_truncated_jpeg);
  g_test_add_func ("/image/truncated-others", test_truncated_others);
  g_test_add_func ("/image/sizes", test_sizes);
  g_test_add_func ("/image/jpeg-size", test_jpeg_size);
  return g_test_run ();
}
