#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The commands as a person types them: good ones, wrong ones, bad files. Prints TAP."""

import csv
import json
import math
import os
import re
import shutil
import struct
import subprocess
import xml.etree.ElementTree as tree
import zlib

from command_cases import ENV, SOURCE, Skip, at, case, fails, good, main, run

MODEL = os.path.join(SOURCE, "golden", "models", "vit-tiny")
PICTURE = os.path.join(MODEL, "input.png")


def session():
    path = at("session.h5")
    if not os.path.exists(path):
        good("trace", MODEL, "--image", PICTURE, "-o", path)
    return path


def broken_model(name, change_header=None, change_bytes=None, change_config=None):
    """A copy of the golden model with something wrong in it."""
    folder = at(name)
    shutil.copytree(MODEL, folder)
    path = os.path.join(folder, "model.safetensors")
    with open(path, "rb") as f:
        raw = f.read()
    size = struct.unpack("<Q", raw[:8])[0]
    header, data = json.loads(raw[8:8 + size]), raw[8 + size:]
    if change_header:
        change_header(header)
        text = json.dumps(header).encode()
        raw = struct.pack("<Q", len(text)) + text + data
    if change_bytes:
        raw = change_bytes(raw)
    with open(path, "wb") as f:
        f.write(raw)
    if change_config:
        with open(os.path.join(folder, "config.json")) as f:
            config = json.load(f)
        change_config(config)
        with open(os.path.join(folder, "config.json"), "w") as f:
            json.dump(config, f)
    return folder


@case
def help_and_usage():
    assert "Commands:" in good("--help")
    for name, option in (("info", "--json"), ("trace", "--image"), ("figure", "--view"),
                         ("export", "--csv")):
        assert option in good(name, "--help")
    everything = good("analyze", "--help")
    for which, has, has_not in (("saliency", "--method", "--epochs"),
                                ("patterns", "--epochs", "--method"),
                                ("alignment", "--align-by", "--curve")):
        found = good("analyze", which, "--help")
        assert has in found and "--image" in found and "--csv" in found, found
        assert has_not not in found and has_not in everything, found
        fails(2, name, "--no-such-option", says=["--no-such-option"])
    fails(2, "no-such-command", says=["no-such-command"])
    fails(2, "trace", MODEL)
    fails(2, "figure", session(), "--view", "pie", "-o", at("x.svg"))
    fails(2, "export", session())


@case
def info():
    found = json.loads(good("info", MODEL, "--json"))
    assert (found["family"], found["heads"], found["dtype"]) == ("vit", 12, "float32")
    assert [len(s["layers"]) for s in found["stacks"]] == [3]
    assert found["labels"][2] == "cat"
    assert "cpu" in good("info", "--backends") and "cuda" in good("info", "--backends")


@case
def trace_and_export():
    out = json.loads(good("trace", MODEL, "--image", PICTURE, "-o", at("t.h5"), "--json"))
    assert out["tokens"] == 17
    good("export", at("t.h5"), "--site", "logits", "--csv", at("logits.csv"))
    with open(at("logits.csv")) as f:
        logits = [float(row["value"]) for row in csv.DictReader(f)]
    for p in out["predictions"]:
        assert abs(logits[p["class"]] - p["logit"]) < 1e-6
    good("export", at("t.h5"), "--site", "blocks.1.attn.hook_pattern", "--csv",
         at("map.csv"))
    sums = {}
    with open(at("map.csv")) as f:
        for row in csv.DictReader(f):
            place = (row["head"], row["query"])
            sums[place] = sums.get(place, 0) + float(row["value"])
    assert len(sums) == 4 * 17
    assert all(abs(s - 1) < 1e-5 for s in sums.values())


@case
def pruning_changes_the_logits():
    a = json.loads(good("trace", MODEL, "--image", PICTURE, "-o", at("a.h5"), "--json"))
    b = json.loads(good("trace", MODEL, "--image", PICTURE, "-o", at("b.h5"), "--json",
                        "--prune", "1.2"))
    assert a["hash"] != b["hash"] and a["predictions"] != b["predictions"]
    fails(1, "trace", MODEL, "--image", PICTURE, "-o", at("c.h5"), "--prune", "9.0",
          says=["9.0"])


@case
def figures():
    magic = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}
    for view in ("grid", "heatmap", "overlay"):
        for kind, start in magic.items():
            path = at(f"{view}.{kind}")
            good("figure", session(), "--view", view, "--heads", "0.1,2.3", "--query",
                 "2,1", "-o", path)
            with open(path, "rb") as f:
                assert f.read(8).startswith(start), path
        root = tree.parse(at(f"{view}.svg")).getroot()
        words = "".join(t for e in root.iter() for t in e.itertext()
                        if e.tag.endswith("text"))
        assert words, f"{view}: text expected in the SVG"
    fails(1, "figure", session(), "--view", "heatmap", "--heads", "7.7", "-o",
          at("no.svg"), says=["7.7"])
    fails(1, "figure", session(), "--view", "grid", "-o", at("no-folder/x.svg"))


@case
def panels_share_a_range_and_the_caption_says_what_was_changed():
    good("trace", MODEL, "--image", PICTURE, "--prune", "1.2", "-o", at("cut.h5"))
    for mode, count in (("shared", 1), ("per-head", 4)):
        good("figure", at("cut.h5"), "--view", "overlay", "--heads", "0.1,2.3", "--query",
             "2,1", "--range", mode, "--width", 178, "-o", at("cut.svg"))
        caption = " ".join(texts(at("cut.svg")))
        ranges = set(re.findall(r"0 to ([\d.e-]+), the largest", caption))
        assert len(ranges) == count, f"{mode}: {count} ranges expected: {caption}"
        assert "prune head 1.2 (zero)" in caption, caption
    entries = {e.get("key"): e.text for e in tree.parse(at("cut.svg")).getroot().iter()
               if e.tag.endswith("entry")}
    assert entries["view"] == "overlay" and entries["heads"] == "0.1,2.3", entries


def texts(path):
    return ["".join(e.itertext()) for e in tree.parse(path).getroot().iter()
            if e.tag.endswith("text")]


def probabilities(*prune):
    """Of each class, from a run of its own."""
    good("trace", MODEL, "--image", PICTURE, *prune, "-o", at("single.h5"))
    good("export", at("single.h5"), "--site", "logits", "--csv", at("p.csv"))
    with open(at("p.csv")) as f:
        logits = [float(row["value"]) for row in csv.DictReader(f)]
    weights = [math.exp(x - max(logits)) for x in logits]
    return [w / sum(weights) for w in weights]


@case
def targets_by_the_names_of_tokens():
    kjv = os.path.join(SOURCE, "..", "data", "models", "gpt-kjv")
    ask = ("analyze", "saliency", kjv, "--text", "In the beginning God created the", "--method",
           "gradient-input", "--json")
    bare, shown, against = (json.loads(good(*ask, *more))["targets"][0] for more in (
        ("--target", " earth"), ("--target", "\u2423earth"),
        ("--target", "\u2423earth", "--against", "\u2423heaven")))
    assert bare == shown and bare["target"] == "\u2423earth", bare["target"]
    assert against["target"] == "\u2423earth \u2212 \u2423heaven", against["target"]
    other = json.loads(good(*ask, "--target", "\u2423heaven"))["targets"][0]
    assert abs(against["value"] - (bare["value"] - other["value"])) < 1e-4, against["value"]
    fails(1, *ask, "--target", "xyzzyq", says=["--target", "token expected", "xyzzyq"])
    fails(2, *ask, "--metric", "loss", says=["--metric", "--deletion"])
    fails(2, *ask, "--masks", "50", says=["--masks", "--method spes"])


@case
def a_file_behind_the_model_is_its_input():
    ask = ("analyze", "importance", MODEL)
    assert good(*ask, PICTURE, "--json") == good(*ask, "--image", PICTURE, "--json")
    good("trace", MODEL, PICTURE, "-o", at("bare.h5"))
    words = at("words.txt")
    with open(words, "w") as f:
        f.write("In the beginning God created the")
    kjv = os.path.join(SOURCE, "..", "data", "models", "gpt-kjv")
    ask = ("analyze", "saliency", kjv)
    more = ("--method", "gradient-input", "--json")
    assert good(*ask, words, *more) == good(*ask, "--text-file", words, *more)
    fails(2, *ask, words, "--text", "God", says=["--text", "expected"])
    fails(2, *ask, words, "--text-file", words, says=["two files"])
    fails(2, *ask, words, words, says=["one model"])
    fails(1, *ask, at("none.txt"), says=["none.txt"])
    fails(2, "analyze", "importance", MODEL, PICTURE, "--dataset", "d", says=["--dataset"])


@case
def importance_is_what_single_runs_say():
    found = json.loads(good("analyze", "importance", MODEL, "--image", PICTURE, "--target",
                            "cat", "-o", at("imp.h5"), "--json"))
    whole = probabilities()
    assert (found["target"], len(found["heads"])) == (2, 12), found
    assert found["predicted"] == whole.index(max(whole))
    assert abs(found["probability"] - whole[2]) < 1e-6
    for head in found["heads"][3:10:3]:
        cut = probabilities("--prune", f"{head['layer']}.{head['head']}")
        assert abs(head["probability_after"] - cut[2]) < 1e-6, head
        assert abs(head["loss_change"] - math.log(whole[2] / cut[2])) < 1e-5, head
    good("figure", at("imp.h5"), "--view", "grid", "-o", at("imp.svg"))
    out = good("analyze", "importance", MODEL, "--image", PICTURE)
    assert out.count("\n") == 16 and "Spearman" in out, out
    fails(1, "analyze", "importance", MODEL, "--image", PICTURE, "--target", "7",
          says=["0 to 6 expected, 7 found"])
    fails(1, "analyze", "importance", MODEL, "--image", PICTURE, "--target", "dgo",
          says=["dgo"])
    fails(2, "analyze", "guesswork", MODEL, "--image", PICTURE)


def dataset():
    """Three inputs, one of them unreadable, and their CSV."""
    with open(at("set.csv"), "w") as f:
        f.write(f"file,label\n{PICTURE},cat\n{__file__},cat\n{PICTURE},2\n")
    return at("set.csv")


@case
def a_data_set_has_intervals_and_skips_what_it_cannot_read():
    code, out, said = run("analyze", "importance", MODEL, "--dataset", dataset(), "--json",
                          "--curve", "taylor_absolute", "--greedy", "-o", at("set.h5"),
                          "--csv", at("heads.csv"))
    assert code == 0 and "skipped" in said, said
    found = json.loads(out)
    one = json.loads(good("analyze", "importance", MODEL, "--image", PICTURE, "--label",
                          "cat", "--json"))
    assert found["n"] == 2 and len(found["skipped"]) == 1, found
    assert [c["order"] for c in found["curve"]] == [
        "taylor_absolute", "taylor_absolute reversed", "random 0", "random 1", "random 2",
        "greedy"]
    for many, single in zip(found["heads"], one["heads"]):
        for name in ("loss_change", "taylor", "hop_entropy", "accuracy_change"):
            assert abs(many[name] - single[name]) < 1e-9, name
            assert many[name + "_low"] == many[name + "_high"] == many[name], name
    assert one["heads"][0]["corrects"] in (0, 1)
    with open(at("heads.csv")) as f:
        rows = list(csv.DictReader(f))
    assert len(rows) == 12 and float(rows[3]["taylor"]) == found["heads"][3]["taylor"]
    good("figure", at("set.h5"), "--view", "grid", "-o", at("set.svg"))
    fails(1, "analyze", "importance", MODEL, "--dataset", "/nowhere", says=["/nowhere"])
    fails(2, "analyze", "importance", MODEL, "--dataset", "x", "--image", PICTURE)
    fails(1, "analyze", "importance", MODEL, "--dataset", dataset(), "--curve", "beauty",
          says=["beauty"])


@case
def kinds_of_ablation_and_parts_of_a_head():
    def score(*options):
        return json.loads(good("analyze", "importance", MODEL, "--image", PICTURE, "--target",
                               "cat", "--json", *options))
    zero, uniform = score(), score("--ablation", "uniform")
    assert (zero["ablation"], uniform["ablation"]) == ("zero", "uniform")
    assert zero["heads"][0]["loss_change"] != uniform["heads"][0]["loss_change"]
    against = score("--against", "0")
    assert "difference_change" in against["heads"][0]
    parts = score("--parts", "1.2")["parts"]
    assert [p["pruned"] for p in parts] == ["nothing", "head", "cls-and-corner", "patches",
                                            "cls", "corner"]
    assert abs(parts[0]["probability"] - zero["probability"]) < 1e-6
    assert abs(parts[1]["probability"] - zero["heads"][6]["probability_after"]) < 1e-6
    fails(1, "analyze", "importance", MODEL, "--image", PICTURE, "--ablation", "resample",
          says=["data set"])
    fails(1, "analyze", "importance", MODEL, "--image", PICTURE, "--ablation", "odd",
          says=["odd"])
    fails(1, "analyze", "importance", MODEL, "--image", PICTURE, "--parts", "9.9",
          says=["9.9"])


@case
def likeness_to_a_reference():
    options = ("analyze", "importance", MODEL, "--image", PICTURE, "--json")
    heads = json.loads(good(*options, "--reference", PICTURE))["heads"]
    for head in heads:
        assert abs(head["reference_change"] - head["output_cosine"]) < 1e-6, head
    assert "reference_change" not in json.loads(good(*options))["heads"][0]
    fails(1, *options, "--reference", at("nothing.png"), says=["nothing.png"])


@case
def strength_of_every_head():
    found = json.loads(good("analyze", "strength", MODEL, "--image", PICTURE, "--json", "-o",
                            at("strength.h5")))
    assert {"hop_entropy", "mean_distance", "confidence"} <= set(found["heads"][0]), found
    out = good("analyze", "strength", MODEL, "--image", PICTURE)
    assert "Hop entropy" in out and "Mean distance" in out, out


@case
def patterns_are_found_resumed_and_drawn():
    options = ("analyze", "patterns", MODEL, "--dataset", dataset(), "--clusters", "3", "--json")
    found = json.loads(run(*options, "--epochs", "3", "-o", at("patterns.h5"), "--csv",
                           at("patterns.csv"))[1])
    kinds = {s["kind"]: s for s in found["summaries"]}
    assert list(kinds) == ["patches", "cls"], found
    assert all(s["epochs"] == 3 and not s["partial"] for s in kinds.values())
    assert sum(c["maps"] for c in kinds["cls"]["clusters"]) == kinds["cls"]["maps"]
    with open(at("patterns.csv")) as f:
        rows = list(csv.DictReader(f))
    assert len(rows) == kinds["patches"]["maps"] + kinds["cls"]["maps"]
    assert {r["kind"] for r in rows} == {"patches", "cls"}
    whole = json.loads(run(*options, "--epochs", "5")[1])
    rest = json.loads(run(*options, "--epochs", "5", "--resume", at("patterns.h5"))[1])
    for a, b in zip(whole["summaries"], rest["summaries"]):
        assert b["epochs"] == 5
        assert abs(a["net_error"] - b["net_error"]) < 1e-9, (a["net_error"], b["net_error"])
    good("figure", at("patterns.h5"), "--view", "chart", "--chart", "patterns", "-o",
         at("patterns.svg"))
    good("figure", at("patterns.h5"), "--view", "chart", "--chart", "cls-patterns", "-o",
         at("cls.svg"))
    with open(at("patterns.svg")) as f:
        assert "Patterns: Between patches" in f.read()
    out = run("analyze", "patterns", MODEL, "--image", PICTURE, "--epochs", "2")[1]
    assert "principal components" in out and "medoid" in out, out
    fails(1, "analyze", "patterns", MODEL, "--image", PICTURE, "--resume", at("strength.h5"),
          says=["patterns expected"])
    fails(1, "figure", at("strength.h5"), "--view", "chart", "--chart", "patterns", "-o",
          at("x.svg"), says=["patterns"])
    fails(2, "analyze", "patterns", MODEL, "--image", PICTURE, "--epochs", "-1")


@case
def an_overview_counts_and_is_drawn():
    folder = os.path.join(SOURCE, "..", "data", "samples")
    samples = os.path.join(folder, "samples.csv")
    shipped = os.path.join(SOURCE, "..", "data", "models", "vit-fashion")
    found = json.loads(good("analyze", "overview", shipped, "--dataset", samples, "--json",
                            "-o", at("overview.h5"), "--csv", at("overview.csv")))
    names = [c["name"] for c in found["classes"]]
    with open(at("overview.csv")) as f:
        rows = list(csv.DictReader(f))
    with open(samples) as f:
        labels = {r[0]: r[1] for r in csv.reader(f)}
    assert len(rows) == found["n"] == 24 and found["skipped"] == 0, found["n"]
    assert all(labels[r["input"]] == r["label"] for r in rows), rows
    right = sum(r["label"] == r["predicted"] for r in rows)
    assert abs(found["accuracy"] - right / 24) < 1e-12, (found["accuracy"], right)
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            n = sum(r["label"] == a and r["predicted"] == b for r in rows)
            assert found["confusion"][i][j] == n, (a, b, n)
    for row in rows[::6]:  # what a trace of the picture alone says
        good("trace", shipped, "--image", os.path.join(folder, row["input"]), "-o", at("one.h5"))
        said = json.loads(good("analyze", "importance", shipped, "--image",
                               os.path.join(folder, row["input"]), "--json"))
        assert abs(said["probability"] - float(row["probability"])) < 1e-6, (said, row)
    for chart, words in (("overview", "Overview of 24 inputs"), ("confusion", "Confusion")):
        good("figure", at("overview.h5"), "--view", "chart", "--chart", chart, "-o",
             at(chart + ".svg"))
        with open(at(chart + ".svg")) as f:
            assert words in f.read(), chart
    out = good("analyze", "overview", shipped, "--dataset", samples, "--no-tsne")
    assert "24 inputs; 0 could not be read" in out and "predicted" in out, out
    fails(2, "analyze", "overview", shipped, "--image", PICTURE, says=["--dataset"])
    fails(1, "figure", at("strength.h5"), "--view", "chart", "--chart", "overview", "-o",
          at("x.svg"), says=["overview"])


@case
def a_mask_prunes_like_prune():
    with open(at("mask.json"), "w") as f:
        json.dump({"headlight_mask": 1, "model": "x", "heads": ["1.2", "0.1"]}, f)
    both = probabilities("--prune", "1.2", "--prune", "0.1")
    assert probabilities("--mask", at("mask.json")) == both != probabilities()
    for bad, says in (({"headlight_mask": 1, "heads": ["7.0"]}, "7.0"),
                      ({"headlight_mask": 2, "heads": []}, "headlight_mask"),
                      ({"headlight_mask": 1, "heads": "1.2"}, "heads")):
        with open(at("bad.json"), "w") as f:
            json.dump(bad, f)
        fails(1, "trace", MODEL, "--image", PICTURE, "-o", at("x.h5"), "--mask",
              at("bad.json"), says=[says])


@case
def recomputed_maps_have_the_same_axes_and_bar():
    session()
    good("trace", MODEL, "--image", PICTURE, "-o", at("qk.h5"), "--maps", "recomputed")
    for name in ("session.h5", "qk.h5"):
        good("figure", at(name), "--view", "heatmap", "--layer", 1, "--head", 2, "-o",
             at(name + ".svg"))
    assert texts(at("session.h5.svg")) == texts(at("qk.h5.svg"))


@case
def decimal_points_in_files():
    env = {"LC_ALL": "de_DE.UTF-8"}
    probe = subprocess.run(["locale", "-a"], env={**ENV, **env}, capture_output=True)
    if not os.path.isdir(os.path.join(os.environ.get("LOCPATH", "/"), "de_DE.UTF-8")) \
            and b"de_DE.utf8" not in probe.stdout:
        raise Skip("no locale de_DE.UTF-8 here")
    good("export", session(), "--site", "logits", "--csv", at("de.csv"), env=env)
    with open(at("de.csv")) as f:
        assert all(len(line.split(",")) == 2 for line in f)
    good("figure", session(), "--view", "grid", "-o", at("de.svg"), env=env)
    tree.parse(at("de.svg"))


@case
def german():
    if not shutil.which("msgfmt"):
        raise Skip("msgfmt is not installed")
    locale = os.environ.get("LOCPATH")
    if not locale or not os.path.isdir(os.path.join(locale, "de_DE.UTF-8")):
        raise Skip("no locale de_DE.UTF-8 here")
    folder = at("locale/de/LC_MESSAGES")
    os.makedirs(folder)
    subprocess.run(["msgfmt", "-o", folder + "/headlight.mo",
                    os.path.join(SOURCE, "..", "po", "de.po")], check=True)
    out = good("--help", env={"LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de",
                              "HEADLIGHT_LOCALE_DIR": at("locale")})
    assert "Aufruf:" in out and "Befehle:" in out


def tokenizer_folder(name, **changes):
    """A folder with a small tokenizer: letters, two merges, tokens of bytes, <s> before."""
    folder = at(name)
    os.makedirs(folder)
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    tokens += ["\u2581", "a", "b", "ab", "\u2581ab"]
    flags = {"special": True, "normalized": False}
    whole = {
        "added_tokens": [dict(flags, id=i, content=tokens[i]) for i in range(3)],
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
        "post_processor": {
            "type": "TemplateProcessing", "special_tokens": {"<s>": {"ids": [1]}},
            "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}]},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "},
            {"type": "ByteFallback"}, {"type": "Fuse"}]},
        "model": {"type": "BPE", "vocab": {t: i for i, t in enumerate(tokens)},
                  "merges": ["a b", "\u2581 ab"], "byte_fallback": True}}
    with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as f:
        json.dump({**whole, **changes}, f)
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as f:
        json.dump({"bos_token": "<s>", "eos_token": {"content": "</s>"},
                   "model_max_length": 10**30,
                   "chat_template": "[INST] <<SYS>> {{ messages }}"}, f)
    return folder


@case
def tokens_of_a_text():
    folder = tokenizer_folder("tokenizer")
    out = json.loads(good("tokenize", folder, "--text", "ab ab\u00e9", "--json"))
    assert (out["bos"], out["eos"], out["doubled_bos"]) == (1, 2, False), out
    assert [t["role"] for t in out["tokens"]] == ["special"] + 4 * ["prompt"], out
    found = [(t["id"], t["bytes"], t["chars"], t["special"]) for t in out["tokens"]]
    assert found == [(1, "3c733e", [0, 0], True), (262, "6162", [0, 2], False),
                     (263, "206162", [2, 5], False), (198, "c3", [5, 6], False),
                     (172, "a9", [5, 6], False)], found
    assert [t["text"] for t in out["tokens"]][2:4] == ["\u2423ab", "\\xC3"]
    path = at("text.txt")
    with open(path, "w", encoding="utf-8") as f:
        f.write("</s>ab")
    for option, ids in (("--no-bos", [2, 262]), ("--no-special", [1, 63, 50, 118, 65, 262])):
        out = json.loads(good("tokenize", folder, "--text-file", path, "--json", option))
        assert [t["id"] for t in out["tokens"]] == ids, out
    table = good("tokenize", folder, "--text", "ab")
    assert "6162" in table and "(special)" in table, table
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as f:
        json.dump({"eos_token": "</s>"}, f)
    out = json.loads(good("tokenize", folder, "--text", "ab", "--json"))
    assert (out["bos"], out["eos"]) == (None, 2), out


@case
def text_with_two_first_tokens():
    folder = tokenizer_folder("twice")
    code, out, err = run("tokenize", folder, "--text", "<s>ab", "--json")
    assert code == 0 and json.loads(out)["doubled_bos"], err
    assert err.count("\n") == 1 and "<s>" in err and "--no-bos" in err, err
    assert run("tokenize", folder, "--text", "<s>ab", "--no-bos")[2] == ""
    out = json.loads(good("tokenize", folder, "--text", "ab", "--chat", "--json"))
    assert out["chat"] == "Llama 2" and not out["doubled_bos"], out
    assert [t["id"] for t in out["tokens"]][0] == 1, out


@case
def bad_tokenizers():
    folder = tokenizer_folder("odd", model={"type": "Odd", "vocab": {}})
    fails(1, "tokenize", folder, "--text", "a", says=["tokenizer.json", "Odd"])
    fails(1, "tokenize", at("nowhere"), "--text", "a", says=["nowhere"])
    folder = tokenizer_folder("good")
    fails(1, "tokenize", folder, "--text-file", at("nothing.txt"), says=["nothing.txt"])
    path = at("latin1.txt")
    with open(path, "wb") as f:
        f.write(b"ab\xe9")
    fails(1, "tokenize", folder, "--text-file", path, says=["byte 2", "E9"])
    fails(2, "tokenize", folder, says=["--text"])
    fails(2, "tokenize", folder, "--text", "a", "--text-file", path, says=["--text"])
    fails(2, "tokenize", "--text", "a", says=["a model"])
    fails(2, "tokenize", folder, "--text", "a", "--chat", "--no-special", says=["--chat"])


@case
def bad_models():
    first = "vit.encoder.layer.0.attention.attention.query.weight"

    def overlap(h):
        h[first]["data_offsets"] = h["classifier.weight"]["data_offsets"]

    broken_model("cut", change_bytes=lambda r: r[:len(r) // 2])
    broken_model("long", change_bytes=lambda r: struct.pack("<Q", 1 << 40) + r[8:])
    broken_model("deep", change_bytes=lambda r: struct.pack("<Q", 100000) + b"[" * 100000)
    broken_model("overlap", change_header=overlap)
    broken_model("dtype", change_header=lambda h: h[first].update(dtype="F64"))
    broken_model("missing", change_config=lambda c: c.update(num_hidden_layers=9))
    broken_model("shape", change_config=lambda c: c.update(intermediate_size=50))
    broken_model("field", change_config=lambda c: c.pop("hidden_size"))
    broken_model("family", change_config=lambda c: c.update(model_type="mamba"))
    for name in ("cut", "long", "deep", "overlap", "dtype"):
        fails(1, "info", at(name), says=["model.safetensors"])
    fails(1, "info", at("missing"), says=["layer.3"])
    fails(1, "info", at("shape"), says=["expected", "found"])
    fails(1, "info", at("field"), says=["hidden_size"])
    fails(1, "info", at("family"), says=["mamba", "vit"])
    fails(1, "info", at("nothing-here"), says=["nothing-here"])
    with open(at("pytorch_model.bin"), "wb") as f:
        f.write(b"PK\x03\x04" + bytes(100))
    fails(1, "info", at("pytorch_model.bin"), says=["pytorch_model.bin", "code"])


@case
def bad_shard_name():
    folder = at("shard")
    shutil.copytree(os.path.join(SOURCE, "golden", "models", "vit-sharded"), folder)
    path = os.path.join(folder, "model.safetensors.index.json")
    with open(path) as f:
        index = json.load(f)
    name = sorted(index["weight_map"])[0]
    index["weight_map"][name] = "../model.safetensors"
    with open(path, "w") as f:
        json.dump(index, f)
    fails(1, "info", folder, says=["../model.safetensors"])


def png(width, height):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b""))


@case
def bad_pictures():
    with open(PICTURE, "rb") as f:
        whole = f.read()
    files = {"text.png": b"this is no picture\n", "cut.png": whole[:len(whole) // 2],
             "zero.png": png(0, 0), "huge.png": png(30000, 30000)}
    for name, data in files.items():
        with open(at(name), "wb") as f:
            f.write(data)
        fails(1, "trace", MODEL, "--image", at(name), "-o", at("p.h5"), says=[name])
        assert not os.path.exists(at("p.h5"))
    fails(1, "trace", MODEL, "--image", at("absent.png"), "-o", at("p.h5"),
          says=["absent.png"])
    fails(1, "trace", MODEL, "--image", PICTURE, "-o", at("no-folder/p.h5"),
          says=["no-folder"])


@case
def bad_sessions():
    with open(session(), "rb") as f:
        whole = f.read()
    with open(at("cut.h5"), "wb") as f:
        f.write(whole[:len(whole) // 2])
    with open(at("text.h5"), "w") as f:
        f.write("not HDF5\n")
    for name in ("cut.h5", "text.h5", "absent.h5"):
        fails(1, "figure", at(name), "--view", "grid", "-o", at("s.svg"), says=[name])
    fails(1, "export", session(), "--site", "blocks.9.x", "--csv", at("s.csv"),
          says=["blocks.9.x"])


@case
def foreign_session():
    try:
        import h5py
        import numpy as np
    except ImportError:
        raise Skip("h5py is not installed")
    maps = np.tril(np.ones((2, 3, 3), np.float32))
    maps /= maps.sum(-1, keepdims=True)
    with h5py.File(at("foreign.h5"), "w") as f:
        f.attrs["headlight_schema"] = 1
        f["traces/0/tokens/text"] = ["a", "b", "c"]
        for layer in range(2):
            f[f"traces/0/sites/blocks.{layer}.attn.hook_pattern"] = maps
    good("figure", at("foreign.h5"), "--view", "heatmap", "--layer", 1, "--head", 1, "-o",
         at("foreign.svg"))
    with h5py.File(at("newer.h5"), "w") as f:
        f.attrs["headlight_schema"] = 7
    fails(1, "figure", at("newer.h5"), "--view", "grid", "-o", at("s.svg"), says=["7"])


main()
