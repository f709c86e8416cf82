/* SPDX-License-Identifier: MIT
 * A text on its way to tokens: its bytes as they stand now, which bytes of the original
 * each comes from, and where it is cut into pieces. Private to compute/text. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** HL_TEXT_MAX_BYTES: the longest text that is encoded at once. */
#define HL_TEXT_MAX_BYTES ((gsize) 64 << 20)

/** HlSpan: bytes [start, end) of the original. */
typedef struct
{
  guint32 start;
  guint32 end;
} HlSpan;

/**
 * HlPiece:
 * @start, @end: bytes of the text as it stands
 * @origin: where its original begins, as of when it was cut
 * @id: of an added token; -1 for text still to be encoded
 */
typedef struct
{
  guint32 start;
  guint32 end;
  guint32 origin;
  gint32 id;
} HlPiece;

/**
 * HlPieces:
 * @bytes: @length bytes of UTF-8
 * @spans: one a byte, the same for all bytes of a character; NULL while @bytes is the
 *   original itself
 * @list: HlPiece, in order
 * @max_length: replacements may not make the text longer
 */
typedef struct
{
  const char *bytes;
  gsize length;
  HlSpan *spans;
  GArray *list;
  char *owned;
  gsize max_length;
} HlPieces;

/** hl_pieces_init: one piece, @text, which must stay. */
void hl_pieces_init (HlPieces *pieces, const char *text, gsize length);
void hl_pieces_clear (HlPieces *pieces);

/** hl_pieces_span: where byte @at comes from. */
HlSpan hl_pieces_span (const HlPieces *pieces, gsize at);

/** hl_pieces_original: the original of bytes [start, end), which are not none. */
HlSpan hl_pieces_original (const HlPieces *pieces, gsize start, gsize end);

/** hl_pieces_cut: appends [start, end) of the text to @list; nothing when empty. */
void
hl_pieces_cut (const HlPieces *pieces, GArray *list, gsize start, gsize end, gint32 id);

/** hl_pieces_take_list: @list becomes the pieces; takes it. */
void hl_pieces_take_list (HlPieces *pieces, GArray *list);

/**
 * HlRewrite: the same text with other bytes, written from left to right.
 *   begin; for each piece: open, copy and put, close; end
 */
typedef struct
{
  HlPieces *pieces;
  GString *bytes;
  HlSpan *spans;
  gsize n_spans_allocated;
  GArray *list;
  HlPiece piece;
} HlRewrite;

void hl_rewrite_begin (HlRewrite *rewrite, HlPieces *pieces);
void hl_rewrite_open (HlRewrite *rewrite, const HlPiece *piece);

/** hl_rewrite_copy: bytes of the old text, with where they come from. */
void hl_rewrite_copy (HlRewrite *rewrite, gsize start, gsize end);

/** hl_rewrite_put: @n new bytes, all from @span. */
void hl_rewrite_put (HlRewrite *rewrite, const char *bytes, gsize n, HlSpan span);

/** HlCharChange: a character of the new text. @change: 1 inserted, 0 instead of one, -n
 * instead of one and n more that go; @combining: its class, for who sorts marks. */
typedef struct
{
  gunichar c;
  int change;
  guint8 combining;
} HlCharChange;

/** hl_rewrite_put_changes: bytes [start, end) of the old text become @n characters, each
 * with the place of the old ones that it stands for, as the reference library counts. */
void hl_rewrite_put_changes (
    HlRewrite *rewrite, const HlCharChange *changes, gsize n, gsize start, gsize end);

/** hl_rewrite_close: the piece is complete; an empty one is dropped. */
void hl_rewrite_close (HlRewrite *rewrite);

/** hl_rewrite_end: the old text is replaced. */
void hl_rewrite_end (HlRewrite *rewrite);

/** hl_rewrite_abandon: the old text stays. */
void hl_rewrite_abandon (HlRewrite *rewrite);

G_END_DECLS
