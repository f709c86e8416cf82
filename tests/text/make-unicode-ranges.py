#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Print compute/text/hl-unicode-ranges.c: the classes of characters of the reference
library, found by asking it about every character.

    pip install tokenizers
    python3 make-unicode-ranges.py > ../../compute/text/hl-unicode-ranges.c

Its tables are older than those of GLib, and of two different ages, so that the classes
cannot be had from either."""

from tokenizers import normalizers, pre_tokenizers

HEAD = """/* SPDX-License-Identifier: MIT
 * Classes of characters beyond ASCII as the tokenizers' reference library has them: first
 * and last of each range. Written by tests/text/make-unicode-ranges.py. */
#include "text/hl-unicode.h"

/* clang-format off */
"""
TAIL = """/* clang-format on */

static gboolean
find (const guint32 ranges[][2], gsize n, gunichar c)
{
  gsize low = 0;
  while (n > low)
    {
      gsize middle = low + (n - low) / 2;
      if (c < ranges[middle][0])
        n = middle;
      else if (c > ranges[middle][1])
        low = middle + 1;
      else
        return TRUE;
    }
  return FALSE;
}

gboolean
hl_unicode_is_format (gunichar c)
{
  return find (formats, G_N_ELEMENTS (formats), c);
}

gboolean
hl_unicode_is_mark (gunichar c)
{
  return c >= 0x300 && find (marks, G_N_ELEMENTS (marks), c);
}

gboolean
hl_unicode_is_nonspacing (gunichar c)
{
  return c >= 0x300 && find (nonspacing, G_N_ELEMENTS (nonspacing), c);
}

gboolean
hl_unicode_is_normalizing (gunichar c)
{
  return c >= 0xa0 && find (normalizing, G_N_ELEMENTS (normalizing), c);
}

gboolean
hl_unicode_is_punctuation (gunichar c)
{
  return c < 0x80 ? g_ascii_ispunct ((char) c)
                  : find (punctuation, G_N_ELEMENTS (punctuation), c);
}
"""
ALL = [chr(c) for c in range(0x80, 0x110000) if not 0xd800 <= c < 0xe000]


def ranges(characters):
    out = []
    for c in map(ord, characters):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def write(name, comment, characters):
    print(f"/* {comment} */\nstatic const guint32 {name}[][2] = {{")
    line = " "
    for first, last in ranges(characters):
        item = f" {{ 0x{first:x}, 0x{last:x} }},"
        if len(line) + len(item) > 90:
            print(line)
            line = " "
        line += item
    print(line + "\n};\n")


def gone(normalizer):
    return [c for c in ALL if normalizer.normalize_str(c) == ""]


def is_normalizing(c, nfd, nfkd):
    """Whether it has parts, or goes before or behind a mark of another class."""
    return (nfkd.normalize_str(c) != c or nfd.normalize_str(f"a{c}\u0338") != f"a{c}\u0338"
            or nfd.normalize_str(f"a\u0301{c}") != f"a\u0301{c}")


def main():
    nfd, nfkd = normalizers.NFD(), normalizers.NFKD()
    plain = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False,
             "lowercase": False}
    clean = gone(normalizers.BertNormalizer(**dict(plain, clean_text=True)))
    cut = pre_tokenizers.Punctuation("removed")
    print(HEAD)
    write("formats", "Controls, formats and private use: what BERT cleans away.", clean)
    write("marks", "Mn, Mc and Me.", gone(normalizers.StripAccents()))
    write("nonspacing", "Mn, as of an older Unicode.",
          gone(normalizers.BertNormalizer(**dict(plain, strip_accents=True))))
    write("punctuation", "P*.", [c for c in ALL if not cut.pre_tokenize_str(c)])
    write("normalizing", "With parts, or in order with marks, in the library's Unicode.",
          [c for c in ALL if is_normalizing(c, nfd, nfkd)])
    print(TAIL, end="")


if __name__ == "__main__":
    main()
