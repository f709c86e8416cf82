/* SPDX-License-Identifier: MIT
 * A text on its way to tokens. */
#include "text/hl-pieces.h"

#include "text/hl-unicode.h"

#include <string.h>

/* Tokenizers write three bytes for a space, and few write more. */
#define GROWTH_FACTOR 16
#define GROWTH_ALLOWANCE 65536

void
hl_pieces_init (HlPieces *pieces, const char *text, gsize length)
{
  *pieces = (HlPieces){ .bytes = text, .length = length };
  pieces->max_length = GROWTH_FACTOR * length + GROWTH_ALLOWANCE;
  pieces->list = g_array_new (FALSE, FALSE, sizeof (HlPiece));
  if (length > 0)
    {
      HlPiece whole = { 0, (guint32) length, 0, -1 };
      g_array_append_val (pieces->list, whole);
    }
}

void
hl_pieces_clear (HlPieces *pieces)
{
  g_clear_pointer (&pieces->list, g_array_unref);
  g_clear_pointer (&pieces->spans, g_free);
  g_clear_pointer (&pieces->owned, g_free);
  pieces->bytes = NULL;
}

HlSpan
hl_pieces_span (const HlPieces *pieces, gsize at)
{
  if (pieces->spans != NULL)
    return pieces->spans[at];
  gsize start = hl_utf8_previous (pieces->bytes, at + 1);
  return (HlSpan){ (guint32) start,
                   (guint32) (start + hl_utf8_size (pieces->bytes[start])) };
}

HlSpan
hl_pieces_original (const HlPieces *pieces, gsize start, gsize end)
{
  return (HlSpan){ hl_pieces_span (pieces, start).start,
                   hl_pieces_span (pieces, end - 1).end };
}

void
hl_pieces_cut (const HlPieces *pieces, GArray *list, gsize start, gsize end, gint32 id)
{
  if (start >= end)
    return;
  HlPiece piece = { (guint32) start, (guint32) end, hl_pieces_span (pieces, start).start,
                    id };
  g_array_append_val (list, piece);
}

void
hl_pieces_take_list (HlPieces *pieces, GArray *list)
{
  g_array_unref (pieces->list);
  pieces->list = list;
}

void
hl_rewrite_begin (HlRewrite *rewrite, HlPieces *pieces)
{
  gsize n = pieces->length + 64;
  *rewrite = (HlRewrite){ .pieces = pieces };
  rewrite->bytes = g_string_sized_new (n);
  rewrite->spans = g_new (HlSpan, n);
  rewrite->n_spans_allocated = n;
  rewrite->list = g_array_sized_new (FALSE, FALSE, sizeof (HlPiece), pieces->list->len);
}

void
hl_rewrite_open (HlRewrite *rewrite, const HlPiece *piece)
{
  rewrite->piece = *piece;
  rewrite->piece.start = (guint32) rewrite->bytes->len;
}

/* Room for spans of @n more bytes; GString sees to the bytes. */
static HlSpan *
more_spans (HlRewrite *rewrite, gsize n)
{
  gsize needed = rewrite->bytes->len + n;
  if (needed > rewrite->n_spans_allocated)
    {
      rewrite->n_spans_allocated = needed + needed / 2;
      rewrite->spans = g_renew (HlSpan, rewrite->spans, rewrite->n_spans_allocated);
    }
  return rewrite->spans + rewrite->bytes->len;
}

void
hl_rewrite_copy (HlRewrite *rewrite, gsize start, gsize end)
{
  const HlPieces *pieces = rewrite->pieces;
  if (start >= end)
    return;
  HlSpan *spans = more_spans (rewrite, end - start);
  if (pieces->spans != NULL)
    memcpy (spans, pieces->spans + start, (end - start) * sizeof *spans);
  else
    for (gsize i = start; i < end;)
      {
        HlSpan span = { (guint32) i, (guint32) (i + hl_utf8_size (pieces->bytes[i])) };
        for (; i < span.end && i < end; i++)
          *spans++ = span;
      }
  g_string_append_len (rewrite->bytes, pieces->bytes + start, (gssize) (end - start));
}

void
hl_rewrite_put (HlRewrite *rewrite, const char *bytes, gsize n, HlSpan span)
{
  HlSpan *spans = more_spans (rewrite, n);
  for (gsize i = 0; i < n; i++)
    spans[i] = span;
  g_string_append_len (rewrite->bytes, bytes, (gssize) n);
}

void
hl_rewrite_put_changes (
    HlRewrite *rewrite, const HlCharChange *changes, gsize n, gsize start, gsize end)
{
  const HlPieces *old = rewrite->pieces;
  gsize at = start;
  for (gsize i = 0; i < n; i++)
    {
      const HlCharChange *unit = &changes[i];
      HlSpan span = { rewrite->piece.origin, rewrite->piece.origin };
      if (unit->change > 0 && at > start)
        span = hl_pieces_span (old, at - 1);
      else if (unit->change <= 0)
        span = hl_pieces_span (old, MIN (at, end - 1));
      for (int left = unit->change; left <= 0 && at < end; left++)
        at += hl_utf8_size (old->bytes[at]);
      char utf8[6];
      hl_rewrite_put (rewrite, utf8, (gsize) g_unichar_to_utf8 (unit->c, utf8), span);
    }
}

void
hl_rewrite_close (HlRewrite *rewrite)
{
  rewrite->piece.end = (guint32) rewrite->bytes->len;
  if (rewrite->piece.start < rewrite->piece.end)
    g_array_append_val (rewrite->list, rewrite->piece);
}

void
hl_rewrite_end (HlRewrite *rewrite)
{
  HlPieces *pieces = rewrite->pieces;
  hl_pieces_clear (pieces);
  pieces->length = rewrite->bytes->len;
  pieces->owned = g_string_free (rewrite->bytes, FALSE);
  pieces->bytes = pieces->owned;
  pieces->spans = rewrite->spans;
  pieces->list = rewrite->list;
}

void
hl_rewrite_abandon (HlRewrite *rewrite)
{
  g_string_free (rewrite->bytes, TRUE);
  g_free (rewrite->spans);
  g_array_unref (rewrite->list);
}
