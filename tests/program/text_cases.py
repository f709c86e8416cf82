# SPDX-License-Identifier: MIT
"""What the tests of texts share: models that are made, what is said of them, SVG read back."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as tree

from command_cases import SOURCE, at, good, run

G2P = os.path.join(SOURCE, "..", "data", "models", "g2p-cmu")
VIT = os.path.join(SOURCE, "golden", "models", "vit-tiny")
PICTURE = os.path.join(VIT, "input.png")
BOS, AB, END = 1, 262, 2  # of the llama that is made


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
