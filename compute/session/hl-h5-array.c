/* SPDX-License-Identifier: MIT
 * A thin layer over HDF5: reading arrays, after their size was compared with the file. */
#include "session/hl-h5-string.h"

#include <string.h>

/* Deflate packs at most 1032:1; what claims more than that is a lie. */
#define MAX_DEFLATE_RATIO 1040
#define MAX_CHUNK_BYTES ((guint64) 256 << 20)

/* Bytes of the array as it claims to be; FALSE where the product overflows. */
static gboolean
claimed_bytes (hid_t dataset, guint64 *bytes)
{
  HL_H5_AUTO hid_t space = H5Dget_space (dataset);
  HL_H5_AUTO hid_t type = H5Dget_type (dataset);
  hsize_t dims[H5S_MAX_RANK];
  int rank = space >= 0 ? H5Sget_simple_extent_dims (space, dims, NULL) : -1;
  guint64 size = type >= 0 ? H5Tget_size (type) : 0;
  if (rank < 0 || size == 0)
    return FALSE;
  if (H5Sget_simple_extent_type (space) == H5S_NULL)
    size = 0;
  for (int i = 0; i < rank; i++)
    if (__builtin_mul_overflow (size, (guint64) dims[i], &size))
      return FALSE;
  *bytes = size;
  return TRUE;
}

static gboolean
check_filters (const char *path, hid_t plist, gboolean *is_packed, GError **error)
{
  int n_filters = H5Pget_nfilters (plist);
  *is_packed = FALSE;
  for (int i = 0; i < n_filters; i++)
    {
      unsigned flags, config;
      size_t n_values = 0;
      char name[64] = "";
      H5Z_filter_t id = H5Pget_filter2 (plist, (unsigned) i, &flags, &n_values, NULL,
                                        sizeof name, name, &config);
      if (id != H5Z_FILTER_DEFLATE && id != H5Z_FILTER_SHUFFLE &&
          id != H5Z_FILTER_FLETCHER32)
        return hl_h5_fail (error, HL_ERROR_UNSUPPORTED,
                           "%s: filter %d found; only shuffle, deflate and fletcher32 "
                           "are read",
                           path, (int) id);
      *is_packed |= id == H5Z_FILTER_DEFLATE;
    }
  if (n_filters < 0)
    return hl_h5_fail (error, HL_ERROR_FORMAT, "%s: the filters cannot be read", path);
  return TRUE;
}

static gboolean
check_chunks (const char *path, hid_t dataset, hid_t plist, GError **error)
{
  HL_H5_AUTO hid_t type = H5Dget_type (dataset);
  hsize_t dims[H5S_MAX_RANK];
  int rank = H5Pget_chunk (plist, H5S_MAX_RANK, dims);
  guint64 size = H5Tget_size (type);
  gboolean is_good = rank > 0;
  for (int i = 0; i < rank && is_good; i++)
    is_good = !__builtin_mul_overflow (size, (guint64) dims[i], &size);
  if (!is_good || size > MAX_CHUNK_BYTES)
    return hl_h5_fail (error, HL_ERROR_FORMAT,
                       "%s: chunks of more than %" G_GUINT64_FORMAT " bytes", path,
                       MAX_CHUNK_BYTES);
  return TRUE;
}

gboolean
hl_h5_check_dataset (HlH5Reader *reader, hid_t dataset, GError **error)
{
  g_autofree char *path = hl_h5_path (dataset);
  HL_H5_AUTO hid_t plist = H5Dget_create_plist (dataset);
  H5D_layout_t layout = plist >= 0 ? H5Pget_layout (plist) : H5D_LAYOUT_ERROR;
  gboolean is_packed = FALSE;
  guint64 claimed = 0;
  if (layout == H5D_VIRTUAL)
    return hl_h5_fail (error, HL_ERROR_UNSUPPORTED,
                       "%s: a virtual dataset, whose numbers lie in other files", path);
  if (layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED && layout != H5D_COMPACT)
    return hl_h5_fail (error, HL_ERROR_FORMAT, "%s: unknown storage layout", path);
  if (H5Pget_external_count (plist) != 0)
    return hl_h5_fail (error, HL_ERROR_UNSUPPORTED,
                       "%s: external storage, numbers that lie in other files", path);
  if (!check_filters (path, plist, &is_packed, error))
    return FALSE;
  if (layout == H5D_CHUNKED && !check_chunks (path, dataset, plist, error))
    return FALSE;
  if (!claimed_bytes (dataset, &claimed))
    return hl_h5_fail (error, HL_ERROR_FORMAT, "%s: impossible shape or type", path);
  guint64 limit = reader->size_bytes;
  if (is_packed)
    limit *= MAX_DEFLATE_RATIO;
  if (claimed > limit)
    return hl_h5_fail (error, HL_ERROR_FORMAT,
                       "%s: %" G_GUINT64_FORMAT
                       " bytes claimed, more than a file of %" G_GUINT64_FORMAT
                       " bytes can hold",
                       path, claimed, reader->size_bytes);
  return TRUE;
}

static gboolean
get_shape (hid_t dataset, const char *path, HlShape *shape, GError **error)
{
  HL_H5_AUTO hid_t space = H5Dget_space (dataset);
  hsize_t dims[H5S_MAX_RANK];
  int rank = space >= 0 ? H5Sget_simple_extent_ndims (space) : -1;
  if (rank > HL_MAX_DIMS)
    return hl_h5_fail (error, HL_ERROR_SHAPE,
                       "%s: at most %d dimensions expected, %d found", path, HL_MAX_DIMS,
                       rank);
  if (rank < 0 || H5Sget_simple_extent_dims (space, dims, NULL) < 0 ||
      H5Sget_simple_extent_type (space) == H5S_NULL)
    return hl_h5_fail (error, HL_ERROR_FORMAT, "%s: the shape cannot be read", path);
  *shape = (HlShape){ .n_dims = rank };
  for (int i = 0; i < rank; i++)
    shape->dim[i] = (gint64) dims[i];
  return TRUE;
}

HlTensor *
hl_h5_read_tensor (HlH5Reader *reader,
                   hid_t parent,
                   const char *name,
                   HlDtype want,
                   gboolean is_required,
                   HlDtype *stored,
                   GError **error)
{
  HL_H5_AUTO hid_t dataset = hl_h5_open_dataset (parent, name, is_required, error);
  HlShape shape;
  if (dataset < 0)
    return NULL;
  g_autofree char *path = hl_h5_path (dataset);
  HL_H5_AUTO hid_t type = H5Dget_type (dataset);
  HlDtype dtype = type >= 0 ? hl_h5_type_dtype (type) : HL_DTYPE_INVALID;
  if (dtype == HL_DTYPE_INVALID)
    {
      g_autofree char *found = type >= 0 ? hl_h5_type_describe (type) : g_strdup ("none");
      hl_h5_fail (error, HL_ERROR_DTYPE,
                  "%s: little-endian float16, float32, float64, uint8, int32 or int64 "
                  "expected, %s found",
                  path, found);
      return NULL;
    }
  if (!hl_h5_check_dataset (reader, dataset, error) ||
      !get_shape (dataset, path, &shape, error))
    return NULL;
  g_autoptr (HlTensor) tensor = hl_tensor_new (dtype, shape, error);
  if (tensor == NULL)
    return NULL;
  /* The file's type on both sides: the library's own conversions are not exact. */
  if (H5Dread (dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, tensor->data) < 0)
    {
      hl_h5_fail (error, HL_ERROR_FORMAT, "%s: the numbers cannot be read", path);
      return NULL;
    }
  if (stored != NULL)
    *stored = dtype;
  return hl_tensor_convert (tensor, want == HL_DTYPE_INVALID ? dtype : want, error);
}

gint64 *
hl_h5_read_ints (HlH5Reader *reader,
                 hid_t parent,
                 const char *name,
                 gsize n,
                 gboolean is_required,
                 GError **error)
{
  g_autoptr (HlTensor) tensor = hl_h5_read_tensor (reader, parent, name, HL_DTYPE_INVALID,
                                                   is_required, NULL, error);
  if (tensor == NULL)
    return NULL;
  g_autofree char *path = hl_h5_path (parent);
  if (hl_dtype_is_float (tensor->dtype))
    {
      hl_h5_fail (error, HL_ERROR_DTYPE,
                  "%s/%s: int32, int64 or uint8 expected, %s found", path, name,
                  hl_dtype_name (tensor->dtype));
      return NULL;
    }
  if (tensor->shape.n_dims != 1 || tensor->shape.dim[0] != (gint64) n)
    {
      g_autofree char *found = hl_shape_to_string (&tensor->shape);
      hl_h5_fail (error, HL_ERROR_SHAPE,
                  "%s/%s: shape [%" G_GSIZE_FORMAT "] expected, %s found", path, name, n,
                  found);
      return NULL;
    }
  gint64 *values = g_new (gint64, n + 1);
  hl_h5_ints_widen (tensor->dtype, tensor->data, n, values);
  return values;
}

/* What the strings of a dataset weigh. One heap object may be named by every entry, so
 * that a small file could ask for any amount of memory. */
static gboolean
check_string_bytes (HlH5Reader *reader,
                    const char *path,
                    hid_t dataset,
                    hid_t type,
                    hid_t space,
                    GError **error)
{
  hsize_t size = 0;
  /* One string cannot be larger than its heap; and release 1.10 crashes when it is asked
   * for the size of a scalar. */
  if (H5Tis_variable_str (type) <= 0 || H5Sget_simple_extent_ndims (space) == 0)
    return TRUE;
  if (H5Dvlen_get_buf_size (dataset, type, space, &size) < 0)
    return hl_h5_fail (error, HL_ERROR_FORMAT, "%s: the strings cannot be read", path);
  if (size > 2 * reader->size_bytes + ((guint64) 1 << 20))
    return hl_h5_fail (error, HL_ERROR_FORMAT,
                       "%s: strings of %" G_GUINT64_FORMAT
                       " bytes in a file of %" G_GUINT64_FORMAT,
                       path, (guint64) size, reader->size_bytes);
  return TRUE;
}

char **
hl_h5_read_strings (HlH5Reader *reader,
                    hid_t parent,
                    const char *name,
                    gboolean is_required,
                    gsize *n_out,
                    GError **error)
{
  HL_H5_AUTO hid_t dataset = hl_h5_open_dataset (parent, name, is_required, error);
  HlShape shape;
  *n_out = 0;
  if (dataset < 0)
    return NULL;
  g_autofree char *path = hl_h5_path (dataset);
  HL_H5_AUTO hid_t type = H5Dget_type (dataset);
  HL_H5_AUTO hid_t space = H5Dget_space (dataset);
  if (type < 0 || H5Tget_class (type) != H5T_STRING)
    {
      g_autofree char *found = type >= 0 ? hl_h5_type_describe (type) : g_strdup ("none");
      hl_h5_fail (error, HL_ERROR_DTYPE, "%s: strings expected, %s found", path, found);
      return NULL;
    }
  if (!hl_h5_check_dataset (reader, dataset, error) ||
      !get_shape (dataset, path, &shape, error) ||
      !check_string_bytes (reader, path, dataset, type, space, error))
    return NULL;
  if (shape.n_dims > 1)
    {
      g_autofree char *found = hl_shape_to_string (&shape);
      hl_h5_fail (error, HL_ERROR_SHAPE, "%s: one dimension expected, shape %s found",
                  path, found);
      return NULL;
    }
  gsize n = (gsize) hl_shape_count (&shape);
  gboolean is_variable = H5Tis_variable_str (type) > 0;
  gsize width = is_variable ? 0 : H5Tget_size (type);
  g_autofree char *buffer =
      g_try_malloc0_n (MAX (n, 1), is_variable ? sizeof (char *) : width);
  if (buffer == NULL ||
      (n > 0 && H5Dread (dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer) < 0))
    {
      hl_h5_fail (error, HL_ERROR_FORMAT, "%s: the strings cannot be read", path);
      return NULL;
    }
  char **strings = hl_h5_strings_copy (buffer, n, width);
  if (is_variable && n > 0)
    H5Dvlen_reclaim (type, space, H5P_DEFAULT, buffer);
  *n_out = n;
  return strings;
}
