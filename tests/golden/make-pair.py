#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a picture and a text are worth together to golden models of two towers, for
test-pair.c.

    python3 make-pair.py      writes pair.json

Both towers run at once, the logit is the library's and is differentiated by autograd in
float64; the rule along the maps (Chefer et al. 2021, generic) is NumPy's.
"""

import json
import os

import numpy as np
import torch
import transformers as t
from safetensors.torch import load_file

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = [("clip-both", t.CLIPModel), ("siglip-both", t.SiglipModel)]


def catch(module):
    """The first output of @module, as something to differentiate by."""
    seen = []

    def hook(_, inputs, output):
        x = output.detach().requires_grad_(True)
        seen.append(x)
        return x
    module.register_forward_hook(hook)
    return seen


def relevance(attentions, row):
    r = np.eye(attentions[0].shape[-1])
    for a in attentions:
        weighed = np.maximum(a[0].detach().numpy() * a.grad[0].numpy(), 0).mean(0)
        r = r + weighed @ r
    return r[row].tolist()


def slope(attentions, row):
    return sum(np.maximum(a[0].detach().numpy() * a.grad[0].numpy(), 0).mean(0)
               for a in attentions)[row].tolist()


def explain(name, kind):
    folder = os.path.join(HERE, "models", name)
    model = kind.from_pretrained(folder, attn_implementation="eager").double().eval()
    pixels = load_file(os.path.join(folder, "expected.safetensors"))["pixel_values"].double()
    ids = load_file(os.path.join(folder, "expected-text.safetensors"))["input_ids"].long()
    patches = catch(model.vision_model.embeddings.patch_embedding)
    tokens = catch(model.text_model.embeddings.token_embedding)
    out = model(input_ids=ids, pixel_values=pixels, output_attentions=True)
    towers = {"image": out.vision_model_output.attentions,
              "text": out.text_model_output.attentions}
    for maps in towers.values():
        for a in maps:
            a.retain_grad()
    z = out.logits_per_image[0, 0]
    z.backward()
    cosine = torch.nn.functional.cosine_similarity(out.image_embeds, out.text_embeds).item()
    found = {"model": name, "z": z.item(), "cosine": cosine,
             "scale": model.logit_scale.exp().item(),
             "offset": model.logit_bias.item() if hasattr(model, "logit_bias") else 0}
    # The zero baseline of a picture is one of zeros.
    with torch.no_grad():
        empty = torch.nn.functional.conv2d(
            torch.zeros_like(pixels), model.vision_model.embeddings.patch_embedding.weight,
            model.vision_model.embeddings.patch_embedding.bias,
            stride=model.vision_model.embeddings.patch_embedding.stride)
    x = patches[0]
    by_patch = ((x.detach() - empty) * x.grad)[0].flatten(1).sum(0).tolist()
    y = tokens[0]
    found["image"] = {"gradient-input": [0.0] * (name == "clip-both") + by_patch}
    found["text"] = {"gradient-input": (y.detach() * y.grad)[0].sum(1).tolist()}
    end = ids[0].tolist().index(model.config.text_config.eos_token_id) \
        if name == "clip-both" else ids.shape[1] - 1
    found["text"]["row"] = end
    rows = {"text": end} | ({"image": 0} if name == "clip-both" else {})
    for tower, row in rows.items():
        found[tower]["relevance"] = relevance(towers[tower], row)
        found[tower]["attention-gradient"] = slope(towers[tower], row)
    return found


def main():
    found = [explain(*case) for case in CASES]
    for case in found:
        print(case["model"], "z %.6f cosine %.6f scale %.4f offset %.4f row %d" % (
            case["z"], case["cosine"], case["scale"], case["offset"], case["text"]["row"]))
    with open(os.path.join(HERE, "pair.json"), "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join(json.dumps(c) for c in found) + "\n]\n")


if __name__ == "__main__":
    main()
