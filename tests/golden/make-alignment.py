#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Alignments of golden encoder-decoders by NumPy, for test-alignment.c.

    pip install numpy safetensors torch
    python3 make-alignment.py          writes alignment.json
    pip install transformers soundfile
    python3 make-alignment.py DATA     writes alignment-jfk.json, of DATA's
                                       models/whisper-base.en and audio/jfk.wav

The maps are those that the reference library computed (make-seq2seq.py); what is made of
them is written here anew: z-scores over tokens, of a recording a median over seven keys, the
cheapest path by recursion, and the heads whose rows go on most steadily.
"""

import functools
import json
import os
import sys

import numpy as np
from safetensors.torch import load_file

HERE = os.path.dirname(os.path.abspath(__file__))
CHOSEN, WIDTH = 6, 7
sys.setrecursionlimit(100000)


def smooth(row):
    reach = WIDTH // 2
    if len(row) <= reach:
        return row
    wide = np.pad(row, reach, mode="reflect")
    return np.array([np.median(wide[j:j + WIDTH]) for j in range(len(row))])


def prepare(rows, are_frames=True):
    spread = rows.std(0)
    scored = np.divide(rows - rows.mean(0), spread, out=np.zeros_like(rows), where=spread > 0)
    return np.stack([smooth(row) for row in scored]) if are_frames else scored


def cheapest(cost):
    """First column of each row on the cheapest path."""
    @functools.lru_cache(None)
    def least(i, j):
        if i < 0 or j < 0:
            return 0.0 if i == j == -1 else np.inf
        return cost[i, j] + min(least(i - 1, j - 1), least(i - 1, j), least(i, j - 1))
    i, j = cost.shape[0] - 1, cost.shape[1] - 1
    first = [0] * cost.shape[0]
    while i >= 0 and j >= 0:
        first[i] = j
        both, row, key = least(i - 1, j - 1), least(i - 1, j), least(i, j - 1)
        if both < row and both < key:
            i, j = i - 1, j - 1
        elif row < both and row < key:
            i -= 1
        else:
            j -= 1
    return first


def steadiness(rows):
    """The best average of three neighbouring weights over keys that do not go back."""
    n, m = rows.shape
    wide = np.pad(rows, ((0, 0), (1, 1)))
    band = wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]

    @functools.lru_cache(None)
    def best(i, j):
        if i < 0:
            return 0.0
        return max(best(i - 1, k) + band[i, k] for k in range(j + 1))
    return best(n - 1, m - 1) / n


def of_recording(data):
    """A trained Whisper: its own maps in the reference library, its alignment heads."""
    import soundfile
    import torch
    import transformers as t
    folder = os.path.join(data, "models", "whisper-base.en")
    model = t.WhisperForConditionalGeneration.from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float32).eval()
    sound, rate = soundfile.read(os.path.join(data, "audio", "jfk.wav"))
    heard = t.WhisperFeatureExtractor.from_pretrained(folder)(
        sound, sampling_rate=rate, return_tensors="pt").input_features
    rules = model.generation_config
    said = [rules.decoder_start_token_id, rules.no_timestamps_token_id]
    first = len(said)
    with torch.no_grad():
        encoded = model.get_encoder()(heard)
        while said[-1] != rules.eos_token_id and len(said) < 60:
            out = model(encoder_outputs=encoded, decoder_input_ids=torch.tensor([said]),
                        output_attentions=True)
            said.append(out.logits[0, -1].argmax().item())
    text = range(first, len(said) - 1)
    frames = len(sound) // 320  # of 20 ms
    maps = {(layer, head): a[0, head][[i - 1 for i in text], :frames].double().numpy()
            for layer, a in enumerate(out.cross_attentions) for head in range(a.shape[1])}
    named = [tuple(h) for h in model.generation_config.alignment_heads]
    steady = sorted(maps, key=lambda h: -steadiness(maps[h]))[:CHOSEN]
    return {"ids": said[first:-1],
            **{name: cheapest(-sum(prepare(maps[h]) for h in heads))
               for name, heads in (("named", named), ("steady", steady), ("all", maps))}}


def write(name, found):
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as f:
        json.dump(found, f, indent=1)
        f.write("\n")


def main():
    if len(sys.argv) > 1:
        return write("alignment-jfk.json", of_recording(sys.argv[1]))
    found = []
    for name in ("whisper-tiny", "bart-tiny", "marian-tiny"):
        e = load_file(os.path.join(HERE, "models", name, "expected.safetensors"))
        layers = sorted(k for k in e if k.startswith("cross.attentions."))
        maps = {(layer, head): e[key][head, :-1].double().numpy()
                for layer, key in enumerate(layers) for head in range(e[key].shape[0])}
        ranked = sorted(maps, key=lambda h: -steadiness(maps[h]))[:CHOSEN]
        sound = name.startswith("whisper")  # the pieces of a text are not smoothed
        found.append({
            "model": name,
            "all": cheapest(-sum(prepare(m, sound) for m in maps.values())),
            "monotone": cheapest(-sum(prepare(maps[h], sound) for h in ranked)),
            "heads": [list(h) for h in ranked]})
        print(name, found[-1])
    return write("alignment.json", found)


if __name__ == "__main__":
    main()
