/* SPDX-License-Identifier: MIT
 * Saving when things go wrong: whatever happens, the old session or the new one is there,
 * whole, and no litter beside it. */
#include "session-fixture.h"

#include "base/hl-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int
count_files (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  int n = 0;
  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static void
save (HlSession *session, const char *path)
{
  g_autoptr (GError) error = NULL;
  hl_session_save (session, path, NULL, &error);
  g_assert_no_error (error);
}

static void
assert_notes (const char *path, const char *notes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlSession) session = hl_session_load (path, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (hl_session_get_notes (session), ==, notes);
}

/* In a child: saves under a limit and says how it went by its status. */
static int
save_limited (HlSession *session, const char *path, rlim_t limit_bytes)
{
  pid_t child = fork ();
  if (child == 0)
    {
      GError *error = NULL;
      struct rlimit limit = { limit_bytes, limit_bytes };
      signal (SIGXFSZ, SIG_IGN);
      setrlimit (RLIMIT_FSIZE, &limit);
      alarm (30);
      gboolean is_saved = hl_session_save (session, path, NULL, &error);
      if (is_saved == (error != NULL))
        _exit (9);
      if (is_saved)
        _exit (0);
      /* exit, not _exit: HDF5's own end must not hang or crash on the failed file. */
      exit (error->domain == HL_ERROR && error->code == HL_ERROR_IO ? 3 : 4);
    }
  int status = 0;
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  if (WIFSIGNALED (status))
    return -WTERMSIG (status);
  return WEXITSTATUS (status);
}

/* What is no file is left what it is. */
static void
test_pipe (void)
{
  char *folder = fixture_folder_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (HlSession) session = hl_session_new ();
  g_autofree char *pipe = g_build_filename (folder, "pipe", NULL);
  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  g_assert_false (hl_session_save (session, pipe, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "a file expected"));
  struct stat info;
  g_assert_true (stat (pipe, &info) == 0 && S_ISFIFO (info.st_mode));
  fixture_folder_free (folder);
}

static void
test_full_disk_limits (void)
{
  char *folder = fixture_folder_new ();
  g_autofree char *path = g_build_filename (folder, "s.h5", NULL);
  g_autoptr (HlSession) old = fixture_session_new (1);
  g_autoptr (HlSession) big = fixture_big_session_new (1 << 20, 2);
  static const rlim_t limits[] = { 0, 100, 4096, 100000, 1 << 20 };
  save (old, path);
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      g_assert_cmpint (save_limited (big, path, limits[i]), ==, 3);
      g_assert_cmpint (count_files (folder), ==, 1);
      assert_notes (path, "Notizen für 1\nzweite Zeile");
    }
  g_assert_cmpint (save_limited (big, path, 4 << 20), ==, 0);
  assert_notes (path, "2");
  fixture_folder_free (folder);
}

/* The same where nothing was set aside beforehand: notes do not enter the estimate, so
 * that HDF5 itself meets the end of the disk. */
static void
test_full_disk_inside (void)
{
  char *folder = fixture_folder_new ();
  g_autofree char *path = g_build_filename (folder, "s.h5", NULL);
  g_autofree char *notes = g_strnfill (3 << 20, 'n');
  g_autoptr (HlSession) old = fixture_session_new (1);
  g_autoptr (HlSession) wordy = fixture_session_new (2);
  static const rlim_t limits[] = { 80000, 100000, 1 << 20, 3 << 20 };
  hl_session_set_notes (wordy, notes);
  save (old, path);
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      g_assert_cmpint (save_limited (wordy, path, limits[i]), ==, 3);
      g_assert_cmpint (count_files (folder), ==, 1);
      assert_notes (path, "Notizen für 1\nzweite Zeile");
    }
  fixture_folder_free (folder);
}

static void
test_full_disk_tmpfs (void)
{
  char *folder = fixture_folder_new ();
  g_autofree char *path = g_build_filename (folder, "s.h5", NULL);
  if (mount ("tmpfs", folder, "tmpfs", 0, "size=1m") != 0)
    {
      g_autofree char *reason = g_strdup_printf ("no tmpfs: %s", g_strerror (errno));
      g_test_skip (reason);
      fixture_folder_free (folder);
      return;
    }
  g_autoptr (HlSession) old = fixture_session_new (1);
  g_autoptr (HlSession) big = fixture_big_session_new (2 << 20, 2);
  g_autoptr (GError) error = NULL;
  save (old, path);
  g_assert_false (hl_session_save (big, path, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_IO);
  g_assert_cmpint (count_files (folder), ==, 1);
  assert_notes (path, "Notizen für 1\nzweite Zeile");
  /* A failed save does no harm to the next. */
  save (old, path);
  g_assert_cmpint (umount (folder), ==, 0);
  fixture_folder_free (folder);
}

static void
assert_not_saved (HlSession *session, const char *path, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (hl_session_save (session, path, NULL, &error));
  g_assert_error (error, HL_ERROR, HL_ERROR_IO);
  g_assert_true (g_str_has_prefix (error->message, path));
  if (strstr (error->message, words) == NULL)
    g_error ("\"%s\" is not in: %s", words, error->message);
}

static void
test_read_only (void)
{
  char *folder = fixture_folder_new ();
  g_autofree char *path = g_build_filename (folder, "s.h5", NULL);
  g_autofree char *lost = g_build_filename (folder, "no", "s.h5", NULL);
  g_autoptr (HlSession) session = fixture_session_new (1);
  assert_not_saved (session, lost, "No such file or directory");
  assert_not_saved (session, folder, "Is a directory");
  assert_not_saved (session, "/proc/s.h5", "cannot be saved");
  g_autofree char *loop = g_build_filename (folder, "f", "s.h5", NULL);
  g_autofree char *file = g_build_filename (folder, "f", NULL);
  g_file_set_contents (file, "", 0, NULL);
  assert_not_saved (session, loop, "Not a directory");
  g_unlink (file);
  save (session, path);
  g_assert_cmpint (g_chmod (folder, 0555), ==, 0);
  /* Root may write everywhere: become nobody for this. */
  gboolean is_root = geteuid () == 0;
  if (is_root)
    g_assert_cmpint (seteuid (65534), ==, 0);
  assert_not_saved (session, path, "Permission denied");
  if (is_root)
    g_assert_cmpint (seteuid (0), ==, 0);
  g_chmod (folder, 0755);
  assert_notes (path, "Notizen für 1\nzweite Zeile");
  g_assert_cmpint (count_files (folder), ==, 1);
  fixture_folder_free (folder);
}

static void
test_kill (void)
{
  char *folder = fixture_folder_new ();
  g_autofree char *path = g_build_filename (folder, "s.h5", NULL);
  g_autoptr (HlSession) old = fixture_session_new (1);
  g_autoptr (GRand) random = g_rand_new_with_seed (9);
  int n_new = 0, n_left = 0;
  for (int i = 0; i < 20; i++)
    {
      const char *argv[] = { SAVE_SESSION, "loop", path, "4000000", NULL };
      g_autoptr (GError) error = NULL;
      GPid child;
      save (old, path);
      g_spawn_async (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                     &child, &error);
      g_assert_no_error (error);
      g_usleep ((gulong) g_rand_int_range (random, 10000, 150000));
      kill (child, SIGKILL);
      int status = 0;
      g_assert_cmpint (waitpid (child, &status, 0), ==, child);
      g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
      g_autoptr (HlSession) session =
          hl_session_load_guarded (path, CHECK_SESSION, NULL, &error);
      g_assert_no_error (error);
      n_new += !g_str_has_prefix (hl_session_get_notes (session), "Notizen");
      n_left += count_files (folder) > 1;
    }
  g_test_message ("20 kills: %d new sessions, %d times a temporary file was left", n_new,
                  n_left);
  /* The kills met the saver at its work. */
  g_assert_cmpint (n_new, >, 0);
  fixture_folder_free (folder);
}

/* What a killed saver left is swept up by a later save; what is being written is not. */
static void
test_leftovers (void)
{
  char *folder = fixture_folder_new ();
  g_autofree char *path = g_build_filename (folder, "s.h5", NULL);
  g_autofree char *dead = g_build_filename (folder, ".s.h5.0011.hl-tmp", NULL);
  g_autofree char *fresh = g_build_filename (folder, ".s.h5.0022.hl-tmp", NULL);
  g_autofree char *other = g_build_filename (folder, ".t.h5.0033.hl-tmp", NULL);
  struct timespec long_ago[2] = { { 1000000, 0 }, { 1000000, 0 } };
  g_autoptr (HlSession) session = fixture_session_new (1);
  g_file_set_contents (dead, "x", 1, NULL);
  g_file_set_contents (fresh, "x", 1, NULL);
  g_file_set_contents (other, "x", 1, NULL);
  utimensat (AT_FDCWD, dead, long_ago, 0);
  utimensat (AT_FDCWD, other, long_ago, 0);
  save (session, path);
  g_assert_false (g_file_test (dead, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (fresh, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (other, G_FILE_TEST_EXISTS));
  fixture_folder_free (folder);
}

static void
cancel_at_half (double fraction, const char *what, gpointer cancellable)
{
  if (fraction >= 0.4)
    g_cancellable_cancel (cancellable);
}

static void
test_cancel (void)
{
  char *folder = fixture_folder_new ();
  g_autofree char *path = g_build_filename (folder, "s.h5", NULL);
  g_autoptr (HlSession) old = fixture_session_new (1);
  g_autoptr (HlSession) new = fixture_session_new (2);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  HlProgress progress = { .func = cancel_at_half,
                          .func_data = cancellable,
                          .cancellable = cancellable };
  save (old, path);
  g_assert_false (hl_session_save (new, path, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (count_files (folder), ==, 1);
  assert_notes (path, "Notizen für 1\nzweite Zeile");
  fixture_folder_free (folder);
}

static void
test_mode_and_link (void)
{
  char *folder = fixture_folder_new ();
  g_autofree char *path = g_build_filename (folder, "s.h5", NULL);
  g_autofree char *link = g_build_filename (folder, "link.h5", NULL);
  g_autoptr (HlSession) one = fixture_session_new (1);
  g_autoptr (HlSession) two = fixture_big_session_new (1 << 16, 2);
  struct stat info;
  save (one, path);
  g_chmod (path, 0640);
  g_assert_cmpint (symlink ("s.h5", link), ==, 0);
  save (two, link);
  g_assert_true (g_file_test (link, G_FILE_TEST_IS_SYMLINK));
  assert_notes (path, "2");
  g_assert_cmpint (stat (path, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 0777, ==, 0640);
  fixture_folder_free (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session/save/pipe", test_pipe);
  g_test_add_func ("/session/save/full-disk-limits", test_full_disk_limits);
  g_test_add_func ("/session/save/full-disk-inside", test_full_disk_inside);
  g_test_add_func ("/session/save/full-disk-tmpfs", test_full_disk_tmpfs);
  g_test_add_func ("/session/save/read-only", test_read_only);
  g_test_add_func ("/session/save/kill", test_kill);
  g_test_add_func ("/session/save/leftovers", test_leftovers);
  g_test_add_func ("/session/save/cancel", test_cancel);
  g_test_add_func ("/session/save/mode-and-link", test_mode_and_link);
  return g_test_run ();
}
