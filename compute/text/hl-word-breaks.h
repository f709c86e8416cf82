/* SPDX-License-Identifier: MIT
 * Where the words of a text begin and end: the default word boundaries of Unicode (UAX
 * #29, with ICU's dictionaries for writing without spaces). Thread: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * hl_word_breaks_find:
 * @text: UTF-8 of @length bytes; what is none counts as U+FFFD
 * Returns: (transfer full): one flag a byte and one for the end: TRUE where a boundary
 *   lies before it; free with g_free(). NULL with @error (UNSUPPORTED: the library's data
 *   are missing)
 */
gboolean *hl_word_breaks_find (const char *text, gsize length, GError **error);

/** hl_word_breaks_name: (transfer none): "ICU 72.1": what says where words are. */
const char *hl_word_breaks_name (void);

G_END_DECLS
