#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Train the vision transformer that ships with Headlight.

    apt install dataset-fashion-mnist
    pip install torch safetensors numpy
    python3 train.py --work ~/vit-fashion-work

The data are the 70,000 labelled 28x28 pictures of Fashion-MNIST (MIT licence).
Patches are 2x2 pixels: 14x14 patches and a CLS token make 197 tokens, the geometry
of ViT-B/16. Attention over 197 tokens is slow on a CPU, so training runs in stages:
first on pictures halved to 14x14 pixels (50 tokens), then at full size with the
position embeddings interpolated, half of the patches dropped at random, and at last
with every token. Every few hundred steps a checkpoint is written into --work, outside
the tree; running the command again goes on from there.
"""

import argparse
import gzip
import json
import math
import os
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
           "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
MEAN, STD = 0.2860, 0.3530
PATCH, WIDTH, LAYERS, HEADS, MLP = 2, 144, 6, 6, 576
# (name, pixels a side, share of patches kept, epochs, highest and last learning rate)
STAGES = [("half size", 14, 1.0, 7.0, 1.5e-3, 3e-4),
          ("full size, half the patches", 28, 0.5, 2.5, 1e-3, 3e-4),
          ("full size, every patch", 28, 1.0, 1.5, 4e-4, 5e-6)]
BATCH = 128
SEED = 20261123


def read_idx(path):
    with gzip.open(path, "rb") as f:
        raw = f.read()
    n_dims = raw[3]
    dims = [int.from_bytes(raw[4 + 4 * i:8 + 4 * i], "big") for i in range(n_dims)]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * n_dims).reshape(dims)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        inner = nn.Module()
        inner.query = nn.Linear(WIDTH, WIDTH)
        inner.key = nn.Linear(WIDTH, WIDTH)
        inner.value = nn.Linear(WIDTH, WIDTH)
        self.attention = inner
        self.output = nn.Module()
        self.output.dense = nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = (f(x).view(b, t, HEADS, d // HEADS).transpose(1, 2)
                   for f in (self.attention.query, self.attention.key,
                             self.attention.value))
        z = F.scaled_dot_product_attention(q, k, v)
        return self.output.dense(z.transpose(1, 2).reshape(b, t, d))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.layernorm_before = nn.LayerNorm(WIDTH, eps=1e-12)
        self.attention = Attention()
        self.layernorm_after = nn.LayerNorm(WIDTH, eps=1e-12)
        self.intermediate = nn.Module()
        self.intermediate.dense = nn.Linear(WIDTH, MLP)
        self.output = nn.Module()
        self.output.dense = nn.Linear(MLP, WIDTH)

    def forward(self, x):
        x = x + self.attention(self.layernorm_before(x))
        h = F.gelu(self.intermediate.dense(self.layernorm_after(x)))
        return x + self.output.dense(h)


class Vit(nn.Module):
    """Module names are those of the Hugging Face layout, so state_dict is the file."""

    def __init__(self, side):
        super().__init__()
        grid = side // PATCH
        self.vit = nn.Module()
        e = self.vit.embeddings = nn.Module()
        e.cls_token = nn.Parameter(torch.randn(1, 1, WIDTH) * 0.02)
        e.position_embeddings = nn.Parameter(
            torch.randn(1, grid * grid + 1, WIDTH) * 0.02)
        e.patch_embeddings = nn.Module()
        e.patch_embeddings.projection = nn.Conv2d(1, WIDTH, PATCH, PATCH)
        self.vit.encoder = nn.Module()
        self.vit.encoder.layer = nn.ModuleList([Block() for _ in range(LAYERS)])
        self.vit.layernorm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.classifier = nn.Linear(WIDTH, len(CLASSES))
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.trunc_normal_(m.weight, std=0.02)
                nn.init.zeros_(m.bias)

    def forward(self, pixels, keep=1.0):
        e = self.vit.embeddings
        x = e.patch_embeddings.projection(pixels).flatten(2).transpose(1, 2)
        x = x + e.position_embeddings[:, 1:]
        if keep < 1.0:
            n = int(x.shape[1] * keep)
            order = torch.rand(x.shape[:2]).argsort(1)[:, :n]
            x = x.gather(1, order[..., None].expand(-1, -1, WIDTH))
        cls = (e.cls_token + e.position_embeddings[:, :1]).expand(len(x), -1, -1)
        x = torch.cat([cls, x], 1)
        for block in self.vit.encoder.layer:
            x = block(x)
        return self.classifier(self.vit.layernorm(x[:, 0]))


def grow(state, side):
    """Interpolate the position embeddings of a state dict to another grid."""
    key = "vit.embeddings.position_embeddings"
    pos, new = state[key], side // PATCH
    old = int(math.isqrt(pos.shape[1] - 1))
    if old != new:
        grid = pos[:, 1:].reshape(1, old, old, WIDTH).permute(0, 3, 1, 2)
        grid = F.interpolate(grid, (new, new), mode="bicubic", align_corners=False)
        state[key] = torch.cat([pos[:, :1], grid.flatten(2).transpose(1, 2)], 1)
    return state


def augment(x, generator):
    """Mirror half of the pictures and shift every one by up to two pixels."""
    n, side = len(x), x.shape[-1]
    flip = torch.rand(n, generator=generator) < 0.5
    x = torch.where(flip[:, None, None, None], x.flip(-1), x)
    reach = 2 if side == 28 else 1
    padded = F.pad(x, [reach] * 4, value=-MEAN / STD)
    dy, dx = torch.randint(0, 2 * reach + 1, (2, n), generator=generator)
    rows = (dy[:, None] + torch.arange(side))[:, :, None].expand(-1, -1, side)
    columns = (dx[:, None] + torch.arange(side))[:, None, :].expand(-1, side, -1)
    return padded[torch.arange(n)[:, None, None], 0, rows, columns][:, None]


@torch.no_grad()
def evaluate(model, x, y):
    model.eval()
    right, loss = 0, 0.0
    for i in range(0, len(x), 250):
        logits = model(x[i:i + 250])
        right += (logits.argmax(1) == y[i:i + 250]).sum().item()
        loss += F.cross_entropy(logits, y[i:i + 250], reduction="sum").item()
    model.train()
    return right / len(x), loss / len(x)


def export(model, folder, scores):
    from safetensors.torch import save_file
    state = {k: v.detach().half().contiguous() for k, v in model.state_dict().items()}
    save_file(state, os.path.join(folder, "model.safetensors"), {"format": "pt"})
    names = {str(i): c for i, c in enumerate(CLASSES)}
    config = {
        "architectures": ["ViTForImageClassification"], "model_type": "vit",
        "hidden_size": WIDTH, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "intermediate_size": MLP, "hidden_act": "gelu",
        "layer_norm_eps": 1e-12, "qkv_bias": True, "image_size": 28,
        "patch_size": PATCH, "num_channels": 1, "torch_dtype": "float16",
        "attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.0,
        "id2label": names, "label2id": {c: int(i) for i, c in names.items()}}
    processor = {
        "image_processor_type": "ViTImageProcessor", "do_resize": True,
        "size": {"height": 28, "width": 28}, "resample": 2, "do_rescale": True,
        "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [MEAN],
        "image_std": [STD]}
    for name, value in (("config.json", config), ("preprocessor_config.json", processor),
                        ("scores.json", scores)):
        with open(os.path.join(folder, name), "w") as f:
            json.dump(value, f, indent=2)
            f.write("\n")


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    args.add_argument("--work", required=True, help="folder for checkpoints")
    args.add_argument("--out", default=here, help="folder for the model files")
    args.add_argument("--threads", type=int, default=0)
    args = args.parse_args()
    os.makedirs(args.work, exist_ok=True)
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)

    def load(kind):
        images = read_idx(os.path.join(args.data, kind + "-images-idx3-ubyte.gz"))
        labels = read_idx(os.path.join(args.data, kind + "-labels-idx1-ubyte.gz"))
        x = (torch.from_numpy(images.copy()).float() / 255 - MEAN) / STD
        return x[:, None], torch.from_numpy(labels.astype(np.int64))

    train_x, train_y = load("train")
    test_x, test_y = load("t10k")
    saved = os.path.join(args.work, "checkpoint.pt")
    ckpt = torch.load(saved, weights_only=False) if os.path.exists(saved) else None
    seconds = ckpt["seconds"] if ckpt else 0.0
    start_stage = ckpt["stage"] if ckpt else 0
    state = ckpt["model"] if ckpt else None
    log = ckpt["log"] if ckpt else []

    for stage in range(start_stage, len(STAGES)):
        name, side, keep, epochs, lr_high, lr_low = STAGES[stage]
        x = train_x if side == 28 else F.avg_pool2d(train_x, 2)
        tx = test_x if side == 28 else F.avg_pool2d(test_x, 2)
        model = Vit(side)
        if state:
            model.load_state_dict(grow(state, side))
        decay = [p for p in model.parameters() if p.ndim == 2 or p.ndim == 4]
        rest = [p for p in model.parameters() if not (p.ndim == 2 or p.ndim == 4)]
        optimizer = torch.optim.AdamW(
            [{"params": decay, "weight_decay": 0.05},
             {"params": rest, "weight_decay": 0.0}], lr=lr_high, betas=(0.9, 0.98))
        step, total = 0, int(epochs * (len(x) // BATCH))
        if ckpt and ckpt["stage"] == stage and ckpt["optimizer"]:
            step = ckpt["step"]
            optimizer.load_state_dict(ckpt["optimizer"])
        print(f"{name}: {total} steps, from step {step}", flush=True)
        began = time.time()
        while step < total:
            generator = torch.Generator().manual_seed(SEED + 1000003 * stage + step)
            epoch, i = divmod(step, len(x) // BATCH)
            order = torch.Generator().manual_seed(SEED + 7919 * stage + epoch)
            pick = torch.randperm(len(x), generator=order)[i * BATCH:(i + 1) * BATCH]
            warm = min(1.0, (step + 1) / 200)
            lr = warm * (lr_low + (lr_high - lr_low) * 0.5
                         * (1 + math.cos(math.pi * step / total)))
            for group in optimizer.param_groups:
                group["lr"] = lr
            torch.manual_seed(SEED + 31 * step)
            logits = model(augment(x[pick], generator), keep)
            loss = F.cross_entropy(logits, train_y[pick], label_smoothing=0.05)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            if step % 50 == 0:
                print(f"  {step}/{total} loss {loss.item():.4f} lr {lr:.2e} "
                      f"{(time.time() - began):.0f} s", flush=True)
            if step % 200 == 0 or step == total:
                torch.save({"stage": stage, "step": step, "model": model.state_dict(),
                            "optimizer": optimizer.state_dict(), "log": log,
                            "seconds": seconds + time.time() - began}, saved + ".new")
                os.replace(saved + ".new", saved)
        seconds += time.time() - began
        accuracy, loss = evaluate(model, tx, test_y)
        log.append({"stage": name, "pixels": side, "epochs": epochs,
                    "test_accuracy": accuracy, "test_loss_nats": round(loss, 4),
                    "seconds_so_far": round(seconds)})
        print(f"{name}: accuracy {accuracy:.4f}, loss {loss:.4f}", flush=True)
        state = model.state_dict()
        ckpt = None
        torch.save({"stage": stage + 1, "step": 0, "model": state, "log": log,
                    "optimizer": None, "seconds": seconds}, saved)

    model = Vit(28)
    model.load_state_dict(state)
    half = Vit(28)
    half.load_state_dict({k: v.half().float() for k, v in state.items()})
    accuracy, loss = evaluate(half, test_x, test_y)
    export(model, args.out, {
        "test_accuracy_float16_weights": accuracy, "test_loss_nats": round(loss, 4),
        "test_images": len(test_x), "seed": SEED, "training_seconds": round(seconds),
        "torch": torch.__version__, "threads": torch.get_num_threads(),
        "stages": log})
    print(f"exported; float16 weights: accuracy {accuracy:.4f}, loss {loss:.4f}")


if __name__ == "__main__":
    main()
