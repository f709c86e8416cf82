/* SPDX-License-Identifier: MIT
 * A data set: many inputs, with labels where there are any. */
#include "model/hl-dataset-private.h"

#include "base/hl-error.h"
#include "model/hl-model-text.h"

#include <string.h>

static void
item_clear (gpointer data)
{
  HlDatasetItem *item = data;
  g_free (item->name);
  g_free (item->path);
  g_free (item->text);
  g_free (item->label_name);
}

static HlDataset *
dataset_new (const char *path)
{
  HlDataset *d = g_new0 (HlDataset, 1);
  g_atomic_ref_count_init (&d->refs);
  d->path = g_strdup (path);
  d->name = g_path_get_basename (path);
  d->items = g_array_new (FALSE, TRUE, sizeof (HlDatasetItem));
  g_array_set_clear_func (d->items, item_clear);
  return d;
}

HlDataset *
hl_dataset_ref (HlDataset *dataset)
{
  g_atomic_ref_count_inc (&dataset->refs);
  return dataset;
}

void
hl_dataset_unref (HlDataset *d)
{
  if (d == NULL || !g_atomic_ref_count_dec (&d->refs))
    return;
  g_free (d->path);
  g_free (d->name);
  g_free (d->warning);
  g_array_unref (d->items);
  hl_idx_free (d->idx);
  g_free (d);
}

gboolean
hl_dataset_add (HlDataset *dataset, const HlDatasetItem *item, GError **error)
{
  g_array_append_val (dataset->items, *item);
  if (dataset->items->len <= HL_DATASET_MAX_ITEMS)
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "%s: %d inputs at most expected, more found", dataset->path,
               HL_DATASET_MAX_ITEMS);
  return FALSE;
}

void
hl_dataset_label (const HlLabels *labels, HlDatasetItem *item)
{
  item->label = item->label_name != NULL ? hl_labels_find (labels, item->label_name) : -1;
}

gboolean
hl_dataset_list_lines (HlDataset *dataset, GError **error)
{
  g_autofree char *text = NULL;
  gsize length;
  if (!g_file_get_contents (dataset->path, &text, &length, error))
    return FALSE;
  if (!g_utf8_validate_len (text, length, NULL))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT, "%s: a text in UTF-8 expected",
                   dataset->path);
      return FALSE;
    }
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (int i = 0; lines[i] != NULL; i++)
    {
      g_strchomp (lines[i]);
      if (lines[i][0] == '\0')
        continue;
      const HlDatasetItem item = { .name = g_strdup_printf ("line %d", i + 1),
                                   .path = g_strdup (dataset->path),
                                   .text = g_strdup (lines[i]),
                                   .index = i,
                                   .label = -1 };
      if (!hl_dataset_add (dataset, &item, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
list (HlDataset *d, const HlModelInfo *info, GError **error)
{
  gboolean is_csv = g_str_has_suffix (d->path, ".csv");
  if (g_file_test (d->path, G_FILE_TEST_IS_DIR))
    {
      d->kind = HL_DATASET_FOLDER;
      return hl_dataset_list_folder (d, info, error);
    }
  if (!g_file_test (d->path, G_FILE_TEST_IS_REGULAR))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                   "%s: a folder, a CSV, an IDX file or a text expected, nothing found "
                   "there",
                   d->path);
      return FALSE;
    }
  d->kind = is_csv                        ? HL_DATASET_CSV
            : hl_dataset_is_idx (d->path) ? HL_DATASET_IDX
                                          : HL_DATASET_LINES;
  return is_csv                      ? hl_dataset_list_csv (d, info, error)
         : d->kind == HL_DATASET_IDX ? hl_dataset_list_idx (d, error)
                                     : hl_dataset_list_lines (d, error);
}

/* IDX files and numbers in a CSV know nothing of the model. */
static void
check_labels (HlDataset *d, const HlModelInfo *info)
{
  for (guint i = 0; i < d->items->len && info != NULL && info->n_classes > 0; i++)
    {
      HlDatasetItem *item = &g_array_index (d->items, HlDatasetItem, i);
      if (item->label < info->n_classes)
        continue;
      if (item->label_name == NULL)
        item->label_name = g_strdup_printf ("%d", item->label);
      item->label = -1;
    }
}

static void
count_labels (HlDataset *d)
{
  const HlDatasetItem *first = NULL;
  for (guint i = 0; i < d->items->len; i++)
    {
      const HlDatasetItem *item = &g_array_index (d->items, HlDatasetItem, i);
      if (item->label >= 0 || item->text != NULL)
        continue;
      d->n_unlabelled++;
      first = first != NULL || item->label_name == NULL ? first : item;
    }
  if (first != NULL)
    d->warning = g_strdup_printf (
        "%d of %u inputs have no class of the model's; the first is \"%s\", of %s",
        d->n_unlabelled, d->items->len, first->label_name, first->name);
}

HlDataset *
hl_dataset_open (const char *path, const HlModelInfo *info, GError **error)
{
  g_autoptr (HlDataset) d = dataset_new (path);
  if (!list (d, info, error))
    return NULL;
  if (d->items->len == 0)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                   "%s: at least one input expected, none found", path);
      return NULL;
    }
  check_labels (d, info);
  count_labels (d);
  return g_steal_pointer (&d);
}

int
hl_dataset_get_n_items (const HlDataset *dataset)
{
  return (int) dataset->items->len;
}

const HlDatasetItem *
hl_dataset_get_item (const HlDataset *dataset, int index)
{
  return &g_array_index (dataset->items, HlDatasetItem, index);
}

/* What an input of IDX files is called: they hold many. */
static char *
path_in_file (const HlDatasetItem *item)
{
  return g_strdup_printf ("%s#%d", item->path, (int) item->index);
}

int
hl_dataset_find (const HlDataset *dataset, const char *name, const char *path)
{
  for (guint i = 0; i < dataset->items->len; i++)
    {
      const HlDatasetItem *item = &g_array_index (dataset->items, HlDatasetItem, i);
      g_autofree char *own =
          dataset->idx != NULL ? path_in_file (item) : g_strdup (item->path);
      if (g_str_equal (own, path) &&
          (item->text == NULL || g_str_equal (item->name, name)))
        return (int) i;
    }
  return -1;
}

/* Algorithm S of Knuth 3.4.2: each item is taken with the chance that is left for it. */
HlDataset *
hl_dataset_sample (const HlDataset *dataset, int n, guint32 seed)
{
  HlDataset *d = dataset_new (dataset->path);
  int N = (int) dataset->items->len, wanted = n <= 0 || n >= N ? N : n;
  GRand *rand = g_rand_new_with_seed (seed);
  d->kind = dataset->kind;
  d->idx = dataset->idx != NULL ? hl_idx_copy (dataset->idx) : NULL;
  for (int i = 0; i < N && wanted > 0; i++)
    {
      if (g_rand_int_range (rand, 0, N - i) >= wanted)
        continue;
      HlDatasetItem item = *hl_dataset_get_item (dataset, i);
      item.name = g_strdup (item.name);
      item.path = g_strdup (item.path);
      item.text = g_strdup (item.text);
      item.label_name = g_strdup (item.label_name);
      g_array_append_val (d->items, item);
      wanted--;
    }
  g_rand_free (rand);
  count_labels (d);
  return d;
}

/* The line without its last token, which is what is to be predicted. */
static HlInput *
open_line (const HlModel *model, const HlDatasetItem *item, int *label, GError **error)
{
  g_autoptr (HlInput) whole =
      hl_model_open_text (model, item->name, item->path, item->text, -1, NULL, error);
  if (whole == NULL)
    return NULL;
  gint64 n = whole->ids->shape.dim[1];
  if (n < 2)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                   "%s: two tokens or more expected, of which the last is predicted, %d "
                   "found",
                   item->name, (int) n);
      return NULL;
    }
  const HlTextOptions options = { .n_tokens = n - 1 };
  *label = ((const gint32 *) whole->ids->data)[n - 1];
  return hl_model_open_text (model, item->name, item->path, item->text, -1, &options,
                             error);
}

HlInput *
hl_dataset_open_input (
    const HlDataset *dataset, const HlModel *model, int index, int *label, GError **error)
{
  const HlDatasetItem *item = hl_dataset_get_item (dataset, index);
  *label = item->label;
  if (item->text != NULL)
    return open_line (model, item, label, error);
  if (dataset->idx == NULL)
    return hl_model_open_image (model, item->path, 0, 0, error);
  g_autoptr (HlTensor) rgb = hl_idx_get_rgb (dataset->idx, item->index, error);
  g_autofree char *path = path_in_file (item);
  return rgb != NULL ? hl_model_open_rgb (model, path, rgb, 0, 0, error) : NULL;
}
