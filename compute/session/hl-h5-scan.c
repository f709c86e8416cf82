/* SPDX-License-Identifier: MIT
 * The strict walk over a file before anything in it is used: every link, every dataset.
 */
#include "session/hl-h5.h"

/* A model of 128 layers with every site captured has some 3,000 links. */
#define MAX_LINKS 50000
#define MAX_ATTRS 20000
#define MAX_DEPTH 24

typedef struct
{
  HlH5Reader *reader;
  GHashTable *seen; /* addresses of objects, so that rings of links end */
} Scan;

static gboolean scan_group (Scan *scan, hid_t group, int depth, GError **error);

static gboolean
scan_object (Scan *scan, hid_t object, int depth, GError **error)
{
  H5O_info_t info;
  if (H5Oget_info2 (object, &info, H5O_INFO_BASIC | H5O_INFO_NUM_ATTRS) < 0)
    {
      g_autofree char *path = hl_h5_path (object);
      return hl_h5_fail (error, HL_ERROR_FORMAT, "%s: the object cannot be read", path);
    }
  if (info.num_attrs > MAX_ATTRS)
    {
      g_autofree char *path = hl_h5_path (object);
      return hl_h5_fail (error, HL_ERROR_UNSUPPORTED, "%s: more than %d attributes", path,
                         MAX_ATTRS);
    }
  gint64 *address = g_new (gint64, 1);
  *address = (gint64) info.addr;
  if (!g_hash_table_add (scan->seen, address))
    return TRUE;
  if (info.type == H5O_TYPE_GROUP)
    return scan_group (scan, object, depth, error);
  if (info.type == H5O_TYPE_DATASET)
    return hl_h5_check_dataset (scan->reader, object, error);
  return TRUE;
}

static gboolean
scan_link (Scan *scan, hid_t group, const char *name, int depth, GError **error)
{
  H5L_info_t link;
  g_autofree char *path = hl_h5_path (group);
  const char *slash = g_str_has_suffix (path, "/") ? "" : "/";
  if (H5Lget_info (group, name, &link, H5P_DEFAULT) < 0)
    return hl_h5_fail (error, HL_ERROR_FORMAT, "%s%s%s: the link cannot be read", path,
                       slash, name);
  if (link.type == H5L_TYPE_EXTERNAL)
    return hl_h5_fail (error, HL_ERROR_UNSUPPORTED,
                       "%s%s%s: an external link, into another file", path, slash, name);
  /* A soft link stays in the file. It is kept, and never followed. */
  if (link.type == H5L_TYPE_SOFT)
    return TRUE;
  if (link.type != H5L_TYPE_HARD)
    return hl_h5_fail (error, HL_ERROR_UNSUPPORTED, "%s%s%s: a link of unknown kind %d",
                       path, slash, name, (int) link.type);
  HL_H5_AUTO hid_t object = H5Oopen (group, name, H5P_DEFAULT);
  if (object < 0)
    return hl_h5_fail (error, HL_ERROR_FORMAT, "%s%s%s: the object cannot be opened",
                       path, slash, name);
  return scan_object (scan, object, depth + 1, error);
}

static gboolean
scan_group (Scan *scan, hid_t group, int depth, GError **error)
{
  HlH5Reader *reader = scan->reader;
  H5G_info_t info;
  if (H5Gget_info (group, &info) < 0)
    return hl_h5_fail (error, HL_ERROR_FORMAT, "%s: a group cannot be read",
                       reader->path);
  if (info.nlinks > MAX_LINKS || reader->n_links + info.nlinks > MAX_LINKS)
    return hl_h5_fail (error, HL_ERROR_UNSUPPORTED, "%s: more than %d objects",
                       reader->path, MAX_LINKS);
  if (depth > MAX_DEPTH)
    return hl_h5_fail (error, HL_ERROR_UNSUPPORTED, "%s: groups nested deeper than %d",
                       reader->path, MAX_DEPTH);
  g_autoptr (GPtrArray) names = hl_h5_list_links (group, error);
  if (names == NULL)
    return FALSE;
  /* The count in the header need not be true. */
  reader->n_links += MAX (names->len, info.nlinks);
  if (reader->n_links > MAX_LINKS)
    return hl_h5_fail (error, HL_ERROR_UNSUPPORTED, "%s: more than %d objects",
                       reader->path, MAX_LINKS);
  for (guint i = 0; i < names->len; i++)
    if (!scan_link (scan, group, g_ptr_array_index (names, i), depth, error))
      return FALSE;
  return TRUE;
}

gboolean
hl_h5_scan (HlH5Reader *reader, GError **error)
{
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  Scan scan = { .reader = reader, .seen = seen };
  HL_H5_AUTO hid_t root = H5Gopen2 (reader->file, "/", H5P_DEFAULT);
  if (root < 0)
    return hl_h5_fail (error, HL_ERROR_FORMAT, "%s: the root group cannot be opened",
                       reader->path);
  return scan_object (&scan, root, 0, error);
}
