#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the tiny encoders of text and what the reference library computes with them.

    python3 make-encoders.py      writes models/bert-*/, models/roberta-*/, ...

README.md says which versions, and what lies in the files.
"""

import os

import numpy as np
import torch
import transformers as t
from safetensors.torch import save_file

from family_common import Float64, as_f32, fill, put_tower, save

SIZES = dict(vocab_size=89, hidden_size=36, num_hidden_layers=3, num_attention_heads=3,
             intermediate_size=50, max_position_embeddings=48, pad_token_id=1,
             hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)


def record(model, seed, n_tokens, has_types, pad_id):
    rng = np.random.default_rng(seed)
    ids = rng.integers(2, model.config.vocab_size, (1, n_tokens))
    if pad_id is not None:  # RoBERTa counts no position for it
        ids[0, 3] = pad_id
    inputs = {"input_ids": torch.tensor(ids)}
    expected = {"input_ids": torch.tensor(ids, dtype=torch.int32)}
    if has_types:
        types = np.zeros((1, n_tokens), np.int64)
        types[0, n_tokens // 3:] = 1
        inputs["token_type_ids"] = torch.tensor(types)
        expected["token_type_ids"] = torch.tensor(types, dtype=torch.int32)
    with torch.no_grad(), Float64(model):
        out = model(**inputs, output_attentions=True, output_hidden_states=True,
                    attention_mask=torch.ones(1, n_tokens, dtype=torch.long))
    put_tower(expected, "", out.attentions, out.hidden_states)
    expected["features"] = as_f32(out.hidden_states[-1][0])
    if getattr(out, "pooler_output", None) is not None:
        expected["pooled"] = as_f32(out.pooler_output[0])
    if hasattr(out, "logits"):
        expected["logits"] = as_f32(out.logits[0])
    if hasattr(out, "prediction_logits"):
        expected["logits"] = as_f32(out.prediction_logits[0])
    peak = torch.stack([a.max(-1).values.mean() for a in out.attentions]).mean().item()
    print(f"  {n_tokens} tokens: mean row maximum {peak:.2f}")
    return expected


def make(name, kind, config, seed, n_tokens=17, dtype=torch.float32, types=False,
         pad=None, rename=None, change=None):
    print(name)
    config._attn_implementation = "eager"
    model = kind(config)
    fill(model, seed, dtype)
    model.eval()
    folder = save(name, model, dtype, rename, change)
    save_file(record(model, seed + 1000, n_tokens, types, pad),
              os.path.join(folder, "expected.safetensors"))


def old_norm_names(name):
    """As TensorFlow had them, and many files still have."""
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
        "LayerNorm.bias", "LayerNorm.beta")


LABELS = dict(num_labels=3, id2label={0: "no", 1: "maybe", 2: "yes"},
              label2id={"no": 0, "maybe": 1, "yes": 2})
DISTIL = dict(vocab_size=89, dim=40, n_layers=2, n_heads=5, hidden_dim=52,
              max_position_embeddings=32, dropout=0.0, attention_dropout=0.0)


def main():
    make("bert-masked", t.BertForMaskedLM, t.BertConfig(**SIZES), 101, types=True)
    make("bert-classes", t.BertForSequenceClassification,
         t.BertConfig(**{**SIZES, "hidden_act": "gelu_new", "layer_norm_eps": 1e-5},
                      **LABELS), 102, types=True, dtype=torch.float16)
    make("bert-tower", t.BertModel, t.BertConfig(**{**SIZES, "num_hidden_layers": 2}), 103)
    make("bert-gamma", t.BertForPreTraining,
         t.BertConfig(**{**SIZES, "num_hidden_layers": 2}), 104, rename=old_norm_names)
    make("bert-score", t.BertForSequenceClassification,
         t.BertConfig(**{**SIZES, "num_hidden_layers": 2}, num_labels=1), 105, types=True)
    make("roberta-masked", t.RobertaForMaskedLM,
         t.RobertaConfig(**{**SIZES, "type_vocab_size": 1, "tie_word_embeddings": False}),
         111, pad=1)
    make("roberta-classes", t.RobertaForSequenceClassification,
         t.RobertaConfig(**{**SIZES, "type_vocab_size": 1, "num_hidden_layers": 2},
                         **LABELS), 112, dtype=torch.bfloat16)
    make("xlm-roberta-tower", t.XLMRobertaModel,
         t.XLMRobertaConfig(**{**SIZES, "type_vocab_size": 1, "num_hidden_layers": 2}), 113)
    make("distilbert-masked", t.DistilBertForMaskedLM,
         t.DistilBertConfig(**DISTIL, activation="relu"), 121)
    make("distilbert-classes", t.DistilBertForSequenceClassification,
         t.DistilBertConfig(**DISTIL, **LABELS), 122)
    make("albert-masked", t.AlbertForMaskedLM,
         t.AlbertConfig(**{**SIZES, "num_hidden_layers": 5}, embedding_size=20,
                        num_hidden_groups=2), 131, types=True)
    make("albert-classes", t.AlbertForSequenceClassification,
         t.AlbertConfig(**SIZES, embedding_size=20, classifier_dropout_prob=0.0, **LABELS),
         132)
    make("mpnet-masked", t.MPNetForMaskedLM,
         t.MPNetConfig(**{**SIZES, "num_hidden_layers": 2, "hidden_size": 24,
                          "max_position_embeddings": 180}), 141, n_tokens=150)
    make("mpnet-classes", t.MPNetForSequenceClassification,
         t.MPNetConfig(**SIZES, **LABELS), 142, pad=1)
    make("mpnet-tower", t.MPNetModel,
         t.MPNetConfig(**{**SIZES, "num_hidden_layers": 2}), 143)


if __name__ == "__main__":
    main()
