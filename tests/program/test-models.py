#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Models that are found in a cache of downloads, and those that are refused. Prints TAP."""

import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as tree

from command_cases import ENV, PROGRAM, SOURCE, at, case, fails, good, main, run
from fake_cache import MAIN, OLD, FakeCache, safetensors

GOLDEN = os.path.join(SOURCE, "golden", "models")
CACHE = FakeCache(at("hub"), GOLDEN)
GOOD = CACHE.fill()
ENV["HF_HUB_CACHE"] = CACHE.folder


def models(*search, env=None):
    return json.loads(good("models", "--json", *search, env=env))["models"]


def info(name):
    return json.loads(good("info", name, "--json"))


@case
def what_can_be_opened():
    found = [m["name"] for m in models() if m["supported"] and m["ref"]]
    assert sorted(found) == sorted(GOOD), found
    for m in models():
        code, _, err = run("info", f"{m['name']}@{m['revision']}")
        assert (code == 0) == m["supported"], (m, err)
        if code == 0:
            told = info(f"{m['name']}@{m['revision']}")
            assert (told["family_title"], told["model_type"]) == (m["family"],
                                                                 m["model_type"])
            assert told["size_bytes"] == m["size_bytes"], (told, m)
            assert told["path"] == m["path"]


@case
def reasons():
    found = {m["name"]: m["reason"] for m in models() if m["ref"]}
    for name, words in {
            "microsoft/DialoGPT-small": "PyTorch pickles, which can run code",
            "distilbert/distilgpt2": "TensorFlow checkpoint (tf_model.h5)",
            "TheBloke/Llama-2-7B-GGUF": "GGUF file",
            "TheBloke/Llama-2-7B-GPTQ": "quantised: GPTQ of 4 bits",
            "state-spaces/mamba-130m-hf": "unknown family mamba",
            "example/llamo-moe": "unknown family llama_moe (nearest: llama",
            "google/vit-huge-patch14-224": "incomplete download: a file",
            "facebook/opt-125m": "incomplete download: no weights",
            "sentence-transformers/nothing": "no config.json",
            "example/hostile": "levels of brackets"}.items():
        assert words in found[name], (name, words, found[name])


@case
def the_list_in_words():
    lines = good("models", "gpt2 OPENAI").splitlines()
    assert len(lines) == 2, lines
    assert re.fullmatch(r"openai-community/gpt2  GPT-2  \S+\skB +main 607a30d +"
                        "can be opened", lines[0]), lines[0]
    assert "11c5a3d" in lines[1] and "main" not in lines[1], lines[1]
    assert [m["revision"] for m in models("607a30d gpt2 openai")] == [MAIN]
    code, out, err = run("models", "no-such-model")
    assert (code, out) == (0, "") and "none of" in err, err
    fails(2, "models", "a", "b")


@case
def where_it_looks():
    empty = {"HF_HUB_CACHE": at("nowhere")}
    code, out, err = run("models", env=empty)
    assert (code, out) == (0, "") and at("nowhere") in err, err
    for changes in ({"HUGGINGFACE_HUB_CACHE": CACHE.folder, "HF_HUB_CACHE": ""},
                    {"HF_HOME": os.path.dirname(CACHE.folder), "HF_HUB_CACHE": ""}):
        assert len(models(env=changes)) == len(models()), changes
    with open(at("a-file"), "w"):
        pass
    code, _, err = run("models", env={"HF_HUB_CACHE": at("a-file")})
    assert code == 1 and "cannot be read" in err, err


@case
def names_and_revisions():
    main_model, old = info("openai-community/gpt2"), info(f"openai-community/gpt2@{OLD}")
    assert main_model["name"] == old["name"] == "openai-community/gpt2"
    assert (main_model["revision"], old["revision"]) == (MAIN, OLD)
    assert (main_model["dtype"], old["dtype"]) == ("float32", "float16")
    assert info("openai-community/gpt2@11c5a3d")["identity"] == old["identity"]
    by_path = info(CACHE.snapshot("openai-community/gpt2"))
    assert by_path == main_model
    assert info(CACHE.repo("openai-community/gpt2")) == main_model
    assert info("gpt2")["name"] == "gpt2"
    plain = info(os.path.join(GOLDEN, "gpt2-tiny"))
    assert (plain["name"], plain["revision"]) == ("gpt2-tiny", "")
    fails(1, "info", "openai-community/gpt2@v9", says=["v9", MAIN, OLD])
    fails(1, "info", "openai-community/none", says=["openai-community/none", CACHE.folder])


@case
def a_folder_goes_before_the_cache():
    folder = at("here")
    shutil.copytree(os.path.join(GOLDEN, "vit-tiny"), os.path.join(folder, "openai-community",
                                                                   "gpt2"))
    program = os.path.abspath(PROGRAM)
    out = subprocess.run([program, "info", "openai-community/gpt2", "--json"], cwd=folder,
                         env=ENV, capture_output=True, check=True).stdout
    assert json.loads(out)["family"] == "vit"


@case
def every_command_takes_a_name():
    name, session = "openai-community/gpt2", at("s.h5")
    good("trace", name, "--ids", "[1, 2, 3, 4]", "-o", session)
    good("generate", name, "--ids", "[1, 2, 3]", "--tokens", 2)
    good("analyze", "strength", name, "--ids", "[1, 2, 3, 4]", "-o", at("a.h5"))
    fails(1, "tokenize", name, "--text", "x", says=["snapshots"])
    good("figure", session, "--view", "grid", "-o", at("grid.svg"))
    with open(at("grid.svg")) as f:
        words = f.read()
    assert MAIN in words and "model-revision" in words
    tree.parse(at("grid.svg"))
    for path in (session, at("a.h5")):
        with open(path, "rb") as f:
            assert MAIN.encode() in f.read(), path


@case
def what_info_says():
    words = good("info", "openai-community/gpt2")
    for part in ("GPT-2", "family gpt2, model type gpt2", "3 layers, 6 heads of width 8",
                 "not quantised", "in 1 file", f"revision {MAIN}", "no tokenizer"):
        assert part in words, (part, words)
    found = info("google/vit-large-patch32-384")
    assert len(found["files"]) == 3 and found["tokenizer"] is None
    assert sum(f["size_bytes"] for f in found["files"]) == found["size_bytes"]
    assert found["quantisation"] is None
    assert sum(found["dtypes"].values()) == found["parameters"]
    shipped = info("gpt-kjv")
    assert shipped["tokenizer"] == {"kind": "BPE", "tokens": shipped["vocabulary"],
                                    "reason": None}, shipped["tokenizer"]


@case
def a_tokenizer_that_cannot_be_read():
    folder = at("odd-tokenizer")
    shutil.copytree(os.path.join(GOLDEN, "gpt2-tiny"), folder)
    with open(os.path.join(folder, "tokenizer.json"), "w") as f:
        json.dump({"model": {"type": "Oddly"}}, f)
    found = info(folder)["tokenizer"]
    assert found["kind"] == "Oddly" and found["tokens"] == 0 and found["reason"], found
    assert "tokenizer Oddly, which cannot be read" in good("info", folder)


@case
def pickles():
    fails(1, "info", "microsoft/DialoGPT-small",
          says=["pytorch_model.bin", "can run any code", "weights_only=True", "save_file",
                CACHE.snapshot("microsoft/DialoGPT-small") + "/model.safetensors"])
    for name in ("x.pth", "y.pt", "z.ckpt", "w.bin"):
        with open(at(name), "wb") as f:
            f.write(b"PK\x03\x04" + bytes(99))
        fails(1, "info", at(name), says=[name, "can run any code"])
    folder = at("only-ckpt")
    os.mkdir(folder)
    shutil.copy(at("z.ckpt"), folder)  # without a config.json: still that is what it is
    fails(1, "info", folder, says=["z.ckpt", "state_dict", folder + "/model.safetensors"])


@case
def other_formats():
    for name, words in {"a.gguf": "GGUF", "a.onnx": "ONNX", "tf_model.h5": "TensorFlow",
                        "flax_model.msgpack": "Flax",
                        "adapter_model.safetensors": "LoRA"}.items():
        folder = at("only-" + name)
        os.mkdir(folder)
        with open(os.path.join(folder, name), "wb") as f:
            f.write(bytes(64))
        fails(1, "info", folder, says=[name, words, "safetensors expected"])
        fails(1, "info", os.path.join(folder, name), says=[name, words])


def with_tensor(folder, change):
    """The golden GPT-2, with tensors in other types."""
    source = os.path.join(GOLDEN, "gpt2-tiny")
    shutil.copytree(source, at(folder))
    path = os.path.join(at(folder), "model.safetensors")
    with open(path, "rb") as f:
        raw = f.read()
    size = int.from_bytes(raw[:8], "little")
    header, data = json.loads(raw[8:8 + size]), raw[8 + size:]
    header.pop("__metadata__", None)
    tensors = {}
    for name, about in header.items():
        begin, end = about["data_offsets"]
        tensors[name] = change(name, (about["dtype"], about["shape"], data[begin:end]))
    with open(path, "wb") as f:
        f.write(safetensors(tensors))
    return at(folder)


@case
def quantised_weights():
    fails(1, "info", "TheBloke/Llama-2-7B-GPTQ",
          says=["quantization_config", "GPTQ of 4 bits", "open the model it was made from"])
    for dtype, words in {"F8_E4M3": "float8 (F8_E4M3)", "F8_E5M2": "float8 (F8_E5M2)",
                         "I8": "8 bits", "U8": "8 bits"}.items():
        def smaller(name, about, dtype=dtype):
            if not name.endswith("c_attn.weight"):
                return about
            return dtype, about[1], about[2][::4]
        fails(1, "info", with_tensor("weights-" + dtype, smaller),
              says=["c_attn.weight", words, "model.safetensors", "float32, float16 or"])


@case
def masks_are_no_quantised_weights():
    folder = with_tensor("masked", lambda name, about: about)
    path = os.path.join(folder, "model.safetensors")
    with open(path, "rb") as f:
        raw = f.read()
    size = int.from_bytes(raw[:8], "little")
    header, data = json.loads(raw[8:8 + size]), raw[8 + size:]
    header["h.0.attn.bias"] = {"dtype": "U8", "shape": [1, 1, 4, 4],
                               "data_offsets": [len(data), len(data) + 16]}
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text + data + bytes(16))
    good("info", folder)


@case
def unknown_families():
    fails(1, "info", "example/llamo-moe",
          says=["\"llama_moe\" found", "nearest is llama", "num_experts 8",
                "mixture of experts"])
    # Nothing like it by its name, but by its weights.
    fails(1, "info", "state-spaces/mamba-130m-hf",
          says=["\"mamba\" found", "nearest is gpt2", "state_size 16"])
    folder = at("near")
    shutil.copytree(os.path.join(GOLDEN, "llama-tiny"), folder)
    with open(os.path.join(folder, "config.json")) as f:
        config = json.load(f)
    config.update(model_type="llama7", intermediate_size=config["intermediate_size"] + 1)
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(config, f)
    fails(1, "info", folder, says=["nearest is llama", "as llama: ", "shape", "expected"])


@case
def broken_downloads():
    fails(1, "info", "google/vit-huge-patch14-224",
          says=["00001-of-00003", "weights that are missing: 1", "download is incomplete"])
    fails(1, "info", "facebook/opt-125m", says=["model.safetensors", "neither found"])


@case
def a_hostile_cache():
    hostile = FakeCache(at("hostile"), GOLDEN)
    hostile.add_golden("z/good", "vit-tiny")
    hostile.make_hostile()
    closed = hostile.snapshot("hostile/closed")
    os.makedirs(closed)
    os.chmod(closed, 0)
    env = {"HF_HUB_CACHE": hostile.folder}
    found = {m["name"]: m for m in models(env=env)}
    assert found["z/good"]["supported"]
    assert sum(m["supported"] for m in found.values()) == 1, found
    assert all(re.fullmatch(r"[\w./-]+", name) for name in found), list(found)
    assert all(re.fullmatch("[0-9a-f]{40}|refs", m["revision"]) for m in found.values())
    out = good("models", env=env)
    assert "\x1b" not in out and out.count("\n") == len(found), out
    os.chmod(closed, 0o700)


main()
