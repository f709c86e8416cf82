/* SPDX-License-Identifier: MIT
 * Times of words in a TextGrid, as Praat writes it, long or short. */
#include "io/hl-reference-private.h"

#include <math.h>
#include <string.h>

#define MAX_TIERS 1000

/* Praat reads numbers, strings and flags that stand free; all else is for people. */
typedef enum
{
  PIECE_END,
  PIECE_NUMBER,
  PIECE_STRING,
  PIECE_FLAG,
} PieceKind;

typedef struct
{
  PieceKind kind;
  double number;
  GString *text;
} Piece;

static void
piece_clear (Piece *piece)
{
  g_string_free (piece->text, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Piece, piece_clear)

static void
skip_space (HlReferenceReader *r)
{
  for (; *r->at != '\0'; r->at++)
    if (*r->at == '\n')
      r->line++;
    else if (*r->at == '!')
      r->at += strcspn (r->at, "\n") - 1;
    else if (!g_ascii_isspace (*r->at))
      return;
}

/* What stands in quotes; two of them are one within. */
static gboolean
read_string (HlReferenceReader *r, GString *text, GError **error)
{
  int begin = r->line;
  for (r->at++; *r->at != '\0'; r->at++)
    {
      if (*r->at == '"' && *++r->at != '"')
        return TRUE;
      if (*r->at == '\n')
        r->line++;
      if (text->len > HL_REFERENCE_MAX_WORD_BYTES)
        return hl_reference_too_much (r, "bytes of a text", HL_REFERENCE_MAX_WORD_BYTES,
                                      error);
      g_string_append_c (text, *r->at);
    }
  r->line = begin;
  return hl_reference_expected (r, "a closing quote", text->str, error);
}

/* The next piece, of any kind. */
static gboolean
next_piece (HlReferenceReader *r, Piece *piece, GError **error)
{
  piece->kind = PIECE_END;
  while (skip_space (r), *r->at != '\0')
    {
      g_string_truncate (piece->text, 0);
      if (*r->at == '"')
        {
          piece->kind = PIECE_STRING;
          return read_string (r, piece->text, error);
        }
      gsize n = strcspn (r->at, " \t\r\n");
      g_string_append_len (piece->text, r->at, (gssize) n);
      r->at += n;
      char *end = NULL;
      piece->number = g_ascii_strtod (piece->text->str, &end);
      gboolean is_number = end != piece->text->str && *end == '\0' &&
                           strchr ("+-.0123456789", *piece->text->str) != NULL;
      if (is_number || *piece->text->str == '<')
        {
          piece->kind = is_number ? PIECE_NUMBER : PIECE_FLAG;
          return TRUE;
        }
    }
  return TRUE;
}

/* The next piece, which is to be @kind. */
static gboolean
want (
    HlReferenceReader *r, Piece *piece, PieceKind kind, const char *what, GError **error)
{
  if (!next_piece (r, piece, error))
    return FALSE;
  return piece->kind == kind ||
         hl_reference_expected (
             r, what, piece->kind == PIECE_END ? NULL : piece->text->str, error);
}

static gboolean
want_seconds (
    HlReferenceReader *r, Piece *piece, const char *what, double *x, GError **error)
{
  if (!want (r, piece, PIECE_NUMBER, what, error))
    return FALSE;
  *x = piece->number;
  return (hl_reference_is_time (*x)) ||
         hl_reference_expected (r, what, piece->text->str, error);
}

static gboolean
want_count (HlReferenceReader *r,
            Piece *piece,
            const char *what,
            int most,
            int *n,
            GError **error)
{
  if (!want (r, piece, PIECE_NUMBER, what, error))
    return FALSE;
  if (!(piece->number >= 0) || piece->number != floor (piece->number))
    return hl_reference_expected (r, what, piece->text->str, error);
  if (piece->number > most)
    return hl_reference_too_much (r, what, (gsize) most, error);
  *n = (int) piece->number;
  return TRUE;
}

/* Words where @keeps, else passed by. */
static gboolean
read_interval (HlReferenceReader *r, Piece *piece, gboolean keeps, GError **error)
{
  double start, end;
  return want_seconds (r, piece, "the start of an interval, in seconds,", &start,
                       error) &&
         want_seconds (r, piece, "the end of an interval, in seconds,", &end, error) &&
         want (r, piece, PIECE_STRING, "an interval's text in quotes", error) &&
         (!keeps || hl_reference_add_word (r, piece->text->str, start, end, error));
}

static gboolean
read_point (HlReferenceReader *r, Piece *piece, GError **error)
{
  double time;
  return want_seconds (r, piece, "the time of a point, in seconds,", &time, error) &&
         want (r, piece, PIECE_STRING, "a point's text in quotes", error);
}

static gboolean
is_of_words (const char *name)
{
  return g_ascii_strcasecmp (name, "words") == 0 ||
         g_ascii_strcasecmp (name, "word") == 0;
}

/* @is_named: a tier of words by its name was read. A tier's words take the place of those
 * of the tier before. */
static gboolean
read_tier (HlReferenceReader *r,
           Piece *piece,
           gboolean *is_any,
           gboolean *is_named,
           GError **error)
{
  double unused;
  int n;
  if (!want (r, piece, PIECE_STRING, "a tier's class in quotes", error))
    return FALSE;
  gboolean has_intervals = g_str_equal (piece->text->str, "IntervalTier");
  if (!has_intervals && !g_str_equal (piece->text->str, "TextTier"))
    return hl_reference_expected (r, "\"IntervalTier\" or \"TextTier\"", piece->text->str,
                                  error);
  if (!want (r, piece, PIECE_STRING, "a tier's name in quotes", error))
    return FALSE;
  gboolean names_words = has_intervals && is_of_words (piece->text->str);
  gboolean keeps = has_intervals && !*is_named && (names_words || !*is_any);
  if (keeps)
    g_array_set_size (r->words, 0);
  *is_any |= has_intervals;
  *is_named |= names_words;
  if (!want_seconds (r, piece, "the start of a tier, in seconds,", &unused, error) ||
      !want_seconds (r, piece, "the end of a tier, in seconds,", &unused, error) ||
      !want_count (r, piece, "a number of intervals", HL_REFERENCE_MAX_WORDS, &n, error))
    return FALSE;
  for (int i = 0; i < n; i++)
    if (!(has_intervals ? read_interval (r, piece, keeps, error)
                        : read_point (r, piece, error)))
      return FALSE;
  return TRUE;
}

gboolean
hl_reference_read_textgrid (HlReferenceReader *r, GError **error)
{
  g_auto (Piece) piece = { .text = g_string_new (NULL) };
  double unused;
  int n_tiers;
  gboolean is_any = FALSE, is_named = FALSE;
  if (!want (r, &piece, PIECE_STRING, "\"ooTextFile\"", error) ||
      !want (r, &piece, PIECE_STRING, "\"TextGrid\"", error))
    return FALSE;
  if (!g_str_has_prefix (piece.text->str, "TextGrid"))
    return hl_reference_expected (r, "\"TextGrid\"", piece.text->str, error);
  if (!want_seconds (r, &piece, "the start, in seconds,", &unused, error) ||
      !want_seconds (r, &piece, "the end, in seconds,", &unused, error) ||
      !want (r, &piece, PIECE_FLAG, "<exists>", error))
    return FALSE;
  if (!g_str_equal (piece.text->str, "<exists>"))
    return hl_reference_expected (r, "<exists>", piece.text->str, error);
  if (!want_count (r, &piece, "a number of tiers", MAX_TIERS, &n_tiers, error))
    return FALSE;
  for (int i = 0; i < n_tiers; i++)
    if (!read_tier (r, &piece, &is_any, &is_named, error))
      return FALSE;
  return is_any || hl_reference_expected (r, "a tier of intervals", NULL, error);
}
