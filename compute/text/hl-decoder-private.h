/* SPDX-License-Identifier: MIT
 * Steps of a decoder: what reading and running share. Private to hl-decoder*.c. */
#pragma once

#include "text/hl-decoder.h"
#include "text/hl-regex.h"

G_BEGIN_DECLS

typedef enum
{
  HL_DECODE_BYTE_LEVEL,
  HL_DECODE_BYTE_FALLBACK,
  HL_DECODE_FUSE,
  HL_DECODE_REPLACE,
  HL_DECODE_STRIP,
  HL_DECODE_METASPACE,
  HL_DECODE_WORDPIECE,
  HL_DECODE_SUFFIX,
} HlDecoderKind;

typedef struct
{
  HlDecoderKind kind;
  HlRegex *pattern;
  char *text; /* put instead; stripped; what stands for a space; a prefix, a suffix */
  gint64 n_start;
  gint64 n_stop;
  gboolean drops_first; /* Metaspace: the first token's are no spaces */
  gboolean cleans;      /* WordPiece: no spaces before punctuation */
} HlDecoderStep;

struct _HlDecoder
{
  GPtrArray *steps; /* HlDecoderStep; NULL: there is no decoder */
};

G_END_DECLS
