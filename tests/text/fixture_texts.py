# SPDX-License-Identifier: MIT
"""The texts of the fixtures: written by hand, and made at random, the same every time."""

import random
import unicodedata

HAND = [
    "", " ", "  ", "   ", "\n", "\r\n", "\t", "\x00", "a\x00b", "\x00\x00", "\x7f", "a", "A",
    "Hello, world!", " Hello", "Hello ", "  Hello  world  ", "Hello\nworld",
    "Hello\r\n\r\nworld",
    "\n\n\nHello", "a\n b\n  c\n   d", "tab\tand\t\ttabs", "x" * 200, "ab" * 150, "a b " * 80,
    " " * 100, "\n" * 50, " \n" * 40, "\t" * 33, "don't can't I'll we've they're I'd it's I'm",
    "DON'T CAN'T I'LL WE'VE", "'s 't 're", "''''", "it\u2019s", "\u017f 'S '\u017f",
    "0123456789", "1,234,567.89", "3.14159", "1e-10", "12 34 567 8901", "\u0661\u0662\u0663",
    "\u00bd\u00b2\u2460\u2166", "\u0967\u0968", "x\u00b2", "na\u00efve", "nai\u0308ve",
    "\u00c5ngstr\u00f6m", "A\u030angstro\u0308m", "e\u0301\u0301", "e\u0323\u0301",
    "e\u0301\u0323",
    "q\u0323\u0307", "q\u0307\u0323", "\u1e0b\u0323", "\u0301", "\u0301a", " \u0301",
    "\u0300\u0301\u0316\u0323a", "a\u0316\u0300\u0323\u0301b", "\ufb01n \ufb03",
    "\u212b \u2126 K",
    "\uac00\uac01", "\u1100\u1161", "\u1100\u1161\u11a8",
    "\u1112\u1161\u11ab\u1100\u1173\u11af",
    "\u0958\u0959", "\u0915\u093c", "\u2adc", "\ufb1d\ufb2a", "\U0001d15e\U0001d160", "\u0344",
    "\u0340\u0341\u0343", "\u1f71\u1f73", "\u2000\u2001", "\u0130I\u0131i",
    "STRASSE stra\u00dfe",
    "\u01c4\u01c5\u01c6", "\u03a3\u03c3\u03c2", "\u4f60\u597d\uff0c\u4e16\u754c\uff01",
    "\u6771\u4eac\u90fd\u3068\u5927\u962a", "\u30ab\u3099\u30ac", "\u304b\u3099\u304c",
    "\uff21\uff22\uff23\uff11\uff12\uff13", "\u2e80\u2f00", "\uf900\ufa0e",
    "\U00020000\U0002a6d6",
    "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0643",
    "\u0628\u0650\u0633\u0652\u0645\u0650", "\u200f\u200eabc\u202eabc\u202c",
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35",
    "\u0928\u092e\u0938\u094d\u0924\u0947",
    "\u0939\u093f\u0928\u094d\u0926\u0940 \u092e\u0947\u0902",
    "\U0001f600", "\U0001f600\U0001f601\U0001f602", "\U0001f44d\U0001f3fd",
    "\U0001f1e9\U0001f1ea",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\u2764\ufe0f", "\u2764",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "1\ufe0f\u20e3",
    "caf\u00e9\U0001f600\u4f60", "\ufeffBOM", "a\u00a0b", "a\u3000b", "a\u2028b\u2029c",
    "a\u0085b",
    "a\u180eb", "a\u200bb", "a\u200c\u200db", "\u00ad", "soft\u00adhyphen", "\ufffd",
    "\ufffe\uffff",
    "\U0010ffff", "\U000f0000", "\ue000", "\U0001d400\U0001d7ce", "\u24b6\u24d0\U0001f130",
    "def f(x):\n    return x ** 2  # square\n", "for (int i = 0; i < n; i++) { a[i] += b[i]; }",
    "if (x != NULL && *x == '\\0')\n\treturn -1;\n",
    "<html><body class=\"a\">&nbsp;</body></html>",
    "{\"key\": [1, 2.5, null], \"k\": {}}", "SELECT * FROM t WHERE a='b';",
    "https://a.b/c?d=e&f=%20g#h",
    "C:\\Users\\me\\file.txt", "user@example.com", "__init__",
    "snake_case camelCase PascalCase",
    "#!/bin/sh\nset -e\n", "~~~ ``` --- === *** ...", "!!!???",
    "\u2026\u2014\u2013\u201cquotes\u201d\u00ab\u00bb",
    "$5 \u20ac6 \u00a37 50%", "a-b_c+d=e", "(a)[b]{c}<d>", "\\n \\t \\u0041", "\u2581",
    "\u2581a", "a\u2581b",
    "\u2581\u2581", " \u2581 ", "\u0120the", "\u010a", "<0x0A>", "<0xE4>", "<unk>", "<s>",
    "</s>", "<s>Hello</s>",
    "<s> Hello </s>", "a<s>b", " <s> ", "<s><s>", "<|endoftext|>", "a<|endoftext|>b",
    " <|endoftext|> ",
    "<|endoftext|><|endoftext|>", "<|im_start|>user\nHi<|im_end|>\n", "<|im_start|",
    "<|im_start|><|im_end|>",
    "<|im_sta<|im_start|>", "<tool_call>x</tool_call>",
    "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>",
    "<<s>>", "< s >", "<S>", "[INST] Hi [/INST]", "<|vision_start|><|image_pad|><|vision_end|>",
    "pneumonoultramicroscopicsilicovolcanoconiosis",
    "Donaudampfschifffahrtsgesellschaftskapit\u00e4n",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "abcdefghijklmnopqrstuvwxyz" * 8, "The quick brown fox jumps over the lazy dog. " * 12,
    "\u4e00" * 100, "\U0001f600" * 40, "e\u0301" * 60, "\u0e01\u0e33" * 40, "0" * 120,
    "a\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0309" * 6,
]
ALPHABETS = {
    "latin": "abcdefghijklmnopqrstuvwxyz" * 3 + "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "accents": "\u00e0\u00e9\u00ee\u00f5\u00fc\u00e7\u00f1\u0161\u0159\u0142"
               "\u0111\u00f8\u00e5\u00df\u0153\u1ea5\u1ec7",
    "greek": "".join(map(chr, range(0x391, 0x3ca))).replace("\u03a2", ""),
    "cyrillic": "".join(map(chr, range(0x410, 0x450))),
    "hebrew": "".join(map(chr, range(0x5d0, 0x5eb))) + "\u05b0\u05b4\u05b8",
    "arabic": "".join(map(chr, range(0x627, 0x64b))) + "\u064b\u0650\u0651",
    "devanagari": "".join(map(chr, range(0x905, 0x94e))),
    "thai": "".join(map(chr, range(0xe01, 0xe3b))) + "\u0e40\u0e48\u0e49",
    "han": "".join(map(chr, range(0x4e00, 0x4f00))) + "\u4e2d\u6587\u5b57" * 30,
    "kana": "".join(map(chr, range(0x3041, 0x3097))) + "\u3099\u309a\u30a2\u30ab\u30fc",
    "hangul": "".join(map(chr, range(0xac00, 0xac80))),
    "jamo": "".join(map(chr, range(0x1100, 0x1113))) + "".join(map(chr, range(0x1161, 0x1176)))
            + "".join(map(chr, range(0x11a8, 0x11b8))),
    "emoji": "".join(map(chr, range(0x1f600, 0x1f640)))
             + "\u200d\ufe0f\U0001f3fb\U0001f3ff\u2764",
    "marks": "aeiounAEO" + "".join(map(chr, range(0x300, 0x370))),
    "digits": "0123456789" * 4 + "\u0660\u0669\u0966\u09e7\u00b2\u00bd\u2167\u2460\U0001d7d8",
    "spaces": " " * 12 + "\n\n\n\t\t\r" + "\u00a0\u2003\u3000\u2028\u0085\u200b\u180e\x0b\x0c",
    "marksign": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
                "\u00a7\u00b6\u2020\u2022\u2014\u300c\u3001\u20ac\u2211",
}
PHRASES = ["the ", "and ", "'s", "'t", "'LL ", "n't ", " of", "ing", "\r\n", "\n\n", "    ", "\t",
           "return ", "def ", "();\n", " = ", "!= ", "http://", "<s>", "</s>", "<unk>",
           "<|endoftext|>", "<|im_start|>", "<|im_end|>", "\u2581", "\u0120", "<0x0A>", "-->",
           "\ufb01", "\u212b", "\u1e9b\u0323", "\u0130", "\u01c5", "\x00"]


def planes(rand):
    """A character of any plane that every version of Unicode since 3.2 knows alike."""
    while True:
        c = chr(rand.choice([rand.randrange(0x3000), rand.randrange(0x10000),
                             rand.randrange(0x10000, 0x30000),
                             rand.randrange(0xe0000, 0x110000)]))
        old = unicodedata.ucd_3_2_0.category(c)
        if old not in ("Cs", "Cn") and old == unicodedata.category(c):
            return c


def random_text(rand):
    kinds = rand.sample(sorted(ALPHABETS), rand.choice([1, 1, 2, 3]))
    out = []
    for _ in range(rand.choice([2, 4, 8, 12, 20])):
        roll = rand.random()
        if roll < 0.2:
            out.append(rand.choice(PHRASES))
        elif roll < 0.4:
            out.append(rand.choice(ALPHABETS["spaces"]) * rand.choice([1, 1, 1, 2, 5]))
        elif roll < 0.5:
            out.append(planes(rand))
        else:
            letters = ALPHABETS[rand.choice(kinds)]
            out.append("".join(rand.choice(letters) for _ in range(rand.choice([1, 2, 4, 7]))))
    return "".join(out)


def make_texts(n_random=2000, seed=20261124):
    rand = random.Random(seed)
    return HAND + [random_text(rand) for _ in range(n_random)]
