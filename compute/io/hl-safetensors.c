/* SPDX-License-Identifier: MIT
 * Weights in safetensors files: which files there are, and the tensors in them. */
#include "io/hl-safetensors.h"

#include "base/hl-error.h"
#include "base/hl-hash.h"
#include "io/hl-json.h"
#include "io/hl-safetensors-private.h"
#include "io/hl-weight-files.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

struct _HlSafetensors
{
  gatomicrefcount refs;
  char *path;
  GPtrArray *shards;  /* HlShard *, by name */
  GPtrArray *entries; /* HlShardEntry *, borrowed from the shards, by name */
  gint64 n_parameters;
  gsize size_bytes;
};

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  const HlShardEntry *const *left = a, *const *right = b;
  return strcmp ((*left)->info.name, (*right)->info.name);
}

static HlSafetensors *
safetensors_new (const char *path)
{
  HlSafetensors *st = g_new0 (HlSafetensors, 1);
  g_atomic_ref_count_init (&st->refs);
  st->path = g_strdup (path);
  st->shards = g_ptr_array_new_with_free_func ((GDestroyNotify) hl_shard_free);
  st->entries = g_ptr_array_new ();
  return st;
}

/* Everything is listed: put it in order and add it up. */
static HlSafetensors *
safetensors_seal (HlSafetensors *st)
{
  g_ptr_array_sort (st->entries, compare_entries);
  for (guint i = 0; i < st->entries->len; i++)
    {
      const HlShardEntry *entry = g_ptr_array_index (st->entries, i);
      /* No overflow: an index may not name a tensor twice, so that the sum stays below
       * twice the number of bytes in the files (4 bits are the smallest number). */
      st->n_parameters += hl_shape_count (&entry->info.shape);
      st->size_bytes += entry->size_bytes;
    }
  return st;
}

HlSafetensors *
hl_safetensors_ref (HlSafetensors *st)
{
  g_atomic_ref_count_inc (&st->refs);
  return st;
}

void
hl_safetensors_unref (HlSafetensors *st)
{
  if (st == NULL || !g_atomic_ref_count_dec (&st->refs))
    return;
  g_ptr_array_unref (st->entries);
  g_ptr_array_unref (st->shards);
  g_free (st->path);
  g_free (st);
}

/* Takes @shard as the only file. */
static HlSafetensors *
safetensors_from_shard (const char *path, HlShard *shard)
{
  HlSafetensors *st = safetensors_new (path);
  g_ptr_array_add (st->shards, shard);
  for (guint i = 0; i < shard->entries->len; i++)
    g_ptr_array_add (st->entries, g_ptr_array_index (shard->entries, i));
  return safetensors_seal (st);
}

HlSafetensors *
hl_safetensors_new_from_bytes (GBytes *bytes, const char *name, GError **error)
{
  HlShard *shard = hl_shard_new (bytes, name, error);
  return shard != NULL ? safetensors_from_shard (name, shard) : NULL;
}

/* ---- several files with an index -----------------------------------------------------
 */

/* The index may name files beside it and nothing else. A link among them is fine: that is
 * how download caches lay files out. */
static gboolean
check_shard_name (const char *where, const char *name, GError **error)
{
  gboolean is_plain = *name != '\0' && *name != '.' && strpbrk (name, "/\\") == NULL;
  if (!is_plain)
    g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                 "%s: weight_map: a file name in the same folder expected, \"%s\" found",
                 where, name);
  return is_plain;
}

static HlShard *
find_shard (HlSafetensors *st, const char *name)
{
  for (guint i = 0; i < st->shards->len; i++)
    {
      HlShard *shard = g_ptr_array_index (st->shards, i);
      if (strcmp (shard->name, name) == 0)
        return shard;
    }
  return NULL;
}

static gboolean
add_indexed (HlSafetensors *st,
             const char *folder,
             const char *where,
             const char *tensor,
             const json_t *value,
             GError **error)
{
  const char *name = json_string_value (value);
  if (name == NULL)
    {
      g_autofree char *found = hl_json_describe (value);
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "%s: weight_map: \"%s\": a file name expected, %s found", where,
                   tensor, found);
      return FALSE;
    }
  if (!check_shard_name (where, name, error))
    return FALSE;
  HlShard *shard = find_shard (st, name);
  if (shard == NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      shard = hl_shard_open (path, error);
      if (shard == NULL)
        {
          g_prefix_error (error, "%s: ", where);
          return FALSE;
        }
      g_ptr_array_add (st->shards, shard);
    }
  HlShardEntry *entry = g_hash_table_lookup (shard->by_name, tensor);
  if (entry == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                   "%s: tensor \"%s\" expected in %s, not found there", where, tensor,
                   name);
      return FALSE;
    }
  g_ptr_array_add (st->entries, entry);
  return TRUE;
}

static int
compare_shards (gconstpointer a, gconstpointer b)
{
  const HlShard *const *left = a, *const *right = b;
  return strcmp ((*left)->name, (*right)->name);
}

static HlSafetensors *
open_index (const char *path, GError **error)
{
  g_autoptr (json_t) root = hl_json_load_file (path, error);
  if (root == NULL)
    return NULL;
  g_autofree char *where = g_path_get_basename (path);
  g_autofree char *folder = g_path_get_dirname (path);
  json_t *map = json_object_get (root, "weight_map");
  if (!json_is_object (map) || json_object_size (map) == 0)
    {
      g_autofree char *found = hl_json_describe (map);
      g_set_error (
          error, HL_ERROR, map == NULL ? HL_ERROR_MISSING : HL_ERROR_FORMAT,
          "%s: field \"weight_map\": an object of tensor and file names expected, "
          "%s found",
          where, json_is_object (map) ? "an empty one" : found);
      return NULL;
    }
  g_autoptr (HlSafetensors) st = safetensors_new (path);
  const char *tensor;
  json_t *value;
  json_object_foreach (map, tensor, value)
  {
    if (!add_indexed (st, folder, where, tensor, value, error))
      return NULL;
  }
  g_ptr_array_sort (st->shards, compare_shards);
  return safetensors_seal (g_steal_pointer (&st));
}

/* ---- opening -------------------------------------------------------------------------
 */

static gboolean
is_file (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static HlSafetensors *
open_file (const char *path, GError **error)
{
  HlShard *shard = hl_shard_open (path, error);
  return shard != NULL ? safetensors_from_shard (path, shard) : NULL;
}

static HlSafetensors *
open_folder (const char *folder, GError **error)
{
  g_autofree char *single = g_build_filename (folder, "model.safetensors", NULL);
  if (is_file (single))
    return open_file (single, error);
  g_autofree char *index =
      g_build_filename (folder, "model.safetensors.index.json", NULL);
  if (is_file (index))
    return open_index (index, error);
  g_auto (HlWeightFiles) files = { 0 };
  hl_weight_files_look (folder, &files);
  if (files.kind > HL_WEIGHTS_SAFETENSORS)
    {
      g_autofree char *path = g_build_filename (folder, files.name, NULL);
      hl_weights_refuse (path, files.kind, error);
      return NULL;
    }
  g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
               "%s: model.safetensors or model.safetensors.index.json expected, neither "
               "found",
               folder);
  return NULL;
}

HlSafetensors *
hl_safetensors_open (const char *path, GError **error)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return open_folder (path, error);
  if (g_str_has_suffix (path, ".index.json"))
    return open_index (path, error);
  return open_file (path, error);
}

/* ---- what is in it -------------------------------------------------------------------
 */

guint
hl_safetensors_get_n_tensors (const HlSafetensors *st)
{
  return st->entries->len;
}

const HlTensorInfo *
hl_safetensors_get_nth (const HlSafetensors *st, guint index)
{
  if (index >= st->entries->len)
    return NULL;
  const HlShardEntry *entry = g_ptr_array_index (st->entries, index);
  return &entry->info;
}

static const HlShardEntry *
find_entry (const HlSafetensors *st, const char *name)
{
  guint low = 0, high = st->entries->len;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const HlShardEntry *entry = g_ptr_array_index (st->entries, middle);
      int order = strcmp (name, entry->info.name);
      if (order == 0)
        return entry;
      if (order < 0)
        high = middle;
      else
        low = middle + 1;
    }
  return NULL;
}

const HlTensorInfo *
hl_safetensors_lookup (const HlSafetensors *st, const char *name)
{
  const HlShardEntry *entry = find_entry (st, name);
  return entry != NULL ? &entry->info : NULL;
}

HlTensor *
hl_safetensors_get (HlSafetensors *st, const char *name, GError **error)
{
  const HlShardEntry *entry = find_entry (st, name);
  if (entry == NULL)
    {
      g_autofree char *base = g_path_get_basename (st->path);
      g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                   "%s: tensor \"%s\" expected, not found among its %u", base, name,
                   st->entries->len);
      return NULL;
    }
  const HlTensorInfo *info = &entry->info;
  if (info->dtype == HL_DTYPE_INVALID)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_DTYPE,
                   "%s: tensor \"%s\": F64, F32, F16, BF16, I64, I32 or U8 expected, %s "
                   "found: %s weights are not supported",
                   info->file, name, info->file_dtype, entry->dtype_words);
      return NULL;
    }
  const char *data = (const char *) g_bytes_get_data (entry->bytes, NULL) + entry->offset;
  if ((guintptr) data % hl_dtype_size (info->dtype) == 0)
    return hl_tensor_new_wrap (info->dtype, info->shape, (gpointer) data,
                               (GDestroyNotify) g_bytes_unref,
                               g_bytes_ref (entry->bytes));
  HlTensor *copy = hl_tensor_new (info->dtype, info->shape, error);
  if (copy == NULL)
    g_prefix_error (error, "%s: tensor \"%s\": ", info->file, name);
  else
    memcpy (copy->data, data, entry->size_bytes);
  return copy;
}

guint
hl_safetensors_get_n_files (const HlSafetensors *st)
{
  return st->shards->len;
}

const char *
hl_safetensors_get_file (const HlSafetensors *st, guint index, gsize *size_bytes)
{
  const HlShard *shard = g_ptr_array_index (st->shards, index);
  *size_bytes = g_bytes_get_size (shard->bytes);
  return shard->name;
}

gint64
hl_safetensors_get_n_parameters (const HlSafetensors *st)
{
  return st->n_parameters;
}

gsize
hl_safetensors_get_size_bytes (const HlSafetensors *st)
{
  return st->size_bytes;
}

const char *
hl_safetensors_get_path (const HlSafetensors *st)
{
  return st->path;
}

char *
hl_safetensors_identity (const HlSafetensors *st)
{
  char *sum = g_strdup ("safetensors");
  for (guint i = 0; i < st->shards->len; i++)
    {
      const HlShard *shard = g_ptr_array_index (st->shards, i);
      gsize size = 0;
      const char *data = g_bytes_get_data (shard->bytes, &size);
      g_autofree char *header = hl_hash_bytes (data, shard->data_start);
      g_autofree char *size_text = g_strdup_printf ("%zu", size);
      g_autofree char *time_text =
          g_strdup_printf ("%" G_GINT64_FORMAT, shard->modified_ns);
      char *next = hl_hash_strings (sum, header, size_text, time_text, NULL);
      g_free (sum);
      sum = next;
    }
  /* Two indices over the same shards may choose differently. */
  g_autoptr (GString) names = g_string_new (NULL);
  for (guint i = 0; i < st->entries->len; i++)
    {
      const HlShardEntry *entry = g_ptr_array_index (st->entries, i);
      g_string_append_printf (names, "%s\n%s\n", entry->info.name, entry->info.file);
    }
  char *whole = hl_hash_strings (sum, names->str, NULL);
  g_free (sum);
  return whole;
}
