#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A model that reads one region only, for test-saliency.c: writes planted/.

    python3 make-planted.py

The weights are made, not trained. A BERT of two layers whose first embedding dimension
says whether a place belongs to the region; queries are constant and keys read nothing
else, so that every token attends to the region alone, whatever the other dimensions,
which are random, say. Nothing writes to that dimension, and words have nothing in it: a
word of zeros, the baseline, stays where it is. So what the classifier says of CLS
depends, besides CLS itself, on tokens of the region only.
"""

import os

import torch
import transformers as t
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "planted")
D, HEADS, N_TOKENS, MARK = 16, 2, 24, 3.0
REGION = range(9, 14)  # test-saliency.c knows them


def make():
    torch.manual_seed(11)
    config = t.BertConfig(vocab_size=N_TOKENS, hidden_size=D, num_hidden_layers=2,
                          num_attention_heads=HEADS, intermediate_size=16, num_labels=3,
                          max_position_embeddings=N_TOKENS, type_vocab_size=1, pad_token_id=0,
                          layer_norm_eps=1e-5)
    config._attn_implementation = "eager"  # hands out its maps
    model = t.BertForSequenceClassification(config).eval()
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() > 1:
                p.normal_(0, 0.3)
        e = model.bert.embeddings
        e.word_embeddings.weight[:, 0] = 0
        e.token_type_embeddings.weight[:] = 0
        e.position_embeddings.weight[:, 0] = -MARK
        e.position_embeddings.weight[list(REGION), 0] = MARK
        for layer in model.bert.encoder.layer:
            own = layer.attention.self
            own.query.weight[:] = 0
            own.key.weight[:] = 0
            for h in range(HEADS):
                own.query.bias[h * D // HEADS] = 27
                own.key.weight[h * D // HEADS, 0] = 1
            layer.attention.output.dense.weight[0] = 0
            layer.output.dense.weight[0] = 0
    return model


def main():
    model = make()
    model.save_pretrained(FOLDER)
    ids = torch.arange(N_TOKENS)[None]
    with torch.no_grad():
        out = model(ids, output_attentions=True)
    outside = [i for i in range(N_TOKENS) if i not in REGION]
    print("logits", out.logits[0].tolist(), "weight outside the region",
          max(a[..., outside].sum(-1).max().item() for a in out.attentions))
    save_file({"input_ids": ids.int(), "token_type_ids": torch.zeros_like(ids).int()},
              os.path.join(FOLDER, "expected.safetensors"))


if __name__ == "__main__":
    main()
