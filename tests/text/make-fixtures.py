#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write what the reference libraries make of many texts, for tests/text to compare with.

    pip install tokenizers transformers sentencepiece protobuf
    HEADLIGHT_TEST_DATA=FOLDER python3 make-fixtures.py [NAME]...

FOLDER/tokenizers/NAME/tokenizer.json are the published tokenizers of NAMES; their files
are not committed, what is expected of them is. Written beside this script, compressed:
published.json.gz, small.json.gz, families.json.gz and files.json.gz (with tokenizers of
our own in them) and chat.json.gz; only the named ones where names are given.
Running it twice gives the same bytes. The tests need no Python.
"""

import gzip
import json
import os
import random
import sys

import fixture_chat
import fixture_families
import fixture_files
import fixture_small
import fixture_texts

NAMES = ("gpt2", "llama2", "qwen2_5")
HERE = os.path.dirname(os.path.abspath(__file__))


def flat(offsets):
    """Places as differences, which compress well: from the last end, and the length."""
    out, last = [], 0
    for start, end in offsets:
        out += [start - last, end - start]
        last = end
    return out


def expected(tokenizer, text):
    """[options, ids, places, decoded or 0 where that is the text], for the options where
    the answer is another one."""
    cases, seen = [], []
    for parse_special in (True, False):
        tokenizer.encode_special_tokens = not parse_special
        for add_special in (True, False):
            encoding = tokenizer.encode(text, add_special_tokens=add_special)
            answer = (encoding.ids, flat(encoding.offsets))
            if answer in seen:
                continue
            seen.append(answer)
            whole = tokenizer.decode(encoding.ids, skip_special_tokens=False)
            plain = tokenizer.decode(encoding.ids, skip_special_tokens=True)
            cases.append([2 * parse_special + add_special, *answer,
                          0 if whole == text else whole, 0 if plain == whole else plain])
    tokenizer.encode_special_tokens = False
    return cases


def decoded(tokenizer, n, seed=5):
    """[ids, text, text without special tokens] of ids at random, some of no token; half of
    them low, where tokens of single bytes are."""
    rand = random.Random(seed)
    size = tokenizer.get_vocab_size() + 3
    out = []
    for _ in range(n):
        top = rand.choice([min(size, 260), size])
        ids = [rand.randrange(top) for _ in range(rand.randrange(12))]
        out.append([ids, tokenizer.decode(ids, skip_special_tokens=False),
                    tokenizer.decode(ids, skip_special_tokens=True)])
    return out


def write(name, value):
    path = os.path.join(HERE, name)
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
    with open(path, "wb") as f:
        f.write(gzip.compress(text, 9, mtime=0))
    print(f"{name}: {len(text)} bytes, {os.path.getsize(path)} compressed")


def make_published(tokenizers):
    data = os.environ.get("HEADLIGHT_TEST_DATA")
    if data is None:
        sys.exit("HEADLIGHT_TEST_DATA: the folder with the published tokenizers expected")
    texts = fixture_texts.make_texts()
    published = {"library": f"tokenizers {tokenizers.__version__}", "texts": texts,
                 "expected": {}, "decoded": {}}
    for name in NAMES:
        path = os.path.join(data, "tokenizers", name, "tokenizer.json")
        tokenizer = tokenizers.Tokenizer.from_file(path)
        published["expected"][name] = [expected(tokenizer, text) for text in texts]
        published["decoded"][name] = decoded(tokenizer, 300)
    return published


def main():
    import tokenizers
    makers = {
        "published": lambda: make_published(tokenizers),
        "small": lambda: fixture_small.make(tokenizers, expected, decoded),
        "families": lambda: fixture_families.make(tokenizers, expected, decoded, flat),
        "files": lambda: fixture_files.make(tokenizers, expected, decoded, flat),
        "chat": lambda: fixture_chat.make(tokenizers),
    }
    for name in sys.argv[1:] or makers:
        write(f"{name}.json.gz", makers[name]())


if __name__ == "__main__":
    main()
