/* SPDX-License-Identifier: MIT
 * A text as tokens: ids, and where each stands in the text. Immutable; atomic reference
 * count. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _HlTokenizer HlTokenizer;

/**
 * HlTextToken:
 * @id: in the vocabulary
 * @start_byte, @end_byte: [start, end) in the text as it was given, before normalising;
 *   both 0 for a token that the tokenizer added. Tokens that share a character, being
 *   pieces of its bytes, all have the place of the whole character.
 * @start_char, @end_char: the same in Unicode code points
 * @segment: the type id that the post-processor's template gives it: 0, and mostly 1 for
 *   the second of two texts and what stands around that
 * @sequence: the text that its place is in: 0 the first, 1 the second; -1 a token added
 *   around
 * @is_special: a special token: added around the text, or found in it
 * @is_around: added around the text by the post-processor
 */
typedef struct
{
  gint32 id;
  guint32 start_byte;
  guint32 end_byte;
  guint32 start_char;
  guint32 end_char;
  guint8 segment;
  gint8 sequence;
  gboolean is_special : 1;
  gboolean is_around : 1;
} HlTextToken;

/**
 * HlEncoding:
 * @n_tokens: of @tokens
 * @has_doubled_bos: the text begins with the token that the post-processor put before it,
 *   so that it is there twice; most likely a mistake of who made the text
 */
typedef struct
{
  gatomicrefcount refs;
  gsize n_tokens;
  HlTextToken *tokens;
  gboolean has_doubled_bos;
} HlEncoding;

HlEncoding *hl_encoding_ref (HlEncoding *encoding);
void hl_encoding_unref (HlEncoding *encoding);

/** HlTokenGroup: @n_tokens tokens from @first on. */
typedef struct
{
  gsize first;
  gsize n_tokens;
} HlTokenGroup;

/**
 * hl_encoding_get_groups:
 * @tokenizer: the one that made it
 * @n_groups: (out)
 * Puts together tokens that only together are a UTF-8 character, as byte-level and
 * byte-fallback tokens may be; every other token is a group of its own.
 * Returns: (transfer full): free with g_free()
 */
HlTokenGroup *hl_encoding_get_groups (const HlEncoding *encoding,
                                      HlTokenizer *tokenizer,
                                      gsize *n_groups);

/**
 * hl_text_make_visible:
 * @bytes: @length bytes of any kind
 * Writes what would not be seen: a space as "␣", a newline "↵", a tab "⇥", carriage
 * return "\r", other controls and bytes that are no UTF-8 as "\x1B", invisible and
 * direction-changing characters and other spaces as "\u00A0". A mark that would sit on
 * the character before it gets a dotted circle.
 * Returns: (transfer full): valid UTF-8
 */
char *hl_text_make_visible (const char *bytes, gsize length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HlEncoding, hl_encoding_unref)

G_END_DECLS
