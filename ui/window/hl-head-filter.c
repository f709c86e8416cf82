/* SPDX-License-Identifier: MIT
 * The filter of the head finder. */
#include "window/hl-head-filter.h"

#include "window/hl-head-item.h"

#include <math.h>
#include <stdlib.h>

/* What the text says; @sign 0 for a layer. FALSE for nothing that is known. */
static gboolean
parse (const char *text, int *sign, double *number)
{
  g_autofree char *plain = g_strstrip (g_strdup (text));
  char *end = NULL;
  *sign = plain[0] == '>' ? 1 : plain[0] == '<' ? -1 : 0;
  const char *start = plain + (*sign != 0);
  *number = g_ascii_strtod (start, &end);
  if (*sign == 0)
    {
      gint64 layer = g_ascii_strtoll (start, &end, 10);
      *number = (double) layer;
      return end != start && end[0] == '.' && end[1] == '\0';
    }
  return end != start && *end == '\0' && isfinite (*number);
}

gboolean
hl_head_filter_is_good (const char *text)
{
  int sign;
  double number;
  return text[0] == '\0' || parse (text, &sign, &number);
}

gboolean
hl_head_filter_match (gpointer item, gpointer entry)
{
  int sign;
  double number;
  if (!parse (gtk_editable_get_text (entry), &sign, &number))
    return TRUE;
  if (sign == 0)
    return hl_head_item_get_layer (item) == (int) number;
  double value = hl_head_item_get_value (item, HL_HEAD_COLUMN_SCORE);
  if (isnan (value))
    value = hl_head_item_get_value (item, HL_HEAD_COLUMN_ENTROPY);
  return sign > 0 ? value > number : value < number;
}
