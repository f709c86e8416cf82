#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the tiny decoders and what the reference library computes with them.

    python3 make-decoders.py      writes models/mistral-*/, models/qwen2-*/, ...

GPT-2 and Llama are make-lm.py's. README.md says which versions, and what lies in the
files.
"""

import os

import numpy as np
import torch
import transformers as t
from safetensors.torch import save_file

from family_common import Float64, as_f32, fill, put_tower, save

N_GENERATED = 8
SIZES = dict(vocab_size=91, hidden_size=36, intermediate_size=44, num_hidden_layers=3,
             num_attention_heads=6, num_key_value_heads=2, max_position_embeddings=64,
             bos_token_id=1, eos_token_id=2, pad_token_id=0)


def run(model, ids):
    with torch.no_grad(), Float64(model):
        return model(input_ids=torch.tensor([ids]), output_attentions=True,
                     output_hidden_states=True, use_cache=False)


def record(model, seed, n_tokens):
    vocab = model.config.get_text_config().vocab_size
    ids = np.random.default_rng(seed).integers(3, vocab, n_tokens).tolist()
    out = run(model, ids)
    expected = {"input_ids": torch.tensor([ids], dtype=torch.int32),
                "logits": as_f32(out.logits[0])}
    put_tower(expected, "", out.attentions, out.hidden_states)
    so_far, margin = list(ids), np.inf
    for _ in range(N_GENERATED):
        logits = run(model, so_far).logits[0, -1]
        best = logits.topk(2).values
        margin = min(margin, (best[0] - best[1]).item())
        so_far.append(int(logits.argmax()))
    expected["generated_ids"] = torch.tensor(so_far[n_tokens:], dtype=torch.int32)
    peak = torch.stack([a.max(-1).values.mean() for a in out.attentions]).mean().item()
    print(f"  {n_tokens} tokens: mean row maximum {peak:.2f}, "
          f"least greedy margin {margin:.2g}")
    return expected


def make(name, kind, config, seed, n_tokens=24, dtype=torch.float32, rename=None,
         change=None):
    print(name)
    config._attn_implementation = "eager"
    model = kind(config)
    fill(model, seed, dtype)
    model.eval()
    folder = save(name, model, dtype, rename, change)
    save_file(record(model, seed + 1000, n_tokens),
              os.path.join(folder, "expected.safetensors"))


def old_rope(theta="rope_theta"):
    """As files before version 5 of the library have it."""
    def change(config):
        rope = config.pop("rope_parameters")
        config[theta] = rope["rope_theta"]
        if theta == "rotary_emb_base":
            config["rotary_pct"] = rope["partial_rotary_factor"]
    return change


def old_gemma3(config):
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope["full_attention"]["rope_theta"]
    config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
    config["rope_scaling"] = {"rope_type": "linear",
                              "factor": rope["full_attention"]["factor"]}
    config.pop("layer_types")
    config["sliding_window_pattern"] = 3


def sizes(**more):
    return {**SIZES, **more}


GEMMA = dict(head_dim=12, num_hidden_layers=2, num_attention_heads=3,
             num_key_value_heads=1)
NEOX = dict(vocab_size=91, hidden_size=36, intermediate_size=52, num_hidden_layers=2,
            num_attention_heads=3, max_position_embeddings=64)
OPT = dict(vocab_size=91, hidden_size=30, ffn_dim=44, num_hidden_layers=2,
           num_attention_heads=5, max_position_embeddings=48, dropout=0.0)


def gemma2():
    make("gemma2-tiny", t.Gemma2ForCausalLM,
         t.Gemma2Config(**sizes(**{**GEMMA, "num_hidden_layers": 3}), sliding_window=7,
                        query_pre_attn_scalar=20, attn_logit_softcapping=3.0,
                        final_logit_softcapping=5.0), 322)


def gemma3():
    rope = {"full_attention": {"rope_type": "linear", "factor": 4.0,
                               "rope_theta": 1e6},
            "sliding_attention": {"rope_type": "default", "rope_theta": 50.0}}
    kinds = ["sliding_attention", "sliding_attention", "full_attention",
             "sliding_attention"]
    more = {**GEMMA, "num_hidden_layers": 4}
    text = dict(**sizes(**more), sliding_window=6, query_pre_attn_scalar=16,
                layer_types=kinds, rope_parameters=rope)
    make("gemma3-tiny", t.Gemma3ForCausalLM, t.Gemma3TextConfig(**text), 323)
    make("gemma3-old", t.Gemma3ForCausalLM,
         t.Gemma3TextConfig(**sizes(**more), sliding_window=6, query_pre_attn_scalar=16,
                            layer_types=kinds, rope_parameters=rope), 324,
         change=old_gemma3, dtype=torch.bfloat16)


def main():
    make("mistral-tiny", t.MistralForCausalLM,
         t.MistralConfig(**sizes(head_dim=8), sliding_window=5), 301)
    make("mistral-full", t.MistralForCausalLM,
         t.MistralConfig(**sizes(num_hidden_layers=2, num_key_value_heads=1),
                         sliding_window=None, tie_word_embeddings=True), 302,
         change=old_rope())
    make("qwen2-tiny", t.Qwen2ForCausalLM, t.Qwen2Config(**SIZES), 303)
    make("qwen2-window", t.Qwen2ForCausalLM,
         t.Qwen2Config(**sizes(num_key_value_heads=3), use_sliding_window=True,
                       sliding_window=6, max_window_layers=1, tie_word_embeddings=True),
         304, change=lambda c: c.pop("layer_types"))
    make("qwen3-tiny", t.Qwen3ForCausalLM, t.Qwen3Config(**sizes(head_dim=14)), 305)
    make("qwen3-bias", t.Qwen3ForCausalLM,
         t.Qwen3Config(**sizes(head_dim=6, num_hidden_layers=2), attention_bias=True,
                       tie_word_embeddings=True), 306, dtype=torch.float16)
    make("olmo2-tiny", t.Olmo2ForCausalLM,
         t.Olmo2Config(**sizes(num_attention_heads=3, num_key_value_heads=1)), 307)
    make("smollm3-tiny", t.SmolLM3ForCausalLM,
         t.SmolLM3Config(**SIZES, no_rope_layers=[1, 0, 1]), 308)
    make("phi3-tiny", t.Phi3ForCausalLM,
         t.Phi3Config(**sizes(num_attention_heads=3, num_key_value_heads=1),
                      sliding_window=9), 309)
    factors = np.linspace(1, 1.5, 3).tolist(), np.linspace(1.2, 9, 3).tolist()
    make("phi3-long", t.Phi3ForCausalLM,
         t.Phi3Config(**sizes(num_attention_heads=3, num_key_value_heads=3,
                              num_hidden_layers=2), tie_word_embeddings=True,
                      original_max_position_embeddings=20,
                      rope_parameters={"rope_type": "longrope", "rope_theta": 10000.0,
                                       "partial_rotary_factor": 0.5,
                                       "short_factor": factors[0],
                                       "long_factor": factors[1]}), 310)
    make("gemma-tiny", t.GemmaForCausalLM, t.GemmaConfig(**sizes(**GEMMA)), 321)
    gemma2()
    gemma3()
    make("gpt-neox-tiny", t.GPTNeoXForCausalLM,
         t.GPTNeoXConfig(**NEOX, rope_parameters={"rope_type": "default",
                                                  "rope_theta": 10000.0,
                                                  "partial_rotary_factor": 0.5}), 331)
    make("gpt-neox-serial", t.GPTNeoXForCausalLM,
         t.GPTNeoXConfig(**NEOX, use_parallel_residual=False, attention_bias=False,
                         hidden_act="gelu_new",
                         rope_parameters={"rope_type": "default", "rope_theta": 500.0,
                                          "partial_rotary_factor": 1.0}), 332,
         change=old_rope("rotary_emb_base"))
    make("opt-tiny", t.OPTForCausalLM, t.OPTConfig(**OPT), 341)
    make("opt-narrow", t.OPTForCausalLM,
         t.OPTConfig(**OPT, word_embed_proj_dim=18, do_layer_norm_before=False), 342)


if __name__ == "__main__":
    main()
