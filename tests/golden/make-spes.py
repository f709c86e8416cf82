#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""SPES of golden models by the reference library and NumPy, for test-spes.c.

    pip install torch transformers safetensors numpy
    python3 make-spes.py      writes spes.json

Masks are drawn by the generator that hl-spes.h describes, segments cut as hl-slic.h says;
both, the divergences and what becomes of them are written here anew. Models run in
float64, one mask at a time. README.md says which versions.
"""

import json
import math
import os

import numpy as np
import torch
import transformers as t
from safetensors.torch import load_file

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, "models")
MASK64 = (1 << 64) - 1
SEED, N_MASKS = 2026, 60
COMPACTNESS, SIGMA, ITERATIONS, LEAST_CELLS = 0.1, 1.0, 10, 16
# Folder, class, where, baseline, granularities (none: the defaults), mean pooling.
CASES = [("gpt2-tiny", t.GPT2LMHeadModel, "tokens", "zero", [], False),
         ("gpt2-tiny", t.GPT2LMHeadModel, "tokens", "mean", [], False),
         ("bert-classes", t.BertForSequenceClassification, "tokens", "zero", [], False),
         ("bart-tiny", t.BartForConditionalGeneration, "tokens", "mean", [], False),
         ("bart-tiny", t.BartForConditionalGeneration, "features", "zero", [], False),
         ("vit-nonsquare-patch", t.ViTForImageClassification, "cells", "zero", [], False),
         ("vit-tiny", t.ViTForImageClassification, "cells", "mean", [12, 30], True),
         ("whisper-tiny", t.WhisperForConditionalGeneration, "cells", "zero", [], False),
         ("whisper-tiny", t.WhisperForConditionalGeneration, "cells", "mean", [9], True),
         ("whisper-tiny", t.WhisperForConditionalGeneration, "features", "mean", [], False),
         ("whisper-tiny", t.WhisperForConditionalGeneration, "features", "zero", [3, 5], False)]


# ---- masks --------------------------------------------------------------------------------


def mix(x):
    x = ((x ^ (x >> 30)) * 0xbf58476d1ce4e5b9) & MASK64
    x = ((x ^ (x >> 27)) * 0x94d049bb133111eb) & MASK64
    return x ^ (x >> 31)


def draw(mask, n):
    begin = mix((SEED << 32) + mask)
    return np.array([mix((begin + (u + 1) * 0x9e3779b97f4a7c15) & MASK64) >> 63 == 1
                     for u in range(n)])


# ---- segments -----------------------------------------------------------------------------


def blur(channel, sigma):
    reach = math.ceil(3 * sigma)
    for axis in (1, 0):
        turned = np.moveaxis(channel, axis, 0).astype(np.float64)
        out = np.zeros_like(turned)
        for i in range(len(turned)):
            j = np.arange(max(0, i - reach), min(len(turned) - 1, i + reach) + 1)
            w = np.exp(-0.5 * (i - j) ** 2 / sigma ** 2)
            out[i] = (w[:, None] * turned[j]).sum(0) / w.sum()
        channel = np.moveaxis(out, 0, axis).astype(np.float32)
    return channel


def grid(h, w, n):
    def near(x, most):
        return min(max(math.floor(x + 0.5), 1), most)
    rows = near(math.sqrt(n * h / w), h)
    columns = near(n / rows, w)
    if columns == w:
        rows = near(n / w, h)
    return rows, columns


def slic(image, n):
    """(H, W) labels of image (H, W, C)."""
    h, w, _ = image.shape
    n = min(max(n, 1), h * w)
    image = np.stack([blur(image[..., c], SIGMA) for c in range(image.shape[2])], -1)
    image = image.astype(np.float64)
    rows, columns = grid(h, w, n)
    step = math.sqrt(h / rows * (w / columns))
    reach = 2 * max(h / rows, w / columns)
    y, x = np.mgrid[:h, :w]
    labels = (y * rows // h) * columns + x * columns // w
    place = np.array([((i // columns + 0.5) * h / rows - 0.5,
                       (i % columns + 0.5) * w / columns - 0.5) for i in range(rows * columns)])
    colour = np.array([image[min(math.floor(a + 0.5), h - 1), min(math.floor(b + 0.5), w - 1)]
                       for a, b in place])
    for _ in range(ITERATIONS):
        best = np.full((h, w), np.inf)
        for i, (a, b) in enumerate(place):
            d = (((image - colour[i]) ** 2).sum(-1) / COMPACTNESS ** 2
                 + ((y - a) ** 2 + (x - b) ** 2) / step ** 2)
            nearer = (abs(y - a) <= reach) & (abs(x - b) <= reach) & (d < best)
            best[nearer], labels[nearer] = d[nearer], i
        for i in range(len(place)):
            own = labels == i
            if own.any():
                place[i] = y[own].mean(), x[own].mean()
                colour[i] = image[own].mean(0)
    return connect(labels, n)


def connect(labels, n):
    h, w = labels.shape
    out = np.full((h, w), -1)
    found = 0
    for r in range(h):
        for c in range(w):
            if out[r, c] >= 0:
                continue
            part, waiting = [], [(r, c)]
            out[r, c] = found
            while waiting:
                a, b = waiting.pop()
                part.append((a, b))
                for p, q in ((a - 1, b), (a + 1, b), (a, b - 1), (a, b + 1)):
                    if 0 <= p < h and 0 <= q < w and out[p, q] < 0 and labels[p, q] == labels[a, b]:
                        out[p, q] = found
                        waiting.append((p, q))
            other = out[r - 1, c] if r > 0 else out[r, c - 1] if c > 0 else -1
            if 4 * len(part) * n < h * w and other >= 0:
                for p in part:
                    out[p] = other
            else:
                found += 1
    return out


# ---- models -------------------------------------------------------------------------------


class Case:
    def __init__(self, name, kind, where, baseline, granularities, takes_mean):
        self.where, self.takes_mean = where, takes_mean
        folder = os.path.join(MODELS, name)
        self.model = kind.from_pretrained(folder, attn_implementation="eager").double().eval()
        e = load_file(os.path.join(folder, "expected.safetensors"))
        self.ids = e["input_ids"].long() if "input_ids" in e else None
        self.types = e["token_type_ids"].long() if "token_type_ids" in e else None
        self.is_seq = "source_ids" in e or "input_features" in e
        rows = [-1] if self.model.config.is_encoder_decoder is False and (
            self.ids is None or "classes" in name) else list(range(self.ids.shape[1] - 1))
        self.targets = [(r, int(self.ids[0, r + 1]) if r >= 0 else 1) for r in rows]
        if rows[0] >= 0:  # what is read beyond the last row changes nothing
            self.ids = self.ids[:, :-1]
        with torch.no_grad():
            self.take(e, baseline, granularities)

    def take(self, e, baseline, granularities):
        """own and other: what is hidden and what stands behind it; labels of each cell."""
        if self.where == "cells":
            own = e["pixel_values"] if "pixel_values" in e else e["input_features"]
            self.own = own.numpy()[0]  # (C, H, W) or (n_mels, frames)
            planes = self.own if self.own.ndim == 3 else self.own[None]
            image = np.moveaxis(planes, 0, -1)
            least, most = image.min(), image.max()
            image = (image - least) / (most - least)
            if baseline == "mean":
                axes = (1, 2) if self.own.ndim == 3 else (1,)
                self.other = np.broadcast_to(self.own.astype(np.float64).mean(axes, keepdims=True)
                                             .astype(np.float32), self.own.shape)
            else:
                self.other = np.full_like(self.own, 0 if self.own.ndim == 3 else self.own.min())
            fits = min(image.shape[0] * image.shape[1] / (LEAST_CELLS * 400), 1)
            wanted = granularities or [max(math.floor(g * fits + 0.5), 2) for g in (200, 300, 400)]
            self.asked, self.labels = wanted, [slic(image, g) for g in wanted]
            return
        if self.where == "features":
            self.own = self.encode(e)[0].numpy()
        elif self.is_seq:
            self.own = self.model.get_encoder().embed_tokens(e["source_ids"].long())[0].numpy()
        else:
            self.own = self.model.get_input_embeddings()(self.ids)[0].numpy()
        self.other = np.zeros_like(self.own) + (self.own.mean(0) if baseline == "mean" else 0)
        n = len(self.own)
        self.asked = granularities or [0]
        self.labels = [np.arange(n)[None] * min(g or n, n) // n for g in self.asked]

    def encode(self, e):
        if "input_features" in e:
            return self.model.get_encoder()(e["input_features"].double()).last_hidden_state
        return self.model.get_encoder()(e["source_ids"].long()).last_hidden_state

    def hide(self, g, hidden):
        cells = hidden[self.labels[g]]
        if self.where == "cells":
            return np.where(cells, self.other, self.own)
        return np.where(cells[0][:, None], self.other, self.own)

    def run(self, x):
        """Log-probabilities (targets, V)."""
        x = torch.from_numpy(np.ascontiguousarray(x)).double()[None]
        if self.where == "features":
            out = self.model(encoder_outputs=(x,), decoder_input_ids=self.ids)
        elif self.where == "cells" and self.is_seq:
            out = self.model(input_features=x, decoder_input_ids=self.ids)
        elif self.where == "cells":
            out = self.model(pixel_values=x)
        elif self.is_seq:
            encoded = self.model.get_encoder()(inputs_embeds=x)
            out = self.model(encoder_outputs=(encoded.last_hidden_state,),
                             decoder_input_ids=self.ids)
        elif self.types is not None:
            out = self.model(inputs_embeds=x, token_type_ids=self.types)
        else:
            out = self.model(inputs_embeds=x)
        logits = out.logits[0] if out.logits.dim() == 3 else out.logits
        return torch.log_softmax(logits, -1)[[max(r, 0) for r, _ in self.targets]].numpy()

    # ---- what is made of it ----

    def token_maps(self, cells):
        """(targets, tokens) of (targets, rows, columns)."""
        pool = np.mean if self.takes_mean else np.max
        if self.where != "cells":
            maps = cells[:, 0].copy()
            for k, (row, _) in enumerate(self.targets):
                if not self.is_seq and row >= 0:
                    maps[k, row + 1:] = np.nan
            return maps
        if self.own.ndim == 2:  # two frames a token
            return np.stack([pool(cells[:, :, i:i + 2], (1, 2))
                             for i in range(0, cells.shape[2], 2)], 1)
        p = self.model.config.patch_size
        ph, pw = (p, p) if isinstance(p, int) else p
        patches = [pool(cells[:, r:r + ph, c:c + pw], (1, 2))
                   for r in range(0, cells.shape[1], ph) for c in range(0, cells.shape[2], pw)]
        return np.stack([np.zeros(len(cells))] + patches, 1)  # CLS


def cell_maps(case, sums, counts):
    total = sum(s[:, labels] for s, labels in zip(sums, case.labels))
    masks = sum(c[labels] for c, labels in zip(counts, case.labels))
    return np.divide(total, masks, out=np.zeros_like(total), where=masks > 0)


def agree(case, halves):
    """Pearson of both halves' token maps, z-scored by target."""
    maps = [case.token_maps(cell_maps(case, *half)) for half in halves]
    if case.where == "cells" and case.own.ndim == 3:
        maps = [m[:, 1:] for m in maps]
    with np.errstate(invalid="ignore", divide="ignore"):
        z = [(m - np.nanmean(m, 1, keepdims=True)) / np.nanstd(m, 1, keepdims=True) for m in maps]
    there = np.isfinite(z[0]) & np.isfinite(z[1])
    return float(np.corrcoef(z[0][there], z[1][there])[0, 1])


def spes(case):
    n, G = len(case.targets), len(case.labels)
    units = [int(labels.max()) + 1 for labels in case.labels]
    sums = [[np.zeros((n, u)) for u in units] for _ in range(2)]
    counts = [[np.zeros(u) for u in units] for _ in range(2)]
    with torch.no_grad():
        own = case.run(case.own)
        for m in range(N_MASKS):
            g, half = m % G, m // G % 2
            hidden = draw(m, units[g])
            masked = case.run(case.hide(g, hidden))
            kl = (np.exp(own) * (own - masked)).sum(1)
            sums[half][g] += kl[:, None] * hidden
            counts[half][g] += hidden
    both = ([a + b for a, b in zip(*sums)], [a + b for a, b in zip(*counts)])
    cells = cell_maps(case, *both)
    return units, cells, case.token_maps(cells), agree(case, list(zip(sums, counts)))


def plain(rows):
    return [[None if math.isnan(x) else x for x in row] for row in rows.tolist()]


def main():
    cases = []
    for name, kind, where, baseline, granularities, takes_mean in CASES:
        case = Case(name, kind, where, baseline, granularities, takes_mean)
        units, cells, scores, r = spes(case)
        found = {"model": name, "at_features": where == "features", "baseline": baseline,
                 "granularities": granularities, "mean": takes_mean, "seed": SEED,
                 "masks": N_MASKS, "asked": case.asked, "units": units,
                 "targets": [list(x) for x in case.targets],
                 "scores": plain(scores), "half_correlation": r}
        if where == "cells":
            found["cells"] = [float(x) for x in cells[0].ravel()]
        print(name, where, baseline, units, "r %.4f" % r, "largest %.4f" % np.nanmax(scores))
        cases.append(found)
    with open(os.path.join(HERE, "spes.json"), "w", encoding="utf-8") as f:
        json.dump(cases, f)
        f.write("\n")


if __name__ == "__main__":
    main()
