#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the tiny encoders of pictures, with CLIP's and SigLIP's texts, and what the
reference library computes with them.

    python3 make-vision.py        writes models/dinov2-*/, models/clip-*/, ...

ViT and DeiT in its layout are make-vit.py's. README.md says which versions, and what lies
in the files.
"""

import os

import numpy as np
import torch
import transformers as t
from safetensors.torch import save_file

from family_common import Float64, as_f32, fill, put_tower, save

SIZES = dict(hidden_size=30, num_hidden_layers=2, num_attention_heads=5, image_size=24,
             patch_size=6, num_channels=3)
MLP = dict(intermediate_size=44)
TEXT = dict(vocab_size=83, hidden_size=28, intermediate_size=40, num_hidden_layers=2,
            num_attention_heads=7, max_position_embeddings=20)
LABELS = dict(num_labels=4)
PROCESSOR = """{
  "do_normalize": true, "do_rescale": true, "do_resize": true,
  "image_mean": [0.48145466, 0.4578275, 0.40821073],
  "image_std": [0.26862954, 0.26130258, 0.27577711],
  "image_processor_type": "CLIPImageProcessor", "resample": 3, "do_convert_rgb": true,
  "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": 24},
  "do_center_crop": true, "crop_size": {"height": 24, "width": 24}
}
"""


def run(model, **inputs):
    with torch.no_grad(), Float64(model):
        return model(**inputs, output_attentions=True, output_hidden_states=True)


def put(expected, out, tower, pooled):
    """@tower: where maps and streams are; @pooled: what the model makes of it all."""
    put_tower(expected, "", tower.attentions, tower.hidden_states)
    if getattr(tower, "last_hidden_state", None) is not None:
        expected["features"] = as_f32(tower.last_hidden_state[0])
    if pooled is not None:
        expected["pooled"] = as_f32(pooled[0])
    if getattr(out, "logits", None) is not None:
        expected["logits"] = as_f32(out.logits[0])
    peak = torch.stack([a.max(-1).values.mean() for a in tower.attentions]).mean().item()
    print(f"  {tower.attentions[0].shape[-1]} tokens: mean row maximum {peak:.2f}")


def pixels_of(seed, height, width):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.standard_normal((1, 3, height, width)))


def ids_of(seed, n, vocab, end=None):
    ids = np.random.default_rng(seed).integers(3, vocab - 2, (1, n))
    if end is not None:
        ids[0, n - 4:] = end  # CLIP pads with its end token
    return torch.from_numpy(ids)


def write(folder, expected, name="expected"):
    save_file(expected, os.path.join(folder, name + ".safetensors"))


def prepare(name, kind, config, seed, dtype=torch.float32):
    print(name)
    config._attn_implementation = "eager"
    model = kind(config)
    fill(model, seed, dtype)
    model.eval()
    return model, save(name, model, dtype)


def picture(name, kind, config, seed, size=(24, 24), dtype=torch.float32):
    model, folder = prepare(name, kind, config, seed, dtype)
    pixels = pixels_of(seed + 1000, *size)
    out = run(model, pixel_values=pixels)
    expected = {"pixel_values": as_f32(pixels)}
    pooled = getattr(out, "image_embeds", getattr(out, "pooler_output", None))
    put(expected, out, out, pooled)
    write(folder, expected)
    if name.startswith(("clip", "siglip")):
        with open(os.path.join(folder, "preprocessor_config.json"), "w") as f:
            f.write(PROCESSOR)


def text(name, kind, config, seed, n_tokens=14, end=None):
    model, folder = prepare(name, kind, config, seed)
    ids = ids_of(seed + 1000, n_tokens, config.vocab_size, end)
    out = run(model, input_ids=ids)
    expected = {"input_ids": ids.to(torch.int32)}
    put(expected, out, out, getattr(out, "text_embeds", getattr(out, "pooler_output", None)))
    write(folder, expected)


def both(name, kind, config, seed, end=None):
    model, folder = prepare(name, kind, config, seed)
    pixels = pixels_of(seed + 1000, 24, 24)
    ids = ids_of(seed + 1001, 14, config.text_config.vocab_size, end)
    out = run(model, input_ids=ids, pixel_values=pixels)
    with torch.no_grad(), Float64(model):
        image = model.get_image_features(pixel_values=pixels).pooler_output
        words = model.get_text_features(input_ids=ids).pooler_output
    expected = {"pixel_values": as_f32(pixels)}
    put(expected, None, out.vision_model_output, image)
    write(folder, expected)
    expected = {"input_ids": ids.to(torch.int32)}
    put(expected, None, out.text_model_output, words)
    write(folder, expected, "expected-text")


def main():
    picture("vit-dino", lambda c: t.ViTModel(c, add_pooling_layer=False),
            t.ViTConfig(**SIZES, **MLP), 201)
    picture("deit-teacher", t.DeiTForImageClassificationWithTeacher,
            t.DeiTConfig(**SIZES, **MLP, **LABELS), 202)
    picture("deit-plain", t.DeiTForImageClassification,
            t.DeiTConfig(**SIZES, **MLP, **LABELS, qkv_bias=False), 203)
    picture("dinov2-tower", t.Dinov2Model, t.Dinov2Config(**SIZES), 211, size=(36, 24))
    picture("dinov2-swiglu", t.Dinov2ForImageClassification,
            t.Dinov2Config(**SIZES, **LABELS, use_swiglu_ffn=True, mlp_ratio=3), 212)
    picture("dinov2-registers", t.Dinov2WithRegistersForImageClassification,
            t.Dinov2WithRegistersConfig(**{**SIZES, "image_size": 60}, **LABELS,
                                        num_register_tokens=3), 213, size=(36, 48))
    picture("dinov2-registers-tower", t.Dinov2WithRegistersModel,
            t.Dinov2WithRegistersConfig(**SIZES, num_register_tokens=4), 214,
            size=(30, 36), dtype=torch.float16)
    picture("clip-vision", t.CLIPVisionModelWithProjection,
            t.CLIPVisionConfig(**SIZES, **MLP, projection_dim=18), 221)
    text("clip-text", t.CLIPTextModelWithProjection,
         t.CLIPTextConfig(**TEXT, projection_dim=18, eos_token_id=82), 222, end=82)
    text("clip-text-old", t.CLIPTextModel, t.CLIPTextConfig(**TEXT, eos_token_id=2), 223)
    both("clip-both", t.CLIPModel,
         t.CLIPConfig(text_config=dict(**TEXT, eos_token_id=82),
                      vision_config=dict(**SIZES, **MLP), projection_dim=18), 224, end=82)
    picture("siglip-vision", t.SiglipVisionModel, t.SiglipVisionConfig(**SIZES, **MLP), 231)
    picture("siglip-classes", t.SiglipForImageClassification,
            t.SiglipConfig(vision_config=dict(**SIZES, **MLP, vision_use_head=False),
                           text_config=TEXT, **LABELS), 232)
    text("siglip-text", t.SiglipTextModel, t.SiglipTextConfig(**TEXT), 233)
    both("siglip-both", t.SiglipModel,
         t.SiglipConfig(text_config=dict(**TEXT, projection_size=30),
                        vision_config=dict(**SIZES, **MLP)), 234)


if __name__ == "__main__":
    main()
