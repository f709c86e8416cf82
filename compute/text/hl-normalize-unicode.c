/* SPDX-License-Identifier: MIT
 * Unicode's normal forms, with each character's place in the original: how many
 * characters of the old text a new one stands for follows the reference library's
 * counting. */
#include "text/hl-normalizer.h"

#include "text/hl-unicode.h"

#include <string.h>

/* Below it every text is in its form NFC. */
#define FIRST_COMPOSING 0x300u
/* Room for one character's parts; U+FDFA has the most, 18. */
#define MAX_PARTS 32

/* Marks behind a base are put in the order of their classes; equal ones keep theirs. */
static void
sort_marks (HlCharChange *units, gsize n)
{
  for (gsize i = 1; i < n; i++)
    {
      HlCharChange unit = units[i];
      gsize to = i;
      for (; to > 0 && units[to - 1].combining > unit.combining; to--)
        units[to] = units[to - 1];
      units[to] = unit;
    }
}

/* Insertion takes the square of the marks; a text of marks only is sorted by counting. */
static void
sort_many_marks (HlCharChange *units, gsize n)
{
  gsize starts[257] = { 0 };
  if (n <= 32)
    {
      sort_marks (units, n);
      return;
    }
  g_autofree HlCharChange *old = g_memdup2 (units, n * sizeof *units);
  for (gsize i = 0; i < n; i++)
    starts[old[i].combining + 1]++;
  for (int class = 0; class < 256; class ++)
    starts[class + 1] += starts[class];
  for (gsize i = 0; i < n; i++)
    units[starts[old[i].combining]++] = old[i];
}

/* The parts of a character, their number. One that is newer than the reference library's
 * Unicode has none there. */
static gsize
take_apart (gunichar c, gboolean is_compatible, gunichar parts[MAX_PARTS])
{
  gsize n = g_unichar_fully_decompose (c, is_compatible, parts, MAX_PARTS);
  if ((n != 1 || parts[0] != c) && !hl_unicode_is_normalizing (c))
    {
      parts[0] = c;
      return 1;
    }
  return MIN (n, MAX_PARTS);
}

static guint8
class_of (gunichar c)
{
  guint8 combining = (guint8) g_unichar_combining_class (c);
  return combining != 0 && hl_unicode_is_normalizing (c) ? combining : 0;
}

static GArray *
decompose (const char *text, gsize length, gboolean is_compatible)
{
  GArray *units = g_array_sized_new (FALSE, FALSE, sizeof (HlCharChange), (guint) length);
  gsize marks_start = 0;
  for (gsize i = 0; i < length; i += hl_utf8_size (text[i]))
    {
      gunichar parts[MAX_PARTS];
      gsize n = take_apart (g_utf8_get_char (text + i), is_compatible, parts);
      for (gsize p = 0; p < n; p++)
        {
          HlCharChange unit = { parts[p], p > 0, class_of (parts[p]) };
          if (unit.combining == 0)
            {
              sort_many_marks (&g_array_index (units, HlCharChange, 0) + marks_start,
                               units->len - marks_start);
              marks_start = units->len + 1;
            }
          g_array_append_val (units, unit);
        }
    }
  if (marks_start < units->len)
    sort_many_marks (&g_array_index (units, HlCharChange, 0) + marks_start,
                     units->len - marks_start);
  return units;
}

/* Composes in place. A mark between the base and a mark of its own class, or of a higher
 * one, blocks it. */
static void
compose (GArray *array)
{
  HlCharChange *units = (HlCharChange *) (void *) array->data;
  gsize n_out = 0, base = G_MAXSIZE;
  int last_class = -1; /* of the marks kept behind the base; -1 for none */
  for (gsize i = 0; i < array->len; i++)
    {
      HlCharChange unit = units[i];
      gunichar composed = 0;
      if (base != G_MAXSIZE && last_class < (int) unit.combining &&
          g_unichar_compose (units[base].c, unit.c, &composed) &&
          hl_unicode_is_normalizing (composed))
        {
          units[base].c = composed;
          units[base].change += unit.change - 1;
          continue;
        }
      if (unit.combining == 0)
        {
          base = n_out;
          last_class = -1;
        }
      else if (base != G_MAXSIZE)
        last_class = unit.combining;
      units[n_out++] = unit;
    }
  g_array_set_size (array, (guint) n_out);
}

static gboolean
is_unchanged (const char *text, gsize length, gunichar limit)
{
  gunichar all = 0;
  for (gsize i = 0; i < length; i++)
    all |= (guint8) text[i];
  if (all < 0x80)
    return TRUE;
  for (gsize i = 0; i < length; i += hl_utf8_size (text[i]))
    if (g_utf8_get_char (text + i) >= limit)
      return FALSE;
  return TRUE;
}

void
hl_normalize_unicode (HlRewrite *rewrite, HlUnicodeForm form, gsize start, gsize end)
{
  const char *text = rewrite->pieces->bytes + start;
  gboolean is_composed = form == HL_UNICODE_NFC || form == HL_UNICODE_NFKC;
  if (is_unchanged (text, end - start, form == HL_UNICODE_NFC ? FIRST_COMPOSING : 0x80))
    {
      hl_rewrite_copy (rewrite, start, end);
      return;
    }
  g_autoptr (GArray) units =
      decompose (text, end - start, form == HL_UNICODE_NFKC || form == HL_UNICODE_NFKD);
  if (is_composed)
    compose (units);
  hl_rewrite_put_changes (rewrite, (const HlCharChange *) (const void *) units->data,
                          units->len, start, end);
}
