/* SPDX-License-Identifier: MIT
 * Cutting a piece at the matches of a pattern or a class of characters, in the five ways
 * that tokenizer files name. Private to compute/text. */
#pragma once

#include "text/hl-pieces.h"
#include "text/hl-regex.h"

G_BEGIN_DECLS

/** HlSplitBehavior: what becomes of a match. In the order of the files' names. */
typedef enum
{
  HL_SPLIT_ISOLATED,
  HL_SPLIT_REMOVED,
  HL_SPLIT_MERGED_WITH_PREVIOUS,
  HL_SPLIT_MERGED_WITH_NEXT,
  HL_SPLIT_CONTIGUOUS,
} HlSplitBehavior;

/** HlCharClass: a match is one character of the class. HL_CHARS_WORDS: matches are what
 * is no run of word characters and no run of others that are not space. */
typedef enum
{
  HL_CHARS_SPACE,
  HL_CHARS_NUMERIC,
  HL_CHARS_PUNCTUATION,
  HL_CHARS_WORDS,
} HlCharClass;

typedef struct
{
  const HlPieces *pieces;
  HlSplitBehavior behavior;
  gboolean is_inverted;
  GArray *list; /* HlPiece */
  /* Of the piece in hand: the part not yet written, what it ends with. */
  gsize start;
  gsize end;
  gboolean has_part;
  gboolean was_match;
} HlSplitter;

/** hl_splitter_begin: the caller takes @list in the end. */
void hl_splitter_begin (HlSplitter *splitter,
                        const HlPieces *pieces,
                        HlSplitBehavior behavior,
                        gboolean is_inverted);

gboolean hl_splitter_run_pattern (HlSplitter *splitter,
                                  const HlPiece *piece,
                                  HlRegexScan *scan,
                                  GError **error);
void hl_splitter_run_class (HlSplitter *splitter,
                            const HlPiece *piece,
                            HlCharClass char_class);

G_END_DECLS
