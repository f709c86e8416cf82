/* SPDX-License-Identifier: MIT
 * The session: opening a person's file. libhdf5 crashes or hangs on some damaged files,
 * so a child process reads the file first, under limits; only what it survives is opened.
 */
#include "session/hl-session-private.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* 30 s, and a second more for every 20 MB: a slow disk reads that. */
#define BASE_LIMIT_S 30
#define BYTES_PER_SECOND (20 << 20)
/* The program itself, and then the file as float32, packed, and once more as a copy. */
#define BASE_MEMORY_BYTES ((guint64) 768 << 20)
#define MEMORY_PER_BYTE 8
#define POLL_MS 20
#define MAX_MESSAGE 4096

static guint
time_limit_s (guint64 size_bytes)
{
  return (guint) MIN (BASE_LIMIT_S + size_bytes / BYTES_PER_SECOND, 24 * 3600);
}

static void
set_limit (int resource, guint64 limit)
{
  struct rlimit old, wanted = { limit, limit };
  if (getrlimit (resource, &old) == 0 && old.rlim_max != RLIM_INFINITY)
    {
      wanted.rlim_cur = MIN (wanted.rlim_cur, old.rlim_max);
      wanted.rlim_max = old.rlim_max;
    }
  setrlimit (resource, &wanted);
}

int
hl_session_check_main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  GStatBuf info;
  if (argc != 3 || !g_str_equal (argv[1], "check-session"))
    {
      fprintf (stderr, "usage: %s check-session PATH\n",
               argc > 0 ? argv[0] : "headlight");
      return 2;
    }
  guint64 size = g_stat (argv[2], &info) == 0 ? (guint64) info.st_size : 0;
  guint seconds = time_limit_s (size);
  set_limit (RLIMIT_CORE, 0);
  set_limit (RLIMIT_CPU, seconds);
#ifndef __SANITIZE_ADDRESS__
  /* The address sanitizer reserves terabytes that it never touches. */
  set_limit (RLIMIT_AS, BASE_MEMORY_BYTES + MEMORY_PER_BYTE * size);
#endif
  alarm (seconds);
  if (hl_session_check_file (argv[2], &error))
    return 0;
  g_strdelimit (error->message, "\r\n", ' ');
  fprintf (stderr, "%d %s\n", error->domain == HL_ERROR ? error->code : 0,
           error->message);
  return 1;
}

/* A child that reads the file, and what it said so far. */
typedef struct
{
  GPid pid;
  int message_fd;
  GString *message;
} Checker;

static gboolean
start_checker (Checker *checker, const char *path, const char *program, GError **error)
{
  const char *argv[] = { program, "check-session", path, NULL };
  GError *local = NULL;
  checker->message = g_string_new (NULL);
  if (g_spawn_async_with_pipes (NULL, (char **) argv, NULL,
                                G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL,
                                NULL, NULL, &checker->pid, NULL, NULL,
                                &checker->message_fd, &local))
    return TRUE;
  g_set_error (error, HL_ERROR, HL_ERROR_IO, "%s: the check of the file cannot start: %s",
               path, local->message);
  g_error_free (local);
  return FALSE;
}

/* Takes what the child has written; more than one line is of no use. */
static void
drain (Checker *checker, int wait_ms)
{
  struct pollfd ready = { .fd = checker->message_fd, .events = POLLIN };
  char buffer[512];
  if (checker->message_fd < 0)
    {
      g_usleep (1000);
      return;
    }
  if (poll (&ready, 1, wait_ms) <= 0)
    return;
  ssize_t n = read (checker->message_fd, buffer, sizeof buffer);
  if (n > 0 && checker->message->len < MAX_MESSAGE)
    g_string_append_len (checker->message, buffer, n);
  if (n == 0)
    {
      close (checker->message_fd);
      checker->message_fd = -1;
    }
}

/* Waits for the child, but no longer than @limit_s and not past a cancel. */
static gboolean
wait_checker (Checker *checker,
              const char *path,
              guint limit_s,
              const HlProgress *progress,
              int *status,
              GError **error)
{
  gint64 end = g_get_monotonic_time () + (gint64) limit_s * G_USEC_PER_SEC;
  pid_t done = 0;
  while (done == 0)
    {
      if (!hl_progress_step (progress, 0, "checking", error))
        break;
      if (g_get_monotonic_time () > end)
        {
          g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                       "%s: damaged: reading it hung the HDF5 library (stopped after "
                       "%u s)",
                       path, limit_s);
          break;
        }
      drain (checker, POLL_MS);
      done = waitpid (checker->pid, status, WNOHANG);
      if (done < 0 && errno == EINTR)
        done = 0;
    }
  if (done == 0)
    {
      kill (checker->pid, SIGKILL);
      while (waitpid (checker->pid, status, 0) < 0 && errno == EINTR)
        ;
      return FALSE;
    }
  if (done < 0)
    {
      int number = errno;
      g_set_error (error, HL_ERROR, HL_ERROR_IO, "%s: the check of the file was lost: %s",
                   path, g_strerror (number));
      return FALSE;
    }
  while (checker->message_fd >= 0 && checker->message->len < MAX_MESSAGE)
    drain (checker, POLL_MS);
  return TRUE;
}

/* What the child's end means for the file. */
static gboolean
judge (Checker *checker, const char *path, int status, GError **error)
{
  if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return TRUE;
  if (WIFSIGNALED (status))
    {
      int number = WTERMSIG (status);
      gboolean is_late = number == SIGALRM || number == SIGXCPU;
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "%s: damaged: reading it %s the HDF5 library (signal %d, %s)", path,
                   is_late ? "hung" : "crashed", number, strsignal (number));
      return FALSE;
    }
  char *rest = NULL;
  g_autofree char *text = g_utf8_make_valid (checker->message->str, -1);
  gint64 code = g_ascii_strtoll (g_strchomp (text), &rest, 10);
  if (WEXITSTATUS (status) == 1 && rest != text && *rest == ' ')
    {
      if (code < HL_ERROR_FORMAT || code > HL_ERROR_DEVICE)
        code = HL_ERROR_FORMAT;
      g_set_error_literal (error, HL_ERROR, (int) code, rest + 1);
      return FALSE;
    }
  g_set_error (error, HL_ERROR, HL_ERROR_IO,
               "%s: the check of the file failed with status %d: %s", path,
               WEXITSTATUS (status), text);
  return FALSE;
}

static gboolean
run_checker (const char *path,
             const char *program,
             guint limit_s,
             const HlProgress *progress,
             GError **error)
{
  Checker checker = { .message_fd = -1 };
  int status = 0;
  gboolean is_good = start_checker (&checker, path, program, error);
  if (is_good)
    {
      is_good = wait_checker (&checker, path, limit_s, progress, &status, error) &&
                judge (&checker, path, status, error);
      g_spawn_close_pid (checker.pid);
    }
  if (checker.message_fd >= 0)
    close (checker.message_fd);
  g_string_free (checker.message, TRUE);
  return is_good;
}

HlSession *
hl_session_load_guarded (const char *path,
                         const char *checker_program,
                         const HlProgress *progress,
                         GError **error)
{
  g_return_val_if_fail (checker_program != NULL, NULL);
  GStatBuf before, after;
  if (g_stat (path, &before) != 0)
    {
      int number = errno;
      g_set_error (error, HL_ERROR, number == ENOENT ? HL_ERROR_MISSING : HL_ERROR_IO,
                   "%s: %s", path, g_strerror (number));
      return NULL;
    }
  if (!S_ISREG (before.st_mode))
    {
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT, "%s: not a file", path);
      return NULL;
    }
  /* The child stops itself first; this limit is for one that cannot. */
  guint limit_s = time_limit_s ((guint64) before.st_size) + 5;
  if (!run_checker (path, checker_program, limit_s, progress, error))
    return NULL;
  if (g_stat (path, &after) != 0 || after.st_size != before.st_size ||
      after.st_ino != before.st_ino || after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
      after.st_mtim.tv_nsec != before.st_mtim.tv_nsec)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_IO,
                   "%s: the file changed while it was being opened", path);
      return NULL;
    }
  return hl_session_load (path, progress, error);
}
