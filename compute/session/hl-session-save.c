/* SPDX-License-Identifier: MIT
 * The session: saving. The new file is made beside the old one and takes its place only
 * when it is whole and on the disk. */
#include "config.h"

#include "session/hl-h5-sink.h"
#include "session/hl-session-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMP_SUFFIX ".hl-tmp"

static gboolean
io_error (GError **error, const char *path, const char *what)
{
  int number = errno;
  g_set_error (error, HL_ERROR, HL_ERROR_IO, "%s: %s: %s", path, what,
               g_strerror (number));
  return FALSE;
}

static gboolean
write_result (hid_t group, const HlSessionResult *result, GError **error)
{
  g_auto (HlH5Axes) axes = { 0 };
  hl_h5_axes_init (&axes, group);
  if (!hl_h5_write_attr_string (group, "id", result->id, error) ||
      !hl_h5_write_attr_string (group, "analysis", result->id, error) ||
      !hl_h5_write_attr_string (group, "precision", result->precision, error) ||
      !hl_h5_write_attr_string (group, "params", result->params_json, error) ||
      !hl_h5_write_attr_string (group, "provenance", result->provenance_json, error))
    return FALSE;
  for (guint i = 0; i < result->arrays->len; i++)
    {
      const HlSessionArray *array = g_ptr_array_index (result->arrays, i);
      const char *const *names = (const char *const *) array->axes;
      int n_dims = array->tensor->shape.n_dims;
      if (g_str_equal (array->name, "axes") ||
          (names != NULL && (int) g_strv_length (array->axes) != n_dims))
        {
          g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                       "result %s, array \"%s\": a reserved name, or not %d axis names",
                       result->id, array->name, n_dims);
          return FALSE;
        }
      if (!hl_h5_write_tensor (group, array->name, array->tensor, HL_DTYPE_INVALID, &axes,
                               n_dims > 0 ? names : NULL, array->unit, error))
        return FALSE;
    }
  return TRUE;
}

/* Makes /<parent>/<index>; -1 with @error. */
static hid_t
create_numbered (hid_t parent, guint index, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%u", index);
  return hl_h5_create_group (parent, name, error);
}

/* Brings back what the loaded file had in /<room>/<origin> beside ours. */
static gboolean
merge_origin (hid_t stash, const char *room, int origin, hid_t group, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/%s/%d", room, origin);
  return origin < 0 || hl_h5_stash_merge (stash, path, group, NULL, FALSE, error);
}

static gboolean
write_models (hid_t root, const HlSession *session, hid_t stash, GError **error)
{
  HL_H5_AUTO hid_t models = hl_h5_create_group (root, "models", error);
  for (guint i = 0; models >= 0 && i < session->models->len; i++)
    {
      const HlSessionModel *entry = g_ptr_array_index (session->models, i);
      HL_H5_AUTO hid_t group = create_numbered (models, i, error);
      if (group < 0 || !hl_session_write_model (group, entry->info, error) ||
          !merge_origin (stash, "models", entry->origin, group, error))
        return FALSE;
    }
  return models >= 0 && hl_h5_stash_merge (stash, "/models", models, NULL, TRUE, error);
}

static gboolean
write_traces (hid_t root,
              const HlSession *session,
              hid_t stash,
              const HlSessionOptions *options,
              const HlProgress *progress,
              GError **error)
{
  HL_H5_AUTO hid_t traces = hl_h5_create_group (root, "traces", error);
  for (guint i = 0; traces >= 0 && i < session->traces->len; i++)
    {
      const HlSessionTrace *entry = g_ptr_array_index (session->traces, i);
      HL_H5_AUTO hid_t group = create_numbered (traces, i, error);
      if (group < 0 ||
          !hl_session_write_trace (group, session, entry, options, progress, error) ||
          !merge_origin (stash, "traces", entry->origin, group, error))
        return FALSE;
    }
  return traces >= 0 && hl_h5_stash_merge (stash, "/traces", traces, NULL, TRUE, error);
}

static gboolean
write_results (hid_t root, const HlSession *session, hid_t stash, GError **error)
{
  HL_H5_AUTO hid_t results = hl_h5_create_group (root, "results", error);
  for (guint i = 0; results >= 0 && i < session->results->len; i++)
    {
      const HlSessionEntry *entry = g_ptr_array_index (session->results, i);
      HL_H5_AUTO hid_t group = create_numbered (results, i, error);
      if (group < 0 || !write_result (group, entry->result, error) ||
          !merge_origin (stash, "results", entry->origin, group, error))
        return FALSE;
    }
  return results >= 0 &&
         hl_h5_stash_merge (stash, "/results", results, NULL, TRUE, error);
}

static gboolean
write_view (hid_t root, const HlSession *session, hid_t stash, GError **error)
{
  GHashTableIter iter;
  gpointer key, value;
  HL_H5_AUTO hid_t view = hl_h5_create_group (root, "view", error);
  gboolean is_good = view >= 0;
  g_hash_table_iter_init (&iter, session->view);
  while (is_good && g_hash_table_iter_next (&iter, &key, &value))
    if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
      is_good =
          hl_h5_write_attr_string (view, key, g_variant_get_string (value, NULL), error);
    else if (g_variant_is_of_type (value, G_VARIANT_TYPE_DOUBLE))
      is_good = hl_h5_write_attr_double (view, key, g_variant_get_double (value), error);
    else
      is_good = hl_h5_write_attr_int (view, key, g_variant_get_int64 (value), error);
  return is_good && hl_h5_stash_merge (stash, "/view", view, NULL, FALSE, error);
}

static gboolean
write_root (hid_t file, const HlSession *session, hid_t stash, GError **error)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *created = session->created != NULL
                                 ? g_strdup (session->created)
                                 : g_date_time_format (now, "%Y-%m-%dT%H:%M:%SZ");
  const char *notes = session->notes;
  return hl_h5_write_attr_int32 (file, "headlight_schema", HL_SESSION_SCHEMA, error) &&
         hl_h5_write_attr_string (file, "headlight_version", HL_VERSION, error) &&
         hl_h5_write_attr_string (file, "created", created, error) &&
         hl_h5_write_strings (file, "notes", &notes, 1, TRUE, NULL, NULL, error) &&
         write_view (file, session, stash, error) &&
         hl_h5_stash_merge (stash, "/", file, hl_session_root_links, FALSE, error);
}

static gboolean
write_document (hid_t file,
                const HlSession *session,
                const HlSessionOptions *options,
                const HlProgress *progress,
                GError **error)
{
  HL_H5_AUTO hid_t root = H5Gopen2 (file, "/", H5P_DEFAULT);
  HL_H5_AUTO hid_t stash = H5I_INVALID_HID;
  if (session->stash != NULL)
    {
      stash = hl_h5_stash_open (session->stash, error);
      if (stash < 0)
        return FALSE;
    }
  return write_root (root, session, stash, error) &&
         write_models (root, session, stash, error) &&
         write_traces (root, session, stash, options, progress, error) &&
         write_results (root, session, stash, error) &&
         hl_progress_step (progress, 0.98, "syncing", error);
}

/* What the arrays will take, so that a full disk is met before HDF5 has begun: its own
 * caches make an error in the middle hard to see. */
static goffset
estimate_bytes (const HlSession *session, const HlSessionOptions *options)
{
  gsize total = 1 << 16;
  GHashTableIter iter;
  gpointer name, tensor;
  for (guint i = 0; i < session->traces->len; i++)
    {
      const HlTrace *trace = hl_session_get_trace (session, i);
      g_hash_table_iter_init (&iter, trace->sites);
      while (g_hash_table_iter_next (&iter, &name, &tensor))
        total += hl_tensor_size_bytes (tensor) /
                 (options != NULL && options->half_maps ? 2 : 1);
    }
  for (guint i = 0; i < session->results->len; i++)
    {
      const HlSessionResult *result = hl_session_get_result (session, i);
      for (guint a = 0; a < result->arrays->len; a++)
        total += hl_tensor_size_bytes (
            ((HlSessionArray *) g_ptr_array_index (result->arrays, a))->tensor);
    }
  if (session->stash != NULL)
    total += g_bytes_get_size (session->stash) / 2;
  return (goffset) total;
}

static gboolean
write_file (const char *temp,
            int fd,
            const HlSession *session,
            const HlSessionOptions *options,
            const HlProgress *progress,
            GError **error)
{
  g_auto (HlH5Sink) sink = { 0 };
  hl_h5_sink_init (&sink, fd);
  /* Space is set aside, the size stays. A file system that cannot do it fails later. */
  if (fallocate (fd, FALLOC_FL_KEEP_SIZE, 0, estimate_bytes (session, options)) != 0 &&
      (errno == ENOSPC || errno == EFBIG || errno == EDQUOT))
    return io_error (error, temp, "the session does not fit");
  hid_t file = hl_h5_sink_create_file (&sink);
  if (file < 0)
    return hl_h5_fail (error, HL_ERROR_IO, "%s: cannot be written", temp);
  gboolean is_good = write_document (file, session, options, progress, error);
  if (H5Fclose (file) < 0 && is_good)
    is_good = hl_h5_fail (error, HL_ERROR_IO, "%s: cannot be closed", temp);
  H5Eclear2 (H5E_DEFAULT);
  /* HDF5 was not told, so that it could close in order. */
  if (!is_good || sink.error == 0)
    return is_good;
  errno = sink.error;
  return io_error (error, temp, "cannot be written");
}

/* A temporary file of the same session whose writer was killed holds no lock any more. */
static void
remove_leftovers (const char *folder, const char *prefix)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      if (!g_str_has_prefix (name, prefix) || !g_str_has_suffix (name, TEMP_SUFFIX))
        continue;
      g_autofree char *path = g_build_filename (folder, name, NULL);
      int fd = g_open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
      struct stat info;
      /* A minute of grace: another program may be between making and locking its own. */
      if (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) == 0 && fstat (fd, &info) == 0 &&
          info.st_mtime + 60 < g_get_real_time () / G_USEC_PER_SEC)
        g_unlink (path);
      if (fd >= 0)
        close (fd);
    }
}

static gboolean
sync_folder (const char *folder, GError **error)
{
  int fd = g_open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  /* Some file systems cannot sync a folder; the rename itself was done by then. */
  if (fd >= 0 && fsync (fd) != 0 && errno != EINVAL && errno != EROFS)
    {
      io_error (error, folder, "cannot be synced");
      close (fd);
      return FALSE;
    }
  if (fd >= 0)
    close (fd);
  return TRUE;
}

/* An existing session keeps its mode; a new one gets what the umask leaves. */
static mode_t
wanted_mode (const char *path)
{
  struct stat info;
  return stat (path, &info) == 0 ? info.st_mode & 0777 : 0666;
}

gboolean
hl_session_save_with_options (const HlSession *session,
                              const char *path,
                              const HlSessionOptions *options,
                              const HlProgress *progress,
                              GError **error)
{
  hl_h5_quiet ();
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      errno = EISDIR;
      return io_error (error, path, "cannot be saved");
    }
  /* A device or a pipe would be replaced by a file. */
  if (g_file_test (path, G_FILE_TEST_EXISTS) &&
      !g_file_test (path, G_FILE_TEST_IS_REGULAR))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_IO,
                   "%s: cannot be saved: a file expected, a device or a pipe found",
                   path);
      return FALSE;
    }
  /* A link stays a link: what it points at is replaced. */
  char *resolved = realpath (path, NULL);
  g_autofree char *target = g_strdup (resolved != NULL ? resolved : path);
  free (resolved);
  g_autofree char *folder = g_path_get_dirname (target);
  g_autofree char *base = g_path_get_basename (target);
  g_autofree char *prefix = g_strdup_printf (".%.200s.", base);
  g_autofree char *temp = g_strdup_printf ("%s/%s%08x%08x" TEMP_SUFFIX, folder, prefix,
                                           g_random_int (), g_random_int ());
  mode_t mode = wanted_mode (target);
  remove_leftovers (folder, prefix);
  int fd = g_open (temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0)
    return io_error (error, path, "cannot be saved: no file can be made in its folder");
  flock (fd, LOCK_EX | LOCK_NB);
  gboolean is_good = write_file (temp, fd, session, options, progress, error);
  struct stat info;
  /* Gives back what was set aside beyond the end. */
  if (is_good && (fstat (fd, &info) != 0 || ftruncate (fd, info.st_size) != 0))
    is_good = io_error (error, temp, "cannot be finished");
  if (is_good && mode != 0666 && fchmod (fd, mode) != 0 && errno != EPERM)
    is_good = io_error (error, temp, "cannot be finished");
  if (is_good && fsync (fd) != 0)
    is_good = io_error (error, temp, "cannot be synced");
  if (is_good && rename (temp, target) != 0)
    is_good = io_error (error, path, "cannot be replaced");
  if (!is_good)
    g_unlink (temp);
  close (fd);
  return is_good && sync_folder (folder, error);
}

gboolean
hl_session_save (const HlSession *session,
                 const char *path,
                 const HlProgress *progress,
                 GError **error)
{
  return hl_session_save_with_options (session, path, NULL, progress, error);
}
