#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Train the encoder-decoder that ships with Headlight: English spelling to sounds.

    apt install pocketsphinx-en-us
    pip install torch tokenizers safetensors numpy
    python3 train.py --work ~/g2p-cmu-work

The words are those of the CMU pronouncing dictionary as Debian packages it: letters in,
phonemes out, one IPA sign each (two joined by a tie bar where a phoneme is two). Every
twentieth spelling is held out with all its pronunciations. The model is a BART of 3 + 3
layers of 4 heads; the matrices of the blocks are trained by Muon, the rest by Adam. A
checkpoint is written into --work, outside the tree, every few hundred steps; running the
command again goes on from there.
"""

import argparse
import json
import math
import os
import re
import sys
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from muon import Muon  # noqa: E402

DICTIONARY = "/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict"
# ARPABET as IPA; the tie bar (U+0361) keeps "t" + "ʃ" and "t͡ʃ" apart.
IPA = dict(AA="ɑ", AE="æ", AH="ʌ", AO="ɔ", AW="a͡ʊ", AY="a͡ɪ", B="b", CH="t͡ʃ", D="d",
           DH="ð", EH="ɛ", ER="ɝ", EY="e͡ɪ", F="f", G="ɡ", HH="h", IH="ɪ", IY="i", JH="d͡ʒ",
           K="k", L="l", M="m", N="n", NG="ŋ", OW="o͡ʊ", OY="ɔ͡ɪ", P="p", R="ɹ", S="s",
           SH="ʃ", T="t", TH="θ", UH="ʊ", UW="u", V="v", W="w", Y="j", Z="z", ZH="ʒ")
START, PAD, END, UNKNOWN = 0, 1, 2, 3
SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]
WIDTH, INNER, LAYERS, HEADS, POSITIONS = 128, 512, 3, 4, 48
STEPS, BATCH, WARM_UP = 4500, 256, 100
HIGH, LOW, ADAM_SHARE, DECAY, DROPOUT, SMOOTHING = 0.02, 0.0004, 0.15, 0.03, 0.1, 0.05
SEED = 20261128


def read_words(path):
    """{spelling: [phonemes of each pronunciation]}, in the dictionary's order."""
    words = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            entry, *sounds = line.split()
            spelling = re.sub(r"\(\d+\)$", "", entry)
            if re.fullmatch(r"[a-z'.-]+", spelling) and len(spelling) < POSITIONS - 2:
                words.setdefault(spelling, []).append([IPA[s] for s in sounds])
    return words


def make_vocabulary():
    signs = list("abcdefghijklmnopqrstuvwxyz'.-")
    return SPECIALS + signs + [s for s in IPA.values() if s not in signs]


def write_tokenizer(vocabulary, folder):
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers
    from tokenizers import pre_tokenizers, processors
    t = Tokenizer(models.WordLevel({s: i for i, s in enumerate(vocabulary)}, "<unk>"))
    t.add_special_tokens(SPECIALS)
    t.normalizer = normalizers.Lowercase()
    t.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.WhitespaceSplit(),
        pre_tokenizers.Split(Regex(".\u0361.|."), "isolated")])
    t.post_processor = processors.TemplateProcessing("$A </s>",
                                                     special_tokens=[("</s>", END)])
    t.decoder = decoders.Fuse()
    t.save(os.path.join(folder, "tokenizer.json"))
    return t


# ---- the model: module names are those of the Hugging Face layout -------------------------


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self, name, nn.Linear(WIDTH, WIDTH))

    def forward(self, x, memory, mask):
        def heads(y):
            return y.unflatten(2, (HEADS, WIDTH // HEADS)).transpose(1, 2)
        z = F.scaled_dot_product_attention(heads(self.q_proj(x)), heads(self.k_proj(memory)),
                                           heads(self.v_proj(memory)), attn_mask=mask)
        return self.out_proj(z.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    def __init__(self, is_decoder):
        super().__init__()
        self.self_attn = Attention()
        self.self_attn_layer_norm = nn.LayerNorm(WIDTH)
        if is_decoder:
            self.encoder_attn = Attention()
            self.encoder_attn_layer_norm = nn.LayerNorm(WIDTH)
        self.fc1 = nn.Linear(WIDTH, INNER)
        self.fc2 = nn.Linear(INNER, WIDTH)
        self.final_layer_norm = nn.LayerNorm(WIDTH)
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, x, mask, memory=None, memory_mask=None):
        x = self.self_attn_layer_norm(x + self.drop(self.self_attn(x, x, mask)))
        if memory is not None:
            z = self.encoder_attn(x, memory, memory_mask)
            x = self.encoder_attn_layer_norm(x + self.drop(z))
        z = self.fc2(self.drop(F.gelu(self.fc1(x))))
        return self.final_layer_norm(x + self.drop(z))


class Tower(nn.Module):
    def __init__(self, is_decoder):
        super().__init__()
        # BART's first two positions are never used.
        self.embed_positions = nn.Embedding(POSITIONS + 2, WIDTH)
        self.layernorm_embedding = nn.LayerNorm(WIDTH)
        self.layers = nn.ModuleList([Layer(is_decoder) for _ in range(LAYERS)])
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, embedded, *arguments):
        places = self.embed_positions.weight[2:2 + embedded.shape[1]]
        x = self.drop(self.layernorm_embedding(embedded + places))
        for layer in self.layers:
            x = layer(x, *arguments)
        return x


class Speller(nn.Module):
    def __init__(self, n_vocab):
        super().__init__()
        self.model = nn.Module()
        self.model.shared = nn.Embedding(n_vocab, WIDTH)
        self.model.encoder = Tower(False)
        self.model.decoder = Tower(True)
        self.register_buffer("final_logits_bias", torch.zeros(1, n_vocab))
        for name, p in self.named_parameters():
            if "shared" in name or "positions" in name:
                nn.init.normal_(p, std=0.1)
            elif p.ndim == 2:
                nn.init.orthogonal_(p, 0.5 if "out_proj" in name or "fc2" in name else 1.0)

    def encode(self, letters):
        seen = (letters != PAD)[:, None, None]
        return self.model.encoder(self.model.shared(letters), seen), seen

    def decode(self, sounds, memory, seen):
        n = sounds.shape[1]
        past = torch.ones(n, n, dtype=torch.bool).tril()
        x = self.model.decoder(self.model.shared(sounds), past, memory, seen)
        return x @ self.model.shared.weight.T

    def forward(self, letters, sounds):
        return self.decode(sounds, *self.encode(letters))


# ---- words as ids ------------------------------------------------------------------------


def pad(rows):
    width = max(map(len, rows))
    return torch.tensor([r + [PAD] * (width - len(r)) for r in rows])


def to_ids(number, spelling, sounds):
    return ([number[c] for c in spelling] + [END],
            [START] + [number[s] for s in sounds] + [END])


def draw_batch(pairs, step):
    """Words of like length together, drawn anew each step."""
    rng = np.random.default_rng([SEED, step])
    few = rng.choice(len(pairs), 8 * BATCH, replace=False)
    few = few[np.argsort([len(pairs[i][0]) + len(pairs[i][1]) for i in few], kind="stable")]
    first = int(rng.integers(0, 8)) * BATCH
    chosen = [pairs[i] for i in few[first:first + BATCH]]
    return pad([p[0] for p in chosen]), pad([p[1] for p in chosen])


# ---- measuring ----------------------------------------------------------------------------


def distance(a, b):
    """Levenshtein's, over phonemes."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


@torch.no_grad()
def say(model, spellings, number):
    """Phoneme ids of each spelling, the most probable one at a time."""
    letters = pad([[number[c] for c in s] + [END] for s in spellings])
    memory, seen = model.encode(letters)
    said = torch.full((len(spellings), 1), START)
    done = torch.zeros(len(spellings), dtype=torch.bool)
    while not done.all() and said.shape[1] < POSITIONS:
        best = model.decode(said, memory, seen)[:, -1].argmax(-1)
        best[done] = PAD
        said = torch.cat([said, best[:, None]], 1)
        done |= best == END
    return [[i for i in row if i not in (START, PAD, END)] for row in said.tolist()]


def error_rates(model, words, number):
    """(phoneme error rate, word error rate): each word against its nearest pronunciation."""
    model.eval()
    edits = sounds = wrong = 0
    spellings = sorted(words, key=lambda s: (len(s), s))
    for i in range(0, len(spellings), 512):
        some = spellings[i:i + 512]
        for spelling, said in zip(some, say(model, some, number)):
            edit, n = min((distance(said, [number[s] for s in p]), len(p))
                          for p in words[spelling])
            edits, sounds, wrong = edits + edit, sounds + n, wrong + (edit > 0)
    model.train()
    return edits / sounds, wrong / len(spellings)


# ---- files --------------------------------------------------------------------------------


def write_json(folder, name, value):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
        json.dump(value, f, indent=2, ensure_ascii=False)
        f.write("\n")


def export(model, folder, n_vocab, scores):
    from safetensors.torch import save_file
    state = {k: v.detach().half().contiguous() for k, v in model.state_dict().items()}
    save_file(state, os.path.join(folder, "model.safetensors"), {"format": "pt"})
    ends = {"bos_token_id": START, "pad_token_id": PAD, "eos_token_id": END,
            "decoder_start_token_id": START}
    write_json(folder, "config.json", {
        "architectures": ["BartForConditionalGeneration"], "model_type": "bart",
        "vocab_size": n_vocab, "max_position_embeddings": POSITIONS, "d_model": WIDTH,
        "encoder_layers": LAYERS, "encoder_attention_heads": HEADS,
        "encoder_ffn_dim": INNER, "decoder_layers": LAYERS,
        "decoder_attention_heads": HEADS, "decoder_ffn_dim": INNER,
        "activation_function": "gelu", "scale_embedding": False,
        "is_encoder_decoder": True, "tie_word_embeddings": True, "dropout": DROPOUT,
        "forced_eos_token_id": None, "torch_dtype": "float16", **ends})
    write_json(folder, "generation_config.json", ends)
    write_json(folder, "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>",
        "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>",
        "model_max_length": POSITIONS})
    write_json(folder, "scores.json", scores)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--work", required=True, help="folder for checkpoints")
    args.add_argument("--out", default=here, help="folder for the model files")
    args.add_argument("--dictionary", default=DICTIONARY)
    args.add_argument("--threads", type=int, default=0)
    args = args.parse_args()
    os.makedirs(args.work, exist_ok=True)
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)

    words = read_words(args.dictionary)
    spellings = sorted(words)
    held = {s: words[s] for s in spellings[19::20]}
    train = {s: words[s] for s in spellings if s not in held}
    vocabulary = make_vocabulary()
    number = {s: i for i, s in enumerate(vocabulary)}
    write_tokenizer(vocabulary, args.out)
    pairs = [to_ids(number, s, p) for s in sorted(train) for p in train[s]]
    print(f"{len(pairs)} pronunciations to train, {len(held)} spellings held out, "
          f"{len(vocabulary)} tokens", flush=True)

    model = Speller(len(vocabulary))
    named = list(model.named_parameters())
    is_matrix = {n: p.ndim == 2 and ".layers." in n for n, p in named}
    muon = Muon([p for n, p in named if is_matrix[n]], DECAY)
    adam = torch.optim.AdamW([p for n, p in named if not is_matrix[n]], betas=(0.9, 0.95),
                             weight_decay=0.0)
    saved = os.path.join(args.work, "checkpoint.pt")
    step, seconds, log = 0, 0.0, []
    if os.path.exists(saved):
        ckpt = torch.load(saved, weights_only=False)
        model.load_state_dict(ckpt["model"])
        adam.load_state_dict(ckpt["adam"])
        muon.momentum = ckpt["momentum"]
        step, seconds, log = ckpt["step"], ckpt["seconds"], ckpt["log"]
    began = time.time() - seconds
    some = dict(list(held.items())[::10])
    while step < STEPS:
        falling = 0.5 * (1 + math.cos(math.pi * step / STEPS))
        lr = min(1, (step + 1) / WARM_UP) * (LOW + (HIGH - LOW) * falling)
        for group in adam.param_groups:
            group["lr"] = ADAM_SHARE * lr
        letters, sounds = draw_batch(pairs, step)
        torch.manual_seed(SEED + step)
        logits = model(letters, sounds[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), sounds[:, 1:].flatten(),
                               ignore_index=PAD, label_smoothing=SMOOTHING)
        model.zero_grad(set_to_none=True)
        loss.backward()
        muon.step(lr)
        adam.step()
        step += 1
        if step % 50 == 0:
            print(f"  {step}/{STEPS} loss {loss.item():.4f} {time.time() - began:.0f} s",
                  flush=True)
        if step % 500 == 0 or step == STEPS:
            phonemes, spelled = error_rates(model, some, number)
            log.append({"step": step, "phoneme_error_rate": round(phonemes, 4),
                        "word_error_rate": round(spelled, 4)})
            print(log[-1], flush=True)
            torch.save({"step": step, "model": model.state_dict(), "log": log,
                        "adam": adam.state_dict(), "momentum": muon.momentum,
                        "seconds": time.time() - began}, saved + ".new")
            os.replace(saved + ".new", saved)
    seconds = time.time() - began

    half = Speller(len(vocabulary))
    half.load_state_dict({k: v.half().float() for k, v in model.state_dict().items()})
    phonemes, spelled = error_rates(half, held, number)
    export(model, args.out, len(vocabulary), {
        "held_out_phoneme_error_rate_float16_weights": round(phonemes, 4),
        "held_out_word_error_rate_float16_weights": round(spelled, 4),
        "held_out_spellings": len(held), "training_pronunciations": len(pairs),
        "seed": SEED, "steps": STEPS, "training_seconds": round(seconds),
        "torch": torch.__version__, "threads": torch.get_num_threads(), "log": log})
    print(f"exported; float16 weights: {phonemes:.4f} of the phonemes, {spelled:.4f} of "
          "the words wrong")


if __name__ == "__main__":
    main()
