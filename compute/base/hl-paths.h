/* SPDX-License-Identifier: MIT
 * Where the program's own files are: beside an uninstalled program, or installed. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** hl_path_data: (transfer full) (nullable): "models/vit-fashion" in the program's data;
 * HEADLIGHT_DATA, the source tree of an uninstalled program, or the installed folder.
 * NULL when there is no such file. */
char *hl_path_data (const char *relative);

/** hl_path_module: (transfer full) (nullable): a module of this package: where
 * HEADLIGHT_MODULES says, in the build folder of an uninstalled program, or installed.
 * NULL when there is no such file. */
char *hl_path_module (const char *name);

/** hl_path_program: (transfer full): a program of this package, beside the running one
 * or where HEADLIGHT_PROGRAMS says. It may not exist. */
char *hl_path_program (const char *name);

/** hl_path_model: (transfer full): @name itself where it exists, else the model of this
 * name that ships, or the one in the cache of downloads (hl-hub.h); @name again when
 * there is none. Looks at files. */
char *hl_path_model (const char *name);

/** hl_path_locale: (transfer full): where translations are: of an uninstalled program in
 * its build folder; HEADLIGHT_LOCALE_DIR goes before. */
char *hl_path_locale (void);

G_END_DECLS
