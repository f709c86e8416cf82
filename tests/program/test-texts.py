#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Texts for trace, generate and tokenize: odd ones, long ones, wrong ones. Prints TAP."""

import json
import os
import re
import resource
import shutil
import sys
import time

from command_cases import Skip, at, case, fails, good, main, run
from text_cases import AB, BOS, END, PICTURE, VIT, file, generated, head_map, model, texts, traced

CONTEXT = 64


@case
def the_empty_text():
    assert traced(model(), "--text", "")[0]["tokens"] == 1
    found, err = generated(model(), "--text", "", "--tokens", 3, "--go-on")
    assert (found["prompt_tokens"], len(found["tokens"]), err) == (1, 3, ""), found
    tokens = json.loads(good("tokenize", model(), "--text", "", "--json"))["tokens"]
    assert [t["id"] for t in tokens] == [BOS], tokens
    assert good("tokenize", model("gpt2"), "--text", "").count("\n") == 1
    for command in (["trace", "-o", at("no.h5")], ["generate"]):
        says = ["at least one token expected", "tokenizer puts none"]
        fails(1, *command, model("gpt2"), "--text", "", says=says)
        fails(1, *command, model("gpt2"), "--text-file", file("empty", b""), says=says)
        fails(1, *command, model(), "--text", "", "--no-bos", says=["left out"])
    assert not os.path.exists(at("no.h5"))


@case
def one_token():
    found, _ = traced(model("gpt2"), "--text", "a")
    assert found["tokens"] == 1 and found["predictions"], found
    assert traced(model(), "--text", "ab", "--no-bos")[0]["tokens"] == 1
    assert generated(model(), "--ids", "[7]", "--tokens", 1)[0]["prompt_tokens"] == 1


@case
def longer_than_the_context():
    long = "c" * 100
    found, err = traced(model(), "--text", long)
    assert found["tokens"] == CONTEXT
    assert err.count("\n") == 1, err
    for words in ("0 to 63", "101", "--first-token", "--max-tokens"):
        assert words in err, err
    found, err = traced(model(), "--text", long, "--first-token", 90)
    assert found["tokens"] == 11 and "90 to 100" in err, err
    found, err = traced(model(), "--text", long, "--first-token", 10, "--max-tokens", 5)
    assert found["tokens"] == 5 and "10 to 14" in err, err
    found, err = traced(model(), "--text", "c" * 20, "--max-tokens", 64)
    assert found["tokens"] == 21 and err == "", err
    found, err = generated(model(), "--text", long, "--max-tokens", 60, "--tokens", 2)
    assert found["prompt_tokens"] == 60 and "0 to 59" in err, err
    fails(1, "trace", model(), "--text", long, "--first-token", 101, "-o", at("no.h5"),
          says=["0 to 100", "101 found"])
    for option in ("--first-token", "--max-tokens"):
        fails(2, "trace", model(), "--text", long, option + "=-1", "-o", at("no.h5"),
              says=[option])
    assert not os.path.exists(at("no.h5"))


@case
def bytes_of_every_kind():
    nul = file("nul.txt", b"a\0b")
    assert traced(model(), "--text-file", nul)[0]["tokens"] == 4
    found, _ = generated(model(), "--text-file", nul, "--tokens", 1)
    assert found["whole_text"].startswith("a\0b"), found
    tokens = json.loads(good("tokenize", model(), "--text-file", nul, "--json"))["tokens"]
    assert [t["bytes"] for t in tokens[1:]] == ["61", "00", "62"], tokens
    latin = file("latin1.txt", b"ab\xe9 ab")
    for command in (["trace", "-o", at("no.h5")], ["generate"], ["tokenize"]):
        fails(1, *command, model(), "--text-file", latin, says=["byte 2", "E9"])
        fails(1, *command, model(), "--text", b"ab\xe9", says=["byte 2", "E9"])
    hebrew = "\u05e9\u05dc\u05d5\u05dd ab"
    tokens = json.loads(good("tokenize", model(), "--text", hebrew, "--json"))["tokens"]
    assert [t["chars"] for t in tokens[7:]] == [[3, 4], [3, 4], [4, 7]], tokens
    found, _ = generated(model(), "--text", hebrew, "--tokens", 1)
    assert found["whole_text"].startswith(hebrew), found
    assert traced(model(), "--text", hebrew)[0]["tokens"] == 10


@case
def no_locale():
    """What is typed is bytes, whatever the locale thinks of them."""
    code, out, err = run("trace", model(), "--text", "\u00e9", "-o", at("c.h5"), "--json",
                         env={"LC_ALL": "C"})
    assert code == 0 and json.loads(out)["tokens"] == 3, err
    traced(model(), "--text", "ab ab")
    good("figure", at("t.h5"), "--heads", "1.0", "--view", "tokens", "--query", "\u2423ab",
         "-o", at("c.svg"), env={"LC_ALL": "C"})


@case
def a_text_of_10_mb():
    """The time is bounded by this test's patience, the memory by 2 GB."""
    part = "the cat ab xyzzy \u00e9 \u05e9\u05dc\u05d5\u05dd\n".encode()
    long = file("long.txt", part * (10 * 1024 * 1024 // len(part)))
    for family in ("llama", "gpt2"):
        found, err = traced(model(family), "--text-file", long, "--max-tokens", 32)
        assert found["tokens"] == 32 and "0 to 31" in err, err
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    assert peak_mb < 2048, f"{peak_mb:.0f} MB"


@case
def files_that_are_none():
    os.makedirs(at("folder"), exist_ok=True)
    os.mkfifo(at("pipe"))
    with open(at("huge.txt"), "wb") as f:
        f.truncate((64 << 20) + 1)
    for command in (["trace", "-o", at("no.h5")], ["generate"]):
        fails(1, *command, model(), "--text-file", at("nothing.txt"),
              says=["nothing.txt", "No such file"])
        fails(1, *command, model(), "--text-file", at("folder"),
              says=["folder: a file expected"])
        fails(1, *command, model(), "--text-file", at("pipe"), says=["pipe"])
        fails(1, *command, model(), "--text-file", at("huge.txt"), says=["at most 64 MB"])
    fails(1, "tokenize", model(), "--text-file", at("folder"), says=["folder"])


@case
def tokens_as_numbers():
    found, err = traced(model(), "--ids", f"[{BOS}, {AB}]")
    assert (found["tokens"], err) == (2, ""), err
    bad = {"[1, 2": '"[1, 2" found', "{}": '"{}" found', "": '"" found', "7": '"7" found',
           "[1]]": "JSON list", "[-1]": "-1 found", "[99999]": "0 to 263",
           "[]": "1 to 64 expected", "[1, 2.5]": "token 1: a whole number",
           '["a"]': '"a" found', "[99999999999]": "99999999999 found",
           str([5] * 65): "65 found", "[" * 5000: "JSON list"}
    for ids, says in bad.items():
        fails(1, "trace", model(), "--ids", ids, "-o", at("no.h5"), says=[says])
        fails(1, "generate", model(), "--ids", ids, says=[says])
    for option in (["--first-token", "1"], ["--max-tokens", "1"], ["--no-bos"],
                   ["--no-special"]):
        fails(2, "trace", model(), "--ids", "[1]", "-o", at("no.h5"), *option,
              says=[option[0]])
    fails(2, "trace", model(), "--ids", "[1]", "--text", "a", "-o", at("no.h5"),
          says=["one of"])
    fails(2, "generate", model(), says=["one of"])
    assert not os.path.exists(at("no.h5"))


@case
def the_wrong_kind_of_model():
    for kind, value in (("--text", "ab"), ("--ids", "[1]"), ("--text-file", PICTURE)):
        fails(1, "trace", VIT, kind, value, "-o", at("no.h5"), says=["takes no text"])
        fails(1, "generate", VIT, kind, value, says=["takes no text"])
    fails(1, "trace", model(), "--image", PICTURE, "-o", at("no.h5"),
          says=["takes no pictures"])
    fails(2, "generate", model(), "--image", PICTURE, says=["--image"])
    assert not os.path.exists(at("no.h5"))


@case
def wrong_numbers_for_generating():
    for option, values in {"--temperature": ("-1", "nan", "inf", "hot"),
                           "--top-p": ("-0.1", "1.5", "nan"),
                           "--tokens": ("0", "-3", "many", "99999999999")}.items():
        for value in values:
            fails(2, "generate", model(), "--text", "ab", f"{option}={value}",
                  says=[option])
    for more in (["--temperature", 1e-300], ["--temperature", 1e300, "--top-p", 1e-12],
                 ["--seed", -1, "--temperature", 1, "--top-p", 1]):
        assert generated(model(), "--text", "ab", "--tokens", 4, "--go-on", *more)[0]


@case
def the_same_seed_says_the_same():
    def told(*more):
        found, _ = generated(model(), "--text", "ab", "--tokens", 30, "--go-on", *more)
        return [t["id"] for t in found["tokens"]]

    first = told("--temperature", 2, "--seed", 5)
    assert first == told("--temperature", 2, "--seed", 5)
    assert first != told("--temperature", 2, "--seed", 6)
    # So cold, or so few, that it is the most probable token each time.
    assert told() == told("--temperature", 1e-9) == told("--temperature", 3, "--top-p",
                                                         1e-9)


@case
def the_context_fills_up():
    found, err = generated(model(), "--text", "c" * 59, "--tokens", 1000, "--go-on")
    assert (found["prompt_tokens"], len(found["tokens"])) == (60, 5), found
    assert "context of 64 tokens is full" in err and err.count("\n") == 1, err
    for n in (3, 5):  # as many as were asked for
        found, err = generated(model(), "--text", "c" * 59, "--tokens", n, "--go-on")
        assert len(found["tokens"]) == n and err == "", err
    long = "ab" * 59
    code, out, err = run("generate", model(), "--text", long, "--go-on", "--tokens", 9)
    assert code == 0 and out.startswith(long) and "is full" in err, (out, err)


@case
def no_tokenizer():
    bare, broken = model(name="bare"), model(name="broken")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        os.remove(os.path.join(bare, name))
    with open(os.path.join(broken, "tokenizer.json"), "w") as f:
        f.write('{"model": {"type": "Odd", "vocab": {}}}')
    says = {bare: ["tokenizer.json expected", "nothing found"],
            broken: ["tokenizer.json", "Odd"]}
    ids = f"[{BOS}, {AB}]"
    found, _ = generated(model(), "--ids", ids, "--tokens", 4)
    whole = [t["id"] for t in found["tokens"]]
    for folder, words in says.items():
        assert traced(folder, "--ids", ids)[0]["tokens"] == 2
        found, _ = generated(folder, "--ids", ids, "--tokens", 4)
        assert [t["id"] for t in found["tokens"]] == whole, found
        assert found["text"] is None and found["tokens"][0]["text"] is None, found
        assert json.loads(good("generate", folder, "--ids", ids, "--tokens", 4)) == whole
        fails(1, "trace", folder, "--text", "ab", "-o", at("no.h5"), says=words)
        fails(1, "generate", folder, "--text", "ab", says=words)
        fails(1, "tokenize", folder, "--text", "ab", says=["tokenizer.json"])


@case
def first_tokens():
    found, err = traced(model(), "--text", "<s>ab")
    assert found["tokens"] == 3 and "--no-bos" in err and err.count("\n") == 1, err
    found, err = traced(model(), "--text", "<s>ab", "--no-bos")
    assert (found["tokens"], err) == (2, "")
    assert traced(model(), "--text", "ab")[0]["tokens"] == 2
    found, err = traced(model(), "--text", "<s>ab", "--no-special")
    assert (found["tokens"], err) == (5, "")
    found, err = generated(model(), "--text", "<s>ab", "--tokens", 1)
    assert found["prompt_tokens"] == 3 and "--no-bos" in err, err


@case
def figures_of_tokens():
    n = json.loads(good("trace", model(), "--text", "ab abba ab", "-o", at("fig.h5"),
                        "--json"))["tokens"]
    attention = head_map(1, 0, n)

    def largest(*more):
        good("figure", at("fig.h5"), "--view", "tokens", "--heads", "1.0", *more, "-o",
             at("fig.svg"))
        found = texts(at("fig.svg"))
        assert "ab" in found and "Layer 1 · head 0" in found, found
        return next(re.search(r"0 to ([\d.]+), the largest", t)[1] for t in found
                    if "the largest" in t)

    def three(value):
        return f"{value:.3g}"

    row, column = attention[n - 1], [line[1] for line in attention]
    assert largest("--query", n - 1) == three(max(row))
    assert largest("--query", 1, "--from") == three(max(column))
    both = [a + b for a, b in zip(attention[2], row)]
    assert largest("--query", f"2+{n - 1}") == three(max(both))
    good("figure", at("fig.h5"), "--view", "tokens", "-o", at("fig.svg"))
    assert any("unlikely" in t for t in texts(at("fig.svg")))
    says = ["picture with a patch grid"]
    fails(1, "figure", at("fig.h5"), "--view", "overlay", "-o", at("no.svg"), says=says)
    good("trace", VIT, "--image", PICTURE, "-o", at("vit.h5"))
    for view in ("tokens", "arcs"):
        fails(1, "figure", at("vit.h5"), "--view", view, "-o", at("no.svg"),
              says=["a text expected"])
    assert not os.path.exists(at("no.svg"))


@case
def figures_of_arcs_and_slices():
    good("figure", at("fig.h5"), "--view", "arcs", "--heads", "1.0,0.1", "--tokens", "1:4",
         "-o", at("fig.svg"))
    found = texts(at("fig.svg"))
    assert {"1", "2", "3"} <= set(found) and not {"0", "4"} & set(found), found
    assert {"1.0", "0.1"} <= set(found), found
    for wrong in ("4:4", "3:99", "-1:2", "2", "a:b", "1:2:3"):
        fails(1, "figure", at("fig.h5"), "--view", "arcs", f"--tokens={wrong}", "-o",
              at("no.svg"), says=["FIRST:END", wrong])
    fails(1, "figure", at("fig.h5"), "--view", "arcs", "--heads", "1.99", "-o",
          at("no.svg"), says=["1.99"])


@case
def figures_in_words():
    """Tokens are <s>, ab, ab, a, ab: the last three are a word."""
    n = json.loads(good("trace", model(), "--text", "ab abaab", "-o", at("fig.h5"),
                        "--json"))["tokens"]
    assert n == 5, n
    attention = head_map(1, 0, n)
    words = [[0], [1], [2, 3, 4]]
    joined = [[sum(attention[q][k] for q in rows for k in columns) / len(rows)
               for columns in words] for rows in words]
    says = "Tokens joined into words: keys summed, queries averaged."

    def figure(*more):
        good("figure", at("fig.h5"), "--words", "--heads", "1.0", *more, "-o",
             at("fig.svg"))
        found = texts(at("fig.svg"))
        return found, " ".join(found)

    for query in ("2", "␣abaab"):
        found, caption = figure("--view", "tokens", "--query", query)
        assert "␣abaab" in found and "ab" in found and says in caption, found
        largest = re.search(r"0 to ([\d.]+), the largest", caption)[1]
        assert largest == f"{max(joined[2]):.3g}", (largest, joined)
    found, caption = figure("--view", "tokens", "--query", "2", "--from")
    largest = re.search(r"0 to ([\d.]+), the largest", caption)[1]
    assert largest == f"{max(row[2] for row in joined):.3g}", (largest, joined)
    for view in ("heatmap", "grid", "arcs"):
        found, caption = figure("--view", view)
        assert says in caption, (view, found)
    found, caption = figure("--view", "tokens")
    assert "summed over its tokens" in caption, found
    fails(1, "figure", at("fig.h5"), "--words", "--view", "tokens", "--query", "3", "-o",
          at("no.svg"), says=["token 0 to 2"])
    fails(2, "figure", at("fig.h5"), "--words", "--view", "chart", "-o", at("no.svg"),
          says=["--words"])
    good("figure", at("vit.h5"), "--words", "--view", "heatmap", "-o", at("fig.svg"))
    assert says not in " ".join(texts(at("fig.svg")))


@case
def a_told_story():
    data = os.environ.get("HEADLIGHT_TEST_DATA")
    folder = os.path.join(data or "", "models", "stories260K")
    if not data or not os.path.isdir(folder):
        raise Skip("no models/stories260K in HEADLIGHT_TEST_DATA")
    wanted = ("Once upon a time, there was a little girl named Lily. She loved to play "
              "outside in the park.")
    out = good("generate", folder, "--text", "", "--tokens", 60)
    assert out.strip().startswith(wanted), out
    found, _ = generated(folder, "--text", "", "--tokens", 60)
    assert found["text"].strip() == out.strip(), found["text"]


if not shutil.which(sys.argv[3]):
    sys.exit(f"{sys.argv[3]}: a program expected")
main()
