# SPDX-License-Identifier: MIT
"""Tokenizers with the steps of each family's published file, over small vocabularies that
are trained here: on the manual that comes with Python and on the fixtures' texts."""

import base64
import collections
import io
import json
import random
import unicodedata

import fixture_texts
from fixture_small import (BYTE_LEVEL, CL100K, PLAIN_BYTES, added, file, metaspace,
                           pre_split, replace, sequence)

SPACE = "\u2581"
MULTIPLE = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
QWEN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
CLIP = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
LLAMA_DECODER = sequence("decoders", replace(SPACE, " "), {"type": "ByteFallback"},
                         {"type": "Fuse"},
                         {"type": "Strip", "content": " ", "start": 1, "stop": 0})
GEMMA_DECODER = sequence("decoders", replace(SPACE, " "), {"type": "ByteFallback"},
                         {"type": "Fuse"})
MORE = [
    "[CLS] a [SEP] b [SEP]", "[MASK]", "a [MASK].", "<mask>", " <mask> ", "a<mask>", "<pad>",
    "<extra_id_0> a <extra_id_99>", "<bos>a<eos>", "<start_of_turn>user\nHi<end_of_turn>",
    "<|startoftext|>a<|endoftext|>", "<|endoftext|> a", "<|end|>  \n a", "<|user|>\nHi<|end|>\n",
    "##ing a##b", "do not . Isn't it ? No , it 's not !", "caf\u00e9 na\u00efve R\u00c9SUM\u00c9",
    "\u4e2d\u6587abc\u6587", "\u212b\u1e9b\u0323 \ufb01", "a\r\nb\rc", "\r\n\r\n", "``a''",
    "e\u0301\u0323 \u1ec7", "\u0e33\u0e01\u0e33", "\ufdfa x", "\u2460\u2461 \u33a1",
    "\u1e9e\u00df", "a\u200db", "\u0915\u094d\u0937", "\u3000\u3000a\u3000", "\u2581\u2581a",
    "a" * 99, "a" * 100, "a" * 101, "b" + "\u00e9" * 99, "\u00e9" * 101, "the" * 40,
    "\u0f0b\u0f0d", "\uff76\uff9e", "\u00a8\u00b4", "\u1100\u1161\u11a8", "\u0385\u1fee",
    "\u00e9b", "ab\u00e9ba", "\u00e8\u00eab e\u0301", "I do not . x 's",
    "\"yes\", \"no\", present, 1,000, 2,",
    # Newer than the library's Unicode: parts, classes of marks, pairs.
    "\U0001f16ca \ua7f2 \u32ff \U0001fbf3", "a\u0301\u1abfb a\u1abf\u0338",
    "a\u0301\u08cf a\u0300\u1dfa", "\U00011938 \U00011935\U00011930",
    "\u200b\u200c\u2060a", "\x01\x02a\x1f", "\x8f\x9f", "\ufffd", "\u061c\u2066a\u2069",
]


def manual():
    """English with code and names in it, 460 kB in most versions of Python."""
    from pydoc_data import topics
    return [line for text in topics.topics.values() for line in text.split("\n") if line]


def words():
    return [text.replace("\0", " ") for text in fixture_texts.make_texts(300, 7)]


def common(lines, n):
    """The lines with their @n most frequent characters alone: trainers leave out the others
    too, but choose among equally frequent ones by chance."""
    counts = collections.Counter("".join(lines))
    kept = set(sorted(counts, key=lambda c: (-counts[c], c))[:n])
    return ["".join(c if c in kept else " " for c in line) for line in lines]


# ---- models ----------------------------------------------------------------------------

def train(tokenizers, pre, size, specials=(), alphabet=(), normalizer=None, n_characters=300):
    """Byte pair encoding of the training texts."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = pre
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size, show_progress=False, special_tokens=list(specials),
        initial_alphabet=list(alphabet))
    tokenizer.train_from_iterator(common(manual() + words(), n_characters), trainer)
    return json.loads(tokenizer.to_str())["model"]


def wordpiece(tokenizers, lowercase, specials):
    """The most useful beginnings and later parts of words. The library's own trainer gives
    other ids each time."""
    normalizer = tokenizers.normalizers.BertNormalizer(lowercase=lowercase)
    pre = tokenizers.pre_tokenizers.BertPreTokenizer()
    counts = collections.Counter()
    lines = [normalizer.normalize_str(line) for line in common(manual() + words(), 200)]
    for word, n in collections.Counter(
            word for line in lines for word, _ in pre.pre_tokenize_str(line)).items():
        for start in range(len(word)):
            for end in range(start + 1, min(len(word), start + 8) + 1):
                counts["##" * (start > 0) + word[start:end]] += n
    letters = sorted(piece for piece in counts if len(piece.replace("##", "", 1) or "#") == 1)
    longer = sorted(counts.keys() - set(letters),
                    key=lambda piece: (-counts[piece] * len(piece), piece))
    return {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": {piece: i for i, piece in enumerate(
                list(specials) + letters + longer[:700])}}


def byte_bpe(tokenizers, specials=(), pre=None):
    pre = pre or tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    return train(tokenizers, pre, 900, specials,
                 sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()), n_characters=10000)


def with_suffix(model, n_first, suffix="</w>"):
    """The model with every token but the first ones at the end of a word too."""
    names = sorted(model["vocab"], key=model["vocab"].get)
    names += [name + suffix for name in names[n_first:]]
    merges = [[left, right + end] for left, right in model["merges"] for end in ("", suffix)]
    return dict(model, end_of_word_suffix=suffix, merges=merges,
                vocab={name: i for i, name in enumerate(names)})


def sentencepiece_model(kind, rule, size, more=(), **options):
    """(bytes of the model file, its parsed form); @more: lines to train on"""
    import sentencepiece
    from transformers.convert_slow_tokenizer import import_protobuf
    out = io.BytesIO()
    lines = [line.replace("\t", " ") for line in manual() + words() if line.strip()]
    lines += more
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=out, vocab_size=size, model_type=kind,
        normalization_rule_name=rule, character_coverage=0.985, minloglevel=2,
        num_threads=1, hard_vocab_limit=False, max_sentence_length=20000, **options)
    proto = import_protobuf().ModelProto()
    proto.ParseFromString(out.getvalue())
    return out.getvalue(), proto


def scored(proto):
    return [[piece.piece, piece.score] for piece in proto.pieces]


def unigram(vocab, unk_id, byte_fallback=False):
    return {"type": "Unigram", "unk_id": unk_id, "vocab": vocab,
            "byte_fallback": byte_fallback}


def score_bpe(proto, vocab=None, unk="<unk>"):
    """Byte pair encoding of a sentencepiece model, merged in the order of the scores."""
    from transformers.convert_slow_tokenizer import generate_merges
    vocab = vocab or scored(proto)
    ids = {piece: i for i, (piece, _) in enumerate(vocab)}
    merges = generate_merges(ids, {piece: score for piece, score in vocab})
    return {"type": "BPE", "dropout": None, "unk_token": unk, "fuse_unk": True,
            "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "byte_fallback": True, "ignore_merges": False, "vocab": ids,
            "merges": [list(pair) for pair in merges]}


def clip_bpe(tokenizers, specials):
    pre = tokenizers.pre_tokenizers
    return with_suffix(byte_bpe(tokenizers, specials, pre.Sequence([
        pre.Split(tokenizers.Regex(CLIP), "removed", True), pre.ByteLevel(False)])), 2)


# ---- steps -----------------------------------------------------------------------------

def template(ids, single, pair):
    """From "[CLS]:0 $A:0 [SEP]:0", as the reference library writes it."""
    def pieces(text):
        out = []
        for item in text.split():
            name, _, kind = item.rpartition(":")
            if name in ("$A", "$B"):
                out.append({"Sequence": {"id": name[1], "type_id": int(kind)}})
            else:
                out.append({"SpecialToken": {"id": name, "type_id": int(kind)}})
        return out
    names = {name.rpartition(":")[0] for name in (single + " " + pair).split()}
    return {"type": "TemplateProcessing", "single": pieces(single), "pair": pieces(pair),
            "special_tokens": {name: {"id": name, "ids": [ids[name]], "tokens": [name]}
                               for name in sorted(names - {"$A", "$B"})}}


def bert_normalizer(lowercase=True, strip=None, clean=True, chinese=True):
    return {"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": chinese,
            "strip_accents": strip, "lowercase": lowercase}


def wordpiece_decoder(cleanup=True):
    return {"type": "WordPiece", "prefix": "##", "cleanup": cleanup}


def around(kind, ids, sep, cls, trim=True, keeps=False):
    return {"type": kind, "sep": [sep, ids[sep]], "cls": [cls, ids[cls]],
            **({"trim_offsets": trim, "add_prefix_space": keeps}
               if kind == "RobertaProcessing" else {})}


def specials(ids, *names, **flags):
    return [added(name, ids[name], special=True, **flags) for name in names]


def with_added(model, *tokens, **flags):
    """[more added tokens] behind the vocabulary of the model."""
    size = len(model["vocab"])
    return [added(name, size + i, special=True, **flags) for i, name in enumerate(tokens)]


# ---- families --------------------------------------------------------------------------

def bert_families(tokenizers):
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pre = {"type": "BertPreTokenizer"}
    for lowercase in (True, False):
        model = wordpiece(tokenizers, lowercase, names)
        ids = model["vocab"]
        parts = {"pre_tokenizer": pre, "decoder": wordpiece_decoder(),
                 "added_tokens": specials(ids, *names)}
        bert = template(ids, "[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1")
        name = "uncased" if lowercase else "cased"
        yield f"bert-{name}", file(model, normalizer=bert_normalizer(lowercase),
                                   post_processor=bert, **parts)
    yield "bert-processing", file(
        model, normalizer=bert_normalizer(True, False),
        post_processor=around("BertProcessing", ids, "[SEP]", "[CLS]"),
        **dict(parts, added_tokens=parts["added_tokens"] + [
            added("I do not", len(ids)), added("x 's", len(ids) + 1)]))
    yield "bert-plain", file(
        dict(model, max_input_chars_per_word=12), pre_tokenizer=pre,
        normalizer=bert_normalizer(False, True, False, False),
        decoder=wordpiece_decoder(False))
    names = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
    model = wordpiece(tokenizers, True, names)
    ids = model["vocab"]
    parts = {"normalizer": bert_normalizer(), "pre_tokenizer": pre,
             "decoder": wordpiece_decoder(), "added_tokens":
             specials(ids, *names[:4]) + specials(ids, "<mask>", lstrip=True)}
    yield "mpnet", file(model, post_processor=around("RobertaProcessing", ids, "</s>", "<s>"),
                        **parts)
    yield "mpnet-converted", file(model, post_processor=template(
        ids, "<s>:0 $A:0 </s>:0", "<s>:0 $A:0 </s>:0 </s>:0 $B:1 </s>:1"), **parts)


def unigram_families(nfkc, identity):
    charsmap = {"type": "Precompiled", "precompiled_charsmap":
                base64.b64encode(nfkc.normalizer_spec.precompiled_charsmap).decode()}
    pieces = scored(nfkc)
    ids = {piece: i for i, (piece, _) in enumerate(pieces)}
    sentinels = [f"<extra_id_{i}>" for i in range(9, -1, -1)]
    t5 = unigram(pieces + [[name, 0.0] for name in sentinels], 0)
    post = template(ids, "$A:0 </s>:0", "$A:0 </s>:0 $B:0 </s>:0")
    tokens = [added("<unk>", 0, special=True), added("<s>", 1, special=True),
              added("</s>", 2, special=True)]
    old = sequence("pretokenizers", {"type": "WhitespaceSplit"},
                   {"type": "Metaspace", "replacement": SPACE, "add_prefix_space": True})
    yield "t5", file(t5, normalizer=charsmap, pre_tokenizer=old, decoder=metaspace(),
                     post_processor=post, added_tokens=tokens + [
                         added(name, len(pieces) + i, special=True)
                         for i, name in enumerate(sentinels)])
    strip = {"type": "Strip", "strip_left": False, "strip_right": True}
    new = sequence("normalizers", charsmap, strip,
                   {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": SPACE})
    yield "t5-converted", file(t5, normalizer=new, pre_tokenizer=metaspace(),
                               decoder=metaspace(), post_processor=post, added_tokens=tokens)
    albert = [["<pad>", 0.0], ["<unk>", 0.0], ["[CLS]", 0.0], ["[SEP]", 0.0],
              ["[MASK]", 0.0]] + pieces[3:]
    ids = {piece: i for i, (piece, _) in enumerate(albert)}
    quotes = [replace("``", "\""), replace("''", "\"")]
    flat = [{"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"}]
    yield "albert", file(
        unigram(albert, 1), normalizer=sequence("normalizers", *quotes, *flat, charsmap,
                                                MULTIPLE),
        pre_tokenizer=metaspace(), decoder=metaspace(), post_processor=template(
            ids, "[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1"),
        added_tokens=specials(ids, "<pad>", "<unk>", "[CLS]", "[SEP]")
        + specials(ids, "[MASK]", lstrip=True))
    roberta = [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0]] + pieces[3:]
    roberta += [["<mask>", 0.0]]
    ids = {piece: i for i, (piece, _) in enumerate(roberta)}
    yield "xlm-roberta", file(
        unigram(roberta, 3), normalizer=charsmap, pre_tokenizer=old, decoder=metaspace(),
        post_processor=template(ids, "<s>:0 $A:0 </s>:0",
                                "<s>:0 $A:0 </s>:0 </s>:0 $B:0 </s>:0"),
        added_tokens=specials(ids, "<s>", "<pad>", "</s>", "<unk>")
        + specials(ids, "<mask>", lstrip=True))
    marian = [["</s>", 0.0], ["<unk>", 0.0]] + pieces[3:] + [["<pad>", 0.0]]
    ids = {piece: i for i, (piece, _) in enumerate(marian)}
    yield "marian", file(
        unigram(marian, 1), normalizer=sequence("normalizers", charsmap, MULTIPLE),
        pre_tokenizer=metaspace(), decoder=metaspace(),
        post_processor=template(ids, "$A:0 </s>:0", "$A:0 $B:0 </s>:0"),
        added_tokens=specials(ids, "</s>", "<unk>", "<pad>"))
    siglip = sequence(
        "normalizers", {"type": "Lowercase"},
        {"type": "Replace", "content": "", "pattern": {
            "Regex": r"[!\"\#\$%\&'\(\)\*\+,\-\.:;=\?@\[\]\/\\\^_`\{\|\}\~]"}},
        {"type": "Replace", "content": " ", "pattern": {"Regex": r"\s+"}},
        {"type": "Strip", "strip_left": True, "strip_right": True}, charsmap, MULTIPLE)
    ids = {piece: i for i, (piece, _) in enumerate(pieces)}
    yield "siglip", file(unigram(pieces, 0), normalizer=siglip, pre_tokenizer=metaspace(),
                         decoder=metaspace(), post_processor=template(
                             ids, "$A:0 </s>:0", "$A:0 </s>:0 $B:0 </s>:0"),
                         added_tokens=specials(ids, "</s>", "<unk>"))
    plain = unigram(scored(identity), 0, True)
    yield "unigram-bytes", file(plain, pre_tokenizer=metaspace("first", False),
                                decoder=LLAMA_DECODER)
    yield "unigram-whole", file(dict(plain, byte_fallback=False),
                                normalizer=replace(" ", SPACE), decoder=GEMMA_DECODER)
    # Scores above 0, a token twice, an empty one, one that is unknown characters.
    hand = [["<unk>", 0], ["a", -1.5], ["b", 8.0], ["\u00e9b", -28.0], ["a", -5.0], ["", -3.0],
            ["ab", 6.0], ["\u00e8\u00ea", -9.0], ["e\u0301", -27.5], ["ba", 6.5]]
    yield "unigram-hand", file(unigram(hand, 0), pre_tokenizer={"type": "WhitespaceSplit"})
    yield "unigram-nmt", file(unigram(pieces, 0), normalizer=sequence(
        "normalizers", {"type": "Nmt"}, {"type": "NFKC"}), decoder=metaspace(),
        pre_tokenizer={"type": "CharDelimiterSplit", "delimiter": " "})


def byte_families(tokenizers):
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    model = byte_bpe(tokenizers, names)
    ids = model["vocab"]
    tokens = specials(ids, *names[:4]) + specials(ids, "<mask>", lstrip=True)
    parts = {"decoder": BYTE_LEVEL, "added_tokens": tokens}
    plain = dict(BYTE_LEVEL, trim_offsets=True)
    roberta = around("RobertaProcessing", ids, "</s>", "<s>")
    yield "roberta", file(model, pre_tokenizer=plain, post_processor=roberta, **parts)
    yield "bart-space", file(model, pre_tokenizer=dict(plain, add_prefix_space=True),
                             post_processor=dict(roberta, add_prefix_space=True), **parts)
    yield "opt", file(model, pre_tokenizer=plain, post_processor=template(
        ids, "</s>:0 $A:0", "</s>:0 $A:0 </s>:0 $B:1"), **parts)
    spaces = [added(" " * n, len(ids) + 8 - n, normalized=True) for n in range(8, 1, -1)]
    yield "gpt-neox", file(model, normalizer={"type": "NFC"}, pre_tokenizer=plain,
                           post_processor=template(ids, "$A:0", "$A:0 $B:1"),
                           decoder=BYTE_LEVEL, added_tokens=tokens + spaces)
    yield "qwen", file(model, normalizer={"type": "NFC"}, pre_tokenizer=sequence(
        "pretokenizers", pre_split(QWEN), PLAIN_BYTES), decoder=BYTE_LEVEL,
        post_processor=dict(PLAIN_BYTES, trim_offsets=False), added_tokens=with_added(
            model, "<|endoftext|>", "<|im_start|>", "<|im_end|>"))
    yield "olmo2", file(model, pre_tokenizer=sequence(
        "pretokenizers", pre_split(CL100K), PLAIN_BYTES), decoder=BYTE_LEVEL,
        added_tokens=with_added(model, "<|endoftext|>"))
    yield "smollm", file(model, pre_tokenizer=sequence(
        "pretokenizers", {"type": "Digits", "individual_digits": True}, BYTE_LEVEL),
        decoder=BYTE_LEVEL, added_tokens=with_added(model, "<|endoftext|>", "<|im_start|>",
                                                    "<|im_end|>"))
    whisper = with_added(model, "<|endoftext|>", "<|startoftranscript|>", "<|en|>",
                         "<|transcribe|>", "<|notimestamps|>")
    whole = dict(ids, **{token["content"]: token["id"] for token in whisper})
    before = "<|startoftranscript|>:0 <|en|>:0 <|transcribe|>:0 <|notimestamps|>:0"
    yield "whisper", file(
        dict(model, continuing_subword_prefix="", end_of_word_suffix=""), pre_tokenizer=plain,
        decoder=BYTE_LEVEL, added_tokens=whisper, post_processor=template(
            whole, f"{before} $A:0 <|endoftext|>:0", f"{before} $A:0 $B:1 <|endoftext|>:1"))
    names = ["<|startoftext|>", "<|endoftext|>"]
    model = clip_bpe(tokenizers, names)
    model = dict(model, continuing_subword_prefix="", unk_token="<|endoftext|>")
    ids = model["vocab"]
    yield "clip", file(
        model, normalizer=sequence("normalizers", {"type": "NFC"},
                                   replace(r"\s+", " ", "Regex"), {"type": "Lowercase"}),
        pre_tokenizer=sequence("pretokenizers", pre_split(CLIP, "Removed", True), BYTE_LEVEL),
        post_processor=around("RobertaProcessing", ids, *names[::-1], trim=False),
        decoder=BYTE_LEVEL, added_tokens=specials(ids, *names, normalized=True))


def score_families(proto):
    model = score_bpe(proto)
    ids = model["vocab"]
    llama = sequence("normalizers", {"type": "Prepend", "prepend": SPACE},
                     replace(" ", SPACE))
    tokens = specials(ids, "<unk>", "<s>", "</s>")
    bos = template(ids, "<s>:0 $A:0", "<s>:0 $A:0 <s>:1 $B:1")
    parts = {"decoder": LLAMA_DECODER, "post_processor": bos}
    yield "llama", file(model, normalizer=llama, added_tokens=tokens, **parts)
    yield "mistral", file(model, pre_tokenizer=metaspace("first", False),
                          added_tokens=tokens, **parts)
    yield "phi3", file(model, normalizer=llama, added_tokens=tokens + with_added(
        model, "<|endoftext|>") + [added(name, len(ids) + 1 + i, special=True, rstrip=True)
                                   for i, name in enumerate(("<|end|>", "<|user|>"))],
        **dict(parts, post_processor=template(ids, "$A:0", "$A:0 $B:1")))
    yield "gemma", file(
        model, normalizer=replace(" ", SPACE), decoder=GEMMA_DECODER,
        pre_tokenizer=pre_split(" ", "MergedWithPrevious", kind="String"),
        post_processor=bos, added_tokens=tokens + with_added(
            model, "<start_of_turn>", "<end_of_turn>") + [
                added("\n\n", ids.get("\n\n", len(ids) + 2)), added("\n", ids["\n"])])


def other_families(tokenizers):
    model = with_suffix(train(
        tokenizers, tokenizers.pre_tokenizers.BertPreTokenizer(), 500, ["<unk>"],
        normalizer=tokenizers.normalizers.BertNormalizer(), n_characters=200), 1)
    model = dict(model, unk_token="<unk>")
    yield "openai-gpt", file(model, normalizer=bert_normalizer(),
                             pre_tokenizer={"type": "BertPreTokenizer"},
                             decoder={"type": "BPEDecoder", "suffix": "</w>"},
                             added_tokens=specials(model["vocab"], "<unk>"))
    names = ["<unk>", "<s>", "the", "a", "Hello", ",", "world", "!", "\u4e2d", "x2", ".", "don"]
    ids = {name: i for i, name in enumerate(names)}
    level = {"type": "WordLevel", "vocab": ids, "unk_token": "<unk>"}
    yield "word-level", file(
        level, pre_tokenizer={"type": "Whitespace"}, added_tokens=specials(ids, "<s>"),
        post_processor=template(ids, "<s>:3 $A:2 the:1", "a:4 $B:2 <s>:5 $A:7"))


def families(tokenizers, nfkc, identity, bpe):
    yield from bert_families(tokenizers)
    yield from unigram_families(nfkc, identity)
    yield from byte_families(tokenizers)
    yield from score_families(bpe)
    yield from other_families(tokenizers)


# ---- what is expected ------------------------------------------------------------------

def sweep():
    """Marks, punctuation, formats and the like between letters, as many as there are."""
    kept = [c for c in map(chr, range(0x80, 0x110000))
            if unicodedata.category(c)[0] in "MPCZ" and unicodedata.category(c) != "Cs"
            and not unicodedata.decomposition(c) and c.lower() == c and
            unicodedata.combining(c) == 0]
    kept = [c for c in kept if unicodedata.category(c) not in ("Cn", "Co")] + kept[::7919]
    return [" ".join(f"a{c}a" for c in kept[i:i + 40]) for i in range(0, len(kept), 40)]


def expected_pair(tokenizer, a, b, flat):
    """[[adds, ids, segments, texts, places]...], with b None of one text."""
    out = []
    for adds in (True, False):
        encoding = tokenizer.encode(a, b, add_special_tokens=adds)
        out.append([int(adds), encoding.ids, encoding.type_ids,
                    [-1 if s is None else s for s in encoding.sequence_ids],
                    flat(encoding.offsets)])
    return out


def pairs(rand, n, n_texts):
    for _ in range(n):
        a = rand.randrange(n_texts)
        yield a, rand.choice([rand.randrange(n_texts), rand.randrange(n_texts), -1])


def entry(tokenizer, name, number, texts, expected, decoded, flat):
    rand = random.Random(number)
    n_all = len(fixture_texts.HAND) + len(MORE)
    cases = [expected(tokenizer, text) if i < len(MORE) or (number + i) % 3 == 0 else 0
             for i, text in enumerate(texts)]
    both = [[a, b, expected_pair(tokenizer, texts[a], texts[b] if b >= 0 else None, flat)]
            for a, b in pairs(rand, 60, n_all)]
    return {"name": name, "expected": cases, "decoded": decoded(tokenizer, 60),
            "pairs": both}


def share(value, found, kept):
    """The value with what is large written as a number of the list @kept."""
    if isinstance(value, dict):
        if len(value.get("vocab", ())) > 100:
            if json.dumps(value) not in found:
                found[json.dumps(value)] = len(kept)
                kept.append(value)
            return found[json.dumps(value)]
        return {key: share(part, found, kept) for key, part in value.items()}
    if isinstance(value, list):
        return [share(part, found, kept) for part in value]
    if isinstance(value, str) and len(value) > 10000:
        if value not in found:
            found[value] = len(kept)
            kept.append(value)
        return found[value]
    return value


def make(tokenizers, expected, decoded, flat):
    _, nfkc = sentencepiece_model("unigram", "nmt_nfkc", 1000)
    _, identity = sentencepiece_model("unigram", "identity", 900, byte_fallback=True,
                                      add_dummy_prefix=False)
    _, bpe = sentencepiece_model("bpe", "identity", 900, byte_fallback=True,
                                 split_digits=True, remove_extra_whitespaces=False)
    texts = MORE + fixture_texts.make_texts(500, 31)
    out = {"library": f"tokenizers {tokenizers.__version__}", "texts": texts,
           "sweep": sweep(), "tokenizers": [], "shared": []}
    found = {}
    for number, (name, whole) in enumerate(families(tokenizers, nfkc, identity, bpe)):
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps(whole))
        item = entry(tokenizer, name, number, texts, expected, decoded, flat)
        if name in ("bert-uncased", "bert-cased"):
            item["sweep"] = [expected(tokenizer, text)[:1] for text in out["sweep"]]
        out["tokenizers"].append(dict(item, file=share(whole, found, out["shared"])))
    return out
