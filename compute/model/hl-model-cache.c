/* SPDX-License-Identifier: MIT
 * The models on this disk. */
#include "model/hl-model-cache.h"

#include "base/hl-error.h"
#include "base/hl-hub.h"
#include "io/hl-weight-files.h"
#include "model/hl-family-nearest.h"
#include "model/hl-family.h"
#include "model/hl-quantisation.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* Longer ones are read when the model is opened; a list does not wait for them. */
#define CONFIG_MAX_BYTES (8 << 20)
#define WORDS_MAX 200

void
hl_cached_model_free (HlCachedModel *model)
{
  g_free (model->name);
  g_free (model->revision);
  g_free (model->ref);
  g_free (model->folder);
  g_free (model->model_type);
  g_free (model->family_title);
  g_free (model->reason);
  g_free (model);
}

/* One line that a terminal can be given, whatever was in the file. */
static char *
one_line (const char *text, gsize n_max)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *line = g_string_new (NULL);
  gsize n = 0;
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      if (n++ == n_max)
        {
          g_string_append (line, "…");
          break;
        }
      gunichar c = g_utf8_get_char (p);
      g_string_append_unichar (line, g_unichar_isprint (c) ? c : 0xfffd);
    }
  return g_string_free (line, FALSE);
}

static void
set_reason (HlCachedModel *model, const char *reason)
{
  if (model->reason == NULL)
    model->reason = one_line (reason, WORDS_MAX);
}

/* ---- what config.json says -----------------------------------------------------------
 */

static json_t *
load_config (HlCachedModel *model)
{
  g_autofree char *path = g_build_filename (model->folder, "config.json", NULL);
  GStatBuf info;
  GError *error = NULL;
  if (g_stat (path, &info) != 0)
    {
      set_reason (model, errno == ENOENT || errno == ENOTDIR
                             ? "no config.json"
                             : "config.json cannot be read");
      return NULL;
    }
  if (!S_ISREG (info.st_mode))
    {
      set_reason (model, "config.json is no file");
      return NULL;
    }
  if (info.st_size > CONFIG_MAX_BYTES)
    {
      set_reason (model, "config.json is too long");
      return NULL;
    }
  json_t *config = hl_json_load_file (path, &error);
  if (config == NULL)
    {
      /* Where it lies is known; only what is wrong counts. */
      set_reason (model, error->message);
      g_error_free (error);
    }
  return config;
}

static void
judge_family (HlCachedModel *model, const json_t *config)
{
  const char *type = json_string_value (json_object_get (config, "model_type"));
  if (type == NULL)
    {
      set_reason (model, "config.json has no \"model_type\"");
      return;
    }
  const HlFamily *family = hl_family_find (type, NULL, NULL);
  g_free (model->model_type);
  model->model_type = one_line (type, 40);
  if (family != NULL)
    {
      g_free (model->family_title);
      model->family_title = g_strdup (family->title);
      return;
    }
  const char *nearest = hl_family_nearest_name (type);
  g_autofree char *reason =
      nearest != NULL ? g_strdup_printf ("unknown family %s (nearest: %s)",
                                         model->model_type, nearest)
                      : g_strdup_printf ("unknown family %s", model->model_type);
  set_reason (model, reason);
}

/* ---- what files there are ------------------------------------------------------------
 */

static void
judge_files (HlCachedModel *model, const HlWeightFiles *files)
{
  g_autofree char *reason = NULL;
  if (files->kind == HL_WEIGHTS_NONE)
    reason = g_strdup ("incomplete download: no weights");
  else if (files->kind == HL_WEIGHTS_PICKLE)
    reason = g_strdup ("only PyTorch pickles, which can run code; no safetensors");
  else if (files->kind != HL_WEIGHTS_SAFETENSORS)
    reason = g_strdup_printf ("only a %s (%s); no safetensors",
                              hl_weights_kind_words (files->kind), files->name);
  else if (files->n_missing == 1)
    reason = g_strdup ("incomplete download: a file of weights is missing");
  else if (files->n_missing > 1)
    reason = g_strdup_printf ("incomplete download: %u files of weights are missing",
                              files->n_missing);
  if (reason != NULL)
    set_reason (model, reason);
}

/* Fills what the files of @model->folder say; the first reason sticks. TRUE where there
 * is a configuration or a weight. */
static gboolean
look (HlCachedModel *model)
{
  g_auto (HlWeightFiles) files = { 0 };
  hl_weight_files_look (model->folder, &files);
  model->size_bytes = files.size_bytes;
  g_autoptr (json_t) config = load_config (model);
  if (config != NULL)
    {
      g_autofree char *quantised = hl_quantisation_of_config (config);
      judge_family (model, config);
      if (quantised != NULL)
        {
          g_autofree char *reason = g_strdup_printf ("quantised: %s", quantised);
          set_reason (model, reason);
        }
      judge_files (model, &files);
    }
  return config != NULL || files.kind != HL_WEIGHTS_NONE;
}

static HlCachedModel *
cached_model_new (const char *folder)
{
  HlCachedModel *model = g_new0 (HlCachedModel, 1);
  model->folder = g_strdup (folder);
  model->model_type = g_strdup ("");
  model->family_title = g_strdup ("");
  return model;
}

HlCachedModel *
hl_model_cache_look (const char *folder)
{
  if (!g_file_test (folder, G_FILE_TEST_IS_DIR))
    return NULL;
  HlCachedModel *model = cached_model_new (folder);
  hl_hub_identify (folder, &model->name, &model->revision);
  if (model->name == NULL)
    {
      g_autofree char *base = g_path_get_basename (folder);
      model->name = one_line (base, 120);
    }
  model->ref = g_strdup ("");
  look (model);
  return model;
}

/* ---- the cache -----------------------------------------------------------------------
 */

static void
add_snapshots (GPtrArray *list, const char *repo_folder, const char *name)
{
  g_autoptr (GPtrArray) snapshots = hl_hub_list_snapshots (repo_folder);
  for (guint i = 0; i < snapshots->len && list->len < HL_MODEL_CACHE_MAX; i++)
    {
      const HlHubSnapshot *snapshot = g_ptr_array_index (snapshots, i);
      g_autofree char *folder =
          g_build_filename (repo_folder, "snapshots", snapshot->revision, NULL);
      g_autoptr (HlCachedModel) model = cached_model_new (folder);
      model->name = g_strdup (name);
      model->revision = g_strdup (snapshot->revision);
      model->ref = g_strdup (snapshot->ref);
      /* The first one stands for the model, whatever is in it. */
      if (look (model) || i == 0)
        g_ptr_array_add (list, g_steal_pointer (&model));
    }
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  const char *const *left = a, *const *right = b;
  int order = g_ascii_strcasecmp (*left, *right);
  return order != 0 ? order : strcmp (*left, *right);
}

/* The models' folders, in order; NULL with @error. */
static GPtrArray *
list_repos (const char *folder, GError **error)
{
  g_autoptr (GPtrArray) repos = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) cause = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &cause);
  if (dir == NULL && !g_error_matches (cause, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_IO,
                   "%s: the cache of models cannot be read: %s", folder, cause->message);
      return NULL;
    }
  const char *name;
  while (dir != NULL && repos->len < HL_MODEL_CACHE_MAX &&
         (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, "models--"))
      g_ptr_array_add (repos, g_strdup (name));
  g_ptr_array_sort (repos, compare_names);
  return g_steal_pointer (&repos);
}

GPtrArray *
hl_model_cache_list (const char *folder, const HlProgress *progress, GError **error)
{
  g_autofree char *usual = folder == NULL ? hl_hub_folder () : NULL;
  const char *cache = folder != NULL ? folder : usual;
  g_autoptr (GPtrArray) repos = list_repos (cache, error);
  if (repos == NULL)
    return NULL;
  g_autoptr (GPtrArray) list =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_cached_model_free);
  for (guint i = 0; i < repos->len && list->len < HL_MODEL_CACHE_MAX; i++)
    {
      const char *base = g_ptr_array_index (repos, i);
      g_autofree char *name = hl_hub_repo_name (base);
      g_autofree char *path = g_build_filename (cache, base, NULL);
      if (!hl_progress_step (progress, (double) i / repos->len, name, error))
        return NULL;
      if (name != NULL)
        add_snapshots (list, path, name);
    }
  return g_steal_pointer (&list);
}
