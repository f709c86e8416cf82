/* SPDX-License-Identifier: MIT
 * The cache of Hugging Face's tools: whatever lies in it was written by somebody else. */
#include "base/hl-hub.h"

#include "base/hl-error.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define REPO_PREFIX "models--"
#define NAME_MAX_BYTES 200
#define REF_MAX_BYTES 256
#define HASH_PREFIX_MIN 7

void
hl_hub_snapshot_free (HlHubSnapshot *snapshot)
{
  g_free (snapshot->revision);
  g_free (snapshot->ref);
  g_free (snapshot);
}

/* ---- names ---------------------------------------------------------------------------
 */

/* One part of a name: what Hugging Face allows. Nothing that leaves a folder. */
static gboolean
is_plain (const char *part)
{
  gsize length = strlen (part);
  gboolean is_good = length > 0 && length <= NAME_MAX_BYTES && part[0] != '.';
  for (gsize i = 0; is_good && i < length; i++)
    is_good = g_ascii_isalnum (part[i]) || strchr ("._-", part[i]) != NULL;
  return is_good;
}

static gboolean
are_plain (const char *path, guint n_max)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", (int) n_max + 1);
  guint n = g_strv_length (parts);
  gboolean is_good = n > 0 && n <= n_max;
  for (guint i = 0; is_good && i < n; i++)
    is_good = is_plain (parts[i]);
  return is_good;
}

static char *
replaced (const char *text, const char *from, const char *to)
{
  g_auto (GStrv) parts = g_strsplit (text, from, -1);
  return g_strjoinv (to, parts);
}

char *
hl_hub_repo_name (const char *folder_name)
{
  if (!g_str_has_prefix (folder_name, REPO_PREFIX))
    return NULL;
  g_autofree char *name = replaced (folder_name + strlen (REPO_PREFIX), "--", "/");
  return are_plain (name, 2) ? g_steal_pointer (&name) : NULL;
}

gboolean
hl_hub_could_be_name (const char *name)
{
  g_auto (GStrv) parts = g_strsplit (name, "@", 2);
  return parts[0] != NULL && are_plain (parts[0], 2) &&
         (parts[1] == NULL || are_plain (parts[1], 4));
}

/* ---- where it is ---------------------------------------------------------------------
 */

static const char *
variable (const char *name)
{
  const char *value = g_getenv (name);
  return value != NULL && value[0] != '\0' ? value : NULL;
}

static char *
full_path (const char *path)
{
  if (path[0] == '~' && (path[1] == '/' || path[1] == '\0'))
    return g_build_filename (g_get_home_dir (), path + 1, NULL);
  return g_canonicalize_filename (path, NULL);
}

char *
hl_hub_folder (void)
{
  const char *given = variable ("HF_HUB_CACHE");
  if (given == NULL)
    given = variable ("HUGGINGFACE_HUB_CACHE");
  if (given != NULL)
    return full_path (given);
  given = variable ("HF_HOME");
  if (given != NULL)
    {
      g_autofree char *home = full_path (given);
      return g_build_filename (home, "hub", NULL);
    }
  /* Not g_get_user_cache_dir(), which remembers what the variable once was. */
  given = variable ("XDG_CACHE_HOME");
  if (given != NULL)
    return g_build_filename (given, "huggingface", "hub", NULL);
  return g_build_filename (g_get_home_dir (), ".cache", "huggingface", "hub", NULL);
}

/* ---- snapshots -----------------------------------------------------------------------
 */

/* The first line of a small file; NULL for anything else. */
static char *
read_line (const char *path)
{
  GStatBuf info;
  g_autofree char *text = NULL;
  if (g_stat (path, &info) != 0 || !S_ISREG (info.st_mode) ||
      info.st_size > REF_MAX_BYTES || !g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  text[strcspn (text, "\r\n")] = '\0';
  return is_plain (text) ? g_steal_pointer (&text) : NULL;
}

static char *
read_ref (const char *repo_folder, const char *ref)
{
  g_autofree char *path = g_build_filename (repo_folder, "refs", ref, NULL);
  return read_line (path);
}

static int
compare_snapshots (gconstpointer a, gconstpointer b)
{
  const HlHubSnapshot *const *left = a, *const *right = b;
  gboolean left_is_ref = (*left)->ref[0] != '\0', right_is_ref = (*right)->ref[0] != '\0';
  if (left_is_ref != right_is_ref)
    return left_is_ref ? -1 : 1;
  if ((*left)->modified_s != (*right)->modified_s)
    return (*left)->modified_s > (*right)->modified_s ? -1 : 1;
  return strcmp ((*left)->revision, (*right)->revision);
}

GPtrArray *
hl_hub_list_snapshots (const char *repo_folder)
{
  GPtrArray *list =
      g_ptr_array_new_with_free_func ((GDestroyNotify) hl_hub_snapshot_free);
  g_autofree char *folder = g_build_filename (repo_folder, "snapshots", NULL);
  g_autofree char *main_revision = read_ref (repo_folder, "main");
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while (dir != NULL && list->len < HL_HUB_MAX_SNAPSHOTS &&
         (name = g_dir_read_name (dir)) != NULL)
    {
      GStatBuf info;
      g_autofree char *path = g_build_filename (folder, name, NULL);
      if (!is_plain (name) || g_stat (path, &info) != 0 || !S_ISDIR (info.st_mode))
        continue;
      HlHubSnapshot *snapshot = g_new0 (HlHubSnapshot, 1);
      snapshot->revision = g_strdup (name);
      snapshot->ref = g_strdup (g_strcmp0 (name, main_revision) == 0 ? "main" : "");
      snapshot->modified_s = (gint64) info.st_mtime;
      g_ptr_array_add (list, snapshot);
    }
  g_ptr_array_sort (list, compare_snapshots);
  return list;
}

/* Index of the snapshot that @wanted means; -1 for none, or for a beginning of several.
 */
static int
choose_snapshot (const char *repo_folder, GPtrArray *list, const char *wanted)
{
  g_autofree char *of_ref = read_ref (repo_folder, wanted);
  int found = -1, n_found = 0;
  for (guint i = 0; i < list->len; i++)
    {
      const HlHubSnapshot *snapshot = g_ptr_array_index (list, i);
      if (g_strcmp0 (snapshot->revision, of_ref) == 0 ||
          g_str_equal (snapshot->revision, wanted))
        return (int) i;
      if (strlen (wanted) >= HASH_PREFIX_MIN &&
          g_str_has_prefix (snapshot->revision, wanted))
        {
          found = (int) i;
          n_found++;
        }
    }
  return n_found == 1 ? found : -1;
}

static void
set_no_revision (const char *name, const char *wanted, GPtrArray *list, GError **error)
{
  g_autoptr (GString) there = g_string_new (NULL);
  for (guint i = 0; i < list->len && i < 8; i++)
    {
      const HlHubSnapshot *snapshot = g_ptr_array_index (list, i);
      g_string_append_printf (there, "%s%s", i > 0 ? ", " : "", snapshot->revision);
      if (snapshot->ref[0] != '\0')
        g_string_append_printf (there, " (%s)", snapshot->ref);
    }
  if (wanted != NULL)
    g_set_error (
        error, HL_ERROR, HL_ERROR_MISSING,
        "%s: the revision \"%s\" expected in the cache of models, %s found there", name,
        wanted, there->len > 0 ? there->str : "none");
  else
    g_set_error (error, HL_ERROR, HL_ERROR_MISSING,
                 "%s: a snapshot expected in the cache of models, none found there: its "
                 "download was not finished",
                 name);
}

/* @wanted: (nullable): a revision. */
static char *
find_in (const char *repo_folder, const char *name, const char *wanted, GError **error)
{
  g_autoptr (GPtrArray) list = hl_hub_list_snapshots (repo_folder);
  int index = wanted == NULL ? (list->len > 0 ? 0 : -1)
                             : choose_snapshot (repo_folder, list, wanted);
  if (index < 0)
    {
      set_no_revision (name, wanted, list, error);
      return NULL;
    }
  const HlHubSnapshot *snapshot = g_ptr_array_index (list, index);
  return g_build_filename (repo_folder, "snapshots", snapshot->revision, NULL);
}

char *
hl_hub_find (const char *name, GError **error)
{
  /* The folder that holds the snapshots, by its path. */
  if (g_file_test (name, G_FILE_TEST_IS_DIR))
    {
      g_autofree char *full = g_canonicalize_filename (name, NULL);
      g_autofree char *base = g_path_get_basename (full);
      g_autofree char *repo = hl_hub_repo_name (base);
      g_autofree char *snapshots = g_build_filename (full, "snapshots", NULL);
      return repo != NULL && g_file_test (snapshots, G_FILE_TEST_IS_DIR)
                 ? find_in (full, repo, NULL, error)
                 : NULL;
    }
  if (!hl_hub_could_be_name (name))
    return NULL;
  g_auto (GStrv) parts = g_strsplit (name, "@", 2);
  g_autofree char *flat = replaced (parts[0], "/", "--");
  g_autofree char *base = g_strconcat (REPO_PREFIX, flat, NULL);
  g_autofree char *cache = hl_hub_folder ();
  g_autofree char *repo_folder = g_build_filename (cache, base, NULL);
  if (!g_file_test (repo_folder, G_FILE_TEST_IS_DIR))
    return NULL;
  return find_in (repo_folder, parts[0], parts[1], error);
}

/* ---- the other way round -------------------------------------------------------------
 */

/* "hf download --local-dir" notes the commit of each file in a hidden folder. */
static char *
noted_revision (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, ".cache", "huggingface", "download",
                                            "config.json.metadata", NULL);
  return read_line (path);
}

/* *@revision: (out) (nullable) */
static char *
name_by_path (const char *full, char **revision)
{
  g_auto (GStrv) parts = g_strsplit (full, "/", -1);
  for (guint i = 0; parts[i] != NULL && parts[i + 1] != NULL && parts[i + 2] != NULL; i++)
    {
      g_autofree char *repo = hl_hub_repo_name (parts[i]);
      if (repo == NULL || !g_str_equal (parts[i + 1], "snapshots"))
        continue;
      g_autofree char *below = g_strjoinv ("/", parts + i + 3);
      *revision = g_strdup (parts[i + 2]);
      return below[0] != '\0' ? g_strconcat (repo, "/", below, NULL)
                              : g_steal_pointer (&repo);
    }
  return NULL;
}

char *
hl_hub_name_of_folder (const char *folder)
{
  g_autofree char *full = g_canonicalize_filename (folder, NULL);
  g_autofree char *revision = NULL;
  return name_by_path (full, &revision);
}

void
hl_hub_identify (const char *folder, char **name, char **revision)
{
  g_autofree char *full = g_canonicalize_filename (folder, NULL);
  *revision = NULL;
  *name = name_by_path (full, revision);
  if (*revision == NULL)
    *revision = noted_revision (full);
  if (*revision == NULL)
    *revision = g_strdup ("");
}
