# SPDX-License-Identifier: MIT
"""What the scripts that make golden models share: weights, files, float64 runs."""

import copy
import json
import os
import shutil
import tempfile

import numpy as np
import torch
from safetensors.torch import load_file, save_file

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, "models")
QUERIES_AND_KEYS = ("query", "key", "q_proj", "k_proj", "q_lin", "k_lin", "attn.q.",
                    "attn.k.", "Attention.q.", "Attention.k.", "query_key_value",
                    "qkv_proj", "qkv.")
EMBEDDINGS = ("embeddings", "embed_tokens", "lm_head", "decoder.weight", "shared",
              "embed_in", "embed_out", "vocab_projector", "token_embedding")


class Float64:
    """The library's softmax and RMS norms ask for float32; the reference stays in float64."""

    def __init__(self, model):
        self.norms = [m for m in model.modules()
                      if "RMSNorm" in type(m).__name__ or type(m).__name__ == "T5LayerNorm"]

    def __enter__(self):
        self.softmax = torch.nn.functional.softmax
        torch.nn.functional.softmax = (
            lambda x, dim=None, dtype=None: self.softmax(x, dim=dim))
        for norm in self.norms:
            norm.forward = rms_forward(norm)

    def __exit__(self, *_):
        torch.nn.functional.softmax = self.softmax
        for norm in self.norms:
            del norm.forward


def rms_forward(norm):
    eps = getattr(norm, "variance_epsilon", getattr(norm, "eps", None))
    is_offset = type(norm).__name__.startswith("Gemma")

    def forward(x):
        gain = 1 + norm.weight if is_offset else norm.weight
        return gain * x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + eps)
    return forward


def kind_of(name, p, model):
    """norm, bias, table, map or other: how a weight is filled."""
    owner = model.get_submodule(name.rpartition(".")[0])
    if "Norm" in type(owner).__name__:
        return "norm"
    if name.endswith("bias") and p.dim() == 1:
        return "bias"
    if isinstance(owner, torch.nn.Embedding) or any(e in name for e in EMBEDDINGS):
        return "table"
    return "map" if any(q in name for q in QUERIES_AND_KEYS) else "other"


def fill(model, seed, dtype):
    """Random weights in the order of their names, rounded to the file's type."""
    rng = np.random.default_rng(seed)
    for name, p in sorted(model.named_parameters()):
        owner = model.get_submodule(name.rpartition(".")[0])
        if "Sinusoidal" in type(owner).__name__:  # made, not trained
            continue
        x = rng.standard_normal(tuple(p.shape))
        kind = kind_of(name, p, model)
        fan_in = np.prod(p.shape[1:]) if p.dim() > 1 else 1
        if kind == "norm":
            offset = 0 if "Gemma" in type(model).__name__ else 1
            x = offset + 0.25 * x if name.endswith("weight") else 0.15 * x
        elif kind == "bias":
            x *= 0.2
        elif kind == "table":
            x *= 0.8
            if getattr(model.config, "scale_embedding", False):
                x /= 3  # multiplied by the root of its width again
        elif kind == "map":
            x *= np.sqrt(2.0 / fan_in)
            if "Attention.q." in name:  # T5 does not scale scores
                x /= np.sqrt(model.config.d_kv)
        else:
            x *= 1.2 / np.sqrt(fan_in)
        with torch.no_grad():
            p.copy_(torch.from_numpy(x.astype(np.float32)).to(dtype).float())


def save(name, model, dtype, rename=None, change=None):
    """As the library publishes it; @rename changes names of weights, @change the config."""
    folder = os.path.join(MODELS, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with tempfile.TemporaryDirectory() as scratch:
        # A copy: frequencies of rotary positions are not to be rounded.
        copy.deepcopy(model).to(dtype).save_pretrained(scratch)
        state = load_file(os.path.join(scratch, "model.safetensors"))
        with open(os.path.join(scratch, "config.json")) as f:
            config = json.load(f)
    model.double()
    if rename:
        state = {rename(k): v for k, v in state.items()}
    save_file(state, os.path.join(folder, "model.safetensors"), {"format": "pt"})
    config.pop("transformers_version", None)
    if change:
        change(config)
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(config, f, indent=2, sort_keys=True)
        f.write("\n")
    return folder


def as_f32(x):
    return x.detach().to(torch.float32).contiguous().clone()


def put_tower(expected, prefix, attentions, hidden_states):
    """Maps and the streams before each block, without the batch."""
    for i, a in enumerate(attentions):
        expected[f"{prefix}attentions.{i}"] = as_f32(a[0])
    for i, h in enumerate(hidden_states[:len(attentions)]):
        expected[f"{prefix}hidden_states.{i}"] = as_f32(h[0])
