/* SPDX-License-Identifier: MIT
 * A thin layer over HDF5: errors, links and types. */
#include "session/hl-h5.h"

#include <string.h>

void
hl_h5_quiet (void)
{
  H5Eset_auto2 (H5E_DEFAULT, NULL, NULL);
}

static herr_t
innermost_cb (unsigned n, const H5E_error2_t *entry, void *data)
{
  char **text = data;
  /* Walking upward, the first entry is the place where it went wrong. */
  if (*text == NULL && entry->desc != NULL && entry->desc[0] != '\0')
    *text = g_utf8_make_valid (entry->desc, -1);
  return 0;
}

gboolean
hl_h5_fail (GError **error, HlErrorCode code, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *detail = NULL;
  H5Ewalk2 (H5E_DEFAULT, H5E_WALK_UPWARD, innermost_cb, &detail);
  H5Eclear2 (H5E_DEFAULT);
  if (detail != NULL)
    {
      g_strdelimit (detail, "\r\n", ' ');
      g_set_error (error, HL_ERROR, (int) code, "%s (HDF5: %s)", message, detail);
    }
  else
    g_set_error_literal (error, HL_ERROR, (int) code, message);
  return FALSE;
}

char *
hl_h5_path (hid_t object)
{
  ssize_t size = H5Iget_name (object, NULL, 0);
  if (size <= 0 || size > 65536)
    return g_strdup ("(nameless object)");
  g_autofree char *name = g_malloc ((gsize) size + 1);
  H5Iget_name (object, name, (size_t) size + 1);
  return g_utf8_make_valid (name, -1);
}

static herr_t
link_cb (hid_t group, const char *name, const H5L_info_t *info, void *data)
{
  g_ptr_array_add (data, g_strdup (name));
  return 0;
}

static herr_t
attr_cb (hid_t object, const char *name, const H5A_info_t *info, void *data)
{
  g_ptr_array_add (data, g_strdup (name));
  return 0;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
hl_h5_list_links (hid_t group, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  if (H5Literate (group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, link_cb, names) < 0)
    {
      g_autofree char *path = hl_h5_path (group);
      hl_h5_fail (error, HL_ERROR_FORMAT, "%s: the group cannot be listed", path);
      return NULL;
    }
  g_ptr_array_sort (names, compare_names);
  return g_steal_pointer (&names);
}

GPtrArray *
hl_h5_list_attrs (hid_t object, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  if (H5Aiterate2 (object, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, attr_cb, names) < 0)
    {
      g_autofree char *path = hl_h5_path (object);
      hl_h5_fail (error, HL_ERROR_FORMAT, "%s: the attributes cannot be listed", path);
      return NULL;
    }
  g_ptr_array_sort (names, compare_names);
  return g_steal_pointer (&names);
}

gboolean
hl_h5_is_number (const char *name)
{
  gsize length = strlen (name);
  if (length == 0 || length > 6 || (name[0] == '0' && length > 1))
    return FALSE;
  return strspn (name, "0123456789") == length;
}

static int
compare_ints (gconstpointer a, gconstpointer b)
{
  return *(const int *) a - *(const int *) b;
}

GArray *
hl_h5_list_numbered (hid_t group, GError **error)
{
  g_autoptr (GPtrArray) names = hl_h5_list_links (group, error);
  if (names == NULL)
    return NULL;
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (int));
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      int number = 0;
      if (!hl_h5_is_number (name))
        continue;
      number = (int) g_ascii_strtoll (name, NULL, 10);
      g_array_append_val (numbers, number);
    }
  g_array_sort (numbers, compare_ints);
  return numbers;
}

gboolean
hl_h5_has (hid_t group, const char *name)
{
  return H5Lexists (group, name, H5P_DEFAULT) > 0;
}

static hid_t
open_object (
    hid_t parent, const char *name, H5I_type_t type, gboolean is_required, GError **error)
{
  const char *kind = type == H5I_GROUP ? "group" : "array";
  g_autofree char *path = hl_h5_path (parent);
  const char *slash = g_str_has_suffix (path, "/") ? "" : "/";
  H5L_info_t link;
  if (!hl_h5_has (parent, name))
    {
      if (is_required)
        hl_h5_fail (error, HL_ERROR_MISSING, "%s%s%s: missing %s", path, slash, name,
                    kind);
      return H5I_INVALID_HID;
    }
  if (H5Lget_info (parent, name, &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD)
    {
      hl_h5_fail (error, HL_ERROR_UNSUPPORTED,
                  "%s%s%s: %s expected, a soft or external link found", path, slash, name,
                  kind);
      return H5I_INVALID_HID;
    }
  hid_t object = H5Oopen (parent, name, H5P_DEFAULT);
  if (object < 0)
    {
      hl_h5_fail (error, HL_ERROR_FORMAT, "%s%s%s: the %s cannot be opened", path, slash,
                  name, kind);
      return H5I_INVALID_HID;
    }
  if (H5Iget_type (object) != type)
    {
      H5Idec_ref (object);
      hl_h5_fail (error, HL_ERROR_FORMAT, "%s%s%s: %s expected, another object found",
                  path, slash, name, kind);
      return H5I_INVALID_HID;
    }
  return object;
}

hid_t
hl_h5_open_group (hid_t parent, const char *name, gboolean is_required, GError **error)
{
  return open_object (parent, name, H5I_GROUP, is_required, error);
}

hid_t
hl_h5_open_dataset (hid_t parent, const char *name, gboolean is_required, GError **error)
{
  return open_object (parent, name, H5I_DATASET, is_required, error);
}

hid_t
hl_h5_create_group (hid_t parent, const char *name, GError **error)
{
  hid_t group = H5I_INVALID_HID;
  if (name[0] == '\0' || strchr (name, '/') != NULL || g_str_equal (name, "."))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "the name \"%s\" cannot be stored in a session", name);
      return H5I_INVALID_HID;
    }
  group = H5Gcreate2 (parent, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (group < 0)
    hl_h5_fail (error, HL_ERROR_IO, "the group %s cannot be written", name);
  return group;
}

/* Half precision is no predefined type. Named as PLATFORM's recipe has it; h5py shows it
 * as float16. The order of the calls matters: fields must fit the size at every step. */
static hid_t
half_type_new (void)
{
  hid_t type = H5Tcopy (H5T_IEEE_F32LE);
  if (type < 0 || H5Tset_fields (type, 15, 10, 5, 0, 10) < 0 ||
      H5Tset_size (type, 2) < 0 || H5Tset_ebias (type, 15) < 0)
    {
      hl_h5_close (&type);
      return H5I_INVALID_HID;
    }
  return type;
}

hid_t
hl_h5_type_new (HlDtype dtype)
{
  switch (dtype)
    {
    case HL_DTYPE_F64:
      return H5Tcopy (H5T_IEEE_F64LE);
    case HL_DTYPE_F32:
      return H5Tcopy (H5T_IEEE_F32LE);
    case HL_DTYPE_F16:
      return half_type_new ();
    case HL_DTYPE_I64:
      return H5Tcopy (H5T_STD_I64LE);
    case HL_DTYPE_I32:
      return H5Tcopy (H5T_STD_I32LE);
    case HL_DTYPE_U8:
      return H5Tcopy (H5T_STD_U8LE);
    case HL_DTYPE_BF16:
    case HL_DTYPE_INVALID:
      break;
    }
  return H5I_INVALID_HID;
}

hid_t
hl_h5_string_type_new (void)
{
  hid_t type = H5Tcopy (H5T_C_S1);
  H5Tset_size (type, H5T_VARIABLE);
  H5Tset_cset (type, H5T_CSET_UTF8);
  return type;
}

HlDtype
hl_h5_type_dtype (hid_t type)
{
  static const HlDtype dtypes[] = { HL_DTYPE_F64, HL_DTYPE_F32, HL_DTYPE_F16,
                                    HL_DTYPE_I64, HL_DTYPE_I32, HL_DTYPE_U8 };
  for (guint i = 0; i < G_N_ELEMENTS (dtypes); i++)
    {
      HL_H5_AUTO hid_t known = hl_h5_type_new (dtypes[i]);
      if (H5Tequal (type, known) > 0)
        return dtypes[i];
    }
  return HL_DTYPE_INVALID;
}

char *
hl_h5_type_describe (hid_t type)
{
  H5T_class_t class = H5Tget_class (type);
  HlDtype dtype = hl_h5_type_dtype (type);
  const char *order = H5Tget_order (type) == H5T_ORDER_BE ? "big-endian " : "";
  gsize size = H5Tget_size (type);
  static const char *const classes[] = { "integer",         "float",     "time",
                                         "string",          "bit field", "opaque",
                                         "compound",        "reference", "enum",
                                         "variable-length", "array" };
  H5Eclear2 (H5E_DEFAULT);
  if (dtype != HL_DTYPE_INVALID)
    return g_strdup (hl_dtype_name (dtype));
  if (class == H5T_INTEGER)
    return g_strdup_printf ("%s%s %" G_GSIZE_FORMAT "-byte integer", order,
                            H5Tget_sign (type) == H5T_SGN_NONE ? "unsigned" : "signed",
                            size);
  if (class == H5T_FLOAT)
    return g_strdup_printf ("%s%" G_GSIZE_FORMAT "-byte float", order, size);
  if ((gsize) class < G_N_ELEMENTS (classes))
    return g_strdup (classes[class]);
  return g_strdup ("unknown");
}
