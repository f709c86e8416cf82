/* SPDX-License-Identifier: MIT
 * Cutting a piece at matches. */
#include "text/hl-splitter.h"

#include "text/hl-unicode.h"

void
hl_splitter_begin (HlSplitter *splitter,
                   const HlPieces *pieces,
                   HlSplitBehavior behavior,
                   gboolean is_inverted)
{
  *splitter =
      (HlSplitter){ .pieces = pieces, .behavior = behavior, .is_inverted = is_inverted };
  splitter->list =
      g_array_sized_new (FALSE, FALSE, sizeof (HlPiece),
                         MAX (pieces->list->len, (guint) (pieces->length / 4)));
}

static void
open_piece (HlSplitter *splitter)
{
  splitter->has_part = FALSE;
  splitter->was_match = FALSE;
}

static void
flush (HlSplitter *splitter)
{
  if (splitter->has_part)
    hl_pieces_cut (splitter->pieces, splitter->list, splitter->start, splitter->end, -1);
  splitter->has_part = FALSE;
}

/* Takes the next stretch, match or not: either it goes on with the part in hand or begins
 * another. An empty match counts as one; an empty part is not written. */
static void
take (HlSplitter *splitter, gsize start, gsize end, gboolean is_match)
{
  gboolean goes_on = FALSE;
  is_match = is_match != splitter->is_inverted;
  switch (splitter->behavior)
    {
    case HL_SPLIT_REMOVED:
      if (is_match)
        return;
      break;
    case HL_SPLIT_MERGED_WITH_PREVIOUS:
      goes_on = is_match && !splitter->was_match;
      break;
    case HL_SPLIT_MERGED_WITH_NEXT:
      goes_on = !is_match && splitter->was_match;
      break;
    case HL_SPLIT_CONTIGUOUS:
      goes_on = is_match == splitter->was_match;
      break;
    case HL_SPLIT_ISOLATED:
    default:
      break;
    }
  if (!goes_on || !splitter->has_part)
    {
      flush (splitter);
      splitter->start = start;
    }
  splitter->end = end;
  splitter->has_part = TRUE;
  splitter->was_match = is_match;
}

gboolean
hl_splitter_run_pattern (HlSplitter *splitter,
                         const HlPiece *piece,
                         HlRegexScan *scan,
                         GError **error)
{
  const gsize base = piece->start;
  gsize start = 0, end = 0, done = base;
  GError *failure = NULL;
  open_piece (splitter);
  hl_regex_scan_start (scan, splitter->pieces->bytes + base, piece->end - base);
  while (hl_regex_scan_next (scan, &start, &end, &failure))
    {
      if (done != base + start)
        take (splitter, done, base + start, FALSE);
      take (splitter, base + start, base + end, TRUE);
      done = base + end;
    }
  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  if (done != piece->end)
    take (splitter, done, piece->end, FALSE);
  flush (splitter);
  return TRUE;
}

/* A number that is the same for characters of one run; 0 for white space. */
static int
word_kind (gunichar c)
{
  return hl_unicode_is_word (c) ? 1 : hl_unicode_is_space (c) ? 0 : 2;
}

static void
run_words (HlSplitter *splitter, const HlPiece *piece)
{
  const char *text = splitter->pieces->bytes;
  for (gsize at = piece->start; at < piece->end;)
    {
      gsize start = at;
      int kind = word_kind (g_utf8_get_char (text + at));
      while (at < piece->end && word_kind (g_utf8_get_char (text + at)) == kind)
        at += hl_utf8_size (text[at]);
      if (kind != 0)
        hl_pieces_cut (splitter->pieces, splitter->list, start, at, -1);
    }
}

static gboolean
is_in_class (gunichar c, HlCharClass char_class)
{
  switch (char_class)
    {
    case HL_CHARS_SPACE:
      return hl_unicode_is_space (c);
    case HL_CHARS_NUMERIC:
      return hl_unicode_is_numeric (c);
    case HL_CHARS_PUNCTUATION:
      return hl_unicode_is_punctuation (c);
    case HL_CHARS_WORDS:
    default:
      return FALSE;
    }
}

void
hl_splitter_run_class (HlSplitter *splitter, const HlPiece *piece, HlCharClass char_class)
{
  const char *text = splitter->pieces->bytes;
  gsize done = piece->start;
  if (char_class == HL_CHARS_WORDS)
    {
      run_words (splitter, piece);
      return;
    }
  open_piece (splitter);
  for (gsize at = piece->start; at < piece->end;)
    {
      gsize next = at + hl_utf8_size (text[at]);
      if (is_in_class (g_utf8_get_char (text + at), char_class))
        {
          if (done < at)
            take (splitter, done, at, FALSE);
          take (splitter, at, next, TRUE);
          done = next;
        }
      at = next;
    }
  if (done < piece->end)
    take (splitter, done, piece->end, FALSE);
  flush (splitter);
}
