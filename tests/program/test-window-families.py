#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A model of every base in the window: the head that is gone to, its stack and its largest
weight, as the command wrote them. Prints TAP.

test-window-families.py WINDOW_PROGRAM COMMAND_PROGRAM TESTS_FOLDER
"""

import json
import os
import subprocess
import sys

from window_home import start_inside

WINDOW, COMMAND, TESTS = sys.argv[1:4]
WATCHDOG_S = 240 * float(os.environ.get("HEADLIGHT_TEST_SLOWER", "1"))

if "HEADLIGHT_TEST_HOME" not in os.environ:
    start_inside("headlight-families-")

import window_cases  # noqa: E402
from window_driver import Window, number, wait_for  # noqa: E402

HOME = os.environ["HEADLIGHT_TEST_HOME"]
GOLDEN = os.path.join(TESTS, "golden", "models")
PICTURE = os.path.join(GOLDEN, "vit-tiny", "input.png")
NAMES = ["albert-masked", "bert-classes", "clip-both", "deit-teacher", "dinov2-registers",
         "distilbert-classes", "gemma2-tiny", "gpt-neox-tiny", "marian-tiny", "mpnet-tower",
         "opt-tiny", "qwen3-tiny", "siglip-vision", "t5-gated"]


def command(*arguments):
    done = subprocess.run([COMMAND, *arguments], capture_output=True, timeout=60,
                          env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0, f"headlight {arguments}: {done.stderr.decode()}"
    return done.stdout.decode()


def largest(session, site, head):
    path = os.path.join(HOME, "map.csv")
    command("export", session, "--site", site, "--csv", path)
    with open(path, encoding="utf-8") as f:
        rows = [line.rstrip("\n").split(",") for line in f.readlines()[1:]]
    return max(float(row[-1]) for row in rows if row[0] == str(head))


def traced(name):
    """(session, title and site of the first layer of the stack that is looked at first)"""
    session = os.path.join(HOME, name + ".h5")
    folder = os.path.join(GOLDEN, name)
    info = json.loads(command("info", folder, "--json"))
    what = ["--image", PICTURE] if info["input"] == "image" else ["--ids", "[5, 9, 33, 7]"]
    command("trace", folder, *what, "-o", session)
    if info["stacks"][-1]["name"] == "cross":
        return session, "Cross-attention · ", "decoder.blocks.0.cross_attn.hook_pattern"
    return session, "", "blocks.0.attn.hook_pattern"


def check(name):
    session, prefix, site = traced(name)
    window = Window(WINDOW, session)
    try:
        window.wait("label", "Largest entry")
        wait_for("its heads", lambda: number(window.values(["Largest entry"])[0]) is not None)
        entry = window.find("text", "Go to head")
        window.type_into(entry, "0.1")
        window.wait("label", f"{prefix}Layer 0 · head 1")
        expected = f"{largest(session, site, 1):.4f}"
        wait_for(f"the largest weight, {expected}",
                 lambda: window.values(["Largest entry"])[0] == expected)
    finally:
        window.kill()
    os.remove(session)


cases = [(name, lambda name=name: check(name)) for name in NAMES]
cases.append(("nothing was complained of", window_cases.nothing_was_complained_of))
window_cases.run_cases(cases, WATCHDOG_S, lambda: None)
