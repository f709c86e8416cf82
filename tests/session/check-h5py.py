# SPDX-License-Identifier: MIT
"""Sessions as h5py sees them, and sessions that h5py wrote. Prints TAP."""
import os
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy as np
except ImportError as missing:
    print("1..0 # SKIP no %s for %s" % (missing.name, sys.executable))
    sys.exit(0)

PROGRAM = sys.argv[1]
FOLDER = tempfile.TemporaryDirectory(prefix="hl-h5py-")


def place(name):
    return os.path.join(FOLDER.name, name)


def run(*args):
    done = subprocess.run([PROGRAM, *args], capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip()


def expect(found, wanted):
    if found != wanted:
        raise AssertionError("%r expected, %r found" % (wanted, found))


def check_reading():
    expect(run("write", place("a.h5")), (0, ""))
    with h5py.File(place("a.h5"), "r") as f:
        expect(int(f.attrs["headlight_schema"]), 1)
        expect(f.attrs["headlight_schema"].dtype, np.dtype("int32"))
        trace = f["traces/0"]
        expect(trace["tokens/text"].asstr()[4], "Größe ✓")
        expect(trace["tokens/text"].asstr()[0], "CLS")
        expect([r.decode() for r in trace["tokens/role"][:2]], ["special", "image"])
        expect(list(trace["tokens/row"][:]), [-1, 0, 0, 1, 1])
        site = trace["sites/blocks.0.attn.hook_pattern"]
        expect((site.shape, site.dtype), ((3, 5, 5), np.dtype("float32")))
        wanted = np.sin(0.37 * np.arange(1, 76) + 1).astype("float32")
        expect(np.array_equal(site[:].ravel(), wanted), True)
        expect(trace["input/pixels"].shape, (2, 4, 3))
        expect(list(trace.attrs["interventions"]), ["0.1 scaled by 0", "1.2 masked"])
        expect(f["notes"].asstr()[()], "Notizen für 1\nzweite Zeile")
        expect(f["view"].attrs["colour-map"], "magma")
        expect(f["models/0"].attrs["config"], '{"hidden_size": 192}')
        expect(f["results/0"].attrs["id"], "entropy")


def check_scales():
    expect(run("write", place("a.h5")), (0, ""))
    with h5py.File(place("a.h5"), "r") as f:
        trace = f["traces/0"]
        wanted = {"sites/blocks.0.attn.hook_pattern": ["head", "query", "key"],
                  "sites/blocks.1.attn.hook_q": ["token", "head", "head_width"],
                  "sites/blocks.1.attn.hook_lse": ["head", "query"],
                  "tokens/text": ["token"], "logits": ["class"],
                  "input/pixels": ["row", "column", "channel"]}
        for name, axes in wanted.items():
            data = trace[name]
            expect([d.label for d in data.dims], axes)
            for d, size, axis in zip(data.dims, data.shape, axes):
                expect(len(d), 1)
                expect(d.keys()[0], axis)
                expect(list(d[0][:]), list(range(size)))
        expect([d.keys()[0] for d in f["results/0/mean"].dims], ["layer", "head"])
        expect(f["results/0/mean"].attrs["units"], "nat")


def check_text():
    expect(run("text", place("t.h5")), (0, ""))
    with h5py.File(place("t.h5"), "r") as f:
        model, trace = f["models/0"].attrs, f["traces/0"]
        expect(model["revision"], "607a30d783dfa663caf39e06633721c8d4cfcd7e")
        expect((int(model["n_vocab"]), int(model["n_context"]), model["input_kind"]),
               (264, 64, "text"))
        expect((trace.attrs["input_kind"], trace["input/text"].asstr()[()]),
               ("text", "aé"))
        tokens, raw = trace["tokens"], trace["tokens/bytes"][:].tobytes()
        expect(list(tokens["id"][:]), [1, 260, 198, 172, 263])
        expect([raw[o:o + n] for o, n in zip(tokens["bytes_offset"],
                                             tokens["bytes_length"])],
               [b"<s>", b"a", b"\xc3", b"\xa9", b" ab"])
        expect([r.decode() for r in tokens["role"][:]],
               ["special", "prompt", "prompt", "prompt", "generated"])
        expect(list(tokens["start"][:]), [-1, 0, 1, 1, -1])
        expect(list(tokens["end"][:]), [-1, 1, 2, 2, -1])
        for layer in (0, 1):
            recipe = trace["recipes/blocks.%d.attn" % layer].attrs
            expect((int(recipe["is_rotary"]), int(recipe["is_causal"])), (1, 1))
        expect(trace["sites/blocks.1.attn.hook_rot_k"].shape, (5, 1, 4))
        check_predictions(trace["predictions"])


def check_predictions(p):
    expect([(p[n].dtype, p[n].shape) for n in ("next_id", "next_rank", "top_id")],
           [(np.dtype("int32"), s) for s in ((5,), (5,), (5, 3))])
    expect([(p[n].dtype, p[n].shape) for n in ("entropy", "next_log_prob",
                                               "top_log_prob")],
           [(np.dtype("float32"), s) for s in ((5,), (5,), (5, 3))])
    expect((int(p.attrs["is_own"]), list(p["next_id"][:])), (1, [1, 260, 198, 172, 263]))
    expect(list(p["next_rank"][:]), [0, 7, 14, 21, -1])
    expect(list(p["next_log_prob"][:4]), [0, -1.25, -2.5, -3.75])
    expect(bool(np.isnan(p["next_log_prob"][4])), True)
    expect(list(p["entropy"][:]), [0.5, 1.5, 2.5, 3.5, 4.5])
    expect(list(p["top_id"][4]), [260, 261, 262])
    expect(list(p["top_log_prob"][4]), [-1, -1.25, -1.5])
    expect(dict(zip(p["text_id"][:], p["text"].asstr()[:])),
           {260: "a", 261: "␣b", 262: "\\xC3"})
    expect([d.label for d in p["top_id"].dims], ["token", "prediction"])
    expect(p["entropy"].attrs["units"], "nats")


def check_half():
    expect(run("half", place("h.h5")), (0, ""))
    with h5py.File(place("h.h5"), "r") as f:
        site = f["traces/0/sites/blocks.0.attn.hook_pattern"]
        expect(site.dtype, np.dtype("float16"))
        exact = np.sin(0.37 * np.arange(1, 76) + 1).astype("float32").astype("float16")
        expect(np.array_equal(site[:].ravel(), exact), True)
        expect(f["traces/0/sites/blocks.1.attn.hook_q"].dtype, np.dtype("float32"))


def write_foreign(path, dtype, tokens=5, heads=4, layers=3, skip=None, grid=True):
    maps = np.random.default_rng(1).random((heads, 5, 5))
    with h5py.File(path, "w") as f:
        f.attrs["headlight_schema"] = 1
        trace = f.create_group("traces/0")
        trace["tokens/text"] = ["[CLS]"] + ["p%d" % i for i in range(tokens - 1)]
        if grid:
            trace["tokens/row"] = [-1, 0, 0, 1, 1]
            trace["tokens/column"] = [-1, 0, 1, 0, 1]
            trace["input/pixels"] = np.zeros((8, 8, 3), "uint8")
        for layer in range(layers):
            if layer != skip:
                name = "sites/blocks.%d.attn.hook_pattern" % layer
                trace[name] = maps.astype(dtype)
    return float(np.float32(maps.astype(dtype).ravel()[1]))


def check_foreign():
    for dtype in ("float16", "float32", "float64"):
        value = write_foreign(place("f.h5"), dtype)
        wanted = ("f.h5 family='' layers=3 heads=4 tokens=5 grid=2x2 first='[CLS]' "
                  "role=special A001=%.9g pixels=1 kind=image" % value)
        expect(run("show", place("f.h5")), (0, wanted))
    value = write_foreign(place("f.h5"), "float32", grid=False)
    wanted = ("f.h5 family='' layers=3 heads=4 tokens=5 grid=0x0 first='[CLS]' "
              "role=none A001=%.9g pixels=0 kind=text" % value)
    expect(run("show", place("f.h5")), (0, wanted))


def expect_refused(words):
    status, text = run("show", place("f.h5"))
    expect(status, 1)
    for word in words:
        if word not in text:
            raise AssertionError("%r not in %r" % (word, text))


def check_refused():
    write_foreign(place("f.h5"), "float32", skip=1)
    expect_refused(["/traces/0/sites/blocks.1.attn.hook_pattern: missing"])
    write_foreign(place("f.h5"), "float32", tokens=4, grid=False)
    expect_refused(["blocks.0.attn.hook_pattern", "[4, 4, 4] expected", "[4, 5, 5]"])
    write_foreign(place("f.h5"), ">f4")
    expect_refused(["hook_pattern", "big-endian 4-byte float found"])
    write_foreign(place("f.h5"), "uint32")
    expect_refused(["hook_pattern", "unsigned 4-byte integer found"])


def check_compressed():
    value = write_foreign(place("f.h5"), "float32")
    with h5py.File(place("f.h5"), "a") as f:
        sites = f["traces/0/sites"]
        for name in list(sites):
            data = sites[name][:]
            del sites[name]
            sites.create_dataset(name, data=data, compression="gzip", shuffle=True,
                                 fletcher32=True)
    status, text = run("show", place("f.h5"))
    expect((status, "A001=%.9g" % value in text), (0, True))
    with h5py.File(place("f.h5"), "a") as f:
        f["traces/0/sites"].create_dataset("x", data=np.zeros(9), compression="lzf")
    expect_refused(["/traces/0/sites/x: filter 32000"])


CHECKS = [check_reading, check_scales, check_text, check_half, check_foreign,
          check_refused, check_compressed]
print("1..%d" % len(CHECKS))
N_FAILED = 0
for number, check in enumerate(CHECKS, 1):
    try:
        check()
        print("ok %d %s" % (number, check.__name__))
    except Exception as error:  # each check is a case of its own
        N_FAILED += 1
        print("not ok %d %s\n# %r" % (number, check.__name__, error))
sys.exit(1 if N_FAILED else 0)
