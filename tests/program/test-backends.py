#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Choosing what computes, with the emulated CUDA device as the module. Prints TAP."""

import csv
import json
import os
import sys

from command_cases import SOURCE, at, case, good, main, run

EMULATED = {"HEADLIGHT_MODULES": sys.argv[3]}
MODULE = {"HEADLIGHT_MODULES": sys.argv[4]} if sys.argv[4] else None
MODEL = os.path.join(SOURCE, "golden", "models", "vit-tiny")
PICTURE = os.path.join(MODEL, "input.png")


def fails(says, *arguments, env):
    code, _, err = run(*arguments, env=env)
    assert code == 1 and err.count("\n") == 1, f"{arguments}: {code}: {err!r}"
    for words in says:
        assert words in err, f"{words!r} expected in {err!r}"


def trace(name, *arguments, env=None):
    return json.loads(good("trace", MODEL, "--image", PICTURE, "-o", at(name), "--json",
                           *arguments, env=env))


def numbers(session, site):
    good("export", at(session), "--site", site, "--csv", at("numbers.csv"))
    with open(at("numbers.csv")) as f:
        return [float(row["value"]) for row in csv.DictReader(f)]


def most(a, b):
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


@case
def the_list_says_why():
    found = {b["id"]: b for b in
             json.loads(good("info", "--backends", "--json", env=EMULATED))}
    assert found["cpu"]["available"] and found["cuda"]["available"]
    # Exactly one is automatic: CUDA only once no kernel is unproven.
    proven = not found["cuda"]["unproven"]
    assert found["cuda"]["automatic"] == proven != found["cpu"]["automatic"]
    text = good("info", "--backends", env={"HEADLIGHT_MODULES": at("nowhere")})
    assert "headlight-cuda.so" in text and "not used" in text
    with open(at("headlight-cuda.so"), "wb") as f:
        f.write(b"no module")
    text = good("info", "--backends", env={"HEADLIGHT_MODULES": at("")})
    assert "could not be opened" in text


@case
def a_machine_without_a_gpu():
    # The real module, where it was built: it opens, and says what it did not find.
    if MODULE is None:
        return
    found = json.loads(good("info", "--backends", "--json", env=MODULE))[1]
    assert found["available"] or "CUDA" in found["text"], found
    assert "\n" not in found["text"]


@case
def cuda_gives_the_numbers_of_the_cpu():
    trace("cpu.h5", "--backend", "cpu")
    trace("cuda.h5", "--backend", "cuda", env=EMULATED)
    trace("half.h5", "--backend", "cuda", "--precision", "bf16", env=EMULATED)
    for site in ("logits", "blocks.2.attn.hook_pattern"):
        wanted = numbers("cpu.h5", site)
        assert most(numbers("cuda.h5", site), wanted) < 2e-5, site
        assert 1e-6 < most(numbers("half.h5", site), wanted) < 0.05, site


@case
def sessions_say_what_they_were_made_with():
    trace("made.h5", "--backend", "cuda", "--precision", "f16", env=EMULATED)
    figure = at("made.svg")
    good("figure", at("made.h5"), "--view", "heatmap", "-o", figure, "--backend", "cuda",
         env=EMULATED)
    with open(figure) as f:
        text = f.read()
    assert "cuda" in text and "float16" in text


@case
def automatic_is_not_what_is_unproven():
    cuda = json.loads(good("info", "--backends", "--json", env=EMULATED))[1]
    trace("auto.h5", env=EMULATED)
    good("figure", at("auto.h5"), "--view", "heatmap", "-o", at("auto.svg"))
    with open(at("auto.svg")) as f:
        assert ("cuda" in f.read()) == (not cuda["unproven"])


@case
def wrong_choices():
    options = ["trace", MODEL, "--image", PICTURE, "-o", at("x.h5")]
    fails(["abacus", "cpu, cuda or auto"], *options, "--backend", "abacus", env=EMULATED)
    fails(["q4", "bf16"], *options, "--precision", "q4", env=EMULATED)
    fails(["bfloat16", "--backend cuda"], *options, "--precision", "bf16", "--backend",
          "cpu", env=EMULATED)
    fails(["headlight-cuda.so"], *options, "--backend", "cuda",
          env={"HEADLIGHT_MODULES": at("nowhere")})


@case
def a_lost_device_ends_the_run():
    fails(["CUDA device failed"], "trace", MODEL, "--image", PICTURE, "-o", at("lost.h5"),
          "--backend", "cuda", env={**EMULATED, "HEADLIGHT_EMULATED_LOSE": "20"})
    assert not os.path.exists(at("lost.h5"))


@case
def a_full_device_ends_the_run():
    fails(["GB on the device", "--backend cpu"], "trace", MODEL, "--image", PICTURE, "-o",
          at("full.h5"), "--backend", "cuda",
          env={**EMULATED, "HEADLIGHT_EMULATED_BYTES": "8192"})


main()
