/* SPDX-License-Identifier: MIT
 * Identities: an equal hash means the same thing, so it may be used again. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * hl_hash_strings:
 * @first: first of a NULL-terminated list of strings; each is hashed with its length,
 *   so that ("ab", "c") and ("a", "bc") differ
 * Returns: (transfer full): SHA-256 in 64 hexadecimal digits
 */
char *hl_hash_strings (const char *first, ...) G_GNUC_NULL_TERMINATED;

/**
 * hl_hash_bytes:
 * Returns: (transfer full): SHA-256 of @data in 64 hexadecimal digits
 */
char *hl_hash_bytes (gconstpointer data, gsize size_bytes);

G_END_DECLS
