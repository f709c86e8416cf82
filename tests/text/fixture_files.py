# SPDX-License-Identifier: MIT
"""Tokenizers without tokenizer.json: vocab.txt and sentencepiece models, as the reference
libraries read them or convert them."""

import base64
import json
import os
import tempfile

import fixture_texts
from fixture_families import (GEMMA_DECODER, LLAMA_DECODER, MORE, SPACE, byte_bpe, clip_bpe,
                              entry, file, metaspace, pre_split, replace, score_bpe, scored,
                              sentencepiece_model, sequence, specials, template, wordpiece)

PIECES = {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1}
ALBERT = {"pad_id": 0, "unk_id": 1, "bos_id": -1, "eos_id": -1,
          "control_symbols": ["[CLS]", "[SEP]"], "user_defined_symbols": ["[MASK]", "(c)"],
          # Pieces of a digit and a comma, which cost more, and of letters and a comma.
          "more": ["In 1,000 and 2,000 of 21,000, or 1,200, 2, 1, 0,"] * 400,
          "split_by_unicode_script": False, "split_by_number": False}
GEMMA = {"pad_id": 0, "eos_id": 1, "bos_id": 2, "unk_id": 3, "pad_piece": "<pad>",
         "eos_piece": "<eos>", "bos_piece": "<bos>", "byte_fallback": True,
         "add_dummy_prefix": False, "remove_extra_whitespaces": False, "split_digits": True,
         "allow_whitespace_only_pieces": True, "control_symbols": ["<start_of_turn>"],
         "user_defined_symbols": ["<mask>", "<end_of_turn>", "\n", "\n\n", SPACE * 2]}


class Original:
    """What a converter asks of the tokenizer that it converts."""

    def __init__(self, path, proto, **fields):
        self.vocab_file = path
        self.keep_accents, self.do_lower_case, self._extra_ids = False, True, 100
        self.ids = {piece.piece: i for i, piece in enumerate(proto.pieces)}
        for name, value in fields.items():
            setattr(self, name, value)

    def convert_tokens_to_ids(self, name):
        return self.ids[name]


def converted(transformers, name, data, proto, plain, masks=(), **fields):
    """By the converter called @name, with the special tokens that its tokenizer has."""
    from tokenizers import AddedToken
    from transformers import convert_slow_tokenizer
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "spiece.model")
        with open(path, "wb") as f:
            f.write(data)
        original = Original(path, proto, **fields)
        tokenizer = getattr(convert_slow_tokenizer, name)(original).converted()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in plain])
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, lstrip=True)
                                  for token in masks])
    return tokenizer


def text_file(value):
    return {"text": value if isinstance(value, str) else json.dumps(value)}


def binary_file(data, shared):
    text = base64.b64encode(data).decode()
    if text not in shared:
        shared.append(text)
    return {"shared": shared.index(text)}


def bert(transformers, tokenizers, name, config, ends="\n"):
    """BERT's tokenizer, read from its files by the library."""
    names = ["[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    ids = wordpiece(tokenizers, config.get("do_lower_case", True), names)["vocab"]
    lines = sorted(ids, key=ids.get)
    lines.insert(700, "the")  # A token twice: the later one counts.
    files = {"vocab.txt": text_file(ends.join(lines) + ends),
             "tokenizer_config.json": text_file(dict(config, tokenizer_class="BertTokenizer"))}
    with tempfile.TemporaryDirectory() as folder:
        for file_name, value in files.items():
            with open(os.path.join(folder, file_name), "w", encoding="utf-8",
                      newline="") as f:
                f.write(value["text"])
        tokenizer = transformers.BertTokenizer.from_pretrained(folder)
    return name, files, tokenizer.backend_tokenizer


class Encoder:
    """What a converter asks of a tokenizer that has vocab.json and merges.txt."""

    def __init__(self, model, **fields):
        self.encoder = model["vocab"]
        self.bpe_ranks = {tuple(pair): i for i, pair in enumerate(model["merges"])}
        self.add_prefix_space = self.add_bos_token = False
        for name, value in fields.items():
            setattr(self, name, value)
            if value in self.encoder:
                setattr(self, name + "_id", self.encoder[value])


def byte_folder(model, converter, config, plain, masks=(), **fields):
    from tokenizers import AddedToken
    from transformers import convert_slow_tokenizer
    tokenizer = getattr(convert_slow_tokenizer, converter)(Encoder(model, **fields)).converted()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in plain])
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, lstrip=True)
                                  for token in masks])
    merges = "#version: 0.2\n" + "".join(" ".join(pair) + "\n" for pair in model["merges"])
    return {"vocab.json": text_file(model["vocab"]), "merges.txt": text_file(merges),
            "tokenizer_config.json": text_file(config)}, tokenizer


def byte_folders(tokenizers):
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    model = byte_bpe(tokenizers, names)
    named = {"cls_token": "<s>", "sep_token": "</s>"}
    yield ("roberta", *byte_folder(model, "RobertaConverter", {
        "tokenizer_class": "RobertaTokenizer"}, names[:4], names[4:], **named))
    yield ("bart-space", *byte_folder(model, "RobertaConverter", {
        "tokenizer_class": "BartTokenizerFast", "add_prefix_space": True}, names[:4],
        names[4:], add_prefix_space=True, **named))
    yield ("opt", *byte_folder(model, "GPT2Converter", {
        "tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "bos_token": {
            "content": "</s>"}}, ["</s>"], bos_token="</s>", add_bos_token=True))
    size = len(model["vocab"])
    listed = {str(size + i): {"content": name, "special": True, "normalized": False}
              for i, name in enumerate(("<|endoftext|>", "<|im_start|>", "<|im_end|>"))}
    yield ("qwen2", *byte_folder(model, "Qwen2Converter", {
        "tokenizer_class": "Qwen2Tokenizer", "added_tokens_decoder": listed},
        [token["content"] for token in listed.values()]))
    names = ["<|startoftext|>", "<|endoftext|>"]
    model = clip_bpe(tokenizers, names)
    yield ("clip", *byte_folder(model, "CLIPConverter", {"tokenizer_class": "CLIPTokenizer"},
                                names, bos_token=names[0], eos_token=names[1],
                                unk_token=names[1]))


def score_tokenizers(tokenizers, shared):
    data, proto = sentencepiece_model("bpe", "identity", 900, byte_fallback=True,
                                      split_digits=True, remove_extra_whitespaces=False)
    model = score_bpe(proto)
    ids = model["vocab"]
    llama = sequence("normalizers", {"type": "Prepend", "prepend": SPACE},
                     replace(" ", SPACE))
    tokens = specials(ids, "<unk>", "<s>", "</s>")
    parts = {"added_tokens": tokens, "decoder": LLAMA_DECODER, "post_processor": template(
        ids, "<s>:0 $A:0", "<s>:0 $A:0 <s>:1 $B:1")}
    one = binary_file(data, shared)
    make = tokenizers.Tokenizer.from_str
    yield ("llama", {"tokenizer.model": one, "tokenizer_config.json": text_file(
        {"tokenizer_class": "LlamaTokenizer"})}, make(json.dumps(
            file(model, normalizer=llama, **parts))))
    parts["post_processor"] = template(ids, "$A:0 </s>:0", "$A:0 </s>:0 $B:1 </s>:1")
    yield ("mistral-new", {"tokenizer.model": one, "tokenizer_config.json": text_file(
        {"legacy": False, "add_bos_token": False, "add_eos_token": True}),
        "config.json": text_file({"model_type": "mistral"})}, make(json.dumps(
            file(model, pre_tokenizer=metaspace("first", False), **parts))))
    data, proto = sentencepiece_model("bpe", "identity", 900, **GEMMA)
    vocab = scored(proto)
    if not any(piece == "\t" for piece, _ in vocab):
        vocab = [["\t", 0.0] if piece == "<0x09>" else [piece, score]
                 for piece, score in vocab]
    model = score_bpe(proto, vocab)
    ids = model["vocab"]
    named = specials(ids, "<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>",
                     "<end_of_turn>")
    named += [dict(specials(ids, name)[0], special=False)
              for name in ("<mask>", "\n", "\n\n", SPACE * 2)]
    whole = file(model, normalizer=replace(" ", SPACE), decoder=GEMMA_DECODER,
                 pre_tokenizer=pre_split(" ", "MergedWithPrevious", kind="String"),
                 added_tokens=sorted(named, key=lambda token: token["id"]),
                 post_processor=template(ids, "<bos>:0 $A:0", "<bos>:0 $A:0 <bos>:1 $B:1"))
    yield ("gemma", {"tokenizer.model": binary_file(data, shared), "tokenizer_config.json":
                     text_file({"tokenizer_class": "GemmaTokenizerFast"})},
           make(json.dumps(whole)))


def folders(transformers, tokenizers, shared, t5_data, t5):
    yield bert(transformers, tokenizers, "bert-uncased", {})
    yield bert(transformers, tokenizers, "bert-cased",
               {"do_lower_case": False, "strip_accents": False}, "\r\n")
    yield bert(transformers, tokenizers, "bert-chinese",
               {"tokenize_chinese_chars": False, "do_lower_case": False,
                "strip_accents": True})
    yield ("t5", {"spiece.model": binary_file(t5_data, shared), "config.json": text_file(
        {"model_type": "t5", "x": 1e30})}, converted(
            transformers, "T5Converter", t5_data, t5, ["</s>", "<unk>", "<pad>"] + [
                f"<extra_id_{i}>" for i in range(99, -1, -1)]))
    data, proto = sentencepiece_model("unigram", "nmt_nfkc_cf", 900, **ALBERT)
    one = binary_file(data, shared)
    for name, config in (("albert", {}), ("albert-cased", {
            "do_lower_case": False, "keep_accents": True})):
        yield (name, {"spiece.model": one, "tokenizer_config.json": text_file(
            dict(config, tokenizer_class="AlbertTokenizer"))}, converted(
                transformers, "AlbertConverter", data, proto,
                ["[CLS]", "[SEP]", "<unk>", "<pad>"], ["[MASK]"], **config))
    data, proto = sentencepiece_model("unigram", "identity", 900)
    names = ["<s>", "<pad>", "</s>", "<unk>"]
    yield ("xlm-roberta", {"sentencepiece.bpe.model": binary_file(data, shared),
                           "tokenizer_config.json": text_file(
                               {"tokenizer_class": "XLMRobertaTokenizer"})}, converted(
                                   transformers, "XLMRobertaConverter", data, proto, names,
                                   ["<mask>"], ids={name: i for i, name in enumerate(names)}))
    yield from score_tokenizers(tokenizers, shared)
    yield from byte_folders(tokenizers)


def is_plain(text):
    """Without what is a token by its name, and without a zero."""
    return not any(mark in text for mark in ("\0", "<", "[", ">>", "(c)"))


def marian(transformers, shared, data, proto, texts):
    """Ids by Marian's own tokenizer, over a vocabulary that the model does not agree with."""
    pieces = [piece.piece for piece in proto.pieces][3:]
    names = ["</s>", "<unk>"] + [p for i, p in enumerate(pieces) if i % 9] + [">>de<<", "zz"]
    names.append("<pad>")
    ids = {name: i for i, name in enumerate(names)}
    files = {"source.spm": binary_file(data, shared), "vocab.json": text_file(ids),
             "tokenizer_config.json": text_file({"tokenizer_class": "MarianTokenizer"})}
    with tempfile.TemporaryDirectory() as folder:
        spm, vocab = os.path.join(folder, "source.spm"), os.path.join(folder, "vocab.json")
        with open(spm, "wb") as f:
            f.write(data)
        with open(vocab, "w", encoding="utf-8") as f:
            json.dump(ids, f)
        tokenizer = transformers.MarianTokenizer(spm, spm, vocab)
        pieces = [[text, tokenizer.spm_source.encode(text, out_type=str)]
                  for text in texts if "\0" not in text]
        texts = [text for text in texts if is_plain(text)] + [">>de<< Hello.", ">>de<<a"]
        return {"name": "marian", "files": files, "ids": [
            [text, tokenizer(text)["input_ids"]] for text in texts], "raw": [
                [text, [ids.get(piece, 1) for piece in found]] for text, found in pieces]}


def plain(shared, data, texts):
    """Ids by sentencepiece itself, of a model that no configuration stands beside."""
    import sentencepiece
    processor = sentencepiece.SentencePieceProcessor(model_proto=data)
    return {"name": "plain", "files": {"spiece.model": binary_file(data, shared)},
            "ids": [[text, processor.encode(text)] for text in texts if is_plain(text)]}


def make(tokenizers, expected, decoded, flat):
    import transformers
    texts = MORE + fixture_texts.make_texts(300, 47)
    shared, out = [], []
    data, proto = sentencepiece_model("unigram", "nmt_nfkc", 1000, **PIECES)
    for number, (name, files, tokenizer) in enumerate(
            folders(transformers, tokenizers, shared, data, proto)):
        item = entry(tokenizer, name, number, texts, expected, decoded, flat)
        vocab = tokenizer.get_vocab()
        names = sorted(vocab, key=vocab.get)[::23] + ["\t", "<0x09>", "nothing"]
        out.append(dict(item, files=files, named={
            token: vocab.get(token, -1) for token in names}))
    out.append(marian(transformers, shared, data, proto, texts))
    out.append(plain(shared, data, texts))
    return {"library": f"tokenizers {tokenizers.__version__}, transformers "
                       f"{transformers.__version__}", "texts": texts, "folders": out,
            "shared": shared}
