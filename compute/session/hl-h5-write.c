/* SPDX-License-Identifier: MIT
 * A thin layer over HDF5: writing arrays with their axes. */
#include "session/hl-h5.h"

#include <hdf5_hl.h>
#include <string.h>

void
hl_h5_axes_init (HlH5Axes *axes, hid_t group)
{
  axes->group = group;
  axes->sizes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

void
hl_h5_axes_clear (HlH5Axes *axes)
{
  g_clear_pointer (&axes->sizes, g_hash_table_unref);
}

/* The scale of an axis: 0, 1, ... in a dataset of its own under axes/. The first size of
 * a name has the bare name, so that the common case reads well. */
static hid_t
open_scale (HlH5Axes *axes, const char *name, hsize_t size, GError **error)
{
  gint64 *first = g_hash_table_lookup (axes->sizes, name);
  if (first == NULL)
    {
      first = g_new (gint64, 1);
      *first = (gint64) size;
      g_hash_table_insert (axes->sizes, g_strdup (name), first);
    }
  g_autofree char *link =
      *first == (gint64) size
          ? g_strdup_printf ("axes/%s", name)
          : g_strdup_printf ("axes/%s_%" G_GUINT64_FORMAT, name, (guint64) size);
  if (!hl_h5_has (axes->group, "axes"))
    {
      HL_H5_AUTO hid_t group = hl_h5_create_group (axes->group, "axes", error);
      if (group < 0)
        return H5I_INVALID_HID;
    }
  else if (hl_h5_has (axes->group, link))
    return H5Dopen2 (axes->group, link, H5P_DEFAULT);
  HL_H5_AUTO hid_t type = hl_h5_type_new (HL_DTYPE_I32);
  HL_H5_AUTO hid_t space = H5Screate_simple (1, &size, NULL);
  g_autofree gint32 *index = g_new (gint32, MAX (size, 1));
  for (hsize_t i = 0; i < size; i++)
    index[i] = (gint32) i;
  hid_t scale =
      H5Dcreate2 (axes->group, link, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (scale < 0 ||
      (size > 0 && H5Dwrite (scale, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, index) < 0) ||
      H5DSset_scale (scale, name) < 0)
    {
      hl_h5_close (&scale);
      hl_h5_fail (error, HL_ERROR_IO, "the dimension scale %s cannot be written", link);
      return H5I_INVALID_HID;
    }
  return scale;
}

static gboolean
name_axes (hid_t dataset,
           HlH5Axes *axes,
           const char *const *names,
           int n_dims,
           const hsize_t *dims,
           GError **error)
{
  for (int i = 0; i < n_dims; i++)
    {
      HL_H5_AUTO hid_t scale = open_scale (axes, names[i], dims[i], error);
      if (scale < 0)
        return FALSE;
      if (H5DSset_label (dataset, (unsigned) i, names[i]) < 0 ||
          H5DSattach_scale (dataset, scale, (unsigned) i) < 0)
        return hl_h5_fail (error, HL_ERROR_IO, "the axis %s cannot be written", names[i]);
    }
  return TRUE;
}

/* Creates and fills one dataset whose type in memory is its type in the file. */
static gboolean
write_dataset (hid_t parent,
               const char *name,
               hid_t type,
               int n_dims,
               const hsize_t *dims,
               gconstpointer data,
               HlH5Axes *axes,
               const char *const *axis_names,
               const char *unit,
               GError **error)
{
  if (name[0] == '\0' || strchr (name, '/') != NULL || g_str_equal (name, "."))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "the name \"%s\" cannot be stored in a session", name);
      return FALSE;
    }
  HL_H5_AUTO hid_t space =
      n_dims == 0 ? H5Screate (H5S_SCALAR) : H5Screate_simple (n_dims, dims, NULL);
  HL_H5_AUTO hid_t dataset =
      H5Dcreate2 (parent, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (dataset < 0 || (H5Sget_simple_extent_npoints (space) > 0 &&
                      H5Dwrite (dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
    {
      g_autofree char *path = hl_h5_path (parent);
      return hl_h5_fail (error, HL_ERROR_IO, "%s/%s cannot be written", path, name);
    }
  if (axis_names != NULL && !name_axes (dataset, axes, axis_names, n_dims, dims, error))
    return FALSE;
  if (unit != NULL && unit[0] != '\0')
    return hl_h5_write_attr_string (dataset, "units", unit, error);
  return TRUE;
}

gboolean
hl_h5_write_tensor (hid_t parent,
                    const char *name,
                    HlTensor *tensor,
                    HlDtype dtype,
                    HlH5Axes *axes,
                    const char *const *axis_names,
                    const char *unit,
                    GError **error)
{
  hsize_t dims[HL_MAX_DIMS];
  if (dtype == HL_DTYPE_INVALID)
    dtype = tensor->dtype == HL_DTYPE_BF16 ? HL_DTYPE_F32 : tensor->dtype;
  HlDtype in_memory =
      dtype == HL_DTYPE_F16 && tensor->dtype != HL_DTYPE_F16 ? HL_DTYPE_F32 : dtype;
  g_autoptr (HlTensor) plain = hl_tensor_convert (tensor, in_memory, error);
  if (plain == NULL)
    return FALSE;
  g_autoptr (HlTensor) half = NULL;
  if (in_memory != dtype)
    {
      half = hl_tensor_new (HL_DTYPE_F16, tensor->shape, error);
      if (half == NULL)
        return FALSE;
      hl_dtype_f32_to_f16 (hl_tensor_f32 (plain), (gsize) hl_tensor_count (plain),
                           half->data);
    }
  for (int i = 0; i < tensor->shape.n_dims; i++)
    dims[i] = (hsize_t) tensor->shape.dim[i];
  HL_H5_AUTO hid_t type = hl_h5_type_new (dtype);
  return write_dataset (parent, name, type, tensor->shape.n_dims, dims,
                        half != NULL ? half->data : plain->data, axes, axis_names, unit,
                        error);
}

gboolean
hl_h5_write_array (hid_t parent,
                   const char *name,
                   HlDtype dtype,
                   gsize n,
                   gconstpointer data,
                   HlH5Axes *axes,
                   const char *axis_name,
                   GError **error)
{
  hsize_t dim = n;
  HL_H5_AUTO hid_t type = hl_h5_type_new (dtype);
  return write_dataset (parent, name, type, 1, &dim, data, axes,
                        axis_name != NULL ? &axis_name : NULL, NULL, error);
}

gboolean
hl_h5_write_strings (hid_t parent,
                     const char *name,
                     const char *const *strings,
                     gsize n,
                     gboolean is_scalar,
                     HlH5Axes *axes,
                     const char *axis_name,
                     GError **error)
{
  hsize_t dim = n;
  HL_H5_AUTO hid_t type = hl_h5_string_type_new ();
  return write_dataset (parent, name, type, is_scalar ? 0 : 1, &dim, strings, axes,
                        axis_name != NULL ? &axis_name : NULL, NULL, error);
}
