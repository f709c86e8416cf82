#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Gradients of the golden models, as the reference framework's autograd has them.

    python3 make-gradients.py      after make-vit.py and make-lm.py

writes models/*/gradients.safetensors: of the sum of cos (i) * logit i (of the last
position, where the model is a language model) with respect to every attention map after
the softmax (`attentions.<l>`, (H, T, T)) and to the residual stream before the first
block (`hidden_states.0`, (T, D)). Run in float64, stored as float32.
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
PICTURES = ("vit-tiny", "vit-grey-gelu-new", "vit-grey-relu", "vit-nonsquare", "deit-tiny")
TEXTS = ("gpt2-tiny", "gpt2-untied", "llama-tiny", "llama-gqa2", "llama-gqa4",
         "llama-gqa8", "llama-linear")


def gradients(folder, is_text):
    path = os.path.join(MODELS, folder)
    inputs = load_file(os.path.join(path, "expected.safetensors"))
    kind = AutoModelForCausalLM if is_text else AutoModelForImageClassification
    model = kind.from_pretrained(path, attn_implementation="eager",
                                 dtype=torch.float64).eval()
    given = ({"input_ids": inputs["input_ids"].long()} if is_text
             else {"pixel_values": inputs["pixel_values"].double()})
    with contextlib.ExitStack() as patches:
        patches.enter_context(lm.Float64Softmax())
        if is_text and model.config.model_type == "llama":
            patches.enter_context(lm.Float64Norm())
        out = model(**given, output_attentions=True, output_hidden_states=True)
        logits = out.logits[0, -1] if is_text else out.logits[0]
        reference = inputs["logits"][-1] if is_text else inputs["logits"]
        assert (logits - reference).abs().max() < 1e-4 * reference.abs().max(), folder
        for tensor in (*out.attentions, out.hidden_states[0]):
            tensor.retain_grad()
        (logits * torch.cos(torch.arange(len(logits), dtype=torch.float64))).sum().backward()
    found = {f"attentions.{i}": a.grad[0].float().contiguous()
             for i, a in enumerate(out.attentions)}
    found["hidden_states.0"] = out.hidden_states[0].grad[0].float().contiguous()
    save_file(found, os.path.join(path, "gradients.safetensors"), {"format": "pt"})


for name in PICTURES:
    gradients(name, False)
for name in TEXTS:
    gradients(name, True)
