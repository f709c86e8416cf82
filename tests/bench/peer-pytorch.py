#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Time PyTorch on the bench's model: eager attention, every attention map returned.

    python3 peer-pytorch.py MODEL_FOLDER N_THREADS [BUDGET_SECONDS]

MODEL_FOLDER is in the Hugging Face layout. One line on standard output:

    peer pytorch ms=<median> min=<..> n=<..> version=<..> threads=<..>
    peer: skipped: <reason>

The reason is that torch or transformers is not installed, or that there is no such
folder. Warm-up, then the median over at least five runs (float32, batch of one) until
the budget, 20 s unless given, is used up.
"""

import os
import statistics
import sys
import time


def skip(reason):
    print(f"peer: skipped: {reason}")
    sys.exit(0)


def image_size(config):
    size = config.image_size
    return tuple(size) if isinstance(size, (list, tuple)) else (size, size)


def load(folder, torch, transformers):
    model = transformers.ViTForImageClassification.from_pretrained(
        folder, attn_implementation="eager", local_files_only=True).float().eval()
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randn(1, model.config.num_channels, *image_size(model.config),
                         generator=generator)
    return model, pixels


def measure(model, pixels, torch, budget_s):
    times_ms = []
    with torch.inference_mode():
        def once():
            start = time.perf_counter()
            out = model(pixel_values=pixels, output_attentions=True)
            elapsed_ms = 1000 * (time.perf_counter() - start)
            if len(out.attentions) != model.config.num_hidden_layers:
                skip("this transformers does not return attention")
            return elapsed_ms
        start = time.perf_counter()
        for _ in range(2):
            once()
        while len(times_ms) < 5 or time.perf_counter() - start < budget_s:
            times_ms.append(once())
            if len(times_ms) >= 200:
                break
    return times_ms


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: peer-pytorch.py MODEL_FOLDER N_THREADS [BUDGET_SECONDS]")
    folder, n_threads = sys.argv[1], int(sys.argv[2])
    budget_s = float(sys.argv[3]) if len(sys.argv) == 4 else 20.0
    if not os.path.isfile(os.path.join(folder, "config.json")):
        skip(f"no config.json in {folder}")
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
    try:
        model, pixels = load(folder, torch, transformers)
    except (OSError, ValueError, RuntimeError) as error:
        skip("transformers does not load the model: " + str(error).split("\n")[0])
    times_ms = measure(model, pixels, torch, budget_s)
    print(f"peer pytorch ms={statistics.median(times_ms):.2f} min={min(times_ms):.2f} "
          f"n={len(times_ms)} version={torch.__version__} threads={n_threads}")


if __name__ == "__main__":
    main()
