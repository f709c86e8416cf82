#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the tiny encoder-decoders and what the reference library computes with them.

    python3 make-seq2seq.py       writes models/t5-*/, models/bart-*/, models/whisper-*/ ...

README.md says which versions, and what lies in the files.
"""

import os

import numpy as np
import torch
import transformers as t
from safetensors.torch import save_file

from family_common import Float64, as_f32, fill, put_tower, save

N_GENERATED = 6
# Ids that stand for languages, the first of which is not always the most probable.
LANGUAGES = ((6, 7, 8, 9), (20, 31, 42, 53), (86, 11, 64, 40))


def run(model, source, ids):
    with torch.no_grad(), Float64(model):
        return model(**source, decoder_input_ids=torch.tensor([ids]), use_cache=False,
                     output_attentions=True, output_hidden_states=True)


def detected(model, features, ids):
    """The language the library hears, and its share among them."""
    config = t.GenerationConfig(decoder_start_token_id=model.config.decoder_start_token_id)
    config.lang_to_id = {f"<|{i}|>": i for i in ids}
    with Float64(model):
        best = model.detect_language(features, generation_config=config)
        start = torch.tensor([[model.config.decoder_start_token_id]])
        with torch.no_grad():
            logits = model(features, decoder_input_ids=start, use_cache=False).logits[0, -1]
    shares = torch.softmax(logits[list(ids)], 0)
    return [best.item(), shares[ids.index(best.item())].item()]


def record(model, source, ids):
    out = run(model, source, ids)
    expected = {"input_ids": torch.tensor([ids], dtype=torch.int32),
                "logits": as_f32(out.logits[0]),
                "encoder.features": as_f32(out.encoder_last_hidden_state[0])}
    put_tower(expected, "encoder.", out.encoder_attentions, out.encoder_hidden_states)
    put_tower(expected, "decoder.", out.decoder_attentions, out.decoder_hidden_states)
    for i, a in enumerate(out.cross_attentions):
        expected[f"cross.attentions.{i}"] = as_f32(a[0])
    if "input_ids" in source:
        expected["source_ids"] = source["input_ids"].to(torch.int32)
    else:
        expected["input_features"] = as_f32(source["input_features"])
        heard = [detected(model, source["input_features"], i) for i in LANGUAGES]
        expected["languages"] = torch.tensor(LANGUAGES, dtype=torch.int32)
        expected["detected"] = as_f32(torch.tensor(heard))
    so_far, margin = list(ids), np.inf
    for _ in range(N_GENERATED):
        logits = run(model, source, so_far).logits[0, -1]
        best = logits.topk(2).values
        margin = min(margin, (best[0] - best[1]).item())
        so_far.append(int(logits.argmax()))
    expected["generated_ids"] = torch.tensor(so_far[len(ids):], dtype=torch.int32)
    peaks = [torch.stack([a.max(-1).values.mean() for a in maps]).mean().item()
             for maps in (out.encoder_attentions, out.decoder_attentions,
                          out.cross_attentions)]
    print("  mean row maxima %.2f %.2f %.2f, least greedy margin %.2g" % (*peaks, margin))
    return expected


def make(name, kind, config, seed, n_source=19, n_target=11, dtype=torch.float32,
         change=None, untie=False):
    print(name)
    config._attn_implementation = "eager"
    model = kind(config)
    if untie:
        model.lm_head.weight = torch.nn.Parameter(model.shared.weight.clone())
    fill(model, seed, dtype)
    if hasattr(model, "final_logits_bias"):
        rng = np.random.default_rng(seed + 7)
        bias = rng.standard_normal(tuple(model.final_logits_bias.shape))
        model.final_logits_bias.copy_(torch.from_numpy(bias).to(dtype).float())
    model.eval()
    folder = save(name, model, dtype, None, change)
    rng = np.random.default_rng(seed + 1000)
    if hasattr(config, "num_mel_bins"):
        size = (1, config.num_mel_bins, 2 * config.max_source_positions)
        source = {"input_features": torch.from_numpy(rng.standard_normal(size))}
    else:
        ids = rng.integers(3, config.vocab_size, (1, n_source))
        source = {"input_ids": torch.from_numpy(ids)}
    ids = [config.decoder_start_token_id] + rng.integers(
        3, model.get_output_embeddings().weight.shape[0], n_target - 1).tolist()
    save_file(record(model, source, ids), os.path.join(folder, "expected.safetensors"))


T5 = dict(vocab_size=87, d_model=30, d_kv=8, d_ff=44, num_layers=3, num_decoder_layers=2,
          num_heads=3, dropout_rate=0.0, decoder_start_token_id=0,
          relative_attention_num_buckets=12, relative_attention_max_distance=16)
BART = dict(vocab_size=87, d_model=30, encoder_layers=2, decoder_layers=3,
            encoder_attention_heads=5, decoder_attention_heads=3, encoder_ffn_dim=44,
            decoder_ffn_dim=36, max_position_embeddings=40, dropout=0.0,
            decoder_start_token_id=2)


def separate(config):
    config["tie_word_embeddings"] = False


def main():
    make("t5-tiny", t.T5ForConditionalGeneration, t.T5Config(**T5), 401, n_source=40)
    make("t5-gated", t.T5ForConditionalGeneration,
         t.T5Config(**T5, feed_forward_proj="gated-gelu", tie_word_embeddings=False), 402,
         change=separate, dtype=torch.bfloat16)
    make("t5-untied", t.T5ForConditionalGeneration,
         t.T5Config(**T5, feed_forward_proj="gated-gelu", tie_word_embeddings=False), 403,
         change=separate, untie=True)
    make("bart-tiny", t.BartForConditionalGeneration, t.BartConfig(**BART), 411)
    make("bart-scaled", t.BartForConditionalGeneration,
         t.BartConfig(**BART, scale_embedding=True, activation_function="relu"), 412)
    make("marian-tiny", t.MarianMTModel,
         t.MarianConfig(**BART, scale_embedding=True, activation_function="swish",
                        pad_token_id=86, forced_eos_token_id=0), 421)
    make("whisper-tiny", t.WhisperForConditionalGeneration,
         t.WhisperConfig(vocab_size=87, d_model=30, encoder_layers=2, decoder_layers=2,
                         encoder_attention_heads=5, decoder_attention_heads=3,
                         encoder_ffn_dim=44, decoder_ffn_dim=36, num_mel_bins=16,
                         max_source_positions=26, max_target_positions=32,
                         decoder_start_token_id=5, pad_token_id=0, bos_token_id=1,
                         eos_token_id=2, suppress_tokens=None,
                         begin_suppress_tokens=None), 431)


if __name__ == "__main__":
    main()
