#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Deletion and insertion on golden models by the reference framework, for
test-saliency.c.

    python3 make-faithfulness.py      reads saliency.json, writes faithfulness.json

Tokens are ranked by the size of gradient x input; those taken away have the embedding of
the mean baseline. make-saliency.py says what the cases are.
"""

import importlib
import json
import os

import torch

saliency = importlib.import_module("make-saliency")
SHARES = 11


def places(case, scores):
    """CLS of a picture is none of its tokens."""
    counted = range(int(case.is_picture), len(scores))
    return sorted(counted, key=lambda i: (-abs(scores[i]), i))


def probability(case, rows, like):
    """Of the target, where the embeddings are @rows."""
    _, _, out = case.run(case.back(rows, like))
    logits = out.logits[0] if out.logits.dim() == 2 else out.logits[0, -1]
    return torch.softmax(logits, -1)[case.index].item()


def curves(case, scores):
    with torch.no_grad():
        _, x, _ = case.run()
        full = case.tokens(x.detach())
        empty = case.tokens(saliency.baseline(case, x.detach(), "mean"))
        order = places(case, scores)
        first = int(case.is_picture)
        deletion, insertion = [], []
        for share in range(SHARES):
            taken = [i - first for i in order[:int(share * len(order) / (SHARES - 1) + 0.5)]]
            given = [i for i in range(len(full)) if i not in taken]
            without, alone = full.clone(), full.clone()
            without[taken] = empty[taken]
            alone[given] = empty[given]
            deletion.append(probability(case, without, x))
            insertion.append(probability(case, alone, x))
    return {"order": order, "deletion": deletion, "insertion": insertion}


def main():
    with open(os.path.join(saliency.HERE, "saliency.json"), encoding="utf-8") as f:
        known = json.load(f)
    found = []
    for arguments, about in zip(saliency.CASES, known):
        case = saliency.Case(*arguments)
        found.append(curves(case, about["zero"]["gradient-input"]))
        print(case.name, found[-1]["deletion"][0], found[-1]["deletion"][-1])
    with open(os.path.join(saliency.HERE, "faithfulness.json"), "w", encoding="utf-8") as f:
        json.dump(found, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
