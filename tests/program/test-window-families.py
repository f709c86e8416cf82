#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A model of every family in the window: the head that is gone to, its stack and its
largest weight, as the command wrote them. Prints TAP.

test-window-families.py WINDOW_PROGRAM COMMAND_PROGRAM TESTS_FOLDER
"""

import json
import math
import os
import shutil
import subprocess
import sys
import wave

from window_home import start_inside

WINDOW, COMMAND, TESTS = sys.argv[1:4]
WATCHDOG_S = 240 * float(os.environ.get("HEADLIGHT_TEST_SLOWER", "1"))

if "HEADLIGHT_TEST_HOME" not in os.environ:
    start_inside("headlight-families-")

import window_cases  # noqa: E402
from window_driver import Window, children, number, wait_for  # noqa: E402

HOME = os.environ["HEADLIGHT_TEST_HOME"]
GOLDEN = os.path.join(TESTS, "golden", "models")
PICTURE = os.path.join(GOLDEN, "vit-tiny", "input.png")
NAMES = ["albert-masked", "bart-tiny", "bert-classes", "clip-text", "clip-vision",
         "deit-teacher", "dinov2-registers", "dinov2-swiglu", "distilbert-classes",
         "gemma-tiny", "gemma2-tiny", "gemma3-tiny", "gpt-neox-tiny", "gpt2-tiny",
         "llama-gqa4", "marian-tiny", "mistral-tiny", "mpnet-tower", "olmo2-tiny",
         "opt-tiny", "phi3-tiny", "qwen2-tiny", "qwen3-tiny", "roberta-classes",
         "siglip-text", "siglip-vision", "smollm3-tiny", "t5-gated", "vit-dino",
         "whisper-tiny"]


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


def whisper_with_audio(folder):
    """A copy that reads recordings: its 52 frames are a second; with a second of sound."""
    copy, sound = os.path.join(HOME, "whisper"), os.path.join(HOME, "second.wav")
    shutil.copytree(folder, copy)
    with open(os.path.join(copy, "preprocessor_config.json"), "w", encoding="utf-8") as f:
        json.dump({"feature_extractor_type": "WhisperFeatureExtractor", "feature_size": 16,
                   "sampling_rate": 16000, "hop_length": 307, "chunk_length": 1,
                   "n_fft": 400, "padding_value": 0.0}, f)
    with wave.open(sound, "wb") as f:
        f.setparams((1, 2, 16000, 16000, "NONE", ""))
        f.writeframes(b"".join(int(9000 * math.sin(i * i / 9e5)).to_bytes(2, "little",
                                                                          signed=True)
                               for i in range(16000)))
    return copy, ["--audio", sound]


def traced(name):
    """(session, title and site of the first layer of the stack that is looked at first)"""
    session = os.path.join(HOME, name + ".h5")
    folder = os.path.join(GOLDEN, name)
    info = json.loads(command("info", folder, "--json"))
    what = ["--image", PICTURE] if info["input"] == "image" else ["--ids", "[5, 9, 33, 7]"]
    if info["input"] == "audio":
        folder, what = whisper_with_audio(folder)
    command("trace", folder, *what, "-o", session)
    if info["stacks"][-1]["name"] == "cross":
        return session, "Cross-attention · ", "decoder.blocks.0.cross_attn.hook_pattern"
    return session, "", "blocks.0.attn.hook_pattern"


class Next:
    """The model that is looked at next: traced, and its window on the way."""

    def __init__(self, name):
        self.session, self.prefix, self.site = traced(name)
        self.process = Window.launch(WINDOW, self.session)


def beside(label):
    """What stands after a label."""
    row = list(children(label.get_parent()))
    return row[[node.get_name() for node in row].index(label.get_name()) + 1]


STARTED = {}


def start(name):
    try:
        STARTED[name] = Next(name)
    except Exception as error:  # told when it is this one's turn
        STARTED[name] = error


def check(name, after):
    if name not in STARTED:
        start(name)
    now = STARTED.pop(name)
    if isinstance(now, Exception):
        raise now
    if after is not None:
        start(after)
    window = Window(WINDOW, process=now.process)
    try:
        # Nodes are looked for once: each search reads the whole window.
        value = beside(window.wait("label", "Largest entry"))
        wait_for("its heads", lambda: number(value.get_name()) is not None)
        title = window.wait("label", r".*Layer \d · head \d")
        window.type_into(window.find("text", "Go to head"), "0.1")
        wait_for("head 0.1", lambda: title.get_name() == f"{now.prefix}Layer 0 · head 1")
        expected = f"{largest(now.session, now.site, 1):.4f}"
        wait_for(f"the largest weight, {expected}", lambda: value.get_name() == expected)
    finally:
        window.kill()
    os.remove(now.session)


cases = [(name, lambda name=name, after=after: check(name, after))
         for name, after in zip(NAMES, [*NAMES[1:], None])]
cases.append(("nothing was complained of", window_cases.nothing_was_complained_of))
window_cases.run_cases(cases, WATCHDOG_S, lambda: None)
