#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the golden models give without one head, or parts of it, as hooks on the reference
implementation have it.

    python3 make-importance.py      after make-vit.py and make-lm.py

writes models/*/importance.safetensors. With z the input of a layer's output projection,
cut into heads:

    logits.zero, logits.mean, logits.uniform   (L, H, V): one head's z replaced by zeros,
        by its mean over tokens, by the mean of the values its queries may see
    hidden.zero   (L, H, T, D): behind the head's own block
    parts         (L, H, 6, V): z made of the map with parts of it pruned
    renormalised  (L, H, 6, V): the same, what is left of a row divided by its sum
    taylor, michel_tokens   (L, H): <z, dz> of ln p of class 2, summed over tokens, and
        the sum of its sizes

Run in float64, stored as float64.
"""

import contextlib
import importlib
import os
import sys

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForImageClassification

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
lm = importlib.import_module("make-lm")
MODELS = os.path.join(HERE, "models")
TARGET = 2


def parts_of(model, name):
    """Per layer: the block, the output projection, and how values come out of what."""
    if name.startswith("gpt2"):
        return [(b, b.attn.c_proj, b.attn.c_attn, "joint") for b in model.transformer.h]
    if name.startswith("llama"):
        return [(b, b.self_attn.o_proj, b.self_attn.v_proj, "own") for b in model.model.layers]
    layers = model.vit.layers if hasattr(model.vit, "layers") else model.vit.encoder.layer
    found = []
    for b in layers:
        named = dict(b.named_modules())
        o = next(named[k] for k in ("attention.output.dense", "attention.o_proj") if k in named)
        v = next(named[k] for k in ("attention.attention.value", "attention.v_proj")
                 if k in named)
        found.append((b, o, v, "own"))
    return found


def hide(name, hook):
    return name.register_forward_pre_hook(hook)


def first_of(out):
    return out[0] if isinstance(out, tuple) else out


def masks(T, causal):
    """(6, T, T): True where an entry is pruned."""
    i, j = torch.arange(T)[:, None], torch.arange(T)[None, :]
    none = torch.zeros(T, T, dtype=torch.bool)
    if causal:
        first = (j == 0) & (i >= 0)
        diagonal = (j == i) & ~first
        previous = (j == i - 1) & ~first
        rest = ~first & ~diagonal & ~previous
        return torch.stack([none, ~none, first, diagonal, previous, rest])
    row, column = (i == 0) & (j >= 0), (j == 0) & (i >= 0)
    corner = row & column
    return torch.stack([none, ~none, row | column, ~row & ~column,
                        (row | column) & ~corner, corner])


def work(name, is_text):
    path = os.path.join(MODELS, name)
    given = load_file(os.path.join(path, "expected.safetensors"))
    kind = AutoModelForCausalLM if is_text else AutoModelForImageClassification
    model = kind.from_pretrained(path, attn_implementation="eager",
                                 dtype=torch.float64).eval()
    inputs = ({"input_ids": given["input_ids"].long()} if is_text
              else {"pixel_values": given["pixel_values"].double()})
    parts = parts_of(model, name)
    H = model.config.num_attention_heads
    values = {}
    zs = {}

    def run():
        out = model(**inputs, output_attentions=True)
        return (out.logits[0, -1] if is_text else out.logits[0]), out.attentions

    with contextlib.ExitStack() as patches:
        patches.enter_context(lm.Float64Softmax())
        if is_text and model.config.model_type == "llama":
            patches.enter_context(lm.Float64Norm())
        # the whole model: values, z, maps, gradients
        hooks = []
        for l, (_, o, v, how) in enumerate(parts):
            def keep_v(m, i, out, l=l, how=how):
                out = first_of(out)
                values[l] = out[..., -out.shape[-1] // 3:] if how == "joint" else out
            def keep_z(m, args, l=l):
                z = args[0]
                z.retain_grad()
                zs[l] = z
            hooks += [v.register_forward_hook(keep_v), hide(o, keep_z)]
        whole, maps = run()
        torch.log_softmax(whole, -1)[TARGET].backward()
        for h in hooks:
            h.remove()
        T, D = zs[0].shape[1], zs[0].shape[2]
        K = D // H
        dots = [(zs[l] * zs[l].grad)[0].reshape(T, H, K).sum(-1) for l in range(len(parts))]
        found = {"taylor": torch.stack([d.sum(0) for d in dots]),
                 "michel_tokens": torch.stack([d.abs().sum(0) for d in dots])}

        def without(l, h, z):
            """Logits, and what comes out of block l, with z (T, K) for head h there."""
            kept = {}
            def change(m, args):
                x = args[0].clone()
                x[0, :, h * K:(h + 1) * K] = z
                return (x, *args[1:])
            def keep(m, i, out):
                kept["h"] = first_of(out)[0]
            a, b = hide(parts[l][1], change), parts[l][0].register_forward_hook(keep)
            with torch.no_grad():
                logits, _ = run()
            a.remove()
            b.remove()
            return logits, kept["h"]

        cut = {k: [] for k in ("zero", "mean", "uniform")}
        hidden, partial, renormalised = [], [], []
        pruned = masks(T, is_text)
        for l in range(len(parts)):
            v = values[l].detach()[0].reshape(T, -1, K)
            v = v.repeat_interleave(H // v.shape[1], 1)
            for h in range(H):
                z = zs[l].detach()[0, :, h * K:(h + 1) * K]
                sums = v[:, h].cumsum(0) / torch.arange(1, T + 1)[:, None]
                logits, state = without(l, h, torch.zeros(T, K, dtype=torch.float64))
                cut["zero"].append(logits)
                hidden.append(state)
                cut["mean"].append(without(l, h, z.mean(0).expand(T, K))[0])
                cut["uniform"].append(without(
                    l, h, sums if is_text else v[:, h].mean(0).expand(T, K))[0])
                A = maps[l].detach()[0, h].double()
                for mask in pruned:
                    left = A.masked_fill(mask, 0)
                    total = left.sum(-1, keepdim=True)
                    partial.append(without(l, h, left @ v[:, h])[0])
                    scaled = torch.where(total > 0, left / total.clamp_min(1e-300), left)
                    renormalised.append(without(l, h, scaled @ v[:, h])[0])
    L, V = len(parts), whole.shape[0]
    for key, rows in cut.items():
        found[f"logits.{key}"] = torch.stack(rows).reshape(L, H, V)
    found["hidden.zero"] = torch.stack(hidden).reshape(L, H, T, -1)
    found["parts"] = torch.stack(partial).reshape(L, H, 6, V)
    found["renormalised"] = torch.stack(renormalised).reshape(L, H, 6, V)
    save_file({k: t.detach().contiguous() for k, t in found.items()},
              os.path.join(path, "importance.safetensors"), {"format": "pt"})


for model_name, is_text in (("vit-tiny", False), ("gpt2-tiny", True), ("llama-gqa2", True)):
    work(model_name, is_text)
