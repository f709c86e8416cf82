#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the tiny language models and what the reference library computes with them.

    pip install torch transformers safetensors numpy
    python3 make-lm.py            writes models/gpt2-*/ and models/llama-*/

Run by hand; what it writes is committed. README.md says what lies in the files. The
weights are random (a fixed numpy seed each), scaled so that attention is far from
uniform. Every expected number comes from transformers' own modules, run in float64 with
attn_implementation="eager" and stored as float32.
"""

import json
import os
import shutil

import numpy as np
import torch
import transformers
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, "models")
N_GENERATED = 12


class Float64Softmax:
    """The library's eager softmax asks for float32; the reference stays in float64."""

    def __enter__(self):
        self.real = torch.nn.functional.softmax
        torch.nn.functional.softmax = (
            lambda x, dim=None, dtype=None: self.real(x, dim=dim))

    def __exit__(self, *_):
        torch.nn.functional.softmax = self.real


class Float64Norm:
    """Llama's RMS norm squares in float32; the reference stays in float64."""

    def __enter__(self):
        self.kind = transformers.models.llama.modeling_llama.LlamaRMSNorm
        self.real = self.kind.forward

        def forward(norm, x):
            return norm.weight * x / torch.sqrt(
                x.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon)
        self.kind.forward = forward

    def __exit__(self, *_):
        self.kind.forward = self.real


def fill(model, seed, dtype):
    """Random weights in the order of their names, rounded to the file's type."""
    rng = np.random.default_rng(seed)
    config = model.config
    for name, p in sorted(model.named_parameters()):
        x = rng.standard_normal(tuple(p.shape))
        is_norm = ".ln_" in name or "norm" in name
        if is_norm:
            x = 1 + 0.25 * x if name.endswith("weight") else 0.15 * x
        elif name.endswith("bias"):
            x *= 0.2
        elif "c_attn" in name or "q_proj" in name or "k_proj" in name:
            x *= np.sqrt(2.0 / config.hidden_size)
        elif "wpe" in name:
            x *= 0.5
        elif "wte" in name or "embed_tokens" in name or "lm_head" in name:
            x *= 0.8
        else:
            fan_in = p.shape[0] if "c_" in name else p.shape[-1]
            x *= 1.2 / np.sqrt(fan_in)
        with torch.no_grad():
            p.copy_(torch.from_numpy(x.astype(np.float32)).to(dtype).float())


def save(name, model, dtype, change):
    folder = os.path.join(MODELS, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    tied = model.config.tie_word_embeddings
    state = {k: v.to(dtype).contiguous().clone() for k, v in model.state_dict().items()
             if not (tied and k == "lm_head.weight") and "rotary" not in k
             and not k.endswith((".attn.bias", ".attn.masked_bias"))}
    save_file(state, os.path.join(folder, "model.safetensors"), {"format": "pt"})
    config = model.config.to_dict()
    keep = {"model_type", "vocab_size", "n_positions", "n_embd", "n_layer", "n_head",
            "n_inner", "activation_function", "layer_norm_epsilon", "hidden_size",
            "scale_attn_by_inverse_layer_idx", "scale_attn_weights",
            "intermediate_size", "num_hidden_layers", "num_attention_heads",
            "num_key_value_heads", "head_dim", "hidden_act", "rms_norm_eps",
            "max_position_embeddings", "rope_parameters", "attention_bias", "mlp_bias",
            "tie_word_embeddings", "bos_token_id", "eos_token_id"}
    config = {k: v for k, v in config.items() if k in keep}
    config["architectures"] = [type(model).__name__]
    if change:
        change(config)
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(config, f, indent=2, sort_keys=True)
        f.write("\n")
    return folder


def run(model, ids):
    with torch.no_grad(), Float64Softmax(), Float64Norm():
        return model(input_ids=torch.tensor([ids]), output_attentions=True,
                     output_hidden_states=True, use_cache=False)


def as_f32(x):
    return x.to(torch.float32).contiguous().clone()


def record(model, seed, n_tokens):
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, model.config.vocab_size, n_tokens).tolist()
    out = run(model, ids)
    expected = {"input_ids": torch.tensor([ids], dtype=torch.int32),
                "logits": as_f32(out.logits[0])}
    for i, a in enumerate(out.attentions):
        expected[f"attentions.{i}"] = as_f32(a[0])
    for i, h in enumerate(out.hidden_states[:-1]):  # the last is after the final norm
        expected[f"hidden_states.{i}"] = as_f32(h[0])
    so_far = list(ids)
    margin = np.inf
    for _ in range(min(N_GENERATED, model.config.max_position_embeddings - n_tokens)):
        logits = run(model, so_far).logits[0, -1]
        best = logits.topk(2).values
        margin = min(margin, (best[0] - best[1]).item())
        so_far.append(int(logits.argmax()))
    expected["generated_ids"] = torch.tensor(so_far[n_tokens:], dtype=torch.int32)
    peak = torch.stack([a.max(-1).values.mean() for a in out.attentions]).mean().item()
    print(f"  {n_tokens} tokens: mean row maximum {peak:.2f}, "
          f"least greedy margin {margin:.2g}")
    return expected


def make(name, model, seed, n_tokens=24, dtype=torch.float32, change=None, more=()):
    print(name)
    fill(model, seed, dtype)
    model.double().eval()
    folder = save(name, model, dtype, change)
    for at, n in (("", n_tokens), *more):
        save_file(record(model, seed + 1000 + n, n),
                  os.path.join(folder, f"expected{at}.safetensors"))
    model.float()


def gpt2(**more):
    config = GPT2Config(vocab_size=97, n_positions=48, n_embd=48, n_layer=3, n_head=6,
                        bos_token_id=0, eos_token_id=0, attn_pdrop=0, resid_pdrop=0,
                        embd_pdrop=0)
    for key, value in more.items():
        setattr(config, key, value)
    config._attn_implementation = "eager"
    return GPT2LMHeadModel(config)


def llama(rope=None, **more):
    options = dict(vocab_size=97, hidden_size=32, intermediate_size=72,
                   num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=4,
                   max_position_embeddings=64, rms_norm_eps=1e-5, bos_token_id=1,
                   eos_token_id=2)
    options.update(more)
    options["rope_parameters"] = {"rope_type": "default", "rope_theta": 10000.0,
                                  **(rope or {})}
    config = LlamaConfig(**options)
    config._attn_implementation = "eager"
    return LlamaForCausalLM(config)


def old_names(config):
    """As files before version 5 of the library have it."""
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    kind = rope.pop("rope_type")
    if kind != "default":
        config["rope_scaling"] = {"type": kind, **rope}


def main():
    make("gpt2-tiny", gpt2(), 1)
    make("gpt2-untied", gpt2(n_embd=80, n_head=2, n_layer=2, tie_word_embeddings=False,
                             scale_attn_by_inverse_layer_idx=True, n_inner=100,
                             activation_function="relu", layer_norm_epsilon=1e-3), 2)
    make("gpt2-f16", gpt2(n_embd=64, n_head=1, n_layer=2), 3, dtype=torch.float16)
    make("llama-tiny", llama(), 11)
    make("llama-gqa2", llama(num_key_value_heads=2, tie_word_embeddings=True,
                             rope={"rope_theta": 500000.0}), 12, change=old_names)
    make("llama-gqa4", llama(num_key_value_heads=1, head_dim=40, attention_bias=True,
                             mlp_bias=True, num_hidden_layers=2,
                             rope={"rope_type": "llama3", "factor": 8.0,
                                   "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                   "original_max_position_embeddings": 32}), 13, 40)
    make("llama-gqa8", llama(num_attention_heads=8, num_key_value_heads=1, head_dim=64,
                             num_hidden_layers=2, max_position_embeddings=8192,
                             rope={"rope_type": "yarn", "factor": 4.0,
                                   "rope_theta": 15.0,
                                   "original_max_position_embeddings": 2048}), 14, 40,
         dtype=torch.bfloat16)
    make("llama-linear", llama(rope={"rope_type": "linear", "factor": 2.5}), 15, 40,
         change=old_names)
    make("llama-dynamic", llama(max_position_embeddings=32, num_hidden_layers=2,
                                rope={"rope_type": "dynamic", "factor": 2.0}), 16, 24,
         more=((("-long"), 56),))
    factors = np.linspace(1, 1.5, 4).tolist(), np.linspace(1.2, 9, 4).tolist()
    make("llama-longrope", llama(num_hidden_layers=2, max_position_embeddings=128,
                                 rope={"rope_type": "longrope",
                                       "short_factor": factors[0],
                                       "long_factor": factors[1],
                                       "original_max_position_embeddings": 32}), 17, 18,
         more=(("-long", 48),))


if __name__ == "__main__":
    main()
