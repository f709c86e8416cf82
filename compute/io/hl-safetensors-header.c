/* SPDX-License-Identifier: MIT
 * The header of one safetensors file, believed in nothing until it is checked:
 * 8 bytes of length (little endian), that much JSON, then the numbers. */
#include "io/hl-safetensors-private.h"

#include "base/hl-error.h"
#include "io/hl-json.h"
#include "io/hl-weight-files.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* Every type of the format. Those without a dtype are listed and not read. */
static const struct
{
  const char *name;
  HlDtype dtype;
  guint bits;
  const char *words;
} file_dtypes[] = {
  { "F64", HL_DTYPE_F64, 64, "float64" },
  { "F32", HL_DTYPE_F32, 32, "float32" },
  { "F16", HL_DTYPE_F16, 16, "float16" },
  { "BF16", HL_DTYPE_BF16, 16, "bfloat16" },
  { "I64", HL_DTYPE_I64, 64, "int64" },
  { "I32", HL_DTYPE_I32, 32, "int32" },
  { "U8", HL_DTYPE_U8, 8, "uint8" },
  { "BOOL", HL_DTYPE_INVALID, 8, "boolean" },
  { "I8", HL_DTYPE_INVALID, 8, "int8" },
  { "I16", HL_DTYPE_INVALID, 16, "int16" },
  { "U16", HL_DTYPE_INVALID, 16, "uint16" },
  { "U32", HL_DTYPE_INVALID, 32, "uint32" },
  { "U64", HL_DTYPE_INVALID, 64, "uint64" },
  { "C64", HL_DTYPE_INVALID, 64, "complex" },
  { "F8_E4M3", HL_DTYPE_INVALID, 8, "float8" },
  { "F8_E5M2", HL_DTYPE_INVALID, 8, "float8" },
  { "F8_E8M0", HL_DTYPE_INVALID, 8, "float8" },
  { "F8_E4M3FNUZ", HL_DTYPE_INVALID, 8, "float8" },
  { "F8_E5M2FNUZ", HL_DTYPE_INVALID, 8, "float8" },
  { "F6_E2M3", HL_DTYPE_INVALID, 6, "float6" },
  { "F6_E3M2", HL_DTYPE_INVALID, 6, "float6" },
  { "F4", HL_DTYPE_INVALID, 4, "float4" },
};

static void
entry_free (gpointer data)
{
  g_free (data);
}

void
hl_shard_free (HlShard *shard)
{
  if (shard == NULL)
    return;
  g_clear_pointer (&shard->by_name, g_hash_table_unref);
  g_clear_pointer (&shard->entries, g_ptr_array_unref);
  json_decref (shard->root);
  g_clear_pointer (&shard->bytes, g_bytes_unref);
  g_free (shard->name);
  g_free (shard);
}

/* "file: tensor "name": rest" with HL_ERROR_FORMAT, or another @code. */
static gboolean G_GNUC_PRINTF (5, 6) refuse (const HlShard *shard,
                                             const char *tensor,
                                             int code,
                                             GError **error,
                                             const char *format,
                                             ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *rest = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, HL_ERROR, code, "%s: tensor \"%s\": %s", shard->name, tensor, rest);
  return FALSE;
}

/* Finds the type's row; its index in @row. */
static gboolean
read_dtype (const HlShard *shard,
            const char *name,
            const json_t *object,
            gsize *row,
            GError **error)
{
  const json_t *value = json_object_get (object, "dtype");
  const char *text = json_string_value (value);
  for (gsize i = 0; text != NULL && i < G_N_ELEMENTS (file_dtypes); i++)
    if (strcmp (file_dtypes[i].name, text) == 0)
      {
        *row = i;
        return TRUE;
      }
  g_autofree char *found = hl_json_describe (value);
  return refuse (shard, name, text != NULL ? HL_ERROR_DTYPE : HL_ERROR_FORMAT, error,
                 "dtype: a type such as \"F32\", \"F16\" or \"BF16\" expected, %s found",
                 found);
}

static gboolean
read_shape (const HlShard *shard,
            const char *name,
            const json_t *object,
            HlShape *shape,
            GError **error)
{
  const json_t *value = json_object_get (object, "shape");
  gsize n = json_array_size (value);
  gboolean is_good = json_is_array (value);
  for (gsize i = 0; is_good && i < n; i++)
    {
      const json_t *size = json_array_get (value, i);
      is_good = json_is_integer (size) && json_integer_value (size) >= 0;
    }
  if (!is_good)
    {
      g_autofree char *found = hl_json_describe (value);
      return refuse (shard, name, HL_ERROR_FORMAT, error,
                     "shape: an array of non-negative integers expected, %s found",
                     found);
    }
  if (n > HL_MAX_DIMS)
    return refuse (shard, name, HL_ERROR_SHAPE, error,
                   "shape: at most %d dimensions expected, %zu found", HL_MAX_DIMS, n);
  shape->n_dims = (int) n;
  for (gsize i = 0; i < n; i++)
    shape->dim[i] = json_integer_value (json_array_get (value, i));
  return TRUE;
}

/* Bytes of a tensor of @shape. Sizes of 0 count as 1 in the test for overflow: strides
 * are products too, and must not overflow where one dimension is empty. */
static gboolean
count_bytes (const HlShape *shape, guint bits, guint64 *size_bytes)
{
  gint64 product = (gint64) bits;
  for (int i = 0; i < shape->n_dims; i++)
    if (__builtin_mul_overflow (product, MAX (shape->dim[i], 1), &product))
      return FALSE;
  gint64 total_bits = hl_shape_count (shape) * (gint64) bits;
  *size_bytes = (guint64) total_bits / 8;
  return total_bits % 8 == 0;
}

/* Reads the two offsets, relative to the data, and holds them against the file's end. */
static gboolean
read_offsets (const HlShard *shard,
              const char *name,
              const json_t *object,
              guint64 data_size,
              guint64 offsets[2],
              GError **error)
{
  const json_t *value = json_object_get (object, "data_offsets");
  gboolean is_good = json_is_array (value) && json_array_size (value) == 2;
  for (gsize i = 0; is_good && i < 2; i++)
    {
      const json_t *offset = json_array_get (value, i);
      is_good = json_is_integer (offset) && json_integer_value (offset) >= 0;
      offsets[i] = (guint64) json_integer_value (offset);
    }
  if (!is_good || offsets[0] > offsets[1])
    {
      g_autofree char *found = hl_json_describe (value);
      return refuse (
          shard, name, HL_ERROR_FORMAT, error,
          "data_offsets: [begin, end] with 0 <= begin <= end expected, %s found", found);
    }
  if (offsets[1] > data_size)
    return refuse (shard, name, HL_ERROR_FORMAT, error,
                   "data_offsets: an end of at most %" G_GUINT64_FORMAT
                   " expected (the file's data), %" G_GUINT64_FORMAT " found",
                   data_size, offsets[1]);
  return TRUE;
}

static gboolean
read_entry (HlShard *shard, const char *name, const json_t *object, GError **error)
{
  if (!json_is_object (object))
    {
      g_autofree char *found = hl_json_describe (object);
      return refuse (shard, name, HL_ERROR_FORMAT, error,
                     "an object with dtype, shape and data_offsets expected, %s found",
                     found);
    }
  gsize row = 0;
  HlShape shape = { 0 };
  guint64 offsets[2], size_bytes = 0;
  guint64 data_size = g_bytes_get_size (shard->bytes) - shard->data_start;
  if (!read_dtype (shard, name, object, &row, error) ||
      !read_shape (shard, name, object, &shape, error) ||
      !read_offsets (shard, name, object, data_size, offsets, error))
    return FALSE;
  g_autofree char *shape_text = hl_shape_to_string (&shape);
  if (!count_bytes (&shape, file_dtypes[row].bits, &size_bytes))
    return refuse (shard, name, HL_ERROR_FORMAT, error,
                   "shape: a whole number of bytes below 2^63 expected, %s of %s found",
                   shape_text, file_dtypes[row].name);
  if (offsets[1] - offsets[0] != size_bytes)
    return refuse (shard, name, HL_ERROR_FORMAT, error,
                   "%" G_GUINT64_FORMAT " bytes expected for %s of %s, %" G_GUINT64_FORMAT
                   " found in data_offsets",
                   size_bytes, shape_text, file_dtypes[row].name,
                   offsets[1] - offsets[0]);
  HlShardEntry *entry = g_new0 (HlShardEntry, 1);
  entry->info.name = name;
  entry->info.dtype = file_dtypes[row].dtype;
  entry->info.file_dtype = file_dtypes[row].name;
  entry->info.shape = shape;
  entry->info.file = shard->name;
  entry->bytes = shard->bytes;
  entry->offset = shard->data_start + (gsize) offsets[0];
  entry->size_bytes = (gsize) size_bytes;
  entry->dtype_words = file_dtypes[row].words;
  g_ptr_array_add (shard->entries, entry);
  g_hash_table_insert (shard->by_name, (gpointer) name, entry);
  return TRUE;
}

static gboolean
check_metadata (const HlShard *shard, const json_t *metadata, GError **error)
{
  gboolean is_good = json_is_object (metadata);
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *) metadata, key, value) is_good =
      is_good && json_is_string (value);
  if (!is_good)
    g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                 "%s: __metadata__: an object of texts expected, other values found",
                 shard->name);
  return is_good;
}

static int
compare_offsets (gconstpointer a, gconstpointer b)
{
  const HlShardEntry *const *left = a, *const *right = b;
  gsize left_end = (*left)->offset + (*left)->size_bytes;
  gsize right_end = (*right)->offset + (*right)->size_bytes;
  if ((*left)->offset != (*right)->offset)
    return (*left)->offset < (*right)->offset ? -1 : 1;
  return left_end < right_end ? -1 : left_end > right_end;
}

/* The format allows neither overlaps nor holes: every byte belongs to one tensor. */
static gboolean
check_layout (HlShard *shard, GError **error)
{
  g_ptr_array_sort (shard->entries, compare_offsets);
  gsize end = shard->data_start;
  const char *before = "the header";
  for (guint i = 0; i < shard->entries->len; i++)
    {
      const HlShardEntry *entry = g_ptr_array_index (shard->entries, i);
      if (entry->offset != end)
        return refuse (shard, entry->info.name, HL_ERROR_FORMAT, error,
                       "begin at %zu expected, right after %s, %zu found: the tensors %s",
                       end - shard->data_start, before, entry->offset - shard->data_start,
                       entry->offset < end ? "overlap" : "leave a hole");
      end = entry->offset + entry->size_bytes;
      before = entry->info.name;
    }
  gsize size = g_bytes_get_size (shard->bytes);
  if (end == size)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
               "%s: %zu bytes expected, as the header's tensors need, %zu found",
               shard->name, end, size);
  return FALSE;
}

/* Both ways PyTorch writes a pickle: in a zip archive, and bare. */
static gboolean
looks_like_pickle (const guint8 *data, gsize size)
{
  return (size >= 4 && memcmp (data, "PK\3\4", 4) == 0) ||
         (size >= 2 && data[0] == 0x80 && data[1] >= 2 && data[1] <= 5);
}

/* Finds out how long the header is, or why this is no safetensors file. */
static gboolean
read_header_length (HlShard *shard, guint64 *length, GError **error)
{
  gsize size = 0;
  const guint8 *data = g_bytes_get_data (shard->bytes, &size);
  guint64 raw = 0;
  if (size >= sizeof raw)
    {
      memcpy (&raw, data, sizeof raw);
      *length = GUINT64_FROM_LE (raw);
      if (*length <= HL_SAFETENSORS_MAX_HEADER && *length <= size - sizeof raw)
        return TRUE;
    }
  /* Asked only now: a few valid files begin with the same bytes as a pickle. */
  if (looks_like_pickle (data, size))
    hl_weights_refuse (shard->name, HL_WEIGHTS_PICKLE, error);
  else if (size < sizeof raw)
    g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                 "%s: at least 8 bytes of safetensors expected, %zu found", shard->name,
                 size);
  else if (*length > HL_SAFETENSORS_MAX_HEADER)
    g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                 "%s: a safetensors header of at most %" G_GUINT64_FORMAT
                 " bytes expected, a length of %" G_GUINT64_FORMAT " found",
                 shard->name, HL_SAFETENSORS_MAX_HEADER, *length);
  else
    g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                 "%s: a safetensors header of %" G_GUINT64_FORMAT
                 " bytes expected, a file of %zu bytes found: it was cut short, or is "
                 "something else",
                 shard->name, *length, size);
  return FALSE;
}

HlShard *
hl_shard_new (GBytes *bytes, const char *name, GError **error)
{
  g_autoptr (HlShard) shard = g_new0 (HlShard, 1);
  shard->name = g_strdup (name);
  shard->bytes = g_bytes_ref (bytes);
  shard->entries = g_ptr_array_new_with_free_func (entry_free);
  shard->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  guint64 length = 0;
  if (!read_header_length (shard, &length, error))
    return NULL;
  shard->data_start = 8 + (gsize) length;
  const char *data = g_bytes_get_data (bytes, NULL);
  shard->root = hl_json_load_bytes (data + 8, (gsize) length, name, "header", error);
  if (shard->root == NULL)
    return NULL;
  const char *key;
  json_t *value;
  json_object_foreach ((json_t *) shard->root, key, value)
  {
    gboolean is_good = strcmp (key, "__metadata__") == 0
                           ? check_metadata (shard, value, error)
                           : read_entry (shard, key, value, error);
    if (!is_good)
      return NULL;
  }
  if (!check_layout (shard, error))
    return NULL;
  return g_steal_pointer (&shard);
}

HlShard *
hl_shard_open (const char *path, GError **error)
{
  g_autofree char *name = g_path_get_basename (path);
  GStatBuf info;
  if (g_stat (path, &info) != 0)
    {
      int code = errno;
      g_set_error (error, HL_ERROR, code == ENOENT ? HL_ERROR_MISSING : HL_ERROR_IO,
                   "%s: a safetensors file expected, %s", path, g_strerror (code));
      return NULL;
    }
  if (!S_ISREG (info.st_mode))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_IO,
                   "%s: a safetensors file expected, %s found", path,
                   S_ISDIR (info.st_mode) ? "a folder" : "a device or a pipe");
      return NULL;
    }
  g_autoptr (GError) cause = NULL;
  g_autoptr (GMappedFile) map = g_mapped_file_new (path, FALSE, &cause);
  if (map == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_IO, "%s: cannot be read: %s", name,
                   cause->message);
      return NULL;
    }
  g_autoptr (GBytes) bytes = g_mapped_file_get_bytes (map);
  HlShard *shard = hl_shard_new (bytes, name, &cause);
  /* Only here it is known where it lies, which the way to convert it names. */
  if (g_error_matches (cause, HL_ERROR, HL_ERROR_UNSUPPORTED))
    hl_weights_refuse (path, HL_WEIGHTS_PICKLE, error);
  else if (shard == NULL)
    g_propagate_error (error, g_steal_pointer (&cause));
  if (shard != NULL)
    shard->modified_ns =
        (gint64) info.st_mtim.tv_sec * 1000000000 + (gint64) info.st_mtim.tv_nsec;
  return shard;
}
