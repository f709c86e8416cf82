#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Time PyTorch on the bench's language model.

    python3 peer-pytorch-lm.py MODEL_FOLDER N_THREADS forward N_TOKENS [BUDGET_SECONDS]
    python3 peer-pytorch-lm.py MODEL_FOLDER N_THREADS generate N_TOKENS N_NEW

forward: eager attention, every attention map and every position's logits returned; the
median over at least three runs after one to warm up, until the budget, 10 s unless
given, is used up. generate: greedy, with a cache, with the library's own attention; the
time of one token after the first. MODEL_FOLDER is in the Hugging Face layout. One line
on standard output:

    peer pytorch ms=<median> min=<..> n=<..> peak_mb=<..> version=<..> threads=<..>
    peer: skipped: <reason>
"""

import os
import statistics
import sys
import time


def skip(reason):
    print(f"peer: skipped: {reason}")
    sys.exit(0)


def status_mb(path, field):
    with open(path, encoding="ascii") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def forward(model, ids, torch, budget_s):
    n_tokens, config = ids.shape[1], model.config
    maps_mb = 4e-6 * config.n_layer * config.n_head * n_tokens ** 2
    logits_mb = 4e-6 * n_tokens * config.vocab_size
    need_mb = maps_mb + 2 * logits_mb + 4 * maps_mb / config.n_layer + 1000
    if need_mb > status_mb("/proc/meminfo", "MemAvailable"):
        skip(f"its maps alone are {maps_mb / 1000:.1f} GB, more than this machine has")
    times_ms = []
    with torch.inference_mode():
        start = time.perf_counter()
        while len(times_ms) < 4 or time.perf_counter() - start < budget_s:
            began = time.perf_counter()
            out = model(input_ids=ids, output_attentions=True, use_cache=False)
            times_ms.append(1000 * (time.perf_counter() - began))
            if len(out.attentions) != config.n_layer or out.attentions[0] is None:
                skip("this transformers does not return attention")
            del out
            if len(times_ms) >= 200:
                break
    return times_ms[1:]


def generate(model, ids, torch, n_new):
    """Token by token, as a loop over the model does it."""
    times_ms = []
    with torch.inference_mode():
        cache, step = None, ids
        for _ in range(n_new + 1):
            began = time.perf_counter()
            out = model(input_ids=step, past_key_values=cache, use_cache=True)
            cache, step = out.past_key_values, out.logits[:, -1:].argmax(-1)
            times_ms.append(1000 * (time.perf_counter() - began))
    return times_ms[1:]


def load(folder, n_threads, what):
    # What these libraries tell of their own progress is not for the bench's table.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", str(n_threads))
    try:
        import torch
        import transformers
    except ImportError as error:
        skip(f"{error.name} is not installed")
    torch.set_num_threads(n_threads)
    kind = "eager" if what == "forward" else "sdpa"
    try:
        model = transformers.GPT2LMHeadModel.from_pretrained(
            folder, attn_implementation=kind, local_files_only=True).float().eval()
    except (OSError, ValueError, RuntimeError) as error:
        skip("transformers does not load the model: " + str(error).split("\n")[0])
    return model, torch


def main():
    if len(sys.argv) not in (5, 6) or sys.argv[3] not in ("forward", "generate"):
        sys.exit(__doc__.split("\n\n")[1])
    folder, n_threads, what, n_tokens = (sys.argv[1], int(sys.argv[2]), sys.argv[3],
                                         int(sys.argv[4]))
    if not os.path.isfile(os.path.join(folder, "config.json")):
        skip(f"no config.json in {folder}")
    model, torch = load(folder, n_threads, what)
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(model.config.vocab_size, (1, n_tokens), generator=generator)
    if what == "forward":
        budget_s = float(sys.argv[5]) if len(sys.argv) == 6 else 10.0
        times_ms = forward(model, ids, torch, budget_s)
    else:
        times_ms = generate(model, ids, torch,
                            int(sys.argv[5]) if len(sys.argv) == 6 else 32)
    print(f"peer pytorch ms={statistics.median(times_ms):.2f} min={min(times_ms):.2f} "
          f"n={len(times_ms)} peak_mb={status_mb('/proc/self/status', 'VmHWM'):.0f} "
          f"version={torch.__version__} threads={n_threads}")


if __name__ == "__main__":
    main()
