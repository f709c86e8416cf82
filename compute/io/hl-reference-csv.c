/* SPDX-License-Identifier: MIT
 * Times of words in a CSV. */
#include "io/hl-reference-private.h"

#include <string.h>

#define MAX_COLUMNS 64

static gboolean
parse_seconds (const HlReferenceReader *r,
               const char *text,
               const char *what,
               double *x,
               GError **error)
{
  char *end = NULL;
  *x = g_ascii_strtod (text, &end);
  if (end != text)
    end += strspn (end, " \t");
  if (end != text && *end == '\0' && hl_reference_is_time (*x))
    return TRUE;
  return hl_reference_expected (r, what, text, error);
}

/* (transfer full): the cells of the line at hand, which is passed; NULL with @error. */
static GPtrArray *
read_cells (HlReferenceReader *r, char separator, GError **error)
{
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  const char *p = r->at;
  do
    {
      g_autoptr (GString) cell = g_string_new (NULL);
      p += strspn (p, separator == '\t' ? " " : " \t");
      gboolean is_quoted = *p == '"', is_closed = !is_quoted;
      for (p += is_quoted; *p != '\0' && *p != '\n'; p++)
        {
          is_closed |= is_quoted && *p == '"' && *++p != '"';
          if (is_closed && is_quoted)
            break;
          if (!is_quoted && *p == separator)
            break;
          g_string_append_c (cell, *p);
        }
      if (!is_closed)
        return hl_reference_expected (r, "a closing quote", cell->str, error), NULL;
      p += is_quoted ? strspn (p, " \r") : 0;
      if (*p != separator && *p != '\n' && *p != '\0')
        return hl_reference_expected (r, "a separator behind a quote", p, error), NULL;
      if (cells->len >= MAX_COLUMNS)
        return hl_reference_too_much (r, "columns", MAX_COLUMNS, error), NULL;
      g_ptr_array_add (cells,
                       g_strstrip (g_string_free (g_steal_pointer (&cell), FALSE)));
    }
  while (*p == separator && *p++ != '\0');
  r->at = *p == '\n' ? p + 1 : p;
  return g_steal_pointer (&cells);
}

/* The one that is there before the first line ends. */
static char
find_separator (const char *text)
{
  gsize n = strcspn (text, "\n");
  return memchr (text, '\t', n) != NULL  ? '\t'
         : memchr (text, ';', n) != NULL ? ';'
                                         : ',';
}

/* Places of start, end and word in a header; FALSE where the line is none. */
static gboolean
find_columns (const GPtrArray *cells, int *column)
{
  static const char *const names[] = { "start", "end", "word" };
  int n = 0;
  for (int k = 0; k < 3; k++)
    for (guint i = 0; i < cells->len; i++)
      if (g_ascii_strcasecmp (g_ptr_array_index (cells, i), names[k]) == 0)
        {
          column[k] = (int) i;
          n++;
          break;
        }
  return n == 3;
}

/* A first line without a number is to be a header. */
static gboolean
check_header (const HlReferenceReader *r, const GPtrArray *cells, GError **error)
{
  const char *first = g_ptr_array_index (cells, 0);
  char *end = NULL;
  (void) g_ascii_strtod (first, &end);
  if (end != first)
    return TRUE;
  return hl_reference_expected (r, "a header with start, end and word, or a time,", first,
                                error);
}

static gboolean
read_row (HlReferenceReader *r, const GPtrArray *cells, const int *column, GError **error)
{
  double start, end;
  for (int k = 0; k < 3; k++)
    if (column[k] >= (int) cells->len)
      return hl_reference_expected (r, "cells for start, end and word",
                                    g_ptr_array_index (cells, cells->len - 1), error);
  return parse_seconds (r, g_ptr_array_index (cells, column[0]), "a start in seconds",
                        &start, error) &&
         parse_seconds (r, g_ptr_array_index (cells, column[1]), "an end in seconds",
                        &end, error) &&
         hl_reference_add_word (r, g_ptr_array_index (cells, column[2]), start, end,
                                error);
}

gboolean
hl_reference_read_csv (HlReferenceReader *r, GError **error)
{
  int column[] = { 0, 1, 2 };
  char separator = find_separator (r->at);
  for (gboolean is_first = TRUE; *r->at != '\0'; r->line++)
    {
      g_autoptr (GPtrArray) cells = read_cells (r, separator, error);
      if (cells == NULL)
        return FALSE;
      if (cells->len == 1 && *(const char *) cells->pdata[0] == '\0')
        continue;
      gboolean is_header = is_first && find_columns (cells, column);
      if (is_first && !is_header && !check_header (r, cells, error))
        return FALSE;
      is_first = FALSE;
      if (!is_header && !read_row (r, cells, column, error))
        return FALSE;
    }
  return TRUE;
}
