/* SPDX-License-Identifier: MIT
 * A thin layer over HDF5: attributes, and lists of strings in either place. */
#include "session/hl-h5-string.h"

#include <string.h>

/* Far more than any attribute of ours; an attribute is read whole. */
#define MAX_ATTR_VALUES 100000

char **
hl_h5_strings_copy (gpointer buffer, gsize n, gsize width)
{
  char **strings = g_new0 (char *, n + 1);
  for (gsize i = 0; i < n; i++)
    {
      if (width == 0)
        {
          const char *text = ((char **) buffer)[i];
          strings[i] = g_utf8_make_valid (text != NULL ? text : "", -1);
          continue;
        }
      const char *text = (const char *) buffer + i * width;
      gsize length = strnlen (text, width);
      /* Fortran and some others pad with blanks instead of zeros. */
      while (length > 0 && text[length - 1] == ' ')
        length--;
      strings[i] = g_utf8_make_valid (text, (gssize) length);
    }
  return strings;
}

static gboolean
wrong_type (
    hid_t object, const char *name, const char *wanted, hid_t type, GError **error)
{
  g_autofree char *path = hl_h5_path (object);
  g_autofree char *found = hl_h5_type_describe (type);
  return hl_h5_fail (error, HL_ERROR_DTYPE, "%s: attribute %s: %s expected, %s found",
                     path, name, wanted, found);
}

/* Opens an attribute and counts its values; -1 where it is absent or @error is set. */
static hid_t
open_attr (hid_t object, const char *name, hssize_t *n_values, GError **error)
{
  if (H5Aexists (object, name) <= 0)
    return H5I_INVALID_HID;
  hid_t attr = H5Aopen (object, name, H5P_DEFAULT);
  HL_H5_AUTO hid_t space = attr >= 0 ? H5Aget_space (attr) : H5I_INVALID_HID;
  *n_values = space >= 0 ? H5Sget_simple_extent_npoints (space) : -1;
  if (*n_values >= 0 && *n_values <= MAX_ATTR_VALUES)
    return attr;
  g_autofree char *path = hl_h5_path (object);
  hl_h5_fail (error, HL_ERROR_FORMAT, "%s: attribute %s cannot be read", path, name);
  hl_h5_close (&attr);
  return H5I_INVALID_HID;
}

/* Reads all strings of an open attribute. */
static char **
read_attr_strings (hid_t object, hid_t attr, const char *name, gsize n, GError **error)
{
  HL_H5_AUTO hid_t type = H5Aget_type (attr);
  HL_H5_AUTO hid_t space = H5Aget_space (attr);
  g_autofree char *path = hl_h5_path (object);
  if (type < 0 || H5Tget_class (type) != H5T_STRING)
    {
      wrong_type (object, name, "string", type, error);
      return NULL;
    }
  gboolean is_variable = H5Tis_variable_str (type) > 0;
  gsize width = is_variable ? 0 : H5Tget_size (type);
  gsize size = n * (is_variable ? sizeof (char *) : width);
  /* Attributes above 64 kB lie in a heap; nothing of ours comes near 16 MB. */
  if (size > ((gsize) 16 << 20))
    {
      hl_h5_fail (error, HL_ERROR_RANGE, "%s: attribute %s claims %zu bytes", path, name,
                  size);
      return NULL;
    }
  g_autofree char *buffer = g_malloc0 (MAX (size, 1));
  if (n > 0 && H5Aread (attr, type, buffer) < 0)
    {
      hl_h5_fail (error, HL_ERROR_FORMAT, "%s: attribute %s cannot be read", path, name);
      return NULL;
    }
  char **strings = hl_h5_strings_copy (buffer, n, width);
  if (is_variable && n > 0)
    H5Dvlen_reclaim (type, space, H5P_DEFAULT, buffer);
  return strings;
}

gboolean
hl_h5_read_attr_strv (hid_t object, const char *name, char ***out, GError **error)
{
  GError *local = NULL;
  hssize_t n = 0;
  HL_H5_AUTO hid_t attr = open_attr (object, name, &n, &local);
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  if (attr < 0)
    return TRUE;
  char **strings = read_attr_strings (object, attr, name, (gsize) n, error);
  if (strings == NULL)
    return FALSE;
  g_strfreev (*out);
  *out = strings;
  return TRUE;
}

gboolean
hl_h5_read_attr_string (hid_t object, const char *name, char **out, GError **error)
{
  g_auto (GStrv) strings = NULL;
  if (!hl_h5_read_attr_strv (object, name, &strings, error))
    return FALSE;
  if (strings == NULL)
    return TRUE;
  if (g_strv_length (strings) != 1)
    {
      g_autofree char *path = hl_h5_path (object);
      return hl_h5_fail (error, HL_ERROR_SHAPE,
                         "%s: attribute %s: one string expected, %u found", path, name,
                         g_strv_length (strings));
    }
  g_free (*out);
  *out = g_strdup (strings[0]);
  return TRUE;
}

/* Reads one number of any dtype as itself. */
static gboolean
read_attr_number (hid_t object,
                  const char *name,
                  gboolean is_float,
                  guint8 value[8],
                  HlDtype *dtype,
                  GError **error)
{
  GError *local = NULL;
  hssize_t n = 0;
  HL_H5_AUTO hid_t attr = open_attr (object, name, &n, &local);
  *dtype = HL_DTYPE_INVALID;
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  if (attr < 0)
    return TRUE;
  HL_H5_AUTO hid_t type = H5Aget_type (attr);
  *dtype = hl_h5_type_dtype (type);
  if (*dtype == HL_DTYPE_INVALID || (hl_dtype_is_float (*dtype) && !is_float))
    return wrong_type (object, name,
                       is_float ? "float64, float32 or int64" : "int64 or int32", type,
                       error);
  if (n == 1 && H5Aread (attr, type, value) >= 0)
    return TRUE;
  g_autofree char *path = hl_h5_path (object);
  return hl_h5_fail (error, HL_ERROR_SHAPE,
                     "%s: attribute %s: one number expected, %d found", path, name,
                     (int) n);
}

gboolean
hl_h5_read_attr_int (hid_t object, const char *name, gint64 *out, GError **error)
{
  guint8 value[8] = { 0 };
  HlDtype dtype;
  if (!read_attr_number (object, name, FALSE, value, &dtype, error))
    return FALSE;
  hl_h5_ints_widen (dtype, value, dtype == HL_DTYPE_INVALID ? 0 : 1, out);
  return TRUE;
}

void
hl_h5_ints_widen (HlDtype dtype, gconstpointer source, gsize n, gint64 *out)
{
  for (gsize i = 0; i < n; i++)
    if (dtype == HL_DTYPE_I64)
      out[i] = ((const gint64 *) source)[i];
    else if (dtype == HL_DTYPE_I32)
      out[i] = ((const gint32 *) source)[i];
    else
      out[i] = ((const guint8 *) source)[i];
}

gboolean
hl_h5_read_attr_double (hid_t object, const char *name, double *out, GError **error)
{
  guint8 value[8] = { 0 };
  HlDtype dtype;
  if (!read_attr_number (object, name, TRUE, value, &dtype, error))
    return FALSE;
  if (dtype != HL_DTYPE_INVALID)
    hl_dtype_to_f64 (dtype, value, 1, out);
  return TRUE;
}

static gboolean
write_attr (hid_t object,
            const char *name,
            hid_t type,
            hid_t space,
            gconstpointer value,
            GError **error)
{
  HL_H5_AUTO hid_t attr =
      H5Acreate2 (object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (attr >= 0 && H5Awrite (attr, type, value) >= 0)
    return TRUE;
  g_autofree char *path = hl_h5_path (object);
  return hl_h5_fail (error, HL_ERROR_IO, "%s: attribute %s cannot be written", path,
                     name);
}

gboolean
hl_h5_write_attr_string (hid_t object, const char *name, const char *text, GError **error)
{
  HL_H5_AUTO hid_t type = hl_h5_string_type_new ();
  HL_H5_AUTO hid_t space = H5Screate (H5S_SCALAR);
  return write_attr (object, name, type, space, &text, error);
}

gboolean
hl_h5_write_attr_int (hid_t object, const char *name, gint64 value, GError **error)
{
  HL_H5_AUTO hid_t type = hl_h5_type_new (HL_DTYPE_I64);
  HL_H5_AUTO hid_t space = H5Screate (H5S_SCALAR);
  return write_attr (object, name, type, space, &value, error);
}

gboolean
hl_h5_write_attr_int32 (hid_t object, const char *name, gint32 value, GError **error)
{
  HL_H5_AUTO hid_t type = hl_h5_type_new (HL_DTYPE_I32);
  HL_H5_AUTO hid_t space = H5Screate (H5S_SCALAR);
  return write_attr (object, name, type, space, &value, error);
}

gboolean
hl_h5_write_attr_double (hid_t object, const char *name, double value, GError **error)
{
  HL_H5_AUTO hid_t type = hl_h5_type_new (HL_DTYPE_F64);
  HL_H5_AUTO hid_t space = H5Screate (H5S_SCALAR);
  return write_attr (object, name, type, space, &value, error);
}

gboolean
hl_h5_write_attr_strv (hid_t object,
                       const char *name,
                       const char *const *values,
                       gsize n_values,
                       GError **error)
{
  hsize_t n = n_values;
  HL_H5_AUTO hid_t type = hl_h5_string_type_new ();
  HL_H5_AUTO hid_t space = H5Screate_simple (1, &n, NULL);
  const char *none = "";
  return write_attr (object, name, type, space, n > 0 ? values : &none, error);
}
