#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Saliency of golden models by the reference framework and NumPy, for test-saliency.c.

    pip install torch transformers safetensors networkx numpy
    python3 make-saliency.py      writes saliency.json

Gradients are those of autograd in float64 at the output of the embedding (of a picture of
the patches' convolution, from which that of a black picture of zeros is taken); maps and
their gradients are what the library hands out; rules are written here anew, flow is
networkx'. README.md says which versions.
"""

import json
import os

import networkx
import numpy as np
import torch
import transformers as t
from safetensors.torch import load_file

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, "models")
STEPS = 16
# Folder, class, the row that is read (None: the model's own place), target, against.
CASES = [("vit-tiny", t.ViTForImageClassification, None, 3, -1),
         ("bert-classes", t.BertForSequenceClassification, None, 1, 2),
         ("gpt2-tiny", t.GPT2LMHeadModel, 23, 41, -1),
         ("gpt2-tiny", t.GPT2LMHeadModel, 12, 7, 90),
         ("llama-gqa4", t.LlamaForCausalLM, 39, 11, -1),
         ("mistral-tiny", t.MistralForCausalLM, 17, 60, -1),
         ("bart-tiny", t.BartForConditionalGeneration, 10, 33, -1),
         ("bart-tiny", t.BartForConditionalGeneration, 4, 70, 5),
         ("t5-gated", t.T5ForConditionalGeneration, 7, 50, -1)]


class Case:
    def __init__(self, name, kind, row, index, against):
        self.name, self.row, self.index, self.against = name, row, index, against
        folder = os.path.join(MODELS, name)
        self.model = kind.from_pretrained(folder, attn_implementation="eager").double().eval()
        e = load_file(os.path.join(folder, "expected.safetensors"))
        if "pixel_values" in e:
            self.given = {"pixel_values": e["pixel_values"].double()}
        elif "source_ids" in e:
            self.given = {"input_ids": e["source_ids"].long(),
                          "decoder_input_ids": e["input_ids"].long()[:, :row + 1]}
        else:
            n = row + 1 if row is not None else None
            self.given = {"input_ids": e["input_ids"].long()[:, :n]}
            if "token_type_ids" in e:
                self.given["token_type_ids"] = e["token_type_ids"].long()
        self.module = self.find_embedding()
        self.is_picture = "pixel_values" in self.given

    def find_embedding(self):
        if "pixel_values" in self.given:
            return self.model.vit.embeddings.patch_embeddings.projection
        if "decoder_input_ids" in self.given:
            # Both towers share it: the encoder is called first.
            return self.model.get_encoder().embed_tokens
        return self.model.get_input_embeddings()

    def run(self, put=None, given=None):
        """(z, the embeddings, outputs); @put stands in place of the first embeddings."""
        seen = []

        def hook(module, inputs, output):
            if seen:
                return None
            x = output if put is None else put.reshape(output.shape)
            x = x.detach().requires_grad_(True)
            seen.append(x)
            return x
        handle = self.module.register_forward_hook(hook)
        out = self.model(**(given or self.given), output_attentions=True)
        handle.remove()
        logits = out.logits[0] if out.logits.dim() == 2 else out.logits[0, -1]
        z = logits[self.index] - (logits[self.against] if self.against >= 0 else 0)
        return z, seen[0], out

    def tokens(self, x):
        """(T, D) of what the hook saw."""
        return x[0].flatten(1).T if self.is_picture else x[0]

    def back(self, rows, like):
        return (rows.T if self.is_picture else rows).reshape(like.shape)


def baseline(case, x, kind):
    if case.is_picture:
        pixels = case.given["pixel_values"]
        if kind == "mean":
            pixels = pixels.mean((2, 3), keepdim=True).expand_as(pixels)
        else:
            pixels = torch.zeros_like(pixels)
        with torch.no_grad():
            return case.module(pixels)
    rows = case.tokens(x)
    return case.back(rows.mean(0, keepdim=True).expand_as(rows) if kind == "mean"
                     else torch.zeros_like(rows), x)


def gradient(case, at):
    z, x, _ = case.run(at)
    z.backward()
    return z.item(), x.grad


def scores(case, weights):
    """Of each token; CLS of a picture is none of it."""
    return [0.0] * case.is_picture + case.tokens(weights).sum(1).tolist()


def by_gradients(case, kind):
    z, x, _ = case.run()
    x = x.detach()
    x0 = baseline(case, x, kind)
    value, g = gradient(case, x)
    low, _ = gradient(case, x0)
    points = [gradient(case, x0 + (k + 0.5) / STEPS * (x - x0))[1] for k in range(STEPS)]
    found = {"z": value, "difference": value - low,
             "gradient-input": scores(case, (x - x0) * g),
             "integrated-gradients": scores(case, (x - x0) * sum(points) / STEPS)}
    rows, rows0, lost = case.tokens(x), case.tokens(x0), [0.0] * case.is_picture
    for i in range(rows.shape[0]):
        without = rows.clone()
        without[i] = rows0[i]
        with torch.no_grad():
            lost.append(value - case.run(case.back(without, x))[0].item())
    found["occlusion"] = lost
    return found


# ---- along the maps -----------------------------------------------------------------------


def maps_and_slopes(case):
    """{"own", "encoder", "decoder", "cross": [(A, dz/dA) of each layer]} as arrays."""
    z, _, out = case.run()
    towers = ({"encoder": out.encoder_attentions, "decoder": out.decoder_attentions,
               "cross": out.cross_attentions} if "decoder_input_ids" in case.given
              else {"own": out.attentions})
    for maps in towers.values():
        for a in maps:
            a.retain_grad()
    z.backward()
    return {k: [(a[0].detach().numpy(),
                 a.grad[0].numpy() if a.grad is not None else np.zeros(a[0].shape))
                for a in maps] for k, maps in towers.items()}


def mean_positive(a, g):
    return np.maximum(a * g, 0).mean(0)


def add_identity(a):
    both = a + np.eye(len(a))
    return both / both.sum(1, keepdims=True)


def rollout(maps):
    r = np.eye(maps[0][0].shape[1])
    for a, _ in maps:
        r = add_identity(a.mean(0)) @ r
    return r


def normalise(r):
    rest = r - np.eye(len(r))
    sums = rest.sum(1, keepdims=True)
    return np.divide(rest, sums, out=np.zeros_like(rest), where=sums != 0) + np.eye(len(r))


def relevance(maps):
    if "own" in maps:
        r = np.eye(maps["own"][0][0].shape[1])
        for a, g in maps["own"]:
            r = r + mean_positive(a, g) @ r
        return r, None
    ee = np.eye(maps["encoder"][0][0].shape[1])
    for a, g in maps["encoder"]:
        ee = ee + mean_positive(a, g) @ ee
    dd = np.eye(maps["decoder"][0][0].shape[1])
    de = np.zeros((len(dd), len(ee)))
    for (a, g), (c, cg) in zip(maps["decoder"], maps["cross"]):
        own = mean_positive(a, g)
        dd, de = dd + own @ dd, de + own @ de
        de = de + normalise(dd).T @ mean_positive(c, cg) @ normalise(ee)
    return de, dd


def flow(maps, row):
    graph = networkx.DiGraph()
    n = maps[0][0].shape[1]
    for layer, (a, _) in enumerate(maps):
        wide = add_identity(a.mean(0))
        for i in range(n):
            for j in range(n):
                if wide[i, j] > 0:
                    graph.add_edge((layer + 1, i), (layer, j), capacity=float(wide[i, j]))
    flows = np.array([networkx.maximum_flow_value(graph, (len(maps), row), (0, s))
                      if graph.has_node((0, s)) else 0 for s in range(n)])
    return flows / flows.sum()


def by_maps(case):
    maps = maps_and_slopes(case)
    row = 0 if case.row is None else case.row
    all_relevance, own = relevance(maps)
    found = {"relevance": all_relevance[row].tolist()}
    if own is None:
        steepest = maps["own"]
        rolled = rollout(maps["own"])
        found["flow"] = flow(maps["own"], row).tolist()
    else:
        steepest = maps["cross"]
        decoder, encoder = rollout(maps["decoder"]), rollout(maps["encoder"])
        cross = np.mean([a.mean(0) for a, _ in maps["cross"]], 0)
        rolled = decoder @ cross @ encoder
        found["own-relevance"] = own[row].tolist()
        found["own-rollout"] = decoder[row].tolist()
    found["rollout"] = rolled[row].tolist()
    found["attention-gradient"] = sum(mean_positive(a, g) for a, g in steepest)[row].tolist()
    return found


def main():
    cases = []
    for arguments in CASES:
        case = Case(*arguments)
        found = {"model": case.name, "row": -1 if case.row is None else case.row,
                 "index": case.index, "against": case.against, "steps": STEPS,
                 "zero": by_gradients(case, "zero"), "mean": by_gradients(case, "mean"),
                 "maps": by_maps(case)}
        print(case.name, found["row"], "z %.4f" % found["zero"]["z"],
              "IG misses %.1e" % (sum(found["zero"]["integrated-gradients"])
                                  - found["zero"]["difference"]))
        cases.append(found)
    with open(os.path.join(HERE, "saliency.json"), "w", encoding="utf-8") as f:
        json.dump(cases, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
