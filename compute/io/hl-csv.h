/* SPDX-License-Identifier: MIT
 * Cells of a table as RFC 4180 has them; numbers have a point in every locale. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** hl_csv_append_text: quoted. */
void hl_csv_append_text (GString *out, const char *text);

/** hl_csv_append_number: a comma and @x, @digits of it, or all where that is 0; an empty
 * cell for what is not finite. */
void hl_csv_append_number (GString *out, double x, int digits);

G_END_DECLS
