#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Train the language model that ships with Headlight.

    apt install bible-kjv bible-kjv-text
    pip install torch tokenizers safetensors numpy
    python3 train.py --work ~/gpt-kjv-work

The text is the King James Bible (public domain) as the `bible` program prints it: one
verse a line, an empty line between chapters. Every twentieth chapter is held out. A
byte-level BPE of 2,048 tokens is trained on the rest, then a GPT-2 of 6 layers of 8
heads, in three stages: on short windows of repeated spans alone, at the first positions;
on such windows at any positions; then on windows of the whole context of which a tenth
are repeated spans. Without the first two induction heads take far longer to form. Nine
in ten of the repeated spans are tokens drawn at random, of which the first copy does not
count in the loss; the others are spans of text. The matrices of the blocks are
trained by Muon, the rest by Adam. Products are in bfloat16, weights and sums in float32. A
checkpoint is written into --work, outside the tree, every hundred steps; running the
command again goes on from there.
"""

import argparse
import json
import math
import os
import re
import subprocess
import sys
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from muon import orthogonal  # noqa: E402

VOCAB, CONTEXT, WIDTH, LAYERS, HEADS = 2048, 256, 192, 6, 8
END = "<|endoftext|>"
# Steps; windows a step and tokens a window; the share of windows that are repeated spans,
# and the longest span; the last position where a window may begin; the learning rate of
# the matrices at the begin and the end; dropout.
STAGES = [
    dict(steps=700, windows=64, length=64, repeats=1.0, longest=32, offset=0,
         high=0.02, low=0.02, dropout=0.05),
    dict(steps=500, windows=64, length=64, repeats=1.0, longest=32, offset=192,
         high=0.02, low=0.02, dropout=0.05),
    dict(steps=3000, windows=16, length=256, repeats=0.1, longest=127, offset=0,
         high=0.02, low=0.0005, dropout=0.1)]
WARM_UP, ADAM_SHARE, DECAY = 30, 0.2, 0.05
SEED = 20261124


def read_chapters():
    """The Bible's chapters in order, each a text with one verse a line."""
    out = subprocess.run(["bible", "-f"], input="Genesis 1:1-Revelation 22:21\nquit\n",
                         text=True, capture_output=True, check=True).stdout
    chapters, last = [], None
    for line in out.split("bible(KJV)", 1)[1].splitlines():  # after the greeting
        found = re.match(r"^([1-3]?[A-Za-z]+\d+):(\d+) (.*)$", line)
        if not found:
            continue
        chapter, _, verse = found.groups()
        if chapter != last:
            chapters.append([])
            last = chapter
        chapters[-1].append(" ".join(verse.split()))
    return ["\n".join(c) + "\n" for c in chapters]


def make_tokenizer(chapters, path):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from tokenizers import trainers
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    t.train_from_iterator(chapters, trainers.BpeTrainer(
        vocab_size=VOCAB, special_tokens=[END], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    t.save(path)
    return t


class Conv1D(nn.Module):
    """GPT-2 stores its dense weights as (in, out)."""

    def __init__(self, n_in, n_out, share=1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_in, n_out) * share / math.sqrt(n_in))
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x):
        return x @ self.weight + self.bias


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_attn = Conv1D(WIDTH, 3 * WIDTH)
        self.c_proj = Conv1D(WIDTH, WIDTH, 1 / math.sqrt(2 * LAYERS))

    def forward(self, x, maps=None):
        b, t, d = x.shape
        q, k, v = (y.view(b, t, HEADS, d // HEADS).transpose(1, 2)
                   for y in self.c_attn(x).split(d, 2))
        if maps is not None:
            scores = q @ k.transpose(-1, -2) / math.sqrt(d // HEADS)
            future = torch.ones(t, t, dtype=torch.bool).triu(1)
            maps.append(scores.masked_fill(future, -torch.inf).softmax(-1))
        z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(z.transpose(1, 2).reshape(b, t, d))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1 = nn.LayerNorm(WIDTH, eps=1e-5)
        self.attn = Attention()
        self.ln_2 = nn.LayerNorm(WIDTH, eps=1e-5)
        self.mlp = nn.Module()
        self.mlp.c_fc = Conv1D(WIDTH, 4 * WIDTH)
        self.mlp.c_proj = Conv1D(4 * WIDTH, WIDTH, 1 / math.sqrt(2 * LAYERS))
        self.drop = nn.Dropout(0.0)

    def forward(self, x, maps=None):
        x = x + self.drop(self.attn(self.ln_1(x), maps))
        h = F.gelu(self.mlp.c_fc(self.ln_2(x)), approximate="tanh")
        return x + self.drop(self.mlp.c_proj(h))


class Gpt(nn.Module):
    """Module names are those of the Hugging Face layout, so state_dict is the file."""

    def __init__(self):
        super().__init__()
        self.transformer = nn.Module()
        self.transformer.wte = nn.Embedding(VOCAB, WIDTH)
        self.transformer.wpe = nn.Embedding(CONTEXT, WIDTH)
        self.transformer.h = nn.ModuleList([Block() for _ in range(LAYERS)])
        self.transformer.ln_f = nn.LayerNorm(WIDTH, eps=1e-5)
        nn.init.normal_(self.transformer.wte.weight, std=0.1)
        # Positions begin as sinusoids, in which "one before" is a rotation: heads that
        # look at the previous token form sooner than from noise.
        angle = (torch.arange(CONTEXT)[:, None]
                 * 1e4 ** (-torch.arange(0, WIDTH, 2)[None] / WIDTH))
        waves = torch.stack([angle.sin(), angle.cos()], -1).flatten(1)
        self.transformer.wpe.weight.data.copy_(0.14 * waves)

    def forward(self, ids, maps=None, first_position=None):
        positions = torch.arange(ids.shape[1])
        if first_position is not None:
            positions = positions + first_position[:, None]
        x = self.transformer.wte(ids) + self.transformer.wpe(positions)
        for block in self.transformer.h:
            x = block(x, maps)
        return self.transformer.ln_f(x) @ self.transformer.wte.weight.T


def draw_batch(ids, step, stage):
    """(windows, tokens + 1) ids, which of the targets count, and the first positions."""
    n_windows, length, longest = stage["windows"], stage["length"], stage["longest"]
    rng = np.random.default_rng([SEED, step])
    rows = np.empty((n_windows, length + 1), np.int64)
    counts = np.ones((n_windows, length), bool)
    for i in range(n_windows):
        start = rng.integers(0, len(ids) - length - 1)
        rows[i] = ids[start:start + length + 1]
        if rng.random() >= stage["repeats"]:
            continue
        n = int(rng.integers(4, longest + 1))
        is_random = rng.random() < 0.9
        span = rng.integers(1, VOCAB, n) if is_random else rows[i, :n].copy()
        rows[i] = np.concatenate([[0], np.resize(span, length)])
        if is_random:
            counts[i, :n] = False
    first = rng.integers(0, stage["offset"] + 1, n_windows)
    return torch.from_numpy(rows), torch.from_numpy(counts), torch.from_numpy(first)


def find_stage(step):
    """(the stage, how far it is gone)."""
    for stage in STAGES:
        if step < stage["steps"]:
            return stage, step / stage["steps"]
        step -= stage["steps"]


class Muon:
    """Momentum whose updates are made orthogonal: for the blocks' matrices. Q, K and V
    are three matrices side by side and treated as three."""

    def __init__(self, parameters):
        self.parameters = parameters
        self.momentum = [torch.zeros_like(p) for p in parameters]

    @torch.no_grad()
    def step(self, lr):
        for p, m in zip(self.parameters, self.momentum):
            m.mul_(0.95).add_(p.grad)
            g = p.grad + 0.95 * m
            parts = g.split(WIDTH, 1) if g.shape[1] == 3 * WIDTH else (g,)
            update = torch.cat([orthogonal(x.bfloat16()).float()
                                * max(1, x.shape[1] / x.shape[0]) ** 0.5 for x in parts], 1)
            p.mul_(1 - lr * DECAY).add_(update, alpha=-lr)


@torch.no_grad()
def held_out_loss(model, ids):
    """Nats a token over windows that do not overlap; each begins without context."""
    model.eval()
    total, n = 0.0, 0
    for i in range(0, len(ids) - CONTEXT - 1, CONTEXT):
        row = torch.from_numpy(ids[i:i + CONTEXT + 1].astype(np.int64))[None]
        total += F.cross_entropy(model(row[:, :-1])[0], row[0, 1:], reduction="sum").item()
        n += CONTEXT
    model.train()
    return total / n, n


@torch.no_grad()
def head_scores(model, n=64, sequences=16):
    """Previous-token and induction scores (LAYERS, HEADS) on random repeated tokens."""
    model.eval()
    rng = np.random.default_rng(SEED)
    span = rng.integers(1, VOCAB, (sequences, n))
    ids = np.concatenate([np.zeros((sequences, 1), np.int64), span, span], 1)
    maps = []
    model(torch.from_numpy(ids), maps)
    model.train()
    at = np.arange(1, 2 * n + 1)
    second = np.arange(n + 2, 2 * n + 1)
    previous = [[m[:, h, at, at - 1].mean().item() for h in range(HEADS)] for m in maps]
    induction = [[m[:, h, second, second - n + 1].mean().item() for h in range(HEADS)]
                 for m in maps]
    return previous, induction


def best(scores):
    value, layer, head = max((v, i, j) for i, row in enumerate(scores)
                             for j, v in enumerate(row))
    return {"head": f"{layer}.{head}", "score": round(value, 4)}


def write_json(folder, name, value):
    with open(os.path.join(folder, name), "w") as f:
        json.dump(value, f, indent=2)
        f.write("\n")


def export(model, folder, scores):
    from safetensors.torch import save_file
    state = {k: v.detach().half().contiguous() for k, v in model.state_dict().items()}
    save_file(state, os.path.join(folder, "model.safetensors"), {"format": "pt"})
    write_json(folder, "config.json", {
        "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2",
        "vocab_size": VOCAB, "n_positions": CONTEXT, "n_ctx": CONTEXT, "n_embd": WIDTH,
        "n_layer": LAYERS, "n_head": HEADS, "n_inner": None,
        "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5,
        "tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 0,
        "torch_dtype": "float16"})
    write_json(folder, "tokenizer_config.json", {
        "tokenizer_class": "GPT2Tokenizer", "bos_token": END, "eos_token": END,
        "unk_token": END, "add_bos_token": False, "add_prefix_space": False,
        "model_max_length": CONTEXT})
    write_json(folder, "generation_config.json", {
        "bos_token_id": 0, "eos_token_id": 0})
    write_json(folder, "scores.json", scores)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--work", required=True, help="folder for checkpoints")
    args.add_argument("--out", default=here, help="folder for the model files")
    args.add_argument("--threads", type=int, default=0)
    args = args.parse_args()
    os.makedirs(args.work, exist_ok=True)
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)

    chapters = read_chapters()
    held = [c for i, c in enumerate(chapters) if i % 20 == 19]
    train = [c for i, c in enumerate(chapters) if i % 20 != 19]
    tokenizer = make_tokenizer(train, os.path.join(args.out, "tokenizer.json"))

    def encode(texts):
        return np.array([i for t in texts for i in tokenizer.encode(END + t).ids], np.int32)

    train_ids, held_ids = encode(train), encode(held)
    print(f"{len(chapters)} chapters, {len(train_ids)} tokens to train, "
          f"{len(held_ids)} held out", flush=True)

    model = Gpt()
    named = list(model.named_parameters())
    is_matrix = {n: p.ndim == 2 and ".h." in n for n, p in named}
    muon = Muon([p for n, p in named if is_matrix[n]])
    adam = torch.optim.AdamW([p for n, p in named if not is_matrix[n]], betas=(0.9, 0.95),
                             weight_decay=0.0)
    saved = os.path.join(args.work, "checkpoint.pt")
    step, seconds, log = 0, 0.0, []
    if os.path.exists(saved):
        ckpt = torch.load(saved, weights_only=False)
        model.load_state_dict(ckpt["model"])
        adam.load_state_dict(ckpt["adam"])
        muon.momentum = ckpt["momentum"]
        step, seconds, log = ckpt["step"], ckpt["seconds"], ckpt["log"]
    began = time.time() - seconds
    total = sum(stage["steps"] for stage in STAGES)
    while step < total:
        stage, gone = find_stage(step)
        falling = 0.5 * (1 + math.cos(math.pi * gone))
        lr = (min(1, (step + 1) / WARM_UP)
              * (stage["low"] + (stage["high"] - stage["low"]) * falling))
        for group in adam.param_groups:
            group["lr"] = ADAM_SHARE * lr
        for block in model.transformer.h:
            block.drop.p = stage["dropout"]
        rows, counts, first = draw_batch(train_ids, step, stage)
        torch.manual_seed(SEED + step)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(rows[:, :-1], first_position=first)
        loss = F.cross_entropy(logits.float()[counts], rows[:, 1:][counts])
        model.zero_grad(set_to_none=True)
        loss.backward()
        muon.step(lr)
        adam.step()
        step += 1
        if step % 20 == 0:
            print(f"  {step}/{total} loss {loss.item():.4f} "
                  f"{time.time() - began:.0f} s", flush=True)
        if step % 100 == 0 or step == total:
            if step % 200 == 0 or step == total:
                nats, _ = held_out_loss(model, held_ids)
                previous, induction = head_scores(model)
                log.append({"step": step, "held_out_nats": round(nats, 4),
                            "previous_token": best(previous),
                            "induction": best(induction)})
                print(log[-1], flush=True)
            torch.save({"step": step, "model": model.state_dict(), "log": log,
                        "adam": adam.state_dict(), "momentum": muon.momentum,
                        "seconds": time.time() - began}, saved + ".new")
            os.replace(saved + ".new", saved)
    seconds = time.time() - began

    half = Gpt()
    half.load_state_dict({k: v.half().float() for k, v in model.state_dict().items()})
    nats, n = held_out_loss(half, held_ids)
    n_bytes = sum(len(t.encode()) for t in held)
    previous, induction = head_scores(half)
    export(model, args.out, {
        "held_out_nats_per_token_float16_weights": round(nats, 4), "held_out_tokens": n,
        "held_out_bytes_per_token": round(n_bytes / len(held_ids), 4),
        "best_previous_token": best(previous), "best_induction": best(induction),
        "previous_token": [[round(v, 4) for v in row] for row in previous],
        "induction": [[round(v, 4) for v in row] for row in induction],
        "seed": SEED, "steps": total, "training_tokens": len(train_ids),
        "training_seconds": round(seconds), "torch": torch.__version__,
        "threads": torch.get_num_threads(), "log": log})
    print(f"exported; float16 weights: {nats:.4f} nats a token")


if __name__ == "__main__":
    main()
