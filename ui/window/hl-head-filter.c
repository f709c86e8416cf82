/* SPDX-License-Identifier: MIT
 * The filter of the head finder. */
#include "config.h"

#include "window/hl-head-filter.h"

#include "window/hl-head-item.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

typedef enum
{
  FILTER_ALL,
  FILTER_BAD,
  FILTER_LAYER,
  FILTER_ABOVE,
  FILTER_BELOW,
  FILTER_PINNED,
  FILTER_WORD,
} Kind;

/* A number up to the end of the text. */
static gboolean
is_number (const char *text, double *number)
{
  char *end = NULL;
  *number = g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && isfinite (*number);
}

/* "5" alone may still become "5.": it is no word. */
static gboolean
is_word (const char *text)
{
  return text[0] == '#' ? text[1] != '\0' : g_unichar_isalpha (g_utf8_get_char (text));
}

/* What the text says: a layer or a bound in @number; the word is the text itself. */
static Kind
parse (const char *text, double *number)
{
  g_autofree char *plain = g_strstrip (g_strdup (text));
  char *end = NULL;
  if (plain[0] == '\0')
    return FILTER_ALL;
  if (plain[0] == '>' || plain[0] == '<')
    return !is_number (plain + 1, number) ? FILTER_BAD
           : plain[0] == '>'              ? FILTER_ABOVE
                                          : FILTER_BELOW;
  *number = (double) g_ascii_strtoll (plain, &end, 10);
  if (end != plain && end[0] == '.' && end[1] == '\0')
    return FILTER_LAYER;
  if (g_ascii_strcasecmp (plain, "pinned") == 0 || g_strcmp0 (plain, _ ("pinned")) == 0)
    return FILTER_PINNED;
  return is_word (plain) ? FILTER_WORD : FILTER_BAD;
}

gboolean
hl_head_filter_is_good (const char *text)
{
  double number;
  return parse (text, &number) != FILTER_BAD;
}

/* Without case: in the tags, where "#" stands before each, or in the note. */
static gboolean
has_word (HlHeadItem *item, const char *text)
{
  g_autofree char *plain = g_strstrip (g_strdup (text));
  g_autofree char *word = g_utf8_casefold (plain, -1);
  g_autofree char *tags = g_utf8_casefold (hl_head_item_get_tags (item), -1);
  g_autofree char *note = g_utf8_casefold (hl_head_item_get_note (item), -1);
  return strstr (tags, word) != NULL || strstr (note, word) != NULL;
}

gboolean
hl_head_filter_match (gpointer item, gpointer entry)
{
  double number, value = hl_head_item_get_score (item);
  const char *text = gtk_editable_get_text (entry);
  if (isnan (value))
    value = hl_head_item_get_value (item, HL_HEAD_COLUMN_ENTROPY);
  switch (parse (text, &number))
    {
    case FILTER_LAYER:
      return hl_head_item_get_layer (item) == (int) number;
    case FILTER_ABOVE:
      return value > number;
    case FILTER_BELOW:
      return value < number;
    case FILTER_PINNED:
      return hl_head_item_is_pinned (item);
    case FILTER_WORD:
      return has_word (item, text);
    case FILTER_ALL:
    case FILTER_BAD:
      break;
    }
  return TRUE;
}
