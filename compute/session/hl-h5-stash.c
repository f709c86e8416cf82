/* SPDX-License-Identifier: MIT
 * What a file holds beside the layout, kept in an HDF5 file in memory until the session
 * is saved again. The loaded file may be gone, replaced or damaged by then. */
#include "session/hl-h5.h"

#include <hdf5_hl.h>
#include <string.h>

#define STASH_GROWTH_BYTES (64 << 10)

static gboolean
is_listed (const char *const *names, const char *name)
{
  return names != NULL && g_strv_contains (names, name);
}

static gboolean
open_stash (HlH5Reader *reader, GError **error)
{
  HL_H5_AUTO hid_t access = H5Pcreate (H5P_FILE_ACCESS);
  if (reader->stash >= 0)
    return TRUE;
  H5Pset_fapl_core (access, STASH_GROWTH_BYTES, 0);
  /* The oldest superblock: release 1.10 gives out images of newer ones with a checksum
   * that does not fit. */
  H5Pset_libver_bounds (access, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST);
  /* The name never reaches the disk, but the library wants one. */
  reader->stash = H5Fcreate ("headlight-stash", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  if (reader->stash >= 0)
    return TRUE;
  return hl_h5_fail (error, HL_ERROR_MEMORY, "%s: no memory for what else it holds",
                     reader->path);
}

/* The group at @path, made on the way where it is not there. */
static hid_t
open_place (hid_t file, const char *path)
{
  HL_H5_AUTO hid_t plist = H5Pcreate (H5P_LINK_CREATE);
  H5Pset_create_intermediate_group (plist, 1);
  if (g_str_equal (path, "/") || H5Lexists (file, path, H5P_DEFAULT) > 0)
    return H5Gopen2 (file, path, H5P_DEFAULT);
  H5Eclear2 (H5E_DEFAULT);
  return H5Gcreate2 (file, path, plist, H5P_DEFAULT, H5P_DEFAULT);
}

/* Attributes that point at other objects mean nothing in another file. */
static gboolean
is_plain_type (hid_t type)
{
  switch (H5Tget_class (type))
    {
    case H5T_INTEGER:
    case H5T_FLOAT:
    case H5T_STRING:
    case H5T_ENUM:
    case H5T_BITFIELD:
    case H5T_OPAQUE:
      return TRUE;
    case H5T_NO_CLASS:
    case H5T_TIME:
    case H5T_COMPOUND:
    case H5T_REFERENCE:
    case H5T_VLEN:
    case H5T_ARRAY:
    case H5T_NCLASSES:
      break;
    }
  return FALSE;
}

static gboolean
copy_attr_value (hid_t from, hid_t to, const char *name)
{
  HL_H5_AUTO hid_t attr = H5Aopen (from, name, H5P_DEFAULT);
  HL_H5_AUTO hid_t type = attr >= 0 ? H5Aget_type (attr) : H5I_INVALID_HID;
  HL_H5_AUTO hid_t space = attr >= 0 ? H5Aget_space (attr) : H5I_INVALID_HID;
  if (type < 0 || space < 0)
    return FALSE;
  if (!is_plain_type (type))
    return TRUE;
  hssize_t n = H5Sget_simple_extent_npoints (space);
  gsize size = 0;
  if (n < 0 || __builtin_mul_overflow ((gsize) n, H5Tget_size (type), &size) ||
      size > ((gsize) 64 << 20))
    return FALSE;
  g_autofree char *buffer = g_malloc0 (MAX (size, 1));
  HL_H5_AUTO hid_t copy = H5Acreate2 (to, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (copy < 0 || (n > 0 && H5Aread (attr, type, buffer) < 0))
    return FALSE;
  gboolean is_written = n == 0 || H5Awrite (copy, type, buffer) >= 0;
  if (n > 0 && H5Tis_variable_str (type) > 0)
    H5Dvlen_reclaim (type, space, H5P_DEFAULT, buffer);
  return is_written;
}

static gboolean
copy_attr (hid_t from, hid_t to, const char *name, GError **error)
{
  if (copy_attr_value (from, to, name))
    return TRUE;
  g_autofree char *path = hl_h5_path (from);
  return hl_h5_fail (error, HL_ERROR_FORMAT, "%s: attribute %s cannot be copied", path,
                     name);
}

static gboolean
copy_link (hid_t from, const char *name, hid_t to, const char *new_name, GError **error)
{
  H5L_info_t link;
  g_autofree char *path = hl_h5_path (from);
  if (H5Lget_info (from, name, &link, H5P_DEFAULT) < 0)
    return hl_h5_fail (error, HL_ERROR_FORMAT, "%s/%s: the link cannot be read", path,
                       name);
  if (link.type == H5L_TYPE_SOFT && link.u.val_size < 65536)
    {
      g_autofree char *target = g_malloc0 (link.u.val_size + 1);
      if (H5Lget_val (from, name, target, link.u.val_size, H5P_DEFAULT) >= 0 &&
          H5Lcreate_soft (target, to, new_name, H5P_DEFAULT, H5P_DEFAULT) >= 0)
        return TRUE;
    }
  else if (link.type == H5L_TYPE_HARD &&
           H5Ocopy (from, name, to, new_name, H5P_DEFAULT, H5P_DEFAULT) >= 0)
    return TRUE;
  return hl_h5_fail (error, HL_ERROR_FORMAT, "%s/%s: cannot be copied", path, name);
}

gboolean
hl_h5_stash_unknown (HlH5Reader *reader,
                     hid_t group,
                     const char *const *links,
                     const char *const *attrs,
                     gboolean is_numbered,
                     GError **error)
{
  g_autoptr (GPtrArray) link_names = hl_h5_list_links (group, error);
  g_autoptr (GPtrArray) attr_names =
      link_names != NULL ? hl_h5_list_attrs (group, error) : NULL;
  HL_H5_AUTO hid_t place = H5I_INVALID_HID;
  if (attr_names == NULL)
    return FALSE;
  g_autofree char *path = hl_h5_path (group);
  for (guint i = 0; i < link_names->len + attr_names->len; i++)
    {
      gboolean is_attr = i >= link_names->len;
      const char *name = is_attr ? g_ptr_array_index (attr_names, i - link_names->len)
                                 : g_ptr_array_index (link_names, i);
      if (is_listed (is_attr ? attrs : links, name) ||
          (!is_attr && is_numbered && hl_h5_is_number (name)))
        continue;
      if (place < 0)
        {
          if (!open_stash (reader, error))
            return FALSE;
          place = open_place (reader->stash, path);
          if (place < 0)
            return hl_h5_fail (error, HL_ERROR_FORMAT, "%s: cannot be kept", path);
        }
      if (is_attr ? !copy_attr (group, place, name, error)
                  : !copy_link (group, name, place, name, error))
        return FALSE;
    }
  return TRUE;
}

GBytes *
hl_h5_stash_take (HlH5Reader *reader, GError **error)
{
  if (reader->stash < 0)
    return NULL;
  ssize_t size = -1;
  if (H5Fflush (reader->stash, H5F_SCOPE_GLOBAL) >= 0)
    size = H5Fget_file_image (reader->stash, NULL, 0);
  gpointer image = size > 0 ? g_try_malloc ((gsize) size) : NULL;
  if (image == NULL || H5Fget_file_image (reader->stash, image, (size_t) size) != size)
    {
      g_free (image);
      hl_h5_fail (error, HL_ERROR_MEMORY, "%s: what else it holds cannot be kept",
                  reader->path);
      return NULL;
    }
  H5Fclose (reader->stash);
  reader->stash = H5I_INVALID_HID;
  return g_bytes_new_take (image, (gsize) size);
}

hid_t
hl_h5_stash_open (GBytes *image, GError **error)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (image, &size);
  HL_H5_AUTO hid_t access = H5Pcreate (H5P_FILE_ACCESS);
  hid_t file = H5I_INVALID_HID;
  H5Pset_fapl_core (access, STASH_GROWTH_BYTES, 0);
  if (H5Pset_file_image (access, (void *) data, size) >= 0)
    file = H5Fopen ("headlight-stash", H5F_ACC_RDONLY, access);
  if (file < 0)
    hl_h5_fail (error, HL_ERROR_MEMORY, "what else the session held cannot be opened");
  return file;
}

static gboolean merge_groups (
    hid_t from, hid_t to, const char *const *skip, gboolean is_numbered, GError **error);

static gboolean
merge_link (hid_t from, const char *name, hid_t to, GError **error)
{
  g_autofree char *kept = g_strdup_printf ("%s.kept", name);
  if (!hl_h5_has (to, name))
    return copy_link (from, name, to, name, error);
  HL_H5_AUTO hid_t source = hl_h5_open_group (from, name, FALSE, NULL);
  HL_H5_AUTO hid_t target = hl_h5_open_group (to, name, FALSE, NULL);
  if (source >= 0 && target >= 0)
    return merge_groups (source, target, NULL, FALSE, error);
  H5Eclear2 (H5E_DEFAULT);
  /* Something of ours took the name meanwhile; both stay. */
  return hl_h5_has (to, kept) || copy_link (from, name, to, kept, error);
}

static gboolean
merge_groups (
    hid_t from, hid_t to, const char *const *skip, gboolean is_numbered, GError **error)
{
  g_autoptr (GPtrArray) links = hl_h5_list_links (from, error);
  g_autoptr (GPtrArray) attrs = links != NULL ? hl_h5_list_attrs (from, error) : NULL;
  if (attrs == NULL)
    return FALSE;
  for (guint i = 0; i < attrs->len; i++)
    {
      const char *name = g_ptr_array_index (attrs, i);
      if (H5Aexists (to, name) <= 0 && !copy_attr (from, to, name, error))
        return FALSE;
    }
  for (guint i = 0; i < links->len; i++)
    {
      const char *name = g_ptr_array_index (links, i);
      if (is_listed (skip, name) || (is_numbered && hl_h5_is_number (name)))
        continue;
      if (!merge_link (from, name, to, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
hl_h5_stash_merge (hid_t stash,
                   const char *path,
                   hid_t group,
                   const char *const *skip,
                   gboolean is_numbered,
                   GError **error)
{
  /* No stash, or nothing in it at this place. */
  HL_H5_AUTO hid_t from =
      stash >= 0 ? H5Gopen2 (stash, path, H5P_DEFAULT) : H5I_INVALID_HID;
  H5Eclear2 (H5E_DEFAULT);
  return from < 0 || merge_groups (from, group, skip, is_numbered, error);
}
