#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Norm-based attention (Kobayashi et al. 2020) of golden models, for test-norm-attention.c.

    python3 make-norm.py      writes norm.json

The reference library hands out A, the values (what its value layer gives, by a hook) and
W_O; the norms are NumPy's. make-saliency.py says what the cases are.
"""

import importlib
import json
import os

import numpy as np
import transformers as t

saliency = importlib.import_module("make-saliency")
CASES = saliency.CASES + [("gemma2-tiny", t.Gemma2ForCausalLM, 19, 3, -1)]
# Of each layer: the path of the layers, of the value layer and of the output in each; and
# where the values lie in what that gives.
PLACES = {"vit": ("vit.layers", "attention.v_proj", "attention.o_proj"),
          "bert": ("bert.encoder.layer", "attention.self.value", "attention.output.dense"),
          "gpt2": ("transformer.h", "attn.c_attn", "attn.c_proj"),
          "llama": ("model.layers", "self_attn.v_proj", "self_attn.o_proj"),
          "bart": ("model.decoder.layers", "encoder_attn.v_proj", "encoder_attn.out_proj"),
          "t5": ("decoder.block", "layer.1.EncDecAttention.v", "layer.1.EncDecAttention.o")}
PLACES["mistral"] = PLACES["gemma2"] = PLACES["llama"]


def layers_of(case):
    """[(value module, W_O as (heads x width, D))]"""
    kind = case.model.config.model_type
    path, value, output = PLACES[kind]
    found = []
    for layer in case.model.get_submodule(path):
        w = layer.get_submodule(output).weight.detach().numpy()
        found.append((layer.get_submodule(value), w if kind == "gpt2" else w.T))
    return found


def run(case):
    """[(A (H, Tq, Tk), v (Tk, all heads))], W_O of each layer."""
    layers, seen = layers_of(case), {}
    handles = [m.register_forward_hook(lambda m, i, out, at=at: seen.setdefault(at, out))
               for at, (m, _) in enumerate(layers)]
    _, _, out = case.run()
    for h in handles:
        h.remove()
    maps = out.cross_attentions if "decoder_input_ids" in case.given else out.attentions
    values = [seen[at][0].detach().numpy() for at in range(len(layers))]
    if case.model.config.model_type == "gpt2":
        values = [v[:, 2 * v.shape[1] // 3:] for v in values]
    return [(a[0].detach().numpy(), v, w) for a, v, (_, w) in zip(maps, values, layers)]


def norms(a, v, w, row):
    """Of each head (H, Tk), and of the layer (Tk)."""
    heads, width = a.shape[0], w.shape[0] // a.shape[0]
    shared = heads // (v.shape[1] // width)
    total, found = 0, []
    for h in range(heads):
        g = h // shared
        carried = (a[h, row][:, None] * v[:, g * width:(g + 1) * width]
                   @ w[h * width:(h + 1) * width])
        found.append(np.linalg.norm(carried, axis=1))
        total = total + carried
    return np.array(found), np.linalg.norm(total, axis=1)


def main():
    cases = []
    for arguments in CASES:
        case = saliency.Case(*arguments)
        row = 0 if case.row is None else case.row
        found = [norms(a, v, w, row) for a, v, w in run(case)]
        cases.append({"model": case.name, "row": -1 if case.row is None else case.row,
                      "index": case.index,
                      "heads": [h.round(10).tolist() for h, _ in found],
                      "layers": [n.round(10).tolist() for _, n in found],
                      "mean": np.mean([n for _, n in found], 0).round(10).tolist()})
        print(case.name, cases[-1]["row"], "largest %.4f" % max(cases[-1]["mean"]))
    with open(os.path.join(saliency.HERE, "norm.json"), "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")


if __name__ == "__main__":
    main()
