/* SPDX-License-Identifier: MIT
 * What went wrong, in full: words that can be selected, and a command line that helps, to
 * be copied, where there is one. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/** hl_error_dialog_show: @details: as an error says them. The dialog frees itself. */
void hl_error_dialog_show (GtkWindow *parent, const char *heading, const char *details);

G_END_DECLS
