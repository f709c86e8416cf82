# SPDX-License-Identifier: MIT
"""Tokenizers of our own: one trained on the fixtures' texts in two kinds, and with each
step that a tokenizer file may name put before, behind and around it."""

import json

import fixture_texts

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
              "use_regex": True}
PLAIN_BYTES = dict(BYTE_LEVEL, use_regex=False)
# The words of cl100k, as its files write them.
CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
O200K = "|".join([
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])
DEEPSEEK = ["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"]
PATTERNS = [
    r"\s", r"\S+", r"\w+", r"\W", r"[\w']+", r"\d+", r"\D+", r"\p{L}+|\p{N}|[^\s\p{L}\p{N}]",
    r"\p{Lu}\p{Ll}*", r"\P{L}+", r"\p{^L}+", r"[^\p{L}]+", r"\p{Han}+|\p{Hiragana}+",
    r"\p{Greek}|\p{Arabic}+", r"\p{Punctuation}+",
    r"^.", r".$", r"^\s+|\s+$", r"a*", r"(?=[A-Z])", r"(?<=\s)\S", r"(?<!a)b", r"\b\w",
    r"\B", r"[^\S\n]+", r"\h+", r"\v", r"a{,2}b", r"a{2}", r"{", r"[a-c\-x]+", r"(a|b)+c?",
    r"(?i:STRASSE|k)", r"(?i)ss", r"a++b", r"(?>a+)b", r"\x41|\u0042|\x{4e00}", r"[\]\[]",
    r"\R", r"[\p{L}\p{M}\d_]+", r"(\w)\1", r".+", r"\Aa|b\z", r"\p{So}|\p{Sm}|\p{Cf}",
]


def pre_split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior,
            "invert": invert}


def replace(pattern, content, kind="String"):
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def sequence(field, *steps):
    return {"type": "Sequence", field: list(steps)}


def metaspace(scheme="always", split=True):
    return {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme,
            "split": split}


def added(content, id_, **flags):
    token = {"id": id_, "content": content, "single_word": False, "lstrip": False,
             "rstrip": False, "normalized": False, "special": False}
    return dict(token, **flags)


def train(tokenizers, pre, size, alphabet):
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = pre
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=size, show_progress=False,
                                             initial_alphabet=alphabet)
    words = [text.replace("\0", " ") for text in fixture_texts.make_texts(300, 7)]
    tokenizer.train_from_iterator(words, trainer)
    return json.loads(tokenizer.to_str())["model"]


def with_bytes(model):
    """The model with tokens <0x00> to <0xFF> and <unk> before its own."""
    names = ["<unk>"] + [f"<0x{b:02X}>" for b in range(256)]
    names += sorted(model["vocab"], key=model["vocab"].get)
    return dict(model, vocab={name: i for i, name in enumerate(names)}, unk_token="<unk>",
                byte_fallback=True, fuse_unk=True)


def around(before, behind):
    def special(pair):
        return {"SpecialToken": {"id": pair[0], "type_id": 0}}
    pieces = [special(p) for p in before] + [{"Sequence": {"id": "A", "type_id": 0}}]
    pieces += [special(p) for p in behind]
    return {"type": "TemplateProcessing", "single": pieces, "pair": pieces + [
        {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {
            name: {"id": name, "ids": [id_], "tokens": [name]}
            for name, id_ in before + behind}}


def file(model, **parts):
    whole = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
             "normalizer": None, "pre_tokenizer": None, "post_processor": None,
             "decoder": None, "model": model}
    return dict(whole, **parts)


def normalizers():
    llama = sequence("normalizers", {"type": "Prepend", "prepend": "\u2581"},
                     replace(" ", "\u2581"))
    strip = {"type": "Strip", "strip_left": True, "strip_right": True}
    yield from ((form, {"type": form}) for form in ("NFC", "NFD", "NFKC", "NFKD"))
    yield "lowercase", {"type": "Lowercase"}
    yield "strip", strip
    yield "strip-left", dict(strip, strip_right=False)
    yield "strip-right", dict(strip, strip_left=False)
    yield "prepend", {"type": "Prepend", "prepend": "\u00e9x"}
    yield "replace", replace("e", "\u00ebe")
    yield "replace-away", replace("a", "")
    yield "replace-regex", replace(r"\s+", " ", "Regex")
    yield "replace-runs", replace(r" {2,}", "\u2581", "Regex")
    yield "llama", llama
    yield "nfd-lower-nfc", sequence("normalizers", {"type": "NFD"}, {"type": "Lowercase"},
                                    {"type": "NFC"})
    yield "nfkd-strip-llama", sequence("normalizers", {"type": "NFKD"}, strip, llama)
    yield "clip", sequence("normalizers", {"type": "NFC"}, replace(r"\s+", " ", "Regex"),
                           {"type": "Lowercase"})


def pre_tokenizers():
    behaviors = ("Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous")
    yield "metaspace", metaspace()
    yield "metaspace-first", metaspace("first")
    yield "metaspace-never", metaspace("never")
    yield "metaspace-whole", metaspace(split=False)
    yield "digits", {"type": "Digits", "individual_digits": False}
    yield "digits-single", {"type": "Digits", "individual_digits": True}
    yield "whitespace", {"type": "Whitespace"}
    yield "whitespace-split", {"type": "WhitespaceSplit"}
    for behavior in behaviors:
        yield f"punctuation-{behavior}", {"type": "Punctuation", "behavior": behavior}
        for invert in (False, True):
            mark = "-not" if invert else ""
            yield f"split-{behavior}{mark}", pre_split(r"\s+|e", behavior, invert)
            yield f"split-text-{behavior}{mark}", pre_split(" ", behavior, invert, "String")
            yield f"split-empty-{behavior}{mark}", pre_split(r"(?=\s)|a*", behavior, invert)
    yield "two", sequence("pretokenizers", {"type": "Whitespace"},
                          {"type": "Digits", "individual_digits": True})
    for number, pattern in enumerate(PATTERNS):
        yield f"pattern-{number}", pre_split(pattern, "MergedWithPrevious")


def byte_pre_tokenizers():
    yield "gpt2-space", dict(BYTE_LEVEL, add_prefix_space=True)
    yield "plain", PLAIN_BYTES
    yield "plain-space", dict(PLAIN_BYTES, add_prefix_space=True)
    yield "cl100k", sequence("pretokenizers", pre_split(CL100K), PLAIN_BYTES)
    yield "o200k", sequence("pretokenizers", pre_split(O200K), PLAIN_BYTES)
    yield "deepseek", sequence("pretokenizers", *map(pre_split, DEEPSEEK),
                               {"type": "Digits", "individual_digits": True}, PLAIN_BYTES)
    yield "clip", sequence("pretokenizers", pre_split(
        r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]"
        r"|[^\s\p{L}\p{N}]+", "Removed", True), PLAIN_BYTES)


def added_sets(n):
    flags = [("plain", {}), ("special", {"special": True}), ("left", {"lstrip": True}),
             ("right", {"rstrip": True}), ("both", {"lstrip": True, "rstrip": True}),
             ("word", {"single_word": True}), ("normalized", {"normalized": True}),
             ("all", {"lstrip": True, "rstrip": True, "normalized": True, "special": True})]
    for name, extra in flags:
        yield name, [added("<s>", n, **extra), added("the", n + 1, **extra),
                     added("the a", n + 2, **extra), added("</s>", n + 3, special=True)]


def decoders():
    fallback = [{"type": "ByteFallback"}, {"type": "Fuse"}]
    space = replace("\u2581", " ")
    yield "llama", sequence("decoders", space, *fallback,
                            {"type": "Strip", "content": " ", "start": 1, "stop": 0})
    yield "strip-more", sequence("decoders", space, *fallback,
                                 {"type": "Strip", "content": " ", "start": 3, "stop": 0})
    yield "fallback", {"type": "ByteFallback"}
    yield "metaspace", metaspace()
    yield "metaspace-never", metaspace("never")
    yield "replace-regex", replace("[aeiou]", "*", "Regex")


def variants(model, bytes_model):
    n, n_bytes = len(model["vocab"]), len(bytes_model["vocab"])
    fallback = {"decoder": next(decoders())[1]}
    for name, step in normalizers():
        yield f"normalizer/{name}", file(model, normalizer=step, **fallback)
    for name, step in pre_tokenizers():
        yield f"pre/{name}", file(model, pre_tokenizer=step, **fallback)
    for name, step in byte_pre_tokenizers():
        yield f"pre/bytes-{name}", file(bytes_model, pre_tokenizer=step, decoder=BYTE_LEVEL)
    for name, tokens in added_sets(n):
        yield f"added/{name}", file(model, added_tokens=tokens, **fallback)
        yield f"added/{name}-llama", file(
            model, added_tokens=tokens, normalizer=dict(normalizers())["llama"], **fallback)
        yield f"added/{name}-first", file(model, added_tokens=tokens,
                                          pre_tokenizer=metaspace("first"), **fallback)
    for name, step in decoders():
        yield f"decoder/{name}", file(model, normalizer=dict(normalizers())["llama"],
                                      decoder=step)
    yield "decoder/none", file(model)
    for keeps in (False, True):
        trims = {"type": "ByteLevel", "add_prefix_space": keeps, "trim_offsets": True,
                 "use_regex": True}
        tokens = [added("<s>", n_bytes, special=True), added("</s>", n_bytes + 1, lstrip=True)]
        template = around([("<s>", n_bytes)], [("</s>", n_bytes + 1)])
        name = "keep" if keeps else "trim"
        parts = {"added_tokens": tokens, "decoder": BYTE_LEVEL,
                 "pre_tokenizer": dict(BYTE_LEVEL, add_prefix_space=keeps)}
        yield f"post/{name}", file(bytes_model, post_processor=trims, **parts)
        yield f"post/{name}-template", file(
            bytes_model, post_processor=sequence("processors", trims, template), **parts)
        yield f"post/{name}-roberta", file(bytes_model, post_processor={
            "type": "RobertaProcessing", "sep": ["</s>", n_bytes + 1],
            "cls": ["<s>", n_bytes], "trim_offsets": True, "add_prefix_space": keeps}, **parts)
    yield "post/bert", file(bytes_model, added_tokens=tokens, decoder=BYTE_LEVEL,
                            pre_tokenizer=BYTE_LEVEL, post_processor={
                                "type": "BertProcessing", "sep": ["</s>", n_bytes + 1],
                                "cls": ["<s>", n_bytes]})
    yield from models(model, bytes_model, fallback)


def models(model, bytes_model, fallback):
    few = {name: i for i, name in enumerate(
        ["<unk>"] + [c for c in "abcdefghij\u2581\u4e2d"] + ["ab", "abc", "abcd", "bcd", "cd"])}
    merges = [["c", "d"], ["b", "cd"], ["a", "b"], ["ab", "c"], ["a", "bcd"]]
    base = {"type": "BPE", "dropout": None, "unk_token": "<unk>", "fuse_unk": False,
            "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "byte_fallback": False, "ignore_merges": False, "vocab": few, "merges": merges}
    yield "model/unk", file(base)
    yield "model/unk-fused", file(dict(base, fuse_unk=True))
    yield "model/no-unk", file(dict(base, unk_token=None))
    yield "model/strings", file(dict(base, merges=[" ".join(m) for m in merges]))
    yield "model/few-bytes", file(dict(
        base, byte_fallback=True, vocab=dict(few, **{"<0x41>": 18, "<0xC3>": 19, "<0xA9>": 20})))
    yield "model/no-fallback", file(dict(model, byte_fallback=False, fuse_unk=False), **fallback)
    whole = dict(few, the=18, zzz=19)
    yield "model/ignore-merges", file(dict(base, ignore_merges=True, vocab=whole),
                                      pre_tokenizer={"type": "Whitespace"})
    whole = dict(bytes_model["vocab"])
    for name in ("\u0120hello", "Hello", "\u010a\u010a", "aaaaaaaa"):
        whole.setdefault(name, len(whole))
    yield "model/ignore-merges-bytes", file(
        dict(bytes_model, ignore_merges=True, vocab=whole), pre_tokenizer=BYTE_LEVEL,
        decoder=BYTE_LEVEL)
    suffixed = {}
    for name in bytes_model["vocab"]:
        suffixed[name] = len(suffixed)
    for name in list(suffixed):
        if len(name) == 1:
            suffixed[name + "</w>"] = len(suffixed)
    for name in ("he</w>", "the</w>", "in</w>"):
        suffixed[name] = len(suffixed)
    merges = [["h", "e</w>"], ["t", "he</w>"], ["i", "n</w>"]]
    yield "model/suffix", file(dict(bytes_model, end_of_word_suffix="</w>", vocab=suffixed,
                                    merges=merges), pre_tokenizer=BYTE_LEVEL)


def make(tokenizers, expected, decoded):
    pre = tokenizers.pre_tokenizers
    model = with_bytes(train(tokenizers, pre.Metaspace(prepend_scheme="never"), 400, []))
    bytes_model = train(tokenizers, pre.ByteLevel(add_prefix_space=False), 420,
                        pre.ByteLevel.alphabet())
    texts = fixture_texts.HAND + fixture_texts.make_texts(60, 99)[len(fixture_texts.HAND):]
    texts = [text for text in texts if len(text) < 120]
    texts += ["the athe the a the abathe the", " the  <s>  the </s> ", "<s> the<s>the </s>",
              "THE The", "a\u180eb\u3000c", "zzz the zzz"]
    out = {"library": f"tokenizers {tokenizers.__version__}", "texts": texts, "tokenizers": [],
           "models": [model, bytes_model]}
    for number, (name, whole) in enumerate(variants(model, bytes_model)):
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps(whole))
        # Every third text, another third for the next one; all of the last few.
        cases = [expected(tokenizer, text)
                 if (number + i) % 3 == 0 or i >= len(texts) - 24 else 0
                 for i, text in enumerate(texts)]
        # The two models are written once.
        kind = 0 if whole["model"] is model else 1 if whole["model"] is bytes_model else None
        if kind is not None:
            whole = dict(whole, model=kind)
        out["tokenizers"].append({"name": name, "file": whole, "expected": cases,
                                  "decoded": decoded(tokenizer, 40)})
    return out
