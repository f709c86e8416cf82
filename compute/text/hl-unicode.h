/* SPDX-License-Identifier: MIT
 * Classes of characters as the tokenizers' reference library draws them, which are not
 * quite GLib's nor PCRE2's; and UTF-8 that may hold NUL. Private to compute/text. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** hl_unicode_is_space: the property White_Space. */
gboolean hl_unicode_is_space (gunichar c);

/** hl_unicode_is_word: alphabetic, marks, decimal digits, connecting punctuation and the
 * two joiners: \w of Unicode's technical standard 18. */
gboolean hl_unicode_is_word (gunichar c);

/** hl_unicode_is_numeric: the general categories Nd, Nl and No. */
gboolean hl_unicode_is_numeric (gunichar c);

/** hl_unicode_is_punctuation: ASCII's punctuation and symbols, and the categories P*. */
gboolean hl_unicode_is_punctuation (gunichar c);

/** hl_unicode_is_mark: the categories Mn, Mc and Me. */
gboolean hl_unicode_is_mark (gunichar c);

/** hl_unicode_is_nonspacing: the category Mn, as of an older Unicode. */
gboolean hl_unicode_is_nonspacing (gunichar c);

/** hl_unicode_is_normalizing: beyond ASCII: has parts, or a combining class, in the
 * Unicode of the reference library: in newer ones more have. */
gboolean hl_unicode_is_normalizing (gunichar c);

/** hl_unicode_is_format: beyond ASCII: controls, formats, private use and U+FFFD. */
gboolean hl_unicode_is_format (gunichar c);

/**
 * hl_utf8_check:
 * @bad: the first byte that is not UTF-8, on failure
 * Returns: whether all @length bytes are UTF-8; NUL is a character like others
 */
gboolean hl_utf8_check (const char *text, gsize length, gsize *bad);

/** hl_utf8_count: characters in @length bytes of valid UTF-8. */
gsize hl_utf8_count (const char *text, gsize length);

/** hl_utf8_is_lead: whether a byte of valid UTF-8 begins a character. */
static inline gboolean
hl_utf8_is_lead (char byte)
{
  return ((guint8) byte & 0xc0) != 0x80;
}

/** hl_utf8_previous: start of the character that ends before @text + @at; @at > 0. */
static inline gsize
hl_utf8_previous (const char *text, gsize at)
{
  do
    at--;
  while (at > 0 && !hl_utf8_is_lead (text[at]));
  return at;
}

/** hl_utf8_size: bytes of the character that begins with @lead. */
static inline guint
hl_utf8_size (char lead)
{
  guint8 byte = (guint8) lead;
  return byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/**
 * hl_byte_level_char:
 * Byte-level tokenizers write each byte as one printable character: printable bytes of
 * Latin-1 as themselves, the other 68 as U+0100 and on in their order.
 */
gunichar hl_byte_level_char (guint8 byte);

/** hl_byte_level_byte: the byte that @c stands for, -1 for none. */
int hl_byte_level_byte (gunichar c);

/**
 * hl_byte_level_decode:
 * @bytes: appended to
 * Returns: FALSE, with nothing appended, when a character stands for no byte
 */
gboolean hl_byte_level_decode (const char *text, gsize length, GString *bytes);

G_END_DECLS
