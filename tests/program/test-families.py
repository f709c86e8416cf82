#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every family through trace, info and a figure. Prints TAP."""

import json
import math
import os
import shutil
import struct
import wave

from command_cases import SOURCE, at, case, cases, fails, good, main

GOLDEN = os.path.join(SOURCE, "golden", "models")
PICTURE = os.path.join(GOLDEN, "vit-tiny", "input.png")
IDS = json.dumps([5, 9, 33, 7, 12, 40, 6])


def recording():
    """Three seconds of a rising tone."""
    path = at("tone.wav")
    if not os.path.exists(path):
        with wave.open(path, "wb") as f:
            f.setnchannels(1)
            f.setsampwidth(2)
            f.setframerate(16000)
            f.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(t * t * 2e-6)))
                                   for t in range(48000)))
    return path


def kind_of(info):
    return {"image": ["--image", PICTURE], "text": ["--ids", IDS]}[info["input"]]


def through(name):
    folder = os.path.join(GOLDEN, name)
    session = at(name + ".h5")
    info = json.loads(good("info", folder, "--json"))
    assert info["parameters"] > 0 and info["stacks"], info
    if info["input"] == "audio":
        return  # its windows are 0.5 s here: Whisper itself is tests/golden's
    traced = json.loads(good("trace", folder, *kind_of(info), "-o", session, "--json"))
    heads = sum(l["heads"] for s in info["stacks"] for l in s["layers"])
    assert traced["heads"] == heads, (traced["heads"], heads)
    good("figure", session, "--view", "grid", "-o", at(name + ".svg"))
    good("figure", session, "--view", "heatmap", "--heads", "1.0", "-o", at(name + ".png"))
    if info["stacks"][0]["name"]:
        for stack in info["stacks"]:
            good("figure", session, "--stack", stack["name"], "--view", "heatmap",
                 "--heads", "0.1", "-o", at(name + ".pdf"))
    assert os.path.getsize(at(name + ".svg")) > 1000
    os.remove(session)


def add(name):
    def check():
        through(name)
    check.__name__ = name
    case(check)


for folder in sorted(os.listdir(GOLDEN)):
    add(folder)


@case
def what_is_known_of_a_model_for_recordings():
    folder = os.path.join(GOLDEN, "whisper-tiny")
    words = good("info", folder)
    for expected in ("recordings of 16000 Hz, in windows of 30 s, as 80 bands",
                     "no tokenizer: ", "Whisper, 4", " parameters, float32"):
        assert expected in words, (expected, words)
    known = json.loads(good("info", folder, "--json"))["recordings"]
    assert known == {"rate": 16000, "window_s": 30, "bands": 80}, known


@case
def analyses_of_an_encoder_with_a_decoder():
    folder = os.path.join(GOLDEN, "t5-tiny")
    found = json.loads(good("analyze", "strength", folder, "--ids", IDS, "--json"))
    assert found, found
    fails(1, "analyze", "importance", folder, "--ids", IDS, says=["one tower"])
    fails(1, "analyze", "strength", folder, "--audio", recording(), says=["recordings"])


def explains_both(folder, name, *embedded):
    """What the pair is worth follows from the embeddings; both ways it is the same."""
    p, q = (e["embeddings"][0]["embedding"] for e in embedded)
    cosine = sum(a * b for a, b in zip(p, q)) / (
        sum(a * a for a in p) * sum(b * b for b in q)) ** 0.5
    ask = ("analyze", "saliency", folder, "--method", "gradient-input", "--json")
    one = json.loads(good(*ask, "--image", PICTURE, "--pair-ids", IDS))
    other = json.loads(good(*ask, "--ids", IDS, "--pair-image", PICTURE))
    for found, beside in ((one, other["beside"]), (other, one["beside"])):
        target, again = found["targets"][0], beside["targets"][0]
        assert abs(target["cosine"] - cosine) < 1e-5, (name, target, cosine)
        assert all(abs((a or 0) - (b or 0)) < 1e-6 for a, b in zip(
            target["saliency"], again["saliency"])), (name, target, again)
    assert len(one["tokens"]) != len(other["tokens"])
    fails(1, "analyze", "saliency", folder, "--image", PICTURE, "--pair-image", PICTURE,
          says=["the other tower"])
    fails(2, "analyze", "saliency", folder, "--image", PICTURE, "--pair-image", PICTURE,
          "--pair-ids", IDS, says=["--pair-ids"])
    fails(1, "analyze", "cross-attention", folder, "--image", PICTURE, "--pair-ids", IDS,
          "--method", "gradient-input", "--deletion", says=["a pair found"])
    good("analyze", "saliency", folder, "--image", PICTURE, "--pair-ids", IDS, "--method",
         "occlusion", "-o", at("pair.h5"))
    good("figure", at("pair.h5"), "--view", "chart", "--chart", "saliency", "-o",
         at("pair.svg"))


@case
def both_towers():
    for name, size in (("clip-both", 18), ("siglip-both", 30)):
        folder = os.path.join(GOLDEN, name)
        picture = json.loads(good("embed", folder, "--image", PICTURE, "--json"))
        text = json.loads(good("embed", folder, "--ids", IDS, "--json"))
        assert picture["width"] == text["width"] == size, (picture["width"], text["width"])
        assert picture["embeddings"] != text["embeddings"]
        explains_both(folder, name, picture, text)


@case
def embeddings():
    folder = os.path.join(GOLDEN, "bert-tower")
    out = json.loads(good("embed", folder, "--ids", IDS, "--json"))
    assert out["pooling"] == "mean of the tokens" and out["width"] == 36, out
    assert len(out["embeddings"][0]["embedding"]) == 36


@case
def wrong_sources():
    bert, t5, whisper = (os.path.join(GOLDEN, n) for n in
                         ("bert-masked", "t5-tiny", "whisper-tiny"))
    out = at("never.h5")
    fails(1, "trace", bert, "--audio", recording(), "-o", out, says=["no recordings"])
    fails(1, "trace", whisper, "--ids", IDS, "-o", out, says=["a recording expected"])
    fails(1, "trace", bert, "--ids", IDS, "--target", "x", "-o", out, says=["target"])
    fails(1, "trace", t5, "--image", PICTURE, "-o", out, says=["no pictures"])
    fails(1, "trace", t5, "--ids", json.dumps([3] * 600), "-o", out, says=["1 to 512"])
    fails(1, "trace", whisper, "--audio", PICTURE, "-o", out, says=["input.png"])
    # A text beside a recording is the decoder's; said twice it is a mistake.
    fails(2, "trace", whisper, "--audio", recording(), "--text", "a", "--target", "b", "-o",
          out, says=["--text and --target"])
    fails(1, "trace", whisper, "--audio", recording(), "--text", "a", "-o", out,
          says=["tokenizer"])
    fails(2, "trace", bert, "--ids", IDS, "--text2", "x", "-o", out, says=["--text2"])
    good("trace", t5, "--ids", IDS, "-o", at("t5.h5"))
    fails(1, "figure", at("t5.h5"), "--view", "grid", "--stack", "nose", "-o", at("f.png"),
          says=["encoder, decoder, cross"])


@case
def two_sentences_of_a_cross_encoder():
    """A small classifier with a vocabulary of letters reads both as one input."""
    folder = at("cross-encoder")
    shutil.copytree(os.path.join(GOLDEN, "bert-classes"), folder)
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as f:
        size = json.load(f)["vocab_size"]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [chr(ord("a") + i) for i in range(26)]
    words = (special + letters + [f"w{i}" for i in range(size)])[:size]
    with open(os.path.join(folder, "vocab.txt"), "w", encoding="utf-8") as f:
        f.write("\n".join(words) + "\n")
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as f:
        json.dump({"tokenizer_class": "BertTokenizer"}, f)
    ask = ("analyze", "cross-attention", folder, "--method", "occlusion", "--baseline", "mean",
           "--json", "--text", "a b c", "--text2")
    one, other = (json.loads(good(*ask, second)) for second in ("d e", "f g"))
    assert one["tokens"] == ["[CLS]", "a", "b", "c", "[SEP]", "d", "e", "[SEP]"], one["tokens"]
    mine, theirs = (x["targets"][0]["saliency"] for x in (one, other))
    assert len(mine) == 8 and all(x is not None for x in mine), mine
    assert mine[5:7] != theirs[5:7] and mine[1:4] != theirs[1:4], (mine, theirs)


main()
