/* SPDX-License-Identifier: MIT
 * What the tests of files share: a folder of their own, and asserting on messages. */
#pragma once

#include "base/hl-error.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/** io_test_folder: (transfer full): a new temporary folder. */
static inline char *
io_test_folder (void)
{
  GError *error = NULL;
  char *folder = g_dir_make_tmp ("headlight-io-XXXXXX", &error);
  g_assert_no_error (error);
  return folder;
}

/** io_test_remove: removes a folder and the files in it, and frees its name. */
static inline void
io_test_remove (char *folder)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_remove (path);
    }
  g_dir_close (dir);
  g_rmdir (folder);
  g_free (folder);
}

/** io_test_write: (transfer full): path of the file written. */
static inline char *
io_test_write (const char *folder, const char *name, gconstpointer data, gsize size)
{
  GError *error = NULL;
  char *path = g_build_filename (folder, name, NULL);
  g_file_set_contents (path, data, (gssize) size, &error);
  g_assert_no_error (error);
  return path;
}

static inline char *
io_test_write_text (const char *folder, const char *name, const char *text)
{
  return io_test_write (folder, name, text, strlen (text));
}

/** io_test_assert_error: takes *@error; its code is @code and its message holds every
 * one of @words, separated by '|'. */
static inline void
io_test_assert_error (GError **error, int code, const char *words)
{
  g_assert_error (*error, HL_ERROR, code);
  g_test_message ("%s", (*error)->message);
  g_auto (GStrv) list = g_strsplit (words, "|", -1);
  for (int i = 0; list[i] != NULL; i++)
    if (strstr ((*error)->message, list[i]) == NULL)
      g_error ("\"%s\" expected in the message, found: %s", list[i], (*error)->message);
  g_clear_error (error);
}
