/* SPDX-License-Identifier: MIT
 * When words are said, by somebody who marked them: a CSV of start, end and word, or a
 * TextGrid of Praat. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** More than this is refused: bytes of the file, words in it, bytes of a word, seconds.
 */
#define HL_REFERENCE_MAX_BYTES ((gsize) 16 << 20)
#define HL_REFERENCE_MAX_WORDS 100000
#define HL_REFERENCE_MAX_WORD_BYTES 1024
#define HL_REFERENCE_MAX_SECONDS 1e6

/** HlReferenceWord: @text from @start to @end, in seconds; UTF-8, as it is written. */
typedef struct
{
  char *text;
  double start;
  double end;
} HlReferenceWord;

/**
 * hl_reference_times_read:
 * A file that begins as Praat's text files do is a TextGrid, long or short: words are the
 * intervals with a text of the first tier of intervals that is called "words" or "word",
 * else of the first one. Any other is a CSV, cells apart by commas, semicolons or tabs:
 * with a header that names "start", "end" and "word", in any order and with others beside
 * them, or without one in this order. UTF-8, or with a byte order mark UTF-16.
 * Words begin one after the other, and none ends before it begins.
 * Thread: any. Returns: (transfer full) (element-type HlReferenceWord): NULL with @error:
 *   IO; FORMAT, with the line, what was expected and what was found; RANGE, too large;
 *   MISSING, no words
 */
GArray *hl_reference_times_read (const char *path, GError **error);

/** hl_reference_times_parse: the same of @size bytes that a file called @name has. */
GArray *
hl_reference_times_parse (const char *name, const char *data, gsize size, GError **error);

G_END_DECLS
