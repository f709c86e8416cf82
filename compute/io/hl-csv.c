/* SPDX-License-Identifier: MIT
 * Cells of a table. */
#include "io/hl-csv.h"

#include <math.h>

void
hl_csv_append_text (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (const char *c = text; *c != '\0'; c++)
    {
      if (*c == '"')
        g_string_append_c (out, '"');
      g_string_append_c (out, *c);
    }
  g_string_append_c (out, '"');
}

void
hl_csv_append_number (GString *out, double x, int digits)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE], format[16];
  g_string_append_c (out, ',');
  if (!isfinite (x))
    return;
  if (digits <= 0)
    {
      g_string_append (out, g_ascii_dtostr (text, sizeof text, x));
      return;
    }
  g_snprintf (format, sizeof format, "%%.%dg", MIN (digits, 17));
  g_string_append (out, g_ascii_formatd (text, sizeof text, format, x));
}
