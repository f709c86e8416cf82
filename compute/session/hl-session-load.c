/* SPDX-License-Identifier: MIT
 * The session: loading. The file is walked strictly first; then what is in the layout is
 * read, and what is not goes into the stash. */
#include "session/hl-session-private.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* A file without any of ours is not a session, whatever else it is. */
static gboolean
read_root_attrs (HlH5Reader *reader, hid_t root, HlSession *session, GError **error)
{
  gint64 schema = G_MININT64;
  if (!hl_h5_read_attr_int (root, "headlight_schema", &schema, error) ||
      !hl_h5_read_attr_string (root, "created", &session->created, error))
    return FALSE;
  if (schema == G_MININT64)
    return hl_h5_fail (error, HL_ERROR_FORMAT,
                       "%s: not a session: the attribute headlight_schema is missing",
                       reader->path);
  if (schema > HL_SESSION_SCHEMA)
    return hl_h5_fail (error, HL_ERROR_UNSUPPORTED,
                       "%s: written by a newer Headlight (schema %" G_GINT64_FORMAT
                       "; this one reads up to %d)",
                       reader->path, schema, HL_SESSION_SCHEMA);
  if (schema < 1)
    return hl_h5_fail (error, HL_ERROR_RANGE,
                       "%s: headlight_schema: 1 expected, %" G_GINT64_FORMAT " found",
                       reader->path, schema);
  return TRUE;
}

static gboolean
read_notes (HlH5Reader *reader, hid_t root, HlSession *session, GError **error)
{
  GError *local = NULL;
  gsize n = 0;
  g_auto (GStrv) notes = hl_h5_read_strings (reader, root, "notes", FALSE, &n, &local);
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  if (n > 1)
    return hl_h5_fail (error, HL_ERROR_SHAPE,
                       "/notes: one string expected, %" G_GSIZE_FORMAT " found", n);
  if (n == 1)
    hl_session_set_notes (session, notes[0]);
  return TRUE;
}

/* Reads one attribute of /view into *@value; leaves it alone for a type that the window
 * never writes. */
static gboolean
read_view_value (hid_t view, const char *name, GVariant **value, GError **error)
{
  HL_H5_AUTO hid_t attr = H5Aopen (view, name, H5P_DEFAULT);
  HL_H5_AUTO hid_t type = attr >= 0 ? H5Aget_type (attr) : H5I_INVALID_HID;
  HL_H5_AUTO hid_t space = attr >= 0 ? H5Aget_space (attr) : H5I_INVALID_HID;
  if (space < 0 || name[0] == '\0' || H5Sget_simple_extent_npoints (space) != 1)
    return TRUE;
  HlDtype dtype = hl_h5_type_dtype (type);
  if (H5Tget_class (type) == H5T_STRING)
    {
      g_autofree char *text = NULL;
      if (!hl_h5_read_attr_string (view, name, &text, error))
        return FALSE;
      *value = g_variant_new_string (text);
    }
  else if (hl_dtype_is_float (dtype))
    {
      double number = 0;
      if (!hl_h5_read_attr_double (view, name, &number, error))
        return FALSE;
      *value = g_variant_new_double (number);
    }
  else if (dtype != HL_DTYPE_INVALID)
    {
      gint64 number = 0;
      if (!hl_h5_read_attr_int (view, name, &number, error))
        return FALSE;
      *value = g_variant_new_int64 (number);
    }
  return TRUE;
}

static gboolean
read_view (HlH5Reader *reader, hid_t root, HlSession *session, GError **error)
{
  GError *local = NULL;
  HL_H5_AUTO hid_t view = hl_h5_open_group (root, "view", FALSE, &local);
  if (view < 0)
    {
      if (local != NULL)
        g_propagate_error (error, local);
      return local == NULL;
    }
  g_autoptr (GPtrArray) names = hl_h5_list_attrs (view, error);
  g_autoptr (GPtrArray) known = g_ptr_array_new ();
  if (names == NULL)
    return FALSE;
  for (guint i = 0; i < names->len; i++)
    {
      GVariant *value = NULL;
      const char *name = g_ptr_array_index (names, i);
      if (!read_view_value (view, name, &value, error))
        return FALSE;
      if (value == NULL)
        continue;
      hl_session_set_view (session, name, value);
      g_ptr_array_add (known, g_ptr_array_index (names, i));
    }
  g_ptr_array_add (known, NULL);
  return hl_h5_stash_unknown (reader, view, NULL, (const char *const *) known->pdata,
                              FALSE, error);
}

/* The axis names of an array, where every dimension has one. */
static char **
read_axes (hid_t group, const char *name, int n_dims)
{
  g_auto (GStrv) labels = NULL;
  HL_H5_AUTO hid_t dataset = hl_h5_open_dataset (group, name, FALSE, NULL);
  if (dataset < 0 || n_dims == 0 ||
      !hl_h5_read_attr_strv (dataset, "DIMENSION_LABELS", &labels, NULL) ||
      labels == NULL || (int) g_strv_length (labels) != n_dims)
    return NULL;
  for (int i = 0; i < n_dims; i++)
    if (labels[i][0] == '\0')
      return NULL;
  return g_steal_pointer (&labels);
}

/* Whether a link of a result is an array that fits HlSessionArray. */
static gboolean
is_array (hid_t group, const char *name)
{
  HL_H5_AUTO hid_t dataset = hl_h5_open_dataset (group, name, FALSE, NULL);
  HL_H5_AUTO hid_t type = dataset >= 0 ? H5Dget_type (dataset) : H5I_INVALID_HID;
  HL_H5_AUTO hid_t space = dataset >= 0 ? H5Dget_space (dataset) : H5I_INVALID_HID;
  gboolean fits = space >= 0 && hl_h5_type_dtype (type) != HL_DTYPE_INVALID &&
                  H5Sget_simple_extent_type (space) != H5S_NULL &&
                  H5Sget_simple_extent_ndims (space) <= HL_MAX_DIMS;
  H5Eclear2 (H5E_DEFAULT);
  return fits;
}

static gboolean
read_result_array (HlH5Reader *reader,
                   hid_t group,
                   const char *name,
                   HlSessionResult *result,
                   GError **error)
{
  g_autoptr (HlTensor) tensor =
      hl_h5_read_tensor (reader, group, name, HL_DTYPE_INVALID, TRUE, NULL, error);
  if (tensor == NULL)
    return FALSE;
  g_autofree char *unit = NULL;
  g_auto (GStrv) axes = read_axes (group, name, tensor->shape.n_dims);
  HL_H5_AUTO hid_t dataset = hl_h5_open_dataset (group, name, TRUE, error);
  if (dataset < 0 || !hl_h5_read_attr_string (dataset, "units", &unit, error))
    return FALSE;
  hl_session_result_add_array (result, name, tensor, (const char *const *) axes, unit);
  return TRUE;
}

static HlSessionResult *
read_result (HlH5Reader *reader, hid_t group, GError **error)
{
  static const char *const attrs[] = { "id",         "analysis",  "params",
                                       "provenance", "precision", NULL };
  g_autofree char *id = g_strdup (""), *params = g_strdup ("");
  g_autofree char *provenance = g_strdup (""), *precision = g_strdup ("float32");
  g_autoptr (GPtrArray) names = hl_h5_list_links (group, error);
  g_autoptr (GPtrArray) known = g_ptr_array_new ();
  if (names == NULL || !hl_h5_read_attr_string (group, "id", &id, error) ||
      !hl_h5_read_attr_string (group, "params", &params, error) ||
      !hl_h5_read_attr_string (group, "provenance", &provenance, error) ||
      !hl_h5_read_attr_string (group, "precision", &precision, error))
    return NULL;
  g_autoptr (HlSessionResult) result = hl_session_result_new (id, params, provenance);
  g_free (result->precision);
  result->precision = g_steal_pointer (&precision);
  g_ptr_array_add (known, (char *) "axes");
  for (guint i = 0; i < names->len; i++)
    {
      char *name = g_ptr_array_index (names, i);
      if (g_str_equal (name, "axes") || !is_array (group, name))
        continue;
      if (!read_result_array (reader, group, name, result, error))
        return NULL;
      g_ptr_array_add (known, name);
    }
  g_ptr_array_add (known, NULL);
  if (!hl_h5_stash_unknown (reader, group, (const char *const *) known->pdata, attrs,
                            FALSE, error))
    return NULL;
  return g_steal_pointer (&result);
}

static gboolean
read_results (HlH5Reader *reader, hid_t root, HlSession *session, GError **error)
{
  GError *local = NULL;
  HL_H5_AUTO hid_t results = hl_h5_open_group (root, "results", FALSE, &local);
  if (results < 0)
    {
      if (local != NULL)
        g_propagate_error (error, local);
      return local == NULL;
    }
  g_autoptr (GArray) numbers = hl_h5_list_numbered (results, error);
  if (numbers == NULL)
    return FALSE;
  for (guint i = 0; i < numbers->len; i++)
    {
      int number = g_array_index (numbers, int, i);
      g_autofree char *name = g_strdup_printf ("%d", number);
      HL_H5_AUTO hid_t group = hl_h5_open_group (results, name, TRUE, error);
      g_autoptr (HlSessionResult) result =
          group >= 0 ? read_result (reader, group, error) : NULL;
      if (result == NULL || !hl_progress_step (reader->progress, 0.95, "results", error))
        return FALSE;
      hl_session_append_result (session, result, number);
    }
  return hl_h5_stash_unknown (reader, results, NULL, NULL, TRUE, error);
}

static HlSession *
read_session (HlH5Reader *reader, GError **error)
{
  g_autoptr (HlSession) session = hl_session_new ();
  HL_H5_AUTO hid_t root = H5Gopen2 (reader->file, "/", H5P_DEFAULT);
  session->path = g_strdup (reader->path);
  if (root < 0)
    {
      hl_h5_fail (error, HL_ERROR_FORMAT, "%s: the root group cannot be opened",
                  reader->path);
      return NULL;
    }
  /* The schema comes before the walk, so that a newer file says that it is newer. */
  if (!read_root_attrs (reader, root, session, error) || !hl_h5_scan (reader, error) ||
      !hl_session_read_models (reader, session, error) ||
      !hl_session_read_traces (reader, session, error) ||
      !read_results (reader, root, session, error) ||
      !read_notes (reader, root, session, error) ||
      !read_view (reader, root, session, error) ||
      !hl_h5_stash_unknown (reader, root, hl_session_root_links, hl_session_root_attrs,
                            FALSE, error))
    return NULL;
  GError *local = NULL;
  session->stash = hl_h5_stash_take (reader, &local);
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return NULL;
    }
  return g_steal_pointer (&session);
}

/* Opens the file and learns its size; FALSE with @error. */
static gboolean
open_reader (HlH5Reader *reader, GError **error)
{
  GStatBuf info;
  HL_H5_AUTO hid_t plist = H5Pcreate (H5P_FILE_ACCESS);
  if (g_stat (reader->path, &info) != 0)
    {
      int number = errno;
      g_set_error (error, HL_ERROR, number == ENOENT ? HL_ERROR_MISSING : HL_ERROR_IO,
                   "%s: %s", reader->path, g_strerror (number));
      return FALSE;
    }
  if (!S_ISREG (info.st_mode))
    return hl_h5_fail (error, HL_ERROR_FORMAT, "%s: not a file", reader->path);
  reader->size_bytes = (guint64) info.st_size;
  if (access (reader->path, R_OK) != 0)
    {
      int number = errno;
      g_set_error (error, HL_ERROR, HL_ERROR_IO, "%s: %s", reader->path,
                   g_strerror (number));
      return FALSE;
    }
  H5Pset_fclose_degree (plist, H5F_CLOSE_STRONG);
  H5Pset_file_locking (plist, FALSE, TRUE);
  if (H5Fis_hdf5 (reader->path) <= 0)
    {
      H5Eclear2 (H5E_DEFAULT);
      return hl_h5_fail (error, HL_ERROR_FORMAT, "%s: not an HDF5 file", reader->path);
    }
  reader->file = H5Fopen (reader->path, H5F_ACC_RDONLY, plist);
  if (reader->file < 0)
    return hl_h5_fail (error, HL_ERROR_FORMAT, "%s: damaged or truncated HDF5 file",
                       reader->path);
  return TRUE;
}

HlSession *
hl_session_load (const char *path, const HlProgress *progress, GError **error)
{
  HlH5Reader reader = {
    .path = path, .file = H5I_INVALID_HID, .stash = H5I_INVALID_HID, .progress = progress
  };
  HlSession *session = NULL;
  hl_h5_quiet ();
  if (open_reader (&reader, error))
    session = read_session (&reader, error);
  if (reader.stash >= 0)
    H5Fclose (reader.stash);
  if (reader.file >= 0)
    H5Fclose (reader.file);
  H5Eclear2 (H5E_DEFAULT);
  return session;
}

gboolean
hl_session_check_file (const char *path, GError **error)
{
  g_autoptr (HlSession) session = hl_session_load (path, NULL, error);
  return session != NULL;
}
