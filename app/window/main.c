/* SPDX-License-Identifier: MIT
 * headlight-window: the program with the window. */
#include "config.h"

#include "hl-application.h"

#include "base/hl-paths.h"

#include <glib/gi18n.h>
#include <locale.h>

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_autofree char *locale_dir = hl_path_locale ();
  bindtextdomain (GETTEXT_PACKAGE, locale_dir);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  g_autoptr (HlApplication) application = hl_application_new ();
  return g_application_run (G_APPLICATION (application), argc, argv);
}
