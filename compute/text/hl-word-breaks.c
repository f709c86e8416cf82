/* SPDX-License-Identifier: MIT
 * Where the words of a text begin and end. */
#include "text/hl-word-breaks.h"

#include "base/hl-error.h"

#include <unicode/ubrk.h>
#include <unicode/utext.h>

const char *
hl_word_breaks_name (void)
{
  return "ICU " U_ICU_VERSION;
}

gboolean *
hl_word_breaks_find (const char *text, gsize length, GError **error)
{
  UErrorCode status = U_ZERO_ERROR;
  UText *wide = utext_openUTF8 (NULL, text, (int64_t) length, &status);
  /* The root locale: the same words whatever language the desktop speaks. */
  UBreakIterator *words = ubrk_open (UBRK_WORD, "", NULL, 0, &status);
  if (U_SUCCESS (status))
    ubrk_setUText (words, wide, &status);
  gboolean *is_break = NULL;
  if (U_SUCCESS (status))
    {
      is_break = g_new0 (gboolean, length + 1);
      for (int32_t at = ubrk_first (words); at != UBRK_DONE; at = ubrk_next (words))
        is_break[at] = TRUE;
    }
  else
    g_set_error (error, HL_ERROR, HL_ERROR_UNSUPPORTED, "words of a text: ICU says %s",
                 u_errorName (status));
  if (words != NULL)
    ubrk_close (words);
  if (wide != NULL)
    utext_close (wide);
  return is_break;
}
