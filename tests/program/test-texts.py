#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Texts for trace, generate and tokenize: odd ones, long ones, wrong ones. Prints TAP."""

import json
import math
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as tree

from command_cases import ENV, PROGRAM, SOURCE, Skip, at, case, fails, good, main, run

CONTEXT = 64
G2P = os.path.join(SOURCE, "..", "data", "models", "g2p-cmu")
BOS, AB, END = 1, 262, 2
VIT = os.path.join(SOURCE, "golden", "models", "vit-tiny")
PICTURE = os.path.join(VIT, "input.png")


def model(family="llama", name=None):
    folder = at(name or family)
    if not os.path.exists(folder):
        subprocess.run([sys.argv[3], family, folder], check=True)
    return folder


def file(name, data):
    with open(at(name), "wb") as f:
        f.write(data)
    return at(name)


def generated(*arguments):
    """What generate prints as JSON, and what it says on stderr."""
    code, out, err = run("generate", *arguments, "--json")
    assert code == 0, f"{arguments}: {code}: {err}"
    return json.loads(out), err


def traced(*arguments):
    """The summary of a trace, and what is said on stderr."""
    code, out, err = run("trace", *arguments, "-o", at("t.h5"), "--json")
    assert code == 0, f"{arguments}: {code}: {err}"
    return json.loads(out), err


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


def texts(path):
    return ["".join(e.itertext()) for e in tree.parse(path).getroot().iter()
            if e.tag.endswith("text")]


def head_map(layer, head, n):
    good("export", at("fig.h5"), "--site", f"blocks.{layer}.attn.hook_pattern", "--csv",
         at("fig.csv"))
    with open(at("fig.csv")) as f:
        values = [float(line.rsplit(",", 1)[1]) for line in f.readlines()[1:]]
    values = values[head * n * n:(head + 1) * n * n]
    return [values[i:i + n] for i in range(0, n * n, n)]


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


def saliency(*arguments):
    return json.loads(good("analyze", "saliency", *arguments, "--json"))


@case
def saliency_of_a_text():
    text = ("--text", "ab abba ab")
    found = saliency(model(), *text, "--baseline", "mean")
    assert (found["method"], found["baseline"]) == ("integrated-gradients", "mean"), found
    one, = found["targets"]
    n = len(found["tokens"])
    assert one["position"] == n - 1 and len(one["saliency"]) == n, one
    assert abs(sum(one["saliency"]) - one["difference"]) <= 0.011 * abs(one["difference"])
    every = saliency(model(), *text, "--target", "every", "--method", "rollout")["targets"]
    assert [t["position"] for t in every] == list(range(n - 1)), every
    for target in every:  # of what it may see, and all of it
        seen = [x for x in target["saliency"] if x is not None]
        assert len(seen) == target["position"] + 1 and abs(sum(seen) - 1) < 1e-5, target
    pair = saliency(model(), *text, "--target", AB, "--against", END, "--position", 2,
                    "--method", "gradient-input")["targets"][0]
    assert (pair["position"], pair["class"], pair["against"]) == (2, AB, END), pair
    good("analyze", "saliency", model(), *text, "--baseline", "mean", "--csv", at("s.csv"),
         "-o", at("s.h5"))
    with open(at("s.csv"), encoding="utf-8") as f:
        lines = f.read().splitlines()
    assert lines[0] == "position,target,value,token,text,saliency" and len(lines) == n + 1
    assert abs(float(lines[-1].rsplit(",", 1)[1]) - one["saliency"][-1]) < 1e-9
    good("figure", at("s.h5"), "--view", "tokens", "-o", at("fig.svg"))


def z_scored(rows):
    out = []
    for row in rows:
        mean = sum(row) / len(row)
        deviation = (sum((x - mean) ** 2 for x in row) / len(row)) ** 0.5
        out += [(x - mean) / deviation for x in row]
    return out


@case
def tokens_in_the_place_of_others():
    """By occlusion what a letter has is what the logit loses with the token in its place."""
    named = at("named")
    shutil.copytree(G2P, named)
    with open(os.path.join(named, "tokenizer_config.json"), encoding="utf-8") as f:
        config = json.load(f)
    config["mask_token"] = {"content": "<unk>"}
    with open(os.path.join(named, "tokenizer_config.json"), "w", encoding="utf-8") as f:
        json.dump(config, f)
    spelled = [6, 4, 23, 2]  # c a t </s>

    def explained(ids, *more):
        return json.loads(good("analyze", "saliency", named, "--ids", json.dumps(ids),
                               "--target-text", "k \u00e6 t", *more, "--json"))["targets"]

    for baseline, token in (("padding", 1), ("mask", 3)):
        found = explained(spelled, "--method", "occlusion", "--baseline", baseline)
        for j in range(3):
            without = explained(spelled[:j] + [token] + spelled[j + 1:], "--method", "rollout")
            for one, other in zip(found, without):
                lost = one["value"] - other["value"]
                assert abs(one["saliency"][j] - lost) < 1e-4, (baseline, j, one, other)
        assert all(abs(t["saliency"][3]) < 1e-6 for t in found), found  # </s> stays
    for folder, baseline, says in ((G2P, "mask", "such a token (mask_token"),
                                   (G2P, "blur", "of pictures: zero, mean, mask or padding"),
                                   (model("gpt2"), "padding", "such a token (pad_token")):
        fails(1, "analyze", "saliency", folder, "--text", "ab", "--baseline", baseline,
              says=[says])
    for method in ("integrated-gradients", "spes"):
        fails(1, "analyze", "saliency", VIT, PICTURE, "--method", method, "--baseline", "mask",
              says=['"mask" is of texts: zero, mean, black or blur'])
    fails(1, "analyze", "saliency", G2P, "--text", "ab", "--method", "flow",
          says=["one tower expected"])


def cross_maps(layer, queries, n):
    """Of the session x.h5 of g2p-cmu: (head, query, key)."""
    good("export", at("x.h5"), "--site", f"decoder.blocks.{layer}.cross_attn.hook_pattern",
         "--csv", at("x.csv"))
    cells = {}
    with open(at("x.csv")) as f:
        for line in f.readlines()[1:]:
            head, query, key, value = line.split(",")
            cells[int(head), int(query), int(key)] = float(value)
    return [[[cells[h, q, k] for k in range(n)] for q in queries] for h in range(4)]


@case
def figures_of_both():
    """Whose attention and which output is chosen: r in the caption is theirs."""
    found = json.loads(good("analyze", "cross-attention", G2P, "--text", "knightly",
                            "--method", "occlusion", "-o", at("x.h5"), "--json"))
    n, targets = len("knightly"), found["targets"]
    sounds = range(len(targets))
    saliency = [[abs(x) for x in t["saliency"][:n]] for t in targets]
    maps = [m for layer in range(3) for m in cross_maps(layer, sounds, n)]

    def caption(*more):
        good("figure", at("x.h5"), "--view", "comparison", *more, "-o", at("both.svg"))
        return " ".join(texts(at("both.svg")))

    def r_of(heads, row):
        mean = [sum(m[row][j] for m in heads) / len(heads) for j in range(n)]
        pairs = zip(z_scored([mean]), z_scored([saliency[row]]))
        return f"r {sum(a * b for a, b in pairs) / n:.3f}"

    said = caption()
    assert f"r {found['pearson_all']:.3f}" in said and "mean of all 12 heads" in said, said
    assert "Of all outputs" in said and "occlusion" in said.lower(), said
    said = caption("--heads", "1.2")
    assert f"r {found['pearson'][1][2]:.3f}" in said and "head 1.2" in said, said
    said = caption("--query", "1")
    assert r_of(maps, 1) in said and f"“{targets[1]['target']}”" in said, said
    said = caption("--query", targets[3]["target"], "--heads", "1.2,2.0")
    assert r_of([maps[6], maps[8]], 3) in said and "mean of the heads 1.2, 2.0" in said, said
    for wrong, says in (("--query=99", "an output, 0 to"), ("--heads=9.0", "head 9.0"),
                        ("--heads=x", "LAYER.HEAD")):
        fails(1, "figure", at("x.h5"), "--view", "comparison", wrong, "-o", at("n.svg"),
              says=[says])
    traced(model(), "--text", "ab ab")
    fails(1, "figure", at("t.h5"), "--view", "comparison", "-o", at("n.svg"),
          says=["analyze cross-attention"])
    good("analyze", "cross-attention", VIT, PICTURE, "-o", at("p.h5"))
    good("figure", at("p.h5"), "--view", "comparison", "-o", at("both.svg"))
    seen = texts(at("both.svg"))
    assert {"Attention", "Saliency", "Attention less saliency"} <= set(seen), seen


@case
def attention_beside_saliency():
    """Of z-scored numbers Pearson's r is the mean of their products."""
    spelled = "knightly"
    found = json.loads(good("analyze", "cross-attention", G2P, "--text", spelled, "--method",
                            "occlusion", "--baseline", "mean", "-o", at("x.h5"), "--json"))
    assert found["analysis"] == "cross-attention" and len(found["pearson"]) == 3, found
    n = len(spelled)  # behind it stands </s>, which does not count
    saliency_rows = [[abs(x) for x in t["saliency"][:n]] for t in found["targets"]]
    positions = [t["position"] for t in found["targets"]]
    assert positions == list(range(len(positions))) and len(positions) > 4, positions
    explained = z_scored(saliency_rows)
    heads = [cross_maps(layer, positions, n) for layer in range(3)]

    def correlation(rows):
        return sum(a * b for a, b in zip(z_scored(rows), explained)) / len(explained)

    def mean(maps):
        return [[sum(m[i][j] for m in maps) / len(maps) for j in range(n)]
                for i in range(len(positions))]

    for layer in range(3):
        for head in range(4):
            assert abs(correlation(heads[layer][head]) - found["pearson"][layer][head]) < 1e-6
        assert abs(correlation(mean(heads[layer])) - found["pearson_layer"][layer]) < 1e-6
    whole = mean([m for layer in heads for m in layer])
    assert abs(correlation(whole) - found["pearson_all"]) < 1e-6
    good("figure", at("x.h5"), "--stack", "cross", "--view", "grid", "-o", at("fig.svg"))
    charts = {"saliency": "Size of saliency by occlusion, baseline mean",
              "attention": "mean of all heads", "agreement": f"{found['pearson_all']:.3f}"}
    for chart, says in charts.items():
        good("figure", at("x.h5"), "--view", "chart", "--chart", chart, "-o", at("fig.svg"))
        seen = texts(at("fig.svg"))
        assert says in " ".join(seen), (chart, says, seen)
        assert chart == "agreement" or {"k", "g"} <= set(seen), (chart, seen)
    carried = json.loads(good("analyze", "cross-attention", G2P, "--text", spelled, "--method",
                              "norm-attention", "--weights", "norm", "-o", at("x.h5"),
                              "--json"))
    assert carried["weights"] == "norm" and found["weights"] == "map", carried
    assert abs(carried["pearson_all"] - 1) < 1e-6, carried["pearson_all"]
    for chart in ("attention", "agreement"):
        good("figure", at("x.h5"), "--view", "chart", "--chart", chart, "-o", at("fig.svg"))
        assert "norm of A v W_O" in " ".join(texts(at("fig.svg"))), chart
    fails(1, "analyze", "cross-attention", G2P, "--text", spelled, "--weights", "length",
          says=["--weights", "length"])
    for chart, says in (("disagreement", "Attention less saliency"),
                        ("scatter", "r = 1.000")):
        good("figure", at("x.h5"), "--view", "chart", "--chart", chart, "-o", at("fig.svg"))
        assert says in " ".join(texts(at("fig.svg"))), chart
    fails(1, "figure", at("x.h5"), "--view", "chart", "--chart", "curves", "-o",
          at("no.svg"), says=["--deletion"])
    good("analyze", "saliency", G2P, "--text", spelled, "-o", at("y.h5"))
    good("figure", at("y.h5"), "--view", "chart", "--chart", "saliency", "-o", at("fig.svg"))
    fails(1, "figure", at("y.h5"), "--view", "chart", "--chart", "agreement", "-o",
          at("no.svg"), says=["analyze cross-attention"])


@case
def tokens_taken_away():
    """A trained model: its saliency and its attention find what it reads, chance does not."""
    ask = ("analyze", "cross-attention", G2P, "--text", "transformations", "--baseline",
           "mean", "--deletion", "--json")
    found = json.loads(good(*ask, "-o", at("away.h5")))["faithfulness"]
    assert found == json.loads(good(*ask))["faithfulness"]
    for order in ("attention", "saliency", "random"):
        x = found[order]
        assert len(x["deletion_curve"]) == 13, order
        for away, given in zip(x["deletion_curve"], x["insertion_curve"]):
            assert len(away) == 11 and abs(away[0] - given[10]) < 1e-5, (away, given)
            assert abs(away[10] - given[0]) < 1e-5, (away, given)
        mean, low, high = x["deletion_area"]
        areas = [sum(c) / 10 - (c[0] + c[10]) / 20 for c in x["deletion_curve"]]
        assert low <= mean <= high and abs(mean - sum(areas) / 13) < 1e-6, x
    good("figure", at("away.h5"), "--view", "chart", "--chart", "curves", "-o", at("fig.svg"))
    seen = " ".join(texts(at("fig.svg")))
    for order in ("attention", "saliency"):
        assert f"{order}: area {found[order]['deletion_area'][0]:.3f}" in seen, seen
        assert f"{order}: area {found[order]['insertion_area'][0]:.3f}" in seen, seen
    assert "Mean of 13 targets" in seen and "Insertion" in seen, seen
    for order in ("attention", "saliency"):
        away, given = (found[order][k] for k in ("deletion_area", "insertion_area"))
        assert away[2] < found["random"]["deletion_area"][1], found
        assert given[1] > found["random"]["insertion_area"][2], found


def edits(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row, before = [i], row
        for j, y in enumerate(b, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (x != y)))
    return row[-1]


@case
def sounds_that_are_wrong():
    """With every letter taken away it says what it says of so many tokens of padding."""
    ids = [t["id"] for t in json.loads(good("tokenize", G2P, "--text", "transformations",
                                            "--json"))["tokens"]]

    def sounds(ids):
        found = json.loads(good("analyze", "saliency", G2P, "--ids", json.dumps(ids),
                                "--method", "rollout", "--json"))
        return [t["target"] for t in found["targets"] if t["target"] != "</s>"]

    found = json.loads(good("analyze", "cross-attention", G2P, "--text", "transformations",
                            "--baseline", "padding", "--method", "occlusion", "--deletion",
                            "--metric", "ter", "--chance", 1, "--json"))["faithfulness"]
    right = sounds(ids)
    wrong = min(edits(right, sounds([1] * (len(ids) - 1) + ids[-1:])) / len(right), 1)
    for order in ("attention", "saliency", "random"):
        (away,), (given,) = (found[order][k] for k in ("deletion_curve", "insertion_curve"))
        assert away[0] == given[-1] == 0, found[order]
        assert abs(away[-1] - wrong) < 1e-9 and abs(given[0] - wrong) < 1e-9, (wrong, away)
        assert all(abs(x * len(right) - round(x * len(right))) < 1e-9 for x in away), away
        assert any(0 < x < 1 for x in away), away


@case
def other_metrics_of_what_is_left():
    ask = ("analyze", "cross-attention", G2P, "--text", "cat", "--baseline", "mean",
           "--deletion", "--chance", 2)
    prob, loss, wer = (json.loads(good(*ask, "--metric", m, "--json"))["faithfulness"]
                       for m in ("probability", "loss", "wer"))
    assert [f["metric"] for f in (prob, loss, wer)] == ["probability", "loss", "wer"]
    assert prob["random_orders"] == 2 and prob["less_is_better_in_deletion"]
    assert not loss["less_is_better_in_deletion"]
    for order in ("attention", "saliency"):  # by chance it is a mean
        for p, l in zip(prob[order]["deletion_curve"], loss[order]["deletion_curve"]):
            assert all(abs(math.exp(-y) - x) < 1e-6 for x, y in zip(p, l)), (p, l)
        curve, = wer[order]["deletion_curve"]
        assert curve[0] == 0 and max(curve) == 1, curve
    assert "more is better" in good(*ask, "--metric", "wer", "-o", at("wer.h5"))
    fails(1, *ask, "--metric", "guess", says=["--metric", "guess"])
    fails(1, "analyze", "cross-attention", model(), "--text", "ab abba", "--baseline", "mean",
          "--deletion", "--metric", "wer", says=["an encoder with a decoder"])


@case
def alignments():
    found = json.loads(good("analyze", "alignment", G2P, "--text", "transformations",
                            "--csv", at("a.csv"), "-o", at("a.h5"), "--json"))
    assert not found["named"] and len(found["heads"]) == 6, found
    words = found["words"]
    assert [w["word"] for w in words] == list("tɹænsfɝm") + ["e͡ɪ"] + list("ʃʌnz"), words
    starts = [w["start"] for w in words]
    assert starts == sorted(starts) and starts[0] == 0 and starts[-1] >= 12, starts
    assert all(w["end"] == after["start"] for w, after in zip(words, words[1:])), words
    with open(at("a.csv"), encoding="utf-8") as f:
        lines = f.read().splitlines()
    assert lines[0] == "word,token,start,end" and len(lines) == len(words) + 1, lines
    every = json.loads(good("analyze", "alignment", G2P, "--text", "transformations",
                            "--align-by", "all", "--json"))
    assert len(every["heads"]) == 12, every
    start = ("analyze", "alignment", G2P, "--text", "ab")
    fails(1, *start, "--align-by", "guess", says=["--align-by", "guess"])
    fails(1, "analyze", "alignment", model(), "--text", "ab", says=["with a decoder"])


@case
def saliency_by_hiding_parts():
    ask = ("analyze", "saliency", model(), "--text", "ab abba ab", "--method", "spes",
           "--baseline", "mean", "--seed", 3)
    whole = json.loads(good(*ask, "--masks", 170, "--json"))
    assert whole["spes"]["masks"] == 170 and not whole["partial"], whole["spes"]
    assert [n for n, _ in whole["spes"]["convergence"]] == [50, 100, 150, 170], whole["spes"]
    r = whole["spes"]["half_correlation"]
    assert abs(whole["spes"]["reliability"] - max(2 * r / (1 + r), 0)) < 1e-9, whole["spes"]
    assert all(x >= 0 for x in whole["targets"][0]["saliency"]), whole
    out = good(*ask, "--masks", 100, "-o", at("part.h5"))
    assert "100 masks" in out and "reliability" in out, out
    on = json.loads(good(*ask, "--masks", 170, "--resume", at("part.h5"), "--json"))
    assert on == whole, (on["spes"], whole["spes"])
    stable = json.loads(good(*ask, "--masks", 5000, "--stable-at", 0.7, "--json"))["spes"]
    assert stable["masks"] < 5000 and stable["reliability"] >= 0.7, stable
    fails(1, *ask[:-1], 4, "--resume", at("part.h5"), says=["seed"])
    fails(1, *ask, "--resume", at("s.h5"), says=["--resume", "spes"])
    fails(1, *ask, "--against", 5, says=["distributions"])
    fails(1, *ask, "--pooling", "least", says=["--pooling", "least"])
    fails(1, *ask, "--granularities", "20,x", says=["--granularities", "20,x"])
    fails(2, *ask, "--stable-at", 2, says=["--stable-at"])
    fails(2, *ask, "--masks", -1, says=["--masks"])


@case
def pictures_and_words_with_parts_hidden():
    start = ("analyze", "saliency", VIT, "--image", PICTURE, "--method", "spes", "--masks", 60)
    found = json.loads(good(*start, "--granularities", "20,30", "--pooling", "mean",
                            "--baseline", "black", "-o", at("p.h5"), "--json"))
    assert found["spes"]["segments_asked"] == [20, 30], found["spes"]
    assert all(n > 1 for n in found["spes"]["units"]), found["spes"]
    found = json.loads(good("analyze", "cross-attention", G2P, "--text", "knightly", "--method",
                            "spes", "--baseline", "mean", "--at-encoder", "--masks", 400,
                            "--json"))
    assert found["spes"]["reliability"] > 0.5 and found["pearson_all"] > 0.3, found["spes"]


def stopped(after_s, *arguments):
    """What is said of a command that is told to stop: code, output, errors."""
    process = subprocess.Popen([PROGRAM, *(str(x) for x in arguments)], env=ENV, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(after_s)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@case
def a_run_that_is_stopped():
    ask = ("analyze", "saliency", model(), "--text", "ab abba ab", "--method", "spes",
           "--baseline", "mean", "--json")
    for after_s in (1, 4, 16):  # until it has begun
        code, out, err = stopped(after_s, *ask, "--masks", 50000000, "-o", at("stop.h5"))
        if code == 0:
            break
    assert code == 0 and "stopped" in err, err
    found = json.loads(out)
    n = found["spes"]["masks"]
    assert found["partial"] and 0 < n < 50000000, found["spes"]
    on = json.loads(good(*ask, "--resume", at("stop.h5"), "--masks", n + 100))
    assert on["spes"]["masks"] == n + 100, on["spes"]


@case
def times_beside_marked_ones():
    """Marked a little later than they are found, but for one word nobody says."""
    data = os.environ.get("HEADLIGHT_TEST_DATA") or ""
    whisper, sound = (os.path.join(data, *p) for p in (("models", "whisper-base.en"),
                                                       ("audio", "jfk.wav")))
    if not os.path.isdir(whisper) or not os.path.exists(sound):
        raise Skip("no models/whisper-base.en and audio/jfk.wav in HEADLIGHT_TEST_DATA")
    ask = ("analyze", "alignment", whisper, "--audio", sound, "--target-text",
           " And so my fellow Americans, ask not", "--json")
    words = json.loads(good(*ask))["words"]
    spoken = [w for w in words if any(c.isalnum() for c in w["word"])]
    with open(at("marked.csv"), "w", encoding="utf-8") as f:
        f.write("word,start,end\n")
        for i, w in enumerate(spoken):
            word = "nonsense" if i == 1 else w["word"].strip("\u2423 ").upper() + "!"
            f.write(f'"{word}",{w["start"] + 0.15:.3f},{w["end"] + 0.25:.3f}\n')
    found = json.loads(good(*ask, "--reference", at("marked.csv"), "--csv", at("t.csv"), "-o",
                            at("t.h5")))
    about = found["reference"]
    assert about["matched"] == len(spoken) - 1 and about["edits"] == 1, about
    for side, off, within in (("start", 0.15, [0, 1, 1]), ("end", 0.25, [0, 0, 1])):
        assert abs(about[side]["mean_absolute"][0] - off) < 1e-6, about
        assert [x["share"][0] for x in about[side]["within"]] == within, about
    assert found["words"][1]["start_error"] is None
    assert abs(found["words"][0]["start_error"] + 0.15) < 1e-6, found["words"][0]
    with open(at("t.csv"), encoding="utf-8") as f:
        assert f.readline().strip().endswith("reference_end,start_error,end_error")
    said = good(*ask[:-1], "--reference", at("marked.csv")).replace(",", ".")  # a locale's
    assert "within 0.2 s 100%" in said and "0.150 s" in said, said
    with open(at("bad.csv"), "w", encoding="utf-8") as f:
        f.write("start,end,word\n0,1,a\n1,0,b\n")
    fails(1, *ask, "--reference", at("bad.csv"), says=["bad.csv, line 3", "an end of 1"])
    fails(1, "analyze", "alignment", G2P, "--text", "ab", "--reference", at("bad.csv"),
          says=["--reference", "of a recording"])


@case
def saliency_that_is_asked_for_wrongly():
    text = ("--text", "ab abba ab")
    start = ("analyze", "saliency", model(), *text)
    fails(1, *start, "--method", "guess", says=["--method", "guess"])
    fails(1, *start, "--baseline", "grey", says=["--baseline", "grey"])
    fails(1, *start, "--baseline", "blur", says=["pictures"])
    fails(1, *start, "--position", 99, says=["position: 0 to"])
    fails(1, *start, "--target", 9999, says=["target: 0 to 263"])
    fails(1, *start, "--at-encoder", says=["an encoder with a decoder"])
    fails(1, "analyze", "cross-attention", model(), *text, "--method", "relevance",
          "--at-encoder", "--deletion", says=["an encoder with a decoder"])
    for name in ("saliency", "cross-attention", "alignment"):
        fails(2, "analyze", name, model(), "--dataset", at("s.csv"), says=["--dataset"])
    fails(1, "analyze", "saliency", VIT, "--image", PICTURE, "--target", "every",
          says=["every"])


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
