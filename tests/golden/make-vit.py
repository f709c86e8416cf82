#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the tiny vision transformers and what the reference library computes with them.

    pip install torch transformers safetensors pillow numpy
    python3 make-vit.py            writes models/*/ beside this script

Run by hand; what it writes is committed. README.md says what lies in the files. The
weights are random (a fixed numpy seed each), scaled so that attention is far from
uniform. Every expected number comes from transformers' own modules, run in float64
with attn_implementation="eager" and stored as float32.
"""

import json
import os
import shutil

import numpy as np
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import ViTConfig, ViTForImageClassification
from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
from transformers.models.vit import modeling_vit
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, "models")
IMAGENET_MEAN, IMAGENET_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

# Names in published checkpoints -> names of the modules in transformers 5.
RENAMED = [("vit.encoder.layer.", "vit.layers."),
           (".attention.attention.query.", ".attention.q_proj."),
           (".attention.attention.key.", ".attention.k_proj."),
           (".attention.attention.value.", ".attention.v_proj."),
           (".attention.output.dense.", ".attention.o_proj."),
           (".intermediate.dense.", ".mlp.fc1."),
           (".output.dense.", ".mlp.fc2.")]


def module_name(published):
    for old, new in RENAMED:
        published = published.replace(old, new)
    return published


def shapes(config):
    """Published name -> shape of every weight of a ViTForImageClassification."""
    def pair(x):
        return tuple(x) if isinstance(x, (list, tuple)) else (x, x)
    d, f, v = config.hidden_size, config.intermediate_size, config.num_labels
    (ih, iw), (ph, pw) = pair(config.image_size), pair(config.patch_size)
    out = {"vit.embeddings.cls_token": (1, 1, d),
           "vit.embeddings.position_embeddings": (1, 1 + (ih // ph) * (iw // pw), d),
           "vit.embeddings.patch_embeddings.projection.weight":
               (d, config.num_channels, ph, pw),
           "vit.embeddings.patch_embeddings.projection.bias": (d,)}
    for layer in range(config.num_hidden_layers):
        at = f"vit.encoder.layer.{layer}."
        for name in ("layernorm_before", "layernorm_after"):
            out[at + name + ".weight"] = out[at + name + ".bias"] = (d,)
        for name in ("query", "key", "value"):
            out[at + f"attention.attention.{name}.weight"] = (d, d)
            if config.qkv_bias:
                out[at + f"attention.attention.{name}.bias"] = (d,)
        for name, (rows, columns) in (("attention.output", (d, d)),
                                      ("intermediate", (f, d)), ("output", (d, f))):
            out[at + name + ".dense.weight"] = (rows, columns)
            out[at + name + ".dense.bias"] = (rows,)
    out["vit.layernorm.weight"] = out["vit.layernorm.bias"] = (d,)
    out["classifier.weight"], out["classifier.bias"] = (v, d), (v,)
    return out


def random_weights(config, seed):
    rng = np.random.default_rng(seed)
    weights = {}
    for name, shape in sorted(shapes(config).items()):
        x = rng.standard_normal(shape)
        if "layernorm" in name:
            x = 1 + 0.25 * x if name.endswith("weight") else 0.15 * x
        elif name.endswith("bias"):
            x *= 0.25
        elif "query" in name or "key" in name:
            # Scores then have a standard deviation near 2: maps with clear peaks.
            x *= np.sqrt(2.0 / config.hidden_size)
        elif name.endswith("weight"):
            x *= 1.2 / np.sqrt(np.prod(shape[1:]))
        else:
            x *= 0.6
        weights[name] = torch.from_numpy(x.astype(np.float32))
    return weights


def build(config, weights):
    config._attn_implementation = "eager"
    model = ViTForImageClassification(config)
    model.load_state_dict({module_name(k): v.float() for k, v in weights.items()})
    return model.double().eval()


class Float64Softmax:
    """The library's eager softmax asks for float32; the reference stays in float64."""

    def __enter__(self):
        self.real = torch.nn.functional.softmax
        torch.nn.functional.softmax = (
            lambda x, dim=None, dtype=None: self.real(x, dim=dim))

    def __exit__(self, *_):
        torch.nn.functional.softmax = self.real


def run(model, pixels, **more):
    with torch.no_grad(), Float64Softmax():
        return model(pixel_values=pixels.double(), output_attentions=True,
                     output_hidden_states=True, **more)


def as_f32(x):
    return x.to(torch.float32).contiguous().clone()


def record(model, pixels, **more):
    """What every expected file holds: the input, and what one run of it gives."""
    out = run(model, pixels, **more)
    n_layers = model.config.num_hidden_layers
    assert len(out.attentions) == n_layers
    assert len(out.hidden_states) == n_layers + 1
    expected = {"pixel_values": as_f32(pixels), "logits": as_f32(out.logits[0])}
    for layer in range(n_layers):
        expected[f"attentions.{layer}"] = as_f32(out.attentions[layer][0])
    for layer in range(n_layers + 1):
        expected[f"hidden_states.{layer}"] = as_f32(out.hidden_states[layer][0])
    plain = model.float()(pixel_values=pixels, output_attentions=True, **more)
    model.double()
    gap = max((plain.attentions[i][0].double() - out.attentions[i][0]).abs().max().item()
              for i in range(n_layers))
    peak = torch.stack([a.max(-1).values.mean() for a in out.attentions]).mean().item()
    print(f"  {tuple(pixels.shape)}: float32 run differs by {gap:.1e} in attention; "
          f"mean row maximum {peak:.2f}")
    return expected


def fixed_pixels(seed, *shape):
    x = np.random.default_rng(seed).standard_normal((1, *shape)).astype(np.float32)
    return torch.from_numpy(x)


def scale_head(model, layer, head, factor):
    """Multiplies z of one head, before W_O. Returns the hook, to be removed."""
    width = model.config.hidden_size // model.config.num_attention_heads

    def hook(_module, args):
        z = args[0].clone()
        z[..., head * width:(head + 1) * width] *= factor
        return (z,)
    return model.vit.layers[layer].attention.o_proj.register_forward_pre_hook(hook)


def record_interventions(model, pixels, expected):
    config = model.config
    pruned = torch.zeros(config.num_hidden_layers, config.num_attention_heads,
                         config.num_labels)
    for layer in range(config.num_hidden_layers):
        for head in range(config.num_attention_heads):
            hook = scale_head(model, layer, head, 0.0)
            pruned[layer, head] = as_f32(run(model, pixels).logits[0])
            hook.remove()
    expected["pruned_logits"] = pruned
    hook = scale_head(model, 1, 2, 0.5)
    expected["scaled_logits"] = as_f32(run(model, pixels).logits[0])
    hook.remove()

    real = modeling_vit.eager_attention_forward
    masked_layer = model.vit.layers[1].attention

    def masked(module, query, key, value, *args, **kwargs):
        out, attention = real(module, query, key, value, *args, **kwargs)
        if module is masked_layer:
            attention = attention.clone()
            attention[..., 3] = 0  # every query, key 3; rows are not renormalised
            out = (attention @ value).transpose(1, 2).contiguous()
        return out, attention
    modeling_vit.eager_attention_forward = masked
    out = run(model, pixels)
    modeling_vit.eager_attention_forward = real
    expected["masked_logits"] = as_f32(out.logits[0])
    expected["masked_attentions.1"] = as_f32(out.attentions[1][0])
    expected["masked_attentions.2"] = as_f32(out.attentions[2][0])


def make_picture(path, width, height, mode, seed):
    """Smooth waves, an edge and noise, so that resampling has something to do."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    channels = []
    for c in range(3 if mode == "RGB" else 1):
        wave = np.sin(x / (4.0 + c) + c) * np.cos(y / (6.0 - c)) * 80 + 128
        wave += np.where(x + 2 * y > width, 30.0, -30.0)
        channels.append(wave + rng.normal(0, 18, wave.shape))
    a = np.clip(np.round(np.stack(channels, -1)), 0, 255).astype(np.uint8)
    picture = Image.fromarray(a if mode == "RGB" else a[..., 0], mode)
    picture.save(path, optimize=True)
    return picture


def record_picture(model, processor, picture, expected):
    if picture.mode == "L":
        a = np.asarray(picture)[..., None]
        pixels = processor(images=a, input_data_format="channels_last",
                           return_tensors="pt")["pixel_values"]
    else:
        pixels = processor(images=picture, return_tensors="pt")["pixel_values"]
    out = run(model, pixels)
    expected["picture_pixel_values"] = as_f32(pixels)
    expected["picture_logits"] = as_f32(out.logits[0])
    print(f"  picture {picture.size} -> {tuple(pixels.shape)}")


def folder(name):
    path = os.path.join(MODELS, name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    print(name)
    return path


def write_json(path, data):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(data, f, indent=2)
        f.write("\n")


def write_config(path, config, dtype="float32"):
    """config.json as published checkpoints have it: torch_dtype, not dtype."""
    data = json.loads(config.to_json_string(use_diff=False))
    keep = ["hidden_size", "num_hidden_layers", "num_attention_heads",
            "intermediate_size", "hidden_act", "hidden_dropout_prob",
            "attention_probs_dropout_prob", "initializer_range", "layer_norm_eps",
            "image_size", "patch_size", "num_channels", "qkv_bias", "encoder_stride"]
    out = {"architectures": ["ViTForImageClassification"], "model_type": "vit",
           **{k: data[k] for k in keep},
           "torch_dtype": dtype, "transformers_version": "4.40.0"}
    out["id2label"] = {str(k): v for k, v in config.id2label.items()}
    out["label2id"] = {v: k for k, v in config.id2label.items()}
    write_json(os.path.join(path, "config.json"), out)


def check_loads(path, model, pixels):
    """The published names are right only if the library itself finds every weight."""
    loaded, info = ViTForImageClassification.from_pretrained(
        path, output_loading_info=True, attn_implementation="eager",
        dtype=torch.float32)
    assert not any(info[k] for k in ("missing_keys", "unexpected_keys")), info
    gap = (run(loaded.double().eval(), pixels).logits
           - run(model, pixels).logits).abs().max().item()
    assert gap < 1e-12, gap


def write_model(path, config, weights, dtype="float32", names=str):
    if names is str:
        write_config(path, config, dtype)
    else:  # all of it as transformers 5 has it
        config.architectures, config.dtype = ["ViTForImageClassification"], dtype
        config.save_pretrained(path)
    save_file({names(k): v for k, v in weights.items()},
              os.path.join(path, "model.safetensors"), metadata={"format": "pt"})


def write_expected(path, expected, name="expected"):
    save_file(expected, os.path.join(path, name + ".safetensors"))


VIT_PROCESSOR = {"do_normalize": True, "do_rescale": True, "do_resize": True,
                 "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
                 "image_processor_type": "ViTImageProcessor", "resample": 2,
                 "rescale_factor": 1 / 255, "size": {"height": 24, "width": 24}}


SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
         "intermediate_size": 24, "num_channels": 3, "num_labels": 4}


def make_tiny():
    """vit-tiny, and what shares its weights: other grids, half precision."""
    labels = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu"]
    config = ViTConfig(hidden_size=32, num_hidden_layers=3, num_attention_heads=4,
                       intermediate_size=48, image_size=24, patch_size=6, num_channels=3,
                       hidden_act="gelu", id2label=dict(enumerate(labels)),
                       label2id={v: k for k, v in enumerate(labels)})
    weights = random_weights(config, 1)
    model = build(config, weights)
    path = folder("vit-tiny")
    write_model(path, config, weights)
    write_json(os.path.join(path, "preprocessor_config.json"), VIT_PROCESSOR)
    pixels = fixed_pixels(100, 3, 24, 24)
    check_loads(path, model, pixels)
    expected = record(model, pixels)
    record_interventions(model, pixels, expected)
    picture = make_picture(os.path.join(path, "input.png"), 50, 37, "RGB", 200)
    record_picture(model, ViTImageProcessorPil(**VIT_PROCESSOR), picture, expected)
    write_expected(path, expected)
    for height, width in ((36, 24), (48, 48), (48, 12), (12, 18)):
        other = record(model, fixed_pixels(height * width, 3, height, width),
                       interpolate_pos_encoding=True)
        if (height, width) != (36, 24):  # keep the committed files small
            for name in ("attentions.0", "attentions.1", "hidden_states.1",
                         "hidden_states.2"):
                del other[name]
        write_expected(path, other, f"expected-{height}x{width}")

    for name, dtype in (("vit-bf16", torch.bfloat16), ("vit-f16", torch.float16)):
        path = folder(name)
        rounded = {k: v.to(dtype) for k, v in weights.items()}
        write_model(path, config, rounded, str(dtype).replace("torch.", ""))
        half = build(config, rounded)
        check_loads(path, half, pixels)
        write_expected(path, record(half, pixels))


def make_sharded():
    """The library's own division into files, under the published names."""
    config = ViTConfig(image_size=24, patch_size=6, **SMALL)
    weights = random_weights(config, 9)
    model = build(config, weights)
    path = folder("vit-sharded")
    write_config(path, config)
    model.float().save_pretrained(path + "/native", max_shard_size="12KB")
    with open(path + "/native/model.safetensors.index.json", encoding="utf-8") as f:
        native = json.load(f)["weight_map"]
    print("  save_pretrained wrote:", sorted(native)[5:9])
    published = {module_name(k): k for k in weights}
    index = {}
    for shard in sorted(set(native.values())):
        part = load_file(f"{path}/native/{shard}")
        part = {published[module_name(k)]: v for k, v in part.items()}
        save_file(part, f"{path}/{shard}", metadata={"format": "pt"})
        index.update({k: shard for k in part})
    assert len(set(index.values())) == 3, set(index.values())
    write_json(path + "/model.safetensors.index.json",
               {"metadata": {"total_size": sum(4 * v.numel() for v in weights.values())},
                "weight_map": dict(sorted(index.items()))})
    shutil.rmtree(path + "/native")
    pixels = fixed_pixels(1009, 3, 24, 24)
    check_loads(path, model.double(), pixels)
    write_expected(path, record(model, pixels))


def make_simple(name, seed, config, height, width, processor=None, picture=None,
                names=str, processor_class=ViTImageProcessorPil):
    weights = random_weights(config, seed)
    model = build(config, weights)
    path = folder(name)
    write_model(path, config, weights, names=names)
    pixels = fixed_pixels(seed + 1000, config.num_channels, height, width)
    check_loads(path, model, pixels)
    expected = record(model, pixels)
    if processor is not None:
        write_json(os.path.join(path, "preprocessor_config.json"), processor)
        picture = make_picture(os.path.join(path, "input.png"), *picture, seed + 2000)
        known = {k: v for k, v in processor.items() if "_type" not in k}
        record_picture(model, processor_class(**known), picture, expected)
    write_expected(path, expected)


def make_others():
    grey = {"do_normalize": True, "do_rescale": True, "do_resize": True,
            "image_mean": [0.286], "image_std": [0.353], "rescale_factor": 1 / 255,
            "image_processor_type": "ViTImageProcessor", "resample": 3}
    for name, act, seed, side in (("vit-grey-gelu-new", "gelu_new", 2, 12),
                                  ("vit-grey-relu", "relu", 3, 10)):
        grey["size"] = {"height": side, "width": side}
        make_simple(name, seed, ViTConfig(
            hidden_size=24, num_hidden_layers=2, num_attention_heads=3,
            intermediate_size=32, image_size=side, patch_size=2, num_channels=1,
            hidden_act=act, qkv_bias=False, layer_norm_eps=1e-6, num_labels=5),
            side, side, grey, (31, 23, "L"))
    make_simple("vit-nonsquare", 4, ViTConfig(image_size=[24, 36], patch_size=[6, 6],
                                              **SMALL), 24, 36,
                {**VIT_PROCESSOR, "size": {"height": 24, "width": 36}}, (41, 52, "RGB"))
    make_simple("vit-nonsquare-patch", 5,
                ViTConfig(image_size=[24, 36], patch_size=[4, 6], **SMALL), 24, 36)
    # As facebook/deit-tiny-patch16-224 is published: a ViT, with DeiT's processor in
    # the layout of the older library (one number for a size).
    make_simple("deit-tiny", 6, ViTConfig(image_size=24, patch_size=6, **SMALL), 24, 24,
                {"crop_size": 24, "do_center_crop": True, "do_normalize": True,
                 "do_resize": True, "feature_extractor_type": "DeiTFeatureExtractor",
                 "image_mean": IMAGENET_MEAN, "image_std": IMAGENET_STD, "resample": 3,
                 "size": 29}, (50, 37, "RGB"), processor_class=DeiTImageProcessorPil)
    make_simple("vit-renamed", 7, ViTConfig(image_size=24, patch_size=6, **SMALL),
                24, 24, names=module_name)


if __name__ == "__main__":
    print("torch", torch.__version__, "transformers", transformers.__version__,
          "numpy", np.__version__, "pillow", Image.__version__)
    torch.set_num_threads(1)
    make_tiny()
    make_sharded()
    make_others()
