# SPDX-License-Identifier: MIT
"""A cache of downloads as Hugging Face's tools lay it out, made of the golden models and of
what goes wrong with downloads: blobs and links, several revisions, pickles, quantised ones."""

import hashlib
import json
import os
import struct

MAIN = "607a30d783dfa663caf39e06633721c8d4cfcd7e"
OLD = "11c5a3d5811f50298f278a704980280950aedb10"


class FakeCache:
    def __init__(self, folder, golden):
        self.folder, self.golden = folder, golden
        os.makedirs(folder, exist_ok=True)

    def repo(self, name):
        return os.path.join(self.folder, "models--" + name.replace("/", "--"))

    def snapshot(self, name, revision=MAIN):
        return os.path.join(self.repo(name), "snapshots", revision)

    def ref(self, name, revision, ref="main"):
        path = os.path.join(self.repo(name), "refs", ref)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(revision)

    def add(self, name, files, revision=MAIN, ref="main"):
        """@files: of bytes by name; None is a link to a blob that is not there."""
        folder = self.snapshot(name, revision)
        blobs = os.path.join(self.repo(name), "blobs")
        for place in (folder, blobs):
            os.makedirs(place, exist_ok=True)
        for file, data in files.items():
            digest = hashlib.sha256((data or b"") + file.encode()).hexdigest()
            if data is not None:
                with open(os.path.join(blobs, digest), "wb") as f:
                    f.write(data)
            os.symlink(os.path.join("..", "..", "blobs", digest),
                       os.path.join(folder, file))
        if ref is not None:
            self.ref(name, revision, ref)
        return folder

    def golden_files(self, model):
        folder = os.path.join(self.golden, model)
        files = {}
        for file in sorted(os.listdir(folder)):
            if file.startswith(("config", "model", "preprocessor", "tokenizer")):
                with open(os.path.join(folder, file), "rb") as f:
                    files[file] = f.read()
        return files

    def add_golden(self, name, model, change=None, **more):
        """@change: of config.json"""
        files = self.golden_files(model)
        if change is not None:
            config = json.loads(files["config.json"])
            config.update(change)
            files["config.json"] = json.dumps(config).encode()
        return self.add(name, files, **more)

    def fill(self):
        """One of each kind; gives the names of those that can be opened."""
        gpt2 = self.golden_files("gpt2-tiny")
        config = gpt2["config.json"]
        self.add_golden("openai-community/gpt2", "gpt2-tiny")
        self.add_golden("openai-community/gpt2", "gpt2-f16", revision=OLD, ref=None)
        self.add_golden("meta-llama/Llama-3.2-1B", "llama-gqa4")
        self.add_golden("google/vit-base-patch16-224", "vit-tiny")
        self.add_golden("google/vit-large-patch32-384", "vit-sharded")
        self.add_golden("gpt2", "gpt2-untied")
        self.add("microsoft/DialoGPT-small", {"config.json": config,
                                              "pytorch_model.bin": b"PK\x03\x04" + bytes(999)})
        self.add("distilbert/distilgpt2", {"config.json": config, "tf_model.h5": bytes(500),
                                           "flax_model.msgpack": bytes(400)})
        self.add("TheBloke/Llama-2-7B-GGUF", {"config.json": config,
                                              "llama-2-7b.Q4_0.gguf": b"GGUF" + bytes(99)})
        self.add_golden("TheBloke/Llama-2-7B-GPTQ", "llama-tiny", change={
            "quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128}})
        self.add_golden("state-spaces/mamba-130m-hf", "gpt2-tiny",
                        change={"model_type": "mamba", "state_size": 16})
        self.add_golden("example/llamo-moe", "llama-tiny",
                        change={"model_type": "llama_moe", "num_experts": 8})
        sharded = self.golden_files("vit-sharded")
        shards = sorted(name for name in sharded if name.endswith(".safetensors"))
        sharded[shards[0]] = None
        self.add("google/vit-huge-patch14-224", sharded)
        self.add("facebook/opt-125m", {"config.json": config})
        self.add("sentence-transformers/nothing", {"README.md": b"# nothing\n"})
        self.add("example/hostile", {"config.json": b"[" * 100000,
                                     "model.safetensors": gpt2["model.safetensors"]})
        return ["google/vit-base-patch16-224", "google/vit-large-patch32-384", "gpt2",
                "meta-llama/Llama-3.2-1B", "openai-community/gpt2"]

    def make_hostile(self):
        """What no tool lays out; none of it may be followed, believed or waited for."""
        for name in ("models--", "models--..--..", "models--a--b--c--d", "models--x\x1b[31m",
                     "models--\udcff", "models--" + "n" * 220, "datasets--a--b"):
            os.makedirs(os.path.join(self.folder, name, "snapshots", MAIN))
        circle = self.repo("hostile/circle")
        os.makedirs(circle)
        os.symlink(".", os.path.join(circle, "snapshots"))
        os.symlink("..", os.path.join(circle, "refs"))
        with open(os.path.join(self.folder, "models--hostile--file"), "w") as f:
            f.write("no folder")
        pipe = self.snapshot("hostile/pipe")
        os.makedirs(pipe)
        for name in ("config.json", "model.safetensors"):
            os.mkfifo(os.path.join(pipe, name))
        os.makedirs(os.path.join(self.repo("hostile/pipe"), "refs"))
        os.mkfifo(os.path.join(self.repo("hostile/pipe"), "refs", "main"))
        self.add("hostile/away", {"config.json": b"{}"}, ref=None)
        self.ref("hostile/away", "../../../../etc")
        self.add("hostile/type", {"config.json": json.dumps(
            {"model_type": "\x1b[2J\n" + "evil" * 500}).encode()})
        self.add("hostile/number", {"config.json": b'{"model_type": 7}'})


def safetensors(tensors):
    """A file's bytes, of (type, shape, data) by name."""
    header, data = {}, b""
    for name, (dtype, shape, raw) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data
