/* SPDX-License-Identifier: MIT
 * What attributes and arrays share in reading strings and integers. */
#pragma once

#include "session/hl-h5.h"

/**
 * hl_h5_strings_copy:
 * @buffer: as HDF5 read it: @n pointers where @width is 0, else @n fields of @width bytes
 * Returns: (transfer full): @n strings of valid UTF-8, NULL-terminated
 */
char **hl_h5_strings_copy (gpointer buffer, gsize n, gsize width);

/** hl_h5_ints_widen: @n numbers of I64, I32 or U8. */
void hl_h5_ints_widen (HlDtype dtype, gconstpointer source, gsize n, gint64 *out);
