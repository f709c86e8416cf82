/* SPDX-License-Identifier: MIT
 * IDX files, as MNIST and its kin come: pictures of one size in "...-images-idx3-ubyte",
 * their classes beside them in "...-labels-idx1-ubyte"; either may be packed (.gz).
 * Big-endian: 0, 0, 0x08 (bytes), dimensions, then their sizes. */
#include "base/hl-error.h"
#include "model/hl-dataset-private.h"

#include <gio/gio.h>
#include <string.h>

#define MAX_BYTES ((gsize) 2 << 30)

gboolean
hl_dataset_is_idx (const char *path)
{
  return strstr (path, "idx3-ubyte") != NULL || strstr (path, "idx1-ubyte") != NULL ||
         g_str_has_suffix (path, ".idx") || g_str_has_suffix (path, ".idx.gz");
}

/* (transfer full): the whole file, unpacked. */
static GBytes *
read_file (const char *path, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GInputStream) raw = G_INPUT_STREAM (g_file_read (file, NULL, error));
  if (raw == NULL)
    return NULL;
  g_autoptr (GConverter) gzip =
      G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  g_autoptr (GInputStream) stream = g_str_has_suffix (path, ".gz")
                                        ? g_converter_input_stream_new (raw, gzip)
                                        : g_object_ref (raw);
  g_autoptr (GByteArray) all = g_byte_array_new ();
  g_autofree guint8 *part = g_malloc (1 << 20);
  gssize n;
  while ((n = g_input_stream_read (stream, part, 1 << 20, NULL, error)) > 0)
    {
      if (all->len + (gsize) n > MAX_BYTES)
        {
          g_set_error (error, HL_ERROR, HL_ERROR_RANGE, "%s: 2 GB at most expected",
                       path);
          return NULL;
        }
      g_byte_array_append (all, part, (guint) n);
    }
  return n < 0 ? NULL : g_byte_array_free_to_bytes (g_steal_pointer (&all));
}

/* Sizes of @n_dims dimensions, checked against the file's length. */
static gboolean
read_header (GBytes *bytes, const char *path, int n_dims, gint64 *dim, GError **error)
{
  gsize length;
  const guint8 *x = g_bytes_get_data (bytes, &length);
  gsize start = 4 + 4 * (gsize) n_dims;
  if (length < start || x[0] != 0 || x[1] != 0 || x[2] != 8 || x[3] != n_dims)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "%s: an IDX file of bytes with %d dimensions expected", path, n_dims);
      return FALSE;
    }
  guint64 count = 1;
  for (int i = 0; i < n_dims; i++)
    {
      guint32 big;
      memcpy (&big, x + 4 + 4 * i, 4);
      dim[i] = GUINT32_FROM_BE (big);
      count = dim[i] == 0 || count > MAX_BYTES ? G_MAXUINT32 * (guint64) 2
                                               : count * (guint64) dim[i];
    }
  if (count == length - start)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
               "%s: %" G_GUINT64_FORMAT
               " bytes after the header expected, %" G_GSIZE_FORMAT " found",
               path, count, length - start);
  return FALSE;
}

/* (transfer full) (nullable): the file with the classes, packed or not. */
static char *
find_labels (const char *path)
{
  g_autoptr (GString) name = g_string_new (path);
  if (g_string_replace (name, "images", "labels", 0) == 0)
    return NULL;
  g_string_replace (name, "idx3", "idx1", 0);
  if (g_file_test (name->str, G_FILE_TEST_IS_REGULAR))
    return g_string_free (g_steal_pointer (&name), FALSE);
  if (g_str_has_suffix (name->str, ".gz"))
    g_string_truncate (name, name->len - 3);
  else
    g_string_append (name, ".gz");
  return g_file_test (name->str, G_FILE_TEST_IS_REGULAR)
             ? g_string_free (g_steal_pointer (&name), FALSE)
             : NULL;
}

static gboolean
read_labels (HlDataset *d, gint64 n, GBytes **labels, GError **error)
{
  gint64 n_labels;
  g_autofree char *path = find_labels (d->path);
  if (path == NULL)
    return TRUE;
  *labels = read_file (path, error);
  if (*labels == NULL || !read_header (*labels, path, 1, &n_labels, error))
    return FALSE;
  if (n_labels == n)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_SHAPE, "%s: %d labels expected, %d found", path,
               (int) n, (int) n_labels);
  return FALSE;
}

gboolean
hl_dataset_list_idx (HlDataset *d, GError **error)
{
  gint64 dim[3];
  g_autoptr (GBytes) bytes = read_file (d->path, error);
  g_autoptr (GBytes) labels = NULL;
  if (bytes == NULL || !read_header (bytes, d->path, 3, dim, error) ||
      !read_labels (d, dim[0], &labels, error))
    return FALSE;
  d->idx = g_new0 (HlIdx, 1);
  *d->idx = (HlIdx){ g_bytes_ref (bytes), dim[0], dim[1], dim[2], 16 };
  const guint8 *classes =
      labels != NULL ? (const guint8 *) g_bytes_get_data (labels, NULL) + 8 : NULL;
  for (gint64 i = 0; i < dim[0]; i++)
    {
      HlDatasetItem item = { .name = g_strdup_printf ("%d", (int) i),
                             .path = g_strdup (d->path),
                             .index = i,
                             .label = classes != NULL ? classes[i] : -1 };
      if (!hl_dataset_add (d, &item, error))
        return FALSE;
    }
  return TRUE;
}

HlTensor *
hl_idx_get_rgb (const HlIdx *idx, gint64 index, GError **error)
{
  gint64 n = idx->height * idx->width;
  HlTensor *rgb =
      hl_tensor_new (HL_DTYPE_U8, HL_SHAPE (idx->height, idx->width, 3), error);
  const guint8 *grey =
      (const guint8 *) g_bytes_get_data (idx->bytes, NULL) + idx->start + index * n;
  for (gint64 i = 0; i < 3 * n && rgb != NULL; i++)
    ((guint8 *) rgb->data)[i] = grey[i / 3];
  return rgb;
}

HlIdx *
hl_idx_copy (const HlIdx *idx)
{
  HlIdx *copy = g_memdup2 (idx, sizeof *idx);
  g_bytes_ref (copy->bytes);
  return copy;
}

void
hl_idx_free (HlIdx *idx)
{
  if (idx == NULL)
    return;
  g_bytes_unref (idx->bytes);
  g_free (idx);
}
