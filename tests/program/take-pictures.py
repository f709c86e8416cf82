#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Takes pictures of the window, to be looked at:

    take-pictures.py BUILD_FOLDER OUT_FOLDER [NAME]...

In each state of STATES (or the named ones), light and dark, at 1280 x 800, 1920 x 1080
and at scale 2. Needs xvfb, xdotool, x11-apps and imagemagick.
"""

import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

from fake_cache import FakeCache

BUILD, OUT = map(os.path.abspath, sys.argv[1:3])
ONLY = sys.argv[3:]
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(SOURCE, "data")
PICTURE = os.path.join(DATA, "samples", "ankle-boot-01.png")
SHIPPED = os.path.join(DATA, "models", "vit-fashion")
LANGUAGE = os.path.join(DATA, "models", "gpt-kjv")
TEXT = os.path.join(DATA, "samples", "ecclesiastes-1.txt")
SIZES = {"1280x800": (1280, 800, 1), "1920x1080": (1920, 1080, 1),
         "scale2": (2560, 1600, 2)}
WORK = tempfile.mkdtemp(prefix="headlight-pictures-")


def random_model(name, layers, heads, width, patch, grid):
    """A folder in the Hugging Face layout, with random float16 weights."""
    folder = os.path.join(WORK, name)
    if os.path.isdir(folder):
        return folder
    os.mkdir(folder)
    shapes = {"embeddings.cls_token": (1, 1, width),
              "embeddings.position_embeddings": (1, 1 + grid * grid, width),
              "embeddings.patch_embeddings.projection.weight": (width, 3, patch, patch),
              "embeddings.patch_embeddings.projection.bias": (width,),
              "layernorm.weight": (width,), "layernorm.bias": (width,)}
    for layer in range(layers):
        at = f"encoder.layer.{layer}."
        for part in ("attention.attention.query", "attention.attention.key",
                     "attention.attention.value", "attention.output.dense",
                     "intermediate.dense", "output.dense"):
            shapes[f"{at}{part}.weight"] = (width, width)
            shapes[f"{at}{part}.bias"] = (width,)
        for part in ("layernorm_before", "layernorm_after"):
            shapes[f"{at}{part}.weight"] = (width,)
            shapes[f"{at}{part}.bias"] = (width,)
    header, offset = {}, 0
    for key, shape in shapes.items():
        size = 2
        for n in shape:
            size *= n
        header[key] = {"dtype": "F16", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    rand = random.Random(1)
    numbers = struct.pack("<65536e", *(rand.gauss(0, 0.25) for _ in range(65536)))
    with open(os.path.join(folder, "model.safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        left = offset
        while left > 0:  # begins elsewhere each time, so that layers differ
            begin = 2 * rand.randrange(32768)
            piece = numbers[begin:begin + min(left, 65536)]
            f.write(piece)
            left -= len(piece)
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump({"model_type": "vit", "architectures": ["ViTModel"],
                   "hidden_size": width, "intermediate_size": width,
                   "num_hidden_layers": layers, "num_attention_heads": heads,
                   "image_size": patch * grid, "patch_size": patch}, f)
    return folder


def wrong_files():
    text, cut = (os.path.join(WORK, name) for name in ("notes.txt", "cut.png"))
    with open(text, "w") as f:
        f.write("no model\n")
    with open(PICTURE, "rb") as f, open(cut, "wb") as g:
        g.write(f.read()[:200])
    return text, cut


def cache():
    """A cache of downloads whose weights look as large as real ones."""
    folder = os.path.join(WORK, "hub")
    if not os.path.isdir(folder):
        FakeCache(folder, os.path.join(SOURCE, "tests", "golden", "models")).fill()
        rand = random.Random(2)
        for place, _, files in os.walk(folder):
            for file in files:
                path = os.path.join(place, file)
                if os.path.isfile(path) and os.path.getsize(path) > 9000:
                    os.truncate(path, rand.randrange(10**8, 5 * 10**9))
    return folder


# name: (arguments of the program, seconds until it is looked at, keys before that)
STATES = {
    "empty": lambda: ([], 2, []),
    "model-only": lambda: (["--model", SHIPPED], 2, []),
    "shipped": lambda: (["--model", SHIPPED, "--input", PICTURE], 4, []),
    "ablated": lambda: (["--model", SHIPPED, "--input", PICTURE], 4, ["a", "s", "l"]),
    "table": lambda: (["--model", SHIPPED, "--input", PICTURE], 4, ["t"]),
    "importance-empty": lambda: (["--model", SHIPPED, "--input", PICTURE], 4, ["alt+2"]),
    "importance": lambda: (["--model", SHIPPED, "--input", PICTURE], 4,
                           ["alt+2", "alt+a", "wait", "a"]),
    "strength": lambda: (["--model", SHIPPED, "--input", PICTURE], 4, ["alt+3", "wait"]),
    "text-strength": lambda: (["--model", LANGUAGE, "--input", TEXT], 4,
                              ["alt+3", "wait"]),
    "many-strength": lambda: (["--model", random_model("many", 80, 64, 256, 8, 8),
                               "--input", PICTURE], 30, ["alt+3", "alt+e", "wait", "wait",
                                                         "wait", "wait"]),
    "saliency-empty": lambda: (["--model", SHIPPED, "--input", PICTURE], 4, ["alt+5"]),
    "saliency": lambda: (["--model", SHIPPED, "--input", PICTURE], 4,
                         ["alt+5", "alt+c", "wait", "wait"]),
    "text-saliency": lambda: (["--model", LANGUAGE, "--input", TEXT], 4,
                              ["alt+5", "alt+c", *["wait"] * 12]),
    "text": lambda: (["--model", LANGUAGE, "--input", TEXT], 4, []),
    "text-chosen": lambda: (["--model", LANGUAGE, "--input", TEXT], 4,
                            ["Tab"] * 12 + ["Right"] * 9 + ["space", "t"]),
    "text-dialog": lambda: (["--model", LANGUAGE, "--input", TEXT], 4, ["ctrl+i"]),
    "models": lambda: ([SHIPPED, PICTURE], 4, ["ctrl+o"]),
    "models-search": lambda: (["--model", SHIPPED], 2, ["ctrl+o", *"llama"]),
    "models-none": lambda: (["--model", SHIPPED], 2, ["ctrl+o", *"zebra"]),
    "models-why": lambda: (["--model", SHIPPED], 2, ["ctrl+o", *"dialo", "wait", "Return"]),
    "models-empty": lambda: ([], 2, ["ctrl+o"]),
    "export": lambda: (["--model", SHIPPED, "--input", PICTURE], 4, ["e"]),
    "shortcuts": lambda: (["--model", SHIPPED, "--input", PICTURE], 4,
                          ["ctrl+question"]),
    "wrong-model": lambda: (["--model", wrong_files()[0]], 2, []),
    "wrong-picture": lambda: (["--model", SHIPPED, "--input", wrong_files()[1]], 3, []),
    "running": lambda: (["--model", random_model("long", 32, 32, 256, 4, 45),
                         "--input", PICTURE], 3, []),
    "long": lambda: (["--model", random_model("long", 32, 32, 256, 4, 45),
                      "--input", PICTURE], 45, []),
    "many": lambda: (["--model", random_model("many", 80, 64, 256, 8, 8),
                      "--input", PICTURE], 30, []),
}


def take(name, style, size):
    width, height, scale = SIZES[size]
    arguments, wait_s, keys = STATES[name]()
    out = os.path.join(OUT, f"{name}-{style}-{size}.png")
    schemas = os.path.join(BUILD, "data")
    environment = {**os.environ, "GSETTINGS_BACKEND": "memory", "GDK_SCALE": str(scale),
                   "GSETTINGS_SCHEMA_DIR": schemas, "HOME": WORK, "XDG_DATA_HOME": WORK,
                   "XDG_CONFIG_HOME": WORK, "GTK_A11Y": "none", "GDK_BACKEND": "x11",
                   "HF_HUB_CACHE": "" if name == "models-empty" else cache()}
    program = subprocess.Popen([os.path.join(BUILD, "app", "headlight-window"),
                                "--style", style, *arguments], env=environment)
    subprocess.run(["xdotool", "search", "--sync", "--onlyvisible", "--limit", "1",
                    "--name", "Headlight", "windowsize", str(width), str(height),
                    "windowmove", "0", "0", "windowfocus"], check=True)
    time.sleep(wait_s)
    for key in keys:
        if key == "wait":
            time.sleep(3)
            continue
        subprocess.run(["xdotool", "key", key], check=True)
    time.sleep(1.5)
    root = subprocess.run(["xwd", "-root", "-silent"], capture_output=True, check=True)
    subprocess.run(["/usr/bin/convert", "xwd:-", out], input=root.stdout, check=True)
    program.kill()
    program.wait()
    print(out)


def main():
    os.makedirs(OUT, exist_ok=True)
    size = os.environ.get("HEADLIGHT_PICTURES_SIZE")
    if size is None:  # each size on a display of its own
        for size, (width, height, _) in SIZES.items():
            subprocess.run(["xvfb-run", "-a", "-s", f"-screen 0 {width}x{height}x24",
                            sys.executable, *sys.argv],
                           env={**os.environ, "HEADLIGHT_PICTURES_SIZE": size}, check=True)
        return
    for style in ("light", "dark"):
        for name in ONLY or STATES:
            take(name, style, size)


try:
    main()
finally:
    shutil.rmtree(WORK, ignore_errors=True)
