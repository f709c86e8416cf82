/* SPDX-License-Identifier: MIT
 * The table of characters of a sentencepiece model ("precompiled_charsmap"): what is put
 * instead of short strings. Hostile until checked. Immutable. Private to compute/text. */
#pragma once

#include "text/hl-pieces.h"
#include "text/hl-regex.h"

G_BEGIN_DECLS

typedef struct _HlCharsmap HlCharsmap;

/**
 * hl_charsmap_new:
 * @data: @size_bytes bytes: the size of a double array in bytes, little endian as all of
 *   it; the array, of 32-bit units; strings with a zero behind each
 * Returns: (transfer full): NULL with @error (FORMAT)
 */
HlCharsmap *
hl_charsmap_new (const guint8 *data, gsize size_bytes, const char *where, GError **error);
void hl_charsmap_free (HlCharsmap *charsmap);

/**
 * hl_charsmap_run:
 * @graphemes: (nullable): a scan of hl_regex_new_grapheme(); NULL: at each place the
 *   longest string of the table is replaced, as sentencepiece itself does
 * Writes bytes [start, end) of the old text. As in the reference library a character with
 * its marks is looked up as one where it has fewer than six bytes, and is then replaced
 * as a whole by what the shortest beginning of it stands for.
 */
void hl_charsmap_run (const HlCharsmap *charsmap,
                      HlRewrite *rewrite,
                      HlRegexScan *graphemes,
                      gsize start,
                      gsize end);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlCharsmap, hl_charsmap_free)

G_END_DECLS
