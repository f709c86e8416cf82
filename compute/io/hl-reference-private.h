/* SPDX-License-Identifier: MIT
 * What readers of times of words share. */
#pragma once

#include "io/hl-reference-times.h"

G_BEGIN_DECLS

/** HlReferenceReader: where in the file called @name is read, and what is made of it. */
typedef struct
{
  const char *name;
  const char *at;
  int line;
  GArray *words;
} HlReferenceReader;

/** hl_reference_expected: FALSE, always, with FORMAT: the line, what was expected and
 * what was found; @found: (nullable): the end of the file. */
gboolean hl_reference_expected (const HlReferenceReader *r,
                                const char *what,
                                const char *found,
                                GError **error);

/** hl_reference_too_much: likewise with RANGE. */
gboolean hl_reference_too_much (const HlReferenceReader *r,
                                const char *what,
                                gsize most,
                                GError **error);

/** hl_reference_is_time: seconds as a file may have them. */
gboolean hl_reference_is_time (double x);

/** hl_reference_add_word: what has no text is a pause, and passed by. */
gboolean hl_reference_add_word (
    HlReferenceReader *r, const char *text, double start, double end, GError **error);

gboolean hl_reference_read_csv (HlReferenceReader *r, GError **error);
gboolean hl_reference_read_textgrid (HlReferenceReader *r, GError **error);

G_END_DECLS
