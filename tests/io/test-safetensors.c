/* SPDX-License-Identifier: MIT
 * safetensors: what is read out of good files, and what is said of bad ones. */
#include "io/hl-safetensors.h"
#include "io-test.h"

/* A file of @json and @n_data bytes 0, 1, 2, ... */
static GBytes *
make_bytes (const char *json, gsize n_data)
{
  GByteArray *out = g_byte_array_new ();
  guint64 length = GUINT64_TO_LE ((guint64) strlen (json));
  g_byte_array_append (out, (const guint8 *) &length, sizeof length);
  g_byte_array_append (out, (const guint8 *) json, (guint) strlen (json));
  for (gsize i = 0; i < n_data; i++)
    {
      guint8 byte = (guint8) i;
      g_byte_array_append (out, &byte, 1);
    }
  return g_byte_array_free_to_bytes (out);
}

static char *
write_file (const char *folder, const char *name, const char *json, gsize n_data)
{
  g_autoptr (GBytes) bytes = make_bytes (json, n_data);
  gsize size = 0;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  return io_test_write (folder, name, data, size);
}

#define GOOD                                                                             \
  "{\"__metadata__\": {\"format\": \"pt\"},"                                             \
  " \"b.weight\": {\"dtype\": \"F32\", \"shape\": [2, 3], \"data_offsets\": [0, 24]},"   \
  " \"a.bias\": {\"dtype\": \"F16\", \"shape\": [3], \"data_offsets\": [24, 30]},"       \
  " \"n\": {\"dtype\": \"U8\", \"shape\": [], \"data_offsets\": [30, 31]},"              \
  " \"none\": {\"dtype\": \"I64\", \"shape\": [0, 7], \"data_offsets\": [31, 31]},"      \
  " \"odd\": {\"dtype\": \"I32\", \"shape\": [2], \"data_offsets\": [31, 39]}}"

static void
test_good (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = io_test_folder ();
  g_autofree char *path = write_file (folder, "model.safetensors", GOOD, 39);
  g_autoptr (HlSafetensors) st = hl_safetensors_open (folder, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (hl_safetensors_get_path (st), ==, path);
  g_assert_cmpuint (hl_safetensors_get_n_tensors (st), ==, 5);
  g_assert_cmpint (hl_safetensors_get_n_parameters (st), ==, 12);
  g_assert_cmpuint (hl_safetensors_get_size_bytes (st), ==, 39);
  g_assert_cmpstr (hl_safetensors_get_nth (st, 0)->name, ==, "a.bias");
  g_assert_cmpstr (hl_safetensors_get_nth (st, 4)->name, ==, "odd");
  g_assert_null (hl_safetensors_get_nth (st, 5));
  const HlTensorInfo *info = hl_safetensors_lookup (st, "b.weight");
  g_assert_cmpint (info->dtype, ==, HL_DTYPE_F32);
  g_assert_true (hl_shape_equal (&info->shape, &HL_SHAPE (2, 3)));
  g_assert_cmpstr (info->file, ==, "model.safetensors");
  g_assert_null (hl_safetensors_lookup (st, "b"));

  HlTensor *weight = hl_safetensors_get (st, "b.weight", &error);
  g_autoptr (HlTensor) odd = hl_safetensors_get (st, "odd", &error);
  g_autoptr (HlTensor) none = hl_safetensors_get (st, "none", &error);
  g_autoptr (HlTensor) scalar = hl_safetensors_get (st, "n", &error);
  g_assert_no_error (error);
  g_assert_cmpint (hl_tensor_count (none), ==, 0);
  g_assert_cmpint (*(guint8 *) scalar->data, ==, 30);
  /* The weights outlive the reader, wherever they lie, and are aligned. */
  g_clear_pointer (&st, hl_safetensors_unref);
  g_assert_cmpuint ((guintptr) weight->data % 4, ==, 0);
  g_assert_cmpuint ((guintptr) odd->data % 4, ==, 0);
  g_assert_cmpint (((guint8 *) weight->data)[23], ==, 23);
  g_assert_cmpint (((guint8 *) odd->data)[0], ==, 31);
  hl_tensor_unref (weight);
  io_test_remove (folder);
}

static void
test_missing_tensor (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = make_bytes (GOOD, 39);
  g_autoptr (HlSafetensors) st =
      hl_safetensors_new_from_bytes (bytes, "model.safetensors", &error);
  g_assert_no_error (error);
  g_assert_null (hl_safetensors_get (st, "c.weight", &error));
  io_test_assert_error (&error, HL_ERROR_MISSING,
                        "model.safetensors|\"c.weight\" expected|not found");
}

static void
test_identity (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) one = make_bytes (GOOD, 39), same = make_bytes (GOOD, 39);
  g_autoptr (GBytes) other = make_bytes (
      "{\"a\": {\"dtype\": \"U8\", \"shape\": [39], \"data_offsets\": [0, 39]}}", 39);
  g_autoptr (HlSafetensors) a = hl_safetensors_new_from_bytes (one, "x", &error);
  g_autoptr (HlSafetensors) b = hl_safetensors_new_from_bytes (same, "x", &error);
  g_autoptr (HlSafetensors) c = hl_safetensors_new_from_bytes (other, "x", &error);
  g_assert_no_error (error);
  g_autofree char *id_a = hl_safetensors_identity (a);
  g_autofree char *id_b = hl_safetensors_identity (b);
  g_autofree char *id_c = hl_safetensors_identity (c);
  g_assert_cmpuint (strlen (id_a), ==, 64);
  g_assert_cmpstr (id_a, ==, id_b);
  g_assert_cmpstr (id_a, !=, id_c);
}

/* ---- bad files -----------------------------------------------------------------------
 */

static void
check_raw (gconstpointer data, gsize size, int code, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_assert_null (hl_safetensors_new_from_bytes (bytes, "bad.safetensors", &error));
  io_test_assert_error (&error, code, "bad.safetensors");
  g_assert_null (hl_safetensors_new_from_bytes (bytes, "bad.safetensors", &error));
  io_test_assert_error (&error, code, words);
}

static void
check_header (const char *json, gsize n_data, int code, const char *words)
{
  g_autoptr (GBytes) bytes = make_bytes (json, n_data);
  gsize size = 0;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  check_raw (data, size, code, words);
}

/* A header with the one tensor "w". */
static void
check_tensor (const char *fields, gsize n_data, int code, const char *words)
{
  g_autofree char *json = g_strdup_printf ("{\"w\": {%s}}", fields);
  g_autofree char *all = g_strconcat ("tensor \"w\"|", words, NULL);
  check_header (json, n_data, code, all);
}

static void
test_bad_length (void)
{
  check_raw ("", 0, HL_ERROR_FORMAT, "at least 8 bytes|expected, 0 found");
  check_raw ("\7\0\0\0\0\0\0", 7, HL_ERROR_FORMAT, "at least 8 bytes|expected, 7 found");
  check_raw ("\11\0\0\0\0\0\0\0{}", 10, HL_ERROR_FORMAT,
             "header of 9 bytes expected|file of 10 bytes found");
  check_raw ("\0\0\0\0\1\0\0\0{}", 10, HL_ERROR_FORMAT,
             "at most 100000000 bytes expected|4294967296 found");
  check_raw ("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10, HL_ERROR_FORMAT,
             "expected|18446744073709551615 found");
  check_raw ("\xf8\xff\xff\xff\xff\xff\xff\xff{}", 10, HL_ERROR_FORMAT,
             "expected|18446744073709551608 found");
}

static void
test_bad_json (void)
{
  GString *deep = g_string_new (NULL);
  for (int i = 0; i < 100000; i++)
    g_string_append_c (deep, '[');
  check_header (deep->str, 0, HL_ERROR_FORMAT, "header|at most 64 levels|more found");
  g_string_free (deep, TRUE);
  check_header ("{\"w\": ", 0, HL_ERROR_FORMAT, "header: JSON expected|line 1|found");
  check_header ("[]", 0, HL_ERROR_FORMAT, "a JSON object expected, [] found");
  check_header ("", 0, HL_ERROR_FORMAT, "JSON expected");
  check_header ("{\"w\": 3}", 0, HL_ERROR_FORMAT,
                "tensor \"w\"|an object|expected, 3 found");
  check_header ("{\"w\": {}, \"w\": {}}", 0, HL_ERROR_FORMAT, "duplicate|\"w\"|found");
  check_header ("{\"__metadata__\": {\"a\": 1}}", 0, HL_ERROR_FORMAT,
                "__metadata__|texts expected|found");
  check_header ("{\"__metadata__\": 7}", 0, HL_ERROR_FORMAT, "__metadata__");
}

static void
test_bad_dtype (void)
{
  check_tensor ("\"dtype\": \"F33\", \"shape\": [1], \"data_offsets\": [0, 4]", 4,
                HL_ERROR_DTYPE, "dtype|expected, \"F33\" found");
  check_tensor ("\"shape\": [1], \"data_offsets\": [0, 4]", 4, HL_ERROR_FORMAT,
                "dtype|expected, nothing found");
  /* Well formed, but not readable: listed, and refused by name when asked for. */
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = make_bytes (
      "{\"q\": {\"dtype\": \"F8_E4M3\", \"shape\": [4], \"data_offsets\": [0, 4]}}", 4);
  g_autoptr (HlSafetensors) st = hl_safetensors_new_from_bytes (bytes, "f8", &error);
  g_assert_no_error (error);
  g_assert_cmpint (hl_safetensors_lookup (st, "q")->dtype, ==, HL_DTYPE_INVALID);
  g_assert_null (hl_safetensors_get (st, "q", &error));
  io_test_assert_error (
      &error, HL_ERROR_DTYPE,
      "f8|\"q\"|expected|F8_E4M3 found|float8 weights are not supported");
}

static void
test_bad_shape (void)
{
  const char *bad[] = { "3", "[-1]", "[1.5]", "[\"2\"]", "{}", "null" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *fields = g_strdup_printf (
          "\"dtype\": \"F32\", \"shape\": %s, \"data_offsets\": [0, 4]", bad[i]);
      check_tensor (fields, 4, HL_ERROR_FORMAT,
                    "shape: an array of non-negative integers expected|found");
    }
  check_tensor ("\"dtype\": \"U8\", \"shape\": [1,1,1,1,1,1], \"data_offsets\": [0, 1]",
                1, HL_ERROR_SHAPE, "at most 5 dimensions expected, 6 found");
  check_tensor ("\"dtype\": \"F32\", \"shape\": [4294967296, 4294967296],"
                " \"data_offsets\": [0, 0]",
                0, HL_ERROR_FORMAT, "below 2^63 expected|found");
  check_tensor ("\"dtype\": \"F32\", \"shape\": [0, 4294967296, 4294967296],"
                " \"data_offsets\": [0, 0]",
                0, HL_ERROR_FORMAT, "below 2^63 expected|found");
  check_tensor ("\"dtype\": \"F32\", \"shape\": [2305843009213693952],"
                " \"data_offsets\": [0, 0]",
                0, HL_ERROR_FORMAT, "below 2^63 expected|found");
  check_header ("{\"w\": {\"dtype\": \"F32\", \"shape\": [99999999999999999999],"
                " \"data_offsets\": [0, 0]}}",
                0, HL_ERROR_FORMAT, "too big");
}

static void
test_bad_offsets (void)
{
  check_tensor ("\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [8, 0]", 8,
                HL_ERROR_FORMAT, "0 <= begin <= end expected, [8, 0] found");
  check_tensor ("\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [-8, 0]", 8,
                HL_ERROR_FORMAT, "expected, [-8, 0] found");
  check_tensor ("\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0]", 8,
                HL_ERROR_FORMAT, "expected, [0] found");
  check_tensor ("\"dtype\": \"F32\", \"shape\": [2]", 8, HL_ERROR_FORMAT,
                "data_offsets|expected, nothing found");
  check_tensor ("\"dtype\": \"F32\", \"shape\": [3], \"data_offsets\": [0, 12]", 8,
                HL_ERROR_FORMAT, "an end of at most 8 expected|12 found");
  check_tensor ("\"dtype\": \"F32\", \"shape\": [2],"
                " \"data_offsets\": [9223372036854775799, 9223372036854775807]",
                8, HL_ERROR_FORMAT, "at most 8 expected|9223372036854775807 found");
  check_tensor ("\"dtype\": \"F16\", \"shape\": [2], \"data_offsets\": [0, 8]", 8,
                HL_ERROR_FORMAT, "4 bytes expected for [2] of F16, 8 found");
}

static void
test_bad_layout (void)
{
#define U8(name, begin, end)                                                             \
  "\"" name "\": {\"dtype\": \"U8\", \"shape\": [4], \"data_offsets\": [" #begin         \
  ", " #end "]}"
  check_header ("{" U8 ("a", 0, 4) "," U8 ("b", 2, 6) "}", 6, HL_ERROR_FORMAT,
                "tensor \"b\"|begin at 4 expected|a, 2 found|overlap");
  check_header ("{" U8 ("a", 0, 4) "," U8 ("b", 0, 4) "}", 4, HL_ERROR_FORMAT,
                "begin at 4 expected|0 found|overlap");
  check_header ("{" U8 ("a", 0, 4) "," U8 ("b", 5, 9) "}", 9, HL_ERROR_FORMAT,
                "tensor \"b\"|begin at 4 expected|5 found|hole");
  check_header ("{" U8 ("a", 3, 7) "}", 7, HL_ERROR_FORMAT,
                "begin at 0 expected, right after the header, 3 found|hole");
  check_header ("{" U8 ("a", 0, 4) "}", 9, HL_ERROR_FORMAT, "bytes expected|found");
}

static void
test_pickle (void)
{
  const char zip[] = "PK\3\4\0\0\10\10\0\0\0\0archive/data.pkl";
  const char bare[] = "\200\2\212\12l\374\234F\371 j\250P\31.";
  const char *words = "a PyTorch pickle found|can run any code|save_file(";
  check_raw (zip, sizeof zip, HL_ERROR_UNSUPPORTED, words);
  check_raw (bare, sizeof bare, HL_ERROR_UNSUPPORTED, words);
  g_autoptr (GError) error = NULL;
  char *folder = io_test_folder ();
  g_autofree char *path = io_test_write (folder, "pytorch_model.bin", zip, sizeof zip);
  g_assert_null (hl_safetensors_open (folder, &error));
  io_test_assert_error (&error, HL_ERROR_UNSUPPORTED, "pytorch_model.bin|pickle found");
  g_assert_null (hl_safetensors_open (path, &error));
  io_test_assert_error (&error, HL_ERROR_UNSUPPORTED, "pytorch_model.bin|pickle found");
  io_test_remove (folder);
}

static void
test_bad_paths (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = io_test_folder ();
  g_assert_null (hl_safetensors_open (folder, &error));
  io_test_assert_error (
      &error, HL_ERROR_MISSING,
      "model.safetensors or model.safetensors.index.json expected|found");
  g_autofree char *gone = g_build_filename (folder, "gone.safetensors", NULL);
  g_assert_null (hl_safetensors_open (gone, &error));
  io_test_assert_error (&error, HL_ERROR_MISSING, "gone.safetensors|expected");
  g_assert_null (hl_safetensors_open ("/dev/zero", &error));
  io_test_assert_error (&error, HL_ERROR_IO, "/dev/zero|expected|found");
  io_test_remove (folder);
}

/* ---- several files -------------------------------------------------------------------
 */

static const char shard_one[] =
    "{\"a\": {\"dtype\": \"U8\", \"shape\": [4], \"data_offsets\": [0, 4]}}";
static const char shard_two[] =
    "{\"b\": {\"dtype\": \"U8\", \"shape\": [2], \"data_offsets\": [0, 2]},"
    " \"unlisted\": {\"dtype\": \"U8\", \"shape\": [1], \"data_offsets\": [2, 3]}}";

static char *
shard_folder (const char *weight_map)
{
  char *folder = io_test_folder ();
  g_autofree char *json =
      g_strdup_printf ("{\"metadata\": {}, \"weight_map\": %s}", weight_map);
  g_free (write_file (folder, "one.safetensors", shard_one, 4));
  g_free (write_file (folder, "two.safetensors", shard_two, 3));
  g_free (io_test_write_text (folder, "model.safetensors.index.json", json));
  return folder;
}

static void
test_shards (void)
{
  g_autoptr (GError) error = NULL;
  char *folder =
      shard_folder ("{\"b\": \"two.safetensors\", \"a\": \"one.safetensors\"}");
  g_autoptr (HlSafetensors) st = hl_safetensors_open (folder, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (hl_safetensors_get_n_tensors (st), ==, 2);
  g_assert_cmpint (hl_safetensors_get_n_parameters (st), ==, 6);
  g_assert_cmpstr (hl_safetensors_get_nth (st, 0)->name, ==, "a");
  g_assert_cmpstr (hl_safetensors_lookup (st, "b")->file, ==, "two.safetensors");
  g_autoptr (HlTensor) b = hl_safetensors_get (st, "b", &error);
  g_assert_no_error (error);
  g_assert_cmpint (((guint8 *) b->data)[1], ==, 1);
  g_autofree char *identity = hl_safetensors_identity (st);
  g_assert_cmpuint (strlen (identity), ==, 64);
  io_test_remove (folder);
}

static void
check_index (const char *weight_map, int code, const char *words)
{
  g_autoptr (GError) error = NULL;
  char *folder = shard_folder (weight_map);
  g_assert_null (hl_safetensors_open (folder, &error));
  io_test_assert_error (&error, code, "model.safetensors.index.json");
  g_assert_null (hl_safetensors_open (folder, &error));
  io_test_assert_error (&error, code, words);
  io_test_remove (folder);
}

static void
test_bad_index (void)
{
  const char *names[] = {
    "../one.safetensors", "/etc/passwd", "sub/one.safetensors", "..", "", "a\\\\b"
  };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *map = g_strdup_printf ("{\"a\": \"%s\"}", names[i]);
      check_index (map, HL_ERROR_FORMAT, "a file name in the same folder expected|found");
    }
  check_index ("{\"a\": 3}", HL_ERROR_FORMAT, "\"a\"|a file name expected, 3 found");
  check_index ("{\"a\": \"gone.safetensors\"}", HL_ERROR_MISSING,
               "gone.safetensors|expected");
  check_index ("{\"a\": \"two.safetensors\"}", HL_ERROR_MISSING,
               "tensor \"a\" expected in two.safetensors, not found");
  check_index ("{}", HL_ERROR_FORMAT, "weight_map|expected|empty one found");
  check_index ("[]", HL_ERROR_FORMAT, "weight_map|expected|[] found");
  check_index ("{\"a\": \"one.safetensors\", \"a\": \"two.safetensors\"}",
               HL_ERROR_FORMAT, "duplicate");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/safetensors/good", test_good);
  g_test_add_func ("/safetensors/missing-tensor", test_missing_tensor);
  g_test_add_func ("/safetensors/identity", test_identity);
  g_test_add_func ("/safetensors/bad-length", test_bad_length);
  g_test_add_func ("/safetensors/bad-json", test_bad_json);
  g_test_add_func ("/safetensors/bad-dtype", test_bad_dtype);
  g_test_add_func ("/safetensors/bad-shape", test_bad_shape);
  g_test_add_func ("/safetensors/bad-offsets", test_bad_offsets);
  g_test_add_func ("/safetensors/bad-layout", test_bad_layout);
  g_test_add_func ("/safetensors/pickle", test_pickle);
  g_test_add_func ("/safetensors/bad-paths", test_bad_paths);
  g_test_add_func ("/safetensors/shards", test_shards);
  g_test_add_func ("/safetensors/bad-index", test_bad_index);
  return g_test_run ();
}
