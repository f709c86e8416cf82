/* SPDX-License-Identifier: MIT
 * Where the program's own files are. */
#include "config.h"

#include "base/hl-paths.h"

#include "base/hl-hub.h"

#include <string.h>

static char *
own_folder (void)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  return self != NULL ? g_path_get_dirname (self) : g_strdup (".");
}

static char *
existing (char *path)
{
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return path;
  g_free (path);
  return NULL;
}

char *
hl_path_data (const char *relative)
{
  const char *given = g_getenv ("HEADLIGHT_DATA");
  if (given != NULL)
    return existing (g_build_filename (given, relative, NULL));
  g_autofree char *own = own_folder ();
  /* An uninstalled program lies in BUILD/app, the build folder in the source tree. */
  g_autofree char *mark = g_build_filename (own, "..", "..", "meson.build", NULL);
  if (g_file_test (mark, G_FILE_TEST_EXISTS))
    {
      char *path = existing (g_build_filename (own, "..", "..", "data", relative, NULL));
      if (path != NULL)
        return path;
    }
  return existing (g_build_filename (HL_DATA_DIR, relative, NULL));
}

char *
hl_path_locale (void)
{
  const char *given = g_getenv ("HEADLIGHT_LOCALE_DIR");
  if (given != NULL)
    return g_strdup (given);
  g_autofree char *own = own_folder ();
  g_autofree char *mark = g_build_filename (own, "..", "..", "meson.build", NULL);
  if (g_file_test (mark, G_FILE_TEST_EXISTS))
    {
      char *path = existing (g_build_filename (own, "..", "po", NULL));
      if (path != NULL)
        return path;
    }
  return g_strdup (HL_LOCALE_DIR);
}

char *
hl_path_module (const char *name)
{
  const char *given = g_getenv ("HEADLIGHT_MODULES");
  if (given != NULL)
    return existing (g_build_filename (given, name, NULL));
  g_autofree char *own = own_folder ();
  g_autofree char *mark = g_build_filename (own, "..", "..", "meson.build", NULL);
  if (g_file_test (mark, G_FILE_TEST_EXISTS))
    return existing (
        g_build_filename (own, "..", "compute", "backend", "cuda", name, NULL));
  return existing (g_build_filename (HL_MODULE_DIR, name, NULL));
}

char *
hl_path_program (const char *name)
{
  const char *given = g_getenv ("HEADLIGHT_PROGRAMS");
  if (given != NULL)
    return g_build_filename (given, name, NULL);
  g_autofree char *own = own_folder ();
  return g_build_filename (own, name, NULL);
}

char *
hl_path_model (const char *name)
{
  if (g_file_test (name, G_FILE_TEST_EXISTS))
    return g_strdup (name);
  g_autofree char *relative = g_build_filename ("models", name, NULL);
  char *found = strchr (name, '/') == NULL ? hl_path_data (relative) : NULL;
  if (found == NULL)
    found = hl_hub_find (name, NULL);
  return found != NULL ? found : g_strdup (name);
}
