/* SPDX-License-Identifier: MIT
 * When words are said, by somebody who marked them. */
#include "io/hl-reference-private.h"

#include "base/hl-error.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* ---- errors --------------------------------------------------------------------------
 */

/* What is there, as far as a message needs it: of its line. */
static char *
quote (const char *text)
{
  g_autofree char *line = g_strndup (text, strcspn (text, "\n"));
  g_autofree char *valid = g_utf8_make_valid (line, -1);
  if (g_utf8_strlen (valid, -1) <= 30)
    return g_strdup_printf ("\"%s\"", valid);
  g_autofree char *part = g_utf8_substring (valid, 0, 30);
  return g_strdup_printf ("\"%s…\"", part);
}

gboolean
hl_reference_expected (const HlReferenceReader *r,
                       const char *what,
                       const char *found,
                       GError **error)
{
  g_autofree char *there = found != NULL ? quote (found) : g_strdup ("the end");
  g_set_error (error, HL_ERROR, HL_ERROR_FORMAT, "%s, line %d: %s expected, %s found",
               r->name, r->line, what, there);
  return FALSE;
}

gboolean
hl_reference_too_much (const HlReferenceReader *r,
                       const char *what,
                       gsize most,
                       GError **error)
{
  g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
               "%s, line %d: at most %" G_GSIZE_FORMAT " %s expected, more found",
               r->name, r->line, most, what);
  return FALSE;
}

/* ---- words ---------------------------------------------------------------------------
 */

gboolean
hl_reference_is_time (double x)
{
  return isfinite (x) && x >= 0 && x <= HL_REFERENCE_MAX_SECONDS;
}

static void
clear_word (gpointer word)
{
  g_free (((HlReferenceWord *) word)->text);
}

gboolean
hl_reference_add_word (
    HlReferenceReader *r, const char *text, double start, double end, GError **error)
{
  g_autofree char *bare = g_strstrip (g_strdup (text));
  char number[G_ASCII_DTOSTR_BUF_SIZE], what[G_ASCII_DTOSTR_BUF_SIZE + 40];
  double before = r->words->len > 0
                      ? g_array_index (r->words, HlReferenceWord, r->words->len - 1).start
                      : 0;
  gboolean goes_back = start < before;
  if (goes_back || end < start)
    {
      g_snprintf (
          what, sizeof what, "a%s of %s or later", goes_back ? " start" : "n end",
          g_ascii_formatd (number, sizeof number, "%g", goes_back ? before : start));
      return hl_reference_expected (
          r, what, g_ascii_formatd (number, sizeof number, "%g", goes_back ? start : end),
          error);
    }
  if (*bare == '\0')
    return TRUE;
  if (strlen (bare) > HL_REFERENCE_MAX_WORD_BYTES)
    return hl_reference_too_much (r, "bytes of a word", HL_REFERENCE_MAX_WORD_BYTES,
                                  error);
  if (r->words->len >= HL_REFERENCE_MAX_WORDS)
    return hl_reference_too_much (r, "words", HL_REFERENCE_MAX_WORDS, error);
  HlReferenceWord word = { g_steal_pointer (&bare), start, end };
  g_array_append_val (r->words, word);
  return TRUE;
}

/* ---- files ---------------------------------------------------------------------------
 */

/* (transfer full): UTF-8 without a mark; NULL with @error. */
static char *
decode (const char *name, const char *data, gsize size, GError **error)
{
  const guint8 *b = (const guint8 *) data;
  gboolean is_little = size >= 2 && b[0] == 0xff && b[1] == 0xfe;
  gboolean is_big = size >= 2 && b[0] == 0xfe && b[1] == 0xff;
  gboolean is_marked = size >= 3 && b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf;
  gsize n = size;
  g_autoptr (GError) cause = NULL;
  g_autofree char *text =
      is_little || is_big
          ? g_convert (data + 2, (gssize) size - 2, "UTF-8",
                       is_little ? "UTF-16LE" : "UTF-16BE", NULL, &n, &cause)
      : is_marked ? g_strndup (data + 3, n -= 3)
                  : g_strndup (data, n);
  const char *end = text;
  if (text == NULL)
    g_set_error (error, HL_ERROR, HL_ERROR_FORMAT, "%s: UTF-16 expected, found %s", name,
                 cause->message);
  else if (!g_utf8_validate (text, (gssize) n, &end))
    {
      int line = 1;
      for (const char *p = text; p < end; p++)
        line += *p == '\n';
      g_set_error (error, HL_ERROR, HL_ERROR_FORMAT,
                   "%s, line %d: UTF-8, or UTF-16 with its mark, expected, the byte %d "
                   "found",
                   name, line, (int) (guint8) *end);
    }
  else
    return g_steal_pointer (&text);
  return NULL;
}

static gboolean
is_textgrid (const char *text)
{
  gsize n = strcspn (text, "\n");
  return g_strstr_len (text, (gssize) n, "ooTextFile") != NULL;
}

/* One kind of line ends; Praat of old wrote carriage returns alone. */
static void
unify_lines (char *text)
{
  char *to = text;
  for (const char *from = text; *from != '\0'; from++)
    if (*from != '\r')
      *to++ = *from;
    else if (from[1] != '\n')
      *to++ = '\n';
  *to = '\0';
}

GArray *
hl_reference_times_parse (const char *name, const char *data, gsize size, GError **error)
{
  g_autofree char *text = decode (name, data, size, error);
  if (text == NULL)
    return NULL;
  unify_lines (text);
  g_autoptr (GArray) words = g_array_new (FALSE, FALSE, sizeof (HlReferenceWord));
  g_array_set_clear_func (words, clear_word);
  HlReferenceReader reader = { name, text, 1, words };
  if (!(is_textgrid (text) ? hl_reference_read_textgrid (&reader, error)
                           : hl_reference_read_csv (&reader, error)))
    return NULL;
  if (words->len > 0)
    return g_steal_pointer (&words);
  g_set_error (error, HL_ERROR, HL_ERROR_MISSING, "%s: words expected, none found", name);
  return NULL;
}

/* Of a file as large as its folder says. */
static char *
load (const char *path, const char *name, gsize *size, GError **error)
{
  GStatBuf info;
  char *data = NULL;
  g_autoptr (GError) cause = NULL;
  if (g_stat (path, &info) != 0)
    g_set_error (error, HL_ERROR, errno == ENOENT ? HL_ERROR_MISSING : HL_ERROR_IO,
                 "%s: %s", path, g_strerror (errno));
  else if (!S_ISREG (info.st_mode))
    g_set_error (error, HL_ERROR, HL_ERROR_IO, "%s: a file expected", path);
  else if ((gsize) info.st_size > HL_REFERENCE_MAX_BYTES)
    g_set_error (error, HL_ERROR, HL_ERROR_RANGE,
                 "%s: at most %" G_GSIZE_FORMAT " bytes expected, %" G_GINT64_FORMAT
                 " found",
                 name, HL_REFERENCE_MAX_BYTES, (gint64) info.st_size);
  else if (!g_file_get_contents (path, &data, size, &cause))
    g_set_error (error, HL_ERROR, HL_ERROR_IO, "%s: cannot be read: %s", path,
                 cause->message);
  return data;
}

GArray *
hl_reference_times_read (const char *path, GError **error)
{
  gsize size = 0;
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *data = load (path, name, &size, error);
  return data != NULL ? hl_reference_times_parse (name, data, size, error) : NULL;
}
