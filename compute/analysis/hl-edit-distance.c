/* SPDX-License-Identifier: MIT
 * How far two rows of words are apart. */
#include "analysis/hl-edit-distance.h"

#include "base/hl-error.h"

#include <math.h>
#include <string.h>

char *
hl_word_fold (const char *word)
{
  g_autofree char *valid = g_utf8_make_valid (word, -1);
  g_autofree char *plain = g_utf8_normalize (valid, -1, G_NORMALIZE_ALL_COMPOSE);
  g_autofree char *folded = g_utf8_casefold (plain, -1);
  GString *kept = g_string_new (NULL);
  for (const char *p = folded; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      if (g_unichar_isalnum (c) || g_unichar_ismark (c))
        g_string_append_unichar (kept, c);
    }
  return g_string_free (kept, FALSE);
}

char **
hl_words_fold_text (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  for (const char *p = valid; *p != '\0';)
    {
      const char *begin = p;
      while (*p != '\0' && !g_unichar_isspace (g_utf8_get_char (p)))
        p = g_utf8_next_char (p);
      g_autofree char *word = g_strndup (begin, (gsize) (p - begin));
      g_autofree char *folded = hl_word_fold (word);
      if (*folded != '\0')
        g_ptr_array_add (words, g_steal_pointer (&folded));
      if (*p != '\0')
        p = g_utf8_next_char (p);
    }
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&words), FALSE);
}

/* ---- the distance --------------------------------------------------------------------
 */

typedef enum
{
  STEP_BOTH, /* the same, or replaced */
  STEP_LEFT_OUT,
  STEP_ADDED,
} Step;

/* From the end of both back to the beginning: which words met and are the same. */
static void
trace_back (const guint8 *steps,
            const char *const *a,
            gsize n,
            const char *const *b,
            gsize m,
            gint64 *match)
{
  gsize i = n, j = m;
  while (i > 0 || j > 0)
    {
      Step step = (Step) steps[i * (m + 1) + j];
      if (step == STEP_BOTH)
        match[i - 1] = g_str_equal (a[i - 1], b[j - 1]) ? (gint64) j - 1 : -1;
      else if (step == STEP_LEFT_OUT)
        match[i - 1] = -1;
      i -= step != STEP_ADDED;
      j -= step != STEP_LEFT_OUT;
    }
}

/* Row @i of the costs from the row before; the steps that led there. An edit costs @edit,
 * a word that is the same gives one back: fewer than @edit can. */
static void
fill_row (const char *word,
          gsize i,
          gint64 edit,
          const char *const *b,
          gsize m,
          const gint64 *before,
          gint64 *row,
          guint8 *steps)
{
  row[0] = (gint64) i * edit;
  steps[0] = STEP_LEFT_OUT;
  for (gsize j = 1; j <= m; j++)
    {
      gint64 both = before[j - 1] + (g_str_equal (word, b[j - 1]) ? -1 : edit);
      gint64 left_out = before[j] + edit, added = row[j - 1] + edit;
      row[j] = MIN (both, MIN (left_out, added));
      steps[j] = row[j] == both       ? STEP_BOTH
                 : row[j] == left_out ? STEP_LEFT_OUT
                                      : STEP_ADDED;
    }
}

gint64
hl_edit_distance (const char *const *a,
                  gsize n,
                  const char *const *b,
                  gsize m,
                  gint64 *match,
                  GError **error)
{
  g_autofree guint8 *steps = g_try_malloc_n (n + 1, m + 1);
  g_autofree gint64 *before = g_try_new (gint64, m + 1);
  g_autofree gint64 *row = g_try_new (gint64, m + 1);
  if (steps == NULL || before == NULL || row == NULL)
    {
      g_set_error (error, HL_ERROR, HL_ERROR_MEMORY,
                   "no memory to compare %" G_GSIZE_FORMAT " words with %" G_GSIZE_FORMAT,
                   n, m);
      return -1;
    }
  gint64 edit = (gint64) (n + m + 1);
  for (gsize j = 0; j <= m; j++)
    {
      row[j] = (gint64) j * edit;
      steps[j] = STEP_ADDED;
    }
  for (gsize i = 1; i <= n; i++)
    {
      gint64 *last = row;
      row = before;
      before = last;
      fill_row (a[i - 1], i, edit, b, m, before, row, steps + i * (m + 1));
    }
  if (match != NULL)
    trace_back (steps, a, n, b, m, match);
  return row[m] > 0 ? (row[m] + edit - 1) / edit : 0; /* what was given back, again */
}

double
hl_word_error_rate (const char *reference, const char *said, GError **error)
{
  g_auto (GStrv) a = hl_words_fold_text (reference);
  g_auto (GStrv) b = hl_words_fold_text (said);
  gsize n = g_strv_length (a), m = g_strv_length (b);
  gint64 edits = hl_edit_distance ((const char *const *) a, n, (const char *const *) b, m,
                                   NULL, error);
  if (edits < 0)
    return NAN;
  return n > 0 ? fmin ((double) edits / (double) n, 1) : m > 0;
}
