#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The copying score of every head of the golden language models, from the whole circuit
over the vocabulary, in the reference framework.

    python3 make-copying.py

writes fixtures/copying.json. Of a norm the linear part is taken: y = gain * (x - mean) of a
layer norm, y = gain * x of an RMS norm. Each head's matrix (V, V) is made by sending every
token's embedding through the framework's weights, and all its eigenvalues are found.
"""

import json
import os

import torch
from transformers import AutoModelForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, "..", "golden", "models")


def linear_part(norm, x):
    if hasattr(norm, "variance_epsilon"):  # an RMS norm
        return x * norm.weight
    return (x - x.mean(-1, keepdim=True)) * norm.weight


def heads_of_gpt2(model):
    D, H = model.config.n_embd, model.config.n_head
    K = D // H
    for block in model.transformer.h:
        value = block.attn.c_attn.weight[:, 2 * D:]  # (in, out)
        for h in range(H):
            part = slice(h * K, (h + 1) * K)
            yield block.ln_1, value[:, part], block.attn.c_proj.weight[part, :]


def heads_of_llama(model):
    c = model.config
    K = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
    for block in model.model.layers:
        a = block.self_attn
        for h in range(c.num_attention_heads):
            kv = h // (c.num_attention_heads // c.num_key_value_heads)
            yield (block.input_layernorm, a.v_proj.weight[kv * K:(kv + 1) * K].T,
                   a.o_proj.weight[:, h * K:(h + 1) * K].T)


def scores(folder):
    model = AutoModelForCausalLM.from_pretrained(folder).double()
    is_gpt2 = model.config.model_type == "gpt2"
    tokens = model.get_input_embeddings().weight  # (V, D)
    last = model.transformer.ln_f if is_gpt2 else model.model.norm
    found = []
    for norm, value, out in (heads_of_gpt2 if is_gpt2 else heads_of_llama)(model):
        moved = linear_part(norm, tokens) @ value @ out  # (V, D): what each token adds
        circuit = linear_part(last, moved) @ model.get_output_embeddings().weight.T
        roots = torch.linalg.eigvals(circuit)  # a row a token that is looked at
        found.append((roots.sum() / roots.abs().sum()).real.item())
    return found


def main():
    made = {}
    for name in sorted(os.listdir(MODELS)):
        folder = os.path.join(MODELS, name)
        path = os.path.join(folder, "config.json")
        if not os.path.exists(path):
            continue
        with open(path) as f:
            kind = json.load(f)["model_type"]
        if kind in ("gpt2", "llama"):
            with torch.no_grad():
                made[name] = scores(folder)
            print(name, [round(x, 3) for x in made[name][:6]])
    with open(os.path.join(HERE, "fixtures", "copying.json"), "w") as f:
        json.dump(made, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
