/* SPDX-License-Identifier: MIT
 * A folder of pictures; its subfolders are classes. */
#include "base/hl-error.h"
#include "model/hl-dataset-private.h"

#include <string.h>

static int
by_text (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* (transfer full) (element-type utf8): names in a folder, in order; hidden ones left out.
 */
static GPtrArray *
list_names (const char *path, GError **error)
{
  const char *name;
  g_autoptr (GDir) dir = g_dir_open (path, 0, error);
  if (dir == NULL)
    return NULL;
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (dir)) != NULL && names->len < HL_DATASET_MAX_ITEMS)
    if (name[0] != '.')
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, by_text);
  return names;
}

static gboolean
is_picture (const char *name)
{
  g_autofree char *type = g_content_type_guess (name, NULL, 0, NULL);
  g_autofree char *mime = g_content_type_get_mime_type (type);
  return mime != NULL && g_str_has_prefix (mime, "image/");
}

static gboolean
add_pictures (HlDataset *d, const char *folder, const char *class, GError **error)
{
  g_autoptr (GPtrArray) names = list_names (folder, error);
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      if (!is_picture (name))
        continue;
      const HlDatasetItem item = { .name = g_strdup (name),
                                   .path = g_build_filename (folder, name, NULL),
                                   .index = -1,
                                   .label = -1,
                                   .label_name = g_strdup (class) };
      if (!hl_dataset_add (d, &item, error))
        return FALSE;
    }
  return names != NULL;
}

gboolean
hl_dataset_list_folder (HlDataset *d, const HlModelInfo *info, GError **error)
{
  g_autoptr (GPtrArray) names = list_names (d->path, error);
  g_autoptr (GPtrArray) classes = g_ptr_array_new_with_free_func (g_free);
  gboolean ok = names != NULL && add_pictures (d, d->path, NULL, error);
  for (guint i = 0; ok && i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      g_autofree char *folder = g_build_filename (d->path, name, NULL);
      if (!g_file_test (folder, G_FILE_TEST_IS_DIR))
        continue;
      g_ptr_array_add (classes, g_strdup (name));
      ok = add_pictures (d, folder, name, error);
    }
  if (!ok)
    return FALSE;
  g_autoptr (HlLabels) labels = hl_labels_new (info, d->path, classes);
  for (guint i = 0; i < d->items->len; i++)
    hl_dataset_label (labels, &g_array_index (d->items, HlDatasetItem, i));
  return TRUE;
}
